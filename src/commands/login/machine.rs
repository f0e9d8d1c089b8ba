//! The token of a profile whose grant needs no person: where there is no
//! session, or the store keeps none, it is not an error, and the client gets it now.

use super::attempt::LoginAttempt;
use super::client::choose_client;
use super::lock_wait::LockWait;
use super::methods::LoginMethod;
use super::saver::{Destination, SessionSaver};
use super::target::find_server;
use crate::app::client_credentials::{check_client_authentication, client_credentials, given_client_credentials};
use crate::app::context::Context;
use crate::app::lock::LOCK_WAIT;
use crate::app::login_lock::{LoginLock, OnOtherFailure};
use crate::app::token_source::Purpose;
use crate::args::config::Config;
use crate::args::login::{LoginOptions, SessionOptions};
use crate::args::settings;
use crate::error::Error;
use crate::protocol::endpoint::HttpPolicy;
use crate::store::{ProfileName, Session};
use crate::trace::NoopObserver;

/// A session of a profile without one; `None` where a person has to log in.
/// However many processes ask at once, one sends a request and the others take
/// its session, where there is a store for it.
///
/// # Errors
/// That of the token request, or of the store.
pub(in crate::commands) fn log_in_machine(
    context: &Context,
    config: &Config,
    name: &ProfileName,
) -> Result<Option<Session>, Error> {
    let options = LoginOptions {
        profile: Some(name.to_string()),
        session: SessionOptions {
            no_save: true,
            ..SessionOptions::default()
        },
        ..LoginOptions::default()
    };
    let mut resolved = settings::login(&options, &context.environment, config)?;
    if resolved.grant.needs_person() || resolved.renewal.is_once() {
        return Ok(None);
    }
    let method = LoginMethod::resolve(context, config, &options, (&resolved, Purpose::Renewal))?;
    let profile = config.profile(name);
    let destination = Destination::without_prompts(context, &options, profile)?;
    let mut observer = context.observer();
    let given = given_client_credentials(context, &options, (&resolved, Purpose::Renewal))?;
    let transport = context.transport(profile, resolved.request.server.allowance == HttpPolicy::Everywhere)?;
    let mut saver = SessionSaver::open(context, config, destination, &resolved, &mut observer)?;
    find_server(
        context,
        &mut resolved,
        saver.current_session(),
        &transport,
        &mut observer,
    )?;
    choose_client(&mut resolved, saver.current_session(), &mut observer)?;
    resolved.request.client.credentials = client_credentials(given, &resolved, saver.current_session());
    check_client_authentication(context, &resolved)?;
    saver.probe(&mut observer)?;
    let turn = LockWait {
        request: &resolved.request,
        method: &method,
        timeout: context.at_most(LOCK_WAIT),
        // Any session will do: there was none when this began.
        known: None,
        after_failure: OnOtherFailure::LogIn,
    };
    let turn = turn.wait(&mut saver, &mut NoopObserver)?;
    if let Some(LoginLock::OtherFinished { session, .. }) = turn {
        return Ok(Some(*session));
    }
    let outcome = method.run(LoginAttempt {
        context,
        options: &options,
        resolved,
        transport: &transport,
        saver: &mut saver,
        observer: &mut observer,
        warns_of_quirks: false,
    })?;
    drop(turn);
    Ok(Some(outcome.session))
}
