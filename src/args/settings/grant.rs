//! By which grant a login gets its tokens, and what does not go with it.

use super::error::{SettingsError, invalid};
use crate::args::cli::LoginOptions;
use crate::args::config::Profile;
use crate::args::login_grant::LoginGrant;
use std::str::FromStr;

/// The grant of flag or profile.
///
/// # Errors
/// [`SettingsError::Value`], or [`SettingsError::Contradiction`] where an
/// option is about a browser and nobody signs in.
pub(super) fn login_grant(options: &LoginOptions, profile: &Profile) -> Result<LoginGrant, SettingsError> {
    let grant = match (options.grant, profile.text("grant")) {
        (Some(grant), _) => grant,
        (None, Some(text)) => LoginGrant::from_str(text).map_err(|error| invalid("grant", error))?,
        (None, None) => LoginGrant::default(),
    };
    match (grant, option_of_a_person(options)) {
        (LoginGrant::ClientCredentials, Some(option)) => Err(SettingsError::Contradiction {
            one: format!("--grant {}", grant.as_str()),
            other: option.to_owned(),
            problem: "the client gets the token for itself, and no browser is opened".to_owned(),
        }),
        _ => Ok(grant),
    }
}

/// An option that was given and has a meaning only where a person signs in.
fn option_of_a_person(options: &LoginOptions) -> Option<&'static str> {
    [
        (options.stop_before.is_some(), "--stop-before"),
        (options.refresh_token_stdin, "--refresh-token-stdin"),
        (options.paste, "--paste"),
        (options.redirect_uri.is_some(), "--redirect-uri"),
        (!options.port.is_empty(), "--port"),
        (options.listen.is_some(), "--listen"),
        (options.response_mode.is_some(), "--response-mode"),
        (options.browser.is_some(), "--browser"),
        (!options.param.is_empty(), "--param"),
    ]
    .into_iter()
    .find_map(|(is_given, option)| is_given.then_some(option))
}
