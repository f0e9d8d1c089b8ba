//! `oauth login`: resolves what was typed, proves that configuration and store
//! can take the result, walks the flow, keeps the session, says what came of it.

use super::passphrase::ask_passphrase;
use super::relocation::{OldStore, living};
use super::signals::{after_work, interruptible, signalled};
use super::status::Row;
use super::stopped;
use super::turn::{self, AfterFailure, Turn};
use super::{Context, LOCK_WAIT, caller, lock};
use crate::args::cli::{DEFAULT_LOGIN_TIMEOUT, LoginOptions, StopBefore};
use crate::args::config::{self, Change, Config, Setting};
use crate::args::settings::{self, ResolvedLogin, SettingsError};
use crate::error::Error;
use crate::exit::Diagnosis;
use crate::flow::import::{ImportError, import_refresh_token};
use crate::flow::login::{
    CallbackChoice, LoginContext, LoginError, LoginRequest, PasteEvent, PasteSource, SaveSession, UserAgent, login,
};
use crate::flow::server::ServerChoice;
use crate::flow::session::asked;
use crate::output::duration::describe_seconds;
use crate::output::report;
use crate::output::sanitize::sanitize_json;
use crate::protocol::client::ClientAuthenticationMethod;
use crate::protocol::endpoint::{HttpPolicy, Issuer};
use crate::protocol::id_token::IdToken;
use crate::protocol::scope::Scope;
use crate::secret::Secret;
use crate::store::{CredentialStore, Interaction, ProfileName, Session, StoreKind};
use crate::system;
use crate::system::environment::Environment;
use crate::trace::{Event, Observer};
use crate::transport::Transport;
use crate::user_agent::browser::{self, BrowserError, BrowserLauncher, BrowserProcess, PlainHttp};
use crate::user_agent::host::{self, HostEnvironment};
use crate::user_agent::terminal::{PasteReader, PipedLine, TerminalInputError};
use serde_json::{Value, json};
use std::ffi::OsString;
use std::io::{self, Read};
use std::path::Path;
use std::pin::Pin;
use url::Url;

/// Nobody needs a longer secret.
const SECRET_MAX_BYTES: u64 = 64 * 1024;

pub(super) fn run(context: &Context, options: &LoginOptions) -> Result<(), Error> {
    match options.stop_before {
        Some(StopBefore::Exchange) => stopped::run(context, options),
        None => log_in(context, options, AfterFailure::LogIn, context.style.json),
    }
}

/// The login that `oauth token --login` finds to be needed: nothing goes to stdout.
pub(super) fn again(context: &Context, name: &ProfileName) -> Result<(), Error> {
    let options = LoginOptions {
        profile: Some(name.to_string()),
        timeout: DEFAULT_LOGIN_TIMEOUT,
        ..LoginOptions::default()
    };
    log_in(context, &options, AfterFailure::Fail, false)
}

fn log_in(
    context: &Context,
    options: &LoginOptions,
    after_failure: AfterFailure,
    prints_json: bool,
) -> Result<(), Error> {
    let config = context.config()?;
    let config_path = context.config_path()?;
    let mut resolved = settings::login(options, &context.environment, &config)?;
    resolved
        .given
        .extend(settings::given_to_reach_the_server(&context.global));
    let name = resolved.profile.clone();
    let profile = config.profile(&name);
    let kind = if options.no_store {
        StoreKind::None
    } else {
        context.store_kind(profile)?
    };
    let mut observer = context.observer();

    if !options.no_save {
        config::check_writable(&config_path)?;
    }
    let mut store = context.store_asking(&kind, Interaction::Allowed, ask_passphrase(context))?;
    store.probe(&name)?;
    if let Some(notice) = store.notice() {
        observer.observe(&Event::Note(&notice));
    }
    let earlier = store.load(&name)?;
    let mut old_store = match options.no_save {
        // The profile then goes on naming the old one
        true => None,
        false => OldStore::of(context, &name, profile, &kind, &mut observer)?,
    };
    let living = living(old_store.as_ref(), earlier.as_ref());
    resolved.request.client.secret = client_secret(context, options, &resolved, living)?;
    let generation = living.map_or(0, |living| living.generation);
    check_client_authentication(&resolved)?;

    let transport = context.transport(profile, resolved.request.server.allowance == HttpPolicy::Everywhere)?;
    let locks = context.folders()?.locks();
    let saving = (!options.no_save).then(|| Saving::new(&config, &config_path, &locks, &resolved, &kind));
    let turn = if kind == StoreKind::None || options.refresh_token_stdin {
        None
    } else {
        let request = &resolved.request;
        let login = turn::Login {
            profile: &name,
            server: place_of(request),
            known: earlier.as_ref().map(|earlier| earlier.generation),
            timeout: request.timeout,
            after_failure,
        };
        let wanted = |session: &Session| is_of(session, request);
        Some(turn::take(&login, &locks, store.as_mut(), &wanted, &mut observer)?)
    };
    if let Some(Turn::Finished(session)) = turn {
        if let Some(saving) = &saving {
            saving.save()?;
        }
        if let Some(old_store) = &mut old_store {
            old_store.leave(&locks, &name, &session, &mut observer);
        }
        let outcome = Outcome {
            asked: resolved.request.wish.scope.clone(),
            token_response: token_response(&session),
            session: *session,
            id_token: None,
        };
        return tell(&name, &kind, store.as_ref(), &outcome, prints_json, &mut observer);
    }
    let mut save = |session: &Session, observer: &mut dyn Observer| {
        // Where nothing is kept there is nothing to lock, and maybe no folder to write a lock into.
        let mut kept = None;
        if kind != StoreKind::None {
            kept = Some(keep_session(
                store.as_mut(),
                &locks,
                &name,
                session,
                generation,
                observer,
            )?);
        }
        let Some(Err(error)) = saving.as_ref().map(Saving::save) else {
            if let (Some(old_store), Some(kept)) = (&mut old_store, &kept) {
                old_store.leave(&locks, &name, kept, observer);
            }
            return Ok(());
        };
        if kind != StoreKind::None {
            put_back(store.as_mut(), &locks, &name, earlier.as_ref(), observer)?;
        }
        Err(boxed(error))
    };

    let outcome = if options.refresh_token_stdin {
        let refresh_token = secret_of_stdin(context, "--refresh-token-stdin")?;
        let request = &resolved.request;
        let mut caller = caller(&transport, &mut observer);
        // The token that was given is spent by now: a signal waits until the new one is kept.
        let (session, id_token) = context.runtime()?.block_on(after_work(async {
            let importing = import_refresh_token(
                &request.server,
                &request.client,
                &request.wish,
                refresh_token,
                &mut caller,
            );
            let (session, id_token) = importing.await.map_err(|error| match error {
                ImportError::Server(error) => Error::from(LoginError::Server(error)),
                ImportError::Refresh(error) => Error::from(error),
            })?;
            save(&session, caller.observer).map_err(LoginError::Keep)?;
            Ok::<_, Error>((session, id_token))
        }))??;
        Outcome {
            asked: request.wish.scope.clone(),
            token_response: token_response(&session),
            session,
            id_token,
        }
    } else {
        walk(context, options, resolved, &transport, &mut save, &mut observer)?
    };
    drop(turn);
    tell(&name, &kind, store.as_ref(), &outcome, prints_json, &mut observer)
}

/// Where the person signs in, to be told to others.
fn place_of(request: &LoginRequest) -> String {
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
fn is_of(session: &Session, request: &LoginRequest) -> bool {
    let wish = &request.wish;
    session.issuer.as_deref() == request.server.issuer.as_ref().map(Issuer::as_str)
        && session.client.id == request.client.id.as_str()
        && session.asked == asked(&wish.scope, &wish.resource, &wish.audience)
}

/// What came of it.
struct Outcome {
    session: Session,
    id_token: Option<IdToken>,
    asked: Scope,
    /// For `--no-store`, as JSON.
    token_response: Secret,
}

fn walk(
    context: &Context,
    options: &LoginOptions,
    resolved: ResolvedLogin,
    transport: &Transport,
    save: &mut SaveSession<'_>,
    observer: &mut dyn Observer,
) -> Result<Outcome, Error> {
    let asked = resolved.request.wish.scope.clone();
    let logged_in = run_login(
        context,
        options,
        resolved,
        transport,
        save,
        observer,
        async |request, context| login(request, context, signalled()).await,
    )?;
    Ok(Outcome {
        session: logged_in.session,
        id_token: logged_in.id_token,
        asked,
        token_response: logged_in.token_response,
    })
}

/// Lets a flow run on this machine: its browser, its terminal, its clock.
pub(super) fn run_login<T>(
    context: &Context,
    options: &LoginOptions,
    resolved: ResolvedLogin,
    transport: &Transport,
    save: &mut SaveSession<'_>,
    observer: &mut dyn Observer,
    flow: impl AsyncFnOnce(LoginRequest, &mut LoginContext<'_>) -> Result<T, LoginError>,
) -> Result<T, Error> {
    let host = detect_host(&context.environment);
    let openers = match options.no_browser {
        true => Vec::new(),
        false => openers(resolved.browser.as_deref(), &context.environment, &host)?,
    };
    let mut user_agent = DesktopBrowser {
        openers,
        plain_http: plain_http(resolved.request.server.allowance),
        environment: &context.environment,
    };
    let paste_only = matches!(resolved.request.callback, CallbackChoice::Paste(_));
    let runtime = context.runtime()?;
    let _in_runtime = runtime.enter();
    let mut pasted = pasted_lines(paste_only, options.client_secret_stdin)?;
    let mut login_context = LoginContext {
        caller: caller(transport, observer),
        user_agent: &mut user_agent,
        pasted: pasted.as_mut().map(|lines| lines as &mut dyn PasteSource),
        host: &host,
        save,
    };
    Ok(runtime.block_on(flow(resolved.request, &mut login_context))?)
}

fn boxed(error: impl Diagnosis) -> Box<dyn Diagnosis> {
    Box::new(error)
}

/// Stores a session under the profile's lock, over whatever is there, with a
/// generation above that and above `generation`. Returns it as it is stored.
fn keep_session(
    store: &mut dyn CredentialStore,
    locks: &Path,
    name: &ProfileName,
    session: &Session,
    generation: u64,
    observer: &mut dyn Observer,
) -> Result<Session, Box<dyn Diagnosis>> {
    let _lock = lock(locks, name, LOCK_WAIT, observer).map_err(boxed)?;
    let earlier = store.load(name).map_err(boxed)?;
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

/// Undoes [`keep_session`] for a login that failed after it.
fn put_back(
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
struct Saving<'a> {
    path: &'a Path,
    locks: &'a Path,
    changes: Vec<Change>,
}

impl<'a> Saving<'a> {
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
        Saving { path, locks, changes }
    }

    fn save(&self) -> Result<(), config::ConfigError> {
        config::change(self.path, self.locks, &self.changes)
    }
}

/// The environment first, then what was given, then what the last login kept.
pub(super) fn client_secret(
    context: &Context,
    options: &LoginOptions,
    resolved: &ResolvedLogin,
    earlier: Option<&Session>,
) -> Result<Option<Secret>, Error> {
    if let Some(secret) = context.client_secret_of_environment() {
        return Ok(Some(secret));
    }
    if options.client_secret_stdin {
        return secret_of_stdin(context, "--client-secret-stdin").map(Some);
    }
    if let Some(path) = &resolved.client_secret_file {
        return Ok(Some(settings::secret_from_file("--client-secret-file", path)?));
    }
    let issuer = resolved.request.server.issuer.as_ref().map(|issuer| issuer.as_str());
    let token_endpoint = resolved.request.server.token_endpoint.as_ref().map(ToString::to_string);
    let same_client = |session: &&Session| {
        session.client.id == resolved.request.client.id.as_str()
            && session.issuer.as_deref() == issuer
            && token_endpoint
                .as_ref()
                .is_none_or(|endpoint| *endpoint == session.endpoints.token)
    };
    let kept = earlier
        .filter(same_client)
        .and_then(|session| session.client.secret.clone());
    Ok(kept.filter(|_| resolved.request.client.method != Some(ClientAuthenticationMethod::None)))
}

pub(super) fn check_client_authentication(resolved: &ResolvedLogin) -> Result<(), SettingsError> {
    let client = &resolved.request.client;
    match (client.method, &client.secret) {
        (Some(ClientAuthenticationMethod::None), Some(_)) => Err(SettingsError::Contradiction {
            one: "--client-auth none".to_owned(),
            other: "the client secret".to_owned(),
            problem: "a public client has no secret".to_owned(),
        }),
        (Some(method), None) if method != ClientAuthenticationMethod::None => Err(SettingsError::Missing {
            what: "client secret",
            profile: resolved.profile.to_string(),
            hint: "Give it with --client-secret-file FILE, --client-secret-stdin or OAUTH_CLIENT_SECRET.".to_owned(),
        }),
        _ => Ok(()),
    }
}

/// All of standard input; one line, unseen, where a person types.
pub(super) fn secret_of_stdin(context: &Context, flag: &str) -> Result<Secret, Error> {
    if let Some(mut reader) = PasteReader::open()? {
        let what = flag
            .trim_start_matches("--")
            .trim_end_matches("-stdin")
            .replace('-', " ");
        context.observer().observe(&Event::Outcome(&format!(
            "{what} (it is not shown while you type), then Enter:"
        )));
        let line = context.runtime()?.block_on(interruptible(reader.next_line()))??;
        let typed = line.map(|line| line.expose().clone().into_bytes()).unwrap_or_default();
        return Ok(settings::secret_from_bytes(flag, typed)?);
    }
    let mut bytes = Vec::new();
    io::stdin()
        .lock()
        .take(SECRET_MAX_BYTES)
        .read_to_end(&mut bytes)
        .map_err(Error::Input)?;
    Ok(settings::secret_from_bytes(flag, bytes)?)
}

/// `--browser` or the profile's, else `$BROWSER`, else the system's where there is a display.
pub(super) fn openers(
    chosen: Option<&str>,
    environment: &Environment,
    host: &HostEnvironment,
) -> Result<Vec<BrowserLauncher>, BrowserError> {
    browser::candidates(chosen, environment.text("BROWSER").as_deref(), host.display)
}

pub(super) fn plain_http(allowance: HttpPolicy) -> PlainHttp {
    match allowance {
        HttpPolicy::Everywhere => PlainHttp::Anywhere,
        HttpPolicy::LoopbackOnly => PlainHttp::LoopbackOnly,
    }
}

/// The browser of this desktop.
pub(super) struct DesktopBrowser<'a> {
    pub(super) openers: Vec<BrowserLauncher>,
    pub(super) plain_http: PlainHttp,
    pub(super) environment: &'a Environment,
}

impl UserAgent for DesktopBrowser<'_> {
    fn open(&mut self, url: &Url) -> Result<BrowserProcess, BrowserError> {
        let environment = self
            .environment
            .for_children()
            .map(|(name, value)| (OsString::from(name), OsString::from(value)));
        browser::open(url, self.plain_http, self.openers.clone(), environment)
    }
}

/// Where this process runs.
pub(super) fn detect_host(environment: &Environment) -> HostEnvironment {
    host::look(&|name| environment.raw(name).map(OsString::from), &|path| path.exists())
}

/// Lines from the terminal beside the listener, or one from a pipe with `--paste`.
pub(super) enum StandardInput {
    Terminal(PasteReader),
    Pipe(PipedLine),
}

impl PasteSource for StandardInput {
    fn next_line(&mut self) -> Pin<Box<dyn Future<Output = PasteEvent> + '_>> {
        Box::pin(async {
            let line = match self {
                StandardInput::Terminal(reader) => reader.next_line().await,
                StandardInput::Pipe(line) => line.next_line().await,
            };
            match line {
                Ok(Some(line)) => PasteEvent::Line(line),
                Err(TerminalInputError::LineTooLong) => PasteEvent::TooLong,
                Ok(None) | Err(_) => PasteEvent::End,
            }
        })
    }

    fn is_terminal(&self) -> bool {
        matches!(self, StandardInput::Terminal(_))
    }
}

pub(super) fn pasted_lines(paste_only: bool, stdin_is_taken: bool) -> Result<Option<StandardInput>, Error> {
    if stdin_is_taken {
        return Ok(None);
    }
    match PasteReader::open()? {
        Some(reader) => Ok(Some(StandardInput::Terminal(reader))),
        None => Ok(paste_only.then(|| StandardInput::Pipe(PipedLine::default()))),
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
fn tell(
    name: &ProfileName,
    kind: &StoreKind,
    store: &dyn CredentialStore,
    outcome: &Outcome,
    prints_json: bool,
    observer: &mut dyn Observer,
) -> Result<(), Error> {
    let session = &outcome.session;
    let now = system::now();
    let who = outcome
        .id_token
        .as_ref()
        .map(|id_token| format!(" as {}", id_token.display_name()));
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
    let missing = outcome.asked.without(&granted);
    if !missing.is_empty() {
        observer.observe(&Event::Warning(&format!("asked for, but not granted: {missing}")));
    }
    let more = granted.without(&outcome.asked);
    if !outcome.asked.is_empty() && !more.is_empty() {
        // Many servers add scopes of their own to every client's.
        observer.observe(&Event::Note(&format!("granted, but not asked for: {more}")));
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
    if session.can_renew() {
        observer.observe(&Event::Outcome("it can be refreshed"));
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
        let row = Row::new(name, None, Some(session), kind, now);
        let line = sanitize_json(&row.to_json(now).to_string()) + "\n";
        return report::print(line.as_bytes());
    }
    Ok(())
}
