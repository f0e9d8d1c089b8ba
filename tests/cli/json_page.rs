//! `docs/json.md`: the members that it promises are those that the commands print.

use crate::support::binary::Home;
use crate::support::development_server::DevelopmentServer;
use crate::support::literal_server::{LiteralServer, json};
use crate::support::login::complete_at;
use crate::support::outcome::{Outcome, run};
use oauth::trace::NoteName;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What the page says about one object.
#[derive(Debug, Default)]
struct Section {
    always: BTreeSet<String>,
    /// Printed "only if" something is so.
    sometimes: BTreeSet<String>,
    /// More members of the same kind are printed.
    is_open: bool,
}

/// Each section of the page that has a table, by its heading.
fn sections() -> BTreeMap<String, Section> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/json.md");
    let page = std::fs::read_to_string(file).expect("the page");
    let mut sections: BTreeMap<String, Section> = BTreeMap::new();
    for part in page.split("\n### ").skip(1) {
        let (heading, text) = part.split_once('\n').expect("a heading");
        let rows = text.lines().filter(|line| line.starts_with("| `"));
        for row in rows {
            let (members, meaning) = row[2..].split_once(" | ").expect("two columns");
            let section = sections.entry(heading.trim_matches('`').to_owned()).or_default();
            section.is_open |= meaning.contains("every other key");
            let place = match meaning.contains("only if") && !meaning.contains("every other key") {
                true => &mut section.sometimes,
                false => &mut section.always,
            };
            place.extend(members.split(", ").map(|member| member.trim_matches('`').to_owned()));
        }
    }
    sections
}

/// The paths of what was printed, as deep as the page goes.
fn paths(value: &Value, at: &str, section: &Section, found: &mut BTreeSet<String>) {
    let is_described = |prefix: &str| {
        let mut described = section.always.iter().chain(&section.sometimes);
        described.any(|path| path.starts_with(prefix))
    };
    match value {
        Value::Object(members) if at.is_empty() || is_described(&format!("{at}.")) => {
            for (name, value) in members {
                let path = if at.is_empty() {
                    name.clone()
                } else {
                    format!("{at}.{name}")
                };
                paths(value, &path, section, found);
            }
        }
        Value::Array(items) if is_described(&format!("{at}[]")) => {
            for item in items {
                paths(item, &format!("{at}[]"), section, found);
            }
        }
        _ => {
            found.insert(at.to_owned());
        }
    }
}

/// Compares what one object, or several of the same kind together, have with the page.
#[track_caller]
fn assert_described(sections: &mut BTreeMap<String, Section>, heading: &str, printed: &[Value]) {
    let section = sections
        .remove(heading)
        .unwrap_or_else(|| panic!("no section {heading:?}"));
    let mut found = BTreeSet::new();
    for value in printed {
        paths(value, "", &section, &mut found);
    }
    let missing: Vec<&String> = section.always.difference(&found).collect();
    assert!(
        missing.is_empty(),
        "{heading}: {missing:?} are promised, printed was {found:?}"
    );
    let all: BTreeSet<String> = section.always.union(&section.sometimes).cloned().collect();
    let more: Vec<&String> = found.difference(&all).collect();
    assert!(
        more.is_empty() || section.is_open,
        "{heading}: {more:?} are not on the page"
    );
}

/// The first line of stderr that has this member.
#[track_caller]
fn line_with(outcome: &Outcome, member: &str) -> Value {
    let lines = outcome.json_lines();
    let found = lines.iter().find(|line| line.get(member).is_some());
    found.unwrap_or_else(|| panic!("no {member}: {outcome:#?}")).clone()
}

#[test]
fn every_json_output_has_the_members_that_the_page_promises() {
    let mut sections = sections();
    let home = Home::new();
    let server = DevelopmentServer::start(&["--approve", "auto", "--json"]);
    let issuer = server.issuer();
    let printed = |words: &str| run(home.oauth().args(words.split(' '))).expect_code(0).json();
    let mut describe = |heading: &str, printed: &[Value]| assert_described(&mut sections, heading, printed);

    let login = complete_at(
        &server,
        &home,
        &[
            "--client-id",
            "oauth-cli",
            "--profile",
            "work",
            "--scope",
            "openid hello",
            "--json",
        ],
    )
    .expect_code(0);
    describe("oauth login --json", &[login.json()]);
    describe("the address to sign in at", &[line_with(&login, "authorization_url")]);
    describe("a note", &[line_with(&login, "note")]);
    let dry = complete_at(
        &server,
        &home,
        &["--client-id", "oauth-cli", "--stop-before", "exchange", "--json"],
    )
    .expect_code(0);
    describe("oauth login --stop-before exchange --json", &[dry.json()]);
    let mut command = home.oauth();
    command.args([
        "login",
        &issuer,
        "--client-id",
        "oauth-cli",
        "--device",
        "--no-save",
        "--json",
    ]);
    let device = run(&mut command).expect_code(0);
    describe("the code of a device login", &[line_with(&device, "user_code")]);

    for heading in [
        "oauth token --json",
        "oauth status --json",
        "oauth decode --json",
        "oauth profile list --json",
        "oauth profile show --json",
    ] {
        describe(heading, &[printed(heading.strip_prefix("oauth ").expect("a command"))]);
    }
    describe(
        "oauth check --explain RULE --json",
        &[printed("check --explain pkce.plain --json")],
    );
    for heading in [
        "oauth check --list --json",
        "oauth providers --json",
        "oauth pkce --json",
        "oauth serve --break list --json",
    ] {
        describe(heading, &[printed(heading.strip_prefix("oauth ").expect("a command"))]);
    }

    let broken = DevelopmentServer::start(&[
        "--approve",
        "auto",
        "--break",
        "metadata.no-password",
        "--break",
        "pkce.plain",
    ]);
    let mut command = home.oauth();
    command.args(["check", &broken.issuer(), "--client-id", "oauth-cli", "--json"]);
    let examined = run(command.args(["--rule", "metadata.no-password", "--rule", "pkce.plain"]));
    describe("oauth check --json", &[examined.json()]);
    let demanding = DevelopmentServer::start(&["--require", "par"]);
    let discovered =
        [&broken, &demanding].map(|server| run(home.oauth().args(["discover", &server.issuer(), "--json"])).json());
    describe("oauth discover --json", &discovered);

    let refused = run(home.oauth().args(["introspect", "--json"]));
    describe("an error", &refused.json_lines()[refused.json_lines().len() - 1..]);

    let host = LiteralServer::start();
    host.on("GET", "/client.json", json(200, "{}"));
    let url = format!("{}/client.json", host.origin());
    let document = run(home.oauth().args(["client-metadata", "check", &url, "--json"]));
    describe("oauth client-metadata check URL --json", &[document.json()]);

    let warned = run(home.oauth().args(["client-metadata", "--json"])).expect_code(0);
    describe("a warning", &[line_with(&warned, "warning")]);

    let announcement = serde_json::from_str(&server.announcement).expect("an object");
    describe("oauth serve --json", &[announcement]);
    let log = server.wait_for_log(&["POST /token 200"]);
    let request = serde_json::from_str(log.lines().next().expect("a line")).expect("an object");
    describe("a request to the development server", &[request]);

    let left: Vec<&String> = sections.keys().collect();
    assert!(left.is_empty(), "no test shows these: {left:?}");
}

#[test]
fn the_page_has_each_name_of_a_note_and_a_note_that_programs_may_want_has_its_name() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/json.md");
    let page = std::fs::read_to_string(file).expect("the page");
    let row = page
        .lines()
        .find(|line| line.starts_with("| `name` |"))
        .expect("its row");
    let on_page: Vec<&str> = row.split('`').skip(3).step_by(2).collect();
    assert_eq!(on_page, NoteName::ALL.map(NoteName::as_str));

    let home = Home::new();
    home.configure("[profile.work]\nissuer = \"https://id.example.com\"\nclient_id = \"c\"\n");
    let trace = home.path().join("trace.json");
    let mut command = home.oauth();
    command.args(["logout", "work", "--json", "--trace"]).arg(&trace);
    let note = line_with(&run(&mut command).expect_code(0), "note");
    assert_eq!(note["name"], "not_logged_in", "{note}");
    let trace = std::fs::read_to_string(trace).expect("the trace");
    assert!(
        trace.contains(r#""event":"note","from":"client","to":"resource owner","name":"not_logged_in","text":"#),
        "{trace}"
    );
}
