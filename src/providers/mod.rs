//! The providers that are known by name: where they are, what they want beside
//! what the specifications say, and what a person must know before a login.
//! The facts are data, in `providers.toml`; here are their types.

mod read;
#[cfg(test)]
mod tests;

use crate::protocol::client::ClientAuthenticationMethod;
use crate::protocol::scope::ScopeSeparator;
use crate::spelling::nearest;
use std::fmt;

/// What is known of one provider. In its URLs `{tenant}`, `{host}` or
/// `{issuer}` is what the user writes after the name, until
/// [`Provider::at`] puts that there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// As `--provider` takes it.
    pub name: String,
    /// For a person.
    pub title: String,
    /// The pages that the facts are from.
    pub documentation: Vec<String>,
    /// Where a client is registered.
    pub register: String,
    /// What is written after the name and a colon.
    pub value: Option<ValueKind>,
    /// That, where nothing is written.
    pub value_default: Option<String>,
    pub issuer: Option<String>,
    /// The endpoints that are not discovered, by their names in a profile.
    pub endpoints: Vec<(&'static str, String)>,
    /// What to register and to send; port 0 is any free port.
    pub redirect_uri: Option<String>,
    pub loopback: Loopback,
    pub client: ClientKind,
    /// How a client with a secret authenticates, where no metadata says it.
    pub client_auth: Option<ClientAuthenticationMethod>,
    pub pkce: Pkce,
    /// Parameters of the authorization request.
    pub param: Vec<(String, String)>,
    /// The scope without which no refresh token comes.
    pub scope_for_refresh: Option<String>,
    pub scope_separator: ScopeSeparator,
    /// That parameter of the authorization request.
    pub audience: Option<String>,
    /// How a refresh token is had, how long it lives, whether it changes.
    pub refresh: String,
    /// What else a person must know.
    pub notes: Vec<String>,
    pub mail: Option<Mail>,
    /// Whether a login was made with this entry.
    pub tried: bool,
}

/// What is written after a provider's name and a colon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// A directory.
    Tenant,
    /// A host, with a port where it is not that of https.
    Host,
    /// An issuer without `https://`.
    Issuer,
}

/// What a provider says to redirects to this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loopback {
    /// RFC 8252 §7.3: the port does not count.
    AnyPort,
    /// The redirect URI is compared with its port.
    Exact,
    /// http is refused.
    HttpsOnly,
    /// Its documentation does not say it.
    Unknown,
}

/// What kind of client a provider has for programs like this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientKind {
    /// Without a secret.
    Public,
    /// With one.
    Secret,
    /// As it was registered.
    Either,
}

/// What a provider says to PKCE. S256 is sent in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pkce {
    Required,
    Supported,
    /// Its documentation does not say it.
    Unknown,
}

/// A provider's mail servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Of addresses that are surely there.
    pub domains: Vec<String>,
    /// Host and port.
    pub imap: String,
    /// Host and port.
    pub smtp: String,
    /// The scopes for both.
    pub scope: Vec<String>,
}

/// Why a provider cannot be found or used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// No entry has this name.
    #[error("there is no provider \"{name}\"")]
    Unknown { name: String, nearest: Option<String> },
    /// Nothing is after the name.
    #[error("{name} needs its {kind}: {name}:{}", kind.placeholder())]
    NoValue { name: String, kind: ValueKind },
    /// Something is after the name.
    #[error("{0} takes nothing after a colon")]
    TakesNoValue(String),
    /// What is there cannot be part of a URL.
    #[error("\"{value}\" is not {} {kind}: {}", kind.article(), kind.description())]
    InvalidValue { value: String, kind: ValueKind },
    /// The list in this program is wrong.
    #[error("the list of providers in this program cannot be read: {0}")]
    Damaged(String),
}

impl ValueKind {
    const ALL: [ValueKind; 3] = [ValueKind::Tenant, ValueKind::Host, ValueKind::Issuer];

    /// As help shows it.
    pub fn placeholder(self) -> &'static str {
        match self {
            ValueKind::Tenant => "TENANT",
            ValueKind::Host => "HOST",
            ValueKind::Issuer => "ISSUER",
        }
    }

    fn article(self) -> &'static str {
        match self {
            ValueKind::Tenant | ValueKind::Host => "a",
            ValueKind::Issuer => "an",
        }
    }

    fn description(self) -> &'static str {
        match self {
            ValueKind::Tenant => "letters, digits, dots and hyphens",
            ValueKind::Host => "a host, such as git.example.com, and a port if need be",
            ValueKind::Issuer => "the issuer without https://, such as id.example.com/realms/work",
        }
    }

    /// Whether text can stand in a URL in the place of the placeholder, and
    /// cannot become another part of it.
    fn admits(self, value: &str) -> bool {
        let is_plain = |text: &str| {
            !text.is_empty()
                && text.starts_with(|first: char| first.is_ascii_alphanumeric())
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b".-_~".contains(&byte))
        };
        let is_host = |text: &str| match text.split_once(':') {
            Some((host, port)) => is_plain(host) && port.parse::<u16>().is_ok(),
            None => is_plain(text),
        };
        match self {
            ValueKind::Tenant => is_plain(value),
            ValueKind::Host => is_host(value),
            ValueKind::Issuer => {
                let (host, path) = value.split_once('/').unwrap_or((value, "x"));
                let path = path.strip_suffix('/').unwrap_or(path);
                is_host(host) && path.split('/').all(is_plain)
            }
        }
    }
}

impl fmt::Display for ValueKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.placeholder().to_ascii_lowercase())
    }
}

impl Loopback {
    /// As `providers.toml` and JSON write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Loopback::AnyPort => "any-port",
            Loopback::Exact => "exact",
            Loopback::HttpsOnly => "https-only",
            Loopback::Unknown => "unknown",
        }
    }
}

impl ClientKind {
    /// As `providers.toml` and JSON write it.
    pub fn as_str(self) -> &'static str {
        match self {
            ClientKind::Public => "public",
            ClientKind::Secret => "secret",
            ClientKind::Either => "either",
        }
    }
}

impl Pkce {
    /// As `providers.toml` and JSON write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Pkce::Required => "required",
            Pkce::Supported => "supported",
            Pkce::Unknown => "unknown",
        }
    }
}

/// All providers in the order of the file.
///
/// # Errors
/// [`ProviderError::Damaged`].
pub fn all() -> Result<Vec<Provider>, ProviderError> {
    read::read(include_str!("providers.toml")).map_err(ProviderError::Damaged)
}

/// The provider that `NAME` or `NAME:VALUE` means, and VALUE.
///
/// # Errors
/// [`ProviderError::Unknown`], [`ProviderError::Damaged`].
pub fn find(text: &str) -> Result<(Provider, Option<&str>), ProviderError> {
    let (name, value) = match text.split_once(':') {
        Some((name, value)) => (name, Some(value)),
        None => (text, None),
    };
    let providers = all()?;
    match providers.iter().find(|provider| provider.name == name) {
        Some(provider) => Ok((provider.clone(), value)),
        None => Err(ProviderError::Unknown {
            name: name.to_owned(),
            nearest: nearest(name, providers.iter().map(|provider| provider.name.as_str())).map(str::to_owned),
        }),
    }
}

impl Provider {
    /// This provider with its value put into the URLs.
    ///
    /// # Errors
    /// [`ProviderError`] where a value is missing, superfluous or impossible.
    pub fn at(self, value: Option<&str>) -> Result<Provider, ProviderError> {
        let Some(kind) = self.value else {
            return match value {
                None => Ok(self),
                Some(_) => Err(ProviderError::TakesNoValue(self.name)),
            };
        };
        let Some(value) = value.map(str::to_owned).or_else(|| self.value_default.clone()) else {
            return Err(ProviderError::NoValue { name: self.name, kind });
        };
        if !kind.admits(&value) {
            return Err(ProviderError::InvalidValue { value, kind });
        }
        let placeholder = format!("{{{kind}}}");
        let fill = |text: String| text.replace(&placeholder, &value);
        Ok(Provider {
            register: fill(self.register),
            issuer: self.issuer.map(fill),
            endpoints: self.endpoints.into_iter().map(|(key, url)| (key, fill(url))).collect(),
            ..self
        })
    }

    /// The same without where it is, for one whose issuer or endpoints the user names.
    #[must_use]
    pub fn elsewhere(self) -> Provider {
        Provider {
            issuer: None,
            endpoints: Vec::new(),
            ..self
        }
    }

    /// How it is named on the command line.
    pub fn usage(&self) -> String {
        match (self.value, &self.value_default) {
            (Some(kind), None) => format!("{}:{}", self.name, kind.placeholder()),
            (Some(kind), Some(_)) => format!("{}[:{}]", self.name, kind.placeholder()),
            (None, _) => self.name.clone(),
        }
    }
}
