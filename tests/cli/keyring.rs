//! Sessions in a real gnome-keyring: what other programs find there, and what
//! a person is told when it is locked, absent, gone or silent.

use super::support::authorization_server::{self, ACCESS_TOKEN, FakeBrowser, REFRESH_TOKEN, consent};
use super::support::binary::Home;
use super::support::keyring_session::{Activation, KeyringSession};
use super::support::literal_server::{LiteralServer, json};
use super::support::outcome::{Outcome, run};
use super::support::running::Running;
use super::support::terminal::Terminal;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// A person's home, with or without a keyring.
struct Person {
    home: Home,
    bus: Vec<(&'static str, std::ffi::OsString)>,
    server: LiteralServer,
}

impl Person {
    fn in_session(session: &KeyringSession) -> Self {
        Person {
            home: Home::new(),
            bus: session.environment(),
            server: authorization_server::start(),
        }
    }

    /// The address is where the bus is said to be; nobody has to be there.
    fn with_bus_at(address: Option<&Path>) -> Self {
        let home = Home::new();
        let mut bus = vec![("XDG_RUNTIME_DIR", home.path().into())];
        if let Some(address) = address {
            bus.push((
                "DBUS_SESSION_BUS_ADDRESS",
                format!("unix:path={}", address.display()).into(),
            ));
        }
        Person {
            home,
            bus,
            server: authorization_server::start(),
        }
    }

    /// `oauth` with the store that it has by default.
    fn oauth(&self, arguments: &[&str]) -> Command {
        let mut command = self.home.oauth();
        command
            .envs(self.bus.iter().map(|(name, value)| (name, value)))
            .env("HOME", self.home.path())
            .env_remove("OAUTH_STORE")
            .args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Outcome {
        run(&mut self.oauth(arguments))
    }

    /// `oauth login` at the scripted server, in a browser that consents.
    fn login(&self, options: &[&str]) -> Outcome {
        let browser = FakeBrowser::new(self.home.path());
        let issuer = self.server.origin();
        let mut command = self.oauth(&["login", &issuer, "--client-id", "c", "--browser", &browser.command()]);
        let running = Running::start(command.args(options));
        consent(&browser.wait_for_url(), &issuer);
        running.end()
    }

    /// `oauth login` that should not come as far as a browser.
    fn login_without_browser(&self) -> Outcome {
        let opened = self.home.path().join("opened");
        let browser = format!("touch {}", opened.display());
        let issuer = self.server.origin();
        let ended = self.run(&[
            "login",
            &issuer,
            "--client-id",
            "c",
            "--profile",
            "work",
            "--browser",
            &browser,
        ]);
        assert!(!opened.exists(), "a browser was opened for nothing:\n{}", ended.stderr);
        assert!(!ended.stderr.contains("/authorize"), "{}", ended.stderr);
        ended
    }

    /// Writes a profile `work` into the configuration file.
    fn has_profile(&self) -> &Self {
        let issuer = self.server.origin();
        let config = format!("[profile.work]\nissuer = \"{issuer}\"\nclient_id = \"c\"\n");
        std::fs::create_dir_all(self.home.config_file().parent().expect("its folder")).expect("making it");
        std::fs::write(self.home.config_file(), config).expect("writing it");
        self
    }

    fn is_known_in_configuration(&self, text: &str) -> bool {
        std::fs::read_to_string(self.home.config_file()).is_ok_and(|config| config.contains(text))
    }
}

/// Exit 8, nothing on stdout, these texts on stderr and not the others.
#[track_caller]
fn assert_unusable(ended: Outcome, said: &[&str], not_said: &[&str]) {
    let ended = ended.expect_error(8).says(said);
    for text in not_said {
        ended.does_not_say(text);
    }
}

const OTHER_STORES: [&str; 2] = ["--store file", "--store none"];

fn lookup(session: &KeyringSession, username: &str) -> Option<String> {
    let found = session.secret_tool(&["lookup", "service", "oauth", "username", username], b"");
    found
        .status
        .success()
        .then(|| String::from_utf8(found.stdout).expect("text"))
}

#[test]
fn a_session_is_in_the_keyring_from_login_to_logout_and_nowhere_else() {
    let Some(session) = KeyringSession::unlocked() else {
        return;
    };
    let person = Person::in_session(&session);
    let login = person.login(&["--profile", "work"]).expect_code(0);
    assert_eq!(login.stdout, "");
    assert!(login.stderr.contains("keyring"), "{}", login.stderr);
    assert!(person.is_known_in_configuration("store = \"keyring\""));

    let record = lookup(&session, "work").expect("an item");
    let record: Value = serde_json::from_str(&record).expect("JSON");
    assert_eq!(record["v"], 1);
    assert_eq!(record["refresh_token"], REFRESH_TOKEN);
    assert_eq!(record["tokens"][0]["access_token"], ACCESS_TOKEN);
    for (path, text) in files_below(person.home.path()) {
        assert!(
            !text.contains(ACCESS_TOKEN) && !text.contains(REFRESH_TOKEN),
            "a token in {path}"
        );
    }

    let token = person.run(&["token", "work"]).expect_code(0);
    assert_eq!(
        (token.stdout.as_str(), token.stderr.as_str()),
        (&*format!("{ACCESS_TOKEN}\n"), "")
    );
    let status = person.run(&["status", "--json"]);
    let rows: Value = serde_json::from_str(&status.stdout).expect("JSON");
    assert_eq!(
        (&rows[0]["store"], &rows[0]["state"]),
        (&"keyring".into(), &"valid".into())
    );

    person.run(&["logout", "work"]).expect_code(0);
    assert_eq!(lookup(&session, "work"), None);
    person.run(&["token", "work"]).expect_code(4);
}

#[test]
fn another_configuration_file_has_items_of_its_own() {
    let Some(session) = KeyringSession::unlocked() else {
        return;
    };
    let person = Person::in_session(&session);
    let path = person.home.path().join("other.toml");
    let path = path.to_str().expect("text");
    person.login(&["--profile", "work", "--config", path]).expect_code(0);
    let digest = Sha256::digest(path.as_bytes());
    let suffix: String = digest[..4].iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(lookup(&session, &format!("work@{suffix}")).is_some());
    assert_eq!(lookup(&session, "work"), None);
    person.run(&["token", "work"]).expect_code(2);
    assert_eq!(
        person.run(&["token", "work", "--config", path]).stdout,
        format!("{ACCESS_TOKEN}\n")
    );
}

#[test]
fn the_encrypted_session_reads_and_writes_the_same_item() {
    let Some(session) = KeyringSession::unlocked() else {
        return;
    };
    let person = Person::in_session(&session);
    person
        .login(&["--profile", "work", "--keyring-session", "encrypted"])
        .expect_code(0);
    assert!(lookup(&session, "work").is_some_and(|record| record.contains(ACCESS_TOKEN)));
    for kind in ["encrypted", "plain"] {
        let token = person.run(&["token", "work", "--keyring-session", kind]);
        assert_eq!(token.stdout, format!("{ACCESS_TOKEN}\n"), "{}", token.stderr);
    }
}

#[test]
fn a_refreshed_session_is_in_the_keyring_before_the_token_is_printed() {
    let Some(session) = KeyringSession::unlocked() else {
        return;
    };
    let person = Person::in_session(&session);
    person.login(&["--profile", "work"]).expect_code(0);
    let refreshed = r#"{"access_token":"the-next-one","token_type":"Bearer","expires_in":7200,"refresh_token":"r2"}"#;
    person.server.on("POST", "/token", json(200, refreshed));
    let token = person.run(&["token", "work", "--min-ttl", "90m"]).expect_code(0);
    assert_eq!(token.stdout, "the-next-one\n");
    let record: Value = serde_json::from_str(&lookup(&session, "work").expect("an item")).expect("JSON");
    assert_eq!(record["refresh_token"], "r2");
    assert_eq!(record["tokens"][0]["access_token"], "the-next-one");
}

#[test]
fn a_locked_keyring_is_not_an_empty_one() {
    let Some(mut session) = KeyringSession::unlocked() else {
        return;
    };
    let person = Person::in_session(&session);
    person.login(&["--profile", "work"]).expect_code(0);
    session.lock();
    for command in [
        &["token", "work"][..],
        &["logout", "work"],
        &["logout", "work", "--local"],
    ] {
        let ended = person.run(command);
        assert_unusable(ended, &["the keyring is locked", "hint: Unlock"], &["dbus-run-session"]);
    }
    let error = person.run(&["token", "work", "--json"]).expect_code(8);
    let error: Value = serde_json::from_str(error.stderr.lines().last().expect("a line")).expect("JSON");
    assert_eq!(
        (&error["error"]["name"], &error["error"]["exit_code"]),
        (&"store".into(), &8.into())
    );

    // what is unlocked again is the same keyring
    session.kill_keyring();
    session.start_keyring();
    assert_eq!(person.run(&["token", "work"]).stdout, format!("{ACCESS_TOKEN}\n"));
}

#[test]
fn a_damaged_item_is_replaced_by_a_login_as_its_hint_says() {
    let Some(session) = KeyringSession::unlocked() else {
        return;
    };
    let person = Person::in_session(&session);
    person.login(&["--profile", "work"]).expect_code(0);
    let damaged = ["store", "--label=x", "service", "oauth", "username", "work"];
    assert!(session.secret_tool(&damaged, b"no record").status.success());
    assert_unusable(person.run(&["token", "work"]), &["oauth login work"], &[]);
    std::fs::remove_file(person.home.path().join("fake-browser.pipe")).expect("the first browser's");
    person.login(&["--profile", "work"]).expect_code(0);
    assert_eq!(person.run(&["token", "work"]).stdout, format!("{ACCESS_TOKEN}\n"));
}

#[test]
fn nobody_logs_in_for_a_locked_keyring() {
    let Some(session) = KeyringSession::locked() else {
        return;
    };
    let person = Person::in_session(&session);
    let ended = person.login_without_browser();
    assert_unusable(ended, &["locked", OTHER_STORES[0], OTHER_STORES[1]], &[]);
    assert!(!person.is_known_in_configuration("work"));
}

#[test]
fn nobody_logs_in_for_a_keyring_that_takes_nothing() {
    let Some(mut session) = KeyringSession::start(Activation::Off) else {
        return;
    };
    // it can be read, so only the trial before the login finds this out
    session.start_keyring_without_password();
    let person = Person::in_session(&session);
    let ended = person.login_without_browser();
    assert_unusable(ended, &["no default keyring", OTHER_STORES[0]], &["locked"]);
}

#[test]
fn without_a_bus_other_stores_are_named_at_once() {
    let nowhere = Person::with_bus_at(None);
    let gone = Person::with_bus_at(Some(Path::new("/nonexistent/bus")));
    for person in [&nowhere, &gone] {
        let began = Instant::now();
        let said = ["no D-Bus session bus", OTHER_STORES[0], OTHER_STORES[1]];
        assert_unusable(person.login_without_browser(), &said, &["locked", "Install and start"]);
        // of a session that is there, no other store has anything
        let ended = person.has_profile().run(&["token", "work"]);
        let not_said = ["locked", "Install and start", "use `--store file`", OTHER_STORES[1]];
        assert_unusable(
            ended,
            &["no D-Bus session bus", "profile set work store=file"],
            &not_said,
        );
        assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    }
}

#[test]
fn the_command_that_starts_a_keyring_asks_for_its_password_and_does_not_show_it() {
    if KeyringSession::start(Activation::Off).is_none() {
        return;
    }
    let person = Person::with_bus_at(None);
    let hints = person.has_profile().run(&["token", "work"]).hints();
    let start = hints.find("dbus-run-session").expect("a command");
    let command = hints[start..].lines().next().expect("the command");
    let mut terminal = Terminal::open();
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).env_clear().env("HOME", person.home.path());
    let mut child = terminal.start(shell.env("PATH", std::env::var_os("PATH").expect("PATH")));
    terminal.screen_until("password of the keyring: ");
    terminal.types("open sesame\n");
    let shown = terminal.screen_until("GNOME_KEYRING_CONTROL=");
    terminal.types("stty -a | grep -qw -- -echo || echo shown; exit\n");
    child.wait().expect("its end");
    let rest = terminal.screen_until("shown\r");
    assert!(!shown.contains("sesame") && !rest.contains("sesame"), "{shown}{rest}");
}

#[test]
fn a_bus_without_a_keyring_is_told_apart_from_no_bus() {
    let Some(session) = KeyringSession::start(Activation::Off) else {
        return;
    };
    let person = Person::in_session(&session);
    let said = ["no keyring service", "Install and start", OTHER_STORES[0]];
    let not_said = ["locked", "no D-Bus session bus"];
    assert_unusable(person.login_without_browser(), &said, &not_said);
    let ended = person.has_profile().run(&["token", "work"]);
    assert_unusable(ended, &said[..2], &not_said);
}

#[test]
fn a_bus_that_never_answers_is_given_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("bus");
    let _listener = UnixListener::bind(&path).expect("a socket");
    let person = Person::with_bus_at(Some(&path));
    std::thread::scope(|scope| {
        // at the same time, since each takes its 5 s
        let first = scope.spawn(|| timed(|| person.has_profile().run(&["token", "work"])));
        let second = scope.spawn(|| timed(|| person.login_without_browser()));
        // only a login may keep its session in another store
        for (attempt, also) in [(first, "profile set work store=file"), (second, OTHER_STORES[0])] {
            let (ended, took) = attempt.join().expect("an end");
            assert_unusable(ended, &["did not answer within 5 s", also], &["locked"]);
            assert!(
                took >= Duration::from_secs(5) && took < Duration::from_secs(8),
                "{took:?}"
            );
        }
    });
}

#[test]
fn a_keyring_that_dies_between_two_commands_is_missed_and_found_again() {
    let Some(mut session) = KeyringSession::unlocked() else {
        return;
    };
    let person = Person::in_session(&session);
    person.login(&["--profile", "work"]).expect_code(0);
    session.kill_keyring();
    assert_unusable(person.run(&["token", "work"]), &["no keyring service"], &[]);
    session.start_keyring();
    assert_eq!(person.run(&["token", "work"]).stdout, format!("{ACCESS_TOKEN}\n"));
}

#[test]
fn a_keyring_that_the_bus_starts_again_is_locked() {
    let Some(mut session) = KeyringSession::start(Activation::On) else {
        return;
    };
    session.start_keyring();
    let person = Person::in_session(&session);
    person.login(&["--profile", "work"]).expect_code(0);
    session.kill_keyring();
    assert_unusable(person.run(&["token", "work"]), &["locked"], &[]);
}

fn timed(run: impl FnOnce() -> Outcome) -> (Outcome, Duration) {
    let began = Instant::now();
    (run(), began.elapsed())
}

/// Path and content of every file.
fn files_below(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else if path.is_file() {
            let content = std::fs::read(&path).expect("a file");
            found.push((
                path.display().to_string(),
                String::from_utf8_lossy(&content).into_owned(),
            ));
        }
    }
    found
}
