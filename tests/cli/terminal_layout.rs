//! Every message on terminals of 60, 80 and 120 columns, with and without
//! colour: no row is wider than the terminal, no word is broken, and a command
//! stands whole and alone on its row. Commands and URLs that stand alone may be
//! wider than the terminal.

use super::messages::{COMMANDS, USAGE_ERRORS};
use super::support::authorization_server;
use super::support::binary::Home;
use super::support::development_server::DevelopmentServer;
use super::support::literal_server::{LiteralServer, json};
use super::support::outcome::run;
use super::support::sessions::{log_in, session};
use super::support::terminal::Terminal;
use oauth::output::message::{message_rows, split_command};
use oauth::output::theme::{Role, Theme};
use oauth::output::wrap::Lead;
use regex::Regex;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use unicode_width::UnicodeWidthStr;

const WIDTHS: [u16; 3] = [60, 80, 120];

const LABELS: [&str; 5] = ["error:", "caused by:", "hint:", "note:", "warning:"];

/// Without the sequences that colour text and make links of it.
fn bare(text: &str) -> String {
    let mut bare = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\u{1b}' {
            bare.push(character);
            continue;
        }
        match characters.next() {
            Some('[') => drop(characters.by_ref().find(char::is_ascii_alphabetic)),
            Some(']') => drop(characters.by_ref().find(|character| *character == '\\')),
            _ => {}
        }
    }
    bare
}

/// Whether a row may be wider than the terminal: a command or a URL alone.
fn is_exempt(row: &str) -> bool {
    let row = row.trim_start();
    let row = row.strip_prefix("Usage: ").unwrap_or(row);
    !row.contains(' ') || split_command(&format!(": {row}")).is_some_and(|(words, _)| words == ":")
}

#[track_caller]
fn assert_fits(row: &str, width: usize, what: &str) {
    assert!(
        row.width() <= width || is_exempt(row),
        "{what}, {width} columns: {row:?}"
    );
}

/// The messages of all snapshots with their labels.
fn messages() -> BTreeSet<(&'static str, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/snapshots");
    let mut messages = BTreeSet::new();
    for file in std::fs::read_dir(folder).expect("the snapshots") {
        let text = std::fs::read_to_string(file.expect("a file").path()).expect("a snapshot");
        for line in text.lines() {
            let labelled = LABELS
                .iter()
                .find_map(|label| Some((*label, line.strip_prefix(label)?)));
            messages.extend(labelled.map(|(label, text)| (label, text.trim().to_owned())));
        }
    }
    assert!(messages.len() > 150, "{}", messages.len());
    messages
}

#[test]
fn every_message_fits_with_its_words_whole() {
    for (label, text) in messages() {
        for width in WIDTHS.map(usize::from) {
            for colour in [false, true] {
                let lead = format!("{} ", Theme::new(colour).paint(Role::Hint, label));
                let lead = Lead {
                    text: &lead,
                    columns: label.len() + 1,
                };
                let rows = message_rows(Some(width), lead, &text);
                let rows: Vec<String> = rows.iter().map(|row| bare(row)).collect();
                for row in &rows {
                    assert_fits(row, width, &text);
                }
                let shown: Vec<&str> = rows.iter().flat_map(|row| row.split_whitespace()).collect();
                let label_words = label.split_whitespace();
                let words: Vec<&str> = label_words.chain(text.split_whitespace()).collect();
                if words.iter().all(|word| word.width() + label.len() < width) {
                    assert_eq!(shown, words);
                }
            }
        }
    }
}

/// Every text in the source that has more than one word, with a word in each
/// place that is filled in: also the messages that no snapshot has.
fn texts_of_the_source() -> BTreeSet<String> {
    fn collect(folder: &Path, texts: &mut BTreeSet<String>) {
        let comments = Regex::new(r"(?m)^\s*//.*$").expect("a pattern");
        let continuations = Regex::new(r"\\\n\s*").expect("a pattern");
        let literals = Regex::new(r#""((?:[^"\\]|\\.)*)""#).expect("a pattern");
        let places = Regex::new(r"\{[^}]*\}").expect("a pattern");
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            if path.is_dir() && name != "tests" {
                collect(&path, texts);
            }
            if !name.ends_with(".rs") || name.contains("test") || name == "fixtures.rs" {
                continue;
            }
            let source = std::fs::read_to_string(&path).expect("a file");
            let source = source.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
            let source = comments.replace_all(source, "");
            let source = continuations.replace_all(&source, "");
            for literal in literals.captures_iter(&source) {
                let text = places.replace_all(&literal[1], "value").replace("\\\"", "\"");
                let is_markup = text.contains(['<', '>', '=', '\\', '\t']);
                if text.trim().contains(' ') && !is_markup {
                    texts.insert(text.split_whitespace().collect::<Vec<_>>().join(" "));
                }
            }
        }
    }
    let mut texts = BTreeSet::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut texts);
    assert!(texts.len() > 2000, "{}", texts.len());
    texts
}

#[test]
fn every_text_of_the_source_would_fit_as_a_hint_with_its_words_whole_and_its_command_alone() {
    let label = Lead::plain("hint: ");
    let commands: Vec<String> = COMMANDS
        .iter()
        .filter(|command| !command.is_empty() && !command.ends_with("-h"))
        .map(|command| format!("oauth {command} "))
        .collect();
    let in_backticks = Regex::new("`[^`]*`").expect("a pattern");
    for text in texts_of_the_source() {
        for width in WIDTHS.map(usize::from) {
            let rows = message_rows(Some(width), label, &text);
            for row in &rows {
                assert_fits(row, width, &text);
            }
            let shown: Vec<&str> = rows.iter().flat_map(|row| row.split_whitespace()).skip(1).collect();
            if text.split(' ').all(|word| word.width() + label.columns < width) {
                assert_eq!(shown, text.split_whitespace().collect::<Vec<_>>());
            }
        }
        let (words, _) = split_command(&text).unwrap_or((&text, ""));
        let words = in_backticks.replace_all(words, "");
        // a text that is nothing but a command is one of several lines
        for command in commands.iter().filter(|command| !words.starts_with(command.as_str())) {
            assert!(!words.contains(command.as_str()), "{command:?} within: {text}");
        }
    }
}

#[test]
fn a_command_in_a_hint_or_a_note_stands_at_its_end_where_it_gets_a_row_of_its_own() {
    let commands: Vec<String> = COMMANDS
        .iter()
        .filter(|command| !command.is_empty() && !command.ends_with("-h"))
        .map(|command| format!("oauth {command}"))
        .collect();
    for (label, text) in messages() {
        if !["hint:", "note:"].contains(&label) {
            continue;
        }
        let words = split_command(&text).map_or(text.as_str(), |(words, _)| words);
        for command in &commands {
            assert!(!words.contains(command.as_str()), "{command:?} within: {text}");
        }
    }
}

/// What a program writes to a terminal with so many columns.
fn on_terminal(command: &mut Command, columns: u16) -> String {
    bare(&Terminal::shown(command, columns))
}

/// Runs the words at every width, and compares what a terminal shows with what a file gets.
fn assert_laid_out(home: &Home, words: &str) {
    let arguments = shell_words::split(words).expect("words");
    let plain = run(home.oauth().args(&arguments));
    let plain = format!("{} {}", plain.stdout, plain.stderr);
    let known: BTreeSet<String> = plain.split_whitespace().map(str::to_lowercase).collect();
    for (columns, colour) in [(60, "never"), (80, "never"), (80, "always"), (120, "never")] {
        let mut command = home.oauth();
        command.args(&arguments).env_remove("NO_COLOR");
        if colour == "always" {
            command.env("CLICOLOR_FORCE", "1");
        } else {
            command.env("NO_COLOR", "1");
        }
        let shown = on_terminal(&mut command, columns);
        for row in shown.lines() {
            assert_fits(row, columns.into(), words);
            let broken = row
                .split_whitespace()
                .filter(|word| word.chars().count() < 45 && *word != "✓")
                .find(|word| {
                    // where there is no room for a column, it is in parentheses behind another one
                    let [whole, inner] = [*word, word.trim_matches(['(', ')'])].map(str::to_lowercase);
                    !known.contains(&whole) && !known.contains(&inner)
                });
            // part of a word that is longer than a row
            let broken = broken.filter(|word| !known.iter().any(|known| known.len() > 40 && known.contains(*word)));
            // what changes from run to run
            let broken = broken.filter(|word| !word.contains(|character: char| character.is_ascii_digit()));
            assert_eq!(broken, None, "{words}, {columns} columns: {row:?}\nplain:\n{plain}");
        }
    }
}

#[test]
fn every_help_page_is_laid_out_for_the_terminal() {
    let home = Home::new();
    for command in COMMANDS {
        assert_laid_out(&home, &format!("{} --help", command.trim_end_matches("-h")));
    }
    for words in ["", "help", "help options", "token -h", "login -h"] {
        assert_laid_out(&home, words);
    }
}

#[test]
fn every_usage_error_is_laid_out_for_the_terminal() {
    let home = Home::new();
    for words in USAGE_ERRORS.iter().filter(|words| !words.contains("--json")) {
        assert_laid_out(&home, words);
    }
}

#[test]
fn every_report_about_sessions_and_servers_is_laid_out_for_the_terminal() {
    let (home, server) = (Home::new(), authorization_server::start());
    let issuer = server.origin();
    log_in(
        &home,
        &server,
        &["--issuer", &issuer, "--client-id", "desktop", "-p", "work"],
    );
    run(home.oauth().args(["profile", "set", "of-a-tenant"]).args([
        "issuer=https://login.example.com/tenants/2f1c5bb4-2d5e-4d3b-9e3f-6e7b3a5f1c11/v2.0",
        "client_id=a-client-with-a-long-name",
        "scope=openid offline_access profile email files.read files.write",
    ]))
    .expect_code(0);
    let real = DevelopmentServer::start(&[]);
    for words in [
        "profile list",
        "profile show of-a-tenant",
        "token work --scope admin",
        "token work --id-token",
        "token of-a-tenant",
        "userinfo -p work",
        "providers",
        "providers google",
        "serve --break list",
        "check --list",
        "check --list --for fapi2",
        "check --explain pkce.wrong-verifier",
        "check --explain jwt-bearer.single-use",
        "logout nobody",
        "decode eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tIn0.",
        "client-metadata --url https://example.com/client.json",
        &format!("discover {issuer}"),
        &format!("discover {}", real.issuer()),
    ] {
        assert_laid_out(&home, words);
    }
}

#[test]
fn a_report_of_check_is_laid_out_for_the_terminal() {
    let home = Home::new();
    let broken = ["--break", "metadata.no-password", "--break", "metadata.content-type"];
    let server = DevelopmentServer::start(&[&["--approve", "auto"][..], &broken].concat());
    let check = format!("check {} --client-id oauth-cli", server.issuer());
    for rules in ["--for oauth2.1", "-v --for rfc9700"] {
        assert_laid_out(&home, &format!("{check} {rules}"));
    }
}

#[test]
fn names_that_take_two_columns_a_character_stay_in_their_column() {
    let home = Home::new();
    let mut profiles = String::new();
    for (name, subject) in [
        ("first", "山田太郎"),
        ("second", "Zoe\u{301}"),
        ("third", "김철수 (영업)"),
    ] {
        profiles += &format!("[profile.{name}]\nissuer = \"https://id.example.com\"\nclient_id = \"c\"\n");
        let mut session = session("https://id.example.com");
        session.subject = Some(subject.to_owned());
        home.keep(name, &session);
    }
    home.configure(&profiles);
    let table = on_terminal(home.oauth().arg("status"), 190);
    let columns: BTreeSet<usize> = table
        .lines()
        .filter_map(|row| Some(row.split_once("https:")?.0.width()))
        .collect();
    assert_eq!(columns.len(), 1, "{table}");
    assert!(table.contains("山田太郎"), "{table}");
    for columns in [60, 80] {
        for row in on_terminal(home.oauth().arg("status"), columns).lines() {
            assert_fits(row, columns.into(), "status");
        }
    }
}

#[test]
fn a_capability_stands_beside_its_name_where_there_is_room_for_it() {
    let (home, server) = (Home::new(), DevelopmentServer::start(&[]));
    let mut command = home.oauth();
    let shown = on_terminal(command.args(["discover", &server.issuer()]), 80);
    let row = |begin: &str| {
        shown
            .lines()
            .find(|row| row.starts_with(begin))
            .unwrap_or_default()
            .trim_end()
    };
    assert_eq!(row("ANNOUNCED"), "ANNOUNCED  WHAT                               HOW");
    assert_eq!(
        row("yes        PKCE"),
        "yes        PKCE                               S256 (RFC\u{a0}7636)"
    );
}

#[test]
fn a_finding_that_fills_its_row_is_broken_once() {
    let (home, server) = (Home::new(), LiteralServer::start());
    let issuer = server.origin();
    // a word of each length ends in the last column of some row
    let members: String = (1..24)
        .map(|length| format!(r#","{}_supported":[]"#, "x".repeat(length)))
        .collect();
    let metadata = format!(r#"{{"issuer":"{issuer}","token_endpoint":"{issuer}/token"{members}}}"#);
    server.on("GET", "/.well-known/oauth-authorization-server", json(200, &metadata));
    let shown = on_terminal(home.oauth().args(["discover", &issuer]), 80);
    let findings = shown.lines().filter(|row| row.contains("is an empty list")).count();
    assert_eq!(findings, 23, "{shown}");
    let titles = shown.lines().skip_while(|row| !row.contains("FINDING"));
    let section: Vec<&str> = titles.take_while(|row| !row.trim().is_empty()).collect();
    let column = section[0].find("FINDING");
    for row in section.iter().filter(|row| row.starts_with(' ')) {
        let indent = row.find(|character| character != ' ');
        assert_eq!(indent, column, "{row:?} in\n{shown}");
    }
}

#[test]
fn status_is_a_block_for_each_profile_where_a_table_is_too_wide() {
    let (home, server) = (Home::new(), authorization_server::start());
    let issuer = server.origin();
    log_in(
        &home,
        &server,
        &["--issuer", &issuer, "--client-id", "desktop", "-p", "work"],
    );
    let tenant = "https://login.example.com/tenants/2f1c5bb4-2d5e-4d3b-9e3f-6e7b3a5f1c11/v2.0";
    let mut command = home.oauth();
    command.args(["profile", "set", "tenant", &format!("issuer={tenant}"), "client_id=c"]);
    run(&mut command).expect_code(0);
    let shown = on_terminal(home.oauth().arg("status"), 80).replace("\r\n", "\n");
    assert!(
        shown.starts_with(&format!(
            "work (default)\n  who          not known (openid was not asked for)\n  issuer       {issuer}\n"
        )),
        "{shown}"
    );
    assert!(
        shown.contains(&format!(
            "\n\ntenant\n  issuer\n    {tenant}\n  expires      not logged in\n"
        )),
        "{shown}"
    );
    let wide = on_terminal(home.oauth().arg("status"), 190);
    assert!(wide.trim_start().starts_with("PROFILE  WHO"), "{wide}");
}
