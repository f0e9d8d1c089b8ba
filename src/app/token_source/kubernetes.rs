//! `kubernetes`: the token that the kubelet puts into every pod of a service account.

use super::error::SourceProblem;
use super::file;
use crate::secret::Secret;
use std::path::Path;

/// Where it is in every pod.
const PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// The token of the service account.
pub(super) fn read() -> Result<Secret, SourceProblem> {
    file::read(Path::new(PATH))
}
