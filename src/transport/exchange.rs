//! One exchange: the request as the HTTP library sends it, and the answer as it
//! comes.

use super::body::{check_framing, read_body};
use super::error::TransportError;
use super::failure::RequestContext;
use super::proxy::ProxyUrl;
use super::stopwatch::laps;
use super::upload::{OutgoingBody, Progress, Upload};
use crate::fault::{self, Point};
use crate::protocol::http::{HeaderValue as ProtocolValue, HttpRequest, HttpResponse, RequestBody, Timings};
use crate::secret::Secret;
use hyper::body::Bytes;
use reqwest::header::{HeaderName, HeaderValue};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A request that is ready to be sent.
pub(super) struct Sending<'a> {
    pub(super) client: reqwest::Client,
    pub(super) proxy: Option<&'a ProxyUrl>,
    pub(super) outgoing: reqwest::Request,
    pub(super) progress: Arc<Progress>,
    pub(super) deadline: Option<Instant>,
}

impl<'a> Sending<'a> {
    pub(super) fn context(&self, request: &'a HttpRequest, connect_timeout: Duration) -> RequestContext<'a> {
        RequestContext {
            url: &request.url,
            progress: Arc::clone(&self.progress),
            proxy: self.proxy,
            connect_timeout,
            deadline: self.deadline,
        }
    }
}

pub(super) fn outgoing(
    request: &HttpRequest,
    upload: Option<Upload>,
    progress: &Arc<Progress>,
) -> Result<reqwest::Request, TransportError> {
    let unsendable = |name: &dyn std::fmt::Display| TransportError::UnsendableHeader(name.to_string());
    let method = reqwest::Method::from_bytes(request.method.as_str().as_bytes());
    let method = method.map_err(|_| unsendable(&"method"))?;
    let mut outgoing = reqwest::Request::new(method, request.url.clone());
    for (name, value) in request.all_headers() {
        let mut wire_value = HeaderValue::from_str(value.expose().expose()).map_err(|_| unsendable(&name))?;
        wire_value.set_sensitive(matches!(value, ProtocolValue::Credentials { .. }));
        let wire_name = HeaderName::from_bytes(name.as_str().as_bytes()).map_err(|_| unsendable(&name))?;
        outgoing.headers_mut().append(wire_name, wire_value);
    }
    let body = match (&request.body, upload) {
        (Some(_), Some(upload)) => Some(OutgoingBody::stream(upload, progress)),
        (Some(RequestBody::Form(params)), None) => {
            let form = Bytes::copy_from_slice(params.encode().expose().as_bytes());
            Some(OutgoingBody::whole(form, progress))
        }
        (Some(RequestBody::Json(json)), None) => {
            Some(OutgoingBody::whole(Bytes::copy_from_slice(json.as_bytes()), progress))
        }
        (Some(RequestBody::Content(content)), None) => {
            let bytes = Bytes::copy_from_slice(content.bytes.expose());
            Some(OutgoingBody::whole(bytes, progress))
        }
        (Some(RequestBody::Stream { .. }) | None, _) => None,
    };
    *outgoing.body_mut() = body.map(reqwest::Body::wrap);
    Ok(outgoing)
}

pub(super) async fn exchange(
    client: &reqwest::Client,
    outgoing: reqwest::Request,
    context: &RequestContext<'_>,
    started: Instant,
    wants_body: &dyn Fn(u16) -> bool,
) -> Result<HttpResponse, TransportError> {
    let (mut head, response) = receive_head(client, outgoing, context, started).await?;
    fault::here(Point::ResponseBegun);
    let coding = check_framing(&head.headers, context)?;
    if wants_body(head.status) {
        head.body = read_body(response, coding, context).await?;
    }
    fault::here(Point::ResponseRead);
    head.elapsed = started.elapsed();
    Ok(head)
}

/// The answer without its body, which is still to be read.
pub(super) async fn receive_head(
    client: &reqwest::Client,
    outgoing: reqwest::Request,
    context: &RequestContext<'_>,
    started: Instant,
) -> Result<(HttpResponse, reqwest::Response), TransportError> {
    let response = client.execute(outgoing).await.map_err(|error| context.failed(&error))?;
    let elapsed = started.elapsed();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers = response.headers().iter();
    let head = HttpResponse {
        status: response.status().as_u16(),
        headers: headers
            .map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes())))
            .collect(),
        body: Secret::new(Vec::new()),
        is_streamed: false,
        elapsed,
        timings: Timings {
            first_byte: Some(elapsed),
            ..laps()
        },
    };
    Ok((head, response))
}
