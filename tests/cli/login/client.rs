//! Who the client is and how it proves that: `none`, `client_secret_basic`
//! with the form encoding of RFC 6749 §2.3.1, `client_secret_post`; and where
//! its secret may come from and never goes to.

use crate::support::authorization_server::{self, metadata, token_answer};
use crate::support::binary::Home;
use crate::support::literal_server::{LiteralServer, Request, json, value_of};
use crate::support::login::{assert_nothing_kept, complete, complete_seeing_url, login, parameter};
use crate::support::outcome::run;
use crate::support::running::Running;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// With everything that form encoding changes.
const ODD_SECRET: &str = "p%+\u{fc} :/";
const ODD_CLIENT: &str = "a:b c";

#[test]
fn what_is_wrong_with_the_command_line_is_found_before_the_store_makes_its_key() {
    let server = authorization_server::start();
    let home = Home::new();
    let empty = home.path().join("empty");
    std::fs::write(&empty, "\n").expect("a file");
    let full = home.path().join("full");
    std::fs::write(&full, "secret\n").expect("a file");
    let (empty, full) = (empty.to_str().expect("text"), full.to_str().expect("text"));
    for arguments in [
        &["--client-secret-file", empty][..],
        &["--client-secret-file", "/nonexistent/secret"],
        &["--client-secret-stdin"],
        &["--refresh-token-stdin"],
        &["--client-secret-file", full, "--client-auth", "none"],
        &["--client-auth", "client_secret_basic"],
    ] {
        let arguments = [arguments, &["--store", "file", "--no-browser"]].concat();
        run(&mut login(&home, &server, &arguments)).expect_error(2);
        assert_nothing_kept(&home);
        let left: Vec<_> = home
            .files()
            .into_iter()
            .filter(|file| !file.ends_with("empty") && !file.ends_with("full"))
            .collect();
        assert!(left.is_empty(), "{arguments:?}: {left:?}");
    }
}

fn with_methods(methods: &str) -> LiteralServer {
    let server = LiteralServer::start();
    let known = r#""token_endpoint_auth_methods_supported":["none","client_secret_basic","client_secret_post"]"#;
    let metadata = metadata(&server.origin());
    assert!(metadata.contains(known));
    let metadata = metadata.replace(known, methods);
    server.on("GET", "/.well-known/oauth-authorization-server", json(200, &metadata));
    server.on("POST", "/token", json(200, &token_answer()));
    server
}

/// The token request of a login with this client, secret and arguments.
fn token_request(server: &LiteralServer, client: &str, secret: &str, arguments: &[&str]) -> Request {
    let home = Home::new();
    let mut command = home.oauth();
    command
        .args(["login", "--issuer", &server.origin(), "--client-id", client])
        .args(arguments)
        .env("OAUTH_CLIENT_SECRET", secret);
    complete(&mut command, &server.origin()).expect_code(0);
    server.only_request_to("/token")
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

#[test]
fn basic_is_form_encoded_and_stands_alone() {
    let server = authorization_server::start();
    let request = token_request(
        &server,
        ODD_CLIENT,
        ODD_SECRET,
        &["--client-auth", "client_secret_basic"],
    );
    assert_eq!(
        request.header("authorization"),
        Some(basic("a%3Ab+c", "p%25%2B%C3%BC+%3A%2F").as_str())
    );
    let form = request.form();
    assert_eq!(
        (value_of(&form, "client_id"), value_of(&form, "client_secret")),
        (None, None)
    );

    // the example of RFC 6749 §2.3.1
    let server = authorization_server::start();
    let request = token_request(&server, "s6BhdRkqt3", "gX1fBat3bV", &[]);
    assert_eq!(
        request.header("authorization"),
        Some("Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW")
    );
}

#[test]
fn post_stands_in_the_body_alone() {
    let server = authorization_server::start();
    let request = token_request(
        &server,
        ODD_CLIENT,
        ODD_SECRET,
        &["--client-auth", "client_secret_post"],
    );
    assert_eq!(request.header("authorization"), None);
    let form = request.form();
    assert_eq!(value_of(&form, "client_id"), Some(ODD_CLIENT));
    assert_eq!(value_of(&form, "client_secret"), Some(ODD_SECRET));
    assert!(!request.target.contains('?'), "never in the URL");
}

#[test]
fn the_metadata_choose_and_basic_is_taken_where_they_are_silent() {
    for (methods, in_header) in [
        (r#""x":0"#, true),
        (
            r#""token_endpoint_auth_methods_supported":["client_secret_post","none"]"#,
            false,
        ),
        (
            r#""token_endpoint_auth_methods_supported":["client_secret_post","client_secret_basic"]"#,
            true,
        ),
        (r#""token_endpoint_auth_methods_supported":["private_key_jwt"]"#, true),
    ] {
        let server = with_methods(methods);
        let request = token_request(&server, "c", "s", &[]);
        assert_eq!(request.header("authorization").is_some(), in_header, "{methods}");
        assert_eq!(
            value_of(&request.form(), "client_secret").is_none(),
            in_header,
            "{methods}"
        );
    }
}

#[test]
fn a_public_client_names_itself_in_the_body() {
    let (home, server) = (Home::new(), authorization_server::start());
    let mut command = login(&home, &server, &["--client-auth", "none"]);
    complete(&mut command, &server.origin()).expect_code(0);
    let request = server.only_request_to("/token");
    assert_eq!(request.header("authorization"), None);
    assert_eq!(value_of(&request.form(), "client_id"), Some("desktop"));
    assert_eq!(value_of(&request.form(), "client_secret"), None);
}

/// The server chooses it: one in base64url may begin with a hyphen.
#[test]
fn a_client_id_may_begin_with_a_hyphen_and_no_option_is_taken_for_one() {
    let (home, server) = (Home::new(), authorization_server::start());
    let at_server = |arguments: &[&str]| {
        let mut command = home.oauth();
        command
            .args(["login", &server.origin(), "--no-browser"])
            .args(arguments);
        command
    };
    let (outcome, url) = complete_seeing_url(&mut at_server(&["--client-id", "-zjX4"]), &server.origin());
    outcome.expect_code(0);
    assert_eq!(parameter(&url, "client_id"), "-zjX4");
    for option in ["--device", "-p"] {
        run(&mut at_server(&["--client-id", option]))
            .expect_code(2)
            .says(&["--client-id", "looks like an option"]);
    }
}

#[test]
fn methods_without_what_they_need_are_refused() {
    let (home, server) = (Home::new(), authorization_server::start());
    for method in ["client_secret_basic", "client_secret_post"] {
        let finished = run(&mut login(&home, &server, &["--client-auth", method])).expect_code(2);
        assert!(finished.hints().contains("--client-secret-file"), "{finished:?}");
    }
    let mut command = login(&home, &server, &["--client-auth", "none"]);
    run(command.env("OAUTH_CLIENT_SECRET", "s"))
        .expect_code(2)
        .says(&["--client-auth none"]);
    run(&mut login(&home, &server, &["--client-auth", "magic"]))
        .expect_code(2)
        .says(&["magic"]);
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn the_secret_comes_from_file_stdin_or_environment() {
    let server = authorization_server::start();
    let home = Home::new();
    let file = home.path().join("secret");
    let path = file.display().to_string();
    let secret_sent = |from: usize| {
        let request = server.requests_to("/token")[from].clone();
        request.header("authorization").expect("basic").to_owned()
    };
    for (index, (content, sent)) in [("s1\n", "s1"), ("s2\r\n", "s2"), ("s3", "s3"), ("s4\n\n", "s4%0A")]
        .into_iter()
        .enumerate()
    {
        std::fs::write(&file, content).expect("writing the secret");
        let mut command = login(&home, &server, &["--client-secret-file", &path]);
        complete(&mut command, &server.origin()).expect_code(0);
        assert_eq!(secret_sent(index), basic("desktop", sent), "{content:?}");
    }

    let mut command = login(&home, &server, &["--client-secret-stdin"]);
    let running = Running::start_with_input(&mut command, "from stdin\n");
    authorization_server::consent(&running.authorization_url(), &server.origin());
    running.end().expect_code(0);
    assert_eq!(secret_sent(4), basic("desktop", "from+stdin"));

    // the environment wins
    let mut command = login(&home, &server, &["--client-secret-file", &path]);
    complete(command.env("OAUTH_CLIENT_SECRET", "env"), &server.origin()).expect_code(0);
    assert_eq!(secret_sent(5), basic("desktop", "env"));
}

#[test]
fn a_secret_that_is_missing_or_empty_is_refused() {
    let (home, server) = (Home::new(), authorization_server::start());
    let file = home.path().join("secret");
    let path = file.display().to_string();
    let run_with_file = || run(&mut login(&home, &server, &["--client-secret-file", &path])).expect_code(2);
    let finished = run_with_file();
    assert!(
        finished.error().contains("--client-secret-file") && finished.error().contains(&path),
        "{finished:?}"
    );
    for content in ["", "\n", "\r\n"] {
        std::fs::write(&file, content).expect("writing the secret");
        run_with_file().says(&["empty"]);
    }
    let mut command = login(&home, &server, &["--client-secret-stdin"]);
    Running::start_with_input(&mut command, "\n")
        .end()
        .expect_code(2)
        .says(&["--client-secret-stdin"]);
    assert_eq!(server.requests_to("/token").len(), 0);
    assert_nothing_kept(&home);
}

#[test]
fn a_kept_secret_serves_the_next_login_of_the_same_client_alone() {
    let (home, server) = (Home::new(), authorization_server::start());
    let mut first = login(&home, &server, &["--client-secret-stdin"]);
    let running = Running::start_with_input(&mut first, "kept");
    authorization_server::consent(&running.authorization_url(), &server.origin());
    running.end().expect_code(0);
    complete(&mut login(&home, &server, &[]), &server.origin()).expect_code(0);
    let mut other = home.oauth();
    other.args(["login", "--issuer", &server.origin(), "--client-id", "other"]);
    complete(&mut other, &server.origin()).expect_code(0);
    let requests = server.requests_to("/token");
    assert_eq!(
        requests[1].header("authorization"),
        Some(basic("desktop", "kept").as_str())
    );
    assert_eq!(requests[2].header("authorization"), None, "another client");
}
