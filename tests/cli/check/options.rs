//! `--list`, `--rule`, `--skip`, and what cannot be asked for.

use super::{Client, check, lenient_server, rules, with_verdict};
use crate::support::binary::Home;
use crate::support::outcome::{members, run};
use oauth::rules::Rule;

#[test]
fn the_list_has_every_rule_and_asks_no_server() {
    let home = Home::new();
    let outcome = run(home.oauth().args(["check", "--list"])).expect_code(0);
    let ids: Vec<&str> = outcome
        .stdout
        .lines()
        .map(|line| line.split(' ').next().expect("an id"))
        .collect();
    let all: Vec<&str> = Rule::ALL.iter().map(|rule| rule.id()).collect();
    assert_eq!(ids, all);
    let line = outcome
        .stdout
        .lines()
        .find(|line| line.starts_with("pkce.wrong-verifier"))
        .expect("the rule");
    assert!(
        line.contains("MUST") && line.contains("RFC 7636 §4.6: a wrong verifier gets no token"),
        "{line}"
    );
    assert_eq!(outcome.stderr, "");

    let list = run(home.oauth().args(["check", "--list", "--json"]))
        .expect_code(0)
        .json();
    let list = list.as_array().expect("a list");
    assert_eq!(list.len(), Rule::ALL.len());
    assert_eq!(
        members(&list[0]),
        ["id", "level", "profiles", "rfc", "section", "statement"]
    );
}

/// Else a job in CI is green that tests nothing.
#[test]
fn a_choice_of_rules_that_leaves_none_is_refused_and_one_that_is_skipped_is_said() {
    let home = Home::new();
    let server = lenient_server(&home, &["--approve", "auto"]);
    for choice in [
        &["--rule", "pkce.plain", "--skip", "pkce"][..],
        &["--rule", "pkce", "--skip", "pkce"],
    ] {
        let outcome = run(check(&home, &server.issuer(), Client::Public).args(choice)).expect_error(2);
        assert!(outcome.error().contains("no rule is left to test"), "{outcome:#?}");
    }
    assert!(!server.log().contains("GET /authorize"), "{}", server.log());
    let of_apis = ["--rule", "resource.token", "--rule", "challenge.status"];
    let warning = "warning: no rule was tested: each that --rule names was skipped";
    let outcome = run(check(&home, &server.issuer(), Client::Public).args(of_apis)).expect_code(0);
    assert!(outcome.stderr.contains(warning), "{outcome:#?}");
    let with_one_more = [&of_apis[..], &["--rule", "pkce.plain"]].concat();
    let outcome = run(check(&home, &server.issuer(), Client::Public).args(with_one_more)).expect_code(0);
    assert!(!outcome.stderr.contains("no rule was tested"), "{outcome:#?}");
}

#[test]
fn a_secret_never_stands_in_a_url() {
    let home = Home::new();
    let server = lenient_server(&home, &["--approve", "auto"]);
    let in_urls = ["token.get", "token.query", "revocation.post-only"];
    let rules_of = |method: &str| {
        let mut command = check(&home, &server.issuer(), Client::Confidential);
        command.args(["--json", "--client-auth", method]);
        command.args(in_urls.iter().flat_map(|rule| ["--rule", rule]));
        rules(&run(&mut command).expect_code(0))
    };
    let (by_basic, by_body) = (rules_of("client_secret_basic"), rules_of("client_secret_post"));
    for rule in in_urls {
        assert_eq!(by_basic[rule]["verdict"], "pass", "{}", by_basic[rule]);
        let reason = by_body[rule]["reason"].as_str().expect("a reason");
        assert!(
            reason.contains("--client-auth client_secret_basic"),
            "{}",
            by_body[rule]
        );
    }
}

#[test]
fn rules_are_chosen_and_left_out() {
    let home = Home::new();
    let server = lenient_server(
        &home,
        &["--approve", "auto", "--break", "pkce.plain", "--break", "code.unknown"],
    );
    let mut command = check(&home, &server.issuer(), Client::Public);
    let outcome = run(command.args(["--json", "--rule", "code.unknown", "--rule", "pkce.plain"])).expect_code(9);
    assert_eq!(with_verdict(&outcome, &["fail"]), ["code.unknown"]);
    assert_eq!(with_verdict(&outcome, &["warning"]), ["pkce.plain"]);
    assert_eq!(with_verdict(&outcome, &["pass"]), Vec::<String>::new());
    assert_eq!(rules(&outcome)["code.parallel"]["reason"], "not selected");
    assert!(!server.log().contains("POST /introspect"), "nothing else is sent");

    let mut command = check(&home, &server.issuer(), Client::Public);
    let outcome = run(command.args(["--json", "--skip", "code.unknown"])).expect_code(0);
    assert_eq!(rules(&outcome)["code.unknown"]["verdict"], "skipped");
    assert_eq!(with_verdict(&outcome, &["warning"]), ["pkce.plain"]);
}

#[test]
fn a_group_is_chosen_and_left_out_by_its_name() {
    let home = Home::new();
    let server = lenient_server(&home, &["--approve", "auto", "--break", "pkce.plain"]);
    let of_group = |group: &str| -> Vec<String> {
        let group = Rule::ALL.iter().filter(|rule| rule.group() == group);
        group.map(|rule| rule.id().to_owned()).collect()
    };
    let with = |arguments: &[&str]| {
        let mut command = check(&home, &server.issuer(), Client::Public);
        let outcome = run(command.arg("--json").args(arguments)).expect_code(0);
        let mut tested: Vec<String> = rules(&outcome)
            .into_iter()
            .filter(|(_, rule)| rule["reason"] != "not selected")
            .map(|(id, _)| id)
            .collect();
        let place = |id: &String| Rule::ALL.iter().position(|rule| rule.id() == id);
        tested.sort_by_key(place);
        tested
    };
    assert_eq!(with(&["--rule", "pkce"]), of_group("pkce"));
    let mut without_plain = of_group("pkce");
    without_plain.retain(|id| id != "pkce.plain");
    assert_eq!(with(&["--rule", "pkce", "--skip", "pkce.plain"]), without_plain);
    let mut with_one_more = of_group("pkce");
    with_one_more.push("code.single-use".to_owned());
    assert_eq!(with(&["--rule", "code.single-use", "--rule", "pkce"]), with_one_more);
    let left = with(&["--rule", "pkce", "--rule", "code.single-use", "--skip", "pkce"]);
    assert_eq!(left, ["code.single-use"]);
    // of a group, the rules that the profile has
    let left = with(&["--rule", "metadata", "--for", "rfc9700"]);
    assert!(left.len() > 2 && left.len() < of_group("metadata").len(), "{left:?}");
    let mut command = home.oauth();
    let outcome = run(command.args(["check", "http://127.0.0.1:1", "--rule", "id-token", "--for", "rfc9700"]));
    let error = outcome.expect_error(2).error();
    assert!(
        error.contains("the profile rfc9700 has no rule of the group id-token"),
        "{error}"
    );
}

#[test]
fn a_name_that_neither_a_rule_nor_a_group_has_is_a_usage_error_with_the_nearest() {
    let home = Home::new();
    for flag in ["--rule", "--skip", "--explain"] {
        for (name, said) in [
            (
                "pkce.requred",
                "there is no rule and no group `pkce.requred`; did you mean `pkce.required`?",
            ),
            ("pkec", "there is no rule and no group `pkec`; did you mean `pkce`?"),
            (
                "zebra",
                "there is no rule and no group `zebra`; to see them: oauth check --list",
            ),
        ] {
            let outcome = run(home.oauth().args(["check", "http://127.0.0.1:1", flag, name])).expect_code(2);
            assert!(outcome.stderr.contains(said), "{outcome:#?}");
        }
    }
}

#[test]
fn the_help_begins_with_the_choice_of_rules_and_says_that_nothing_is_saved() {
    let home = Home::new();
    for arguments in [&["check", "--help"][..], &["help", "check"], &["check", "-h"]] {
        let help = run(home.oauth().args(arguments)).expect_code(0).stdout;
        let place = |heading: &str| help.find(&format!("\n{heading}:\n")).expect("a heading");
        assert!(
            place("Rules") < place("Server") && place("Server") < place("Client"),
            "{help}"
        );
        let words: Vec<&str> = help.split_whitespace().collect();
        let text = words.join(" ");
        assert!(text.contains("hold for this check and are not saved"), "{help}");
        assert!(!text.contains("options given here are saved to it"), "{help}");
    }
    let login = run(home.oauth().args(["login", "--help"])).expect_code(0).stdout;
    let words: Vec<&str> = login.split_whitespace().collect();
    assert!(
        words.join(" ").contains("options given here are saved to it"),
        "{login}"
    );
}

#[test]
fn an_examination_makes_whole_logins() {
    let home = Home::new();
    for flag in [
        &["--refresh-token-stdin"][..],
        &["--stop-before", "exchange"],
        &["--dpop"],
    ] {
        let mut command = home.oauth();
        command.args(["check", "http://127.0.0.1:1", "--client-id", "x"]);
        let outcome = run(command.args(flag)).expect_error(2);
        assert!(outcome.error().contains(flag[0]), "{outcome:#?}");
    }
}

#[test]
fn a_server_that_is_not_there_is_no_finding() {
    let home = Home::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let issuer = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    run(home.oauth().args(["check", &issuer, "--client-id", "x"])).expect_error(3);
}

/// The demand is not a fault of the server, and no rule is judged by its refusals.
#[test]
fn a_server_that_gives_bound_tokens_only_ends_the_examination_and_breaks_no_rule() {
    let home = Home::new();
    let server = lenient_server(&home, &["--approve", "auto", "--require", "dpop"]);
    let outcome = run(check(&home, &server.issuer(), Client::Public).arg("--json")).expect_code(5);
    assert_eq!(with_verdict(&outcome, &["fail", "warning"]), Vec::<String>::new());
    let rules = rules(&outcome);
    let reason = rules["code.single-use"]["reason"].as_str().expect("a reason");
    assert!(reason.contains("DPoP"), "{reason}");
}
