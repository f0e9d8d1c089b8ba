//! `--authorization-details` (RFC 9396): sent on both requests; what was
//! granted is shown and kept.

use super::support::authorization_server::{self, consent};
use super::support::binary::Home;
use super::support::literal_server::{LiteralServer, json, value_of};
use super::support::login::{assert_nothing_kept, login, parameter, status};
use super::support::outcome::{Outcome, run};
use super::support::running::Running;
use serde_json::{Value, json as value};
use std::path::Path;

/// The first object of RFC 9396 §2, figure 2.
const PAYMENT: &str = r#"[
  { "type": "payment_initiation",
    "locations": ["https://example.com/payments"],
    "instructedAmount": { "currency": "EUR", "amount": "123.50" },
    "creditorName": "Merchant A",
    "creditorAccount": { "bic": "ABCIDEFFXXX", "iban": "DE02100100109307118603" },
    "remittanceInformationUnstructured": "Ref Number Merchant" } ]
"#;

fn file(home: &Home, content: &str) -> String {
    let path = home.path().join("details.json");
    std::fs::write(&path, content).expect("writing the file");
    path.display().to_string()
}

fn server_granting(details: &str) -> LiteralServer {
    let server = authorization_server::start();
    let answer = authorization_server::token_answer();
    let member = match details {
        "" => String::new(),
        details => format!(r#""authorization_details":{details},"#),
    };
    server.on(
        "POST",
        "/token",
        json(200, &answer.replacen('{', &format!("{{{member}"), 1)),
    );
    server
}

fn log_in(home: &Home, server: &LiteralServer, details: &str) -> (Outcome, String) {
    let details = file(home, details);
    let mut command = login(
        home,
        server,
        &["-p", "rich", "--no-browser", "--authorization-details", &details],
    );
    let running = Running::start(&mut command);
    let url = running.authorization_url();
    consent(&url, &server.origin());
    (running.end(), url)
}

#[test]
fn the_details_are_sent_on_both_requests_and_what_was_granted_is_shown_and_kept() {
    let home = Home::new();
    let granted = r#"[{"type":"payment_initiation","instructedAmount":{"currency":"EUR","amount":"100.00"}}]"#;
    let server = server_granting(granted);
    let (outcome, url) = log_in(&home, &server, PAYMENT);
    let outcome = outcome
        .expect_code(0)
        .says(&["granted in detail:", "payment_initiation", "100.00"]);
    assert_eq!(outcome.warnings(), "");
    let asked: Value = serde_json::from_str(PAYMENT).expect("JSON");
    let sent: Value = serde_json::from_str(&parameter(&url, "authorization_details")).expect("JSON");
    assert_eq!(sent, asked);
    let form = server.only_request_to("/token").form();
    let sent: Value = serde_json::from_str(value_of(&form, "authorization_details").expect("details")).expect("JSON");
    assert_eq!(sent, asked);
    let granted: Value = serde_json::from_str(granted).expect("JSON");
    assert_eq!(status(&home)[0]["authorization_details"], granted);
    let table = run(home.oauth().args(["status", "rich"])).expect_code(0);
    assert!(table.stdout.contains("details: payment_initiation"), "{}", table.stdout);
    let configuration: toml_edit::DocumentMut = home.configuration().parse().expect("TOML");
    let kept = configuration["profile"]["rich"]["authorization_details"].as_str();
    assert!(
        kept.is_some_and(|file| Path::new(file).is_absolute()),
        "{configuration}"
    );
}

#[test]
fn what_was_asked_for_and_not_granted_is_said() {
    let home = Home::new();
    let server = server_granting(r#"[{"type":"account_information"}]"#);
    let (outcome, _) = log_in(&home, &server, PAYMENT);
    assert!(outcome.expect_code(0).warnings().contains("payment_initiation"));

    let (home, server) = (Home::new(), server_granting(""));
    let (outcome, _) = log_in(&home, &server, PAYMENT);
    outcome
        .expect_code(0)
        .says(&["does not report which authorization details it granted"]);
    assert_eq!(status(&home)[0]["authorization_details"], Value::Null);
}

#[test]
fn a_hostile_grant_is_shown_on_one_line_and_a_malformed_one_is_not_kept() {
    let home = Home::new();
    let server = server_granting(r#"[{"type":"a\u001b[2J\nhint: run x"}]"#);
    let (outcome, _) = log_in(&home, &server, PAYMENT);
    let outcome = outcome.expect_code(0);
    assert!(
        !outcome.stderr.contains('\u{1b}') && !outcome.stderr.contains("\nhint: run x"),
        "{}",
        outcome.stderr
    );
    let table = run(home.oauth().args(["status", "rich"])).expect_code(0);
    assert!(!table.stdout.contains('\u{1b}'), "{}", table.stdout);
    for malformed in [r#""all""#, "{}", "[7]", r#"[{"no":"type"}]"#] {
        let (home, server) = (Home::new(), server_granting(malformed));
        log_in(&home, &server, PAYMENT).0.expect_code(0);
        assert_eq!(status(&home)[0]["authorization_details"], Value::Null, "{malformed}");
    }
}

#[test]
fn a_file_that_is_no_list_of_typed_objects_is_refused_before_anything_is_sent() {
    for content in [
        "",
        "{}",
        "[]",
        "[1]",
        r#"[{"actions":[]}]"#,
        r#"[{"type":"a","type":"b"}]"#,
        "nonsense",
    ] {
        let (home, server) = (Home::new(), authorization_server::start());
        let details = file(&home, content);
        let mut command = login(&home, &server, &["--no-browser", "--authorization-details", &details]);
        run(&mut command).expect_error(2).says(&["--authorization-details"]);
        assert!(server.requests().is_empty(), "{content}");
        assert_nothing_kept(&home);
    }
    let (home, server) = (Home::new(), authorization_server::start());
    let mut command = login(
        &home,
        &server,
        &["--no-browser", "--authorization-details", "/does/not/exist"],
    );
    run(&mut command).expect_error(2).says(&["/does/not/exist"]);
    let mut command = login(&home, &server, &["--no-browser", "--param", "authorization_details=[]"]);
    run(&mut command).expect_error(2).says(&["authorization_details"]);
}

#[test]
fn no_store_prints_what_was_granted_with_the_tokens() {
    let home = Home::new();
    let server = server_granting(r#"[{"type":"payment_initiation"}]"#);
    let details = file(&home, PAYMENT);
    let mut command = login(
        &home,
        &server,
        &["--no-browser", "--no-store", "--authorization-details", &details],
    );
    let running = Running::start(&mut command);
    consent(&running.authorization_url(), &server.origin());
    let outcome = running.end().expect_code(0);
    let answer: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    assert_eq!(
        answer["authorization_details"],
        value!([{"type": "payment_initiation"}])
    );
}
