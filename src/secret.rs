//! Values that must not be seen: no `Display`, no `Serialize`, a redacted
//! `Debug`, zeroed on drop. Reading one takes a call to [`Secret::expose`],
//! and `tests/architecture.rs` lists the files where that call may stand.

use crate::hex::hex;
use sha2::{Digest, Sha256};
use std::fmt;
use zeroize::Zeroize;

/// A secret value, such as a token, a code or a key.
#[derive(Clone)]
pub struct Secret<T: Zeroize = String>(T);

impl<T: Zeroize> Secret<T> {
    /// Takes the value in; from here on it is redacted and will be zeroed.
    pub fn new(value: T) -> Self {
        Secret(value)
    }

    /// The boundary: the value itself. Where this is called, the secret can leak.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl Secret<String> {
    /// The number of characters, which is safe to show.
    pub fn length_chars(&self) -> usize {
        self.0.chars().count()
    }

    /// Eight hex digits of the SHA-256, so that two redacted values can be
    /// compared. Only for values that a machine drew at random: the
    /// fingerprint of a guessable value would confirm a guess.
    pub fn fingerprint(&self) -> String {
        let digest = Sha256::digest(self.0.as_bytes());
        hex(&digest[..4])
    }

    /// How a renderer shows this value: `[redacted, 43 chars, sha256 1a2b3c4d]`.
    pub fn redacted(&self) -> String {
        format!(
            "[redacted, {} chars, sha256 {}]",
            self.length_chars(),
            self.fingerprint()
        )
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl From<&str> for Secret<String> {
    fn from(value: &str) -> Self {
        Secret(value.to_owned())
    }
}

impl From<String> for Secret<String> {
    fn from(value: String) -> Self {
        Secret(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_and_redacted_show_no_character_of_the_value() {
        let secret = Secret::from("hunter2-hunter2");
        assert_eq!(format!("{secret:?}"), "[redacted]");
        assert_eq!(secret.redacted(), "[redacted, 15 chars, sha256 84ca4458]");
    }
}
