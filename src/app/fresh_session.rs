//! A session whose token is fresh enough: read from the store, refreshed under
//! the profile's lock where it will not last. The hot path of `oauth token`: one
//! read of the store and a comparison of clocks; no lock, no runtime, no TLS.

use crate::app::context::{Context, caller};
use crate::app::deadline::Deadline;
use crate::app::freshness::Freshness;
use crate::app::lock::{LOCK_WAIT, lock};
use crate::app::login_required::LoginRequired;
use crate::app::session::{ProfileRecord, check_matches_profile, check_matches_url, check_not_suspended};
use crate::app::signals::finish_then_interrupt;
use crate::app::token_format::check_is_access_token;
use crate::app::usable_profile::choose_usable_profile;
use crate::args::cli::{ProfileChoice, TokenOptions};
use crate::args::config::{Config, Profile};
use crate::args::login::{RequestOptions, assumed_ttl, token_parameters};
use crate::args::settings::ChosenProfile;
use crate::error::Error;
use crate::exit::{Diagnosis, ExitCode};
use crate::fault::{self, Point};
use crate::flow::grant_inputs::GrantInputs;
use crate::flow::refresh::RefreshOptions;
use crate::flow::renew::{RenewContext, RenewError, StaleToken, has_expired, renew};
use crate::output::causes::error_chain;
use crate::store::{Interaction, Part, ProfileName, Session};
use crate::system;
use crate::trace::{Event, Observer};
use std::time::Duration;

/// How long to wait for another process while the old token is still good enough to be printed.
const LOCK_WAIT_WHILE_VALID: Duration = Duration::from_secs(5);

/// The stored session for a command that sends its access token somewhere:
/// refreshed first where `oauth token` would do so.
pub(crate) fn session_with_valid_token(context: &Context, profile: ProfileChoice) -> Result<Session, Error> {
    let options = TokenOptions {
        profile,
        ..TokenOptions::default()
    };
    let freshness = Freshness::new(&options)?;
    let config = context.config()?;
    let chosen = choose_usable_profile(context, &options.profile, &config)?;
    let wanted = WantedToken {
        config: &config,
        chosen: &chosen,
        options: &options,
        freshness: &freshness,
    };
    let FreshSession { session, is_new } = ensure_fresh(context, wanted)?;
    if !is_new && has_expired(&session, &freshness.part, system::now()) {
        return Err(expired(&session, &chosen.name));
    }
    if let Some(token) = session.token(&freshness.part) {
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

/// The token that a command needs: whose, which, and how fresh.
#[derive(Clone, Copy)]
pub(crate) struct WantedToken<'a> {
    pub(crate) config: &'a Config,
    pub(crate) chosen: &'a ChosenProfile,
    pub(crate) options: &'a TokenOptions,
    pub(crate) freshness: &'a Freshness,
}

/// The session with a token as fresh as it can be.
pub(crate) fn ensure_fresh(context: &Context, wanted: WantedToken<'_>) -> Result<FreshSession, Error> {
    let WantedToken {
        config,
        chosen,
        options,
        freshness,
    } = wanted;
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

    if !session.can_renew() && (options.force_refresh || session.token(&freshness.part).is_none()) {
        let not_granted = scope_not_granted(&session, &freshness.part, name);
        return Err(not_granted
            .unwrap_or_else(|| LoginRequired::not_refreshable(name, &session))
            .into());
    }
    let mut is_new = false;
    if session.can_renew() && (options.force_refresh || !freshness.is_satisfied_by(&session, system::now_ms())) {
        let refresh = LockedRefresh {
            context,
            wanted,
            profile,
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
    wanted: WantedToken<'a>,
    profile: Option<&'a Profile>,
}

impl LockedRefresh<'_> {
    /// The session after a refresh; the one before, with a warning, where the
    /// refresh failed for reasons that pass and the old token is still valid.
    /// The second value says whether it is new.
    ///
    /// Never inlined: a token that is valid needs none of its room on the stack.
    #[inline(never)]
    fn run(&self, found: ProfileRecord, interaction: Interaction, session: Session) -> Result<(Session, bool), Error> {
        let (context, options, freshness) = (self.context, self.wanted.options, self.wanted.freshness);
        let name = &self.wanted.chosen.name;
        let locks = context.folders()?.locks();
        let transport = context.transport(self.profile, true)?;
        let mut observer = context.observer();
        // Asked again after each wait, which may have taken longer than the token lives.
        let old_token_is_valid = || !options.id_token && !has_expired(&session, &freshness.part, system::now());
        let still_needed =
            |session: &Session| options.force_refresh || !freshness.is_satisfied_by(session, system::now_ms());
        // Tokens of other sessions are read before this one is locked.
        let mut sources = match (context.prepare_sources)(context, self.wanted.config, name, &session) {
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
        let mut found = found.follow_move(context, self.wanted.chosen, interaction)?;
        let mut renewal = RenewContext {
            store: found.store.as_mut(),
            options: self.refresh_options(&session)?,
            sources: sources.as_mut(),
            caller: caller(&transport, &mut observer),
        };
        let stale = StaleToken {
            profile: name,
            part: &freshness.part,
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
                let not_granted = scope_not_granted(&session, &freshness.part, name);
                Err(not_granted.map_or_else(|| error.into(), Error::from))
            }
            _ => Err(with_kept_session(error, name)),
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
        !self.wanted.options.force_refresh && error.exit_code() != ExitCode::Usage
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

/// A server that is down ends no session, which a hint says unless one does already.
fn with_kept_session(error: RenewError, name: &ProfileName) -> Error {
    let says_so = error.hints().iter().any(|hint| hint.contains("again"));
    match error.exit_code() {
        ExitCode::Unreachable if !says_so => {
            let kept = format!("The session of profile \"{name}\" is kept: try again later.");
            Error::from(error).with_hint(kept)
        }
        _ => error.into(),
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
