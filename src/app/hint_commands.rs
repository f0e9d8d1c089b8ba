//! The commands that hints, notes and warnings name, with the global options
//! that decide which files they use: without those, a command is about another
//! profile than the one that this command was about.

use crate::args::cli::GlobalOptions;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::trace::Event;
use crate::trace::buffered::OwnedEvent;

/// Commands of the configuration file.
const OF_CONFIG: [&str; 14] = [
    "check",
    "credential",
    "decode",
    "exec",
    "introspect",
    "login",
    "logout",
    "mcp",
    "profile",
    "request",
    "revoke",
    "status",
    "token",
    "userinfo",
];

/// Those of them that do the same in the store that was named.
const OF_STORE: [&str; 4] = ["login", "logout", "status", "token"];

/// What the commands need that was given on the command line; what the
/// environment says holds for the next command as well.
pub(crate) struct GivenOptions {
    config: Option<String>,
    store: Option<String>,
}

/// The error with whole commands in its hints. They run in the folder where
/// this command ran.
pub(crate) fn with_whole_commands(global: &GlobalOptions, error: Error) -> Error {
    let given = GivenOptions {
        // One that cannot be used, or keeps nothing, is no place for a login.
        store: global
            .store
            .clone()
            .filter(|store| store != "none" && error.exit_code() != ExitCode::Store),
        ..GivenOptions::for_notes(global)
    };
    if error.is_reported() || (given.config.is_none() && given.store.is_none()) {
        return error;
    }
    let hints = error.hints().iter().map(|hint| given.complete(hint)).collect();
    error.with_hints(hints)
}

impl GivenOptions {
    /// Those of notes and warnings: what goes on keeps its store in the profile.
    pub(crate) fn for_notes(global: &GlobalOptions) -> Self {
        GivenOptions {
            config: global.config.as_ref().map(|path| path.display().to_string()),
            store: None,
        }
    }

    /// A note or a warning with whole commands; `None` where nothing was given,
    /// and for other events.
    pub(crate) fn complete_note(&self, event: &Event<'_>) -> Option<OwnedEvent> {
        self.config.as_ref()?;
        match event {
            Event::Note(text) => Some(OwnedEvent::Note(self.complete(text))),
            Event::NamedNote(name, text) => Some(OwnedEvent::NamedNote(*name, self.complete(text))),
            Event::Warning(text) => Some(OwnedEvent::Warning(self.complete(text))),
            _ => None,
        }
    }

    fn complete(&self, hint: &str) -> String {
        let names_store = hint.contains("--store") || hint.contains("store=");
        let mut completed = String::new();
        let mut rest = hint;
        while let Some(at) = rest.find("oauth ") {
            let (before, from) = rest.split_at(at + "oauth ".len());
            completed.push_str(before);
            if begins_command(&rest[..at]) {
                completed.push_str(&self.options(first_word(from), names_store));
            }
            rest = from;
        }
        completed + rest
    }

    /// The options of this command, each with a space behind it.
    fn options(&self, command: &str, names_store: bool) -> String {
        let config = self.config.as_ref().filter(|_| OF_CONFIG.contains(&command));
        let store = self
            .store
            .as_ref()
            .filter(|_| OF_STORE.contains(&command) && !names_store);
        let option = |(name, value): (&str, &String)| format!("{name} {} ", shell_words::quote(value));
        let given = config
            .map(|value| ("--config", value))
            .into_iter()
            .chain(store.map(|value| ("--store", value)));
        given.map(option).collect()
    }
}

/// Whether `oauth` after this text is the program, and not the end of another name.
fn begins_command(before: &str) -> bool {
    before
        .chars()
        .next_back()
        .is_none_or(|character| character.is_whitespace() || "`\"'(".contains(character))
}

fn first_word(text: &str) -> &str {
    text.split([' ', '`', '"', '\'', ')']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_get_the_options_that_decide_which_files_they_use() {
        let given = GivenOptions {
            config: Some("my app.toml".to_owned()),
            store: Some("file".to_owned()),
        };
        for (hint, whole) in [
            (
                "Run: oauth login app",
                "Run: oauth --config 'my app.toml' --store file login app",
            ),
            (
                "`oauth logout` first, then `oauth profile remove app`",
                "`oauth --config 'my app.toml' --store file logout` first, then `oauth --config 'my app.toml' profile remove app`",
            ),
            (
                "Run: oauth login app --store keyring",
                "Run: oauth --config 'my app.toml' login app --store keyring",
            ),
        ] {
            assert_eq!(given.complete(hint), whole);
            assert_eq!(given.complete(whole), whole);
        }
        for untouched in [
            "docker-credential-oauth login",
            "oauth providers",
            "this oauth mcp, and",
        ] {
            assert_eq!(given.complete(untouched), untouched);
        }
    }
}
