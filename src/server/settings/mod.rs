//! What `oauth serve` can be told: clients, users, lifetimes, faults. The
//! defaults are those of the command line.

pub mod claims;
pub mod client_metadata;
pub mod clients;
pub mod dpop;
pub mod fault;
pub mod invalid;
pub mod origins;
pub mod request_demands;
pub mod resources;
pub mod signing_keys;
pub mod trusted_issuer;
pub mod users;

use super::clients::document_url::ClientIdDocuments;
use super::violations::set::Violations;
use claims::ExtraClaims;
use clients::{DEFAULT_CLIENT_ID, RegisteredClient};
use dpop::DpopDemands;
use fault::Fault;
use invalid::InvalidSetting;
use origins::AllowedOrigins;
use request_demands::RequestDemands;
use resources::KnownResource;
use signing_keys::SigningKeys;
use std::path::PathBuf;
use std::time::Duration;
use trusted_issuer::TrustedIssuer;
use users::User;

/// The port that is listened on where none is given.
pub const DEFAULT_PORT: u16 = 9000;

/// Everything that the development server can be told.
#[derive(Debug, Clone)]
pub struct ServeSettings {
    /// 0 is any free port.
    pub port: u16,
    pub clients: Vec<RegisteredClient>,
    /// Keys that are used instead of new ones.
    pub signing_keys: SigningKeys,
    /// The accounts; never empty. `auto` and `deny` decide for the first.
    pub users: Vec<User>,
    /// The resource servers that tokens can be asked for; any where it is empty.
    pub resources: Vec<KnownResource>,
    /// What every token says beside its own claims.
    pub claims: ExtraClaims,
    pub approval: Approval,
    /// Whether clients may register themselves (RFC 7591).
    pub registration: Registration,
    /// Which client-ID metadata documents are fetched.
    pub client_id_documents: ClientIdDocuments,
    /// How long a code can be redeemed. All lifetimes are rounded up to whole seconds.
    pub code_lifetime: Duration,
    /// How long an access token, and an ID token, is valid.
    pub access_token_lifetime: Duration,
    /// How long a refresh token can be used, from when it was issued.
    pub refresh_token_lifetime: Duration,
    /// Whether each refresh brings a new refresh token and ends the old one.
    pub refresh_rotation: bool,
    /// How long a spent refresh token is still taken, for lost answers; zero: never.
    pub refresh_grace: Duration,
    /// How long each request waits before anything is looked at.
    pub latency: Duration,
    /// Responses that were asked for with `--fail`.
    pub faults: Vec<Fault>,
    /// The origins of browser applications that may use the endpoints for programs.
    pub cors: AllowedOrigins,
    /// Whose tokens token exchange and assertions take, beside the server's own.
    pub trusted_issuers: Vec<TrustedIssuer>,
    /// The folder with the certificates of https; plain http without.
    pub tls: Option<PathBuf>,
    /// What is demanded of every client.
    pub dpop: DpopDemands,
    /// How authorization requests must come.
    pub request_demands: RequestDemands,
    /// The rules that are violated on purpose.
    pub violations: Violations,
}

impl ServeSettings {
    /// The default settings: client `oauth-cli`, account `demo:demo`, pages that ask.
    ///
    /// # Errors
    /// None in practice; the built-in texts are parsed as the user's are.
    pub fn standard() -> Result<Self, InvalidSetting> {
        Ok(ServeSettings {
            port: DEFAULT_PORT,
            clients: vec![RegisteredClient::new(DEFAULT_CLIENT_ID, None, &[])?],
            signing_keys: SigningKeys::default(),
            users: vec!["demo:demo".parse()?],
            resources: Vec::new(),
            claims: ExtraClaims::default(),
            approval: Approval::Ask,
            registration: Registration::Open,
            client_id_documents: ClientIdDocuments::Public,
            code_lifetime: Duration::from_secs(60),
            access_token_lifetime: Duration::from_secs(3600),
            refresh_token_lifetime: Duration::from_secs(30 * 24 * 3600),
            refresh_rotation: true,
            refresh_grace: Duration::ZERO,
            latency: Duration::ZERO,
            faults: Vec::new(),
            cors: AllowedOrigins::default(),
            trusted_issuers: Vec::new(),
            tls: None,
            dpop: DpopDemands::default(),
            request_demands: RequestDemands::default(),
            violations: Violations::default(),
        })
    }
}

/// Who decides about an authorization request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approval {
    /// Sign-in and consent pages in the browser.
    Ask,
    /// Yes at once, for the first user.
    Auto,
    Deny,
}

/// Whether clients may register themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registration {
    /// Anyone can.
    Open,
    Off,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_client_is_public_and_called_back_on_loopback() {
        let settings = ServeSettings::standard().unwrap();
        assert_eq!(settings.port, 9000);
        assert!(settings.clients[0].secret.is_none());
        assert_eq!(settings.clients[0].redirect_uris[1].as_str(), "http://[::1]/callback");
    }
}
