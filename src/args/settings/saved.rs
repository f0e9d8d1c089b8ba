//! What `login` saves in the profile: what was given on the command line.

use super::lists::words;
use crate::args::cli::{GlobalOptions, LoginOptions};
use crate::args::config::Setting;
use crate::args::login_grant::LoginGrant;
use crate::protocol::client::ClientAuthenticationMethod;
use std::time::Duration;

/// What `login` saves: what was given on the command line, but never
/// `timeout`, `paste`, `no_browser`, `listen` and `param.prompt`, but for
/// `prompt=consent` beside `offline_access`.
pub(super) fn profile_changes(
    options: &LoginOptions,
    url: Option<&str>,
    saved_scope: &[String],
) -> Vec<(String, Setting)> {
    let mut given = Vec::new();
    let mut add = |key: &str, setting: Setting| given.push((key.to_owned(), setting));
    for (key, text) in [
        ("issuer", url.or(options.issuer.as_deref())),
        ("authorization_endpoint", options.authorization_endpoint.as_deref()),
        ("token_endpoint", options.token_endpoint.as_deref()),
        ("revocation_endpoint", options.revocation_endpoint.as_deref()),
        ("userinfo_endpoint", options.userinfo_endpoint.as_deref()),
        ("introspection_endpoint", options.introspection_endpoint.as_deref()),
        ("jwks_uri", options.jwks_uri.as_deref()),
        ("client_id", options.client_id.as_deref()),
        (
            "client_auth",
            options.client_auth.map(ClientAuthenticationMethod::as_str),
        ),
        ("grant", options.grant.map(LoginGrant::as_str)),
        ("audience", options.audience.as_deref()),
        ("redirect_uri", options.redirect_uri.as_deref()),
        ("browser", options.browser.as_deref()),
    ] {
        if let Some(text) = text {
            add(key, Setting::Text(text.to_owned()));
        }
    }
    if let Some(file) = &options.client_secret_file {
        let absolute = std::path::absolute(file).unwrap_or_else(|_| file.clone());
        add(
            "client_secret_file",
            Setting::Text(absolute.to_string_lossy().into_owned()),
        );
    }
    if options.allow_http {
        add("allow_http", Setting::Bool(true));
    }
    for (key, values) in [("scope", &options.scope), ("resource", &options.resource)] {
        if !values.is_empty() {
            let words = values
                .iter()
                .flat_map(|value| value.split_whitespace())
                .map(str::to_owned);
            add(key, Setting::List(words.collect()));
        }
    }
    if let Some(ttl) = options.assume_ttl {
        add("assume_ttl", Setting::Text(duration_text(ttl)));
    }
    if !options.port.is_empty() {
        add("port", Setting::Ports(options.port.clone()));
    }
    if let Some(mode) = options.response_mode {
        add("response_mode", Setting::Text(mode.as_str().to_owned()));
    }
    // The consent that offline_access needs is asked for again at the next login (OpenID Connect Core §11).
    let asks_for_offline_access = words(&options.scope).iter().any(|scope| scope == "offline_access")
        || options.scope.is_empty() && saved_scope.iter().any(|scope| scope == "offline_access");
    let is_saved = |key: &str, name: &str, value: &str| {
        key != "param" || name != "prompt" || (value == "consent" && asks_for_offline_access)
    };
    for (key, values) in [
        ("param", &options.param),
        ("token_param", &options.token_param),
        ("refresh_param", &options.refresh_param),
    ] {
        let pairs: Vec<(String, String)> = values
            .iter()
            .filter_map(|text| text.split_once('='))
            .filter(|(name, value)| is_saved(key, name, value))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        if !pairs.is_empty() {
            add(key, Setting::Pairs(pairs));
        }
    }
    given
}

/// As the flag is written.
fn duration_text(duration: Duration) -> String {
    match duration.subsec_millis() {
        0 => format!("{}s", duration.as_secs()),
        _ => format!("{}ms", duration.as_millis()),
    }
}

/// What `login` saves of the global flags: how this server is reached.
pub fn connection_changes(global: &GlobalOptions) -> Vec<(String, Setting)> {
    let mut given = Vec::new();
    if let Some(file) = &global.cacert {
        let absolute = std::path::absolute(file).unwrap_or_else(|_| file.clone());
        given.push((
            "cacert".to_owned(),
            Setting::Text(absolute.to_string_lossy().into_owned()),
        ));
    }
    if let Some(proxy) = &global.proxy {
        given.push(("proxy".to_owned(), Setting::Text(proxy.clone())));
    }
    given
}
