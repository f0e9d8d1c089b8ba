//! With `openid` in the scope: the nonce, and every claim of the ID token that
//! must hold (OpenID Connect Core §3.1.3.7). A failure is exit code 6, and
//! nothing is kept.

use crate::support::authorization_server::{self, ACCESS_TOKEN, consent, parameters};
use crate::support::binary::Home;
use crate::support::literal_server::{LiteralServer, json as json_reply, value_of};
use crate::support::login::{CLIENT, assert_nothing_kept, login, parameter, status};
use crate::support::outcome::Outcome;
use crate::support::running::Running;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::time::{SystemTime, UNIX_EPOCH};

fn now_s() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock");
    i64::try_from(now.as_secs()).expect("a time")
}

/// The claims of a right ID token.
fn claims(server: &LiteralServer, nonce: &str) -> Value {
    json!({
        "iss": server.origin(), "aud": CLIENT, "sub": "248289761001", "nonce": nonce,
        "exp": now_s() + 300, "iat": now_s(), "name": "Jane Doe",
    })
}

fn compact(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!(
        "{}.{}.{}",
        part(header),
        part(claims),
        URL_SAFE_NO_PAD.encode("signature")
    )
}

/// The answer of the token endpoint with this ID token.
fn answer_with(server: &LiteralServer, id_token: &str) {
    let answer = json!({
        "access_token": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 3600, "id_token": id_token,
    });
    server.on("POST", "/token", json_reply(200, &answer.to_string()));
}

/// A login that gets this ID token; the nonce of the request is an argument.
fn login_with(home: &Home, server: &LiteralServer, scope: &str, id_token: impl FnOnce(&str) -> String) -> Outcome {
    let running = Running::start(&mut login(home, server, &["--scope", scope]));
    let url = running.authorization_url();
    let nonce = value_of(&parameters(&url), "nonce").unwrap_or_default().to_owned();
    answer_with(server, &id_token(&nonce));
    consent(&url, &server.origin());
    running.end()
}

#[test]
fn a_right_id_token_says_who_signed_in() {
    let (home, server) = (Home::new(), authorization_server::start());
    let finished = login_with(&home, &server, "openid", |nonce| {
        assert_eq!(nonce.len(), 43);
        compact(&json!({"alg": "RS256", "kid": "1"}), &claims(&server, nonce))
    });
    let finished = finished.expect_code(0);
    assert!(
        finished.stderr.contains("Jane Doe") || finished.stderr.contains("248289761001"),
        "{finished:?}"
    );
    assert_eq!(status(&home)[0]["subject"], "248289761001");
}

#[test]
fn who_waited_for_the_login_of_another_process_learns_who_signed_in() {
    let (home, server) = (Home::new(), authorization_server::start());
    let arguments = ["--scope", "openid", "--profile", "work"];
    let first = Running::start(&mut login(&home, &server, &arguments));
    let url = first.authorization_url();
    let second = Running::start(&mut login(&home, &server, &arguments));
    second.line_with("waiting for process");
    let nonce = value_of(&parameters(&url), "nonce").expect("a nonce").to_owned();
    let header = json!({"alg": "RS256", "kid": "1"});
    answer_with(&server, &compact(&header, &claims(&server, &nonce)));
    consent(&url, &server.origin());
    let signed_in = format!("signed in as \"Jane Doe\" at {}", server.origin());
    for login in [first, second] {
        login.end().expect_code(0).says(&[&signed_in]);
    }
}

#[test]
fn variations_that_are_right() {
    let server = authorization_server::start();
    let hash = Sha256::digest(ACCESS_TOKEN);
    let hash = URL_SAFE_NO_PAD.encode(&hash[..16]);
    for (member, value) in [
        ("aud", json!([CLIENT])),
        ("azp", json!(CLIENT)),
        ("at_hash", json!(hash)),
        ("unknown", json!({"a": [1]})),
    ] {
        let home = Home::new();
        let finished = login_with(&home, &server, "openid", |nonce| {
            let mut claims = claims(&server, nonce);
            claims[member] = value.clone();
            compact(&json!({"alg": "ES256"}), &claims)
        });
        finished.expect_code(0);
    }
    for (member, seconds) in [("exp", -30), ("iat", 30)] {
        let home = Home::new();
        let finished = login_with(&home, &server, "openid", |nonce| {
            let mut claims = claims(&server, nonce);
            claims[member] = json!(now_s() + seconds);
            compact(&json!({"alg": "ES256"}), &claims)
        });
        finished.expect_code(0);
    }
    let home = Home::new();
    let finished = login_with(&home, &server, "openid", |nonce| {
        let mut claims = claims(&server, nonce);
        claims["aud"] = json!([CLIENT, "other"]);
        claims["azp"] = json!(CLIENT);
        compact(&json!({"alg": "PS256"}), &claims)
    });
    finished.expect_code(0);
}

#[test]
fn a_claim_that_does_not_hold_ends_the_login() {
    let server = authorization_server::start();
    let missing = Value::Null;
    let origin = server.origin();
    let table = [
        ("iss", json!(format!("{origin}/")), "is from"),
        ("iss", json!("https://evil.example.com"), "is from"),
        ("iss", missing.clone(), "iss"),
        ("aud", json!("other"), "is for \"other\""),
        ("aud", json!(["other", "third"]), "is for \"other third\""),
        ("aud", json!([]), "aud"),
        ("aud", json!([CLIENT, "other"]), "it has no azp"),
        ("aud", missing.clone(), "aud"),
        ("azp", json!("other"), "azp is \"other\""),
        ("exp", json!(now_s() - 300), "ago: exp is 1"),
        ("exp", json!("soon"), "exp"),
        ("exp", missing.clone(), "exp"),
        ("iat", json!(now_s() + 3600), "in the future"),
        ("iat", json!(now_s() - 3600), "iat is 1"),
        (
            "iat",
            json!(now_s() * 1000),
            "iat is in milliseconds instead of seconds",
        ),
        (
            "nbf",
            json!(now_s() * 1000),
            "nbf is in milliseconds instead of seconds",
        ),
        ("iat", missing.clone(), "iat"),
        ("nbf", json!(now_s() + 3600), "not valid"),
        ("sub", json!(""), "sub"),
        ("sub", json!(7), "sub"),
        ("sub", missing.clone(), "sub"),
        (
            "nonce",
            json!("another"),
            "received [redacted, 7 chars, sha256 ae448ac8]",
        ),
        ("nonce", missing, "received none"),
        ("at_hash", json!("77QmUPtjPfzWtF2AnpK9RQ"), "access token"),
    ];
    for (member, value, shown) in table {
        let home = Home::new();
        let finished = login_with(&home, &server, "openid", |nonce| {
            let mut claims = claims(&server, nonce);
            if value.is_null() {
                claims.as_object_mut().expect("an object").remove(member);
            } else {
                claims[member] = value.clone();
            }
            compact(&json!({"alg": "RS256"}), &claims)
        });
        assert_eq!(finished.code, Some(6), "{member} {value}: {finished:?}");
        assert!(finished.causes().contains(shown), "{member} {value}: {finished:?}");
        assert_nothing_kept(&home);
    }
}

#[test]
fn the_hint_names_the_issuer_whose_keys_verify_the_token() {
    let (home, server) = (Home::new(), authorization_server::start());
    let finished = login_with(&home, &server, "openid", |nonce| {
        let mut claims = claims(&server, nonce);
        claims["aud"] = json!("other");
        compact(&json!({"alg": "RS256"}), &claims)
    });
    let command = format!("oauth decode --issuer {} FILE", server.origin());
    assert!(finished.expect_error(6).hints().contains(&command));
}

#[test]
fn an_issuer_with_another_slash_at_the_end_is_a_contradiction_of_the_server() {
    let (home, server) = (Home::new(), authorization_server::start());
    let origin = server.origin();
    let finished = login_with(&home, &server, "openid", |nonce| {
        let mut claims = claims(&server, nonce);
        claims["iss"] = json!(format!("{origin}/"));
        compact(&json!({"alg": "RS256"}), &claims)
    });
    let finished = finished.expect_error(6);
    assert!(
        finished.causes().contains(&format!(
            "the ID token is from \"{origin}/\", but \"{origin}\" was asked for: the two differ only in the trailing slash, so the server does not match its own metadata, and its operator has to correct it (OpenID Connect Core §3.1.3.7 item 2)"
        )),
        "{finished:?}"
    );
    assert!(
        finished.hints().contains("Another --issuer does not help"),
        "{finished:?}"
    );
    assert_nothing_kept(&home);
}

#[test]
fn a_token_that_proves_nothing_ends_the_login() {
    let server = authorization_server::start();
    let with_header = |header: Value| {
        login_with(&Home::new(), &server, "openid", |nonce| {
            compact(&header, &claims(&server, nonce))
        })
    };
    for header in [
        json!({"alg": "none"}),
        json!({"alg": "nOnE"}),
        json!({"typ": "JWT"}),
        json!({"alg": "RS256", "crit": ["x"], "x": 1}),
    ] {
        with_header(header).expect_code(6);
    }
    let malformed: [&dyn Fn(&str) -> String; 6] = [
        &|_| "not-a-jwt".to_owned(),
        &|_| "a.b".to_owned(),
        &|nonce| {
            format!(
                "{}.x.y",
                compact(&json!({"alg": "RSA-OAEP", "enc": "A128GCM"}), &claims(&server, nonce))
            )
        },
        &|nonce| compact(&json!({"alg": "RS256"}), &claims(&server, nonce)).replace('.', "=."),
        &|_| compact(&json!({"alg": "RS256"}), &json!([1])),
        &|nonce| {
            let claims = claims(&server, nonce).to_string();
            let twice = claims.replacen('{', r#"{"sub":"admin","#, 1);
            let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256"}"#);
            format!("{header}.{}.AA", URL_SAFE_NO_PAD.encode(twice))
        },
    ];
    for (index, make) in malformed.into_iter().enumerate() {
        let home = Home::new();
        let finished = login_with(&home, &server, "openid", make);
        assert_eq!(finished.code, Some(6), "malformed {index}: {finished:?}");
        assert_nothing_kept(&home);
    }
}

#[test]
fn an_id_token_that_was_not_asked_for_is_checked_too() {
    let (home, server) = (Home::new(), authorization_server::start());
    let without_nonce = |server: &LiteralServer| {
        let mut claims = claims(server, "");
        claims.as_object_mut().expect("an object").remove("nonce");
        claims
    };
    let finished = login_with(&home, &server, "profile", |_| {
        compact(&json!({"alg": "RS256"}), &without_nonce(&server))
    });
    finished.expect_code(0);
    let home = Home::new();
    let finished = login_with(&home, &server, "profile", |_| {
        let mut claims = without_nonce(&server);
        claims["nonce"] = json!("nobody sent one");
        compact(&json!({"alg": "RS256"}), &claims)
    });
    let finished = finished.expect_code(0);
    assert!(
        finished
            .warnings()
            .contains("was not asked for, and it is not accepted"),
        "{finished:?}"
    );
    assert!(!finished.stderr.contains("signed in as"), "{finished:?}");
    let kept = home.kept("default").expect("the session");
    assert!(kept.id_token.is_none() && kept.subject.is_none());
}

#[test]
fn openid_without_an_id_token_is_warned_of() {
    let (home, server) = (Home::new(), authorization_server::start());
    let running = Running::start(&mut login(&home, &server, &["--scope", "openid email"]));
    let url = running.authorization_url();
    assert!(!parameter(&url, "nonce").is_empty());
    consent(&url, &server.origin());
    let finished = running.end().expect_code(0);
    assert!(finished.warnings().contains("ID token"), "{finished:?}");
}

#[test]
fn names_in_an_id_token_cannot_repaint_the_terminal() {
    let (home, server) = (Home::new(), authorization_server::start());
    let finished = login_with(&home, &server, "openid", |nonce| {
        let mut claims = claims(&server, nonce);
        for member in ["name", "email", "preferred_username", "sub"] {
            claims[member] = json!("\u{1b}[2J\u{202e}\rroot");
        }
        compact(&json!({"alg": "RS256"}), &claims)
    });
    assert!(
        finished
            .stderr
            .chars()
            .all(|character| character == '\n' || !character.is_control())
    );
    assert!(!finished.stderr.contains('\u{202e}'), "{finished:?}");
}

#[test]
fn nor_can_they_in_the_json_of_the_login() {
    let (home, server) = (Home::new(), authorization_server::start());
    let running = Running::start(&mut login(&home, &server, &["--scope", "openid", "--json"]));
    let url = running.authorization_url();
    let mut claims = claims(&server, &parameter(&url, "nonce"));
    claims["sub"] = json!("\u{202e}root");
    let id_token = compact(&json!({"alg": "RS256"}), &claims);
    let answer = json!({"access_token": ACCESS_TOKEN, "token_type": "Bearer", "id_token": id_token});
    server.on("POST", "/token", json_reply(200, &answer.to_string()));
    consent(&url, &server.origin());
    let finished = running.end().expect_code(0);
    assert!(!finished.stdout.contains('\u{202e}'), "{finished:?}");
    assert_eq!(finished.json()["subject"], "\u{202e}root");
}
