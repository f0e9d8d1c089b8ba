//! `oauth login`: resolves what was typed, proves that configuration and store
//! can take the result, gets the tokens, keeps the session, prints what came of it.

mod attempt;
mod client;
mod dry_run;
mod lock_wait;
mod machine;
mod methods;
mod outcome;
mod profile_update;
mod saver;
mod summary;
mod target;
mod wizard;

use crate::app::client_credentials::{check_client_authentication, client_credentials, given_client_credentials};
use crate::app::context::{Context, caller};
use crate::app::login_lock::{LoginLock, OnOtherFailure};
use crate::app::signals::interruptible;
use crate::app::token_source::Purpose;
use crate::app::unattended::reject_unattended;
use crate::args::config::{Config, Profile, Setting};
use crate::args::login::{
    CallbackOptions, DEFAULT_LOGIN_TIMEOUT, LoginCommand, LoginOptions, RequestOptions, StopBefore,
};
use crate::args::login_grant::LoginGrant;
use crate::args::settings::{self, ResolvedLogin};
use crate::error::Error;
use crate::flow::caller::Caller;
use crate::flow::registration::unregister;
use crate::protocol::endpoint::HttpPolicy;
use crate::protocol::scope::Scope;
use crate::providers::ClientKind;
use crate::store::{ProfileName, Session, StoreKind};
use crate::trace::{Event, Observer};
use attempt::LoginAttempt;
use client::choose_client;
use lock_wait::LockWait;
pub(super) use machine::log_in_machine;
use methods::LoginMethod;
use outcome::{LoginOutcome, Requested};
use saver::{Destination, SessionSaver};
use summary::{Summary, print_default_note, print_device_note};
use target::find_server;
use url::Url;

pub(super) fn run(context: &Context, command: &LoginCommand) -> Result<(), Error> {
    match wizard::is_wanted(context, command)? {
        true => wizard::run(context, command, log_in_or_stop),
        false => log_in_or_stop(context, &command.options),
    }
}

fn log_in_or_stop(context: &Context, options: &LoginOptions) -> Result<(), Error> {
    options.client.reject_second_client()?;
    match options.session.stop_before {
        Some(StopBefore::Exchange) => dry_run::run(context, options),
        None => log_in(context, options, OnOtherFailure::LogIn, context.style.json),
    }
}

/// The login that `oauth token --login` finds to be needed: nothing goes to stdout.
pub(super) fn login_for_token(context: &Context, name: &ProfileName) -> Result<(), Error> {
    login_for_scope(context, name, &Scope::default())
}

/// The same with another scope than the profile's, where there is one: it is
/// saved, as when a person asks for it.
pub(super) fn login_for_scope(context: &Context, name: &ProfileName, scope: &Scope) -> Result<(), Error> {
    let options = LoginOptions {
        profile: Some(name.to_string()),
        request: RequestOptions {
            scope: scope.tokens().to_vec(),
            ..RequestOptions::default()
        },
        callback: CallbackOptions {
            timeout: DEFAULT_LOGIN_TIMEOUT,
            ..CallbackOptions::default()
        },
        ..LoginOptions::default()
    };
    log_in(context, &options, OnOtherFailure::Fail, false)
}

/// The login at the authorization server of an API, for a bridge to it.
pub(super) fn login_for_api(context: &Context, url: &Url) -> Result<(), Error> {
    let options = LoginOptions {
        target: Some(url.to_string()),
        callback: CallbackOptions {
            timeout: DEFAULT_LOGIN_TIMEOUT,
            ..CallbackOptions::default()
        },
        ..LoginOptions::default()
    };
    log_in(context, &options, OnOtherFailure::Fail, false)
}

fn log_in(
    context: &Context,
    options: &LoginOptions,
    after_failure: OnOtherFailure,
    prints_json: bool,
) -> Result<(), Error> {
    let config = context.config()?;
    let mut resolved = resolve(context, options, &config)?;
    let profile = config.profile(&resolved.profile);
    let destination = Destination::resolve(context, options, profile)?;
    destination.check_output()?;
    let mut observer = context.observer();
    // Everything that was given is read and checked before the store makes its key.
    let given = given_client_credentials(context, options, (&resolved, Purpose::Login))?;
    let method = LoginMethod::resolve(context, &config, options, (&resolved, Purpose::Login))?;
    let transport = context.transport(profile, resolved.request.server.allowance == HttpPolicy::Everywhere)?;
    let mut saver = SessionSaver::open(context, &config, destination, &resolved, &mut observer)?;
    let current = saver.current_session();
    find_server(context, &mut resolved, current, &transport, &mut observer)?;
    choose_client(&mut resolved, current, &mut observer)?;
    resolved.request.client.credentials = client_credentials(given, &resolved, current);
    saver.update_profile(&config, &resolved);
    check_client_authentication(context, &resolved)?;
    warn_of_missing_secret(&resolved, &mut observer);
    saver.probe(&mut observer)?;

    let change = ProfileChange::of(options, &resolved, profile);
    let turn = LockWait {
        request: &resolved.request,
        method: &method,
        timeout: context.at_most(resolved.request.timeout),
        known: saver.earlier_session().map(|earlier| earlier.generation),
        after_failure,
    }
    .wait(&mut saver, &mut observer)?;
    if let Some(LoginLock::OtherFinished { .. }) = turn
        && let Some(session) = saver.keep_other_login(context, &mut observer)?
    {
        let outcome = LoginOutcome::new(Requested::of(&resolved.request), session, None);
        return Summary::new(&saver, &outcome).print(prints_json, &mut observer);
    }
    let replaced = saver.current_session().cloned();
    let outcome = method.run(LoginAttempt {
        context,
        options,
        resolved,
        transport: &transport,
        saver: &mut saver,
        observer: &mut observer,
        warns_of_quirks: true,
    })?;
    if let Some(replaced) = replaced {
        end_replaced_registration(context, &replaced, &outcome.session, caller(&transport, &mut observer))?;
    }
    drop(turn);
    Summary::new(&saver, &outcome).print(prints_json, &mut observer)?;
    print_use(context, &saver, after_failure, change, &mut observer)
}

/// How the profile and its tokens are used from now on.
fn print_use(
    context: &Context,
    saver: &SessionSaver,
    after_failure: OnOtherFailure,
    change: ProfileChange,
    observer: &mut dyn Observer,
) -> Result<(), Error> {
    if let Some(earlier) = change.grant_before_device {
        print_device_note(saver.name(), earlier, observer);
    }
    if !change.dropped_scope.is_empty() {
        observer.observe(&Event::Note(&format!(
            "profile \"{}\" asked for more before: {}; --scope names all that is asked for from now on",
            saver.name(),
            change.dropped_scope
        )));
    }
    if after_failure == OnOtherFailure::LogIn && *saver.kind() != StoreKind::None {
        print_default_note(&context.config()?, saver.name(), observer);
    }
    Ok(())
}

fn resolve(context: &Context, options: &LoginOptions, config: &Config) -> Result<ResolvedLogin, Error> {
    let mut resolved = settings::login(options, &context.environment, config)?;
    resolved.given.extend(settings::connection_changes(&context.global));
    reject_unattended(context, options, &resolved)?;
    Ok(resolved)
}

/// What a login changes in a saved profile, and the person may not have meant.
#[derive(Default)]
struct ProfileChange {
    /// The grant that it had, where it signs in on another device from now on.
    grant_before_device: Option<LoginGrant>,
    /// What it asked for and does not any more.
    dropped_scope: Scope,
}

impl ProfileChange {
    fn of(options: &LoginOptions, resolved: &ResolvedLogin, saved: Option<&Profile>) -> Self {
        if options.session.no_save {
            return ProfileChange::default();
        }
        ProfileChange {
            grant_before_device: grant_before_device(resolved, saved),
            dropped_scope: dropped_scope(resolved, saved),
        }
    }
}

fn grant_before_device(resolved: &ResolvedLogin, saved: Option<&Profile>) -> Option<LoginGrant> {
    let device = LoginGrant::Device.as_str();
    let saved = saved.and_then(|profile| profile.text("grant"));
    let is_given = |(key, value): &(String, Setting)| key == "grant" && *value == Setting::Text(device.to_owned());
    let is_new = saved != Some(device) && resolved.given.iter().any(is_given);
    is_new.then(|| {
        let earlier = saved.and_then(|grant| grant.parse().ok());
        earlier.unwrap_or(LoginGrant::AuthorizationCode)
    })
}

fn dropped_scope(resolved: &ResolvedLogin, saved: Option<&Profile>) -> Scope {
    let is_given = resolved.given.iter().any(|(key, _)| key == "scope");
    let saved = saved
        .filter(|_| is_given)
        .map(|profile| profile.list("scope").join(" "));
    let saved = saved.and_then(|text| Scope::parse(&text).ok()).unwrap_or_default();
    saved.without(&resolved.request.authorization.scope)
}

/// Unregisters the client of the session before, where the new one has another.
fn end_replaced_registration(
    context: &Context,
    replaced: &Session,
    new: &Session,
    mut caller: Caller<'_>,
) -> Result<(), Error> {
    let is_replaced = replaced.client.id != new.client.id || replaced.issuer != new.issuer;
    let management = replaced.registration.as_ref().and_then(|own| own.management.as_ref());
    if let Some(management) = management.filter(|_| is_replaced) {
        let ending = unregister(replaced.client.id.as_str(), management, &mut caller);
        context.runtime()?.block_on(interruptible(ending))?;
    }
    Ok(())
}

/// Some providers want a secret of every client in the browser flow; without it
/// a person would sign in for nothing.
fn warn_of_missing_secret(resolved: &ResolvedLogin, observer: &mut dyn Observer) {
    let credentials = &resolved.request.client.credentials;
    let Some(provider) = &resolved.provider else { return };
    let needs_secret = resolved.grant == LoginGrant::AuthorizationCode && provider.client == ClientKind::Secret;
    if needs_secret && credentials.secret.is_none() && credentials.key.is_none() {
        observer.observe(&Event::Warning(&format!(
            "{} requires a client secret, and there is none: give it with --client-secret-file FILE or OAUTH_CLIENT_SECRET",
            provider.title
        )));
    }
}
