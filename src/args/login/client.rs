//! Which client a login is made as.

use super::callback::DEFAULT_REDIRECT_URI;
use super::changes::ProfileChanges;
use crate::args::config::Profile;
use crate::args::settings::error::{SettingsError, invalid};
use crate::flow::server::ClientChoice;
use crate::protocol::client::{ClientAuthenticationMethod, ClientId};
use crate::protocol::endpoint::Issuer;
use crate::store::ProfileName;
use crate::system::environment::Environment;
use clap::{Args, ValueHint};
use std::path::PathBuf;
use std::str::FromStr;

/// The client.
#[derive(Debug, Default, Args)]
pub struct ClientOptions {
    /// The client's name at the server [env: OAUTH_CLIENT_ID]
    #[arg(long, value_name = "ID", help_heading = "Client")]
    pub client_id: Option<String>,
    /// File with the client secret [env: OAUTH_CLIENT_SECRET holds the secret itself]
    #[arg(long, value_name = "FILE", conflicts_with = "client_secret_stdin", help_heading = "Client", value_hint = ValueHint::FilePath)]
    pub client_secret_file: Option<PathBuf>,
    /// Read the client secret from standard input
    #[arg(long, conflicts_with_all = ["refresh_token_stdin", "paste"], help_heading = "Client")]
    pub client_secret_stdin: bool,
    /// none, client_secret_basic or client_secret_post; by default what the server's metadata say
    #[arg(long, value_name = "METHOD", help_heading = "Client")]
    pub client_auth: Option<ClientAuthenticationMethod>,
}

impl ClientOptions {
    /// The client of these flags, the environment and the profile; `name` and
    /// `url` are for the hint.
    ///
    /// # Errors
    /// [`SettingsError::Missing`], [`SettingsError::Value`].
    pub(in crate::args) fn choice(
        &self,
        environment: &Environment,
        profile: &Profile,
        name: &ProfileName,
        url: Option<&str>,
    ) -> Result<ClientChoice, SettingsError> {
        let (place, id) = if let Some(id) = &self.client_id {
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
        let method = match (&self.client_auth, profile.text("client_auth")) {
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

    /// The file with the client secret.
    pub(in crate::args) fn secret_file(&self, profile: &Profile) -> Option<PathBuf> {
        let saved = || profile.text("client_secret_file").map(PathBuf::from);
        self.client_secret_file.clone().or_else(saved)
    }

    pub(super) fn save(&self, changes: &mut ProfileChanges) {
        changes.text("client_id", self.client_id.as_deref());
        changes.text("client_auth", self.client_auth.map(ClientAuthenticationMethod::as_str));
        changes.path("client_secret_file", self.client_secret_file.as_deref());
    }
}
