//! Each command in a hint is one that the parser takes: the hints of errors
//! that can be provoked are collected, and their commands are run.

use super::support::binary::Home;
use super::support::outcome::{Outcome, run};
use super::support::sessions::{ending_in, refreshable, session};

const ISSUER: &str = "https://id.example.com";
const PROFILES: &str = "default_profile = \"work\"\n\n[profile.work]\nissuer = \"https://id.example.com\"\n\
    client_id = \"desktop\"\n[profile.play]\nissuer = \"https://play.example.com\"\nclient_id = \"toy\"\n";

/// Command lines that fail, each in a home of its own.
const PROVOKING: &[&[&str]] = &[
    &["token"],
    &["token", "wrok"],
    &["token", "play"],
    &["token", "work", "--id-token"],
    &["token", "work", "--force-refresh"],
    &["token", "work", "--resource", "https://api.example.com"],
    &["token", "expired"],
    &["token", "work", "--store", "keyring"],
    &["token", "work", "--store", "none"],
    &["token", "eyJhbGciOiJub25lIn0.e30.x"],
    &["token", "--format", "xml"],
    &["status", "wrok"],
    &["status", "play"],
    &["status", "work", "--store", "keyring"],
    &["logout", "wrok"],
    &["logout", "work", "--store", "keyring"],
    &["profile", "show", "wrok"],
    &["profile", "use", "wrok"],
    &["profile", "remove", "wrok"],
    &["profile", "set", "work", "issuerr=x"],
    &["profile", "set", "work", "param=x"],
    &["profile", "set", "work", "store=shoebox"],
    &["profile", "set", "work", "store=none"],
    &["decode", "-p", "work"],
    &["decode", "-p", "wrok"],
    &["decode", "nosuchfile"],
    &["decode", "work"],
    &["userinfo", "-p", "play"],
    &["introspect", "-p", "play"],
    &["revoke", "-p", "play"],
    &["login"],
    &["login", "id.example.com"],
    &["login", "https://new.example.com"],
    &["login", "--issuer", "https://new.example.com", "--client-id", "x"],
    &["login", "-p", "new", "--client-id", "x"],
    &["login", "-p", "new", "--issuer", "https://new.example.com"],
    &["login", "http://id.example.com", "--client-id", "x"],
    &["login", "work", "--store", "keyring"],
    &["login", "work", "--client-auth", "client_secret_basic"],
    &["login", "work", "--redirect-uri", "https://app.example.com/cb"],
    &["login", "work", "--param", "state=x"],
    &["login", "http://127.0.0.1:9", "--client-id", "x"],
    &["login", "--device"],
    &["logn"],
    &["discover", "id.example.com"],
    &["discover", "http://127.0.0.1:9"],
    &["check", "http://127.0.0.1:9", "--client-id", "x"],
    &["serve", "--client", "x:nosuchfile"],
    &["token", "work", "--trace", "trace.txt"],
    &["token", "work", "--proxy", "http://me:pw@proxy.example"],
];

fn provoke(arguments: &[&str], configuration: &str, ci: bool) -> Outcome {
    let home = Home::new();
    home.keep("work", &session(ISSUER));
    home.keep("expired", &ending_in(-9, refreshable("http://127.0.0.1:9")));
    home.configure(configuration);
    let mut command = home.oauth();
    command.env("OAUTH_DEADLINE", "1s");
    if ci {
        command.env("CI", "true");
    }
    run(command.args(arguments))
}

/// The `oauth …` commands of a text. A command ends its hint, or a sign that
/// no argument has does.
fn commands(text: &str) -> Vec<String> {
    let starts = text.match_indices("oauth ").filter(|(start, _)| {
        // behind a colon, a quote, a backtick or a comma, or first of all
        text[..*start].trim_end().ends_with([':', '`', '"', ',']) || text[..*start].trim_end().is_empty()
    });
    let ends = |rest: &str| rest.find(['`', '\n', ',', ';', '(']).unwrap_or(rest.len());
    starts
        .map(|(start, _)| text[start..start + ends(&text[start..])].trim().to_owned())
        .collect()
}

/// The command with something in place of each placeholder.
fn filled(command: &str) -> Vec<String> {
    let words = shell_words::split(command).unwrap_or_else(|error| panic!("{command}: {error}"));
    words
        .into_iter()
        .skip(1)
        .map(|word| match word.as_str() {
            "NAME" | "PROFILE" => "work".to_owned(),
            "ID" => "desktop".to_owned(),
            "URL" | "URI" | "ISSUER" => ISSUER.to_owned(),
            "TIME" => "5s".to_owned(),
            "CMD" | "FILE" => "true".to_owned(),
            _ => word,
        })
        .collect()
}

#[test]
fn each_command_in_a_hint_is_one_that_the_parser_takes() {
    let mut seen = std::collections::BTreeSet::new();
    for arguments in PROVOKING {
        for (configuration, ci) in [(PROFILES, false), ("", false), (PROFILES, true)] {
            let outcome = provoke(arguments, configuration, ci);
            for hint in outcome.labelled("hint:") {
                seen.extend(commands(&hint));
            }
        }
    }
    assert!(seen.len() > 12, "{seen:#?}");
    for command in &seen {
        assert!(!command.contains('…'), "a command that cannot be typed: {command}");
        let arguments = filled(command);
        let home = Home::new();
        home.configure(PROFILES);
        let parsed = run(home.oauth().args(&arguments).args(["--deadline", "200ms"]));
        let refused = [
            "unexpected argument",
            "unrecognized subcommand",
            "invalid value",
            "required arguments",
        ];
        let usage = refused.iter().any(|text| parsed.stderr.contains(text));
        assert!(!usage, "{command}: {}", parsed.stderr);
    }
}

#[test]
fn the_hint_for_cron_names_the_profile_and_works() {
    let home = Home::new();
    home.configure("[profile.work]\nissuer = \"https://id.example.com\"\nstore = \"file\"\n");
    let mut command = home.oauth();
    // what a session of cron has: no bus; and a variable that overrides the profile
    let outcome = run(command.env("OAUTH_STORE", "keyring").args(["token", "work"])).expect_error(8);
    outcome.says(&["OAUTH_STORE=keyring overrides the profile's store = \"file\""]);
    home.configure("[profile.work]\nissuer = \"https://id.example.com\"\nstore = \"keyring\"\n");
    let outcome = run(home.oauth().env_remove("OAUTH_STORE").args(["token", "work"])).expect_error(8);
    outcome.says(&["cron", "oauth profile set work store=file"]);
}
