//! Clients that get tokens without having proved who they are.

use super::super::authorization_server::AuthorizationServer;
use super::super::message::Request;
use super::super::settings::RegisteredClient;
use crate::protocol::client::{ClientId, PresentedClient};
use crate::protocol::grant::Grant;
use crate::protocol::grant::refresh_token::RefreshTokenGrant;
use crate::protocol::params::Params;
use crate::protocol::time::UnixSeconds;
use crate::protocol::token_request::ReceivedTokenRequest;
use crate::rules::Rule;

impl AuthorizationServer {
    /// The client with a secret that a request names without proving that it is its own.
    pub(crate) fn client_without_proof(&self, form: &Params, http: &Request) -> Option<&RegisteredClient> {
        let authorization = http.header("authorization").ok()?;
        let presented = PresentedClient::parse(form, authorization).ok()?;
        let client = self.client(&presented.id)?;
        (client.secret.is_some() && presented.secret.is_none()).then_some(client)
    }

    /// Whom a token request is taken to come from though its client
    /// authentication failed; `None` where that is not to be.
    pub(crate) fn admit_unproven(
        &self,
        now: UnixSeconds,
        request: &ReceivedTokenRequest,
        noted: &mut Vec<Rule>,
    ) -> Option<ClientId> {
        let presented = &request.client;
        let has_secret = self.client(&presented.id).is_some_and(|client| client.secret.is_some());
        let rule = match (&presented.secret, &request.grant) {
            (Some(_), _) => Rule::TokenWrongSecret,
            (None, Grant::RefreshToken(_)) => Rule::RefreshClientAuthentication,
            (None, _) => Rule::TokenClientAuthentication,
        };
        let own = ClientId::parse(&presented.id).ok()?;
        if has_secret && self.broken.breaks(rule, noted) {
            return Some(own);
        }
        let (rule, owner) = match &request.grant {
            Grant::AuthorizationCode(grant) => (
                Rule::CodeClient,
                self.grants().client_of_code(now, grant.code()).cloned(),
            ),
            Grant::RefreshToken(RefreshTokenGrant { refresh_token, .. }) => {
                let grants = self.grants();
                let owner = grants.client_of_refresh_token(now, refresh_token).cloned();
                (Rule::RefreshClient, owner)
            }
        };
        let is_of_other = owner.is_some_and(|owner| owner != own);
        (is_of_other && self.broken.breaks(rule, noted)).then_some(own)
    }
}
