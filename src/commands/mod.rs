//! One file a command. What they share stands here: the dispatch, and the
//! context from which each takes configuration, store, transport and observer.

mod check;
mod claims;
mod completions;
mod decode;
mod demo;
mod discover;
mod introspect;
mod login;
mod logout;
mod passphrase;
mod pkce;
mod profile;
mod relocation;
mod revoke;
mod serve;
mod signals;
mod status;
mod stopped;
mod token;
mod token_input;
mod turn;
mod userinfo;
mod watch;

use crate::args::cli::{Command, CommandLine, GlobalOptions, ProfileChoice};
use crate::args::config::{Config, Profile};
use crate::args::settings;
use crate::error::{Error, SessionError};
use crate::output::report::{self, Style};
use crate::secret::Secret;
use crate::store::{
    self, CredentialStore, FileKey, Interaction, LockError, PassphrasePrompt, ProfileLock, ProfileName, Purpose,
    Session, StoreKind, StoreSettings,
};
use crate::system::dirs::Folders;
use crate::system::environment::Environment;
use crate::trace::render::terminal::{Terminal, TerminalSettings};
use crate::trace::{Event, Observer};
use crate::transport::Transport;
use clap::CommandFactory;
use sha2::{Digest, Sha256};
use std::ffi::{OsStr, OsString};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Duration;
use url::Url;
use watch::{Trace, Watch};

/// Runs the command.
///
/// # Errors
/// [`Error`], which knows its exit code.
pub fn dispatch(command_line: CommandLine, environment: Environment, style: Style) -> Result<(), Error> {
    let Some(command) = command_line.command else {
        return report::print(CommandLine::command().render_help().to_string().as_bytes());
    };
    settings::check_global(&command_line.global)?;
    let trace = watch::open_trace(&command_line.global, &environment)?;
    let context = Context {
        global: command_line.global,
        environment,
        style,
        trace,
    };
    let outcome = run(&context, command);
    if let Err(error) = &outcome {
        context.trace_failure(error);
    }
    outcome
}

fn run(context: &Context, command: Command) -> Result<(), Error> {
    match command {
        Command::Login(options) => login::run(context, &options),
        Command::Token(options) => token::run(context, &options),
        Command::Logout(options) => logout::run(context, &options),
        Command::Status(options) => status::run(context, &options),
        Command::Profile(command) => profile::run(context, &command),
        Command::Decode(options) => decode::run(context, &options),
        Command::Pkce(options) => pkce::run(context, &options),
        Command::Userinfo(input) => userinfo::run(context, &input),
        Command::Introspect(input) => introspect::run(context, &input),
        Command::Revoke(input) => revoke::run(context, &input),
        Command::Check(options) => check::run(context, &options),
        Command::Discover(options) => discover::run(context, &options),
        Command::Serve(options) => serve::run(context, &options),
        Command::Demo(options) => demo::run(context, &options),
        Command::Completions { shell } => completions::run(shell),
        Command::ProfileNames => completions::profile_names(context),
    }
}

/// What every command can ask for.
pub(crate) struct Context {
    pub(crate) global: GlobalOptions,
    pub(crate) environment: Environment,
    pub(crate) style: Style,
    /// The trace files, where any were asked for.
    pub(crate) trace: Option<Trace>,
}

impl Context {
    pub(crate) fn folders(&self) -> Result<Folders, Error> {
        Ok(Folders::find(&self.environment)?)
    }

    /// The configuration file, and whether it was chosen by the user.
    fn config_choice(&self) -> Option<PathBuf> {
        self.global
            .config
            .clone()
            .or_else(|| self.environment.path("OAUTH_CONFIG"))
    }

    pub(crate) fn config_path(&self) -> Result<PathBuf, Error> {
        match self.config_choice() {
            Some(path) => Ok(path),
            None => Ok(self.folders()?.config_file()),
        }
    }

    pub(crate) fn config(&self) -> Result<Config, Error> {
        Ok(Config::load(&self.config_path()?)?)
    }

    /// Another configuration file has its own sessions: `@` and 8 hex digits of
    /// the SHA-256 of its absolute path.
    fn item_suffix(&self) -> Option<String> {
        let path = self.config_choice()?;
        let absolute = std::path::absolute(&path).unwrap_or(path);
        let digest = Sha256::digest(absolute.as_os_str().as_encoded_bytes());
        let digits: String = digest[..4].iter().map(|byte| format!("{byte:02x}")).collect();
        Some(format!("@{digits}"))
    }

    pub(crate) fn store_kind(&self, profile: Option<&Profile>) -> Result<StoreKind, Error> {
        Ok(settings::store_kind(&self.global, &self.environment, profile)?)
    }

    pub(crate) fn store(&self, kind: &StoreKind, interaction: Interaction) -> Result<Box<dyn CredentialStore>, Error> {
        self.store_asking(kind, interaction, None)
    }

    /// The same for a command that may ask for a passphrase.
    pub(crate) fn store_asking(
        &self,
        kind: &StoreKind,
        interaction: Interaction,
        ask_passphrase: Option<PassphrasePrompt>,
    ) -> Result<Box<dyn CredentialStore>, Error> {
        let folders = self.folders()?;
        let file_key = match kind {
            StoreKind::File => settings::file_key(&self.environment)?,
            StoreKind::Keyring | StoreKind::Command(_) | StoreKind::None => FileKey::Own,
        };
        let child_environment = match kind {
            StoreKind::Command(_) => self.environment.for_children().map(owned).collect(),
            StoreKind::Keyring | StoreKind::File | StoreKind::None => Vec::new(),
        };
        Ok(store::open(StoreSettings {
            kind: kind.clone(),
            interaction,
            keyring_session: settings::keyring_session(&self.global, &self.environment)?,
            item_suffix: self.item_suffix(),
            data_folder: folders.data,
            config_folder: folders.configuration,
            runtime_folder: self
                .environment
                .path("XDG_RUNTIME_DIR")
                .filter(|path| path.is_absolute()),
            file_key,
            ask_passphrase,
            child_environment,
        })?)
    }

    /// How long a keyring may take for a command that a person waits for: with
    /// a terminal and a display it may ask to be unlocked.
    pub(crate) fn interaction(&self) -> Interaction {
        let display = self.environment.has("DISPLAY") || self.environment.has("WAYLAND_DISPLAY");
        if std::io::stdin().is_terminal() && display {
            Interaction::Allowed
        } else {
            Interaction::Forbidden
        }
    }

    pub(crate) fn transport(&self, profile: Option<&Profile>, allow_http: bool) -> Result<Transport, Error> {
        Ok(Transport::new(settings::transport(
            &self.global,
            &self.environment,
            profile,
            allow_http,
        )?))
    }

    pub(crate) fn observer(&self) -> Watch {
        self.observer_with(self.global.verbose)
    }

    pub(crate) fn observer_with(&self, verbosity: u8) -> Watch {
        let terminal = Terminal::on_stderr(self.terminal_settings(verbosity, self.global.quiet));
        Watch::new(terminal, self.trace.clone())
    }

    /// Tells the trace files of an error that the command ends with, or goes on
    /// from; the terminal is told by `report`.
    pub(crate) fn trace_failure(&self, error: &Error) {
        if let Some(trace) = &self.trace {
            watch::tell_failure(&mut *trace.borrow_mut(), error);
        }
    }

    pub(crate) fn terminal_settings(&self, verbosity: u8, quiet: bool) -> TerminalSettings {
        let is_terminal = std::io::stderr().is_terminal();
        let size = is_terminal.then(|| terminal_size::terminal_size_of(std::io::stderr()));
        TerminalSettings {
            verbosity,
            quiet,
            json: self.style.json,
            colour: self.style.colour,
            show_secrets: self.global.show_secrets,
            is_terminal,
            width: size.flatten().map(|(width, _)| usize::from(width.0)),
        }
    }

    /// The client secret that the environment holds, which wins over the stored one.
    pub(crate) fn client_secret_of_environment(&self) -> Option<Secret> {
        self.environment.text("OAUTH_CLIENT_SECRET").map(Secret::new)
    }

    pub(crate) fn runtime(&self) -> Result<tokio::runtime::Runtime, Error> {
        runtime()
    }
}

fn owned((name, value): (&OsStr, &OsStr)) -> (OsString, OsString) {
    (name.to_owned(), value.to_owned())
}

fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::Runtime)
}

/// How long to wait for another process that changes the same profile.
pub(crate) const LOCK_WAIT: Duration = Duration::from_secs(60);

/// Takes the profile's lock, and tells whom it waits for.
pub(crate) fn lock(
    locks: &Path,
    name: &ProfileName,
    wait: Duration,
    observer: &mut dyn Observer,
) -> Result<ProfileLock, LockError> {
    let lock = ProfileLock::acquire(locks, name, Purpose::Change, wait, &mut |holder| {
        observer.observe(&Event::Note(&format!(
            "waiting for {holder}, which is changing profile \"{name}\""
        )));
    })?;
    observer.observe(&Event::Decision(&format!(
        "the lock of profile \"{name}\" is held, in {}",
        locks.display()
    )));
    Ok(lock)
}

/// Whether somebody is logged in; a record may remain with the client secret alone.
pub(crate) fn require_session(
    session: Option<Session>,
    profile: &ProfileName,
    config: &Config,
    kind: &StoreKind,
) -> Result<Session, SessionError> {
    match session.filter(Session::is_signed_in) {
        Some(session) => Ok(session),
        None if *kind == StoreKind::None => Err(SessionError::NotKept {
            profile: profile.clone(),
        }),
        None if config.profile(profile).is_some() => Err(SessionError::NotLoggedIn {
            profile: profile.clone(),
        }),
        None => Err(SessionError::UnknownProfile {
            profile: profile.clone(),
            known: config.profiles().map(|(name, _)| name.clone()).collect(),
        }),
    }
}

/// A profile that was chosen by a URL must be of that server.
///
/// # Errors
/// [`SessionError::Mismatch`].
pub(crate) fn check_matches_url(
    session: &Session,
    name: &ProfileName,
    choice: &ProfileChoice,
) -> Result<(), SessionError> {
    let url = choice.argument.as_deref().filter(|argument| argument.contains("://"));
    match (url, session.issuer.as_deref()) {
        (None, _) => Ok(()),
        (Some(url), Some(issuer)) if url == issuer => Ok(()),
        (Some(url), issuer) => Err(SessionError::Mismatch {
            profile: name.clone(),
            what: "issuer",
            wanted: format!("\"{url}\""),
            found: issuer.map_or_else(|| "none".to_owned(), |issuer| format!("\"{issuer}\"")),
        }),
    }
}

/// Compares what the profile says now with what the session was made with.
///
/// # Errors
/// [`SessionError::Mismatch`] naming the first difference.
pub(crate) fn check_matches_profile(
    session: &Session,
    name: &ProfileName,
    profile: Option<&Profile>,
) -> Result<(), SessionError> {
    let Some(profile) = profile else { return Ok(()) };
    let differs = |what: &'static str, wanted: String, found: String| SessionError::Mismatch {
        profile: name.clone(),
        what,
        wanted,
        found,
    };
    let shown = |text: &str| {
        if text.is_empty() {
            "none".to_owned()
        } else {
            format!("\"{text}\"")
        }
    };
    for (what, wanted, found) in [
        ("issuer", profile.text("issuer"), session.issuer.as_deref()),
        ("client_id", profile.text("client_id"), Some(session.client.id.as_str())),
    ] {
        if wanted.is_some() && wanted != found {
            return Err(differs(
                what,
                shown(wanted.unwrap_or_default()),
                shown(found.unwrap_or_default()),
            ));
        }
    }
    if let Some(wanted) = profile.text("token_endpoint") {
        let same = Url::parse(wanted).is_ok_and(|url| url.as_str() == session.endpoints.token);
        if !same {
            return Err(differs(
                "token_endpoint",
                shown(wanted),
                shown(&session.endpoints.token),
            ));
        }
    }
    for (what, wanted, found) in [
        ("resource", profile.list("resource"), &session.asked.resource),
        ("scope", profile.list("scope"), &session.asked.scope),
    ] {
        if wanted.iter().any(|word| !found.contains(word)) || found.iter().any(|word| !wanted.contains(word)) {
            return Err(differs(what, shown(&wanted.join(" ")), shown(&found.join(" "))));
        }
    }
    if profile.text("audience") != session.asked.audience.as_deref() {
        let (wanted, found) = (profile.text("audience"), session.asked.audience.as_deref());
        return Err(differs(
            "audience",
            shown(wanted.unwrap_or_default()),
            shown(found.unwrap_or_default()),
        ));
    }
    Ok(())
}
