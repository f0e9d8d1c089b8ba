//! Refusals of many forms: which of them keep a rule, which break it, and what
//! is shown for it.

use super::honest_server::{State, back, check, on_token, refused, start, start_with};
use super::{Client, check as check_served, lenient_server, rules, with_verdict};
use crate::support::binary::Home;
use crate::support::literal_server::{Request, html, json, redirect, value_of};
use crate::support::outcome::{Outcome, run};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn member(outcome: &Outcome, rule: &str, member: &str) -> String {
    rules(outcome)[rule][member].as_str().expect("text").to_owned()
}

/// Hydra sends browsers to an error page of the operator, elsewhere.
#[test]
fn a_redirect_to_the_servers_own_error_page_is_a_refusal_and_none_to_the_client() {
    let (server, state) = start();
    server.on_call("GET", "/authorize", move |request| {
        let query = request.query();
        let clients = query.iter().filter(|(name, _)| name == "client_id");
        let clients: Vec<&str> = clients.map(|(_, value)| value.as_str()).collect();
        match clients[..] {
            ["desktop"] => state.lock().expect("the state").grant(request),
            _ => redirect(
                302,
                "https://login.example/error?error=invalid_client&error_description=who%20is%20that",
            ),
        }
    });
    let asked_for = [
        "authorize.client-unknown",
        "authorize.client-missing",
        "authorize.repeated-client",
    ];
    let outcome = check(&server, &asked_for, &[]).expect_code(0);
    assert_eq!(with_verdict(&outcome, &["pass"]).len(), asked_for.len(), "{outcome:#?}");
}

#[test]
fn a_code_that_is_sent_elsewhere_is_found_wherever_it_goes() {
    let (server, state) = start();
    server.on_call("GET", "/authorize", move |request| {
        let granted = state.lock().expect("the state").grant(request);
        match value_of(&request.query(), "redirect_uri") {
            Some(uri) if uri.contains('@') => redirect(302, "https://oauth-check.example/other?code=abc&state=s"),
            _ => granted,
        }
    });
    let outcome = check(&server, &["redirect-uri.userinfo"], &[]).expect_code(9);
    assert_eq!(
        member(&outcome, "redirect-uri.userinfo", "came"),
        "302 to https://oauth-check.example/other?code=[redacted, 3 chars, sha256 ba7816bf]&state=[redacted, 1 chars, sha256 043a7187]"
    );
}

/// What is appended to a query or a fragment is no query of its own.
#[test]
fn a_code_behind_a_second_question_mark_is_a_code() {
    let (server, state) = start();
    server.on_call("GET", "/authorize", move |request| {
        state.lock().expect("the state").grant(request);
        let query = request.query();
        let of = |name: &str| value_of(&query, name).unwrap_or_default().replace(['\r', '\n'], "");
        redirect(
            302,
            &format!("{}?code=code-of-the-server&state={}", of("redirect_uri"), of("state")),
        )
    });
    let asked_for = [
        "redirect-uri.extra-query",
        "redirect-uri.fragment",
        "redirect-uri.control-characters",
    ];
    let outcome = check(&server, &asked_for, &[]).expect_code(9);
    for rule in asked_for {
        let reason = member(&outcome, rule, "reason");
        assert!(reason.starts_with("a code is sent to http://127.0.0.1:"), "{reason}");
        assert!(reason.to_lowercase().contains("oauth-check"), "{reason}");
    }
    assert!(!outcome.stdout.contains("code-of-the-server"), "{outcome:#?}");
}

#[test]
fn a_redirect_to_nowhere_asks_nobody_to_sign_in() {
    let (server, state) = start();
    server.on_call("GET", "/authorize", move |request| {
        let granted = state.lock().expect("the state").grant(request);
        match value_of(&request.query(), "redirect_uri") {
            Some(uri) if uri.contains("=1") => redirect(302, "http://"),
            Some(uri) if uri.contains('#') => redirect(302, uri.split('#').next().expect("a part")),
            _ => granted,
        }
    });
    let asked_for = ["redirect-uri.extra-query", "redirect-uri.fragment"];
    let outcome = check(&server, &asked_for, &[]).expect_code(9);
    assert_eq!(member(&outcome, asked_for[0], "verdict"), "skipped");
    assert_eq!(
        member(&outcome, asked_for[0], "reason"),
        "answered 302 to an address that cannot be read"
    );
    let reason = member(&outcome, asked_for[1], "reason");
    assert!(
        reason.starts_with("the browser is sent to http://127.0.0.1:")
            && reason.ends_with("/callback without an error"),
        "{reason}"
    );
}

/// Whatever the rule's own level is: that is no question of a status any more.
#[test]
fn a_userinfo_endpoint_that_accepts_any_token_breaks_a_must() {
    for (answer, verdict, level, code, reason) in [
        (
            json(200, r#"{"sub":"alice"}"#),
            "fail",
            "MUST",
            9,
            "the endpoint accepts any token: it answers one that was never issued with 200 and claims",
        ),
        (json(400, "{}"), "warning", "SHOULD", 0, "the answer is status 400"),
    ] {
        let (server, _) = start_with(r#","userinfo_endpoint":"ORIGIN/userinfo""#);
        server.on("GET", "/userinfo", answer);
        let outcome = check(&server, &["userinfo.invalid-token"], &[]).expect_code(code);
        for (name, expected) in [("verdict", verdict), ("level", level), ("reason", reason)] {
            assert_eq!(member(&outcome, "userinfo.invalid-token", name), expected);
        }
    }
}

#[test]
fn what_stands_in_the_place_of_what_is_demanded_is_named() {
    let home = Home::new();
    for (rule, reason) in [
        ("authorize.state-in-error", "the error has no state"),
        ("token.pragma", "Pragma is absent"),
        ("token.error-json", "the body is not JSON with the member error"),
        ("id-token.audience", "aud is \""),
        ("id-token.subject", "sub has "),
    ] {
        let server = lenient_server(&home, &["--approve", "auto", "--break", rule]);
        let mut command = check_served(&home, &server.issuer(), Client::Public);
        let outcome = run(command.args(["--json", "--rule", rule]));
        let found = member(&outcome, rule, "reason");
        assert!(found.starts_with(reason), "{rule}: {found}");
    }
}

#[test]
fn an_error_page_on_which_nothing_can_be_clicked_needs_no_frame_protection() {
    for (page, verdict) in [
        ("<h1>Unknown client</h1>", "skipped"),
        ("<form method=post><button>Go on</button></form>", "fail"),
    ] {
        let (server, state) = start();
        server.on_call("GET", "/authorize", move |request| {
            match value_of(&request.query(), "client_id") {
                Some("desktop") => state.lock().expect("the state").grant(request),
                _ => html(400, page),
            }
        });
        let outcome = check(&server, &["authorize.framing"], &[]);
        assert_eq!(
            member(&outcome, "authorize.framing", "verdict"),
            verdict,
            "{outcome:#?}"
        );
    }
}

/// A rule about something more is judged only where the plain request works.
#[test]
fn unauthorized_client_is_right_for_a_client_that_may_not_refresh() {
    let refuse = |request: &Request, state: &mut State| match value_of(&request.form(), "grant_type") {
        Some("refresh_token") => refused(400, "unauthorized_client"),
        _ => state.token(request),
    };
    let (server, state) = start();
    state.lock().expect("the state").without_refresh_tokens = true;
    on_token(&server, &state, refuse);
    let outcome = check(&server, &["refresh.unknown"], &[]).expect_code(0);
    assert_eq!(member(&outcome, "refresh.unknown", "verdict"), "pass");
    let (server, state) = start();
    on_token(&server, &state, refuse);
    let outcome = check(&server, &["refresh.unknown"], &[]).expect_code(9);
    assert_eq!(
        member(&outcome, "refresh.unknown", "reason"),
        "the error is unauthorized_client, but the client gets refresh tokens"
    );
    assert_eq!(
        member(&outcome, "refresh.unknown", "came"),
        "400 application/json error=unauthorized_client"
    );
}

#[test]
fn a_client_that_may_not_revoke_shows_nothing_about_unknown_tokens() {
    for (status, error, verdict) in [
        (400, "unauthorized_client", "skipped"),
        (400, "invalid_client", "skipped"),
        (403, "access_denied", "skipped"),
        (400, "invalid_request", "fail"),
    ] {
        let (server, _) = start_with(r#","revocation_endpoint":"ORIGIN/revoke""#);
        server.on("POST", "/revoke", refused(status, error));
        let outcome = check(&server, &["revocation.unknown"], &[]);
        assert_eq!(
            member(&outcome, "revocation.unknown", "verdict"),
            verdict,
            "{outcome:#?}"
        );
    }
}

#[test]
fn introspection_without_authentication_must_describe_a_token_to_be_a_finding() {
    for (answer, verdict) in [
        (r#"{"active":false}"#, "pass"),
        (r#"{"active":true,"sub":"demo"}"#, "fail"),
    ] {
        let (server, _) = start_with(r#","introspection_endpoint":"ORIGIN/introspect""#);
        server.on("POST", "/introspect", json(200, answer));
        let outcome = check(&server, &["introspection.authenticated"], &[]);
        assert_eq!(
            member(&outcome, "introspection.authenticated", "verdict"),
            verdict,
            "{outcome:#?}"
        );
    }
}

#[test]
fn error_codes_outside_the_registries_are_a_warning() {
    let (server, state) = start();
    on_token(&server, &state, |request, state| {
        match value_of(&request.form(), "code") {
            Some(code) if code.starts_with("oauth-check") => refused(400, "invalid_code"),
            _ => state.token(request),
        }
    });
    server.on_call("GET", "/authorize", move |request| {
        match value_of(&request.query(), "response_type") {
            Some("code") => state.lock().expect("the state").grant(request),
            _ => back(request, "error=bad_response_type"),
        }
    });
    let asked_for = ["token.error-json", "authorize.error-characters"];
    let outcome = check(&server, &asked_for, &[]).expect_code(0);
    assert_eq!(
        with_verdict(&outcome, &["warning"]),
        ["authorize.error-characters", "token.error-json"]
    );
    assert_eq!(
        member(&outcome, "token.error-json", "reason"),
        "no registry has the error code invalid_code (RFC 6749 §11.4)"
    );
    assert_eq!(
        member(&outcome, "token.error-json", "came"),
        "400 application/json error=invalid_code"
    );
    assert_eq!(
        member(&outcome, "authorize.error-characters", "reason"),
        "no registry has the error code bad_response_type (RFC 6749 §11.4)"
    );
}

/// What a token gets after others were refused is tried with a fresh code, too.
#[test]
fn a_finding_that_depends_on_what_came_before_shows_all_of_it() {
    // the second failure with one code is let through
    let failures = Arc::new(AtomicUsize::new(0));
    let (server, state) = start();
    let seen = Arc::clone(&failures);
    on_token(&server, &state, move |request, state| {
        let form = request.form();
        let is_wrong = value_of(&form, "code").is_some_and(|code| !code.starts_with("oauth-check"))
            && (value_of(&form, "code_verifier").is_none_or(|verifier| verifier.len() != 43)
                || value_of(&form, "redirect_uri") == Some("https://oauth-check.example/callback"));
        match is_wrong {
            true if seen.fetch_add(1, Ordering::SeqCst) == 1 => json(
                200,
                r#"{"access_token":"a-token-that-should-not-be","token_type":"Bearer"}"#,
            ),
            true => refused(400, "invalid_grant"),
            false => state.token(request),
        }
    });
    let outcome = check(&server, &["pkce.missing-verifier", "code.redirect-uri"], &[]).expect_code(9);
    let finding = &rules(&outcome)["code.redirect-uri"];
    assert_eq!(
        finding["reason"],
        "it gets a token after the requests before it, with a fresh code it does not"
    );
    let came = finding["came"].as_str().expect("text");
    assert_eq!(
        came,
        "400 application/json error=invalid_grant; then 200 application/json with access_token, token_type"
    );
    let sent = finding["sent"].as_str().expect("text");
    assert_eq!(sent.matches("; then POST ").count(), 1, "{sent}");
}

#[test]
fn a_replayed_code_that_works_is_shown_with_its_first_use() {
    let (server, state) = start();
    on_token(&server, &state, |request, state| match state.token(request) {
        _ if value_of(&request.form(), "grant_type") == Some("authorization_code") => {
            let token = state.value();
            json(200, &format!(r#"{{"access_token":"{token}","token_type":"Bearer"}}"#))
        }
        other => other,
    });
    let outcome = check(&server, &["code.single-use"], &[]).expect_code(9);
    assert_eq!(
        member(&outcome, "code.single-use", "came"),
        "200 application/json with access_token, token_type; then 200 application/json with access_token, token_type"
    );
}
