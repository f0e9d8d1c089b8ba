//! What a token request needs that no session keeps: tokens that are read from
//! their sources each time.

use super::caller::Caller;
use crate::exit::Diagnosis;
use crate::protocol::grant::token_exchange::TypedToken;
use crate::secret::Secret;
use crate::store::Session;
use std::pin::Pin;

/// The tokens for one request.
#[derive(Debug, Default)]
pub struct GrantInputs {
    /// RFC 8693 §2.1.
    pub subject: Option<TypedToken>,
    /// RFC 8693 §2.1.
    pub actor: Option<TypedToken>,
    /// RFC 7523 §2.1.
    pub assertion: Option<Secret>,
    /// RFC 7523 §2.2.
    pub client_assertion: Option<Secret>,
}

/// What [`SourceReader::read`] returns: the tokens, or the source that failed.
pub type ReadingSources<'a> = Pin<Box<dyn Future<Output = Result<GrantInputs, Box<dyn Diagnosis>>> + 'a>>;

/// Reads the sources of a session.
pub trait SourceReader {
    /// Reads what a token request for this session needs.
    fn read<'a>(&'a mut self, session: &'a Session, caller: &'a mut Caller<'_>) -> ReadingSources<'a>;
}

/// Reads nothing: for grants without sources.
#[derive(Debug)]
pub struct NoSources;

impl SourceReader for NoSources {
    fn read<'a>(&'a mut self, _session: &'a Session, _caller: &'a mut Caller<'_>) -> ReadingSources<'a> {
        Box::pin(async { Ok(GrantInputs::default()) })
    }
}
