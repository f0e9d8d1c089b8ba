//! What a token request brings: tokens of this server, or an assertion for another one.

use crate::protocol::abnf::random_token;
use crate::protocol::client::ClientId;
use crate::protocol::resource::Resource;
use crate::protocol::scope::Scope;
use crate::protocol::token_response::{NOT_APPLICABLE, TokenType};
use crate::protocol::token_type_uri::TokenTypeUri;
use crate::server::authorization_server::AuthorizationServer;
use crate::server::grants::grant::IssuedTokens;
use crate::server::keys::error::KeyError;
use crate::server::moment::Moment;
use serde_json::{Value, json};

/// How long an identity assertion is good for.
const LIFETIME_S: i64 = 300;

/// What was granted.
pub(super) enum Granted {
    Tokens(IssuedTokens),
    IdentityAssertion(IdentityAssertion),
}

/// What an identity assertion says (draft-ietf-oauth-identity-assertion-authz-grant §3).
pub(super) struct IdentityAssertion {
    pub(super) subject: String,
    /// The client at the other server, which has the same name there.
    pub(super) client_id: ClientId,
    /// The other server.
    pub(super) audience: String,
    pub(super) resource: Vec<Resource>,
    pub(super) scope: Scope,
}

impl IdentityAssertion {
    /// The body of the token response (RFC 8693 §2.2.1).
    ///
    /// # Errors
    /// [`KeyError`].
    pub(super) fn response(&self, server: &AuthorizationServer, moment: &mut Moment<'_>) -> Result<Vec<u8>, KeyError> {
        let now = moment.now;
        let unique_id = random_token(moment.randomness).map_err(|_| KeyError::Failed)?;
        let mut claims = json!({
            "iss": server.issuer.as_str(),
            "sub": self.subject,
            "aud": self.audience,
            "client_id": self.client_id.as_str(),
            "jti": unique_id.expose(),
            "iat": now.0,
            "exp": now.plus_seconds(LIFETIME_S).0,
            "scope": self.scope.to_string(),
        });
        match self.resource.as_slice() {
            [] => {}
            [one] => claims["resource"] = json!(one.as_str()),
            several => claims["resource"] = several.iter().map(Resource::as_str).map(Value::from).collect(),
        }
        let assertion = server.keys.sign_identity_assertion(&claims)?;
        let is_named_rightly = moment.policy.reports_identity_assertions_as_not_applicable();
        let response = json!({
            "access_token": assertion.expose(),
            "issued_token_type": TokenTypeUri::id_jag().as_str(),
            "token_type": if is_named_rightly { NOT_APPLICABLE } else { TokenType::Bearer.as_str() },
            "expires_in": LIFETIME_S,
            "scope": self.scope.to_string(),
        });
        Ok(response.to_string().into_bytes())
    }
}
