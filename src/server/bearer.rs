//! Access tokens in requests, as Bearer tokens or bound to a key, and the
//! challenge for those that are missing or no good (RFC 6750 §2, §3, RFC 9449 §7).

use super::dpop::challenge;
use super::message::{Request, Response};
use super::rejection::Rejection;
use crate::protocol::dpop;
use crate::protocol::error::ErrorResponse;
use crate::secret::Secret;

/// How a request carries a token.
pub(crate) enum Bearer {
    Absent,
    /// In the header, or in the body where that is allowed.
    Token(Secret),
    /// In the header, as one that is bound to a key (RFC 9449 §7.1).
    Bound(Secret),
    /// In a way that RFC 6750 forbids.
    Malformed(Rejection),
}

impl Bearer {
    /// Reads the token from the `Authorization` header; for a POST of a form
    /// also from the body (RFC 6750 §2.2). Tokens in queries are rejection
    /// (RFC 9700 §4.3.2).
    pub(crate) fn read(request: &Request) -> Self {
        let malformed = |reason: &str, rule: &'static str| Bearer::Malformed(Rejection::new(reason, rule));
        if request.query_params().iter().any(|(name, _)| name == "access_token") {
            return malformed("an access token in the query would end up in logs", "RFC 9700 §4.3.2");
        }
        let form = if request.method == "POST" {
            request.form_params()
        } else {
            None
        }
        .unwrap_or_default();
        let Ok(in_body) = form.single("access_token") else {
            return malformed("access_token is repeated", "RFC 6750 §3.1");
        };
        let Ok(header) = request.header("authorization") else {
            return malformed("there is more than one Authorization header", "RFC 6750 §3.1");
        };
        let (scheme, in_header) = header.map_or(("", ""), |header| header.split_once(' ').unwrap_or((header, "")));
        let is_bound = scheme.eq_ignore_ascii_case(dpop::SCHEME);
        match (is_bound || scheme.eq_ignore_ascii_case("bearer"), in_body) {
            (true, Some(_)) => malformed("the request carries a token in two ways", "RFC 6750 §2"),
            (true, None) if !is_b64token(in_header) => {
                malformed("the Authorization header holds no b64token", "RFC 6750 §2.1")
            }
            (true, None) if is_bound => Bearer::Bound(Secret::from(in_header)),
            (true, None) => Bearer::Token(Secret::from(in_header)),
            (false, Some(token)) => Bearer::Token(Secret::from(token)),
            (false, None) => Bearer::Absent,
        }
    }
}

/// `b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="` (RFC 6750 §2.1).
fn is_b64token(text: &str) -> bool {
    let text = text.trim_end_matches('=');
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte))
}

/// What a challenge says about the resource.
pub(crate) struct Challenge<'a> {
    /// `resource_metadata` (RFC 9728 §5.1).
    pub(crate) resource_metadata: Option<&'a str>,
    /// The scope that would do; empty where none is about it.
    pub(crate) scope: &'a str,
    /// Whether only tokens that are bound to a key would.
    pub(crate) only_bound: bool,
}

impl Challenge<'_> {
    /// 401 without an error code: the request had no credentials (RFC 6750 §3.1).
    pub(crate) fn bare(&self) -> Response {
        let rejection = Rejection::new("there is no access token", "RFC 6750 §3.1");
        let mut response = Response::new(401);
        if !self.only_bound {
            response = response.with("www-authenticate", self.header(""));
        }
        response.with("www-authenticate", challenge("")).rejected(rejection)
    }

    /// 400, 401 or 403 with an error code (RFC 6750 §3.1).
    pub(crate) fn error(&self, status: u16, error: &str, rejection: Rejection) -> Response {
        let description = rejection.description();
        let header = self.header(&format!("error=\"{error}\", error_description=\"{description}\""));
        let body = ErrorResponse::new(error, &description).to_json();
        Response::json(status, &body)
            .with("www-authenticate", header)
            .rejected(rejection)
    }

    /// The same to a request with a token that is bound to a key (RFC 9449 §7.1).
    pub(crate) fn bound_error(&self, error: &str, rejection: Rejection) -> Response {
        let description = rejection.description();
        let parameters = format!("error=\"{error}\", error_description=\"{description}\"");
        let body = ErrorResponse::new(error, &description).to_json();
        Response::json(401, &body)
            .with("www-authenticate", challenge(&parameters))
            .rejected(rejection)
    }

    /// 403: the token lacks the scope.
    pub(crate) fn insufficient_scope(&self) -> Response {
        let reason = format!("the access token lacks scope {}", self.scope);
        self.error(403, "insufficient_scope", Rejection::new(reason, "RFC 6750 §3.1"))
    }

    fn header(&self, error: &str) -> String {
        let mut parts = Vec::new();
        if !error.is_empty() {
            parts.push(error.to_owned());
        }
        if !self.scope.is_empty() {
            parts.push(format!("scope=\"{}\"", self.scope));
        }
        if let Some(url) = self.resource_metadata {
            parts.push(format!("resource_metadata=\"{url}\""));
        }
        format!("Bearer {}", parts.join(", "))
    }
}
