//! Where the session is kept, and under which name.

use super::questions::Questions;
use crate::args::cli::{Command, CommandLine};
use crate::args::config::Config;
use crate::args::settings;
use crate::error::Error;
use crate::exit::Diagnosis;
use crate::foreign_text::Quoted;
use crate::store::{Interaction, ProfileName, StoreKind};
use std::ffi::OsString;

/// `--store`, unless flag or variable say it already. The keyring comes first
/// where it can be used.
///
/// # Errors
/// Where no answer comes.
pub(super) fn ask_store(questions: &mut Questions<'_>) -> Result<Vec<String>, Error> {
    let context = questions.context;
    if context.global.store.is_some() || context.environment.has("OAUTH_STORE") {
        return Ok(Vec::new());
    }
    let trial = ProfileName::parse("default").map_err(Error::from)?;
    let looked = context
        .store(&StoreKind::Keyring, Interaction::Forbidden)
        .and_then(|mut store| Ok(store.load(&trial).map(drop)?));
    let keyring = "in the keyring of this system";
    let file = "in an encrypted file";
    let question = "Where is the session to be kept?";
    let kinds = match looked {
        Ok(()) => {
            let kinds = [StoreKind::Keyring, StoreKind::File];
            kinds[questions.choose(question, &[keyring, file])?].clone()
        }
        Err(problem) => {
            let unusable = format!("{keyring}, which cannot be used now: {problem}");
            let kinds = [StoreKind::File, StoreKind::Keyring];
            kinds[questions.choose(question, &[file, &unusable])?].clone()
        }
    };
    Ok(vec!["--store".to_owned(), kinds.to_string()])
}

/// `--profile`, where the name is another than the one that this command line has by itself.
///
/// # Errors
/// Where no answer comes.
pub(super) fn ask_profile(
    questions: &mut Questions<'_>,
    config: &Config,
    words: &[OsString],
) -> Result<Vec<String>, Error> {
    let usual = usual_name(questions, config, words);
    loop {
        let answer = questions.ask(
            "A name for this login, to choose it by:",
            usual.as_ref().map(ProfileName::as_str),
        )?;
        let name = match ProfileName::parse(&answer) {
            Ok(name) => name,
            Err(problem) => {
                questions.tell(&problem.to_string());
                for hint in problem.hints() {
                    questions.tell(&hint);
                }
                continue;
            }
        };
        if usual.as_ref() == Some(&name) {
            return Ok(Vec::new());
        }
        match config.profile(&name) {
            None => return Ok(vec!["--profile".to_owned(), answer]),
            Some(_) => questions.tell(&format!("there is a profile {} already", Quoted::name(name.as_str()))),
        }
    }
}

/// The name that a login with these words has; `None` where another server has that name.
fn usual_name(questions: &Questions<'_>, config: &Config, words: &[OsString]) -> Option<ProfileName> {
    let Ok(line) = CommandLine::parse_from_arguments(words) else {
        return None;
    };
    match line.command {
        Some(Command::Login(command)) => {
            settings::login_profile(&command.options, &questions.context.environment, config).ok()
        }
        _ => None,
    }
}
