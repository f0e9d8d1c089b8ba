//! The token endpoint (RFC 6749 §3.2, §4.1.3, §6) and, since it wants the same
//! proof of the same clients, the revocation endpoint (RFC 7009).

use super::authorization_server::{AuthorizationServer, server_error};
use super::grants::{GrantError, Issue, Redemption, Refresh};
use super::message::{MAX_PARAMETERS, Refused, Request, Response};
use super::settings::RegisteredClient;
use crate::protocol::client::{ClientId, PresentedClient, PresentedClientError};
use crate::protocol::grant::Grant;
use crate::protocol::grant::refresh_token::RefreshTokenGrant;
use crate::protocol::params::Params;
use crate::protocol::random::Randomness;
use crate::protocol::time::UnixSeconds;
use crate::protocol::token_request::{RESERVED_TOKEN_PARAMETERS, ReceivedTokenRequest};
use crate::rules::Rule;
use crate::secret::Secret;
use std::borrow::Cow;

impl AuthorizationServer {
    /// Redeems a code or a refresh token.
    pub(crate) fn token(&self, now: UnixSeconds, randomness: &mut dyn Randomness, http: &Request) -> Response {
        let form = match endpoint_form(http, "RFC 6749 §3.2") {
            Ok(form) => form,
            Err(refused) => return Response::error(400, "invalid_request", refused),
        };
        if self.refuses_unknown_parameter(&form) {
            let refused = Refused::new("there is a parameter that nobody knows", "--break");
            return Response::error(400, "invalid_request", refused).against(Rule::TokenUnknownParameter);
        }
        let authorization = match http.header("authorization") {
            Ok(header) => header,
            Err(_) => return two_methods(),
        };
        if let Some(response) = self.answer_forbidden_grant(now, randomness, &form, http) {
            return response;
        }
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
        let mut against = Vec::new();
        let client_id = match self.authenticate(&request.client) {
            Ok(client) => Cow::Borrowed(&client.id),
            Err(refused) => match self.admit_unproven(now, &request, &mut against) {
                Some(client_id) => Cow::Owned(client_id),
                None => return self.unauthenticated(&request.client, refused),
            },
        };
        let verifier_sent = form.single("code_verifier").ok().flatten();
        // Signed without the lock; a grant that is revoked meanwhile takes these tokens with it.
        match self.take_grant(now, randomness, &request, &client_id, verifier_sent) {
            Err(error) => self.grant_refused(error),
            Ok(mut issue) => {
                against.append(&mut issue.against);
                let mut response = match self.token_response(now, randomness, &issue, &mut against) {
                    Ok(body) => Response::json_text(200, body),
                    Err(error) => server_error(&error),
                };
                response.broken = against;
                response
            }
        }
    }

    /// Redeems the code or the refresh token of a request whose client is known.
    fn take_grant(
        &self,
        now: UnixSeconds,
        randomness: &mut dyn Randomness,
        request: &ReceivedTokenRequest,
        client_id: &ClientId,
        verifier_sent: Option<&str>,
    ) -> Result<Issue, GrantError> {
        match &request.grant {
            Grant::AuthorizationCode(grant) => self.grants().redeem(
                now,
                randomness,
                &Redemption {
                    client_id,
                    code: grant.code(),
                    redirect_uri: grant.redirect_uri(),
                    code_verifier: grant.code_verifier(),
                    verifier_sent,
                    resource: &request.resource,
                    is_one_of_several: self.simultaneous.were_several(grant.code()),
                },
            ),
            Grant::RefreshToken(RefreshTokenGrant { refresh_token, scope }) => {
                if self.broken.is_broken(Rule::RefreshAccessToken)
                    && let Some(access_token) = self.access_token(now, refresh_token)
                {
                    return self
                        .grants()
                        .refresh_by_access_token(now, access_token.grant, client_id);
                }
                let issue = self.grants().refresh(
                    now,
                    randomness,
                    &Refresh {
                        client_id,
                        refresh_token,
                        scope: scope.as_ref(),
                        resource: &request.resource,
                        is_one_of_several: self.simultaneous.were_several(refresh_token),
                    },
                )?;
                Ok(self.with_other_subject(issue))
            }
        }
    }

    /// With an ID token of somebody else, where that rule is broken (OpenID Connect Core §12.2).
    fn with_other_subject(&self, mut issue: Issue) -> Issue {
        if issue.scope.contains("openid") && self.broken.breaks(Rule::RefreshSubject, &mut issue.against) {
            issue.subject += "-2";
            issue.with_id_token = true;
        }
        issue
    }

    /// RFC 6749 §3.2 wants them ignored.
    fn refuses_unknown_parameter(&self, form: &Params) -> bool {
        let is_known =
            |name: &str| RESERVED_TOKEN_PARAMETERS.contains(&name) || ["username", "password"].contains(&name);
        self.broken.is_broken(Rule::TokenUnknownParameter) && form.iter().any(|(name, _)| !is_known(name))
    }

    /// The answer to a client that is unknown or has proved nothing.
    fn unauthenticated(&self, presented: &PresentedClient, refused: Refused) -> Response {
        if self.client(&presented.id).is_none() && self.broken.is_broken(Rule::TokenUnknownClient) {
            return Response::error(400, "invalid_request", refused).against(Rule::TokenUnknownClient);
        }
        client_refused(refused, presented.by_header)
    }

    /// The answer to a refused grant (RFC 6749 §5.2).
    fn grant_refused(&self, error: GrantError) -> Response {
        let status = if matches!(error, GrantError::Randomness(_)) {
            500
        } else {
            400
        };
        let mut noted = Vec::new();
        let rule_about_code = match error {
            GrantError::UnknownCode => Some(Rule::CodeUnknown),
            GrantError::UnknownRefreshToken => Some(Rule::RefreshUnknown),
            GrantError::WrongVerifier => Some(Rule::PkceErrorCode),
            _ => None,
        };
        let code = match rule_about_code {
            Some(rule) if self.broken.breaks(rule, &mut noted) => "invalid_request",
            _ => error.error(),
        };
        match error {
            GrantError::OnPurpose(rule) => noted.push(rule),
            GrantError::CodeReused => _ = self.broken.breaks(Rule::CodeReuseRevokes, &mut noted),
            GrantError::RefreshTokenReused => _ = self.broken.breaks(Rule::RefreshReuseRevokes, &mut noted),
            _ => {}
        }
        let mut response = Response::error(status, code, Refused::new(error.to_string(), error.rule()));
        response.broken = noted;
        response
    }

    /// Revokes a token of the client that asks (RFC 7009 §2.1). A refresh token
    /// takes the access tokens of its grant with it.
    pub(crate) fn revoke(&self, now: UnixSeconds, http: &Request) -> Response {
        let form = match endpoint_form(http, "RFC 7009 §2.1") {
            Ok(form) => form,
            Err(refused) => return Response::error(400, "invalid_request", refused),
        };
        let mut noted = Vec::new();
        // None: anybody may.
        let client = match self.presented_client(&form, http) {
            _ if self.broken.breaks(Rule::RevocationClient, &mut noted) => None,
            Ok(client) => Some(client),
            Err(response) => match self.client_without_proof(&form, http) {
                Some(client) if self.broken.breaks(Rule::RevocationClientAuthentication, &mut noted) => Some(client),
                _ => return *response,
            },
        };
        let is_own = |owner: &str| client.is_none_or(|client| client.id.as_str() == owner);
        let token = match required_token(&form, "RFC 7009 §2.1") {
            Ok(token) => token,
            Err(_) if self.broken.is_broken(Rule::RevocationMissing) => {
                return Response::new(200).against(Rule::RevocationMissing);
            }
            Err(refused) => return Response::error(400, "invalid_request", refused),
        };
        let of_other_client = || {
            let refused = Refused::new("the token was issued to another client", "RFC 7009 §2.1");
            Response::error(400, "invalid_grant", refused)
        };
        let hint = form.single("token_type_hint").ok().flatten();
        // token_type_hint is only a hint: both kinds are tried anyway.
        if let Some(access_token) = self.access_token(now, &token) {
            if !is_own(&access_token.client_id) {
                return of_other_client();
            }
            let rule = match hint {
                None | Some("access_token") => Rule::RevocationAccess,
                Some(_) => Rule::RevocationHint,
            };
            if !self.broken.breaks(rule, &mut noted) {
                self.grants()
                    .revoke_access_token(now, access_token.grant, access_token.serial);
            }
        } else if self.keys.is_id_token(token.expose()) {
            let refused = Refused::new("ID tokens cannot be revoked", "RFC 7009 §2.2.1");
            return Response::error(400, "unsupported_token_type", refused);
        } else {
            let mut grants = self.grants();
            let owner = grants.client_of_refresh_token(now, &token);
            match owner.map(|owner| is_own(owner.as_str())) {
                Some(true) => {
                    let is_hinted_wrong = hint.is_some_and(|hint| hint != "refresh_token");
                    if !is_hinted_wrong {
                        grants.revoke_refresh_token(now, &token, &mut noted);
                    } else if !self.broken.breaks(Rule::RevocationHint, &mut noted) {
                        grants.end(now, &token);
                    }
                }
                Some(false) => return of_other_client(),
                None if self.broken.is_broken(Rule::RevocationUnknown) => {
                    let refused = Refused::new("the token is unknown", "--break");
                    return Response::error(400, "invalid_request", refused).against(Rule::RevocationUnknown);
                }
                // Unknown, so already worth nothing (RFC 7009 §2.2).
                None => {}
            }
        }
        let mut response = Response::new(200);
        response.broken = noted;
        response
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
    if form.iter().count() > MAX_PARAMETERS {
        return Err(Refused::new(
            format!("there are more than {MAX_PARAMETERS} parameters"),
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
