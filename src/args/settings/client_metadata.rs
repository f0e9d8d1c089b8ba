//! What `oauth client-metadata` is given.

use super::error::{SettingsError, invalid, invalid_with_hint};
use crate::args::config::Config;
use crate::protocol::client_metadata_url::ClientMetadataUrl;
use crate::protocol::redirect_uri::RedirectUri;
use crate::system::environment::Environment;

const ENVIRONMENT_NAME: &str = "OAUTH_CLIENT_METADATA_URL";

/// The URL of the client-ID metadata document: what was typed, else the
/// variable, else the key of the configuration file.
///
/// # Errors
/// [`SettingsError::Value`].
pub fn client_metadata_url(
    typed: Option<&str>,
    environment: &Environment,
    config: &Config,
) -> Result<Option<ClientMetadataUrl>, SettingsError> {
    let of_environment = environment.text(ENVIRONMENT_NAME);
    let (place, text) = match (typed, of_environment.as_deref(), config.client_metadata_url.as_deref()) {
        (Some(text), _, _) => ("URL", text),
        (None, Some(text), _) => (ENVIRONMENT_NAME, text),
        (None, None, Some(text)) => ("client_metadata_url", text),
        (None, None, None) => return Ok(None),
    };
    let url = ClientMetadataUrl::parse(text).map_err(|problem| invalid(place, problem))?;
    Ok(Some(url))
}

/// Nothing names a document.
pub fn no_client_metadata_url() -> SettingsError {
    invalid_with_hint(
        "URL",
        "which document is to be checked is not given",
        "Run: oauth client-metadata check https://example.com/oauth-client.json",
    )
}

/// Redirect URIs for the document.
///
/// # Errors
/// [`SettingsError::Value`].
pub fn client_redirect_uris(texts: &[String]) -> Result<Vec<RedirectUri>, SettingsError> {
    let parsed = texts.iter().map(|text| RedirectUri::parse(text));
    parsed
        .collect::<Result<_, _>>()
        .map_err(|problem| invalid("--redirect-uri", problem))
}
