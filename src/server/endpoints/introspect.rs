//! The introspection endpoint (RFC 7662): for confidential clients, about their
//! own tokens; for holders of scope `introspect`, about all. No other caller
//! learns whether a token exists (§4).

use super::client::{authenticated_client, client_rejected};
use super::form::{parse_form, required_token};
use super::resource::presented_token;
use crate::secret::Secret;
use crate::server::authorization_server::AuthorizationServer;
use crate::server::bearer::Challenge;
use crate::server::message::{Request, Response};
use crate::server::moment::Moment;
use crate::server::rejection::Rejection;
use crate::server::token_response::token_type;
use serde_json::{Value, json};

const CITATION: &str = "RFC 7662 §2.1";
const SCOPE: &str = "introspect";

/// Whose tokens the caller may look up.
enum Reach {
    Own(String),
    All,
}

/// Reports what a token stands for.
pub(crate) fn introspect(server: &AuthorizationServer, moment: &mut Moment<'_>, http: &Request) -> Response {
    let policy = moment.policy;
    let form = match parse_form(http, CITATION) {
        Ok(form) => form,
        Err(rejection) => return Response::error(400, "invalid_request", rejection),
    };
    let is_bearer = http.headers("authorization").any(|header| {
        let scheme = header.split(' ').next();
        scheme.is_some_and(|scheme| ["bearer", "dpop"].iter().any(|own| scheme.eq_ignore_ascii_case(own)))
    });
    let reach = if is_bearer {
        bearer_reach(server, moment, http)
    } else {
        authenticated_client(server, moment, &form, http).and_then(|client| {
            if client.is_confidential() {
                return Ok(Reach::Own(client.id.to_string()));
            }
            let rejection = Rejection::new("a public client cannot prove who asks", CITATION);
            Err(Box::new(client_rejected(rejection, false)))
        })
    };
    let reach = match reach {
        Ok(reach) => reach,
        Err(_) if !policy.authenticates_introspection() => Reach::All,
        Err(response) => return *response,
    };
    let token = match required_token(&form, CITATION) {
        Ok(token) => token,
        Err(rejection) => return Response::error(400, "invalid_request", rejection),
    };
    let facts = facts(server, moment, &token).filter(|(owner, _)| match &reach {
        Reach::All => true,
        Reach::Own(client_id) => owner == client_id,
    });
    let facts = match facts {
        Some((_, facts)) if policy.reports_valid_tokens_as_active() => facts,
        None if !policy.reports_nothing_about_unknown_tokens() => {
            json!({"active": false, "client_id": "nobody", "token_type": "Bearer"})
        }
        _ => json!({"active": false}),
    };
    Response::json(200, &facts)
}

fn bearer_reach(server: &AuthorizationServer, moment: &mut Moment<'_>, http: &Request) -> Result<Reach, Box<Response>> {
    let challenge = Challenge {
        resource_metadata: None,
        scope: SCOPE,
        only_bound: server.dpop.demands.proof,
    };
    let token = presented_token(server, moment, http, &challenge)?;
    if token.scope.contains(SCOPE) {
        return Ok(Reach::All);
    }
    // 401, not the 403 of RFC 6750: RFC 7662 §2.3 says so.
    let rejection = Rejection::new("the access token lacks scope introspect", "RFC 7662 §2.3");
    Err(Box::new(challenge.error(401, "insufficient_scope", rejection)))
}

/// The client of a valid token, and what is reported about it (RFC 7662 §2.2).
fn facts(server: &AuthorizationServer, moment: &Moment<'_>, token: &Secret) -> Option<(String, Value)> {
    if let Some(token) = server.access_token(moment.now, token) {
        let mut facts = json!({
            "active": true,
            "scope": token.scope.to_string(),
            "client_id": token.client_id,
            "username": token.subject,
            "token_type": token_type(token.confirmation.key.as_deref()),
            "exp": token.expires_at,
            "iat": token.issued_at,
            "sub": token.subject,
            "aud": token.audience,
            "iss": server.issuer.as_str(),
            "jti": token.token_id,
        });
        let mut confirmation = token.confirmation;
        if confirmation.certificate.is_some() && !moment.policy.reports_certificates_of_bound_tokens() {
            confirmation.certificate = None;
        }
        if !confirmation.is_empty() {
            facts["cnf"] = json!(confirmation);
        }
        if let Some(details) = &token.authorization_details {
            // RFC 9396 §9.2
            facts["authorization_details"] = details.clone();
        }
        return Some((token.client_id, facts));
    }
    let token = server.grants().live_refresh_token(moment.now, token)?;
    let facts = json!({
        "active": true,
        "scope": token.scope.to_string(),
        "client_id": token.client_id.as_str(),
        "username": token.subject,
        "exp": token.expires_at.0,
        "sub": token.subject,
        "iss": server.issuer.as_str(),
    });
    Some((token.client_id.to_string(), facts))
}
