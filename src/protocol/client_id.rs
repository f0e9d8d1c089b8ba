//! Client ID (RFC 6749 §2.2).

use super::abnf::is_vschar_text;
use std::fmt;

/// `client_id`: `1*VSCHAR` here, since an empty one identifies no client (RFC 6749 Appendix A.1).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClientId(String);

/// Text that cannot be a `client_id`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a client_id is printable ASCII and not empty (RFC 6749 Appendix A.1)")]
pub struct InvalidClientId;

impl ClientId {
    /// Takes printable ASCII.
    ///
    /// # Errors
    /// [`InvalidClientId`].
    pub fn parse(text: &str) -> Result<Self, InvalidClientId> {
        if is_vschar_text(text) {
            Ok(ClientId(text.to_owned()))
        } else {
            Err(InvalidClientId)
        }
    }

    /// A client that names itself nowhere: a grant that is based on a token of
    /// someone else needs none (RFC 7521 §4.1, RFC 8693 §2.1).
    pub fn unnamed() -> Self {
        ClientId(String::new())
    }

    /// Whether it is one.
    pub fn is_unnamed(&self) -> bool {
        self.0.is_empty()
    }

    /// The text on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
