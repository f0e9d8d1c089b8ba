//! Private keys as JWKs (RFC 7518 §6, RFC 8037 §2), read and written.

use super::error::SigningKeyError;
use super::parts::{EllipticCurve, KeyParts, RsaParts};
use super::public_jwk::PublicJwk;
use crate::protocol::abnf::{base64url, from_base64url};
use crate::protocol::json::parse_object;
use crate::secret::Secret;
use serde_json::{Map, Value, json};

/// A private JWK with its metadata.
pub(super) struct PrivateJwk {
    pub(super) parts: KeyParts,
    /// `kid`.
    pub(super) key_id: Option<String>,
    /// `alg`.
    pub(super) algorithm: Option<String>,
}

pub(super) fn parse(text: &str) -> Result<PrivateJwk, SigningKeyError> {
    let members = Members(parse_object(text.as_bytes())?);
    if members.0.contains_key("keys") {
        return Err(SigningKeyError::KeySet);
    }
    let key_type = members.text("kty")?.ok_or(SigningKeyError::Member("kty"))?;
    if key_type == "oct" {
        return Err(SigningKeyError::Symmetric);
    }
    if members.text("use")?.is_some_and(|purpose| purpose != "sig") || !members.may_sign()? {
        return Err(SigningKeyError::OtherUse);
    }
    let parts = match key_type {
        "RSA" => members.rsa()?,
        "EC" => members.elliptic_curve()?,
        "OKP" => members.edwards()?,
        other => return Err(SigningKeyError::Unsupported(other.to_owned())),
    };
    Ok(PrivateJwk {
        parts,
        key_id: members.text("kid")?.map(str::to_owned),
        algorithm: members.text("alg")?.map(str::to_owned),
    })
}

/// The numbers of a key as the beginning of a JWK, to be written again.
#[derive(Clone)]
pub(super) struct PrivateNumbers(Secret);

impl PrivateNumbers {
    pub(super) fn new(parts: &KeyParts, public: &PublicJwk) -> Self {
        let mut jwk = public.to_json();
        let mut set = |name: &str, number: &Secret<Vec<u8>>| {
            jwk.insert(name.to_owned(), json!(base64url(number.expose())));
        };
        match parts {
            KeyParts::Rsa(parts) => {
                set("d", &parts.private_exponent);
                set("p", &parts.primes[0]);
                set("q", &parts.primes[1]);
                set("dp", &parts.prime_exponents[0]);
                set("dq", &parts.prime_exponents[1]);
                set("qi", &parts.coefficient);
            }
            KeyParts::EllipticCurve { scalar: private, .. } | KeyParts::Ed25519 { seed: private, .. } => {
                set("d", private);
            }
        }
        PrivateNumbers(Secret::new(Value::Object(jwk).to_string()))
    }

    /// The whole JWK, with those of these members that have a value.
    pub(super) fn with_members(&self, members: &[(&str, Option<&str>)]) -> Secret {
        let mut text = self.0.expose().trim_end_matches('}').to_owned();
        for (name, value) in members {
            if let Some(value) = value {
                text += &format!(",{}:{}", json!(name), json!(value));
            }
        }
        text.push('}');
        Secret::new(text)
    }
}

struct Members(Map<String, Value>);

impl Members {
    fn text(&self, name: &'static str) -> Result<Option<&str>, SigningKeyError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(SigningKeyError::Member(name)),
        }
    }

    fn octets(&self, name: &'static str) -> Result<Vec<u8>, SigningKeyError> {
        self.text(name)?
            .and_then(from_base64url)
            .ok_or(SigningKeyError::Member(name))
    }

    fn secret(&self, name: &'static str) -> Result<Secret<Vec<u8>>, SigningKeyError> {
        match self.0.contains_key(name) {
            true => self.octets(name).map(Secret::new),
            false if name == "d" => Err(SigningKeyError::PublicOnly),
            false => Err(SigningKeyError::RsaWithoutPrimes),
        }
    }

    /// `key_ops` (RFC 7517 §4.3): absent, or with `sign`.
    fn may_sign(&self) -> Result<bool, SigningKeyError> {
        match self.0.get("key_ops") {
            None | Some(Value::Null) => Ok(true),
            Some(Value::Array(operations)) => Ok(operations.iter().any(|operation| operation == "sign")),
            Some(_) => Err(SigningKeyError::Member("key_ops")),
        }
    }

    fn rsa(&self) -> Result<KeyParts, SigningKeyError> {
        // Some programs write the sign octet of a big integer (RFC 7518 §6.3.1.1 knows them).
        let without_zeros =
            |octets: Vec<u8>| -> Vec<u8> { octets.into_iter().skip_while(|octet| *octet == 0).collect() };
        Ok(KeyParts::Rsa(RsaParts {
            modulus: without_zeros(self.octets("n")?),
            exponent: without_zeros(self.octets("e")?),
            private_exponent: self.secret("d")?,
            primes: [self.secret("p")?, self.secret("q")?],
            prime_exponents: [self.secret("dp")?, self.secret("dq")?],
            coefficient: self.secret("qi")?,
        }))
    }

    fn elliptic_curve(&self) -> Result<KeyParts, SigningKeyError> {
        let curve = match self.text("crv")?.ok_or(SigningKeyError::Member("crv"))? {
            "P-256" => EllipticCurve::P256,
            "P-384" => EllipticCurve::P384,
            other => return Err(SigningKeyError::Unsupported(other.to_owned())),
        };
        let scalar = self.secret("d")?;
        let point = [&[4], &*self.octets("x")?, &*self.octets("y")?].concat();
        KeyParts::elliptic_curve(curve, scalar.expose(), &point).map_err(|_| SigningKeyError::Member("d, x or y"))
    }

    fn edwards(&self) -> Result<KeyParts, SigningKeyError> {
        match self.text("crv")?.ok_or(SigningKeyError::Member("crv"))? {
            "Ed25519" => Ok(KeyParts::Ed25519 {
                seed: self.secret("d")?,
                public: Some(self.octets("x")?),
            }),
            other => Err(SigningKeyError::Unsupported(other.to_owned())),
        }
    }
}
