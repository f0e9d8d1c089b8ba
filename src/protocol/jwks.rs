//! JWK sets (RFC 7517 §5, RFC 7518 §6, RFC 8037 §2) and the signatures that
//! their keys prove (RFC 7515 §5.2).
//!
//! A set comes from the network: its size and the number of its keys are
//! bounded, and a key that cannot be used is told, and does not spoil the
//! others. Which key is tried is decided by the set alone, never by a key or
//! an address inside the token (RFC 8725 §3.1, §3.10).
//!
//! It is not the `jsonwebtoken` crate, because what is refused, and in which
//! words, is what this program is for; ring makes the comparisons either way.

use super::abnf::from_base64url;
use super::jose::UnverifiedJwt;
use super::json::{JsonError, parse_object};
use crate::foreign_text::Quoted;
use ring::signature::{self, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm};
use serde_json::{Map, Value};
use std::fmt;

/// No issuer publishes more; each may have to be tried.
const MAX_KEYS: usize = 100;

const SET_MAX_BYTES: usize = 256 * 1024;

/// RFC 7518 §3.3.
const RSA_MIN_BITS: usize = 2048;

/// More makes verification slow, and nothing safer.
const RSA_MAX_BITS: usize = 8192;

/// The public keys of an issuer.
#[derive(Debug, Clone)]
pub struct JwkSet {
    keys: Vec<Jwk>,
    unusable: Vec<UnusableKey>,
}

/// A key with which signatures can be verified.
#[derive(Debug, Clone)]
pub struct Jwk {
    /// `kid`.
    pub key_id: Option<String>,
    algorithm: Option<String>,
    material: KeyMaterial,
}

#[derive(Debug, Clone)]
enum KeyMaterial {
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    EllipticCurve { curve: Curve, point: Vec<u8> },
    Edwards { point: Vec<u8> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Curve {
    P256,
    P384,
}

/// A member of the set that verifies nothing, and why. RFC 7517 §5 says to ignore it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnusableKey {
    /// Its place in the set, from 0.
    pub position: usize,
    /// `kid`.
    pub key_id: Option<String>,
    /// What is the matter.
    pub problem: KeyProblem,
}

/// Why a member of a JWK set verifies nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyProblem {
    /// A list, a string, a number.
    #[error("it is no JSON object")]
    NotAnObject,
    /// Not a key for signatures; nothing is wrong with it.
    #[error("its use or key_ops is another than to verify signatures (RFC 7517 §4.2, §4.3)")]
    OtherUse,
    /// A key type that is not spoken here.
    #[error("its kty is {}, which is not supported", Quoted::name(.0))]
    KeyType(String),
    /// A curve that is not spoken here.
    #[error("its crv is {}, which is not supported", Quoted::name(.0))]
    Curve(String),
    /// A member is absent, no string, or out of range.
    #[error("its {0} is missing or not what RFC 7518 §6 and RFC 8037 §2 say")]
    Member(&'static str),
    /// RFC 7518 §3.3.
    #[error("its RSA modulus has {0} bits, fewer than 2048 (RFC 7518 §3.3)")]
    RsaTooSmall(usize),
    /// A size that only costs time.
    #[error("its RSA modulus has {0} bits, more than 8192")]
    RsaTooLarge(usize),
    /// Everybody can sign with it.
    #[error("its private or symmetric part is published, so its signatures prove nothing (RFC 7517 §9.2)")]
    PrivatePart,
}

/// Text that is no JWK set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JwkSetError {
    /// Longer than any issuer needs.
    #[error("the JWK set is longer than 256 KiB")]
    TooLong,
    /// HTML, a list, a member twice.
    #[error("the JWK set is not one JSON object: {0}")]
    Json(#[from] JsonError),
    /// RFC 7517 §5.
    #[error("the JWK set has no list \"keys\" (RFC 7517 §5.1)")]
    NoKeys,
    /// More than any issuer needs.
    #[error("the JWK set has {0} keys, more than 100")]
    TooManyKeys(usize),
}

/// Why a signature proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// `none`, an HMAC, or an algorithm that is not spoken here.
    #[error("it is signed with {}, which a published key cannot prove (RFC 8725 §3.1, §3.2)", Quoted::name(.0))]
    Algorithm(String),
    /// RFC 7515 §4.1.11.
    #[error("its header has crit, none of whose extensions is known (RFC 7515 §4.1.11)")]
    Critical,
    /// RFC 7515 §4.1.4.
    #[error("the kid in its header is no string (RFC 7515 §4.1.4)")]
    KeyIdType,
    /// The issuer has changed its keys, or the token is not from there.
    #[error("the issuer publishes no key for {algorithm}{}", with_key_id(key_id.as_deref()))]
    NoKey {
        /// What the header says.
        algorithm: &'static str,
        /// What the header says.
        key_id: Option<String>,
    },
    /// The key is there, and nothing can be verified with it.
    #[error("the issuer's key{} cannot be used: {problem}", with_key_id(key_id.as_deref()))]
    UnusableKey {
        /// Its `kid`.
        key_id: Option<String>,
        /// What is wrong with it.
        problem: KeyProblem,
    },
    /// It was changed, or signed by somebody else.
    #[error("its signature does not match {}", tried(*keys))]
    Mismatch {
        /// How many keys were tried.
        keys: usize,
    },
}

fn with_key_id(key_id: Option<&str>) -> String {
    key_id
        .map(|key_id| format!(" with kid {}", Quoted::name(key_id)))
        .unwrap_or_default()
}

fn tried(keys: usize) -> String {
    match keys {
        1 => "the issuer's key (RFC 7515 §5.2)".to_owned(),
        keys => format!("any of the issuer's {keys} keys that it may be from (RFC 7515 §5.2)"),
    }
}

/// A signature that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifiedBy<'a> {
    /// `alg`.
    pub algorithm: &'static str,
    /// The `kid` of the key, where it has one.
    pub key_id: Option<&'a str>,
}

impl fmt::Display for VerifiedBy<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.algorithm)?;
        match self.key_id {
            Some(key_id) => write!(formatter, " with key {}", Quoted::name(key_id)),
            None => Ok(()),
        }
    }
}

impl JwkSet {
    /// Reads a JWK set as it came from the network.
    ///
    /// # Errors
    /// [`JwkSetError`] where it is no set at all. A key that cannot be used is
    /// no error: see [`JwkSet::unusable`].
    pub fn parse(bytes: &[u8]) -> Result<Self, JwkSetError> {
        if bytes.len() > SET_MAX_BYTES {
            return Err(JwkSetError::TooLong);
        }
        let object = parse_object(bytes)?;
        let members = object
            .get("keys")
            .and_then(Value::as_array)
            .ok_or(JwkSetError::NoKeys)?;
        if members.len() > MAX_KEYS {
            return Err(JwkSetError::TooManyKeys(members.len()));
        }
        let mut set = JwkSet {
            keys: Vec::new(),
            unusable: Vec::new(),
        };
        for (position, member) in members.iter().enumerate() {
            match Jwk::read(member) {
                Ok(key) => set.keys.push(key),
                Err(problem) => set.unusable.push(UnusableKey {
                    position,
                    key_id: text(member, "kid"),
                    problem,
                }),
            }
        }
        Ok(set)
    }

    /// The keys with which signatures can be verified.
    pub fn keys(&self) -> &[Jwk] {
        &self.keys
    }

    /// The members that verify nothing, and why.
    pub fn unusable(&self) -> &[UnusableKey] {
        &self.unusable
    }

    /// Verifies the signature of a JWS: every key is tried whose type, `alg`
    /// and, where the header names one, `kid` fit. `jwk`, `jku`, `x5c` and
    /// `x5u` in the header are not looked at.
    ///
    /// # Errors
    /// [`SignatureError`]: then the token proves nothing.
    pub fn verify(&self, jwt: &UnverifiedJwt) -> Result<VerifiedBy<'_>, SignatureError> {
        let name = jwt.header.get("alg").and_then(Value::as_str).unwrap_or("none");
        let algorithm = Algorithm::named(name).ok_or_else(|| SignatureError::Algorithm(name.to_owned()))?;
        if jwt.header.contains_key("crit") {
            return Err(SignatureError::Critical);
        }
        let key_id = match jwt.header.get("kid") {
            None => None,
            Some(Value::String(key_id)) => Some(key_id.as_str()),
            Some(_) => return Err(SignatureError::KeyIdType),
        };
        let candidates = || {
            self.keys
                .iter()
                .filter(|key| algorithm.fits(key) && (key_id.is_none() || key.key_id.as_deref() == key_id))
        };
        let message = jwt.signing_input.as_bytes();
        if let Some(key) = candidates().find(|key| algorithm.verifies(&key.material, message, &jwt.signature)) {
            return Ok(VerifiedBy {
                algorithm: algorithm.name,
                key_id: key.key_id.as_deref(),
            });
        }
        Err(match candidates().count() {
            0 => match self.unusable_key(key_id) {
                Some(key) => SignatureError::UnusableKey {
                    key_id: key.key_id.clone(),
                    problem: key.problem.clone(),
                },
                None => SignatureError::NoKey {
                    algorithm: algorithm.name,
                    key_id: key_id.map(str::to_owned),
                },
            },
            keys => SignatureError::Mismatch { keys },
        })
    }

    /// The unusable key that a token is probably signed with: that of its
    /// `kid`, and where it names none, the first with a fault.
    fn unusable_key(&self, key_id: Option<&str>) -> Option<&UnusableKey> {
        self.unusable.iter().find(|key| match key_id {
            Some(_) => key.key_id.as_deref() == key_id,
            None => key.problem != KeyProblem::OtherUse,
        })
    }
}

impl Jwk {
    fn read(member: &Value) -> Result<Self, KeyProblem> {
        let object = member.as_object().ok_or(KeyProblem::NotAnObject)?;
        let member_text = |name: &'static str| match object.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str())),
            Some(_) => Err(KeyProblem::Member(name)),
        };
        if object.contains_key("d") || object.contains_key("k") {
            return Err(KeyProblem::PrivatePart);
        }
        let key_type = member_text("kty")?.ok_or(KeyProblem::Member("kty"))?;
        if member_text("use")?.is_some_and(|purpose| purpose != "sig") || !may_verify(object)? {
            return Err(KeyProblem::OtherUse);
        }
        let octets = |name: &'static str| {
            member_text(name)?
                .and_then(from_base64url)
                .ok_or(KeyProblem::Member(name))
        };
        let curve = || member_text("crv")?.ok_or(KeyProblem::Member("crv"));
        let material = match key_type {
            "RSA" => KeyMaterial::rsa(&octets("n")?, &octets("e")?)?,
            "EC" => KeyMaterial::elliptic_curve(curve()?, &octets("x")?, &octets("y")?)?,
            "OKP" => KeyMaterial::edwards(curve()?, octets("x")?)?,
            other => return Err(KeyProblem::KeyType(other.to_owned())),
        };
        Ok(Jwk {
            key_id: member_text("kid")?.map(str::to_owned),
            algorithm: member_text("alg")?.map(str::to_owned),
            material,
        })
    }
}

/// `key_ops` (RFC 7517 §4.3): absent, or with `verify`.
fn may_verify(object: &Map<String, Value>) -> Result<bool, KeyProblem> {
    match object.get("key_ops") {
        None | Some(Value::Null) => Ok(true),
        Some(Value::Array(operations)) => Ok(operations.iter().any(|operation| operation == "verify")),
        Some(_) => Err(KeyProblem::Member("key_ops")),
    }
}

fn text(member: &Value, name: &str) -> Option<String> {
    member.get(name).and_then(Value::as_str).map(str::to_owned)
}

impl KeyMaterial {
    fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<Self, KeyProblem> {
        // Some issuers write the sign octet of a big integer (RFC 7518 §6.3.1.1 knows them).
        let (modulus, exponent) = (without_leading_zeros(modulus), without_leading_zeros(exponent));
        let bits = modulus
            .first()
            .map_or(0, |first| modulus.len() * 8 - first.leading_zeros() as usize);
        let is_odd = |number: &[u8]| number.last().is_some_and(|last| last % 2 == 1);
        match bits {
            0..RSA_MIN_BITS => return Err(KeyProblem::RsaTooSmall(bits)),
            RSA_MIN_BITS..=RSA_MAX_BITS if is_odd(modulus) => {}
            RSA_MIN_BITS..=RSA_MAX_BITS => return Err(KeyProblem::Member("n")),
            _ => return Err(KeyProblem::RsaTooLarge(bits)),
        }
        // With an exponent of one everybody can sign; a long one makes verification slow.
        if !is_odd(exponent) || exponent == [1] || exponent.len() > 4 {
            return Err(KeyProblem::Member("e"));
        }
        Ok(KeyMaterial::Rsa {
            modulus: modulus.to_vec(),
            exponent: exponent.to_vec(),
        })
    }

    fn elliptic_curve(curve: &str, x: &[u8], y: &[u8]) -> Result<Self, KeyProblem> {
        let (curve, length_bytes) = match curve {
            "P-256" => (Curve::P256, 32),
            "P-384" => (Curve::P384, 48),
            other => return Err(KeyProblem::Curve(other.to_owned())),
        };
        for (name, coordinate) in [("x", x), ("y", y)] {
            if coordinate.len() != length_bytes {
                return Err(KeyProblem::Member(name));
            }
        }
        // An uncompressed point: 0x04, x, y (SEC 1 §2.3.3).
        Ok(KeyMaterial::EllipticCurve {
            curve,
            point: [&[4], x, y].concat(),
        })
    }

    fn edwards(curve: &str, point: Vec<u8>) -> Result<Self, KeyProblem> {
        match (curve, point.len()) {
            ("Ed25519", 32) => Ok(KeyMaterial::Edwards { point }),
            ("Ed25519", _) => Err(KeyProblem::Member("x")),
            (other, _) => Err(KeyProblem::Curve(other.to_owned())),
        }
    }
}

fn without_leading_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|octet| **octet == 0).count();
    &number[zeros..]
}

/// An algorithm that a published key can prove (RFC 7518 §3.1, RFC 8037 §3.1).
struct Algorithm {
    name: &'static str,
    scheme: Scheme,
}

enum Scheme {
    Rsa(&'static RsaParameters),
    EllipticCurve(Curve, &'static dyn VerificationAlgorithm),
    Edwards,
}

impl Algorithm {
    /// The allow-list: what is not named here is refused.
    fn named(name: &str) -> Option<Self> {
        let (name, scheme) = match name {
            "RS256" => ("RS256", Scheme::Rsa(&signature::RSA_PKCS1_2048_8192_SHA256)),
            "RS384" => ("RS384", Scheme::Rsa(&signature::RSA_PKCS1_2048_8192_SHA384)),
            "RS512" => ("RS512", Scheme::Rsa(&signature::RSA_PKCS1_2048_8192_SHA512)),
            "PS256" => ("PS256", Scheme::Rsa(&signature::RSA_PSS_2048_8192_SHA256)),
            "PS384" => ("PS384", Scheme::Rsa(&signature::RSA_PSS_2048_8192_SHA384)),
            "PS512" => ("PS512", Scheme::Rsa(&signature::RSA_PSS_2048_8192_SHA512)),
            "ES256" => (
                "ES256",
                Scheme::EllipticCurve(Curve::P256, &signature::ECDSA_P256_SHA256_FIXED),
            ),
            "ES384" => (
                "ES384",
                Scheme::EllipticCurve(Curve::P384, &signature::ECDSA_P384_SHA384_FIXED),
            ),
            // RFC 9864 gives EdDSA with this curve a name of its own.
            "EdDSA" => ("EdDSA", Scheme::Edwards),
            "Ed25519" => ("Ed25519", Scheme::Edwards),
            _ => return None,
        };
        Some(Algorithm { name, scheme })
    }

    fn fits(&self, key: &Jwk) -> bool {
        let same_type = match (&self.scheme, &key.material) {
            (Scheme::Rsa(_), KeyMaterial::Rsa { .. }) | (Scheme::Edwards, KeyMaterial::Edwards { .. }) => true,
            (Scheme::EllipticCurve(curve, _), KeyMaterial::EllipticCurve { curve: of_key, .. }) => curve == of_key,
            _ => false,
        };
        let same_algorithm = match (&self.scheme, key.algorithm.as_deref()) {
            (_, None) | (Scheme::Edwards, Some("EdDSA" | "Ed25519")) => true,
            (_, Some(of_key)) => of_key == self.name,
        };
        same_type && same_algorithm
    }

    fn verifies(&self, material: &KeyMaterial, message: &[u8], signature: &[u8]) -> bool {
        let verified = match (&self.scheme, material) {
            (Scheme::Rsa(parameters), KeyMaterial::Rsa { modulus, exponent }) => RsaPublicKeyComponents {
                n: modulus,
                e: exponent,
            }
            .verify(parameters, message, signature),
            (Scheme::EllipticCurve(_, algorithm), KeyMaterial::EllipticCurve { point, .. }) => {
                UnparsedPublicKey::new(*algorithm, point).verify(message, signature)
            }
            (Scheme::Edwards, KeyMaterial::Edwards { point }) => {
                UnparsedPublicKey::new(&signature::ED25519, point).verify(message, signature)
            }
            _ => return false,
        };
        verified.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::super::jose::signing_input;
    use super::*;
    use crate::protocol::abnf::base64url;
    use ring::rand::SystemRandom;
    use ring::signature::{EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair};
    use rsa::pkcs8::EncodePrivateKey;
    use rsa::traits::PublicKeyParts;
    use serde_json::json;

    /// RFC 7515 §A.2.1, §A.3.1: the payload of all examples.
    const PAYLOAD: &str =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

    /// RFC 7515 §A.2.1.
    const RS256_SIGNATURE: &str = concat!(
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CU",
        "Ar7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_d",
        "O--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0ig",
        "cN_IoypGlUPQGe77Rw"
    );

    fn rs256_key() -> Value {
        json!({"kty": "RSA", "e": "AQAB", "n": concat!(
            "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd",
            "2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7W",
            "TBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs9",
            "1kzk2PAcDTW9gb54h4FRWyuXpoQ"
        )})
    }

    /// RFC 7515 §A.3.1.
    fn es256_key() -> Value {
        json!({
            "kty": "EC", "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
        })
    }

    const ES256_SIGNATURE: &str =
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

    /// RFC 8037 §A.2.
    fn ed25519_key() -> Value {
        json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
    }

    fn rs256_token() -> String {
        format!("eyJhbGciOiJSUzI1NiJ9.{PAYLOAD}.{RS256_SIGNATURE}")
    }

    fn es256_token() -> String {
        format!("eyJhbGciOiJFUzI1NiJ9.{PAYLOAD}.{ES256_SIGNATURE}")
    }

    fn set_of(keys: &[Value]) -> JwkSet {
        JwkSet::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
    }

    /// A JWS whose payload need not be JSON.
    fn jws(compact: &str) -> UnverifiedJwt {
        let (input, signature) = compact.rsplit_once('.').unwrap();
        let header = from_base64url(input.split('.').next().unwrap()).unwrap();
        UnverifiedJwt {
            header: parse_object(&header).unwrap(),
            claims: Map::new(),
            signing_input: input.to_owned(),
            signature: from_base64url(signature).unwrap(),
        }
    }

    fn verify(keys: &[Value], compact: &str) -> Result<String, SignatureError> {
        set_of(keys).verify(&jws(compact)).map(|verified| verified.to_string())
    }

    fn with(mut key: Value, member: &str, value: Value) -> Value {
        key[member] = value;
        key
    }

    /// RFC 7520 §3.4, with the private part.
    struct RsaSigner {
        pair: RsaKeyPair,
        jwk: Value,
    }

    impl RsaSigner {
        fn new() -> Self {
            let number = |text: &str| rsa::BigUint::from_bytes_be(&from_base64url(text).unwrap());
            let key = rsa::RsaPrivateKey::from_p_q(
                number(concat!(
                    "3Slxg_DwTXJcb6095RoXygQCAZ5RnAvZlno1yhHtnUex_fp7AZ_9nRaO7HX_-SFfGQeutao2TDjDAWU4Vupk8rw9JR0AzZ0N2fvu",
                    "IAmr_WCsmGpeNqQnev1T7IyEsnh8UMt-n5CafhkikzhEsrmndH6LxOrvRJlsPp6Zv8bUq0k"
                )),
                number(concat!(
                    "uKE2dh-cTf6ERF4k4e_jy78GfPYUIaUyoSSJuBzp3Cubk3OCqs6grT8bR_cu0Dm1MZwWmtdqDyI95HrUeq3MP15vMMON8lHTeZu2",
                    "lmKvwqW7anV5UzhM1iZ7z4yMkuUwFWoBvyY898EXvRD-hdqRxHlSqAZ192zB3pVFJ0s7pFc"
                )),
                number("AQAB"),
            )
            .unwrap();
            let document = key.to_pkcs8_der().unwrap();
            RsaSigner {
                pair: RsaKeyPair::from_pkcs8(document.as_bytes()).unwrap(),
                jwk: json!({"kty": "RSA", "e": "AQAB", "n": base64url(&key.n().to_bytes_be())}),
            }
        }

        fn token(&self, algorithm: &str) -> String {
            let padding: &dyn signature::RsaEncoding = match algorithm {
                "RS256" => &signature::RSA_PKCS1_SHA256,
                "RS384" => &signature::RSA_PKCS1_SHA384,
                "RS512" => &signature::RSA_PKCS1_SHA512,
                "PS256" => &signature::RSA_PSS_SHA256,
                "PS384" => &signature::RSA_PSS_SHA384,
                _ => &signature::RSA_PSS_SHA512,
            };
            let input = signing_input(&json!({"alg": algorithm}), &json!({"sub": "a"}));
            let mut signature = vec![0; self.pair.public().modulus_len()];
            self.pair
                .sign(padding, &SystemRandom::new(), input.as_bytes(), &mut signature)
                .unwrap();
            format!("{input}.{}", base64url(&signature))
        }
    }

    #[test]
    fn the_examples_of_the_specifications() {
        assert_eq!(verify(&[rs256_key()], &rs256_token()), Ok("RS256".into()));
        assert_eq!(verify(&[es256_key()], &es256_token()), Ok("ES256".into()));
        let rfc_8037 = concat!(
            "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.",
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
        );
        assert_eq!(verify(&[ed25519_key()], rfc_8037), Ok("EdDSA".into()));
        // RFC 7520 §4.2.
        let rfc_7520 = concat!(
            "eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.",
            "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwg",
            "YW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9m",
            "ZiB0by4.",
            "cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPid6VrklHkqsGqDqHCdP6O8TTB5dDDItllVo6_1OL",
            "PpcbUrhiUSMxbbXUvdvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRmBqrYRXe8P_ijQ7p8Vdz0TTrxUeT3lm8d9shn",
            "r2lfJT8ImUjvAA2Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_2_jLAeQTlqRHtfa64QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6",
            "oD4ifKo8DYM-X72Eaw"
        );
        let key = with(RsaSigner::new().jwk, "kid", json!("bilbo.baggins@hobbiton.example"));
        assert_eq!(
            verify(&[key], rfc_7520),
            Ok("PS384 with key \"bilbo.baggins@hobbiton.example\"".into())
        );
    }

    #[test]
    fn every_algorithm_verifies_what_was_signed_and_nothing_else() {
        let system_random = SystemRandom::new();
        let rsa = RsaSigner::new();
        let algorithm = &signature::ECDSA_P384_SHA384_FIXED_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &system_random).unwrap();
        let p384 = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &system_random).unwrap();
        let point = p384.public_key().as_ref();
        let p384_key =
            json!({"kty": "EC", "crv": "P-384", "x": base64url(&point[1..49]), "y": base64url(&point[49..])});
        let document = Ed25519KeyPair::generate_pkcs8(&system_random).unwrap();
        let edwards = Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap();
        let edwards_key = json!({"kty": "OKP", "crv": "Ed25519", "x": base64url(edwards.public_key().as_ref())});
        let input = |algorithm: &str| signing_input(&json!({"alg": algorithm}), &json!({"sub": "a"}));
        let es384 = input("ES384");
        let signature = p384.sign(&system_random, es384.as_bytes()).unwrap();
        let mut cases = vec![("ES384", p384_key, format!("{es384}.{}", base64url(signature.as_ref())))];
        for name in ["EdDSA", "Ed25519"] {
            let signature = edwards.sign(input(name).as_bytes());
            let token = format!("{}.{}", input(name), base64url(signature.as_ref()));
            cases.push((name, edwards_key.clone(), token));
        }
        for name in ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"] {
            cases.push((name, rsa.jwk.clone(), rsa.token(name)));
        }
        for (name, key, token) in &cases {
            assert_eq!(verify(std::slice::from_ref(key), token), Ok((*name).into()), "{name}");
            let (input, signature) = token.rsplit_once('.').unwrap();
            let header = input.split('.').next().unwrap();
            let mut flipped = from_base64url(signature).unwrap();
            flipped[7] ^= 1;
            for (what, bad) in [
                (
                    "claims",
                    format!("{header}.{}.{signature}", base64url(br#"{"sub":"b"}"#)),
                ),
                ("signature", format!("{input}.{}", base64url(&flipped))),
                ("no signature", format!("{input}.")),
                ("short signature", format!("{input}.{}", base64url(&flipped[..5]))),
            ] {
                let verdict = verify(std::slice::from_ref(key), &bad);
                assert_eq!(verdict, Err(SignatureError::Mismatch { keys: 1 }), "{name} {what}");
            }
        }
        // One RSA key and another padding or hash: the header says which, and only that is tried.
        let (input, _) = rsa
            .token("RS256")
            .rsplit_once('.')
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .unwrap();
        for name in ["RS384", "PS256"] {
            let (_, signature) = rsa
                .token(name)
                .rsplit_once('.')
                .map(|(a, b)| (a.to_owned(), b.to_owned()))
                .unwrap();
            let verdict = verify(std::slice::from_ref(&rsa.jwk), &format!("{input}.{signature}"));
            assert_eq!(verdict, Err(SignatureError::Mismatch { keys: 1 }), "{name}");
        }
    }

    #[test]
    fn algorithms_that_a_published_key_cannot_prove() {
        let keys = [rs256_key(), es256_key(), ed25519_key()];
        for (alg, shown) in [
            (json!("none"), "none"),
            (json!("None"), "None"),
            (json!(null), "none"),
            (json!(7), "none"),
            (json!("HS256"), "HS256"),
            (json!("HS512"), "HS512"),
            (json!("ES512"), "ES512"),
            (json!("ES256K"), "ES256K"),
            (json!("rs256"), "rs256"),
            (json!(""), ""),
        ] {
            let token = format!("{}.{RS256_SIGNATURE}", signing_input(&json!({"alg": alg}), &json!({})));
            assert_eq!(
                verify(&keys, &token),
                Err(SignatureError::Algorithm(shown.into())),
                "{alg}"
            );
        }
        // RFC 7515 §A.1 and §A.5.
        let hs256 =
            format!("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{PAYLOAD}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(verify(&keys, &hs256), Err(SignatureError::Algorithm("HS256".into())));
        let unsecured = format!("eyJhbGciOiJub25lIn0.{PAYLOAD}.");
        assert_eq!(verify(&keys, &unsecured), Err(SignatureError::Algorithm("none".into())));
    }

    #[test]
    fn the_key_comes_from_the_set_and_never_from_the_token() {
        let system_random = SystemRandom::new();
        let document = Ed25519KeyPair::generate_pkcs8(&system_random).unwrap();
        let attacker = Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap();
        let own_key = json!({"kty": "OKP", "crv": "Ed25519", "x": base64url(attacker.public_key().as_ref())});
        for header in [
            json!({"alg": "EdDSA", "jwk": own_key}),
            json!({"alg": "EdDSA", "jku": "https://evil.example/jwks"}),
        ] {
            let input = signing_input(&header, &json!({"sub": "admin"}));
            let token = format!("{input}.{}", base64url(attacker.sign(input.as_bytes()).as_ref()));
            assert_eq!(
                verify(&[ed25519_key()], &token),
                Err(SignatureError::Mismatch { keys: 1 }),
                "{header}"
            );
        }
        let input = signing_input(&json!({"alg": "EdDSA", "crit": ["x"], "x": 1}), &json!({}));
        let token = format!("{input}.{}", base64url(attacker.sign(input.as_bytes()).as_ref()));
        assert_eq!(verify(&[own_key], &token), Err(SignatureError::Critical));
    }

    #[test]
    fn the_key_id_selects_and_without_one_every_fitting_key_is_tried() {
        let signer = RsaSigner::new();
        let named = |key: Value, key_id: &str| with(key, "kid", json!(key_id));
        // No kid in the token: the third key is the right one.
        let keys = [named(rs256_key(), "a"), es256_key(), named(signer.jwk.clone(), "b")];
        assert_eq!(verify(&keys, &signer.token("PS256")), Ok("PS256 with key \"b\"".into()));
        assert_eq!(
            verify(&[rs256_key(), rs256_key()], &signer.token("RS256")),
            Err(SignatureError::Mismatch { keys: 2 })
        );
        let with_key_id = |key_id: Value| {
            let input = signing_input(&json!({"alg": "RS256", "kid": key_id}), &json!({}));
            let mut signature = vec![0; 256];
            signer
                .pair
                .sign(
                    &signature::RSA_PKCS1_SHA256,
                    &SystemRandom::new(),
                    input.as_bytes(),
                    &mut signature,
                )
                .unwrap();
            format!("{input}.{}", base64url(&signature))
        };
        assert_eq!(
            verify(&keys, &with_key_id(json!("b"))),
            Ok("RS256 with key \"b\"".into())
        );
        assert_eq!(
            verify(&keys, &with_key_id(json!("a"))),
            Err(SignatureError::Mismatch { keys: 1 })
        );
        let no_key = |key_id: &str| SignatureError::NoKey {
            algorithm: "RS256",
            key_id: Some(key_id.into()),
        };
        assert_eq!(verify(&keys, &with_key_id(json!("c"))), Err(no_key("c")));
        assert_eq!(
            verify(std::slice::from_ref(&signer.jwk), &with_key_id(json!("b"))),
            Err(no_key("b"))
        );
        assert_eq!(verify(&keys, &with_key_id(json!(7))), Err(SignatureError::KeyIdType));
        // Two keys of one name: both are tried.
        let twins = [named(rs256_key(), "b"), named(signer.jwk.clone(), "b")];
        assert!(verify(&twins, &with_key_id(json!("b"))).is_ok());
    }

    #[test]
    fn a_key_serves_the_algorithm_and_the_use_that_it_names() {
        let token = rs256_token();
        let unusable = |member: &str, value: Value| {
            let set = set_of(&[with(rs256_key(), member, value)]);
            set.unusable().first().map(|key| key.problem.clone())
        };
        assert!(verify(&[with(rs256_key(), "alg", json!("RS256"))], &token).is_ok());
        assert!(verify(&[with(rs256_key(), "use", json!("sig"))], &token).is_ok());
        assert!(verify(&[with(rs256_key(), "key_ops", json!(["verify"]))], &token).is_ok());
        assert_eq!(
            verify(&[with(rs256_key(), "alg", json!("PS256"))], &token),
            Err(SignatureError::NoKey {
                algorithm: "RS256",
                key_id: None
            })
        );
        assert_eq!(unusable("use", json!("enc")), Some(KeyProblem::OtherUse));
        assert_eq!(unusable("key_ops", json!(["encrypt"])), Some(KeyProblem::OtherUse));
        assert_eq!(unusable("kid", json!(7)), Some(KeyProblem::Member("kid")));
        assert_eq!(unusable("d", json!("AQ")), Some(KeyProblem::PrivatePart));
    }

    #[test]
    fn hostile_keys_are_told_and_do_not_spoil_the_others() {
        let modulus = |bits: usize| {
            let mut octets = vec![0xff; bits / 8];
            octets[0] = 0x80;
            base64url(&octets)
        };
        let rsa = |n: String, e: &str| json!({"kty": "RSA", "n": n, "e": e});
        let x = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
        let cases = [
            (json!("key"), KeyProblem::NotAnObject),
            (json!({}), KeyProblem::Member("kty")),
            (json!({"kty": 7}), KeyProblem::Member("kty")),
            (json!({"kty": "AKP"}), KeyProblem::KeyType("AKP".into())),
            (json!({"kty": "oct", "k": "c2VjcmV0"}), KeyProblem::PrivatePart),
            (rsa(modulus(1024), "AQAB"), KeyProblem::RsaTooSmall(1024)),
            (rsa(modulus(2040), "AQAB"), KeyProblem::RsaTooSmall(2040)),
            (rsa(modulus(8200), "AQAB"), KeyProblem::RsaTooLarge(8200)),
            (rsa(String::new(), "AQAB"), KeyProblem::RsaTooSmall(0)),
            (rsa("AAAA".repeat(1000), "AQAB"), KeyProblem::RsaTooSmall(0)),
            (rsa("=".into(), "AQAB"), KeyProblem::Member("n")),
            (rsa(modulus(2048), "AQ"), KeyProblem::Member("e")),
            (rsa(modulus(2048), "Ag"), KeyProblem::Member("e")),
            (rsa(modulus(2048), ""), KeyProblem::Member("e")),
            (rsa(modulus(2048), "AQAAAAAB"), KeyProblem::Member("e")),
            (json!({"kty": "RSA", "e": "AQAB"}), KeyProblem::Member("n")),
            (json!({"kty": "EC", "x": x, "y": x}), KeyProblem::Member("crv")),
            (
                json!({"kty": "EC", "crv": "P-521", "x": x, "y": x}),
                KeyProblem::Curve("P-521".into()),
            ),
            (
                json!({"kty": "EC", "crv": "P-384", "x": x, "y": x}),
                KeyProblem::Member("x"),
            ),
            (
                json!({"kty": "EC", "crv": "P-256", "x": x, "y": "AA"}),
                KeyProblem::Member("y"),
            ),
            (
                json!({"kty": "OKP", "crv": "X25519", "x": x}),
                KeyProblem::Curve("X25519".into()),
            ),
            (
                json!({"kty": "OKP", "crv": "Ed25519", "x": "AA"}),
                KeyProblem::Member("x"),
            ),
        ];
        let mut keys: Vec<Value> = cases.iter().map(|(key, _)| key.clone()).collect();
        keys.push(es256_key());
        let set = set_of(&keys);
        for ((key, problem), told) in cases.iter().zip(set.unusable()) {
            assert_eq!(&told.problem, problem, "{key}");
        }
        assert_eq!((set.unusable().len(), set.keys().len()), (cases.len(), 1));
        assert!(set.verify(&jws(&es256_token())).is_ok());
        // A point that is not on the curve, and a modulus that is no product of two primes: no panic, no proof.
        let off_curve = json!({"kty": "EC", "crv": "P-256", "x": x, "y": x});
        assert_eq!(
            verify(&[off_curve], &es256_token()),
            Err(SignatureError::Mismatch { keys: 1 })
        );
        assert_eq!(
            verify(&[rsa(modulus(2048), "AQAB")], &rs256_token()),
            Err(SignatureError::Mismatch { keys: 1 })
        );
    }

    #[test]
    fn a_sign_octet_before_the_modulus_is_taken() {
        let octets = from_base64url(rs256_key()["n"].as_str().unwrap()).unwrap();
        let key = with(rs256_key(), "n", json!(base64url(&[&[0], &octets[..]].concat())));
        assert!(verify(&[key], &rs256_token()).is_ok());
    }

    #[test]
    fn text_that_is_no_set_or_too_large() {
        for (bad, error) in [
            ("{}", JwkSetError::NoKeys),
            (r#"{"keys":{}}"#, JwkSetError::NoKeys),
            ("[]", JwkSetError::Json(JsonError::NotAnObject)),
        ] {
            assert_eq!(JwkSet::parse(bad.as_bytes()).err(), Some(error), "{bad}");
        }
        assert!(matches!(JwkSet::parse(b"<html>").err(), Some(JwkSetError::Json(_))));
        let twice = br#"{"keys":[],"keys":[]}"#;
        assert!(matches!(JwkSet::parse(twice).err(), Some(JwkSetError::Json(_))));
        let many = json!({"keys": vec![es256_key(); MAX_KEYS + 1]}).to_string();
        assert_eq!(
            JwkSet::parse(many.as_bytes()).err(),
            Some(JwkSetError::TooManyKeys(MAX_KEYS + 1))
        );
        let long = format!("{{\"keys\":[],\"x\":\"{}\"}}", "a".repeat(SET_MAX_BYTES));
        assert_eq!(JwkSet::parse(long.as_bytes()).err(), Some(JwkSetError::TooLong));
        assert!(JwkSet::parse(br#"{"keys":[]}"#).unwrap().keys().is_empty());
    }
}
