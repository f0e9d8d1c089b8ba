//! What tests of a login have in common: the usual command line, a whole login
//! in one call, what was kept of it, and browsers made of a script.
#![allow(dead_code, unreachable_pub, reason = "each test uses its own part")]

use super::authorization_server::{consent, parameters};
use super::binary::Home;
use super::development_server::DevelopmentServer;
use super::literal_server::{LiteralServer, PATIENCE, value_of};
use super::outcome::{Outcome, run};
use super::plain_browser::PlainBrowser;
use super::running::Running;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The client of the usual command line.
pub const CLIENT: &str = "desktop";

/// `oauth login --issuer ORIGIN --client-id desktop` and these arguments.
pub fn login(home: &Home, server: &LiteralServer, arguments: &[&str]) -> Command {
    let mut command = home.oauth();
    command
        .args(["login", "--issuer", &server.origin(), "--client-id", CLIENT])
        .args(arguments);
    // the environment of tests has no display; these systems have one without saying so
    let chooses_browser = ["--browser", "--no-browser", "--refresh-token-stdin"];
    let is_chosen = arguments.iter().any(|argument| chooses_browser.contains(argument));
    if cfg!(any(windows, target_os = "macos")) && !is_chosen {
        command.arg("--no-browser");
    }
    command
}

/// Runs it to its end, with a resource owner who consents at once.
pub fn complete(command: &mut Command, issuer: &str) -> Outcome {
    let (finished, _) = complete_seeing_url(command, issuer);
    finished
}

/// The same, with the authorization URL that was printed.
pub fn complete_seeing_url(command: &mut Command, issuer: &str) -> (Outcome, String) {
    let running = Running::start(command);
    let url = running.authorization_url();
    consent(&url, issuer);
    (running.end(), url)
}

/// Runs it to its end at `oauth serve --approve auto`, with these arguments after `oauth login`.
#[track_caller]
pub fn complete_at(server: &DevelopmentServer, home: &Home, arguments: &[&str]) -> Outcome {
    let mut command = home.oauth();
    command
        .args(["login", "--issuer", &server.issuer(), "--no-browser"])
        .args(arguments);
    let running = Running::start(&mut command);
    let back = PlainBrowser::new().go_to(&running.authorization_url()).elsewhere();
    // the page that comes back is not this helper's concern
    let _ = super::callback::get_url(back.as_str());
    running.end()
}

/// One parameter of an authorization URL.
pub fn parameter(authorization_url: &str, name: &str) -> String {
    let parameters = parameters(authorization_url);
    value_of(&parameters, name)
        .unwrap_or_else(|| panic!("no {name} in {authorization_url}"))
        .to_owned()
}

/// `host:port` of the listener.
pub fn listener_of(authorization_url: &str) -> String {
    let redirect_uri = url::Url::parse(&parameter(authorization_url, "redirect_uri")).expect("a redirect URI");
    super::callback::authority(&redirect_uri)
}

/// Fails the test if a session or a profile was kept.
#[track_caller]
pub fn assert_nothing_kept(home: &Home) {
    assert_eq!(stored(home), Vec::<PathBuf>::new());
    assert!(!home.config_file().exists(), "a profile was saved");
}

/// The files of the sessions that are kept.
pub fn stored(home: &Home) -> Vec<PathBuf> {
    let mut files = home.files();
    files.retain(|file| file.starts_with(sessions(home)));
    files
}

/// The folder of the encrypted sessions.
pub fn sessions(home: &Home) -> PathBuf {
    home.path().join(".local/share/oauth/sessions")
}

/// `oauth status --json`.
pub fn status(home: &Home) -> serde_json::Value {
    let finished = run(home.oauth().args(["status", "--json"])).expect_code(0);
    serde_json::from_str(&finished.stdout).expect("JSON")
}

/// A shell script as a command line, for a browser. It is read by the shell and
/// not executed itself: a file that was just written may still be open for
/// writing in a child that another test has forked, and is then "busy".
pub fn script(folder: &Path, name: &str, lines: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, format!("{lines}\n")).expect("writing the script");
    format!("sh {}", path.display())
}

/// A browser that hands over what a piece of shell script prints.
pub struct ScriptedBrowser {
    pub command: String,
    pipe: PathBuf,
}

impl ScriptedBrowser {
    pub fn new(folder: &Path, prints: &str) -> Self {
        let pipe = folder.join("scripted-browser.pipe");
        let made = Command::new("mkfifo").arg(&pipe).status().expect("running mkfifo");
        assert!(made.success());
        let command = script(
            folder,
            "scripted-browser",
            &format!("{{\n{prints}\n}} > '{}'", pipe.display()),
        );
        ScriptedBrowser { command, pipe }
    }

    /// Waits until it is run, and gives what it printed.
    pub fn output(&self) -> String {
        let (sender, receiver) = std::sync::mpsc::channel();
        let pipe = self.pipe.clone();
        // opening a pipe waits for the other side, for ever if need be
        std::thread::spawn(move || sender.send(std::fs::read_to_string(pipe)));
        let output = receiver.recv_timeout(PATIENCE).expect("the browser is run");
        output.expect("reading the pipe")
    }
}

/// A browser that leaves a mark when it is run.
pub struct MarkingBrowser {
    pub command: String,
    mark: PathBuf,
}

impl MarkingBrowser {
    pub fn new(folder: &Path) -> Self {
        let mark = folder.join("browser-was-run");
        let command = script(
            folder,
            "marking-browser",
            &format!("echo \"$*\" > '{}'", mark.display()),
        );
        MarkingBrowser { command, mark }
    }

    pub fn was_run(&self) -> bool {
        self.mark.exists()
    }
}
