//! Which token a command needs, and whether one that is stored will last.

use crate::app::login_required::LoginRequired;
use crate::args::cli::TokenOptions;
use crate::args::settings;
use crate::error::Error;
use crate::protocol::jose::UnverifiedJwt;
use crate::protocol::random::Randomness;
use crate::protocol::time::UnixSeconds;
use crate::secret::Secret;
use crate::store::{Part, ProfileName, Session, StoreError, StoredToken};
use crate::system::SystemRandomness;
use std::time::Duration;

/// How long a token must still be valid by default.
const MIN_TTL: Duration = Duration::from_secs(60);

/// A token that was received later than this from now was received by another clock.
const CLOCK_TOLERANCE_S: i64 = 300;

/// Which token, how long it must still be valid, and how much earlier it is
/// refreshed, so that many machines do not do it in the same second.
pub(crate) struct Freshness {
    /// The whole session's token, or one for a part of it.
    pub(crate) part: Part,
    min_ttl: Option<Duration>,
    of_id_token: bool,
    /// 0 to 255: which part of a sixth is added.
    jitter: u8,
}

impl Freshness {
    pub(crate) fn new(options: &TokenOptions) -> Result<Self, Error> {
        let mut jitter = [0u8; 1];
        SystemRandomness.fill(&mut jitter).map_err(StoreError::Randomness)?;
        Ok(Freshness {
            part: settings::part(options)?,
            min_ttl: options.min_ttl,
            of_id_token: options.id_token,
            jitter: jitter[0],
        })
    }

    /// As given; by default 60 s, or half the token's lifetime if that is less.
    pub(crate) fn min_ttl_ms(&self, token: &StoredToken) -> i64 {
        let milliseconds = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        let lifetime_s = token
            .expires_at
            .zip(token.issued_at)
            .map(|(end, start)| end.seconds_since(start));
        match (self.min_ttl, lifetime_s) {
            (Some(given), _) => milliseconds(given),
            (None, Some(lifetime_s)) => milliseconds(MIN_TTL).min(lifetime_s.saturating_mul(500)),
            (None, None) => milliseconds(MIN_TTL),
        }
    }

    /// `now_ms` is not cut to seconds: the end of a token is, so that what is
    /// left is never less than it seems.
    pub(crate) fn is_satisfied_by(&self, session: &Session, now_ms: i64) -> bool {
        let now = UnixSeconds(now_ms.div_euclid(1000));
        let Some(token) = session.token(&self.part) else {
            return false;
        };
        if self.of_id_token {
            // Fresh by its own `exp`; where there is none, a refresh may bring one.
            return id_token_expiry(session).is_some_and(|expires_at| expires_at > now);
        }
        let Some(expires_at) = token.expires_at else {
            return true;
        };
        if token
            .issued_at
            .is_some_and(|issued_at| issued_at.seconds_since(now) > CLOCK_TOLERANCE_S)
        {
            // The clock went back: when the token ends is not known any more
            return false;
        }
        let wanted_ms = self.min_ttl_ms(token);
        let earlier_ms = (wanted_ms / 6).saturating_mul(i64::from(self.jitter)) / 255;
        let left_ms = expires_at.0.saturating_mul(1000).saturating_sub(now_ms);
        left_ms > 0 && left_ms >= wanted_ms.saturating_add(earlier_ms)
    }
}

fn id_token_expiry(session: &Session) -> Option<UnixSeconds> {
    let claims = UnverifiedJwt::decode(session.id_token.as_ref()?.expose()).ok()?.claims;
    // A float's cast saturates; the claim was checked when it was stored.
    claims
        .get("exp")
        .and_then(serde_json::Value::as_f64)
        .map(|seconds| UnixSeconds(seconds as i64))
}

/// The ID token, which is as fresh as its own `exp` says, and when it ends.
///
/// # Errors
/// [`LoginRequired::NoIdToken`], [`LoginRequired::IdTokenExpired`].
pub(crate) fn fresh_id_token(
    session: &Session,
    name: &ProfileName,
    now: UnixSeconds,
) -> Result<(Secret, Option<UnixSeconds>), LoginRequired> {
    let id_token = session
        .id_token
        .clone()
        .ok_or_else(|| LoginRequired::no_id_token(name, session))?;
    match id_token_expiry(session) {
        Some(expires_at) if expires_at <= now => Err(LoginRequired::IdTokenExpired { profile: name.clone() }),
        expires_at => Ok((id_token, expires_at)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::client::{Client, ClientId};
    use crate::protocol::endpoint::{Endpoint, HttpPolicy};
    use crate::protocol::scope::Scope;
    use crate::secret::Secret;
    use crate::store::SessionClient;

    const END_S: i64 = 1_900_000_000;

    fn session(lifetime_s: i64) -> Session {
        let client = SessionClient::from(&Client::public(ClientId::parse("desktop").unwrap()));
        let endpoint = Endpoint::parse("https://id.example.com/token", HttpPolicy::LoopbackOnly).unwrap();
        let token = StoredToken {
            narrowed_to: Scope::default(),
            resource: Vec::new(),
            scope: None,
            access_token: Secret::from("a"),
            token_type: "Bearer".to_owned(),
            issued_token_type: None,
            expires_at: Some(UnixSeconds(END_S)),
            issued_at: Some(UnixSeconds(END_S - lifetime_s)),
        };
        Session {
            tokens: vec![token],
            ..Session::new(None, client, endpoint)
        }
    }

    fn is_satisfied(min_ttl: Option<Duration>, jitter: u8, lifetime_s: i64, left_ms: i64) -> bool {
        let wanted = Freshness {
            part: Part::default(),
            min_ttl,
            of_id_token: false,
            jitter,
        };
        wanted.is_satisfied_by(&session(lifetime_s), END_S * 1000 - left_ms)
    }

    #[test]
    fn the_time_that_must_be_left_is_counted_in_milliseconds() {
        let given = |milliseconds| Some(Duration::from_millis(milliseconds));
        for (min_ttl, jitter, lifetime_s, boundary_ms) in [
            (given(1500), 0, 3600, 1500),
            (given(250), 0, 3600, 250),
            // a sixth more at most, of less than a second too
            (given(1500), 255, 3600, 1750),
            (given(600), 255, 3600, 700),
            (given(600), 51, 3600, 620),
            // a minute, or half of what lives shorter
            (None, 0, 3600, 60_000),
            (None, 255, 3600, 70_000),
            (None, 0, 3, 1500),
            (None, 255, 3, 1750),
            (given(0), 255, 3600, 1),
        ] {
            let at = |left_ms| is_satisfied(min_ttl, jitter, lifetime_s, left_ms);
            assert!(at(boundary_ms), "{min_ttl:?} {jitter} {lifetime_s}");
            assert!(!at(boundary_ms - 1), "{min_ttl:?} {jitter} {lifetime_s}");
        }
    }
}
