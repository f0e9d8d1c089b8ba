//! What tokens look like, and what a refresh brings.

use super::honest_server::{State, check, on_token, refused, start, start_with};
use super::{rules, with_verdict};
use crate::support::literal_server::{Reply, Request, json, value_of};
use crate::support::outcome::Outcome;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::sync::Arc;

fn finding(outcome: &Outcome, rule: &str) -> (String, String) {
    let rule = &rules(outcome)[rule];
    let text = |member: &str| rule[member].as_str().expect("text").to_owned();
    (text("verdict"), text("reason"))
}

fn jwt(claims: &str) -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.c2lnbmF0dXJl", part(r#"{"alg":"RS256"}"#), part(claims))
}

/// Answers the right code, and refreshes, with these tokens.
fn grant(request: &Request, state: &mut State, tokens: &dyn Fn(&mut State) -> String) -> Reply {
    let refreshes = value_of(&request.form(), "refresh_token").is_some_and(|token| token.starts_with("refresh-"));
    let (status, body) = state.answer(request);
    match status == 200 || refreshes {
        true => json(200, &tokens(state)),
        false => json(status, &body),
    }
}

#[test]
fn the_same_token_for_everybody_has_no_randomness() {
    let (server, state) = start();
    on_token(&server, &state, |request, state| {
        grant(request, state, &|_| {
            r#"{"access_token":"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk","token_type":"Bearer"}"#.to_owned()
        })
    });
    let outcome = check(&server, &["token.entropy"], &[]).expect_code(9);
    assert_eq!(
        finding(&outcome, "token.entropy"),
        ("fail".to_owned(), "the same value came twice".to_owned())
    );
    assert_eq!(
        rules(&outcome)["token.entropy"]["came"],
        "200 application/json with access_token, token_type"
    );
}

#[test]
fn a_counter_in_front_of_the_same_characters_has_few_bits() {
    let (server, state) = start();
    let count = std::sync::atomic::AtomicUsize::new(1000);
    on_token(&server, &state, move |request, state| {
        let number = count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        grant(request, state, &|_| {
            format!(
                r#"{{"access_token":"{number}-dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk","token_type":"Bearer"}}"#
            )
        })
    });
    let outcome = check(&server, &["token.entropy"], &[]).expect_code(9);
    let (verdict, reason) = finding(&outcome, "token.entropy");
    assert_eq!(verdict, "fail");
    assert!(
        reason.starts_with("they have ") && reason.ends_with(" bits at most"),
        "{reason}"
    );
}

/// Without `scope` in the answer, what was granted is looked for in the token.
#[test]
fn a_scope_that_a_refresh_ignores_is_not_granted() {
    for (scope, verdict, reason) in [
        (Some("openid"), "pass", ""),
        (Some("openid email"), "fail", "email is granted, which was not before"),
        (
            None,
            "skipped",
            "the answer names no scope, which means that email is granted; whether it is cannot be seen",
        ),
    ] {
        let (server, state) = start_with(r#","scopes_supported":["email"]"#);
        on_token(&server, &state, move |request, state| {
            grant(request, state, &|state| {
                let access_token = match scope {
                    Some(scope) => jwt(&format!(r#"{{"scope":"{scope}","jti":"{}"}}"#, state.value())),
                    None => state.value(),
                };
                let refresh_token = state.value();
                format!(
                    r#"{{"access_token":"{access_token}","refresh_token":"refresh-{refresh_token}","token_type":"Bearer"}}"#
                )
            })
        });
        let outcome = check(&server, &["refresh.scope"], &["--scope", "openid"]);
        let expected = (verdict.to_owned(), reason.to_owned());
        assert_eq!(finding(&outcome, "refresh.scope"), expected, "{outcome:#?}");
        assert_eq!(outcome.code, Some(if verdict == "fail" { 9 } else { 0 }));
    }
}

#[test]
fn a_signed_refresh_token_is_compared_with_one_of_the_next_second() {
    let (server, state) = start();
    on_token(&server, &state, |request, state| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let second = now.expect("the time").as_secs();
        let is_own = value_of(&request.form(), "refresh_token").is_some_and(|token| token.contains('.'));
        let (status, _) = state.answer(request);
        match is_own || status == 200 {
            true => {
                let refresh_token = jwt(&format!(r#"{{"iat":{second}}}"#));
                let access_token = state.value();
                json(
                    200,
                    &format!(
                        r#"{{"access_token":"{access_token}","refresh_token":"{refresh_token}","token_type":"Bearer"}}"#
                    ),
                )
            }
            false => refused(400, "invalid_grant"),
        }
    });
    let outcome = check(&server, &["refresh.rotation"], &[]).expect_code(0);
    assert_eq!(with_verdict(&outcome, &["pass"]), ["refresh.rotation"], "{outcome:#?}");
}

/// OpenID Connect Core §11: without a consent page `offline_access` is ignored.
#[test]
fn a_refresh_token_that_only_a_consent_page_brings_is_looked_for_once() {
    for (scope, arguments, prompts, verdict) in [
        ("openid offline_access", &[][..], "consent", "pass"),
        ("openid offline_access", &[], "never", "skipped"),
        (
            "openid offline_access",
            &["--param", "prompt=login"],
            "consent",
            "skipped",
        ),
        ("offline_access", &[], "consent", "skipped"),
    ] {
        let (server, state) = start();
        let authorize = Arc::clone(&state);
        server.on_call("GET", "/authorize", move |request| {
            let mut state = authorize.lock().expect("the state");
            state.without_refresh_tokens = value_of(&request.query(), "prompt") != Some(prompts);
            state.grant(request)
        });
        let arguments = [&["--scope", scope], arguments].concat();
        let outcome = check(&server, &["refresh.works"], &arguments);
        assert_eq!(finding(&outcome, "refresh.works").0, verdict, "{scope}: {outcome:#?}");
        let requests = server.requests_to("/authorize");
        let with_consent = |request: &&Request| value_of(&request.query(), "prompt") == Some("consent");
        let tries = requests.iter().filter(with_consent).count();
        assert_eq!(
            tries > 0,
            scope.starts_with("openid") && arguments.len() == 2,
            "{scope}"
        );
        assert_eq!(
            outcome
                .stderr
                .contains("with prompt=consent the server issues no refresh token either"),
            prompts == "never"
        );
    }
}

#[test]
fn no_consent_page_is_asked_for_where_no_rule_needs_a_refresh_token() {
    let (server, state) = start();
    state.lock().expect("the state").without_refresh_tokens = true;
    check(&server, &["pkce.supported"], &["--scope", "openid offline_access"]);
    let requests = server.requests_to("/authorize");
    assert!(
        requests
            .iter()
            .all(|request| value_of(&request.query(), "prompt").is_none())
    );
}
