//! Asks an API what it wants of its clients: one GET without a token, and
//! where that shows nothing, a message of the Model Context Protocol. Only the
//! head of an answer counts, since its body may be a stream without an end.

use crate::flow::caller::Caller;
use crate::protocol::endpoint::host_and_port;
use crate::protocol::http::{HttpRequest, HttpResponse};
use crate::protocol::mcp_probe::{discover_request, get_request, initialize_request, is_stateless_error};
use crate::trace::Event;
use crate::transport::TransportError;
use std::time::Duration;
use url::Url;

/// How long one answer may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// How far an API may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probing {
    /// Not at all (`--no-probe`).
    Nothing,
    /// By a GET.
    Get,
    /// By a GET, and a POST that changes nothing where the GET shows nothing.
    GetAndPost,
}

/// Asks the API.
///
/// # Errors
/// [`TransportError`] of the last request that brought no answer.
pub(super) async fn probe(
    url: &Url,
    probing: Probing,
    caller: &mut Caller<'_>,
) -> Result<Option<HttpResponse>, TransportError> {
    if probing == Probing::Nothing {
        return Ok(None);
    }
    let host = host_and_port(url);
    caller.observe(&Event::Note(&format!("looking up how to log in at {host}")));
    let answer = head(&get_request(url.clone()), caller).await?;
    let is_challenge = answer.status == 401 && answer.header("www-authenticate").is_some();
    if probing == Probing::Get || is_challenge || !matches!(answer.status, 400 | 401 | 404 | 405 | 406 | 415) {
        return Ok(Some(answer));
    }
    let posted = head(&discover_request(url.clone()), caller).await?;
    if posted.status == 400 && !is_stateless_error(&posted) {
        return head(&initialize_request(url.clone()), caller).await.map(Some);
    }
    // A GET that was refused says more than a POST that was not understood.
    Ok(Some(if posted.status == 401 { posted } else { answer }))
}

async fn head(request: &HttpRequest, caller: &mut Caller<'_>) -> Result<HttpResponse, TransportError> {
    let is_error_of_protocol = |status| status == 400;
    caller
        .send_for_head(request, PROBE_TIMEOUT, &is_error_of_protocol)
        .await
}
