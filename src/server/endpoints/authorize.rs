//! The authorization endpoint (RFC 6749 §3.1, §4.1.1): what is wrong with the
//! client or its redirect URI is shown on a page and never redirected
//! (§4.1.2.1); everything else goes back to the client with `state` and `iss`.

use super::authorization_response::{ReturnPath, deny, grant, reject};
use super::prompt_requirements::PromptRequirements;
use super::push_refusal::PushRefusal;
use super::request_source::{self, meet_demands};
use super::requested_access::check_requested_access;
use crate::protocol::authorization::{AuthorizationRequest, RedirectTargetError, ResponseMode};
use crate::protocol::citation::{Cited, RequestError};
use crate::protocol::grant::authorization_code;
use crate::protocol::params::Params;
use crate::protocol::redirect_uri::{LoopbackAddress, RedirectUri};
use crate::server::authorization_server::AuthorizationServer;
use crate::server::expiring_map::Full;
use crate::server::interactions::{AcceptedRequest, MAX_COOKIES, SessionId, WaitError};
use crate::server::message::{MAX_PARAMETERS, Request, Response, server_error};
use crate::server::moment::Moment;
use crate::server::rejection::Rejection;
use crate::server::route::Route;
use crate::server::scopes::{DETAILS_TYPE, default_scope};
use crate::server::settings::Approval;
use crate::server::settings::clients::RegisteredClient;
use crate::server::settings::request_demands::RequestDemands;
use crate::server::violations;
use crate::server::violations::authorization_request::ParsedRequest;
use crate::server::violations::deviation::Deviation;
use crate::server::violations::policy::Policy;
use std::sync::Arc;

/// A client that is registered, and where it may be answered.
struct RedirectTarget {
    client: Arc<RegisteredClient>,
    redirect_uri: RedirectUri,
    /// Whether the request named it.
    was_sent: bool,
}

/// Answers an authorization request that came by GET or POST.
pub(crate) fn authorize(server: &AuthorizationServer, moment: &mut Moment<'_>, http: &Request) -> Response {
    let params = if http.method == "GET" {
        Some(http.query_params())
    } else {
        http.form_params()
    };
    let Some(params) = params else {
        let reason = "a POST to the authorization endpoint carries a form";
        return error_page(server, Rejection::new(reason, "OpenID Connect Core §3.1.2.1"));
    };
    if params.iter().count() > MAX_PARAMETERS {
        let reason = format!("there are more than {MAX_PARAMETERS} parameters");
        return error_page(server, Rejection::new(reason, "RFC 6749 §3.1"));
    }
    if http.method == "POST" && !moment.policy.accepts_authorization_by_post() {
        return Response::text(405, Rejection::new("this path takes GET", "--break"));
    }
    let found = match request_source::find(server, moment, params) {
        Ok(found) => found,
        Err(rejection) => return error_page(server, *rejection),
    };
    let mut parsed = violations::authorization_request::parse(moment.policy, &server.clients, found.params);
    parsed.refusal = parsed.refusal.or(found.refusal);
    authorize_parsed(server, moment, http, parsed, found.came)
}

fn authorize_parsed(
    server: &AuthorizationServer,
    moment: &mut Moment<'_>,
    http: &Request,
    parsed: ParsedRequest,
    came: RequestDemands,
) -> Response {
    let policy = moment.policy;
    let ParsedRequest {
        params,
        deviation,
        refusal,
    } = parsed;
    let redirect_target = match redirect_target(server, policy, &params) {
        Ok(redirect_target) => redirect_target,
        Err(rejection) => {
            let anyway =
                violations::authorization_response::redirect_anyway(policy, &server.clients, &server.issuer, &params);
            return anyway.unwrap_or_else(|| error_page(server, *rejection));
        }
    };
    let RedirectTarget {
        client, redirect_uri, ..
    } = &redirect_target;
    let target = deviation.target.clone();
    // An error goes back the way the request asked for, as far as that can be known.
    let return_path = ReturnPath {
        client_id: &client.id,
        redirect_uri,
        state: params.single("state").ok().flatten(),
        response_mode: params
            .single("response_mode")
            .ok()
            .flatten()
            .and_then(ResponseMode::named),
        target: target.as_deref(),
    };
    let parsed = match refusal {
        Some(refusal) => Err(refusal),
        None => parse_request(&redirect_target, &params),
    };
    let accepted = parsed.and_then(|request| {
        meet_demands(server, client, came)?;
        accept(server, policy, request, redirect_target.was_sent, deviation)
    });
    let (request, requirements) = match accepted {
        Ok(accepted) => accepted,
        Err(error) => return reject(server, moment, &return_path, &error),
    };
    if requirements.no_page && !policy.redirects_where_no_page_is_allowed() {
        return error_page(server, Rejection::new("sign in first", "--break"));
    }
    match server.approval {
        Approval::Auto => grant(server, moment, &request, &server.first_user(moment.now)),
        Approval::Deny => deny(server, moment, &request),
        Approval::Ask => ask(server, moment, http, request, &requirements),
    }
}

/// The request of a client that may make one.
fn parse_request(target: &RedirectTarget, params: &Params) -> Result<AuthorizationRequest, RequestError> {
    if !target.client.may_use_grant(authorization_code::GRANT_TYPE) {
        let cited = Cited::new(
            "the client is not registered for the authorization code grant",
            "RFC 7591 §2",
        );
        return Err(RequestError::new("unauthorized_client", cited));
    }
    AuthorizationRequest::parse(params, target.client.id.clone(), target.redirect_uri.clone())
}

/// Who asks, and where the answer may go; otherwise what the page for the person says.
fn redirect_target(
    server: &AuthorizationServer,
    policy: &Policy<'_>,
    params: &Params,
) -> Result<RedirectTarget, Box<Rejection>> {
    let (client_id, redirect_uri) = AuthorizationRequest::redirect_target(params).map_err(|error| {
        let rejection = Rejection::cited(error.cited(), "RFC 6749 §4.1.2.1");
        match error {
            RedirectTargetError::RedirectUri(_) => {
                rejection.with_fact("Sent", params.all("redirect_uri").map(str::to_owned).collect())
            }
            _ => rejection,
        }
    })?;
    let client = server.clients.find(client_id.as_str()).ok_or_else(|| {
        Rejection::new(server.clients.problem(client_id.as_str()), "RFC 6749 §4.1.2.1")
            .with_fact("client_id", vec![client_id.to_string()])
    })?;
    let is_registered = |sent: &RedirectUri| client.redirect_uris.iter().any(|own| sent.matches_registered(own));
    let registered = || client.redirect_uris.iter().map(ToString::to_string).collect::<Vec<_>>();
    match redirect_uri {
        Some(sent) if is_registered(&sent) && !accepts_port(server, policy, &sent) => {
            let rejection = Rejection::new("the port is not the one that came first", "--break");
            Err(Box::new(rejection.with_fact("Sent", vec![sent.to_string()])))
        }
        Some(sent) if is_registered(&sent) || is_taken_anyway(server, policy, &client) => Ok(RedirectTarget {
            client: Arc::clone(&client),
            redirect_uri: sent,
            was_sent: true,
        }),
        Some(sent) => {
            let rejection = Rejection::new("redirect_uri is not registered for this client", "RFC 6749 §3.1.2.3")
                .with_fact("Sent", vec![sent.to_string()])
                .with_fact("Registered", registered());
            Err(Box::new(rejection))
        }
        None => match client.redirect_uris.as_slice() {
            // Not where the port is up to the client.
            [only] if matches!(only.loopback_address(), None | Some(LoopbackAddress::Localhost)) => {
                Ok(RedirectTarget {
                    client: Arc::clone(&client),
                    redirect_uri: only.clone(),
                    was_sent: false,
                })
            }
            _ => {
                let reason = "redirect_uri is missing, and no single one is registered";
                let rejection = Rejection::new(reason, "RFC 6749 §3.1.2.3");
                Err(Box::new(rejection.with_fact("Registered", registered())))
            }
        },
    }
}

/// Whether a client with a document may be sent anywhere, since the rule against it is violated.
fn is_taken_anyway(server: &AuthorizationServer, policy: &Policy<'_>, client: &RegisteredClient) -> bool {
    server.clients.documents.has(client.id.as_str()) && !policy.binds_documents_to_redirect_uris()
}

/// Whether this port is accepted in a loopback redirect URI: any is (RFC 8252
/// §7.3), or only the one that came first.
fn accepts_port(server: &AuthorizationServer, policy: &Policy<'_>, redirect_uri: &RedirectUri) -> bool {
    let port = redirect_uri.port();
    policy.enforces_everything()
        || redirect_uri.loopback_address().is_none()
        || *server.first_loopback_port.get_or_init(|| port) == port
        || policy.accepts_any_loopback_port()
}

/// Checks the request against what this server can do.
fn accept(
    server: &AuthorizationServer,
    policy: &Policy<'_>,
    request: AuthorizationRequest,
    redirect_uri_sent: bool,
    deviation: Deviation,
) -> Result<(AcceptedRequest, PromptRequirements), RequestError> {
    let extra = |name: &str| {
        let mut extra = request.extra.iter();
        let found = extra.find(|(own, value)| own == name && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    };
    if extra("registration").is_some() {
        let cited = Cited::new(
            "self-issued registration is not supported",
            "OpenID Connect Core §7.2.1",
        );
        return Err(RequestError::new("registration_not_supported", cited));
    }
    check_requested_access(server, &request.scope, &request.resource)?;
    if request.scope.contains("openid") && !redirect_uri_sent {
        let cited = Cited::new("redirect_uri is missing", "OpenID Connect Core §3.1.2.1");
        return Err(RequestError::new("invalid_request", cited));
    }
    check_details(server, policy, &request)?;
    let requirements = PromptRequirements::read(extra("prompt"), extra("max_age"))?;
    let login_hint = extra("login_hint").unwrap_or_default().to_owned();
    let scope = if request.scope.is_empty() {
        default_scope()
    } else {
        request.scope
    };
    let resource = if request.resource.is_empty() {
        vec![server.api.clone()]
    } else {
        request.resource
    };
    let accepted = AcceptedRequest {
        client_id: request.client_id,
        redirect_uri: request.redirect_uri,
        redirect_uri_sent,
        code_challenge: request.code_challenge,
        scope,
        resource,
        nonce: request.nonce.map(|nonce| nonce.expose().to_owned()),
        state: request.state.map(|state| state.expose().to_owned()),
        dpop_jkt: request.dpop_jkt,
        response_mode: request.response_mode,
        authorization_details: request.authorization_details,
        login_hint,
        deviation,
    };
    Ok((accepted, requirements))
}

/// Whether each of the authorization details is of a type that this client may
/// ask for (RFC 9396 §5).
fn check_details(
    server: &AuthorizationServer,
    policy: &Policy<'_>,
    request: &AuthorizationRequest,
) -> Result<(), RequestError> {
    let Some(details) = &request.authorization_details else {
        return Ok(());
    };
    let client = server.clients.find(request.client_id.as_str());
    let own = client
        .as_ref()
        .map_or(&[][..], |client| client.requests.details_types.as_slice());
    let is_known = |name: &str| name == DETAILS_TYPE || own.iter().any(|own| own == name);
    match details.types().into_iter().find(|name| !is_known(name)) {
        Some(unknown) if policy.rejects_unknown_authorization_details() => {
            let reason = format!("unknown type of authorization details \"{unknown}\": there is {DETAILS_TYPE}");
            let cited = Cited::new(reason, "RFC 9396 §5");
            Err(RequestError::new("invalid_authorization_details", cited))
        }
        _ => Ok(()),
    }
}

/// Checks a request that is pushed as this endpoint would (RFC 9126 §2.1).
///
/// # Errors
/// The [`PushRefusal`] to answer with.
pub(super) fn check_request(
    server: &AuthorizationServer,
    moment: &Moment<'_>,
    client: &RegisteredClient,
    mut params: Params,
) -> Result<Params, PushRefusal> {
    let policy = moment.policy;
    if params.single("client_id") == Ok(None) {
        params.set("client_id", client.id.as_str());
    }
    // What is kept is what came: the authorization endpoint reads it once more.
    let parsed = violations::authorization_request::parse(policy, &server.clients, params.clone());
    if let Some(refusal) = parsed.refusal {
        return Err(refusal.into());
    }
    let target = match redirect_target(server, policy, &parsed.params) {
        Ok(target) => target,
        Err(_) if !policy.checks_redirect_uris_of_pushed_requests() => return Ok(params),
        Err(rejection) => {
            return Err(PushRefusal {
                error: "invalid_request",
                rejection: *rejection,
            });
        }
    };
    let request = AuthorizationRequest::parse(&parsed.params, client.id.clone(), target.redirect_uri)?;
    accept(server, policy, request, target.was_sent, parsed.deviation)?;
    Ok(params)
}

/// Sends the browser to the sign-in page, or to the consent page where
/// someone is signed in already.
fn ask(
    server: &AuthorizationServer,
    moment: &mut Moment<'_>,
    http: &Request,
    request: AcceptedRequest,
    requirements: &PromptRequirements,
) -> Response {
    let now = moment.now;
    let cookies = http.cookies(&server.session_cookie).filter_map(SessionId::from_cookie);
    let mut interactions = server.interactions();
    let known = interactions.known_session(now, cookies.take(MAX_COOKIES).collect());
    let signed_in = known.as_ref().and_then(|session| interactions.signed_in(now, session));
    let must_sign_in = !signed_in.is_some_and(|who| requirements.is_satisfied_by(now, who));
    if requirements.no_page {
        let error = if must_sign_in {
            let cited = Cited::new("no user is signed in", "OpenID Connect Core §3.1.2.6");
            RequestError::new("login_required", cited)
        } else {
            let citation = "OpenID Connect Core §3.1.2.6, RFC 8252 §8.6";
            RequestError::new(
                "consent_required",
                Cited::new("consent is asked for each time", citation),
            )
        };
        drop(interactions);
        return reject(server, moment, &ReturnPath::from(&request), &error);
    }
    let is_new = known.is_none();
    let session = match known.map_or_else(|| SessionId::draw(moment.randomness), Ok) {
        Ok(session) => session,
        Err(error) => return server_error(&error),
    };
    let id = match interactions.wait(now, moment.randomness, &session, request.into(), must_sign_in) {
        Ok(id) => id,
        Err(WaitError::Full(full)) => return too_many_pending(server, full),
        Err(WaitError::Randomness(error)) => return server_error(&error),
    };
    let route = if must_sign_in { Route::SignIn } else { Route::Consent };
    let response = Response::see_other(format!("{}?request={}", route.path(), id.expose()));
    if is_new {
        response.with("set-cookie", session.set_cookie(&server.session_cookie))
    } else {
        response
    }
}

/// No person was asked, so the client gets no answer yet: the person may try again.
fn too_many_pending(server: &AuthorizationServer, full: Full) -> Response {
    let rejection = Rejection::new(full.to_string(), "RFC 9110 §15.6.4");
    let advice = "Go back to the application and try again in some minutes.";
    server.pages.error(503, "Please try again later", rejection, advice)
}

/// What cannot go back to the client is shown to the person (RFC 6749 §4.1.2.1).
fn error_page(server: &AuthorizationServer, rejection: Rejection) -> Response {
    let advice = "Nothing was sent back to the application. Correct its request, then start there again.";
    server
        .pages
        .error(400, "This request cannot be completed", rejection, advice)
}
