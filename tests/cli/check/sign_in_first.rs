//! Servers that ask to sign in before they look at a request: what they think
//! of it comes with the browser, or not at all.

use super::honest_server::{Shared, back, start_with};
use super::{rules, with_verdict};
use crate::support::authorization_server::FakeBrowser;
use crate::support::binary::Home;
use crate::support::callback;
use crate::support::literal_server::{LiteralServer, Reply, Request, html, value_of};
use crate::support::outcome::Outcome;
use crate::support::running::Running;
use std::net::TcpListener;
use std::path::PathBuf;

/// A login that is refused by a page ends after this time, and so does one for
/// which the machine is too slow.
const TO_REFUSE: &str = "3s";

/// For servers that refuse nothing by a page, so that nothing is waited for.
const TO_GRANT: &str = "60s";

/// Shows a sign-in page first; what comes after it is `answer`.
fn sign_in_first(mut answer: impl FnMut(&Request, &Shared) -> Reply + Send + 'static) -> LiteralServer {
    let (server, state) = start_with("");
    server.on("GET", "/authorize", html(200, "<h1>Sign in</h1>"));
    server.on_call("GET", "/signed-in", move |request| answer(request, &state));
    server
}

fn grant(request: &Request, state: &Shared) -> Reply {
    state.lock().expect("the state").grant(request)
}

/// The resource owner: signs in wherever the browser is sent, and goes back to
/// the client where the server sends them. Ends with the test.
pub(super) fn play_the_person(pipe: PathBuf) {
    std::thread::spawn(move || {
        while let Ok(urls) = std::fs::read_to_string(&pipe) {
            for url in urls.lines() {
                let signed_in = url.replacen("/authorize?", "/signed-in?", 1);
                let Ok(answer) = callback::get_url(&signed_in) else {
                    return;
                };
                if let Some(location) = answer.header("location") {
                    let _nobody_listens = callback::get_url(location);
                }
            }
        }
    });
}

fn check(server: &LiteralServer, timeout: &str, rules: &[&str], arguments: &[&str]) -> Outcome {
    let home = Home::new();
    let browser = FakeBrowser::new(home.path());
    play_the_person(home.path().join("fake-browser.pipe"));
    let mut command = home.oauth();
    command.args(["check", &server.origin(), "--client-id", "desktop", "--json"]);
    command.args(["--timeout", timeout, "--browser", &browser.command()]);
    command.args(rules.iter().flat_map(|rule| ["--rule", rule]));
    Running::start(command.args(arguments)).end()
}

/// The messages about logins: number, of up to how many.
pub(super) fn logins(outcome: &Outcome) -> Vec<(usize, usize)> {
    let number = |text: &str| text.parse::<usize>().expect("a number");
    outcome
        .stderr
        .lines()
        .filter_map(|line| {
            let text = if line.starts_with('{') {
                let event: serde_json::Value = serde_json::from_str(line).expect("JSON");
                event.as_object()?.values().find_map(|value| value.as_str())?.to_owned()
            } else {
                line.to_owned()
            };
            let rest = text.strip_prefix("login ").or_else(|| text.strip_prefix("logins "))?;
            let (numbers, _) = rest.split_once(':')?;
            let (last, most) = numbers.split_once(" of up to ")?;
            let last = last.rsplit(' ').next()?;
            Some((number(last), number(most)))
        })
        .collect()
}

fn member(outcome: &Outcome, rule: &str, member: &str) -> String {
    rules(outcome)[rule][member].as_str().expect("text").to_owned()
}

#[test]
fn redirect_uris_that_are_taken_after_the_sign_in_are_heard() {
    let server = sign_in_first(grant);
    let asked_for = [
        "redirect-uri.localhost",
        "redirect-uri.other-path",
        "redirect-uri.path-suffix",
        "redirect-uri.path-case",
        "redirect-uri.trailing-slash",
        "redirect-uri.extra-query",
    ];
    let outcome = check(&server, TO_GRANT, &asked_for, &[]).expect_code(9);
    assert_eq!(
        with_verdict(&outcome, &["fail"]),
        asked_for
            .iter()
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .copied()
            .collect::<Vec<_>>(),
        "{outcome:#?}"
    );
    let reason = member(&outcome, "redirect-uri.other-path", "reason");
    assert!(
        reason.starts_with("a code is sent to http://127.0.0.1:") && reason.ends_with("/oauth-check"),
        "{reason}"
    );
    let came = member(&outcome, "redirect-uri.localhost", "came");
    assert!(
        came.starts_with("by the browser http://localhost:") && came.contains("/callback?code=[redacted"),
        "{came}"
    );
    let sent = member(&outcome, "redirect-uri.localhost", "sent");
    assert!(
        sent.starts_with(&format!("by the browser GET {}/authorize?", server.origin())),
        "{sent}"
    );
}

#[test]
fn redirect_uris_that_are_refused_by_a_page_after_the_sign_in_pass() {
    let server = sign_in_first(|request, state| {
        let query = request.query();
        match value_of(&query, "redirect_uri") {
            Some(uri) if uri.starts_with("http://127.0.0.1:") && uri.ends_with("/callback") => grant(request, state),
            _ => html(400, "<h1>Unregistered redirect URI</h1>"),
        }
    });
    let asked_for = ["redirect-uri.other-path", "redirect-uri.trailing-slash"];
    let outcome = check(&server, TO_REFUSE, &asked_for, &[]).expect_code(0);
    assert_eq!(with_verdict(&outcome, &["pass"]), asked_for, "{outcome:#?}");
}

/// Where nobody is there any more, an error page is nothing but a guess.
#[test]
fn nothing_is_found_where_nobody_signs_in_any_more() {
    let mut logins = 0;
    let server = sign_in_first(move |request, state| {
        logins += 1;
        match logins {
            1 => grant(request, state),
            _ => html(200, "<h1>Where are you?</h1>"),
        }
    });
    let outcome = check(&server, TO_REFUSE, &["redirect-uri.other-path", "code.parallel"], &[]);
    assert_eq!(
        with_verdict(&outcome, &["skipped"]).len(),
        rules(&outcome).len(),
        "{outcome:#?}"
    );
    assert_eq!(
        member(&outcome, "redirect-uri.other-path", "reason"),
        "the test login failed: timed out after 3 s waiting for the browser"
    );
}

/// A free port with a free neighbour, which is the other one that is tried.
fn free_port() -> u16 {
    loop {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let other = if port > 50_000 { port - 1 } else { port + 1 };
        if TcpListener::bind(("127.0.0.1", other)).is_ok() {
            return port;
        }
    }
}

#[test]
fn another_port_than_the_registered_one_is_tried_where_the_registered_one_is_fixed() {
    let port = free_port();
    let registered = format!("http://127.0.0.1:{port}/callback");
    for is_exact in [true, false] {
        let own = registered.clone();
        let server = sign_in_first(move |request, state| match value_of(&request.query(), "redirect_uri") {
            Some(uri) if is_exact && uri != own => html(400, "<h1>Unregistered redirect URI</h1>"),
            _ => grant(request, state),
        });
        let timeout = if is_exact { TO_REFUSE } else { TO_GRANT };
        let outcome = check(
            &server,
            timeout,
            &["redirect-uri.loopback-port"],
            &["--redirect-uri", &registered],
        );
        let verdict = member(&outcome, "redirect-uri.loopback-port", "verdict");
        assert_eq!(verdict, if is_exact { "fail" } else { "pass" }, "{outcome:#?}");
        if is_exact {
            let reason = member(&outcome, "redirect-uri.loopback-port", "reason");
            assert!(
                reason.starts_with(&format!("{registered} is accepted, but http://127.0.0.1:")),
                "{reason}"
            );
        }
    }
}

#[test]
fn a_login_that_is_refused_by_a_page_is_judged_and_the_others_go_on() {
    let server = sign_in_first(|request, state| {
        let query = request.query();
        let is_known = value_of(&query, "code_challenge_method") == Some("S256");
        let has_percent = value_of(&query, "state").is_some_and(|state| state.contains('%'));
        match is_known && !has_percent {
            true => grant(request, state),
            false => html(400, "<h1>Bad Request</h1>"),
        }
    });
    let asked_for = [
        "authorize.state-characters",
        "code.parallel",
        "code.single-use",
        "pkce.method-unknown",
        "pkce.wrong-verifier",
        "refresh.works",
    ];
    let outcome = check(&server, TO_REFUSE, &asked_for, &[]).expect_code(9);
    assert_eq!(
        with_verdict(&outcome, &["fail"]),
        ["authorize.state-characters"],
        "{outcome:#?}"
    );
    assert_eq!(
        member(&outcome, "authorize.state-characters", "reason"),
        "it is refused by a page"
    );
    assert_eq!(
        member(&outcome, "authorize.state-characters", "came"),
        "nothing came to the redirect URI within 3s"
    );
    assert_eq!(
        with_verdict(&outcome, &["pass"]),
        [
            "code.parallel",
            "code.single-use",
            "pkce.method-unknown",
            "pkce.wrong-verifier",
            "refresh.works"
        ],
        "{outcome:#?}"
    );
    let logins = logins(&outcome);
    assert!(logins.iter().all(|(number, most)| number <= most), "{logins:?}");
    let (last, most) = logins.last().expect("logins");
    assert_eq!(last, most, "{logins:?}");
}

#[test]
fn a_login_that_fails_for_what_it_took_along_is_made_again_without_it() {
    let server = sign_in_first(|request, state| match value_of(&request.query(), "oauth_check") {
        Some(_) => back(request, "error=invalid_request"),
        None => grant(request, state),
    });
    let asked_for = ["authorize.unknown-parameter", "code.parallel"];
    let outcome = check(&server, TO_GRANT, &asked_for, &[]).expect_code(9);
    assert_eq!(
        with_verdict(&outcome, &["fail"]),
        ["authorize.unknown-parameter"],
        "{outcome:#?}"
    );
    assert_eq!(
        member(&outcome, "authorize.unknown-parameter", "reason"),
        "it is refused: invalid_request"
    );
    assert_eq!(with_verdict(&outcome, &["pass"]), ["code.parallel"], "{outcome:#?}");
}

/// A parameter that is one too many says nothing where none is right.
#[test]
fn what_a_server_refuses_that_refuses_every_login_is_no_finding() {
    let server = sign_in_first(|request, _| back(request, "error=access_denied"));
    let asked_for = ["authorize.unknown-parameter", "authorize.state-long"];
    let outcome = check(&server, TO_GRANT, &asked_for, &[]).expect_code(5);
    assert_eq!(with_verdict(&outcome, &["fail"]), Vec::<String>::new(), "{outcome:#?}");
    assert_eq!(
        member(&outcome, "authorize.unknown-parameter", "reason"),
        "the login ended with access_denied"
    );
}
