//! Which proxy a URL goes through. The rules are curl's: `https_proxy` or
//! `HTTPS_PROXY` for https, `http_proxy` in lower case only for http (in
//! upper case a web server's client could set it through a `Proxy:` header),
//! `all_proxy` or `ALL_PROXY` for both, `no_proxy` or `NO_PROXY` for the
//! exceptions. This machine is never reached through a proxy.
//!
//! A proxy's URL may hold a password, so it is a secret; errors show scheme,
//! host and port of it.

use super::error::TransportError;
use super::is_loopback;
use crate::secret::Secret;
use hyper_util::client::proxy::matcher::Matcher;
use url::Url;

/// The name that errors give to the flag.
const FLAG: &str = "--proxy";

/// The proxies as they were given; nothing is parsed before the first request.
#[derive(Debug, Clone, Default)]
pub struct ProxySettings {
    http: Option<Given>,
    https: Option<Given>,
    no_proxy: Option<String>,
}

#[derive(Debug, Clone)]
struct Given {
    /// The flag or the variable, for errors.
    named_by: &'static str,
    url: Secret,
}

impl ProxySettings {
    /// What the environment says; `variable` gives a variable's value. An
    /// empty value counts as none.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        let first_of = |names: &[&'static str]| {
            names.iter().find_map(|name| {
                let value = variable(name).filter(|value| !value.trim().is_empty())?;
                Some(Given {
                    named_by: name,
                    url: Secret::new(value),
                })
            })
        };
        ProxySettings {
            http: first_of(&["http_proxy", "all_proxy", "ALL_PROXY"]),
            https: first_of(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]),
            no_proxy: first_of(&["no_proxy", "NO_PROXY"]).map(|given| given.url.expose().clone()),
        }
    }

    /// The proxy of `--proxy` in the place of the environment's; the
    /// exceptions of `NO_PROXY` stay, as with curl. User information in it is
    /// refused, since every process can read the arguments of this one.
    #[must_use]
    pub fn with_proxy(self, url: &str) -> Self {
        let given = Given {
            named_by: FLAG,
            url: Secret::from(url),
        };
        ProxySettings {
            http: Some(given.clone()),
            https: Some(given),
            no_proxy: self.no_proxy,
        }
    }

    /// Reads the URLs.
    ///
    /// # Errors
    /// [`TransportError::Proxy`] naming the flag or variable.
    pub(super) fn rules(&self) -> Result<ProxyRules, TransportError> {
        let parse = |given: &Option<Given>| given.as_ref().map(ProxyUrl::parse).transpose();
        let exceptions = self.no_proxy.clone().unwrap_or_default();
        Ok(ProxyRules {
            http: parse(&self.http)?,
            https: parse(&self.https)?,
            // the matcher is asked for the exceptions alone; the address stands for "some proxy"
            exceptions: Matcher::builder().all("http://127.0.0.1").no(exceptions).build(),
        })
    }

    /// Whether the proxy settings can be used.
    ///
    /// # Errors
    /// [`TransportError::Proxy`] naming the flag or variable.
    pub fn check(&self) -> Result<(), TransportError> {
        self.rules().map(|_| ())
    }
}

/// The proxies, ready to be asked.
pub(super) struct ProxyRules {
    http: Option<ProxyUrl>,
    https: Option<ProxyUrl>,
    exceptions: Matcher,
}

impl ProxyRules {
    /// The proxy's URL for a request to this one, user information included.
    pub(super) fn url_for(&self, url: &Url) -> Option<Url> {
        self.proxy_for(url)
            .and_then(|proxy| Url::parse(proxy.url.expose()).ok())
    }

    /// The same for a person to see.
    pub(super) fn shown_for(&self, url: &Url) -> Option<String> {
        self.proxy_for(url).map(|proxy| proxy.shown.clone())
    }

    fn proxy_for(&self, url: &Url) -> Option<&ProxyUrl> {
        let proxy = if url.scheme() == "https" {
            &self.https
        } else {
            &self.http
        };
        let is_exception = || {
            let uri: Option<hyper::Uri> = format!("http://{}/", url.host_str()?).parse().ok();
            uri.map(|uri| self.exceptions.intercept(&uri).is_none())
        };
        if is_loopback(url) || is_exception().unwrap_or(false) {
            return None;
        }
        proxy.as_ref()
    }
}

struct ProxyUrl {
    url: Secret,
    shown: String,
}

impl ProxyUrl {
    fn parse(given: &Given) -> Result<Self, TransportError> {
        let refused = |reason| TransportError::Proxy {
            named_by: given.named_by,
            reason,
        };
        let text = given.url.expose().trim();
        let with_scheme = if text.contains("://") {
            Secret::from(text)
        } else {
            Secret::new(format!("http://{text}"))
        };
        let url = Url::parse(with_scheme.expose()).map_err(|_| refused("it is not a URL"))?;
        if !matches!(
            url.scheme(),
            "http" | "https" | "socks4" | "socks4a" | "socks5" | "socks5h"
        ) {
            return Err(refused(
                "its scheme is none of http, https, socks4, socks4a, socks5, socks5h",
            ));
        }
        let Some(host) = url.host_str().filter(|host| !host.is_empty()) else {
            return Err(refused("it has no host"));
        };
        if given.named_by == FLAG && (!url.username().is_empty() || url.password().is_some()) {
            return Err(refused(
                "it holds a user name or password, which every process on this machine could read",
            ));
        }
        let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
        let shown = format!("{}://{host}{port}", url.scheme());
        Ok(ProxyUrl {
            url: Secret::from(url.as_str()),
            shown,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use crate::exit::{Diagnosis, ExitCode};

    fn environment(pairs: &'static [(&'static str, &'static str)]) -> ProxySettings {
        ProxySettings::from_environment(|name| {
            let pair = pairs.iter().find(|(key, _)| *key == name);
            pair.map(|(_, value)| (*value).to_owned())
        })
    }

    fn chosen(settings: &ProxySettings, url: &str) -> Option<String> {
        settings.rules().unwrap().shown_for(&Url::parse(url).unwrap())
    }

    #[test]
    fn the_environment_is_read_as_curl_reads_it() {
        let both = environment(&[("HTTPS_PROXY", "upper:1"), ("https_proxy", "lower:2")]);
        assert_eq!(
            chosen(&both, "https://id.example.com/").as_deref(),
            Some("http://lower:2")
        );
        assert_eq!(chosen(&both, "http://id.example.com/"), None);

        let all = environment(&[("ALL_PROXY", "socks5h://tunnel:1080"), ("https_proxy", "")]);
        assert_eq!(
            chosen(&all, "https://id.example.com/").as_deref(),
            Some("socks5h://tunnel:1080")
        );
        assert_eq!(
            chosen(&all, "http://id.example.com/").as_deref(),
            Some("socks5h://tunnel:1080")
        );

        let upper_case_http = environment(&[("HTTP_PROXY", "evil:1")]);
        assert_eq!(chosen(&upper_case_http, "http://id.example.com/"), None);
        let lower_case_http = environment(&[("http_proxy", "good:1")]);
        assert_eq!(
            chosen(&lower_case_http, "http://id.example.com/").as_deref(),
            Some("http://good:1")
        );
    }

    #[test]
    fn exceptions_and_this_machine_go_direct() {
        let settings = environment(&[
            ("HTTPS_PROXY", "http://user:hunter2@proxy.example:3128"),
            ("NO_PROXY", "corp.example, 10.0.0.0/8,[::2]"),
        ]);
        for direct in [
            "https://corp.example/",
            "https://id.corp.example/token",
            "https://10.1.2.3/",
            "https://127.0.0.1:9000/",
            "https://127.9.9.9/",
            "https://[::1]/",
            "https://localhost:8443/",
        ] {
            assert_eq!(chosen(&settings, direct), None, "{direct}");
            assert_eq!(
                chosen(&settings.clone().with_proxy("http://other:1"), direct),
                None,
                "{direct}"
            );
        }
        for proxied in [
            "https://notcorp.example/",
            "https://11.1.2.3/",
            "https://localhost.example/",
        ] {
            assert_eq!(
                chosen(&settings, proxied).as_deref(),
                Some("http://proxy.example:3128"),
                "{proxied}"
            );
        }
        assert_eq!(
            chosen(
                &environment(&[("ALL_PROXY", "p:1"), ("no_proxy", "*")]),
                "https://x.example/"
            ),
            None
        );
    }

    #[test]
    fn the_password_reaches_the_proxy_and_nobody_else() {
        let settings = environment(&[("HTTPS_PROXY", "http://user:hunter2@proxy.example:3128")]);
        let url = Url::parse("https://id.example.com/").unwrap();
        let used = settings.rules().unwrap().url_for(&url).unwrap();
        assert_eq!(used.password(), Some("hunter2"));
        assert!(!format!("{settings:?}").contains("hunter2"));
    }

    #[test]
    fn a_proxy_that_cannot_be_used_names_where_it_was_given() {
        for (settings, part) in [
            (environment(&[("HTTPS_PROXY", "ftp://p:1")]), "HTTPS_PROXY: its scheme"),
            (environment(&[("all_proxy", "http://")]), "all_proxy: it is not a URL"),
            (
                ProxySettings::default().with_proxy("http://u:hunter2@p:1"),
                "--proxy: it holds a user name",
            ),
            (
                ProxySettings::default().with_proxy("http://u@p:1"),
                "--proxy: it holds a user name",
            ),
        ] {
            let error = settings.check().unwrap_err();
            assert!(error.to_string().contains(part), "{error}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
            assert_eq!(error.exit_code(), ExitCode::Usage);
        }
    }
}
