//! Everything that `oauth login` was told: server, client, callback, parameters.

use super::destination::{git_username, token_reach};
use super::error::{SettingsError, invalid};
use super::names::parse_name;
use super::provider::{self, ProviderChoice};
use super::secrets::authorization_details_from_file;
use super::target::{LoginTarget, login_target};
use super::transport::reject_userinfo;
use super::url_target::UrlTarget;
use crate::args::config::{Config, Profile, Setting};
use crate::args::login::{
    ClientSearch, CredentialFiles, LoginOptions, RegistrationChoice, assumed_ttl, no_callback, require_server,
};
use crate::args::login_grant::{GrantBasis, LoginGrant};
use crate::flow::login::{CallbackChoice, LoginRequest};
use crate::flow::server::ServerChoice;
use crate::protocol::authorization::AuthorizationOptions;
use crate::protocol::authorization_details::AuthorizationDetails;
use crate::protocol::client::ClientId;
use crate::providers::Provider;
use crate::store::{ProfileName, Renewal, StoreKind};
use crate::system::environment::Environment;
use std::str::FromStr;

/// Keys of a profile that hold for one server only.
const SERVER_SPECIFIC_KEYS: &[&str] = &[
    "authorization_endpoint",
    "token_endpoint",
    "revocation_endpoint",
    "userinfo_endpoint",
    "introspection_endpoint",
    "jwks_uri",
    "device_authorization_endpoint",
    "pushed_authorization_request_endpoint",
    "client_secret_file",
    "client_key_file",
    "client_key_id",
    "client_cert_file",
    "assertion_audience",
    "client_assertion",
];

/// What a login is to do, and what of it is to be remembered.
#[derive(Debug, Clone)]
pub struct ResolvedLogin {
    pub profile: ProfileName,
    pub grant: LoginGrant,
    /// How a grant without a person is repeated, with its sources.
    pub renewal: Renewal,
    /// What refresh requests carry beside what they always do.
    pub refresh_parameters: Vec<(String, String)>,
    /// The flow's part, but for the client's credentials, which are read later.
    pub request: LoginRequest,
    /// The browser command of flag or profile.
    pub browser: Option<String>,
    /// What was given on the command line, as keys of the profile.
    pub given: Vec<(String, Setting)>,
    /// Keys of the profile that are removed, since they are of another server.
    pub dropped: Vec<&'static str>,
    /// The files with the client's credentials.
    pub credential_files: CredentialFiles,
    /// The provider of flag or profile.
    pub provider: Option<Provider>,
    /// The URL that has to be looked at first.
    pub target: Option<UrlTarget>,
    /// How the client is found where none is named.
    pub client_search: ClientSearch,
}

impl ResolvedLogin {
    /// The client that was named.
    ///
    /// # Errors
    /// [`SettingsError::Missing`].
    pub fn require_client(&self) -> Result<&ClientId, SettingsError> {
        let id = self.request.client.id.as_ref();
        id.ok_or_else(|| self.client_search.missing.clone())
    }

    /// Puts a key at the head of what is saved.
    pub fn save_first(&mut self, key: &str, text: &str) {
        let setting = Setting::Text(text.to_owned());
        self.given.insert(0, (key.to_owned(), setting));
    }
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
    let saved = config.profile(&name).cloned().unwrap_or_default();
    let grant = login_grant(options, &saved)?;
    let settings = SavedSettings::for_this_server(options, url.as_deref(), saved, grant)?;
    let (saved, profile, provider) = (&settings.saved, &settings.filled, settings.provider.as_ref());
    let allowance = options.server.http_policy(profile);
    let target = UrlTarget::find(url.as_deref(), profile, options, allowance)?;
    let issuer = url.as_deref().filter(|_| target.is_none());
    let mut server = options.server.choice(issuer, profile, allowance)?;
    match &target {
        Some(target) => server.issuer = target.issuer.clone().filter(|_| !target.is_api),
        None => require_server(&server, grant, &name)
            .map_err(|missing| explain_missing_server(missing, options, (&server, &name), config))?,
    }
    let mut client = options.client.choice(environment, profile, grant)?;
    client.method_with_secret = provider.and_then(|provider| provider.client_auth);
    let metadata_url = config.client_metadata_url.as_deref();
    let called = (&name, url.as_deref());
    let mut client_search = options.client.search(environment, profile, metadata_url, called)?;
    client_search.missing = provider::explain_missing_client(provider, client_search.missing);
    let registers = client_search.registration == RegistrationChoice::Now;
    let is_known_server = options.server.issuer.is_none() && saved.text("issuer").is_some();
    if client.id.is_none() && target.is_none() && !registers && !is_known_server {
        return Err(client_search.missing);
    }
    let (authorization, renewal) = access(options, profile, grant, &name, provider)?;
    let given = settings.profile_changes(options, issuer, &authorization);
    let callback = callback_choice(options, profile, grant)?;
    Ok(ResolvedLogin {
        given,
        browser: options.browser.command(profile),
        credential_files: options.client.credential_files(profile),
        dropped: settings.dropped,
        refresh_parameters: options.request.refresh_parameters(Some(profile))?,
        profile: name,
        grant,
        renewal,
        request: LoginRequest {
            server,
            client,
            authorization,
            dpop: options.request.dpop(profile),
            par: options.request.par(profile)?,
            request_object: options.request.request_object(profile),
            callback,
            timeout: options.callback.timeout,
            success_url: options.callback.success_url(profile)?,
            assumed_ttl: assumed_ttl(options.request.assume_ttl, Some(profile))?,
        },
        provider: settings.provider,
        target,
        client_search,
    })
}

/// A name alone is that of a profile, which then is not there.
fn explain_missing_server(
    missing: SettingsError,
    options: &LoginOptions,
    (server, name): (&ServerChoice, &ProfileName),
    config: &Config,
) -> SettingsError {
    let is_named = options.target.is_some() || options.profile.is_some();
    let has_endpoint = server.authorization_endpoint.is_some() || server.token_endpoint.is_some();
    match is_named && !has_endpoint && config.profile(name).is_none() {
        true => SettingsError::unsaved_profile(name, config),
        false => missing,
    }
}

/// What the profile holds, without what is of another server.
struct SavedSettings {
    saved: Profile,
    /// With what the provider says, too.
    filled: Profile,
    provider: Option<Provider>,
    dropped: Vec<&'static str>,
}

impl SavedSettings {
    /// Another server than the saved one: what was saved of that one is not for this one.
    fn for_this_server(
        options: &LoginOptions,
        url: Option<&str>,
        saved: Profile,
        grant: LoginGrant,
    ) -> Result<Self, SettingsError> {
        let choice = provider::choose(options, url, &saved, SERVER_SPECIFIC_KEYS)?;
        let ProviderChoice { provider, mut dropped } = choice;
        if options.server.issuer.is_some() && saved.text("api").is_some() {
            dropped.push("api");
        }
        dropped.extend(options.machine.stale_keys(&saved));
        let saved = saved.without(&dropped);
        let filled = match &provider {
            Some(provider) => provider::fill(provider, &saved, grant, options)?,
            None => saved.clone(),
        };
        Ok(SavedSettings {
            saved,
            filled,
            provider,
            dropped,
        })
    }

    /// What the profile keeps of this login.
    fn profile_changes(
        &self,
        options: &LoginOptions,
        issuer: Option<&str>,
        authorization: &AuthorizationOptions,
    ) -> Vec<(String, Setting)> {
        let mut changes = options.profile_changes(issuer, self.saved.list("scope"));
        if self.provider.is_some() {
            provider::save(&self.saved, authorization, &mut changes);
        }
        changes
    }
}

/// What is asked for, and how a token of it is renewed.
fn access(
    options: &LoginOptions,
    profile: &Profile,
    grant: LoginGrant,
    name: &ProfileName,
    provider: Option<&Provider>,
) -> Result<(AuthorizationOptions, Renewal), SettingsError> {
    let mut authorization = authorization_options(options, profile)?;
    let audience = authorization.audience.as_deref();
    let renewal = options.machine.renewal(grant, audience, profile, name)?;
    authorization.authorization_details = authorization_details(options, profile, grant)?;
    if let Some(provider) = provider {
        provider::adapt(provider, grant, &mut authorization);
    }
    Ok((authorization, renewal))
}

fn callback_choice(
    options: &LoginOptions,
    profile: &Profile,
    grant: LoginGrant,
) -> Result<CallbackChoice, SettingsError> {
    match grant {
        LoginGrant::AuthorizationCode => options.callback.choice(profile),
        _ => no_callback(),
    }
}

/// The grant of flag or profile.
///
/// # Errors
/// [`SettingsError::Contradiction`] where a flag is about a browser and the
/// grant has none.
fn login_grant(options: &LoginOptions, profile: &Profile) -> Result<LoginGrant, SettingsError> {
    let grant = options.request.grant(profile)?;
    let (flag, problem) = match grant.basis() {
        GrantBasis::Browser => return Ok(grant),
        GrantBasis::OtherDevice => (
            options.flag_for_a_browser(),
            "the person signs in on another device, and no browser is opened here",
        ),
        GrantBasis::Client => (
            options.flag_for_a_person(),
            "the client gets the token for itself, and no browser is opened",
        ),
        GrantBasis::GivenToken => (
            options.flag_for_a_person(),
            "the token comes for one that is there already, and no browser is opened",
        ),
    };
    match flag {
        None => Ok(grant),
        Some(flag) => Err(SettingsError::Contradiction {
            one: format!("--grant {}", grant.as_str()),
            other: flag.to_owned(),
            problem: problem.to_owned(),
        }),
    }
}

fn authorization_options(options: &LoginOptions, profile: &Profile) -> Result<AuthorizationOptions, SettingsError> {
    let response_mode = options.callback.response_mode(profile)?;
    options.request.authorization_options(profile, response_mode)
}

/// What is asked for beside the scope, where a person signs in.
fn authorization_details(
    options: &LoginOptions,
    profile: &Profile,
    grant: LoginGrant,
) -> Result<Option<AuthorizationDetails>, SettingsError> {
    let file = options.request.authorization_details_file(profile);
    match file.filter(|_| grant == LoginGrant::AuthorizationCode) {
        Some((place, path)) => authorization_details_from_file(place, &path).map(Some),
        None => Ok(None),
    }
}

/// Whether `login` would take what a profile says, as far as that can be known
/// without the rest.
///
/// # Errors
/// [`SettingsError`] naming the key.
pub fn check_profile(profile: &Profile) -> Result<(), SettingsError> {
    let mut options = LoginOptions::default();
    options.callback.paste = true;
    let name = parse_name("profile", "default")?;
    let ignoring_absence = |result: Result<(), SettingsError>| match result {
        Err(SettingsError::Missing { .. } | SettingsError::NoServer { .. }) => Ok(()),
        other => other,
    };
    let grant = options.request.grant(profile)?;
    let ProviderChoice { provider, .. } = provider::choose(&options, None, profile, &[])?;
    let filled = match &provider {
        Some(provider) => provider::fill(provider, profile, grant, &options)?,
        None => profile.clone(),
    };
    let profile = &filled;
    token_reach(Some(profile), &[])?;
    git_username(Some(profile))?;
    options
        .server
        .choice(None, profile, options.server.http_policy(profile))?;
    options.client.choice(&Environment::default(), profile, grant)?;
    options
        .client
        .search(&Environment::default(), profile, None, (&name, None))?;
    UrlTarget::find(None, profile, &options, options.server.http_policy(profile))?;
    options.callback.choice(profile)?;
    options.callback.success_url(profile)?;
    let authorization = authorization_options(&options, profile)?;
    let renewal = options
        .machine
        .renewal(grant, authorization.audience.as_deref(), profile, &name);
    ignoring_absence(renewal.map(|_| ()))?;
    options.request.par(profile)?;
    options.request.refresh_parameters(Some(profile))?;
    assumed_ttl(None, Some(profile))?;
    if let Some(store) = profile.text("store") {
        StoreKind::from_str(store).map_err(|error| invalid("store", error))?;
    }
    match profile.text("proxy") {
        Some(proxy) => reject_userinfo("proxy", proxy),
        None => Ok(()),
    }
}
