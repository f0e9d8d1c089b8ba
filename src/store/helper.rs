//! A credential helper: a program that speaks the protocol of
//! docker-credential-helpers, one call a process. `get` and `erase` read the
//! address of an item on standard input, `store` reads a JSON object with
//! `ServerURL`, `Username` and `Secret`, and `get` answers with such an object.
//!
//! Invariants: no shell; secrets pass by standard input and output alone, never
//! by arguments or environment; the program gets the environment that it is
//! handed; every call has a deadline. It runs in a process group of its own, so
//! that Ctrl-C does not reach it in the middle of a write.

mod error;

use super::profile_name::file_name;
use super::session::Session;
use super::{CredentialStore, ProfileName, StoreError, StoreKind, StoreSettings, item_name};
use crate::secret::Secret;
use crate::system::program::{self, Ended, Limits, RunError};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::ffi::OsString;
use std::process::{Command, Stdio};
use std::time::Duration;
use zeroize::Zeroizing;

pub use error::{Action, CommandStoreError};

/// For one call.
const DEADLINE: Duration = Duration::from_secs(30);

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
/// A part of the session this long in a message is not a coincidence.
const REPEATED_BYTES: usize = 12;
/// About the size of a session, for trying whether the helper takes one.
const TRIAL_BYTES: usize = 2048;
/// Other logins may be trying the same item.
const TRIAL_ATTEMPTS: usize = 3;

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
struct HelperAnswer {
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
        let reply = self.call(Action::Get, address.as_bytes())?;
        let nonsense = |how| CommandStoreError::InvalidResponse {
            program: self.program.clone(),
            how,
        };
        if reply.0.output.len() > MAX_OUTPUT_BYTES {
            return Err(nonsense("more than any session"));
        }
        if !reply.0.status.success() {
            return match reply.says_not_found() {
                true => Ok(None),
                false => Err(self.failed(Action::Get, address, &reply, "")),
            };
        }
        let answer: HelperAnswer =
            serde_json::from_slice(&reply.0.output).map_err(|_| nonsense("something that is not a credential"))?;
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
        let reply = self.call(Action::Store, &input)?;
        match reply.0.status.success() {
            true => Ok(()),
            false => Err(self.failed(Action::Store, address, &reply, secret)),
        }
    }

    fn erase(&self, address: &str) -> Result<bool, CommandStoreError> {
        let reply = self.call(Action::Erase, address.as_bytes())?;
        match reply.0.status.success() {
            true => Ok(true),
            false if reply.says_not_found() => Ok(false),
            false => Err(self.failed(Action::Erase, address, &reply, "")),
        }
    }

    /// Stores an item as long as this, reads it back and removes it.
    fn try_writing(&self, address: &str, length_bytes: usize) -> Result<(), CommandStoreError> {
        let trial = "a test of oauth; ".repeat(length_bytes / 17 + 1);
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

    fn failed(&self, action: Action, address: &str, reply: &Reply, given: &str) -> CommandStoreError {
        CommandStoreError::Failed {
            program: self.program.clone(),
            action,
            address: address.to_owned(),
            message: reply.message(given),
        }
    }

    /// One call: starts the program, hands it the input, waits until it ends.
    fn call(&self, action: Action, input: &[u8]) -> Result<Reply, CommandStoreError> {
        let mut command = Command::new(&self.program);
        command
            .arg(action.argument())
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stderr(Stdio::piped());
        let limits = Limits {
            deadline: self.deadline,
            // One more shows that there was too much
            max_output_bytes: MAX_OUTPUT_BYTES + 1,
            max_error_bytes: MAX_MESSAGE_BYTES,
        };
        let program = self.program.clone();
        let ended = program::run(&mut command, input, limits).map_err(|error| match error {
            RunError::Missing => CommandStoreError::Missing { program },
            RunError::Failed(source) => CommandStoreError::NotRunnable { program, source },
            RunError::TimedOut => CommandStoreError::TimedOut {
                program,
                action,
                waited_s: self.deadline.as_secs(),
            },
        })?;
        Ok(Reply(ended))
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

/// What a call that came to its end says.
struct Reply(Ended);

impl Reply {
    fn says_not_found(&self) -> bool {
        [&self.0.output, &self.0.errors]
            .iter()
            .any(|stream| stream.trim_ascii() == NOT_FOUND.as_bytes())
    }

    /// Why it failed, in the program's words; nothing of them where they repeat what it was given to keep.
    fn message(&self, given: &str) -> String {
        let said = [&self.0.output, &self.0.errors]
            .into_iter()
            .map(|stream| stream.trim_ascii())
            .find(|stream| !stream.is_empty());
        let Some(said) = said else {
            return format!("it said nothing, and ended with {}", self.0.status);
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
                self.0.status
            );
        }
        String::from_utf8_lossy(said).into_owned()
    }
}

#[cfg(all(test, unix))]
mod tests;
