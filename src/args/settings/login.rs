//! Everything that `oauth login` was told: server, client, callback, parameters.

use super::callback::{callback_choice, no_callback, response_mode};
use super::client::client_choice;
use super::error::{SettingsError, invalid};
use super::grant::login_grant;
use super::lists::{list, pairs};
use super::names::parse_name;
use super::saved::profile_changes;
use super::server::server_choice;
use super::target::{LoginTarget, login_target};
use super::token::{assumed_ttl, refresh_parameters};
use super::transport::reject_userinfo;
use crate::args::cli::LoginOptions;
use crate::args::config::{Config, Profile, Setting};
use crate::args::login_grant::LoginGrant;
use crate::flow::login::LoginRequest;
use crate::protocol::authorization::{AuthorizationOptions, RESERVED_PARAMETERS};
use crate::protocol::endpoint::HttpPolicy;
use crate::protocol::resource::Resource;
use crate::protocol::scope::Scope;
use crate::protocol::token_request::RESERVED_TOKEN_PARAMETERS;
use crate::store::{ProfileName, StoreKind};
use crate::system::environment::Environment;
use std::path::PathBuf;
use std::str::FromStr;

/// Keys of a profile that hold for one server only.
const SERVER_SPECIFIC_KEYS: [&str; 7] = [
    "authorization_endpoint",
    "token_endpoint",
    "revocation_endpoint",
    "userinfo_endpoint",
    "introspection_endpoint",
    "jwks_uri",
    "client_secret_file",
];

/// What a login is to do, and what of it is to be remembered.
#[derive(Debug)]
pub struct ResolvedLogin {
    pub profile: ProfileName,
    pub grant: LoginGrant,
    /// What refresh requests carry beside what they always do.
    pub refresh_parameters: Vec<(String, String)>,
    /// The flow's part, but for the client secret, which is read later.
    pub request: LoginRequest,
    /// The browser command of flag or profile.
    pub browser: Option<String>,
    /// What was given on the command line, as keys of the profile.
    pub given: Vec<(String, Setting)>,
    /// Keys of the profile that are removed, since they are of another server.
    pub dropped: Vec<&'static str>,
    /// The file with the client secret.
    pub client_secret_file: Option<PathBuf>,
}

/// Resolves everything that `oauth login` was told.
///
/// # Errors
/// [`SettingsError`] naming the flag, variable or key.
pub fn login(
    options: &LoginOptions,
    environment: &Environment,
    config: &Config,
) -> Result<ResolvedLogin, SettingsError> {
    let LoginTarget { profile: name, url } = login_target(options, environment, config)?;
    let empty = Profile::default();
    let profile = config.profile(&name).unwrap_or(&empty);
    let allow_http = options.allow_http || profile.bool("allow_http");
    let allowance = if allow_http {
        HttpPolicy::Everywhere
    } else {
        HttpPolicy::LoopbackOnly
    };
    // Another server than the saved one: what was saved of that one is not for this one.
    let issuer = url.as_deref().or(options.issuer.as_deref());
    let another_server = issuer.is_some() && profile.text("issuer").is_some() && profile.text("issuer") != issuer;
    let saved_of_server = if another_server { &empty } else { profile };
    let grant = login_grant(options, profile)?;
    let server = server_choice(options, url.as_deref(), saved_of_server, grant, allowance, &name)?;
    let client = client_choice(options, environment, profile, &name, url.as_deref())?;
    let callback = match grant {
        LoginGrant::AuthorizationCode => callback_choice(options, profile)?,
        LoginGrant::ClientCredentials => no_callback()?,
    };
    Ok(ResolvedLogin {
        given: profile_changes(options, url.as_deref(), profile.list("scope")),
        browser: options
            .browser
            .clone()
            .or_else(|| profile.text("browser").map(str::to_owned)),
        client_secret_file: options
            .client_secret_file
            .clone()
            .or_else(|| saved_of_server.text("client_secret_file").map(PathBuf::from)),
        dropped: if another_server {
            SERVER_SPECIFIC_KEYS.to_vec()
        } else {
            Vec::new()
        },
        refresh_parameters: refresh_parameters(options, Some(profile))?,
        profile: name,
        grant,
        request: LoginRequest {
            server,
            client,
            wish: authorization_options(options, profile)?,
            callback,
            timeout: options.timeout,
            assumed_ttl: assumed_ttl(options.assume_ttl, Some(profile))?,
        },
    })
}

/// Whether `login` would take what a profile says, as far as that can be known
/// without the rest.
///
/// # Errors
/// [`SettingsError`] naming the key.
pub fn check_profile(profile: &Profile) -> Result<(), SettingsError> {
    let options = LoginOptions::default();
    let allowance = if profile.bool("allow_http") {
        HttpPolicy::Everywhere
    } else {
        HttpPolicy::LoopbackOnly
    };
    let name = parse_name("profile", "default")?;
    let ignoring_absence = |result: Result<(), SettingsError>| match result {
        Err(SettingsError::Missing { .. }) => Ok(()),
        other => other,
    };
    let grant = login_grant(&options, profile)?;
    ignoring_absence(server_choice(&options, None, profile, grant, allowance, &name).map(|_| ()))?;
    ignoring_absence(client_choice(&options, &Environment::default(), profile, &name, None).map(|_| ()))?;
    callback_choice(&LoginOptions { paste: true, ..options }, profile)?;
    authorization_options(&LoginOptions::default(), profile)?;
    refresh_parameters(&LoginOptions::default(), Some(profile))?;
    assumed_ttl(None, Some(profile))?;
    if let Some(store) = profile.text("store") {
        StoreKind::from_str(store).map_err(|error| invalid("store", error))?;
    }
    match profile.text("proxy") {
        Some(proxy) => reject_userinfo("proxy", proxy),
        None => Ok(()),
    }
}

fn authorization_options(options: &LoginOptions, profile: &Profile) -> Result<AuthorizationOptions, SettingsError> {
    let (scope_place, scope) = list(&options.scope, "--scope", profile, "scope");
    let (resource_place, resource) = list(&options.resource, "--resource", profile, "resource");
    let extra = pairs(
        &options.param,
        "--param",
        profile.pairs("param"),
        "param",
        &RESERVED_PARAMETERS,
    )?;
    let extra_token_params = pairs(
        &options.token_param,
        "--token-param",
        profile.pairs("token_param"),
        "token_param",
        &RESERVED_TOKEN_PARAMETERS,
    )?;
    Ok(AuthorizationOptions {
        scope: Scope::from_tokens(scope.iter().map(String::as_str)).map_err(|error| invalid(scope_place, error))?,
        resource: resource
            .iter()
            .map(|text| Resource::parse(text).map_err(|error| invalid(resource_place, error)))
            .collect::<Result<_, _>>()?,
        audience: options
            .audience
            .clone()
            .or_else(|| profile.text("audience").map(str::to_owned)),
        response_mode: response_mode(options, profile)?,
        extra,
        extra_token_params,
    })
}
