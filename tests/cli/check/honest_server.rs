//! A server of literal bytes that keeps the rules, for tests that change one
//! thing about it. It shares no code with the program.

use crate::support::binary::Home;
use crate::support::literal_server::{LiteralServer, Reply, Request, html, json, redirect, value_of};
use crate::support::outcome::{Outcome, run};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

pub const METADATA: &str = "/.well-known/oauth-authorization-server";

/// Status and JSON.
pub type Answer = (u16, String);

/// What the server knows.
#[derive(Default)]
pub struct State {
    count: usize,
    /// Challenge and redirect URI of each code that was not used.
    codes: HashMap<String, (String, String)>,
    /// Refresh tokens that were not used.
    refresh_tokens: Vec<String>,
    /// Whether refresh tokens are given at all.
    pub without_refresh_tokens: bool,
}

impl State {
    /// A value that nobody can guess, for a server of tests.
    pub fn value(&mut self) -> String {
        self.count += 1;
        let seed = format!("{:?} {}", std::time::Instant::now(), self.count);
        URL_SAFE_NO_PAD.encode(Sha256::digest(seed))
    }

    fn tokens(&mut self) -> Answer {
        let access_token = self.value();
        if self.without_refresh_tokens {
            let body = format!(r#"{{"access_token":"{access_token}","token_type":"Bearer","expires_in":300}}"#);
            return (200, body);
        }
        let refresh_token = self.value();
        self.refresh_tokens.push(refresh_token.clone());
        let body = format!(
            r#"{{"access_token":"{access_token}","refresh_token":"{refresh_token}","token_type":"Bearer","expires_in":300}}"#
        );
        (200, body)
    }

    /// The answer of an honest token endpoint.
    pub fn token(&mut self, request: &Request) -> Reply {
        let (status, body) = self.answer(request);
        json(status, &body)
    }

    /// Its status and its JSON.
    pub fn answer(&mut self, request: &Request) -> Answer {
        let form = request.form();
        let value = |name: &str| value_of(&form, name);
        if value("client_id") != Some("desktop") {
            return error(401, "invalid_client");
        }
        match value("grant_type") {
            None => error(400, "invalid_request"),
            Some("authorization_code") => {
                let known = value("code").and_then(|code| self.codes.remove(code));
                let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(value("code_verifier").unwrap_or_default()));
                match known {
                    Some((own, uri)) if own == challenge && Some(&*uri) == value("redirect_uri") => self.tokens(),
                    _ => error(400, "invalid_grant"),
                }
            }
            Some("refresh_token") => {
                let place = self
                    .refresh_tokens
                    .iter()
                    .position(|known| value("refresh_token") == Some(known));
                match place {
                    Some(place) => {
                        self.refresh_tokens.swap_remove(place);
                        self.tokens()
                    }
                    None => error(400, "invalid_grant"),
                }
            }
            Some(_) => error(400, "unsupported_grant_type"),
        }
    }

    /// The redirect with a code.
    pub fn grant(&mut self, request: &Request) -> Reply {
        let query = request.query();
        let value = |name: &str| value_of(&query, name).unwrap_or_default().to_owned();
        let code = self.value();
        self.codes
            .insert(code.clone(), (value("code_challenge"), value("redirect_uri")));
        back(request, &format!("code={code}"))
    }
}

/// A redirect to the client with these parameters and the state.
pub fn back(request: &Request, params: &str) -> Reply {
    let query = request.query();
    let value = |name: &str| {
        let first = query.iter().find(|(own, _)| own == name);
        first
            .map(|(_, value)| value.replace(['\r', '\n'], ""))
            .unwrap_or_default()
    };
    let state: String = url::form_urlencoded::byte_serialize(value("state").as_bytes()).collect();
    let redirect_uri = value("redirect_uri");
    let mark = if redirect_uri.contains('?') { '&' } else { '?' };
    redirect(302, &format!("{redirect_uri}{mark}{params}&state={state}"))
}

fn error(status: u16, error: &str) -> Answer {
    (status, format!(r#"{{"error":"{error}"}}"#))
}

pub fn refused(status: u16, error: &str) -> Reply {
    json(status, &format!(r#"{{"error":"{error}"}}"#))
}

pub type Shared = Arc<Mutex<State>>;

/// The server with more members in its metadata, which begin with a comma.
pub fn start_with(members: &str) -> (LiteralServer, Shared) {
    let server = LiteralServer::start();
    let origin = server.origin();
    let metadata = format!(
        r#"{{"issuer":"{origin}","authorization_endpoint":"{origin}/authorize","token_endpoint":"{origin}/token","response_types_supported":["code"],"grant_types_supported":["authorization_code","refresh_token"],"code_challenge_methods_supported":["S256"],"token_endpoint_auth_methods_supported":["none"]{}}}"#,
        members.replace("ORIGIN", &origin)
    );
    server.on("GET", METADATA, json(200, &metadata));
    let state = Shared::default();
    let authorize = Arc::clone(&state);
    server.on_call("GET", "/authorize", move |request| {
        let query = request.query();
        let all = |name: &str| -> Vec<String> {
            let named = query.iter().filter(|(own, _)| own == name);
            named.map(|(_, value)| value.clone()).collect()
        };
        let is_plain = all("response_type") == ["code"]
            && all("code_challenge_method") == ["S256"]
            && all("code_challenge").iter().all(|challenge| challenge.len() == 43);
        let is_registered = |uri: &str| {
            let port = uri
                .strip_prefix("http://127.0.0.1:")
                .and_then(|rest| rest.strip_suffix("/callback"));
            port.is_some_and(|port| port.parse::<u16>().is_ok())
        };
        let uris = all("redirect_uri");
        let is_known = all("client_id") == ["desktop"] && uris.len() == 1 && uris.iter().all(|uri| is_registered(uri));
        match (is_known, is_plain) {
            (false, _) => html(400, "<h1>Unknown client</h1>"),
            (true, true) => authorize.lock().expect("the state").grant(request),
            (true, false) => back(request, "error=invalid_request"),
        }
    });
    let token = Arc::clone(&state);
    server.on_call("POST", "/token", move |request| {
        token.lock().expect("the state").token(request)
    });
    (server, state)
}

pub fn start() -> (LiteralServer, Shared) {
    start_with("")
}

/// Changes what the token endpoint answers.
pub fn on_token(
    server: &LiteralServer,
    state: &Shared,
    mut answer: impl FnMut(&Request, &mut State) -> Reply + Send + 'static,
) {
    let state = Arc::clone(state);
    server.on_call("POST", "/token", move |request| {
        answer(request, &mut state.lock().expect("the state"))
    });
}

/// `oauth check --json` of these rules; all where there are none.
pub fn check(server: &LiteralServer, rules: &[&str], arguments: &[&str]) -> Outcome {
    let home = Home::new();
    let mut command = home.oauth();
    command.args(["check", &server.origin(), "--client-id", "desktop", "--json"]);
    command.args(rules.iter().flat_map(|rule| ["--rule", rule]));
    run(command.args(arguments))
}
