//! `--login` of `oauth exec`, `oauth credential` and `oauth request`: a person
//! signs in in the browser, while standard input stays with the command or the
//! protocol.

use super::support::authorization_server::{self, ACCESS_TOKEN, consent};
use super::support::binary::Home;
use super::support::literal_server::{LiteralServer, Reply, json};
use super::support::login::ScriptedBrowser;
use super::support::outcome::finish;
use super::support::sessions::session;
use super::support::terminal::Terminal;
use std::io::Write;
use std::process::{Child, Stdio};

/// A profile that nobody is logged in to, and a browser that hands its URL over.
struct Place {
    home: Home,
    server: LiteralServer,
    browser: ScriptedBrowser,
}

impl Place {
    fn new() -> Self {
        let (home, server) = (Home::new(), authorization_server::start());
        let browser = ScriptedBrowser::new(home.path(), "echo \"$1\"");
        home.configure(&format!(
            "[profile.work]\nissuer = \"{}\"\nclient_id = \"desktop\"\nbrowser = \"{}\"\nallow_host = [\"git.example\", \"{}\"]\n",
            server.origin(),
            browser.command,
            server.origin().trim_start_matches("http://"),
        ));
        Place { home, server, browser }
    }

    /// Starts `oauth` with its messages on a terminal.
    fn start(&self, arguments: &[&str], stdin: Stdio, terminal: &Terminal) -> Child {
        let mut command = self.home.oauth();
        command
            .args(arguments)
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(terminal.stream());
        command.spawn().expect("starting it")
    }

    /// Signs in as soon as the browser is opened.
    fn sign_in(&self) {
        consent(self.browser.output().trim_end(), &self.server.origin());
    }
}

#[test]
fn what_was_typed_before_the_login_ended_is_for_the_command() {
    let place = Place::new();
    let mut terminal = Terminal::open();
    let stdin = terminal.stream().into();
    let script = "read line; echo \"$line $OAUTH_ACCESS_TOKEN\"";
    let child = place.start(&["exec", "--login", "work", "--", "sh", "-c", script], stdin, &terminal);
    let url = place.browser.output();
    terminal.types("for the command\n");
    consent(url.trim_end(), &place.server.origin());
    let outcome = finish(child).expect_code(0);
    assert_eq!(outcome.stdout, format!("for the command {ACCESS_TOKEN}\n"));
}

#[test]
fn a_helper_of_git_logs_in_and_prints_the_protocol_alone() {
    let place = Place::new();
    let terminal = Terminal::open();
    let mut child = place.start(&["credential", "git", "--login", "get"], Stdio::piped(), &terminal);
    let mut stdin = child.stdin.take().expect("its stdin");
    stdin
        .write_all(b"protocol=https\nhost=git.example\n\n")
        .expect("it reads");
    drop(stdin);
    place.sign_in();
    let outcome = finish(child).expect_code(0);
    let expected = format!("username=oauth2\npassword={ACCESS_TOKEN}\npassword_expiry_utc=");
    assert!(outcome.stdout.starts_with(&expected), "{outcome:?}");
    assert_eq!(outcome.stdout.lines().count(), 3, "{outcome:?}");
}

#[test]
fn a_helper_logs_in_for_hosts_of_the_profile_only() {
    let place = Place::new();
    let terminal = Terminal::open();
    let mut child = place.start(&["credential", "git", "--login", "get"], Stdio::piped(), &terminal);
    let mut stdin = child.stdin.take().expect("its stdin");
    stdin
        .write_all(b"protocol=https\nhost=other.example\n\n")
        .expect("it reads");
    drop(stdin);
    let outcome = finish(child).expect_code(0);
    assert_eq!(outcome.stdout, "");
    assert_eq!(place.server.requests().len(), 0);
}

#[test]
fn a_request_asks_a_person_once_and_sends_the_body_from_the_pipe_after_it() {
    let place = Place::new();
    place.server.on("POST", "/api", json(200, "{\"saved\":true}"));
    let terminal = Terminal::open();
    let url = place.server.url("/api");
    let arguments = ["request", "--login", &url, "-d", "@-"];
    let mut child = place.start(&arguments, Stdio::piped(), &terminal);
    let mut stdin = child.stdin.take().expect("its stdin");
    stdin.write_all(b"from the pipe").expect("it reads");
    drop(stdin);
    place.sign_in();
    let outcome = finish(child).expect_code(0);
    assert_eq!(outcome.stdout, "{\"saved\":true}");
    let requests = place.server.requests_to("/api");
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].body_text(), "from the pipe");
    let credentials = format!("Bearer {ACCESS_TOKEN}");
    assert_eq!(requests[0].header("authorization"), Some(credentials.as_str()));
}

#[test]
fn a_request_leaves_a_pipe_that_stays_open_alone_while_a_person_signs_in() {
    let place = Place::new();
    place.server.on("GET", "/api", json(200, "{}"));
    let terminal = Terminal::open();
    let url = place.server.url("/api");
    let mut child = place.start(&["request", "--login", &url], Stdio::piped(), &terminal);
    let stdin = child.stdin.take().expect("its stdin");
    place.sign_in();
    finish(child).expect_code(0);
    drop(stdin);
    assert_eq!(place.server.requests_to("/api").len(), 1);
}

#[test]
fn a_request_whose_token_is_refused_asks_a_person_once() {
    let place = Place::new();
    let refused = Reply::http(401, &["WWW-Authenticate: Bearer error=\"invalid_token\""], "");
    place.server.on("GET", "/api", refused);
    let mut session = session(&place.server.origin());
    session.refresh_token = None;
    place.home.keep("work", &session);
    let terminal = Terminal::open();
    let url = place.server.url("/api");
    let child = place.start(&["request", "--login", &url], Stdio::null(), &terminal);
    place.sign_in();
    // the token of the login is refused too: that is the end of it
    finish(child).expect_code(22);
    assert_eq!(place.server.requests_to("/api").len(), 2);
    assert_eq!(place.server.requests_to("/token").len(), 1);
}
