//! Client-ID metadata documents
//! (draft-ietf-oauth-client-id-metadata-document): the one of this program, and
//! what servers refuse in one.

use super::client::ClientAuthenticationMethod;
use super::client_metadata_url::ClientMetadataUrl;
use super::grant::refresh_token::GRANT_TYPE as GRANT_REFRESH_TOKEN;
use super::http::HttpResponse;
use super::json::parse_object;
use super::members::GRANT_AUTHORIZATION_CODE;
use super::redirect_uri::{LOOPBACK_REDIRECT_URIS, RedirectUri};
use super::registration::native_client_metadata;
use crate::foreign_text::Quoted;
use serde_json::{Map, Value, json};

/// The draft's limit for a document (§6.6).
pub const MAX_DOCUMENT_BYTES: usize = 5 * 1024;

/// What this program says about itself.
#[derive(Debug)]
pub struct ClientMetadataDocument<'a> {
    /// Where the document will be.
    pub client_id: &'a str,
    /// What people see on consent pages.
    pub client_name: &'a str,
    pub redirect_uris: Vec<&'a str>,
}

impl ClientMetadataDocument<'_> {
    /// The document.
    pub fn to_json(&self) -> Value {
        let method = ClientAuthenticationMethod::None;
        let mut document = native_client_metadata(self.client_name, &self.redirect_uris, method);
        document["client_id"] = json!(self.client_id);
        document
    }
}

/// How much a problem matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Servers refuse the document, or this program cannot log in with it.
    Error,
    /// Some servers do.
    Warning,
}

impl Severity {
    /// As it is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// What is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentProblem {
    pub severity: Severity,
    pub message: String,
}

/// Examines the answer at the URL of a document. Empty: nothing is wrong.
pub fn problems(url: &ClientMetadataUrl, response: &HttpResponse) -> Vec<DocumentProblem> {
    let mut found = Problems::default();
    found.with_url(url);
    if response.status != 200 {
        let redirect = match response
            .header("location")
            .filter(|_| (300..400).contains(&response.status))
        {
            Some(target) => format!(", a redirect to {}; servers follow none", Quoted::name(target)),
            None => String::new(),
        };
        found.error(format!("the status is {}, not 200{redirect}", response.status));
        return found.0;
    }
    found.with_answer(response);
    match parse_object(response.body.expose()) {
        Ok(members) => found.with_members(url, &members),
        Err(problem) => found.error(format!("the document is not a JSON object: {problem}")),
    }
    found.0
}

#[derive(Default)]
struct Problems(Vec<DocumentProblem>);

impl Problems {
    fn error(&mut self, message: impl Into<String>) {
        self.push(Severity::Error, message.into());
    }

    fn warning(&mut self, message: impl Into<String>) {
        self.push(Severity::Warning, message.into());
    }

    fn push(&mut self, severity: Severity, message: String) {
        self.0.push(DocumentProblem { severity, message });
    }

    fn with_url(&mut self, url: &ClientMetadataUrl) {
        if url.is_local() {
            self.warning("the URL is on this machine: only servers on it can fetch the document, and most refuse to");
        }
        if let Some(port) = url.url().port().filter(|_| !url.is_local()) {
            self.warning(format!("the URL has the port {port}; some servers fetch only from 443"));
        }
        if url.url().query().is_some() {
            self.warning("the URL has a query, which it should not have (§3)");
        }
    }

    fn with_answer(&mut self, response: &HttpResponse) {
        match response.media_type() {
            Some(media_type) if is_json(&media_type) => {}
            Some(media_type) => self.error(format!(
                "the Content-Type is {}, not application/json",
                Quoted::name(&media_type)
            )),
            None => self.error("there is no Content-Type; it has to be application/json"),
        }
        let length_bytes = response.length_bytes();
        if length_bytes > MAX_DOCUMENT_BYTES {
            self.error(format!(
                "the document has {length_bytes} bytes; servers take {MAX_DOCUMENT_BYTES} (§6.6)"
            ));
        }
    }

    fn with_members(&mut self, url: &ClientMetadataUrl, members: &Map<String, Value>) {
        match members.get("client_id") {
            Some(Value::String(id)) if id == url.client_id().as_str() => {}
            Some(Value::String(id)) => self.error(format!(
                "client_id is {}, not the URL, character by character",
                Quoted::name(id)
            )),
            _ => self.error("client_id is missing; it has to be the URL"),
        }
        match members.get("client_name") {
            Some(Value::String(name)) if !name.trim().is_empty() => {}
            Some(Value::String(_)) | None => {
                self.warning("client_name is missing: people see the URL on consent pages");
            }
            Some(_) => self.error("client_name is not a string"),
        }
        self.with_authentication(members);
        self.with_redirect_uris(members);
        self.with_grants(members);
    }

    /// The document is public, and so is whatever is in it (§4.1).
    fn with_authentication(&mut self, members: &Map<String, Value>) {
        for name in ["client_secret", "client_secret_expires_at"] {
            if members.contains_key(name) {
                self.error(format!("{name} has no place in a public document (§4.1)"));
            }
        }
        match members.get("token_endpoint_auth_method") {
            Some(Value::String(method)) if method == "none" => {}
            Some(Value::String(method)) if method == "private_key_jwt" => {
                if !members.contains_key("jwks") && !members.contains_key("jwks_uri") {
                    self.error("private_key_jwt needs jwks or jwks_uri");
                }
            }
            Some(Value::String(method)) if method.starts_with("client_secret_") => self.error(format!(
                "token_endpoint_auth_method is {}, which needs a secret (§4.1)",
                Quoted::name(method)
            )),
            Some(method) => self.error(format!(
                "token_endpoint_auth_method is {}, which this program does not use with a document",
                Quoted::name(&method.to_string())
            )),
            None => self.error("token_endpoint_auth_method is missing: its default needs a secret (RFC 7591 §2)"),
        }
    }

    fn with_redirect_uris(&mut self, members: &Map<String, Value>) {
        let Some(uris) = strings(members, "redirect_uris").filter(|uris| !uris.is_empty()) else {
            self.error("redirect_uris is missing, or not a list of strings");
            return;
        };
        let mut has_loopback = false;
        for uri in uris {
            let parsed = match RedirectUri::parse(uri) {
                Ok(parsed) => parsed,
                Err(problem) => {
                    self.error(format!(
                        "the redirect URI {} cannot be used: {problem}",
                        Quoted::name(uri)
                    ));
                    continue;
                }
            };
            if LOOPBACK_REDIRECT_URIS.contains(&parsed.as_str()) {
                has_loopback = true;
            }
            self.with_redirect_uri(uri);
        }
        if !has_loopback {
            self.warning(format!(
                "redirect_uris lacks {}: a login needs --redirect-uri with one of the document's",
                LOOPBACK_REDIRECT_URIS[0]
            ));
        }
    }

    fn with_redirect_uri(&mut self, uri: &str) {
        let Ok(url) = url::Url::parse(uri) else {
            return;
        };
        let quoted = Quoted::name(uri);
        let is_loopback = super::endpoint::is_loopback(&url);
        if url.scheme() == "http" && !is_loopback {
            self.error(format!("the redirect URI {quoted} is http and not on this machine"));
        }
        if uri.contains('*') {
            self.error(format!(
                "the redirect URI {quoted} has a wildcard; servers compare whole URIs"
            ));
        }
        if let Some(port) = url.port().filter(|_| is_loopback && url.scheme() == "http") {
            self.warning(format!(
                "the redirect URI {quoted} has the port {port}: leave it out, since a login listens on any free one (RFC 8252 §7.3)"
            ));
        }
        if url.domain() == Some("localhost") {
            self.warning(format!(
                "the redirect URI {quoted} has the host localhost; not every server takes any port there, as for 127.0.0.1"
            ));
        }
    }

    fn with_grants(&mut self, members: &Map<String, Value>) {
        match members
            .contains_key("grant_types")
            .then(|| strings(members, "grant_types"))
        {
            None => self.warning("grant_types is missing: servers give no refresh token then (RFC 7591 §2)"),
            Some(None) => self.error("grant_types is not a list of strings"),
            Some(Some(grants)) => {
                if !grants.contains(&GRANT_AUTHORIZATION_CODE) {
                    self.error(format!("grant_types lacks {GRANT_AUTHORIZATION_CODE}"));
                }
                if !grants.contains(&GRANT_REFRESH_TOKEN) {
                    self.warning(format!(
                        "grant_types lacks {GRANT_REFRESH_TOKEN}: each login lasts as long as its access token"
                    ));
                }
                let known = [GRANT_AUTHORIZATION_CODE, GRANT_REFRESH_TOKEN];
                for other in grants.iter().filter(|grant| !known.contains(grant)) {
                    self.warning(format!(
                        "grant_types has {}, for which some servers refuse the whole document",
                        Quoted::name(other)
                    ));
                }
            }
        }
        match members
            .contains_key("response_types")
            .then(|| strings(members, "response_types"))
        {
            None => {}
            Some(Some(types)) if types.contains(&"code") => {}
            Some(_) => self.error("response_types has no \"code\""),
        }
    }
}

/// `application/json`, or a type that is written as JSON (RFC 6839 §3.1).
pub fn is_json(media_type: &str) -> bool {
    media_type == "application/json" || (media_type.starts_with("application/") && media_type.ends_with("+json"))
}

fn strings<'a>(members: &'a Map<String, Value>, name: &str) -> Option<Vec<&'a str>> {
    members.get(name)?.as_array()?.iter().map(Value::as_str).collect()
}
