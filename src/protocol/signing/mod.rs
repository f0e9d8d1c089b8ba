//! What this program signs itself: one kind of private key, its public half,
//! and one writer of signed tokens, for client and server alike (RFC 7515,
//! RFC 7517, RFC 7518, RFC 8037). Signatures of others are verified in `jwks`.

mod algorithm;
mod der;
mod error;
mod jws;
mod key;
mod parts;
mod pem;
mod private_jwk;
mod public_jwk;
#[cfg(test)]
mod tests;

pub use algorithm::{HmacAlgorithm, SigningAlgorithm};
pub use error::{SigningError, SigningKeyError};
pub use jws::{EncodedHeader, JwsHeader, JwtType, is_signed_with_secret, sign_with_secret};
pub use key::SigningKey;
pub use public_jwk::PublicJwk;
