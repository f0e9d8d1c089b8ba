//! What a token is bound to: a key (RFC 9449 §6) or a certificate (RFC 8705 §3).

use serde::Serialize;
use serde_json::{Map, Value};

/// The `cnf` of a token (RFC 7800 §3.1). Both members are thumbprints in base64url.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Confirmation {
    /// Of the key of DPoP proofs (RFC 9449 §6.1).
    #[serde(rename = "jkt", skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<String>,
    /// Of the certificate of the client (RFC 8705 §3.1).
    #[serde(rename = "x5t#S256", skip_serializing_if = "Option::is_none")]
    pub(crate) certificate: Option<String>,
}

impl Confirmation {
    /// Reads the `cnf` of the claims of a token.
    pub(crate) fn read(claims: &Map<String, Value>) -> Self {
        let member = |name: &str| {
            let confirmation = claims.get("cnf")?;
            Some(confirmation.get(name)?.as_str()?.to_owned())
        };
        Confirmation {
            key: member("jkt"),
            certificate: member("x5t#S256"),
        }
    }

    /// Whether the token is bound to nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.key.is_none() && self.certificate.is_none()
    }
}
