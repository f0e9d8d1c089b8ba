//! `oauth login`: resolves what was typed, proves that configuration and store
//! can take the result, walks the flow, keeps the session, says what came of it.

use super::login_dry_run;
use crate::app::client_secret::{check_client_authentication, client_secret, given_client_secret};
use crate::app::context::{Context, caller};
use crate::app::input::read_secret_from_stdin;
use crate::app::lock::{LOCK_WAIT, lock};
use crate::app::login_context::run_login;
use crate::app::login_lock::{self, LoginLock, OnOtherFailure};
use crate::app::passphrase::ask_passphrase;
use crate::app::session_row::SessionRow;
use crate::app::signals::{finish_then_interrupt, shutdown_signal};
use crate::app::store_migration::{PreviousStore, current_session};
use crate::args::cli::{DEFAULT_LOGIN_TIMEOUT, LoginOptions, StopBefore};
use crate::args::config::{self, Change, Config, Setting};
use crate::args::login_grant::LoginGrant;
use crate::args::settings::{self, ResolvedLogin, SettingsError};
use crate::error::Error;
use crate::exit::Diagnosis;
use crate::flow::client_credentials::log_in_as_client;
use crate::flow::import::{ImportError, import_refresh_token};
use crate::flow::login::{LoginError, LoginRequest, SaveSession, login};
use crate::flow::refresh::RefreshOptions;
use crate::flow::server::ServerChoice;
use crate::flow::session::asked;
use crate::foreign_text::sanitize_json;
use crate::output::duration::describe_seconds;
use crate::output::report;
use crate::protocol::endpoint::{HttpPolicy, Issuer};
use crate::protocol::id_token::IdToken;
use crate::protocol::scope::Scope;
use crate::secret::Secret;
use crate::store::{CredentialStore, Interaction, ProfileName, Renewal, Session, StoreKind, load_undamaged};
use crate::system;
use crate::trace::{Event, Observer};
use crate::transport::Transport;
use serde_json::{Value, json};
use std::io::IsTerminal;
use std::path::Path;

pub(super) fn run(context: &Context, options: &LoginOptions) -> Result<(), Error> {
    match options.stop_before {
        Some(StopBefore::Exchange) => login_dry_run::run(context, options),
        None => log_in(context, options, OnOtherFailure::LogIn, context.style.json),
    }
}

/// The login that `oauth token --login` finds to be needed: nothing goes to stdout.
pub(super) fn login_for_token(context: &Context, name: &ProfileName) -> Result<(), Error> {
    let options = LoginOptions {
        profile: Some(name.to_string()),
        timeout: DEFAULT_LOGIN_TIMEOUT,
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
    let config_path = context.config_path()?;
    let mut resolved = settings::login(options, &context.environment, &config)?;
    resolved.given.extend(settings::connection_changes(&context.global));
    let name = resolved.profile.clone();
    reject_unattended(context, options, &resolved)?;
    let profile = config.profile(&name);
    let kind = if options.no_store {
        StoreKind::None
    } else {
        context.store_kind(profile)?
    };
    let mut observer = context.observer();

    // Everything that was given is read and checked before the store makes its key
    let given_secret = given_client_secret(context, options, &resolved)?;
    let given_refresh_token = match options.refresh_token_stdin {
        true => Some(read_secret_from_stdin(context, "--refresh-token-stdin")?),
        false => None,
    };
    let transport = context.transport(profile, resolved.request.server.allowance == HttpPolicy::Everywhere)?;
    if !options.no_save {
        config::check_writable(&config_path)?;
    }
    let mut store = context.open_store_interactive(&kind, Interaction::Allowed, ask_passphrase(context))?;
    let earlier = load_undamaged(store.as_mut(), &name)?;
    let mut old_store = match options.no_save {
        // The profile then goes on naming the old one
        true => None,
        false => PreviousStore::of(context, &name, profile, &kind, &mut observer)?,
    };
    let current = current_session(old_store.as_ref(), earlier.as_ref());
    resolved.request.client.secret = client_secret(given_secret, &resolved, current);
    let generation = current.map_or(0, |current| current.generation);
    check_client_authentication(&resolved)?;
    store.probe(&name)?;
    if let Some(notice) = store.notice() {
        observer.observe(&Event::Note(&notice));
    }

    let locks = context.folders()?.locks();
    let saving = (!options.no_save).then(|| ProfileUpdate::new(&config, &config_path, &locks, &resolved, &kind));
    let turn = if kind == StoreKind::None || options.refresh_token_stdin {
        None
    } else {
        let request = &resolved.request;
        let login = login_lock::LoginWait {
            profile: &name,
            server: server_label(request),
            known: earlier.as_ref().map(|earlier| earlier.generation),
            timeout: context.at_most(request.timeout),
            after_failure,
        };
        let repeats = resolved.grant == LoginGrant::ClientCredentials;
        let wanted =
            |session: &Session| matches_request(session, request) && (session.renewal == Renewal::Grant) == repeats;
        Some(login_lock::acquire(
            &login,
            &locks,
            store.as_mut(),
            &wanted,
            &mut observer,
        )?)
    };
    if let Some(LoginLock::OtherFinished(session)) = turn {
        if let Some(saving) = &saving {
            saving.save()?;
        }
        if let Some(old_store) = &mut old_store {
            old_store.remove_old(&locks, &name, &session, &mut observer);
        }
        let outcome = LoginOutcome {
            asked: resolved.request.wish.scope.clone(),
            consent_was_asked: asks_for_consent(&resolved.request),
            token_response: token_response(&session),
            session: *session,
            id_token: None,
        };
        return print_summary(&name, &kind, store.as_ref(), &outcome, prints_json, &mut observer);
    }
    let mut save = |session: &Session, observer: &mut dyn Observer| {
        // Where nothing is kept there is nothing to lock, and maybe no folder to write a lock into.
        let mut kept = None;
        if kind != StoreKind::None {
            kept = Some(save_session(
                store.as_mut(),
                &locks,
                &name,
                session,
                generation,
                observer,
            )?);
        }
        let Some(Err(error)) = saving.as_ref().map(ProfileUpdate::save) else {
            if let (Some(old_store), Some(kept)) = (&mut old_store, &kept) {
                old_store.remove_old(&locks, &name, kept, observer);
            }
            return Ok(());
        };
        if kind != StoreKind::None {
            restore(store.as_mut(), &locks, &name, earlier.as_ref(), observer)?;
        }
        Err(boxed(error))
    };

    let outcome = if let Some(refresh_token) = given_refresh_token {
        let request = &resolved.request;
        let mut caller = caller(&transport, &mut observer);
        // The token that was given is spent by now: a signal waits until the new one is kept.
        let (session, id_token) = context.runtime()?.block_on(finish_then_interrupt(async {
            let refresh_options = RefreshOptions {
                client_secret: None,
                token_parameters: resolved.refresh_parameters.clone(),
                assumed_ttl: request.assumed_ttl,
                warns_of_quirks: true,
            };
            let importing = import_refresh_token(
                &request.server,
                &request.client,
                &request.wish,
                &refresh_options,
                refresh_token,
                &mut caller,
            );
            let (session, id_token) = match importing.await {
                Ok(imported) => imported,
                Err(ImportError::Server(error)) => return Err(LoginError::Server(error).into()),
                Err(ImportError::Refused(error)) => return Err(error.into()),
                Err(ImportError::Refresh(error)) => return Err(error.into()),
                Err(ImportError::RefreshTokenKept(session, error)) => {
                    save(&session, caller.observer).map_err(LoginError::Keep)?;
                    return Err(error.into());
                }
            };
            save(&session, caller.observer).map_err(LoginError::Keep)?;
            Ok::<_, Error>((session, id_token))
        }))??;
        LoginOutcome {
            asked: request.wish.scope.clone(),
            consent_was_asked: asks_for_consent(request),
            token_response: token_response(&session),
            session,
            id_token,
        }
    } else if resolved.grant == LoginGrant::ClientCredentials {
        run_client_credentials(context, &resolved, &transport, &mut save, &mut observer)?
    } else {
        run_flow(context, options, resolved, &transport, &mut save, &mut observer)?
    };
    drop(turn);
    print_summary(&name, &kind, store.as_ref(), &outcome, prints_json, &mut observer)?;
    if after_failure == OnOtherFailure::LogIn && kind != StoreKind::None {
        print_default_note(&context.config()?, &name, &mut observer);
    }
    Ok(())
}

/// In CI without a terminal there is no browser and nobody to sign in; the login
/// would print its URL into the job's log and wait.
fn reject_unattended(context: &Context, options: &LoginOptions, resolved: &ResolvedLogin) -> Result<(), SettingsError> {
    let environment = &context.environment;
    let has_terminal = std::io::stdin().is_terminal() || std::io::stderr().is_terminal();
    let has_browser = resolved.browser.is_some() || environment.has("BROWSER");
    let needs_nobody = resolved.grant == LoginGrant::ClientCredentials;
    let was_asked =
        needs_nobody || options.no_browser || options.paste || options.refresh_token_stdin || context.style.json;
    if !environment.has("CI") || has_terminal || has_browser || was_asked {
        return Ok(());
    }
    let target = options.target.clone().unwrap_or_else(|| resolved.profile.to_string());
    Err(SettingsError::Unattended { target })
}

/// How to use a profile that no command takes by default.
fn print_default_note(config: &Config, name: &ProfileName, observer: &mut dyn Observer) {
    if config.profile(name).is_none() || config.effective_default() == Some(name) {
        return;
    }
    observer.observe(&Event::Note(&format!(
        "this is not the default profile; print its token with: oauth token {name}"
    )));
    observer.observe(&Event::Note(&format!(
        "make it the default with: oauth profile use {name}"
    )));
}

/// Where the person signs in, to be told to others.
fn server_label(request: &LoginRequest) -> String {
    let ServerChoice {
        issuer,
        authorization_endpoint,
        ..
    } = &request.server;
    let endpoint = || authorization_endpoint.as_ref().map(ToString::to_string);
    let issuer = issuer.as_ref().map(ToString::to_string);
    issuer.or_else(endpoint).unwrap_or_default()
}

/// Whether a session is what this login would bring.
fn matches_request(session: &Session, request: &LoginRequest) -> bool {
    let wish = &request.wish;
    session.issuer.as_deref() == request.server.issuer.as_ref().map(Issuer::as_str)
        && session.client.id == request.client.id.as_str()
        && session.asked == asked(&wish.scope, &wish.resource, &wish.audience)
}

fn asks_for_consent(request: &LoginRequest) -> bool {
    let asks = |(name, value): &(String, String)| name == "prompt" && value.split(' ').any(|word| word == "consent");
    request.wish.extra.iter().any(asks)
}

/// What came of it.
struct LoginOutcome {
    session: Session,
    id_token: Option<IdToken>,
    asked: Scope,
    /// Whether `prompt=consent` was sent.
    consent_was_asked: bool,
    /// For `--no-store`, as JSON.
    token_response: Secret,
}

fn run_flow(
    context: &Context,
    options: &LoginOptions,
    resolved: ResolvedLogin,
    transport: &Transport,
    save: &mut SaveSession<'_>,
    observer: &mut dyn Observer,
) -> Result<LoginOutcome, Error> {
    let asked = resolved.request.wish.scope.clone();
    let consent_was_asked = asks_for_consent(&resolved.request);
    let logged_in = run_login(
        context,
        options,
        resolved,
        transport,
        save,
        observer,
        async |request, context| login(request, context, shutdown_signal()).await,
    )?;
    Ok(LoginOutcome {
        session: logged_in.session,
        id_token: logged_in.id_token,
        asked,
        consent_was_asked,
        token_response: logged_in.token_response,
    })
}

/// A token for the client itself, without a browser.
fn run_client_credentials(
    context: &Context,
    resolved: &ResolvedLogin,
    transport: &Transport,
    save: &mut SaveSession<'_>,
    observer: &mut dyn Observer,
) -> Result<LoginOutcome, Error> {
    let request = &resolved.request;
    let options = RefreshOptions {
        client_secret: None,
        token_parameters: request.wish.extra_token_params.clone(),
        assumed_ttl: request.assumed_ttl,
        warns_of_quirks: true,
    };
    let mut caller = caller(transport, observer);
    let session = context.runtime()?.block_on(finish_then_interrupt(async {
        let session = log_in_as_client(&request.server, &request.client, &request.wish, &options, &mut caller).await?;
        save(&session, caller.observer).map_err(LoginError::Keep)?;
        Ok::<_, Error>(session)
    }))??;
    Ok(LoginOutcome {
        asked: request.wish.scope.clone(),
        consent_was_asked: false,
        token_response: token_response(&session),
        session,
        id_token: None,
    })
}

fn boxed(error: impl Diagnosis) -> Box<dyn Diagnosis> {
    Box::new(error)
}

/// Stores a session under the profile's lock, over whatever is there, with a
/// generation above that and above `generation`. Returns it as it is stored.
fn save_session(
    store: &mut dyn CredentialStore,
    locks: &Path,
    name: &ProfileName,
    session: &Session,
    generation: u64,
    observer: &mut dyn Observer,
) -> Result<Session, Box<dyn Diagnosis>> {
    let _lock = lock(locks, name, LOCK_WAIT, observer).map_err(boxed)?;
    let earlier = load_undamaged(store, name).map_err(boxed)?;
    let newest = earlier.map_or(0, |earlier| earlier.generation).max(generation);
    let kept = Session {
        generation: newest.saturating_add(1),
        ..session.clone()
    };
    store.save(name, &kept).map_err(boxed)?;
    observer.observe(&Event::Stored {
        store: &store.describe(),
    });
    Ok(kept)
}

/// Undoes [`save_session`] for a login that failed after it.
fn restore(
    store: &mut dyn CredentialStore,
    locks: &Path,
    name: &ProfileName,
    earlier: Option<&Session>,
    observer: &mut dyn Observer,
) -> Result<(), Box<dyn Diagnosis>> {
    let _lock = lock(locks, name, LOCK_WAIT, observer).map_err(boxed)?;
    match earlier {
        Some(earlier) => store.save(name, earlier).map_err(boxed)?,
        None => store.delete(name).map(|_| ()).map_err(boxed)?,
    }
    observer.observe(&Event::Decision(
        "the session was not kept: the store is as it was before",
    ));
    Ok(())
}

/// What `login` writes to the configuration file after success.
struct ProfileUpdate<'a> {
    path: &'a Path,
    locks: &'a Path,
    changes: Vec<Change>,
}

impl<'a> ProfileUpdate<'a> {
    fn new(config: &Config, path: &'a Path, locks: &'a Path, resolved: &ResolvedLogin, kind: &StoreKind) -> Self {
        let name = &resolved.profile;
        let set = |key: &str, setting: Setting| Change::Set(name.clone(), key.to_owned(), setting);
        let mut changes: Vec<Change> = resolved
            .dropped
            .iter()
            .map(|key| Change::Unset(name.clone(), (*key).to_owned()))
            .collect();
        changes.extend(resolved.given.iter().map(|(key, setting)| set(key, setting.clone())));
        if *kind != StoreKind::None {
            changes.push(set("store", Setting::Text(kind.to_string())));
        }
        let first = config.profiles().next().is_none() && config.default_profile.is_none();
        if first && name.as_str() != "default" {
            changes.push(Change::Default(name.clone()));
        }
        ProfileUpdate { path, locks, changes }
    }

    fn save(&self) -> Result<(), config::ConfigError> {
        config::change(self.path, self.locks, &self.changes)
    }
}

/// What a refresh brought, in the members of RFC 6749 §5.1.
fn token_response(session: &Session) -> Secret {
    let token = session.tokens.first();
    let seconds = token.and_then(|token| Some(token.expires_at?.seconds_since(token.issued_at?)));
    let object = json!({
        "access_token": token.map(|token| token.access_token.expose()),
        "token_type": token.map(|token| &token.token_type),
        "expires_in": seconds,
        "refresh_token": session.refresh_token.as_ref().map(Secret::expose),
        "scope": token.and_then(|token| token.scope.as_ref()).map(|scope| scope.join(" ")),
        "id_token": session.id_token.as_ref().map(Secret::expose),
    });
    let members = object
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, value)| !value.is_null());
    let members: serde_json::Map<String, Value> = members.map(|(name, value)| (name.clone(), value.clone())).collect();
    Secret::new(Value::Object(members).to_string())
}

/// Who signed in, what was granted, until when, and where it is kept.
fn print_summary(
    name: &ProfileName,
    kind: &StoreKind,
    store: &dyn CredentialStore,
    outcome: &LoginOutcome,
    prints_json: bool,
    observer: &mut dyn Observer,
) -> Result<(), Error> {
    let session = &outcome.session;
    let now = system::now();
    let who = match (&outcome.id_token, session.renewal) {
        (Some(id_token), _) => Some(format!(" as {}", id_token.display_name())),
        (None, Renewal::Grant) => Some(format!(" as the client {}", session.client.id)),
        (None, _) => None,
    };
    let issuer = session.issuer.as_deref().unwrap_or(&session.endpoints.token);
    observer.observe(&Event::Outcome(&format!(
        "signed in{} at {issuer}",
        who.unwrap_or_default()
    )));
    let token = session.tokens.first();
    let granted = token.and_then(|token| token.scope.clone());
    let granted = granted.map_or_else(|| outcome.asked.clone(), |scope| Scope::received(&scope.join(" ")));
    if !granted.is_empty() {
        observer.observe(&Event::Outcome(&format!("granted: {granted}")));
    }
    let mut missing = outcome.asked.without(&granted);
    if session.can_renew() {
        // The refresh token is what it asks for, whether or not the server repeats its name.
        missing = missing.without(&Scope::received("offline_access"));
    }
    if !missing.is_empty() {
        observer.observe(&Event::Warning(&format!("asked for, but not granted: {missing}")));
    }
    let more = granted.without(&outcome.asked);
    if !outcome.asked.is_empty() && !more.is_empty() {
        observer.observe(&Event::Warning(&format!("granted, but not asked for: {more}")));
    }
    match token.and_then(|token| token.expires_at) {
        Some(expires_at) => {
            let left_s = u64::try_from(expires_at.seconds_since(now)).unwrap_or_default();
            let until = system::local_time(expires_at);
            observer.observe(&Event::Outcome(&format!(
                "the access token is valid until {until} ({})",
                describe_seconds(left_s)
            )));
        }
        None => observer.observe(&Event::Note(
            "the server did not say how long the access token is valid",
        )),
    }
    if session.renewal == Renewal::Grant {
        observer.observe(&Event::Outcome(
            "oauth token gets the next one in the same way when it expires",
        ));
    } else if session.can_renew() {
        observer.observe(&Event::Outcome("it can be refreshed"));
    } else if outcome.asked.contains("offline_access") && outcome.asked.contains("openid") && !outcome.consent_was_asked
    {
        observer.observe(&Event::Note("it cannot be refreshed: the server gave no refresh token"));
        observer.observe(&Event::Note(&format!(
            "some servers give one only where the consent page is shown (OpenID Connect Core §11): oauth login {name} --param prompt=consent"
        )));
    } else if outcome.asked.contains("offline_access") {
        observer.observe(&Event::Note("it cannot be refreshed: the server gave no refresh token"));
    } else {
        observer.observe(&Event::Note(
            "it cannot be refreshed: the server gave no refresh token; asking for --scope offline_access may bring one",
        ));
    }
    if *kind == StoreKind::None {
        let line = sanitize_json(outcome.token_response.expose()) + "\n";
        return report::print(Secret::new(line).expose().as_bytes());
    }
    observer.observe(&Event::Outcome(&format!(
        "stored as profile \"{name}\" in {}",
        store.describe()
    )));
    if prints_json {
        let row = SessionRow::new(name, None, Some(session), kind, now);
        let line = sanitize_json(&row.to_json(now).to_string()) + "\n";
        return report::print(line.as_bytes());
    }
    Ok(())
}
