//! One raw request and its answer. What is sent here the typed messages of
//! `protocol` cannot say; what comes is read with patience, since a server
//! under examination may answer anything.

use super::verdict::Evidence;
use crate::output::sanitize::sanitize;
use crate::protocol::error::ErrorResponse;
use crate::protocol::http::{HttpRequest, HttpResponse};
use crate::protocol::json::parse_object;
use crate::protocol::params::{Params, Value as Parameter};
use crate::secret::Secret;
use serde_json::{Map, Value};
use url::{Position, Url};

/// A request and what came back.
pub(super) struct Exchange {
    pub(super) request: HttpRequest,
    pub(super) response: HttpResponse,
}

/// How the authorization endpoint answered, as far as a client can see it.
pub(super) enum Reply {
    /// It sends the browser to the client with these parameters.
    Back(Back),
    /// A page with this status of 400 or more.
    ErrorPage(u16),
    /// A page, or a redirect to somewhere that is not the client: it asks the
    /// resource owner to sign in, by all appearances.
    SignIn,
}

/// An authorization response.
#[derive(Clone)]
pub(super) struct Back {
    pub(super) params: Params,
    pub(super) in_fragment: bool,
    /// Where to, as the server wrote it.
    pub(super) location: Secret,
}

impl Back {
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
        let error = self.value("error").unwrap_or("neither code nor error");
        match self.value("error_description") {
            Some(description) => format!("{error} ({description})"),
            None => error.to_owned(),
        }
    }

    /// Whether it carries what a client wants.
    pub(super) fn grants(&self) -> bool {
        ["code", "access_token", "id_token"]
            .iter()
            .any(|name| self.value(name).is_some())
    }
}

impl Exchange {
    pub(super) fn status(&self) -> u16 {
        self.response.status
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.response.header(name).unwrap_or_default()
    }

    /// The body as a JSON object.
    pub(super) fn object(&self) -> Option<Map<String, Value>> {
        parse_object(self.response.body.expose()).ok()
    }

    /// The body of an answer to a request without credentials.
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.response.body.expose().clone()
    }

    /// Whether the body has this text in it.
    pub(super) fn says(&self, text: &str) -> bool {
        let body = self.response.body.expose();
        body.windows(text.len()).any(|window| window == text.as_bytes())
    }

    /// Whether a browser shows it: a redirect may have a page in it, too, which nobody sees.
    pub(super) fn is_page(&self) -> bool {
        let media_type = self
            .response
            .media_type()
            .filter(|_| !(300..400).contains(&self.status()));
        media_type.is_some_and(|media_type| ["text/html", "application/xhtml+xml"].contains(&media_type.as_str()))
    }

    /// The error code of a JSON body.
    pub(super) fn error(&self) -> Option<String> {
        ErrorResponse::from_json(&self.object()?).map(|error| error.error)
    }

    /// Whether an access token came.
    pub(super) fn has_token(&self) -> bool {
        self.object()
            .is_some_and(|object| object.get("access_token").is_some_and(|token| !token.is_null()))
    }

    /// What the authorization endpoint means by this answer to a request that
    /// asked to be answered at `redirect_uri`.
    pub(super) fn reply(&self, redirect_uri: &str) -> Reply {
        match self.status() {
            300..400 => {}
            status @ 400.. => return Reply::ErrorPage(status),
            _ => return Reply::SignIn,
        }
        let location = self.header("location");
        let Ok(url) = self.request.url.join(location) else {
            return Reply::SignIn;
        };
        let response = |encoded: Option<&str>| {
            let params = Params::parse(encoded.unwrap_or_default());
            let answers = |name: &str| params.all(name).next().is_some();
            ["code", "error", "access_token", "id_token"]
                .iter()
                .any(|name| answers(name))
                .then_some(params)
        };
        let to_client = same_place(&url, redirect_uri) || url.origin() != self.request.url.origin();
        let (in_query, in_fragment) = (response(url.query()), response(url.fragment()));
        let is_in_fragment = in_query.is_none();
        match in_query.or(in_fragment).filter(|_| to_client) {
            Some(params) => Reply::Back(Back {
                params,
                in_fragment: is_in_fragment,
                location: Secret::from(location),
            }),
            None => Reply::SignIn,
        }
    }

    /// Where a redirect goes that stays at the server.
    pub(super) fn redirect_within(&self, redirect_uri: &str) -> Option<Url> {
        let is_redirect = (300..400).contains(&self.status());
        let from = &self.request.url;
        let url = from.join(self.header("location")).ok()?;
        let stays = url[..Position::BeforePath] == from[..Position::BeforePath];
        let is_answer = matches!(self.reply(redirect_uri), Reply::Back(_)) || same_place(&url, redirect_uri);
        (is_redirect && stays && !is_answer && !self.header("location").is_empty()).then_some(url)
    }

    /// The secrets of the request, of where it is redirected to, and of the answer.
    pub(super) fn secrets(&self) -> Vec<Secret> {
        let mut secrets = self.request.secrets();
        for part in self.header("location").split(['?', '#']) {
            secrets.extend(Params::parse(part).secrets().cloned());
        }
        for (name, value) in self.object().iter().flatten() {
            let member = value.as_str().map(|text| Parameter::tagged(name, text));
            secrets.extend(member.as_ref().and_then(Parameter::secret).cloned());
        }
        secrets
    }

    /// What of it may be shown.
    pub(super) fn evidence(&self) -> Evidence {
        Evidence {
            sent: sanitize(&self.shown_request()),
            came: sanitize(&self.shown_response()),
        }
    }

    /// The same without the names of all members: for documents that have many.
    pub(super) fn evidence_in_brief(&self) -> Evidence {
        let media_type = self.response.media_type().unwrap_or_default();
        Evidence {
            sent: sanitize(&self.shown_request()),
            came: sanitize(&format!("{} {media_type}", self.status())),
        }
    }

    fn shown_request(&self) -> String {
        let HttpRequest { method, url, body, .. } = &self.request;
        let mut shown = format!("{} {}", method.as_str(), shown_url(url));
        for (name, value) in &self.request.headers {
            if ["authorization", "origin"].contains(name) {
                shown += &format!(" {name}: {}", value.shown());
            }
        }
        if let Some(body) = body {
            shown += &format!(" {}", shown_params(body));
        }
        shown
    }

    fn shown_response(&self) -> String {
        let status = self.status();
        if (300..400).contains(&status) {
            let to = match self.request.url.join(self.header("location")) {
                Ok(url) => shown_url(&url),
                Err(_) => "nowhere".to_owned(),
            };
            return format!("{status} to {to}");
        }
        let media_type = self
            .response
            .media_type()
            .unwrap_or_else(|| "no content type".to_owned());
        let Some(object) = self.object() else {
            return format!("{status} {media_type}");
        };
        match ErrorResponse::from_json(&object) {
            Some(error) => {
                let error = error.without(&self.request.secrets());
                let description = error
                    .error_description
                    .map(|text| format!(" ({text})"))
                    .unwrap_or_default();
                format!("{status} {media_type} error={}{description}", error.error)
            }
            None => {
                let members: Vec<&str> = object.keys().map(String::as_str).collect();
                format!("{status} {media_type} with {}", members.join(", "))
            }
        }
    }
}

/// Whether a browser that goes to `url` ends where `redirect_uri` says.
fn same_place(url: &Url, redirect_uri: &str) -> bool {
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
