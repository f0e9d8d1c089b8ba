//! What a person decided about the request of a device (RFC 8628 §3.3). The
//! device learns it when it asks the next time.

use crate::server::authorization_server::AuthorizationServer;
use crate::server::grants::pending_device::DeviceDecision;
use crate::server::interactions::{DeviceQuestion, SignedIn};
use crate::server::message::Response;
use crate::server::moment::Moment;
use crate::server::pages::client::ShownClient;
use crate::server::rejection::Rejection;

/// The resource owner agreed.
pub(super) fn allow(
    server: &AuthorizationServer,
    moment: &Moment<'_>,
    question: &DeviceQuestion,
    signed_in: &SignedIn,
) -> Response {
    let authorization = question
        .request
        .authorization(&server.users.subject(&signed_in.user), signed_in.auth_time);
    decide(
        server,
        moment,
        question,
        DeviceDecision::Allowed(Box::new(authorization)),
    )
    .unwrap_or_else(|| with_client(server, question, |client| server.pages.device_allowed(client)))
}

/// The resource owner refused.
pub(super) fn deny(server: &AuthorizationServer, moment: &Moment<'_>, question: &DeviceQuestion) -> Response {
    decide(server, moment, question, DeviceDecision::Denied)
        .unwrap_or_else(|| with_client(server, question, |client| server.pages.device_denied(client)))
}

/// The page about the client that waits on the device.
fn with_client(
    server: &AuthorizationServer,
    question: &DeviceQuestion,
    page: impl FnOnce(ShownClient<'_>) -> Response,
) -> Response {
    let id = &question.request.client_id;
    let client = server.clients.find(id.as_str());
    page(ShownClient::new(id, client.as_deref()))
}

/// Keeps the decision; the page where there is nothing to decide any more.
fn decide(
    server: &AuthorizationServer,
    moment: &Moment<'_>,
    question: &DeviceQuestion,
    decision: DeviceDecision,
) -> Option<Response> {
    let is_taken = server.grants().decide_device(moment.now, &question.user_code, decision);
    (!is_taken).then(|| {
        let rejection = Rejection::new("the code has expired, or it was decided about already", "RFC 8628 §3.3");
        let advice = "Start again on your device, which then shows another code.";
        server.pages.error(400, "Please start again", rejection, advice)
    })
}
