//! `oauth check` with the URL of an API: what it and its authorization server
//! say of each other, registration, client-ID documents. For every rule a
//! server that breaks it, and of that server exactly this is said.

use super::{examine_each, is_of_apis, rules, with_verdict};
use crate::support::binary::Home;
use crate::support::development_server::DevelopmentServer;
use crate::support::outcome::{Outcome, run};
use oauth::rules::{Level, Rule};
use std::collections::BTreeSet;
use std::process::Command;

/// Rules that cannot be broken alone, with those that are broken with them.
const FOLLOWING: &[(Rule, &[Rule])] = &[
    // A resource with a fragment is never the URL of the API.
    (Rule::ResourceUrl, &[Rule::ResourceIdentity]),
];

fn server(more: &[&str]) -> DevelopmentServer {
    let mut all = vec!["--approve", "auto", "--client-id-documents", "loopback"];
    all.extend(more);
    DevelopmentServer::start(&all)
}

fn check(home: &Home, server: &DevelopmentServer, more: &[&str]) -> Command {
    let mut command = home.oauth();
    let api = format!("{}/mcp", server.issuer());
    command.args([
        "check",
        &api,
        "--client-id",
        "oauth-cli",
        "--scope",
        "openid hello",
        "--json",
    ]);
    command.args(more);
    command
}

fn api_rules() -> Vec<Rule> {
    let rules = Rule::ALL.iter().copied();
    rules.filter(|rule| is_of_apis(rule.id())).collect()
}

/// The same with the rules about APIs alone.
fn check_api_rules(home: &Home, server: &DevelopmentServer) -> Outcome {
    let rules = api_rules();
    let mut named = vec!["--for", "mcp"];
    named.extend(rules.iter().flat_map(|rule| ["--rule", rule.id()]));
    run(&mut check(home, server, &named))
}

#[test]
fn an_api_and_its_server_that_keep_every_rule_pass() {
    let home = Home::new();
    let server = server(&[]);
    let outcome = run(&mut check(&home, &server, &["--for", "mcp"])).expect_code(0);
    assert_eq!(with_verdict(&outcome, &["fail", "warning"]), Vec::<String>::new());
    let skipped: Vec<String> = with_verdict(&outcome, &["skipped"])
        .into_iter()
        .filter(|id| is_of_apis(id))
        .collect();
    assert_eq!(skipped, Vec::<String>::new());
    for part in ["registers clients", "deletes them at the end", "the URL is an API's"] {
        assert!(outcome.stderr.contains(part), "{}", outcome.stderr);
    }
    assert!(!outcome.stderr.contains("still registered"), "{}", outcome.stderr);
    server.wait_for_log(&["DELETE /register 204"]);
}

#[test]
fn an_api_that_has_nothing_at_its_url_is_not_judged_by_what_it_answers_there() {
    let (home, server) = (Home::new(), server(&[]));
    let api = format!("{}/api", server.issuer());
    let arguments = ["check", &api, "--client-id", "oauth-cli", "--scope", "openid hello"];
    let named = api_rules().into_iter().flat_map(|rule| ["--rule", rule.id()]);
    let outcome = run(home
        .oauth()
        .args(arguments)
        .args(["--json", "--no-register"])
        .args(named));
    let outcome = outcome.expect_code(0);
    assert_eq!(with_verdict(&outcome, &["fail", "warning"]), Vec::<String>::new());
    let skipped = with_verdict(&outcome, &["skipped"]);
    for rule in [
        "challenge.status",
        "challenge.invalid-token",
        "resource.token",
        "resource.audience",
    ] {
        assert!(skipped.iter().any(|id| id == rule), "{rule}: {skipped:?}");
    }
    let reason = format!("GET {api} is answered with 404: give a URL of the API that answers to GET");
    assert!(outcome.stdout.contains(&reason), "{outcome:#?}");
}

/// Each URL that the server prints or answers at, with the scope of its token or of none.
#[test]
fn every_url_of_a_server_that_keeps_every_rule_passes() {
    let (home, server) = (Home::new(), server(&[]));
    for path in ["", "/mcp", "/api", "/api/hello", "/api/notes"] {
        for scope in [&[][..], &["--scope", "openid"]] {
            let url = format!("{}{path}", server.issuer());
            let mut command = home.oauth();
            command.args(["check", &url, "--register", "--json"]).args(scope);
            let outcome = run(&mut command).expect_code(0);
            assert_eq!(
                with_verdict(&outcome, &["fail", "warning"]),
                [""; 0],
                "{path} {scope:?}"
            );
            let reason = |rule: &str| rules(&outcome)[rule]["reason"].clone();
            if path == "/mcp" && !scope.is_empty() {
                assert_eq!(
                    reason("resource.token"),
                    "the access token lacks scope: add --scope hello"
                );
            }
            if path.starts_with("/api/") {
                let api = format!("{}/api", server.issuer());
                assert_eq!(
                    reason("resource.identity"),
                    format!("the URL is a part of the API {api}: oauth check {api}")
                );
            }
        }
    }
}

#[test]
fn no_client_is_registered_unasked() {
    let home = Home::new();
    let server = server(&[]);
    let outcome = run(&mut check(
        &home,
        &server,
        &["--rule", "challenge.status", "--rule", "registration.native"],
    ));
    assert_eq!(rules(&outcome)["challenge.status"]["verdict"], "pass");
    let registration = &rules(&outcome)["registration.native"];
    assert_eq!(registration["verdict"], "skipped");
    assert!(
        registration["reason"]
            .as_str()
            .expect("a reason")
            .contains("--register")
    );
    assert!(!server.log().contains("/register"));
}

#[test]
fn with_register_the_registration_of_an_issuer_is_examined_and_every_client_deleted() {
    let (home, server) = (Home::new(), server(&["--break", "registration.script"]));
    let registration: Vec<Rule> = api_rules()
        .into_iter()
        .filter(|rule| rule.id().starts_with("registration."))
        .collect();
    let check = |more: &[&str]| {
        let mut command = home.oauth();
        command.args(["check", &server.issuer(), "--json", "--scope", "openid hello"]);
        run(command
            .args(more)
            .args(registration.iter().flat_map(|rule| ["--rule", rule.id()])))
    };
    let outcome = check(&["--client-id", "oauth-cli", "--register"]).expect_code(9);
    assert_eq!(with_verdict(&outcome, &["fail"]), ["registration.script"]);
    assert_eq!(
        with_verdict(&outcome, &["pass"]).len(),
        registration.len() - 1,
        "{outcome:#?}"
    );
    let (said, examined) = (
        "this check registers clients at the server, and deletes them at the end",
        "POST /register",
    );
    assert!(outcome.stderr.contains(said), "{}", outcome.stderr);
    let log = server.whole_log();
    let count = |what: &str| log.lines().filter(|line| line.contains(what)).count();
    assert!(count(examined) >= 3, "{log}");
    assert_eq!(count("POST /register 201"), count("DELETE /register 204"), "{log}");

    // `--no-register` is stronger than a profile of rules, and a client is needed then
    let outcome = check(&["--client-id", "oauth-cli", "--no-register", "--for", "mcp"]).expect_code(0);
    assert_eq!(with_verdict(&outcome, &["pass", "fail"]), Vec::<String>::new());
    let without_client = check(&["--no-register", "--for", "mcp"]).expect_code(2);
    assert!(without_client.stderr.contains("--client-id"), "{without_client:?}");
    assert_eq!(
        server.log().lines().filter(|line| line.contains(examined)).count(),
        count(examined)
    );
}

/// It is refused for what it did not register, whatever the server grants others.
#[test]
fn a_grant_that_the_own_client_did_not_register_is_not_judged() {
    let (home, server) = (Home::new(), server(&["--break", "token.client-credentials"]));
    let named = [
        "token.client-credentials",
        "device.approval",
        "exchange.unknown-token",
        "id-jag.token-type",
    ];
    let check = |more: &[&str]| {
        let mut command = home.oauth();
        command.args(["check", &server.issuer(), "--json", "--scope", "openid"]);
        run(command.args(more).args(named.iter().flat_map(|rule| ["--rule", rule])))
    };
    let outcome = check(&["--register"]).expect_code(0);
    let grants = [
        "client_credentials",
        "the device grant",
        "token exchange",
        "token exchange",
    ];
    for (rule, grant) in named.iter().zip(grants) {
        let reason = format!("the client that the check registered may not use {grant}; name one with --client-id");
        assert_eq!(rules(&outcome)[*rule]["reason"], reason, "{rule}");
        assert_eq!(rules(&outcome)[*rule]["verdict"], "skipped", "{rule}");
    }
    let outcome = check(&["--client-id", "oauth-cli"]).expect_code(9);
    assert_eq!(with_verdict(&outcome, &["fail"]), ["token.client-credentials"]);
}

#[test]
fn a_server_that_refuses_the_own_client_breaks_the_rule_about_it() {
    let (home, server) = (Home::new(), server(&["--break", "registration.native"]));
    let check = |more: &[&str]| {
        let mut command = home.oauth();
        command.args(["check", &server.issuer(), "--register", "--scope", "openid"]);
        run(command.args(more))
    };
    let outcome = check(&["--json"]).expect_code(9);
    assert_eq!(with_verdict(&outcome, &["fail"]), ["registration.native"]);
    let why = "no client could be registered for the check: status 400 \"invalid_redirect_uri\"";
    assert_eq!(rules(&outcome)["pkce.required"]["reason"], why);
    assert_eq!(rules(&outcome)["metadata.issuer"]["verdict"], "pass");
    let outcome = check(&["--rule", "registration.native"]).expect_code(9);
    assert_eq!(outcome.error(), "1 MUST broken: registration.native", "{outcome:#?}");
    // that rule was not asked for, and nothing else is broken
    let outcome = check(&["--rule", "pkce"]).expect_code(5);
    assert_eq!(outcome.error(), why, "{outcome:#?}");
}

#[test]
fn clients_that_cannot_be_deleted_are_listed() {
    let home = Home::new();
    let named = ["--for", "mcp", "--rule", "registration.native"];
    let server = server(&["--break", "registration.delete"]);
    let outcome = run(&mut check(&home, &server, &named)).expect_code(0);
    assert!(
        outcome.stderr.contains("these clients are still registered"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn rules_about_apis_say_what_they_need_where_an_issuer_is_examined() {
    let home = Home::new();
    let server = server(&[]);
    let mut command = home.oauth();
    command.args([
        "check",
        &server.issuer(),
        "--client-id",
        "oauth-cli",
        "--json",
        "--skip",
        "pkce.required",
    ]);
    let outcome = run(&mut command).expect_code(0);
    for (id, rule) in rules(&outcome).into_iter().filter(|(id, _)| is_of_apis(id)) {
        let needs = match id.split_once('.').expect("a group").0 {
            "resource" | "challenge" => "this needs the URL of an API: oauth check URL",
            "registration" => "this needs --register, which registers clients at the server",
            _ => "this needs the URL of an API, or --register",
        };
        assert_eq!(
            (&rule["verdict"], &rule["reason"]),
            (&"skipped".into(), &needs.into()),
            "{id}"
        );
    }
    assert!(!server.log().contains("/register") && !server.log().contains("/mcp"));
}

#[test]
fn every_rule_about_apis_is_found_on_the_server_that_breaks_it() {
    let rules = api_rules();
    assert!(rules.len() >= 30, "{}", rules.len());
    let wrong = examine_each(&rules, examine_broken_server);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn code(rules: &BTreeSet<Rule>) -> i32 {
    match rules.iter().any(|rule| rule.level() == Level::Must) {
        true => 9,
        false => 0,
    }
}

/// Examines a server that breaks this rule: by all rules about APIs, and by this one alone.
fn examine_broken_server(rule: Rule) -> Result<(), String> {
    let home = Home::new();
    let server = server(&["--break", rule.id()]);
    let following = FOLLOWING.iter().find(|(broken, _)| *broken == rule);
    let mut expected: BTreeSet<Rule> = following
        .map(|(_, rules)| rules.iter().copied().collect())
        .unwrap_or_default();
    expected.insert(rule);
    let whole = check_api_rules(&home, &server);
    let found: BTreeSet<Rule> = with_verdict(&whole, &["fail", "warning"])
        .iter()
        .map(|id| id.parse().expect("a rule"))
        .collect();
    let own = rules(&whole)[rule.id()].clone();
    if found != expected || whole.code != Some(code(&expected)) {
        let found: Vec<&str> = found.iter().map(|rule| rule.id()).collect();
        return Err(format!(
            "{rule}: {found:?} were found, exit {:?}; its own: {own}",
            whole.code
        ));
    }
    let alone = run(&mut check(&home, &server, &["--for", "mcp", "--rule", rule.id()]));
    let verdict = rules(&alone)[rule.id()].clone();
    let word = if rule.level() == Level::Must { "fail" } else { "warning" };
    let expected = BTreeSet::from([rule]);
    if verdict["verdict"] != word || alone.code != Some(code(&expected)) {
        return Err(format!("{rule} alone: {verdict}, exit {:?}", alone.code));
    }
    Ok(())
}
