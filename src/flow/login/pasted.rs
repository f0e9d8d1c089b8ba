//! A pasted redirect URL: the address that the browser ended on, as people and
//! programs copy it.

use crate::protocol::params::Params;
use crate::protocol::redirect_uri::RedirectUri;
use crate::secret::Secret;
use url::{Position, Url};

/// Why a pasted line is not the answer to this login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum PasteError {
    #[error(
        "that is not a URL; paste the whole address that the browser ended on, since a bare code cannot be checked"
    )]
    NotAUrl,
    #[error("that is not the redirect URI of this login; paste the address that the browser shows after you signed in")]
    OtherUri,
    #[error("that address has no code and state in it; paste it as the browser's address bar shows it")]
    NoResponse,
    #[error(
        "the server put the answer into the fragment (behind #); it must be in the query (RFC 6749 §4.1.2), so it is not used"
    )]
    InFragment,
    #[error("that is longer than any redirect URL; paste the address that the browser ended on, and nothing else")]
    TooLong,
    #[error("that address has no state, so it cannot be checked; paste all of it")]
    NoState,
    #[error(
        "that address is the answer to another login (its state is not the one that was sent); \
         sign in at the address above, and paste the one that the browser then ends on"
    )]
    OtherState,
    #[error("that address has no valid signed response of the server: {0}")]
    Unproven(&'static str),
}

impl PasteError {
    /// For an address with the redirect URI of this login whose state is not the one that was sent.
    pub(super) fn state_mismatch(params: &Params) -> Self {
        match params.single("state") {
            Ok(None) => PasteError::NoState,
            _ => PasteError::OtherState,
        }
    }
}

/// Whether nothing is on the line.
pub(super) fn is_blank(line: &Secret) -> bool {
    line.expose().trim().is_empty()
}

/// What people copy around an address.
const QUOTES: [(char, char); 8] = [
    ('"', '"'),
    ('\'', '\''),
    ('`', '`'),
    ('<', '>'),
    ('(', ')'),
    ('“', '”'),
    ('‘', '’'),
    ('«', '»'),
];

/// The parameters of a pasted redirect URL. Quotes around it, a missing scheme
/// and https for http are not obstacle: `state` and PKCE protect the login. The
/// browser writes scheme, host and path its own way, so they are compared as URLs.
pub(super) fn parse_redirect_url(line: &Secret, redirect_uri: &RedirectUri) -> Result<Params, PasteError> {
    let text = without_quotes(line.expose());
    let scheme = redirect_uri.url().scheme();
    let has_scheme = text
        .get(..scheme.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        && text[scheme.len()..].starts_with(':');
    let (url, is_complete) = match Url::parse(text) {
        Ok(url) if has_scheme || text.contains("://") && !is_host_first(text) => (url, true),
        _ => {
            let text = text.trim_start_matches('/');
            (
                Url::parse(&format!("{scheme}://{text}")).map_err(|_| PasteError::NotAUrl)?,
                false,
            )
        }
    };
    if !is_same_place(&url, redirect_uri.url()) {
        return Err(if is_complete {
            PasteError::OtherUri
        } else {
            PasteError::NotAUrl
        });
    }
    let query = Params::parse(url.query().unwrap_or_default());
    if !has_response(&query) && has_response(&Params::parse(url.fragment().unwrap_or_default())) {
        return Err(PasteError::InFragment);
    }
    match query.is_empty() {
        true => Err(PasteError::NoResponse),
        false => Ok(query),
    }
}

/// Whether a parameter of an authorization response is among them.
fn has_response(params: &Params) -> bool {
    ["code", "error", "state", "response"]
        .iter()
        .any(|name| params.all(name).next().is_some())
}

/// Whether the `://` of a text is behind its first `/` or `?`, as that of an `iss` does.
fn is_host_first(text: &str) -> bool {
    let separator = text.find("://");
    let path = text.find(['/', '?']);
    separator.zip(path).is_some_and(|(separator, path)| path <= separator)
}

fn without_quotes(text: &str) -> &str {
    let mut text = text.trim();
    while let Some(inner) = QUOTES
        .iter()
        .find_map(|(open, close)| text.strip_prefix(*open)?.strip_suffix(*close))
    {
        text = inner.trim();
    }
    text
}

/// Whether both name the same host, port and path; http and https count as one.
fn is_same_place(one: &Url, other: &Url) -> bool {
    let is_web = |url: &Url| ["http", "https"].contains(&url.scheme());
    let same_scheme = one.scheme() == other.scheme() || (is_web(one) && is_web(other));
    same_scheme
        && one[Position::BeforeUsername..Position::AfterPath] == other[Position::BeforeUsername..Position::AfterPath]
}
