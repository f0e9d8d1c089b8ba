//! What a login is to do: where, as which client, for what, and how the
//! authorization response comes back.

use crate::flow::pushed_authorization_request::ParChoice;
use crate::flow::server::{ClientChoice, ServerChoice};
use crate::protocol::authorization::AuthorizationOptions;
use crate::protocol::redirect_uri::RedirectUri;
use crate::user_agent::callback::ListenSettings;
use std::time::Duration;
use url::Url;

/// What a login is to do.
#[derive(Debug, Clone)]
pub struct LoginRequest {
    pub server: ServerChoice,
    pub client: ClientChoice,
    pub authorization: AuthorizationOptions,
    /// Whether the tokens are to be bound to a key of the session (RFC 9449).
    pub dpop: bool,
    /// Whether the authorization request is pushed (RFC 9126).
    pub par: ParChoice,
    /// Whether the authorization request is a signed JWT (RFC 9101).
    pub request_object: bool,
    /// How the answer comes back.
    pub callback: CallbackChoice,
    /// How long to wait for the resource owner.
    pub timeout: Duration,
    /// URL to send the browser to after success, instead of our page.
    pub success_url: Option<Url>,
    /// How long an access token lives where the server does not say so.
    pub assumed_ttl: Option<Duration>,
}

/// How the authorization response comes back to this process.
#[derive(Debug, Clone)]
pub enum CallbackChoice {
    /// To a listener on this machine; port 0 in the URI means the port that is bound.
    Listen(RedirectUri, Box<ListenSettings>),
    /// By a person who pastes the URL that the browser ended on.
    Paste(RedirectUri),
}

impl CallbackChoice {
    /// The same at this port; `None` where other ports were chosen.
    pub fn at_port(&self, port: u16) -> Option<CallbackChoice> {
        match self {
            CallbackChoice::Listen(uri, settings) => {
                let ports = &settings.ports;
                let may_have_port = ports.is_empty() || ports.iter().any(|own| [0, port].contains(own));
                may_have_port.then(|| {
                    let mut settings = settings.clone();
                    settings.ports = vec![port];
                    CallbackChoice::Listen(uri.clone(), settings)
                })
            }
            CallbackChoice::Paste(uri) if uri.port() == Some(0) => Some(CallbackChoice::Paste(uri.with_port(port))),
            CallbackChoice::Paste(uri) => Some(CallbackChoice::Paste(uri.clone())),
        }
    }
}
