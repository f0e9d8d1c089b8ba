//! What the observer sees of requests and responses: the messages with their
//! parameters.

use crate::protocol::http::HttpRequest;
use crate::protocol::params::Params;
use crate::protocol::token_response::{TokenResponse, describe_quirks};
use crate::trace::{Event, Observer, Party};

/// A request to the authorization server, secrets redacted by their names.
pub(in crate::flow) fn trace_request(title: &str, request: &HttpRequest, observer: &mut dyn Observer) {
    if let Some(params) = request.form() {
        let (from, to) = (Party::Client, Party::AuthorizationServer);
        observer.observe(&Event::Message {
            from,
            to,
            title,
            params,
        });
    }
}

/// What is odd about a token response that is taken all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::flow) enum Quirks {
    /// A person who logs in sees it.
    Warn,
    /// It was seen at the login: shown from `-v` on.
    Trace,
}

/// The token response of a login or a refresh.
pub(in crate::flow) fn trace_token_response(response: &TokenResponse, quirks: Quirks, observer: &mut dyn Observer) {
    let mut params = Params::new();
    params.push("access_token", response.access_token.expose());
    params.push("token_type", &response.token_type);
    if let Some(issued_token_type) = &response.issued_token_type {
        params.push("issued_token_type", issued_token_type);
    }
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
    match (describe_quirks(&response.quirks), quirks) {
        (None, _) => {}
        (Some(text), Quirks::Warn) => observer.observe(&Event::Warning(&text)),
        (Some(text), Quirks::Trace) => observer.observe(&Event::Detail {
            name: "warning",
            value: &text,
        }),
    }
}
