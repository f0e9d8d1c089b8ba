//! Which profile and which server `oauth login` is about.

use super::error::{SettingsError, invalid_with_hint};
use super::names::{choose_profile, name_of_server, parse_name};
use crate::args::cli::ProfileChoice;
use crate::args::config::Config;
use crate::args::login::LoginOptions;
use crate::protocol::endpoint::is_loopback;
use crate::store::ProfileName;
use crate::system::environment::Environment;
use url::Url;

/// The profile of a login, and the URL of the server where one was given.
pub(super) struct LoginTarget {
    pub(super) profile: ProfileName,
    pub(super) url: Option<String>,
}

/// The profile that a login with these options is about.
///
/// # Errors
/// [`SettingsError`].
pub fn login_profile(
    options: &LoginOptions,
    environment: &Environment,
    config: &Config,
) -> Result<ProfileName, SettingsError> {
    login_target(options, environment, config).map(|target| target.profile)
}

/// Finds the profile from PROFILE or URL, `--profile` and `--issuer`.
///
/// # Errors
/// [`SettingsError`].
pub(super) fn login_target(
    options: &LoginOptions,
    environment: &Environment,
    config: &Config,
) -> Result<LoginTarget, SettingsError> {
    match options.target.as_deref() {
        Some(url) if url.contains("://") => Ok(LoginTarget {
            profile: profile_of_url(url, options, config)?,
            url: Some(url.to_owned()),
        }),
        target => Ok(LoginTarget {
            profile: match (target, options.profile.as_deref()) {
                (Some(name), Some(other)) if name != other => {
                    named_profile(name, options, config).and(Err(SettingsError::Contradiction {
                        one: name.to_owned(),
                        other: "--profile".to_owned(),
                        problem: "both name the profile".to_owned(),
                    }))
                }
                (Some(name), _) => named_profile(name, options, config),
                (None, Some(name)) => parse_name("--profile", name),
                (None, None) => default_profile(options, environment, config),
            }?,
            url: None,
        }),
    }
}

fn profile_of_url(url: &str, options: &LoginOptions, config: &Config) -> Result<ProfileName, SettingsError> {
    if let Some(issuer) = &options.server.issuer {
        let (issuer, api) = (shell_words::quote(issuer), shell_words::quote(url));
        return Err(invalid_with_hint(
            "--issuer",
            "the URL names the authorization server already, or an API whose metadata names it",
            &format!(
                "Leave out --issuer. For an API without metadata, run this, with the other options as before: oauth login --issuer {issuer} --resource {api}"
            ),
        ));
    }
    match &options.profile {
        Some(name) => parse_name("--profile", name),
        None => name_of_server(url, config),
    }
}

/// Servers on this machine mostly speak http.
fn likely_scheme(server: &str) -> &'static str {
    let url = Url::parse(&format!("http://{server}"));
    match url.is_ok_and(|url| is_loopback(&url)) {
        true => "http",
        false => "https",
    }
}

/// A name with a dot or a colon that no profile has may be a server's, typed without `https://`.
fn named_profile(name: &str, options: &LoginOptions, config: &Config) -> Result<ProfileName, SettingsError> {
    let parsed = parse_name("PROFILE", name);
    let is_like_a_server = name.contains('.') || (parsed.is_err() && name.contains(':'));
    if !is_like_a_server {
        return parsed;
    }
    let names_server =
        options.server.issuer.is_some() || options.server.token_endpoint.is_some() || options.server.provider.is_some();
    let with_profile = match &options.profile {
        Some(profile) => format!(" --profile {}", shell_words::quote(profile)),
        None => String::new(),
    };
    match parsed {
        Ok(profile) if names_server || config.profile(&profile).is_some() => Ok(profile),
        // http or https is not ours to guess.
        _ => Err(invalid_with_hint(
            "PROFILE",
            format!("there is no profile \"{name}\""),
            &format!(
                "A server is named by its whole URL. Run this, with the other options as before: oauth login {}://{name}{with_profile}",
                likely_scheme(name)
            ),
        )),
    }
}

/// The default profile, unless `--issuer` names another server than its own.
fn default_profile(
    options: &LoginOptions,
    environment: &Environment,
    config: &Config,
) -> Result<ProfileName, SettingsError> {
    if let Some(provider) = options.server.provider.as_deref() {
        return profile_of_provider(provider, environment, config);
    }
    let name = choose_profile(&ProfileChoice::default(), environment, config)?.name;
    let profile = config.profile(&name);
    let used_for = profile.and_then(|profile| profile.text("issuer").or(profile.text("api")));
    match (used_for, &options.server.issuer) {
        (Some(used_for), Some(issuer)) if used_for != issuer => Err(SettingsError::NameTaken {
            profile: name.to_string(),
            issuer: used_for.to_owned(),
        }),
        _ => Ok(name),
    }
}

/// `OAUTH_PROFILE`, else the provider's name, unless the profile is of another server.
fn profile_of_provider(
    provider: &str,
    environment: &Environment,
    config: &Config,
) -> Result<ProfileName, SettingsError> {
    let name = match environment.text("OAUTH_PROFILE") {
        Some(name) => parse_name("OAUTH_PROFILE", &name),
        None => parse_name("--provider", provider.split(':').next().unwrap_or_default()),
    }?;
    let profile = config.profile(&name);
    let used_for = profile.and_then(|profile| profile.text("provider").or(profile.text("issuer")));
    match used_for {
        Some(used_for) if used_for != provider => Err(SettingsError::NameTaken {
            profile: name.to_string(),
            issuer: used_for.to_owned(),
        }),
        _ => Ok(name),
    }
}
