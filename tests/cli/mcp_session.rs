//! The session under `oauth mcp`: what ends the bridge does not end a refresh,
//! and a login by another process is found.

use super::support::binary::Home;
use super::support::bridge::Bridge;
use super::support::literal_server::{Gate, LiteralServer, Reply, json, status};
use super::support::sessions::{KEPT_ACCESS_TOKEN, ending_in, refreshable, resource, session};
use oauth::protocol::time::UnixSeconds;
use oauth::secret::Secret;
use oauth::store::{LockKind, ProfileLock, ProfileName, Session, SessionEnd};
use rustix::process::Signal;
use serde_json::Value;
use std::process::Stdio;
use std::time::Duration;

const NEW_TOKEN: &str = "new-access-token-5e90";
const NEW_REFRESH_TOKEN: &str = "new-refresh-token-11d3";
const LIST: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}"#;
const LISTED: &str = r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}"#;

/// A server whose `/mcp` takes certain tokens alone, and a profile for it.
struct Stage {
    home: Home,
    server: LiteralServer,
}

impl Stage {
    fn new(taken: &[&str]) -> Self {
        let (home, server) = (Home::new(), LiteralServer::start());
        let origin = server.origin();
        home.configure(&format!(
            "[profile.work]\nissuer = \"{origin}\"\nclient_id = \"desktop\"\nresource = [\"{origin}/mcp\"]\n"
        ));
        let taken: Vec<String> = taken.iter().map(|token| format!("Bearer {token}")).collect();
        server.on_call("POST", "/mcp", move |request| {
            let credentials = request.header("authorization").unwrap_or_default();
            match taken.iter().any(|taken| taken == credentials) {
                true => json(200, LISTED),
                false => Reply::http(401, &["WWW-Authenticate: Bearer error=\"invalid_token\""], ""),
            }
        });
        server.on("GET", "/mcp", status(405));
        server.on("POST", "/token", json(200, &answer()));
        Stage { home, server }
    }

    fn keep(&self, session: Session) {
        let mut session = session;
        session.requested.resource = vec![resource(&self.server.url("/mcp"))];
        self.home.keep("work", &session);
    }

    fn bridge(&self) -> Bridge {
        let mut command = self.home.oauth();
        Bridge::start(command.args(["mcp", &self.server.url("/mcp")]), Stdio::null())
    }

    fn refreshes(&self) -> usize {
        self.server.requests_to("/token").len()
    }

    fn origin(&self) -> String {
        self.server.origin()
    }
}

fn answer() -> String {
    format!(
        r#"{{"access_token":"{NEW_TOKEN}","token_type":"Bearer","expires_in":3600,"refresh_token":"{NEW_REFRESH_TOKEN}"}}"#
    )
}

/// A session of a later login, with this access token.
fn of_another_login(issuer: &str, token: &str) -> Session {
    let mut session = Session {
        generation: 7,
        ..refreshable(issuer)
    };
    session.tokens[0].access_token = Secret::from(token);
    session.refresh_token = Some(Secret::from("refresh-token-of-another-login"));
    session
}

#[track_caller]
fn error_message(line: &str) -> String {
    let message: Value = serde_json::from_str(line).expect("JSON");
    message["error"]["message"].as_str().expect("an error").to_owned()
}

/// A bridge that has told that it reads: from then on a signal is its own to handle.
fn reading(stage: &Stage) -> Bridge {
    let mut bridge = stage.bridge();
    bridge.say("{");
    assert!(bridge.next().contains("-32700"));
    bridge
}

#[test]
fn a_refresh_in_flight_is_stored_whatever_ends_the_bridge() {
    for (signal, code) in [
        (None, 0),
        (Some(Signal::TERM), 143),
        (Some(Signal::INT), 130),
        (Some(Signal::HUP), 129),
    ] {
        let stage = Stage::new(&[NEW_TOKEN]);
        stage.keep(ending_in(-10, refreshable(&stage.origin())));
        let gate = Gate::new();
        stage
            .server
            .on("POST", "/token", json(200, &answer()).after_gate(&gate));
        let mut bridge = reading(&stage);
        bridge.say(LIST);
        stage.server.wait_for("/token", 1);
        match signal {
            Some(signal) => bridge.signal(signal),
            None => bridge.close(),
        }
        gate.open();
        if signal.is_none() {
            assert_eq!(bridge.next(), LISTED, "what was asked is still answered");
        }
        let outcome = bridge.end();
        assert_eq!(outcome.code, Some(code), "{signal:?} {outcome:?}");
        let kept = stage.home.kept("work").expect("the session");
        assert_eq!(kept.tokens[0].access_token.expose(), NEW_TOKEN, "{signal:?}");
        assert_eq!(kept.refresh_token.expect("one").expose(), NEW_REFRESH_TOKEN);
        assert_eq!(stage.refreshes(), 1);
    }
}

#[test]
fn a_bridge_that_is_to_end_while_it_waits_for_another_process_does_not_refresh() {
    let stage = Stage::new(&[NEW_TOKEN]);
    stage.keep(ending_in(-10, refreshable(&stage.origin())));
    let name = ProfileName::parse("work").expect("a name");
    let locks = stage.home.path().join(".local/share/oauth/locks");
    let lock = ProfileLock::acquire(&locks, &name, LockKind::Session, Duration::ZERO, &mut |_| {});
    let lock = lock.expect("the lock");
    let mut bridge = reading(&stage);
    bridge.say(LIST);
    // answered after the message before it was taken
    bridge.say("{");
    assert!(bridge.next().contains("-32700"));
    bridge.signal(Signal::TERM);
    assert_eq!(bridge.end().code, Some(143));
    drop(lock);
    assert_eq!(stage.refreshes(), 0);
}

#[test]
fn the_end_of_a_session_of_the_protocol_is_no_reason_for_a_refresh() {
    let stage = Stage::new(&[]);
    stage.keep(refreshable(&stage.origin()));
    let settled = r#"{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-11-25","capabilities":{}}}"#;
    let begun = Reply::http(200, &["Content-Type: application/json", "Mcp-Session-Id: s1"], settled);
    stage.server.on("POST", "/mcp", begun);
    stage.server.on("DELETE", "/mcp", status(401));
    let mut bridge = stage.bridge();
    bridge.say(r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}"#);
    assert_eq!(bridge.next(), settled);
    bridge.leave();
    let requests = stage.server.requests_to("/mcp");
    let methods: Vec<&str> = requests.iter().map(|request| request.method.as_str()).collect();
    assert_eq!(methods, ["POST", "DELETE"]);
    assert_eq!(stage.refreshes(), 0);
}

#[test]
fn the_login_of_another_process_is_found_after_a_token_that_cannot_be_refreshed() {
    let stage = Stage::new(&["of-the-login"]);
    stage.keep(session(&stage.origin()));
    let mut bridge = stage.bridge();
    bridge.say(LIST);
    let message = error_message(&bridge.next());
    assert!(message.contains("oauth login work"), "{message}");
    stage.keep(of_another_login(&stage.origin(), "of-the-login"));
    bridge.say(LIST);
    assert_eq!(bridge.next(), LISTED);
    bridge.leave();
    assert_eq!(stage.refreshes(), 0);
}

#[test]
fn a_session_that_another_process_found_ended_is_told_so_until_a_login() {
    let stage = Stage::new(&[KEPT_ACCESS_TOKEN, "of-the-login"]);
    stage.keep(refreshable(&stage.origin()));
    let mut bridge = stage.bridge();
    bridge.say(LIST);
    assert_eq!(bridge.next(), LISTED);
    // the server ends the session, and another process finds out
    let refused = Reply::http(401, &["WWW-Authenticate: Bearer error=\"invalid_token\""], "");
    stage.server.on("POST", "/mcp", refused);
    let mut ended = refreshable(&stage.origin());
    ended.dead = Some(SessionEnd {
        at: UnixSeconds(1_800_000_000),
        error: Some("invalid_grant".to_owned()),
        description: Some("revoked by the administrator".to_owned()),
    });
    stage.keep(ended);
    bridge.say(LIST);
    let message = error_message(&bridge.next());
    assert!(message.contains("revoked by the administrator"), "{message}");
    assert!(message.contains("oauth login work"), "{message}");
    stage.server.on("POST", "/mcp", json(200, LISTED));
    stage.keep(of_another_login(&stage.origin(), "of-the-login"));
    bridge.say(LIST);
    assert_eq!(bridge.next(), LISTED);
    bridge.leave();
    assert_eq!(stage.refreshes(), 0);
}

#[test]
fn a_token_of_an_earlier_session_gives_way_to_the_stored_one_and_that_to_a_new_one() {
    for (taken, refreshes) in [("of-the-login", 0), (NEW_TOKEN, 1), ("none", 1)] {
        let stage = Stage::new(&[KEPT_ACCESS_TOKEN]);
        stage.keep(refreshable(&stage.origin()));
        let mut bridge = stage.bridge();
        bridge.say(LIST);
        assert_eq!(bridge.next(), LISTED);
        stage.keep(of_another_login(&stage.origin(), "of-the-login"));
        stage
            .server
            .on_call("POST", "/mcp", move |request| match request.header("authorization") {
                Some(credentials) if credentials == format!("Bearer {taken}") => json(200, LISTED),
                _ => Reply::http(401, &["WWW-Authenticate: Bearer error=\"invalid_token\""], ""),
            });
        bridge.say(LIST);
        let line = bridge.next();
        match taken {
            "none" => {
                let message = error_message(&line);
                let login = format!("log in at this one: oauth login {}/mcp", stage.origin());
                assert!(message.contains("401") && message.contains(&login), "{line}");
            }
            _ => assert_eq!(line, LISTED, "{taken}"),
        }
        bridge.leave();
        assert_eq!(stage.refreshes(), refreshes, "{taken}");
    }
}
