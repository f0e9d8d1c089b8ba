//! `file:PATH`: a file that another program keeps fresh.

use super::error::SourceProblem;
use super::text::{MAX_TOKEN_BYTES, token_from_bytes};
use crate::secret::Secret;
use crate::system::files::named;
use std::path::Path;

/// The token that is in the file now.
pub(super) fn read(path: &Path) -> Result<Secret, SourceProblem> {
    // And a line ending
    let content = named::read_at_most(path, MAX_TOKEN_BYTES + 2).map_err(SourceProblem::File)?;
    token_from_bytes(content)
}
