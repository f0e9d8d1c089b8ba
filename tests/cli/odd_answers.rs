//! Answers of the token endpoint that are not as RFC 6749 says: what is taken,
//! what is refused in the server's own words, and that no refresh loses the
//! refresh token that it brought.

use super::support::authorization_server;
use super::support::binary::Home;
use super::support::literal_server::{LiteralServer, Reply, html, json as json_with_status};
use super::support::login::{complete, login};
use super::support::outcome::{Outcome, run};
use super::support::sessions::{KEPT_ACCESS_TOKEN, KEPT_REFRESH_TOKEN, ending_in, now, refreshable, scope};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth::store::Session;
use serde_json::{Value, json};
use std::process::Command;

const GOOD: &str =
    r#"{"access_token":"new-access","token_type":"Bearer","expires_in":3600,"refresh_token":"next-refresh"}"#;

/// A home whose session `work` has this access token left, at this server.
fn home_with(session: Session) -> Home {
    let home = Home::new();
    home.keep("work", &session);
    home
}

fn expired(server: &LiteralServer) -> Session {
    ending_in(-10, refreshable(&server.origin()))
}

fn token(home: &Home, arguments: &[&str]) -> Command {
    let mut command = home.oauth();
    command.args(["token", "work"]).args(arguments);
    command
}

/// One refresh with this answer, then one with a good answer.
#[track_caller]
fn keeps_the_refresh_token(what: &str, reply: Reply, code: i32) -> Outcome {
    let server = LiteralServer::start();
    server.on_each("POST", "/token", vec![reply, json_reply(GOOD)]);
    let home = home_with(expired(&server));
    let outcome = run(&mut token(&home, &[]));
    assert_eq!(outcome.code, Some(code), "{what}: {outcome:?}");
    assert_eq!(outcome.stdout, "", "{what}");
    let kept = home.kept("work").expect("the session");
    assert_eq!(kept.generation, 2, "{what}");
    assert_eq!(
        kept.refresh_token.expect("a refresh token").expose(),
        "new-refresh",
        "{what}"
    );
    assert_eq!(kept.tokens.len(), 1, "{what}");
    assert_eq!(kept.tokens[0].access_token.expose(), KEPT_ACCESS_TOKEN, "{what}");
    let next = run(&mut token(&home, &[]));
    assert_eq!(
        (next.code, next.stdout.as_str()),
        (Some(0), "new-access\n"),
        "{what}: {next:?}"
    );
    let requests = server.requests_to("/token");
    let bodies: Vec<&str> = requests.iter().map(|request| request.body_text()).collect();
    let request = |token: &str| format!("grant_type=refresh_token&refresh_token={token}&client_id=desktop");
    assert_eq!(bodies, [request(KEPT_REFRESH_TOKEN), request("new-refresh")], "{what}");
    outcome
}

fn json_reply(body: &str) -> Reply {
    Reply::http(200, &["Content-Type: application/json"], body)
}

#[test]
fn a_faulty_answer_to_a_refresh_does_not_lose_its_refresh_token() {
    for (body, code) in [
        (&br#"{"access_token":7,"refresh_token":"new-refresh"}"#[..], 6),
        (br#"{"access_token":"","refresh_token":"new-refresh"}"#, 6),
        (br#"{"refresh_token":"new-refresh"}"#, 6),
        (br#"{"error":"","refresh_token":"new-refresh"}"#, 6),
        (
            br#"{"access_token":"a","token_type":"mac","refresh_token":"new-refresh"}"#,
            6,
        ),
        (
            br#"{"access_token":"a","token_type":7,"refresh_token":"new-refresh"}"#,
            6,
        ),
        (br#"{"access_token":"a","scope":[1],"refresh_token":"new-refresh"}"#, 6),
        (
            br#"{"access_token":"a","id_token":{},"refresh_token":"new-refresh"}"#,
            6,
        ),
        (
            br#"{"access_token":"a","refresh_token":"older","refresh_token":"new-refresh"}"#,
            6,
        ),
        (
            br#"{"access_token":"a","access_token":"b","refresh_token":"new-refresh"}"#,
            6,
        ),
        (
            b"{\"access_token\":\"a\",\"name\":\"J\xf6rg\",\"refresh_token\":\"new-refresh\"}",
            6,
        ),
        (
            b"\xef\xbb\xbf\xef\xbb\xbf{\"access_token\":7,\"refresh_token\":\"new-refresh\"}",
            3,
        ),
        (
            br#"{"access_token":"a","refresh_token":"new-refresh","expires_in":36"#,
            3,
        ),
        (
            br#"{"access_token":"a","refresh_token":"new-refresh"}<!-- served by node 3 -->"#,
            3,
        ),
        (b"access_token=a&token_type=mac&refresh_token=new-refresh", 6),
    ] {
        let reply = Reply::http(200, &["Content-Type: application/json"], body);
        let what = String::from_utf8_lossy(body);
        let outcome = keeps_the_refresh_token(&what, reply, code);
        assert!(
            outcome.hints().contains("The new refresh token is stored"),
            "{what}: {outcome:?}"
        );
    }
}

#[test]
fn beside_an_error_nothing_is_taken() {
    for body in [
        r#"{"error":"temporarily_out","refresh_token":"new-refresh"}"#,
        r#"{"error":"temporarily_out","access_token":"a","token_type":"Bearer","refresh_token":"new-refresh"}"#,
    ] {
        let server = LiteralServer::start();
        server.on("POST", "/token", json_reply(body));
        let home = home_with(expired(&server));
        run(&mut token(&home, &[])).expect_error(5);
        let kept = home.kept("work").expect("the session");
        assert_eq!(kept.generation, 1);
        assert_eq!(kept.refresh_token.expect("one").expose(), KEPT_REFRESH_TOKEN);
    }
}

#[test]
fn what_weakens_no_check_is_taken_and_told_from_v_on() {
    let rest = r#""access_token":"new-access","expires_in":3600,"refresh_token":"new-refresh""#;
    for (status, body, said) in [
        (201, format!(r#"{{"token_type":"Bearer",{rest}}}"#), "its status is 201"),
        (
            200,
            format!(r#"{{"token_type":"Bearer","scope":["a","b"],{rest}}}"#),
            "scope is a list",
        ),
        (
            200,
            format!(r#"{{"token_type":"Bearer","scope":"a,b",{rest}}}"#),
            "commas",
        ),
        (200, format!("{{{rest}}}"), "no token_type"),
        (
            200,
            format!(r#"{{"token_type":"Bearer","error":"",{rest}}}"#),
            "empty error",
        ),
        (
            200,
            format!(r#"{{"token_type":"Bearer","error":null,{rest}}}"#),
            "empty error",
        ),
        (
            200,
            format!("\u{feff}{{\"token_type\":\"Bearer\",{rest}}}"),
            "byte order mark",
        ),
        (200, format!(r#"{{"token_type":"Bearer","id_token":false,{rest}}}"#), ""),
        (200, format!(r#"{{"token_type":"Bearer","id_token":"",{rest}}}"#), ""),
    ] {
        for (arguments, shown) in [(&[][..], false), (&["-v"], true)] {
            let server = LiteralServer::start();
            server.on(
                "POST",
                "/token",
                Reply::http(status, &["Content-Type: application/json"], &body),
            );
            let home = home_with(expired(&server));
            let outcome = run(&mut token(&home, arguments)).expect_code(0);
            assert_eq!(outcome.stdout, "new-access\n", "{body}");
            assert_eq!(
                home.kept("work").unwrap().refresh_token.unwrap().expose(),
                "new-refresh"
            );
            match shown {
                false => assert_eq!(outcome.stderr, "", "{body}"),
                true => assert!(outcome.stderr.contains(said), "{body}: {outcome:?}"),
            }
        }
    }
}

#[test]
fn a_login_warns_once_of_what_is_odd_about_its_answer() {
    let (home, server) = (Home::new(), authorization_server::start());
    let body = r#"{"access_token":"a","scope":"repo,gist","refresh_token":"r","expires_in":60}"#;
    server.on("POST", "/token", json_with_status(201, body));
    let mut command = login(&home, &server, &["--scope", "repo gist offline_access"]);
    let finished = complete(&mut command, &server.origin()).expect_code(0);
    let warnings = finished.warnings();
    assert_eq!(warnings.lines().count(), 1, "{warnings}");
    for said in ["status is 201", "no token_type", "commas"] {
        assert!(warnings.contains(said), "{warnings}");
    }
}

#[test]
fn a_login_warns_of_a_token_that_has_expired_when_it_comes() {
    for (body, warned) in [
        (r#"{"access_token":"a","token_type":"Bearer","expires_in":0}"#, true),
        (r#"{"access_token":"a","token_type":"Bearer","expires_in":1}"#, false),
        (
            r#"{"access_token":"a","token_type":"Bearer","expires_in":0,"refresh_token":"r"}"#,
            false,
        ),
    ] {
        let (home, server) = (Home::new(), authorization_server::start());
        server.on("POST", "/token", json_with_status(200, body));
        let finished = complete(&mut login(&home, &server, &[]), &server.origin()).expect_code(0);
        assert_eq!(finished.warnings().contains("expires_in is 0"), warned, "{finished:?}");
    }
}

#[test]
fn a_token_that_is_bound_to_a_key_unasked_is_refused_with_what_to_change() {
    for body in [
        r#"{"access_token":"a","token_type":"DPoP","expires_in":60}"#,
        r#"{"error":"use_dpop_nonce"}"#,
        r#"{"error":"invalid_dpop_proof"}"#,
    ] {
        let (home, server) = (Home::new(), authorization_server::start());
        let status = if body.contains("error") { 400 } else { 200 };
        server.on("POST", "/token", json_with_status(status, body));
        let finished = complete(&mut login(&home, &server, &[]), &server.origin());
        assert_eq!(finished.code, Some(if status == 400 { 5 } else { 6 }), "{finished:?}");
        for part in ["DPoP", "--dpop"] {
            assert!(finished.hints().contains(part), "{finished:?}");
        }
    }
}

#[test]
fn a_form_is_taken_as_github_sends_it() {
    let (home, server) = (Home::new(), authorization_server::start());
    let form = "access_token=gho_x&expires_in=28800&refresh_token=ghr_x&refresh_token_expires_in=15811200&scope=&token_type=bearer";
    let reply = Reply::http(
        200,
        &["Content-Type: application/x-www-form-urlencoded; charset=utf-8"],
        form,
    );
    server.on("POST", "/token", reply);
    let finished = complete(&mut login(&home, &server, &[]), &server.origin()).expect_code(0);
    assert!(finished.warnings().contains("it is a form"), "{finished:?}");
    let kept = home.kept("default").expect("the session");
    assert_eq!(kept.tokens[0].access_token.expose(), "gho_x");
    let ends = kept.refresh_expires_at.expect("its end").0;
    assert!((ends - now() - 15_811_200).abs() < 60, "{ends}");
}

#[test]
fn the_refresh_token_is_dead_by_other_names_too() {
    for (status, error) in [
        (200, "bad_refresh_token"),
        (200, "invalid_refresh_token"),
        (400, "INVALID_GRANT"),
        (401, "bad_refresh_token"),
    ] {
        let server = LiteralServer::start();
        server.on(
            "POST",
            "/token",
            json_with_status(status, &format!(r#"{{"ok":false,"error":"{error}"}}"#)),
        );
        let home = home_with(expired(&server));
        let outcome = run(&mut token(&home, &[])).expect_error(4);
        assert!(outcome.hints().contains("oauth login work"), "{outcome:?}");
        assert!(home.kept("work").unwrap().dead.is_some(), "{error}");
    }
}

#[test]
fn a_policy_that_wants_the_person_does_not_end_the_session() {
    for error in [
        "login_required",
        "interaction_required",
        "consent_required",
        "Interaction_Required",
    ] {
        let server = LiteralServer::start();
        server.on(
            "POST",
            "/token",
            json_with_status(400, &format!(r#"{{"error":"{error}"}}"#)),
        );
        let home = home_with(expired(&server));
        let outcome = run(&mut token(&home, &[])).expect_error(4);
        assert!(!outcome.stderr.contains("prompt=none"), "{outcome:?}");
        assert!(outcome.hints().ends_with("oauth login work"), "{outcome:?}");
        let kept = home.kept("work").unwrap();
        assert!(kept.dead.is_none() && kept.generation == 1, "{error}");
    }
}

#[test]
fn a_refusal_without_error_is_told_in_the_servers_words_and_leads_to_a_login() {
    for body in [
        r#"{"code":401,"message":"no such session"}"#,
        r#"{"error_description":"no such session"}"#,
        r#"{"errorCode":"E1","errorSummary":"no such session"}"#,
        r#"{"errors":[{"errorType":"x","message":"no such session"}]}"#,
        r#"{"type":"about:blank","title":"no such session"}"#,
        r#"{"detail":"no such session"}"#,
        r#"{"reason":"no such session"}"#,
        r#"{"error":"unauthorized_client","error_description":"refresh_token: no such session"}"#,
    ] {
        let server = LiteralServer::start();
        server.on("POST", "/token", json_with_status(403, body));
        let home = home_with(expired(&server));
        let outcome = run(&mut token(&home, &[])).expect_error(5);
        assert!(outcome.stderr.contains("no such session"), "{body}: {outcome:?}");
        assert!(
            outcome.hints().ends_with("log in again: oauth login work"),
            "{body}: {outcome:?}"
        );
        assert!(home.kept("work").unwrap().dead.is_none());
    }
}

#[test]
fn a_secret_that_a_refusal_repeats_is_cut_out_and_its_escapes_are_harmless() {
    let server = LiteralServer::start();
    let body = format!(r#"{{"message":"bad {KEPT_REFRESH_TOKEN} \u001b[31m"}}"#);
    server.on("POST", "/token", json_with_status(400, &body));
    let home = home_with(expired(&server));
    let outcome = run(&mut token(&home, &["-vv"])).expect_code(5);
    assert!(
        !outcome.stderr.contains(KEPT_REFRESH_TOKEN) && !outcome.stderr.contains('\u{1b}'),
        "{outcome:?}"
    );
    assert!(outcome.stderr.contains("bad [redacted] \\u{1b}[31m"), "{outcome:?}");
}

#[test]
fn a_page_is_somebody_else_and_a_broken_json_body_is_not() {
    let server = LiteralServer::start();
    server.on("POST", "/token", html(403, "<html>blocked</html>"));
    let home = home_with(expired(&server));
    let outcome = run(&mut token(&home, &[])).expect_error(3);
    assert!(outcome.hints().contains("captive portal"), "{outcome:?}");
    server.on("POST", "/token", json_reply(r#"{"access_token":"#));
    let outcome = run(&mut token(&home, &[])).expect_error(3);
    assert!(!outcome.hints().contains("captive portal"), "{outcome:?}");
}

#[test]
fn a_token_in_a_nested_object_is_found_and_said() {
    let (home, server) = (Home::new(), authorization_server::start());
    let body = r#"{"ok":true,"authed_user":{"id":"U","access_token":"xoxp"}}"#;
    server.on("POST", "/token", json_with_status(200, body));
    let finished = complete(&mut login(&home, &server, &[]), &server.origin()).expect_error(6);
    assert!(finished.stderr.contains("authed_user.access_token"), "{finished:?}");
    assert!(finished.hints().contains("user_scope"), "{finished:?}");
}

#[test]
fn bytes_that_are_not_http_leave_the_session_and_print_the_old_token_while_it_is_valid() {
    let server = LiteralServer::start();
    server.on("POST", "/token", Reply::bytes("SSH-2.0-OpenSSH_9\r\n").then_close());
    let home = home_with(expired(&server));
    let outcome = run(&mut token(&home, &[])).expect_error(3);
    assert!(!outcome.stderr.contains("was lost"), "{outcome:?}");
    assert_eq!(server.requests_to("/token").len(), 1, "not asked again");
    assert_eq!(home.kept("work").unwrap().generation, 1);
    home.keep("work", &ending_in(30, refreshable(&server.origin())));
    let outcome = run(&mut token(&home, &[])).expect_code(0);
    assert_eq!(outcome.stdout, format!("{KEPT_ACCESS_TOKEN}\n"));
    assert!(
        outcome.warnings().contains("the old token is still valid"),
        "{outcome:?}"
    );
}

#[test]
fn an_answer_that_is_too_large_is_an_answer_and_is_not_asked_for_again() {
    let server = LiteralServer::start();
    let large = "x".repeat(1024 * 1024);
    server.on(
        "POST",
        "/token",
        json_reply(&format!(r#"{{"access_token":"{large}","token_type":"Bearer"}}"#)),
    );
    let home = home_with(expired(&server));
    let outcome = run(&mut token(&home, &[])).expect_error(6);
    assert!(!outcome.stderr.contains("was lost"), "{outcome:?}");
    assert_eq!(server.requests_to("/token").len(), 1, "not asked again");
    let kept = home.kept("work").unwrap();
    assert_eq!(kept.refresh_token.unwrap().expose(), KEPT_REFRESH_TOKEN);
    // The server may have spent the refresh token all the same.
    server.on("POST", "/token", json_reply(GOOD));
    let outcome = run(&mut token(&home, &[])).expect_code(0);
    assert!(
        outcome.stderr.contains("retrying with the same refresh token"),
        "{outcome:?}"
    );
}

/// A session of `alice`, whose first ID token has a nonce.
fn of_alice(server: &LiteralServer) -> Session {
    let mut session = expired(server);
    session.requested.scope = scope("openid");
    session.subject = Some("alice".to_owned());
    session.id_token = Some(id_token(server, json!({"nonce": "first", "auth_time": 7})).into());
    session
}

fn id_token(server: &LiteralServer, more: Value) -> String {
    let mut claims = json!({
        "iss": server.origin(), "aud": "desktop", "sub": "alice", "iat": now(), "exp": now() + 300,
    });
    for (claim, value) in more.as_object().expect("claims") {
        claims[claim] = value.clone();
    }
    let segment = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.AA", segment(&json!({"alg": "RS256"})), segment(&claims))
}

fn answer_with(id_token: &str) -> Reply {
    json_reply(&format!(
        r#"{{"access_token":"new-access","token_type":"Bearer","expires_in":3600,"refresh_token":"new-refresh","id_token":"{id_token}"}}"#
    ))
}

#[test]
fn a_refreshed_id_token_with_another_nonce_auth_time_or_azp_is_dropped_and_the_rest_is_taken() {
    for other in [
        json!({"nonce": "second"}),
        json!({"auth_time": 8}),
        json!({"azp": "desktop"}),
    ] {
        let server = LiteralServer::start();
        server.on("POST", "/token", answer_with(&id_token(&server, other.clone())));
        let session = of_alice(&server);
        let first = session.id_token.clone().expect("the first one");
        let home = home_with(session);
        let outcome = run(&mut token(&home, &[])).expect_code(0);
        assert_eq!(outcome.stdout, "new-access\n", "{other}");
        assert!(outcome.warnings().contains("OpenID Connect Core §12.2"), "{outcome:?}");
        let kept = home.kept("work").unwrap();
        assert_eq!(kept.id_token.unwrap().expose(), first.expose(), "{other}");
        assert_eq!(kept.refresh_token.unwrap().expose(), "new-refresh");
    }
}

#[test]
fn the_first_id_token_counts_after_refreshed_ones_without_its_nonce() {
    let server = LiteralServer::start();
    let plain = id_token(&server, json!({}));
    let with_other_nonce = id_token(&server, json!({"nonce": "second"}));
    server.on_each(
        "POST",
        "/token",
        vec![answer_with(&plain), answer_with(&with_other_nonce)],
    );
    let home = home_with(of_alice(&server));
    assert_eq!(run(&mut token(&home, &[])).expect_code(0).warnings(), "");
    let outcome = run(&mut token(&home, &["--force-refresh"])).expect_code(0);
    assert!(outcome.warnings().contains("another nonce"), "{outcome:?}");
    assert_eq!(home.kept("work").unwrap().id_token.unwrap().expose(), &plain);
}

#[test]
fn an_id_token_of_another_party_suspends_the_session_until_the_next_login() {
    for (claim, value) in [
        ("sub", "bob"),
        ("iss", "https://other.example"),
        ("aud", "other-client"),
    ] {
        let server = LiteralServer::start();
        server.on(
            "POST",
            "/token",
            answer_with(&id_token(&server, json!({claim: value, "nonce": "first"}))),
        );
        let home = home_with(of_alice(&server));
        let of_session = match claim {
            "sub" => "alice".to_owned(),
            "iss" => server.origin(),
            _ => "desktop".to_owned(),
        };
        let outcome = run(&mut token(&home, &[])).expect_error(6);
        assert!(
            outcome.hints().contains("The session is suspended") && !outcome.hints().contains("othing was stored"),
            "{outcome:?}"
        );
        let kept = home.kept("work").unwrap();
        assert_eq!(kept.refresh_token.as_ref().unwrap().expose(), "new-refresh");
        assert_eq!(kept.tokens[0].access_token.expose(), KEPT_ACCESS_TOKEN);
        for command in [
            &["token", "work"][..],
            &["token", "work", "--force-refresh"],
            &["userinfo", "-p", "work"],
            &["introspect", "-p", "work"],
            &["revoke", "-p", "work"],
        ] {
            let outcome = run(home.oauth().args(command)).expect_error(6);
            for named in [of_session.as_str(), value, "oauth login work"] {
                assert!(outcome.stderr.contains(named), "{command:?}: {outcome:?}");
            }
        }
        assert_eq!(server.requests().len(), 1);
        let status = run(home.oauth().args(["status", "work", "--json"]));
        assert_eq!(status.json()[0]["state"], "suspended");
        assert_ne!(status.code, Some(6));
        run(home.oauth().args(["logout", "work", "--local"])).expect_code(0);
        assert!(home.kept("work").is_none());
    }
}

#[test]
fn the_same_refresh_token_again_is_not_a_new_one() {
    for (refresh_token, rotated) in [(KEPT_REFRESH_TOKEN, false), ("new-refresh", true)] {
        let server = LiteralServer::start();
        let body = format!(r#"{{"access_token":"a","token_type":"Bearer","refresh_token":"{refresh_token}"}}"#);
        server.on("POST", "/token", json_reply(&body));
        let home = home_with(expired(&server));
        let trace = home.path().join("trace.json");
        let outcome = run(token(&home, &["-vvv", "--trace"]).arg(&trace)).expect_code(0);
        assert_eq!(
            outcome.stderr.contains("and a new refresh token"),
            rotated,
            "{outcome:?}"
        );
        let text = std::fs::read_to_string(&trace).expect("the trace");
        assert!(text.contains(&format!("\"rotated\":{rotated}")), "{text}");
    }
}

#[test]
fn a_scope_wider_than_asked_is_warned_of_at_a_refresh_too() {
    for (granted, warned) in [("read", ""), ("read admin", "more scopes than were asked for: admin")] {
        let server = LiteralServer::start();
        let body = format!(r#"{{"access_token":"a","token_type":"Bearer","scope":"{granted}"}}"#);
        server.on("POST", "/token", json_reply(&body));
        let mut session = expired(&server);
        session.requested.scope = scope("read");
        let outcome = run(&mut token(&home_with(session), &[])).expect_code(0);
        match warned {
            "" => assert_eq!(outcome.warnings(), ""),
            said => assert!(outcome.warnings().contains(said), "{outcome:?}"),
        }
    }
}

#[test]
fn status_says_until_when_a_refresh_is_possible() {
    for name in ["refresh_token_expires_in", "refresh_expires_in"] {
        let server = LiteralServer::start();
        let body = format!(
            r#"{{"access_token":"a","token_type":"Bearer","expires_in":60,"refresh_token":"r","{name}":86400}}"#
        );
        server.on("POST", "/token", json_reply(&body));
        let home = home_with(expired(&server));
        home.configure("[profile.work]\n");
        run(&mut token(&home, &[])).expect_code(0);
        let table = run(home.oauth().arg("status")).expect_code(0);
        assert!(table.stdout.contains("log in again by "), "{table:?}");
        let status = run(home.oauth().args(["status", "--json"])).json();
        assert!(status[0]["refresh_expires_at"].is_string(), "{status}");
    }
}

#[test]
fn a_token_that_was_refreshed_in_this_call_is_printed_however_short_it_lives() {
    for (expires_in, warned) in [(0, "valid for less than a second"), (1, "was asked for")] {
        let server = LiteralServer::start();
        let body = format!(r#"{{"access_token":"short","token_type":"Bearer","expires_in":{expires_in}}}"#);
        server.on("POST", "/token", json_reply(&body));
        let home = home_with(expired(&server));
        let outcome = run(&mut token(&home, &["--min-ttl", "10m"])).expect_code(0);
        assert_eq!(outcome.stdout, "short\n", "{expires_in}");
        let warnings = outcome.warnings();
        // the second may have turned over since
        assert!(
            warnings.contains(warned) || warnings.contains("less than a second"),
            "{warnings}"
        );
        assert_eq!(server.requests().len(), 1);
    }
}

#[test]
fn the_lifetime_of_a_token_without_expires_in_is_assumed_or_that_of_the_jwt() {
    let lifetime = |session: &Session| session.tokens[0].expires_at.map(|at| at.0 - now());
    let (home, server) = (Home::new(), authorization_server::start());
    server.on(
        "POST",
        "/token",
        json_with_status(200, r#"{"access_token":"a","token_type":"Bearer","refresh_token":"r"}"#),
    );
    complete(&mut login(&home, &server, &["--assume-ttl", "2h"]), &server.origin()).expect_code(0);
    let seconds = lifetime(&home.kept("default").expect("the session")).expect("an end");
    assert!((7100..=7200).contains(&seconds), "{seconds}");
    assert!(
        home.configuration().contains("assume_ttl = \"7200s\""),
        "{}",
        home.configuration()
    );
    // saved: it counts at a refresh too
    run(home.oauth().args(["token", "--force-refresh"])).expect_code(0);
    assert!(lifetime(&home.kept("default").unwrap()).is_some());

    let server = LiteralServer::start();
    let jwt = id_token(&server, json!({"exp": now() + 500}));
    server.on(
        "POST",
        "/token",
        json_reply(&format!(r#"{{"access_token":"{jwt}","token_type":"Bearer"}}"#)),
    );
    let home = home_with(expired(&server));
    run(&mut token(&home, &[])).expect_code(0);
    let seconds = lifetime(&home.kept("work").unwrap()).expect("the JWT's exp");
    assert!((400..=500).contains(&seconds), "{seconds}");
}

#[test]
fn refresh_parameters_are_saved_and_sent_at_refreshes_alone() {
    let (home, server) = (Home::new(), authorization_server::start());
    server.on("POST", "/token", json_with_status(200, GOOD));
    let arguments = ["--refresh-param", "scope=openid x", "--refresh-param", "tenant=t"];
    complete(&mut login(&home, &server, &arguments), &server.origin()).expect_code(0);
    run(home.oauth().args(["token", "--force-refresh"])).expect_code(0);
    let requests = server.requests_to("/token");
    assert!(
        !requests[0].body_text().contains("tenant"),
        "{}",
        requests[0].body_text()
    );
    assert!(
        requests[1].body_text().ends_with("&scope=openid+x&tenant=t"),
        "{}",
        requests[1].body_text()
    );
    let refused = run(home.oauth().args(["login", "--refresh-param", "grant_type=x"])).expect_error(2);
    assert!(refused.error().contains("grant_type"), "{refused:?}");
}

#[test]
fn offline_access_without_a_refresh_token_leads_to_the_consent_page_which_is_saved() {
    let (home, server) = (Home::new(), authorization_server::start());
    server.on(
        "POST",
        "/token",
        json_with_status(200, r#"{"access_token":"a","token_type":"Bearer","expires_in":60}"#),
    );
    let scope = ["--scope", "openid offline_access"];
    let first = complete(&mut login(&home, &server, &scope), &server.origin()).expect_code(0);
    first.says(&["oauth login default --param prompt=consent"]);
    assert!(!home.configuration().contains("prompt"));
    // the hint as it stands there
    let mut command = home.oauth();
    command.args(["login", "default", "--param", "prompt=consent"]);
    let second = complete(&mut command, &server.origin()).expect_code(0);
    assert!(
        !second.stderr.contains("prompt=consent (") && !second.stderr.contains("--param prompt=consent"),
        "{second:?}"
    );
    assert!(home.configuration().contains("consent"), "{}", home.configuration());
}

#[test]
fn a_scope_that_was_never_granted_leads_to_a_login_for_all_of_them() {
    for refreshes in [true, false] {
        let server = LiteralServer::start();
        server.on("POST", "/token", json_with_status(400, r#"{"error":"invalid_scope"}"#));
        let mut session = ending_in(3000, refreshable(&server.origin()));
        session.requested.scope = scope("read write");
        if !refreshes {
            session.refresh_token = None;
        }
        let home = home_with(session);
        let outcome = run(&mut token(&home, &["--scope", "read admin"])).expect_error(4);
        assert!(outcome.error().contains("never granted admin"), "{outcome:?}");
        assert_eq!(
            outcome.hints(),
            "Ask for it at a login: oauth login work --scope \"read write admin\""
        );
        assert!(!outcome.stderr.contains("refresh"), "{outcome:?}");
    }
}

#[test]
fn step_seven_begins_with_a_usable_answer() {
    for (body, begins) in [(r#"{"error":"invalid_client"}"#, false), (GOOD, true)] {
        let (home, server) = (Home::new(), authorization_server::start());
        server.on("POST", "/token", json_with_status(200, body));
        let finished = complete(&mut login(&home, &server, &["-v"]), &server.origin());
        assert!(finished.stderr.contains("6/7"), "{finished:?}");
        assert_eq!(finished.stderr.contains("7/7"), begins, "{finished:?}");
    }
}

/// `login --refresh-token-stdin` with a refresh token that is answered so.
fn import(reply: Reply) -> (Home, Outcome) {
    use std::io::Write;
    let (home, server) = (Home::new(), authorization_server::start());
    server.on("POST", "/token", reply);
    let mut command = login(&home, &server, &["--refresh-token-stdin"]);
    command.stdin(std::process::Stdio::piped());
    command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let mut child = command.spawn().expect("starting it");
    child
        .stdin
        .take()
        .expect("its input")
        .write_all(b"given-refresh\n")
        .expect("writing");
    (home, super::support::outcome::finish(child))
}

#[test]
fn a_dead_refresh_token_that_was_given_speaks_of_no_session() {
    let (home, outcome) = import(json_with_status(400, r#"{"error":"invalid_grant"}"#));
    let outcome = outcome.expect_error(4);
    assert!(
        !outcome.stderr.contains("the session cannot") && !outcome.stderr.contains("has ended"),
        "{outcome:?}"
    );
    assert!(outcome.error().contains("the refresh token was refused"), "{outcome:?}");
    assert!(home.kept("default").is_none());
}

#[test]
fn an_odd_answer_to_a_given_refresh_token_is_stored_and_told() {
    let (home, outcome) = import(json_reply(r#"{"access_token":7,"refresh_token":"new-refresh"}"#));
    outcome.expect_error(6);
    let kept = home.kept("default").expect("a session");
    assert_eq!(kept.refresh_token.expect("one").expose(), "new-refresh");
    assert!(kept.tokens.is_empty());
}
