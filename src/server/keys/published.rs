//! A key of the server under the name that its JWK set gives it.

use crate::protocol::signing::{EncodedHeader, JwsHeader, JwtType, SigningAlgorithm, SigningError, SigningKey};
use serde_json::{Value, json};

/// A key that signs with one algorithm, and its entry in the JWK set.
pub(super) struct PublishedKey {
    pub(super) key: SigningKey,
    pub(super) key_id: String,
    algorithm: SigningAlgorithm,
    /// The public key with `use`, `alg` and `kid` (RFC 7517 §4).
    pub(super) jwk: Value,
}

impl PublishedKey {
    pub(super) fn new(key: SigningKey, algorithm: SigningAlgorithm) -> Self {
        let key_id = key.key_id();
        let mut jwk = key.public_jwk().to_json();
        jwk.insert("use".into(), json!("sig"));
        jwk.insert("alg".into(), json!(algorithm.as_str()));
        jwk.insert("kid".into(), json!(key_id));
        PublishedKey {
            key,
            key_id,
            algorithm,
            jwk: Value::Object(jwk),
        }
    }

    /// The header of every token of this type.
    pub(super) fn header(&self, typ: JwtType) -> Result<EncodedHeader, SigningError> {
        self.header_with_key_id(typ, Some(&self.key_id))
    }

    /// The header with this `kid`, or without one.
    pub(super) fn header_with_key_id(&self, typ: JwtType, kid: Option<&str>) -> Result<EncodedHeader, SigningError> {
        let header = JwsHeader {
            typ,
            alg: self.algorithm,
            kid,
            jwk: None,
            certificate: None,
        };
        header.encode()
    }
}
