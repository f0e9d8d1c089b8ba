//! The pictures in `docs/pictures`, made from the program as it is: with `BLESS`
//! set these tests write them (`docs/pictures/make`), else they compare the text
//! that a picture shows with what the program shows now. A terminal is drawn as
//! SVG, whose text is compared as it stands; what a page shows is in a `.txt`
//! beside its PNG.

use crate::support::authorization_server::FakeBrowser;
use crate::support::binary::Home;
use crate::support::callback::get_url;
use crate::support::chromium::{Chromium, Scheme};
use crate::support::development_server::DevelopmentServer;
use crate::support::plain_browser::PlainBrowser;
use crate::support::running::Running;
use crate::support::terminal::Terminal;
use regex::Regex;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A README is loaded over slow networks, too.
const MAX_BYTES: u64 = 150 * 1024;

/// What differs from run to run, and what is shown in its place.
const FILTERS: [(&str, &str); 9] = [
    (r"127\.0\.0\.1:\d+", "127.0.0.1:9000"),
    (r"127\.0\.0\.1-\d+", "127.0.0.1-9000"),
    (r"/\S*/\.local/", "~/.local/"),
    ("with key \"[^\"]+\"", "with key \"kid\""),
    (r"(sha256\s+)[0-9a-f]{8}", "${1}3fb5b1c2"),
    (
        r"code_challenge = \S+",
        "code_challenge = E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    ),
    (r"\b\d+(\.\d+)? m?s\b", "7 ms"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "2026-01-01 12:00:00 UTC"),
    (r"oauth \d+\.\d+\.\d+", "oauth 0.1.0"),
];

fn without_chance(text: &str) -> String {
    FILTERS.iter().fold(text.to_owned(), |text, (pattern, shown)| {
        Regex::new(pattern)
            .expect("a pattern")
            .replace_all(&text, *shown)
            .into_owned()
    })
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/pictures").join(name)
}

fn is_blessing() -> bool {
    std::env::var_os("BLESS").is_some()
}

/// Writes the text of a picture, or compares it.
#[track_caller]
fn compare(name: &str, text: &str) {
    if is_blessing() {
        std::fs::write(file(name), text).expect("writing");
    }
    let drawn = std::fs::read_to_string(file(name)).unwrap_or_default();
    assert!(
        is_same(name, &drawn, text),
        "docs/pictures/{name} is out of date; run docs/pictures/make and look at the difference:\n{text}"
    );
}

/// Rows of a trace whose events are told by two threads may stand in another order.
fn is_same(name: &str, drawn: &str, text: &str) -> bool {
    let rows = |text: &str| {
        let mut rows: Vec<String> = text.lines().map(str::to_owned).collect();
        rows.sort();
        rows
    };
    drawn == text || (name.starts_with("trace") && rows(drawn) == rows(text))
}

/// The same for a page: its picture, and the text of these elements of it.
#[track_caller]
fn compare_page(chromium: &Chromium, name: &str, selector: &str) {
    let text = chromium.run(&format!(
        "return [...document.querySelectorAll('{selector}')].filter(part => part.checkVisibility()) \
         .map(part => part.innerText.replace(/\\s+/g, ' ').trim()).join('\\n')"
    ));
    let text = without_chance(text.as_str().expect("text")) + "\n";
    if is_blessing() {
        chromium.prefer(Scheme::Light);
        std::fs::write(file(&format!("{name}.png")), chromium.picture()).expect("writing");
    }
    compare(&format!("{name}.txt"), &text);
}

/// A login that is played with this server; the page of its trace.
pub(crate) fn traced_login(home: &Home, server: &DevelopmentServer) -> PathBuf {
    let browser = FakeBrowser::new(home.path());
    let trace = home.path().join("login.html");
    let mut command = home.oauth();
    command.args(server.login_arguments());
    command.args(["--browser", &browser.command(), "--trace"]).arg(&trace);
    let login = Running::start(&mut command);
    let back = PlainBrowser::new().go_to(&browser.wait_for_url()).elsewhere();
    let _ = get_url(back.as_str());
    login.end();
    trace
}

/// Shows a trace without what is about the machine that the picture is made on,
/// and without the start of the browser, which is told only before the callback.
fn show_trace(chromium: &Chromium, trace: &Path, height: u32) {
    chromium.resize(1000, height);
    chromium.go_to(&format!("file://{}", trace.display()));
    chromium.run(
        "document.documentElement.style.scrollbarWidth = 'none'; document.querySelectorAll('.note.remark').forEach(note => note.remove()); \
         document.querySelectorAll('.label').forEach(label => { \
         if (label.textContent.startsWith('started: ')) { label.remove() } })",
    );
}

const TRACE_TEXT: &str = "h1, .banner .result, .banner dt, .banner dd, .parties span, h2 b, .label";

#[test]
fn the_pictures_of_traces_show_what_a_trace_shows() {
    let Some(chromium) = Chromium::start() else { return };
    let home = Home::new();
    let server = DevelopmentServer::start(&["--approve", "auto"]);
    show_trace(&chromium, &traced_login(&home, &server), 1150);
    compare_page(&chromium, "trace", TRACE_TEXT);

    let home = Home::new();
    let server = DevelopmentServer::start(&["--approve", "auto", "--break", "token.token-type"]);
    show_trace(&chromium, &traced_login(&home, &server), 900);
    chromium.click(".banner a");
    compare_page(&chromium, "trace-failure", TRACE_TEXT);
}

#[test]
fn the_picture_of_the_consent_page_shows_what_it_shows() {
    let Some(chromium) = Chromium::start() else { return };
    let home = Home::new();
    let browser = FakeBrowser::new(home.path());
    let server = DevelopmentServer::start(&[]);
    let mut command = home.oauth();
    command.args(["login", &server.issuer(), "--client-id", "oauth-cli"]);
    command.args([
        "--scope",
        "openid profile offline_access",
        "--browser",
        &browser.command(),
    ]);
    let _login = Running::start(&mut command);
    chromium.resize(1000, 720);
    chromium.go_to(&browser.wait_for_url());
    chromium.fill_in("#username", "demo");
    chromium.fill_in("#password", "demo");
    chromium.click("button[value=sign-in]");
    chromium.wait_for_heading("Allow oauth-cli access?");
    compare_page(&chromium, "consent", "body");
}

#[test]
fn the_picture_of_a_report_shows_what_check_prints() {
    let home = Home::new();
    let server = DevelopmentServer::start(&[
        "--approve",
        "auto",
        "--break",
        "pkce.wrong-verifier",
        "--break",
        "metadata.no-password",
    ]);
    // one that needs no more columns than the picture has, whatever the port
    let words = "--client-id oauth-cli --for oauth2.1 --scope openid";
    let typed = format!("oauth check http://127.0.0.1:9000 {words}");
    let mut command = home.oauth();
    command.args(["check", &server.issuer()]).args(words.split(' '));
    let shown = on_a_terminal(command.args(["--color", "always"]));
    let from = shown
        .find("\nfail")
        .or_else(|| shown.find("fail  "))
        .expect("what is broken");
    let from = shown[..from].rfind('\n').map_or(0, |line| line + 1);
    compare(
        "check.svg",
        &svg(&format!("\u{1b}[2m$\u{1b}[0m {typed}\n…\n{}", &shown[from..])),
    );
}

/// What a command shows on a terminal of 96 columns.
fn on_a_terminal(command: &mut Command) -> String {
    let terminal = Terminal::with_columns(96);
    let mut child = terminal.start(command);
    let shown = terminal.last_screen();
    child.wait().expect("its end");
    without_chance(&shown.replace('\r', ""))
}

/// A terminal that shows this text, with its colours.
fn svg(text: &str) -> String {
    const LINE: usize = 18;
    let lines: Vec<&str> = text.trim_end().lines().collect();
    let (width, height) = (96 * 8 + 32, lines.len() * LINE + 32);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\">\n\
         <style>\n\
         rect {{ fill: #fbfbfd; stroke: #d5dae3 }} text {{ fill: #1b2330; font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; white-space: pre }}\n\
         .b {{ font-weight: 700 }} .d {{ fill: #667085 }} .r {{ fill: #c02f2b }} .g {{ fill: #16794a }} .y {{ fill: #96600a }} .c {{ fill: #0b7285 }}\n\
         @media (prefers-color-scheme: dark) {{ rect {{ fill: #11151c; stroke: #323c4c }} text {{ fill: #e3e8f0 }} .d {{ fill: #93a0b4 }} .r {{ fill: #ff8a80 }} .g {{ fill: #5fcf98 }} .y {{ fill: #eabb5c }} .c {{ fill: #66d9e8 }} }}\n\
         </style>\n<rect x=\".5\" y=\".5\" width=\"{}\" height=\"{}\" rx=\"10\"/>\n",
        width - 1,
        height - 1
    );
    for (number, line) in lines.iter().enumerate() {
        let y = 16 + (number + 1) * LINE - 5;
        let _ = writeln!(
            svg,
            "<text x=\"16\" y=\"{y}\" xml:space=\"preserve\">{}</text>",
            spans(line)
        );
    }
    svg + "</svg>\n"
}

/// One line with its colours (ECMA-48 §8.3.117) as classes.
fn spans(line: &str) -> String {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut parts = line.split("\u{1b}[");
    let mut spans = escape(parts.next().unwrap_or_default());
    for part in parts {
        let (codes, text) = part.split_once('m').expect("a colour");
        let classes = codes.split(';').filter_map(|code| match code {
            "1" => Some("b"),
            "2" => Some("d"),
            "31" => Some("r"),
            "32" => Some("g"),
            "33" => Some("y"),
            "36" => Some("c"),
            _ => None,
        });
        let classes = classes.collect::<Vec<_>>().join(" ");
        match (classes.is_empty(), text.is_empty()) {
            (_, true) => {}
            (true, false) => spans += &escape(text),
            (false, false) => {
                let _ = write!(spans, "<tspan class=\"{classes}\">{}</tspan>", escape(text));
            }
        }
    }
    spans
}

#[test]
fn the_pictures_are_small_and_every_one_is_shown_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages = vec![std::fs::read_to_string(root.join("README.md")).expect("the README")];
    for page in std::fs::read_dir(root.join("docs")).expect("docs").flatten() {
        pages.extend(std::fs::read_to_string(page.path()));
    }
    for picture in std::fs::read_dir(file("")).expect("pictures").flatten() {
        let name = picture.file_name().into_string().expect("a name");
        if name.ends_with(".png") || name.ends_with(".svg") {
            let length_bytes = picture.metadata().expect("its size").len();
            assert!(length_bytes <= MAX_BYTES, "{name} has {length_bytes} bytes");
            let is_shown = pages.iter().any(|page| page.contains(&format!("pictures/{name})")));
            assert!(is_shown, "no page shows {name}");
        }
    }
}
