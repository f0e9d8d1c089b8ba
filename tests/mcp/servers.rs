//! Servers that are not ours, entered by the URL of an API alone: by `oauth
//! request`, and through `oauth mcp` by the SDK's client over standard input
//! and output and by the inspector.

use super::{PACKAGES, node, oauth};
use crate::support::authorization_server::FakeBrowser;
use crate::support::binary::Home;
use crate::support::callback;
use crate::support::oidc_provider::Provider;
use crate::support::outcome::{Outcome, run, run_with_input};
use crate::support::plain_browser::PlainBrowser;
use crate::support::running::Running;
use crate::support::server_program::ServerProgram;
use serde_json::Value;
use std::net::TcpListener;
use std::process::Command;
use url::Url;

const INITIALIZE: &[u8] = br#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}"#;

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Posts an `initialize` by `oauth request`.
fn request(home: &Home, url: &str) -> Outcome {
    let mut request = oauth(home);
    request
        .args(["request", url, "-H", "Content-Type: application/json"])
        .args(["-H", "Accept: application/json, text/event-stream", "-d", "@-"]);
    run_with_input(&mut request, INITIALIZE).expect_code(0)
}

/// Runs the SDK's client over `oauth mcp`, with these calls of tools: the
/// server's name, its tools, and what each call gave, a line each.
fn client(home: &Home, url: &str, calls: &str) -> Vec<String> {
    let outcome = run(node(home, "client.mjs").args([calls, "oauth", "mcp", url])).expect_code(0);
    outcome.stdout.lines().map(str::to_owned).collect()
}

/// Calls a tool by the inspector over `oauth mcp`.
fn inspect(home: &Home, url: &str, tool: &[&str]) -> String {
    let mut inspector = node(home, &format!("{PACKAGES}/inspector/clients/launcher/build/index.js"));
    inspector
        .args(["--cli", "oauth", "mcp", url, "--method", "tools/call", "--tool-name"])
        .args(tool);
    run(&mut inspector).expect_code(0).stdout
}

#[test]
#[ignore = "./test --mcp"]
fn the_example_server_of_the_sdk_is_used_by_request_and_through_the_bridge() {
    let home = Home::new();
    let (port, authorization_port) = (free_port(), free_port());
    let script = format!("{PACKAGES}/sdk/dist/esm/examples/server/simpleStreamableHttp.js");
    let mut server = node(&home, &script);
    server
        .arg("--oauth")
        .env("MCP_PORT", port.to_string())
        .env("MCP_AUTH_PORT", authorization_port.to_string());
    let _server = ServerProgram::start(&mut server, "MCP Streamable HTTP Server listening");
    let url = format!("http://localhost:{port}/mcp");

    run(oauth(&home).args(["login", &url]))
        .expect_code(0)
        .says(&["registered at localhost", "granted: mcp:tools"]);
    let answer = request(&home, &url);
    assert!(answer.stdout.contains("simple-streamable-http-server"), "{answer:?}");

    let calls = r#"[["greet", {"name": "Alice"}], ["collect-user-info", {"infoType": "contact"}]]"#;
    let lines = client(&home, &url, calls);
    assert_eq!(lines[0], "simple-streamable-http-server");
    assert!(lines[1].contains("greet"), "{lines:?}");
    assert_eq!(lines[2], "Hello, Alice!");
    assert!(lines[3].contains("alice@example.com"), "{lines:?}");
    let inspected = inspect(&home, &url, &["greet", "--tool-arg", "name=Alice"]);
    assert!(inspected.contains("Hello, Alice!"), "{inspected}");
}

/// `api.mjs` behind an authorization server, with a person who logs in there.
struct Stage<'a> {
    home: Home,
    url: String,
    /// Goes through the pages of the authorization server to the callback.
    consent: &'a dyn Fn(&str) -> Url,
    scopes: [&'a str; 2],
}

impl Stage<'_> {
    fn log_in(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Outcome {
        let browser = FakeBrowser::new(self.home.path());
        let running = Running::start(
            oauth(&self.home)
                .args(["login", "--profile", "api", "--browser", &browser.command()])
                .args(arguments)
                .envs(variables.iter().copied()),
        );
        let back = (self.consent)(&browser.wait_for_url());
        let page = callback::get_url(back.as_str()).expect("an answer of the listener");
        assert_eq!(page.status, 200, "{}", page.body_text());
        std::fs::remove_file(self.home.path().join("fake-browser.pipe")).unwrap();
        running.end().expect_code(0)
    }

    fn client_id(&self) -> String {
        let status = run(oauth(&self.home).args(["status", "api", "--json"])).expect_code(0);
        let status: Value = serde_json::from_str(&status.stdout).unwrap();
        status[0]["client_id"].as_str().unwrap().to_owned()
    }

    /// Uses the session in every way: by `request`, through the bridge, after a
    /// refresh, and after a login for another scope.
    fn use_session(&self) {
        let client_id = &self.client_id();
        let answer = request(&self.home, &self.url);
        assert!(answer.stdout.contains("api-with-oauth"), "{answer:?}");
        let [read, write] = self.scopes;
        let lines = client(&self.home, &self.url, r#"[["whoami", {}], ["write", {}]]"#);
        assert_eq!(lines[..2], ["api-with-oauth", "whoami write"]);
        assert!(
            lines[2].contains(client_id) && lines[2].contains(read) && !lines[2].contains(write),
            "{lines:?}"
        );
        assert!(lines[3].contains("oauth login api --scope"), "{lines:?}");
        let inspected = inspect(&self.home, &self.url, &["whoami"]);
        assert!(inspected.contains(client_id), "{inspected}");

        let first = run(oauth(&self.home).args(["token", "api"])).expect_code(0).stdout;
        let second = run(oauth(&self.home).args(["token", "api", "--force-refresh"])).expect_code(0);
        assert_ne!(first, second.stdout);
        request(&self.home, &self.url);

        let (_, arguments) = lines[3].split_once("oauth login ").unwrap();
        let arguments = shell_words::split(arguments.lines().next().unwrap()).unwrap();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.log_in(&arguments[1..], &[]);
        let lines = client(&self.home, &self.url, r#"[["write", {}]]"#);
        assert_eq!(lines[2], "written");
    }
}

#[test]
#[ignore = "./test --mcp"]
fn an_api_behind_better_auth_is_entered_by_its_url_with_a_registered_client() {
    let home = Home::new();
    let server = ServerProgram::start(&mut node(&home, "better-auth.mjs"), "/mcp");
    let consent = |authorization_url: &str| {
        let mut browser = PlainBrowser::new();
        let sign_in = browser.go_to(authorization_url).page();
        let consent = browser.submit(&sign_in, &[("password", "a good password")]).page();
        browser.submit(&consent, &[]).elsewhere()
    };
    let stage = Stage {
        home,
        url: server.line().to_owned(),
        consent: &consent,
        scopes: ["notes:read", "notes:write"],
    };
    stage
        .log_in(&[&stage.url], &[])
        .says(&["registered at 127.0.0.1", "notes:read"]);
    stage.use_session();
}

/// oidc-provider and an API for it; the document is that of the one client
/// that is known by it.
fn oidc_provider(home: &Home, variables: &[(&str, &str)]) -> (Provider, ServerProgram) {
    let provider = Provider::start_with(variables).expect("./test installs oidc-provider");
    let mut api: Command = node(home, "api.mjs");
    api.args([&provider.issuer, "api:read", "api:write"]);
    let api = ServerProgram::start(&mut api, "/mcp");
    (provider, api)
}

#[test]
#[ignore = "./test --mcp"]
fn an_api_behind_oidc_provider_is_entered_by_its_url_with_a_registered_client() {
    let home = Home::new();
    let (provider, api) = oidc_provider(&home, &[]);
    let stage = Stage {
        home,
        url: api.line().to_owned(),
        consent: &|url| provider.sign_in_and_consent(url),
        scopes: ["api:read", "api:write"],
    };
    stage
        .log_in(&[&stage.url], &[])
        .says(&["registered at 127.0.0.1", "api:read"]);
    stage.use_session();
}

#[test]
#[ignore = "./test --mcp"]
fn an_api_behind_oidc_provider_is_entered_with_the_document_that_client_metadata_prints() {
    let home = Home::new();
    let client_id = "https://client.example.test/oauth.json";
    let document = run(oauth(&home).args(["client-metadata", "--url", client_id])).expect_code(0);
    let (provider, api) = oidc_provider(&home, &[("CLIENT_METADATA_DOCUMENT", &document.stdout)]);
    let stage = Stage {
        home,
        url: api.line().to_owned(),
        consent: &|url| provider.sign_in_and_consent(url),
        scopes: ["api:read", "api:write"],
    };
    stage
        .log_in(&[&stage.url], &[("OAUTH_CLIENT_METADATA_URL", client_id)])
        .says(&[client_id]);
    assert_eq!(stage.client_id(), client_id);
    stage.use_session();
}
