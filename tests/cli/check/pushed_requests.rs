//! Servers that take an authorization request only where it was pushed to them,
//! or signed: the examination does the same with its own.

use super::honest_server::{check as check_literal, start_with};
use super::sign_in_first::play_the_person;
use super::{Client, check, examine_each, lenient_server, rules, with_verdict};
use crate::support::authorization_server::FakeBrowser;
use crate::support::binary::Home;
use crate::support::literal_server::{LiteralServer, Reply, Request, html, json, value_of};
use crate::support::outcome::{Outcome, run};
use crate::support::running::Running;
use oauth::rules::{Rule, ViolationPoint};
use std::sync::{Arc, Mutex};

/// That every rule which holds where requests are plain holds here too.
fn assert_as_good(outcome: &Outcome, plain: &Outcome) {
    let findings = with_verdict(outcome, &["fail", "warning"]);
    assert_eq!(findings, Vec::<String>::new(), "{outcome:#?}");
    let passed = with_verdict(outcome, &["pass"]);
    let lost: Vec<String> = with_verdict(plain, &["pass"])
        .into_iter()
        .filter(|id| !passed.contains(id))
        .collect();
    assert_eq!(lost, Vec::<String>::new(), "{outcome:#?}");
}

#[test]
fn a_server_that_wants_pushed_requests_is_examined_with_pushed_requests() {
    let home = Home::new();
    let plain = lenient_server(&home, &["--approve", "auto"]);
    let pushed = lenient_server(&home, &["--approve", "auto", "--require", "par"]);
    let signed = lenient_server(
        &home,
        &["--approve", "auto", "--require", "par", "--require", "request-object"],
    );
    for (server, client) in [
        (&pushed, Client::Public),
        (&pushed, Client::Confidential),
        (&signed, Client::Signing),
    ] {
        let outcome = run(check(&home, &server.issuer(), client).arg("--json")).expect_code(0);
        let plain = run(check(&home, &plain.issuer(), client).arg("--json")).expect_code(0);
        assert_as_good(&outcome, &plain);
    }
}

#[test]
fn a_server_that_wants_signed_requests_alone_is_examined_with_signed_requests() {
    let home = Home::new();
    let server = lenient_server(&home, &["--approve", "auto", "--require", "request-object"]);
    let outcome = run(check(&home, &server.issuer(), Client::Signing).arg("--json")).expect_code(0);
    let findings = with_verdict(&outcome, &["fail", "warning"]);
    assert_eq!(findings, Vec::<String>::new(), "{outcome:#?}");
    assert!(with_verdict(&outcome, &["pass"]).contains(&"authorize.state-in-error".to_owned()));
}

#[test]
fn a_server_that_wants_pushed_requests_of_this_client_alone_says_so_by_its_refusal() {
    let home = Home::new();
    let metadata = home.path().join("pushing.json");
    let members =
        r#"{"client_id":"pushing","token_endpoint_auth_method":"none","require_pushed_authorization_requests":true}"#;
    std::fs::write(&metadata, members).expect("the metadata");
    let metadata = metadata.display().to_string();
    let server = lenient_server(&home, &["--approve", "auto", "--client-metadata", &metadata]);
    let asked_for = ["authorize.state", "pkce.required", "redirect-uri.other-host"];
    let mut command = home.oauth();
    command.args(["check", &server.issuer(), "--client-id", "pushing", "--json"]);
    command.args(asked_for.iter().flat_map(|rule| ["--rule", rule]));
    let outcome = run(&mut command).expect_code(0);
    assert_eq!(with_verdict(&outcome, &["pass"]), asked_for, "{outcome:#?}");
}

#[test]
fn what_the_browser_sees_is_still_judged_where_requests_are_pushed() {
    let home = Home::new();
    for rule in [
        "authorize.state",
        "authorize.state-in-error",
        "authorize.iss-in-error",
        "authorize.error-characters",
        "jarm.errors",
        "authorize.client-unknown",
        "authorize.content-security-policy",
        "par.single-use",
    ] {
        let server = lenient_server(&home, &["--approve", "auto", "--require", "par", "--break", rule]);
        let outcome = run(check(&home, &server.issuer(), Client::Public).args(["--json", "--rule", rule]));
        assert_eq!(
            with_verdict(&outcome, &["fail", "warning"]),
            [rule],
            "{rule}: {outcome:#?}"
        );
    }
}

#[test]
fn what_a_broken_server_overlooks_in_an_authorization_request_it_overlooks_in_a_pushed_one() {
    let rules: Vec<Rule> = Rule::ALL
        .iter()
        .copied()
        .filter(|rule| rule.violation_point() == ViolationPoint::AuthorizationRequest)
        .collect();
    let wrong = examine_each(&rules, |rule| {
        let home = Home::new();
        let broken = ["--approve", "auto", "--require", "par", "--break", rule.id()];
        let server = lenient_server(&home, &broken);
        let outcome = run(check(&home, &server.issuer(), Client::Public).args(["--json", "--rule", rule.id()]));
        match with_verdict(&outcome, &["fail", "warning"]).contains(&rule.id().to_owned()) {
            true => Ok(()),
            false => Err(format!("{rule}: {}", super::rules(&outcome)[rule.id()])),
        }
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A server that takes pushed requests only; `accept` says with which error it
/// refuses one, if it does.
fn pushing_server(accept: fn(&Request) -> Option<&'static str>, signs_in: bool) -> LiteralServer {
    let members =
        r#","require_pushed_authorization_requests":true,"pushed_authorization_request_endpoint":"ORIGIN/par""#;
    let (server, state) = start_with(members);
    let pushed = Arc::new(Mutex::new(Vec::<String>::new()));
    let kept = Arc::clone(&pushed);
    server.on_call("POST", "/par", move |request| {
        if let Some(error) = accept(request) {
            return json(400, &format!(r#"{{"error":"{error}"}}"#));
        }
        let mut kept = kept.lock().expect("the requests");
        kept.push(String::from_utf8_lossy(&request.body).into_owned());
        json(
            201,
            &format!(r#"{{"request_uri":"urn:pushed:{}","expires_in":60}}"#, kept.len()),
        )
    });
    let grant = move |request: &Request| -> Reply {
        let query = request.query();
        let number = value_of(&query, "request_uri").and_then(|uri| uri.strip_prefix("urn:pushed:")?.parse().ok());
        let pushed = pushed.lock().expect("the requests");
        let Some(body) = number.and_then(|number: usize| pushed.get(number - 1)) else {
            return html(400, "<h1>Push it</h1>");
        };
        let mut found = request.clone();
        found.target = format!("/authorize?{body}");
        state.lock().expect("the state").grant(&found)
    };
    if signs_in {
        server.on("GET", "/authorize", html(200, "<h1>Sign in</h1>"));
        server.on_call("GET", "/signed-in", grant);
    } else {
        server.on_call("GET", "/authorize", grant);
    }
    server
}

#[test]
fn a_server_that_takes_whatever_is_pushed_breaks_the_rules() {
    let asked_for = [
        "authorize.response-type-missing",
        "authorize.scope-malformed",
        "pkce.required",
        "redirect-uri.other-host",
    ];
    let server = pushing_server(|_| None, false);
    let outcome = check_literal(&server, &asked_for, &[]).expect_code(9);
    assert_eq!(with_verdict(&outcome, &["fail", "warning"]), asked_for, "{outcome:#?}");
    let sent = rules(&outcome)["pkce.required"]["sent"].to_string();
    let pushed = format!(
        "\"POST {}/par response_type=code&client_id=desktop&state=[redacted",
        server.origin()
    );
    assert!(sent.starts_with(&pushed), "{sent}");
    assert!(
        sent.contains("/authorize?client_id=desktop&request_uri=urn:pushed:"),
        "{sent}"
    );
}

#[test]
fn the_error_of_a_pushed_request_is_judged_like_that_of_a_redirect() {
    let refuse_scopes = |request: &Request| {
        let is_malformed = value_of(&request.form(), "scope").is_some_and(|scope| scope.contains('"'));
        is_malformed.then_some("invalid_request")
    };
    let server = pushing_server(refuse_scopes, false);
    let outcome = check_literal(&server, &["authorize.scope-malformed"], &["--scope", "notes"]).expect_code(0);
    assert_eq!(
        rules(&outcome)["authorize.scope-malformed"]["reason"],
        "the error is invalid_request",
    );
    let refuse_unknown = |request: &Request| {
        let is_there = value_of(&request.form(), "oauth_check").is_some();
        is_there.then_some("invalid_request")
    };
    let server = pushing_server(refuse_unknown, false);
    let outcome = check_literal(&server, &["authorize.unknown-parameter"], &[]).expect_code(9);
    assert_eq!(
        rules(&outcome)["authorize.unknown-parameter"]["reason"],
        "it is refused with status 400 when it was pushed: invalid_request",
    );
}

#[cfg(unix)]
#[test]
fn logins_in_the_browser_are_pushed_with_the_port_that_is_listened_on() {
    let refuse_weak = |request: &Request| {
        let has_challenge = value_of(&request.form(), "code_challenge").is_some();
        (!has_challenge).then_some("invalid_request")
    };
    let server = pushing_server(refuse_weak, true);
    let home = Home::new();
    let browser = FakeBrowser::new(home.path());
    play_the_person(home.path().join("fake-browser.pipe"));
    let asked_for = ["authorize.state", "pkce.required", "redirect-uri.other-path"];
    let mut command = home.oauth();
    command.args(["check", &server.origin(), "--client-id", "desktop", "--json"]);
    command.args(["--timeout", "60s", "--browser", &browser.command()]);
    command.args(asked_for.iter().flat_map(|rule| ["--rule", rule]));
    let outcome = Running::start(&mut command).end().expect_code(9);
    assert_eq!(with_verdict(&outcome, &["pass"]), asked_for[..2], "{outcome:#?}");
    assert_eq!(with_verdict(&outcome, &["fail"]), asked_for[2..], "{outcome:#?}");
    let opened = server.requests_to("/signed-in");
    assert!(!opened.is_empty());
    for request in opened {
        let names: Vec<String> = request.query().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["client_id", "request_uri"]);
    }
}

#[test]
fn authorization_details_are_in_every_login() {
    let home = Home::new();
    let file = home.path().join("details.json");
    std::fs::write(&file, r#"[{"type":"payment","amount":"1"}]"#).expect("the details");
    let server = pushing_server(|_| None, false);
    let file = file.display().to_string();
    check_literal(&server, &["pkce.supported"], &["--authorization-details", &file]).expect_code(0);
    let pushed = server.requests_to("/par");
    assert!(!pushed.is_empty());
    for request in pushed {
        let form = request.form();
        let details = value_of(&form, "authorization_details").expect("the details");
        let details: serde_json::Value = serde_json::from_str(details).expect("JSON");
        assert_eq!(details, serde_json::json!([{"type": "payment", "amount": "1"}]));
    }
}
