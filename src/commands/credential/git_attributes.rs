//! The attributes of git's credential protocol
//! (<https://git-scm.com/docs/git-credential#IOFMT>): one `key=value` a line.
//! Keys that are not known are ignored, as git wants it.

use crate::protocol::endpoint::{Endpoint, HttpPolicy};
use crate::secret::Secret;
use url::Url;

/// What git says about a credential.
#[derive(Debug, Default)]
pub(super) struct GitAttributes {
    protocol: Option<String>,
    host: Option<String>,
    path: Option<String>,
    pub(super) username: Option<String>,
    /// `password`, or `credential` where git speaks of schemes other than Basic.
    pub(super) password: Option<Secret>,
    /// Git takes `authtype` (since 2.46).
    takes_authtype: bool,
    /// The server's challenges.
    challenges: Vec<String>,
}

impl GitAttributes {
    pub(super) fn parse(text: &str) -> Self {
        let mut attributes = GitAttributes::default();
        // An empty line ends the request.
        for line in text.lines().take_while(|line| !line.is_empty()) {
            let Some((key, value)) = line.split_once('=') else {
                continue;
            };
            let set = |slot: &mut Option<String>| *slot = Some(value.to_owned()).filter(|value| !value.is_empty());
            match key {
                "protocol" => set(&mut attributes.protocol),
                "host" => set(&mut attributes.host),
                "path" => set(&mut attributes.path),
                "username" => set(&mut attributes.username),
                "password" | "credential" => attributes.password = Some(Secret::from(value)),
                "capability[]" if value == "authtype" => attributes.takes_authtype = true,
                "wwwauth[]" => attributes.challenges.push(value.to_owned()),
                _ => {}
            }
        }
        attributes
    }

    /// The URL that the credential is for; `None` for anything but https, and
    /// http on this machine.
    pub(super) fn url(&self) -> Option<Url> {
        let (protocol, host) = (self.protocol.as_deref()?, self.host.as_deref()?);
        if !matches!(protocol, "https" | "http") || host.contains(['/', '?', '#', '@']) {
            return None;
        }
        let endpoint = Endpoint::parse(&format!("{protocol}://{host}/"), HttpPolicy::LoopbackOnly).ok()?;
        let mut url = endpoint.url().clone();
        if let Some(path) = &self.path {
            url.set_path(path);
        }
        Some(url)
    }

    /// Whether the server takes the token in a Bearer header only, and git can send one.
    pub(super) fn wants_bearer(&self) -> bool {
        let has = |scheme: &str| {
            let mut challenges = self.challenges.iter();
            challenges.any(|challenge| {
                let found = challenge.split([' ', ',']).next().unwrap_or_default();
                found.eq_ignore_ascii_case(scheme)
            })
        };
        self.takes_authtype && has("Bearer") && !has("Basic")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Option<String> {
        GitAttributes::parse(text).url().map(|url| url.to_string())
    }

    #[test]
    fn protocol_host_and_path_make_a_url_and_other_keys_are_ignored() {
        for (text, expected) in [
            ("protocol=https\nhost=git.example\n", "https://git.example/"),
            (
                "protocol=https\nhost=git.example:8443\npath=a/b.git\n\n",
                "https://git.example:8443/a/b.git",
            ),
            (
                "protocol=https\nhost=git.example\npath=a b?c#d\n",
                "https://git.example/a%20b%3Fc%23d",
            ),
            (
                "protocol=http\nhost=127.0.0.1:3000\nfuture=1\nnonsense\n=x\n",
                "http://127.0.0.1:3000/",
            ),
            ("protocol=http\r\nhost=localhost\r\n", "http://localhost/"),
        ] {
            assert_eq!(url(text).as_deref(), Some(expected), "{text:?}");
        }
        for text in [
            "",
            "protocol=https\n",
            "host=git.example\n",
            "protocol=http\nhost=git.example\n",
            "protocol=ssh\nhost=git.example\n",
            "protocol=https\nhost=evil.test/git.example\n",
            "protocol=https\nhost=a@git.example\n",
            "protocol=https\nhost=git.example#\n",
            "protocol=https\nhost=git.example\\x\n",
            "protocol=https\nhost=\n",
            "protocol=https\n\nhost=git.example\n",
            "protocol=https://evil.test/?\nhost=git.example\n",
        ] {
            assert_eq!(url(text), None, "{text:?}");
        }
    }

    #[test]
    fn bearer_is_for_servers_that_take_nothing_else_and_a_git_that_can() {
        for (text, expected) in [
            ("capability[]=authtype\nwwwauth[]=Bearer realm=\"x\"", true),
            ("capability[]=authtype\nwwwauth[]=bearer", true),
            ("wwwauth[]=Bearer realm=\"x\"", false),
            ("capability[]=state\nwwwauth[]=Bearer", false),
            (
                "capability[]=authtype\nwwwauth[]=Bearer\nwwwauth[]=Basic realm=x",
                false,
            ),
            ("capability[]=authtype", false),
        ] {
            assert_eq!(GitAttributes::parse(text).wants_bearer(), expected, "{text}");
        }
    }
}
