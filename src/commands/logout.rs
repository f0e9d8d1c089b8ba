//! `oauth logout`: revokes at the server, then forgets. The client secret
//! stays with the profile; `profile remove` deletes that too.

use crate::app::context::{Context, caller};
use crate::app::lock::{LOCK_WAIT, lock};
use crate::app::session::ProfileRecord;
use crate::app::signals::interruptible;
use crate::app::token_source::fresh_credentials;
use crate::app::usable_profile::{find_saved_profile, needs_nobody};
use crate::args::cli::LogoutOptions;
use crate::args::config::{Config, Profile};
use crate::args::settings::{ChosenBy, ChosenProfile};
use crate::error::Error;
use crate::exit::{Diagnosis, ExitCode};
use crate::fault::{self, Point};
use crate::flow::revoke::{Revocation, revoke_session};
use crate::flow::token_services::TokenServiceError;
use crate::store::{CredentialStore, FreshCredentials, ProfileName, Session, SessionStoreError};
use crate::trace::{Event, NoteName, Observer};

const NO_REVOCATION_ENDPOINT: &str = "the server's metadata names no revocation endpoint: the tokens are deleted here, but stay valid until they \
     expire; if the server has one, add --revocation-endpoint URL at the next login";

pub(super) fn run(context: &Context, options: &LogoutOptions) -> Result<(), Error> {
    let config = context.config()?;
    if !options.all {
        let chosen = find_saved_profile(context, &options.profile, &config)?;
        return one(context, &config, &chosen, options);
    }
    let names: Vec<ProfileName> = config.profiles().map(|(name, _)| name.clone()).collect();
    let mut failures = Vec::new();
    for name in &names {
        let chosen = ChosenProfile {
            name: name.clone(),
            chosen_by: ChosenBy::Fallback,
        };
        if let Err(error) = one(context, &config, &chosen, options) {
            crate::output::report::report(&error, context.style);
            context.trace_failure(&error);
            failures.push(error);
        }
    }
    match failures.first() {
        None => Ok(()),
        Some(first) => Err(SomeFailed {
            failed: failures.len(),
            of: names.len(),
            exit_code: first.exit_code(),
        }
        .into()),
    }
}

fn one(context: &Context, config: &Config, chosen: &ChosenProfile, options: &LogoutOptions) -> Result<(), Error> {
    let LogoutOptions { all, local, .. } = *options;
    let name = &chosen.name;
    let profile = config.profile(name);
    let mut observer = context.observer();
    // Before the lock, whose file is never deleted: a mistyped name should not leave one.
    let found = ProfileRecord::load(context, config, chosen, context.interaction())?;
    let mut credentials = match &found.record {
        Some(session) if !local => fresh_credentials(context, name, profile, &session.client)?,
        _ => FreshCredentials::default(),
    };
    // With --all the variable, which is for one client, would go to every server.
    credentials.secret = credentials.secret.filter(|_| !all);
    let _lock = lock(
        &context.folders()?.locks(),
        name,
        context.at_most(LOCK_WAIT),
        &mut observer,
    )?;
    let mut store = found.follow_move(context, chosen, context.interaction())?.store;
    let Some(session) = store
        .load(name)
        .map_err(SessionStoreError)?
        .filter(Session::is_signed_in)
    else {
        observer.observe(&Event::NamedNote(
            NoteName::NotLoggedIn,
            &format!("profile \"{name}\" was not logged in"),
        ));
        note_next_token(name, profile, &mut observer);
        return Ok(());
    };
    if !local {
        let transport = context.transport(profile, true)?;
        let mut caller = caller(&transport, &mut observer);
        let revoking = interruptible(revoke_session(&session, &credentials, &mut caller));
        let revoked = context.runtime()?.block_on(revoking)?;
        let revoked = revoked.map_err(|source| NotRevoked {
            profile: name.clone(),
            source,
        })?;
        if revoked == Revocation::NoEndpoint {
            observer.observe(&Event::NamedNote(NoteName::NotRevoked, NO_REVOCATION_ENDPOINT));
        }
    }
    fault::here(Point::TokensRevoked);
    forget(store.as_mut(), name, session)?;
    observer.observe(&Event::Forgotten {
        store: &store.describe(),
    });
    let done = match local {
        true => format!("logged out of profile \"{name}\" on this machine alone: its tokens were not revoked"),
        false => format!("logged out of profile \"{name}\""),
    };
    observer.observe(&Event::Success(&done));
    note_next_token(name, profile, &mut observer);
    Ok(())
}

/// The profile of a machine gets its next token without anybody.
fn note_next_token(name: &ProfileName, profile: Option<&Profile>, observer: &mut dyn Observer) {
    if needs_nobody(profile) {
        for note in [
            format!("this profile needs no login: the next `oauth token {name}` gets a new token"),
            format!("to stop this, remove the profile: oauth profile remove {name}"),
        ] {
            observer.observe(&Event::Note(&note));
        }
    }
}

/// Deletes the tokens; a record stays for the next login where it has a secret
/// of the client or a registration, or where it binds a client to the server of an API.
fn forget(store: &mut dyn CredentialStore, name: &ProfileName, session: Session) -> Result<(), Error> {
    let keeps_client = session.client.secret.is_some() || session.client.key.is_some();
    if !keeps_client && session.registration.is_none() && session.api.is_none() {
        store.delete(name).map_err(SessionStoreError)?;
        return Ok(());
    }
    Ok(store.save(name, &session.without_tokens()).map_err(SessionStoreError)?)
}

/// The session is kept.
#[derive(Debug, thiserror::Error)]
#[error("the tokens of profile \"{profile}\" were not revoked")]
struct NotRevoked {
    profile: ProfileName,
    source: TokenServiceError,
}

impl Diagnosis for NotRevoked {
    fn exit_code(&self) -> ExitCode {
        self.source.exit_code()
    }

    fn hints(&self) -> Vec<String> {
        let mut hints = self.source.hints();
        hints.push(format!(
            "The session is kept. To forget it without revoking its tokens: oauth logout {} --local",
            self.profile
        ));
        hints
    }

    fn oauth_error(&self) -> Option<(&str, Option<&str>)> {
        self.source.oauth_error()
    }
}

/// `--all` went on after failures.
#[derive(Debug, thiserror::Error)]
#[error("{failed} of {of} profiles could not be logged out")]
struct SomeFailed {
    failed: usize,
    of: usize,
    /// That of the first.
    exit_code: ExitCode,
}

impl Diagnosis for SomeFailed {
    fn exit_code(&self) -> ExitCode {
        self.exit_code
    }
}
