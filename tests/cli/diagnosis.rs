//! Common failures of logins, and the one hint that says what to do about each.

use crate::support::authorization_server::{self, callback_url_with, consent, metadata};
use crate::support::binary::Home;
use crate::support::callback;
use crate::support::certificates::{Authority, start_tls};
use crate::support::literal_server::{LiteralServer, Reply, html, json, redirect, status};
use crate::support::login::{assert_nothing_kept, login, parameter};
use crate::support::outcome::{Outcome, run};
use crate::support::running::Running;
use crate::support::sessions::now;
use crate::support::signing::Signer;
use serde_json::json as value;

const SERVER_METADATA: &str = "/.well-known/oauth-authorization-server";
const OPENID: &str = "/.well-known/openid-configuration";

/// A login whose token endpoint answers so.
fn exchanged(reply: Reply, arguments: &[&str], secret: Option<&str>) -> Outcome {
    let (home, server) = (Home::new(), authorization_server::start());
    server.on("POST", "/token", reply);
    let mut command = login(&home, &server, arguments);
    if let Some(secret) = secret {
        command.env("OAUTH_CLIENT_SECRET", secret);
    }
    let running = Running::start(&mut command);
    consent(&running.authorization_url(), &server.origin());
    let outcome = running.end();
    assert_nothing_kept(&home);
    outcome
}

/// A login whose authorization endpoint sends the browser back with this error.
fn refused(error: &str, description: &str, arguments: &[&str]) -> Outcome {
    let (home, server) = (Home::new(), authorization_server::start());
    let running = Running::start(&mut login(&home, &server, arguments));
    let url = running.authorization_url();
    let state = parameter(&url, "state");
    let issuer = server.origin();
    let response = [
        ("error", error),
        ("error_description", description),
        ("state", &state),
        ("iss", &issuer),
    ];
    callback::get_url(&callback_url_with(&url, &response)).expect("an answer of the listener");
    running.end()
}

/// One hint, with all of these in it.
#[track_caller]
fn one_hint(outcome: Outcome, code: i32, parts: &[&str]) {
    let outcome = outcome.expect_error(code);
    let hints = outcome.labelled("hint: ");
    assert_eq!(hints.len(), 1, "{outcome:#?}");
    for part in parts {
        assert!(hints[0].contains(part), "no {part:?}: {outcome:#?}");
    }
}

fn oauth_error(error: &str, description: &str) -> Reply {
    json(
        400,
        &value!({"error": error, "error_description": description}).to_string(),
    )
}

#[test]
fn a_redirect_uri_that_is_not_registered() {
    let fixed = ["--redirect-uri", "http://127.0.0.1:0/callback"];
    for outcome in [
        exchanged(
            oauth_error("invalid_grant", "redirect_uri does not match"),
            &fixed,
            None,
        ),
        exchanged(oauth_error("redirect_uri_mismatch", "Bad Request"), &fixed, None),
        refused("invalid_request", "AADSTS50011: The reply URL does not match", &fixed),
        refused("invalid_request", "Invalid redirect URI", &fixed),
    ] {
        one_hint(
            outcome,
            5,
            &[
                "Register the redirect URI http://127.0.0.1:",
                "/callback for this client",
                "127.0.0.1 is not localhost",
            ],
        );
    }
    let outcome = refused(
        "invalid_request",
        "Invalid redirect_uri",
        &["--redirect-uri", "http://localhost:0/cb"],
    );
    one_hint(
        outcome,
        5,
        &["http://localhost:", "localhost is not 127.0.0.1", "--redirect-uri"],
    );
}

#[test]
fn a_certificate_at_the_token_endpoint_that_the_browser_alone_trusts() {
    let (home, server) = (Home::new(), authorization_server::start());
    let inspected = start_tls(&Authority::new().issue(&["127.0.0.1"]));
    let document = metadata(&server.origin()).replace(&server.url("/token"), &inspected.url("/token"));
    server.on("GET", SERVER_METADATA, json(200, &document));
    let running = Running::start(&mut login(&home, &server, &[]));
    consent(&running.authorization_url(), &server.origin());
    one_hint(
        running.end(),
        3,
        &["a proxy inspects TLS", "SSL_CERT_FILE", "--cacert FILE", "HTTPS_PROXY"],
    );
    assert_nothing_kept(&home);
    assert_eq!(inspected.requests().len(), 0);
}

#[test]
fn policies_of_an_organisation_that_no_login_in_a_browser_satisfies() {
    for (error, description, parts) in [
        (
            "interaction_required",
            "AADSTS50097: Device authentication is required.",
            ["managed device", "broker"],
        ),
        (
            "invalid_grant",
            "AADSTS53000: Your device is required to be managed",
            ["exception for this client", "broker"],
        ),
        (
            "access_denied",
            "Blocked by a Token Protection policy",
            ["administrators", "broker"],
        ),
        (
            "access_denied",
            "AADSTS53003: Access has been blocked by Conditional Access policies.",
            ["conditional access policy", "sign-in log"],
        ),
    ] {
        one_hint(refused(error, description, &[]), 5, &parts);
        one_hint(exchanged(oauth_error(error, description), &[], None), 5, &parts);
    }
}

#[test]
fn a_client_that_is_a_document_by_what_the_server_may_not_like_in_it() {
    let url = "https://app.example/client.json";
    let as_document = |reply: Reply| {
        let (home, server) = (Home::new(), authorization_server::start());
        server.on("POST", "/token", reply);
        let mut command = home.oauth();
        command.args(["login", "--issuer", &server.origin(), "--client-id", url]);
        let running = Running::start(&mut command);
        consent(&running.authorization_url(), &server.origin());
        running.end()
    };
    one_hint(
        as_document(json(401, r#"{"error":"invalid_client"}"#)),
        5,
        &[url, "application/json", "documents of certain hosts"],
    );
    one_hint(
        as_document(oauth_error("invalid_redirect_uri", "")),
        5,
        &[url, "compares the port", "--port 8400"],
    );
}

#[test]
fn a_client_that_the_server_does_not_take_by_how_it_authenticated() {
    let invalid_client = || json(401, r#"{"error":"invalid_client"}"#);
    one_hint(
        exchanged(invalid_client(), &[], None),
        5,
        &["No client secret was sent", "--client-secret-file"],
    );
    let basic = ["--client-auth", "client_secret_basic"];
    one_hint(
        exchanged(invalid_client(), &basic, Some("s3cret")),
        5,
        &["in the Authorization header", "--client-auth client_secret_post"],
    );
    let post = ["--client-auth", "client_secret_post"];
    one_hint(
        exchanged(invalid_client(), &post, Some("s3cret")),
        5,
        &["in the body", "--client-auth client_secret_basic"],
    );
    let entra = oauth_error(
        "unauthorized_client",
        "AADSTS7000218: The request body must contain client_secret",
    );
    one_hint(exchanged(entra, &[], None), 5, &["No client secret was sent"]);
}

#[test]
fn no_refresh_token_without_offline_access() {
    let answer = json(200, r#"{"access_token":"a","token_type":"Bearer","expires_in":3600}"#);
    let (home, server) = (Home::new(), authorization_server::start());
    server.on("POST", "/token", answer);
    let logged_in = |arguments: &[&str]| {
        let running = Running::start(&mut login(&home, &server, arguments));
        consent(&running.authorization_url(), &server.origin());
        running.end().expect_code(0)
    };
    let notes = logged_in(&["-p", "work"]).labelled("note: ").join("\n");
    assert!(notes.contains("--scope offline_access may help"), "{notes}");
    let notes = logged_in(&["-p", "work", "--scope", "offline_access"])
        .labelled("note: ")
        .join("\n");
    assert!(
        notes.contains("no refresh token") && !notes.contains("may bring one"),
        "{notes}"
    );
    one_hint(
        run(home.oauth().args(["token", "work", "--force-refresh"])),
        4,
        &["offline_access"],
    );
}

#[test]
fn proof_keys_that_are_required_or_not_supported() {
    let lost = oauth_error("invalid_request", "PKCE is required: code_challenge is missing");
    one_hint(
        exchanged(lost, &[], None),
        5,
        &["S256 were sent", "something in front of the server"],
    );
    one_hint(
        refused("invalid_request", "Missing parameter: code_challenge_method", &[]),
        5,
        &["S256 were sent"],
    );
    one_hint(
        refused("invalid_request", "code_challenge is not supported", &[]),
        5,
        &["does not take PKCE with S256", "operator"],
    );
    let (home, server) = (Home::new(), LiteralServer::start());
    let document = metadata(&server.origin()).replace("S256", "plain");
    server.on("GET", SERVER_METADATA, json(200, &document));
    one_hint(run(&mut login(&home, &server, &[])), 6, &["enable S256"]);
}

#[test]
fn clocks_that_differ() {
    for issued_at in [now() + 3600, now() - 3600] {
        let (home, server) = (Home::new(), authorization_server::start());
        let running = Running::start(&mut login(&home, &server, &["--scope", "openid"]));
        let url = running.authorization_url();
        let id_token = Signer::new("k").token(&value!({
            "iss": server.origin(), "aud": "desktop", "sub": "ada", "nonce": parameter(&url, "nonce"),
            "iat": issued_at, "exp": issued_at + 600,
        }));
        let answer = value!({"access_token": "a", "token_type": "Bearer", "id_token": id_token});
        server.on("POST", "/token", json(200, &answer.to_string()));
        consent(&url, &server.origin());
        one_hint(running.end(), 6, &["clock of this machine"]);
    }
    one_hint(
        exchanged(oauth_error("invalid_grant", "expired"), &[], None),
        5,
        &["clock of the server"],
    );
}

#[test]
fn an_issuer_that_differs_by_a_slash_or_by_its_name_for_this_machine() {
    let (home, server) = (Home::new(), LiteralServer::start());
    let with_slash = format!("{}/", server.origin());
    server.on("GET", SERVER_METADATA, json(200, &metadata(&with_slash)));
    let corrected = format!("--issuer {with_slash}");
    one_hint(
        run(&mut login(&home, &server, &[])),
        6,
        &["Only the trailing slash differs", &corrected],
    );
    let localhost = server.origin().replace("127.0.0.1", "localhost");
    server.on("GET", SERVER_METADATA, json(200, &metadata(&localhost)));
    let corrected = format!("--issuer {localhost}");
    one_hint(
        run(&mut login(&home, &server, &[])),
        6,
        &["If that is the server you mean, run this", &corrected],
    );
}

#[test]
fn the_url_of_a_document_in_place_of_the_issuer() {
    let server = LiteralServer::start();
    for (typed, issuer) in [
        (format!("/o{OPENID}"), "/o"),
        (format!("/o{SERVER_METADATA}"), "/o"),
        (format!("{SERVER_METADATA}/o"), "/o"),
        (format!("{OPENID}/"), ""),
    ] {
        let (typed, issuer) = (server.url(&typed), server.url(issuer));
        let home = Home::new();
        let ends_in_issuer = format!("give its issuer instead: {issuer}");
        for outcome in [
            run(home.oauth().args(["login", &typed, "--client-id", "c"])),
            run(home.oauth().args(["login", &typed])),
            run(home.oauth().args(["discover", &typed])),
        ] {
            let outcome = outcome.expect_code(6);
            assert_eq!(outcome.labelled("hint: ").len(), 1, "{outcome:#?}");
            assert!(outcome.hints().ends_with(&ends_in_issuer), "{outcome:#?}");
        }
    }
}

#[test]
fn an_issuer_without_the_path_that_it_often_has() {
    let (home, server) = (Home::new(), LiteralServer::start());
    let hints = |issuer: &str| {
        let outcome = run(home.oauth().args(["login", issuer, "--client-id", "c"]));
        outcome.expect_error(6).hints()
    };
    for bare in ["", "/"] {
        let hints = hints(&server.url(bare));
        assert!(hints.contains("https://HOST/realms/NAME"), "{hints}");
    }
    let hints = hints(&server.url("/realms/absent"));
    assert!(
        !hints.contains("https://HOST") && hints.contains("Check the issuer URL"),
        "{hints}"
    );
}

#[test]
fn a_callback_that_never_comes_because_the_server_shows_a_page() {
    let (home, server) = (Home::new(), authorization_server::start());
    let running = Running::start(&mut login(&home, &server, &["--timeout", "250ms"]));
    let outcome = running.end().expect_error(7);
    outcome.does_not_say("paste its URL here");
    let hints = outcome.hints();
    assert!(
        hints.contains("run it again in a terminal and paste the URL of that page: --paste"),
        "there is no terminal: {outcome:#?}"
    );
    for part in [
        "error page of the server",
        "not registered",
        "localhost is not 127.0.0.1",
        "request was blocked",
        "--redirect-uri http://localhost:0/callback",
    ] {
        assert!(hints.contains(part), "{outcome:#?}");
    }
}

#[test]
fn a_captive_portal_that_answers_everything() {
    for reply in [
        redirect(302, "http://portal.example/"),
        html(200, "<html>Welcome to the hotel</html>"),
    ] {
        let (home, server) = (Home::new(), LiteralServer::start());
        for path in [SERVER_METADATA, OPENID] {
            server.on("GET", path, reply.clone());
        }
        let outcome = run(&mut login(&home, &server, &[])).expect_error(6);
        let first = &outcome.labelled("hint: ")[0];
        assert!(
            first.contains("captive portal") && first.contains("open a page in a browser"),
            "{outcome:#?}"
        );
    }
    let page = html(200, "<html>Welcome to the hotel</html>");
    one_hint(exchanged(page, &[], None), 3, &["captive portal"]);
    // A server that has no metadata is none.
    let (home, server) = (Home::new(), LiteralServer::start());
    server.on("GET", OPENID, html(200, "<html>an application</html>"));
    let outcome = run(&mut login(&home, &server, &[])).expect_error(6);
    assert!(outcome.hints().starts_with("Check the issuer URL"), "{outcome:#?}");
}

#[test]
fn a_resource_that_the_server_refuses() {
    let resource = ["--resource", "https://api.example.com"];
    let entra =
        "AADSTS9010010: The resource parameter provided in the request doesn't match with the requested scopes.";
    one_hint(
        refused("invalid_target", entra, &resource),
        5,
        &["leave out --resource", "/.default"],
    );
    one_hint(
        exchanged(oauth_error("invalid_target", entra), &resource, None),
        5,
        &["leave out --resource", "/.default"],
    );
    one_hint(
        refused("invalid_target", "unknown", &resource),
        5,
        &["does not know the --resource"],
    );
    one_hint(
        exchanged(oauth_error("invalid_request", "Unknown resource"), &resource, None),
        5,
        &["does not know the --resource"],
    );
    // The words of RFC 6749 §4.1.2.1 speak of another resource.
    one_hint(
        refused("access_denied", "The resource owner denied the request", &resource),
        5,
        &["Run the login again"],
    );
}

#[test]
fn a_firewall_that_blocks_requests_with_127_0_0_1_in_them() {
    // a page is not the server's own refusal; without one, a 4xx is
    for (reply, code) in [
        (html(403, "<h1>Request blocked</h1>"), 3),
        (html(406, "Not Acceptable"), 3),
        (status(403), 5),
    ] {
        one_hint(
            exchanged(reply, &[], None),
            code,
            &[
                "The token endpoint may be wrong, or only be open to others",
                "firewall",
                "127.0.0.1",
                "--redirect-uri http://localhost:0/callback",
            ],
        );
    }
    let blocked = html(403, "<h1>Request blocked</h1>");
    let localhost = ["--redirect-uri", "http://localhost:0/callback"];
    one_hint(
        exchanged(blocked, &localhost, None),
        3,
        &["does not seem to come from the token endpoint"],
    );
}
