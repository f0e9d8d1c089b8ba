//! What every command starts from: options, environment and style, and from
//! them configuration, store, transport and observer.

use crate::app::deadline::Deadline;
use crate::app::login_required::LoginRequired;
use crate::app::observer::{self, CommandObserver, SharedTrace};
use crate::app::signals::interruptible;
use crate::args::cli::GlobalOptions;
use crate::args::config::{Config, Profile};
use crate::args::settings::{self, SettingsError};
use crate::error::{Error, ProcessError};
use crate::exit::{Diagnosis, ExitCode};
use crate::flow::caller::{Caller, SystemTimer};
use crate::flow::grant_inputs::{NoSources, SourceReader};
use crate::hex::hex;
use crate::output::report::Style;
use crate::secret::Secret;
use crate::store::{
    self, CredentialStore, FileKey, Interaction, PassphrasePrompt, ProfileName, Session, SessionStoreError, StoreError,
    StoreKind, StoreSettings,
};
use crate::system::dirs::Folders;
use crate::system::environment::{Environment, unset_command};
use crate::system::files::has_controlling_terminal;
use crate::system::{self, SystemRandomness, process};
use crate::trace::redact::Redaction;
use crate::trace::render::terminal::{Terminal, TerminalSettings};
use crate::trace::{Event, Observer};
use crate::transport::{Transport, TransportSettings};
use sha2::{Digest, Sha256};
use std::cell::Cell;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

/// What every command can ask for.
pub(crate) struct Context {
    pub(crate) global: GlobalOptions,
    pub(crate) environment: Environment,
    pub(crate) style: Style,
    /// The trace files, where any were asked for.
    pub(crate) trace: Option<SharedTrace>,
    /// When the command ends at the latest.
    pub(crate) deadline: Option<Deadline>,
    /// The command as it is typed, without what belongs to it.
    pub(crate) command: &'static str,
    /// What was typed, from the name of the program on.
    pub(crate) arguments: Vec<OsString>,
    /// Standard input belongs to someone else: to a command that is run, or to a protocol.
    pub(crate) stdin_is_taken: bool,
    /// How the sources of a session are read: the caller that makes the context knows,
    /// since a source may be another session.
    pub(crate) prepare_sources: PrepareSources,
    /// The profiles that wait for this one's token, outermost first.
    pub(crate) sources_of: Vec<ProfileName>,
    /// The warnings about the configuration file were printed.
    config_warned: Cell<bool>,
}

/// Makes the reader of a session's sources.
pub(crate) type PrepareSources =
    for<'a> fn(&'a Context, &Config, &ProfileName, &Session) -> Result<Box<dyn SourceReader + 'a>, Error>;

impl Context {
    pub(crate) fn new(
        global: GlobalOptions,
        environment: Environment,
        style: Style,
        trace: Option<SharedTrace>,
        deadline: Option<Deadline>,
    ) -> Self {
        Context {
            deadline,
            global,
            environment,
            style,
            trace,
            command: "",
            arguments: Vec::new(),
            stdin_is_taken: false,
            prepare_sources: |_, _, _, _| Ok(Box::new(NoSources)),
            sources_of: Vec::new(),
            config_warned: Cell::new(false),
        }
    }

    /// The context for another session that `name` takes a token from. What the
    /// environment says about one client is not for the other.
    pub(crate) fn for_source(&self, name: &ProfileName) -> Context {
        const OF_ONE_CLIENT: [&str; 3] = ["OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET", "OAUTH_PROFILE"];
        let mut sources_of = self.sources_of.clone();
        sources_of.push(name.clone());
        Context {
            global: self.global.clone(),
            environment: self.environment.without(&OF_ONE_CLIENT),
            style: self.style,
            trace: self.trace.clone(),
            deadline: self.deadline,
            command: self.command,
            arguments: self.arguments.clone(),
            stdin_is_taken: self.stdin_is_taken,
            prepare_sources: self.prepare_sources,
            sources_of,
            config_warned: self.config_warned.clone(),
        }
    }

    /// A wait, unless the deadline comes first.
    pub(crate) fn at_most(&self, wait: Duration) -> Duration {
        self.deadline.map_or(wait, |deadline| wait.min(deadline.left()))
    }

    /// What was typed, as a page may show it.
    pub(crate) fn command_line(&self) -> String {
        Redaction::new(self.global.show_secrets).command_line(&self.arguments)
    }

    /// Waits for a person: a signal or the deadline ends it.
    pub(crate) fn wait_for_person<T>(&self, work: impl Future<Output = T>) -> Result<T, Error> {
        wait_for_person(self.deadline, work)
    }

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

    /// The absolute path of the configuration file, where the user chose it.
    pub(crate) fn chosen_config(&self) -> Option<PathBuf> {
        let path = self.config_choice()?;
        Some(std::path::absolute(&path).unwrap_or(path))
    }

    pub(crate) fn config_path(&self) -> Result<PathBuf, Error> {
        match self.config_choice() {
            Some(path) => Ok(path),
            None => Ok(self.folders()?.config_file()),
        }
    }

    /// The error with the reason why no profile is known, where the file that
    /// the user chose does not exist.
    pub(crate) fn explain_missing_config(&self, error: Error) -> Error {
        let lacks_profile = matches!(error.downcast_ref(), Some(LoginRequired::NothingSaved { .. }))
            || matches!(
                error.downcast_ref(),
                Some(SettingsError::UnknownProfile { .. } | SettingsError::UnsavedProfile { .. })
            );
        match self.config_choice().filter(|path| lacks_profile && !path.exists()) {
            Some(path) => {
                let chosen_by = match self.global.config {
                    Some(_) => "--config",
                    None => "OAUTH_CONFIG",
                };
                error.with_first_hint(format!(
                    "There is no file `{}`, which {chosen_by} names.",
                    path.display()
                ))
            }
            None => error,
        }
    }

    pub(crate) fn config(&self) -> Result<Config, Error> {
        let config = Config::load(&self.config_path()?)?;
        if !self.config_warned.replace(true) {
            for warning in &config.warnings {
                self.observer().observe(&Event::Warning(warning));
            }
        }
        Ok(config)
    }

    /// Another configuration file has its own sessions: `@` and 8 hex digits of
    /// the SHA-256 of its absolute path.
    fn item_suffix(&self) -> Option<String> {
        let absolute = self.chosen_config()?;
        let digest = Sha256::digest(absolute.as_os_str().as_encoded_bytes());
        Some(format!("@{}", hex(&digest[..4])))
    }

    pub(crate) fn store_kind(&self, profile: Option<&Profile>) -> Result<StoreKind, Error> {
        Ok(settings::store_kind(&self.global, &self.environment, profile)?)
    }

    /// Adds to an error of a store that has a session what only the command
    /// line and the profile know: that a variable overrides the profile's store.
    pub(crate) fn explain_store_error(&self, error: StoreError, profile: Option<&Profile>) -> Error {
        let exit_code = error.exit_code();
        let error = Error::from(SessionStoreError(error));
        match self.overridden_store(profile) {
            Some((variable, saved)) if exit_code == ExitCode::Store => error.with_hint(format!(
                "OAUTH_STORE={variable} overrides the profile's store = \"{saved}\". To use the profile's, run: {}",
                unset_command("OAUTH_STORE")
            )),
            _ => error,
        }
    }

    /// `OAUTH_STORE`, and the store of the profile that it takes the place of.
    fn overridden_store<'a>(&self, profile: Option<&'a Profile>) -> Option<(String, &'a str)> {
        let saved = profile.and_then(|profile| profile.text("store"))?;
        let variable = self.environment.text("OAUTH_STORE")?;
        (self.global.store.is_none() && variable != saved).then_some((variable, saved))
    }

    /// Adds to the error of a command that needs a token how programs that run
    /// without a keyring get at it.
    pub(crate) fn explain_unattended_keyring(
        &self,
        error: Error,
        name: &ProfileName,
        profile: Option<&Profile>,
    ) -> Error {
        let is_keyring = matches!(self.store_kind(profile), Ok(StoreKind::Keyring));
        let is_of_store = error.exit_code() == ExitCode::Store;
        if !(is_of_store && is_keyring && profile.is_some() && self.overridden_store(profile).is_none()) {
            return error;
        }
        let log_in =
            format!("For cron, CI and ssh, keep the session in a file. Log in again: oauth login {name} --store file");
        let moved = format!("Or move it there, once, where the keyring works: oauth profile set {name} store=file");
        match self.has_display() {
            true => error.with_hint(log_in).with_hint(moved),
            false => error.with_first_hint(moved).with_first_hint(log_in),
        }
    }

    pub(crate) fn store(&self, kind: &StoreKind, interaction: Interaction) -> Result<Box<dyn CredentialStore>, Error> {
        self.open_store_interactive(kind, interaction, None)
    }

    /// The same for a command that may ask for a passphrase.
    pub(crate) fn open_store_interactive(
        &self,
        kind: &StoreKind,
        interaction: Interaction,
        ask_passphrase: Option<PassphrasePrompt>,
    ) -> Result<Box<dyn CredentialStore>, Error> {
        let folders = self.folders()?;
        let file_key = match kind {
            StoreKind::File => settings::file_key(&self.environment)?,
            StoreKind::Keyring | StoreKind::Command(_) | StoreKind::None => FileKey::Generated,
        };
        let child_environment = match kind {
            StoreKind::Command(_) => self
                .environment
                .for_children()
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect(),
            StoreKind::Keyring | StoreKind::File | StoreKind::None => Vec::new(),
        };
        Ok(store::open(StoreSettings {
            kind: kind.clone(),
            interaction,
            keyring_session: settings::keyring_session(&self.global, &self.environment)?,
            session_bus: self.environment.text("DBUS_SESSION_BUS_ADDRESS"),
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
        if std::io::stdin().is_terminal() && self.has_display() {
            Interaction::Allowed
        } else {
            Interaction::Forbidden
        }
    }

    /// Whether there is a desktop that a keyring may ask on.
    fn has_display(&self) -> bool {
        self.environment.has("DISPLAY") || self.environment.has("WAYLAND_DISPLAY")
    }

    /// Whether a person may be there who can sign in.
    pub(crate) fn has_terminal(&self) -> bool {
        let is_terminal = std::io::stderr().is_terminal();
        match self.stdin_is_taken {
            true => is_terminal || has_controlling_terminal(),
            false => is_terminal || std::io::stdin().is_terminal(),
        }
    }

    pub(crate) fn transport(&self, profile: Option<&Profile>, allow_http: bool) -> Result<Transport, Error> {
        let settings = settings::transport(&self.global, &self.environment, profile, allow_http)?;
        Ok(Transport::new(TransportSettings {
            deadline: self.deadline.map(|deadline| deadline.at),
            ..settings
        }))
    }

    /// A way to servers that may work for this long on an answer, whatever the deadline.
    pub(crate) fn transport_within(&self, patience: Duration) -> Result<Transport, Error> {
        let settings = settings::transport(&self.global, &self.environment, None, false)?;
        Ok(Transport::new(TransportSettings {
            http_timeout: settings.http_timeout.max(patience),
            ..settings
        }))
    }

    /// Whether HTTP exchanges are shown anywhere.
    pub(crate) fn shows_exchanges(&self) -> bool {
        self.trace.is_some() || self.global.verbose >= 2
    }

    /// Whether what standard output gets is coloured.
    pub(crate) fn stdout_has_colour(&self) -> bool {
        let is_terminal = std::io::stdout().is_terminal();
        settings::colour(self.global.color, &self.environment, is_terminal)
    }

    pub(crate) fn observer(&self) -> CommandObserver {
        self.observer_with(self.global.verbose)
    }

    pub(crate) fn observer_with(&self, verbosity: u8) -> CommandObserver {
        let terminal = Terminal::on_stderr(self.terminal_settings(verbosity, self.global.quiet));
        CommandObserver::new(terminal, self.trace.clone(), &self.global)
    }

    /// Tells the trace files of an error that the command ends with, or goes on
    /// from; `report` prints to the terminal.
    pub(crate) fn trace_failure(&self, error: &Error) {
        if let Some(trace) = &self.trace {
            observer::trace_failure(&mut *trace.borrow_mut(), error);
        }
    }

    /// Ends the trace files: nothing follows that they could hold.
    pub(crate) fn finish_trace(&self) {
        if let Some(trace) = &self.trace {
            trace.borrow_mut().finish();
        }
    }

    pub(crate) fn terminal_settings(&self, verbosity: u8, quiet: bool) -> TerminalSettings {
        let is_terminal = std::io::stderr().is_terminal();
        TerminalSettings {
            verbosity,
            quiet,
            json: self.style.json,
            colour: self.style.colour,
            show_secrets: self.global.show_secrets,
            is_terminal,
            redraws: is_terminal && can_redraw(&self.environment),
            width: self.style.width,
            height: is_terminal.then(terminal_height).flatten(),
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

/// A caller with the clock and the randomness of this machine.
pub(crate) fn caller<'a>(transport: &'a Transport, observer: &'a mut dyn Observer) -> Caller<'a> {
    Caller {
        transport,
        clock: system::now,
        timer: &SystemTimer,
        // A type without size: nothing is allocated, so nothing leaks.
        randomness: Box::leak(Box::new(SystemRandomness)),
        observer,
    }
}

pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    process::check_descriptors().map_err(ProcessError::Runtime)?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| ProcessError::Runtime(error).into())
}

/// A runtime that answers on one thread, with others for what takes long.
pub(crate) fn server_runtime() -> Result<tokio::runtime::Runtime, Error> {
    /// Answers that take long, names that are looked up and documents that are fetched, at once.
    const THREADS: usize = 8;
    process::check_descriptors()
        .and_then(|()| process::check_threads(THREADS))
        .and_then(|()| {
            tokio::runtime::Builder::new_current_thread()
                .max_blocking_threads(THREADS)
                .enable_all()
                .build()
        })
        .map_err(|error| ProcessError::Runtime(error).into())
}

/// Waits for a person: a signal or the deadline ends it.
pub(crate) fn wait_for_person<T>(deadline: Option<Deadline>, work: impl Future<Output = T>) -> Result<T, Error> {
    let Some(deadline) = deadline else {
        return runtime()?.block_on(interruptible(work));
    };
    let limited = async { tokio::time::timeout(deadline.left(), work).await };
    let outcome = runtime()?.block_on(interruptible(limited))?;
    outcome.map_err(|_| deadline.passed().into())
}

/// Whether a terminal can erase a row: outside Windows one without a kind is taken for one that cannot.
fn can_redraw(environment: &Environment) -> bool {
    environment.text("TERM").map_or(cfg!(windows), |kind| kind != "dumb")
}

/// How many rows the terminal at standard error has.
fn terminal_height() -> Option<usize> {
    let size = terminal_size::terminal_size_of(std::io::stderr());
    size.map(|(_, height)| usize::from(height.0))
}

/// How many columns the terminal at standard error has.
pub(crate) fn terminal_width() -> Option<usize> {
    let size = terminal_size::terminal_size_of(std::io::stderr());
    size.map(|(width, _)| usize::from(width.0))
}
