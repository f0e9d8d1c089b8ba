//! What servers do otherwise than the specification says, and what is taken
//! from them all the same, since no check depends on it.

use crate::foreign_text::Quoted;

/// Something in a token response that is not as it should be, but is taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Quirk {
    /// 201 and others.
    #[error("its status is {0}, not 200")]
    Status(u16),
    /// JSON under another name.
    #[error("its content type is {}, not application/json", Quoted::name(.0))]
    ContentType(String),
    /// RFC 8259 §8.1.
    #[error("it begins with a byte order mark")]
    ByteOrderMark,
    /// GitHub, unless it is asked for JSON.
    #[error("it is a form, not JSON")]
    Form,
    /// An empty `error` beside a token.
    #[error("it has an empty error beside the token")]
    EmptyError,
    #[error("it has no token_type; Bearer is assumed")]
    NoTokenType,
    /// RFC 8693 §2.2.1.
    #[error("it has no issued_token_type, so that what was exchanged is not known to be what was wanted")]
    NoIssuedTokenType,
    /// Negative, words, an object.
    #[error("expires_in is not a usable number, so the token's lifetime is unknown")]
    ExpiresIn,
    /// 0, and no refresh token to get another one with.
    #[error("expires_in is 0, so the token has expired already")]
    ExpiresAtOnce,
    /// RFC 6749 §3.3.
    #[error("scope is a list, not a string")]
    ScopeList,
    /// RFC 6749 §3.3.
    #[error("scopes are separated by commas, not by spaces")]
    ScopeCommas,
    /// RFC 6749 Appendix A.17.
    #[error("refresh_token has characters other than printable ASCII")]
    RefreshTokenCharacters,
}

/// One sentence about all of them; `None` where there is none.
pub fn describe_quirks(quirks: &[Quirk]) -> Option<String> {
    let words: Vec<String> = quirks.iter().map(ToString::to_string).collect();
    (!words.is_empty()).then(|| format!("the token response is not as RFC 6749 §5.1 says: {}", words.join("; ")))
}
