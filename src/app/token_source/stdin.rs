//! `stdin`: once, at the login.

use super::error::SourceProblem;
use super::text::{MAX_TOKEN_BYTES, token_from_bytes};
use crate::secret::Secret;
use std::io::{self, Read};
use zeroize::Zeroizing;

/// All of standard input.
pub(super) fn read() -> Result<Secret, SourceProblem> {
    const MAX_BYTES: usize = MAX_TOKEN_BYTES + 3;
    let mut content = Zeroizing::new(Vec::with_capacity(MAX_BYTES));
    let reading = io::stdin().lock().take(MAX_BYTES as u64).read_to_end(&mut content);
    reading.map_err(SourceProblem::Stdin)?;
    token_from_bytes(content)
}
