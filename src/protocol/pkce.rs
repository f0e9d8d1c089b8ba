//! Proof Key for Code Exchange (RFC 7636), S256 alone: `plain` does not exist
//! here, so nothing can fall back to it (§7.2).

use super::abnf::{base64url, is_unreserved_text, random_token};
use super::citation::Cited;
use super::random::{Randomness, RandomnessFailed};
use crate::secret::Secret;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The one `code_challenge_method` (RFC 7636 §4.2).
pub const S256: &str = "S256";

/// A high-entropy secret, made for one authorization request (RFC 7636 §4.1).
/// Not `Clone`: it goes into one token request.
#[derive(Debug)]
pub struct CodeVerifier(Secret);

/// A verifier that the ABNF of RFC 7636 §4.1 does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a code verifier is 43 to 128 characters of [A-Za-z0-9-._~] (RFC 7636 §4.1)")]
pub struct InvalidCodeVerifier;

impl CodeVerifier {
    /// 32 random octets as 43 characters (RFC 7636 §4.1 recommends just that).
    ///
    /// # Errors
    /// [`RandomnessFailed`]: no verifier is better than a weak one.
    pub fn generate(randomness: &mut dyn Randomness) -> Result<Self, RandomnessFailed> {
        random_token(randomness).map(CodeVerifier)
    }

    /// Takes a verifier that came from elsewhere: `43*128unreserved`.
    ///
    /// # Errors
    /// [`InvalidCodeVerifier`] for any other length or character.
    pub fn parse(text: &str) -> Result<Self, InvalidCodeVerifier> {
        if (43..=128).contains(&text.len()) && is_unreserved_text(text) {
            Ok(CodeVerifier(Secret::from(text)))
        } else {
            Err(InvalidCodeVerifier)
        }
    }

    /// `BASE64URL-ENCODE(SHA256(ASCII(code_verifier)))` (RFC 7636 §4.2).
    pub fn challenge(&self) -> CodeChallenge {
        CodeChallenge(base64url(&Sha256::digest(self.0.expose().as_bytes())))
    }

    /// The boundary to the token request.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// The S256 hash of a verifier; not a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeChallenge(String);

/// A challenge that no S256 hash can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.cited())]
pub struct InvalidCodeChallenge;

impl InvalidCodeChallenge {
    /// The reason and the section behind it.
    pub fn cited(&self) -> Cited {
        Cited::new(
            "an S256 code challenge is 43 characters of base64url without padding",
            "RFC 7636 §4.2",
        )
    }
}

impl CodeChallenge {
    /// Takes a challenge from an authorization request: 43 characters of `[A-Za-z0-9-_]`.
    ///
    /// # Errors
    /// [`InvalidCodeChallenge`] for anything else.
    pub fn parse(text: &str) -> Result<Self, InvalidCodeChallenge> {
        let valid = text.len() == 43
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        valid
            .then(|| CodeChallenge(text.to_owned()))
            .ok_or(InvalidCodeChallenge)
    }

    /// Whether the verifier hashes into this challenge (RFC 7636 §4.6), in constant time.
    pub fn matches(&self, verifier: &CodeVerifier) -> bool {
        self.0.as_bytes().ct_eq(verifier.challenge().0.as_bytes()).into()
    }

    /// The text on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::random::RandomnessFailed;

    struct Fixed(Vec<u8>);
    impl Randomness for Fixed {
        fn fill(&mut self, buffer: &mut [u8]) -> Result<(), RandomnessFailed> {
            buffer.copy_from_slice(&self.0);
            Ok(())
        }
    }
    struct Broken;
    impl Randomness for Broken {
        fn fill(&mut self, _buffer: &mut [u8]) -> Result<(), RandomnessFailed> {
            Err(RandomnessFailed)
        }
    }

    #[test]
    fn rfc_7636_appendix_b() {
        let octets = vec![
            116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212, 37, 77, 105, 214, 191,
            240, 91, 88, 5, 88, 83, 132, 141, 121,
        ];
        let verifier = CodeVerifier::generate(&mut Fixed(octets)).unwrap();
        assert_eq!(verifier.expose(), "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(
            verifier.challenge().as_str(),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
        assert!(verifier.challenge().matches(&verifier));
    }

    #[test]
    fn challenges_at_the_edges_of_the_syntax() {
        for (verifier, challenge) in [
            ("a".repeat(43), "ZtNPunH49FD35FWYhT5Tv8I7vRKQJ8uxMaL0_9eHjNA"),
            ("~".repeat(128), "zNhOm5Jyonenca7bQzzpjUpwFDVrfhrbbOGCqgWA6HU"),
            (
                format!("-._~{}", "A".repeat(39)),
                "FN1dv0vEU37wXC1cQ42RpBUVvU7UToPCkERA9EDf92Y",
            ),
        ] {
            assert_eq!(CodeVerifier::parse(&verifier).unwrap().challenge().as_str(), challenge);
        }
    }

    #[test]
    fn a_verifier_outside_the_syntax_is_refused() {
        let long = "a".repeat(42);
        for bad in [
            "",
            &long,
            &"a".repeat(129),
            &format!("{long}="),
            &format!("{long}+"),
            &format!("{long}é"),
        ] {
            assert_eq!(CodeVerifier::parse(bad).err(), Some(InvalidCodeVerifier), "{bad}");
        }
        for bad in [
            "a".repeat(42),
            "a".repeat(44),
            format!("{long}="),
            format!("{long}+"),
            format!("{long}~"),
        ] {
            assert_eq!(CodeChallenge::parse(&bad), Err(InvalidCodeChallenge), "{bad}");
        }
    }

    #[test]
    fn failing_randomness_gives_an_error_not_a_weak_verifier() {
        assert_eq!(CodeVerifier::generate(&mut Broken).err(), Some(RandomnessFailed));
    }

    #[test]
    fn another_verifier_does_not_match() {
        let challenge = CodeVerifier::parse(&"a".repeat(43)).unwrap().challenge();
        assert!(!challenge.matches(&CodeVerifier::parse(&"b".repeat(43)).unwrap()));
    }
}
