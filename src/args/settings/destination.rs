//! Which profile's token goes to a URL, and whether it may go there.

use super::error::{NearestProfile, SettingsError, invalid, invalid_with_hint};
use super::names::{ChosenBy, ChosenProfile, parse_name};
use crate::args::config::{Config, Profile};
use crate::protocol::endpoint::host_and_port;
use crate::protocol::token_destination::{AllowedHost, Coverage, TokenReach};
use crate::protocol::url_text;
use crate::store::ProfileName;
use crate::system::environment::Environment;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use url::Url;

/// Where the token of a profile may go, by its keys `api`,
/// `resource` and `allow_host`, and the hosts that are permitted for this call.
///
/// # Errors
/// [`SettingsError::Value`] for an `allow_host` that is none.
pub fn token_reach(profile: Option<&Profile>, for_this_call: &[AllowedHost]) -> Result<TokenReach, SettingsError> {
    let list = |key| profile.map(|profile| profile.list(key)).unwrap_or_default();
    let mut allowed_hosts = allowed_hosts("allow_host", list("allow_host"))?;
    allowed_hosts.extend_from_slice(for_this_call);
    let api = profile.and_then(|profile| profile.text("api"));
    let resources = list("resource").iter().map(String::as_str).chain(api);
    let resources = resources.filter_map(url_text::parse_exact);
    Ok(TokenReach {
        resources: resources.collect(),
        allowed_hosts,
        userinfo_endpoint: None,
    })
}

/// The hosts of `--allow-host` or of the key `allow_host`.
///
/// # Errors
/// [`SettingsError::Value`].
pub fn allowed_hosts(place: &str, given: &[String]) -> Result<Vec<AllowedHost>, SettingsError> {
    let words = given.iter().flat_map(|text| text.split_whitespace());
    let parsed = words.map(|text| {
        text.parse().map_err(|error| {
            invalid_with_hint(
                place,
                error,
                "Such as git.example.com, registry.example.com:5000 or *.example.com.",
            )
        })
    });
    parsed.collect()
}

/// The user name that a profile's token goes with as a password.
///
/// # Errors
/// [`SettingsError::Value`].
pub fn git_username(profile: Option<&Profile>) -> Result<Option<&str>, SettingsError> {
    match profile.and_then(|profile| profile.text("git_username")) {
        Some(name)
            if name.is_empty() || name.contains(|character: char| character.is_control() || character == ':') =>
        {
            Err(invalid(
                "git_username",
                "it is empty, or has a colon or a control character in it",
            ))
        }
        name => Ok(name),
    }
}

/// Which profile a helper was asked for.
pub struct Destination<'a> {
    pub url: &'a Url,
    /// `--allow-host`.
    pub for_this_call: &'a [AllowedHost],
    /// The user name that the caller knows, where it knows one.
    pub username: Option<&'a str>,
}

/// The profile that `-p` or `OAUTH_PROFILE` names, if either does. Whether it
/// covers the URL is for the caller to find out.
///
/// # Errors
/// [`SettingsError::Value`] for a name that cannot be one.
pub fn named_profile(option: Option<&str>, environment: &Environment) -> Result<Option<ChosenProfile>, SettingsError> {
    let variable = environment.text("OAUTH_PROFILE");
    let name = match (option, &variable) {
        (Some(name), _) => parse_name("--profile", name)?,
        (None, Some(name)) => parse_name("OAUTH_PROFILE", name)?,
        (None, None) => return Ok(None),
    };
    Ok(Some(ChosenProfile {
        name,
        chosen_by: ChosenBy::User,
    }))
}

/// The saved profile that covers the URL most closely; `None` where none does.
///
/// # Errors
/// [`SettingsError::SeveralProfiles`] where two are equally close,
/// [`SettingsError::Value`] for a key that cannot be read.
pub fn covering_profile(
    destination: &Destination<'_>,
    config: &Config,
) -> Result<Option<ChosenProfile>, SettingsError> {
    let mut candidates: Vec<(Coverage, bool, &ProfileName)> = Vec::new();
    for (name, profile) in config.profiles() {
        let reach = token_reach(Some(profile), destination.for_this_call)?;
        let Some(coverage) = reach.coverage(destination.url) else {
            continue;
        };
        let is_users = match (destination.username, git_username(Some(profile))?) {
            (Some(asked), Some(own)) if asked != own => continue,
            (Some(_), Some(_)) => true,
            _ => false,
        };
        candidates.push((coverage, is_users, name));
    }
    let Some((coverage, is_users, _)) = candidates
        .iter()
        .max_by_key(|(coverage, is_users, _)| (*is_users, *coverage))
    else {
        return Ok(None);
    };
    let closest: Vec<&ProfileName> = candidates
        .iter()
        .filter(|(own, own_is_users, _)| (own, own_is_users) == (coverage, is_users))
        .map(|(_, _, name)| *name)
        .collect();
    match closest.as_slice() {
        [only] => Ok(Some(ChosenProfile {
            name: (*only).clone(),
            chosen_by: ChosenBy::User,
        })),
        several => Err(SettingsError::SeveralProfiles {
            host: host_and_port(destination.url).to_owned(),
            profiles: several.iter().map(|name| (*name).clone()).collect(),
            command: None,
        }),
    }
}

/// The saved profiles whose token is for a URL, in groups of those that are
/// equally close to it: first those that were made with this very URL, then
/// those whose token may go there, the closest first.
///
/// # Errors
/// [`SettingsError::Value`] for a key that cannot be read.
pub fn profiles_for_url(text: &str, config: &Config) -> Result<Vec<Vec<ProfileName>>, SettingsError> {
    let url = url_text::parse_exact(text);
    let mut groups: BTreeMap<Reverse<(bool, Option<Coverage>)>, Vec<ProfileName>> = BTreeMap::new();
    for (name, profile) in config.profiles() {
        let is_same = |key| {
            profile
                .text(key)
                .is_some_and(|own| is_same_url(own, text, url.as_ref()))
        };
        let reach = token_reach(Some(profile), &[])?;
        let closeness = (
            is_same("api") || is_same("issuer"),
            url.as_ref().and_then(|url| reach.coverage(url)),
        );
        if closeness != (false, None) {
            groups.entry(Reverse(closeness)).or_default().push(name.clone());
        }
    }
    Ok(groups.into_values().collect())
}

fn is_same_url(own: &str, text: &str, url: Option<&Url>) -> bool {
    own == text || url.is_some() && url_text::parse_exact(own).as_ref() == url
}

/// The one profile that a URL means.
///
/// # Errors
/// [`SettingsError::SeveralProfiles`], [`SettingsError::NothingCovers`].
pub fn only_profile(url: &str, names: &[ProfileName]) -> Result<ChosenProfile, SettingsError> {
    let host = url_text::parse_exact(url).map_or_else(|| url.to_owned(), |url| host_and_port(&url).to_owned());
    match names {
        [only] => Ok(ChosenProfile {
            name: only.clone(),
            chosen_by: ChosenBy::Destination,
        }),
        [] => Err(SettingsError::NothingCovers {
            host,
            nearest: None,
            command: None,
        }),
        several => Err(SettingsError::SeveralProfiles {
            host,
            profiles: several.to_vec(),
            command: None,
        }),
    }
}

/// The error where no profile covers the URL.
pub fn nothing_covers(url: &Url, config: &Config) -> SettingsError {
    SettingsError::NothingCovers {
        host: host_and_port(url).to_owned(),
        nearest: nearest_profile(url, config),
        command: None,
    }
}

/// The only profile for the origin of the URL, else the only one.
fn nearest_profile(url: &Url, config: &Config) -> Option<NearestProfile> {
    let is_of_origin = |profile: &Profile| {
        let own = ["api", "issuer"].into_iter().filter_map(|key| profile.text(key));
        own.chain(profile.list("resource").iter().map(String::as_str))
            .filter_map(url_text::parse_exact)
            .any(|own| own.origin() == url.origin())
    };
    let (all, near): (Vec<_>, Vec<_>) = (
        config.profiles().collect(),
        config.profiles().filter(|(_, profile)| is_of_origin(profile)).collect(),
    );
    let (name, profile) = match (near.as_slice(), all.as_slice()) {
        ([only], _) | ([], [only]) => *only,
        _ => return None,
    };
    let reach = token_reach(Some(profile), &[]).ok()?;
    let urls = reach.resources.iter().map(ToString::to_string);
    Some(NearestProfile {
        profile: name.clone(),
        reach: urls
            .chain(reach.allowed_hosts.iter().map(ToString::to_string))
            .collect(),
        allow_host: hosts_with(profile.list("allow_host"), url),
    })
}

/// Hosts as one value of `allow_host`, with the one of the URL.
fn hosts_with(saved: &[String], url: &Url) -> String {
    let mut hosts = saved.to_vec();
    hosts.push(host_and_port(url).to_owned());
    hosts.join(" ")
}

/// The error for a profile whose token may not go to the URL.
pub fn not_covered(name: &ProfileName, config: &Config, url: &Url) -> SettingsError {
    let saved = config.profile(name).map(|profile| profile.list("allow_host"));
    SettingsError::NotCovered {
        profile: name.clone(),
        host: host_and_port(url).to_owned(),
        allow_host: hosts_with(saved.unwrap_or_default(), url),
        command: None,
    }
}
