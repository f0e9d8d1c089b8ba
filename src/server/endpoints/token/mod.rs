//! The token endpoint (RFC 6749 §3.2). Each grant is a file beside this one
//! and an arm in `issue`.

mod authorization_code;
mod caller;
mod client_credentials;
mod device_code;
mod forbidden_grants;
mod granted;
mod jwt_bearer;
mod refresh_token;
mod token_exchange;
pub(super) mod unproven_client;

use super::client::{client_rejected, grant_not_registered, two_authorization_headers};
use super::form::parse_form;
use crate::protocol::citation::RequestError;
use crate::protocol::client::{ClientId, PresentedClient};
use crate::protocol::grant::Grant;
use crate::protocol::grant::refresh_token::GRANT_TYPE as REFRESH_TOKEN;
use crate::protocol::params::Params;
use crate::protocol::token_request::{RESERVED_TOKEN_PARAMETERS, ReceivedTokenRequest};
use crate::server::authorization_server::AuthorizationServer;
use crate::server::client_authentication::authenticate;
use crate::server::client_certificate::ShownCertificate;
use crate::server::confirmation::Confirmation;
use crate::server::dpop::{ProofRefused, ProvenKey, proven_key, refused_at_token_endpoint, with_nonce};
use crate::server::grants::error::GrantError;
use crate::server::grants::grant::{IssuedTokens, RequestKey};
use crate::server::message::{Request, Response, server_error};
use crate::server::moment::Moment;
use crate::server::rejection::Rejection;
use crate::server::settings::clients::RegisteredClient;
use crate::server::token_response::token_response;
use crate::server::violations::policy::Policy;
use caller::Caller;
use granted::Granted;

/// Issues tokens for a grant.
pub(crate) fn token(server: &AuthorizationServer, moment: &mut Moment<'_>, http: &Request) -> Response {
    let form = match known_form(moment.policy, http) {
        Ok(form) => form,
        Err(rejection) => return Response::error(400, "invalid_request", rejection),
    };
    let authorization = match http.header("authorization") {
        Ok(header) => header,
        Err(_) => return two_authorization_headers(),
    };
    if let Some(response) = forbidden_grants::answer(server, moment, &form, http) {
        return response;
    }
    let request = match ReceivedTokenRequest::parse(&form, authorization) {
        Ok(request) => request,
        Err(error) => return malformed(error, authorization.is_some()),
    };
    let client_id = match client_of_request(server, moment, &request, http) {
        Ok(client_id) => client_id,
        Err(response) => return *response,
    };
    // Before the grant is looked at: a refused proof spends neither code nor refresh token
    let proven = match key_of_request(server, moment, http) {
        Ok(proven) => proven,
        Err(response) => return *response,
    };
    let client = server.clients.find(client_id.as_str());
    let may_use = |grant_type: &str| client.as_ref().is_none_or(|client| client.may_use_grant(grant_type));
    if !may_use(request.grant.grant_type()) {
        return grant_not_registered(request.grant.grant_type());
    }
    let confirmation = match confirmation(client.as_deref(), proven, http) {
        Ok(confirmation) => confirmation,
        Err(rejection) => return Response::error(400, "invalid_request", rejection),
    };
    let caller = Caller {
        client_id: &client_id,
        resource: &request.resource,
        key: RequestKey {
            confirmation: &confirmation,
            binds_refresh_tokens: client.as_ref().is_none_or(|client| !client.is_confidential()),
        },
        form: &form,
    };
    let response = match issue(server, moment, &request.grant, &caller) {
        Err(error) => grant_rejected(moment.policy, error),
        // Signed without the lock; a grant that is revoked in between takes these tokens with it.
        Ok(Granted::Tokens(mut issued)) => {
            issued.refresh_token.take_if(|_| !may_use(REFRESH_TOKEN));
            tokens_issued(server, moment, issued, confirmation.clone())
        }
        Ok(Granted::IdentityAssertion(assertion)) => match assertion.response(server, moment) {
            Ok(body) => Response::json_text(200, body),
            Err(error) => server_error(&error),
        },
    };
    with_nonce(server, moment, response)
}

/// The client that the request proves to come from, or counts as all the same.
///
/// # Errors
/// The response to a client that is unknown or has proved nothing.
fn client_of_request(
    server: &AuthorizationServer,
    moment: &Moment<'_>,
    request: &ReceivedTokenRequest,
    http: &Request,
) -> Result<ClientId, Box<Response>> {
    authenticate(server, moment, &request.client, http.certificate.as_ref())
        .map(|client| client.id.clone())
        .or_else(|rejection| {
            unproven_client::admit(server, moment, request, http)
                .ok_or_else(|| Box::new(unauthenticated(server, moment.policy, &request.client, rejection)))
        })
}

/// The key that the request proves to hold, where it does.
///
/// # Errors
/// The response to a proof that is not taken, or is missing where all clients need one.
fn key_of_request(
    server: &AuthorizationServer,
    moment: &mut Moment<'_>,
    http: &Request,
) -> Result<Option<ProvenKey>, Box<Response>> {
    let proven = match proven_key(server, moment, http, None) {
        Ok(None) if server.dpop.demands.proof => Err(ProofRefused::Invalid(Rejection::new(
            "there is no DPoP proof, and this server demands one",
            "RFC 9449 §5",
        ))),
        other => other,
    };
    proven.map_err(|refused| Box::new(refused_at_token_endpoint(server, moment, refused)))
}

/// What the tokens of the request are bound to.
///
/// # Errors
/// A client whose tokens are bound to its certificate shows none (RFC 8705 §3.4).
fn confirmation(
    client: Option<&RegisteredClient>,
    proven: Option<ProvenKey>,
    http: &Request,
) -> Result<Confirmation, Rejection> {
    let binds = client.is_some_and(|client| client.binds_tokens_to_certificate);
    let certificate = match &http.certificate {
        None if binds => {
            return Err(Rejection::new(
                "the tokens of the client are bound to its certificate, and the request shows none",
                "RFC 8705 §3.4",
            ));
        }
        shown => shown.as_ref().filter(|_| binds),
    };
    Ok(Confirmation {
        key: proven.map(|proven| proven.thumbprint),
        certificate: certificate.map(ShownCertificate::thumbprint),
    })
}

fn tokens_issued(
    server: &AuthorizationServer,
    moment: &mut Moment<'_>,
    mut issued: IssuedTokens,
    confirmation: Confirmation,
) -> Response {
    issued.confirmation = confirmation;
    match token_response(server, moment, &issued) {
        Ok(body) => Response::json_text(200, body),
        Err(error) => server_error(&error),
    }
}

/// The tokens for the grant of a request whose client is known.
fn issue(
    server: &AuthorizationServer,
    moment: &mut Moment<'_>,
    grant: &Grant,
    caller: &Caller<'_>,
) -> Result<Granted, GrantError> {
    let issued = match grant {
        Grant::AuthorizationCode(grant) => authorization_code::issue(server, moment, grant, caller),
        Grant::RefreshToken(grant) => refresh_token::issue(server, moment, grant, caller),
        Grant::ClientCredentials(grant) => client_credentials::issue(server, moment, grant, caller),
        Grant::DeviceCode(grant) => device_code::issue(server, moment, grant, caller),
        Grant::JwtBearer(grant) => jwt_bearer::issue(server, moment, grant, caller),
        Grant::TokenExchange(grant) => return token_exchange::issue(server, moment, grant, caller),
    };
    issued.map(Granted::Tokens)
}

/// The form, without unknown parameters where those are refused.
fn known_form(policy: &Policy<'_>, http: &Request) -> Result<Params, Rejection> {
    let form = parse_form(http, "RFC 6749 §3.2")?;
    let is_known = form.iter().all(|(name, _)| is_known_parameter(name));
    match is_known || policy.ignores_unknown_token_parameters() {
        true => Ok(form),
        false => Err(Rejection::new("there is an unknown parameter", "--break")),
    }
}

fn is_known_parameter(name: &str) -> bool {
    RESERVED_TOKEN_PARAMETERS.contains(&name) || ["username", "password"].contains(&name)
}

fn malformed(error: RequestError, by_header: bool) -> Response {
    let rejection = Rejection::cited(error.cited, "RFC 6749 §5.2");
    if error.error == "invalid_client" {
        client_rejected(rejection, by_header)
    } else {
        Response::error(400, error.error, rejection)
    }
}

/// The response to a client that is unknown or has proved nothing.
fn unauthenticated(
    server: &AuthorizationServer,
    policy: &Policy<'_>,
    presented: &PresentedClient,
    rejection: Rejection,
) -> Response {
    if server.clients.find(&presented.id).is_none() && !policy.reports_unknown_clients_as_invalid_client() {
        return Response::error(400, "invalid_request", rejection);
    }
    client_rejected(rejection, presented.by_header)
}

/// The response to a rejected grant (RFC 6749 §5.2).
fn grant_rejected(policy: &Policy<'_>, error: GrantError) -> Response {
    let is_reported_rightly = match error {
        GrantError::UnknownCode => policy.reports_unknown_codes_as_invalid_grant(),
        GrantError::UnknownRefreshToken => policy.reports_unknown_refresh_tokens_as_invalid_grant(),
        GrantError::WrongVerifier => policy.reports_wrong_verifiers_as_invalid_grant(),
        GrantError::UnknownDeviceCode => policy.reports_unknown_device_codes_as_invalid_grant(),
        GrantError::AuthorizationPending => policy.reports_pending_decisions_as_authorization_pending(),
        _ => true,
    };
    let code = match error {
        GrantError::SubjectToken if !policy.reports_refused_subject_tokens_as_invalid_request() => "invalid_grant",
        error if is_reported_rightly => error.error(),
        _ => "invalid_request",
    };
    if let GrantError::OnPurpose(rule) = error {
        policy.note(rule);
    }
    let status = match error {
        GrantError::Randomness(_) => 500,
        _ => 400,
    };
    Response::error(status, code, Rejection::new(error.to_string(), error.citation()))
}
