//! `oauth discover`: which URLs are asked for, what is said of each, of what
//! the server can do, and of what is wrong with its words.

use super::support::authorization_server::metadata;
use super::support::binary::Home;
use super::support::development_server::DevelopmentServer;
use super::support::literal_server::{LiteralServer, Reply, html, json, redirect, status};
use super::support::outcome::{Outcome, members, run};
use serde_json::{Value, json as value};

const SERVER_METADATA: &str = "/.well-known/oauth-authorization-server";
const OPENID: &str = "/.well-known/openid-configuration";
const RESOURCE_METADATA: &str = "/.well-known/oauth-protected-resource";

fn discover(arguments: &[&str]) -> Outcome {
    let home = Home::new();
    let outcome = run(home.oauth().arg("discover").args(arguments));
    assert_eq!(home.files(), Vec::<std::path::PathBuf>::new(), "nothing is kept");
    outcome
}

fn paths(server: &LiteralServer) -> Vec<String> {
    server.requests().iter().map(|request| request.target.clone()).collect()
}

/// The findings of `--json`, as level and message.
fn findings(outcome: &Outcome) -> Vec<(String, String)> {
    let text = |finding: &Value, member: &str| finding[member].as_str().unwrap_or_default().to_owned();
    let object = outcome.json();
    let findings = object["findings"].as_array().expect("findings").iter();
    findings
        .map(|finding| (text(finding, "level"), text(finding, "message")))
        .collect()
}

#[test]
fn every_url_is_told_with_its_status_and_why_it_is_not_taken() {
    let server = LiteralServer::start();
    let issuer = server.url("/t");
    server.on("GET", &format!("{SERVER_METADATA}/t"), redirect(302, "/login"));
    server.on("GET", &format!("/t{OPENID}"), html(200, "<html>sign in</html>"));
    server.on("GET", &format!("{OPENID}/t"), json(200, &metadata(&issuer)));
    let outcome = discover(&[&issuer]).expect_code(0);
    let table: Vec<&str> = outcome.stdout.split("\n\n").last().expect("a table").lines().collect();
    let [title, redirected, page, taken, absent] = table[..] else {
        panic!("{outcome:#?}");
    };
    assert!(title.starts_with("STATUS  URL"), "{title}");
    let target = server.url("/login");
    let redirect_shown = format!("not used: 302, a redirect to {target}, which is not followed");
    for (line, status, url, result) in [
        (
            redirected,
            "302",
            format!("{SERVER_METADATA}/t"),
            redirect_shown.as_str(),
        ),
        (
            page,
            "200",
            format!("/t{OPENID}"),
            "not used: 200 with text/html, no JSON object",
        ),
        (taken, "200", format!("{OPENID}/t"), "used: the first document found"),
        (absent, "404", format!("/t{SERVER_METADATA}"), "not used"),
    ] {
        assert!(line.starts_with(status), "{line}");
        assert!(line.contains(&server.url(&url)) && line.ends_with(result), "{line}");
    }
    let requests = server.requests();
    assert_eq!(requests.len(), 4);
    for request in requests {
        assert_eq!(request.method, "GET");
        assert_eq!(request.header("accept"), Some("application/json"));
        assert_eq!(request.header("authorization"), None);
    }
    let line = |what: &str| outcome.stdout.lines().find(|line| line.contains(what)).expect(what);
    assert!(
        line("PKCE").starts_with("yes") && line("PKCE").ends_with("S256"),
        "{outcome:#?}"
    );
    assert!(line(" revocation ").starts_with("no "), "{outcome:#?}");
    assert!(line("token endpoint").contains("RFC 6749 §3.2"), "{outcome:#?}");
    assert!(line("SHOULD").contains("RFC 8414 §2"), "{outcome:#?}");
    assert_eq!(outcome.stderr, "");
}

#[test]
fn as_json_it_is_one_object_with_the_document_as_it_came() {
    let server = LiteralServer::start();
    let document = metadata(&server.origin());
    server.on("GET", SERVER_METADATA, json(200, &document));
    let outcome = discover(&[&server.origin(), "--json"]).expect_code(0);
    let object = outcome.json();
    assert_eq!(
        members(&object),
        [
            "attempts",
            "demands",
            "document",
            "findings",
            "login",
            "other_documents",
            "resource"
        ]
    );
    assert_eq!(object["other_documents"], value!([]));
    assert!(
        outcome.stdout.starts_with(&format!("{{\"document\":{document},")),
        "{outcome:?}"
    );
    assert_eq!(object["resource"], Value::Null);
    assert_eq!(
        object["attempts"],
        value!([
            {"url": server.url(SERVER_METADATA), "status": 200, "taken": true, "reason": "the first document found"},
            {"url": server.url(OPENID), "status": 404, "taken": false, "reason": "404"},
        ])
    );
    let finding = &object["findings"][0];
    assert_eq!(members(finding), ["level", "message", "reference", "rule"]);
    assert_eq!(finding["rule"], "metadata.grant-types");
    assert_eq!(finding["level"], "SHOULD");
    assert_eq!(finding["reference"], "RFC 8414 §2");
    assert_eq!(outcome.stderr, "");
}

/// A server that signs, is signed to, and knows its clients by keys alone.
fn demanding(server: &LiteralServer) -> String {
    let mut document: Value = serde_json::from_str(&metadata(&server.origin())).expect("JSON");
    for (member, demanded) in [
        (
            "token_endpoint_auth_methods_supported",
            value!(["private_key_jwt", "tls_client_auth"]),
        ),
        ("require_pushed_authorization_requests", value!(true)),
        ("pushed_authorization_request_endpoint", value!(server.url("/par"))),
        ("require_signed_request_object", value!(true)),
        ("response_modes_supported", value!(["jwt"])),
        ("dpop_bound_access_tokens_required", value!(true)),
    ] {
        document[member] = demanded;
    }
    document.to_string()
}

#[test]
fn what_a_server_demands_is_told_with_the_login_that_meets_it() {
    let server = LiteralServer::start();
    server.on("GET", SERVER_METADATA, json(200, &demanding(&server)));
    let outcome = discover(&[&server.origin()]).expect_code(0);
    let demanded = outcome.stdout.split("DEMANDED").nth(1).expect("a table");
    for (what, met) in [
        ("client authentication", "--client-key-file FILE"),
        ("pushed authorization requests", "by itself"),
        (
            "signed authorization requests",
            "--request-object --client-key-file FILE",
        ),
        ("signed authorization responses", "--response-mode jwt"),
        ("DPoP-bound tokens", "by itself"),
    ] {
        let line = demanded.lines().find(|line| line.starts_with(what)).expect(what);
        assert!(line.ends_with(met), "{line}");
    }
    let login = format!(
        "oauth login {} --client-id ID --client-key-file FILE --request-object --response-mode jwt",
        server.origin()
    );
    assert!(
        outcome.stdout.contains(&format!("\nlog in with:\n  {login}\n")),
        "{outcome:#?}"
    );

    let object = discover(&[&server.origin(), "--json"]).expect_code(0).json();
    assert_eq!(object["login"], login);
    assert_eq!(
        object["demands"][1],
        value!({"what": "pushed authorization requests", "reference": "RFC 9126 §5", "options": null})
    );
    // The options are those of the program.
    let home = Home::new();
    let mut words = login.split(' ').skip(1);
    let mut command = home.oauth();
    command.args(
        words
            .by_ref()
            .map(|word| if word == "FILE" { "/dev/null" } else { word }),
    );
    let tried = run(&mut command);
    assert!(!tried.stderr.contains("unexpected argument"), "{tried:?}");
}

#[test]
fn a_server_that_demands_nothing_is_told_with_the_plain_login() {
    let server = LiteralServer::start();
    server.on("GET", SERVER_METADATA, json(200, &metadata(&server.origin())));
    let outcome = discover(&[&server.origin()]).expect_code(0);
    let login = format!("\nlog in with:\n  oauth login {} --client-id ID\n", server.origin());
    assert!(
        outcome.stdout.contains(&login) && !outcome.stdout.contains("DEMANDED"),
        "{outcome:#?}"
    );
}

#[test]
fn what_a_saved_profile_of_the_server_lacks_is_told() {
    let server = LiteralServer::start();
    server.on("GET", SERVER_METADATA, json(200, &demanding(&server)));
    let home = Home::new();
    let profile = |name: &str, issuer: &str, more: &str| {
        format!("[profile.{name}]\nissuer = \"{issuer}\"\nclient_id = \"c\"\n{more}")
    };
    home.configure(
        &[
            profile("bare", &server.origin(), "client_key_file = \"/k\"\n"),
            profile(
                "fit",
                &server.origin(),
                "client_key_file = \"/k\"\nrequest_object = true\nresponse_mode = \"jwt\"\n",
            ),
            profile("other", "https://other.example", ""),
        ]
        .concat(),
    );
    let outcome = run(home.oauth().args(["discover", &server.origin()])).expect_code(0);
    let lacking: Vec<&str> = outcome
        .stdout
        .split("\n\n")
        .filter(|part| part.contains(" does not meet "))
        .collect();
    assert_eq!(
        lacking,
        [
            "profile \"bare\" does not meet the server's requirements; log in with:\n  oauth login bare --request-object --client-key-file FILE --response-mode jwt"
        ]
    );
}

#[test]
fn endpoints_that_another_document_alone_names_are_told() {
    let server = LiteralServer::start();
    let document = metadata(&server.origin());
    server.on("GET", SERVER_METADATA, json(200, &document));
    let further = document.replacen(
        '{',
        r#"{"userinfo_endpoint":"https://h/u","claims_supported":["sub"],"#,
        1,
    );
    server.on("GET", OPENID, json(200, &further));
    let note = |rest: &str| ("note".to_owned(), format!("{} also names {rest}", server.url(OPENID)));
    let outcome = discover(&[&server.origin(), "--json"]).expect_code(0);
    let told = note("userinfo_endpoint, which is not used: a login uses one document");
    assert!(findings(&outcome).contains(&told), "{outcome:#?}");
    let others = &outcome.json()["other_documents"];
    assert_eq!(others[0]["claims_supported"], value!(["sub"]));
    // At the server itself it is used.
    let own = further.replace("https://h/u", &server.url("/userinfo"));
    server.on("GET", OPENID, json(200, &own));
    let outcome = discover(&[&server.origin(), "--json"]).expect_code(0);
    let told = note("userinfo_endpoint, which is taken from there when it is needed");
    assert!(findings(&outcome).contains(&told), "{outcome:#?}");
    // The same the other way round has nothing to tell.
    server.on("GET", SERVER_METADATA, json(200, &further));
    server.on("GET", OPENID, json(200, &document));
    let outcome = discover(&[&server.origin()]).expect_code(0);
    assert!(!outcome.stdout.contains("also names"), "{outcome:#?}");
}

#[test]
fn a_protected_resource_leads_to_its_authorization_server() {
    let (server, resource) = (LiteralServer::start(), LiteralServer::start());
    server.on("GET", SERVER_METADATA, json(200, &metadata(&server.origin())));
    let api = resource.url("/v1/api?tenant=x");
    let described = value!({"resource": api, "authorization_servers": [resource.url("/empty"), server.origin()]});
    resource.on(
        "GET",
        &format!("{RESOURCE_METADATA}/v1/api"),
        json(200, &described.to_string()),
    );
    let outcome = discover(&[&api, "--json"]).expect_code(0);
    let object = outcome.json();
    assert_eq!(object["resource"], described);
    assert_eq!(object["document"]["issuer"], server.origin());
    // what is typed next is the URL that was typed first
    let login = format!("oauth login '{api}' --client-id ID");
    assert_eq!(object["login"], login);
    let asked = paths(&resource);
    // An issuer has no query, so this URL is that of a resource, which is asked itself first.
    assert_eq!(
        asked[..2],
        [
            "/v1/api?tenant=x".to_owned(),
            format!("{RESOURCE_METADATA}/v1/api?tenant=x")
        ]
    );
    assert_eq!(asked.len(), 6, "and the four of the first server: {asked:?}");
    assert_eq!(paths(&server), [SERVER_METADATA, OPENID]);
    let text = discover(&[&api]).stdout;
    assert!(text.contains(&format!("log in with:\n  {login}\n")), "{text}");
    let notes = findings(&outcome);
    assert!(
        notes.iter().any(|(_, note)| note.contains("2 authorization servers")),
        "{notes:?}"
    );

    // Without a query it may be an issuer as well.
    let (other, resource_url) = (LiteralServer::start(), resource.url("/v2"));
    other.on("GET", SERVER_METADATA, json(200, &metadata(&other.origin())));
    let described = value!({"resource": server.url("/v2"), "authorization_servers": [other.origin()]});
    resource.on(
        "GET",
        &format!("{RESOURCE_METADATA}/v2"),
        json(200, &described.to_string()),
    );
    let outcome = discover(&[&resource_url, "--json"]).expect_code(0);
    let found = findings(&outcome);
    assert!(
        found
            .iter()
            .any(|(level, text)| level == "MUST" && text.contains("they must be identical")),
        "{found:?}"
    );
    assert_eq!(paths(&other).len(), 2);
}

#[test]
fn a_resource_may_name_its_metadata_in_its_challenge() {
    let (server, resource) = (LiteralServer::start(), LiteralServer::start());
    server.on("GET", SERVER_METADATA, json(200, &metadata(&server.origin())));
    let api = resource.url("/mcp");
    let described = value!({"resource": api, "authorization_servers": [server.origin()]}).to_string();
    let challenge = format!(
        "WWW-Authenticate: Bearer error=\"invalid_token\", resource_metadata=\"{}\"",
        resource.url("/about?of=mcp")
    );
    resource.on("GET", "/mcp", Reply::http(401, &[challenge.as_str()], ""));
    resource.on("GET", "/about", json(200, &described));
    let outcome = discover(&[&api, "--json"]).expect_code(0);
    assert_eq!(outcome.json()["document"]["issuer"], server.origin());
    assert_eq!(outcome.json()["login"], format!("oauth login {api} --client-id ID"));
    assert_eq!(paths(&resource).last().map(String::as_str), Some("/about?of=mcp"));
    let attempts = outcome.json()["attempts"].to_string();
    assert!(attempts.contains("RFC 9728 §5.1"), "{attempts}");

    // it may not lead into a network that only this machine sees, or be no 401
    let inside = "WWW-Authenticate: Bearer resource_metadata=\"http://10.0.0.1/x\"";
    for (status, challenge, told) in [
        (401, inside, "http://10.0.0.1 is plain http"),
        (200, challenge.as_str(), "no challenge"),
    ] {
        resource.on("GET", "/mcp", Reply::http(status, &[challenge], ""));
        let outcome = discover(&[&api]).expect_code(6);
        assert!(
            outcome.stdout.contains(told) || outcome.stderr.contains(told),
            "{outcome:#?}"
        );
    }
}

#[test]
fn contradictions_and_risks_are_named() {
    let server = LiteralServer::start();
    let document = value!({
        "issuer": server.origin(),
        "authorization_endpoint": server.url("/authorize"),
        "token_endpoint": server.origin().replace("127.0.0.1", "localhost") + "/token",
        "registration_endpoint": "http://id.example.com/register",
        "response_types_supported": ["code", "token"],
        "grant_types_supported": ["authorization_code", "implicit", "password"],
        "code_challenge_methods_supported": ["plain"],
        "id_token_signing_alg_values_supported": ["RS256", "none"],
    });
    server.on("GET", OPENID, json(200, &document.to_string()));
    let found = findings(&discover(&[&server.origin(), "--json"]).expect_code(0));
    for (level, part) in [
        ("MUST", "S256 is not among"),
        ("MUST", "http://id.example.com is plain http"),
        ("MUST", "password grant"),
        ("MUST", "no subject_types_supported"),
        ("SHOULD", "plain is announced"),
        ("SHOULD", "implicit grant"),
        ("SHOULD", "address bar are announced: token"),
        ("SHOULD", "unsigned ID tokens"),
        ("SHOULD", "mix-up"),
        (
            "note",
            "token_endpoint is on another host than the metadata: localhost instead of 127.0.0.1",
        ),
    ] {
        let named = |(its, text): &&(String, String)| its == level && text.contains(part);
        assert_eq!(found.iter().filter(named).count(), 1, "{level} {part}: {found:#?}");
    }
    let levels: Vec<&str> = found.iter().map(|(level, _)| level.as_str()).collect();
    let mut sorted = levels.clone();
    sorted.sort_by_key(|level| ["MUST", "SHOULD", "note"].iter().position(|known| known == level));
    assert_eq!(levels, sorted);
}

#[test]
fn a_member_of_another_type_is_one_finding() {
    let server = LiteralServer::start();
    let issuer = server.origin();
    let mut document: Value = serde_json::from_str(&metadata(&issuer)).expect("JSON");
    let before = {
        server.on("GET", OPENID, json(200, &document.to_string()));
        findings(&discover(&[&issuer, "--json"]))
    };
    document["scopes_supported"] = value!("openid");
    server.on("GET", OPENID, json(200, &document.to_string()));
    let after = findings(&discover(&[&issuer, "--json"]).expect_code(0));
    let new: Vec<&(String, String)> = after.iter().filter(|finding| !before.contains(finding)).collect();
    let message = r#"scopes_supported is the string "openid"; it must be a list of strings"#;
    assert_eq!(new, [&("MUST".to_owned(), message.to_owned())]);
}

#[test]
fn a_document_that_no_login_would_take_is_shown_and_the_exit_code_says_so() {
    let server = LiteralServer::start();
    let document = metadata(&format!("{}/", server.origin()));
    server.on("GET", SERVER_METADATA, json(200, &document));
    let outcome = discover(&[&server.origin()]).expect_code(6);
    assert!(
        outcome.stdout.contains("only the trailing slash differs"),
        "{outcome:#?}"
    );
    assert!(outcome.error().contains("cannot be used"), "{outcome:#?}");
    assert!(
        outcome
            .hints()
            .ends_with(&format!("oauth discover {}/", server.origin())),
        "{outcome:#?}"
    );
    // one word about whether the document is used, and one list of URLs
    server.on("GET", SERVER_METADATA, json(200, "{\"jwks_uri\": \"https://h/j\"}"));
    let outcome = discover(&[&server.origin()]).expect_code(6);
    assert_eq!(
        outcome.hints(),
        "The server's author has to correct the document: a login would not use it."
    );
    // options of a login are named as such
    let document = metadata(&server.origin());
    let wrong = server.url("/token#x");
    server.on(
        "GET",
        SERVER_METADATA,
        json(200, &document.replace(&server.url("/token"), &wrong)),
    );
    let outcome = discover(&[&server.origin()]).expect_code(6);
    assert!(
        outcome
            .stdout
            .contains(&format!("token_endpoint: \"{wrong}\" has a fragment")),
        "{outcome:#?}"
    );
    assert!(
        outcome.stdout.contains("examined: the first document found"),
        "{outcome:#?}"
    );
    assert_eq!(
        outcome.hints(),
        "The server's author has to correct token_endpoint. Until then, a login can go on with --token-endpoint URL."
    );
}

#[test]
fn a_document_that_is_not_json_is_told_with_its_place() {
    let server = LiteralServer::start();
    server.on("GET", SERVER_METADATA, json(200, "{\"issuer\": \"x\",}"));
    let outcome = discover(&[&server.origin()]).expect_code(6);
    let told = "not used: 200, but its JSON is not valid: trailing comma at line 1, column 16";
    assert!(outcome.stdout.contains(told), "{outcome:#?}");
    assert_eq!(
        outcome.error(),
        format!("no metadata of {} can be read", server.origin()),
        "the URLs are in the table"
    );
    assert_eq!(
        outcome.hints(),
        format!(
            "The server's author has to correct the document at {}. Until then, a login can go on with --authorization-endpoint URL --token-endpoint URL.",
            server.url(SERVER_METADATA)
        )
    );
    server.on("GET", SERVER_METADATA, json(200, "[]"));
    let outcome = discover(&[&server.origin()]).expect_code(6);
    assert!(
        outcome.stdout.contains("200, but it is JSON, but not an object"),
        "{outcome:#?}"
    );
    // where no document is, the URL may be wrong
    server.on("GET", SERVER_METADATA, status(404));
    let outcome = discover(&[&server.origin()]).expect_code(6);
    assert!(outcome.hints().contains("Check the issuer URL"), "{outcome:#?}");
}

/// The URL of a port where nothing listens.
fn closed_port() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    format!("http://{}", listener.local_addr().expect("an address"))
}

#[test]
fn nothing_found_is_6_and_no_answer_is_3() {
    let server = LiteralServer::start();
    let outcome = discover(&[&server.origin()]).expect_code(6);
    assert_eq!(paths(&server), [SERVER_METADATA, OPENID, "/", RESOURCE_METADATA]);
    assert!(outcome.stdout.contains(&server.url(RESOURCE_METADATA)), "{outcome:#?}");
    let object = discover(&[&server.origin(), "--json"]).json();
    assert_eq!((&object["document"], &object["findings"]), (&Value::Null, &value!([])));

    for reply in [status(503), status(429)] {
        server.on("GET", OPENID, reply);
        let outcome = discover(&[&server.origin()]).expect_code(3);
        assert!(outcome.hints().contains("Try again later"), "{outcome:#?}");
    }
    server.on("GET", SERVER_METADATA, Reply::reset());
    let before = server.requests().len();
    let outcome = discover(&[&server.origin()]).expect_code(3);
    assert!(outcome.stdout.contains("no answer"), "{outcome:#?}");
    let asked = paths(&server).split_off(before);
    assert_eq!(asked, [SERVER_METADATA, OPENID, "/", RESOURCE_METADATA]);
    // Where nothing listens, the other URLs are on the same host.
    let url = closed_port();
    let outcome = discover(&[&url, "--json"]).expect_code(3);
    assert_eq!(
        outcome.json()["attempts"].as_array().map(Vec::len),
        Some(1),
        "{outcome:#?}"
    );
}

#[test]
fn what_is_typed_wrongly_is_2_and_no_request() {
    for (argument, part) in [
        ("http://id.example.com", "plain http"),
        ("id.example.com", "not a URL"),
        ("file:///etc/passwd", "neither an https nor an http URL"),
        ("https://user:pass@id.example.com", "userinfo"),
    ] {
        let outcome = discover(&[argument]).expect_error(2);
        assert!(outcome.error().contains(part), "{outcome:#?}");
    }
    let token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2ln";
    let outcome = discover(&[token]).expect_error(2);
    outcome.does_not_say(token);
}

#[test]
fn text_of_the_server_cannot_steer_the_terminal() {
    let server = LiteralServer::start();
    let hostile = format!(
        r#"{{"issuer":"{}","scopes_supported":["\u001b[2Jcleared\nforged line","\u202eevil"],"token_endpoint":"\u001b]0;x\u0007"}}"#,
        server.origin()
    );
    server.on("GET", SERVER_METADATA, json(200, &hostile));
    let outcome = discover(&[&server.origin()]).expect_code(6);
    assert!(
        outcome
            .stdout
            .contains("\\u{1b}[2Jcleared\\u{a}forged line \\u{202e}evil"),
        "{outcome:#?}"
    );
    for text in [&outcome.stdout, &outcome.stderr] {
        assert!(!text.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{text:?}");
    }
    let outcome = discover(&[&server.origin(), "--json"]).expect_code(6);
    assert!(!outcome.stdout.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{outcome:?}");
    assert_eq!(outcome.json()["document"]["scopes_supported"][1], "\u{202e}evil");
}

#[test]
fn the_development_server_has_no_findings() {
    let server = DevelopmentServer::start(&[]);
    for (url, attempts) in [(server.issuer(), 2), (server.issuer() + "/api", 8)] {
        let outcome = discover(&[&url, "--json"]).expect_code(0);
        let object = outcome.json();
        assert_eq!(object["findings"], value!([]), "{url}");
        assert_eq!(object["document"]["issuer"], server.issuer());
        assert_eq!(object["attempts"].as_array().map(Vec::len), Some(attempts), "{object}");
    }
    let outcome = discover(&[&server.issuer()]).expect_code(0);
    assert!(
        outcome.stdout.starts_with(&format!(
            "issuer  {}\n\n✓ no problems found in its metadata\n",
            server.issuer()
        )),
        "{outcome:#?}"
    );
}
