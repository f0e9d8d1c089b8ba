//! What was typed, turned into what holds: flags before environment before
//! the profile in the configuration file before defaults. Text becomes types
//! here, so that nothing below checks it again.

mod client_metadata;
mod destination;
pub(in crate::args) mod error;
mod exec;
pub(in crate::args) mod lists;
mod login;
mod names;
mod provider;
mod request;
mod role;
mod saved;
mod secrets;
mod target;
mod token;
mod token_output;
mod transport;
mod url_target;

pub use crate::args::cli::EnvShell;
pub use client_metadata::{client_metadata_url, client_redirect_uris, no_client_metadata_url};
pub use destination::{
    Destination, allowed_hosts, covering_profile, git_username, named_profile, not_covered, nothing_covers,
    only_profile, profiles_for_url, token_reach,
};
pub use error::{CommandForm, SettingsError};
pub use exec::{ExecContent, ExecVariable, exec_variables};
pub use login::{ResolvedLogin, check_profile, login};
pub use names::{ChosenBy, ChosenProfile, choose_profile, discover_url, issuer, issuer_of, parse_name};
pub use provider::{known_providers, named_provider};
pub use request::{ApiCall, CallBody, DataSource, FormField, api_call, api_url, headers};
pub use role::{role_request, sts_endpoint};
pub use saved::connection_changes;
pub use secrets::{
    certificate_from_file, code_verifier, file_key, reject_token_argument, secret_from_bytes, secret_from_file,
    signing_key_from_file,
};
pub use target::login_profile;
pub use token::part;
pub use token_output::{BearerClient, TokenOutput, token_output};
pub use transport::{check_global, transport};
pub use url_target::UrlTarget;

use crate::args::cli::{Colour, GlobalOptions};
use crate::args::config::Profile;
use crate::output::duration::parse_duration;
use crate::store::{KeyringSession, StoreKind};
use crate::system::environment::Environment;
use error::invalid;
use std::str::FromStr;
use std::time::Duration;

/// Whether text for a person is coloured.
pub fn colour(choice: Colour, environment: &Environment, is_terminal: bool) -> bool {
    match choice {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto if environment.has("NO_COLOR") => false,
        Colour::Auto => is_terminal || environment.text("CLICOLOR_FORCE").is_some_and(|value| value != "0"),
    }
}

/// How long the whole command may take, where that was said.
///
/// # Errors
/// [`SettingsError::Value`] for an `OAUTH_DEADLINE` that is not a duration.
pub fn deadline(global: &GlobalOptions, environment: &Environment) -> Result<Option<Duration>, SettingsError> {
    let variable = environment.text("OAUTH_DEADLINE").filter(|_| global.deadline.is_none());
    let parsed = variable.map(|text| parse_duration(&text).map_err(|error| invalid("OAUTH_DEADLINE", error)));
    Ok(parsed.transpose()?.or(global.deadline))
}

/// The store by flag, `OAUTH_STORE`, the profile, else the keyring.
///
/// # Errors
/// [`SettingsError::Value`] naming where the wrong name is.
pub fn store_kind(
    global: &GlobalOptions,
    environment: &Environment,
    profile: Option<&Profile>,
) -> Result<StoreKind, SettingsError> {
    let (name, value) = if let Some(value) = &global.store {
        ("--store", value.clone())
    } else if let Some(value) = environment.text("OAUTH_STORE") {
        ("OAUTH_STORE", value)
    } else if let Some(value) = profile.and_then(|profile| profile.text("store")) {
        ("store", value.to_owned())
    } else {
        return Ok(StoreKind::Keyring);
    };
    StoreKind::from_str(&value).map_err(|error| invalid(name, error))
}

/// The kind of Secret Service session, where one was chosen.
///
/// # Errors
/// [`SettingsError::Value`].
pub fn keyring_session(
    global: &GlobalOptions,
    environment: &Environment,
) -> Result<Option<KeyringSession>, SettingsError> {
    let chosen = match &global.keyring_session {
        Some(value) => Some(("--keyring-session", value.clone())),
        None => environment
            .text("OAUTH_KEYRING_SESSION")
            .map(|value| ("OAUTH_KEYRING_SESSION", value)),
    };
    chosen
        .map(|(name, value)| KeyringSession::from_str(&value).map_err(|error| invalid(name, error)))
        .transpose()
}
