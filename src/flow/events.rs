//! What the observer is told of each step: the messages with their parameters.

use super::login::LoginContext;
use super::login::callback::CallbackReceiver;
use crate::protocol::authorization::AuthorizationRequest;
use crate::protocol::http::HttpRequest;
use crate::protocol::params::Params;
use crate::protocol::pkce::S256;
use crate::protocol::token_response::TokenResponse;
use crate::trace::{Event, Observer, Party};
use crate::user_agent::host::Listening;
use url::Url;

/// Step 1: what was made ready. The state is a secret, which the message of step 2 knows how to show.
pub(in crate::flow) fn trace_prepared(request: &AuthorizationRequest, observer: &mut dyn Observer) {
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
pub(crate) fn trace_authorization_request(
    params: &Params,
    url: &Url,
    receiver: &CallbackReceiver,
    context: &mut LoginContext<'_>,
) {
    trace_authorization_url(params, url, context.caller.observer);
    if let Some(listener) = &receiver.listener {
        let listening = Listening {
            address: listener
                .authority()
                .rsplit_once(':')
                .map_or("127.0.0.1", |(address, _)| address),
            port: listener.port(),
            elsewhere: receiver.elsewhere,
            paste_accepted: context.pasted.is_some(),
        };
        for line in context.host.advice(&listening) {
            context.caller.observe(&Event::Note(&line));
        }
    }
}

/// The authorization request and its URL.
pub(crate) fn trace_authorization_url(params: &Params, url: &Url, observer: &mut dyn Observer) {
    let (from, to) = (Party::Client, Party::Browser);
    observer.observe(&Event::Message {
        from,
        to,
        title: "authorization request",
        params,
    });
    observer.observe(&Event::AuthorizationUrl(url.as_str()));
}

/// A request to the authorization server, secrets redacted by their names.
pub(in crate::flow) fn trace_request(title: &str, request: &HttpRequest, observer: &mut dyn Observer) {
    if let Some(params) = &request.body {
        let (from, to) = (Party::Client, Party::AuthorizationServer);
        observer.observe(&Event::Message {
            from,
            to,
            title,
            params,
        });
    }
}

/// The token response of a login or a refresh.
pub(in crate::flow) fn trace_token_response(response: &TokenResponse, observer: &mut dyn Observer) {
    let mut params = Params::new();
    params.push("access_token", response.access_token.expose());
    params.push("token_type", &response.token_type);
    if let Some(seconds) = response.expires_in_s {
        params.push("expires_in", &seconds.to_string());
    }
    if let Some(refresh_token) = &response.refresh_token {
        params.push("refresh_token", refresh_token.expose());
    }
    if let Some(scope) = &response.scope {
        params.push("scope", &scope.to_string());
    }
    if let Some(id_token) = &response.id_token {
        params.push("id_token", id_token.expose());
    }
    let (from, to) = (Party::AuthorizationServer, Party::Client);
    observer.observe(&Event::Message {
        from,
        to,
        title: "token response",
        params: &params,
    });
    for oddity in &response.quirks {
        observer.observe(&Event::Warning(&oddity.to_string()));
    }
}
