//! The URL of a request in parts, secret ones apart.

use crate::foreign_text::sanitize_unbounded;
use crate::protocol::http::HttpRequest;
use crate::protocol::params::{Params, Value};
use crate::protocol::pkce::S256;
use crate::secret::Secret;
use url::form_urlencoded::byte_serialize;

/// A part of a URL.
pub(in crate::trace) enum UrlPart {
    /// Shown byte for byte.
    Plain(String),
    /// The value of a parameter of this name, decoded.
    Secret(String, Value),
}

/// The URL in parts: values in its query and its fragment are hidden where they
/// are secrets by their names or repeat a known one.
pub(super) fn parts(url: &str, known: &[Secret]) -> Vec<UrlPart> {
    let (address, fragment) = split_before(url, '#');
    let (path, query) = split_before(address, '?');
    let mut parts = vec![UrlPart::Plain(path.to_owned())];
    let secrets = QuerySecrets::of(query, known);
    for pair in [query, fragment].iter().flat_map(|part| part.split_inclusive('&')) {
        let (mark, pair) = pair.split_at(usize::from(pair.starts_with(['?', '#'])));
        let (pair, end) = match pair.strip_suffix('&') {
            Some(pair) => (pair, "&"),
            None => (pair, ""),
        };
        let params = Params::parse(pair);
        let hidden = params
            .iter()
            .find_map(|(name, value)| Some((name, secrets.hidden(name, value)?)));
        match hidden {
            Some((name, value)) => {
                let encoded: String = byte_serialize(name.as_bytes()).collect();
                parts.push(UrlPart::Plain(format!("{mark}{encoded}=")));
                parts.push(UrlPart::Secret(name.to_owned(), value));
                parts.push(UrlPart::Plain(end.to_owned()));
            }
            None => parts.push(UrlPart::Plain(format!("{mark}{pair}{end}"))),
        }
    }
    parts
}

/// The URL of a request in parts.
pub(in crate::trace) fn parts_of_url(request: &HttpRequest) -> Vec<UrlPart> {
    parts(request.url.as_str(), &request.secrets())
}

/// The text up to a mark, and the rest with it.
fn split_before(text: &str, mark: char) -> (&str, &str) {
    text.split_at(text.find(mark).unwrap_or(text.len()))
}

pub(super) fn redacted_url(parts: Vec<UrlPart>) -> String {
    let shown = parts.into_iter().map(|part| match part {
        UrlPart::Plain(text) => text,
        UrlPart::Secret(_, value) => value.shown(),
    });
    sanitize_unbounded(&shown.collect::<String>())
}

/// Knows what is secret in one query.
pub(super) struct QuerySecrets<'k> {
    /// The secrets of the rest of the message.
    known: &'k [Secret],
    /// The challenge is the verifier itself (RFC 7636 §4.2 `plain`, also where
    /// no method is named).
    challenge_is_verifier: bool,
}

impl<'k> QuerySecrets<'k> {
    pub(super) fn of(query: &str, known: &'k [Secret]) -> Self {
        let params = Params::parse(query.trim_start_matches('?'));
        let challenge_is_verifier = !params.all("code_challenge_method").any(|method| method == S256);
        QuerySecrets {
            known,
            challenge_is_verifier,
        }
    }

    /// The value where it is a secret; what repeats a known one may have been
    /// chosen by a person.
    pub(super) fn hidden(&self, name: &str, value: &Value) -> Option<Value> {
        let Value::Plain(text) = value else {
            return Some(value.clone());
        };
        if name == "code_challenge" && self.challenge_is_verifier {
            return Some(Value::Secret(Secret::from(text.as_str())));
        }
        if is_key_of_api(name) || holds_secret_parameter(text) {
            return Some(Value::Chosen(Secret::from(text.as_str())));
        }
        let repeats = self.known.iter().any(|secret| text.contains(secret.expose().as_str()));
        repeats.then(|| Value::Chosen(Secret::from(text.as_str())))
    }
}

/// Whether APIs take a key or a signature in a parameter of this name.
fn is_key_of_api(name: &str) -> bool {
    const NAMES: [&str; 11] = [
        "access_key",
        "api-key",
        "api_key",
        "apikey",
        "key",
        "secret",
        "sig",
        "signature",
        "subscription-key",
        "x-amz-signature",
        "x-goog-signature",
    ];
    NAMES.contains(&name.to_ascii_lowercase().as_str())
}

/// Whether a value is itself an address, or a query, with a secret in it.
fn holds_secret_parameter(text: &str) -> bool {
    let query = text.split_once('?').map_or(text, |(_, query)| query);
    query.contains('=') && Params::parse(query).iter().any(|(_, value)| value.secret().is_some())
}
