//! Which profile is meant, and which server a URL names.

use super::error::{SettingsError, invalid, invalid_with_hint};
use super::secrets::{is_like_a_jwt, token_as_argument};
use crate::args::cli::ProfileChoice;
use crate::args::config::Config;
use crate::exit::Diagnosis;
use crate::protocol::endpoint::{Endpoint, HttpPolicy, Issuer};
use crate::store::ProfileName;
use crate::system::environment::Environment;

/// The profile that a command is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChosenProfile {
    pub name: ProfileName,
    /// How it was chosen.
    pub chosen_by: ChosenBy,
}

/// What named a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChosenBy {
    /// The command line or `OAUTH_PROFILE`.
    User,
    /// A URL that its token is for.
    Destination,
    /// `default_profile` of the configuration file.
    DefaultProfile,
    /// Nothing did: it is the only one, or `default`.
    Fallback,
}

/// The profile that is meant: by argument or option, else `OAUTH_PROFILE`,
/// else the configuration's default, else the only one, else `default`.
///
/// # Errors
/// [`SettingsError::Value`] for a name that cannot be one.
pub fn choose_profile(
    choice: &ProfileChoice,
    environment: &Environment,
    config: &Config,
) -> Result<ChosenProfile, SettingsError> {
    match (named_profile(choice)?, environment.text("OAUTH_PROFILE")) {
        (Some(Named::Url(url)), _) => name_of_server(url, config).map(ChosenProfile::named),
        (Some(Named::Name(name)), _) => Ok(ChosenProfile::named(name)),
        (None, Some(name)) => parse_name("OAUTH_PROFILE", &name).map(ChosenProfile::named),
        (None, None) => default_profile(config),
    }
}

impl ChosenProfile {
    fn named(name: ProfileName) -> Self {
        ChosenProfile {
            name,
            chosen_by: ChosenBy::User,
        }
    }
}

/// How a profile was named on the command line.
enum Named<'a> {
    Url(&'a str),
    Name(ProfileName),
}

fn named_profile(choice: &ProfileChoice) -> Result<Option<Named<'_>>, SettingsError> {
    if let Some(argument) = &choice.argument {
        if is_like_a_jwt(argument) || (argument.len() > 64 && !argument.contains("://")) {
            return Err(token_as_argument("PROFILE", "Name the profile whose token you want."));
        }
        return if argument.contains("://") {
            Ok(Some(Named::Url(argument)))
        } else {
            parse_name("PROFILE", argument).map(|name| Some(Named::Name(name)))
        };
    }
    let option = choice.option.as_deref();
    option
        .map(|option| parse_name("--profile", option).map(Named::Name))
        .transpose()
}

/// The profile that is meant when none is named.
fn default_profile(config: &Config) -> Result<ChosenProfile, SettingsError> {
    let (name, chosen_by) = match (&config.default_profile, config.effective_default()) {
        (Some(name), _) => (name.clone(), ChosenBy::DefaultProfile),
        (None, Some(only)) => (only.clone(), ChosenBy::Fallback),
        (None, None) => (parse_name("profile", "default")?, ChosenBy::Fallback),
    };
    Ok(ChosenProfile { name, chosen_by })
}

/// Reads a profile's name as it was typed at `place`.
///
/// # Errors
/// [`SettingsError::Value`].
pub fn parse_name(place: &str, name: &str) -> Result<ProfileName, SettingsError> {
    ProfileName::parse(name).map_err(|error| SettingsError::Value {
        name: place.to_owned(),
        problem: error.to_string(),
        hint: error.hints().into_iter().next(),
    })
}

/// The profile of a server that is named by its URL. Where another server has
/// that name, nothing may be done to its session.
pub(super) fn name_of_server(url: &str, config: &Config) -> Result<ProfileName, SettingsError> {
    let name = profile_name_from_url(url)?;
    let profile = config.profile(&name);
    let used_for = profile.and_then(|profile| profile.text("api").or(profile.text("issuer")));
    match used_for {
        Some(issuer) if issuer != url => Err(SettingsError::NameTaken {
            profile: name.to_string(),
            issuer: issuer.to_owned(),
        }),
        _ => Ok(name),
    }
}

/// Host, port and path parts joined by `-`.
fn profile_name_from_url(url: &str) -> Result<ProfileName, SettingsError> {
    let vetted = Endpoint::parse(url, HttpPolicy::Everywhere).map_err(|problem| invalid("URL", problem))?;
    let parsed = vetted.url();
    // It may be the end of a password that was not encoded, and a name is shown.
    if url.contains('@') {
        let problem = "a URL with an @ in it cannot name a profile";
        return Err(invalid_with_hint(
            "URL",
            problem,
            "Name the profile with --profile NAME.",
        ));
    }
    let host = parsed.host_str().unwrap_or_default().to_owned();
    let port = parsed.port().map(|port| port.to_string());
    let path = parsed.path_segments().into_iter().flatten().map(str::to_owned);
    let parts: Vec<String> = std::iter::once(host)
        .chain(port)
        .chain(path)
        .filter(|part| !part.is_empty())
        .collect();
    let name: String = parts
        .join("-")
        .chars()
        .map(|character| {
            if character.is_ascii_alphanumeric() || "._-".contains(character) {
                character
            } else {
                '-'
            }
        })
        .collect();
    let name: String = name
        .trim_matches(|character: char| !character.is_ascii_alphanumeric())
        .chars()
        .take(64)
        .collect();
    ProfileName::parse(&name).map_err(|error| invalid_with_hint("URL", error, "Name the profile with --profile NAME."))
}

/// The URL whose server is looked at, and the issuer that it may be. An issuer
/// has no query (RFC 8414 §2); a protected resource may have one.
///
/// # Errors
/// [`SettingsError::Value`], which never repeats what may be a token.
pub fn discover_url(text: &str) -> Result<(Endpoint, Option<Issuer>), SettingsError> {
    if !text.contains("://") {
        return Err(invalid_with_hint(
            "URL",
            "that is not a URL",
            "A server is named by its whole URL, such as https://id.example.com.",
        ));
    }
    let endpoint = Endpoint::parse(text, HttpPolicy::LoopbackOnly).map_err(|problem| invalid("URL", problem))?;
    Ok((endpoint, Issuer::parse(text, HttpPolicy::LoopbackOnly).ok()))
}

/// An issuer that was typed at `place`, if one was.
///
/// # Errors
/// [`SettingsError::Value`].
pub fn issuer(place: &str, text: Option<&str>) -> Result<Option<Issuer>, SettingsError> {
    text.map(|text| issuer_of(place, text, HttpPolicy::LoopbackOnly))
        .transpose()
}

/// The same under a profile's rules.
///
/// # Errors
/// [`SettingsError::Value`].
pub fn issuer_of(place: &str, text: &str, allowance: HttpPolicy) -> Result<Issuer, SettingsError> {
    Issuer::parse(text, allowance).map_err(|problem| invalid(place, problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_becomes_a_profile_name() {
        for (url, name) in [
            ("https://id.example.com", "id.example.com"),
            ("https://id.example.com/", "id.example.com"),
            ("http://127.0.0.1:9000", "127.0.0.1-9000"),
            ("https://id.example.com:8443/realms/a", "id.example.com-8443-realms-a"),
            ("http://[::1]:9000/x", "1--9000-x"),
        ] {
            assert_eq!(profile_name_from_url(url).unwrap().as_str(), name, "{url}");
        }
        assert!(profile_name_from_url("https://").is_err());
    }
}
