//! Where the parameters of an authorization request are: in the request, in
//! a signed object (RFC 9101), or with this server, which they were pushed to
//! (RFC 9126 §4).

use crate::protocol::citation::{Cited, RequestError};
use crate::protocol::params::Params;
use crate::server::authorization_server::AuthorizationServer;
use crate::server::moment::Moment;
use crate::server::pushed_requests::REQUEST_URI_PREFIX;
use crate::server::rejection::Rejection;
use crate::server::request_object;
use crate::server::settings::clients::RegisteredClient;
use crate::server::settings::request_demands::RequestDemands;

/// An authorization request whose parameters were found.
pub(super) struct FoundRequest {
    pub(super) params: Params,
    pub(super) came: RequestDemands,
    /// A refusal that is sent to the client's redirect URI.
    pub(super) refusal: Option<RequestError>,
}

impl FoundRequest {
    fn plain(params: Params) -> Self {
        FoundRequest {
            params,
            came: RequestDemands::default(),
            refusal: None,
        }
    }
}

/// Finds the parameters of a request at the authorization endpoint.
///
/// # Errors
/// What the person is shown: with an unknown reference it is not known where
/// an answer could go.
pub(super) fn find(
    server: &AuthorizationServer,
    moment: &mut Moment<'_>,
    params: Params,
) -> Result<FoundRequest, Box<Rejection>> {
    let single = |name: &str| params.single(name).ok().flatten();
    match (single("request"), single("request_uri")) {
        (None, Some(request_uri)) if request_uri.starts_with(REQUEST_URI_PREFIX) => {
            let request_uri = request_uri.to_owned();
            resolve_pushed(server, moment, &params, &request_uri)
        }
        (Some(object), None) => {
            let object = object.to_owned();
            Ok(resolve_signed(server, moment, params, &object))
        }
        _ => Ok(FoundRequest::plain(params)),
    }
}

fn resolve_pushed(
    server: &AuthorizationServer,
    moment: &mut Moment<'_>,
    params: &Params,
    request_uri: &str,
) -> Result<FoundRequest, Box<Rejection>> {
    let policy = moment.policy;
    let mut waiting = server.pushed_requests();
    let Some(request) = waiting.find(moment.now, request_uri).cloned() else {
        if !policy.rejects_unknown_request_uris() {
            let mut beside = params.clone();
            beside.remove("request_uri");
            return Ok(FoundRequest::plain(beside));
        }
        let reason = "request_uri is unknown, has expired or was used before; start the login again";
        return Err(Box::new(Rejection::new(reason, "RFC 9126 §4")));
    };
    let is_own = params.single("client_id") == Ok(Some(request.client_id.as_str()));
    if !is_own && policy.binds_pushed_requests_to_clients() {
        let reason = "client_id is not that of the client that pushed the request";
        return Err(Box::new(Rejection::new(reason, "RFC 9126 §2.2")));
    }
    if policy.takes_pushed_requests_once() {
        waiting.remove(moment.now, request_uri);
    }
    let mut found = request.params;
    if !policy.ignores_parameters_beside_request_uris() {
        for (name, value) in params
            .iter()
            .filter(|(name, _)| !["client_id", "request_uri"].contains(name))
        {
            found.set(name, value.expose());
        }
    }
    Ok(FoundRequest {
        params: found,
        came: RequestDemands {
            pushed: true,
            signed: request.is_signed,
        },
        refusal: None,
    })
}

/// The parameters of an object; where it does not hold, those beside it, with the refusal.
fn resolve_signed(server: &AuthorizationServer, moment: &Moment<'_>, params: Params, object: &str) -> FoundRequest {
    let client = params.single("client_id").ok().flatten();
    let Some(client) = client.and_then(|id| server.clients.find(id)) else {
        return FoundRequest::plain(params);
    };
    if client.requests.keys.is_none() {
        // What this server never took from this client.
        return FoundRequest::plain(params);
    }
    match open_beside(server, moment, &client, &params, object) {
        Ok(params) => FoundRequest {
            params,
            came: RequestDemands {
                pushed: false,
                signed: true,
            },
            refusal: None,
        },
        Err(refusal) => FoundRequest {
            refusal: Some(refusal),
            ..FoundRequest::plain(params)
        },
    }
}

/// The parameters of an object, which alone count (RFC 9101 §6.3).
pub(super) fn open_beside(
    server: &AuthorizationServer,
    moment: &Moment<'_>,
    client: &RegisteredClient,
    beside: &Params,
    object: &str,
) -> Result<Params, RequestError> {
    let mut params = request_object::open(server, moment, client, object)?;
    // Compared before, but where that rule is violated.
    params.set("client_id", client.id.as_str());
    if !moment.policy.ignores_parameters_beside_request_objects() {
        let others = beside
            .iter()
            .filter(|(name, _)| !["client_id", "request"].contains(name));
        for (name, value) in others {
            params.set(name, value.expose());
        }
    }
    Ok(params)
}

/// Whether a request came in the way that server and client demand.
///
/// # Errors
/// [`RequestError`].
pub(super) fn meet_demands(
    server: &AuthorizationServer,
    client: &RegisteredClient,
    came: RequestDemands,
) -> Result<(), RequestError> {
    let demand = |reason: &'static str, section: &'static str| {
        Err(RequestError::new("invalid_request", Cited::new(reason, section)))
    };
    if !came.pushed && (server.request_demands.pushed || client.requests.demands.pushed) {
        return demand("the request was not pushed, and this server demands it", "RFC 9126 §4");
    }
    if !came.signed && (server.request_demands.signed || client.requests.demands.signed) {
        return demand(
            "the request is not a signed object, and this server demands it",
            "RFC 9101 §10.5",
        );
    }
    Ok(())
}
