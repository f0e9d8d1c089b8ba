//! How requests go out: proxy, certificates, time-out.

use super::error::SettingsError;
use crate::args::cli::GlobalOptions;
use crate::args::config::Profile;
use crate::system::environment::Environment;
use crate::transport::{ProxySettings, TransportSettings, check_proxy_without_userinfo};
use std::path::PathBuf;

/// How requests go out.
///
/// # Errors
/// [`SettingsError::Value`] for a proxy URL with userinfo on the command line.
pub fn transport(
    global: &GlobalOptions,
    environment: &Environment,
    profile: Option<&Profile>,
    allow_http: bool,
) -> Result<TransportSettings, SettingsError> {
    let mut proxy = ProxySettings::from_environment(|name| environment.text(name));
    let given = global.proxy.as_deref().map(|url| ("--proxy", url));
    if let Some((name, url)) = given.or_else(|| {
        profile
            .and_then(|profile| profile.text("proxy"))
            .map(|url| ("proxy", url))
    }) {
        reject_userinfo(name, url)?;
        proxy = proxy.with_proxy(url);
    }
    let profile_ca_file = || profile.and_then(|profile| profile.text("cacert")).map(PathBuf::from);
    let client_certificate = match (&global.cert, &global.key) {
        (Some(certificate), Some(key)) => Some((certificate.clone(), key.clone())),
        _ => None,
    };
    Ok(TransportSettings {
        http_timeout: global.http_timeout,
        deadline: None,
        ca_file: global.cacert.clone().or_else(profile_ca_file),
        client_certificate,
        proxy,
        public_addresses_only: false,
        allow_http: allow_http || profile.is_some_and(|profile| profile.bool("allow_http")),
        ssl_cert_file: environment.path("SSL_CERT_FILE"),
        ssl_cert_dir: environment
            .raw("SSL_CERT_DIR")
            .map(|value| std::env::split_paths(value).collect())
            .unwrap_or_default(),
    })
}

/// Neither the command line nor the configuration file may hold a password.
pub(super) fn reject_userinfo(name: &str, url: &str) -> Result<(), SettingsError> {
    check_proxy_without_userinfo(url).map_err(|problem| SettingsError::Value {
        name: name.to_owned(),
        problem: problem.to_string(),
        hint: problem.hints().first().map(|hint| (*hint).to_owned()),
    })
}

/// What is wrong with the global flags, whether or not the command comes to need them.
///
/// # Errors
/// [`SettingsError::Value`].
pub fn check_global(global: &GlobalOptions) -> Result<(), SettingsError> {
    global
        .proxy
        .as_deref()
        .map_or(Ok(()), |url| reject_userinfo("--proxy", url))
}
