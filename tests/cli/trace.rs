//! Trace files: which are taken, what is in them, that they are whole however
//! a command ends; and what the terminal shows of an exchange.

use super::support::authorization_server::{self, ACCESS_TOKEN, CODE, REFRESH_TOKEN, consent};
use super::support::binary::Home;
use super::support::callback::get_url;
use super::support::chromium::Chromium;
use super::support::development_server::DevelopmentServer;
use super::support::installed;
use super::support::literal_server::{LiteralServer, Reply, html, json, value_of};
use super::support::login::{self, MarkingBrowser, complete, complete_seeing_url, parameter};
use super::support::outcome::{Outcome, run};
use super::support::plain_browser::PlainBrowser;
use super::support::running::Running;
use super::support::sessions::{KEPT_REFRESH_TOKEN, ending_in, endpoint, refreshable, scope};
use super::support::terminal::Terminal;
use oauth::protocol::client::{ClientAuthenticationMethod, ClientId};
use rustix::process::Signal;
use serde_json::Value;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

const ENDINGS: [&str; 4] = ["json", "har", "html", "mmd"];

/// A home, a server, and a trace file of each kind in the home.
struct Stage {
    home: Home,
    server: LiteralServer,
}

impl Stage {
    fn set() -> Self {
        Stage {
            home: Home::new(),
            server: authorization_server::start(),
        }
    }

    fn file(&self, ending: &str) -> PathBuf {
        self.home.path().join(format!("trace.{ending}"))
    }

    fn login(&self, arguments: &[&str]) -> Command {
        login::login(&self.home, &self.server, &[&["--no-browser"], arguments].concat())
    }

    /// The same with a trace of every kind.
    fn traced_login(&self, arguments: &[&str]) -> Command {
        let mut command = self.login(arguments);
        for ending in ENDINGS {
            command.arg("--trace").arg(self.file(ending));
        }
        command
    }

    fn complete(&self, command: &mut Command) -> Outcome {
        complete(command, &self.server.origin())
    }

    fn text(&self, ending: &str) -> String {
        std::fs::read_to_string(self.file(ending)).expect("a trace file")
    }

    /// Every file is whole; the events are those of the JSON lines.
    #[track_caller]
    fn whole(&self) -> Vec<Value> {
        for ending in ENDINGS {
            let mode = std::fs::metadata(self.file(ending))
                .expect("a trace file")
                .permissions()
                .mode();
            assert_eq!(mode & 0o7777, 0o600, ".{ending}");
        }
        let page = self.text("html");
        assert!(
            page.starts_with("<!doctype html>")
                && page.contains("</main>\n<section class=\"banner ")
                && page.ends_with("</body>\n</html>\n"),
            "{page}"
        );
        let opened = page.matches("<details").count();
        assert_eq!(opened, page.matches("</details>").count(), "{page}");
        let diagram = self.text("mmd");
        assert!(
            diagram.starts_with("sequenceDiagram\n") && diagram.ends_with('\n'),
            "{diagram}"
        );
        assert!(self.entries().iter().all(Value::is_object));
        events(&self.text("json"))
    }

    fn entries(&self) -> Vec<Value> {
        let archive: Value = serde_json::from_str(&self.text("har")).expect("JSON");
        assert_eq!(archive["log"]["version"], "1.2");
        archive["log"]["entries"].as_array().expect("entries").clone()
    }

    /// `METHOD PATH STATUS` of each entry of the archive.
    fn exchanges(&self) -> Vec<String> {
        let entries = self.entries();
        let shown = entries.iter().map(|entry| {
            let url = entry["request"]["url"].as_str().expect("a URL");
            let url = url::Url::parse(url).expect("a URL");
            let path = url.path();
            let method = entry["request"]["method"].as_str().expect("a method");
            format!("{method} {path} {}", entry["response"]["status"])
        });
        shown.collect()
    }

    /// A stored session whose access token has ended.
    fn require_session(&self) {
        self.home.configure(&format!(
            "[profile.work]\nissuer = \"{}\"\nclient_id = \"desktop\"\n",
            self.server.origin()
        ));
        let mut session = ending_in(-10, refreshable(&self.server.origin()));
        session.endpoints.revocation = Some(endpoint(&self.server.url("/revoke")));
        self.home.keep("work", &session);
    }
}

#[track_caller]
fn events(text: &str) -> Vec<Value> {
    assert!(text.ends_with('\n'), "{text}");
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert!(lines.iter().all(|line| line["v"] == 1), "{text}");
    lines
}

fn names(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .map(|event| event["event"].as_str().expect("a name"))
        .collect()
}

const DISCOVERY_WITH_404: &str = "/.well-known/openid-configuration";

#[test]
fn a_login_is_told_from_party_to_party_in_all_four_files() {
    let stage = Stage::set();
    // the first URL has a page, the second one the document
    stage
        .server
        .on("GET", "/.well-known/oauth-authorization-server", html(404, "no"));
    stage.server.on(
        "GET",
        DISCOVERY_WITH_404,
        json(200, &authorization_server::metadata(&stage.server.origin())),
    );
    let (outcome, url) = complete_seeing_url(&mut stage.traced_login(&[]), &stage.server.origin());
    outcome.expect_code(0);
    let events = stage.whole();
    // what is noted depends on where the tests run, and a callback may come before the URL is asked for
    let names: Vec<&str> = names(&events)
        .into_iter()
        .filter(|name| !["note", "browser_overdue"].contains(name))
        .collect();
    assert_eq!(
        names,
        [
            "trace_begins",
            "step",
            "request",
            "response",
            "discovery_tried",
            "request",
            "response",
            "discovery_tried",
            "check_passed",
            "check_passed",
            "detail",
            "detail",
            "detail",
            "step",
            "message",
            "authorization_url",
            "step",
            "wait_begins",
            "step",
            "step",
            "message",
            "check_passed",
            "check_passed",
            "wait_ends",
            "step",
            "message",
            "request",
            "response",
            "step",
            "message",
            "decision",
            "stored",
            "callback_answered",
            "outcome",
            "outcome",
            "outcome",
            "outcome",
        ]
    );
    let tried: Vec<&Value> = events
        .iter()
        .filter(|event| event["event"] == "discovery_tried")
        .collect();
    assert_eq!(
        (&tried[0]["taken"], &tried[0]["reason"]),
        (&Value::Bool(false), &Value::from("404"))
    );
    assert_eq!(
        (&tried[1]["taken"], &tried[1]["reason"]),
        (&Value::Bool(true), &Value::Null)
    );
    assert_eq!(tried[1]["url"], stage.server.url(DISCOVERY_WITH_404));
    let parties = |name: &str| {
        let event = events.iter().find(|event| event["event"] == name).expect("the event");
        format!(
            "{} -> {}",
            event["from"].as_str().unwrap(),
            event["to"].as_str().unwrap()
        )
    };
    assert_eq!(parties("request"), "client -> authorization server");
    assert_eq!(parties("response"), "authorization server -> client");
    assert_eq!(parties("stored"), "client -> credential store");
    assert_eq!(parties("authorization_url"), "client -> resource owner");
    let response = events.iter().rfind(|event| event["event"] == "response").expect("one");
    assert!(
        response["connect_ms"].is_u64() && response["first_byte_ms"].is_u64(),
        "{response}"
    );
    assert_eq!(response["name_lookup_ms"], Value::Null, "the URL holds an address");

    assert_eq!(
        stage.exchanges(),
        [
            "GET /.well-known/oauth-authorization-server 404",
            &format!("GET {DISCOVERY_WITH_404} 200"),
            "GET /authorize 302",
            "POST /token 200",
            "GET /callback 200",
        ]
    );
    for part in [
        "client->>browser: authorization request",
        "token request: POST /token",
        "client->>store: ",
    ] {
        assert!(stage.text("mmd").contains(part), "{part}: {}", stage.text("mmd"));
    }
    for part in [
        "authorization request",
        "token request: POST /token",
        "as a command",
        "connect",
    ] {
        assert!(stage.text("html").contains(part), "{part}: {}", stage.text("html"));
    }
    let state = parameter(&url, "state");
    for ending in ENDINGS {
        let text = stage.text(ending);
        for secret in [CODE, ACCESS_TOKEN, REFRESH_TOKEN, &state] {
            assert!(!text.contains(secret), ".{ending}: {text}");
        }
        assert!(text.contains("sha256 "), ".{ending}: {text}");
    }
}

#[test]
fn a_name_is_looked_up_and_that_takes_time() {
    let stage = Stage::set();
    let by_name = stage.server.origin().replace("127.0.0.1", "localhost");
    let metadata = authorization_server::metadata(&by_name);
    stage
        .server
        .on("GET", "/.well-known/oauth-authorization-server", json(200, &metadata));
    let mut command = stage.home.oauth();
    command
        .args(["login", &by_name, "--client-id=desktop", "--no-browser", "--trace"])
        .arg(stage.file("json"));
    complete(&mut command, &by_name).expect_code(0);
    let events = events(&stage.text("json"));
    let response = events.iter().find(|event| event["event"] == "response").expect("one");
    for part in ["name_lookup_ms", "connect_ms", "first_byte_ms"] {
        assert!(response[part].is_u64(), "{part}: {response}");
    }
}

#[test]
fn the_variable_names_a_file_too_and_the_flag_goes_before_it() {
    let stage = Stage::set();
    let variable = stage.home.path().join("variable.json");
    let mut command = stage.login(&[]);
    command.env("OAUTH_TRACE", &variable);
    stage.complete(&mut command).expect_code(0);
    assert!(events(&std::fs::read_to_string(&variable).expect("the file")).len() > 10);

    std::fs::remove_file(&variable).expect("removing it");
    let mut command = stage.traced_login(&[]);
    command.env("OAUTH_TRACE", &variable);
    stage.complete(&mut command).expect_code(0);
    stage.whole();
    assert!(!variable.exists());

    let outcome = run(stage.home.oauth().arg("status").env("OAUTH_TRACE", "trace.txt"));
    outcome.expect_error(2).says(&["`trace.txt`"]);
}

#[test]
fn another_ending_is_refused_before_anything_happens() {
    let stage = Stage::set();
    let browser = MarkingBrowser::new(stage.home.path());
    for name in ["trace.xml", "trace", ".json", "trace.JSON", "trace.json.gz"] {
        let mut command = login::login(&stage.home, &stage.server, &["--browser", &browser.command, "--trace"]);
        command
            .arg(stage.file("json"))
            .arg("--trace")
            .arg(stage.home.path().join(name));
        run(&mut command)
            .expect_error(2)
            .says(&[name, ".json", ".har", ".html", ".mmd", "hint: "]);
        assert!(!stage.home.path().join(name).exists());
        assert!(!stage.file("json").exists(), "a good one beside it is not made either");
    }
    assert!(!browser.was_run());
    assert!(stage.server.requests().is_empty());
    login::assert_nothing_kept(&stage.home);
}

#[test]
fn a_file_that_cannot_be_written_is_told_before_the_browser_opens() {
    let stage = Stage::set();
    let browser = MarkingBrowser::new(stage.home.path());
    let path = |name: &str| stage.home.path().join(name);
    std::fs::create_dir(path("folder.html")).expect("a folder");
    std::fs::write(path("real.har"), "as it was").expect("a file");
    symlink(path("real.har"), path("link.har")).expect("a link");
    symlink(path("nowhere"), path("dangling.har")).expect("a link");
    assert!(
        Command::new("mkfifo")
            .arg(path("pipe.mmd"))
            .status()
            .expect("mkfifo")
            .success()
    );
    for (name, said) in [
        ("folder.html", "folder.html"),
        ("link.har", "is a symbolic link"),
        ("dangling.har", "is a symbolic link"),
        ("pipe.mmd", "pipe.mmd"),
        ("missing/trace.json", "cannot be written"),
    ] {
        let mut command = login::login(&stage.home, &stage.server, &["--browser", &browser.command, "--trace"]);
        run(command.arg(path(name)))
            .expect_error(2)
            .says(&[said, name, "hint: "]);
    }
    assert_eq!(
        std::fs::read_to_string(path("real.har")).expect("the file"),
        "as it was"
    );
    assert!(!path("nowhere").exists());
    assert!(!browser.was_run());
    assert!(stage.server.requests().is_empty());
}

#[test]
fn what_was_there_before_is_overwritten_and_hidden_from_others() {
    let stage = Stage::set();
    for ending in ENDINGS {
        std::fs::write(stage.file(ending), "").expect("a file");
        let readable = std::fs::Permissions::from_mode(0o644);
        std::fs::set_permissions(stage.file(ending), readable).expect("its mode");
    }
    stage.complete(&mut stage.traced_login(&[])).expect_code(0);
    stage.whole();
    // a second login replaces the traces of the first
    let first = stage.text("json");
    stage.complete(&mut stage.traced_login(&[])).expect_code(0);
    stage.whole();
    assert!(!stage.text("json").contains(first.lines().next().expect("a line")));
}

#[test]
fn a_file_that_is_not_a_trace_is_never_overwritten() {
    let stage = Stage::set();
    for ending in ENDINGS {
        let note = format!("{{\"my\": \"notes\"}}\nabout {ending}\n");
        std::fs::write(stage.file(ending), &note).expect("a file");
        let mut command = stage.login(&["--trace"]);
        run(command.arg(stage.file(ending)))
            .expect_error(2)
            .says(&["is not a trace of oauth", "--trace"]);
        assert_eq!(stage.text(ending), note);
    }
    assert!(stage.server.requests().is_empty());
}

#[test]
fn a_pipe_with_a_reader_gets_the_trace() {
    let stage = Stage::set();
    let pipe = stage.home.path().join("pipe.har");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let reading = std::thread::spawn({
        let pipe = pipe.clone();
        move || std::fs::read_to_string(pipe).expect("the trace")
    });
    // keeps the pipe open until the program has it, whichever is first
    let held = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(&pipe)
        .expect("the pipe");
    let mut command = stage.login(&["--trace"]);
    stage.complete(command.arg(&pipe)).expect_code(0);
    drop(held);
    let har: Value = serde_json::from_str(&reading.join().expect("the reader")).expect("whole JSON");
    assert_eq!(har["log"]["creator"]["name"], "oauth");
}

#[test]
fn the_files_are_whole_after_each_signal() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let stage = Stage::set();
        let running = Running::start(&mut stage.traced_login(&[]));
        running.authorization_url();
        running.line_with("waiting for the browser");
        running.signal(signal);
        running.end().expect_code(code);
        let events = stage.whole();
        let last = events.last().expect("an event");
        assert_eq!(
            (&last["event"], &last["exit_code"]),
            (&"failed".into(), &code.into()),
            "{last}"
        );
    }
}

#[test]
fn a_request_that_was_cut_short_is_in_the_archive() {
    let stage = Stage::set();
    stage.server.on("POST", "/token", Reply::silence());
    let running = Running::start(&mut stage.traced_login(&[]));
    let url = running.authorization_url();
    let issuer = stage.server.origin();
    // its page comes when the login is over
    let browser = std::thread::spawn(move || consent(&url, &issuer));
    stage.server.wait_for("/token", 1);
    running.signal(Signal::INT);
    running.end().expect_code(130);
    browser.join().expect("the browser gets its page");
    assert_eq!(stage.exchanges().last().expect("an entry"), "POST /token 0");
    assert_eq!(names(&stage.whole()).last(), Some(&"failed"));
}

#[test]
fn the_files_are_whole_after_a_kill() {
    let stage = Stage::set();
    stage.server.on("POST", "/token", Reply::silence());
    let running = Running::start(&mut stage.traced_login(&[]));
    let url = running.authorization_url();
    let issuer = stage.server.origin();
    let browser = std::thread::spawn(move || authorization_server::callback_url(&url, &issuer));
    let callback = browser.join().expect("a URL");
    let browser = std::thread::spawn(move || super::support::callback::get_url(&callback));
    stage.server.wait_for("/token", 1);
    running.signal(Signal::KILL);
    assert_eq!(running.end().code, None);
    let _ = browser.join().expect("the browser ends");
    assert_eq!(names(&stage.whole()).last(), Some(&"request"));
    assert_eq!(stage.exchanges().last().expect("an entry"), "POST /token 0");
}

#[test]
fn the_files_are_whole_after_every_failure_and_end_with_it() {
    type Breaking = fn(&LiteralServer);
    let failures: [(i32, &str, Breaking); 6] = [
        (3, "cannot be fetched", |server| {
            server.on("GET", "/.well-known/oauth-authorization-server", Reply::reset());
        }),
        (6, "publishes no metadata", |server| {
            server.on("GET", "/.well-known/oauth-authorization-server", html(404, "no"));
        }),
        (6, "cannot be used", |server| {
            let other = authorization_server::metadata("https://other.example");
            server.on("GET", "/.well-known/oauth-authorization-server", json(200, &other));
        }),
        (5, "was not exchanged", |server| {
            server.on("POST", "/token", json(400, r#"{"error":"invalid_grant"}"#));
        }),
        (3, "cannot be exchanged", |server| {
            server.on("POST", "/token", Reply::reset());
        }),
        (6, "was not exchanged", |server| {
            server.on("POST", "/token", json(200, r#"{"token_type":"Bearer"}"#));
        }),
    ];
    for (code, message, breaking) in failures {
        let stage = Stage::set();
        breaking(&stage.server);
        let running = Running::start(&mut stage.traced_login(&[]));
        let reaches_the_token_endpoint = message.contains("exchanged");
        if reaches_the_token_endpoint {
            consent(&running.authorization_url(), &stage.server.origin());
        }
        let outcome = running.end().expect_code(code);
        let events = stage.whole();
        let last = events.last().expect("an event");
        assert_eq!(
            (&last["event"], &last["exit_code"]),
            (&"failed".into(), &code.into()),
            "{outcome:?}"
        );
        assert!(last["message"].as_str().expect("text").contains(message), "{last}");
        assert!(stage.text("html").contains(&format!("exit code {code}: ")));
        assert!(stage.text("mmd").contains(&format!("exit code {code}: ")));
        // no 500 of the server, which another line would show
        for ending in ["html", "mmd"] {
            let page = stage.text(ending);
            assert_eq!(
                page.contains("the failure page (500)"),
                reaches_the_token_endpoint,
                "{ending}"
            );
            assert!(!page.contains("Internal Server Error"), "{ending}");
        }
    }
    // one that is found before the first event
    let stage = Stage::set();
    let mut command = stage.home.oauth();
    command
        .args(["login", "http://example.com", "--client-id=x", "--trace"])
        .arg(stage.file("json"));
    run(&mut command).expect_error(2);
    assert_eq!(names(&events(&stage.text("json"))), ["trace_begins", "failed"]);
}

#[test]
fn a_file_that_cannot_grow_stays_whole_and_ends_no_login() {
    for ending in ["json", "har"] {
        let stage = Stage::set();
        let login = stage.login(&["--no-store"]);
        // 3 KiB a file, and an error instead of a signal beyond that
        let mut command = Command::new("sh");
        command
            .args(["-c", "trap '' XFSZ; ulimit -f 6; exec \"$@\"", "sh"])
            .arg(login.get_program())
            .args(login.get_args())
            .arg("--trace")
            .arg(stage.file(ending))
            .env_clear()
            .envs(login.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let outcome = stage.complete(&mut command).expect_code(0);
        let warnings = outcome.warnings();
        assert_eq!(warnings.lines().count(), 1, "{outcome:?}");
        assert!(
            warnings.contains("trace file") && warnings.contains("cannot be written"),
            "{warnings}"
        );
        let text = stage.text(ending);
        assert!(text.len() <= 3072);
        if ending == "har" {
            assert!(!stage.entries().is_empty());
        } else {
            assert!(events(&text).len() > 5);
        }
    }
}

#[test]
fn secrets_are_in_the_files_on_request_alone_which_then_say_so() {
    let stage = Stage::set();
    stage
        .complete(&mut stage.traced_login(&["--show-secrets"]))
        .expect_code(0);
    stage.whole();
    for (ending, mark) in [
        ("json", "\"contains_secrets\":true"),
        ("har", "CONTAINS SECRETS"),
        ("html", "This page contains secrets"),
        ("mmd", "CONTAINS SECRETS"),
    ] {
        let text = stage.text(ending);
        assert!(text.contains(mark) && text.contains(CODE), ".{ending}: {text}");
        assert!(!text.contains("[redacted"), ".{ending}: {text}");
    }
}

#[test]
fn a_refresh_and_a_logout_are_traced() {
    let stage = Stage::set();
    stage.require_session();
    stage.server.on("POST", "/revoke", json(200, "{}"));
    let traced = |arguments: &[&str]| {
        let mut command = stage.home.oauth();
        command.args(arguments).arg("--trace").arg(stage.file("json"));
        run(&mut command).expect_code(0);
        events(&stage.text("json"))
    };
    let refreshed = traced(&["token", "work"]);
    assert_eq!(
        names(&refreshed),
        [
            "trace_begins",
            "decision",
            "message",
            "request",
            "response",
            "message",
            "refreshed",
            "stored"
        ]
    );
    assert_eq!(refreshed[2]["title"], "refresh request");
    assert_eq!(
        (&refreshed[6]["expires_in"], &refreshed[6]["rotated"]),
        (&3600.into(), &true.into())
    );
    // nothing to do: nothing but the beginning
    assert_eq!(names(&traced(&["token", "work"])), ["trace_begins"]);
    let revoked = traced(&["logout", "work"]);
    assert_eq!(
        names(&revoked),
        [
            "trace_begins",
            "decision",
            "message",
            "request",
            "response",
            "revoked",
            "message",
            "request",
            "response",
            "revoked",
            "forgotten",
            "outcome"
        ]
    );
    assert_eq!(revoked[5]["token_type"], "refresh_token");
}

#[test]
fn a_second_try_is_an_event() {
    let stage = Stage::set();
    stage.require_session();
    let answer = json(200, &authorization_server::token_answer());
    stage.server.on_each("POST", "/token", vec![Reply::reset(), answer]);
    let mut command = stage.home.oauth();
    run(command.args(["token", "work", "--trace"]).arg(stage.file("json")))
        .expect_code(0)
        .says(&["warning: the answer to the refresh was lost; asking once more"]);
    let events = events(&stage.text("json"));
    let retried = events
        .iter()
        .find(|event| event["event"] == "retried")
        .expect("the second try");
    assert_eq!(retried["to"], "authorization server");
    assert!(events.iter().any(|event| event["event"] == "request_failed"));
}

#[test]
fn the_demo_is_traced_to_the_resource_server_and_back() {
    let stage = Stage::set();
    let mut command = stage.home.oauth();
    command.args(["demo", "--unattended"]);
    for ending in ENDINGS {
        command.arg("--trace").arg(stage.file(ending));
    }
    run(&mut command).expect_code(0);
    let events = stage.whole();
    let call = events
        .iter()
        .find(|event| event["to"] == "resource server")
        .expect("the call");
    assert!(call["url"].as_str().expect("a URL").ends_with("/api/hello"), "{call}");
    for name in ["refreshed", "revoked"] {
        assert!(names(&events).contains(&name), "{name}");
    }
    assert!(!names(&events).contains(&"stored"), "there is no keyring");
}

/// The command that `-vv` shows for the refresh request.
fn shown_command(stderr: &str) -> String {
    let lines = stderr.lines().skip_while(|line| !line.starts_with("    curl "));
    let mut command = String::new();
    for line in lines {
        command += &format!("{line}\n");
        if !line.ends_with('\\') {
            break;
        }
    }
    command
}

#[test]
fn the_curl_command_sends_the_same_request_again() {
    if !installed::all(&["curl"], "curl") {
        return;
    }
    let stage = Stage::set();
    stage.home.configure(&format!(
        "[profile.work]\nissuer = \"{}\"\nclient_id = \"desk top's\"\nscope = [\"a\"]\ntoken_param.odd = \"it's $HOME `x` & more\"\n",
        stage.server.origin()
    ));
    let mut session = refreshable(&stage.server.origin());
    session.requested.scope = scope("a");
    session.client.id = ClientId::parse("desk top's").expect("a client ID");
    session.client.method = ClientAuthenticationMethod::ClientSecretBasic;
    session.client.secret = Some("canary-secret".into());
    stage.home.keep("work", &ending_in(-10, session));
    let outcome = run(stage.home.oauth().args(["token", "work", "-vv"])).expect_code(0);
    let command = shown_command(&outcome.stderr);
    assert!(
        !command.contains("canary") && !command.contains(KEPT_REFRESH_TOKEN),
        "{command}"
    );
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &command])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("no_proxy", "*")
        .env("CLIENT_SECRET", "canary-secret")
        .env("REFRESH_TOKEN", KEPT_REFRESH_TOKEN);
    run(&mut shell).expect_code(0);
    let requests = stage.server.requests_to("/token");
    let [own, curls] = requests.as_slice() else {
        panic!("{command}: {requests:?}");
    };
    assert_eq!(curls.form(), own.form(), "{command}");
    assert!(
        value_of(&own.form(), "odd").is_some_and(|odd| odd.contains("`x` &")),
        "{own:?}"
    );
    for header in ["authorization", "accept", "content-type"] {
        assert_eq!(curls.header(header), own.header(header), "{command}");
    }
}

#[test]
fn wide_values_go_on_below_themselves_at_a_terminal() {
    let stage = Stage::set();
    stage.require_session();
    let terminal = Terminal::with_columns(60);
    let mut command = stage.home.oauth();
    command.args(["token", "work", "-vv", "--color", "never"]);
    let mut child = terminal.start(&mut command);
    let shown = terminal.last_screen();
    assert!(child.wait().expect("its end").success(), "{shown}");
    let lines: Vec<&str> = shown.lines().map(|line| line.trim_end_matches('\r')).collect();
    let too_wide = |line: &&&str| line.chars().count() > 60 && !line.contains("--data-urlencode");
    assert_eq!(lines.iter().find(too_wide), None, "{shown}");
    let at = lines
        .iter()
        .position(|line| line.starts_with("  > refresh_token"))
        .expect("the parameter");
    assert!(lines[at + 1].starts_with("  >                         "), "{shown}");
}

#[test]
fn the_page_opens_in_a_browser_without_network_and_script() {
    let Some(chromium) = Chromium::start() else { return };
    let stage = Stage::set();
    stage.server.on(
        "POST",
        "/token",
        json(
            400,
            r#"{"error":"invalid_grant","error_description":"<script>document.title='acted'</script>"}"#,
        ),
    );
    let running = Running::start(&mut stage.traced_login(&[]));
    consent(&running.authorization_url(), &stage.server.origin());
    running.end().expect_code(5);
    let requests = stage.server.connections();
    chromium.go_to(&format!("file://{}", stage.file("html").display()));
    assert_eq!(chromium.heading(), "oauth login");
    assert!(chromium.text().contains("400 Bad Request"), "{}", chromium.text());
    // the answer that it failed by is open, and what was sent is not
    assert!(!chromium.text().contains("as a command".to_uppercase().as_str()));
    assert!(
        chromium.text().contains("<script>document.title"),
        "{}",
        chromium.text()
    );
    chromium.look("trace-1");
    chromium.click(".banner a");
    let is_in_sight = "const box = document.querySelector(':target').getBoundingClientRect(); \
                       return box.top >= 0 && box.top < innerHeight";
    assert_eq!(chromium.run(is_in_sight), true);
    chromium.look("trace-2-failure");
    let loaded = chromium.run("return performance.getEntriesByType('resource').length");
    assert_eq!(loaded, 0);
    let title = chromium.run("return document.title");
    assert!(title.as_str().expect("a title").starts_with("OAuth trace, "));
    assert_eq!(stage.server.connections(), requests);
    for width in [700, 1000, 1400] {
        chromium.resize(width, 900);
        let beside = chromium.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth");
        assert_eq!(beside, 0, "at {width} pixels");
        let is_at_top = "const top = selector => document.querySelector(selector).getBoundingClientRect().top; \
                         return top('header') < top('.banner') && top('.banner') < top('main')";
        assert_eq!(chromium.run(is_at_top), true, "at {width} pixels");
    }
}

/// `mermaid.min.js`, where `./test` has put it.
fn mermaid() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign/mermaid/package/dist/mermaid.min.js")
}

#[test]
fn mermaid_draws_the_diagrams_without_an_error() {
    if !installed::file(&mermaid()) {
        return;
    }
    let Some(chromium) = Chromium::start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/trace");
    for name in ["login.mmd", "failed.mmd"] {
        let diagram = std::fs::read_to_string(golden.join(name)).expect("a golden file");
        let page = folder.path().join("page.html");
        let text = format!(
            "<!doctype html><meta charset=utf-8><body><script src=\"file://{}\"></script>",
            mermaid().display()
        );
        std::fs::write(&page, text).expect("the page");
        chromium.go_to(&format!("file://{}", page.display()));
        let drawn = chromium.run_to_end(&format!(
            "const done = arguments[arguments.length - 1]; mermaid.initialize({{ startOnLoad: false }}); \
             mermaid.render('drawn', {}).then(({{ svg }}) => {{ document.body.innerHTML = svg; \
             done([...document.querySelectorAll('.messageText, .noteText')].map(text => text.textContent)) }}, \
             error => done(String(error)))",
            Value::from(diagram.as_str())
        ));
        let labels = drawn.as_array().unwrap_or_else(|| panic!("{name}: {drawn}"));
        assert!(labels.len() > 20, "{labels:?}");
        // what was escaped is shown as it is
        if name == "login.mmd" {
            let shown = |text: &str| {
                labels
                    .iter()
                    .any(|label| label.as_str().is_some_and(|label| label.contains(text)))
            };
            assert!(
                shown("the answer to the refresh was lost; asking once more"),
                "{labels:?}"
            );
        }
    }
}

/// What an API is asked, and where its metadata come from, is in the lane of the
/// resource server, in the list and in the diagrams.
#[test]
fn a_login_at_an_api_shows_the_api_apart_from_its_authorization_server() {
    let (home, server) = (Home::new(), DevelopmentServer::start(&["--approve", "auto"]));
    let file = |ending: &str| home.path().join(format!("trace.{ending}"));
    let mut command = home.oauth();
    command.args(["login", &format!("{}/mcp", server.issuer()), "--no-browser"]);
    for ending in ENDINGS {
        command.arg("--trace").arg(file(ending));
    }
    let running = Running::start(&mut command);
    let back = PlainBrowser::new().go_to(&running.authorization_url()).elsewhere();
    let _ = get_url(back.as_str());
    running.end().expect_code(0);
    let read = |ending: &str| std::fs::read_to_string(file(ending)).expect("a trace file");
    let events = events(&read("json"));
    let requests = events.iter().filter(|event| event["event"] == "request");
    for request in requests.clone() {
        let url = request["url"].as_str().expect("a URL");
        let is_of_api = url.ends_with("/mcp") && !url.contains("authorization-server") && !url.contains("openid");
        let party = match is_of_api {
            true => "resource server",
            false => "authorization server",
        };
        assert_eq!(request["to"], party, "{url}");
    }
    let to_api = requests.filter(|request| request["to"] == "resource server").count();
    assert!(to_api >= 2, "{events:#?}");
    let diagram = read("mmd");
    let (lane, _) = diagram.split_once(" as resource server").expect("the lane");
    let name = lane.rsplit(' ').next().expect("its name");
    assert_eq!(diagram.matches(&format!("->>{name}: ")).count(), to_api, "{diagram}");
    // the lane is shown: no rule hides its name
    let page = read("html");
    assert!(page.contains("<span>resource server</span>"), "{page}");
    assert!(!page.contains(".parties span:nth-child(5){display:none}"), "{page}");
}

#[test]
fn a_page_has_the_whole_command_without_its_secrets() {
    let home = Home::new();
    let page = home.path().join("trace.html");
    let token = "Zm9v".repeat(20);
    let trace = |words: &[&str]| {
        run(home.oauth().args(words).arg("--trace").arg(&page));
        std::fs::read_to_string(&page).expect("a trace file")
    };
    let text = trace(&["token", "work", "--scope", "a <b>", "--format", "header"]);
    assert!(
        text.contains("<code>oauth token work --scope &#39;a &lt;b&gt;&#39; --format header --trace ")
            || text.contains("<code>oauth token work --scope 'a &lt;b&gt;' --format header --trace "),
        "{text}"
    );
    for words in [
        &["token", &token][..],
        &["request", "https://api.example.com/", "-H", &format!("X-Key: {token}")],
        &["request", "https://api.example.com/", "-d", &token],
    ] {
        let text = trace(words);
        assert!(!text.contains(&token) && text.contains("[redacted, "), "{text}");
    }
}
