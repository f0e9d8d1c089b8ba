//! `env:NAME`: a variable that a CI system sets.

use super::error::SourceProblem;
use super::text::token_from_bytes;
use crate::secret::Secret;
use crate::system::environment::Environment;
use zeroize::Zeroizing;

/// The value of the variable.
pub(super) fn read(environment: &Environment, name: &str) -> Result<Secret, SourceProblem> {
    let value = environment.raw(name);
    let value = value.ok_or_else(|| SourceProblem::Variable(name.to_owned()))?;
    token_from_bytes(Zeroizing::new(value.as_encoded_bytes().to_vec()))
}
