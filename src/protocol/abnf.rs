//! The character classes of RFC 6749 Appendix A and RFC 7636 §4.1, and the
//! one encoding that all random values share.

use super::random::{Randomness, RandomnessFailed};
use crate::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use zeroize::Zeroize;

/// `VSCHAR`: printable ASCII and space (RFC 6749 Appendix A).
pub(crate) fn is_vschar_text(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| (0x20..=0x7e).contains(&byte))
}

/// `NQSCHAR`: `VSCHAR` without `"` and `\` (RFC 6749 Appendix A).
pub(crate) fn is_nqschar_text(text: &str) -> bool {
    is_vschar_text(text) && !text.contains(['"', '\\'])
}

/// `NQCHAR`: `NQSCHAR` without space, as in a scope-token.
pub(crate) fn is_nqchar_text(text: &str) -> bool {
    is_nqschar_text(text) && !text.contains(' ')
}

/// `unreserved` of RFC 7636 §4.1.
pub(crate) fn is_unreserved_text(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

/// BASE64URL without padding (RFC 7636 Appendix A).
pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of BASE64URL text without padding; `None` for anything else.
pub fn from_base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Standard base64 with padding, as HTTP Basic wants it.
pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The bytes of standard base64 text with padding.
pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// 256 bits of randomness as 43 characters of BASE64URL.
///
/// # Errors
/// [`RandomnessFailed`]: then there is no value.
pub fn random_token(randomness: &mut dyn Randomness) -> Result<Secret, RandomnessFailed> {
    let mut octets = [0u8; 32];
    randomness.fill(&mut octets)?;
    let token = Secret::new(base64url(&octets));
    octets.zeroize();
    Ok(token)
}
