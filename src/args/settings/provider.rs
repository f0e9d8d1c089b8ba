//! `--provider`: what is known about a provider replaces what neither flags
//! nor profile say.

use super::error::{SettingsError, invalid_with_hint};
use crate::args::config::{Profile, Setting};
use crate::args::login::LoginOptions;
use crate::args::login_grant::LoginGrant;
use crate::protocol::authorization::AuthorizationOptions;
use crate::protocol::redirect_uri::RedirectUri;
use crate::protocol::scope::Scope;
use crate::providers::{self, Loopback, Provider, ProviderError};

/// The provider of a login, and what of the profile is of another server.
pub(super) struct ProviderChoice {
    pub(super) provider: Option<Provider>,
    /// Keys of the profile that do not hold for this login.
    pub(super) dropped: Vec<&'static str>,
}

/// Finds the provider of flag or profile. `url` is the server that was named
/// beside it; `server_keys` are the keys that hold for one server only.
///
/// # Errors
/// [`SettingsError::Value`].
pub(super) fn choose(
    options: &LoginOptions,
    url: Option<&str>,
    profile: &Profile,
    server_keys: &[&'static str],
) -> Result<ProviderChoice, SettingsError> {
    let named = url.or(options.server.issuer.as_deref());
    let (given, saved) = (options.server.provider.as_deref(), profile.text("provider"));
    let change = Change::find(named, given, profile)?;
    let mut dropped = Vec::new();
    if change != Change::None {
        dropped.extend(server_keys);
    }
    if saved.is_some() && matches!(change, Change::Provider | Change::AwayFromProvider) {
        dropped.push("audience");
    }
    match change {
        Change::None | Change::Issuer => {}
        Change::Provider => dropped.push("issuer"),
        Change::AwayFromProvider => dropped.push("provider"),
    }
    let chosen = match (given, saved) {
        (Some(text), _) => Some(("--provider", text)),
        (None, Some(text)) if change != Change::AwayFromProvider => Some(("provider", text)),
        _ => None,
    };
    let Some((place, text)) = chosen else {
        return Ok(ProviderChoice {
            provider: None,
            dropped,
        });
    };
    // An issuer that the user names is not mixed with the endpoints of the provider.
    let has_issuer = named.is_some() || (profile.text("issuer").is_some() && change != Change::Provider);
    let kept = profile.without(&dropped);
    let has_endpoint = |given: &Option<String>, key| given.is_some() || kept.text(key).is_some();
    let has_endpoints = has_endpoint(&options.server.authorization_endpoint, "authorization_endpoint")
        && has_endpoint(&options.server.token_endpoint, "token_endpoint");
    let provider = find(place, text, has_issuer || has_endpoints)?;
    Ok(ProviderChoice {
        provider: Some(if has_issuer { provider.elsewhere() } else { provider }),
        dropped,
    })
}

/// How the server of a login differs from that of its profile.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    /// It is the same, or the profile has none.
    None,
    /// Another issuer was named.
    Issuer,
    /// Another provider was named.
    Provider,
    /// An issuer was named that is not that of the saved provider.
    AwayFromProvider,
}

impl Change {
    fn find(named: Option<&str>, given: Option<&str>, profile: &Profile) -> Result<Change, SettingsError> {
        let (saved, issuer) = (profile.text("provider"), profile.text("issuer"));
        let another_issuer = named.is_some() && issuer.is_some() && issuer != named;
        let saved_issuer = match (saved, issuer) {
            (Some(text), None) => find("provider", text, true)?.issuer,
            (_, issuer) => issuer.map(str::to_owned),
        };
        Ok(match (given, saved) {
            (None, Some(_)) if named.is_some() && saved_issuer.as_deref() != named => Change::AwayFromProvider,
            (Some(given), Some(saved)) if given != saved => Change::Provider,
            (Some(given), None) if named.is_none() && issuer.is_some() => {
                let provider = find("--provider", given, true)?;
                let has_server = provider.issuer.is_some() || !provider.endpoints.is_empty();
                match has_server && provider.issuer != saved_issuer {
                    true => Change::Provider,
                    false => Change::None,
                }
            }
            _ if another_issuer => Change::Issuer,
            _ => Change::None,
        })
    }
}

/// The provider with its value; where the user names the server, it needs none.
fn find(place: &str, text: &str, server_is_named: bool) -> Result<Provider, SettingsError> {
    let found = providers::find(text).and_then(|(provider, value)| match provider.clone().at(value) {
        Err(ProviderError::NoValue { .. }) if server_is_named => Ok(provider.elsewhere()),
        other => other,
    });
    found.map_err(|error| unusable(place, error))
}

/// A provider as it is named for `oauth providers`, with its value where one is given.
///
/// # Errors
/// [`SettingsError::Value`].
pub fn named_provider(text: &str) -> Result<Provider, SettingsError> {
    let found = providers::find(text).and_then(|(provider, value)| match value {
        None if provider.value_default.is_none() => Ok(provider),
        value => provider.at(value),
    });
    found.map_err(|error| unusable("NAME", error))
}

/// All known providers, with the values that they have by default.
///
/// # Errors
/// [`SettingsError::Value`].
pub fn known_providers() -> Result<Vec<Provider>, SettingsError> {
    let all = providers::all().map_err(|error| unusable("NAME", error))?;
    let filled = all.into_iter().map(|provider| match provider.value_default {
        Some(_) => provider.at(None).map_err(|error| unusable("NAME", error)),
        None => Ok(provider),
    });
    filled.collect()
}

fn unusable(place: &str, error: ProviderError) -> SettingsError {
    let list = "For any other server, use --issuer URL. To list the known providers: oauth providers";
    let hint = match &error {
        ProviderError::Unknown {
            nearest: Some(nearest), ..
        } => format!("Did you mean {nearest}? {list}"),
        ProviderError::Unknown { nearest: None, .. } => list.to_owned(),
        ProviderError::NoValue { name, .. } => {
            format!("Or name the server itself: --provider {name} --issuer URL. See: oauth providers {name}")
        }
        ProviderError::TakesNoValue(name) => format!("Write --provider {name}"),
        ProviderError::InvalidValue { .. } | ProviderError::Damaged(_) => list.to_owned(),
    };
    invalid_with_hint(place, error, &hint)
}

/// The profile with what the provider says where it says nothing itself.
///
/// # Errors
/// [`SettingsError::Value`] where the provider wants a redirect URI that only the user has.
pub(super) fn fill(
    provider: &Provider,
    profile: &Profile,
    grant: LoginGrant,
    options: &LoginOptions,
) -> Result<Profile, SettingsError> {
    let mut filled = profile.clone();
    let mut set = |key: &str, text: Option<&str>| {
        if let (None, Some(text)) = (profile.text(key), text) {
            filled.set(key, Setting::Text(text.to_owned()));
        }
    };
    set("issuer", provider.issuer.as_deref());
    for (key, url) in &provider.endpoints {
        set(key, Some(url));
    }
    // The rest is about the authorization request.
    if grant != LoginGrant::AuthorizationCode {
        return Ok(filled);
    }
    set("audience", provider.audience.as_deref());
    let redirect_uri = redirect_uri(provider, profile, options)?;
    set("redirect_uri", redirect_uri.as_deref());
    if !provider.param.is_empty() {
        let mut pairs = profile.pairs("param").to_vec();
        let given = |name: &str, pairs: &[(String, String)]| pairs.iter().any(|(own, _)| own == name);
        for (name, value) in &provider.param {
            if !given(name, &pairs) {
                pairs.push((name.clone(), value.clone()));
            }
        }
        filled.set("param", Setting::Pairs(pairs));
    }
    Ok(filled)
}

/// The redirect URI of the provider; with any port where the user says which.
fn redirect_uri(
    provider: &Provider,
    profile: &Profile,
    options: &LoginOptions,
) -> Result<Option<String>, SettingsError> {
    let has_certificate = options.callback.callback_cert.is_some() || profile.text("callback_cert").is_some();
    let is_given = options.callback.redirect_uri.is_some() || profile.text("redirect_uri").is_some();
    match &provider.redirect_uri {
        _ if is_given => Ok(None),
        // With a certificate the redirect URI is https by itself.
        Some(text) if has_certificate && text.starts_with("http:") => Ok(None),
        Some(text) => {
            let chooses_port = !options.callback.port.is_empty() || !profile.ports("port").is_empty();
            Ok(Some(match RedirectUri::parse(text) {
                Ok(redirect_uri) if chooses_port && redirect_uri.port().is_some() => {
                    redirect_uri.with_port(0).as_str().to_owned()
                }
                _ => text.clone(),
            }))
        }
        None if provider.loopback == Loopback::HttpsOnly => Err(invalid_with_hint(
            "--provider",
            format!("{} redirects only to an https address of your own", provider.title),
            "Name the one that you registered with --redirect-uri URL, add --paste, and paste the address that the browser ends on.",
        )),
        None => Ok(None),
    }
}

/// Adds what the provider wants of the authorization request; the scope for a
/// refresh token only where a person signs in.
pub(super) fn adapt(provider: &Provider, grant: LoginGrant, authorization: &mut AuthorizationOptions) {
    authorization.scope_separator = provider.scope_separator;
    let for_a_person = matches!(grant, LoginGrant::AuthorizationCode | LoginGrant::Device);
    if let Some(scope) = provider.scope_for_refresh.as_ref().filter(|_| for_a_person) {
        let wanted = Scope::from_received_tokens(vec![scope.clone()]);
        authorization.scope = authorization.scope.union(&wanted);
    }
}

/// What the session is compared with later is saved with what was given.
pub(super) fn save(profile: &Profile, authorization: &AuthorizationOptions, given: &mut Vec<(String, Setting)>) {
    let scope = authorization.scope.tokens();
    if scope != profile.list("scope") {
        given.retain(|(key, _)| key != "scope");
        given.push(("scope".to_owned(), Setting::List(scope.to_vec())));
    }
    if let Some(audience) = &authorization.audience
        && profile.text("audience") != Some(audience)
    {
        given.retain(|(key, _)| key != "audience");
        given.push(("audience".to_owned(), Setting::Text(audience.clone())));
    }
}

/// Where a client of this provider is registered, for a login without one.
pub(super) fn explain_missing_client(provider: Option<&Provider>, error: SettingsError) -> SettingsError {
    match (provider, error) {
        (
            Some(provider),
            SettingsError::Missing {
                what: what @ "client_id",
                profile,
                ..
            },
        ) => SettingsError::Missing {
            what,
            hint: format!(
                "Register a client at {} (for the steps, run `oauth providers {}`), then log in: oauth login {profile} --provider {} --client-id ID",
                provider.register,
                provider.name,
                provider.usage()
            ),
            profile,
        },
        (_, error) => error,
    }
}
