//! A scripted authorization server for tests of a whole login, and the
//! resource owner's browser, both made of literal bytes.
//!
//! The server has metadata and a token endpoint; a test replaces either with
//! [`LiteralServer::on`]. The browser takes the authorization URL that the
//! client printed (or handed to a fake browser program) and makes the callback.
#![allow(dead_code, unreachable_pub, reason = "each test crate uses its own part")]

use super::callback::{self, Answer};
#[cfg(unix)]
use super::literal_server::PATIENCE;
use super::literal_server::{LiteralServer, json, value_of};
use std::io::BufRead;
#[cfg(unix)]
use std::path::{Path, PathBuf};
use url::Url;

/// The code that the scripted browser brings back.
pub const CODE: &str = "SplxlOBeZQQYbYS6WxSbIA";

/// What the scripted token endpoint hands out.
pub const ACCESS_TOKEN: &str = "2YotnFZFEjr1zCsicMWpAA";

/// What the scripted token endpoint hands out beside it.
pub const REFRESH_TOKEN: &str = "tGzv3JOkF0XG5Qx2TlKWIA";

/// An authorization server with RFC 8414 metadata at the well-known path, and
/// a token endpoint that gives [`ACCESS_TOKEN`] and [`REFRESH_TOKEN`] to everybody.
pub fn start() -> LiteralServer {
    let server = LiteralServer::start();
    serve_on(&server);
    server
}

/// The same on a server of the test's own (such as one with TLS).
pub fn serve_on(server: &LiteralServer) {
    server.on(
        "GET",
        "/.well-known/oauth-authorization-server",
        json(200, &metadata(&server.origin())),
    );
    server.on("POST", "/token", json(200, &token_answer()));
}

/// The metadata document.
pub fn metadata(issuer: &str) -> String {
    format!(
        r#"{{"issuer":"{issuer}","authorization_endpoint":"{issuer}/authorize","token_endpoint":"{issuer}/token","response_types_supported":["code"],"code_challenge_methods_supported":["S256"],"authorization_response_iss_parameter_supported":true,"token_endpoint_auth_methods_supported":["none","client_secret_basic","client_secret_post"]}}"#
    )
}

/// The answer of the token endpoint.
pub fn token_answer() -> String {
    format!(
        r#"{{"access_token":"{ACCESS_TOKEN}","token_type":"Bearer","expires_in":3600,"refresh_token":"{REFRESH_TOKEN}"}}"#
    )
}

/// Reads lines until one is the authorization URL, alone on its line.
/// Panics at the end of the output. The lines before it come along.
pub fn url_from(output: &mut impl BufRead) -> (String, Vec<String>) {
    let mut before = Vec::new();
    loop {
        let mut line = String::new();
        let read = output.read_line(&mut line).expect("reading the client's output");
        assert!(read > 0, "no authorization URL among: {before:#?}");
        let line = line.trim_end().to_owned();
        if line.starts_with("http://") || line.starts_with("https://") {
            return (line, before);
        }
        before.push(line);
    }
}

/// The parameters of an authorization URL.
pub fn parameters(authorization_url: &str) -> Vec<(String, String)> {
    let url = Url::parse(authorization_url).expect("an authorization URL");
    url.query_pairs().into_owned().collect()
}

/// The URL to which a server redirects after consent: code, state and issuer.
pub fn callback_url(authorization_url: &str, issuer: &str) -> String {
    let params = parameters(authorization_url);
    let state = value_of(&params, "state").expect("a state").to_owned();
    callback_url_with(authorization_url, &[("code", CODE), ("state", &state), ("iss", issuer)])
}

/// The redirect URI of the request with these parameters.
pub fn callback_url_with(authorization_url: &str, response: &[(&str, &str)]) -> String {
    let params = parameters(authorization_url);
    let redirect_uri = value_of(&params, "redirect_uri").expect("a redirect_uri");
    let mut url = Url::parse(redirect_uri).expect("a redirect URI");
    url.query_pairs_mut().extend_pairs(response);
    url.into()
}

/// The browser of a resource owner who consents at once.
pub fn consent(authorization_url: &str, issuer: &str) -> Answer {
    callback::get_url(&callback_url(authorization_url, issuer)).expect("an answer of the listener")
}

/// A program for `--browser` that hands the URL it is given to the test.
#[cfg(unix)]
pub struct FakeBrowser {
    program: PathBuf,
    pipe: PathBuf,
}

#[cfg(unix)]
impl FakeBrowser {
    /// Makes it in this folder.
    pub fn new(folder: &Path) -> Self {
        use std::os::unix::fs::PermissionsExt;
        let program = folder.join("fake-browser");
        let pipe = folder.join("fake-browser.pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.expect("running mkfifo").success());
        let script = format!("#!/bin/sh\nprintf '%s\\n' \"$*\" > '{}'\n", pipe.display());
        std::fs::write(&program, script).expect("writing the fake browser");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("making it executable");
        FakeBrowser { program, pipe }
    }

    /// For `--browser`.
    pub fn command(&self) -> String {
        self.program.display().to_string()
    }

    /// Waits until the client runs it, and gives its arguments.
    pub fn wait_for_url(&self) -> String {
        let (sender, receiver) = std::sync::mpsc::channel();
        let pipe = self.pipe.clone();
        // opening a pipe waits for the other side, for ever if need be
        std::thread::spawn(move || sender.send(std::fs::read_to_string(pipe)));
        let given = receiver.recv_timeout(PATIENCE).expect("the client runs the browser");
        given.expect("reading the pipe").trim_end().to_owned()
    }
}
