//! What `oauth token` asks for.

use super::error::{SettingsError, invalid};
use super::lists::{pairs, words};
use crate::args::cli::{LoginOptions, TokenOptions};
use crate::args::config::Profile;
use crate::output::duration::parse_duration;
use crate::protocol::resource::Resource;
use crate::protocol::scope::Scope;
use crate::protocol::token_request::RESERVED_TOKEN_PARAMETERS;
use crate::store::Part;
use std::time::Duration;

/// The parameters that a profile adds to every refresh request: those for
/// token requests, and those for refresh requests, which win.
///
/// # Errors
/// [`SettingsError::Value`].
pub fn refresh_parameters(
    given: &LoginOptions,
    profile: Option<&Profile>,
) -> Result<Vec<(String, String)>, SettingsError> {
    let saved = |key| profile.map(|profile| profile.pairs(key)).unwrap_or_default();
    let for_all = pairs(
        &given.token_param,
        "--token-param",
        saved("token_param"),
        "token_param",
        &RESERVED_TOKEN_PARAMETERS,
    )?;
    // Azure AD B2C wants the scope in the refresh request.
    let reserved: Vec<&str> = RESERVED_TOKEN_PARAMETERS
        .into_iter()
        .filter(|name| *name != "scope")
        .collect();
    let mut parameters = pairs(
        &given.refresh_param,
        "--refresh-param",
        saved("refresh_param"),
        "refresh_param",
        &reserved,
    )?;
    for (name, value) in for_all {
        if !parameters.iter().any(|(own, _)| *own == name) {
            parameters.push((name, value));
        }
    }
    Ok(parameters)
}

/// The parameters that a profile adds to a token request that is repeated.
///
/// # Errors
/// [`SettingsError::Value`].
pub fn token_parameters(profile: Option<&Profile>) -> Result<Vec<(String, String)>, SettingsError> {
    let saved = profile.map(|profile| profile.pairs("token_param")).unwrap_or_default();
    pairs(&[], "--token-param", saved, "token_param", &RESERVED_TOKEN_PARAMETERS)
}

/// How long access tokens live whose server does not say so.
///
/// # Errors
/// [`SettingsError::Value`].
pub fn assumed_ttl(given: Option<Duration>, profile: Option<&Profile>) -> Result<Option<Duration>, SettingsError> {
    let saved = profile.and_then(|profile| profile.text("assume_ttl"));
    match (given, saved) {
        (Some(given), _) => Ok(Some(given)),
        (None, Some(saved)) => parse_duration(saved)
            .map(Some)
            .map_err(|error| invalid("assume_ttl", error)),
        (None, None) => Ok(None),
    }
}

/// Which part of a session `oauth token` is asked for.
///
/// # Errors
/// [`SettingsError::Value`].
pub fn part(options: &TokenOptions) -> Result<Part, SettingsError> {
    // An unset variable in a script must not bring more than was wanted.
    for (flag, given) in [("--scope", &options.scope), ("--resource", &options.resource)] {
        if !given.is_empty() && words(given).is_empty() {
            return Err(invalid(flag, "it is empty"));
        }
    }
    let scope = words(&options.scope);
    let scope = Scope::from_tokens(scope.iter().map(String::as_str)).map_err(|error| invalid("--scope", error))?;
    let resource = words(&options.resource)
        .into_iter()
        .map(|text| Resource::parse(&text).map_err(|error| invalid("--resource", error)));
    Ok(Part {
        resource: resource.collect::<Result<_, _>>()?,
        scope,
    })
}
