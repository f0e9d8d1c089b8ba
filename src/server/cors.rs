//! Web pages of other origins: which requests of theirs are refused, and which
//! browser applications may read the answers (`--cors`; Fetch §3.2, §3.3).
//!
//! Invariants: `/authorize` and the pages are never readable by another origin,
//! and no response carries `Access-Control-Allow-Credentials`.

use super::authorization_server::AuthorizationServer;
use super::message::{Request, Response};
use super::rejection::Rejection;
use super::route::Route;
use super::settings::origins::AllowedOrigins;
use crate::protocol::params::Repeated;

const CITATION: &str = "RFC 9700 §4.7, Fetch §3.2";

/// Whether `--cors` covers this endpoint: those that a browser application calls.
fn is_covered(route: Route) -> bool {
    matches!(route, Route::Token | Route::Revoke | Route::Userinfo | Route::Register)
}

/// Whether other endpoints of this server answer programs, not browsers.
fn is_for_programs(route: Route) -> bool {
    is_covered(route) || matches!(route, Route::Introspect | Route::DeviceAuthorization | Route::Mcp)
}

/// The answer to a request that a page of another origin must not make; `None`
/// where the request goes on.
pub(crate) fn refuse_foreign_page(server: &AuthorizationServer, route: Route, request: &Request) -> Option<Response> {
    let checked = if is_for_programs(route) || (request.method == "POST" && route != Route::Authorize) {
        check_origin(server, route, request)
    } else if route == Route::Authorize {
        check_destination(request)
    } else {
        Ok(())
    };
    match checked {
        Ok(()) => None,
        Err(rejection) if is_for_programs(route) => Some(Response::error(403, "invalid_request", rejection)),
        Err(rejection) => Some(Response::text(403, rejection)),
    }
}

/// A request that changes something must not come from another site's page.
/// `/authorize` is exempt: there, other sites send people on purpose.
fn check_origin(server: &AuthorizationServer, route: Route, request: &Request) -> Result<(), Rejection> {
    let repeated = |Repeated(name)| Rejection::new(format!("there is more than one {name} header"), CITATION);
    let site = request.header("sec-fetch-site").map_err(repeated)?;
    let origin = request.header("origin").map_err(repeated)?;
    let refuse = |what: String| {
        if is_covered(route) {
            let origin = origin
                .filter(|origin| AllowedOrigins::is_origin(origin))
                .unwrap_or("ORIGIN");
            let reason = format!("{what}; to allow browser applications: oauth serve --cors {origin}");
            Rejection::new(reason, CITATION)
        } else {
            Rejection::new(what, CITATION)
        }
    };
    match origin {
        Some(origin) if is_covered(route) && server.allowed_origins.contains(origin) => return Ok(()),
        Some(origin) if is_own(origin, server.scheme, request) => {}
        // Our own pages send this, since they send no referrer.
        Some("null") if site == Some("same-origin") => {}
        Some(origin) => return Err(refuse(format!("Origin \"{origin}\" is not this server"))),
        None => {}
    }
    match site {
        None | Some("same-origin" | "none") => Ok(()),
        Some(site) => Err(refuse(format!(
            "a page of another site sent this (Sec-Fetch-Site: {site})"
        ))),
    }
}

/// Browsers go to `/authorize` with a page; images, scripts and `fetch` do not
/// belong there (Fetch Metadata §2.1).
fn check_destination(request: &Request) -> Result<(), Rejection> {
    let mut destinations = request.headers("sec-fetch-dest");
    let subresource = destinations.find(|destination| !["document", "frame", "iframe"].contains(destination));
    match subresource {
        None => Ok(()),
        Some(destination) => {
            let reason = format!(
                "the authorization endpoint is for pages, not for what they embed or fetch (Sec-Fetch-Dest: {destination})"
            );
            Err(Rejection::new(reason, "RFC 9700 §4.7, Fetch Metadata §2.1"))
        }
    }
}

fn is_own(origin: &str, scheme: &str, request: &Request) -> bool {
    let host = request.headers("host").next().unwrap_or_default();
    origin
        .strip_prefix(scheme)
        .and_then(|rest| rest.strip_prefix("://"))
        .is_some_and(|authority| authority.eq_ignore_ascii_case(host))
}

/// The answer to a preflight request of an origin that is allowed (Fetch §3.3.4);
/// `None` where the request is none.
pub(crate) fn answer_preflight(route: Route, request: &Request) -> Option<Response> {
    let is_preflight = request.method == "OPTIONS"
        && request.headers("origin").next().is_some()
        && request.headers("access-control-request-method").next().is_some();
    (is_preflight && is_covered(route)).then(|| {
        Response::new(204)
            .with("access-control-allow-methods", route.methods().join(", "))
            .with("access-control-allow-headers", "authorization, content-type, dpop")
            .with("access-control-max-age", "600")
    })
}

/// Lets the page of an allowed origin read a response.
pub(crate) fn allow(allowed: &AllowedOrigins, route: Route, request: &Request, response: Response) -> Response {
    if !is_covered(route) || allowed.is_empty() {
        return response;
    }
    let response = response.with("vary", "origin");
    match request.headers("origin").next() {
        Some(origin) if allowed.contains(origin) => response
            .with("access-control-allow-origin", allowed.header_for(origin))
            .with("access-control-expose-headers", "www-authenticate, dpop-nonce"),
        _ => response,
    }
}
