//! The operating system's clock and randomness, for those who hand them to
//! the core.

use crate::protocol::random::{Randomness, RandomnessFailed};
use crate::protocol::time::UnixSeconds;
use rand::TryRng;
use rand::rngs::SysRng;
use std::time::{SystemTime, UNIX_EPOCH};

/// The random bytes of the operating system.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemRandomness;

impl Randomness for SystemRandomness {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), RandomnessFailed> {
        SysRng.try_fill_bytes(buffer).map_err(|_| RandomnessFailed)
    }
}

/// The wall clock now. A clock before 1970 counts as 1970.
pub fn now() -> UnixSeconds {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixSeconds(i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX))
}
