//! `oauth logout`: revokes at the server, then forgets. The client secret
//! stays with the profile; `profile remove` deletes that too.

use crate::app::context::{Context, caller};
use crate::app::lock::{LOCK_WAIT, lock};
use crate::app::signals::interruptible;
use crate::args::cli::LogoutOptions;
use crate::args::config::Config;
use crate::args::settings;
use crate::error::{Error, SessionError};
use crate::exit::Diagnosis;
use crate::fault::{self, Point};
use crate::flow::revoke::{Revocation, revoke_session};
use crate::store::{CredentialStore, ProfileName, Renewal, Session};
use crate::trace::{Event, Observer};

pub(super) fn run(context: &Context, options: &LogoutOptions) -> Result<(), Error> {
    let config = context.config()?;
    if !options.all {
        let name = settings::profile_name(&options.profile, &context.environment, &config)?;
        let named = options.profile.argument.is_some() || options.profile.option.is_some();
        return one(context, &config, &name, options, named);
    }
    let names: Vec<ProfileName> = config.profiles().map(|(name, _)| name.clone()).collect();
    let mut failures = Vec::new();
    for name in &names {
        if let Err(error) = one(context, &config, name, options, false) {
            crate::output::report::report(&error, context.style);
            context.trace_failure(&error);
            failures.push(error);
        }
    }
    match failures.first() {
        None => Ok(()),
        Some(first) => Err(Error::Several {
            failed: failures.len(),
            of: names.len(),
            exit_code: first.exit_code(),
        }),
    }
}

/// `named`: the user named this profile, so it must be known.
fn one(
    context: &Context,
    config: &Config,
    name: &ProfileName,
    options: &LogoutOptions,
    named: bool,
) -> Result<(), Error> {
    let LogoutOptions { all, local, .. } = *options;
    let profile = config.profile(name);
    let mut observer = context.observer();
    let mut store = context.store(&context.store_kind(profile)?, context.interaction())?;
    // Before the lock, whose file is never deleted: a mistyped name should not leave one.
    if named && profile.is_none() && store.load(name)?.is_none() {
        let known = config.profiles().map(|(name, _)| name.clone()).collect();
        let profile = name.clone();
        return Err(SessionError::UnknownProfile { profile, known }.into());
    }
    let _lock = lock(&context.folders()?.locks(), name, LOCK_WAIT, &mut observer)?;
    let Some(session) = store.load(name)?.filter(Session::is_signed_in) else {
        observer.observe(&Event::Note(&format!("profile \"{name}\" was not logged in")));
        return Ok(());
    };
    if !local {
        let transport = context.transport(profile, true)?;
        // With --all the variable, which is for one client, would go to every server.
        let secret = context.client_secret_of_environment().filter(|_| !all);
        let revoked = context.runtime()?.block_on(interruptible(revoke_session(
            &session,
            secret.as_ref(),
            &mut caller(&transport, &mut observer),
        )))??;
        if revoked == Revocation::NoEndpoint {
            observer.observe(&Event::Note(
                "the metadata that the login used name no revocation endpoint: the tokens are forgotten here, but live on until they expire; if the server has one, give it to oauth login with --revocation-endpoint URL",
            ));
        }
    }
    fault::here(Point::TokensRevoked);
    forget(store.as_mut(), name, session)?;
    observer.observe(&Event::Forgotten {
        store: &store.describe(),
    });
    observer.observe(&Event::Outcome(&format!("logged out of profile \"{name}\"")));
    Ok(())
}

/// Deletes the tokens; a record with a client secret stays for the next login.
fn forget(store: &mut dyn CredentialStore, name: &ProfileName, session: Session) -> Result<(), Error> {
    if session.client.secret.is_none() {
        store.delete(name)?;
        return Ok(());
    }
    let emptied = Session {
        generation: session.generation.saturating_add(1),
        renewal: Renewal::None,
        refresh_token: None,
        id_token: None,
        subject: None,
        dead: None,
        tokens: Vec::new(),
        ..session
    };
    Ok(store.save(name, &emptied)?)
}
