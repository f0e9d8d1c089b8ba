//! The server's signing keys, made anew for each run: ES256 for access tokens,
//! RS256 for ID tokens, published as a JWK set (RFC 7517) under their
//! thumbprints (RFC 7638).
//!
//! ring signs and verifies. It cannot make RSA keys, so the `rsa` crate makes
//! one, once, when it is first needed: that takes up to some seconds, in which
//! only those who need this key wait.

use crate::protocol::abnf::{base64url, from_base64url};
use crate::protocol::random::{Randomness, RandomnessFailed};
use crate::secret::Secret;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
    UnparsedPublicKey,
};
use rsa::pkcs8::EncodePrivateKey;
use rsa::rand_core::{CryptoRng, RngCore};
use rsa::traits::PublicKeyParts;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use zeroize::Zeroize;

/// The size of the RSA key in bits; the least that RFC 7518 §3.3 allows.
const RSA_BITS: usize = 2048;

/// A key could not be made, or could not sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// No randomness.
    #[error(transparent)]
    Randomness(#[from] RandomnessFailed),
    /// The cryptographic library refused.
    #[error("the signing key could not be made or used")]
    Failed,
}

/// Both keys; the RSA key only once it was needed.
pub(crate) struct Keys {
    system_random: SystemRandom,
    es256: EcdsaKeyPair,
    es256_jwk: Value,
    /// The encoded header of every access token (RFC 9068 §2.1).
    access_token_header: String,
    rs256: OnceLock<Arc<RsaKey>>,
    making_rs256: Mutex<()>,
}

struct RsaKey {
    pair: RsaKeyPair,
    jwk: Value,
    /// The encoded header of every ID token.
    id_token_header: String,
}

impl Keys {
    /// Makes the ES256 key.
    ///
    /// # Errors
    /// [`KeyError`].
    pub(crate) fn generate() -> Result<Self, KeyError> {
        let system_random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &system_random)
            .map_err(|_| KeyError::Failed)?;
        let es256 = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &system_random)
            .map_err(|_| KeyError::Failed)?;
        // An uncompressed point: 0x04, x, y (SEC 1 §2.3.3).
        let point = es256.public_key().as_ref();
        let (x, y) = (base64url(&point[1..33]), base64url(&point[33..65]));
        let key_id = thumbprint(&format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#));
        let es256_jwk =
            json!({"kty": "EC", "use": "sig", "alg": "ES256", "kid": key_id, "crv": "P-256", "x": x, "y": y});
        let access_token_header = encode_header("at+jwt", "ES256", &key_id);
        Ok(Keys {
            system_random,
            es256,
            es256_jwk,
            access_token_header,
            rs256: OnceLock::new(),
            making_rs256: Mutex::new(()),
        })
    }

    /// Signs the claims of an access token: `typ` is `at+jwt` (RFC 9068 §2.1).
    ///
    /// # Errors
    /// [`KeyError`].
    pub(crate) fn sign_access_token(&self, claims: &impl serde::Serialize) -> Result<Secret, KeyError> {
        let mut token = signing_input(&self.access_token_header, claims)?;
        let signature = self
            .es256
            .sign(&self.system_random, token.as_bytes())
            .map_err(|_| KeyError::Failed)?;
        push_signature(&mut token, signature.as_ref());
        Ok(Secret::new(token))
    }

    /// The claims of an access token that this server signed in this run;
    /// `None` for everything else. Only the one header that it writes itself
    /// is taken, so no other algorithm, key or kind of JWT can stand for an
    /// access token (RFC 8725 §3.1, §3.11).
    pub(crate) fn verify_access_token(&self, token: &str) -> Option<Map<String, Value>> {
        let (input, signature) = token.rsplit_once('.')?;
        let (header, claims) = input.split_once('.')?;
        if header != self.access_token_header {
            return None;
        }
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.es256.public_key())
            .verify(input.as_bytes(), &from_base64url(signature)?)
            .ok()?;
        serde_json::from_slice(&from_base64url(claims)?).ok()
    }

    /// Signs the claims of an ID token; makes the RSA key first, if need be.
    ///
    /// # Errors
    /// [`KeyError`].
    pub(crate) fn sign_id_token(
        &self,
        randomness: &mut dyn Randomness,
        claims: &impl serde::Serialize,
    ) -> Result<Secret, KeyError> {
        let key = self.rs256(randomness)?;
        self.sign_with_rs256(key, &key.id_token_header, claims)
    }

    /// The same without `kid` in the header (OpenID Connect Core §10.1 wants it).
    ///
    /// # Errors
    /// [`KeyError`].
    pub(crate) fn sign_id_token_without_key_id(
        &self,
        randomness: &mut dyn Randomness,
        claims: &impl serde::Serialize,
    ) -> Result<Secret, KeyError> {
        let header = json!({"typ": "JWT", "alg": "RS256"}).to_string();
        self.sign_with_rs256(self.rs256(randomness)?, &base64url(header.as_bytes()), claims)
    }

    /// An ID token that nobody signed (RFC 7519 §6), though it names a key.
    ///
    /// # Errors
    /// [`KeyError`].
    pub(crate) fn leave_unsigned(
        &self,
        randomness: &mut dyn Randomness,
        claims: &impl serde::Serialize,
    ) -> Result<Secret, KeyError> {
        let key_id = &self.rs256(randomness)?.jwk["kid"];
        let header = json!({"typ": "JWT", "alg": "none", "kid": key_id}).to_string();
        let mut token = signing_input(&base64url(header.as_bytes()), claims)?;
        push_signature(&mut token, &[]);
        Ok(Secret::new(token))
    }

    fn sign_with_rs256(&self, key: &RsaKey, header: &str, claims: &impl serde::Serialize) -> Result<Secret, KeyError> {
        let mut token = signing_input(header, claims)?;
        let mut signature = vec![0; key.pair.public().modulus_len()];
        key.pair
            .sign(&RSA_PKCS1_SHA256, &self.system_random, token.as_bytes(), &mut signature)
            .map_err(|_| KeyError::Failed)?;
        push_signature(&mut token, &signature);
        Ok(Secret::new(token))
    }

    /// Whether this text has the header of an ID token of this server.
    pub(crate) fn is_id_token(&self, token: &str) -> bool {
        let header = token.split('.').next().unwrap_or_default();
        self.rs256.get().is_some_and(|key| key.id_token_header == header)
    }

    /// Whether the RSA key was made.
    pub(crate) fn has_rs256(&self) -> bool {
        self.rs256.get().is_some()
    }

    /// Makes the RSA key, if that was not done yet.
    ///
    /// # Errors
    /// [`KeyError`].
    pub(crate) fn make_rs256(&self, randomness: &mut dyn Randomness) -> Result<(), KeyError> {
        self.rs256(randomness).map(|_| ())
    }

    /// The public keys as a JWK set (RFC 7517 §5); makes the RSA key first, if need be.
    ///
    /// # Errors
    /// [`KeyError`].
    pub(crate) fn jwk_set(&self, randomness: &mut dyn Randomness) -> Result<Value, KeyError> {
        Ok(json!({"keys": [self.es256_jwk, self.rs256(randomness)?.jwk]}))
    }

    fn rs256(&self, randomness: &mut dyn Randomness) -> Result<&RsaKey, KeyError> {
        if let Some(key) = self.rs256.get() {
            return Ok(key);
        }
        let _making = self.making_rs256.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = self.rs256.get() {
            return Ok(key);
        }
        let key = RsaKey::generate(randomness)?;
        Ok(self.rs256.get_or_init(|| Arc::new(key)))
    }

    /// Takes over the RSA key of another server: tests need many servers, and
    /// making a key takes long.
    #[cfg(test)]
    pub(crate) fn share_rs256_of(&self, other: &Keys, randomness: &mut dyn Randomness) {
        other.make_rs256(randomness).unwrap();
        self.rs256.get_or_init(|| Arc::clone(other.rs256.get().unwrap()));
    }
}

impl RsaKey {
    fn generate(randomness: &mut dyn Randomness) -> Result<Self, KeyError> {
        let mut expanded = ExpandedSeed::draw(randomness)?;
        let key = rsa::RsaPrivateKey::new(&mut expanded, RSA_BITS).map_err(|_| KeyError::Failed)?;
        let document = key.to_pkcs8_der().map_err(|_| KeyError::Failed)?;
        let pair = RsaKeyPair::from_pkcs8(document.as_bytes()).map_err(|_| KeyError::Failed)?;
        let (modulus, exponent) = (base64url(&key.n().to_bytes_be()), base64url(&key.e().to_bytes_be()));
        let key_id = thumbprint(&format!(r#"{{"e":"{exponent}","kty":"RSA","n":"{modulus}"}}"#));
        let jwk = json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": key_id, "n": modulus, "e": exponent});
        Ok(RsaKey {
            pair,
            jwk,
            id_token_header: encode_header("JWT", "RS256", &key_id),
        })
    }
}

/// 256 random bits, stretched by SHA-256 in counter mode. The `rsa` crate
/// wants a source that cannot fail; this one can fail only before it starts.
struct ExpandedSeed {
    seed: [u8; 32],
    counter: u64,
}

impl ExpandedSeed {
    fn draw(randomness: &mut dyn Randomness) -> Result<Self, RandomnessFailed> {
        let mut seed = [0; 32];
        randomness.fill(&mut seed)?;
        Ok(ExpandedSeed { seed, counter: 0 })
    }
}

impl RngCore for ExpandedSeed {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.fill_bytes(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.fill_bytes(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn fill_bytes(&mut self, destination: &mut [u8]) {
        for chunk in destination.chunks_mut(32) {
            let block = Sha256::new()
                .chain_update(self.seed)
                .chain_update(self.counter.to_le_bytes())
                .finalize();
            self.counter += 1;
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
    }

    fn try_fill_bytes(&mut self, destination: &mut [u8]) -> Result<(), rsa::rand_core::Error> {
        self.fill_bytes(destination);
        Ok(())
    }
}

impl CryptoRng for ExpandedSeed {}

impl Drop for ExpandedSeed {
    fn drop(&mut self) {
        self.seed.zeroize();
    }
}

fn thumbprint(canonical_jwk: &str) -> String {
    base64url(&Sha256::digest(canonical_jwk.as_bytes()))
}

fn encode_header(token_type: &str, algorithm: &str, key_id: &str) -> String {
    base64url(
        json!({"typ": token_type, "alg": algorithm, "kid": key_id})
            .to_string()
            .as_bytes(),
    )
}

fn signing_input(header: &str, claims: &impl serde::Serialize) -> Result<String, KeyError> {
    let claims = serde_json::to_vec(claims).map_err(|_| KeyError::Failed)?;
    Ok(format!("{header}.{}", base64url(&claims)))
}

fn push_signature(token: &mut String, signature: &[u8]) {
    token.push('.');
    token.push_str(&base64url(signature));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::test_randomness::Counted;
    use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};

    #[test]
    fn access_tokens_verify_and_nothing_else_does() {
        let keys = Keys::generate().unwrap();
        let token = keys.sign_access_token(&json!({"sub": "demo"})).unwrap();
        let token = token.expose();
        assert_eq!(keys.verify_access_token(token).unwrap()["sub"], "demo");
        let (input, signature) = token.rsplit_once('.').unwrap();
        let (header, claims) = input.split_once('.').unwrap();
        let other_claims = base64url(br#"{"sub":"mallory"}"#);
        let header_with = |header: &str| base64url(header.as_bytes());
        for bad in [
            String::new(),
            "..".into(),
            format!("{header}.{claims}"),
            format!("{header}.{claims}."),
            format!("{header}.{other_claims}.{signature}"),
            format!("{}.{claims}.", header_with(r#"{"alg":"none"}"#)),
            format!("{}.{claims}.{signature}", header_with(r#"{"typ":"JWT","alg":"ES256"}"#)),
            format!(
                "{}.{claims}.{signature}",
                header_with(r#"{"typ":"at+jwt","alg":"HS256"}"#)
            ),
            format!("{token}="),
            format!("{token}.x"),
        ] {
            assert!(keys.verify_access_token(&bad).is_none(), "{bad}");
        }
        // Well signed, but another kind of JWT.
        let mut other_kind = signing_input(
            &encode_header("JWT", "ES256", keys.es256_jwk["kid"].as_str().unwrap()),
            &json!({"sub": "demo"}),
        )
        .unwrap();
        let signature = keys.es256.sign(&keys.system_random, other_kind.as_bytes()).unwrap();
        push_signature(&mut other_kind, signature.as_ref());
        assert!(keys.verify_access_token(&other_kind).is_none());
        assert!(
            Keys::generate().unwrap().verify_access_token(token).is_none(),
            "a key of another run"
        );
    }

    #[test]
    fn id_tokens_verify_with_the_published_key_and_are_no_access_tokens() {
        let keys = Keys::generate().unwrap();
        assert!(!keys.has_rs256());
        let token = keys
            .sign_id_token(&mut Counted::default(), &json!({"sub": "demo"}))
            .unwrap();
        let token = token.expose();
        assert!(keys.verify_access_token(token).is_none());
        assert!(keys.is_id_token(token));
        let set = keys.jwk_set(&mut Counted::default()).unwrap();
        let [es256, rs256] = [&set["keys"][0], &set["keys"][1]];
        assert_eq!((&es256["alg"], &rs256["alg"]), (&json!("ES256"), &json!("RS256")));
        assert!(
            rs256.get("d").is_none() && es256.get("d").is_none(),
            "public parts only"
        );
        let octets = |name: &str| from_base64url(rs256[name].as_str().unwrap()).unwrap();
        let (input, signature) = token.rsplit_once('.').unwrap();
        let header: Value = serde_json::from_slice(&from_base64url(input.split_once('.').unwrap().0).unwrap()).unwrap();
        assert_eq!(header, json!({"typ": "JWT", "alg": "RS256", "kid": rs256["kid"]}));
        assert_eq!(octets("n").len() * 8, RSA_BITS);
        RsaPublicKeyComponents {
            n: octets("n"),
            e: octets("e"),
        }
        .verify(
            &RSA_PKCS1_2048_8192_SHA256,
            input.as_bytes(),
            &from_base64url(signature).unwrap(),
        )
        .unwrap();
    }

    #[test]
    fn the_thumbprint_is_that_of_rfc_7638_section_3_1() {
        let canonical = concat!(
            r#"{"e":"AQAB","kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxu"#,
            r#"hDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2Qvz"#,
            r#"qY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3"#,
            r#"XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"}"#
        );
        assert_eq!(thumbprint(canonical), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }
}
