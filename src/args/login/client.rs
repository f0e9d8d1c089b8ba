//! Which client a login is made as.

use super::callback::DEFAULT_REDIRECT_URI;
use super::changes::ProfileChanges;
use super::machine::source;
use crate::args::config::Profile;
use crate::args::login_grant::LoginGrant;
use crate::args::settings::error::{SettingsError, invalid};
use crate::flow::assertion_audience::AssertionAudience;
use crate::flow::server::ClientChoice;
use crate::protocol::client::{ClientAuthenticationMethod, ClientCredentials, ClientId};
use crate::protocol::endpoint::Issuer;
use crate::protocol::signing::SigningKey;
use crate::store::{ProfileName, TokenSource};
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
    /// Private key of the client, for private_key_jwt or its certificate: PEM or JWK
    // a key in PEM begins with hyphens; taken, it is refused without being repeated
    #[arg(long, value_name = "FILE", allow_hyphen_values = true, help_heading = "Client", value_hint = ValueHint::FilePath)]
    pub client_key_file: Option<PathBuf>,
    // A text here: clap would repeat one that is a token
    /// Where an assertion comes from that somebody else makes for the client, as for --subject-token
    #[arg(
        long,
        value_name = "SOURCE",
        conflicts_with = "client_key_file",
        help_heading = "Client"
    )]
    pub client_assertion: Option<String>,
    /// Name of the client key at the server (kid) [default: the JWK's, else the RFC 7638 thumbprint]
    #[arg(long, value_name = "KID", help_heading = "Client")]
    pub client_key_id: Option<String>,
    /// Certificate of the client key (PEM), for tls_client_auth; assertions name it (x5t#S256, x5t)
    #[arg(long, value_name = "FILE", help_heading = "Client", value_hint = ValueHint::FilePath)]
    pub client_cert_file: Option<PathBuf>,
    /// Whom assertions are for: issuer, token-endpoint or a URL [default: issuer]
    #[arg(long, value_name = "AUDIENCE", help_heading = "Client")]
    pub assertion_audience: Option<AssertionAudience>,
    /// none, client_secret_basic, client_secret_post, client_secret_jwt, private_key_jwt, tls_client_auth or self_signed_tls_client_auth; by default what the server's metadata say
    #[arg(long, value_name = "METHOD", help_heading = "Client")]
    pub client_auth: Option<ClientAuthenticationMethod>,
}

/// What a client is used for.
pub(in crate::args) struct ClientUse<'a> {
    pub(in crate::args) profile: &'a ProfileName,
    /// The server, where it was given as a URL.
    pub(in crate::args) url: Option<&'a str>,
    pub(in crate::args) grant: LoginGrant,
}

/// Where the credentials of the client are read from.
#[derive(Debug, Clone, Default)]
pub struct CredentialFiles {
    /// With the client secret.
    pub secret: Option<PathBuf>,
    /// With the private key.
    pub key: Option<PathBuf>,
    /// The `kid` of the key, where one was given.
    pub key_id: Option<String>,
    /// With the certificate of the key.
    pub certificate: Option<PathBuf>,
}

impl CredentialFiles {
    /// The key under the `kid` that was given for it.
    pub fn named(&self, key: SigningKey) -> SigningKey {
        match &self.key_id {
            Some(key_id) => key.with_key_id(key_id),
            None => key,
        }
    }
}

impl ClientOptions {
    /// The client of these flags, the environment and the profile; one without
    /// a name where none is given and the grant needs none.
    ///
    /// # Errors
    /// [`SettingsError::Missing`], [`SettingsError::Value`].
    pub(in crate::args) fn choice(
        &self,
        environment: &Environment,
        profile: &Profile,
        login: &ClientUse<'_>,
    ) -> Result<ClientChoice, SettingsError> {
        let (place, id) = if let Some(id) = &self.client_id {
            ("--client-id", id.clone())
        } else if let Some(id) = environment.text("OAUTH_CLIENT_ID") {
            ("OAUTH_CLIENT_ID", id)
        } else if let Some(id) = profile.text("client_id") {
            ("client_id", id.to_owned())
        } else if login.grant.needs_no_client() {
            ("--client-id", String::new())
        } else {
            let target = match login.url {
                Some(url) => Issuer::of_well_known_url(url).unwrap_or_else(|| url.to_owned()),
                None => format!("--profile {} --issuer https://id.example.com", login.profile),
            };
            let hint = format!(
                "Register a native (public) client with the redirect URI {} at the server, then run: oauth login {target} --client-id ID",
                DEFAULT_REDIRECT_URI.replace(":0", "")
            );
            return Err(SettingsError::Missing {
                what: "client_id",
                profile: login.profile.to_string(),
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
            id: match login.grant.needs_no_client() && id.is_empty() {
                true => ClientId::unnamed(),
                false => ClientId::parse(&id).map_err(|error| invalid(place, error))?,
            },
            credentials: ClientCredentials::default(),
            method,
            method_with_secret: None,
            assertion_audience: self.assertion_audience(profile)?,
            assertion_source: self.assertion_source(profile)?,
        })
    }

    /// A key that is given takes the place of a saved source.
    fn assertion_source(&self, profile: &Profile) -> Result<Option<TokenSource>, SettingsError> {
        let saved = match self.client_key_file {
            Some(_) => &Profile::default(),
            None => profile,
        };
        source(
            self.client_assertion.as_deref(),
            "--client-assertion",
            "client_assertion",
            saved,
        )
    }

    fn assertion_audience(&self, profile: &Profile) -> Result<AssertionAudience, SettingsError> {
        match (&self.assertion_audience, profile.text("assertion_audience")) {
            (Some(audience), _) => Ok(audience.clone()),
            (None, Some(text)) => text.parse().map_err(|error| invalid("assertion_audience", error)),
            (None, None) => Ok(AssertionAudience::default()),
        }
    }

    /// The files with the client's credentials. A saved certificate and a saved
    /// `kid` are of the saved key.
    pub(in crate::args) fn credential_files(&self, profile: &Profile) -> CredentialFiles {
        let path = |given: &Option<PathBuf>, key: &str| {
            let saved = || profile.text(key).map(PathBuf::from);
            given.clone().or_else(saved)
        };
        let of_saved_key = match self.client_key_file {
            Some(_) => &Profile::default(),
            None => profile,
        };
        let certificate = of_saved_key.text("client_cert_file").map(PathBuf::from);
        let key_id = of_saved_key.text("client_key_id").map(str::to_owned);
        CredentialFiles {
            secret: path(&self.client_secret_file, "client_secret_file"),
            key: path(&self.client_key_file, "client_key_file"),
            key_id: self.client_key_id.clone().or(key_id),
            certificate: self.client_cert_file.clone().or(certificate),
        }
    }

    pub(super) fn save(&self, changes: &mut ProfileChanges) {
        changes.text("client_id", self.client_id.as_deref());
        changes.text("client_auth", self.client_auth.map(ClientAuthenticationMethod::as_str));
        changes.path("client_secret_file", self.client_secret_file.as_deref());
        changes.path("client_key_file", self.client_key_file.as_deref());
        changes.text("client_key_id", self.client_key_id.as_deref());
        changes.source("client_assertion", self.client_assertion.as_deref());
        changes.path("client_cert_file", self.client_cert_file.as_deref());
        let audience = self.assertion_audience.as_ref().map(ToString::to_string);
        changes.text("assertion_audience", audience.as_deref());
    }
}
