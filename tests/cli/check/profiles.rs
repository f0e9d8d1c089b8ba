//! `--for`: the rules of a profile, as binding as it makes them; and `--sarif`.

use super::honest_server::{self, start_with};
use super::{Client, check, lenient_server, rules, with_verdict};
use crate::support::binary::Home;
use crate::support::literal_server::Reply;
use crate::support::outcome::{Outcome, members, run};
use oauth::rules::{Level, Rule, ServerProfile};
use serde_json::Value;
use std::collections::BTreeSet;

fn list(home: &Home, profile: &str) -> Vec<Value> {
    let list = run(home.oauth().args(["check", "--list", "--json", "--for", profile])).expect_code(0);
    list.json().as_array().expect("a list").clone()
}

#[test]
fn the_list_of_a_profile_has_its_rules_with_its_levels() {
    let home = Home::new();
    for profile in ServerProfile::ALL {
        let expected: Vec<(&str, &str)> = Rule::ALL
            .iter()
            .filter_map(|rule| Some((rule.id(), rule.level_in(*profile)?.as_str())))
            .collect();
        let listed = list(&home, profile.as_str());
        let found: Vec<(&str, &str)> = listed
            .iter()
            .map(|rule| {
                (
                    rule["id"].as_str().expect("an id"),
                    rule["level"].as_str().expect("a level"),
                )
            })
            .collect();
        assert_eq!(found, expected, "{profile}");
        for rule in &listed {
            let profiles = rule["profiles"].as_array().expect("profiles");
            assert!(profiles.contains(&Value::from(profile.as_str())), "{rule}");
        }
    }
    let text = run(home.oauth().args(["check", "--list", "--for", "fapi2"])).expect_code(0);
    let line = text.stdout.lines().find(|line| line.starts_with("pkce.plain "));
    assert!(line.is_some_and(|line| line.contains(" MUST ")), "{text:?}");
}

/// FAPI 2.0 §5.4.1 has PS256, ES256 and EdDSA.
#[test]
fn fapi2_does_not_demand_rs256() {
    let home = Home::new();
    let has = |profile: &str| {
        let list = list(&home, profile);
        list.iter().any(|rule| rule["id"] == "metadata.id-token-algorithms")
    };
    assert_eq!([has("fapi2"), has("oidc")], [false, true]);
}

#[test]
fn what_a_profile_raises_is_a_finding_there_and_a_warning_elsewhere() {
    let home = Home::new();
    let server = lenient_server(&home, &["--approve", "auto", "--break", "authorize.implicit"]);
    let with = |arguments: &[&str]| {
        run(check(&home, &server.issuer(), Client::Public)
            .arg("--json")
            .args(arguments))
    };
    let only = ["--rule", "authorize.implicit", "--rule", "pkce.wrong-verifier"];

    let plain = with(&only).expect_code(0);
    assert_eq!(with_verdict(&plain, &["warning"]), ["authorize.implicit"]);

    let raised = with(&[&only[..], &["--for", "oauth2.1"]].concat()).expect_code(9);
    assert_eq!(with_verdict(&raised, &["fail"]), ["authorize.implicit"]);
    assert_eq!(rules(&raised)["authorize.implicit"]["level"], "MUST");
    assert_eq!(raised.json()["findings"][0]["level"], "MUST");
}

#[test]
fn rules_of_other_profiles_are_not_asked_for() {
    let home = Home::new();
    let server = lenient_server(&home, &["--approve", "auto", "--break", "id-token.nonce"]);
    let mut command = check(&home, &server.issuer(), Client::Public);
    let outcome = run(command.args(["--json", "--for", "rfc9700"])).expect_code(0);
    let not_asked_for: BTreeSet<String> = rules(&outcome)
        .into_iter()
        .filter(|(_, rule)| rule["reason"] == "not selected")
        .map(|(id, _)| id)
        .collect();
    let expected = Rule::ALL
        .iter()
        .filter(|rule| rule.level_in(ServerProfile::Rfc9700).is_none());
    assert_eq!(not_asked_for, expected.map(|rule| rule.id().to_owned()).collect());
}

#[test]
fn a_rule_that_the_profile_lacks_is_a_usage_error_with_the_list() {
    let home = Home::new();
    let mut command = home.oauth();
    command.args([
        "check",
        "http://127.0.0.1:1",
        "--for",
        "rfc9700",
        "--rule",
        "id-token.nonce",
    ]);
    let outcome = run(&mut command).expect_error(2);
    assert!(
        outcome
            .error()
            .contains("id-token.nonce is not a rule of the profile rfc9700"),
        "{outcome:?}"
    );
    assert!(
        outcome.hints().contains("oauth check --list --for rfc9700"),
        "{outcome:?}"
    );
    let outcome = run(home.oauth().args(["check", "--list", "--for", "oauth3"])).expect_code(2);
    for profile in ["oauth2.1", "rfc9700", "oidc", "fapi2", "mcp"] {
        assert!(outcome.stderr.contains(profile), "{outcome:?}");
    }
}

#[test]
fn a_profile_says_which_of_its_demands_no_rule_tests() {
    let home = Home::new();
    let server = lenient_server(&home, &["--approve", "auto"]);
    let help = run(home.oauth().args(["check", "--help"])).expect_code(0).stdout;
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    let page = home.path().join("report.html");
    let only = ["--rule", "pkce.wrong-verifier"];
    for (profile, untested) in [
        ("oauth2.1", "how APIs check tokens"),
        ("rfc9700", "open redirects"),
        ("oidc", "the implicit and hybrid flows"),
        ("fapi2", "bind tokens"),
        ("mcp", "passes tokens on"),
    ] {
        // a rule that each profile has
        let only = if profile == "oidc" {
            ["--rule", "authorize.state"]
        } else {
            only
        };
        let mut command = check(&home, &server.issuer(), Client::Public);
        command.args(only).args(["--for", profile]);
        let outcome = run(command.arg("--html").arg(&page)).expect_code(0);
        let begin = format!("no rule of {profile} tests ");
        let line = outcome.stdout.lines().find(|line| line.starts_with(&begin));
        let line = line.unwrap_or_else(|| panic!("{outcome:#?}"));
        assert!(line.contains(untested), "{line}");
        let said = line.replacen(&format!("no rule of {profile} tests"), "; no rule tests", 1);
        assert!(help.contains(&said), "{said}: {help}");
        let html = std::fs::read_to_string(&page).expect("the page");
        assert!(html.contains(line), "{html}");
    }
    let mut command = check(&home, &server.issuer(), Client::Public);
    let outcome = run(command.args(only)).expect_code(0);
    assert!(!outcome.stdout.contains("no rule of"), "{outcome:#?}");
}

fn sarif(home: &Home, arguments: &[&str], issuer: &str, code: i32) -> (Value, Outcome) {
    let file = home.path().join("report.sarif");
    let mut command = check(home, issuer, Client::Public);
    let outcome = run(command.args(arguments).arg("--json").arg("--sarif").arg(&file)).expect_code(code);
    let text = std::fs::read_to_string(&file).expect("the report");
    (serde_json::from_str(&text).expect("JSON"), outcome)
}

/// The shape that SARIF 2.1.0 (§3.13 to §3.58) wants of the members that are used.
fn assert_shape(log: &Value) {
    assert_eq!(members(log), ["$schema", "runs", "version"]);
    assert_eq!(log["version"], "2.1.0");
    assert!(
        log["$schema"]
            .as_str()
            .expect("a schema")
            .ends_with("/sarif-schema-2.1.0.json")
    );
    let run = &log["runs"][0];
    assert_eq!(members(run), ["invocations", "results", "tool"]);
    let driver = &run["tool"]["driver"];
    assert_eq!(members(driver), ["name", "rules", "version"]);
    let descriptors = driver["rules"].as_array().expect("rules");
    let ids: BTreeSet<&str> = descriptors
        .iter()
        .map(|rule| rule["id"].as_str().expect("an id"))
        .collect();
    assert_eq!(ids.len(), Rule::ALL.len(), "ids are unique (§3.49.3)");
    for rule in descriptors {
        assert!(rule["shortDescription"]["text"].is_string(), "{rule}");
        let level = rule["defaultConfiguration"]["level"].as_str();
        assert!(matches!(level, Some("error" | "warning")), "{rule}");
        assert!(rule["properties"]["tags"].is_array(), "{rule}");
    }
    for result in run["results"].as_array().expect("results") {
        let index = usize::try_from(result["ruleIndex"].as_u64().expect("an index")).expect("an index");
        assert_eq!(descriptors[index]["id"], result["ruleId"], "{result}");
        assert!(result["message"]["text"].is_string(), "{result}");
        // Another kind than fail would want the level none (§3.27.9).
        assert_eq!(result["kind"], "fail");
        assert!(
            matches!(result["level"].as_str(), Some("error" | "warning")),
            "{result}"
        );
        let uri = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
        assert!(uri.is_string(), "{result}");
    }
    let invocation = &run["invocations"][0];
    assert!(invocation["executionSuccessful"].is_boolean(), "{invocation}");
    for notification in invocation["toolExecutionNotifications"].as_array().expect("a list") {
        assert!(notification["message"]["text"].is_string(), "{notification}");
        assert!(
            matches!(notification["level"].as_str(), Some("note" | "error")),
            "{notification}"
        );
    }
}

#[test]
fn the_sarif_report_has_what_is_broken_with_its_evidence_and_no_secret() {
    let home = Home::new();
    let broken = ["--break", "pkce.plain", "--break", "pkce.wrong-verifier"];
    let server = lenient_server(&home, &[&["--approve", "auto"][..], &broken].concat());
    let (log, outcome) = sarif(&home, &[], &server.issuer(), 9);
    assert_shape(&log);
    let results = log["runs"][0]["results"].as_array().expect("results");
    let found: Vec<(&str, &str)> = results
        .iter()
        .map(|result| {
            (
                result["ruleId"].as_str().expect("a rule"),
                result["level"].as_str().expect("a level"),
            )
        })
        .collect();
    assert_eq!(found, [("pkce.plain", "warning"), ("pkce.wrong-verifier", "error")]);
    let wrong_verifier = &results[1];
    let message = wrong_verifier["message"]["text"].as_str().expect("a message");
    assert_eq!(
        message,
        "MUST a wrong verifier gets no token (RFC 7636 §4.6), but: it gets a token"
    );
    let sent = wrong_verifier["properties"]["sent"].as_str().expect("what was sent");
    assert!(sent.contains("code_verifier=[redacted"), "{sent}");
    let location = &wrong_verifier["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert_eq!(*location, Value::from(server.issuer()));
    assert_eq!(log["runs"][0]["invocations"][0]["executionSuccessful"], true);
    assert_eq!(with_verdict(&outcome, &["fail"]), ["pkce.wrong-verifier"]);
}

#[test]
fn an_examination_that_ends_early_is_no_success_in_the_sarif_report() {
    let home = Home::new();
    let server = lenient_server(&home, &["--approve", "auto", "--require", "dpop"]);
    let (log, _) = sarif(&home, &[], &server.issuer(), 5);
    assert_shape(&log);
    let invocation = &log["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    let first = &invocation["toolExecutionNotifications"][0];
    assert_eq!(first["level"], "error");
    assert!(
        first["message"]["text"].as_str().expect("text").contains("DPoP"),
        "{first}"
    );
}

#[test]
fn the_levels_of_the_profile_are_those_of_the_sarif_report() {
    let home = Home::new();
    let server = lenient_server(&home, &["--approve", "auto", "--break", "authorize.implicit"]);
    let (log, _) = sarif(&home, &["--for", "oauth2.1"], &server.issuer(), 9);
    let index = Rule::ALL.iter().position(|rule| *rule == Rule::AuthorizeImplicit);
    let descriptor = &log["runs"][0]["tool"]["driver"]["rules"][index.expect("the rule")];
    assert_eq!(descriptor["defaultConfiguration"]["level"], "error");
    assert_eq!(Rule::AuthorizeImplicit.level(), Level::Should);
    assert_eq!(log["runs"][0]["results"][0]["level"], "error");
}

#[test]
fn another_file_is_not_overwritten_by_the_sarif_report() {
    let home = Home::new();
    let file = home.path().join("notes.sarif");
    std::fs::write(&file, "my notes").expect("writing");
    let mut command = home.oauth();
    command
        .args(["check", "http://127.0.0.1:9", "--client-id", "x", "--sarif"])
        .arg(&file);
    run(&mut command).expect_error(2);
    assert_eq!(std::fs::read_to_string(&file).expect("the file"), "my notes");
}

/// What a sign-in page with this policy is judged.
fn form_action(headers: &[&str], page: &str) -> (String, String) {
    let (server, _) = start_with("");
    let reply = Reply::http(200, &[&["Content-Type: text/html"][..], headers].concat(), page);
    server.on("GET", "/authorize", reply);
    let outcome = honest_server::check(
        &server,
        &["authorize.form-action"],
        &["--no-browser", "--timeout", "1s"],
    );
    let rule = rules(&outcome)["authorize.form-action"].clone();
    let text = |member: &str| rule[member].as_str().expect("text").to_owned();
    (text("verdict"), text("reason"))
}

#[test]
fn the_policy_of_a_sign_in_page_must_let_the_redirect_to_the_client_through() {
    const FORM: &str = "<form method=post><input name=password></form>";
    let (verdict, reason) = form_action(&["Content-Security-Policy: form-action 'self'"], FORM);
    assert_eq!(verdict, "warning");
    assert!(
        reason.starts_with("form-action of the page is \"'self'\", which does not let http://127.0.0.1:"),
        "{reason}"
    );
    for (headers, page) in [
        (&["Content-Security-Policy: default-src 'self'"][..], FORM.to_owned()),
        (
            &["Content-Security-Policy: form-action 'self' http://127.0.0.1:*"],
            FORM.to_owned(),
        ),
        (&[], FORM.to_owned()),
    ] {
        assert_eq!(form_action(headers, &page).0, "pass", "{headers:?}");
    }
    let in_meta = format!("<meta http-equiv=Content-Security-Policy content=\"form-action 'none'\">{FORM}");
    assert_eq!(form_action(&[], &in_meta).0, "warning");
    let second = [
        "Content-Security-Policy: img-src *",
        "Content-Security-Policy: form-action https:",
    ];
    assert_eq!(form_action(&second, FORM).0, "warning");
    assert_eq!(
        form_action(&["Content-Security-Policy: form-action 'self'"], "<p>no form</p>").0,
        "skipped"
    );
}
