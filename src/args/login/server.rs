//! Which authorization server a login is for.

use super::changes::ProfileChanges;
use crate::args::config::{Profile, Setting};
use crate::args::login_grant::{GrantBasis, LoginGrant};
use crate::args::settings::error::{SettingsError, invalid, invalid_with_hint};
use crate::flow::server::ServerChoice;
use crate::protocol::endpoint::{Endpoint, EndpointError, HttpPolicy, Issuer};
use crate::store::ProfileName;
use clap::Args;

/// The server.
#[derive(Debug, Default, Args)]
pub struct ServerOptions {
    /// A known provider, such as google or gitlab:HOST; sets its endpoints and parameters (list: oauth providers)
    #[arg(long, value_name = "NAME[:VALUE]", help_heading = "Server")]
    pub provider: Option<String>,
    /// Authorization server; its metadata is discovered
    #[arg(long, value_name = "URL", help_heading = "Server")]
    pub issuer: Option<String>,
    /// Instead of the discovered endpoint; with --token-endpoint no discovery is needed
    #[arg(long, value_name = "URL", help_heading = "Server")]
    pub authorization_endpoint: Option<String>,
    /// Instead of the discovered endpoint
    #[arg(long, value_name = "URL", help_heading = "Server")]
    pub token_endpoint: Option<String>,
    /// Instead of the discovered endpoint
    #[arg(long, value_name = "URL", help_heading = "Server")]
    pub revocation_endpoint: Option<String>,
    /// Instead of the discovered endpoint
    #[arg(long, value_name = "URL", help_heading = "Server")]
    pub userinfo_endpoint: Option<String>,
    /// Instead of the discovered endpoint
    #[arg(long, value_name = "URL", help_heading = "Server")]
    pub introspection_endpoint: Option<String>,
    /// URL of the server's keys, instead of the discovered one
    #[arg(long, value_name = "URL", help_heading = "Server")]
    pub jwks_uri: Option<String>,
    /// Instead of the discovered endpoint
    #[arg(long, value_name = "URL", help_heading = "Server")]
    pub device_authorization_endpoint: Option<String>,
    /// Instead of the discovered endpoint
    #[arg(long, value_name = "URL", help_heading = "Server")]
    pub pushed_authorization_request_endpoint: Option<String>,
    /// Fetch only well-known documents from the URL of an API
    #[arg(long, help_heading = "Server")]
    pub no_probe: bool,
    /// Assume that the server of an API knows PKCE, though its metadata does not say so
    #[arg(long, help_heading = "Server")]
    pub assume_pkce: bool,
    /// Permit http endpoints outside this machine
    #[arg(long, help_heading = "Server")]
    pub allow_http: bool,
}

impl ServerOptions {
    /// Whether plain http is permitted outside this machine.
    pub(in crate::args) fn http_policy(&self, profile: &Profile) -> HttpPolicy {
        match self.allow_http || profile.bool("allow_http") {
            true => HttpPolicy::Everywhere,
            false => HttpPolicy::LoopbackOnly,
        }
    }

    /// The server of `url`, of these flags, and of the profile.
    ///
    /// # Errors
    /// [`SettingsError::Value`] for a URL that is not an issuer or endpoint.
    pub(in crate::args) fn choice(
        &self,
        url: Option<&str>,
        profile: &Profile,
        allowance: HttpPolicy,
    ) -> Result<ServerChoice, SettingsError> {
        let endpoint = |key: &str, given: &Option<String>| {
            let named = given.as_deref().or_else(|| profile.text(key));
            let vetted = named.map(|text| {
                Endpoint::parse(text, allowance).map_err(|error| match given {
                    Some(_) => unusable(&format!("--{}", key.replace('_', "-")), error),
                    None => unusable(key, error),
                })
            });
            vetted.transpose()
        };
        let issuer = match (url, &self.issuer, profile.text("issuer")) {
            (Some(url), _, _) => Some(("URL", url)),
            (None, Some(issuer), _) => Some(("--issuer", issuer.as_str())),
            (None, None, Some(issuer)) => Some(("issuer", issuer)),
            (None, None, None) => None,
        };
        Ok(ServerChoice {
            authorization_endpoint: endpoint("authorization_endpoint", &self.authorization_endpoint)?,
            token_endpoint: endpoint("token_endpoint", &self.token_endpoint)?,
            revocation_endpoint: endpoint("revocation_endpoint", &self.revocation_endpoint)?,
            userinfo_endpoint: endpoint("userinfo_endpoint", &self.userinfo_endpoint)?,
            introspection_endpoint: endpoint("introspection_endpoint", &self.introspection_endpoint)?,
            jwks_uri: endpoint("jwks_uri", &self.jwks_uri)?,
            device_authorization_endpoint: endpoint(
                "device_authorization_endpoint",
                &self.device_authorization_endpoint,
            )?,
            pushed_authorization_request_endpoint: endpoint(
                "pushed_authorization_request_endpoint",
                &self.pushed_authorization_request_endpoint,
            )?,
            issuer: issuer
                .map(|(place, text)| Issuer::parse(text, allowance).map_err(|error| unusable(place, error)))
                .transpose()?,
            allowance,
            discovered: None,
            api: None,
            assumes_pkce: self.assume_pkce || profile.bool("assume_pkce"),
        })
    }

    pub(super) fn save(&self, url: Option<&str>, changes: &mut ProfileChanges) {
        for (key, text) in [
            ("provider", self.provider.as_deref()),
            ("issuer", url.or(self.issuer.as_deref())),
            ("authorization_endpoint", self.authorization_endpoint.as_deref()),
            ("token_endpoint", self.token_endpoint.as_deref()),
            ("revocation_endpoint", self.revocation_endpoint.as_deref()),
            ("userinfo_endpoint", self.userinfo_endpoint.as_deref()),
            ("introspection_endpoint", self.introspection_endpoint.as_deref()),
            ("jwks_uri", self.jwks_uri.as_deref()),
            (
                "device_authorization_endpoint",
                self.device_authorization_endpoint.as_deref(),
            ),
            (
                "pushed_authorization_request_endpoint",
                self.pushed_authorization_request_endpoint.as_deref(),
            ),
        ] {
            changes.text(key, text);
        }
        for (key, is_given) in [("no_probe", self.no_probe), ("assume_pkce", self.assume_pkce)] {
            if is_given {
                changes.set(key, Setting::Bool(true));
            }
        }
        if self.allow_http {
            changes.set("allow_http", Setting::Bool(true));
        }
    }
}

/// What is wrong with a URL, and how http is permitted where that is it.
pub(in crate::args) fn unusable(place: &str, error: EndpointError) -> SettingsError {
    match error {
        EndpointError::PlainHttp(_) => invalid_with_hint(
            place,
            error,
            "Use https, or add --allow-http if you want to use plain http to that machine.",
        ),
        _ => invalid(place, error),
    }
}

/// Whether enough is known of a server to begin: its issuer, or the endpoints
/// that the grant uses.
///
/// # Errors
/// [`SettingsError::Missing`].
pub(in crate::args) fn require_server(
    server: &ServerChoice,
    grant: LoginGrant,
    name: &ProfileName,
) -> Result<(), SettingsError> {
    let lacks_endpoint = server.token_endpoint.is_none()
        || match grant.basis() {
            GrantBasis::Browser => server.authorization_endpoint.is_none(),
            GrantBasis::OtherDevice => server.device_authorization_endpoint.is_none(),
            GrantBasis::Client | GrantBasis::GivenToken => false,
        };
    if server.issuer.is_some() || !lacks_endpoint {
        return Ok(());
    }
    Err(SettingsError::NoServer {
        profile: name.clone(),
        command: "login",
    })
}
