//! Keys that stay the same from run to run (`--signing-key-file`).

use super::invalid::InvalidSetting;
use crate::protocol::signing::{SigningAlgorithm, SigningKey};

/// The server's own keys, as far as they are given.
#[derive(Debug, Clone, Default)]
pub struct SigningKeys {
    /// For access tokens.
    pub es256: Option<SigningKey>,
    /// For ID tokens.
    pub rs256: Option<SigningKey>,
}

impl SigningKeys {
    /// Reads the keys of a file: one JWK, or PEM with one key or both.
    ///
    /// # Errors
    /// [`InvalidSetting::SigningKey`].
    pub fn parse(text: &str) -> Result<Self, InvalidSetting> {
        let mut keys = SigningKeys::default();
        let blocks: Vec<&str> = match text.trim_start().starts_with('{') {
            true => vec![text],
            false => text.split_inclusive("-----END ").collect(),
        };
        for block in blocks.iter().filter(|block| is_private_key(block)) {
            let key = SigningKey::parse(block).map_err(|error| InvalidSetting::SigningKey(error.to_string()))?;
            let slot = match key.algorithms() {
                [SigningAlgorithm::Es256] => &mut keys.es256,
                algorithms if algorithms.contains(&SigningAlgorithm::Rs256) => &mut keys.rs256,
                _ => {
                    return Err(invalid(
                        "access tokens are signed with ES256 and ID tokens with RS256: give a P-256 key, an RSA key, or both",
                    ));
                }
            };
            if slot.replace(key).is_some() {
                return Err(invalid("it has two keys of one type"));
            }
        }
        match (&keys.es256, &keys.rs256) {
            (None, None) => Err(invalid("it has no private key, in PEM or as a JWK")),
            _ => Ok(keys),
        }
    }
}

fn is_private_key(block: &str) -> bool {
    let label = block
        .split_once("-----BEGIN ")
        .and_then(|(_, rest)| rest.split("-----").next());
    block.trim_start().starts_with('{') || label.is_some_and(|label| label.ends_with("PRIVATE KEY"))
}

fn invalid(problem: &str) -> InvalidSetting {
    InvalidSetting::SigningKey(problem.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const P256: &str = include_str!("../../protocol/signing/test_keys/p256.pkcs8.pem");
    const RSA: &str = include_str!("../../protocol/signing/test_keys/rsa.pkcs1.pem");
    const P384: &str = include_str!("../../protocol/signing/test_keys/p384.pkcs8.pem");
    const RSA_JWK: &str = include_str!("../../protocol/signing/test_keys/rsa.jwk");

    #[test]
    fn one_key_or_both_are_read() {
        let both = SigningKeys::parse(&format!("{RSA}{P256}")).unwrap();
        assert!(both.es256.is_some() && both.rs256.is_some());
        let one = SigningKeys::parse(P256).unwrap();
        assert!(one.es256.is_some() && one.rs256.is_none());
        assert!(SigningKeys::parse(RSA_JWK).unwrap().rs256.is_some());
        for wrong in ["", P384, &P256.repeat(2), "-----BEGIN CERTIFICATE-----"] {
            assert!(SigningKeys::parse(wrong).is_err(), "{wrong}");
        }
    }
}
