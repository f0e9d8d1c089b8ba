//! `--trust-issuer`: whose tokens are taken beside the server's own.

use crate::protocol::endpoint::Issuer;
use crate::protocol::jwks::JwkSet;

/// An issuer with its keys.
#[derive(Debug, Clone)]
pub struct TrustedIssuer {
    pub issuer: Issuer,
    pub keys: JwkSet,
}
