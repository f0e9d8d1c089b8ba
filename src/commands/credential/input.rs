//! What a caller writes to a helper: all of standard input, bounded.

use super::error::HelperError;
use crate::error::{Error, ProcessError};
use std::io::{self, Read};
use zeroize::Zeroizing;

/// git and docker write less than a tenth of it.
const MAX_INPUT_BYTES: u64 = 1 << 20;

/// All of standard input as text. It may hold a password.
///
/// # Errors
/// [`HelperError`], [`ProcessError::Input`].
pub(super) fn read_request() -> Result<Zeroizing<String>, Error> {
    let mut bytes = Zeroizing::new(Vec::new());
    io::stdin()
        .lock()
        .take(MAX_INPUT_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(ProcessError::Input)?;
    if bytes.len() as u64 > MAX_INPUT_BYTES {
        return Err(HelperError::InputTooLong {
            limit_bytes: MAX_INPUT_BYTES,
        }
        .into());
    }
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(HelperError::NotText.into()),
    }
}
