//! The device authorization grant (RFC 8628 §3.4): the same request again and
//! again, until the resource owner has decided on another device.

use super::Fields;
use crate::protocol::citation::RequestError;
use crate::protocol::params::Params;
use crate::protocol::pkce::CodeVerifier;
use crate::secret::Secret;

/// Its name on the wire.
pub const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A device code, and the proof that this client asked for it.
#[derive(Debug)]
pub struct DeviceCodeGrant {
    /// From the device authorization response.
    pub device_code: Secret,
    /// Where a challenge was sent. `None` also where a malformed one was received.
    pub code_verifier: Option<CodeVerifier>,
}

impl DeviceCodeGrant {
    pub(super) fn push_credentials(&self, params: &mut Params) {
        params.push("device_code", self.device_code.expose());
    }

    pub(super) fn push_details(&self, params: &mut Params) {
        if let Some(code_verifier) = &self.code_verifier {
            params.push("code_verifier", code_verifier.expose());
        }
    }

    pub(super) fn parse(fields: &Fields<'_>) -> Result<Self, RequestError> {
        let code_verifier = fields.optional("code_verifier");
        Ok(DeviceCodeGrant {
            device_code: Secret::from(fields.required("device_code")?),
            code_verifier: code_verifier.and_then(|text| CodeVerifier::parse(text).ok()),
        })
    }
}
