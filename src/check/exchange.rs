//! One raw request and its answer. The typed messages of `protocol` cannot
//! express what is sent here; what comes is read leniently, since a server
//! under examination may answer anything.

use super::error_page::ErrorPage;
use super::redirect_response::{
    RedirectResponse, badly_written_params, is_answer, same_place, shown_params, shown_url,
};
use super::report::{CheckResult, Evidence, Failure, Outage, inconclusive};
use crate::foreign_text::{Quoted, WordOrQuoted};
use crate::protocol::error::ErrorResponse;
use crate::protocol::http::{HttpRequest, HttpResponse, is_unavailable};
use crate::protocol::json::parse_object;
use crate::protocol::params::{Params, Value as Parameter};
use crate::secret::Secret;
use serde_json::{Map, Value};
use std::fmt;
use url::{Position, Url};

/// A request and what came back.
pub(super) struct Exchange {
    pub(super) request: HttpRequest,
    pub(super) response: HttpResponse,
}

/// How the authorization endpoint answered, as far as a client can see it.
pub(super) enum Outcome {
    /// It sends the browser to the client with these parameters.
    Redirect(RedirectResponse),
    /// It refuses on a page of its own.
    Error(ErrorPage),
    /// It refuses when the request is pushed.
    PushRefused(PushRefusal),
    /// A page, or a redirect to somewhere that is not the client: it asks the
    /// resource owner to sign in, by all appearances.
    Page,
}

/// A refusal by the endpoint that requests are pushed to: the browser never
/// comes to the authorization endpoint.
#[derive(Clone)]
pub(super) struct PushRefusal {
    status: u16,
    error: Option<ErrorResponse>,
}

impl PushRefusal {
    pub(super) fn new(pushed: &Exchange) -> Self {
        PushRefusal {
            status: pushed.status(),
            error: pushed.error_response(),
        }
    }

    /// Whether it says nothing about the request.
    pub(super) fn is_outage(&self) -> bool {
        is_unavailable(self.status)
    }

    /// The error code; empty where there is none.
    pub(super) fn error(&self) -> &str {
        self.error
            .as_ref()
            .map(|error| error.error.as_str())
            .unwrap_or_default()
    }
}

impl fmt::Display for PushRefusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "status {} when it was pushed", self.status)?;
        let Some(error) = &self.error else { return Ok(()) };
        write!(formatter, ": {}", WordOrQuoted(&error.error))?;
        match &error.error_description {
            Some(description) => write!(formatter, " ({})", Quoted::message(description)),
            None => Ok(()),
        }
    }
}

/// The tokens of one answer.
#[derive(Clone)]
pub(super) struct Tokens {
    pub(super) access_token: Secret,
    pub(super) refresh_token: Option<Secret>,
    pub(super) id_token: Option<Secret>,
    pub(super) scope: Option<String>,
}

impl Tokens {
    /// `Ok` where there is a refresh token.
    pub(super) fn needs_refresh_token(&self) -> Result<&Secret, Failure> {
        match &self.refresh_token {
            Some(refresh_token) => Ok(refresh_token),
            None => inconclusive("the server issued no refresh token; --scope offline_access may bring one"),
        }
    }
}

impl Exchange {
    pub(super) fn status(&self) -> u16 {
        self.response.status
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.response.header(name).unwrap_or_default()
    }

    /// All headers of this (lower-case) name.
    pub(super) fn headers(&self, name: &'static str) -> impl Iterator<Item = &str> {
        let headers = self.response.headers.iter();
        headers
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as a JSON object.
    pub(super) fn object(&self) -> Option<Map<String, Value>> {
        parse_object(self.response.body.expose()).ok()
    }

    /// The members of a body that is a JSON object or a form, as some servers
    /// answer (RFC 6749 §5.1 wants JSON; token.content-type says so).
    pub(super) fn members(&self) -> Option<Map<String, Value>> {
        if let Some(object) = self.object() {
            return Some(object);
        }
        let text = std::str::from_utf8(self.response.body.expose()).ok()?.trim();
        if text.contains(|char: char| char.is_whitespace() || "<{".contains(char)) {
            return None;
        }
        let form = Params::parse(text);
        let is_answer = ["access_token", "error"]
            .iter()
            .any(|name| form.all(name).next().is_some());
        let members = form.iter().map(|(name, value)| {
            let text = value.expose();
            let number = text.parse::<u64>().ok().filter(|_| name == "expires_in");
            (name.to_owned(), number.map_or_else(|| Value::from(text), Value::from))
        });
        is_answer.then(|| members.collect())
    }

    /// Whether the answer says that it worked, and what it says beside that
    /// cannot be read: no rule is judged by it.
    pub(super) fn is_unreadable(&self) -> bool {
        (200..300).contains(&self.status()) && self.members().is_none()
    }

    /// Status and media type.
    pub(super) fn summary(&self) -> String {
        let media_type = self.response.media_type();
        let media_type = media_type.unwrap_or_else(|| "no content type".to_owned());
        format!("{} {media_type}", self.status())
    }

    /// Whether the server failed, which says nothing about the request.
    pub(super) fn is_outage(&self) -> bool {
        is_unavailable(self.status())
    }

    /// The body of an answer to a request without credentials.
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.response.body.expose().clone()
    }

    /// Whether the body has this text in it.
    pub(super) fn contains(&self, text: &str) -> bool {
        let body = self.response.body.expose();
        body.windows(text.len()).any(|window| window == text.as_bytes())
    }

    /// Whether a browser shows it: a redirect may have a page in it, too, which is never shown.
    pub(super) fn is_page(&self) -> bool {
        let media_type = self
            .response
            .media_type()
            .filter(|_| !(300..400).contains(&self.status()));
        media_type.is_some_and(|media_type| ["text/html", "application/xhtml+xml"].contains(&media_type.as_str()))
    }

    /// The error of a body that can be read.
    pub(super) fn error_response(&self) -> Option<ErrorResponse> {
        ErrorResponse::from_json(&self.members()?)
    }

    /// Its code.
    pub(super) fn error(&self) -> Option<String> {
        self.error_response().map(|error| error.error)
    }

    /// The error code, else the status.
    pub(super) fn refusal(&self) -> String {
        match self.error() {
            Some(error) => WordOrQuoted(&error).to_string(),
            None => format!("status {}", self.status()),
        }
    }

    /// Whether an access token came.
    pub(super) fn has_token(&self) -> bool {
        self.members()
            .is_some_and(|members| members.get("access_token").is_some_and(|token| !token.is_null()))
    }

    /// The tokens that came.
    pub(super) fn tokens(&self) -> Option<Tokens> {
        let members = self.members()?;
        let text = |name: &str| {
            members
                .get(name)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
        };
        Some(Tokens {
            access_token: Secret::from(text("access_token")?),
            refresh_token: text("refresh_token").map(Secret::from),
            id_token: text("id_token").map(Secret::from),
            scope: text("scope").map(str::to_owned),
        })
    }

    /// What the authorization endpoint means by this answer to a request that
    /// asked to be answered at one of these URIs.
    pub(super) fn outcome(&self, redirect_uris: &[&str]) -> Outcome {
        match self.status() {
            300..400 => {}
            status @ 400.. => return Outcome::Error(ErrorPage { status }),
            _ => return Outcome::Page,
        }
        let location = self.header("location");
        let Ok(url) = self.request.url.join(location) else {
            return Outcome::Page;
        };
        let response = |encoded: Option<&str>| {
            let params = Params::parse(encoded.unwrap_or_default());
            is_answer(&params).then_some(params)
        };
        let (in_query, in_fragment) = (response(url.query()), response(url.fragment()));
        let is_in_fragment = in_query.is_none();
        let Some(params) = in_query.or(in_fragment) else {
            return self.badly_written_response(redirect_uris, &url);
        };
        let grants = params.all("code").next().is_some() && url.origin() != self.request.url.origin();
        if grants || redirect_uris.iter().any(|uri| self.is_of_client(&url, uri)) {
            return Outcome::Redirect(RedirectResponse {
                params,
                in_fragment: is_in_fragment,
                location: Secret::from(location),
            });
        }
        // Many servers have an error page of their own, which is told the error.
        match params.all("error").any(|error| !error.is_empty()) {
            true => Outcome::Error(ErrorPage { status: self.status() }),
            false => Outcome::Page,
        }
    }

    /// A redirect to one of these URIs whose parameters are not where they
    /// belong: a server that appends to what it was given writes them so.
    fn badly_written_response(&self, redirect_uris: &[&str], url: &Url) -> Outcome {
        let location = self.header("location");
        let is_of = |uri: &&str| location.starts_with(uri) || same_place(url, uri);
        if location.is_empty() || !redirect_uris.iter().any(is_of) {
            return Outcome::Page;
        }
        let params = badly_written_params(location);
        Outcome::Redirect(RedirectResponse {
            params,
            in_fragment: false,
            location: Secret::from(location),
        })
    }

    /// `Ok` unless it is a redirect to somewhere that no browser can go.
    pub(super) fn needs_readable_redirect(&self) -> CheckResult {
        let (status, location) = (self.status(), self.header("location"));
        let is_readable = !location.is_empty() && self.request.url.join(location).is_ok();
        if is_readable || !(300..400).contains(&status) {
            return Ok(());
        }
        inconclusive(format!("answered {status} to an address that cannot be read"))
    }

    /// Whether the URL is a redirect URI, or at least on its host where that is not the server's.
    fn is_of_client(&self, url: &Url, redirect_uri: &str) -> bool {
        let is_on_its_host = || {
            let host = Url::parse(redirect_uri).ok()?.host_str()?.to_owned();
            Some(url.host_str()? == host && self.request.url.host_str()? != host)
        };
        same_place(url, redirect_uri) || is_on_its_host().unwrap_or_default()
    }

    /// Where a redirect goes that stays at the server.
    pub(super) fn redirect_within(&self, redirect_uris: &[&str]) -> Option<Url> {
        let is_redirect = (300..400).contains(&self.status());
        let from = &self.request.url;
        let url = from.join(self.header("location")).ok()?;
        let stays = url[..Position::BeforePath] == from[..Position::BeforePath];
        let is_answer = !matches!(self.outcome(redirect_uris), Outcome::Page)
            || redirect_uris.iter().any(|uri| same_place(&url, uri));
        (is_redirect && stays && !is_answer && !self.header("location").is_empty()).then_some(url)
    }

    /// The secrets of the request, of where it is redirected to, and of the answer.
    pub(super) fn secrets(&self) -> Vec<Secret> {
        let mut secrets = self.request.secrets();
        for part in self.header("location").split(['?', '#']) {
            secrets.extend(Params::parse(part).secrets().cloned());
        }
        for (name, value) in self.members().iter().flatten() {
            let member = value.as_str().map(|text| Parameter::tagged(name, text));
            secrets.extend(member.as_ref().and_then(Parameter::secret).cloned());
        }
        secrets
    }

    /// What of it may be shown.
    pub(super) fn evidence(&self) -> Evidence {
        Evidence::new(self.shown_request(), self.shown_response()).with_outage(self.outage())
    }

    /// The same with this said of the answer.
    pub(super) fn evidence_with(&self, shown: &str) -> Evidence {
        let response = format!("{} {shown}", self.summary());
        Evidence::new(self.shown_request(), response.trim_end().to_owned()).with_outage(self.outage())
    }

    fn outage(&self) -> Option<Outage> {
        self.is_outage().then(|| Outage {
            endpoint: self.endpoint(),
            status: self.status(),
        })
    }

    /// Method, origin and path of what was asked.
    pub(super) fn endpoint(&self) -> String {
        let url = &self.request.url[..Position::AfterPath];
        format!("{} {url}", self.request.method.as_str())
    }

    fn shown_request(&self) -> String {
        let HttpRequest { method, url, .. } = &self.request;
        let mut shown = format!("{} {}", method.as_str(), shown_url(url));
        for (name, value) in &self.request.headers {
            if ["authorization", "origin"].contains(&name.as_str()) {
                shown += &format!(" {name}: {}", value.shown());
            }
        }
        if let Some(body) = self.request.form() {
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
        let summary = self.summary();
        let Some(members) = self.members() else {
            return summary;
        };
        match ErrorResponse::from_json(&members) {
            Some(error) => {
                let error = error.scrubbed(&self.request.secrets());
                format!("{summary} error={error}")
            }
            None => {
                let members: Vec<String> = members.keys().map(|name| WordOrQuoted(name).to_string()).collect();
                format!("{summary} with {}", members.join(", "))
            }
        }
    }
}

/// What a header says, or that it is not there.
pub(super) fn header_is(name: &str, value: &str) -> String {
    match value.is_empty() {
        true => format!("{name} is absent"),
        false => format!("{name} is {}", Quoted::message(value)),
    }
}
