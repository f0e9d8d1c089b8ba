//! A server with one origin for everybody and one for clients that show a
//! certificate (RFC 8705 §5), which answers to token requests and introspection.

use super::authorization_server::ACCESS_TOKEN;
use super::binary::Home;
use super::certificates::{Authority, start_mutual_tls, start_tls};
use super::literal_server::{LiteralServer, json};
use std::path::Path;
use std::process::Command;

pub struct CertifiedServer {
    pub authority: Authority,
    pub everybody: LiteralServer,
    pub certified: LiteralServer,
}

impl CertifiedServer {
    /// Its metadata is what `metadata` makes of both origins, in the order above.
    pub fn start(metadata: impl FnOnce(&str, &str) -> String) -> Self {
        let authority = Authority::new();
        let identity = authority.issue(&["127.0.0.1"]);
        let everybody = start_tls(&identity);
        let certified = start_mutual_tls(&identity, &authority);
        let metadata = metadata(&everybody.origin(), &certified.origin());
        everybody.on("GET", "/.well-known/oauth-authorization-server", json(200, &metadata));
        let token = format!(r#"{{"access_token":"{ACCESS_TOKEN}","token_type":"Bearer","expires_in":3600}}"#);
        for server in [&everybody, &certified] {
            server.on("POST", "/token", json(200, &token));
            server.on("POST", "/introspect", json(200, r#"{"active":true}"#));
        }
        CertifiedServer {
            authority,
            everybody,
            certified,
        }
    }

    /// A command that trusts the server.
    pub fn oauth(&self, home: &Home) -> Command {
        let mut command = home.oauth();
        command.arg("--cacert").arg(self.authority.write(home.path()));
        command
    }

    /// `oauth login -p ci --grant client-credentials` with this certificate and key.
    pub fn login(&self, home: &Home, certificate: &Path, key: &Path) -> Command {
        let mut command = self.oauth(home);
        command
            .args(["login", "-p", "ci", "--issuer", &self.everybody.origin()])
            .args(["--client-id", "s6BhdRkqt3", "--grant", "client-credentials"])
            .arg("--client-cert-file")
            .arg(certificate)
            .arg("--client-key-file")
            .arg(key);
        command
    }
}
