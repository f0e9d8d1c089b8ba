//! One public key, read and bounded (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2).

use crate::foreign_text::Quoted;
use crate::protocol::abnf::{base64url, from_base64url};
use crate::protocol::signing::PublicJwk;
use serde_json::{Map, Value};

/// RFC 7518 §3.3.
const RSA_MIN_BITS: usize = 2048;

/// More makes verification slow, and nothing safer.
const RSA_MAX_BITS: usize = 8192;

/// A key with which signatures can be verified.
#[derive(Debug, Clone)]
pub struct Jwk {
    /// `kid`.
    pub key_id: Option<String>,
    pub(super) algorithm: Option<String>,
    pub(super) material: KeyMaterial,
}

#[derive(Debug, Clone)]
pub(super) enum KeyMaterial {
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    EllipticCurve { curve: Curve, point: Vec<u8> },
    Edwards { point: Vec<u8> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    fn name(self) -> &'static str {
        match self {
            Curve::P256 => "P-256",
            Curve::P384 => "P-384",
            Curve::P521 => "P-521",
        }
    }
}

/// Why a member of a JWK set verifies nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyProblem {
    /// A list, a string, a number.
    #[error("it is not a JSON object")]
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

impl Jwk {
    /// Reads one public key, which is not part of a set.
    ///
    /// # Errors
    /// [`KeyProblem`].
    pub fn parse(jwk: &Value) -> Result<Self, KeyProblem> {
        Jwk::read(jwk)
    }

    /// The SHA-256 thumbprint in base64url (RFC 7638 §3.1).
    pub fn thumbprint(&self) -> String {
        let public = match &self.material {
            KeyMaterial::Rsa { modulus, exponent } => PublicJwk::Rsa {
                modulus: base64url(modulus),
                exponent: base64url(exponent),
            },
            KeyMaterial::EllipticCurve { curve, point } => {
                // The first octet says that both coordinates follow (SEC 1 §2.3.3).
                let (x, y) = point[1..].split_at(point.len() / 2);
                PublicJwk::EllipticCurve {
                    curve: curve.name(),
                    x: base64url(x),
                    y: base64url(y),
                }
            }
            KeyMaterial::Edwards { point } => PublicJwk::Ed25519 { x: base64url(point) },
        };
        public.thumbprint()
    }

    pub(super) fn read(member: &Value) -> Result<Self, KeyProblem> {
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
        // With an exponent of one everyone can sign; a long one makes verification slow.
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
            "P-521" => (Curve::P521, 66),
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
