//! Where the server's endpoints come from: the four well-known documents in
//! their order (RFC 8414 §3.1, OpenID Connect Discovery §4.1), or flags.

use crate::support::authorization_server::{self, metadata, token_answer};
use crate::support::binary::Home;
use crate::support::literal_server::{LiteralServer, Reply, html, json, redirect, status, value_of};
use crate::support::login::{CLIENT, MarkingBrowser, assert_nothing_kept, complete, complete_seeing_url, login};
use crate::support::outcome::{Outcome, run};
use crate::support::running::Running;
use std::process::Command;

/// For an issuer with the path `/tenant`.
const IN_ORDER: [&str; 4] = [
    "/.well-known/oauth-authorization-server/tenant",
    "/tenant/.well-known/openid-configuration",
    "/.well-known/openid-configuration/tenant",
    "/tenant/.well-known/oauth-authorization-server",
];

fn login_at(home: &Home, issuer: &str) -> Command {
    let mut command = home.oauth();
    command.args(["login", "--issuer", issuer, "--client-id", CLIENT]);
    command
}

fn paths(server: &LiteralServer) -> Vec<String> {
    server.requests().iter().map(|request| request.target.clone()).collect()
}

#[test]
fn the_first_json_object_wins() {
    let no_answers = [
        status(404),
        html(200, "<html>sign in</html>"),
        json(200, "[1]"),
        json(404, "{}"),
        Reply::http(200, &["Content-Type: application/json"], ""),
        redirect(302, "/elsewhere"),
        status(403),
    ];
    for (found_at, path) in IN_ORDER.into_iter().enumerate() {
        let (home, server) = (Home::new(), LiteralServer::start());
        let issuer = server.url("/tenant");
        for (index, earlier) in IN_ORDER[..found_at].iter().enumerate() {
            server.on(
                "GET",
                earlier,
                no_answers[(index + found_at) % no_answers.len()].clone(),
            );
        }
        server.on("GET", path, json(200, &metadata(&issuer)));
        for later in &IN_ORDER[found_at + 1..] {
            server.on("GET", later, json(200, r#"{"issuer":"https://evil.example.com"}"#));
        }
        server.on("POST", "/tenant/token", json(200, &token_answer()));
        complete(&mut login_at(&home, &issuer), &issuer).expect_code(0);
        let mut expected: Vec<&str> = IN_ORDER[..=found_at].to_vec();
        expected.push("/tenant/token");
        assert_eq!(paths(&server), expected);
    }
}

#[test]
fn an_issuer_without_a_path_has_two_well_known_documents() {
    for path in ["", "/"] {
        let (home, server) = (Home::new(), LiteralServer::start());
        let issuer = server.url(path);
        let document = metadata(&server.origin()).replacen(&server.origin(), &issuer, 1);
        server.on("GET", "/.well-known/openid-configuration", json(200, &document));
        server.on("POST", "/token", json(200, &token_answer()));
        complete(&mut login_at(&home, &issuer), &issuer).expect_code(0);
        let expected = [
            "/.well-known/oauth-authorization-server",
            "/.well-known/openid-configuration",
            "/token",
        ];
        assert_eq!(paths(&server), expected);
    }
    let (home, server) = (Home::new(), LiteralServer::start());
    run(&mut login_at(&home, &server.origin())).expect_code(6);
    assert_eq!(paths(&server).len(), 2, "the other two would be the same URLs");
}

#[test]
fn nothing_is_merged_from_two_documents() {
    let (home, server) = (Home::new(), LiteralServer::start());
    let issuer = server.origin();
    let half = metadata(&issuer).replace("token_endpoint\"", "other\"");
    server.on("GET", "/.well-known/oauth-authorization-server", json(200, &half));
    server.on(
        "GET",
        "/.well-known/openid-configuration",
        json(200, &metadata(&issuer)),
    );
    let finished = run(&mut login_at(&home, &issuer)).expect_code(6);
    assert!(finished.error().contains("token_endpoint"), "{finished:?}");
    assert!(finished.hints().contains("--token-endpoint"), "{finished:?}");
    assert_eq!(paths(&server).len(), 1);

    // the flag fills the gap
    server.on("POST", "/token", json(200, &token_answer())).expected();
    let mut command = login_at(&home, &issuer);
    complete(command.args(["--token-endpoint", &server.url("/token")]), &issuer).expect_code(0);
}

#[test]
fn the_issuer_must_be_the_one_that_was_typed_byte_for_byte() {
    let (home, server) = (Home::new(), LiteralServer::start());
    let browser = MarkingBrowser::new(home.path());
    let origin = server.origin();
    let localhost = origin.replace("127.0.0.1", "localhost");
    for (typed, found) in [
        (origin.clone(), format!("{origin}/")),
        (format!("{origin}/"), origin.clone()),
        (origin.clone(), localhost.clone()),
        (origin.clone(), "https://id.example.com".to_owned()),
        (origin.clone(), origin.replace("http", "HTTP")),
        (format!("{origin}/t"), format!("{origin}/T")),
    ] {
        let document = metadata(&found);
        for path in [
            "/.well-known/oauth-authorization-server",
            "/.well-known/oauth-authorization-server/t",
        ] {
            server.on("GET", path, json(200, &document));
        }
        let before = server.requests().len();
        let mut command = login_at(&home, &typed);
        let finished = run(command.args(["--browser", &browser.command])).expect_code(6);
        assert!(
            finished.stderr.contains(&found) && finished.stderr.contains(&typed),
            "{finished:?}"
        );
        let hints = finished.hints();
        assert!(hints.contains("oauth login") && hints.contains(&found), "{hints}");
        assert_eq!(server.requests().len() - before, 1, "no other document is asked for");
    }
    let document = metadata(&origin).replace("\"issuer\"", "\"other\"");
    server.on("GET", "/.well-known/oauth-authorization-server", json(200, &document));
    run(&mut login_at(&home, &origin)).expect_code(6).says(&["issuer"]);
    assert!(!browser.was_run());
    assert_nothing_kept(&home);
}

#[test]
fn the_corrected_command_is_safe_to_paste_into_a_shell() {
    let (home, server) = (Home::new(), LiteralServer::start());
    let hints = |found: &str| {
        let document = metadata(found);
        server.on("GET", "/.well-known/oauth-authorization-server", json(200, &document));
        run(&mut login_at(&home, &server.origin())).expect_code(6).hints()
    };
    let quoted = "oauth login --issuer 'https://id.example.com/$(id)`id`;id'";
    assert!(hints("https://id.example.com/$(id)`id`;id").contains(quoted));
    for no_issuer in [
        "x; id",
        "https://id.example.com/'; id",
        "https://user@id.example.com",
        "javascript:id",
        "",
    ] {
        let hints = hints(no_issuer);
        assert!(!hints.contains("oauth login") && !hints.is_empty(), "{hints}");
    }
}

#[test]
fn no_document_anywhere_hints_at_the_endpoint_flags() {
    for (reply, shown) in [
        (status(404), "404"),
        (html(200, "<html>welcome</html>"), "text/html"),
        (html(404, "<h1>no</h1>"), "404"),
        (json(200, "\"metadata\""), "200"),
        (redirect(302, "https://evil.example.com/metadata"), "302"),
        (status(401), "401"),
    ] {
        let (home, server) = (Home::new(), LiteralServer::start());
        for path in IN_ORDER {
            server.on("GET", path, reply.clone()).expected();
        }
        let finished = run(&mut login_at(&home, &server.url("/tenant"))).expect_code(6);
        let hints = finished.hints();
        assert!(
            hints.contains("--authorization-endpoint") && hints.contains("--token-endpoint"),
            "{hints}"
        );
        assert!(finished.error().contains(shown), "{finished:?}");
        assert_eq!(paths(&server), IN_ORDER);
        assert_nothing_kept(&home);
    }
}

#[test]
fn a_server_in_trouble_is_asked_later() {
    for code in [500, 502, 503, 429] {
        let (home, server) = (Home::new(), LiteralServer::start());
        for path in IN_ORDER {
            server.on("GET", path, json(code, &metadata(&server.url("/tenant"))));
        }
        let finished = run(&mut login_at(&home, &server.url("/tenant"))).expect_code(3);
        assert!(finished.error().contains(&code.to_string()), "{finished:?}");
        assert_nothing_kept(&home);
    }
    // one document in trouble among absent ones is still trouble
    let (home, server) = (Home::new(), LiteralServer::start());
    server.on("GET", IN_ORDER[1], status(503));
    run(&mut login_at(&home, &server.url("/tenant"))).expect_code(3);
    // and no trouble when a later one is there
    server.on("GET", IN_ORDER[2], json(200, &metadata(&server.url("/tenant"))));
    server.on("POST", "/tenant/token", json(200, &token_answer()));
    let issuer = server.url("/tenant");
    complete(&mut login_at(&home, &issuer), &issuer).expect_code(0);
}

#[test]
fn nobody_there_is_exit_code_3() {
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.local_addr().expect("its address").port()
    };
    let home = Home::new();
    let finished = run(&mut login_at(&home, &format!("http://127.0.0.1:{port}"))).expect_code(3);
    assert!(finished.stderr.contains(&port.to_string()), "{finished:?}");
    assert_nothing_kept(&home);
}

#[test]
fn with_both_endpoints_nothing_is_discovered() {
    let (home, server) = (Home::new(), LiteralServer::start());
    server.on("POST", "/t", json(200, &token_answer()));
    let mut command = home.oauth();
    command.args([
        "login",
        "--client-id",
        CLIENT,
        "--authorization-endpoint",
        &server.url("/a?x=1"),
    ]);
    command.args(["--token-endpoint", &server.url("/t?tenant=y")]);
    let (finished, url) = complete_seeing_url(&mut command, &server.origin());
    finished.expect_code(0);
    assert!(
        url.starts_with(&format!("{}&response_type=code", server.url("/a?x=1"))),
        "{url}"
    );
    assert_eq!(paths(&server), ["/t?tenant=y"]);
}

#[test]
fn one_endpoint_by_flag_replaces_the_discovered_one() {
    let (home, server) = (Home::new(), authorization_server::start());
    let elsewhere = LiteralServer::start();
    elsewhere.on("POST", "/t", json(200, &token_answer())).expected();
    let mut command = login(&home, &server, &["--token-endpoint", &elsewhere.url("/t")]);
    complete(&mut command, &server.origin()).expect_code(0);
    assert_eq!(paths(&server), ["/.well-known/oauth-authorization-server"]);
    assert_eq!(paths(&elsewhere), ["/t"]);
}

#[test]
fn a_server_without_its_scheme_is_answered_with_the_whole_command() {
    let home = Home::new();
    let log_in = |arguments: &[&str]| run(home.oauth().arg("login").args(arguments)).expect_error(2);
    log_in(&["id.example.com"]).says(&["oauth login https://id.example.com"]);
    log_in(&["id.example.com", "--profile", "work"]).says(&["oauth login https://id.example.com --profile work"]);
    log_in(&["one", "--profile", "work"]).says(&["both name the profile"]);
}

#[test]
fn plain_http_outside_this_machine_is_for_the_user_to_allow() {
    let home = Home::new();
    let refused = |arguments: &[&str]| -> Outcome { run(home.oauth().arg("login").args(arguments)).expect_code(2) };
    for arguments in [
        &["--client-id", "c", "--issuer", "http://id.example.com"][..],
        &["http://id.example.com", "--client-id", "c"],
        &["--client-id", "c", "--issuer", "http://127.0.0.1.nip.io"],
        &["--client-id", "c", "--issuer", "http://10.0.0.1"],
        &[
            "--client-id",
            "c",
            "--issuer",
            "https://id.example.com",
            "--token-endpoint",
            "http://id.example.com/t",
        ],
    ] {
        let finished = refused(arguments);
        assert!(finished.hints().contains("--allow-http"), "{finished:?}");
    }
    for issuer in [
        "id.example.com",
        "ftp://id.example.com",
        "https://id.example.com?x",
        "https://id.example.com/#x",
        "https://user@id.example.com",
        "https://",
    ] {
        refused(&["--client-id", "c", "--issuer", issuer]).says(&["--issuer"]);
    }

    // named by the server: its mistake
    let server = LiteralServer::start();
    for endpoint in ["authorization", "token"] {
        let usual = metadata(&server.origin());
        let document = usual.replace(
            "\"response_types_supported\"",
            &format!("\"{endpoint}_endpoint\":\"http://id.example.com/x\",\"response_types_supported\""),
        );
        let document = document.replacen(
            &format!("\"{endpoint}_endpoint\":\"http://127"),
            "\"other\":\"http://127",
            1,
        );
        server.on("GET", "/.well-known/oauth-authorization-server", json(200, &document));
        let finished = run(&mut login(&home, &server, &[])).expect_code(6);
        assert!(finished.hints().contains("--allow-http"), "{endpoint}: {finished:?}");
    }
    assert_nothing_kept(&home);

    let document = metadata(&server.origin()).replacen(
        &format!("{}/authorize", server.origin()),
        "http://id.example.com/authorize",
        1,
    );
    server.on("GET", "/.well-known/oauth-authorization-server", json(200, &document));
    server.on("POST", "/token", json(200, &token_answer()));
    let running = Running::start(&mut login(&home, &server, &["--allow-http"]));
    let url = running.authorization_url();
    assert!(url.starts_with("http://id.example.com/authorize?"), "{url}");
    authorization_server::consent(&url, &server.origin());
    running.end().expect_code(0);
    assert_eq!(
        value_of(&server.only_request_to("/token").form(), "client_id"),
        Some(CLIENT)
    );
}
