//! The device authorization endpoint (RFC 8628 §3.1, §3.2).

use super::client::{authenticated_client, grant_not_registered};
use super::form::parse_form;
use super::requested_access::check_requested_access;
use super::token::unproven_client;
use crate::protocol::citation::RequestError;
use crate::protocol::client::ClientId;
use crate::protocol::device_authorization::{DeviceAuthorization, ReceivedDeviceAuthorizationRequest};
use crate::protocol::grant::device_code;
use crate::protocol::params::Params;
use crate::server::authorization_server::AuthorizationServer;
use crate::server::grants::device_code::DEVICE_CODE_S;
use crate::server::grants::error::IssueCodeError;
use crate::server::grants::pending_device::DeviceRequest;
use crate::server::message::{Request, Response, server_error};
use crate::server::moment::Moment;
use crate::server::rejection::Rejection;
use crate::server::route::Route;
use crate::server::scopes::default_scope;
use crate::server::settings::Approval;
use std::time::Duration;

const CITATION: &str = "RFC 8628 §3.1";

/// How far apart the requests of a device must be.
const INTERVAL_S: u64 = 5;

/// The same where no person is asked, so that scripts do not wait.
const INTERVAL_UNASKED_S: u64 = 1;

/// More of what a program calls itself is not kept.
const MAX_USER_AGENT_CHARS: usize = 80;

/// Issues a device code and a user code.
pub(crate) fn device_authorization(server: &AuthorizationServer, moment: &mut Moment<'_>, http: &Request) -> Response {
    let form = match parse_form(http, CITATION) {
        Ok(form) => form,
        Err(rejection) => return Response::error(400, "invalid_request", rejection),
    };
    let client_id = match permitted_client(server, moment, &form, http) {
        Ok(client_id) => client_id,
        Err(response) => return *response,
    };
    let request = match accept(server, moment, &form, client_id, http) {
        Ok(request) => request,
        Err(error) => return Response::error(400, error.error, Rejection::cited(error.cited, CITATION)),
    };
    let interval_s = match server.approval {
        Approval::Ask => INTERVAL_S,
        Approval::Auto | Approval::Deny => INTERVAL_UNASKED_S,
    };
    let issued = server
        .grants()
        .issue_device_codes(moment, request, i64::try_from(interval_s).unwrap_or(i64::MAX));
    let issued = match issued {
        Ok(issued) => issued,
        Err(IssueCodeError::Randomness(error)) => return server_error(&error),
        Err(IssueCodeError::Full(full)) => {
            return Response::error(
                503,
                "temporarily_unavailable",
                Rejection::new(full.to_string(), CITATION),
            );
        }
    };
    let device_code = match moment.policy.device_code_entropy() {
        None => Ok(issued.device_code),
        Some(entropy) => server
            .aliases
            .issue_weak_token(moment.now, moment.randomness, issued.device_code, entropy),
    };
    let device_code = match device_code {
        Ok(device_code) => device_code,
        Err(error) => return server_error(&error),
    };
    let user_code = issued.user_code.shown();
    let mut verification_uri = server.issuer.url().clone();
    verification_uri.set_path(Route::Device.path());
    let mut complete = verification_uri.clone();
    complete.query_pairs_mut().append_pair("user_code", user_code.expose());
    let answer = DeviceAuthorization {
        device_code,
        user_code,
        verification_uri,
        verification_uri_complete: Some(complete),
        lifetime: Duration::from_secs(u64::try_from(DEVICE_CODE_S).unwrap_or_default()),
        interval: Some(Duration::from_secs(interval_s)),
        quirks: Vec::new(),
    };
    Response::json_text(200, answer.to_json().expose().clone().into_bytes())
}

/// The client, where it may use the grant.
fn permitted_client(
    server: &AuthorizationServer,
    moment: &Moment<'_>,
    form: &Params,
    http: &Request,
) -> Result<ClientId, Box<Response>> {
    let client_id = client(server, moment, form, http)?;
    let registered = server.clients.find(client_id.as_str());
    if registered.is_none_or(|client| client.may_use_grant(device_code::GRANT_TYPE)) {
        return Ok(client_id);
    }
    Err(Box::new(grant_not_registered(device_code::GRANT_TYPE)))
}

/// The client, which authenticates if it can.
fn client(
    server: &AuthorizationServer,
    moment: &Moment<'_>,
    form: &Params,
    http: &Request,
) -> Result<ClientId, Box<Response>> {
    let refusal = match authenticated_client(server, moment, form, http) {
        Ok(client) => return Ok(client.id.clone()),
        Err(response) => response,
    };
    if let Some(client) = unproven_client::client_without_proof(server, form, http)
        && !moment.policy.requires_secrets_for_device_codes()
    {
        return Ok(client.id.clone());
    }
    let named = form.single("client_id").ok().flatten();
    let named = named.and_then(|text| ClientId::parse(text).ok());
    match named.filter(|id| server.clients.find(id.as_str()).is_none()) {
        Some(unknown) if !moment.policy.rejects_device_codes_for_unknown_clients() => Ok(unknown),
        _ => Err(refusal),
    }
}

fn accept(
    server: &AuthorizationServer,
    moment: &Moment<'_>,
    form: &Params,
    client_id: ClientId,
    http: &Request,
) -> Result<DeviceRequest, RequestError> {
    let request = ReceivedDeviceAuthorizationRequest::parse(form)?;
    check_requested_access(server, &request.scope, &request.resource)?;
    if request.scope.contains("openid") {
        server.note_openid();
    }
    let user_agent = http.headers("user-agent").next().unwrap_or_default();
    Ok(DeviceRequest {
        client_id,
        scope: match request.scope.is_empty() {
            true => default_scope(),
            false => request.scope,
        },
        resource: match request.resource.is_empty() {
            true => vec![server.api.clone()],
            false => request.resource,
        },
        code_challenge: request.code_challenge,
        user_agent: user_agent.chars().take(MAX_USER_AGENT_CHARS).collect(),
        asked_at: moment.now,
    })
}
