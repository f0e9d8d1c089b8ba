//! The report as text, as JSON and as JUnit XML.

use super::{Client, SECRET, check, lenient_server, rules};
use crate::support::binary::Home;
use crate::support::development_server::DevelopmentServer;
use crate::support::literal_server::{LiteralServer, json, redirect};
use crate::support::outcome::{members, run};
use oauth::rules::Rule;
#[cfg(unix)]
use std::fs::Permissions;
#[cfg(unix)]
use std::os::unix::fs::{PermissionsExt, symlink};
#[cfg(unix)]
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

/// It breaks a MUST and a SHOULD.
fn broken_server(home: &Home) -> DevelopmentServer {
    let broken = ["--break", "pkce.wrong-verifier", "--break", "token.pragma"];
    lenient_server(home, &[&["--approve", "auto"][..], &broken].concat())
}

/// Each rule's line of a report with all of them has this word.
fn lines_with<'t>(text: &'t str, word: &str) -> Vec<&'t str> {
    let begins = format!("  {word:<7}  ");
    text.lines().filter(|line| line.starts_with(&begins)).collect()
}

#[test]
fn passes_are_counted_and_what_is_broken_stands_at_the_end() {
    let home = Home::new();
    let server = broken_server(&home);
    let outcome = run(&mut check(&home, &server.issuer(), Client::Public)).expect_code(9);
    let text = &outcome.stdout;
    assert!(text.starts_with("RFC 8414"), "{text}");
    assert_eq!(lines_with(text, "pass"), [""; 0], "{text}");
    let count = text.lines().find(|line| line.starts_with("RFC 7636")).expect("counts");
    assert!(count.contains(" passed, 1 failed"), "{count}");
    // each reason once, on a line with how many rules it is about
    assert_eq!(text.matches("add --client-secret-file FILE").count(), 2, "{text}");
    let skipped: Vec<&str> = text.lines().filter(|line| line.starts_with("skipped  ")).collect();
    let reasons: std::collections::BTreeSet<&str> =
        skipped.iter().filter_map(|line| line.splitn(3, "  ").nth(2)).collect();
    assert!(skipped.len() > 3 && reasons.len() == skipped.len(), "{skipped:#?}");
    assert!(skipped.iter().any(|line| line.contains(" rules  ")), "{skipped:#?}");
    assert!(!text.contains("jar.signature"), "{text}");

    let blocks: Vec<&str> = text.trim_end().split("\n\n").collect();
    let [.., warning, failure, summary] = blocks.as_slice() else {
        panic!("{text}")
    };
    assert!(
        warning.starts_with("warning  token.pragma  RFC 6749 §5.1\n         SHOULD responses with tokens"),
        "{text}"
    );
    let lines: Vec<&str> = failure.lines().collect();
    assert_eq!(
        lines[..3],
        [
            "fail     pkce.wrong-verifier  RFC 7636 §4.6",
            "         MUST   a wrong verifier gets no token",
            "         but    it gets a token",
        ]
    );
    assert!(
        lines[3].contains("sent   POST ") && lines[3].contains("code_verifier=[redacted, 43 chars"),
        "{lines:?}"
    );
    assert!(
        lines[4].contains("came   200 application/json with access_token"),
        "{lines:?}"
    );
    assert!(summary.contains(" 1 failed (MUST), 1 warning, "), "{summary}");
    assert_eq!(outcome.error(), "1 MUST broken: pkce.wrong-verifier");
}

#[test]
fn each_request_of_a_sequence_has_a_line_with_its_answer_below_it() {
    let home = Home::new();
    let server = lenient_server(&home, &["--approve", "auto", "--break", "refresh.reuse"]);
    let rule = ["--rule", "refresh.reuse"];
    let text = run(check(&home, &server.issuer(), Client::Public).args(rule))
        .expect_code(9)
        .stdout;
    let labels: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("         "))
        .filter_map(|line| line.split_once("   "))
        .filter(|(label, _)| ["sent", "came"].contains(label))
        .map(|(label, _)| label)
        .collect();
    assert!(labels.len() >= 4, "{text}");
    assert!(labels.chunks(2).all(|pair| pair == ["sent", "came"]), "{text}");
    assert!(!text.contains("; then "), "{text}");
    assert!(
        text.matches("POST ").count() >= 2 && text.lines().all(|line| line.matches("POST ").count() < 2),
        "{text}"
    );
    // programs have one text, as before
    let json = run(check(&home, &server.issuer(), Client::Public).args(rule).arg("--json")).expect_code(9);
    let sent = json.json()["findings"][0]["sent"].to_string();
    assert!(sent.contains("; then "), "{sent}");
}

#[test]
fn all_shows_each_rule_by_its_specification() {
    let home = Home::new();
    let server = lenient_server(&home, &["--approve", "auto", "--break", "pkce.wrong-verifier"]);
    let shown = ["--all", "-v"].map(|flag| {
        let mut command = check(&home, &server.issuer(), Client::Public);
        run(command.arg(flag)).expect_code(9).stdout
    });
    for text in &shown {
        let (passed, skipped) = (lines_with(text, "pass").len(), lines_with(text, "skipped").len());
        assert_eq!(passed + skipped + 1, Rule::ALL.len(), "{text}");
        for needs in [
            "this needs the URL of an API: oauth check URL",
            "this needs --register, which",
        ] {
            assert!(text.contains(needs), "{text}");
        }
        assert_eq!(
            text.lines().next_back(),
            Some(
                format!(
                    "{}: {} rules: {passed} passed, 1 failed (MUST), 0 warnings, {skipped} skipped",
                    server.issuer(),
                    Rule::ALL.len(),
                )
                .as_str()
            )
        );
    }
}

#[test]
fn the_text_has_nothing_that_was_not_asked_for() {
    let home = Home::new();
    let server = lenient_server(&home, &["--approve", "auto"]);
    let mut command = check(&home, &server.issuer(), Client::Public);
    let outcome = run(command.args(["--rule", "pkce.wrong-verifier"])).expect_code(0);
    let expected = format!(
        "RFC 7636  1 passed\n\n{}: 1 rule: 1 passed, 0 failed (MUST), 0 warnings, 0 skipped; {} not selected\n",
        server.issuer(),
        Rule::ALL.len() - 1
    );
    assert_eq!(outcome.stdout, expected);
}

#[test]
fn more_than_ten_broken_rules_are_named_as_far_as_they_fit() {
    let home = Home::new();
    let broken: Vec<&str> = Rule::ALL
        .iter()
        .filter(|rule| rule.group() == "redirect-uri")
        .map(|rule| rule.id())
        .take(12)
        .collect();
    let flags: Vec<&str> = broken.iter().flat_map(|rule| ["--break", *rule]).collect();
    let server = lenient_server(&home, &[&["--approve", "auto"], flags.as_slice()].concat());
    let mut command = check(&home, &server.issuer(), Client::Public);
    let asked: Vec<&str> = broken.iter().flat_map(|rule| ["--rule", *rule]).collect();
    let outcome = run(command.args(asked)).expect_code(9);
    let error = outcome.error();
    assert!(
        error.starts_with("12 MUSTs broken: redirect-uri.other-host, "),
        "{error}"
    );
    assert!(error.ends_with(", and 2 more"), "{error}");
}

#[test]
fn a_rule_is_explained_without_a_server() {
    let home = Home::new();
    let text = run(home.oauth().args(["check", "--explain", "pkce.wrong-verifier"]))
        .expect_code(0)
        .stdout;
    for shown in [
        "MUST a wrong verifier gets no token",
        "https://www.rfc-editor.org/rfc/rfc7636#section-4.6",
        "a stolen code",
        "oauth serve --break pkce.wrong-verifier",
    ] {
        assert!(text.contains(shown), "{shown} in {text}");
    }
    let object = run(home.oauth().args(["check", "--explain", "token.pragma", "--json"]))
        .expect_code(0)
        .json();
    assert_eq!(
        members(&object),
        [
            "id",
            "level",
            "profiles",
            "purpose",
            "rfc",
            "section",
            "statement",
            "url"
        ]
    );
    run(home.oauth().args(["check", "--explain", "pkce.wrong"])).expect_error(2);
}

#[test]
fn the_name_of_a_group_explains_its_rules_and_is_no_rule_itself() {
    let home = Home::new();
    let ids: Vec<&str> = Rule::ALL.iter().map(|rule| rule.id()).collect();
    let in_group: Vec<&str> = ids.iter().copied().filter(|id| id.starts_with("device.")).collect();
    for name in ["device", "device."] {
        let explained = run(home.oauth().args(["check", "--explain", name])).expect_code(0);
        let heads = explained.stdout.lines().filter(|line| ids.contains(line));
        assert_eq!(heads.collect::<Vec<_>>(), in_group);
        assert!(
            explained.stdout.contains("https://www.rfc-editor.org/rfc/rfc8628"),
            "{explained:?}"
        );
        let objects = run(home.oauth().args(["check", "--explain", name, "--json"]))
            .expect_code(0)
            .json();
        let objects = objects.as_array().expect("a list").iter();
        assert_eq!(
            objects
                .map(|object| object["id"].as_str().expect("an id"))
                .collect::<Vec<_>>(),
            in_group
        );
    }
    // a server breaks single rules
    let outcome = run(home.oauth().args(["serve", "--break", "device"])).expect_error(2);
    assert!(in_group.iter().all(|id| outcome.stderr.contains(id)), "{outcome:?}");
}

#[test]
fn the_page_has_what_is_broken_first_with_links_and_reasons() {
    let home = Home::new();
    let server = broken_server(&home);
    let file = home.path().join("report.html");
    let examine = || {
        let mut command = check(&home, &server.issuer(), Client::Public);
        run(command.arg("--html").arg(&file)).expect_code(9)
    };
    examine();
    // an earlier page is replaced
    examine();
    let page = std::fs::read_to_string(&file).expect("the page");
    assert!(
        page.starts_with("<!doctype html>") && page.ends_with("</html>\n"),
        "{page}"
    );
    assert!(!page.contains("<script"), "{page}");
    let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text} in {page}"));
    let command = format!("oauth check {}", server.issuer());
    let order = [
        &command,
        "<b>1</b> broken (MUST)",
        "<article class=\"fail\" id=\"pkce.wrong-verifier\">",
        "href=\"https://www.rfc-editor.org/rfc/rfc7636#section-4.6\"",
        "<strong>it gets a token</strong>",
        "[redacted, 43 chars",
        "a stolen code can be exchanged for a token",
        "<article class=\"warning\" id=\"token.pragma\">",
        "<h2>Skipped</h2>",
        "<h2>Passed</h2>",
    ];
    for pair in order.windows(2) {
        assert!(place(pair[0]) < place(pair[1]), "{pair:?}");
    }

    std::fs::write(&file, "<p>my notes</p>").expect("a file");
    let mut command = check(&home, &server.issuer(), Client::Public);
    let outcome = run(command.args(["--rule", "pkce.plain", "--html"]).arg(&file)).expect_error(2);
    assert!(outcome.error().contains("report.html"), "{outcome:#?}");
}

/// A job shows the file that is there: it must not be that of another run.
#[test]
fn the_report_of_a_check_that_failed_says_why_in_the_place_of_an_earlier_one() {
    let home = Home::new();
    let server = lenient_server(&home, &["--approve", "auto"]);
    let nowhere = "http://127.0.0.1:1";
    for (flag, name, mark) in [
        ("--html", "report.html", "class=\"stop\""),
        (
            "--junit",
            "report.xml",
            "<error message=\"not every rule could be tested: ",
        ),
        ("--sarif", "report.sarif", "\"executionSuccessful\":false"),
    ] {
        let file = home.path().join(name);
        let mut command = check(&home, &server.issuer(), Client::Public);
        run(command.args(["--rule", "pkce.plain", flag]).arg(&file)).expect_code(0);
        let report = std::fs::read_to_string(&file).expect("a report");
        assert!(report.contains("pkce.plain") && !report.contains(mark), "{report}");
        for file in [&file, &home.path().join(format!("absent-{name}"))] {
            let mut command = check(&home, nowhere, Client::Public);
            run(command.arg(flag).arg(file)).expect_error(3);
            let report = std::fs::read_to_string(file).expect("a report");
            for part in [mark, nowhere, "refused the connection"] {
                assert!(report.contains(part), "{part} in {report}");
            }
            assert!(!report.contains(&server.issuer()), "{report}");
        }
        // and after the server was found: it asks to sign in, and nobody is there
        let asking = lenient_server(&home, &[]);
        let mut command = check(&home, &asking.issuer(), Client::Public);
        run(command.env("CI", "true").arg(flag).arg(&file)).expect_code(2);
        let report = std::fs::read_to_string(&file).expect("a report");
        assert!(report.contains(mark) && report.contains("CI is set"), "{report}");
        // what was wrong on this side
        let mut command = home.oauth();
        command.args([
            "check",
            &asking.issuer(),
            "--client-id=x",
            "--client-secret-file=absent",
            flag,
        ]);
        run(command.arg(&file)).expect_error(2);
        let report = std::fs::read_to_string(&file).expect("a report");
        assert!(report.contains(mark) && report.contains("absent"), "{report}");
    }
}

/// Whoever reads only the file must not take what was not tested for passed.
#[test]
fn the_junit_file_of_a_check_that_ended_early_has_an_error() {
    let home = Home::new();
    let server = lenient_server(&home, &["--approve", "deny"]);
    let file = home.path().join("report.xml");
    let mut command = check(&home, &server.issuer(), Client::Public);
    let outcome = run(command.arg("--junit").arg(&file)).expect_code(5);
    assert!(outcome.stderr.contains("not every rule could be tested"), "{outcome:?}");
    let xml = std::fs::read_to_string(&file).expect("the file");
    let elements = elements(&xml);
    let named = |name: &'static str| elements.iter().filter(move |element| element.name == name);
    let errors: Vec<&Element> = named("error").collect();
    assert_eq!(errors.len(), 1, "{xml}");
    let message = errors[0].attribute("message");
    assert!(message.starts_with("not every rule could be tested: "), "{message}");
    let whole = named("testsuites").next().expect("the root");
    assert_eq!(whole.attribute("errors"), "1");
    assert_eq!(whole.attribute("tests"), named("testcase").count().to_string());
}

#[test]
fn the_json_has_every_rule_and_the_findings() {
    let home = Home::new();
    let server = lenient_server(
        &home,
        &["--approve", "auto", "--break", "token.get", "--break", "pkce.plain"],
    );
    let outcome = run(check(&home, &server.issuer(), Client::Public).arg("--json")).expect_code(9);
    let report = outcome.json();
    assert_eq!(members(&report), ["findings", "rules", "server"]);
    let ids: Vec<&str> = report["rules"]
        .as_array()
        .expect("rules")
        .iter()
        .map(|rule| rule["id"].as_str().expect("an id"))
        .collect();
    assert_eq!(ids, Rule::ALL.iter().map(|rule| rule.id()).collect::<Vec<_>>());
    let findings = report["findings"].as_array().expect("findings");
    assert_eq!(findings.len(), 1, "a SHOULD is not a finding: {findings:?}");
    let own = &findings[0];
    assert_eq!(
        members(own),
        [
            "came",
            "id",
            "level",
            "reason",
            "rfc",
            "section",
            "sent",
            "statement",
            "verdict"
        ]
    );
    let text = |member: &str| own[member].as_str().expect("text");
    assert_eq!(
        [
            text("id"),
            text("level"),
            text("rfc"),
            text("section"),
            text("verdict"),
            text("reason")
        ],
        ["token.get", "MUST", "RFC 6749", "3.2", "fail", "it gets a token"]
    );
    assert_eq!(rules(&outcome)["pkce.plain"]["verdict"], "warning");
    let error = outcome.json_error(9);
    assert_eq!(error["name"], "findings");
}

#[test]
fn the_junit_file_has_the_rules_that_were_asked_for() {
    let home = Home::new();
    let server = lenient_server(&home, &["--approve", "auto"]);
    let file = home.path().join("report.xml");
    let mut command = check(&home, &server.issuer(), Client::Public);
    run(command.args(["--rule", "pkce.plain", "--junit"]).arg(&file)).expect_code(0);
    let xml = std::fs::read_to_string(&file).expect("the file");
    let names: Vec<String> = elements(&xml)
        .iter()
        .filter(|element| element.name == "testcase")
        .map(|element| element.attribute("name").to_owned())
        .collect();
    assert_eq!(names, ["pkce.plain"], "{xml}");
    assert!(
        xml.contains("tests=\"1\" failures=\"0\" errors=\"0\" skipped=\"0\""),
        "{xml}"
    );
}

#[test]
fn the_junit_file_is_well_formed_and_counts_right() {
    let home = Home::new();
    let server = lenient_server(
        &home,
        &["--approve", "auto", "--break", "token.get", "--break", "pkce.plain"],
    );
    let file = home.path().join("report.xml");
    let mut command = check(&home, &server.issuer(), Client::Public);
    run(command.arg("--junit").arg(&file)).expect_code(9);
    let xml = std::fs::read_to_string(&file).expect("the file");
    let elements = elements(&xml);
    let cases: Vec<&Element> = elements.iter().filter(|element| element.name == "testcase").collect();
    assert_eq!(cases.len(), Rule::ALL.len());
    let named = |name: &'static str| elements.iter().filter(move |element| element.name == name);
    let total = |attribute: &str| -> usize {
        named("testsuite")
            .map(|suite| suite.attribute(attribute).parse::<usize>().expect("a number"))
            .sum()
    };
    assert_eq!(total("tests"), Rule::ALL.len());
    assert_eq!((total("failures"), named("failure").count()), (1, 1));
    assert_eq!(total("skipped"), named("skipped").count());
    let whole = named("testsuites").next().expect("the root");
    assert_eq!(whole.attribute("tests"), Rule::ALL.len().to_string());
    assert!(
        xml.contains("classname=\"RFC 6749 3.2\" name=\"token.get\"><failure message=\"MUST "),
        "{xml}"
    );
    assert!(
        xml.contains("warning: SHOULD ") && xml.contains("but: a code comes"),
        "{xml}"
    );

    let mut command = check(&home, &server.issuer(), Client::Public);
    let nowhere = home.path().join("absent/report.xml");
    let outcome = run(command.args(["--rule", "token.password", "--junit"]).arg(&nowhere)).expect_error(2);
    assert!(outcome.error().contains("report.xml"), "{outcome:#?}");
}

#[cfg(unix)]
#[test]
fn a_junit_file_that_cannot_be_opened_is_told_before_anything_is_sent() {
    let home = Home::new();
    let server = LiteralServer::start();
    let path = |name: &str| home.path().join(name);
    std::fs::create_dir(path("folder.xml")).expect("a folder");
    std::fs::write(path("real.xml"), "as it was").expect("a file");
    symlink(path("real.xml"), path("link.xml")).expect("a link");
    symlink(path("nowhere"), path("dangling.xml")).expect("a link");
    let made = Command::new("mkfifo").arg(path("pipe.xml")).status().expect("mkfifo");
    assert!(made.success());
    for (name, said) in [
        ("folder.xml", "cannot be written"),
        ("link.xml", "is a symbolic link"),
        ("dangling.xml", "is a symbolic link"),
        ("pipe.xml", "cannot be written"),
        ("missing/report.xml", "cannot be written"),
    ] {
        let mut command = check(&home, &server.origin(), Client::Public);
        run(command.arg("--junit").arg(path(name)))
            .expect_error(2)
            .says(&[said, name, "hint: "]);
    }
    let target = std::fs::read_to_string(path("real.xml")).expect("the file");
    assert_eq!(target, "as it was");
    assert!(!path("nowhere").exists());
    assert_eq!(server.connections(), 0);
}

#[cfg(unix)]
#[test]
fn the_junit_file_is_overwritten_and_hidden_from_others() {
    let home = Home::new();
    let server = lenient_server(&home, &["--approve", "auto"]);
    let file = home.path().join("report.xml");
    let earlier = format!(
        "<?xml version=\"1.0\"?>\n<testsuites>{}</testsuites>",
        "old ".repeat(50_000)
    );
    std::fs::write(&file, earlier).expect("a file");
    std::fs::set_permissions(&file, Permissions::from_mode(0o644)).expect("its mode");
    let mut command = check(&home, &server.issuer(), Client::Public);
    run(command.args(["--rule", "token.password", "--junit"]).arg(&file)).expect_code(0);
    let mode = std::fs::metadata(&file).expect("the file").permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    elements(&std::fs::read_to_string(&file).expect("the file"));
}

#[test]
fn no_secret_stands_in_a_report_or_in_the_trace() {
    let home = Home::new();
    let server = lenient_server(
        &home,
        &[
            "--approve",
            "auto",
            "--break",
            "token.wrong-secret",
            "--break",
            "code.client",
        ],
    );
    let file = home.path().join("report.xml");
    let mut command = check(&home, &server.issuer(), Client::Confidential);
    let text = run(command.arg("-vvv").arg("--junit").arg(&file)).expect_code(9);
    let json = run(check(&home, &server.issuer(), Client::Confidential).args(["--json", "-vvv"])).expect_code(9);
    let xml = std::fs::read_to_string(&file).expect("the file");
    for output in [&text.stdout, &text.stderr, &json.stdout, &json.stderr, &xml] {
        assert!(!output.contains(SECRET), "{output}");
        // The claims of a JWT begin so; a nonce, which is shown, has no dot in it.
        assert!(!output.contains(".eyJ"), "{output}");
        for name in ["code=", "refresh_token=", "code_verifier="] {
            for (place, _) in output.match_indices(name) {
                let value = &output[place + name.len()..];
                let harmless = ["[redacted", "%5Bredacted", "\"", "$"]
                    .iter()
                    .any(|start| value.starts_with(start));
                assert!(harmless, "{name}{}", &value[..value.len().min(60)]);
            }
        }
    }
}

#[test]
fn a_rule_that_is_broken_is_a_failure_in_every_trace() {
    let home = Home::new();
    let server = broken_server(&home);
    let trace = |ending: &str| home.path().join(format!("check.{ending}"));
    let mut command = check(&home, &server.issuer(), Client::Public);
    command.args(["-vv", "--color", "always"]);
    for rule in [
        "pkce.wrong-verifier",
        "token.pragma",
        "code.single-use",
        "token.wrong-secret",
    ] {
        command.args(["--rule", rule]);
    }
    for ending in ["html", "mmd", "json"] {
        command.arg("--trace").arg(trace(ending));
    }
    let outcome = run(&mut command).expect_code(9);
    let read = |ending: &str| std::fs::read_to_string(trace(ending)).expect("the trace");

    let (html, diagram) = (read("html"), read("mmd"));
    for (class, mark, text) in [
        ("failure", "⚠ ", "fail: pkce.wrong-verifier: "),
        ("warning", "⚠ ", "warning: token.pragma: "),
        ("check", "✓ ", "pass: code.single-use"),
        ("skipped", "", "skipped: token.wrong-secret: "),
    ] {
        let row = html.lines().find(|row| row.contains(text));
        let begins = format!("<div class=\"row note {class}\">");
        assert!(row.is_some_and(|row| row.starts_with(&begins)), "{text}: {row:?}");
        let note = format!("Note over client: {mark}{text}");
        assert!(diagram.contains(&note), "{note}: {diagram}");
    }
    let events: Vec<serde_json::Value> = read("json")
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .filter(|event: &serde_json::Value| event["event"] == "rule_tested")
        .collect();
    let tested = events
        .iter()
        .map(|event| format!("{} {}", event["rule"], event["verdict"]));
    let tested: Vec<String> = tested.map(|text| text.replace('"', "")).collect();
    for text in [
        "pkce.wrong-verifier fail",
        "token.pragma warning",
        "code.single-use pass",
        "token.wrong-secret skipped",
    ] {
        assert!(tested.iter().any(|other| other == text), "{text}: {tested:?}");
    }
    // what is well is shown at -vvv
    assert!(
        outcome
            .stderr
            .contains("\u{1b}[1;31mfail:\u{1b}[0m pkce.wrong-verifier: "),
        "{outcome:?}"
    );
    assert!(
        outcome.stderr.contains("warning:\u{1b}[0m token.pragma: "),
        "{outcome:?}"
    );
    assert!(!outcome.stderr.contains("pass:"), "{outcome:?}");
}

/// A server that repeats everything that it was sent, wherever it may.
#[test]
fn no_server_can_bring_a_secret_into_a_report() {
    let server = LiteralServer::start();
    let origin = server.origin();
    let metadata = format!(
        r#"{{"issuer":"{origin}","authorization_endpoint":"{origin}/authorize","token_endpoint":"{origin}/token","response_types_supported":["code"],"token_endpoint_auth_methods_supported":["client_secret_post"]}}"#
    );
    server.on("GET", "/.well-known/oauth-authorization-server", json(200, &metadata));
    let count = AtomicUsize::new(0);
    server.on_call("GET", "/authorize", move |request| {
        let query = request.query();
        let of = |name: &str| {
            let found = query.iter().find(|(own, _)| own == name);
            found
                .map(|(_, value)| value.replace(['\r', '\n'], ""))
                .unwrap_or_default()
        };
        let number = count.fetch_add(1, Ordering::SeqCst);
        let state: String = url::form_urlencoded::byte_serialize(of("state").as_bytes()).collect();
        redirect(
            302,
            &format!("{}?code=canary-code-{number:04}&state={state}", of("redirect_uri")),
        )
    });
    server.on_call("POST", "/token", |request| {
        let sent: Vec<String> = request
            .form()
            .into_iter()
            .map(|(_, value)| value.replace(['"', '\\'], ""))
            .collect();
        let sent = sent.join(" ");
        let hexadecimal: String = sent.bytes().map(|byte| format!("{byte:02x}")).collect();
        let is_right = request.form().iter().filter(|(name, _)| name == "grant_type").count() == 1;
        if is_right && sent.contains("canary-code") {
            let token = "canary-access-token-0123456789";
            return json(
                200,
                &format!(r#"{{"access_token":"{token}","token_type":"Bearer {token}","{token}":1}}"#),
            );
        }
        json(
            400,
            &format!(r#"{{"error":"invalid_grant {sent}","error_description":"{hexadecimal}"}}"#),
        )
    });
    let home = Home::new();
    let file = home.path().join("report.xml");
    let secret = "canary-client-secret";
    let mut outputs = Vec::new();
    for json in [false, true] {
        let mut command = home.oauth();
        command
            .args(["check", &origin, "--client-id", "c"])
            .env("OAUTH_CLIENT_SECRET", secret);
        command.arg("--junit").arg(&file).args(json.then_some("--json"));
        let outcome = run(&mut command).expect_code(9);
        outputs.extend([
            outcome.stdout,
            outcome.stderr,
            std::fs::read_to_string(&file).expect("the file"),
        ]);
    }
    let requests = server.requests();
    let forms = requests.iter().flat_map(|request| request.form());
    let verifiers = forms
        .filter(|(name, value)| name == "code_verifier" && value.len() >= 42)
        .map(|(_, value)| value);
    let mut secrets: Vec<String> = verifiers.collect();
    assert!(!secrets.is_empty());
    secrets.extend(["canary-client-secret", "canary-access-token", "canary-code-0"].map(str::to_owned));
    for output in &outputs {
        for secret in &secrets {
            let hexadecimal: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
            for written in [secret, &hexadecimal] {
                let place = output.find(written.as_str());
                let around = place.map(|place| output[place.saturating_sub(300)..place + 60].to_owned());
                assert_eq!(around, None, "{written}");
            }
        }
    }
}

/// A start tag, or an empty element.
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
}

impl Element {
    fn attribute(&self, name: &str) -> &str {
        let found = self.attributes.iter().find(|(own, _)| own == name);
        found.map_or("", |(_, value)| value)
    }
}

/// Reads XML, strictly as far as this file goes; panics where it is not well formed.
fn elements(xml: &str) -> Vec<Element> {
    let mut rest = xml
        .strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>")
        .expect("a declaration");
    let (mut open, mut found) = (Vec::new(), Vec::new());
    while let Some(start) = rest.find('<') {
        let text = &rest[..start];
        assert!(!text.contains('>'), "{text}");
        for (place, _) in text.match_indices('&') {
            let entities = ["&amp;", "&lt;", "&gt;", "&quot;"];
            assert!(
                entities.iter().any(|entity| text[place..].starts_with(entity)),
                "{text}"
            );
        }
        let end = rest[start..].find('>').expect("the end of a tag") + start;
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "elements are nested");
            continue;
        }
        let is_empty = tag.ends_with('/');
        let tag = tag.trim_end_matches('/');
        let (name, mut attributes_text) = tag.split_once(' ').unwrap_or((tag, ""));
        let mut attributes = Vec::new();
        while let Some((own, value)) = attributes_text.split_once("=\"") {
            let (value, after) = value.split_once('"').expect("the end of a value");
            assert!(!value.contains('<'), "{value}");
            attributes.push((own.trim().to_owned(), value.to_owned()));
            attributes_text = after;
        }
        assert_eq!(attributes_text.trim(), "", "{tag}");
        if !is_empty {
            open.push(name.to_owned());
        }
        found.push(Element {
            name: name.to_owned(),
            attributes,
        });
    }
    assert!(open.is_empty(), "{open:?}");
    found
}
