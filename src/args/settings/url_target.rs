//! The URL of a login whose meaning only its host can tell: an authorization
//! server's or an API's.

use super::error::SettingsError;
use crate::args::config::Profile;
use crate::args::login::{LoginOptions, unusable};
use crate::protocol::endpoint::{Endpoint, HttpPolicy, Issuer};

/// A URL that has to be looked at before a login can begin.
#[derive(Debug, Clone)]
pub struct UrlTarget {
    pub url: Endpoint,
    /// As it was written.
    pub text: String,
    /// The same as an issuer, where it can be one.
    pub issuer: Option<Issuer>,
    /// Whether it is an API's for sure: the profile was made with it.
    pub is_api: bool,
    /// Whether it was typed for this login, and is to be saved.
    pub is_given: bool,
    /// Whether the API may be asked what it wants (`--no-probe` forbids it).
    pub may_probe: bool,
}

impl UrlTarget {
    /// The target of a typed URL or of the profile's API; `None` where the
    /// authorization server is known.
    ///
    /// # Errors
    /// [`SettingsError::Value`].
    pub(super) fn find(
        typed: Option<&str>,
        saved: &Profile,
        options: &LoginOptions,
        http: HttpPolicy,
    ) -> Result<Option<Self>, SettingsError> {
        let has = |given: &Option<String>, key: &str| given.is_some() || saved.text(key).is_some();
        let server = &options.server;
        let has_endpoints = has(&server.authorization_endpoint, "authorization_endpoint")
            && has(&server.token_endpoint, "token_endpoint");
        let has_server = has_endpoints || has(&server.provider, "provider") || server.issuer.is_some();
        let (place, text) = match (typed, saved.text("api")) {
            (Some(url), _) if saved.text("issuer") == Some(url) => return Ok(None),
            _ if has_server => return Ok(None),
            (Some(url), _) => ("URL", url),
            (None, Some(api)) => ("api", api),
            (None, None) => return Ok(None),
        };
        Ok(Some(UrlTarget {
            url: Endpoint::parse(text, http).map_err(|problem| unusable(place, problem))?,
            text: text.to_owned(),
            issuer: Issuer::parse(text, http).ok(),
            is_api: saved.text("api") == Some(text),
            is_given: typed.is_some(),
            may_probe: !server.no_probe && !saved.bool("no_probe"),
        }))
    }
}
