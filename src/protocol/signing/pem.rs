//! Private keys in PEM: PKCS#8 (RFC 5958), PKCS#1 (RFC 8017 A.1.2), SEC1 (RFC 5915).

use super::der::{BIT_STRING, DerReader, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, context};
use super::error::SigningKeyError;
use super::parts::{EllipticCurve, KeyParts, RsaParts};
use crate::protocol::abnf::from_base64;
use crate::secret::Secret;

const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
const PRIME256V1: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const SECP384R1: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];

/// The first private key of a PEM file; other blocks, such as certificates
/// and curve parameters, are passed over.
pub(super) fn private_key(text: &str) -> Result<KeyParts, SigningKeyError> {
    let mut other = None;
    let mut rest = text;
    while let Some((label, body, after)) = block(rest) {
        rest = after;
        match label {
            "PRIVATE KEY" => return pkcs8(decode(body)?.expose()),
            "RSA PRIVATE KEY" => return pkcs1(decode(body)?.expose()),
            "EC PRIVATE KEY" => return sec1(decode(body)?.expose(), None),
            "ENCRYPTED PRIVATE KEY" => return Err(SigningKeyError::Encrypted),
            "EC PARAMETERS" => {}
            label => other = other.or(Some(label)),
        }
    }
    Err(match other {
        Some(label) => SigningKeyError::OtherPem(label.to_owned()),
        None => SigningKeyError::NotAKey,
    })
}

/// Label and body of the first block, and what comes after it.
fn block(text: &str) -> Option<(&str, &str, &str)> {
    let (_, text) = text.split_once("-----BEGIN ")?;
    let (label, text) = text.split_once("-----")?;
    let (body, text) = text.split_once("-----END ")?;
    Some((label, body, text))
}

fn decode(body: &str) -> Result<Secret<Vec<u8>>, SigningKeyError> {
    // The header of keys that OpenSSL encrypted in its old way (RFC 1421 §4.6.1.1).
    if body.contains("ENCRYPTED") {
        return Err(SigningKeyError::Encrypted);
    }
    let body = Secret::new(body.split_ascii_whitespace().collect::<String>());
    from_base64(body.expose())
        .map(Secret::new)
        .ok_or(SigningKeyError::Malformed)
}

/// `OneAsymmetricKey` (RFC 5958 §2).
pub(super) fn pkcs8(der: &[u8]) -> Result<KeyParts, SigningKeyError> {
    let read = || {
        let mut key = DerReader::new(der).inside(SEQUENCE)?;
        key.value(INTEGER)?;
        let mut algorithm = key.inside(SEQUENCE)?;
        let name = algorithm.value(OBJECT_IDENTIFIER)?;
        Some((name, algorithm, key.value(OCTET_STRING)?))
    };
    let (name, mut parameters, key) = read().ok_or(SigningKeyError::Malformed)?;
    match name {
        RSA_ENCRYPTION => pkcs1(key),
        EC_PUBLIC_KEY => sec1(key, parameters.value(OBJECT_IDENTIFIER)),
        ED25519 => {
            let seed = DerReader::new(key)
                .value(OCTET_STRING)
                .ok_or(SigningKeyError::Malformed)?;
            Ok(KeyParts::Ed25519 {
                seed: Secret::new(seed.to_vec()),
                public: None,
            })
        }
        other => Err(SigningKeyError::Unsupported(object_identifier(other))),
    }
}

/// `RSAPrivateKey` (RFC 8017 A.1.2).
fn pkcs1(der: &[u8]) -> Result<KeyParts, SigningKeyError> {
    let read = || {
        let mut key = DerReader::new(der).inside(SEQUENCE)?;
        key.value(INTEGER)?;
        let mut number = || key.number();
        Some(RsaParts {
            modulus: number()?.to_vec(),
            exponent: number()?.to_vec(),
            private_exponent: Secret::new(number()?.to_vec()),
            primes: [Secret::new(number()?.to_vec()), Secret::new(number()?.to_vec())],
            prime_exponents: [Secret::new(number()?.to_vec()), Secret::new(number()?.to_vec())],
            coefficient: Secret::new(number()?.to_vec()),
        })
    };
    read().map(KeyParts::Rsa).ok_or(SigningKeyError::Malformed)
}

/// `ECPrivateKey` (RFC 5915 §3); the curve is named here, or by what is around it.
fn sec1(der: &[u8], curve: Option<&[u8]>) -> Result<KeyParts, SigningKeyError> {
    let read = || {
        let mut key = DerReader::new(der).inside(SEQUENCE)?;
        key.value(INTEGER)?;
        let scalar = key.value(OCTET_STRING)?;
        let named = key
            .inside(context(0))
            .and_then(|mut parameters| parameters.value(OBJECT_IDENTIFIER));
        let point = key
            .inside(context(1))
            .and_then(|mut public| public.value(BIT_STRING))
            // The first octet says how many bits of the last one are not used.
            .and_then(|bits| bits.strip_prefix(&[0]));
        Some((scalar, named.or(curve)?, point))
    };
    let (scalar, curve, point) = read().ok_or(SigningKeyError::Malformed)?;
    let curve = match curve {
        PRIME256V1 => EllipticCurve::P256,
        SECP384R1 => EllipticCurve::P384,
        other => return Err(SigningKeyError::Unsupported(object_identifier(other))),
    };
    KeyParts::elliptic_curve(curve, scalar, point.ok_or(SigningKeyError::WithoutPublicPart)?)
}

/// An object identifier as it is written: `OID 1.3.132.0.35` (X.690 §8.19).
fn object_identifier(der: &[u8]) -> String {
    let mut text = String::from("OID ");
    let mut number: u64 = 0;
    for (position, octet) in der.iter().enumerate() {
        number = number << 7 | u64::from(octet & 0x7f);
        if octet & 0x80 == 0 {
            text += &match position {
                0 => format!("{}.{}", (number / 40).min(2), number - 40 * (number / 40).min(2)),
                _ => format!(".{number}"),
            };
            number = 0;
        }
    }
    text
}
