//! A private key that signs, taken apart once and kept.

use super::algorithm::SigningAlgorithm;
use super::error::{SigningError, SigningKeyError};
use super::jws::{EncodedHeader, signing_input, with_signature};
use super::parts::{EllipticCurve, KeyParts, RsaParts};
use super::private_jwk::{PrivateJwk, PrivateNumbers};
use super::public_jwk::PublicJwk;
use super::{pem, private_jwk};
use crate::protocol::abnf::base64url;
use crate::secret::Secret;
use ring::rand::SystemRandom;
use ring::rsa::{KeyPairComponents, PublicKeyComponents};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding,
    RsaKeyPair,
};
use serde::Serialize;
use std::fmt;
use std::sync::Arc;

/// RFC 7518 §3.3.
const RSA_MIN_BITS: usize = 2048;

/// What ring signs with.
const RSA_MAX_BITS: usize = 4096;

/// A private key of a client or of the development server. A clone shares it.
#[derive(Clone)]
pub struct SigningKey {
    pair: Pair,
    public: PublicJwk,
    /// The `kid` of the JWK that it came as, or that it was given.
    key_id: Option<String>,
    /// The `alg` of the JWK that it came as: it signs with no other.
    only: Option<SigningAlgorithm>,
    numbers: PrivateNumbers,
}

#[derive(Clone)]
enum Pair {
    Rsa(Arc<RsaKeyPair>),
    P256(Arc<EcdsaKeyPair>),
    P384(Arc<EcdsaKeyPair>),
    Ed25519(Arc<Ed25519KeyPair>),
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SigningKey")
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

impl SigningKey {
    /// Reads a private key: PEM with PKCS#8, PKCS#1 or SEC1, or a JWK.
    ///
    /// # Errors
    /// [`SigningKeyError`].
    pub fn parse(text: &str) -> Result<Self, SigningKeyError> {
        match text.trim_start().starts_with('{') {
            true => private_jwk::parse(text).and_then(SigningKey::from_jwk),
            false => pem::private_key(text).and_then(SigningKey::from_parts),
        }
    }

    /// Reads a private key in PKCS#8 DER (RFC 5958).
    ///
    /// # Errors
    /// [`SigningKeyError`].
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, SigningKeyError> {
        pem::pkcs8(der).and_then(SigningKey::from_parts)
    }

    /// Makes a P-256 key.
    ///
    /// # Errors
    /// [`SigningError::Failed`].
    pub fn generate_p256() -> Result<Self, SigningError> {
        // ring clears no document that it writes; the copy that stays is a `Secret`.
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
            .map_err(|_| SigningError::Failed)?;
        SigningKey::from_pkcs8(document.as_ref()).map_err(|_| SigningError::Failed)
    }

    /// The same key under this `kid`.
    #[must_use]
    pub fn with_key_id(mut self, key_id: &str) -> Self {
        self.key_id = Some(key_id.to_owned());
        self
    }

    /// The public key.
    pub fn public_jwk(&self) -> &PublicJwk {
        &self.public
    }

    /// The `kid`: the one that it was given, else the thumbprint (RFC 7638).
    pub fn key_id(&self) -> String {
        self.key_id.clone().unwrap_or_else(|| self.public.thumbprint())
    }

    /// The key as JSON text that [`SigningKey::parse`] reads back: to be kept
    /// in a credential store and nowhere else.
    pub fn to_private_jwk(&self) -> Secret {
        let key_id = self.key_id.as_deref();
        let only = self.only.map(SigningAlgorithm::as_str);
        self.numbers.with_members(&[("kid", key_id), ("alg", only)])
    }

    /// The algorithms that it signs with, the usual one first.
    pub fn algorithms(&self) -> &[SigningAlgorithm] {
        match &self.only {
            Some(only) => std::slice::from_ref(only),
            None => self.pair.algorithms(),
        }
    }

    /// The first of its algorithms that the server lists; the usual one where
    /// the server lists none of them, or nothing.
    pub fn algorithm_for_server(&self, supported: &[String]) -> SigningAlgorithm {
        let algorithms = self.algorithms();
        let listed = |algorithm: &&SigningAlgorithm| supported.iter().any(|name| name == algorithm.as_str());
        // Every list has a first element, which the type does not say.
        let usual = algorithms.first().copied().unwrap_or(SigningAlgorithm::Es256);
        algorithms.iter().find(listed).copied().unwrap_or(usual)
    }

    /// Signs claims: a token in compact form (RFC 7515 §7.1).
    ///
    /// # Errors
    /// [`SigningError`].
    pub fn sign_jwt(&self, header: &EncodedHeader, claims: &impl Serialize) -> Result<Secret, SigningError> {
        let input = signing_input(header.as_str(), claims)?;
        let signature = self.sign(header.algorithm, input.as_bytes())?;
        Ok(with_signature(input, &signature))
    }

    /// Signs octets (RFC 7515 §5.1).
    ///
    /// # Errors
    /// [`SigningError`].
    pub fn sign(&self, algorithm: SigningAlgorithm, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        if !self.algorithms().contains(&algorithm) {
            return Err(SigningError::Algorithm(algorithm.as_str()));
        }
        self.pair.sign(algorithm, message)
    }

    fn from_jwk(jwk: PrivateJwk) -> Result<Self, SigningKeyError> {
        let PrivateJwk {
            parts,
            key_id,
            algorithm,
        } = jwk;
        let (pair, public) = Pair::new(&parts)?;
        let only = match algorithm {
            None => None,
            Some(name) => match SigningAlgorithm::from_name(&name) {
                Some(algorithm) if pair.algorithms().contains(&algorithm) => Some(algorithm),
                _ => return Err(SigningKeyError::Algorithm(name)),
            },
        };
        let numbers = PrivateNumbers::new(&parts, &public);
        Ok(SigningKey {
            pair,
            public,
            key_id,
            only,
            numbers,
        })
    }

    fn from_parts(parts: KeyParts) -> Result<Self, SigningKeyError> {
        SigningKey::from_jwk(PrivateJwk {
            parts,
            key_id: None,
            algorithm: None,
        })
    }
}

impl Pair {
    fn new(parts: &KeyParts) -> Result<(Self, PublicJwk), SigningKeyError> {
        match parts {
            KeyParts::Rsa(parts) => Pair::rsa(parts),
            KeyParts::EllipticCurve { curve, scalar, point } => Pair::elliptic_curve(*curve, scalar, point),
            KeyParts::Ed25519 { seed, public } => {
                let pair =
                    Ed25519KeyPair::from_seed_unchecked(seed.expose()).map_err(|_| SigningKeyError::Malformed)?;
                let own = pair.public_key().as_ref();
                if public.as_deref().is_some_and(|public| public != own) {
                    return Err(SigningKeyError::Inconsistent);
                }
                let x = base64url(own);
                Ok((Pair::Ed25519(Arc::new(pair)), PublicJwk::Ed25519 { x }))
            }
        }
    }

    fn rsa(parts: &RsaParts) -> Result<(Self, PublicJwk), SigningKeyError> {
        match parts.bits() {
            bits @ 0..RSA_MIN_BITS => return Err(SigningKeyError::RsaTooSmall(bits)),
            RSA_MIN_BITS..=RSA_MAX_BITS => {}
            bits => return Err(SigningKeyError::RsaTooLarge(bits)),
        }
        let pair = RsaKeyPair::from_components(&KeyPairComponents {
            public_key: PublicKeyComponents {
                n: &parts.modulus,
                e: &parts.exponent,
            },
            d: parts.private_exponent.expose(),
            p: parts.primes[0].expose(),
            q: parts.primes[1].expose(),
            dP: parts.prime_exponents[0].expose(),
            dQ: parts.prime_exponents[1].expose(),
            qInv: parts.coefficient.expose(),
        })
        .map_err(|_| SigningKeyError::Inconsistent)?;
        let public = PublicJwk::Rsa {
            modulus: base64url(&parts.modulus),
            exponent: base64url(&parts.exponent),
        };
        Ok((Pair::Rsa(Arc::new(pair)), public))
    }

    fn elliptic_curve(
        curve: EllipticCurve,
        scalar: &Secret<Vec<u8>>,
        point: &[u8],
    ) -> Result<(Self, PublicJwk), SigningKeyError> {
        let algorithm = match curve {
            EllipticCurve::P256 => &ECDSA_P256_SHA256_FIXED_SIGNING,
            EllipticCurve::P384 => &ECDSA_P384_SHA384_FIXED_SIGNING,
        };
        let pair =
            EcdsaKeyPair::from_private_key_and_public_key(algorithm, scalar.expose(), point, &SystemRandom::new())
                .map_err(|_| SigningKeyError::Inconsistent)?;
        // The first octet says that both coordinates follow (SEC 1 §2.3.3).
        let (x, y) = point[1..].split_at(point.len() / 2);
        let public = PublicJwk::EllipticCurve {
            curve: curve.name(),
            x: base64url(x),
            y: base64url(y),
        };
        let pair = Arc::new(pair);
        Ok(match curve {
            EllipticCurve::P256 => (Pair::P256(pair), public),
            EllipticCurve::P384 => (Pair::P384(pair), public),
        })
    }

    fn algorithms(&self) -> &'static [SigningAlgorithm] {
        match self {
            Pair::Rsa(_) => &[
                SigningAlgorithm::Rs256,
                SigningAlgorithm::Ps256,
                SigningAlgorithm::Rs384,
                SigningAlgorithm::Ps384,
                SigningAlgorithm::Rs512,
                SigningAlgorithm::Ps512,
            ],
            Pair::P256(_) => &[SigningAlgorithm::Es256],
            Pair::P384(_) => &[SigningAlgorithm::Es384],
            Pair::Ed25519(_) => &[SigningAlgorithm::EdDsa, SigningAlgorithm::Ed25519],
        }
    }

    fn sign(&self, algorithm: SigningAlgorithm, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        match self {
            Pair::Rsa(pair) => {
                let encoding = rsa_encoding(algorithm).ok_or(SigningError::Algorithm(algorithm.as_str()))?;
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(encoding, &SystemRandom::new(), message, &mut signature)
                    .map_err(|_| SigningError::Failed)?;
                Ok(signature)
            }
            Pair::P256(pair) | Pair::P384(pair) => pair
                .sign(&SystemRandom::new(), message)
                .map(|signature| signature.as_ref().to_vec())
                .map_err(|_| SigningError::Failed),
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
        }
    }
}

fn rsa_encoding(algorithm: SigningAlgorithm) -> Option<&'static dyn RsaEncoding> {
    Some(match algorithm {
        SigningAlgorithm::Rs256 => &RSA_PKCS1_SHA256,
        SigningAlgorithm::Rs384 => &RSA_PKCS1_SHA384,
        SigningAlgorithm::Rs512 => &RSA_PKCS1_SHA512,
        SigningAlgorithm::Ps256 => &RSA_PSS_SHA256,
        SigningAlgorithm::Ps384 => &RSA_PSS_SHA384,
        SigningAlgorithm::Ps512 => &RSA_PSS_SHA512,
        _ => return None,
    })
}
