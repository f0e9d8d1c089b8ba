//! `oauth token`: the hot path. The configuration file for the profile's name
//! and store, one read of the store, a comparison of clocks, one line on
//! stdout: no lock, no runtime, no TLS, no discovery. Only a token that will
//! not last is renewed first.

use super::login;
use super::signals::after_work;
use super::{Context, LOCK_WAIT, caller, check_matches_profile, check_matches_url, lock, require_session};
use crate::args::cli::{ProfileChoice, TokenFormat, TokenOptions};
use crate::args::config::{Config, Profile};
use crate::args::settings::{self, SettingsError};
use crate::error::{Error, SessionError};
use crate::exit::{Diagnosis, ExitCode};
use crate::fault::{self, Point};
use crate::flow::refresh::RefreshOptions;
use crate::flow::renew::{RenewContext, has_expired, renew};
use crate::output::report;
use crate::output::sanitize::sanitize_json;
use crate::protocol::jose::UnverifiedJwt;
use crate::protocol::random::Randomness;
use crate::protocol::time::UnixSeconds;
use crate::secret::Secret;
use crate::store::{CredentialStore, Part, ProfileName, Session, StoreError, StoredToken};
use crate::system::{self, SystemRandomness};
use crate::trace::{Event, Observer};
use serde_json::json;
use std::io::{self, IsTerminal};
use std::time::Duration;

/// How long a token must still be valid by default.
const MIN_TTL: Duration = Duration::from_secs(60);

/// A token that was received later than this from now was received by another clock.
const CLOCK_TOLERANCE_S: i64 = 300;

/// How long to wait for another process while the old token is still good enough to be printed.
const LOCK_WAIT_WHILE_VALID: Duration = Duration::from_secs(5);

pub(super) fn run(context: &Context, options: &TokenOptions) -> Result<(), Error> {
    let format = format(context, options)?;
    let wanted = Freshness::new(options)?;
    let config = context.config()?;
    let name = settings::profile_name(&options.profile, &context.environment, &config)?;
    let session = match fresh(context, options, &wanted, &config, &name) {
        Err(error) if options.login && error.exit_code() == ExitCode::LoginRequired && is_interactive() => {
            context
                .observer()
                .observe(&Event::Note(&format!("{error}: logging in first")));
            login::again(context, &name)?;
            fresh(context, options, &wanted, &config, &name)?
        }
        outcome => outcome?,
    };
    print(context, options, format, &wanted, &name, &session)
}

fn is_interactive() -> bool {
    io::stdin().is_terminal() || io::stderr().is_terminal()
}

/// The stored session for a command that sends its access token somewhere:
/// refreshed first where `oauth token` would do so.
pub(super) fn session_with_valid_token(context: &Context, profile: ProfileChoice) -> Result<Session, Error> {
    let options = TokenOptions {
        profile,
        ..TokenOptions::default()
    };
    let wanted = Freshness::new(&options)?;
    let config = context.config()?;
    let name = settings::profile_name(&options.profile, &context.environment, &config)?;
    let session = fresh(context, &options, &wanted, &config, &name)?;
    if has_expired(&session, &wanted.part, system::now()) {
        return Err(SessionError::Expired { profile: name }.into());
    }
    Ok(session)
}

/// The session with a token as fresh as it can be.
fn fresh(
    context: &Context,
    options: &TokenOptions,
    wanted: &Freshness,
    config: &Config,
    name: &ProfileName,
) -> Result<Session, Error> {
    let profile = config.profile(name);
    let kind = context.store_kind(profile)?;
    let mut store = context.store(&kind, context.interaction())?;
    let mut session = require_session(store.load(name)?, name, config, &kind)?;
    check_matches_url(&session, name, &options.profile)?;
    usable(&session, name, profile)?;

    let now = system::now();
    if !session.can_renew() && (options.force_refresh || session.token(&wanted.part).is_none()) {
        return Err(SessionError::NotRefreshable { profile: name.clone() }.into());
    }
    if session.can_renew() && (options.force_refresh || !wanted.is_satisfied_by(&session, now)) {
        session = renewed(context, options, wanted, name, profile, store.as_mut(), session)?;
        usable(&session, name, profile)?;
        fault::here(Point::TokenUnprinted);
    }
    Ok(session)
}

/// Whether a session may be used for this profile at all.
fn usable(session: &Session, name: &ProfileName, profile: Option<&Profile>) -> Result<(), SessionError> {
    check_matches_profile(session, name, profile)?;
    match &session.dead {
        Some(dead) => Err(SessionError::SessionEnd {
            profile: name.clone(),
            reason: dead.reason.clone(),
        }),
        None => Ok(()),
    }
}

/// The session after a refresh; the one before, with a warning, where the
/// refresh failed for reasons that pass and the old token is still valid.
fn renewed(
    context: &Context,
    options: &TokenOptions,
    wanted: &Freshness,
    name: &ProfileName,
    profile: Option<&Profile>,
    store: &mut dyn CredentialStore,
    session: Session,
) -> Result<Session, Error> {
    let locks = context.folders()?.locks();
    let transport = context.transport(profile, true)?;
    let mut observer = context.observer();
    // Asked again after each wait, which may have taken longer than the token lives.
    let old_token_is_valid = || !options.id_token && !has_expired(&session, &wanted.part, system::now());
    let still_needed = |session: &Session| options.force_refresh || !wanted.is_satisfied_by(session, system::now());
    // Before the signals wait: nothing is under way yet that must be finished.
    let wait = if old_token_is_valid() {
        LOCK_WAIT_WHILE_VALID
    } else {
        LOCK_WAIT
    };
    fault::here(Point::LockWanted);
    let lock = match lock(&locks, name, wait, &mut observer) {
        Err(error) if old_token_is_valid() && error.exit_code() == ExitCode::Timeout => {
            observer.observe(&Event::Warning(&format!(
                "{error}; the old token is still valid and is used"
            )));
            return Ok(session);
        }
        other => other?,
    };
    let mut renewal = RenewContext {
        store,
        options: RefreshOptions {
            client_secret: context.client_secret_of_environment(),
            token_parameters: settings::token_parameters(profile)?,
        },
        caller: caller(&transport, &mut observer),
    };
    // A signal that comes meanwhile waits until the answer is written.
    let renewing = renew(name, &wanted.part, lock, &session, &still_needed, &mut renewal);
    let outcome = context.runtime()?.block_on(after_work(renewing))?;
    match outcome {
        Ok(session) => Ok(session),
        Err(error) if old_token_is_valid() && error.exit_code() == ExitCode::Unreachable => {
            let warning = format!("{error}; the old token is still valid and is used");
            observer.observe(&Event::Warning(&error_chain(&warning, &error)));
            Ok(session)
        }
        Err(error) => Err(error.into()),
    }
}

/// A message with its causes in parentheses, for one line.
pub(super) fn error_chain(message: &str, error: &dyn std::error::Error) -> String {
    let mut text = message.to_owned();
    let mut source = error.source();
    while let Some(cause) = source {
        text += &format!(" ({cause})");
        source = cause.source();
    }
    text
}

fn print(
    context: &Context,
    options: &TokenOptions,
    format: TokenFormat,
    wanted: &Freshness,
    name: &ProfileName,
    session: &Session,
) -> Result<(), Error> {
    let now = system::now();
    let token = session
        .token(&wanted.part)
        .ok_or_else(|| SessionError::Expired { profile: name.clone() })?;
    if options.id_token {
        let (id_token, expires_at) = id_token(session, name, now)?;
        let line = formatted(format, Shown::IdToken(&id_token), expires_at, token, session, name, now);
        return report::print(line.expose().as_bytes());
    }
    if let Some(expires_at) = token.expires_at {
        let left_s = expires_at.seconds_since(now);
        if left_s <= 0 {
            return Err(SessionError::Expired { profile: name.clone() }.into());
        }
        let wanted_s = wanted.seconds_of(token);
        if left_s < wanted_s {
            context.observer().observe(&Event::Warning(&format!(
                "the token is valid for another {left_s} s only, {wanted_s} s were wanted"
            )));
        }
    }
    let line = formatted(
        format,
        Shown::AccessToken(&token.access_token),
        token.expires_at,
        token,
        session,
        name,
        now,
    );
    report::print(line.expose().as_bytes())
}

/// Which token, how long it must still be valid, and how much earlier it is
/// refreshed, so that many machines do not do it in the same second.
struct Freshness {
    /// The whole session's token, or one for a part of it.
    part: Part,
    min_ttl: Option<Duration>,
    of_id_token: bool,
    /// 0 to 255: which part of a sixth is added.
    jitter: u8,
}

impl Freshness {
    fn new(options: &TokenOptions) -> Result<Self, Error> {
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
    fn seconds_of(&self, token: &StoredToken) -> i64 {
        let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        let lifetime_s = token
            .expires_at
            .zip(token.issued_at)
            .map(|(end, start)| end.seconds_since(start));
        match (self.min_ttl, lifetime_s) {
            (Some(given), _) => seconds(given),
            (None, Some(lifetime_s)) => seconds(MIN_TTL).min(lifetime_s / 2),
            (None, None) => seconds(MIN_TTL),
        }
    }

    fn is_satisfied_by(&self, session: &Session, now: UnixSeconds) -> bool {
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
        let wanted_s = self.seconds_of(token);
        let earlier_s = (wanted_s / 6).saturating_mul(i64::from(self.jitter)) / 255;
        let left_s = expires_at.seconds_since(now);
        left_s > 0 && left_s >= wanted_s.saturating_add(earlier_s)
    }
}

fn format(context: &Context, options: &TokenOptions) -> Result<TokenFormat, Error> {
    match (context.style.json, options.format) {
        (true, None | Some(TokenFormat::Json)) => Ok(TokenFormat::Json),
        (true, Some(_)) => Err(SettingsError::Contradiction {
            one: "--json".to_owned(),
            other: "--format".to_owned(),
            problem: "--json is --format json".to_owned(),
        }
        .into()),
        (false, format) => Ok(format.unwrap_or(TokenFormat::Raw)),
    }
}

/// The ID token, which is as fresh as its own `exp` says.
fn id_token(
    session: &Session,
    name: &ProfileName,
    now: UnixSeconds,
) -> Result<(Secret, Option<UnixSeconds>), SessionError> {
    let id_token = session
        .id_token
        .clone()
        .ok_or_else(|| SessionError::NoIdToken { profile: name.clone() })?;
    let expires_at = id_token_expiry(session);
    match expires_at {
        Some(expires_at) if expires_at <= now => Err(SessionError::IdTokenExpired { profile: name.clone() }),
        expires_at => Ok((id_token, expires_at)),
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

/// What is printed, and how it is called where it has a name.
#[derive(Clone, Copy)]
enum Shown<'a> {
    AccessToken(&'a Secret),
    IdToken(&'a Secret),
}

fn formatted(
    format: TokenFormat,
    shown: Shown<'_>,
    expires_at: Option<UnixSeconds>,
    stored: &StoredToken,
    session: &Session,
    name: &ProfileName,
    now: UnixSeconds,
) -> Secret {
    let (token, member, variable) = match shown {
        Shown::AccessToken(token) => (token.expose(), "access_token", "OAUTH_ACCESS_TOKEN"),
        Shown::IdToken(token) => (token.expose(), "id_token", "OAUTH_ID_TOKEN"),
    };
    Secret::new(match format {
        TokenFormat::Raw => format!("{token}\n"),
        TokenFormat::Header => format!("Authorization: Bearer {token}\n"),
        TokenFormat::Json => {
            let scope = stored.scope.as_ref().map(|scope| scope.join(" "));
            let object = json!({
                member: token,
                "token_type": stored.token_type,
                "expires_in": expires_at.map(|expires_at| expires_at.seconds_since(now)),
                "expires_at": expires_at.map(system::rfc_3339),
                "scope": scope,
                "resource": stored.resource,
                "issuer": session.issuer,
                "profile": name.as_str(),
            });
            sanitize_json(&object.to_string()) + "\n"
        }
        TokenFormat::Env => [
            (variable, token.clone()),
            ("OAUTH_TOKEN_TYPE", stored.token_type.clone()),
            ("OAUTH_EXPIRES_AT", expires_at.map(system::rfc_3339).unwrap_or_default()),
            ("OAUTH_ISSUER", session.issuer.clone().unwrap_or_default()),
            ("OAUTH_PROFILE", name.to_string()),
        ]
        .map(|(variable, value)| format!("export {variable}={}\n", quoted(&value)))
        .concat(),
    })
}

/// A word for a POSIX shell: in single quotes, within which nothing is special.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_takes_quoted_text_as_it_is() {
        assert_eq!(quoted("a'b$(c)"), "'a'\\''b$(c)'");
    }
}
