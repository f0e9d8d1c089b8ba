//! `oauth serve --break`: the list, the refusal of unknown names, how loud it
//! is, and what only sockets show. That every rule is broken and no other is
//! shown by the tests of the server itself.

use crate::support::binary::Home;
use crate::support::development_server::{DevelopmentServer, parameter, redemption};
use crate::support::outcome::{Outcome, run};
use serde_json::Value;
use std::sync::Barrier;

/// A run that ends without serving.
fn serve(arguments: &[&str]) -> Outcome {
    let home = Home::new();
    run(home.oauth().args(["serve", "--port", "0"]).args(arguments))
}

#[test]
fn the_list_has_a_line_for_each_rule_with_level_place_and_statement() {
    let outcome = serve(&["--break", "list"]).expect_code(0);
    assert_eq!(outcome.stderr, "");
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert_eq!(lines.len(), oauth::rules::Rule::ALL.len());
    let line = lines.iter().find(|line| line.starts_with("code.single-use "));
    let words: Vec<&str> = line.expect("the rule").split_whitespace().collect();
    assert_eq!(
        words.join(" "),
        "code.single-use MUST RFC 6749 §4.1.2: a code works once"
    );
}

#[test]
fn the_list_is_one_object_with_json() {
    let outcome = serve(&["--json", "--break", "pkce.required", "--break", "list"]).expect_code(0);
    let rules = outcome.json()["rules"].as_array().expect("rules").clone();
    assert_eq!(rules.len(), oauth::rules::Rule::ALL.len());
    assert_eq!(
        rules[0],
        serde_json::json!({
            "id": "metadata.issuer",
            "level": "MUST",
            "document": "RFC 8414",
            "section": "3.3",
            "statement": "issuer in the metadata is identical to the issuer used for discovery",
        })
    );
}

#[test]
fn an_unknown_rule_is_exit_2_with_the_nearest_one() {
    let outcome = serve(&["--break", "code.singel-use"])
        .expect_error(2)
        .says(&["code.singel-use"]);
    assert!(
        outcome.error().contains("did you mean `code.single-use`?"),
        "{outcome:?}"
    );
    assert!(outcome.hints().contains("oauth serve --break list"), "{outcome:?}");
}

#[test]
fn each_broken_rule_is_warned_of_at_the_start_and_named_when_it_takes_effect() {
    let arguments = [
        "--break",
        "token.no-store",
        "--break",
        "code.single-use",
        "--approve",
        "auto",
    ];
    let server = DevelopmentServer::start(&arguments);
    server.wait_for_log(&["warning:", "on purpose", "token.no-store", "RFC 6749 §5.1", "MUST"]);
    server.wait_for_log(&["warning:", "on purpose", "code.single-use", "a code works once"]);
    let code = server.code("");
    let first = server.redeem(&code);
    assert_eq!((first.status, first.header("cache-control")), (200, None));
    server.wait_for_log(&["POST /token 200 [broken on purpose: token.no-store]"]);
    assert_eq!(server.redeem(&code).status, 200);
    server.wait_for_log(&["POST /token 200 [broken on purpose: code.single-use, token.no-store]"]);
}

#[test]
fn it_warns_even_when_it_is_quiet() {
    let server = DevelopmentServer::start(&["--quiet", "--break", "token.no-store"]);
    server.wait_for_log(&["warning:", "token.no-store"]);
}

#[test]
fn with_json_the_start_names_what_is_broken() {
    let server = DevelopmentServer::start(&["--json", "--break", "pkce.plain"]);
    let object: Value = serde_json::from_str(&server.announcement).expect("JSON");
    assert_eq!(object["broken"][0]["id"], "pkce.plain");
    assert_eq!(object["broken"][0]["level"], "SHOULD");
    server.wait_for_log(&["{\"warning\":\"", "pkce.plain"]);
    let honest = DevelopmentServer::start(&["--json"]);
    let object: Value = serde_json::from_str(&honest.announcement).expect("JSON");
    assert!(object.get("broken").is_none(), "{object}");
}

/// How many of several token requests at the same moment bring tokens.
fn successes(server: &DevelopmentServer, form: &str) -> usize {
    let barrier = Barrier::new(4);
    std::thread::scope(|scope| {
        let send = || {
            barrier.wait();
            server.post("/token", &[], form).status
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(send)).collect();
        let statuses = threads.into_iter().map(|thread| thread.join().expect("an answer"));
        statuses.filter(|status| *status == 200).count()
    })
}

#[test]
fn what_several_bring_at_the_same_moment_works_for_all_and_later_for_nobody() {
    let arguments = [
        "--break",
        "code.parallel",
        "--break",
        "refresh.parallel",
        "--approve",
        "auto",
    ];
    let server = DevelopmentServer::start(&arguments);
    let form = redemption(&server.code(""));
    assert_eq!(successes(&server, &form), 4);
    assert_eq!(server.post("/token", &[], &form).status, 400);

    let refresh_token = server.tokens("")["refresh_token"].as_str().expect("one").to_owned();
    let form = format!("grant_type=refresh_token&client_id=oauth-cli&refresh_token={refresh_token}");
    assert_eq!(successes(&server, &form), 4);
    assert_eq!(server.post("/token", &[], &form).status, 400);
}

/// What a header cannot carry is left out; the browser is sent there all the same.
#[test]
fn a_redirect_uri_with_line_breaks_makes_no_header_of_its_own() {
    let server = DevelopmentServer::start(&["--break", "redirect-uri.control-characters", "--approve", "auto"]);
    let answer = server.get(
        "/authorize?response_type=code&client_id=oauth-cli&state=x&code_challenge_method=S256\
         &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM\
         &redirect_uri=http%3A%2F%2F127.0.0.1%2Fcallback%0D%0AX-Injected%3A%20yes",
        &[],
    );
    let location = answer.header("location").expect("a redirect").to_owned();
    assert!(
        location.starts_with("http://127.0.0.1/callbackX-Injected: yes?code="),
        "{location}"
    );
    assert!(answer.header("x-injected").is_none());
}

/// The person at the browser sees nothing of it: the answer goes elsewhere.
#[test]
fn after_consent_the_browser_goes_where_the_broken_rule_lets_it() {
    let server = DevelopmentServer::start(&["--break", "redirect-uri.other-host"]);
    let target = "/authorize?response_type=code&client_id=oauth-cli&state=x&code_challenge_method=S256\
         &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM\
         &redirect_uri=http%3A%2F%2Fattacker.example%2Fcallback";
    let start = server.get(target, &[]);
    let cookie_of = |answer: &crate::support::callback::Answer| {
        let header = answer.header("set-cookie").expect("a cookie");
        format!("Cookie: {}", header.split(';').next().expect("its value"))
    };
    let location_of =
        |answer: &crate::support::callback::Answer| answer.header("location").expect("a redirect").to_owned();
    let csrf_of = |page: &str| {
        let (_, rest) = page.split_once("name=\"csrf\" value=\"").expect("a form token");
        rest.split('"').next().expect("its value").to_owned()
    };
    let (sign_in, cookie) = (location_of(&start), cookie_of(&start));
    let page = server.get(&sign_in, &[&cookie]).body_text();
    let form = format!("csrf={}&username=demo&password=demo", csrf_of(&page));
    let require_session = server.post(&sign_in, &[&cookie], &form);
    let (consent, cookie) = (location_of(&require_session), cookie_of(&require_session));
    let page = server.get(&consent, &[&cookie]);
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(
        policy.contains("frame-ancestors 'none'") && !policy.contains("form-action"),
        "{policy}"
    );
    let page = page.body_text();
    let form = format!("csrf={}&decision=allow", csrf_of(&page));
    let location = location_of(&server.post(&consent, &[&cookie], &form));
    assert!(
        location.starts_with("http://attacker.example/callback?code="),
        "{location}"
    );
    assert!(parameter(&location, "code").is_some());
}
