//! Which token a command is about: the one on standard input or in a file,
//! else that of the stored session. Never one on the command line.

use super::login::secret_of_stdin;
use super::{Context, same_as_profile, signed_in};
use crate::cli::{ProfileChoice, TokenInput};
use crate::config::Config;
use crate::error::Error;
use crate::secret::Secret;
use crate::settings::{self, SettingsError};
use crate::store::{ProfileName, Session};
use std::fs::File;
use std::io::{self, Read};

/// No JWT that this program reads is longer.
const TOKEN_MAX_BYTES: u64 = 256 * 1024 + 2;

/// Where a token is read from.
const PLACE: &str = "- | FILE";

/// The token of standard input (`-`) or of a file; `None` where neither is named.
pub(super) fn given_token(context: &Context, input: &TokenInput) -> Result<Option<Secret>, Error> {
    let Some(name) = input.file.as_deref() else {
        return Ok(None);
    };
    if name.as_os_str() == "-" {
        return secret_of_stdin(context, "token").map(Some);
    }
    settings::is_no_token(PLACE, &name.to_string_lossy())?;
    let mut bytes = Vec::new();
    let read = File::open(name).and_then(|file| file.take(TOKEN_MAX_BYTES).read_to_end(&mut bytes));
    match read {
        Ok(_) => Ok(Some(settings::secret_from_bytes(PLACE, bytes)?)),
        Err(error) => Err(unreadable(&error).into()),
    }
}

/// The name is not repeated: it may be a token.
fn unreadable(error: &io::Error) -> SettingsError {
    let problem = match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => format!("that file cannot be read: {error}"),
    };
    SettingsError::Value {
        name: PLACE.to_owned(),
        problem,
        hint: Some("A token comes on standard input (-), a profile is named with --profile.".to_owned()),
    }
}

/// A profile, with its session if there is one.
pub(super) struct Stored {
    pub(super) config: Config,
    pub(super) name: ProfileName,
    pub(super) session: Session,
}

/// The choice of a profile by `--profile` alone.
pub(super) fn choice(input: &TokenInput) -> ProfileChoice {
    ProfileChoice {
        argument: None,
        option: input.profile.clone(),
    }
}

/// The stored session, as it is: nothing is refreshed.
pub(super) fn stored(context: &Context, input: &TokenInput) -> Result<Stored, Error> {
    let config = context.config()?;
    let name = settings::profile_name(&choice(input), &context.environment, &config)?;
    let profile = config.profile(&name);
    let kind = context.store_kind(profile)?;
    let mut store = context.store(kind, context.patience())?;
    let session = signed_in(store.load(&name)?, &name, &config, kind)?;
    same_as_profile(&session, &name, profile)?;
    Ok(Stored { config, name, session })
}
