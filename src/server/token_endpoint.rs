//! The token endpoint (RFC 6749 §3.2, §4.1.3, §6) and, since it wants the same
//! proof of the same clients, the revocation endpoint (RFC 7009).

use super::authorization_server::{AuthorizationServer, grant_refused, server_error};
use super::grants::{Redemption, Refresh};
use super::message::{PARAMETERS_MAX, Refused, Request, Response};
use super::settings::RegisteredClient;
use super::tokens::token_response;
use crate::protocol::client::{PresentedClient, PresentedClientError};
use crate::protocol::params::Params;
use crate::protocol::random::Randomness;
use crate::protocol::time::UnixSeconds;
use crate::protocol::token::{ReceivedGrant, ReceivedTokenRequest};
use crate::secret::Secret;

impl AuthorizationServer {
    /// Redeems a code or a refresh token.
    pub(crate) fn token(&self, now: UnixSeconds, randomness: &mut dyn Randomness, http: &Request) -> Response {
        let form = match endpoint_form(http, "RFC 6749 §3.2") {
            Ok(form) => form,
            Err(refused) => return Response::error(400, "invalid_request", refused),
        };
        let authorization = match http.header("authorization") {
            Ok(header) => header,
            Err(_) => return two_methods(),
        };
        let request = match ReceivedTokenRequest::parse(&form, authorization) {
            Ok(request) => request,
            Err(error) => {
                let text = error.error_description.as_deref().unwrap_or_default();
                let refused = Refused::from_text(text, "RFC 6749 §5.2");
                return if error.error == "invalid_client" {
                    client_refused(refused, authorization.is_some())
                } else {
                    Response::error(400, &error.error, refused)
                };
            }
        };
        let client = match self.authenticate(&request.client) {
            Ok(client) => client,
            Err(refused) => return client_refused(refused, request.client.by_header),
        };
        let issued = match &request.grant {
            ReceivedGrant::AuthorizationCode {
                code,
                redirect_uri,
                code_verifier,
            } => self.grants().redeem(
                now,
                randomness,
                &Redemption {
                    client_id: &client.id,
                    code,
                    redirect_uri: redirect_uri.as_deref(),
                    code_verifier: code_verifier.as_ref(),
                    resource: &request.resource,
                },
            ),
            ReceivedGrant::RefreshToken { refresh_token, scope } => self.grants().refresh(
                now,
                randomness,
                &Refresh {
                    client_id: &client.id,
                    refresh_token,
                    scope: scope.as_ref(),
                    resource: &request.resource,
                },
            ),
        };
        // Signed without the lock; a grant that is revoked meanwhile takes these tokens with it.
        match issued {
            Err(error) => grant_refused(error),
            Ok(issue) => {
                let lifetime_s = self.access_token_lifetime_s;
                match token_response(&self.keys, self.issuer.as_str(), lifetime_s, now, randomness, &issue) {
                    Ok(body) => Response::json_text(200, body),
                    Err(error) => server_error(&error),
                }
            }
        }
    }

    /// Revokes a token of the client that asks (RFC 7009 §2.1). A refresh token
    /// takes the access tokens of its grant with it.
    pub(crate) fn revoke(&self, now: UnixSeconds, http: &Request) -> Response {
        let form = match endpoint_form(http, "RFC 7009 §2.1") {
            Ok(form) => form,
            Err(refused) => return Response::error(400, "invalid_request", refused),
        };
        let client = match self.presented_client(&form, http) {
            Ok(client) => client,
            Err(response) => return *response,
        };
        let token = match required_token(&form, "RFC 7009 §2.1") {
            Ok(token) => token,
            Err(refused) => return Response::error(400, "invalid_request", refused),
        };
        let of_other_client = || {
            let refused = Refused::new("the token was issued to another client", "RFC 7009 §2.1");
            Response::error(400, "invalid_grant", refused)
        };
        // token_type_hint is only a hint: both kinds are tried anyway.
        if let Some(access_token) = self.access_token(now, &token) {
            if access_token.client_id != client.id.as_str() {
                return of_other_client();
            }
            self.grants()
                .revoke_access_token(now, access_token.grant, access_token.serial);
        } else if self.keys.is_id_token(token.expose()) {
            let refused = Refused::new("ID tokens cannot be revoked", "RFC 7009 §2.2.1");
            return Response::error(400, "unsupported_token_type", refused);
        } else {
            let mut grants = self.grants();
            match grants
                .client_of_refresh_token(now, &token)
                .map(|owner| *owner == client.id)
            {
                Some(true) => grants.revoke_refresh_token(now, &token),
                Some(false) => return of_other_client(),
                // Unknown, so already worth nothing (RFC 7009 §2.2).
                None => {}
            }
        }
        Response::new(200)
    }

    /// The client of a request to another endpoint than the token endpoint.
    pub(crate) fn presented_client(&self, form: &Params, http: &Request) -> Result<&RegisteredClient, Box<Response>> {
        let authorization = http.header("authorization").map_err(|_| Box::new(two_methods()))?;
        let presented = PresentedClient::parse(form, authorization).map_err(|error| {
            let refused = Refused::from_text(&error.to_string(), "RFC 6749 §2.3");
            Box::new(match error {
                PresentedClientError::TwoMethods | PresentedClientError::Repeated(_) => {
                    Response::error(400, "invalid_request", refused)
                }
                PresentedClientError::MalformedHeader | PresentedClientError::Missing => {
                    client_refused(refused, authorization.is_some())
                }
            })
        })?;
        self.authenticate(&presented)
            .map_err(|refused| Box::new(client_refused(refused, presented.by_header)))
    }
}

/// The form of a POST to an endpoint that is not for browsers: no query, the
/// right media type, no parameter twice.
pub(crate) fn endpoint_form(http: &Request, rule: &'static str) -> Result<Params, Refused> {
    if http.query.is_some() {
        return Err(Refused::new("parameters belong in the body, not in the query", rule));
    }
    let form = http.form_params().ok_or_else(|| {
        Refused::new(
            "the body is no form in UTF-8 with Content-Type application/x-www-form-urlencoded",
            rule,
        )
    })?;
    if form.iter().count() > PARAMETERS_MAX {
        return Err(Refused::new(
            format!("there are more than {PARAMETERS_MAX} parameters"),
            rule,
        ));
    }
    match form.first_repeated() {
        Some(repeated) => Err(Refused::from_text(&repeated.to_string(), rule)),
        None => Ok(form),
    }
}

/// The parameter `token` of a revocation or introspection request.
pub(crate) fn required_token(form: &Params, rule: &'static str) -> Result<Secret, Refused> {
    let token = form.single("token").ok().flatten();
    token
        .map(Secret::from)
        .ok_or_else(|| Refused::new("token is missing", rule))
}

/// 401; the challenge where the client tried HTTP authentication (RFC 6749 §5.2).
pub(crate) fn client_refused(refused: Refused, by_header: bool) -> Response {
    let response = Response::error(401, "invalid_client", refused);
    if by_header {
        response.with("www-authenticate", "Basic realm=\"oauth serve\"")
    } else {
        response
    }
}

fn two_methods() -> Response {
    let refused = Refused::new("there is more than one Authorization header", "RFC 6749 §2.3");
    Response::error(400, "invalid_request", refused)
}
