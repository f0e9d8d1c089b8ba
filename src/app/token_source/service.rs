//! What the services have in common that give a machine a token of its own: a
//! GET, bounded, whose answer is read here.

use super::error::SourceProblem;
use crate::app::context::Context;
use crate::args::settings;
use crate::error::Error;
use crate::flow::caller::Caller;
use crate::protocol::endpoint::is_loopback;
use crate::protocol::http::{HeaderValue, HttpRequest, HttpResponse};
use crate::protocol::json::parse_object;
use crate::secret::Secret;
use crate::transport::{ProxySettings, Transport, TransportSettings};
use serde_json::Value;
use std::net::IpAddr;
use std::time::Duration;
use url::{Host, Url};

/// A metadata service is on this machine or beside it.
const METADATA_TIMEOUT: Duration = Duration::from_secs(2);

/// The addresses of metadata services (Google Cloud, Azure, AWS; Google Cloud by IPv6).
const METADATA_ADDRESSES: [&str; 2] = ["169.254.169.254", "fd20:ce::254"];

/// A transport for metadata services: by no proxy, which would see the token,
/// and without TLS, which they do not speak.
pub(super) fn metadata_transport(context: &Context) -> Result<Transport, Error> {
    let settings = settings::transport(&context.global, &context.environment, None, true)?;
    Ok(Transport::new(TransportSettings {
        http_timeout: METADATA_TIMEOUT.min(settings.http_timeout),
        deadline: context.deadline.map(|deadline| deadline.at),
        proxy: ProxySettings::default(),
        client_certificate: None,
        ..settings
    }))
}

/// Refuses a metadata service that is neither on this machine nor at an address of such services.
///
/// # Errors
/// [`SourceProblem::ServiceElsewhere`], [`SourceProblem::ServiceUrl`].
pub(super) fn check_metadata_url(url: &Url, variable: &'static str) -> Result<(), SourceProblem> {
    let host = url.host().ok_or(SourceProblem::ServiceUrl { variable })?;
    let address = match &host {
        Host::Ipv4(address) => Some(IpAddr::V4(*address)),
        Host::Ipv6(address) => Some(IpAddr::V6(*address)),
        Host::Domain(_) => None,
    };
    let is_listed = |address: &IpAddr| {
        let mut known = METADATA_ADDRESSES.iter();
        known.any(|known| known.parse::<IpAddr>().is_ok_and(|known| known == *address))
    };
    let has_userinfo = !url.username().is_empty() || url.password().is_some();
    match is_loopback(url) || address.as_ref().is_some_and(is_listed) {
        true if !has_userinfo => Ok(()),
        _ => Err(SourceProblem::ServiceElsewhere {
            variable,
            host: host.to_string(),
        }),
    }
}

/// A request with these headers.
pub(super) fn request(url: Url, headers: Vec<(&'static str, HeaderValue)>) -> HttpRequest {
    let mut request = HttpRequest::get(url);
    let headers = headers.into_iter().map(|(name, value)| (name.into(), value));
    request.headers.extend(headers);
    request
}

/// Sends it once. A redirect is an answer like any other.
///
/// # Errors
/// [`SourceProblem::ServiceSilent`], [`SourceProblem::ServiceStatus`].
pub(super) async fn ask(
    service: &'static str,
    request: &HttpRequest,
    caller: &mut Caller<'_>,
) -> Result<HttpResponse, SourceProblem> {
    let response = caller.send(request).await;
    let response = response.map_err(|error| SourceProblem::ServiceSilent {
        service,
        error: Box::new(error),
    })?;
    match response.status {
        200 => Ok(response),
        status => Err(SourceProblem::ServiceStatus { service, status }),
    }
}

/// A text member of the JSON object that came.
///
/// # Errors
/// [`SourceProblem::ServiceAnswer`].
pub(super) fn member(
    service: &'static str,
    response: &HttpResponse,
    name: &'static str,
) -> Result<Secret, SourceProblem> {
    let object = parse_object(response.body.expose()).ok();
    match object.and_then(|mut object| object.remove(name)) {
        Some(Value::String(text)) => Ok(Secret::new(text)),
        _ => Err(SourceProblem::ServiceAnswer { service, what: name }),
    }
}
