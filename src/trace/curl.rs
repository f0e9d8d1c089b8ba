//! A request as a command that sends it again: `curl`, with shell variables
//! in the place of secrets, so that nothing of it is a secret and a person
//! who has them can run it.

use crate::foreign_text::sanitize_unbounded;
use crate::protocol::http::{HeaderName, HeaderValue, HttpRequest, Method, RequestBody};
use crate::protocol::params::Value;
use crate::secret::Secret;
use crate::trace::redact::{UrlPart, parts_of_url};
use shell_words::quote;
use std::path::Path;
use url::form_urlencoded::byte_serialize;

/// Headers that `curl` sends by itself, or that say who sends.
const OWN_HEADERS: [&str; 4] = ["accept-encoding", "content-type", "host", "user-agent"];

/// Parameters of OAuth and OpenID Connect that are hidden in some requests
/// only; those that always are know it themselves ([`Value::tagged`]).
const FURTHER_NAMES: [&str; 2] = ["code_challenge", "nonce"];

/// The command in pieces, each an option with its value, quoted for a POSIX
/// shell. The first one is `curl` with the URL. Secrets are `"$CODE"`,
/// `"$CODE_VERIFIER"`, and so on, after the parameter's name where OAuth gave
/// it, else `"$OAUTH_REDACTED_1"`, `_2`, in order.
pub fn curl_command(request: &HttpRequest) -> Vec<String> {
    command_with_variables(request).0
}

/// The lines for a POSIX shell that give the variables of [`curl_command`] what
/// the request has. They hold its secrets.
pub fn curl_assignments(request: &HttpRequest) -> Vec<Secret> {
    let assigned = command_with_variables(request).1.assigned.into_iter();
    let line = |(name, value): (String, Secret)| Secret::new(format!("{name}={}", quote_for_shell(value.expose())));
    assigned.map(line).collect()
}

fn command_with_variables(request: &HttpRequest) -> (Vec<String>, Variables) {
    let mut variables = Variables::default();
    let url = quoted_url(&parts_of_url(request), &mut variables);
    // brackets and braces are patterns to curl
    let globbing = if url.contains(['[', '{']) { " -g" } else { "" };
    let mut pieces = vec![format!("curl{globbing} {url}")];
    pieces.extend(tls_options(request));
    pieces.extend(method_option(request));
    let is_given = |name: &HeaderName| request.headers.iter().any(|(given, _)| given == name);
    for (name, value) in request.all_headers() {
        if OWN_HEADERS.contains(&name.as_str()) && !is_given(&name) {
            continue;
        }
        pieces.push(header_option(&name, &value, &mut variables));
    }
    for (name, value) in request.form().into_iter().flat_map(|params| params.iter()) {
        let encoded: String = byte_serialize(name.as_bytes()).collect();
        pieces.push(match value {
            Value::Plain(text) => format!("--data-urlencode {}", quote_for_shell(&format!("{encoded}={text}"))),
            Value::Secret(_) | Value::Chosen(_) => {
                let variable = variables.name(name);
                let value = Secret::from(value.expose());
                format!("--data-urlencode \"{encoded}=${}\"", variables.assign(&variable, value))
            }
        });
    }
    if request.form().is_some_and(|params| params.is_empty()) {
        pieces.push("--data ''".to_owned());
    }
    if let Some(RequestBody::Json(json)) = &request.body {
        if !is_given(&"content-type".into()) {
            pieces.push("-H 'content-type: application/json'".to_owned());
        }
        pieces.push(format!("--data-raw {}", quote_for_shell(json)));
    }
    if let Some(body @ (RequestBody::Content(_) | RequestBody::Stream { .. })) = &request.body {
        if let Some(media_type) = body.media_type().filter(|_| !is_given(&"content-type".into())) {
            pieces.push(format!(
                "-H {}",
                quote_for_shell(&format!("content-type: {media_type}"))
            ));
        }
        pieces.push(format!("--data-binary \"${}\"", variables.number()));
    }
    (pieces, variables)
}

fn header_option(name: &HeaderName, value: &HeaderValue, variables: &mut Variables) -> String {
    if let Some((user, password)) = value.basic_parts() {
        let variable = variables.assign("CLIENT_SECRET", password);
        return format!("-u {}\"${variable}\"", quote_for_shell(&format!("{user}:")));
    }
    match value {
        HeaderValue::Plain(text) => format!("-H {}", quote_for_shell(&format!("{name}: {text}"))),
        HeaderValue::Credentials { scheme, credentials } => {
            let variable = variables.assign("ACCESS_TOKEN", credentials.clone());
            format!("-H \"{name}: {scheme} ${variable}\"")
        }
        HeaderValue::Secret(secret) | HeaderValue::Chosen(secret) => {
            let number = variables.number();
            format!("-H \"{name}: ${}\"", variables.assign(&number, secret.clone()))
        }
    }
}

/// The files for TLS; those of a session, which keeps what was in them, as variables.
fn tls_options(request: &HttpRequest) -> Vec<String> {
    if request.url.scheme() != "https" {
        return Vec::new();
    }
    let option = |name: &str, path: &Path| format!("{name} {}", quote_for_shell(&path.display().to_string()));
    let files = request.tls_files.as_deref();
    let authorities = files.and_then(|files| files.authorities.as_deref());
    let mut options: Vec<String> = authorities.map(|path| option("--cacert", path)).into_iter().collect();
    let identity = request.tls_identity.as_deref();
    let of_identity = identity.and_then(|identity| identity.files.as_ref());
    match of_identity.or(files.and_then(|files| files.certified_key.as_ref())) {
        Some(files) => options.extend([option("--cert", &files.certificate), option("--key", &files.key)]),
        None if identity.is_some() => {
            options.extend(["--cert \"$CLIENT_CERT_FILE\"", "--key \"$CLIENT_KEY_FILE\""].map(str::to_owned));
        }
        None => {}
    }
    options
}

/// `-X`, where `curl` would not use the method by itself.
fn method_option(request: &HttpRequest) -> Option<String> {
    let implied = match request.body {
        None => Method::Get,
        Some(_) => Method::Post,
    };
    match request.method.as_str() {
        "HEAD" if request.body.is_none() => Some("--head".to_owned()),
        name => (request.method != implied).then(|| format!("-X {}", quote_for_shell(name))),
    }
}

/// The URL as one word of the shell: as short as it can be where nothing is
/// hidden, else in double quotes with variables in it.
fn quoted_url(parts: &[UrlPart], variables: &mut Variables) -> String {
    let has_hidden = parts.iter().any(|part| matches!(part, UrlPart::Secret(..)));
    let texts = parts.iter().map(|part| match part {
        UrlPart::Plain(text) if has_hidden => in_double_quotes(&sanitize_unbounded(text)),
        UrlPart::Plain(text) => text.clone(),
        UrlPart::Secret(name, value) => {
            let variable = variables.name(name);
            let encoded: String = byte_serialize(value.expose().as_bytes()).collect();
            format!("${}", variables.assign(&variable, Secret::new(encoded)))
        }
    });
    let url: String = texts.collect();
    if has_hidden {
        format!("\"{url}\"")
    } else {
        quote_for_shell(&url)
    }
}

/// What means something to a shell even in double quotes. The `!` of an
/// interactive one cannot be escaped there, so the quotes end before it.
fn in_double_quotes(text: &str) -> String {
    let mut literal = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '!' => literal.push_str("\"'!'\""),
            '"' | '$' | '\\' | '`' => literal.extend(['\\', character]),
            _ => literal.push(character),
        }
    }
    literal
}

fn quote_for_shell(text: &str) -> String {
    quote(&sanitize_unbounded(text)).into_owned()
}

/// Names for what is hidden. A server may choose the name of a parameter (in
/// the query of an endpoint, in a redirect); a variable of that name would send
/// it whatever the person's own shell keeps there.
#[derive(Default)]
struct Variables {
    numbered: usize,
    assigned: Vec<(String, Secret)>,
}

impl Variables {
    /// `code_verifier` is `CODE_VERIFIER`; a name that is not of OAuth is a number.
    fn name(&mut self, parameter: &str) -> String {
        let is_tagged = !matches!(Value::tagged(parameter, ""), Value::Plain(_));
        if is_tagged || FURTHER_NAMES.contains(&parameter) {
            parameter.to_ascii_uppercase()
        } else {
            self.number()
        }
    }

    /// Keeps what a variable stands for; returns its name.
    fn assign(&mut self, name: &str, value: Secret) -> String {
        self.assigned.push((name.to_owned(), value));
        name.to_owned()
    }

    fn number(&mut self) -> String {
        self.numbered += 1;
        format!("OAUTH_REDACTED_{}", self.numbered)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use crate::protocol::params::Params;
    use url::Url;

    #[test]
    fn secrets_are_variables_and_everything_else_is_quoted() {
        let mut body = Params::new();
        body.push("grant_type", "authorization_code");
        body.push("code", "canary");
        body.push("code_verifier", "canary");
        body.push("client_secret", "canary");
        body.push("odd na$(me)", "it's $HOME `x`");
        let mut request = HttpRequest::post(
            Url::parse("https://id.example.com/token?a=1&state=canary").unwrap(),
            body,
        );
        let credentials = |text: &str| Secret::from(text);
        request.headers.push((
            "authorization".into(),
            HeaderValue::Credentials {
                scheme: "Basic",
                credentials: credentials("ZGVza3RvcCUyMDE6Y2FuYXJ5"),
            },
        ));
        request.headers.push((
            "authorization".into(),
            HeaderValue::Credentials {
                scheme: "Bearer",
                credentials: credentials("canary"),
            },
        ));
        request
            .headers
            .push(("cookie".into(), HeaderValue::Secret(credentials("canary"))));
        assert_eq!(
            curl_command(&request),
            [
                "curl \"https://id.example.com/token?a=1&state=$STATE\"",
                "-H 'accept: application/json'",
                "-u 'desktop%201:'\"$CLIENT_SECRET\"",
                "-H \"authorization: Bearer $ACCESS_TOKEN\"",
                "-H \"cookie: $OAUTH_REDACTED_1\"",
                "--data-urlencode 'grant_type=authorization_code'",
                "--data-urlencode \"code=$CODE\"",
                "--data-urlencode \"code_verifier=$CODE_VERIFIER\"",
                "--data-urlencode \"client_secret=$CLIENT_SECRET\"",
                "--data-urlencode 'odd+na%24%28me%29=it'\\''s $HOME `x`'",
            ]
        );
    }

    #[test]
    fn a_name_that_a_server_chose_is_no_variable() {
        let mut body = Params::new();
        body.push("client_secret", "canary");
        body.push_secret("github_token", &Secret::from("other"));
        body.push_secret("Code", &Secret::from("other"));
        body.push_secret("nonce", &Secret::from("other"));
        let url = "https://x/token?aws_secret_access_key=canary&code=c&HOME=a-canary#PATH=canary";
        let mut request = HttpRequest::post(Url::parse(url).unwrap(), body);
        let cookie = HeaderValue::Secret(Secret::from("other"));
        request.push_header("client_secret", cookie);
        assert_eq!(
            curl_command(&request),
            [
                "curl \"https://x/token?aws_secret_access_key=$OAUTH_REDACTED_1&code=$CODE&HOME=$OAUTH_REDACTED_2#PATH=$OAUTH_REDACTED_3\"",
                "-H 'accept: application/json'",
                "-H \"client_secret: $OAUTH_REDACTED_4\"",
                "--data-urlencode \"client_secret=$CLIENT_SECRET\"",
                "--data-urlencode \"github_token=$OAUTH_REDACTED_5\"",
                "--data-urlencode \"Code=$OAUTH_REDACTED_6\"",
                "--data-urlencode \"nonce=$NONCE\"",
            ]
        );
    }

    #[test]
    fn the_url_is_one_word_of_the_shell_with_variables_for_its_secrets() {
        let command = |url: &str| curl_command(&HttpRequest::get(Url::parse(url).unwrap()))[0].clone();
        assert_eq!(command("https://x/y"), "curl https://x/y");
        assert_eq!(command("https://x/y?a=$b&c=`d`!"), "curl 'https://x/y?a=$b&c=`d`!'");
        assert_eq!(
            command("https://x/$y/`z`?a=$b&token=canary&c=\\d!!e\"&access_token=canary#f"),
            "curl \"https://x/\\$y/%60z%60?a=\\$b&token=$TOKEN&c=\\\\d\"'!'\"\"'!'\"e%22&access_token=$ACCESS_TOKEN#f\""
        );
        assert_eq!(
            command("http://[::1]:80/a?state=canary&claims={}"),
            "curl -g \"http://[::1]/a?state=$STATE&claims={}\""
        );
    }
}
