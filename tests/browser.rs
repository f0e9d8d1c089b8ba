//! The browser opener with browsers of the test's own making: scripts that
//! write down what they were given, fail, hang, or reach for the terminal.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use oauth::protocol::endpoint::HttpPolicy;
use oauth::user_agent::browser::{BrowserLauncher, BrowserProcess, BrowserReport, LaunchSettings, candidates, open};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use url::Url;

/// Far above what anything here takes; reached only by a test that fails.
const PATIENCE: Duration = Duration::from_secs(30);

const URL: &str = "https://id.example.com/authorize?state=s&code_challenge=c";

/// A folder with browsers in it, which is all of their `PATH` but for the
/// system's folders. What each writes to `$0.log` is complete when the file
/// is there.
struct Desktop {
    folder: TempDir,
}

impl Desktop {
    fn new() -> Desktop {
        Desktop {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A browser that writes down everything it was given, then does `end`.
    fn browser(&self, name: &str, end: &str) {
        let script = format!(
            "#!/bin/sh\n\
             streams=$(for stream in 0 1 2; do readlink /proc/$$/fd/$stream; done | tr '\\n' ' ')\n\
             {{\n\
             for word in \"$@\"; do printf 'word %s\\n' \"$word\"; done\n\
             tr '\\0' '\\n' < /proc/$$/environ | sed 's/^/variable /'\n\
             printf 'streams %s\\n' \"$streams\"\n\
             printf 'group %s\\n' \"$(cut -d' ' -f5 /proc/$$/stat)\"\n\
             }} > \"$0.part\"\n\
             mv \"$0.part\" \"$0.log\"\n\
             {end}\n"
        );
        self.install(name, &script);
    }

    /// Written by another process: a file that this one has written may still be
    /// open for writing in a child that a test beside it has just forked.
    fn install(&self, name: &str, script: &str) {
        let source = self.path("source");
        std::fs::write(&source, script).unwrap();
        let mut install = std::process::Command::new("install");
        install.arg("-m755").arg(&source).arg(self.path(name));
        assert!(install.status().unwrap().success());
    }

    fn environment(&self) -> Vec<(OsString, OsString)> {
        let path = format!("{}:/usr/bin:/bin", self.folder.path().display());
        [
            ("PATH", path.as_str()),
            ("HOME", "/nonexistent"),
            ("DISPLAY", ":99"),
            ("OAUTH_CLIENT_SECRET", "canary"),
            ("OAUTH_STORE_PASSPHRASE", "canary"),
            ("oauth_lower", "canary"),
            ("OAUTHOR", "somebody else's"),
        ]
        .map(|(name, value)| (name.into(), value.into()))
        .to_vec()
    }

    fn open(&self, launchers: Vec<BrowserLauncher>) -> BrowserProcess {
        let settings = LaunchSettings::new(HttpPolicy::LoopbackOnly, self.environment());
        open(&Url::parse(URL).unwrap(), launchers, settings).unwrap()
    }

    /// What the browser wrote down, once it has.
    fn log(&self, name: &str) -> String {
        let path = self.path(&format!("{name}.log"));
        wait_for(&path);
        std::fs::read_to_string(path).unwrap()
    }
}

/// A file made by another process gives no other sign.
fn wait_for(path: &Path) {
    let began = Instant::now();
    while !path.exists() {
        assert!(began.elapsed() < PATIENCE, "{} never came", path.display());
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn flag(command: &str) -> Vec<BrowserLauncher> {
    candidates(Some(command), None, true).unwrap()
}

fn variable(list: &str, display: bool) -> Vec<BrowserLauncher> {
    candidates(None, Some(list), display).unwrap()
}

fn next(opening: &mut BrowserProcess) -> Option<BrowserReport> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let next = async { tokio::time::timeout(PATIENCE, opening.next()).await };
    runtime.block_on(next).expect("a report in time")
}

fn started(command: &str) -> Option<BrowserReport> {
    Some(BrowserReport::Started {
        command: command.to_owned(),
    })
}

fn not_started(command: &str, reason: &str) -> Option<BrowserReport> {
    Some(BrowserReport::NotStarted {
        command: command.to_owned(),
        reason: reason.to_owned(),
    })
}

fn exited(command: &str, how: &str) -> Option<BrowserReport> {
    Some(BrowserReport::Exited {
        command: command.to_owned(),
        how: how.to_owned(),
    })
}

#[test]
fn a_browser_gets_the_url_and_nothing_of_ours() {
    let desktop = Desktop::new();
    desktop.browser("fake", "");
    let mut opening = desktop.open(flag("fake -P 'my work' --app=%s"));
    assert_eq!(next(&mut opening), started("fake -P 'my work' '--app=%s'"));
    assert_eq!(next(&mut opening), None);
    let log = desktop.log("fake");
    let of = |kind: &str| -> Vec<&str> { log.lines().filter_map(|line| line.strip_prefix(kind)).collect() };
    assert_eq!(of("word "), ["-P", "my work", &format!("--app={URL}")]);
    let mut variables = of("variable ");
    variables.sort_unstable();
    let path = format!("PATH={}:/usr/bin:/bin", desktop.folder.path().display());
    assert_eq!(
        variables,
        ["DISPLAY=:99", "HOME=/nonexistent", "OAUTHOR=somebody else's", &path]
    );
    assert_eq!(of("streams "), ["/dev/null /dev/null /dev/null "]);
    assert_ne!(of("group "), [rustix::process::getpgrp().as_raw_nonzero().to_string()]);
}

#[test]
fn a_browser_that_cannot_be_run_or_fails_at_once_gives_way_to_the_next() {
    let desktop = Desktop::new();
    desktop.browser("refuses", "exit 3");
    desktop.browser("dies", "kill -9 $$");
    std::fs::write(desktop.path("text"), "not a program").unwrap();
    desktop.browser("works", "exit 0");
    desktop.browser("unneeded", "");
    let mut opening = desktop.open(variable("missing:text:refuses:dies --x:works:unneeded", false));
    assert_eq!(next(&mut opening), not_started("missing", "no such program"));
    assert_eq!(next(&mut opening), not_started("text", "not executable"));
    assert_eq!(next(&mut opening), started("refuses"));
    assert_eq!(next(&mut opening), exited("refuses", "exited with 3"));
    assert_eq!(next(&mut opening), started("dies --x"));
    assert_eq!(next(&mut opening), exited("dies --x", "was ended by a signal"));
    assert_eq!(next(&mut opening), started("works"));
    assert_eq!(next(&mut opening), None);
    assert!(desktop.log("works").contains(&format!("word {URL}\n")));
    assert!(!desktop.path("unneeded.log").exists());
}

#[test]
fn the_systems_opener_is_run_by_the_same_rules() {
    let desktop = Desktop::new();
    desktop.browser("own", "exit 1");
    desktop.browser("xdg-open", "exit 4");
    desktop.browser("gio", "");
    let mut opening = desktop.open(variable("own", true));
    assert_eq!(next(&mut opening), started("own"));
    assert_eq!(next(&mut opening), exited("own", "exited with 1"));
    assert_eq!(next(&mut opening), started("xdg-open"));
    assert_eq!(next(&mut opening), exited("xdg-open", "exited with 4"));
    assert_eq!(next(&mut opening), started("gio"));
    assert_eq!(next(&mut opening), None);
    let log = desktop.log("gio");
    assert!(
        log.contains(&format!("word open\nword {URL}\n")) && !log.contains("canary"),
        "{log}"
    );
    assert!(log.contains("streams /dev/null /dev/null /dev/null"), "{log}");
}

#[test]
fn a_program_whose_path_has_blanks_is_run() {
    let desktop = Desktop::new();
    std::fs::create_dir(desktop.path("Program Files")).unwrap();
    desktop.browser("Program Files/my browser", "");
    let program = desktop.path("Program Files/my browser").display().to_string();
    let shown = format!("'{program}'");
    for (command, shown, words) in [
        (program.clone(), shown.clone(), vec![URL]),
        (
            format!("{program} -P 'my work' %s"),
            format!("{shown} -P 'my work' '%s'"),
            vec!["-P", "my work", URL],
        ),
        (shown.clone(), shown.clone(), vec![URL]),
    ] {
        for launchers in [variable(&command, false), flag(&command)] {
            let mut opening = desktop.open(launchers);
            assert_eq!(next(&mut opening), started(&shown), "{command}");
            assert_eq!(next(&mut opening), None);
            let log = desktop.log("Program Files/my browser");
            let given: Vec<&str> = log.lines().filter_map(|line| line.strip_prefix("word ")).collect();
            assert_eq!(given, words, "{command}");
            std::fs::remove_file(desktop.path("Program Files/my browser.log")).unwrap();
        }
    }
    // what is not a file is split as ever
    let mut opening = desktop.open(variable("/no such/browser -x", false));
    assert_eq!(
        next(&mut opening),
        not_started("/no such/browser -x", "no such program")
    );
}

#[test]
fn the_exit_status_of_windows_explorer_means_nothing() {
    let desktop = Desktop::new();
    desktop.browser("explorer.exe", "exit 1");
    desktop.browser("Explorer.EXE", "exit 1");
    desktop.browser("unneeded", "");
    let path = desktop.path("Explorer.EXE").display().to_string();
    for program in ["explorer.exe", &path] {
        let mut opening = desktop.open(variable(&format!("{program}:unneeded"), false));
        assert_eq!(next(&mut opening), started(program));
        assert_eq!(next(&mut opening), None);
    }
    assert!(!desktop.path("unneeded.log").exists());
}

#[test]
fn nobody_waits_for_a_browser_that_stays() {
    let desktop = Desktop::new();
    desktop.browser("stays", "cat \"$0.fifo\"; exit 1");
    let fifo = desktop.path("stays.fifo");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    let began = Instant::now();
    let mut opening = desktop.open(flag("stays"));
    assert!(began.elapsed() < Duration::from_secs(2));
    assert_eq!(next(&mut opening), started("stays"));
    desktop.log("stays");
    drop(opening);
    // lets it end
    drop(std::fs::OpenOptions::new().write(true).open(fifo).unwrap());
}

#[test]
fn a_browser_that_is_closed_later_did_not_fail() {
    let desktop = Desktop::new();
    desktop.browser("closed", "exit 1");
    desktop.browser("unneeded", "");
    let settings = LaunchSettings {
        quick_failure: Duration::ZERO,
        ..LaunchSettings::new(HttpPolicy::LoopbackOnly, desktop.environment())
    };
    let launchers = variable("closed:unneeded", false);
    let mut opening = open(&Url::parse(URL).unwrap(), launchers, settings).unwrap();
    assert_eq!(next(&mut opening), started("closed"));
    assert_eq!(next(&mut opening), None);
    assert!(!desktop.path("unneeded.log").exists());
}

#[test]
fn a_url_that_no_browser_is_sent_to_runs_nothing() {
    let desktop = Desktop::new();
    desktop.browser("fake", "");
    let url = Url::parse("file:///etc/passwd").unwrap();
    let settings = LaunchSettings::new(HttpPolicy::Everywhere, desktop.environment());
    assert!(open(&url, flag("fake"), settings).is_err());
    let mut opening = desktop.open(Vec::new());
    assert_eq!(next(&mut opening), None);
    assert!(!desktop.path("fake.log").exists());
}
