//! Makes the RSA key. ring cannot, so the `rsa` crate does.

use super::error::KeyError;
use crate::protocol::random::{Randomness, RandomnessFailed};
use crate::protocol::signing::SigningKey;
use rsa::pkcs8::EncodePrivateKey;
use rsa::rand_core::{CryptoRng, RngCore};
use sha2::{Digest, Sha256};
use zeroize::Zeroize;

/// The size of the RSA key in bits; the least that RFC 7518 §3.3 allows.
pub(super) const RSA_BITS: usize = 2048;

pub(super) fn generate(randomness: &mut dyn Randomness) -> Result<SigningKey, KeyError> {
    let mut expanded = ExpandedSeed::draw(randomness)?;
    let key = rsa::RsaPrivateKey::new(&mut expanded, RSA_BITS).map_err(|_| KeyError::Failed)?;
    let document = key.to_pkcs8_der().map_err(|_| KeyError::Failed)?;
    Ok(SigningKey::from_pkcs8(document.as_bytes())?)
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
