//! Answers that say nothing about a rule: failures, pages, silence. And those
//! that can be read all the same.

use super::honest_server::{Shared, check, on_token, start};
use super::{Client, lenient_server, rules, with_verdict};
use crate::support::binary::Home;
use crate::support::literal_server::{LiteralServer, Reply, html, json, value_of};
use crate::support::outcome::{Outcome, run};

fn verdict(outcome: &Outcome, rule: &str) -> (String, String) {
    let rule = &rules(outcome)[rule];
    let text = |member: &str| rule[member].as_str().expect("text").to_owned();
    (text("verdict"), text("reason"))
}

fn with_token_endpoint(reply: Reply) -> (LiteralServer, Shared) {
    let (server, state) = start();
    on_token(&server, &state, move |_, _| reply.clone());
    (server, state)
}

#[test]
fn a_token_endpoint_that_fails_breaks_no_rule_and_ends_as_a_login_does() {
    let (server, _) = with_token_endpoint(html(502, "<h1>Bad Gateway</h1>"));
    let outcome = check(&server, &[], &[]).expect_code(3);
    let failed = with_verdict(&outcome, &["fail", "warning"]);
    let about_tokens: Vec<&String> = failed
        .iter()
        .filter(|rule| !rule.starts_with("metadata.") && !rule.starts_with("authorize."))
        .collect();
    assert_eq!(about_tokens, Vec::<&String>::new());
    let reason = "no code could be exchanged (token endpoint: 502 text/html)";
    assert_eq!(
        verdict(&outcome, "pkce.supported"),
        ("skipped".to_owned(), reason.to_owned())
    );
    assert!(outcome.stderr.contains(reason), "{outcome:#?}");
}

#[test]
fn a_server_whose_token_endpoint_is_down_breaks_no_rule_at_all() {
    let home = Home::new();
    let server = lenient_server(&home, &["--approve", "auto", "--fail", "token=502"]);
    let outcome = run(super::check(&home, &server.issuer(), Client::Public).arg("--json")).expect_code(3);
    assert_eq!(with_verdict(&outcome, &["fail"]), [""; 0], "{outcome:#?}");
}

#[test]
fn why_no_login_works_stands_at_the_top_of_the_report() {
    let (server, _) = with_token_endpoint(html(502, "<h1>Bad Gateway</h1>"));
    let home = Home::new();
    let mut command = home.oauth();
    command.args(["check", &server.origin(), "--client-id", "desktop"]);
    let outcome = run(command.args(["--rule", "code.single-use", "--rule", "pkce.supported"])).expect_code(3);
    assert_eq!(
        outcome.stdout.lines().next(),
        Some("no code could be exchanged (token endpoint: 502 text/html); 2 rules need it")
    );
}

#[test]
fn a_page_with_status_200_in_place_of_tokens_is_no_refusal() {
    let (server, _) = with_token_endpoint(html(200, "<h1>Welcome</h1>"));
    let asked_for = ["code.unknown", "token.grant-type-missing", "token.error-status"];
    let outcome = check(&server, &asked_for, &[]).expect_code(0);
    assert_eq!(with_verdict(&outcome, &["skipped"]).len(), rules(&outcome).len());
    let (_, reason) = verdict(&outcome, "code.unknown");
    assert_eq!(reason, "the answer cannot be read: 200 text/html");
    let (_, reason) = verdict(&outcome, "token.error-status");
    assert_eq!(reason, "no error came from the token endpoint");
}

#[test]
fn tokens_in_a_form_are_read_and_their_content_type_is_the_finding() {
    let (server, state) = start();
    on_token(&server, &state, |request, state| {
        let (status, body) = state.answer(request);
        if status != 200 && value_of(&request.form(), "grant_type") != Some("authorization_code") {
            return json(status, &body);
        }
        let object: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in object.as_object().expect("an object") {
            form.append_pair(name, &value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        }
        let headers = [
            "Content-Type: application/x-www-form-urlencoded",
            "Cache-Control: no-store",
        ];
        // GitHub answers errors with 200, too.
        Reply::http(200, &headers, form.finish())
    });
    let asked_for = [
        "token.content-type",
        "token.token-type",
        "token.expires-in",
        "pkce.supported",
        "code.single-use",
        "code.unknown",
    ];
    let outcome = check(&server, &asked_for, &[]).expect_code(9);
    assert_eq!(with_verdict(&outcome, &["fail", "warning"]), ["token.content-type"]);
    assert_eq!(
        with_verdict(&outcome, &["pass"]).len(),
        asked_for.len() - 1,
        "{outcome:#?}"
    );
    let finding = &rules(&outcome)["token.content-type"];
    assert_eq!(finding["reason"], "it is \"application/x-www-form-urlencoded\"");
    assert_eq!(
        finding["came"],
        "200 application/x-www-form-urlencoded with access_token, expires_in, refresh_token, token_type"
    );
}

#[test]
fn three_answers_in_a_row_that_do_not_come_end_the_examination() {
    let (server, state) = start();
    on_token(&server, &state, |_, _| Reply::silence());
    let outcome = check(&server, &[], &["--http-timeout", "100ms"]).expect_code(3);
    // the one of the login, and three in a row after requests elsewhere
    assert_eq!(server.requests_to("/token").len(), 4);
    let (verdict, reason) = verdict(&outcome, "token.basic-challenge");
    assert_eq!(verdict, "skipped");
    assert!(
        reason.starts_with("3 requests in a row got no answer in time"),
        "{reason}"
    );
}

/// Without the deadline it would wait half a minute for each of them.
#[test]
fn at_the_deadline_the_rest_is_skipped_with_the_reason_and_what_was_found_is_reported() {
    let (server, state) = start();
    on_token(&server, &state, |_, _| Reply::silence());
    let outcome = check(&server, &[], &["--deadline", "900ms"]).expect_code(3);
    let (skipped, reason) = verdict(&outcome, "token.basic-challenge");
    assert_eq!(skipped, "skipped");
    assert_eq!(reason, "the deadline of the check has passed (--deadline)");
    let (found, _) = verdict(&outcome, "metadata.issuer");
    assert_eq!(found, "pass");
    assert_eq!(server.requests_to("/token").len(), 1);
}

#[test]
fn a_status_of_500_for_what_must_be_refused_is_a_finding_where_the_rest_works() {
    let (server, state) = start();
    on_token(&server, &state, |request, state| {
        let form = request.form();
        let is_code = value_of(&form, "grant_type") == Some("authorization_code");
        let (status, body) = state.answer(request);
        match is_code && body.contains("invalid_grant") {
            true => html(500, "<h1>Oops</h1>"),
            false => json(status, &body),
        }
    });
    let asked_for = [
        "pkce.wrong-verifier",
        "pkce.error-code",
        "code.single-use",
        "code.unknown",
        "token.error-status",
    ];
    for rules_of_run in [
        &asked_for[..],
        &["pkce.error-code"],
        &["code.unknown"],
        &["token.error-status"],
    ] {
        let outcome = check(&server, rules_of_run, &[]).expect_code(9);
        let failed = with_verdict(&outcome, &["fail"]);
        let expected: Vec<&str> = ["code.unknown", "pkce.error-code", "token.error-status"]
            .into_iter()
            .filter(|rule| rules_of_run.contains(rule))
            .collect();
        assert_eq!(failed, expected, "{outcome:#?}");
        if rules_of_run.contains(&"pkce.error-code") {
            let finding = &rules(&outcome)["pkce.error-code"];
            assert_eq!(finding["reason"], "the answer is status 500, not invalid_grant");
            assert_eq!(finding["came"], "500 text/html");
        }
    }
    // nothing tells a failure of everything from a refusal
    let (server, _) = with_token_endpoint(html(500, "<h1>Oops</h1>"));
    let outcome = check(&server, &asked_for, &[]).expect_code(3);
    assert_eq!(with_verdict(&outcome, &["fail"]), Vec::<String>::new(), "{outcome:#?}");
}

/// An endpoint that only fails says nothing: neither that a rule is broken nor
/// that it is kept.
#[test]
fn an_endpoint_that_only_fails_is_not_judged() {
    for (endpoint, group) in [
        ("userinfo", "userinfo."),
        ("introspect", "introspection."),
        ("revoke", "revocation."),
        ("jwks", "keys."),
        ("par", "par."),
        ("device_authorization", "device."),
        ("register", "registration."),
    ] {
        for status in ["503", "429"] {
            let home = Home::new();
            let server = lenient_server(&home, &["--approve", "auto", "--fail", &format!("{endpoint}={status}")]);
            let of_group = oauth::rules::Rule::ALL
                .iter()
                .filter(|rule| rule.id().starts_with(group));
            let asked_for: Vec<&str> = of_group.flat_map(|rule| ["--rule", rule.id()]).collect();
            assert!(!asked_for.is_empty(), "{group}");
            let mut command = super::check(&home, &server.issuer(), Client::Confidential);
            let outcome = run(command.arg("--json").arg("--register").args(&asked_for)).expect_code(0);
            let mut judged = with_verdict(&outcome, &["fail", "warning", "pass"]);
            // GET is refused without a failure, as it must be
            judged.retain(|id| id != "revocation.post-only");
            assert_eq!(judged, [""; 0], "{endpoint}={status}: {}", outcome.stderr);
        }
    }
}

#[test]
fn an_endpoint_that_fails_for_a_while_is_judged_by_what_it_answers_afterwards() {
    let home = Home::new();
    let server = lenient_server(&home, &["--approve", "auto", "--fail", "userinfo=503:1"]);
    let mut command = super::check(&home, &server.issuer(), Client::Public);
    let outcome =
        run(command.args(["--json", "--rule", "userinfo.works", "--rule", "userinfo.subject"])).expect_code(0);
    let (skipped, reason) = verdict(&outcome, "userinfo.works");
    assert_eq!(
        (skipped.as_str(), reason.as_str()),
        ("skipped", "the endpoint answers everything with status 503")
    );
    assert_eq!(verdict(&outcome, "userinfo.subject").0, "pass");
}

/// Nothing would come back from the browser, and a person would wait five minutes.
#[test]
fn an_authorization_endpoint_that_fails_ends_the_examination_before_a_browser_opens() {
    for (fault, why) in [
        (
            "authorize=503",
            "the authorization endpoint answers a plain request with a page of status 503",
        ),
        (
            "authorize=429",
            "the authorization endpoint answers a plain request with a page of status 429",
        ),
        (
            "par=503",
            "the server answers a plain authorization request with status 503 when it was pushed",
        ),
    ] {
        let home = Home::new();
        let mut arguments = vec!["--fail", fault];
        if fault.starts_with("par") {
            arguments.extend(["--require", "par"]);
        }
        let server = lenient_server(&home, &arguments);
        let mut command = super::check(&home, &server.issuer(), Client::Public);
        let outcome = run(command.args(["--json", "--browser", "false"])).expect_code(3);
        assert_eq!(with_verdict(&outcome, &["fail"]), [""; 0], "{outcome:#?}");
        assert!(outcome.stderr.contains(why), "{fault}: {}", outcome.stderr);
        assert!(!outcome.stderr.contains("Opening"), "{}", outcome.stderr);
        assert_eq!(verdict(&outcome, "pkce.supported").0, "skipped");
    }
}
