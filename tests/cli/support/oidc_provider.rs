//! oidc-provider, an authorization server that is not ours, run by Node from
//! `tests/foreign/oidc-provider`; its clients are in `server.mjs` there.

use super::callback;
use super::installed;
use super::plain_browser::PlainBrowser;
use super::server_program::ServerProgram;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use url::Url;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign/oidc-provider")
}

/// oidc-provider on a port of its own.
pub struct Provider {
    pub issuer: String,
    _server: ServerProgram,
}

impl Provider {
    /// `None`, loudly, where it is not installed.
    pub fn start() -> Option<Self> {
        Provider::start_with(&[])
    }

    /// The same, with these variables of `server.mjs`.
    pub fn start_with(variables: &[(&str, &str)]) -> Option<Self> {
        let folder = folder();
        if !installed::file(&folder.join("node_modules/oidc-provider")) {
            return None;
        }
        // ./test puts one there where the system's is too old
        let own_node = folder.join("node_modules/.bin/node");
        let node = match own_node.exists() {
            true => own_node,
            false if !installed::all(&["node"], "nodejs") => return None,
            false => "node".into(),
        };
        let server = ServerProgram::start(
            Command::new(node)
                .arg("server.mjs")
                .current_dir(folder)
                .env_clear()
                .env("PATH", std::env::var_os("PATH").unwrap_or_default())
                .envs(variables.iter().copied()),
            "://",
        );
        Some(Provider {
            issuer: server.line().to_owned(),
            _server: server,
        })
    }

    /// The private key of the clients that sign, as a JWK.
    pub fn client_key(&self) -> String {
        let keys = std::fs::read(folder().join("keys.json")).expect("the keys");
        let keys: Value = serde_json::from_slice(&keys).expect("JSON");
        keys["client"].to_string()
    }

    /// Signs in and consents, and gives the URL that the browser is sent to.
    pub fn sign_in_and_consent(&self, authorization_url: &str) -> Url {
        let mut browser = PlainBrowser::new();
        let sign_in = browser.go_to(authorization_url).page();
        assert!(sign_in.html.contains("name=\"login\""), "{}", sign_in.html);
        let consent = browser
            .submit(&sign_in, &[("login", "alice"), ("password", "any")])
            .page();
        assert!(consent.html.contains("value=\"consent\""), "{}", consent.html);
        browser.submit(&consent, &[]).elsewhere()
    }

    /// What the server says to a refresh with this token: status and `error`.
    pub fn refresh(&self, client_id: &str, refresh_token: &str) -> (u16, Option<String>) {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "refresh_token")
            .append_pair("client_id", client_id)
            .append_pair("refresh_token", refresh_token)
            .finish();
        let authority = self.issuer.strip_prefix("http://").expect("an http issuer");
        let answer = callback::post(authority, "/token", &["Connection: close"], &form).expect("an answer");
        let body: Value = serde_json::from_slice(&answer.body).expect("JSON");
        (answer.status, body["error"].as_str().map(str::to_owned))
    }
}
