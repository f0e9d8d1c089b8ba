//! `oauth login` with the URL of an API (RFC 9728): the API is asked who gives
//! tokens for it, and nothing that it says is believed unchecked.

use crate::support::authorization_server::{self, CODE, callback_url_with, consent, parameters, token_answer};
use crate::support::binary::Home;
use crate::support::callback;
use crate::support::literal_server::{LiteralServer, Reply, json, redirect, status, value_of};
use crate::support::login::{assert_nothing_kept, parameter};
use crate::support::outcome::{Outcome, run};
use crate::support::running::Running;
use serde_json::{Value, json as value};
use std::process::Command;

const SERVER_METADATA: &str = "/.well-known/oauth-authorization-server";
const RESOURCE_METADATA: &str = "/.well-known/oauth-protected-resource";

/// An API at `/mcp`, and the authorization server that gives tokens for it and
/// registers clients.
struct Place {
    home: Home,
    api: LiteralServer,
    server: LiteralServer,
}

impl Place {
    fn new() -> Self {
        let place = Place {
            home: Home::new(),
            api: LiteralServer::start(),
            server: authorization_server::start(),
        };
        place.announce(&value!({}));
        place.describe(&value!({ "scopes_supported": ["read", "write"] }));
        place.register("c1");
        place
    }

    fn url(&self) -> String {
        self.api.url("/mcp")
    }

    /// The authorization server, as people name it.
    fn server_name(&self) -> String {
        self.server.origin().replace("http://", "")
    }

    /// The server's metadata, with these members.
    fn announce(&self, members: &Value) {
        let mut document: Value =
            serde_json::from_str(&authorization_server::metadata(&self.server.origin())).expect("JSON");
        document["registration_endpoint"] = value!(self.server.url("/register"));
        merge(&mut document, members);
        self.server.on("GET", SERVER_METADATA, json(200, &document.to_string()));
    }

    /// The API's metadata at the well-known URL, with these members.
    fn describe(&self, members: &Value) {
        let mut document = value!({ "resource": self.url(), "authorization_servers": [self.server.origin()] });
        merge(&mut document, members);
        let path = format!("{RESOURCE_METADATA}/mcp");
        self.api.on("GET", &path, json(200, &document.to_string()));
    }

    fn register(&self, client: &str) {
        self.server
            .on("POST", "/register", json(201, &self.registration(client).to_string()));
    }

    fn registration(&self, client: &str) -> Value {
        value!({
            "client_id": client,
            "registration_client_uri": self.server.url(&format!("/register/{client}")),
            "registration_access_token": format!("registration-token-of-{client}"),
        })
    }

    /// `oauth login URL` and these arguments.
    fn login(&self, arguments: &[&str]) -> Command {
        let mut command = self.home.oauth();
        command.args(["login", &self.url()]).args(arguments);
        command
    }

    /// Runs it, with a resource owner who consents at once.
    fn complete(&self, arguments: &[&str]) -> (Outcome, String) {
        self.complete_command(&mut self.login(arguments))
    }

    fn complete_command(&self, command: &mut Command) -> (Outcome, String) {
        let running = Running::start(command);
        let url = running.authorization_url();
        consent(&url, &self.server.origin());
        (running.end(), url)
    }

    fn config(&self) -> String {
        std::fs::read_to_string(self.home.config_file()).expect("the configuration file")
    }

    fn registered(&self) -> Vec<Value> {
        let requests = self.server.requests_to("/register");
        let bodies = requests.iter().map(|request| request.body_text().to_owned());
        bodies.map(|body| serde_json::from_str(&body).expect("JSON")).collect()
    }
}

fn merge(document: &mut Value, members: &Value) {
    for (name, member) in members.as_object().expect("an object") {
        match member {
            Value::Null => {
                document.as_object_mut().expect("an object").remove(name);
            }
            member => document[name] = member.clone(),
        }
    }
}

fn lines(server: &LiteralServer) -> Vec<String> {
    let requests = server.requests();
    let lines = requests
        .iter()
        .map(|request| format!("{} {}", request.method, request.target));
    lines.collect()
}

fn challenge(parameters: &str) -> Reply {
    Reply::http(401, &[&format!("WWW-Authenticate: Bearer {parameters}")], "")
}

#[test]
fn the_url_of_an_api_is_enough() {
    let place = Place::new();
    let metadata_url = place.api.url("/about");
    place.api.on(
        "GET",
        "/mcp",
        challenge(&format!("resource_metadata=\"{metadata_url}\", scope=\"notes mail\"")),
    );
    let described = value!({ "resource": place.url(), "authorization_servers": [place.server.origin()] });
    place.api.on("GET", "/about", json(200, &described.to_string()));
    let (outcome, url) = place.complete(&[]);
    let outcome = outcome.expect_code(0);

    // The API: the documents of a server are not there, then one question without a token.
    assert_eq!(
        lines(&place.api),
        [
            "GET /.well-known/oauth-authorization-server/mcp",
            "GET /mcp/.well-known/openid-configuration",
            "GET /.well-known/openid-configuration/mcp",
            "GET /mcp/.well-known/oauth-authorization-server",
            "GET /mcp",
            "GET /about",
        ]
    );
    let question = place.api.only_request_to("/mcp");
    assert_eq!(question.header("accept"), Some("application/json, text/event-stream"));
    assert!(
        place
            .api
            .requests()
            .iter()
            .all(|request| request.header("authorization").is_none())
    );
    assert!(
        outcome.stderr.contains(&format!(
            "looking up how to log in at {}",
            place.api.origin().replace("http://", "")
        )),
        "{outcome:#?}"
    );

    // The client: registered with exactly the redirect URI of this login.
    let redirect_uri = parameter(&url, "redirect_uri");
    assert_eq!(
        place.registered(),
        [value!({
            "client_name": "oauth",
            "application_type": "native",
            "redirect_uris": [redirect_uri],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
        })]
    );
    let registered = format!("registered at {} as the client c1", place.server_name());
    assert!(outcome.stderr.contains(&registered), "{outcome:#?}");

    // What is asked for, on every leg.
    for (name, expected) in [("client_id", "c1"), ("scope", "notes mail"), ("resource", &place.url())] {
        assert_eq!(parameter(&url, name), expected, "{name}");
    }
    let token = place.server.only_request_to("/token").form();
    assert_eq!(value_of(&token, "resource"), Some(place.url().as_str()));
    run(place.home.oauth().args(["token", "--force-refresh"])).expect_code(0);
    let refresh = place.server.requests_to("/token")[1].form();
    assert_eq!(value_of(&refresh, "resource"), Some(place.url().as_str()));
    assert_eq!(value_of(&refresh, "client_id"), Some("c1"));

    // What is saved: the API, and nothing that it or its server said.
    let config = place.config();
    assert!(config.contains(&format!("api = \"{}\"", place.url())), "{config}");
    for key in ["issuer", "client_id", "scope", "resource"] {
        assert!(!config.contains(key), "{config}");
    }
    run(place.home.oauth().args(["token", &place.url()])).expect_code(0);
}

#[test]
fn an_api_that_challenges_post_alone_is_asked_by_a_message_that_changes_nothing() {
    for (first, second, count) in [
        (challenge("scope=\"x\""), None, 1),
        (status(400), Some(challenge("scope=\"x\"")), 2),
    ] {
        let place = Place::new();
        place.api.on("GET", "/mcp", status(405));
        place
            .api
            .on_each("POST", "/mcp", [Some(first), second].into_iter().flatten().collect());
        let (outcome, url) = place.complete(&[]);
        outcome.expect_code(0);
        assert_eq!(parameter(&url, "scope"), "x");
        let posts: Vec<_> = place
            .api
            .requests_to("/mcp")
            .into_iter()
            .filter(|request| request.method == "POST")
            .collect();
        assert_eq!(posts.len(), count);
        let message: Value = serde_json::from_str(posts[0].body_text()).expect("JSON");
        assert_eq!(message["method"], "server/discover");
        assert_eq!(
            message["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"],
            "2026-07-28"
        );
        for (name, expected) in [
            ("content-type", "application/json"),
            ("accept", "application/json, text/event-stream"),
            ("mcp-protocol-version", "2026-07-28"),
            ("mcp-method", "server/discover"),
        ] {
            assert_eq!(posts[0].header(name), Some(expected), "{name}");
        }
        if let Some(older) = posts.get(1) {
            let message: Value = serde_json::from_str(older.body_text()).expect("JSON");
            assert_eq!(
                (&message["method"], &message["params"]["protocolVersion"]),
                (&value!("initialize"), &value!("2025-11-25"))
            );
        }
    }
}

#[test]
fn after_a_page_or_a_redirect_only_the_well_known_documents_are_asked_for() {
    for answer in [status(200), redirect(302, "/elsewhere"), status(403), status(500)] {
        let place = Place::new();
        place.api.on("GET", "/mcp", answer);
        let (outcome, url) = place.complete(&[]);
        outcome.expect_code(0);
        assert_eq!(parameter(&url, "scope"), "read write", "all that the metadata lists");
        assert!(
            lines(&place.api)
                .iter()
                .all(|line| line.starts_with("GET ") && !line.contains("elsewhere"))
        );
    }
    let place = Place::new();
    let (outcome, _) = place.complete(&["--no-probe"]);
    outcome.expect_code(0);
    assert!(!lines(&place.api).contains(&"GET /mcp".to_owned()));
    assert!(place.config().contains("no_probe = true"));
}

#[test]
fn what_an_api_says_of_itself_is_checked_before_it_is_used() {
    let long = format!("realm=\"{}\"", "a".repeat(100 * 1024));
    for (parameters, document, part) in [
        (
            "resource_metadata=\"http://id.example.com/x\"",
            value!({}),
            "plain http",
        ),
        (
            "resource_metadata=\"file:///etc/passwd\"",
            value!({}),
            "neither an https nor an http URL",
        ),
        (
            "resource_metadata=\"https://user:pw@id.example.com/\"",
            value!({}),
            "userinfo",
        ),
        (&long, value!({}), "WWW-Authenticate"),
        ("", value!({ "resource": "https://api.example.com/mcp" }), "and not for"),
        ("", value!({ "resource": null }), "no resource"),
        ("", value!({ "authorization_servers": [] }), "no authorization server"),
        (
            "",
            value!({ "authorization_servers": ["http://id.example.com"] }),
            "plain http",
        ),
    ] {
        let place = Place::new();
        place.describe(&document);
        place.api.on("GET", "/mcp", challenge(parameters));
        let outcome = run(&mut place.login(&["--no-browser"])).expect_error(6);
        assert!(outcome.error().contains(part), "{part}: {outcome:#?}");
        outcome.does_not_say("pw@");
        assert_eq!(lines(&place.server), Vec::<String>::new(), "{part}");
        assert_nothing_kept(&place.home);
    }
}

#[test]
fn a_wider_resource_is_taken_from_its_own_document_alone() {
    let place = Place::new();
    let wide = value!({ "resource": place.api.origin(), "authorization_servers": [place.server.origin()] });
    place.describe(&wide);
    let outcome = run(&mut place.login(&["--no-browser"])).expect_error(6);
    assert!(outcome.error().contains("covers more than"), "{outcome:#?}");
    let corrected = format!("oauth login {}", place.api.origin());
    assert!(outcome.hints().contains(&corrected), "{outcome:#?}");

    place.api.on("GET", &format!("{RESOURCE_METADATA}/mcp"), status(404));
    place.api.on("GET", RESOURCE_METADATA, json(200, &wide.to_string()));
    let (outcome, url) = place.complete(&[]);
    let outcome = outcome.expect_code(0);
    assert_eq!(parameter(&url, "resource"), place.api.origin());
    assert!(outcome.warnings().contains("which is more than"), "{outcome:#?}");
}

#[test]
fn offline_access_is_added_where_the_server_lists_it() {
    for (listed, described, given, expected) in [
        (
            value!(["read", "offline_access"]),
            value!(["read"]),
            None,
            Some("read offline_access"),
        ),
        (value!(["offline_access"]), Value::Null, None, None),
        (
            value!(["offline_access"]),
            value!(["read"]),
            Some("write"),
            Some("write"),
        ),
    ] {
        let place = Place::new();
        place.announce(&value!({ "scopes_supported": listed }));
        place.describe(&value!({ "scopes_supported": described }));
        let arguments: Vec<&str> = given.map(|scope| vec!["--scope", scope]).unwrap_or_default();
        let (outcome, url) = place.complete(&arguments);
        let outcome = outcome.expect_code(0);
        assert_eq!(value_of(&parameters(&url), "scope"), expected);
        outcome.does_not_say("prompt=consent");
    }
}

#[test]
fn a_client_of_its_own_asks_for_the_scope_of_the_api_alone_and_a_refusal_names_it() {
    let place = Place::new();
    place.announce(&value!({ "scopes_supported": ["read", "offline_access"] }));
    let refusal = json(400, r#"{"error":"invalid_scope"}"#);
    place.server.on("POST", "/token", refusal);
    let arguments = ["--grant", "client-credentials", "--client-id", "svc"];
    let mut login = place.login(&arguments);
    let outcome = run(login.env("OAUTH_CLIENT_SECRET", "gX1fBat3bV")).expect_code(5);
    let request = &place.server.requests_to("/token")[0];
    assert!(request.body_text().contains("scope=read+write&") || request.body_text().ends_with("scope=read+write"));
    let hints = outcome.hints();
    assert!(
        hints.contains("\"read write\"") && hints.contains("--scope"),
        "{outcome:?}"
    );
}

#[test]
fn a_server_that_does_not_announce_pkce_is_refused_unless_it_is_assumed() {
    let place = Place::new();
    place.announce(&value!({ "code_challenge_methods_supported": null }));
    let outcome = run(&mut place.login(&["--no-browser"])).expect_error(6);
    assert!(outcome.hints().contains("--assume-pkce"), "{outcome:#?}");
    assert_eq!(place.registered(), Vec::<Value>::new());
    let (outcome, url) = place.complete(&["--assume-pkce"]);
    outcome.expect_code(0);
    assert_eq!(parameter(&url, "code_challenge_method"), "S256");
    assert!(place.config().contains("assume_pkce = true"));
}

#[test]
fn an_api_without_metadata_has_its_origin_as_the_server_only_where_that_says_so() {
    let place = Place::new();
    place.api.on("GET", &format!("{RESOURCE_METADATA}/mcp"), status(404));
    authorization_server::serve_on(&place.api);
    // Not after a page: nothing says that it wants a token.
    place.api.on("GET", "/mcp", status(200));
    run(&mut place.login(&["--client-id", "c", "--no-browser"])).expect_error(6);
    place.api.on("GET", "/mcp", challenge("scope=\"x\""));
    let running = Running::start(&mut place.login(&["--client-id", "c"]));
    let url = running.authorization_url();
    consent(&url, &place.api.origin());
    let outcome = running.end().expect_code(0);
    assert!(
        outcome
            .warnings()
            .contains("its origin is taken as the authorization server"),
        "{outcome:#?}"
    );
    assert_eq!(
        (parameter(&url, "scope"), parameter(&url, "resource")),
        ("x".to_owned(), place.url())
    );

    let document = authorization_server::metadata(&place.api.origin()).replace("S256", "plain");
    place.api.on("GET", SERVER_METADATA, json(200, &document));
    run(&mut place.login(&["-p", "other", "--client-id", "c", "--no-browser"])).expect_error(6);
}

#[test]
fn the_first_of_several_servers_is_used_where_nobody_can_be_asked() {
    let place = Place::new();
    let other = authorization_server::start();
    place.describe(&value!({ "authorization_servers": [place.server.origin(), other.origin()] }));
    let (outcome, _) = place.complete(&[]);
    assert!(
        outcome
            .expect_code(0)
            .stderr
            .contains("takes tokens of 2 servers; the first is used")
    );
    assert_eq!(other.connections(), 0);
    // The one of the session stays, wherever it is in the list.
    place.describe(&value!({ "authorization_servers": [other.origin(), place.server.origin()] }));
    let (outcome, _) = place.complete(&[]);
    outcome.expect_code(0);
    assert_eq!(other.connections(), 0);
}

#[test]
fn a_registered_client_is_used_again_at_its_port_and_replaced_where_that_is_taken() {
    let place = Place::new();
    let (outcome, first) = place.complete(&[]);
    outcome.expect_code(0);
    let redirect_uri = parameter(&first, "redirect_uri");
    let (outcome, second) = place.complete(&[]);
    assert!(
        outcome
            .expect_code(0)
            .stderr
            .contains("the client is c1, which was registered earlier")
    );
    assert_eq!(parameter(&second, "redirect_uri"), redirect_uri);
    assert_eq!(place.registered().len(), 1);

    let port = url::Url::parse(&redirect_uri).expect("a URL").port().expect("a port");
    let _taken = std::net::TcpListener::bind(("127.0.0.1", port)).expect("the port is free again");
    place.register("c2");
    place.server.on("DELETE", "/register/c1", status(204));
    let (outcome, third) = place.complete(&[]);
    let outcome = outcome.expect_code(0);
    assert_eq!(parameter(&third, "client_id"), "c2");
    assert_ne!(parameter(&third, "redirect_uri"), redirect_uri);
    let ended = place.server.only_request_to("/register/c1");
    assert_eq!(
        (ended.method.as_str(), ended.header("authorization")),
        ("DELETE", Some("Bearer registration-token-of-c1"))
    );
    outcome.does_not_say("registration-token");
}

#[test]
fn a_client_that_the_server_has_forgotten_is_registered_again_once() {
    let place = Place::new();
    place.complete(&[]).0.expect_code(0);
    place.register("c2");
    let unknown = json(401, r#"{"error":"invalid_client"}"#);
    place
        .server
        .on_each("POST", "/token", vec![unknown, json(200, &token_answer())]);
    let running = Running::start(&mut place.login(&[]));
    let first = running.authorization_url();
    consent(&first, &place.server.origin());
    let second = running.wait_until("the URL of the second client", |output| {
        let mut urls = output.lines().filter(|line| line.starts_with("http"));
        urls.find(|url| url.contains("client_id=c2")).map(str::to_owned)
    });
    consent(&second, &place.server.origin());
    running.end().expect_code(0);
    assert_eq!(
        (parameter(&first, "client_id"), parameter(&second, "client_id")),
        ("c1".to_owned(), "c2".to_owned())
    );
    assert_eq!(place.registered().len(), 2);

    // On a refresh that is a reason to log in, and nothing is registered.
    place
        .server
        .on("POST", "/token", json(401, r#"{"error":"invalid_client"}"#));
    let outcome = run(place.home.oauth().args(["token", "--force-refresh"]));
    assert_ne!(outcome.code, Some(0));
    assert_eq!(place.registered().len(), 2);
}

/// A way to break a login off, once its URL is printed.
type Breaking = fn(&Place, &Running, &str);

fn broken_off(place: &Place, more: &[&str], how: Breaking) -> Outcome {
    let running = Running::start(&mut place.login(more));
    how(place, &running, &running.authorization_url());
    running.end()
}

fn deny(place: &Place, _: &Running, url: &str) {
    let (state, issuer) = (parameter(url, "state"), place.server.origin());
    let response = [("error", "access_denied"), ("state", &*state), ("iss", &*issuer)];
    let _page = callback::get_url(&callback_url_with(url, &response));
}

#[test]
fn a_login_that_is_broken_off_leaves_no_client_at_the_server() {
    let give_up: [(i32, &[&str], Breaking); 2] = [(5, &[], deny), (7, &["--timeout", "1ms"], |_, _, _| {})];
    for (code, more, how) in give_up {
        let place = Place::new();
        place.server.on("DELETE", "/register/c1", status(204));
        broken_off(&place, more, how)
            .expect_error(code)
            .says(&["the client \"c1\" is no longer registered"]);
        let last = place.server.requests().pop().expect("a request");
        assert_eq!((&*last.method, &*last.target), ("DELETE", "/register/c1"));
        assert_eq!(last.header("authorization"), Some("Bearer registration-token-of-c1"));
        assert_nothing_kept(&place.home);
    }
    // one that goes well keeps its client
    let place = Place::new();
    place.complete(&[]).0.expect_code(0);
    assert!(place.server.requests_to("/register/c1").is_empty());
}

#[cfg(unix)]
#[test]
fn an_interrupted_login_leaves_no_client_at_the_server() {
    let place = Place::new();
    place.server.on("DELETE", "/register/c1", status(204));
    let outcome = broken_off(&place, &[], |_, running, _| {
        running.signal(rustix::process::Signal::INT)
    });
    outcome.expect_code(130);
    assert_eq!(place.server.requests_to("/register/c1").len(), 1);
}

/// Without a registration_access_token (RFC 7592) nobody can delete it.
#[test]
fn a_client_that_cannot_be_deleted_is_named_with_the_way_to_use_it() {
    let place = Place::new();
    let alone = value!({ "client_id": "c1" });
    place.server.on("POST", "/register", json(201, &alone.to_string()));
    let outcome = broken_off(&place, &[], deny).expect_error(5);
    let redirect_uri = place.registered()[0]["redirect_uris"][0].clone();
    let redirect_uri = redirect_uri.as_str().expect("a redirect URI");
    outcome.says(&[
        &format!("the client c1 stays registered at {}, which", place.server_name()),
        &format!("--client-id c1 --redirect-uri {redirect_uri}"),
    ]);
    let (outcome, _) = place.complete(&["--client-id", "c1", "--redirect-uri", redirect_uri]);
    outcome.expect_code(0);
    assert_eq!(place.registered().len(), 1);

    let method = "client_secret_basic";
    let secret = value!({ "client_id": "c2", "client_secret": "s", "client_secret_expires_at": 0, "token_endpoint_auth_method": method });
    let place = Place::new();
    place.server.on("POST", "/register", json(201, &secret.to_string()));
    let outcome = broken_off(&place, &[], deny).expect_error(5);
    let outcome = outcome.says(&["the client c2 stays registered", "its secret is not kept"]);
    outcome.does_not_say("--redirect-uri");
}

#[test]
fn secrets_of_a_registration_are_kept_with_the_session_until_they_expire() {
    let place = Place::new();
    place.announce(&value!({ "token_endpoint_auth_methods_supported": ["client_secret_post"] }));
    let secret = |client: &str, expires_at: i64| {
        let mut answer = place.registration(client);
        answer["client_secret"] = value!("registered-secret");
        answer["client_secret_expires_at"] = value!(expires_at);
        json(201, &answer.to_string())
    };
    place.server.on("POST", "/register", secret("c1", 0));
    let (outcome, _) = place.complete(&[]);
    outcome.expect_code(0).does_not_say("registered-secret");
    assert_eq!(
        place.registered()[0]["token_endpoint_auth_method"],
        "client_secret_post"
    );
    let sent = |position: usize| {
        let form = place.server.requests_to("/token")[position].form();
        value_of(&form, "client_secret").map(str::to_owned)
    };
    assert_eq!(sent(0).as_deref(), Some("registered-secret"));
    place.complete(&[]).0.expect_code(0);
    assert_eq!(
        (sent(1).as_deref(), place.registered().len()),
        (Some("registered-secret"), 1)
    );

    place.server.on("POST", "/register", secret("c2", 1_000_000));
    place.complete(&["--register"]).0.expect_code(0);
    place.server.on("POST", "/register", secret("c3", 0));
    let (outcome, url) = place.complete(&[]);
    outcome.expect_code(0);
    assert_eq!(parameter(&url, "client_id"), "c3", "the secret of c2 has expired");
}

#[test]
fn a_client_that_is_named_beside_one_to_be_registered_is_a_contradiction() {
    let home = Home::new();
    run(home
        .oauth()
        .args(["login", "https://mcp.example", "--register", "--client-id", "mine"]))
    .expect_error(2)
    .says(&["--register", "--client-id"]);
}

#[test]
fn a_client_metadata_document_is_used_where_the_server_takes_it() {
    let place = Place::new();
    let document = "https://app.example.com/client.json";
    let mut command = place.login(&[]);
    command.env("OAUTH_CLIENT_METADATA_URL", document);
    let (outcome, url) = place.complete_command(&mut command);
    outcome.expect_code(0);
    assert_eq!(
        parameter(&url, "client_id"),
        "c1",
        "the server does not say that it takes one"
    );

    let place = Place::new();
    place.announce(&value!({ "client_id_metadata_document_supported": true }));
    let mut command = place.login(&[]);
    command.env("OAUTH_CLIENT_METADATA_URL", document);
    let (outcome, url) = place.complete_command(&mut command);
    outcome.expect_code(0);
    assert_eq!(parameter(&url, "client_id"), document);
    assert_eq!(place.registered(), Vec::<Value>::new());
}

#[test]
fn without_any_way_to_a_client_the_ways_are_named() {
    let place = Place::new();
    place.announce(&value!({ "registration_endpoint": null, "client_id_metadata_document_supported": true }));
    let outcome = run(&mut place.login(&["--no-browser"])).expect_error(2);
    for way in ["--client-id ID", "OAUTH_CLIENT_METADATA_URL"] {
        assert!(outcome.hints().contains(way), "{outcome:#?}");
    }
    place.announce(&value!({}));
    let outcome = run(&mut place.login(&["--no-browser", "--no-register"])).expect_error(2);
    assert!(outcome.hints().contains("--no-register"), "{outcome:#?}");
    for (code, part) in [
        (403, "registers no client without a permission"),
        (400, "--client-id ID"),
    ] {
        place.server.on(
            "POST",
            "/register",
            json(
                code,
                r#"{"error":"invalid_client_metadata","error_description":"Trusted Hosts"}"#,
            ),
        );
        let outcome = run(&mut place.login(&["--no-browser"])).expect_error(5);
        assert!(
            outcome.error().contains("Trusted Hosts") && outcome.hints().contains(part),
            "{outcome:#?}"
        );
    }
    place.server.on("POST", "/register", status(503));
    run(&mut place.login(&["--no-browser"])).expect_error(3);
    assert_nothing_kept(&place.home);
}

#[test]
fn another_authorization_server_gets_nothing_that_the_old_one_gave() {
    let mut place = Place::new();
    place.complete(&[]).0.expect_code(0);
    let old = std::mem::replace(&mut place.server, authorization_server::start());
    place.announce(&value!({}));
    place.describe(&value!({}));
    place.register("n1");
    let before = old.requests().len();
    let (outcome, url) = place.complete(&[]);
    let outcome = outcome.expect_code(0);
    assert!(
        outcome
            .stderr
            .contains("names another authorization server than before"),
        "{outcome:#?}"
    );
    assert_eq!(parameter(&url, "client_id"), "n1");
    let of_old = ["c1", "registration-token-of-c1", authorization_server::REFRESH_TOKEN];
    for request in place.server.requests() {
        let text = format!("{} {}", request.target, request.body_text());
        assert!(of_old.iter().all(|secret| !text.contains(secret)), "{text}");
    }
    // The old registration is ended where it was made.
    let ended: Vec<_> = old.requests().split_off(before);
    assert_eq!(ended.len(), 1);
    assert_eq!(
        (ended[0].method.as_str(), ended[0].target.as_str()),
        ("DELETE", "/register/c1")
    );
}

#[test]
fn a_profile_that_is_given_another_api_says_so() {
    let (place, other) = (Place::new(), Place::new());
    place.complete(&["--profile", "work"]).0.expect_code(0);
    let mut command = place.home.oauth();
    command.args(["login", &other.url(), "--profile", "work"]);
    let outcome = other.complete_command(&mut command).0.expect_code(0);
    outcome.says(&[&format!(
        "note: profile \"work\" was for the API {} and its server {}; it is for {} and {} now; nothing of the old one is used there",
        place.url(),
        place.server.origin(),
        other.url(),
        other.server.origin(),
    )]);
}

#[test]
fn a_client_that_the_user_named_is_bound_to_the_server_of_its_first_login() {
    let mut place = Place::new();
    place.complete(&["--client-id", "mine"]).0.expect_code(0);
    assert!(place.config().contains("client_id = \"mine\""));
    run(place.home.oauth().arg("logout")).expect_code(0);
    place.server = authorization_server::start();
    place.announce(&value!({}));
    place.describe(&value!({}));
    place.register("n1");
    let outcome = run(&mut place.login(&["--no-browser"])).expect_error(2);
    assert!(
        outcome.hints().contains("--client-id ID") && outcome.hints().contains("--register"),
        "{outcome:#?}"
    );
    assert_eq!(place.server.requests_to("/token").len(), 0);
    let (outcome, url) = place.complete(&["--register"]);
    outcome.expect_code(0);
    assert_eq!(parameter(&url, "client_id"), "n1");
}

#[test]
fn removing_the_profile_ends_its_registration_and_a_failure_is_a_note() {
    for (answer, part) in [
        (status(204), "is no longer registered"),
        (status(500), "may remain registered"),
    ] {
        let place = Place::new();
        place.complete(&["-p", "api"]).0.expect_code(0);
        place.server.on("DELETE", "/register/c1", answer);
        let outcome = run(place.home.oauth().args(["profile", "remove", "api"])).expect_code(0);
        assert!(outcome.stderr.contains(part), "{outcome:#?}");
        assert_eq!(place.server.requests_to("/register/c1").len(), 1);
        assert!(!place.config().contains("profile.api"));
    }
}

/// The configuration file does not have it.
#[test]
fn show_tells_the_client_that_was_registered_for_the_profile() {
    let place = Place::new();
    place.complete(&["-p", "api"]).0.expect_code(0);
    let show = |more: &[&str]| {
        let mut command = place.home.oauth();
        run(command.args(["profile", "show", "api"]).args(more)).expect_code(0)
    };
    let text = show(&[]).stdout;
    let line = text.lines().find(|line| line.starts_with("registered_client"));
    let registered = format!("c1, registered at {}", place.server.origin());
    assert!(line.is_some_and(|line| line.ends_with(&registered)), "{text}");
    let client = value!({ "client_id": "c1", "issuer": place.server.origin() });
    assert_eq!(show(&["--json"]).json()["registered_client"], client);
    // it is there without a session as well, and not known without the store
    run(place.home.oauth().args(["logout", "api"])).expect_code(0);
    assert_eq!(show(&["--json"]).json()["registered_client"], client);
    let unreadable = show(&["--store", "command:/nonexistent/helper"]);
    assert!(
        unreadable
            .warnings()
            .contains("whether a client is registered for profile \"api\"")
    );
    assert!(!unreadable.stdout.contains("c1"), "{unreadable:?}");
    // the client that is named is the one in use
    run(place.home.oauth().args(["profile", "set", "api", "client_id=mine"])).expect_code(0);
    assert!(!show(&["--json"]).stdout.contains("registered_client"));
}

#[test]
fn the_url_of_an_authorization_server_may_register_a_client_as_well() {
    let place = Place::new();
    let mut command = place.home.oauth();
    command.args(["login", &place.server.origin()]);
    let (outcome, url) = place.complete_command(&mut command);
    outcome.expect_code(0);
    assert_eq!(parameter(&url, "client_id"), "c1");
    assert_eq!(value_of(&parameters(&url), "resource"), None);
    let config = place.config();
    assert!(
        config.contains(&format!("issuer = \"{}\"", place.server.origin())),
        "{config}"
    );
    assert_eq!(
        place.server.requests_to(SERVER_METADATA).len(),
        1,
        "its metadata is fetched once"
    );
    let (outcome, url) = place.complete_command(place.home.oauth().arg("login"));
    outcome.expect_code(0);
    assert_eq!(parameter(&url, "client_id"), "c1");
    assert_eq!(place.registered().len(), 1);
}

#[test]
fn an_answer_of_another_issuer_is_refused_before_the_code_is_used() {
    let place = Place::new();
    let running = Running::start(&mut place.login(&[]));
    let url = running.authorization_url();
    let state = parameter(&url, "state");
    let response = [("code", CODE), ("state", &state), ("iss", "https://other.example")];
    let _page = callback::get_url(&callback_url_with(&url, &response));
    running.end().expect_code(6);
    assert_eq!(place.server.requests_to("/token").len(), 0);
}
