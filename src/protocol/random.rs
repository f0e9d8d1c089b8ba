//! Randomness as an argument: the core draws nothing by itself.

/// Fills buffers with cryptographically secure random bytes.
pub trait Randomness {
    /// Fills the whole buffer.
    ///
    /// # Errors
    /// [`RandomnessFailed`] when the source has none to give; the buffer must
    /// not be used then.
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), RandomnessFailed>;
}

/// The source of randomness failed. There is no fallback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gave no random bytes")]
pub struct RandomnessFailed;
