//! Randomness for tests: different each time, the same in each run.

use crate::protocol::random::{Randomness, RandomnessFailed};
use sha2::{Digest, Sha256};

#[derive(Default)]
pub(crate) struct FixedRng(u64);

impl Randomness for FixedRng {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), RandomnessFailed> {
        for chunk in buffer.chunks_mut(32) {
            self.0 += 1;
            chunk.copy_from_slice(&Sha256::digest(self.0.to_le_bytes())[..chunk.len()]);
        }
        Ok(())
    }
}
