//! A session whose token is fresh enough: read from the store, refreshed under
//! the profile's lock where it will not last. The hot path of `oauth token`: one
//! read of the store and a comparison of clocks; no lock, no runtime, no TLS.

use crate::app::context::{Context, caller};
use crate::app::deadline::Deadline;
use crate::app::lock::{LOCK_WAIT, lock};
use crate::app::login_required::LoginRequired;
use crate::app::session::{ProfileRecord, check_matches_profile, check_matches_url, check_not_suspended};
use crate::app::signals::finish_then_interrupt;
use crate::app::token_format::check_is_access_token;
use crate::app::usable_profile::choose_usable_profile;
use crate::args::cli::{ProfileChoice, TokenOptions};
use crate::args::config::{Config, Profile};
use crate::args::login::{RequestOptions, assumed_ttl, token_parameters};
use crate::args::settings::{self, ChosenProfile};
use crate::error::Error;
use crate::exit::{Diagnosis, ExitCode};
use crate::fault::{self, Point};
use crate::flow::grant_inputs::GrantInputs;
use crate::flow::refresh::RefreshOptions;
use crate::flow::renew::{RenewContext, RenewError, StaleToken, has_expired, renew};
use crate::output::causes::error_chain;
use crate::protocol::jose::UnverifiedJwt;
use crate::protocol::random::Randomness;
use crate::protocol::time::UnixSeconds;
use crate::secret::Secret;
use crate::store::{Interaction, Part, ProfileName, Session, StoreError, StoredToken};
use crate::system::{self, SystemRandomness};
use crate::trace::{Event, Observer};
use std::time::Duration;

/// How long a token must still be valid by default.
const MIN_TTL: Duration = Duration::from_secs(60);

/// A token that was received later than this from now was received by another clock.
const CLOCK_TOLERANCE_S: i64 = 300;

/// How long to wait for another process while the old token is still good enough to be printed.
const LOCK_WAIT_WHILE_VALID: Duration = Duration::from_secs(5);

/// The stored session for a command that sends its access token somewhere:
/// refreshed first where `oauth token` would do so.
pub(crate) fn session_with_valid_token(context: &Context, profile: ProfileChoice) -> Result<Session, Error> {
    let options = TokenOptions {
        profile,
        ..TokenOptions::default()
    };
    let wanted = Freshness::new(&options)?;
    let config = context.config()?;
    let chosen = choose_usable_profile(context, &options.profile, &config)?;
    let FreshSession { session, is_new } = ensure_fresh(context, &options, &wanted, &config, &chosen)?;
    if !is_new && has_expired(&session, &wanted.part, system::now()) {
        return Err(expired(&session, &chosen.name));
    }
    if let Some(token) = session.token(&wanted.part) {
        check_is_access_token(token)?;
    }
    Ok(session)
}

/// The token was valid when it was decided not to refresh it, and has ended
/// since: the clock has jumped, or the process has slept.
#[derive(Debug, thiserror::Error)]
#[error("the access token of profile \"{profile}\" expired while this command ran")]
struct ExpiredMeanwhile {
    profile: ProfileName,
}

impl Diagnosis for ExpiredMeanwhile {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Unreachable
    }

    fn hints(&self) -> Vec<String> {
        vec!["Run the same command again: it refreshes the session first.".to_owned()]
    }
}

/// The error for a token that has ended: a login is needed only where it cannot be refreshed.
pub(crate) fn expired(session: &Session, profile: &ProfileName) -> Error {
    let profile = profile.clone();
    match session.can_renew() {
        true => ExpiredMeanwhile { profile }.into(),
        false => LoginRequired::Expired { profile }.into(),
    }
}

/// A session with a token as fresh as it can be.
pub(crate) struct FreshSession {
    /// As it is stored.
    pub(crate) session: Session,
    /// Whether this call has had the token refreshed: however short it lives,
    /// there is none that lives longer.
    pub(crate) is_new: bool,
}

/// The session with a token as fresh as it can be.
pub(crate) fn ensure_fresh(
    context: &Context,
    options: &TokenOptions,
    wanted: &Freshness,
    config: &Config,
    chosen: &ChosenProfile,
) -> Result<FreshSession, Error> {
    let name = &chosen.name;
    let profile = config.profile(name);
    // A login may show the keyring's prompt, and with --login this may become one
    let interaction = match options.login {
        true => Interaction::Allowed,
        false => context.interaction(),
    };
    let mut found = ProfileRecord::load(context, config, chosen, interaction)
        .map_err(|error| context.explain_unattended_keyring(error, name, profile))?;
    let mut session = found.take_session(name, config)?;
    check_matches_url(&session, chosen, &options.profile)?;
    check_usable(&session, name, profile)?;

    if !session.can_renew() && (options.force_refresh || session.token(&wanted.part).is_none()) {
        let not_granted = scope_not_granted(&session, &wanted.part, name);
        return Err(not_granted
            .unwrap_or_else(|| LoginRequired::not_refreshable(name, &session))
            .into());
    }
    let mut is_new = false;
    if session.can_renew() && (options.force_refresh || !wanted.is_satisfied_by(&session, system::now_ms())) {
        let refresh = LockedRefresh {
            context,
            options,
            wanted,
            chosen,
            profile,
            config,
        };
        (session, is_new) = refresh.run(found, interaction, session)?;
        check_usable(&session, name, profile)?;
        fault::here(Point::TokenUnprinted);
    }
    Ok(FreshSession { session, is_new })
}

/// A part with a scope that the session does not have: a login is what helps.
fn scope_not_granted(session: &Session, part: &Part, name: &ProfileName) -> Option<LoginRequired> {
    let granted = session.tokens.first().and_then(|token| token.scope.as_ref());
    let requested = &session.requested.scope;
    let missing = part.scope.without(granted.unwrap_or(requested));
    // Where none was asked for, the server chose what the next login should have, too.
    let so_far = granted.filter(|_| requested.is_empty()).unwrap_or(requested);
    (!missing.is_empty()).then(|| LoginRequired::ScopeNotGranted {
        profile: name.clone(),
        missing: missing.clone(),
        union: (!missing.is_subset_of(requested)).then(|| so_far.union(&part.scope)),
    })
}

/// Whether a session may be used for this profile at all.
pub(crate) fn check_usable(session: &Session, name: &ProfileName, profile: Option<&Profile>) -> Result<(), Error> {
    check_not_suspended(session, name)?;
    check_matches_profile(session, name, profile)?;
    match &session.dead {
        Some(end) => Err(LoginRequired::SessionEnd {
            profile: name.clone(),
            end: end.clone(),
        }
        .into()),
        None => Ok(()),
    }
}

/// A refresh under the profile's lock.
struct LockedRefresh<'a> {
    context: &'a Context,
    options: &'a TokenOptions,
    wanted: &'a Freshness,
    chosen: &'a ChosenProfile,
    profile: Option<&'a Profile>,
    config: &'a Config,
}

impl LockedRefresh<'_> {
    /// The session after a refresh; the one before, with a warning, where the
    /// refresh failed for reasons that pass and the old token is still valid.
    /// The second value says whether it is new.
    ///
    /// Never inlined: a token that is valid needs none of its room on the stack.
    #[inline(never)]
    fn run(&self, found: ProfileRecord, interaction: Interaction, session: Session) -> Result<(Session, bool), Error> {
        let (context, options, wanted, chosen) = (self.context, self.options, self.wanted, self.chosen);
        let name = &chosen.name;
        let locks = context.folders()?.locks();
        let transport = context.transport(self.profile, true)?;
        let mut observer = context.observer();
        // Asked again after each wait, which may have taken longer than the token lives.
        let old_token_is_valid = || !options.id_token && !has_expired(&session, &wanted.part, system::now());
        let still_needed =
            |session: &Session| options.force_refresh || !wanted.is_satisfied_by(session, system::now_ms());
        // Tokens of other sessions are read before this one is locked.
        let mut sources = match (context.prepare_sources)(context, self.config, name, &session) {
            Err(error) if old_token_is_valid() && self.may_fall_back(&*error) => {
                warn_of_old_token(&mut observer, &*error);
                return Ok((session, false));
            }
            sources => sources?,
        };
        // Before the signals wait: nothing is under way yet that must be finished.
        let wait = context.at_most(longest_lock_wait(old_token_is_valid()));
        fault::here(Point::LockWanted);
        let lock = match lock(&locks, name, wait, &mut observer) {
            Err(error) if old_token_is_valid() && error.exit_code() == ExitCode::Timeout => {
                warn_of_old_token(&mut observer, &error);
                return Ok((session, false));
            }
            other => other?,
        };
        let mut found = found.follow_move(context, chosen, interaction)?;
        let mut renewal = RenewContext {
            store: found.store.as_mut(),
            options: self.refresh_options(&session)?,
            sources: sources.as_mut(),
            caller: caller(&transport, &mut observer),
        };
        let stale = StaleToken {
            profile: name,
            part: &wanted.part,
            known: &session,
        };
        // A signal waits until the answer is written.
        let renewing = finish_then_interrupt(renew(stale, lock, &still_needed, &mut renewal));
        let error = match context.runtime()?.block_on(renewing)? {
            Ok(session) => return Ok((session, true)),
            Err(error) => error,
        };
        match self.passing_failure(&error) {
            Some(passing) if old_token_is_valid() => {
                warn_of_old_token(&mut observer, passing);
                Ok((session, false))
            }
            _ if error.is_invalid_scope() => {
                let not_granted = scope_not_granted(&session, &wanted.part, name);
                Err(not_granted.map_or_else(|| error.into(), Error::from))
            }
            _ => Err(error.into()),
        }
    }

    /// What went wrong, where a token that is still valid will do.
    fn passing_failure<'e>(&self, error: &'e RenewError) -> Option<&'e dyn Diagnosis> {
        match error {
            RenewError::Source(source) if self.may_fall_back(&**source) => Some(&**source),
            error if error.exit_code() == ExitCode::Unreachable => Some(error),
            _ => None,
        }
    }

    /// Whether a token that is still valid will do where a source failed: no
    /// renewal is possible yet, but nothing is wrong with the settings.
    fn may_fall_back(&self, error: &dyn Diagnosis) -> bool {
        !self.options.force_refresh && error.exit_code() != ExitCode::Usage
    }

    fn refresh_options(&self, session: &Session) -> Result<RefreshOptions, Error> {
        let profile = self.profile;
        Ok(RefreshOptions {
            client_secret: self.context.client_secret_of_environment(),
            inputs: GrantInputs::default(),
            token_parameters: match session.renewal.repeats_grant() {
                true => token_parameters(profile)?,
                false => RequestOptions::default().refresh_parameters(profile)?,
            },
            assumed_ttl: assumed_ttl(None, profile)?,
            warns_of_quirks: false,
            send_by: self.context.deadline.as_ref().and_then(Deadline::send_by),
        })
    }
}

fn longest_lock_wait(old_token_is_valid: bool) -> Duration {
    match old_token_is_valid {
        true => LOCK_WAIT_WHILE_VALID,
        false => LOCK_WAIT,
    }
}

fn warn_of_old_token(observer: &mut dyn Observer, error: &dyn Diagnosis) {
    let warning = format!("{error}; the old token is still valid and is used");
    observer.observe(&Event::Warning(&error_chain(&warning, error)));
}

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
    fn is_satisfied_by(&self, session: &Session, now_ms: i64) -> bool {
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
