//! The numbers of a private key, whatever form they came in.

use super::error::SigningKeyError;
use crate::secret::Secret;

/// A curve for ECDSA (RFC 7518 §6.2.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EllipticCurve {
    P256,
    P384,
}

impl EllipticCurve {
    pub(super) fn name(self) -> &'static str {
        match self {
            EllipticCurve::P256 => "P-256",
            EllipticCurve::P384 => "P-384",
        }
    }

    /// The length of a coordinate and of the private scalar.
    fn length_bytes(self) -> usize {
        match self {
            EllipticCurve::P256 => 32,
            EllipticCurve::P384 => 48,
        }
    }
}

pub(super) enum KeyParts {
    Rsa(RsaParts),
    EllipticCurve {
        curve: EllipticCurve,
        scalar: Secret<Vec<u8>>,
        /// Uncompressed: 0x04, x, y (SEC 1 §2.3.3).
        point: Vec<u8>,
    },
    Ed25519 {
        seed: Secret<Vec<u8>>,
        /// Where the form has it; it follows from the seed.
        public: Option<Vec<u8>>,
    },
}

/// RFC 8017 §3.2, every number without leading zeros.
pub(super) struct RsaParts {
    pub(super) modulus: Vec<u8>,
    pub(super) exponent: Vec<u8>,
    pub(super) private_exponent: Secret<Vec<u8>>,
    pub(super) primes: [Secret<Vec<u8>>; 2],
    pub(super) prime_exponents: [Secret<Vec<u8>>; 2],
    pub(super) coefficient: Secret<Vec<u8>>,
}

impl RsaParts {
    pub(super) fn bits(&self) -> usize {
        self.modulus
            .first()
            .map_or(0, |first| self.modulus.len() * 8 - first.leading_zeros() as usize)
    }
}

impl KeyParts {
    /// Takes a scalar whose leading zeros were dropped, too.
    pub(super) fn elliptic_curve(curve: EllipticCurve, scalar: &[u8], point: &[u8]) -> Result<Self, SigningKeyError> {
        let length_bytes = curve.length_bytes();
        if scalar.len() > length_bytes || point.len() != 1 + 2 * length_bytes || point.first() != Some(&4) {
            return Err(SigningKeyError::Malformed);
        }
        let mut padded = vec![0; length_bytes - scalar.len()];
        padded.extend_from_slice(scalar);
        Ok(KeyParts::EllipticCurve {
            curve,
            scalar: Secret::new(padded),
            point: point.to_vec(),
        })
    }
}
