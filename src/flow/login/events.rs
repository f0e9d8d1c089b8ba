//! What the observer sees of the first two steps.

use super::callback::CallbackReceiver;
use super::context::LoginContext;
use crate::protocol::authorization::AuthorizationRequest;
use crate::protocol::params::Params;
use crate::protocol::pkce::S256;
use crate::trace::{AuthorizationAddress, Event, Observer, Party};
use crate::user_agent::host::Listening;
use url::Url;

/// Step 1: what was made ready. The state is a secret, which the message of step 2 knows how to show.
pub(super) fn trace_prepared(request: &AuthorizationRequest, observer: &mut dyn Observer) {
    observer.observe(&Event::Detail {
        name: "redirect_uri",
        value: request.redirect_uri.as_str(),
    });
    observer.observe(&Event::Detail {
        name: "code_challenge",
        value: request.code_challenge.as_str(),
    });
    observer.observe(&Event::Detail {
        name: "code_challenge_method",
        value: S256,
    });
}

/// Step 2: the authorization request, its URL, and how its answer can come back.
/// Where no browser may reach it, the device grant of the server is another way.
/// Returns what to say, one line each, where no browser comes back for a while.
#[must_use]
pub(crate) fn trace_authorization_request(
    params: &Params,
    url: &Url,
    receiver: &CallbackReceiver,
    takes_device_codes: bool,
    context: &mut LoginContext<'_>,
) -> Vec<String> {
    let listening = receiver.listener.as_ref().map(|listener| Listening {
        address: listener.host().as_str(),
        port: listener.port(),
        elsewhere: receiver.bound_elsewhere,
        paste_accepted: context.pasted.is_some(),
        takes_device_codes,
    });
    let forward_command = listening
        .as_ref()
        .and_then(|listening| context.host.forward_command(listening));
    trace_sent_params(params, context.caller.observer);
    context.caller.observe(&Event::AuthorizationUrl(AuthorizationAddress {
        url: url.as_str(),
        redirect_uri: Some(receiver.redirect_uri.as_str()),
        forward_command: forward_command.as_deref(),
    }));
    let advice = listening.map(|listening| context.host.advice(&listening));
    advice.unwrap_or_default()
}

/// The authorization request and its URL.
pub(crate) fn trace_authorization_url(params: &Params, url: &Url, observer: &mut dyn Observer) {
    trace_sent_params(params, observer);
    observer.observe(&Event::AuthorizationUrl(url.as_str().into()));
}

fn trace_sent_params(params: &Params, observer: &mut dyn Observer) {
    let (from, to) = (Party::Client, Party::Browser);
    observer.observe(&Event::Message {
        from,
        to,
        title: "authorization request",
        params,
    });
}
