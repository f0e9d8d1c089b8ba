//! What `oauth serve` can be told: clients, users, lifetimes, faults. The
//! defaults are those of the command line.

use super::broken::Broken;
use super::route::{Route, UnknownRoute};
use crate::exit::{Diagnosis, ExitCode};
use crate::protocol::client::{ClientId, InvalidClientId};
use crate::protocol::redirect_uri::{InvalidRedirectUri, RedirectUri};
use crate::rules::UnknownRule;
use crate::secret::Secret;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

/// The port that is listened on where none is given.
pub const DEFAULT_PORT: u16 = 9000;

/// The client that is registered where none is given.
pub const DEFAULT_CLIENT_ID: &str = "oauth-cli";

/// Where the default client is called back; any port will do (RFC 8252 §7.3).
pub const DEFAULT_REDIRECT_URIS: [&str; 2] = ["http://127.0.0.1/callback", "http://[::1]/callback"];

/// Everything that the development server can be told.
#[derive(Debug, Clone)]
pub struct ServeSettings {
    /// 0 is any free port.
    pub port: u16,
    /// The registered clients.
    pub clients: Vec<RegisteredClient>,
    /// The accounts; never empty. `auto` and `deny` decide for the first.
    pub users: Vec<User>,
    /// Who decides.
    pub approval: Approval,
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
    /// Answers that were asked for with `--fail`.
    pub failures: Vec<Failure>,
    /// The rules that are broken on purpose.
    pub broken: Broken,
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
            users: vec!["demo:demo".parse()?],
            approval: Approval::Ask,
            code_lifetime: Duration::from_secs(60),
            access_token_lifetime: Duration::from_secs(3600),
            refresh_token_lifetime: Duration::from_secs(30 * 24 * 3600),
            refresh_rotation: true,
            refresh_grace: Duration::ZERO,
            latency: Duration::ZERO,
            failures: Vec::new(),
            broken: Broken::default(),
        })
    }
}

/// Who decides about an authorization request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approval {
    /// The person at the browser.
    Ask,
    /// The first user always agrees.
    Auto,
    /// The first user always refuses.
    Deny,
}

impl FromStr for Approval {
    type Err = InvalidSetting;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "ask" => Ok(Approval::Ask),
            "auto" => Ok(Approval::Auto),
            "deny" => Ok(Approval::Deny),
            _ => Err(InvalidSetting::Approval(text.to_owned())),
        }
    }
}

/// A client that the server knows.
#[derive(Debug, Clone)]
pub struct RegisteredClient {
    /// Its name.
    pub id: ClientId,
    /// `None` makes it public (RFC 6749 §2.1).
    pub secret: Option<Secret>,
    /// Where it may be called back; never empty.
    pub redirect_uris: Vec<RedirectUri>,
}

impl RegisteredClient {
    /// Registers a client. Without redirect URIs it gets [`DEFAULT_REDIRECT_URIS`].
    ///
    /// # Errors
    /// [`InvalidSetting`].
    pub fn new(id: &str, secret: Option<Secret>, redirect_uris: &[String]) -> Result<Self, InvalidSetting> {
        let texts: Vec<&str> = match redirect_uris {
            [] => DEFAULT_REDIRECT_URIS.to_vec(),
            given => given.iter().map(String::as_str).collect(),
        };
        Ok(RegisteredClient {
            id: ClientId::parse(id)?,
            secret,
            redirect_uris: texts.into_iter().map(RedirectUri::parse).collect::<Result<_, _>>()?,
        })
    }
}

/// A made-up account.
#[derive(Debug, Clone)]
pub struct User {
    /// What is typed as user name, and the subject of the tokens.
    pub name: String,
    /// What is typed as password.
    pub password: Secret,
}

impl FromStr for User {
    type Err = InvalidSetting;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The message must not repeat what may be a password.
        let (name, password) = text.split_once(':').ok_or(InvalidSetting::User)?;
        if name.is_empty() || password.is_empty() || name.chars().any(char::is_control) {
            return Err(InvalidSetting::User);
        }
        Ok(User {
            name: name.to_owned(),
            password: Secret::from(password),
        })
    }
}

/// An answer that an endpoint gives instead of doing its work: `token=503:2`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Which endpoints fail.
    pub routes: Vec<Route>,
    /// With which status, 200 to 599.
    pub status: u16,
    /// How often; `None`: always.
    pub count: Option<NonZeroU32>,
}

impl FromStr for Failure {
    type Err = InvalidSetting;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || InvalidSetting::Failure(text.to_owned());
        let (endpoint, answer) = text.split_once('=').ok_or_else(malformed)?;
        let (status, count) = match answer.split_once(':') {
            Some((status, count)) => (status, Some(count.parse().map_err(|_| malformed())?)),
            None => (answer, None),
        };
        let status = status
            .parse()
            .ok()
            .filter(|status| (200..=599).contains(status))
            .ok_or_else(malformed)?;
        Ok(Failure {
            routes: Route::named(endpoint)?,
            status,
            count,
        })
    }
}

/// A setting that the development server cannot take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSetting {
    /// `--client`.
    #[error(transparent)]
    ClientId(#[from] InvalidClientId),
    /// `--redirect-uri`.
    #[error(transparent)]
    RedirectUri(#[from] InvalidRedirectUri),
    /// `--user`.
    #[error("an account is written NAME:PASSWORD, neither of them empty")]
    User,
    /// `--approve`.
    #[error("\"{0}\" is none of ask, auto and deny")]
    Approval(String),
    /// `--fail`.
    #[error("\"{0}\" is no fault: they are written ENDPOINT=STATUS[:COUNT], with a status from 200 to 599")]
    Failure(String),
    /// `--fail`, the endpoint.
    #[error(transparent)]
    Route(#[from] UnknownRoute),
    /// `--break`.
    #[error(transparent)]
    Rule(#[from] UnknownRule),
}

impl Diagnosis for InvalidSetting {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hints(&self) -> Vec<String> {
        let hint = match self {
            InvalidSetting::ClientId(_) => "Register a client like this: oauth serve --client my-app.",
            InvalidSetting::RedirectUri(_) => {
                "Register a redirect URI like this: oauth serve --redirect-uri http://127.0.0.1/callback."
            }
            InvalidSetting::User => "Make an account like this: oauth serve --user demo:demo.",
            InvalidSetting::Approval(_) => "Let every request be granted like this: oauth serve --approve auto.",
            InvalidSetting::Failure(_) | InvalidSetting::Route(_) => {
                "Let the first two token requests fail like this: oauth serve --fail token=503:2."
            }
            InvalidSetting::Rule(unknown) => {
                let nearest = unknown.nearest().map(|rule| format!("Did you mean \"{rule}\"?"));
                let all = "See them all with: oauth serve --break list.".to_owned();
                return nearest.into_iter().chain([all]).collect();
            }
        };
        vec![hint.to_owned()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_name_endpoint_status_and_count() {
        let failure: Failure = "token=503:2".parse().unwrap();
        assert_eq!(
            failure,
            Failure {
                routes: vec![Route::Token],
                status: 503,
                count: NonZeroU32::new(2)
            }
        );
        assert_eq!("/userinfo=200".parse::<Failure>().unwrap().count, None);
        assert_eq!("metadata=404".parse::<Failure>().unwrap().routes.len(), 3);
        for bad in [
            "token",
            "token=",
            "token=99",
            "token=600",
            "token=500:0",
            "token=500:x",
            "=500",
        ] {
            assert!(bad.parse::<Failure>().is_err(), "{bad}");
        }
        let message = "tokn=500".parse::<Failure>().unwrap_err().to_string();
        assert!(message.contains("tokn") && message.contains("introspect"), "{message}");
    }

    #[test]
    fn accounts_are_name_and_password() {
        let user: User = "demo:pass:word".parse().unwrap();
        assert_eq!(
            (user.name.as_str(), user.password.expose().as_str()),
            ("demo", "pass:word")
        );
        for bad in ["hunter2", ":hunter2", "hunter2:", "hunter\n2:x"] {
            let message = bad.parse::<User>().unwrap_err().to_string();
            assert!(!message.contains("hunter"), "{message}");
        }
    }

    #[test]
    fn the_default_client_is_public_and_called_back_on_loopback() {
        let settings = ServeSettings::standard().unwrap();
        assert_eq!(settings.port, 9000);
        assert!(settings.clients[0].secret.is_none());
        assert_eq!(settings.clients[0].redirect_uris[1].as_str(), "http://[::1]/callback");
    }
}
