//! `oauth serve --tls` with a client of the test's own, and a home that logs in there.

use super::binary::Home;
use super::callback;
use super::certificates::{Authority, Identity};
use super::development_server::{DevelopmentServer, parameter};
use super::tls_client::send_over_tls;
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;

/// A server that speaks https, and whoever logs in there.
pub struct Stage {
    pub home: Home,
    pub server: DevelopmentServer,
}

impl Stage {
    /// With a client of these metadata beside the default one.
    pub fn set(metadata: &Value) -> Self {
        Stage::set_with(metadata, &[])
    }

    pub fn set_with(metadata: &Value, arguments: &[&str]) -> Self {
        let home = Home::new();
        let file = home.path().join("client.json");
        std::fs::write(&file, metadata.to_string()).expect("the metadata");
        let (folder, file) = (folder(&home).display().to_string(), file.display().to_string());
        let mut all = vec!["--approve", "auto", "--tls", &folder, "--client", "oauth-cli"];
        all.extend(["--client-metadata", &file]);
        all.extend(arguments);
        Stage {
            server: DevelopmentServer::start(&all),
            home,
        }
    }

    pub fn file(&self, name: &str) -> PathBuf {
        folder(&self.home).join(name)
    }

    pub fn authority(&self) -> Authority {
        Authority::of_server(&folder(&self.home))
    }

    /// A command that trusts the server.
    pub fn oauth(&self) -> Command {
        let mut command = self.home.oauth();
        command.arg("--cacert").arg(self.file("authority.pem"));
        command
    }

    /// The certificate and the key that the server made for a client.
    pub fn own(&self) -> (PathBuf, PathBuf) {
        (self.file("client.pem"), self.file("client.key.pem"))
    }

    /// `oauth login -p ci` as this client, with this certificate and key.
    pub fn login(&self, method: &str, (certificate, key): &(PathBuf, PathBuf)) -> Command {
        let mut command = self.oauth();
        command
            .args(["login", "-p", "ci", "--issuer", &self.server.issuer()])
            .args(["--client-id", "certified", "--client-auth", method])
            .arg("--client-cert-file")
            .arg(certificate)
            .arg("--client-key-file")
            .arg(key);
        command
    }

    /// The same by a grant without a person.
    pub fn machine_login(&self, method: &str, files: &(PathBuf, PathBuf)) -> Command {
        let mut command = self.login(method, files);
        command.args(["--grant", "client-credentials", "--scope", "introspect"]);
        command
    }

    /// A raw request over TLS, with this certificate or with none.
    pub fn send(&self, method: &str, target: &str, headers: &[&str], shown: Option<&Identity>) -> callback::Answer {
        let request = callback::request(method, &self.server.authority, target, headers, "");
        let authority = self.authority().certificate;
        send_over_tls(self.server.port(), &authority, shown, &request).expect("an answer")
    }

    /// A form over TLS, with this certificate or with none.
    pub fn post(&self, target: &str, form: &str, shown: Option<&Identity>) -> callback::Answer {
        let request = callback::request("POST", &self.server.authority, target, &["Connection: close"], form);
        let authority = self.authority().certificate;
        send_over_tls(self.server.port(), &authority, shown, &request).expect("an answer")
    }

    /// Goes where the browser would, and back to the listener.
    pub fn consent(&self, authorization_url: &str) {
        let target = authorization_url
            .split_once(&self.server.authority)
            .expect("the server")
            .1;
        let answer = self.send("GET", target, &["Connection: close"], None);
        let location = answer.header("location").expect("a redirect");
        assert_eq!(parameter(location, "iss"), Some(self.server.issuer()));
        callback::get_url(location).expect("the listener's page");
    }

    /// The status of `target` for the access token of the profile, and `error` of the challenge.
    pub fn resource(&self, target: &str, shown: Option<&Identity>) -> (u16, String) {
        let kept = self.home.kept("ci").expect("the session");
        let header = format!("Authorization: Bearer {}", kept.tokens[0].access_token.expose());
        let answer = self.send("GET", target, &[&header, "Connection: close"], shown);
        let challenge = answer.header("www-authenticate").unwrap_or_default();
        let error = challenge.split("error=\"").nth(1).unwrap_or_default();
        (answer.status, error.split('"').next().unwrap_or_default().to_owned())
    }
}

/// Where the server keeps its certificates.
pub fn folder(home: &Home) -> PathBuf {
    home.path().join("tls")
}
