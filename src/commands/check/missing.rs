//! What a check lacks, and the options of a check that give it.

use crate::args::config::Config;
use crate::args::login::LoginOptions;
use crate::args::settings::{ResolvedLogin, SettingsError};
use crate::error::Error;

/// The hints of a login name its own command: these name that of a check.
pub(super) fn explain_missing(error: SettingsError, options: &LoginOptions) -> Error {
    match error {
        SettingsError::NoServer { profile, .. } => SettingsError::NoServer {
            profile,
            command: "check",
        }
        .into(),
        SettingsError::Missing {
            what: what @ "client_id",
            profile,
            ..
        } => no_client(what, profile, options),
        other => other.into(),
    }
}

/// Where no client is known. A login to a saved API finds one.
pub(super) fn missing_client(config: &Config, resolved: &ResolvedLogin, options: &LoginOptions) -> Error {
    let name = &resolved.profile;
    let is_saved_api = resolved.target.as_ref().is_some_and(|target| target.is_api);
    match &resolved.client_search.missing {
        SettingsError::Missing { what, profile, .. } if is_saved_api && config.profile(name).is_some() => {
            SettingsError::Missing {
                what,
                profile: profile.clone(),
                hint: format!("A login finds or registers one, which is checked with then: oauth login {name}"),
            }
            .into()
        }
        missing => explain_missing(missing.clone(), options),
    }
}

fn no_client(what: &'static str, profile: String, options: &LoginOptions) -> Error {
    let server = match (&options.target, &options.server.issuer) {
        (Some(target), _) => format!(" {}", shell_words::quote(target)),
        (None, Some(issuer)) => format!(" --issuer {}", shell_words::quote(issuer)),
        (None, None) => String::new(),
    };
    let hint = format!("Name a client that the server knows: oauth check{server} --client-id ID");
    let error = SettingsError::Missing { what, profile, hint };
    Error::from(error).with_hint(format!(
        "Or let the check register one, which it deletes at the end: oauth check{server} --register"
    ))
}
