//! Where the authorization endpoint sends the browser, and what it takes along.

use crate::foreign_text::{Quoted, WordOrQuoted};
use crate::protocol::params::Params;
use crate::secret::Secret;
use url::{Position, Url};

/// Parameters by which an authorization response is known.
const ANSWERS: [&str; 5] = ["code", "error", "access_token", "id_token", "response"];

/// An authorization response.
#[derive(Clone)]
pub(super) struct RedirectResponse {
    pub(super) params: Params,
    pub(super) in_fragment: bool,
    /// Where to, as the server wrote it.
    pub(super) location: Secret,
}

impl RedirectResponse {
    /// A parameter's value; the first, where it is repeated.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let mut named = self.params.iter().filter(|(key, _)| *key == name);
        named
            .next()
            .map(|(_, value)| value.expose())
            .filter(|value| !value.is_empty())
    }

    /// Whether it goes to this URI, to the letter or as a browser reads both.
    pub(super) fn goes_to(&self, uri: &str) -> bool {
        let location = self.location.expose();
        location.starts_with(uri) || Url::parse(location).is_ok_and(|url| same_place(&url, uri))
    }

    /// Whether it goes to this URI to the letter, but for what is added to the query.
    pub(super) fn is_to(&self, uri: &str) -> bool {
        let rest = self.location.expose().strip_prefix(uri);
        rest.is_some_and(|rest| rest.starts_with(['?', '&', '#']))
    }

    /// The error with its description, or what else came.
    pub(super) fn refusal(&self) -> String {
        let Some(error) = self.value("error") else {
            return "neither code nor error".to_owned();
        };
        let error = WordOrQuoted(error);
        match self.value("error_description") {
            Some(description) => format!("{error} ({})", Quoted::message(description)),
            None => error.to_string(),
        }
    }

    /// Where it goes, without secrets.
    pub(super) fn shown(&self) -> String {
        let location = Url::parse(self.location.expose());
        location.map_or_else(|_| shown_params(&self.params), |url| shown_url(&url))
    }

    /// Whether it carries what a client wants.
    pub(super) fn grants(&self) -> bool {
        ["code", "access_token", "id_token"]
            .iter()
            .any(|name| self.value(name).is_some())
    }
}

/// Whether these are the parameters of an authorization response.
pub(super) fn is_answer(params: &Params) -> bool {
    ANSWERS.iter().any(|name| params.all(name).next().is_some())
}

/// The parameters of a location in which the marks before them are wrong, as in
/// `?own=1?code=…`, or encoded.
pub(super) fn badly_written_params(location: &str) -> Params {
    let location = location.replace("%3F", "?").replace("%3f", "?");
    let mut params = Params::new();
    // The first piece is the place.
    for piece in location.split(['?', '#', '&']).skip(1) {
        params.append(Params::parse(piece));
    }
    params
}

/// Whether a browser that goes to `url` ends where `redirect_uri` says.
pub(super) fn same_place(url: &Url, redirect_uri: &str) -> bool {
    Url::parse(redirect_uri).is_ok_and(|wanted| wanted[..Position::AfterPath] == url[..Position::AfterPath])
}

/// A URL without the secrets in its query and its fragment.
pub(super) fn shown_url(url: &Url) -> String {
    let mut shown = url[..Position::AfterPath].to_owned();
    for (mark, part) in [("?", url.query()), ("#", url.fragment())] {
        if let Some(part) = part {
            shown += mark;
            // A server that appends to what it was given writes a second question mark.
            let pieces: Vec<String> = part
                .split('?')
                .map(|piece| shown_params(&Params::parse(piece)))
                .collect();
            shown += &pieces.join("?");
        }
    }
    shown
}

pub(super) fn shown_params(params: &Params) -> String {
    let pairs: Vec<String> = params
        .iter()
        .map(|(name, value)| format!("{name}={}", value.shown()))
        .collect();
    pairs.join("&")
}
