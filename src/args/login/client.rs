//! Which client a login is made as.

use super::callback::DEFAULT_REDIRECT_URI;
use super::changes::ProfileChanges;
use super::machine::source;
use crate::args::config::{Profile, Setting};
use crate::args::login_grant::LoginGrant;
use crate::args::settings::error::{SettingsError, invalid};
use crate::flow::assertion_audience::AssertionAudience;
use crate::flow::server::ClientChoice;
use crate::protocol::client::{ClientAuthenticationMethod, ClientCredentials, ClientId};
use crate::protocol::client_metadata_url::ClientMetadataUrl;
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
    /// Client ID [env: OAUTH_CLIENT_ID]
    // the server chooses it, and one in base64url may begin with a hyphen
    #[arg(long, value_name = "ID", allow_hyphen_values = true, value_parser = hyphens_without_option, help_heading = "Client")]
    pub client_id: Option<String>,
    /// Register a client at the server now, even if one is saved (RFC 7591)
    #[arg(long, conflicts_with = "no_register", help_heading = "Client")]
    pub register: bool,
    /// Never register a client
    #[arg(long, help_heading = "Client")]
    pub no_register: bool,
    /// File with the client secret [env: OAUTH_CLIENT_SECRET holds the secret itself]
    #[arg(long, value_name = "FILE", conflicts_with = "client_secret_stdin", help_heading = "Client", value_hint = ValueHint::FilePath)]
    pub client_secret_file: Option<PathBuf>,
    /// Read the client secret from standard input
    #[arg(long, conflicts_with_all = ["refresh_token_stdin", "paste"], help_heading = "Client")]
    pub client_secret_stdin: bool,
    /// Private key of the client, for private_key_jwt or its certificate (PEM or JWK)
    // a key in PEM begins with hyphens; taken, it is refused without being repeated
    #[arg(long, value_name = "FILE", allow_hyphen_values = true, help_heading = "Client", value_hint = ValueHint::FilePath)]
    pub client_key_file: Option<PathBuf>,
    // A text here: clap would repeat one that is a token
    /// Where to read a client assertion made by another program (see --subject-token)
    #[arg(
        long,
        value_name = "SOURCE",
        conflicts_with = "client_key_file",
        help_heading = "Client"
    )]
    pub client_assertion: Option<String>,
    /// Name of the client key at the server (kid) [default: the JWK's, else the RFC 7638 thumbprint]
    #[arg(long, value_name = "KID", allow_hyphen_values = true, value_parser = hyphens_without_option, help_heading = "Client")]
    pub client_key_id: Option<String>,
    /// Certificate of the client key (PEM), for tls_client_auth, and for tokens bound to it where the server has them; assertions name it (x5t#S256, x5t)
    #[arg(long, value_name = "FILE", help_heading = "Client", value_hint = ValueHint::FilePath)]
    pub client_cert_file: Option<PathBuf>,
    /// Audience of client assertions: issuer, token-endpoint or a URL [default: issuer]
    #[arg(long, value_name = "AUDIENCE", help_heading = "Client")]
    pub assertion_audience: Option<AssertionAudience>,
    /// none, client_secret_basic, client_secret_post, client_secret_jwt, private_key_jwt, tls_client_auth or self_signed_tls_client_auth [default: from the server's metadata]
    #[arg(long, value_name = "METHOD", help_heading = "Client")]
    pub client_auth: Option<ClientAuthenticationMethod>,
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

/// Whether a login registers a client (RFC 7591).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegistrationChoice {
    WhereNeeded,
    /// Even where a client is known.
    Now,
    Never,
}

/// How a login finds its client where none is named.
#[derive(Debug, Clone)]
pub struct ClientSearch {
    pub registration: RegistrationChoice,
    /// The client-ID metadata document of the user.
    pub metadata_url: Option<ClientMetadataUrl>,
    /// Whether a client was named for this login alone, and not by the profile.
    pub is_named_now: bool,
    /// The error where there is no way to a client.
    pub missing: SettingsError,
}

/// A value that may begin with a hyphen. One that looks like an option most
/// likely is the next one, and the value is missing.
fn hyphens_without_option(text: &str) -> Result<String, &'static str> {
    let is_option = match text.strip_prefix("--") {
        Some(name) => name.chars().all(|character| matches!(character, 'a'..='z' | '-')),
        None => text.starts_with('-') && text.len() <= 2,
    };
    match is_option {
        true => Err("it looks like an option"),
        false => Ok(text.to_owned()),
    }
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
    /// The client of these flags, the environment and the profile, as far as
    /// they name one; one without a name where the grant needs none.
    ///
    /// # Errors
    /// [`SettingsError::Value`].
    pub(in crate::args) fn choice(
        &self,
        environment: &Environment,
        profile: &Profile,
        grant: LoginGrant,
    ) -> Result<ClientChoice, SettingsError> {
        let id = match self.register {
            true => None,
            false => self.named_id(environment, profile)?,
        };
        let method = match (&self.client_auth, profile.text("client_auth")) {
            (Some(method), _) => Some(*method),
            (None, Some(text)) => {
                Some(ClientAuthenticationMethod::from_str(text).map_err(|error| invalid("client_auth", error))?)
            }
            (None, None) => None,
        };
        Ok(ClientChoice {
            id: match id {
                None if grant.needs_no_client() => Some(ClientId::unnamed()),
                id => id,
            },
            registration: None,
            credentials: ClientCredentials::default(),
            method,
            method_with_secret: None,
            assertion_audience: self.assertion_audience(profile)?,
            assertion_source: self.assertion_source(profile)?,
        })
    }

    /// Refuses a client beside one that is to be registered, which a login has
    /// no use for.
    ///
    /// # Errors
    /// [`SettingsError::Contradiction`].
    pub fn reject_second_client(&self) -> Result<(), SettingsError> {
        match self.register && self.client_id.is_some() {
            true => Err(SettingsError::Contradiction {
                one: "--register".to_owned(),
                other: "--client-id".to_owned(),
                problem: "both say which client logs in".to_owned(),
            }),
            false => Ok(()),
        }
    }

    /// The name of the client by flag, environment or profile, whether a client
    /// is to be registered or not.
    ///
    /// # Errors
    /// [`SettingsError::Value`].
    pub fn named_id(&self, environment: &Environment, profile: &Profile) -> Result<Option<ClientId>, SettingsError> {
        let of_environment = || Some(("OAUTH_CLIENT_ID", environment.text("OAUTH_CLIENT_ID")?));
        let of_profile = || Some(("client_id", profile.text("client_id")?.to_owned()));
        let named = match &self.client_id {
            Some(id) => Some(("--client-id", id.clone())),
            None => of_environment().or_else(of_profile),
        };
        let id = named.map(|(place, id)| ClientId::parse(&id).map_err(|error| invalid(place, error)));
        id.transpose()
    }

    /// How a client is found where none is named; `name` and `url` are for the
    /// hint of the error.
    ///
    /// # Errors
    /// [`SettingsError::Value`].
    pub(in crate::args) fn search(
        &self,
        environment: &Environment,
        profile: &Profile,
        metadata_url: Option<&str>,
        (name, url): (&ProfileName, Option<&str>),
    ) -> Result<ClientSearch, SettingsError> {
        let target = match url {
            Some(url) => Issuer::of_well_known_url(url).unwrap_or_else(|| url.to_owned()),
            None => format!("--profile {name} --issuer https://id.example.com"),
        };
        let hint = format!(
            "Register a native (public) client with the redirect URI {} at the server, then run: oauth login {target} --client-id ID",
            DEFAULT_REDIRECT_URI.replace(":0", "")
        );
        let of_environment = environment.text("OAUTH_CLIENT_METADATA_URL");
        let metadata_url = match (&of_environment, profile.text("client_metadata_url").or(metadata_url)) {
            (Some(url), _) => Some(("OAUTH_CLIENT_METADATA_URL", url.as_str())),
            (None, Some(url)) => Some(("client_metadata_url", url)),
            (None, None) => None,
        };
        let metadata_url =
            metadata_url.map(|(place, url)| ClientMetadataUrl::parse(url).map_err(|error| invalid(place, error)));
        Ok(ClientSearch {
            registration: match (self.register, self.no_register || profile.bool("no_register")) {
                (true, _) => RegistrationChoice::Now,
                (false, true) => RegistrationChoice::Never,
                (false, false) => RegistrationChoice::WhereNeeded,
            },
            metadata_url: metadata_url.transpose()?,
            is_named_now: self.client_id.is_some() || environment.has("OAUTH_CLIENT_ID"),
            missing: SettingsError::Missing {
                what: "client_id",
                profile: name.to_string(),
                hint,
            },
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
        if self.no_register {
            changes.set("no_register", Setting::Bool(true));
        }
        changes.text("client_id", self.client_id.as_deref());
        changes.text("client_auth", self.client_auth.map(ClientAuthenticationMethod::as_str));
        changes.path("client_secret_file", self.client_secret_file.as_deref());
        changes.path("client_key_file", self.client_key_file.as_deref());
        changes.text("client_key_id", self.client_key_id.as_deref());
        changes.text("client_assertion", self.client_assertion.as_deref());
        changes.path("client_cert_file", self.client_cert_file.as_deref());
        let audience = self.assertion_audience.as_ref().map(ToString::to_string);
        changes.text("assertion_audience", audience.as_deref());
    }
}
