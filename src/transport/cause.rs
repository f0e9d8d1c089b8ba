//! What the system, the libraries and PEM files say is wrong.

use super::error_chain::chain;
use crate::system::files::FileError;
use std::error::Error;

/// What went wrong below, as text without secrets.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Cause(String);

impl Cause {
    pub(super) fn new(text: &str) -> Self {
        Cause(text.to_owned())
    }

    /// The last error of the chain, which says most; the ones around it repeat it.
    pub(super) fn innermost(error: &(dyn Error + 'static)) -> Self {
        let last = chain(error).last();
        Cause(last.map_or_else(String::new, ToString::to_string))
    }
}

/// Why a PEM file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PemProblem {
    /// It cannot be opened or read.
    #[error("it cannot be read")]
    Unreadable(#[source] FileError),
    /// It is not well-formed PEM.
    #[error("it is not well-formed PEM")]
    Malformed(#[source] rustls::pki_types::pem::Error),
    /// It is PEM or other text, but without what is needed.
    #[error("there is no {0} in it")]
    NothingInIt(&'static str),
}
