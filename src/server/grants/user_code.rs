//! The code that a person types (RFC 8628 §6.1): consonants only, so that no
//! word comes out, compared without case, dashes and spaces.

use crate::protocol::random::{Randomness, RandomnessFailed};
use crate::secret::Secret;
use std::fmt;

/// No vowels, and no letters that are taken for digits.
const ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

/// 20^8 codes: 34 bits.
const LENGTH: usize = 8;

/// A user code without its dash, in capitals.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct UserCode(String);

impl fmt::Debug for UserCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("UserCode")
    }
}

impl UserCode {
    /// Draws a code, each letter as likely as the others.
    ///
    /// # Errors
    /// [`RandomnessFailed`].
    pub(crate) fn draw(randomness: &mut dyn Randomness) -> Result<Self, RandomnessFailed> {
        UserCode::draw_of_length(randomness, LENGTH)
    }

    /// The same with fewer letters, where a rule about that is violated.
    pub(crate) fn draw_of_length(randomness: &mut dyn Randomness, length: usize) -> Result<Self, RandomnessFailed> {
        let mut text = String::with_capacity(length);
        while text.len() < length {
            let mut byte = [0];
            randomness.fill(&mut byte)?;
            // 240 is 12 times 20: what is above would make some letters likelier
            if byte[0] < 240 {
                text.push(char::from(ALPHABET[usize::from(byte[0]) % ALPHABET.len()]));
            }
        }
        Ok(UserCode(text))
    }

    /// What a person typed. Whatever it is, it can be looked for.
    pub(crate) fn typed(text: &str) -> Self {
        let letters = text.chars().filter(char::is_ascii_alphanumeric).take(2 * LENGTH);
        UserCode(letters.map(|letter| letter.to_ascii_uppercase()).collect())
    }

    /// As it is shown: `WDJB-MJHT`.
    pub(crate) fn shown(&self) -> Secret {
        let (first, second) = self.0.split_at(self.0.len() / 2);
        Secret::new(format!("{first}-{second}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::test_randomness::FixedRng;

    #[test]
    fn a_code_is_eight_consonants_and_is_found_however_it_is_typed() {
        let code = UserCode::draw(&mut FixedRng::default()).unwrap();
        let shown = code.shown();
        let shown = shown.expose();
        assert_eq!((shown.len(), shown.as_bytes()[4]), (9, b'-'));
        assert!(
            shown
                .bytes()
                .filter(|byte| *byte != b'-')
                .all(|byte| ALPHABET.contains(&byte))
        );
        for typed in [
            shown.to_lowercase(),
            shown.replace('-', ""),
            shown.replace('-', " "),
            format!("  {shown} "),
            shown.replace('-', "\u{2013}"),
        ] {
            assert_eq!(UserCode::typed(&typed), code, "{typed}");
        }
        assert_ne!(UserCode::typed(&shown[1..]), code);
    }
}
