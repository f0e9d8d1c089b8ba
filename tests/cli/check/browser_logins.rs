//! An examination of a server that asks the resource owner each time.

use super::sign_in_first::logins;
use super::{Client, check, lenient_server, rules, with_verdict};
use crate::support::authorization_server::FakeBrowser;
use crate::support::binary::Home;
use crate::support::callback;
use crate::support::development_server::DevelopmentServer;
use crate::support::outcome::{Outcome, run};
use crate::support::plain_browser::{Landing, PlainBrowser};
use crate::support::running::Running;
use std::process::Command;

/// Logins of an examination of `oauth serve`, which ends a code at the first
/// failed redemption, by all rules: no more than these are asked of a person.
const LOGINS: usize = 15;

/// Plays the person until the examination has ended.
fn with_a_person(command: &mut Command, home: &Home, logins: usize) -> Outcome {
    let browser = FakeBrowser::new(home.path());
    let running = Running::start(command.args(["--browser", &browser.command()]));
    let mut person = PlainBrowser::new();
    for _ in 0..logins {
        let landing = person.go_to(&browser.wait_for_url());
        let callback = sign_in_and_consent(&mut person, landing);
        let page = callback::get_url(&callback).expect("a page of the listener");
        assert_eq!(page.status, 200);
    }
    running.end()
}

fn sign_in_and_consent(person: &mut PlainBrowser, landing: Landing) -> String {
    let mut landing = landing;
    for _ in 0..3 {
        match landing {
            Landing::Elsewhere(url) => return url.to_string(),
            Landing::Page(page) if page.html.contains("name=\"password\"") => {
                let fields = [("username", "demo"), ("password", "demo"), ("decision", "sign-in")];
                landing = person.submit(&page, &fields);
            }
            Landing::Page(page) => landing = person.submit(&page, &[("decision", "allow")]),
        }
    }
    panic!("no way back to the client");
}

#[test]
fn a_person_signs_in_a_few_times_and_is_told_what_for() {
    let home = Home::new();
    let server = lenient_server(&home, &[]);
    let mut command = check(&home, &server.issuer(), Client::Public);
    let outcome = with_a_person(command.arg("--json"), &home, LOGINS).expect_code(0);
    assert_eq!(
        with_verdict(&outcome, &["fail", "warning"]),
        Vec::<String>::new(),
        "{outcome:#?}"
    );
    // what is announced at first is kept to
    let logins = logins(&outcome);
    assert_eq!(logins.len(), LOGINS, "{logins:?}");
    assert!(logins.iter().all(|(number, most)| number <= most), "{logins:?}");
    assert!(
        logins.is_sorted_by(|(_, before), (_, after)| before >= after),
        "{logins:?}"
    );
    let rules = rules(&outcome);
    for seen in [
        "authorize.state-characters",
        "authorize.state-long",
        "authorize.unknown-parameter",
        "pkce.wrong-verifier",
        "code.parallel",
        "redirect-uri.loopback-port",
        "authorize.framing",
        "authorize.escaping",
        "id-token.signature",
    ] {
        assert_eq!(rules[seen]["verdict"], "pass", "{}", rules[seen]);
    }
    let unseen = &rules["authorize.state-absent"];
    assert_eq!(unseen["verdict"], "skipped");
    assert!(
        unseen["reason"]
            .as_str()
            .expect("a reason")
            .contains("asks to sign in first"),
        "{unseen}"
    );
}

#[test]
fn the_profile_says_which_server_and_keeps_its_session() {
    let home = Home::new();
    let server = lenient_server(&home, &["--approve", "auto"]);
    let key = format!("issuer={}", server.issuer());
    run(home
        .oauth()
        .args(["profile", "set", "work", &key, "client_id=oauth-cli"]))
    .expect_code(0);
    let browser = FakeBrowser::new(home.path());
    let login = Running::start(home.oauth().args(["login", "work", "--browser", &browser.command()]));
    let landing = PlainBrowser::new().go_to(&browser.wait_for_url());
    callback::get_url(landing.elsewhere().as_str()).expect("a page of the listener");
    login.end().expect_code(0);
    let config = std::fs::read(home.config_file()).expect("the configuration");
    let token = run(home.oauth().args(["token", "work"])).expect_code(0).stdout;

    run(home.oauth().args(["check", "work"])).expect_code(0);
    assert_eq!(std::fs::read(home.config_file()).expect("the configuration"), config);
    assert_eq!(run(home.oauth().args(["token", "work"])).expect_code(0).stdout, token);
    let refreshed = run(home.oauth().args(["token", "work", "--force-refresh"])).expect_code(0);
    assert_ne!(refreshed.stdout, token, "the session lives at the server, too");
}

#[test]
fn a_signal_ends_the_wait_for_the_person() {
    let home = Home::new();
    let server = lenient_server(&home, &[]);
    let browser = FakeBrowser::new(home.path());
    let mut command = check(&home, &server.issuer(), Client::Public);
    let running = Running::start(command.args(["--browser", &browser.command()]));
    browser.wait_for_url();
    running.signal(rustix::process::Signal::INT);
    let outcome = running.end().expect_error(130);
    assert_eq!(outcome.error(), "the check was interrupted");
}

#[test]
fn one_rule_takes_one_login_or_two() {
    let home = Home::new();
    let server = lenient_server(&home, &["--break", "pkce.wrong-verifier"]);
    let mut command = check(&home, &server.issuer(), Client::Public);
    let outcome = with_a_person(command.args(["--rule", "pkce.wrong-verifier"]), &home, 2).expect_code(9);
    for line in [
        "login 1 of up to 2: to test a complete login",
        "login 2 of up to 2: for redemptions that must fail",
    ] {
        assert!(outcome.stderr.lines().any(|own| own == line), "{outcome:#?}");
    }
    assert!(
        outcome.stdout.contains("\nfail     pkce.wrong-verifier"),
        "{outcome:#?}"
    );
}

#[test]
fn what_only_a_login_shows_gets_one_of_its_own_where_no_other_takes_it_along() {
    let home = Home::new();
    let server = lenient_server(&home, &["--break", "authorize.state-long"]);
    for (rule, verdict) in [
        ("authorize.state-long", "fail"),
        ("authorize.state-characters", "pass"),
        ("authorize.unknown-parameter", "pass"),
        ("authorize.empty-parameter", "pass"),
    ] {
        let own = Home::new();
        let mut command = check(&own, &server.issuer(), Client::Public);
        let outcome = with_a_person(command.args(["--json", "--rule", rule]), &own, 1);
        assert_eq!(rules(&outcome)[rule]["verdict"], verdict, "{outcome:#?}");
    }
}

#[test]
fn what_the_server_refuses_before_the_sign_in_takes_no_login() {
    let home = Home::new();
    let server = lenient_server(&home, &["--break", "authorize.empty-parameter"]);
    let mut command = check(&home, &server.issuer(), Client::Public);
    let rules_asked_for = [
        "--rule",
        "authorize.empty-parameter",
        "--rule",
        "pkce.wrong-verifier",
        "--rule",
        "code.redirect-uri",
    ];
    let outcome = with_a_person(command.arg("--json").args(rules_asked_for), &home, 3);
    assert_eq!(
        with_verdict(&outcome, &["fail"]),
        ["authorize.empty-parameter"],
        "{outcome:#?}"
    );
    assert_eq!(
        with_verdict(&outcome, &["pass"]),
        ["code.redirect-uri", "pkce.wrong-verifier"],
        "{outcome:#?}"
    );
}

#[test]
fn a_wrong_answer_of_the_browser_is_a_finding_and_ends_the_logins() {
    for (rule, follows) in [
        ("authorize.state", "code.parallel"),
        ("authorize.iss-value", "code.parallel"),
    ] {
        let home = Home::new();
        let server = lenient_server(&home, &["--break", rule]);
        let mut command = check(&home, &server.issuer(), Client::Public);
        let outcome = one_login(
            command.args(["--json", "--skip", "authorize.state-in-error"]),
            &home,
            &server,
        );
        let failed = with_verdict(&outcome, &["fail"]);
        assert_eq!(failed, [rule], "{outcome:#?}");
        assert_eq!(outcome.code, Some(9));
        let rest = &rules(&outcome)[follows];
        assert!(rest["reason"].as_str().expect("a reason").contains(rule), "{rest}");
    }
}

/// One login whose answer may be ignored by the client.
fn one_login(command: &mut Command, home: &Home, _server: &DevelopmentServer) -> Outcome {
    let browser = FakeBrowser::new(home.path());
    let running = Running::start(command.args(["--browser", &browser.command()]));
    let mut person = PlainBrowser::new();
    let landing = person.go_to(&browser.wait_for_url());
    let callback = sign_in_and_consent(&mut person, landing);
    callback::get_url(&callback).expect("a page of the listener");
    running.end()
}
