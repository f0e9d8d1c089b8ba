//! How the authorization response comes back.

use super::changes::ProfileChanges;
use crate::args::config::{Profile, Setting};
use crate::args::settings::error::{SettingsError, invalid, invalid_with_hint};
use crate::flow::login::CallbackChoice;
use crate::output::duration::parse_duration;
use crate::protocol::authorization::ResponseMode;
use crate::protocol::endpoint::{Endpoint, HttpPolicy};
use crate::protocol::redirect_uri::{LoopbackAddress, RedirectUri};
use crate::user_agent::callback::{
    CallbackCertificate, CallbackCertificateError, ListenSettings, ListenerLimits, resolve_loopback,
};
use clap::builder::PossibleValue;
use clap::{Args, ValueEnum, ValueHint};
use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

/// Where the browser comes back by default.
pub const DEFAULT_REDIRECT_URI: &str = "http://127.0.0.1:0/callback";

/// The same where the listener has a certificate.
const DEFAULT_HTTPS_REDIRECT_URI: &str = "https://localhost:0/callback";

/// How long a login waits for the resource owner by default.
pub const DEFAULT_LOGIN_TIMEOUT: Duration = Duration::from_secs(5 * 60);

/// The redirect URI and what receives the browser there.
#[derive(Debug, Default, Args)]
pub struct CallbackOptions {
    /// Redirect URI; port 0 picks a free port [default: http://127.0.0.1:0/callback]
    #[arg(long, value_name = "URI", help_heading = "Callback")]
    pub redirect_uri: Option<String>,
    /// Ports to listen on, tried in order
    #[arg(long, value_name = "P[,P…]", value_delimiter = ',', help_heading = "Callback")]
    pub port: Vec<u16>,
    /// Address to bind if it differs from the redirect URI (containers)
    #[arg(long, value_name = "IP[:PORT]", help_heading = "Callback")]
    pub listen: Option<ListenAddress>,
    /// How the response comes back
    #[arg(long, value_name = "MODE", help_heading = "Callback")]
    pub response_mode: Option<ResponseMode>,
    /// Certificate of the listener, for an https redirect URI (PEM); made for this login if not given
    #[arg(long, value_name = "FILE", requires = "callback_key", conflicts_with = "paste", help_heading = "Callback", value_hint = ValueHint::FilePath)]
    pub callback_cert: Option<PathBuf>,
    /// Its key (PEM)
    #[arg(long, value_name = "FILE", requires = "callback_cert", help_heading = "Callback", value_hint = ValueHint::FilePath)]
    pub callback_key: Option<PathBuf>,
    /// URL to send the browser to after success, instead of our page
    #[arg(long, value_name = "URL", conflicts_with = "paste", help_heading = "Callback")]
    pub success_url: Option<String>,
    /// How long to wait for the browser
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = parse_duration, help_heading = "Callback")]
    pub timeout: Duration,
    /// Do not listen; paste the URL that the browser ends on
    #[arg(long, help_heading = "Callback")]
    pub paste: bool,
}

impl CallbackOptions {
    /// The listener, or the redirect URI whose URL is pasted.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub(in crate::args) fn choice(&self, profile: &Profile) -> Result<CallbackChoice, SettingsError> {
        let (place, text) = match (&self.redirect_uri, profile.text("redirect_uri")) {
            (Some(text), _) => ("--redirect-uri", text.as_str()),
            (None, Some(text)) => ("redirect_uri", text),
            (None, None) if self.has_certificate(profile) => ("redirect_uri", DEFAULT_HTTPS_REDIRECT_URI),
            (None, None) => ("redirect_uri", DEFAULT_REDIRECT_URI),
        };
        let redirect_uri = RedirectUri::parse(text).map_err(|error| invalid(place, error))?;
        let ports = match self.port.as_slice() {
            [] => profile.ports("port"),
            given => given,
        };
        if self.paste {
            // No listener tries one after the other: the first is the one that is registered.
            return Ok(CallbackChoice::Paste(match (redirect_uri.port(), ports.first()) {
                (Some(0), Some(port)) => redirect_uri.with_port(*port),
                _ => redirect_uri,
            }));
        }
        let authority = self.authority(&redirect_uri, place, profile)?;
        let default_port = if authority.certificate.is_some() { 443 } else { 80 };
        let settings = ListenSettings {
            host: authority.host,
            name: authority.name,
            certificate: authority.certificate,
            ports: ports_to_try(place, redirect_uri.port(), ports, default_port)?,
            listen: self.listen.map(|listen| (listen.address, listen.port)),
            path: redirect_uri.url().path().to_owned(),
            accept_form_post: self.response_mode(profile)?.is_some_and(ResponseMode::is_post),
            limits: ListenerLimits::default(),
        };
        Ok(CallbackChoice::Listen(redirect_uri, Box::new(settings)))
    }

    /// Host, name and certificate of the listener that a redirect URI means.
    fn authority(
        &self,
        redirect_uri: &RedirectUri,
        place: &str,
        profile: &Profile,
    ) -> Result<ListenerAuthority, SettingsError> {
        let unreachable = |problem: String| {
            invalid_with_hint(
                place,
                format!("no listener on this machine can receive that: {problem}"),
                "Or add --paste, and paste the URL that the browser ends on.",
            )
        };
        if let Some(host) = redirect_uri.loopback_address() {
            return match self.callback_cert {
                None => Ok(ListenerAuthority::http(host)),
                Some(_) => Err(SettingsError::Contradiction {
                    one: "--callback-cert".to_owned(),
                    other: place.to_owned(),
                    problem: "the redirect URI is http, which has no certificate".to_owned(),
                }),
            };
        }
        let certificate = self.certificate(profile);
        let unusable = |error: CallbackCertificateError| {
            let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
            invalid("--callback-cert", format!("{error}{cause}"))
        };
        certificate.check().map_err(unusable)?;
        let certificate = Some(certificate);
        match (redirect_uri.https_loopback_address(), redirect_uri.https_name()) {
            (Some(host), _) => Ok(ListenerAuthority {
                host,
                name: None,
                certificate,
            }),
            (None, Some(name)) => Ok(ListenerAuthority {
                host: resolve_loopback(name).map_err(|problem| unreachable(problem.to_string()))?,
                name: Some(name.to_owned()),
                certificate,
            }),
            (None, None) => Err(unreachable(
                "it is neither http nor https on 127.0.0.1, [::1] or localhost".to_owned(),
            )),
        }
    }

    fn has_certificate(&self, profile: &Profile) -> bool {
        self.callback_cert.is_some() || profile.text("callback_cert").is_some()
    }

    fn certificate(&self, profile: &Profile) -> CallbackCertificate {
        let saved = |key: &str| profile.text(key).map(PathBuf::from);
        let chain = self.callback_cert.clone().or_else(|| saved("callback_cert"));
        let key = self.callback_key.clone().or_else(|| saved("callback_key"));
        match (chain, key) {
            (Some(chain), Some(key)) => CallbackCertificate::Files { chain, key },
            _ => CallbackCertificate::Made,
        }
    }

    /// Where the browser goes on after success.
    ///
    /// # Errors
    /// [`SettingsError::Value`] for anything but https, or http on this machine.
    pub(in crate::args) fn success_url(&self, profile: &Profile) -> Result<Option<Url>, SettingsError> {
        let (place, text) = match (&self.success_url, profile.text("success_url")) {
            (Some(text), _) => ("--success-url", text.as_str()),
            (None, Some(text)) => ("success_url", text),
            (None, None) => return Ok(None),
        };
        let endpoint = Endpoint::parse(text, HttpPolicy::LoopbackOnly).map_err(|error| invalid(place, error))?;
        Ok(Some(endpoint.url().clone()))
    }

    /// How the response is to be sent, where flag or profile say so.
    ///
    /// # Errors
    /// [`SettingsError::Value`].
    pub(in crate::args) fn response_mode(&self, profile: &Profile) -> Result<Option<ResponseMode>, SettingsError> {
        match (self.response_mode, profile.text("response_mode")) {
            (Some(mode), _) => Ok(Some(mode)),
            (None, Some(text)) => match ResponseMode::from_str(text, false) {
                Ok(mode) => Ok(Some(mode)),
                Err(_) => {
                    let known = ResponseMode::ALL.map(ResponseMode::as_str).join(", ");
                    Err(invalid("response_mode", format!("it is none of {known}")))
                }
            },
            (None, None) => Ok(None),
        }
    }

    /// `--timeout`, `--paste` and `--listen` are for this login alone.
    pub(super) fn save(&self, changes: &mut ProfileChanges) {
        changes.text("redirect_uri", self.redirect_uri.as_deref());
        if !self.port.is_empty() {
            changes.set("port", Setting::Ports(self.port.clone()));
        }
        changes.path("callback_cert", self.callback_cert.as_deref());
        changes.path("callback_key", self.callback_key.as_deref());
        changes.text("success_url", self.success_url.as_deref());
        changes.text("response_mode", self.response_mode.map(ResponseMode::as_str));
    }
}

/// What the listener answers to, and with what.
struct ListenerAuthority {
    host: LoopbackAddress,
    name: Option<String>,
    certificate: Option<CallbackCertificate>,
}

impl ListenerAuthority {
    fn http(host: LoopbackAddress) -> Self {
        ListenerAuthority {
            host,
            name: None,
            certificate: None,
        }
    }
}

/// For a grant without a browser: nothing comes back, and nothing listens.
pub(in crate::args) fn no_callback() -> Result<CallbackChoice, SettingsError> {
    let redirect_uri = RedirectUri::parse(DEFAULT_REDIRECT_URI).map_err(|error| invalid("redirect_uri", error))?;
    Ok(CallbackChoice::Paste(redirect_uri))
}

/// The port of the redirect URI, or those of `--port`, which must not differ from it.
fn ports_to_try(
    place: &str,
    in_redirect_uri: Option<u16>,
    given: &[u16],
    default_port: u16,
) -> Result<Vec<u16>, SettingsError> {
    match (in_redirect_uri, given) {
        (None, []) => Ok(vec![default_port]),
        (Some(port), []) => Ok(vec![port]),
        (None | Some(0), ports) => Ok(ports.to_vec()),
        (Some(port), ports) if ports == [port] => Ok(vec![port]),
        (Some(port), _) => Err(SettingsError::Contradiction {
            one: "--port".to_owned(),
            other: place.to_owned(),
            problem: format!("the redirect URI names port {port}; use port 0 in it to try several ports"),
        }),
    }
}

impl ValueEnum for ResponseMode {
    fn value_variants<'a>() -> &'a [Self] {
        &ResponseMode::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            ResponseMode::Query => "In the query of the redirect",
            ResponseMode::FormPost => "In the body of a POST",
            ResponseMode::Jwt => "As a signed JWT (JARM), in the query for a code",
            ResponseMode::QueryJwt => "As a signed JWT in the query",
            ResponseMode::FormPostJwt => "As a signed JWT in the body of a POST",
        };
        Some(PossibleValue::new(self.as_str()).help(help))
    }
}

/// `--listen`: an address with or without a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListenAddress {
    /// The address to bind.
    pub address: std::net::IpAddr,
    /// The port to bind; that of the redirect URI where absent.
    pub port: Option<u16>,
}

impl std::str::FromStr for ListenAddress {
    type Err = std::net::AddrParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(socket) = text.parse::<SocketAddr>() {
            return Ok(ListenAddress {
                address: socket.ip(),
                port: Some(socket.port()),
            });
        }
        let bare = text.trim_start_matches('[').trim_end_matches(']');
        bare.parse().map(|address| ListenAddress { address, port: None })
    }
}
