//! What a person typed to say where to log in.

use crate::protocol::endpoint::is_loopback;
use crate::providers::{self, ProviderError};
use url::Url;

/// Where to log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// The URL of a server or of an API.
    Url(String),
    /// A known provider, as `--provider` takes it.
    Provider(String),
    /// The domain of an e-mail address, in small letters. The rest of the
    /// address is not kept.
    MailDomain(String),
}

/// None of these.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("that is not a URL, a known provider or an e-mail address{}", suggestion(nearest.as_deref()))]
pub(super) struct UnclearPlace {
    nearest: Option<String>,
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |nearest| format!("; did you mean {nearest}?"))
}

impl Place {
    /// Reads it. A host without a scheme is one of https, and of http on this machine.
    ///
    /// # Errors
    /// [`UnclearPlace`].
    pub(super) fn parse(text: &str) -> Result<Place, UnclearPlace> {
        if text.contains("://") {
            return Ok(Place::Url(text.to_owned()));
        }
        if let Some((_, domain)) = text.rsplit_once('@') {
            let domain = domain.to_ascii_lowercase();
            return match is_host_name(&domain) && domain.contains('.') {
                true => Ok(Place::MailDomain(domain)),
                false => Err(UnclearPlace { nearest: None }),
            };
        }
        let (name, value) = text
            .split_once(':')
            .map_or((text, None), |(name, value)| (name, Some(value)));
        let name = name.to_ascii_lowercase();
        let nearest = match providers::find(&name) {
            Ok(_) => {
                let value = value.map_or_else(String::new, |value| format!(":{value}"));
                return Ok(Place::Provider(format!("{name}{value}")));
            }
            Err(ProviderError::Unknown { nearest, .. }) => nearest,
            Err(_) => None,
        };
        url_without_scheme(text).map(Place::Url).ok_or(UnclearPlace { nearest })
    }
}

/// `id.example.com/realms/work`, `localhost:9000`.
fn url_without_scheme(text: &str) -> Option<String> {
    let host = text.split(['/', '?']).next().unwrap_or_default();
    let (name, port) = host
        .split_once(':')
        .map_or((host, None), |(name, port)| (name, Some(port)));
    let has_port = port.is_some_and(|port| port.parse::<u16>().is_ok());
    if !is_host_name(name) || port.is_some() != has_port || !(name.contains('.') || name == "localhost" || has_port) {
        return None;
    }
    let on_this_machine = Url::parse(&format!("http://{text}")).is_ok_and(|url| is_loopback(&url));
    let scheme = if on_this_machine { "http" } else { "https" };
    Some(format!("{scheme}://{text}"))
}

fn is_host_name(text: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
    };
    text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_providers_hosts_and_addresses_are_told_apart() {
        let url = |text: &str| Ok(Place::Url(text.to_owned()));
        let provider = |text: &str| Ok(Place::Provider(text.to_owned()));
        for (typed, place) in [
            ("https://id.example.com/a", url("https://id.example.com/a")),
            ("id.example.com", url("https://id.example.com")),
            (
                "id.example.com:8443/realms/a",
                url("https://id.example.com:8443/realms/a"),
            ),
            ("localhost:9000", url("http://localhost:9000")),
            ("127.0.0.1:9000/mcp", url("http://127.0.0.1:9000/mcp")),
            ("GitHub", provider("github")),
            ("gitlab:git.example.com", provider("gitlab:git.example.com")),
            (
                "Ada@Mail.Example.COM",
                Ok(Place::MailDomain("mail.example.com".to_owned())),
            ),
            ("\"a@b\"@example.com", Ok(Place::MailDomain("example.com".to_owned()))),
        ] {
            assert_eq!(Place::parse(typed), place, "{typed}");
        }
        let githup = Place::parse("githup").err().map(|error| error.to_string());
        assert!(githup.is_some_and(|error| error.contains("did you mean github?")));
        for unclear in [
            "ada@",
            "ada@localhost",
            "a b.example",
            "work",
            "-x.example",
            "x:y.z",
            "",
        ] {
            assert!(Place::parse(unclear).is_err(), "{unclear}");
        }
    }
}
