//! The signature of the ID token at login: by a published key or the client's
//! secret, the keys fetched before the browser opens and once more for a new
//! `kid`, and what is said where no keys are known.

use crate::support::authorization_server::{self, ACCESS_TOKEN, consent};
use crate::support::binary::Home;
use crate::support::literal_server::{LiteralServer, Reply, html, json as json_reply, status};
use crate::support::login::{CLIENT, MarkingBrowser, assert_nothing_kept, login, parameter};
use crate::support::outcome::{Outcome, run};
use crate::support::running::Running;
use crate::support::sessions::now;
use crate::support::signing::{RsaSigner, Signer, signed_with_secret, unsigned};
use serde_json::{Value, json};

const SECRET: &str = "a-client-secret-of-more-than-32-characters";

/// A server whose metadata names the keys that are given.
fn server_with_keys(keys: Reply) -> LiteralServer {
    let server = authorization_server::start();
    announce(&server, &json!({"jwks_uri": server.url("/jwks")}));
    server.on("GET", "/jwks", keys);
    server
}

fn announce(server: &LiteralServer, members: &Value) {
    let mut metadata: Value = serde_json::from_str(&authorization_server::metadata(&server.origin())).expect("JSON");
    for (name, value) in members.as_object().expect("an object") {
        metadata[name] = value.clone();
    }
    server.on(
        "GET",
        "/.well-known/oauth-authorization-server",
        json_reply(200, &metadata.to_string()),
    );
}

fn claims(server: &LiteralServer, nonce: &str) -> Value {
    json!({"iss": server.origin(), "aud": CLIENT, "sub": "ada", "nonce": nonce, "exp": now() + 300, "iat": now()})
}

/// A login with these arguments that gets this ID token, made for its nonce.
fn log_in(home: &Home, server: &LiteralServer, arguments: &[&str], id_token: impl FnOnce(&str) -> String) -> Outcome {
    let mut command = login(home, server, arguments);
    let running = Running::start(command.args(["--scope", "openid"]));
    finish(running, server, id_token)
}

fn finish(running: Running, server: &LiteralServer, id_token: impl FnOnce(&str) -> String) -> Outcome {
    let url = running.authorization_url();
    let id_token = id_token(&parameter(&url, "nonce"));
    let answer =
        json!({"access_token": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 3600, "id_token": id_token});
    server.on("POST", "/token", json_reply(200, &answer.to_string()));
    consent(&url, &server.origin());
    running.end()
}

#[test]
fn a_login_with_openid_makes_three_requests_and_one_without_makes_two() {
    let (home, key) = (Home::new(), Signer::new("1"));
    let server = server_with_keys(json_reply(200, &key.jwks()));
    let ended = log_in(&home, &server, &["-vv"], |nonce| key.token(&claims(&server, nonce))).expect_code(0);
    assert_eq!(server.requests().len(), 3);
    assert!(
        ended
            .stderr
            .contains("the signature of the ID token is valid: EdDSA with key \"1\""),
        "{ended:?}"
    );

    let mut command = login(&home, &server, &["--profile", "second"]);
    let running = Running::start(&mut command);
    consent(&running.authorization_url(), &server.origin());
    running.end().expect_code(0);
    assert_eq!(server.requests().len(), 5);
}

#[test]
fn keys_are_looked_for_in_the_other_document_where_the_first_has_none() {
    let (home, key) = (Home::new(), Signer::new("1"));
    let server = authorization_server::start();
    let second = json!({
        "issuer": server.origin(), "authorization_endpoint": server.url("/authorize"),
        "token_endpoint": server.url("/token"), "jwks_uri": server.url("/jwks"), "response_types_supported": ["code"],
    });
    server.on(
        "GET",
        "/.well-known/openid-configuration",
        json_reply(200, &second.to_string()),
    );
    server.on("GET", "/jwks", json_reply(200, &key.jwks()));
    log_in(&home, &server, &[], |nonce| key.token(&claims(&server, nonce))).expect_code(0);
    assert_eq!(server.requests_to("/jwks").len(), 1);
}

#[test]
fn keys_that_cannot_be_had_end_the_login_before_the_browser_opens() {
    for (keys, code) in [
        (status(503), 3),
        (Reply::reset(), 3),
        (status(404), 6),
        (html(200, "<p>sign in</p>"), 6),
        (json_reply(200, r#"{"keys":{}}"#), 6),
        (json_reply(200, &json!({"keys": vec![json!({}); 1000]}).to_string()), 6),
        (
            json_reply(200, &json!({"keys": [], "x": "a".repeat(300_000)}).to_string()),
            6,
        ),
    ] {
        let (home, server) = (Home::new(), server_with_keys(keys));
        let browser = MarkingBrowser::new(home.path());
        let ended = run(&mut login(
            &home,
            &server,
            &["--scope", "openid", "--browser", &browser.command],
        ));
        assert_eq!(ended.code, Some(code), "{ended:?}");
        assert!(ended.hints().contains("--jwks-uri URL"), "{ended:?}");
        assert!(!browser.was_run());
        assert_nothing_kept(&home);
    }
}

#[test]
fn a_key_that_never_comes_is_asked_for_once_more_and_no_further() {
    let (home, key) = (Home::new(), Signer::new("known"));
    let server = server_with_keys(json_reply(200, &key.jwks()));
    let ended = log_in(&home, &server, &[], |nonce| {
        Signer::new("never published").token(&claims(&server, nonce))
    });
    let ended = ended.expect_error(6);
    assert!(
        ended
            .causes()
            .contains("publishes no key for EdDSA with kid \"never published\""),
        "{ended:?}"
    );
    assert_eq!(server.requests_to("/jwks").len(), 2);
    assert_nothing_kept(&home);
}

#[test]
fn a_new_key_that_cannot_be_fetched_is_a_matter_of_the_network() {
    let (home, key) = (Home::new(), Signer::new("1"));
    let server = server_with_keys(Reply::nothing());
    server.on_each("GET", "/jwks", vec![json_reply(200, &key.jwks()), status(503)]);
    let ended = log_in(&home, &server, &[], |nonce| {
        Signer::new("2").token(&claims(&server, nonce))
    });
    let ended = ended.expect_error(3);
    assert!(ended.causes().contains("answered with status 503"), "{ended:?}");
    assert_nothing_kept(&home);
}

#[test]
fn keys_in_the_token_itself_are_not_looked_at() {
    let (home, issuers, attackers) = (Home::new(), Signer::new("1"), Signer::new("1 of an attacker"));
    let server = server_with_keys(json_reply(200, &issuers.jwks()));
    server.on("GET", "/attacker", json_reply(200, &attackers.jwks()));
    for member in ["jwk", "jku", "x5u"] {
        let value = match member {
            "jwk" => attackers.jwk(),
            _ => json!(server.url("/attacker")),
        };
        let ended = log_in(&home, &server, &[], |nonce| {
            let header = json!({"alg": "EdDSA", "kid": "1", member: value});
            attackers.signed(&unsigned(&header, &claims(&server, nonce)))
        });
        ended.expect_error(6);
        assert_nothing_kept(&home);
    }
    assert_eq!(server.requests_to("/attacker").len(), 0);
}

#[test]
fn a_client_secret_proves_hs256_and_nothing_else() {
    let key = RsaSigner::new();
    let server = server_with_keys(json_reply(200, &json!({"keys": [key.jwk(Some("1"))]}).to_string()));
    let with = |client_secret: Option<&str>, signed_with: &str| {
        let home = Home::new();
        let mut command = login(&home, &server, &["--scope", "openid"]);
        command.envs(client_secret.map(|secret| ("OAUTH_CLIENT_SECRET", secret)));
        let ended = finish(Running::start(&mut command), &server, |nonce| {
            signed_with_secret(signed_with, &claims(&server, nonce))
        });
        (ended, home)
    };
    let (ended, home) = with(Some(SECRET), SECRET);
    ended.expect_code(0);
    assert!(home.kept("default").is_some());

    // The public key is known to everybody, so it must not be taken for a secret.
    let public_key = key.jwk(Some("1")).to_string();
    for (client_secret, signed_with) in [
        (Some(SECRET), "another secret"),
        (Some(SECRET), &*public_key),
        (None, SECRET),
        (None, &*public_key),
    ] {
        let (ended, home) = with(client_secret, signed_with);
        ended.expect_error(6);
        assert_nothing_kept(&home);
    }
}

#[test]
fn an_algorithm_that_the_metadata_do_not_list_is_refused() {
    let (home, key) = (Home::new(), Signer::new("1"));
    let server = server_with_keys(json_reply(200, &key.jwks()));
    announce(
        &server,
        &json!({"jwks_uri": server.url("/jwks"), "id_token_signing_alg_values_supported": ["RS256", "PS256"]}),
    );
    let ended = log_in(&home, &server, &[], |nonce| key.token(&claims(&server, nonce))).expect_error(6);
    assert!(
        ended
            .causes()
            .contains("signed with \"EdDSA\", which the server's metadata does not list"),
        "{ended:?}"
    );
    assert_nothing_kept(&home);
}

/// With endpoints alone nothing is known of keys; what rests on them is said.
#[test]
fn without_known_keys_the_login_warns_and_status_says_not_verified() {
    let (home, key) = (Home::new(), Signer::new("1"));
    let server = authorization_server::start();
    let flags = |home: &Home, more: &[&str]| {
        let mut command = home.oauth();
        command
            .args(["login", "work", "--client-id", CLIENT, "--scope", "openid"])
            .args(["--authorization-endpoint", &server.url("/authorize")])
            .args(["--token-endpoint", &server.url("/token")])
            .args(more);
        let ended = finish(Running::start(&mut command), &server, |nonce| {
            key.token(&claims(&server, nonce))
        });
        ended.expect_code(0)
    };
    let ended = flags(&home, &[]);
    assert!(
        ended
            .warnings()
            .contains("the signature of the ID token is not verified, since no jwks_uri of the server is known"),
        "{ended:?}"
    );
    let shown = run(home.oauth().args(["status", "work"])).expect_code(0);
    assert!(shown.stdout.contains("ada (not verified)"), "{shown:?}");

    let home = Home::new();
    server.on("GET", "/jwks", json_reply(200, &key.jwks()));
    let ended = flags(&home, &["--jwks-uri", &server.url("/jwks")]);
    assert_eq!(ended.warnings(), "", "{ended:?}");
    let shown = run(home.oauth().args(["status", "work"])).expect_code(0);
    assert!(
        shown.stdout.contains("ada") && !shown.stdout.contains("not verified"),
        "{shown:?}"
    );
}

#[test]
fn an_encrypted_id_token_is_named_with_what_to_register() {
    let (home, key) = (Home::new(), Signer::new("1"));
    let server = server_with_keys(json_reply(200, &key.jwks()));
    let ended = log_in(&home, &server, &[], |_| {
        let header = unsigned(&json!({"alg": "RSA-OAEP", "enc": "A128GCM"}), &json!({}));
        format!("{}.a.b.c.d", header.split('.').next().expect("a header"))
    });
    let ended = ended.expect_error(6);
    assert!(ended.causes().contains("it is encrypted"), "{ended:?}");
    assert!(
        ended.hints().contains("without id_token_encrypted_response_alg"),
        "{ended:?}"
    );
    assert_nothing_kept(&home);
}

#[test]
fn max_age_wants_a_recent_sign_in() {
    let key = Signer::new("1");
    let server = server_with_keys(json_reply(200, &key.jwks()));
    let with = |auth_time: Value| {
        let home = Home::new();
        let ended = log_in(&home, &server, &["--param", "max_age=60"], |nonce| {
            let mut claims = claims(&server, nonce);
            claims["auth_time"] = auth_time;
            key.token(&claims)
        });
        (ended, home)
    };
    with(json!(now())).0.expect_code(0);
    let (ended, home) = with(json!(now() - 3600));
    let ended = ended.expect_error(6);
    assert!(ended.causes().contains("max_age allows 60 s"), "{ended:?}");
    assert_nothing_kept(&home);
    let (ended, home) = with(Value::Null);
    let ended = ended.expect_error(6);
    assert!(ended.causes().contains("no usable auth_time"), "{ended:?}");
    assert_nothing_kept(&home);

    let home = Home::new();
    let ended = run(&mut login(&home, &server, &["--param", "max_age=soon"])).expect_error(2);
    assert!(
        ended.error().contains("max_age must be a number of seconds"),
        "{ended:?}"
    );
}

#[test]
fn another_acr_than_acr_values_asked_for_is_a_warning() {
    let key = Signer::new("1");
    let server = server_with_keys(json_reply(200, &key.jwks()));
    for (acr, warning) in [
        (json!("phr"), None),
        (json!("0"), Some("acr is 0")),
        (Value::Null, Some("it has no acr")),
    ] {
        let home = Home::new();
        let ended = log_in(&home, &server, &["--param", "acr_values=phr phrh"], |nonce| {
            let mut claims = claims(&server, nonce);
            claims["acr"] = acr;
            key.token(&claims)
        });
        let ended = ended.expect_code(0);
        match warning {
            Some(warning) => assert!(ended.warnings().contains(warning), "{ended:?}"),
            None => assert_eq!(ended.warnings(), "", "{ended:?}"),
        }
    }
}

/// Everybody could sign with these keys, so what they prove is nothing.
#[test]
fn keys_that_prove_nothing_are_ignored() {
    let right = RsaSigner::new().jwk(Some("1"));
    let with = |member: &str, value: &str| {
        let mut key = right.clone();
        key[member] = json!(value);
        key
    };
    for key in [
        json!({"kty": "oct", "kid": "1", "k": "c2VjcmV0"}),
        with("n", &"AQ".repeat(43)),
        with("e", "AQ"),
        with("d", "AQ"),
        with("use", "enc"),
    ] {
        let (home, server) = (
            Home::new(),
            server_with_keys(json_reply(200, &json!({ "keys": [key] }).to_string())),
        );
        let ended = log_in(&home, &server, &[], |nonce| {
            RsaSigner::new().token(Some("1"), &claims(&server, nonce))
        });
        ended.expect_error(6);
        assert_nothing_kept(&home);
    }
}

#[test]
fn an_id_token_of_several_hundred_kibibytes_is_refused() {
    let (home, key) = (Home::new(), Signer::new("1"));
    let server = server_with_keys(json_reply(200, &key.jwks()));
    let ended = log_in(&home, &server, &[], |nonce| {
        let mut claims = claims(&server, nonce);
        claims["padding"] = json!("a".repeat(300_000));
        key.token(&claims)
    });
    let ended = ended.expect_error(6);
    assert!(ended.causes().contains("longer than 256 KiB"), "{ended:?}");
    assert_nothing_kept(&home);
}
