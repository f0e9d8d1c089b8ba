//! Which proxy a URL goes through. The rules are curl's: `https_proxy` or
//! `HTTPS_PROXY` for https, `http_proxy` in lower case only for http (in
//! upper case a web server's client could set it through a `Proxy:` header),
//! `all_proxy` or `ALL_PROXY` for both, `no_proxy` or `NO_PROXY` for the
//! exceptions. This machine is never reached through a proxy. A variable that
//! the URL does not need is not looked at.
//!
//! A proxy's URL may hold a password, so it is a secret; errors show scheme,
//! host and port of it, and nothing of one that does not parse.

use super::error::TransportError;
use super::is_loopback;
use super::no_proxy::NoProxy;
use super::proxy_error::ProxyError;
use crate::secret::Secret;
use url::Url;

/// The name that errors give to the flag.
const FLAG: &str = "--proxy";

/// Whether text may be the URL of a proxy on the command line or in the
/// configuration file, where no password may stand.
///
/// # Errors
/// [`ProxyError`].
pub fn check_proxy_without_userinfo(text: &str) -> Result<(), ProxyError> {
    ProxyUrl::parse(text)?.without_userinfo().map(|_| ())
}

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

    /// Reads the URLs; what is wrong with one shows when it is needed.
    pub(super) fn rules(&self) -> ProxyRules {
        let rule = |given: &Option<Given>| {
            let given = given.as_ref()?;
            let parsed = ProxyUrl::parse(given.url.expose());
            let proxy = match given.named_by {
                FLAG => parsed.and_then(ProxyUrl::without_userinfo),
                _ => parsed,
            };
            let named_by = given.named_by;
            Some(proxy.map_err(|problem| (named_by, problem)))
        };
        ProxyRules {
            http: rule(&self.http),
            https: rule(&self.https),
            exceptions: NoProxy::parse(self.no_proxy.as_deref().unwrap_or_default()),
        }
    }
}

type Rule = Result<ProxyUrl, (&'static str, ProxyError)>;

/// The proxies, ready to be asked.
pub(super) struct ProxyRules {
    http: Option<Rule>,
    https: Option<Rule>,
    exceptions: NoProxy,
}

impl ProxyRules {
    /// The proxy's URL for a request to this one, user information included.
    pub(super) fn url_for(&self, url: &Url) -> Option<Url> {
        let proxy = self.proxy_for(url).ok()??;
        Url::parse(proxy.url.expose()).ok()
    }

    /// The proxy for a request to this URL.
    ///
    /// # Errors
    /// [`TransportError::Proxy`] naming the flag or variable.
    pub(super) fn proxy_for(&self, url: &Url) -> Result<Option<&ProxyUrl>, TransportError> {
        let rule = if url.scheme() == "https" {
            &self.https
        } else {
            &self.http
        };
        if is_loopback(url) || self.exceptions.covers(url) {
            return Ok(None);
        }
        match rule {
            None => Ok(None),
            Some(Ok(proxy)) => Ok(Some(proxy)),
            Some(Err((named_by, problem))) => Err(TransportError::Proxy {
                named_by,
                problem: *problem,
            }),
        }
    }
}

/// A proxy's URL, and what may be shown of it.
pub(super) struct ProxyUrl {
    url: Secret,
    scheme: String,
    host: String,
    shown: String,
    has_userinfo: bool,
}

impl ProxyUrl {
    fn parse(text: &str) -> Result<Self, ProxyError> {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            // as curl takes it
            "socks" => "socks4".to_owned(),
            other => other.to_owned(),
        };
        if !["http", "https", "socks4", "socks4a", "socks5", "socks5h"].contains(&scheme.as_str()) {
            return Err(ProxyError::Scheme);
        }
        let authority_ends = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        let behind = &rest[authority_ends..];
        if behind.contains('@') {
            return Err(ProxyError::UnencodedUserinfo);
        }
        if !behind.is_empty() && behind != "/" {
            return Err(ProxyError::MoreThanAuthority);
        }
        let with_scheme = Secret::new(format!("{scheme}://{}", &rest[..authority_ends]));
        let url = Url::parse(with_scheme.expose()).map_err(|_| ProxyError::NotAUrl)?;
        let host = url
            .host_str()
            .filter(|host| !host.is_empty())
            .ok_or(ProxyError::NotAUrl)?;
        let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
        Ok(ProxyUrl {
            shown: format!("{scheme}://{host}{port}"),
            host: host.to_owned(),
            has_userinfo: !url.username().is_empty() || url.password().is_some(),
            url: Secret::from(url.as_str()),
            scheme,
        })
    }

    fn without_userinfo(self) -> Result<Self, ProxyError> {
        if self.has_userinfo {
            return Err(ProxyError::Userinfo);
        }
        Ok(self)
    }

    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    pub(super) fn scheme(&self) -> &str {
        &self.scheme
    }

    /// Without brackets.
    pub(super) fn host(&self) -> &str {
        self.host.trim_matches(['[', ']'])
    }

    pub(super) fn speaks_tls(&self) -> bool {
        self.scheme == "https"
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
        let url = Url::parse(url).unwrap();
        settings
            .rules()
            .proxy_for(&url)
            .unwrap()
            .map(|proxy| proxy.shown().to_owned())
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
        let used = settings.rules().url_for(&url).unwrap();
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
                "--proxy: it contains a user name",
            ),
            (
                ProxySettings::default().with_proxy("http://u@p:1"),
                "--proxy: it contains a user name",
            ),
        ] {
            let url = Url::parse("https://id.example.com/").unwrap();
            let error = settings.rules().proxy_for(&url).err().unwrap();
            assert!(error.to_string().contains(part), "{error}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
            assert_eq!(error.exit_code(), ExitCode::Usage);
        }
    }

    #[test]
    fn only_the_variable_that_the_url_needs_is_read() {
        let settings = environment(&[("ALL_PROXY", "gopher://p:1"), ("HTTPS_PROXY", "p:2")]);
        assert_eq!(
            chosen(&settings, "https://id.example.com/").as_deref(),
            Some("http://p:2")
        );
        let url = Url::parse("http://id.example.com/").unwrap();
        assert!(settings.rules().proxy_for(&url).is_err());
        let socks = environment(&[("ALL_PROXY", "socks://p:1")]);
        assert_eq!(
            chosen(&socks, "https://id.example.com/").as_deref(),
            Some("socks4://p:1")
        );
    }

    #[test]
    fn a_password_that_must_be_encoded_is_never_taken_for_a_host() {
        for text in [
            "http://user:12#34@proxy.example:3128",
            "http://user:12/34@proxy.example:3128",
            "http://user:12?34@proxy.example:3128",
            "http://user:12\\34@proxy.example:3128",
            "http://DOMAIN\\user:1234@proxy.example:3128",
            "user:12/34@proxy.example:3128",
            "http://user:12/34@56@proxy.example",
        ] {
            assert_eq!(
                ProxyUrl::parse(text).err(),
                Some(ProxyError::UnencodedUserinfo),
                "{text}"
            );
        }
        for text in [
            "http://user:12#34",
            "http://user:12?34",
            "http://p:1/path",
            "http://user:12\\34",
        ] {
            assert_eq!(
                ProxyUrl::parse(text).err(),
                Some(ProxyError::MoreThanAuthority),
                "{text}"
            );
        }
        let understood = ProxyUrl::parse("http://DOMAIN%5Cuser:p@ss%23@proxy.example:3128/").unwrap();
        assert_eq!(understood.shown(), "http://proxy.example:3128");
        let url = Url::parse(understood.url.expose()).unwrap();
        assert_eq!((url.username(), url.password()), ("DOMAIN%5Cuser", Some("p%40ss%23")));
    }

    proptest::proptest! {
        #[test]
        fn no_part_of_a_password_is_shown(
            scheme in "(https?://|socks[45]?h?://|)",
            user in "[A-Za-z]{0,8}\\\\?[A-Za-z]{0,8}",
            password in "[ -~]{4,24}",
        ) {
            // a marker that is nowhere else, so that any piece of it in the output is a leak
            let password = password.replace(|character: char| character.is_ascii_alphanumeric(), "7");
            let url = Url::parse("https://id.example.com/").unwrap();
            for text in [
                format!("{scheme}{user}:{password}@proxy.example:3128"),
                format!("{scheme}{user}:{password}@proxy.example"),
                format!("{scheme}{user}:{password}"),
            ] {
                let named = text.clone();
                let settings = ProxySettings::from_environment(move |name| (name == "HTTPS_PROXY").then(|| named.clone()));
                let shown = match settings.rules().proxy_for(&url) {
                    Ok(proxy) => proxy.unwrap().shown().to_owned(),
                    Err(error) => format!("{error} {:?} {error:?}", error.hints()),
                };
                let has_host = text.contains("@proxy");
                proptest::prop_assert!(!has_host || !shown.contains('7'), "{text}: {shown}");
                let flag = ProxySettings::default().with_proxy(&text);
                if let Err(error) = flag.rules().proxy_for(&url) {
                    let shown = format!("{error} {:?} {flag:?}", error.hints());
                    proptest::prop_assert!(!shown.contains('7'), "{text}: {shown}");
                }
            }
        }
    }
}
