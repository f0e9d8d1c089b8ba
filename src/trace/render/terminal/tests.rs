//! The renderer on a recorded login, as whole text.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::protocol::http::HttpRequest;
use crate::trace::fixtures::secrets_in_urls::{REVOCATION_COMMAND, revocation_url, secrets_in_urls};
use crate::trace::fixtures::{
    Recording, SECRETS, URL, compare_with_golden, failed_login, play, recorded_login, response,
};
use jiff::civil::date;
use jiff::tz::TimeZone;
use std::io;
use std::num::NonZero;
use std::sync::{Arc, Mutex};
use url::Url;

/// A device that remembers what was written, and whether the redrawn line
/// stood there.
#[derive(Clone, Default, Debug)]
struct Paper(Arc<Mutex<String>>);

impl Paper {
    fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }
}

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().push_str(std::str::from_utf8(bytes).unwrap());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn noon() -> Zoned {
    date(2026, 11, 22).at(13, 58, 20, 0).to_zoned(TimeZone::UTC).unwrap()
}

fn rendered(settings: TerminalSettings) -> String {
    rendered_of(recorded_login, settings)
}

fn rendered_of(recording: Recording, settings: TerminalSettings) -> String {
    let paper = Paper::default();
    let mut terminal = Terminal::new(settings, Box::new(paper.clone())).with_clock(noon);
    play(&mut |event, _| terminal.observe(event), recording);
    paper.text()
}

fn golden(name: &str, settings: TerminalSettings) -> String {
    let text = rendered(settings);
    compare_with_golden(&format!("terminal/{name}"), &text);
    text
}

fn level(verbosity: u8) -> TerminalSettings {
    TerminalSettings {
        verbosity,
        ..TerminalSettings::default()
    }
}

#[test]
fn a_login_that_fails_is_shown_as_far_as_it_came() {
    for verbosity in [0, 2] {
        let text = rendered_of(failed_login, level(verbosity));
        compare_with_golden(&format!("terminal/failed-level-{verbosity}.txt"), &text);
    }
}

#[test]
fn each_level_adds_to_the_one_before() {
    let texts: Vec<String> = (0..4)
        .map(|verbosity| golden(&format!("level-{verbosity}.txt"), level(verbosity)))
        .collect();
    for (less, more) in texts.iter().zip(&texts[1..]) {
        let mut remaining = more.lines();
        for line in less.lines() {
            assert!(remaining.any(|other| other == line), "{line:?} is missing one level up");
        }
    }
}

#[test]
fn no_level_shows_a_secret_or_a_control_character() {
    for (verbosity, json) in [(3, false), (3, true)] {
        let text = rendered(TerminalSettings {
            json,
            ..level(verbosity)
        });
        // the URL has to be whole to be of use
        let text = text.replace(URL, "");
        for secret in SECRETS {
            assert!(!text.contains(secret), "{secret} in:\n{text}");
        }
        assert!(
            !text
                .chars()
                .any(|character| character.is_control() && character != '\n'),
            "{text}"
        );
        assert!(!text.contains("\nerror:"), "{text}");
        assert!(text.contains("sha256"), "{text}");
    }
}

#[test]
fn a_secret_in_a_url_is_redacted_and_a_variable_of_the_command() {
    let text = rendered_of(secrets_in_urls, level(2));
    assert!(text.contains(&format!("  > GET {}\n", revocation_url())), "{text}");
    assert!(text.contains(&format!("    {REVOCATION_COMMAND} \\\n")), "{text}");
    let json = rendered_of(secrets_in_urls, TerminalSettings { json: true, ..level(2) });
    assert!(json.contains(&revocation_url()), "{json}");
    for secret in SECRETS {
        assert!(
            !text.contains(secret) && !json.contains(secret),
            "{secret} in:\n{text}{json}"
        );
    }
    let whole = rendered_of(
        secrets_in_urls,
        TerminalSettings {
            show_secrets: true,
            ..level(2)
        },
    );
    assert!(
        whole.contains("  > GET https://id.example.com/revoke?token=tGzv3JOkF0XG5Qx2TlKWIA&"),
        "{whole}"
    );
    assert!(whole.contains(REVOCATION_COMMAND), "{whole}");
}

#[test]
fn quiet_says_nothing_until_a_browser_is_overdue_whatever_else_is_asked() {
    let quiet = TerminalSettings {
        quiet: true,
        show_secrets: true,
        is_terminal: true,
        ..level(3)
    };
    assert_eq!(rendered(quiet), "");
    let overdue = |settings| rendered_of(|tell| tell(0, &Event::BrowserOverdue { url: URL }), settings);
    assert_eq!(overdue(quiet), format!("{URL}\n"));
    for shown_already in [level(0), level(1), TerminalSettings { json: true, ..quiet }] {
        assert_eq!(overdue(shown_already), "");
    }
    let json = TerminalSettings { json: true, ..quiet };
    assert_eq!(rendered(json), format!("{{\"authorization_url\":\"{URL}\"}}\n"));
}

#[test]
fn with_json_every_line_is_an_object() {
    let text = golden("json-level-0.txt", TerminalSettings { json: true, ..level(0) });
    assert!(text.contains("{\"warning\":") && text.contains("{\"note\":"), "{text}");
    let text = golden("json-level-3.txt", TerminalSettings { json: true, ..level(3) });
    for line in text.lines() {
        let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).unwrap();
        let names: Vec<&str> = object.keys().map(String::as_str).collect();
        let known = ["authorization_url", "event", "note", "warning"];
        assert!(known.iter().any(|name| names.contains(name)), "{line}");
    }
}

#[test]
fn secrets_are_shown_whole_under_a_warning_when_asked_for() {
    let text = golden(
        "show-secrets.txt",
        TerminalSettings {
            show_secrets: true,
            ..level(2)
        },
    );
    assert!(text.starts_with("warning: "), "{text}");
    for secret in [
        "SplxlOBeZQQYbYS6WxSbIA",
        "2YotnFZFEjr1zCsicMWpAA",
        "Basic ZGVza3RvcDpodW50ZXIy",
    ] {
        assert!(text.contains(secret), "{secret} not in:\n{text}");
    }
    assert!(!text.contains("redacted") && !text.contains('\u{1b}'), "{text}");
    let without_trace = rendered(TerminalSettings {
        show_secrets: true,
        ..level(0)
    });
    assert_eq!(without_trace, rendered(level(0)));
}

#[test]
fn colour_changes_nothing_but_the_colour() {
    let coloured = rendered(TerminalSettings {
        colour: true,
        ..level(3)
    });
    assert!(coloured.contains("\u{1b}[1;33mwarning:\u{1b}[0m"), "{coloured}");
    // the URL can be copied
    assert!(coloured.contains(&format!("\n{URL}\n")), "{coloured}");
    let mut plain = String::new();
    let mut pieces = coloured.split("\u{1b}[");
    plain.push_str(pieces.next().unwrap());
    for piece in pieces {
        plain.push_str(piece.split_once('m').unwrap().1);
    }
    assert_eq!(plain, rendered(level(3)));
}

#[test]
fn a_long_url_is_neither_cut_nor_broken() {
    let paper = Paper::default();
    let mut terminal = Terminal::new(level(0), Box::new(paper.clone()));
    let url = format!("{URL}&scope={}", "s".repeat(8_000));
    terminal.observe(&Event::AuthorizationUrl(url.as_str().into()));
    assert!(paper.text().ends_with(&format!("\n{url}\n")));
}

#[test]
fn a_long_body_is_counted_not_shown() {
    let paper = Paper::default();
    let mut terminal = Terminal::new(level(2), Box::new(paper.clone()));
    let request = HttpRequest::get(Url::parse("https://id.example.com/keys").unwrap());
    let body = format!("[{}1]", "1,".repeat(5_000));
    let response = response(200, "application/json", &body);
    terminal.observe(&Event::ResponseReceived {
        request: &request,
        response: &response,
    });
    let text = paper.text();
    assert!(text.ends_with("  < [4803 more lines]\n"), "{text}");
    assert!(text.lines().count() < 210);
}

#[test]
fn a_terminal_shows_the_server_first_and_the_whole_url_when_no_browser_comes_back() {
    let settings = TerminalSettings {
        is_terminal: true,
        ..level(0)
    };
    let waiting = |tell: &mut dyn FnMut(u64, &Event<'_>)| {
        tell(0, &Event::AuthorizationUrl(URL.into()));
        tell(1, &Event::BrowserStarted { command: "firefox" });
    };
    let opening = "Opening https://id.example.com/… in your browser\n";
    assert_eq!(rendered_of(waiting, settings), opening);
    let overdue = |tell: &mut dyn FnMut(u64, &Event<'_>)| {
        tell(0, &Event::AuthorizationUrl(URL.into()));
        tell(1, &Event::BrowserStarted { command: "firefox" });
        tell(2, &Event::BrowserOverdue { url: URL });
    };
    let whole = format!("Sign in at this address:\n{URL}\n");
    assert_eq!(rendered_of(overdue, settings), format!("{opening}{whole}"));
    // at once where it is asked for, and then not again
    let shown = rendered_of(
        overdue,
        TerminalSettings {
            verbosity: 1,
            ..settings
        },
    );
    assert_eq!(shown.matches(URL).count(), 1, "{shown}");
    let linked = rendered_of(
        waiting,
        TerminalSettings {
            colour: true,
            ..settings
        },
    );
    assert!(
        linked.contains(&format!(
            "\u{1b}]8;;{URL}\u{1b}\\https://id.example.com/…\u{1b}]8;;\u{1b}\\"
        )),
        "{linked}"
    );
}

#[test]
fn success_has_a_tick_on_a_terminal_alone() {
    let done = |tell: &mut dyn FnMut(u64, &Event<'_>)| {
        tell(0, &Event::Success("signed in as demo at https://id.example.com"));
        tell(1, &Event::SuccessDetail("granted: openid"));
    };
    assert_eq!(
        rendered_of(done, level(0)),
        "signed in as demo at https://id.example.com\ngranted: openid\n"
    );
    let terminal = TerminalSettings {
        is_terminal: true,
        ..level(0)
    };
    assert_eq!(
        rendered_of(done, terminal),
        "✓ Signed in as demo at https://id.example.com\n  granted: openid\n"
    );
    let coloured = rendered_of(
        done,
        TerminalSettings {
            colour: true,
            ..terminal
        },
    );
    assert_eq!(
        coloured,
        "\u{1b}[32m✓\u{1b}[0m Signed in as demo at https://id.example.com\n\u{1b}[2m  granted: openid\u{1b}[0m\n"
    );
}

// The line that is redrawn.

/// A terminal of which a test sees the screen, each time that something was written.
#[derive(Clone)]
struct Screen(Arc<Mutex<vt100::Parser>>);

impl Screen {
    /// The rows that are not empty.
    fn rows(&self) -> Vec<String> {
        let screen = self.0.lock().unwrap();
        let rows = screen.screen().rows(0, 80).map(|row| row.trim_end().to_owned());
        rows.filter(|row| !row.is_empty()).collect()
    }
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // as a terminal's driver does it
        let text = std::str::from_utf8(bytes).unwrap().replace('\n', "\r\n");
        self.0.lock().unwrap().process(text.as_bytes());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_waiting_line_makes_way_for_others_and_leaves_nothing_behind() {
    let size = |size| NonZero::new(size).unwrap();
    let screen = Screen(Arc::new(Mutex::new(vt100::Parser::new(size(24), size(80), 0))));
    let settings = TerminalSettings {
        is_terminal: true,
        redraws: true,
        ..level(0)
    };
    let mut terminal = Terminal::new(settings, Box::new(screen.clone()));
    terminal.observe(&Event::WaitBegins {
        timeout: Duration::from_secs(300),
        awaited: "the browser",
        paste: Paste::No,
    });
    let is_waiting = |row: &str, tick: char| row.starts_with(&format!("{tick} Waiting for the browser"));
    assert!(is_waiting(&screen.rows()[0], '⠋'), "{:?}", screen.rows());
    assert!(screen.rows()[0].ends_with(" 5:00"), "{:?}", screen.rows());
    // redrawn by a thread of its own
    while !is_waiting(&screen.rows()[0], '⠙') {
        std::thread::yield_now();
    }
    terminal.observe(&Event::Note("still here"));
    let rows = screen.rows();
    assert_eq!(rows[0], "note: still here");
    assert!(
        rows.len() == 2 && rows[1].contains("Waiting for the browser"),
        "{rows:?}"
    );
    terminal.observe(&Event::WaitEnds);
    assert_eq!(screen.rows(), ["note: still here"]);
    terminal.observe(&Event::Warning("after the wait"));
    assert_eq!(screen.rows(), ["note: still here", "warning: after the wait"]);
}
