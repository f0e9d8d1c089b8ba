//! The pushed authorization request endpoint (RFC 9126 §2).

use super::authorize::check_request;
use super::client::authenticated_client;
use super::form::parse_form;
use super::push_refusal::{CITATION, PushRefusal};
use super::request_source::{meet_demands, open_beside};
use super::token::unproven_client;
use crate::protocol::citation::{Cited, RequestError};
use crate::protocol::params::Params;
use crate::protocol::pushed_authorization::PushedAuthorization;
use crate::server::authorization_server::AuthorizationServer;
use crate::server::dpop::{ProofRefused, proven_key, refused_at_token_endpoint, with_nonce};
use crate::server::message::{Request, Response, server_error};
use crate::server::moment::Moment;
use crate::server::pushed_requests::{PushError, PushedRequest};
use crate::server::rejection::Rejection;
use crate::server::settings::clients::RegisteredClient;
use crate::server::settings::request_demands::RequestDemands;
use std::sync::Arc;
use std::time::Duration;

/// Parameters by which a client authenticates; they are not part of the request.
const OF_CLIENT_AUTHENTICATION: [&str; 3] = ["client_secret", "client_assertion", "client_assertion_type"];

/// Keeps an authorization request for the browser that will come with the reference.
pub(crate) fn pushed_authorization(server: &AuthorizationServer, moment: &mut Moment<'_>, http: &Request) -> Response {
    let form = match parse_form(http, CITATION) {
        Ok(form) => form,
        Err(rejection) => return Response::error(400, "invalid_request", rejection),
    };
    let client = match client(server, moment, &form, http) {
        Ok(client) => client,
        Err(response) => return *response,
    };
    let bound = match bind_to_key(server, moment, form, http) {
        Ok(form) => form,
        Err(response) => return *response,
    };
    let request = match accept(server, moment, &client, bound) {
        Ok(request) => request,
        Err(refusal) => return Response::error(400, refusal.error, refusal.rejection),
    };
    let issued = server.pushed_requests().push(moment, request);
    let issued = match issued {
        Ok(issued) => issued,
        Err(PushError::Randomness(error)) => return server_error(&error),
        Err(PushError::Full(full)) => {
            let rejection = Rejection::new(full.to_string(), CITATION);
            return Response::error(503, "temporarily_unavailable", rejection);
        }
    };
    let answer = PushedAuthorization {
        request_uri: issued.request_uri,
        lifetime: u64::try_from(issued.lifetime_s).ok().map(Duration::from_secs),
    };
    let status = match moment.policy.answers_pushed_requests_with_201() {
        true => 201,
        false => 200,
    };
    let response = Response::json(status, &answer.to_json());
    with_nonce(server, moment, response)
}

/// The client, which authenticates if it can.
fn client(
    server: &AuthorizationServer,
    moment: &Moment<'_>,
    form: &Params,
    http: &Request,
) -> Result<Arc<RegisteredClient>, Box<Response>> {
    authenticated_client(server, moment, form, http).or_else(|refusal| {
        let unproven = unproven_client::client_without_proof(server, form, http);
        match unproven {
            Some(client) if !moment.policy.requires_secrets_for_pushed_requests() => Ok(client),
            _ => Err(refusal),
        }
    })
}

/// The request bound to the key of its proof, where it has one (RFC 9449 §10.1).
fn bind_to_key(
    server: &AuthorizationServer,
    moment: &mut Moment<'_>,
    mut form: Params,
    http: &Request,
) -> Result<Params, Box<Response>> {
    let refuse =
        |server, moment: &mut Moment<'_>, refused| Err(Box::new(refused_at_token_endpoint(server, moment, refused)));
    let proven = match proven_key(server, moment, http, None) {
        Ok(None) => return Ok(form),
        Ok(Some(proven)) => proven,
        Err(refused) => return refuse(server, moment, refused),
    };
    match form.single("dpop_jkt").ok().flatten() {
        Some(thumbprint) if thumbprint != proven.thumbprint => {
            let rejection = Rejection::new("dpop_jkt is not the key of the proof", "RFC 9449 §10.1");
            refuse(server, moment, ProofRefused::Invalid(rejection))
        }
        Some(_) => Ok(form),
        None => {
            form.push("dpop_jkt", &proven.thumbprint);
            Ok(form)
        }
    }
}

/// Checks the request as the authorization endpoint would (§2.1 item 3).
fn accept(
    server: &AuthorizationServer,
    moment: &mut Moment<'_>,
    client: &RegisteredClient,
    mut form: Params,
) -> Result<PushedRequest, PushRefusal> {
    for name in OF_CLIENT_AUTHENTICATION {
        form.remove(name);
    }
    let single = |name: &str| form.single(name).ok().flatten();
    if single("request_uri").is_some() {
        if moment.policy.rejects_pushed_references() {
            let cited = Cited::new("request_uri is not a parameter of this endpoint", CITATION);
            return Err(RequestError::new("invalid_request", cited).into());
        }
        form.remove("request_uri");
    }
    let object = form.single("request").ok().flatten().map(str::to_owned);
    let (params, is_signed) = match object {
        Some(object) if client.requests.keys.is_some() => {
            // The key that the proof showed is not a part of the object (RFC 9449 §10.1).
            let key = form.single("dpop_jkt").ok().flatten().map(str::to_owned);
            let mut params = open_beside(server, moment, client, &Params::new(), &object)?;
            if let Some(key) = key {
                params.set("dpop_jkt", &key);
            }
            (params, true)
        }
        _ => (form, false),
    };
    let came = RequestDemands {
        pushed: true,
        signed: is_signed,
    };
    meet_demands(server, client, came)?;
    let params = check_request(server, moment, client, params)?;
    Ok(PushedRequest {
        client_id: client.id.clone(),
        params,
        is_signed,
    })
}
