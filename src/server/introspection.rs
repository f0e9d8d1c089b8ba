//! The introspection endpoint (RFC 7662): for confidential clients, about their
//! own tokens; for holders of scope `introspect`, about all. Nobody else
//! learns whether a token exists (§4).

use super::authorization_server::AuthorizationServer;
use super::bearer::{Bearer, Challenge};
use super::message::{Refused, Request, Response};
use super::token_endpoint::{client_refused, endpoint_form, required_token};
use crate::protocol::time::UnixSeconds;
use crate::rules::Rule;
use crate::secret::Secret;
use serde_json::{Value, json};

const RULE: &str = "RFC 7662 §2.1";
const SCOPE: &str = "introspect";

/// Whose tokens the caller may look up.
enum Reach {
    Own(String),
    All,
}

impl AuthorizationServer {
    /// Says what a token stands for.
    pub(crate) fn introspect(&self, now: UnixSeconds, http: &Request) -> Response {
        let form = match endpoint_form(http, RULE) {
            Ok(form) => form,
            Err(refused) => return Response::error(400, "invalid_request", refused),
        };
        let is_bearer = http.headers("authorization").any(|header| {
            header
                .split(' ')
                .next()
                .is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer"))
        });
        let reach = if is_bearer {
            self.bearer_reach(now, http)
        } else {
            match self.presented_client(&form, http) {
                Ok(client) if client.secret.is_some() => Ok(Reach::Own(client.id.to_string())),
                Ok(_) => {
                    let reason = "a public client cannot prove who asks";
                    Err(Box::new(client_refused(Refused::new(reason, RULE), false)))
                }
                Err(response) => Err(response),
            }
        };
        let mut noted = Vec::new();
        let reach = match reach {
            Ok(reach) => reach,
            Err(_) if self.broken.breaks(Rule::IntrospectionAuthenticated, &mut noted) => Reach::All,
            Err(response) => return *response,
        };
        let token = match required_token(&form, RULE) {
            Ok(token) => token,
            Err(refused) => return Response::error(400, "invalid_request", refused),
        };
        let facts = self.facts(now, &token).filter(|(owner, _)| match &reach {
            Reach::All => true,
            Reach::Own(client_id) => owner == client_id,
        });
        let facts = match facts {
            Some(_) if self.broken.breaks(Rule::IntrospectionActive, &mut noted) => json!({"active": false}),
            Some((_, facts)) => facts,
            None if self.broken.breaks(Rule::IntrospectionInactive, &mut noted) => {
                json!({"active": false, "client_id": "nobody", "token_type": "Bearer"})
            }
            None => json!({"active": false}),
        };
        let mut response = Response::json(200, &facts);
        response.broken = noted;
        response
    }

    fn bearer_reach(&self, now: UnixSeconds, http: &Request) -> Result<Reach, Box<Response>> {
        let challenge = Challenge {
            resource_metadata: None,
            scope: SCOPE,
        };
        let token = match Bearer::of(http) {
            Bearer::Token(token) => token,
            Bearer::Absent => return Err(Box::new(challenge.bare())),
            Bearer::Malformed(refused) => return Err(Box::new(challenge.error(400, "invalid_request", refused))),
        };
        match self.access_token(now, &token) {
            Some(token) if token.scope.contains(SCOPE) => Ok(Reach::All),
            // 401, not the 403 of RFC 6750: RFC 7662 §2.3 says so.
            Some(_) => {
                let refused = Refused::new("the access token lacks scope introspect", "RFC 7662 §2.3");
                Err(Box::new(challenge.error(401, "insufficient_scope", refused)))
            }
            None => {
                let refused = Refused::new("the access token is not valid", "RFC 7662 §2.3");
                Err(Box::new(challenge.error(401, "invalid_token", refused)))
            }
        }
    }

    /// To whom a living token was issued, and what is to be said of it (RFC 7662 §2.2).
    fn facts(&self, now: UnixSeconds, token: &Secret) -> Option<(String, Value)> {
        if let Some(token) = self.access_token(now, token) {
            let facts = json!({
                "active": true,
                "scope": token.scope.to_string(),
                "client_id": token.client_id,
                "username": token.subject,
                "token_type": "Bearer",
                "exp": token.expires_at,
                "iat": token.issued_at,
                "sub": token.subject,
                "aud": token.audience,
                "iss": self.issuer.as_str(),
                "jti": token.token_id,
            });
            return Some((token.client_id, facts));
        }
        let token = self.grants().live_refresh_token(now, token)?;
        let facts = json!({
            "active": true,
            "scope": token.scope.to_string(),
            "client_id": token.client_id.as_str(),
            "username": token.subject,
            "exp": token.expires_at.0,
            "sub": token.subject,
            "iss": self.issuer.as_str(),
        });
        Some((token.client_id.to_string(), facts))
    }
}
