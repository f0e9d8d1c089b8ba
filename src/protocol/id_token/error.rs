//! Why an ID token is not accepted, with the item of the specification.

use super::OtherParty;
use super::signature::NoProof;
use crate::foreign_text::Quoted;
use crate::protocol::jose::JwtError;
use crate::protocol::time::UnixSeconds;

/// Why an ID token must not be accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdTokenError {
    #[error("the ID token cannot be read: {0}")]
    Jwt(#[from] JwtError),
    /// RFC 8725 §3.1, §3.2.
    #[error("the ID token is signed with {}, which proves nothing here (RFC 8725 §3.1)", Quoted::name(.0))]
    Algorithm(String),
    /// Another algorithm than those of `id_token_signing_alg_values_supported`.
    #[error("the ID token is signed with {}, which the server's metadata does not list (id_token_signing_alg_values_supported, OpenID Connect Discovery §3)", Quoted::name(.0))]
    UnannouncedAlgorithm(String),
    /// Item 6.
    #[error("the ID token is not verified: {0} (OpenID Connect Core §3.1.3.7 item 6)")]
    Signature(#[from] NoProof),
    /// RFC 7515 §4.1.11.
    #[error("the ID token has a crit header, none of whose extensions is known (RFC 7515 §4.1.11)")]
    Critical,
    /// A required claim is absent or of another type.
    #[error("the ID token has no usable {0} claim (OpenID Connect Core §2)")]
    Missing(&'static str),
    /// Item 2.
    #[error(
        "the ID token is from {}, but {} was asked for{} (OpenID Connect Core §3.1.3.7 item 2)",
        Quoted::name(found),
        Quoted::name(expected),
        contradiction(expected, found)
    )]
    Issuer {
        expected: String,
        /// Who says to have signed.
        found: String,
    },
    /// Item 3.
    #[error(
        "the ID token is for {}, not for this client: aud does not hold {} (OpenID Connect Core §3.1.3.7 item 3)",
        Quoted::name(found),
        Quoted::name(expected)
    )]
    Audience {
        expected: String,
        /// The clients that it is for.
        found: String,
    },
    /// Items 3 to 5.
    #[error(
        "the ID token is for several audiences or another authorized party, and azp is not this client: {} (OpenID Connect Core §3.1.3.7 items 3 to 5)",
        has("azp", found.as_deref())
    )]
    AuthorizedParty { found: Option<String> },
    /// Item 9.
    #[error("the ID token expired {0} s ago: exp is {n} (OpenID Connect Core §3.1.3.7 item 9)", n = .1.0)]
    Expired(i64, UnixSeconds),
    /// RFC 7519 §4.1.5.
    #[error("the ID token is not valid for another {0} s: nbf is {n} (RFC 7519 §4.1.5)", n = .1.0)]
    NotYetValid(i64, UnixSeconds),
    /// RFC 7519 §2 counts seconds.
    #[error("the ID token's {0} is in milliseconds instead of seconds (NumericDate, RFC 7519 §2)")]
    Milliseconds(&'static str),
    /// Item 10.
    #[error("the ID token was issued {0} s in the future: iat is {n}", n = .1.0)]
    IssuedInFuture(i64, UnixSeconds),
    /// Item 10.
    #[error(
        "the ID token was issued {0} s ago, too long for a login that just ended: iat is {n} (OpenID Connect Core §3.1.3.7 item 10)",
        n = .1.0
    )]
    IssuedLongAgo(i64, UnixSeconds),
    /// Item 11.
    #[error(
        "the ID token's nonce is not the one that was sent: sent {}, received {} (OpenID Connect Core §3.1.3.7 item 11)",
        sent.as_deref().unwrap_or("none"),
        found.as_deref().unwrap_or("none")
    )]
    Nonce {
        /// Redacted, with its fingerprint, as in a trace.
        sent: Option<String>,
        /// The same of what the ID token has.
        found: Option<String>,
    },
    /// Item 13.
    #[error(
        "{age_s} s have passed since the sign-in (auth_time), but max_age allows {max_age_s} s (OpenID Connect Core §3.1.3.7 item 13)"
    )]
    SignedInTooLongAgo { age_s: i64, max_age_s: u64 },
    /// §3.1.3.8.
    #[error("at_hash in the ID token does not match the access token (OpenID Connect Core §3.1.3.8)")]
    AccessTokenHash,
    /// §12.2.
    #[error(
        "the refreshed ID token is of {}, but {} signed in (OpenID Connect Core §12.2)",
        Quoted::name(found),
        Quoted::name(expected)
    )]
    OtherSubject {
        expected: String,
        /// Who it is of.
        found: String,
    },
    /// §12.2.
    #[error("the refreshed ID token has another {0} than the first one (OpenID Connect Core §12.2)")]
    Changed(&'static str),
}

fn has(claim: &str, value: Option<&str>) -> String {
    value.map_or_else(
        || format!("it has no {claim}"),
        |value| format!("{claim} is {}", Quoted::name(value)),
    )
}

/// What a difference in the slash at the end alone means.
fn contradiction(expected: &str, found: &str) -> &'static str {
    if differ_in_final_slash(expected, found) {
        ": the two differ only in the trailing slash, so the server does not match its own metadata, and its operator has to correct it"
    } else {
        ""
    }
}

fn differ_in_final_slash(one: &str, other: &str) -> bool {
    one != other && one.trim_end_matches('/') == other.trim_end_matches('/')
}

impl IdTokenError {
    /// Whether the server names its issuer in two ways, one with a slash at the end.
    pub fn is_contradiction_of_server(&self) -> bool {
        matches!(self, IdTokenError::Issuer { expected, found } if differ_in_final_slash(expected, found))
    }

    /// In what the ID token speaks of another party, if that is what is wrong.
    pub fn other_party(&self) -> Option<OtherParty> {
        let (claim, expected, found) = match self {
            IdTokenError::Issuer { expected, found } => ("iss", expected, found),
            IdTokenError::OtherSubject { expected, found } => ("sub", expected, found),
            IdTokenError::Audience { expected, found } => ("aud", expected, found),
            _ => return None,
        };
        Some(OtherParty {
            claim,
            expected: expected.clone(),
            found: found.clone(),
        })
    }

    /// Whether it is encrypted, which the client's registration decides.
    pub fn is_encrypted(&self) -> bool {
        matches!(self, IdTokenError::Jwt(JwtError::Encrypted))
    }

    /// Whether a clock that is off would explain it.
    pub fn may_be_clock_skew(&self) -> bool {
        matches!(
            self,
            IdTokenError::Expired(..)
                | IdTokenError::NotYetValid(..)
                | IdTokenError::IssuedInFuture(..)
                | IdTokenError::IssuedLongAgo(..)
                | IdTokenError::SignedInTooLongAgo { .. }
        )
    }
}
