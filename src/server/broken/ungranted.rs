//! Tokens for which nobody at a browser was asked: the password grant,
//! `client_credentials` for clients that have none, and what the front channel
//! gives.

use super::super::authorization_server::{AuthorizationServer, server_error};
use super::super::grants::Authorization;
use super::super::keys::KeyError;
use super::super::message::{Request, Response};
use super::super::settings::RegisteredClient;
use crate::protocol::params::Params;
use crate::protocol::pkce::CodeVerifier;
use crate::protocol::random::Randomness;
use crate::protocol::scope::Scope;
use crate::protocol::time::UnixSeconds;
use crate::rules::Rule;
use serde_json::Value;

impl AuthorizationServer {
    /// The answer to a grant type that must not be; `None` where the request
    /// is to be answered as it should.
    pub(crate) fn answer_forbidden_grant(
        &self,
        now: UnixSeconds,
        randomness: &mut dyn Randomness,
        form: &Params,
        http: &Request,
    ) -> Option<Response> {
        let rule = match form.single("grant_type").ok()?? {
            "password" => Rule::TokenPassword,
            "client_credentials" => Rule::TokenClientCredentials,
            _ => return None,
        };
        if !self.broken.is_broken(rule) {
            return None;
        }
        let client = match self.presented_client(form, http) {
            Ok(client) => client,
            Err(response) => return Some(*response),
        };
        // Whatever the password is: who does not know it should see it, too.
        let user = form.single("username").ok().flatten();
        let subject = match (rule, user) {
            (Rule::TokenPassword, Some(user)) => user.to_owned(),
            (Rule::TokenPassword, None) => self.first_user(now).user,
            _ => client.id.to_string(),
        };
        let authorization = self.ungranted(now, randomness, client, form, subject)?;
        let response = match self.give_ungranted(now, randomness, authorization) {
            Ok(tokens) => Response::json(200, &tokens),
            Err(error) => server_error(&error),
        };
        Some(response.against(rule))
    }

    fn ungranted(
        &self,
        now: UnixSeconds,
        randomness: &mut dyn Randomness,
        client: &RegisteredClient,
        form: &Params,
        subject: String,
    ) -> Option<Authorization> {
        let scope = form.single("scope").ok().flatten().unwrap_or_default();
        let scope = Scope::parse(scope).ok().filter(|scope| !scope.is_empty());
        Some(Authorization {
            client_id: client.id.clone(),
            redirect_uri: client.redirect_uris.first()?.clone(),
            redirect_uri_sent: false,
            code_challenge: CodeVerifier::generate(randomness).ok()?.challenge(),
            commitment: None,
            scope: scope.unwrap_or_else(Self::default_scope),
            resource: vec![self.api.clone()],
            nonce: None,
            subject,
            auth_time: now,
        })
    }

    /// The members of a token response without a refresh token.
    pub(super) fn give_ungranted(
        &self,
        now: UnixSeconds,
        randomness: &mut dyn Randomness,
        authorization: Authorization,
    ) -> Result<Value, KeyError> {
        let issue = self.grants().issue_without_code(now, randomness, authorization)?;
        let text = self.token_response(now, randomness, &issue, &mut Vec::new())?;
        serde_json::from_slice(&text).map_err(|_| KeyError::Failed)
    }
}
