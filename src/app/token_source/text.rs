//! What every source gives: one line, the token.

use super::error::SourceProblem;
use crate::secret::Secret;
use zeroize::Zeroizing;

/// No token is longer.
pub(super) const MAX_TOKEN_BYTES: usize = 64 * 1024;

/// The token that these bytes are, but for one line ending at their end.
///
/// # Errors
/// [`SourceProblem::NotAToken`].
pub(super) fn token_from_bytes(bytes: Zeroizing<Vec<u8>>) -> Result<Secret, SourceProblem> {
    let not = SourceProblem::NotAToken;
    let text = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    if text.len() > MAX_TOKEN_BYTES {
        return Err(not("the token is longer than 64 KiB"));
    }
    if text.is_empty() {
        return Err(not("the token is empty"));
    }
    match std::str::from_utf8(text) {
        Ok(text) if text.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(Secret::from(text)),
        _ => Err(not("the token is not one line of printable ASCII without spaces")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_one_line_of_printable_ascii() {
        let read = |text: &str| token_from_bytes(Zeroizing::new(text.as_bytes().to_vec()));
        for text in ["a.b.c", "a.b.c\n", "a.b.c\r\n"] {
            assert_eq!(read(text).unwrap().expose(), "a.b.c");
        }
        for text in ["", "\n", "a b", "a\nb", "a\n\n", "ä", "\u{1b}[1m"] {
            assert!(read(text).is_err(), "{text:?}");
        }
        assert!(read(&"a".repeat(MAX_TOKEN_BYTES)).is_ok());
        assert!(read(&"a".repeat(MAX_TOKEN_BYTES + 1)).is_err());
    }
}
