//! `state`, which ties the authorization response to the request that asked
//! for it (RFC 6749 §10.12), and `nonce`, which does the same for the ID token
//! (OpenID Connect Core §15.5.2).

use super::abnf::{is_vschar_text, random_token};
use super::random::{Randomness, RandomnessFailed};
use crate::secret::Secret;
use subtle::ConstantTimeEq;

/// 256 random bits, made for one authorization request. There is no `==`:
/// only [`State::matches`], in constant time.
#[derive(Debug)]
pub struct State(Secret);

impl State {
    /// Draws a new one.
    ///
    /// # Errors
    /// [`RandomnessFailed`].
    pub fn generate(randomness: &mut dyn Randomness) -> Result<Self, RandomnessFailed> {
        random_token(randomness).map(State)
    }

    /// Takes a value that came in a request: `1*VSCHAR` (RFC 6749 Appendix A.5).
    /// `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        is_vschar_text(text).then(|| State(Secret::from(text)))
    }

    /// Whether the `state` of a response is the one that was sent.
    pub fn matches(&self, received: &str) -> bool {
        self.0.expose().as_bytes().ct_eq(received.as_bytes()).into()
    }

    /// The boundary to the authorization request.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// 256 random bits that the ID token must carry back.
#[derive(Debug)]
pub struct Nonce(Secret);

impl Nonce {
    /// Draws a new one.
    ///
    /// # Errors
    /// [`RandomnessFailed`].
    pub fn generate(randomness: &mut dyn Randomness) -> Result<Self, RandomnessFailed> {
        random_token(randomness).map(Nonce)
    }

    /// Takes a value that came in a request: `1*VSCHAR` (RFC 6749 Appendix A.5).
    /// `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        is_vschar_text(text).then(|| Nonce(Secret::from(text)))
    }

    /// How a message shows it: its length and fingerprint.
    pub fn redacted(&self) -> String {
        self.0.redacted()
    }

    /// Whether the `nonce` claim is the one that was sent.
    pub fn matches(&self, received: &str) -> bool {
        self.0.expose().as_bytes().ct_eq(received.as_bytes()).into()
    }

    /// The boundary to the authorization request.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}
