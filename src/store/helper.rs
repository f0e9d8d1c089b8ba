//! A credential helper: a program that speaks the protocol of
//! docker-credential-helpers, one call a process. `get` and `erase` read the
//! address of an item on standard input, `store` reads a JSON object with
//! `ServerURL`, `Username` and `Secret`, and `get` answers with such an object.
//!
//! Invariants: no shell; secrets pass by standard input and output alone, never
//! by arguments or environment; the program gets the environment that it is
//! handed; every call has a deadline, after which the program and what it has
//! started are killed. It runs in a process group of its own, so that Ctrl-C
//! does not reach it in the middle of a write.

use super::profile_name::file_name;
use super::session::Session;
use super::{CredentialStore, ProfileName, StoreError, StoreKind, StoreSettings, item_name, other_stores};
use crate::secret::Secret;
use crate::system::process;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::ffi::OsString;
use std::io::{self, ErrorKind, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// For one call.
const DEADLINE: Duration = Duration::from_secs(30);
/// What the program wrote is waited for this long after its end, where
/// something that it has started still holds its output.
const OUTPUT_GRACE: Duration = Duration::from_secs(1);
/// The longest pause between two looks whether the program has ended.
const MAX_PAUSE: Duration = Duration::from_millis(5);

/// Items are found by address alone. No host has such a name (RFC 6761 §6.4),
/// so that nothing else's credentials are at it.
const ADDRESS: &str = "https://oauth.invalid/";
/// Always the same: to some helpers the same address with another user is another item.
const USERNAME: &str = "oauth";
/// What the protocol has every helper say where there is no such item.
const NOT_FOUND: &str = "credentials not found in native keychain";
/// The helpers written in Go read no longer lines.
const MAX_INPUT_BYTES: usize = 65_535;
/// Far more than any item, and little enough to be held in memory.
const MAX_OUTPUT_BYTES: usize = 256 * 1024;
/// Enough of what a program says about its failure.
const MAX_MESSAGE_BYTES: usize = 4096;
/// A part of the session this long in a message is no coincidence.
const REPEATED_BYTES: usize = 12;
/// About the size of a session, for trying whether the helper takes one.
const TRIAL_BYTES: usize = 2048;
/// Other logins may be trying the same item.
const TRIAL_ATTEMPTS: usize = 3;

/// Why a credential helper cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CommandStoreError {
    #[error("there is no program `{program}` to keep the session")]
    Missing {
        /// As it was given.
        program: String,
    },
    /// It is there, and does not start.
    #[error("the credential helper `{program}` cannot be run")]
    NotRunnable {
        /// As it was given.
        program: String,
        source: io::Error,
    },
    /// It ended with an error.
    #[error("the credential helper `{program}` failed to {action} the session: {message}")]
    Failed {
        /// As it was given.
        program: String,
        /// What it was asked for.
        action: Action,
        message: String,
    },
    /// It did not end.
    #[error("the credential helper `{program}` did not {action} the session within {waited_s} s, and was ended")]
    TimedOut {
        /// As it was given.
        program: String,
        /// What it was asked for.
        action: Action,
        /// How long it was waited for, in seconds.
        waited_s: u64,
    },
    /// It ended well, and what it said is no answer.
    #[error("the credential helper `{program}` answered `get` with {how}")]
    InvalidResponse {
        /// As it was given.
        program: String,
        /// What it said instead of a credential.
        how: &'static str,
    },
    /// What was written did not come back.
    #[error("the credential helper `{program}` took a trial item, but does not give it back")]
    WriteNotPersisted {
        /// As it was given.
        program: String,
    },
    /// More than helpers read.
    #[error(
        "the session is too large for the credential helper `{program}`: {size_bytes} bytes, at most {MAX_INPUT_BYTES} are read"
    )]
    TooLarge {
        /// As it was given.
        program: String,
        /// The size as it would be sent.
        size_bytes: usize,
    },
}

/// What a helper is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// `get`
    Get,
    /// `store`
    Store,
    /// `erase`
    Erase,
}

impl Action {
    /// The one argument.
    fn argument(self) -> &'static str {
        match self {
            Action::Get => "get",
            Action::Store => "store",
            Action::Erase => "erase",
        }
    }
}

impl std::fmt::Display for Action {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.argument())
    }
}

impl CommandStoreError {
    pub(super) fn hints(&self) -> Vec<String> {
        let mut hints = match self {
            CommandStoreError::Missing { program } if !program.contains(std::path::is_separator) => {
                let mut hints = vec![format!("Install `{program}`, or name it by its whole path.")];
                if !program.starts_with("docker-credential-") {
                    hints.push(format!(
                        "The helpers of docker have a longer name: `command:docker-credential-{program}`."
                    ));
                }
                hints
            }
            CommandStoreError::Missing { program } => vec![format!("Look whether `{program}` is installed.")],
            CommandStoreError::NotRunnable { program, .. } => {
                vec![format!("Look whether `{program}` is a program, and yours to run.")]
            }
            CommandStoreError::Failed { program, action, .. } => {
                vec![format!(
                    "Try it by hand: `{program} {action}`, and see its documentation."
                )]
            }
            CommandStoreError::TimedOut { program, .. } => {
                vec![format!(
                    "Look whether `{program}` waits for an answer that nobody can give here, such as a passphrase."
                )]
            }
            CommandStoreError::InvalidResponse { .. } | CommandStoreError::WriteNotPersisted { .. } => {
                vec!["Name a program that speaks the protocol of docker-credential-helpers.".to_owned()]
            }
            CommandStoreError::TooLarge { .. } => Vec::new(),
        };
        hints.extend(other_stores(None));
        hints
    }
}

/// The store behind a helper.
pub(super) struct CommandStore {
    program: String,
    environment: Vec<(OsString, OsString)>,
    item_suffix: Option<String>,
    deadline: Duration,
    /// The address that the next save does not look at again: between the
    /// answer of a server and its write there is time for one call alone.
    ready: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Credentials<'a> {
    #[serde(rename = "ServerURL")]
    server_url: &'a str,
    username: &'a str,
    secret: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    secret: String,
}

impl CommandStore {
    pub(super) fn new(program: String, settings: StoreSettings) -> Self {
        CommandStore {
            program,
            environment: settings.child_environment,
            item_suffix: settings.item_suffix,
            deadline: DEADLINE,
            ready: None,
        }
    }

    /// Spelled so that names which differ in case alone are different addresses for every helper.
    fn address(&self, profile: &ProfileName) -> String {
        let item = item_name(profile, self.item_suffix.as_deref());
        format!("{ADDRESS}{}", file_name(&item))
    }

    fn get(&self, address: &str) -> Result<Option<Secret>, CommandStoreError> {
        let ended = self.call(Action::Get, address.as_bytes())?;
        let nonsense = |how| CommandStoreError::InvalidResponse {
            program: self.program.clone(),
            how,
        };
        if ended.output.len() > MAX_OUTPUT_BYTES {
            return Err(nonsense("more than any session"));
        }
        if !ended.status.success() {
            return match ended.says_not_found() {
                true => Ok(None),
                false => Err(self.failed(Action::Get, &ended, "")),
            };
        }
        let answer: Answer =
            serde_json::from_slice(&ended.output).map_err(|_| nonsense("something that is no credential"))?;
        let secret = Secret::new(answer.secret);
        // What some versions of docker-credential-pass say where there is nothing
        Ok(Some(secret).filter(|secret| !secret.expose().is_empty()))
    }

    fn store(&self, address: &str, secret: &str) -> Result<(), CommandStoreError> {
        let credentials = Credentials {
            server_url: address,
            username: USERNAME,
            secret,
        };
        // Room from the start: a vector that grew would leave the record behind in memory
        let mut input = Zeroizing::new(Vec::with_capacity(2 * secret.len() + 1024));
        // Strings have no way to fail; a helper refuses an empty object
        let _ = serde_json::to_writer(&mut *input, &credentials);
        if input.len() > MAX_INPUT_BYTES {
            return Err(CommandStoreError::TooLarge {
                program: self.program.clone(),
                size_bytes: input.len(),
            });
        }
        input.push(b'\n');
        let ended = self.call(Action::Store, &input)?;
        match ended.status.success() {
            true => Ok(()),
            false => Err(self.failed(Action::Store, &ended, secret)),
        }
    }

    fn erase(&self, address: &str) -> Result<bool, CommandStoreError> {
        let ended = self.call(Action::Erase, address.as_bytes())?;
        match ended.status.success() {
            true => Ok(true),
            false if ended.says_not_found() => Ok(false),
            false => Err(self.failed(Action::Erase, &ended, "")),
        }
    }

    /// Stores an item as long as this, reads it back and removes it.
    fn try_writing(&self, address: &str, length_bytes: usize) -> Result<(), CommandStoreError> {
        let trial = "a trial of oauth; ".repeat(length_bytes / 18 + 1);
        for _ in 0..TRIAL_ATTEMPTS {
            self.store(address, &trial)?;
            let read = self.get(address);
            let erased = self.erase(address);
            let came_back = read?.is_some_and(|secret| *secret.expose() == trial);
            if came_back {
                return erased.map(drop);
            }
        }
        Err(CommandStoreError::WriteNotPersisted {
            program: self.program.clone(),
        })
    }

    fn failed(&self, action: Action, ended: &Ended, given: &str) -> CommandStoreError {
        CommandStoreError::Failed {
            program: self.program.clone(),
            action,
            message: ended.message(given),
        }
    }

    /// One call: starts the program, hands it the input, waits until it ends.
    fn call(&self, action: Action, input: &[u8]) -> Result<Ended, CommandStoreError> {
        let began = Instant::now();
        let mut command = Command::new(&self.program);
        command
            .arg(action.argument())
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let not_runnable = |source| CommandStoreError::NotRunnable {
            program: self.program.clone(),
            source,
        };
        let mut child = match process::spawn(&mut command) {
            Ok(child) => child,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(CommandStoreError::Missing {
                    program: self.program.clone(),
                });
            }
            Err(error) => return Err(not_runnable(error)),
        };
        let (output, errors) = match converse(&mut child, input) {
            Ok(streams) => streams,
            Err(error) => {
                kill(&mut child);
                return Err(not_runnable(error));
            }
        };
        let mut pause = Duration::from_millis(1);
        let status = loop {
            match child.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) if began.elapsed() < self.deadline => thread::sleep(pause),
                Ok(None) => {
                    kill(&mut child);
                    return Err(CommandStoreError::TimedOut {
                        program: self.program.clone(),
                        action,
                        waited_s: self.deadline.as_secs(),
                    });
                }
                Err(error) => {
                    kill(&mut child);
                    return Err(not_runnable(error));
                }
            }
            pause = (pause * 2).min(MAX_PAUSE);
        };
        let collect = |stream: Option<Collected>| stream.map(Collected::take).unwrap_or_default();
        Ok(Ended {
            status,
            output: collect(output),
            errors: collect(errors),
        })
    }

    /// An item that is a record, or `None`; what is none is an error.
    fn read(&self, profile: &ProfileName) -> Result<Option<Session>, StoreError> {
        let Some(record) = self.get(&self.address(profile))? else {
            return Ok(None);
        };
        let session = Session::decode(record.expose());
        session.map(Some).map_err(|source| StoreError::Record {
            profile: profile.clone(),
            store: self.describe(),
            source,
        })
    }

    /// The length of what is there; refuses what a newer program wrote. What is damaged may go.
    fn check_replaceable(&self, profile: &ProfileName) -> Result<usize, StoreError> {
        match self.read(profile) {
            Ok(session) => Ok(session.map_or(0, |session| session.encode().expose().len())),
            Err(error) if error.is_damage() => Ok(0),
            Err(error) => Err(error),
        }
    }
}

impl CredentialStore for CommandStore {
    fn describe(&self) -> String {
        format!("the credential helper {}", self.program)
    }

    fn name(&self) -> String {
        StoreKind::Command(self.program.clone()).to_string()
    }

    fn load(&mut self, profile: &ProfileName) -> Result<Option<Session>, StoreError> {
        self.read(profile)
    }

    fn save(&mut self, profile: &ProfileName, session: &Session) -> Result<(), StoreError> {
        let address = self.address(profile);
        if self.ready.take().as_ref() != Some(&address) {
            self.check_replaceable(profile)?;
        }
        Ok(self.store(&address, session.encode().expose())?)
    }

    fn delete(&mut self, profile: &ProfileName) -> Result<bool, StoreError> {
        let address = self.address(profile);
        match self.get(&address) {
            // Some helpers fail to erase what is not there
            Ok(None) => Ok(false),
            // What cannot be read can be forgotten all the same
            Ok(Some(_)) | Err(CommandStoreError::Failed { .. } | CommandStoreError::InvalidResponse { .. }) => {
                Ok(self.erase(&address)?)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn probe(&mut self, profile: &ProfileName) -> Result<(), StoreError> {
        let present_bytes = self.check_replaceable(profile)?;
        // No profile's name has a slash; the same address each time, so that
        // the next trial removes what a killed one left
        let trial = format!("{}/trial", self.address(profile));
        Ok(self.try_writing(&trial, present_bytes.max(TRIAL_BYTES))?)
    }

    fn prepare_save(&mut self, profile: &ProfileName) -> Result<(), StoreError> {
        self.probe(profile)?;
        self.ready = Some(self.address(profile));
        Ok(())
    }
}

/// A call that came to its end.
struct Ended {
    status: ExitStatus,
    output: Zeroizing<Vec<u8>>,
    errors: Zeroizing<Vec<u8>>,
}

impl Ended {
    fn says_not_found(&self) -> bool {
        [&self.output, &self.errors]
            .iter()
            .any(|stream| stream.trim_ascii() == NOT_FOUND.as_bytes())
    }

    /// Why it failed, in the program's words; nothing of them where they repeat what it was given to keep.
    fn message(&self, given: &str) -> String {
        let said = [&self.output, &self.errors]
            .into_iter()
            .map(|stream| stream.trim_ascii())
            .find(|stream| !stream.is_empty());
        let Some(said) = said else {
            return format!("it said nothing, and ended with {}", self.status);
        };
        let said = &said[..said.len().min(MAX_MESSAGE_BYTES)];
        let parts: HashSet<&[u8]> = said.windows(REPEATED_BYTES).collect();
        let repeats = given
            .as_bytes()
            .windows(REPEATED_BYTES)
            .any(|part| parts.contains(part));
        if repeats || said.starts_with(b"{") {
            return format!(
                "what it said is not shown, it may hold secrets; it ended with {}",
                self.status
            );
        }
        String::from_utf8_lossy(said).into_owned()
    }
}

/// What becomes of output beyond the limit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Excess {
    /// The stream is closed, which ends a program that goes on writing.
    Refused,
    /// It is read and forgotten.
    Dropped,
}

/// What a program writes, read on a thread of its own.
struct Collected {
    bytes: Arc<Mutex<Zeroizing<Vec<u8>>>>,
    ended: Receiver<()>,
}

impl Collected {
    /// Keeps at most so many bytes.
    fn from(mut stream: impl Read + Send + 'static, most_bytes: usize, excess: Excess) -> io::Result<Self> {
        let bytes = Arc::new(Mutex::new(Zeroizing::new(Vec::with_capacity(most_bytes))));
        let shared = Arc::clone(&bytes);
        let (ending, ended) = mpsc::channel();
        thread::Builder::new().spawn(move || {
            let mut block = Zeroizing::new([0; 4096]);
            while let Ok(length @ 1..) = stream.read(block.as_mut()) {
                let mut bytes = shared.lock().unwrap_or_else(PoisonError::into_inner);
                let room = most_bytes - bytes.len();
                bytes.extend_from_slice(&block[..length.min(room)]);
                if bytes.len() == most_bytes && excess == Excess::Refused {
                    break;
                }
            }
            let _nobody_waits = ending.send(());
        })?;
        Ok(Collected { bytes, ended })
    }

    /// What has come, when the program has ended.
    fn take(self) -> Zeroizing<Vec<u8>> {
        let _still_held = self.ended.recv_timeout(OUTPUT_GRACE);
        std::mem::take(&mut *self.bytes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Hands the program its input, and collects what it writes. On threads: one
/// that does not read, or does not end, must not keep us beyond the deadline.
fn converse(child: &mut Child, input: &[u8]) -> io::Result<(Option<Collected>, Option<Collected>)> {
    if let Some(mut stdin) = child.stdin.take() {
        let input = Zeroizing::new(input.to_vec());
        // A program that reads only a part says by its exit code how it went.
        thread::Builder::new().spawn(move || drop(stdin.write_all(&input)))?;
    }
    let output = child.stdout.take();
    let output = output.map(|stream| Collected::from(stream, MAX_OUTPUT_BYTES + 1, Excess::Refused));
    let errors = child.stderr.take();
    let errors = errors.map(|stream| Collected::from(stream, MAX_MESSAGE_BYTES, Excess::Dropped));
    Ok((output.transpose()?, errors.transpose()?))
}

/// Ends the program, and on Unix what it has started too.
fn kill(child: &mut Child) {
    #[cfg(unix)]
    let _gone_already =
        rustix::process::kill_process_group(rustix::process::Pid::from_child(child), rustix::process::Signal::KILL);
    let _gone_already = child.kill();
    let _ = child.wait();
}

#[cfg(all(test, unix))]
mod tests;
