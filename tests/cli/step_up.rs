//! `--login` of `oauth request` and `oauth mcp`: where the server wants a wider
//! scope, a person agrees to it, and the same request goes through.

use super::support::binary::Home;
use super::support::bridge::Bridge;
use super::support::development_server::DevelopmentServer;
use super::support::login::{MarkingBrowser, complete_at};
use super::support::outcome::{finish, run};
use super::support::terminal::Terminal;
use oauth::protocol::scope::Scope;
use serde_json::Value;
use std::process::Stdio;

const ADD_NOTE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add_note","arguments":{"text":"milk"},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"t","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}}}"#;

/// A person logged in for `hello` alone, whose browser is `curl`.
struct Place {
    home: Home,
    server: DevelopmentServer,
}

impl Place {
    fn new(path: &str) -> Self {
        let (home, server) = (Home::new(), DevelopmentServer::start(&["--approve", "auto"]));
        let resource = server.issuer() + path;
        let arguments = ["-p", "work", "--client-id", "oauth-cli", "--scope", "hello"];
        complete_at(&server, &home, &[&arguments[..], &["--resource", &resource]].concat()).expect_code(0);
        let place = Place { home, server };
        let page = place.home.path().join("page.html");
        place.use_browser(&format!("curl -sSL --noproxy * -o {}", page.display()));
        place
    }

    fn use_browser(&self, command: &str) {
        let setting = format!("browser={command}");
        run(self.home.oauth().args(["profile", "set", "work", &setting])).expect_code(0);
    }

    fn url(&self, path: &str) -> String {
        self.server.issuer() + path
    }

    fn granted(&self) -> Scope {
        let session = self.home.kept("work").expect("the session");
        session.tokens[0].scope.clone().expect("a scope")
    }

    fn logins(&self) -> usize {
        let log = self.server.log();
        log.lines().filter(|line| line.starts_with("GET /authorize")).count()
    }
}

#[track_caller]
fn assert_widened(place: &Place) {
    let scope = place.granted();
    assert!(scope.contains("hello") && scope.contains("notes"), "{scope}");
    assert_eq!(place.logins(), 2, "the first login, and one for the scope");
}

#[test]
fn a_request_at_a_terminal_goes_through_after_a_login_for_the_scope() {
    let place = Place::new("/api");
    let terminal = Terminal::open();
    let mut command = place.home.oauth();
    command
        .args(["request", "--login", "-d", "text=milk", &place.url("/api/notes")])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(terminal.stream());
    let outcome = finish(command.spawn().expect("starting it")).expect_code(0);
    // the body of the request that was taken, alone
    let note: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    assert_eq!(note["text"], "milk");
    assert_widened(&place);
    // the wider scope stays
    run(place
        .home
        .oauth()
        .args(["request", "-d", "text=eggs", &place.url("/api/notes")]))
    .expect_code(0);
    assert_eq!(place.logins(), 2);
}

#[test]
fn a_request_without_a_terminal_opens_no_browser_and_names_the_login() {
    let place = Place::new("/api");
    let browser = MarkingBrowser::new(place.home.path());
    place.use_browser(&browser.command);
    let url = place.url("/api/notes");
    let outcome = run(place.home.oauth().args(["request", "--login", "-d", "text=milk", &url])).expect_code(4);
    assert!(
        outcome.hints().contains("oauth login work --scope 'hello notes'"),
        "{outcome:?}"
    );
    assert!(!browser.was_run());
}

#[test]
fn a_bridge_logs_in_for_the_scope_with_a_terminal_and_without() {
    for terminal in [None, Some(Terminal::open())] {
        let place = Place::new("/mcp");
        let mut command = place.home.oauth();
        command.args(["mcp", "--login", &place.url("/mcp")]);
        let stderr = terminal
            .as_ref()
            .map_or_else(Stdio::null, |terminal| terminal.stream().into());
        let mut bridge = Bridge::start(&mut command, stderr);
        bridge.say(ADD_NOTE);
        let answer: Value = serde_json::from_str(&bridge.next()).expect("JSON");
        assert!(answer["result"].is_object(), "{answer}");
        assert_widened(&place);
        bridge.say(ADD_NOTE);
        let answer: Value = serde_json::from_str(&bridge.next()).expect("JSON");
        assert!(answer["result"].is_object(), "{answer}");
        assert_eq!(place.logins(), 2);
        bridge.leave();
    }
}

#[test]
fn bridges_that_want_the_same_scope_at_once_open_one_browser() {
    let place = Place::new("/mcp");
    let start = || {
        let mut command = place.home.oauth();
        command.args(["mcp", "--login", &place.url("/mcp")]);
        Bridge::start(&mut command, Stdio::null())
    };
    let mut bridges: Vec<Bridge> = (0..4).map(|_| start()).collect();
    for bridge in &mut bridges {
        bridge.say(ADD_NOTE);
    }
    for bridge in bridges {
        let answer: Value = serde_json::from_str(&bridge.next()).expect("JSON");
        assert!(answer["result"].is_object(), "{answer}");
        bridge.leave();
    }
    assert_widened(&place);
}
