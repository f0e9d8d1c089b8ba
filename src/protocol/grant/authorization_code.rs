//! The authorization code grant (RFC 6749 §4.1.3) with PKCE (RFC 7636 §4.5).

use super::Fields;
use crate::protocol::citation::RequestError;
use crate::protocol::params::Params;
use crate::protocol::pkce::CodeVerifier;
use crate::protocol::redirect_uri::RedirectUri;
use crate::secret::Secret;

pub const GRANT_TYPE: &str = "authorization_code";

/// A code, where it was sent to, and the proof that this client asked for it.
/// A client always sends all three; what a server received may lack two.
#[derive(Debug)]
pub struct AuthorizationCodeGrant {
    code: Secret,
    redirect_uri: Option<String>,
    code_verifier: Option<CodeVerifier>,
}

impl AuthorizationCodeGrant {
    /// What a client sends.
    pub fn new(code: Secret, redirect_uri: &RedirectUri, code_verifier: CodeVerifier) -> Self {
        AuthorizationCodeGrant {
            code,
            redirect_uri: Some(redirect_uri.as_str().to_owned()),
            code_verifier: Some(code_verifier),
        }
    }

    /// From the authorization response.
    pub fn code(&self) -> &Secret {
        &self.code
    }

    /// Required when the authorization request had one, and identical to it.
    pub fn redirect_uri(&self) -> Option<&str> {
        self.redirect_uri.as_deref()
    }

    /// `None` also where a malformed one was received: either way the proof fails.
    pub fn code_verifier(&self) -> Option<&CodeVerifier> {
        self.code_verifier.as_ref()
    }

    pub(super) fn push_credentials(&self, params: &mut Params) {
        params.push("code", self.code.expose());
        if let Some(redirect_uri) = &self.redirect_uri {
            params.push("redirect_uri", redirect_uri);
        }
    }

    pub(super) fn push_details(&self, params: &mut Params) {
        if let Some(code_verifier) = &self.code_verifier {
            params.push("code_verifier", code_verifier.expose());
        }
    }

    pub(super) fn parse(fields: &Fields<'_>) -> Result<Self, RequestError> {
        Ok(AuthorizationCodeGrant {
            code: Secret::from(fields.required("code")?),
            redirect_uri: fields.optional("redirect_uri").map(str::to_owned),
            code_verifier: fields
                .optional("code_verifier")
                .and_then(|text| CodeVerifier::parse(text).ok()),
        })
    }
}
