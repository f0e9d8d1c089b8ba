//! The flags of `oauth serve` and `oauth demo`.

use crate::output::duration::parse_duration;
use crate::server::clients::document_url::ClientIdDocuments;
use crate::server::settings::{Approval, Registration};
use clap::builder::PossibleValue;
use clap::{Args, ValueEnum, ValueHint};
use std::path::PathBuf;
use std::time::Duration;

/// Options of `oauth serve`.
#[derive(Debug, Args)]
pub struct ServeOptions {
    /// Port on 127.0.0.1; 0 is any free one
    #[arg(long, value_name = "P", default_value_t = 9000)]
    pub port: u16,
    /// Registered client; a secret file makes it confidential; repeatable [default: oauth-cli]
    #[arg(long, value_name = "ID[:SECRET_FILE]")]
    pub client: Vec<String>,
    /// Registered client in the members of RFC 7591, such as token_endpoint_auth_method and jwks; repeatable
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub client_metadata: Vec<PathBuf>,
    /// Redirect URI of the registered clients; repeatable
    // not in the doc comment, where the brackets of the address would be a link
    #[arg(
        long,
        value_name = "URI",
        help = "Redirect URI of the registered clients; repeatable [default: http://127.0.0.1/callback and http://[::1]/callback on any port]"
    )]
    pub redirect_uri: Vec<String>,
    /// Users with claims, clients, resources, lifetimes and claims of tokens, in TOML; flags win over it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub setup: Option<PathBuf>,
    /// Keys that stay the same from run to run: PEM with a P-256 key, an RSA key, or both
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub signing_key_file: Option<PathBuf>,
    /// Account that can sign in; repeatable [default: demo:demo]
    #[arg(long, value_name = "NAME:PASSWORD")]
    pub user: Vec<String>,
    /// Who decides: the user in the browser (ask), or the server at once (auto, deny)
    #[arg(long, value_name = "HOW", default_value = "ask")]
    pub approve: Approval,
    /// Whether clients may register themselves (RFC 7591)
    #[arg(long, value_name = "WHO", default_value = "open")]
    pub registration: Registration,
    /// Which client-ID metadata documents are fetched: on (public addresses), loopback (this machine, too), loopback:PORT,… or off
    #[arg(long, value_name = "WHICH", default_value = "on")]
    pub client_id_documents: ClientIdDocuments,
    /// Lifetime of codes [default: 60s]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub code_ttl: Option<Duration>,
    /// Lifetime of access tokens [default: 1h]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub access_token_ttl: Option<Duration>,
    /// Lifetime of refresh tokens [default: 30d]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub refresh_token_ttl: Option<Duration>,
    /// Whether a refresh token works once
    #[arg(long, value_name = "SWITCH", default_value = "on")]
    pub refresh_rotation: Switch,
    /// How long a spent refresh token still works
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = parse_duration)]
    pub refresh_grace: Duration,
    /// Wait before each answer, before anything is committed
    #[arg(long, value_name = "TIME", default_value = "0ms", value_parser = parse_duration)]
    pub latency: Duration,
    /// Answer an endpoint with a status, for testing clients; repeatable
    #[arg(long, value_name = "ENDPOINT=STATUS[:COUNT]")]
    pub fail: Vec<String>,
    /// Origin of browser applications that may call token, userinfo, revocation and registration; * for all; repeatable
    #[arg(long, value_name = "ORIGIN")]
    pub cors: Vec<String>,
    /// Issuer whose tokens token exchange and assertions take, beside the server's own; its keys are fetched at the start; repeatable
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub trust_issuer: Vec<String>,
    /// Speak https with certificates in DIR, made there where it has none; clients may show theirs
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub tls: Option<PathBuf>,
    /// Demand it of every client: dpop, nonce (of the server, in each DPoP proof), par, request-object; repeatable
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    pub require: Vec<Requirement>,
    /// Break a rule for servers on purpose; repeatable; list prints them all
    #[arg(long = "break", value_name = "RULE")]
    pub broken: Vec<String>,
}

impl ValueEnum for Approval {
    fn value_variants<'a>() -> &'a [Self] {
        &[Approval::Ask, Approval::Auto, Approval::Deny]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let (name, help) = match self {
            Approval::Ask => ("ask", "Sign-in and consent pages in the browser"),
            Approval::Auto => ("auto", "Yes at once, for the first user"),
            Approval::Deny => ("deny", "No at once"),
        };
        Some(PossibleValue::new(name).help(help))
    }
}

impl ValueEnum for Registration {
    fn value_variants<'a>() -> &'a [Self] {
        &[Registration::Open, Registration::Off]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let (name, help) = match self {
            Registration::Open => ("open", "Every client can"),
            Registration::Off => ("off", "None can"),
        };
        Some(PossibleValue::new(name).help(help))
    }
}

/// What `oauth serve` demands of every client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Requirement {
    /// Tokens that are bound to a key (RFC 9449)
    Dpop,
    /// The server's nonce in DPoP proofs (RFC 9449 §8)
    Nonce,
    /// Pushed authorization requests (RFC 9126)
    Par,
    /// Signed authorization requests (RFC 9101)
    RequestObject,
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// On
    On,
    /// Off
    Off,
}

/// Options of `oauth demo`.
#[derive(Debug, Args)]
pub struct DemoOptions {
    /// Play the resource owner as well: no browser
    #[arg(long, conflicts_with = "browser")]
    pub unattended: bool,
    /// Browser command; %s is replaced by the URL, else the URL is appended
    #[arg(long, value_name = "CMD")]
    pub browser: Option<String>,
    /// How long to wait for the browser
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = parse_duration)]
    pub timeout: Duration,
}
