//! The claims of an ID token, checked as OpenID Connect Core §3.1.3.7 and
//! §12.2 say. The signature is checked in `signature`.

mod error;
mod signature;

pub use error::IdTokenError;
pub use signature::{IdTokenSignature, NoProof};

use super::abnf::base64url;
use super::jose::UnverifiedJwt;
use super::jwks::is_supported_algorithm;
use super::state::Nonce;
use super::time::UnixSeconds;
use crate::secret::Secret;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256, Sha384, Sha512};

/// How far two clocks may be apart.
pub const CLOCK_SKEW_S: i64 = 60;

/// As seconds this is the year 5138, as milliseconds 1973: a token that was
/// issued then or later counts milliseconds.
const FIRST_MILLISECONDS: UnixSeconds = UnixSeconds(100_000_000_000);

/// How old an ID token may be when the login that asked for it ends.
pub(crate) const ISSUED_AT_MAX_AGE_S: i64 = 600;

/// What the claims are checked against.
#[derive(Debug)]
pub struct Expected<'a> {
    /// Exactly the issuer of the metadata; `None` where only endpoints are known.
    pub issuer: Option<&'a str>,
    /// Must be in `aud`.
    pub client_id: &'a str,
    /// Whether the client has a secret, with which alone an HMAC proves anything.
    pub client_has_secret: bool,
    /// What the client's clock says.
    pub now: UnixSeconds,
    /// The access token that came along, for `at_hash`.
    pub access_token: &'a Secret,
    /// Where the ID token came from.
    pub context: IdTokenContext<'a>,
}

/// Where an ID token came from decides what it must say.
#[derive(Debug)]
pub enum IdTokenContext<'a> {
    /// A login.
    Login(LoginDemands<'a>),
    /// A refresh: what the first ID token said (OpenID Connect Core §12.2).
    Refresh {
        /// `sub` must be this.
        subject: Option<&'a str>,
        /// The other claims that must stay.
        first: Option<&'a FirstClaims>,
    },
}

/// What a login asked of the ID token.
#[derive(Debug, Default)]
pub struct LoginDemands<'a> {
    /// The nonce that was sent, if one was.
    pub nonce: Option<&'a Nonce>,
    /// The `max_age` that was sent, in seconds.
    pub max_age_s: Option<u64>,
    /// `id_token_signing_alg_values_supported`; empty where the server does not say.
    pub algorithms: &'a [String],
}

/// The claims of the first ID token of a session that those of a refresh must
/// repeat where they have them (OpenID Connect Core §12.2).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FirstClaims {
    /// What was sent with the authorization request.
    pub nonce: Option<String>,
    /// When the resource owner signed in.
    pub auth_time: Option<UnixSeconds>,
    /// The authorized party, which must stay away as well.
    pub azp: Option<String>,
}

impl FirstClaims {
    /// The claims of a stored ID token; `None` where it cannot be read.
    pub fn of_stored(id_token: &Secret) -> Option<Self> {
        let jwt = UnverifiedJwt::decode(id_token.expose()).ok()?;
        Some(FirstClaims::of(&jwt.claims))
    }

    fn of(claims: &Map<String, Value>) -> Self {
        let text = |claim: &str| claims.get(claim).and_then(Value::as_str).map(str::to_owned);
        FirstClaims {
            nonce: text("nonce"),
            auth_time: claims.get("auth_time").and_then(numeric_date),
            azp: text("azp"),
        }
    }

    /// The first claim in which a refreshed ID token differs.
    fn difference(&self, refreshed: &FirstClaims) -> Option<&'static str> {
        let differs = |first: bool, same: bool| first && !same;
        if differs(refreshed.nonce.is_some(), refreshed.nonce == self.nonce) {
            return Some("nonce");
        }
        let times = self.auth_time.zip(refreshed.auth_time);
        if times.is_some_and(|(first, refreshed)| first != refreshed) {
            return Some("auth_time");
        }
        (self.azp != refreshed.azp).then_some("azp")
    }
}

/// In what an ID token speaks of someone else than the session is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherParty {
    /// `iss`, `sub` or `aud`.
    pub claim: &'static str,
    /// What the session has.
    pub expected: String,
    /// What the ID token has. Text from the network.
    pub found: String,
}

/// An ID token whose claims hold.
#[derive(Debug, Clone)]
pub struct IdToken {
    /// Who signed in, unique at this issuer.
    pub subject: String,
    /// When the token itself expires.
    pub expires_at: UnixSeconds,
    /// All claims, for display. Text from the network.
    pub claims: Map<String, Value>,
}

impl IdToken {
    /// The name a person would know the subject by; falls back to `sub`.
    pub fn display_name(&self) -> &str {
        name_in(&self.claims).unwrap_or(&self.subject)
    }
}

/// The name that a person would know the subject of a stored ID token by.
/// `None` where it has none, or is of another subject. Text from the network.
pub fn stored_name(id_token: &Secret, subject: &str) -> Option<String> {
    let claims = UnverifiedJwt::decode(id_token.expose()).ok()?.claims;
    let is_of_subject = claims.get("sub").and_then(Value::as_str) == Some(subject);
    name_in(&claims).filter(|_| is_of_subject).map(str::to_owned)
}

fn name_in(claims: &Map<String, Value>) -> Option<&str> {
    ["email", "preferred_username", "name"].iter().find_map(|claim| {
        claims
            .get(*claim)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    })
}

/// Checks an ID token's claims.
///
/// # Errors
/// [`IdTokenError`]: then nothing of the token response may be used.
pub fn check(text: &str, expected: &Expected<'_>) -> Result<IdToken, IdTokenError> {
    let jwt = UnverifiedJwt::decode(text)?;
    // Of whom it speaks comes first: that must be known whatever else is wrong with it.
    check_issuer_and_subject(&jwt.claims, expected)?;
    let audiences = check_audience(&jwt.claims, expected)?;
    let algorithm = jwt.header.get("alg").and_then(Value::as_str).unwrap_or("none");
    check_algorithm(algorithm, expected)?;
    if jwt.header.contains_key("crit") {
        return Err(IdTokenError::Critical);
    }
    let claims = jwt.claims;
    match claims.get("azp") {
        None if audiences == 1 => {}
        Some(Value::String(party)) if party == expected.client_id => {}
        party => {
            return Err(IdTokenError::AuthorizedParty {
                found: party.map(|party| party.as_str().map_or_else(|| party.to_string(), str::to_owned)),
            });
        }
    }
    let expires_at = check_times(&claims, expected)?;
    let subject = subject_in(&claims).ok_or(IdTokenError::Missing("sub"))?.to_owned();
    match &expected.context {
        IdTokenContext::Login(demands) => demands.check(&claims, expected.now)?,
        IdTokenContext::Refresh { first, .. } => {
            if let Some(claim) = first.and_then(|first| first.difference(&FirstClaims::of(&claims))) {
                return Err(IdTokenError::Changed(claim));
            }
        }
    }
    if let Some(at_hash) = claims.get("at_hash") {
        let computed = access_token_hash(algorithm, expected.access_token);
        if computed.is_some_and(|computed| at_hash.as_str() != Some(&computed)) {
            return Err(IdTokenError::AccessTokenHash);
        }
    }
    Ok(IdToken {
        subject,
        expires_at,
        claims,
    })
}

/// Whether a signature by this algorithm can prove anything, and is one that
/// the server announces.
fn check_algorithm(algorithm: &str, expected: &Expected<'_>) -> Result<(), IdTokenError> {
    let is_with_secret = algorithm == signature::WITH_SECRET && expected.client_has_secret;
    if !is_with_secret && !is_supported_algorithm(algorithm) {
        return Err(IdTokenError::Algorithm(algorithm.to_owned()));
    }
    match expected.context {
        IdTokenContext::Login(LoginDemands { algorithms, .. }) if !algorithms.is_empty() => {
            // RFC 9864 gives EdDSA with this curve a name of its own.
            let same = |listed: &str| match listed {
                "EdDSA" | "Ed25519" => matches!(algorithm, "EdDSA" | "Ed25519"),
                listed => listed == algorithm,
            };
            match algorithms.iter().any(|listed| same(listed)) {
                true => Ok(()),
                false => Err(IdTokenError::UnannouncedAlgorithm(algorithm.to_owned())),
            }
        }
        _ => Ok(()),
    }
}

impl LoginDemands<'_> {
    /// Checks `nonce` and `auth_time` (OpenID Connect Core §3.1.3.7 items 11 and 13).
    fn check(&self, claims: &Map<String, Value>, now: UnixSeconds) -> Result<(), IdTokenError> {
        match (self.nonce, claims.get("nonce").map(Value::as_str)) {
            (Some(nonce), Some(Some(received))) if nonce.matches(received) => {}
            (None, None) => {}
            (sent, found) => {
                let redacted = |found: Option<&str>| Secret::from(found.unwrap_or_default()).redacted();
                return Err(IdTokenError::Nonce {
                    sent: sent.map(Nonce::redacted),
                    found: found.map(redacted),
                });
            }
        }
        let Some(max_age_s) = self.max_age_s else {
            return Ok(());
        };
        let auth_time = claims.get("auth_time").and_then(numeric_date);
        let age_s = now.seconds_since(auth_time.ok_or(IdTokenError::Missing("auth_time"))?);
        let limit_s = i64::try_from(max_age_s).unwrap_or(i64::MAX);
        if age_s > limit_s.saturating_add(CLOCK_SKEW_S) {
            return Err(IdTokenError::SignedInTooLongAgo { age_s, max_age_s });
        }
        Ok(())
    }
}

fn subject_in(claims: &Map<String, Value>) -> Option<&str> {
    let subject = claims.get("sub").and_then(Value::as_str)?;
    (!subject.is_empty() && subject.len() <= 255).then_some(subject)
}

fn check_issuer_and_subject(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<(), IdTokenError> {
    let issuer = claims
        .get("iss")
        .and_then(Value::as_str)
        .ok_or(IdTokenError::Missing("iss"))?;
    if let Some(asked) = expected.issuer
        && asked != issuer
    {
        return Err(IdTokenError::Issuer {
            expected: asked.to_owned(),
            found: issuer.to_owned(),
        });
    }
    if let IdTokenContext::Refresh {
        subject: Some(first), ..
    } = expected.context
        && let Some(subject) = subject_in(claims)
        && first != subject
    {
        return Err(IdTokenError::OtherSubject {
            expected: first.to_owned(),
            found: subject.to_owned(),
        });
    }
    Ok(())
}

/// Returns how many audiences there are.
fn check_audience(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<usize, IdTokenError> {
    let audiences: Vec<&str> = match claims.get("aud") {
        Some(Value::String(audience)) => vec![audience],
        Some(Value::Array(audiences)) => audiences
            .iter()
            .map(Value::as_str)
            .collect::<Option<_>>()
            .ok_or(IdTokenError::Missing("aud"))?,
        _ => return Err(IdTokenError::Missing("aud")),
    };
    if !audiences.contains(&expected.client_id) {
        return Err(IdTokenError::Audience {
            expected: expected.client_id.to_owned(),
            found: audiences.join(" "),
        });
    }
    Ok(audiences.len())
}

fn check_times(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<UnixSeconds, IdTokenError> {
    let time = |claim: &'static str| match claims.get(claim) {
        None => Ok(None),
        Some(value) => numeric_date(value).map(Some).ok_or(IdTokenError::Missing(claim)),
    };
    let now = expected.now;
    let expires_at = time("exp")?.ok_or(IdTokenError::Missing("exp"))?;
    let expired_for_s = now.seconds_since(expires_at);
    if expired_for_s > CLOCK_SKEW_S {
        return Err(IdTokenError::Expired(expired_for_s, expires_at));
    }
    let issued_at = time("iat")?.ok_or(IdTokenError::Missing("iat"))?;
    let age_s = now.seconds_since(issued_at);
    if issued_at >= FIRST_MILLISECONDS {
        return Err(IdTokenError::Milliseconds("iat"));
    }
    if age_s < -CLOCK_SKEW_S {
        return Err(IdTokenError::IssuedInFuture(age_s.saturating_neg(), issued_at));
    }
    if age_s > ISSUED_AT_MAX_AGE_S {
        return Err(IdTokenError::IssuedLongAgo(age_s, issued_at));
    }
    if let Some(not_before) = time("nbf")?
        && not_before.seconds_since(now) > CLOCK_SKEW_S
    {
        if not_before >= FIRST_MILLISECONDS {
            return Err(IdTokenError::Milliseconds("nbf"));
        }
        return Err(IdTokenError::NotYetValid(not_before.seconds_since(now), not_before));
    }
    Ok(expires_at)
}

/// When an access token ends by its own word, where it is a JWT (RFC 9068 §2.2).
pub fn access_token_expiry(access_token: &Secret) -> Option<UnixSeconds> {
    let claims = UnverifiedJwt::decode(access_token.expose()).ok()?.claims;
    claims.get("exp").and_then(numeric_date)
}

/// `NumericDate` (RFC 7519 §2): seconds, fractions allowed.
pub(crate) fn numeric_date(value: &Value) -> Option<UnixSeconds> {
    let number = value.as_i64().or_else(|| {
        // A float's cast saturates, so the bound is checked before it.
        value
            .as_f64()
            .filter(|seconds| seconds.abs() < 9e15)
            .map(|seconds| seconds as i64)
    })?;
    (number >= 0).then_some(UnixSeconds(number))
}

/// The left half of the access token's hash (OpenID Connect Core §3.1.3.6),
/// by the hash function of the signature: that of Ed25519 is SHA-512 (RFC 8032
/// §5.1). `None` for algorithms whose hash is not known.
pub fn access_token_hash(algorithm: &str, access_token: &Secret) -> Option<String> {
    let bytes = access_token.expose().as_bytes();
    let half = |digest: &[u8]| base64url(&digest[..digest.len() / 2]);
    match algorithm {
        "EdDSA" | "Ed25519" => Some(half(&Sha512::digest(bytes))),
        _ => match algorithm.get(2..)? {
            "256" => Some(half(&Sha256::digest(bytes))),
            "384" => Some(half(&Sha384::digest(bytes))),
            "512" => Some(half(&Sha512::digest(bytes))),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests;
