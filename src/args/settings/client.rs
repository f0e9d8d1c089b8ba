//! Which client a login is made as.

use super::callback::DEFAULT_REDIRECT_URI;
use super::error::{SettingsError, invalid};
use crate::args::cli::LoginOptions;
use crate::args::config::Profile;
use crate::flow::server::ClientChoice;
use crate::protocol::client::{ClientAuthenticationMethod, ClientId};
use crate::protocol::endpoint::Issuer;
use crate::store::ProfileName;
use crate::system::environment::Environment;
use std::str::FromStr;

pub(super) fn client_choice(
    options: &LoginOptions,
    environment: &Environment,
    profile: &Profile,
    name: &ProfileName,
    url: Option<&str>,
) -> Result<ClientChoice, SettingsError> {
    let (place, id) = if let Some(id) = &options.client_id {
        ("--client-id", id.clone())
    } else if let Some(id) = environment.text("OAUTH_CLIENT_ID") {
        ("OAUTH_CLIENT_ID", id)
    } else if let Some(id) = profile.text("client_id") {
        ("client_id", id.to_owned())
    } else {
        let target = match url {
            Some(url) => Issuer::of_well_known_url(url).unwrap_or_else(|| url.to_owned()),
            None => format!("--profile {name} --issuer https://id.example.com"),
        };
        let hint = format!(
            "Register a native (public) client with the redirect URI {} at the server, then run: oauth login {target} --client-id ID",
            DEFAULT_REDIRECT_URI.replace(":0", "")
        );
        return Err(SettingsError::Missing {
            what: "client_id",
            profile: name.to_string(),
            hint,
        });
    };
    let method = match (&options.client_auth, profile.text("client_auth")) {
        (Some(method), _) => Some(*method),
        (None, Some(text)) => {
            Some(ClientAuthenticationMethod::from_str(text).map_err(|error| invalid("client_auth", error))?)
        }
        (None, None) => None,
    };
    Ok(ClientChoice {
        id: ClientId::parse(&id).map_err(|error| invalid(place, error))?,
        secret: None,
        method,
    })
}
