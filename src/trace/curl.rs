//! A request as a command that sends it again: `curl`, with shell variables
//! in the place of secrets, so that nothing of it is a secret and a person
//! who has them can run it.

use crate::neutral::neutralise_whole;
use crate::protocol::http::{HeaderValue, HttpRequest};
use crate::protocol::params::Value;
use crate::trace::redact::Redaction;
use shell_words::quote;
use url::form_urlencoded::byte_serialize;

/// Headers that `curl` sends by itself, or that say who sends.
const OWN_HEADERS: [&str; 3] = ["content-type", "host", "user-agent"];

/// The command in pieces, each an option with its value, quoted for a POSIX
/// shell. The first one is `curl` with the URL. Secrets are `"$CODE"`,
/// `"$CODE_VERIFIER"`, and so on, after the parameter's name.
pub fn curl_command(request: &HttpRequest) -> Vec<String> {
    let url = Redaction::new(false).url(request.url.as_str());
    // brackets and braces are patterns to curl
    let globbing = if url.contains(['[', '{']) { " -g" } else { "" };
    let mut pieces = vec![format!("curl{globbing} {}", quote(&url))];
    for (name, value) in request.all_headers() {
        if OWN_HEADERS.contains(&name) {
            continue;
        }
        pieces.push(match (&value, value.basic_user()) {
            (_, Some(user)) => format!("-u {}\"$CLIENT_SECRET\"", quoted(&format!("{user}:"))),
            (HeaderValue::Plain(text), _) => format!("-H {}", quoted(&format!("{name}: {text}"))),
            (HeaderValue::Credentials { scheme, .. }, _) => format!("-H \"{name}: {scheme} $ACCESS_TOKEN\""),
            (HeaderValue::Secret(_), _) => format!("-H \"{name}: ${}\"", variable(name)),
        });
    }
    for (name, value) in request.body.iter().flat_map(|params| params.iter()) {
        let encoded: String = byte_serialize(name.as_bytes()).collect();
        pieces.push(match value {
            Value::Plain(text) => format!("--data-urlencode {}", quoted(&format!("{encoded}={text}"))),
            Value::Secret(_) | Value::Chosen(_) => format!("--data-urlencode \"{encoded}=${}\"", variable(name)),
        });
    }
    if request.body.as_ref().is_some_and(|params| params.is_empty()) {
        pieces.push("--data ''".to_owned());
    }
    pieces
}

fn quoted(text: &str) -> String {
    quote(&neutralise_whole(text)).into_owned()
}

/// `code_verifier` is `CODE_VERIFIER`.
fn variable(name: &str) -> String {
    let capital = |character: char| match character {
        'a'..='z' | 'A'..='Z' => character.to_ascii_uppercase(),
        _ => '_',
    };
    name.chars().map(capital).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use crate::protocol::params::Params;
    use crate::secret::Secret;
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
            "authorization",
            HeaderValue::Credentials {
                scheme: "Basic",
                credentials: credentials("ZGVza3RvcCUyMDE6Y2FuYXJ5"),
            },
        ));
        request.headers.push((
            "authorization",
            HeaderValue::Credentials {
                scheme: "Bearer",
                credentials: credentials("canary"),
            },
        ));
        request
            .headers
            .push(("cookie", HeaderValue::Secret(credentials("canary"))));
        let tag = Secret::from("canary").redacted();
        assert_eq!(
            curl_command(&request),
            [
                &format!("curl -g 'https://id.example.com/token?a=1&state={tag}'"),
                "-H 'accept: application/json'",
                "-u 'desktop%201:'\"$CLIENT_SECRET\"",
                "-H \"authorization: Bearer $ACCESS_TOKEN\"",
                "-H \"cookie: $COOKIE\"",
                "--data-urlencode 'grant_type=authorization_code'",
                "--data-urlencode \"code=$CODE\"",
                "--data-urlencode \"code_verifier=$CODE_VERIFIER\"",
                "--data-urlencode \"client_secret=$CLIENT_SECRET\"",
                "--data-urlencode 'odd+na%24%28me%29=it'\\''s $HOME `x`'",
            ]
        );
    }
}
