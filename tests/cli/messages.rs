//! Every text that a person meets, on a few pages: help, usage errors, errors
//! of each command, reports. A changed word shows as a changed snapshot, so that
//! a reviewer reads all of them in one place (`tests/cli/snapshots`).
//!
//! To accept changes: `INSTA_UPDATE=always cargo test --test cli messages::`.

use crate::support::authorization_server::{self, callback_url_with, metadata};
use crate::support::binary::Home;
use crate::support::callback;
use crate::support::development_server::DevelopmentServer;
use crate::support::literal_server::{LiteralServer, Reply, html, json, redirect, status};
use crate::support::login::{complete, complete_at, login, parameter};
use crate::support::outcome::{Outcome, run, run_with_input};
use crate::support::running::Running;
use crate::support::sessions::{ending_in, log_in, refreshable, session};
use std::fmt::Write;
use std::process::Command;

const SERVER_METADATA: &str = "/.well-known/oauth-authorization-server";
const OPENID: &str = "/.well-known/openid-configuration";

/// What differs from run to run, and what is shown in its place.
const FILTERS: [(&str, &str); 19] = [
    (
        r"(127\.0\.0\.1|localhost|\[::1\]|\.example)([:-]|%3A)\d{4,5}\b",
        "${1}${2}PORT",
    ),
    (r"-([pL]) \d{4,5}:\d{4,5}\b", "-$1 PORT:PORT"),
    (r"-p 127\.0\.0\.1:PORT:\d{4,5}\b", "-p 127.0.0.1:PORT:PORT"),
    (r"-([pL]) \d{4,5}:", "-$1 PORT:"),
    (r"--port \d{4,5}\b", "--port PORT"),
    (r"0\.0\.0\.0:\d{4,5}\b", "0.0.0.0:PORT"),
    (r":127\.0\.0\.1:\d{4,5}\b", ":127.0.0.1:PORT"),
    (r"(request_uri%3A)[A-Za-z0-9_-]{43}", "${1}RANDOM"),
    (r"=[A-Za-z0-9_-]{43}(&|\s)", "=RANDOM${1}"),
    (r"\b[A-Za-z0-9_-]{43}\b", "RANDOM"),
    // one that begins or ends with a hyphen has no word boundary there
    (r"([= ])[A-Za-z0-9_-]{43}([^A-Za-z0-9_-])", "${1}RANDOM${2}"),
    (r"sha256 [0-9a-f]{4,}", "sha256 HASH"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME"),
    (r"\b\d\d:\d\d:\d\d\b", "CLOCK"),
    // the same in the last hour of a day, where the end is tomorrow
    (r"\b\d{4}-\d\d-\d\d \d\d:\d\d\b", "CLOCK"),
    (r#""expires_in":3(600|59\d)"#, r#""expires_in":3600"#),
    (r#""expires_at":\d+"#, r#""expires_at":SECONDS"#),
    (r"\b\d+(\.\d+)? ms\b", "N ms"),
    // a token of an hour that was issued a second ago
    (r"\b(59|60) min\b", "60 min"),
];

/// A page of messages: each command line with its exit code and what it wrote.
#[derive(Default)]
struct Page(String);

impl Page {
    /// Adds one run. `home` is shown as `~`.
    fn add(&mut self, title: &str, home: &Home, outcome: &Outcome) {
        let code = outcome.code.map_or("signal".to_owned(), |code| code.to_string());
        let home = home.path().display().to_string();
        let _ = writeln!(self.0, "━━━ {title} [{code}]");
        for (stream, text) in [("stdout", &outcome.stdout), ("stderr", &outcome.stderr)] {
            if !text.is_empty() {
                let _ = writeln!(self.0, "─── {stream}\n{}", text.replace(&home, "~").trim_end());
            }
        }
        self.0.push('\n');
    }

    /// Runs `oauth` with these words and adds what came of it.
    fn run(&mut self, home: &Home, words: &str) {
        let arguments = shell_words::split(words).expect("words");
        let outcome = run(home.oauth().args(&arguments));
        let title = words.replace(&home.path().display().to_string(), "~");
        self.add(&format!("oauth {title}"), home, &outcome);
    }

    /// Compares the page with its snapshot.
    #[track_caller]
    fn assert(self, name: &str) {
        let mut settings = insta::Settings::clone_current();
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        for (pattern, shown) in FILTERS {
            settings.add_filter(pattern, shown);
        }
        settings.bind(|| insta::assert_snapshot!(name, self.0));
    }
}

/// Every command, as the command line names it.
pub(crate) const COMMANDS: [&str; 33] = [
    "",
    "login",
    "token",
    "exec",
    "request",
    "mcp",
    "credential",
    "credential git",
    "credential docker",
    "credential aws",
    "logout",
    "status",
    "profile",
    "profile list",
    "profile show",
    "profile set",
    "profile use",
    "profile remove",
    "discover",
    "check",
    "decode",
    "userinfo",
    "introspect",
    "revoke",
    "pkce",
    "serve",
    "demo",
    "providers",
    "man",
    "completions",
    "help",
    "login -h",
    "token -h",
];

#[test]
fn help() {
    let (home, mut page) = (Home::new(), Page::default());
    for command in COMMANDS {
        let words = match command {
            "" => "--help".to_owned(),
            "help" => "help".to_owned(),
            short if short.ends_with("-h") => short.to_owned(),
            command => format!("{command} --help"),
        };
        page.run(&home, &words);
    }
    page.assert("help");
}

/// Command lines that are refused, or that need nothing but themselves.
pub(crate) const USAGE_ERRORS: &[&str] = &[
    "",
    "--version",
    "lgoin",
    "login --isuer x",
    "login --timeout 5",
    "login --client-auth basic --issuer https://id.example.com --client-id c",
    "login --issuer id.example.com --client-id c",
    "login --issuer https://id.example.com#x --client-id c",
    "login --issuer https://user:pw@id.example.com --client-id c",
    "login --issuer http://id.example.com --client-id c",
    "login --issuer https://id.example.com",
    "login",
    "login --client-id c",
    "login work -v",
    "login https://api.example.com --issuer https://id.example.com",
    "login https://id.example.com --client-id c --redirect-uri https://nowhere.invalid/cb",
    "login https://id.example.com --client-id c --redirect-uri http://127.0.0.1:80/cb --port 81",
    "login https://id.example.com --client-id c --param state=x",
    "login https://id.example.com --client-id c --token-param code=x",
    "login https://id.example.com --client-id c --scope 'a\"b'",
    "login https://id.example.com --client-id c --resource api",
    "login https://id.example.com --client-id c --client-secret-file absent",
    "login https://id.example.com --client-id c --store cupboard",
    "login https://id.example.com --client-id c --trace x.txt",
    "login https://id.example.com --client-id c --proxy http://u:pw@proxy.example",
    "login https://id.example.com --client-id c --cacert absent.pem",
    "login https://id.example.com --client-id c --authorization-endpoint https://id.example.com/authorize",
    "--json login",
    "--json login --timeout 5",
    "token --format xml",
    "token --json --format raw",
    "token --min-ttl 60",
    "token work",
    "--config absent.toml token",
    "decode eyJhbGciOiJub25lIn0.e30.",
    "revoke eyJhbGciOiJub25lIn0.e30.",
    "serve --port 70000",
    "serve --user demo",
    "serve --break no.such-rule",
    "serve --fail token",
    "check --rule no.such-rule https://id.example.com --client-id c",
    "completions tcsh",
    "profile set work issuer=x",
    "profile set work colour=red",
    "profile use work",
    "profile remove work",
    "profile show work",
];

#[test]
fn usage() {
    let (home, mut page) = (Home::new(), Page::default());
    for words in USAGE_ERRORS {
        page.run(&home, words);
    }
    home.configure("[profile.work]\nissuer = \"https://id.example.com\"\nclinet_id = \"c\"\n");
    page.run(&home, "status");
    home.configure("[profile.work]\nissuer = 5\n");
    page.run(&home, "token work");
    home.configure(
        "default_profile = \"gone\"\n[profile.work]\nissuer = \"https://id.example.com\"\nclient_id = \"c\"\n",
    );
    page.run(&home, "token");
    page.run(&home, "token wrok");
    page.assert("usage");
}

/// A login that a resource owner consents to at once.
fn consented(page: &mut Page, title: &str, server: &LiteralServer, arguments: &[&str]) {
    let home = Home::new();
    let outcome = complete(&mut login(&home, server, arguments), &server.origin());
    page.add(title, &home, &outcome);
}

fn oauth_error(code: u16, error: &str, description: &str) -> Reply {
    json(
        code,
        &serde_json::json!({"error": error, "error_description": description}).to_string(),
    )
}

#[test]
fn login_succeeds() {
    let mut page = Page::default();
    let server = authorization_server::start();
    consented(&mut page, "login", &server, &[]);
    consented(&mut page, "login -v", &server, &["-v"]);
    consented(&mut page, "login --json", &server, &["--json"]);
    consented(&mut page, "login --no-store", &server, &["--no-store"]);
    consented(
        &mut page,
        "login --scope 'openid offline_access'",
        &server,
        &["--scope", "openid offline_access"],
    );
    let answer = r#"{"access_token":"a","token_type":"Bearer","scope":"read"}"#;
    server.on("POST", "/token", json(200, answer));
    consented(
        &mut page,
        "login --scope 'read write', less granted",
        &server,
        &["--scope", "read write"],
    );
    let real = DevelopmentServer::start(&["--approve", "auto"]);
    let home = Home::new();
    let outcome = complete_at(&real, &home, &["--client-id", "oauth-cli", "--scope", "openid hello"]);
    page.add("login at the development server", &home, &outcome);
    page.assert("login_succeeds");
}

#[test]
fn login_fails_at_the_token_endpoint() {
    let mut page = Page::default();
    for (title, reply) in [
        (
            "invalid_grant",
            oauth_error(400, "invalid_grant", "the code has expired"),
        ),
        ("invalid_client", oauth_error(401, "invalid_client", "")),
        ("500", html(500, "<html>")),
        ("429", status(429)),
        ("redirect", redirect(302, "https://elsewhere.example/token")),
        ("page", html(200, "<html>Welcome to the hotel</html>")),
        ("no token", json(200, "{}")),
        (
            "a token of another type",
            json(200, r#"{"access_token":"a","token_type":"mac"}"#),
        ),
        ("no string", json(200, r#"{"access_token":5,"token_type":"Bearer"}"#)),
        ("a list", json(200, "[]")),
        ("reset", Reply::reset()),
        ("lost", Reply::nothing()),
    ] {
        let server = authorization_server::start();
        server.on("POST", "/token", reply);
        consented(&mut page, title, &server, &[]);
    }
    page.assert("login_fails_at_the_token_endpoint");
}

#[test]
fn login_fails_at_discovery() {
    let mut page = Page::default();
    let document = |change: &dyn Fn(String) -> String| {
        let server = LiteralServer::start();
        server.on("GET", SERVER_METADATA, json(200, &change(metadata(&server.origin()))));
        server
    };
    let with_reply = |path: &str, reply: Reply| {
        let server = LiteralServer::start();
        server.on("GET", path, reply);
        server
    };
    let servers = [
        ("nothing there", LiteralServer::start()),
        (
            "another issuer",
            document(&|text| text.replace("\"issuer\":\"http://127.0.0.1", "\"issuer\":\"http://localhost")),
        ),
        ("a slash more", document(&|text| text.replacen("\",", "/\",", 1))),
        ("no PKCE", document(&|text| text.replace("S256", "plain"))),
        (
            "no token endpoint",
            document(&|text| text.replace("\"token_endpoint\"", "\"other\"")),
        ),
        (
            "http token endpoint",
            document(&|text| {
                text.replace(
                    "\"token_endpoint\":\"http://127.0.0.1",
                    "\"token_endpoint\":\"http://as.example",
                )
            }),
        ),
        ("a page", with_reply(OPENID, html(200, "<html>"))),
        (
            "a redirect",
            with_reply(SERVER_METADATA, redirect(302, "https://id.example.com/")),
        ),
        ("500", with_reply(SERVER_METADATA, status(500))),
    ];
    for (title, server) in servers {
        let home = Home::new();
        let outcome = run(&mut login(&home, &server, &[]));
        page.add(title, &home, &outcome);
        page.add(
            &format!("{title}: discover"),
            &home,
            &run(home.oauth().args(["discover", &server.origin()])),
        );
    }
    page.assert("login_fails_at_discovery");
}

#[test]
fn login_fails_at_the_callback() {
    let mut page = Page::default();
    let responses: [(&str, &[(&str, &str)]); 7] = [
        (
            "access_denied",
            &[("error", "access_denied"), ("state", "STATE"), ("iss", "ISSUER")],
        ),
        (
            "invalid_scope",
            &[
                ("error", "invalid_scope"),
                ("error_description", "no such scope"),
                ("state", "STATE"),
                ("iss", "ISSUER"),
            ],
        ),
        (
            "server_error",
            &[("error", "server_error"), ("state", "STATE"), ("iss", "ISSUER")],
        ),
        (
            "another issuer",
            &[("code", "c"), ("state", "STATE"), ("iss", "https://evil.example")],
        ),
        ("no issuer", &[("code", "c"), ("state", "STATE")]),
        (
            "code and error",
            &[
                ("code", "c"),
                ("error", "access_denied"),
                ("state", "STATE"),
                ("iss", "ISSUER"),
            ],
        ),
        ("an empty code", &[("code", ""), ("state", "STATE"), ("iss", "ISSUER")]),
    ];
    for (title, response) in responses {
        let (home, server) = (Home::new(), authorization_server::start());
        let running = Running::start(&mut login(&home, &server, &[]));
        let url = running.authorization_url();
        let (state, issuer) = (parameter(&url, "state"), server.origin());
        let filled: Vec<(&str, &str)> = response
            .iter()
            .map(|(name, value)| match *value {
                "STATE" => (*name, state.as_str()),
                "ISSUER" => (*name, issuer.as_str()),
                value => (*name, value),
            })
            .collect();
        callback::get_url(&callback_url_with(&url, &filled)).expect("an answer of the listener");
        page.add(title, &home, &running.end());
    }
    let (home, server) = (Home::new(), authorization_server::start());
    let outcome = run(&mut login(&home, &server, &["--timeout", "250ms"]));
    page.add("nothing comes back", &home, &outcome);
    let running = Running::start(&mut login(&home, &server, &["--timeout", "5s"]));
    let url = running.authorization_url();
    callback::get_url(&callback_url_with(
        &url,
        &[("error", "access_denied"), ("state", "another")],
    ))
    .expect("an answer");
    running.signal(rustix::process::Signal::INT);
    page.add("a foreign callback, then Ctrl-C", &home, &running.end());
    let outcome = run_with_input(
        &mut login(&home, &server, &["--paste"]),
        b"https://elsewhere.example/?code=x\n",
    );
    page.add("a pasted URL of elsewhere", &home, &outcome);
    page.assert("login_fails_at_the_callback");
}

#[test]
fn sessions() {
    let mut page = Page::default();
    let server = authorization_server::start();
    let home = Home::new();
    page.run(&home, "status");
    page.run(&home, "token");
    log_in(
        &home,
        &server,
        &["--issuer", &server.origin(), "--client-id", "desktop", "-p", "work"],
    );
    for words in [
        "status",
        "status -v",
        "status work --json",
        "profile list",
        "profile show work",
        "token work --format header",
        "token work --format env",
        "token work --scope admin",
        "token work --id-token",
        "userinfo -p work",
        "introspect -p work",
    ] {
        page.run(&home, words);
    }
    home.keep("work", &ending_in(-60, session(&server.origin())));
    for words in ["token work", "status work"] {
        page.run(&home, words);
    }
    for (title, reply) in [
        ("refused", oauth_error(400, "invalid_grant", "the token was revoked")),
        ("down", status(503)),
        ("page", html(200, "<html>")),
        (
            "forbidden",
            oauth_error(403, "unauthorized_client", "refresh_token is invalid"),
        ),
    ] {
        home.keep("work", &ending_in(-60, refreshable(&server.origin())));
        server.on("POST", "/token", reply);
        page.add(
            &format!("token work: {title}"),
            &home,
            &run(home.oauth().args(["token", "work"])),
        );
        page.add(&format!("status: {title}"), &home, &run(home.oauth().args(["status"])));
    }
    page.run(&home, "logout work");
    page.run(&home, "logout work");
    page.run(&home, "profile remove work");
    page.assert("sessions");
}

#[test]
fn stores() {
    let mut page = Page::default();
    let home = Home::new();
    let oauth = |change: &dyn Fn(&mut Command)| {
        let mut command = home.oauth();
        change(&mut command);
        run(&mut command)
    };
    let keyring = |arguments: &'static [&'static str]| {
        oauth(&|command| {
            command.env("OAUTH_STORE", "keyring").args(arguments);
        })
    };
    home.configure("[profile.work]\nissuer = \"https://id.example.com\"\nclient_id = \"c\"\n");
    page.add("no bus: token", &home, &keyring(&["token", "work"]));
    page.add("no bus: login", &home, &keyring(&["login", "work"]));
    page.add("no bus: status", &home, &keyring(&["status"]));
    page.add(
        "no such helper",
        &home,
        &oauth(&|command| {
            command
                .env("OAUTH_STORE", "command:absent-helper")
                .args(["token", "work"]);
        }),
    );
    page.add(
        "no key file",
        &home,
        &oauth(&|command| {
            command
                .env("OAUTH_STORE_KEY_FILE", "/absent/key")
                .args(["token", "work"]);
        }),
    );
    page.add(
        "nothing is kept",
        &home,
        &oauth(&|command| {
            command.env("OAUTH_STORE", "none").args(["token", "work"]);
        }),
    );
    page.assert("stores");
}

#[test]
fn reports() {
    let mut page = Page::default();
    let server = DevelopmentServer::start(&["--approve", "auto"]);
    let home = Home::new();
    let issuer = server.issuer();
    page.run(&home, &format!("discover {issuer}"));
    page.run(&home, "check --list");
    page.run(&home, "serve --break list");
    page.run(&home, "pkce --help");
    let token = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tIiwic3ViIjoiYWRhIn0.";
    page.add(
        "decode -",
        &home,
        &run_with_input(home.oauth().args(["decode", "-"]), token.as_bytes()),
    );
    page.add(
        "decode - of no token",
        &home,
        &run_with_input(home.oauth().args(["decode", "-"]), b"opaque"),
    );
    let broken = DevelopmentServer::start(&[
        "--approve",
        "auto",
        "--break",
        "pkce.wrong-verifier",
        "--break",
        "token.pragma",
    ]);
    let mut command = home.oauth();
    command.args([
        "check",
        &broken.issuer(),
        "--client-id",
        "oauth-cli",
        "--scope",
        "openid",
    ]);
    command.args([
        "--rule",
        "pkce.wrong-verifier",
        "--rule",
        "token.pragma",
        "--rule",
        "pkce.supported",
    ]);
    page.add("check of three rules, two broken", &home, &run(&mut command));
    let outcome = run(home.oauth().args(["demo", "--unattended", "--store", "file"]));
    page.add("demo --unattended", &home, &outcome);
    page.assert("reports");
}
