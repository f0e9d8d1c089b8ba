//! The credential stores against the real world: gnome-keyring on a D-Bus
//! session of its own, buses that are not there or do not answer, several
//! processes at once.
//!
//! What is driven is the library's store API in a child process, because D-Bus
//! clients find their bus by the environment: this test binary runs itself with
//! one test, [`driver`], which does what it reads on stdin.
#![cfg(all(unix, not(target_os = "macos")))]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "the driver answers on stdout")]

#[path = "support/fake_secret_service.rs"]
mod fake_secret_service;
#[path = "cli/support/keyring_session.rs"]
mod keyring_session;

use fake_secret_service::{Behaviour, FakeSecretService, Person};
use keyring_session::{Activation, KeyringSession};
use oauth::exit::Diagnosis;
use oauth::protocol::client::{Client, ClientId};
use oauth::protocol::endpoint::{Endpoint, HttpPolicy, Issuer};
use oauth::protocol::scope::Scope;
use oauth::protocol::time::UnixSeconds;
use oauth::secret::Secret;
use oauth::store::{
    FileKey, Intent, Interaction, KeyringSession as SessionKind, LockKind, ProfileLock, ProfileName, Renewal, Session,
    SessionClient, StoreSettings, StoredToken,
};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// The user of nothing.
const NOBODY: u32 = 65534;
const ANSWER: &str = "» ";

/// The child's side. Without its variable it is a test that does nothing.
#[test]
fn driver() {
    let Ok(kind) = std::env::var("DRIVER_STORE") else {
        return;
    };
    let home = std::path::PathBuf::from(std::env::var_os("DRIVER_HOME").unwrap());
    let mut store = oauth::store::open(StoreSettings {
        kind: kind.parse().unwrap(),
        interaction: match std::env::var("DRIVER_PATIENCE").as_deref() {
            Ok("may-prompt") => Interaction::Allowed,
            _ => Interaction::Forbidden,
        },
        keyring_session: std::env::var("DRIVER_SESSION")
            .ok()
            .map(|session| session.parse::<SessionKind>().unwrap()),
        session_bus: std::env::var("DBUS_SESSION_BUS_ADDRESS").ok(),
        item_suffix: None,
        data_folder: home.join("data"),
        config_folder: home.join("config"),
        runtime_folder: std::env::var_os("XDG_RUNTIME_DIR").map(Into::into),
        file_key: FileKey::Generated,
        ask_passphrase: None,
        child_environment: Vec::new(),
    })
    .unwrap();
    let mut held = None;
    for line in std::io::stdin().lines() {
        let line = line.unwrap();
        let words: Vec<&str> = line.split(' ').collect();
        let answer = match words[..] {
            ["load", name] => store.load(&profile(name)).map(|session| match session {
                Some(session) => format!("generation {}", session.generation),
                None => "none".to_owned(),
            }),
            ["save", name, generation] => store
                .save(&profile(name), &session(generation.parse().unwrap()))
                .map(|()| "saved".to_owned()),
            ["delete", name] => store
                .delete(&profile(name))
                .map(|existed| format!("existed: {existed}")),
            ["probe", name] => store.probe(&profile(name)).map(|()| "usable".to_owned()),
            ["lock", name] => {
                let lock = ProfileLock::acquire(
                    &home.join("locks"),
                    &profile(name),
                    LockKind::Session,
                    Duration::from_secs(60),
                    &mut |_| {},
                );
                held = Some(lock.unwrap());
                Ok("locked".to_owned())
            }
            ["declare"] => {
                let intent = Intent {
                    command: "token".to_owned(),
                    at: UnixSeconds(1_700_000_000),
                    generation: 8,
                    fingerprint: "1a2b3c4d".to_owned(),
                };
                held.as_mut().unwrap().write_intent(&intent).unwrap();
                Ok("declared".to_owned())
            }
            _ => panic!("{line:?}"),
        };
        let answer = answer.unwrap_or_else(|error| {
            let mut text = format!("exit {}: {error}", error.exit_code().code());
            let mut source = std::error::Error::source(&error);
            while let Some(cause) = source {
                text.push_str(&format!(": {cause}"));
                source = cause.source();
            }
            for hint in error.hints() {
                text.push_str(&format!(" | {hint}"));
            }
            text
        });
        assert!(!answer.contains("canary"), "{answer}");
        println!("\n{ANSWER}{answer}");
    }
}

fn profile(name: &str) -> ProfileName {
    ProfileName::parse(name).unwrap()
}

fn session(generation: u64) -> Session {
    let client = SessionClient::from(&Client::public(ClientId::parse("desktop").unwrap()));
    let issuer = Issuer::parse("https://id.example.com", HttpPolicy::LoopbackOnly).unwrap();
    let token_endpoint = Endpoint::parse("https://id.example.com/token", HttpPolicy::LoopbackOnly).unwrap();
    Session {
        generation,
        renewal: Renewal::RefreshToken,
        refresh_token: Some(Secret::from("canary-refresh-token")),
        tokens: vec![StoredToken {
            narrowed_to: Scope::default(),
            resource: Vec::new(),
            scope: None,
            // more than a Windows item, and than secret-tool would take
            access_token: Secret::new(format!("canary-{}", "x".repeat(10_000))),
            token_type: "Bearer".to_owned(),
            issued_token_type: None,
            expires_at: None,
            issued_at: None,
        }],
        ..Session::new(Some(issuer), client, token_endpoint)
    }
}

/// The parent's side: a child with a store.
struct Driver {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Driver {
    fn command(store: &str, home: &Path) -> Command {
        Self::through(Command::new(std::env::current_exe().unwrap()), store, home)
    }

    fn through(mut command: Command, store: &str, home: &Path) -> Command {
        command
            .args(["--exact", "driver", "--nocapture", "--test-threads=1"])
            .env_clear()
            .env("DRIVER_STORE", store)
            .env("DRIVER_HOME", home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        command
    }

    fn in_session(session: &KeyringSession) -> Driver {
        Driver::start(Driver::command("keyring", Path::new("/nonexistent")).envs(session.environment()))
    }

    fn that_may_prompt(session: &KeyringSession) -> Driver {
        Driver::start(
            Driver::command("keyring", Path::new("/nonexistent"))
                .envs(session.environment())
                .env("DRIVER_PATIENCE", "may-prompt"),
        )
    }

    fn start(command: &mut Command) -> Driver {
        let mut child = command.spawn().unwrap();
        Driver {
            stdin: child.stdin.take(),
            stdout: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    fn ask(&mut self, order: &str) -> String {
        writeln!(self.stdin.as_mut().unwrap(), "{order}").unwrap();
        loop {
            let mut line = String::new();
            assert_ne!(
                self.stdout.read_line(&mut line).unwrap(),
                0,
                "the driver ended at {order:?}"
            );
            if let Some(answer) = line.trim_end().strip_prefix(ANSWER) {
                return answer.to_owned();
            }
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.stdin = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One order in a process of its own, as most runs of `oauth` are.
fn ask(session: &KeyringSession, order: &str) -> String {
    Driver::in_session(session).ask(order)
}

fn sorted(mut calls: Vec<String>) -> Vec<String> {
    calls.sort();
    calls
}

#[track_caller]
fn assert_error(answer: &str, parts: &[&str]) {
    for part in parts.iter().chain(&["exit 8: "]) {
        assert!(answer.contains(part), "{part:?} is not in {answer:?}");
    }
}

#[test]
fn a_session_is_kept_in_the_keyring_and_found_by_secret_tool() {
    let Some(session) = KeyringSession::unlocked() else {
        return;
    };
    assert_eq!(ask(&session, "load work"), "none");
    assert_eq!(ask(&session, "probe work"), "usable");
    assert_eq!(ask(&session, "save work 1"), "saved");
    assert_eq!(ask(&session, "load work"), "generation 1");
    assert_eq!(ask(&session, "load wor"), "none");

    let lookup = session.secret_tool(&["lookup", "service", "oauth", "username", "work"], b"");
    let record = String::from_utf8(lookup.stdout).unwrap();
    assert!(record.starts_with(r#"{"v":1,"generation":1,"#), "{record}");
    let search = session.secret_tool(&["search", "--all", "service", "oauth"], b"");
    let listed = String::from_utf8(search.stdout).unwrap();
    assert_eq!(
        listed.matches("label = ").count(),
        1,
        "the trial left something: {listed}"
    );

    // written in place, and by the other one's hand
    assert_eq!(ask(&session, "save work 2"), "saved");
    assert_eq!(ask(&session, "load work"), "generation 2");
    let stored = session.secret_tool(
        &["store", "--label=other", "service", "oauth", "username", "work"],
        record.get(..20).unwrap().as_bytes(),
    );
    assert!(stored.status.success());
    assert_error(&ask(&session, "load work"), &["cannot be used", "oauth login work"]);
    assert_eq!(ask(&session, "save work 3"), "saved");
    assert_eq!(ask(&session, "load work"), "generation 3");

    assert_eq!(ask(&session, "delete work"), "existed: true");
    assert_eq!(ask(&session, "delete work"), "existed: false");
    assert_eq!(ask(&session, "load work"), "none");
}

#[test]
fn reading_takes_four_calls_of_which_the_first_needs_no_session() {
    let Some(session) = KeyringSession::unlocked() else {
        return;
    };
    assert_eq!(ask(&session, "save work 1"), "saved");
    let calls = session.calls_during(|| assert_eq!(ask(&session, "load work"), "generation 1"));
    assert_eq!(
        calls,
        [
            "org.freedesktop.DBus.Hello",
            "org.freedesktop.Secret.Service.SearchItems",
            "org.freedesktop.Secret.Service.OpenSession",
            "org.freedesktop.Secret.Item.GetSecret",
        ]
    );
}

#[test]
fn the_encrypted_session_reads_what_the_plain_one_wrote() {
    let Some(session) = KeyringSession::unlocked() else {
        return;
    };
    assert_eq!(ask(&session, "save work 1"), "saved");
    for kind in ["encrypted", "plain"] {
        let mut driver = Driver::start(
            Driver::command("keyring", Path::new("/nonexistent"))
                .envs(session.environment())
                .env("DRIVER_SESSION", kind),
        );
        assert_eq!(driver.ask("load work"), "generation 1");
        assert_eq!(driver.ask("save work 1"), "saved");
    }
}

#[test]
fn a_newer_record_is_not_overwritten() {
    let Some(session) = KeyringSession::unlocked() else {
        return;
    };
    let newer = br#"{"v":2,"sealed":"canary"}"#;
    session.secret_tool(&["store", "--label=x", "service", "oauth", "username", "work"], newer);
    for order in ["load work", "probe work", "save work 1"] {
        assert_error(&ask(&session, order), &["version 2", "newer version of `oauth`"]);
    }
    let lookup = session.secret_tool(&["lookup", "service", "oauth", "username", "work"], b"");
    assert_eq!(lookup.stdout, newer);
}

#[test]
fn a_locked_keyring_is_locked_whether_or_not_the_item_is_there() {
    let Some(session) = KeyringSession::unlocked() else {
        return;
    };
    assert_eq!(ask(&session, "save work 1"), "saved");
    session.lock();
    for order in [
        "load work",
        "load other",
        "save work 2",
        "save other 1",
        "probe work",
        "delete work",
    ] {
        let calls = session.calls_during(|| {
            assert_error(&ask(&session, order), &["the keyring is locked", "--store file"]);
        });
        // It might open without a prompt; the prompt that it wants is not shown
        let prompt = |member| format!("org.freedesktop.Secret.Prompt.{member}");
        assert!(!calls.contains(&prompt("Prompt")), "{order}: {calls:?}");
        assert!(calls.contains(&prompt("Dismiss")), "{order}: {calls:?}");
    }
    // where a prompt may be raised it is, and there is no display for it here
    let mut driver = Driver::that_may_prompt(&session);
    for order in ["load work", "load other", "save other 1"] {
        assert_error(
            &driver.ask(order),
            &["the prompt for its password was dismissed or could not be shown"],
        );
    }
}

/// A bus that another user runs; `None` for those who may not act for others.
fn foreign_bus(address: &str) -> Option<Child> {
    let is_root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
    if !is_root {
        assert!(std::env::var_os("CI").is_none(), "only root may act as other users");
        let _ = writeln!(
            std::io::stderr(),
            "\n*** SKIPPED: a bus of another user: only root may act as other users ***"
        );
        return None;
    }
    let mut bus = Command::new("dbus-daemon")
        .args(["--session", "--nofork", "--nopidfile", "--print-address"])
        .arg(format!("--address={address}"))
        .uid(NOBODY)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut address = String::new();
    BufReader::new(bus.stdout.take()?).read_line(&mut address).ok()?;
    assert!(address.starts_with("unix:"), "{address:?}");
    Some(bus)
}

#[test]
fn a_bus_that_another_user_runs_gets_nothing() {
    let home = tempfile::tempdir().unwrap();
    std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let folder = home.path().join("run");
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o777)).unwrap();
    let path = format!("unix:path={}", folder.join("bus").display());
    let abstract_name = format!("unix:abstract={}", home.path().join("abstract").display());
    let (Some(mut bus), Some(mut abstract_bus)) = (foreign_bus(&path), foreign_bus(&abstract_name)) else {
        return;
    };
    for addresses in [
        path.clone(),
        // the next address does not stand in for it
        format!("{path};unix:path=/nonexistent"),
        abstract_name,
    ] {
        for order in ["load work", "save work 1", "probe work", "delete work"] {
            let mut driver =
                Driver::start(Driver::command("keyring", home.path()).env("DBUS_SESSION_BUS_ADDRESS", &addresses));
            assert_error(
                &driver.ask(order),
                &[
                    "run by another user (uid 65534)",
                    "DBUS_SESSION_BUS_ADDRESS",
                    "--store file",
                ],
            );
        }
    }
    for bus in [&mut bus, &mut abstract_bus] {
        bus.kill().unwrap();
        bus.wait().unwrap();
    }
}

/// A proxy that closes connections on which calls come before it has let them
/// in, as `xdg-dbus-proxy` does in front of the bus of a sandbox.
fn start_strict_proxy(path: &Path, bus: &str) {
    let listener = UnixListener::bind(path).unwrap();
    let bus = bus
        .strip_prefix("unix:path=")
        .unwrap()
        .split(',')
        .next()
        .unwrap()
        .to_owned();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (mut client, bus) = (client.unwrap(), UnixStream::connect(&bus).unwrap());
            let mut greeting = [0; 4096];
            let length = client.read(&mut greeting).unwrap();
            if greeting[..length].windows(5).any(|word| word == b"BEGIN") {
                continue;
            }
            (&bus).write_all(&greeting[..length]).unwrap();
            let (mut from_bus, mut to_client) = (bus.try_clone().unwrap(), client.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut from_bus, &mut to_client));
            std::thread::spawn(move || std::io::copy(&mut client, &mut &bus));
        }
    });
}

#[test]
fn a_bus_that_takes_no_calls_before_it_has_let_us_in_is_asked_in_that_order() {
    let Some(session) = KeyringSession::unlocked() else {
        return;
    };
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("proxy");
    start_strict_proxy(&path, session.address());
    let mut driver = Driver::start(
        Driver::command("keyring", home.path())
            .envs(session.environment())
            .env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", path.display())),
    );
    assert_eq!(driver.ask("probe work"), "usable");
    assert_eq!(driver.ask("save work 3"), "saved");
    assert_eq!(driver.ask("load work"), "generation 3");
    assert_eq!(ask(&session, "load work"), "generation 3");
}

#[test]
fn a_bus_that_root_runs_is_taken() {
    if std::fs::metadata("/proc/self").unwrap().uid() != 0 {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = home.path().join("bus");
    let listener = UnixListener::bind(&path).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o777)).unwrap();
    let mut command = Driver::command("keyring", home.path());
    command.env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", path.display()));
    let mut driver = Driver::start(command.uid(NOBODY));
    let answer = std::thread::scope(|scope| {
        let asked = scope.spawn(move || driver.ask("load work"));
        let (mut client, _) = listener.accept().unwrap();
        client.write_all(b"REJECTED EXTERNAL\r\n").unwrap();
        asked.join().unwrap()
    });
    // it was asked, and not refused for whose it is
    assert_error(&answer, &["there is no D-Bus session bus", "it refused this user"]);
}

#[test]
fn without_a_bus_that_is_said_at_once() {
    let home = tempfile::tempdir().unwrap();
    for address in [
        "unix:path=/nonexistent/bus",
        "garbage",
        "unix:abstract=nobody-listens-here",
        "",
    ] {
        let mut command = Driver::command("keyring", home.path());
        command.env("XDG_RUNTIME_DIR", home.path());
        if !address.is_empty() {
            command.env("DBUS_SESSION_BUS_ADDRESS", address);
        }
        let mut driver = Driver::start(&mut command);
        for order in ["load work", "probe work", "save work 1", "delete work"] {
            let began = Instant::now();
            let answer = driver.ask(order);
            assert_error(
                &answer,
                &[
                    "there is no D-Bus session bus",
                    "dbus-run-session",
                    "--store file",
                    "--store none",
                ],
            );
            assert!(began.elapsed() < Duration::from_secs(2), "{answer}");
        }
    }
}

#[test]
fn a_bus_without_a_keyring_service_is_another_error() {
    let Some(session) = KeyringSession::start(Activation::Off) else {
        return;
    };
    for order in ["load work", "probe work", "save work 1"] {
        assert_error(
            &ask(&session, order),
            &["no keyring service answers", "Install and start"],
        );
    }
}

#[test]
fn a_keyring_without_a_default_collection_holds_nothing_and_takes_nothing() {
    let Some(mut session) = KeyringSession::start(Activation::Off) else {
        return;
    };
    session.start_keyring_without_password();
    assert_eq!(ask(&session, "load work"), "none");
    for order in ["probe work", "save work 1"] {
        assert_error(&ask(&session, order), &["has no default keyring"]);
    }
}

#[test]
fn a_bus_that_accepts_and_never_answers_is_left_after_the_deadline() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("bus");
    let listener = UnixListener::bind(&path).unwrap();
    let mut driver = Driver::start(
        Driver::command("keyring", home.path())
            .env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", path.display())),
    );
    let began = Instant::now();
    assert_error(&driver.ask("load work"), &["did not answer within 5 s", "restarted"]);
    assert!(began.elapsed() < Duration::from_secs(8));
    drop(listener);
}

#[test]
fn a_keyring_that_stops_answering_is_left_after_the_deadline_and_used_again_when_it_is_back() {
    let Some(session) = KeyringSession::unlocked() else {
        return;
    };
    let mut driver = Driver::in_session(&session);
    assert_eq!(driver.ask("save work 1"), "saved");
    session.signal_keyring("STOP");
    assert_error(&driver.ask("load work"), &["did not answer within 5 s"]);
    session.signal_keyring("CONT");
    assert_eq!(driver.ask("load work"), "generation 1");
}

#[test]
fn a_keyring_that_is_restarted_under_a_running_process_is_found_again() {
    let Some(mut session) = KeyringSession::unlocked() else {
        return;
    };
    let mut driver = Driver::in_session(&session);
    assert_eq!(driver.ask("save work 1"), "saved");
    // what was answered with success is on the disk
    session.kill_keyring();
    assert_error(&driver.ask("load work"), &["no keyring service answers"]);
    session.start_keyring();
    assert_eq!(driver.ask("load work"), "generation 1");
    session.kill_keyring();
    session.start_keyring();
    assert_eq!(driver.ask("save work 2"), "saved");
    assert_eq!(driver.ask("load work"), "generation 2");
}

#[test]
fn a_keyring_that_the_bus_started_again_is_locked_and_not_empty() {
    let Some(mut session) = KeyringSession::start(Activation::On) else {
        return;
    };
    session.start_keyring();
    let mut driver = Driver::in_session(&session);
    assert_eq!(driver.ask("save work 1"), "saved");
    session.kill_keyring();
    for order in ["load work", "save work 2", "load other"] {
        assert_error(&driver.ask(order), &["the keyring is locked"]);
        assert_error(&ask(&session, order), &["the keyring is locked"]);
    }
}

#[test]
fn two_processes_that_write_and_try_at_once_do_not_disturb_each_other() {
    let Some(session) = KeyringSession::unlocked() else {
        return;
    };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut driver = Driver::in_session(&session);
                for generation in 0..5 {
                    assert_eq!(driver.ask("probe work"), "usable");
                    assert_eq!(driver.ask(&format!("save work {generation}")), "saved");
                    assert!(driver.ask("load work").starts_with("generation "));
                }
            });
        }
    });
    let search = session.secret_tool(&["search", "--all", "service", "oauth"], b"");
    assert_eq!(String::from_utf8_lossy(&search.stdout).matches("label = ").count(), 1);
}

/// A record that the fake service can hold.
const RECORD: &str = r#"{"v":1,"generation":4,"client":{"id":"c","auth_method":"none"},"endpoints":{"token":"http://127.0.0.1/t"},"asked":{},"renewal":"none","tokens":[]}"#;

fn with_fake(behaviour: Behaviour, test: impl FnOnce(&KeyringSession, &FakeSecretService)) {
    if let Some(session) = KeyringSession::start(Activation::Off) {
        let service = FakeSecretService::on_bus(session.address(), behaviour);
        test(&session, &service);
    }
}

#[test]
fn an_item_that_vanishes_between_search_and_read_is_looked_for_once_more() {
    let removed = Behaviour {
        phantom_searches: 0..1,
        ..Behaviour::default()
    };
    with_fake(removed, |session, _| assert_eq!(ask(session, "load work"), "none"));
    let replaced = Behaviour {
        phantom_searches: 0..1,
        items: vec![RECORD.to_owned()],
        ..Behaviour::default()
    };
    with_fake(replaced, |session, _| {
        assert_eq!(ask(session, "load work"), "generation 4")
    });
    let removed_before_writing = Behaviour {
        phantom_searches: 1..2,
        ..Behaviour::default()
    };
    with_fake(removed_before_writing, |session, service| {
        assert_eq!(ask(session, "save work 1"), "saved");
        assert!(service.values()[0].contains(r#""generation":1"#));
    });
    let always = Behaviour {
        phantom_searches: 0..99,
        ..Behaviour::default()
    };
    with_fake(always, |session, _| {
        assert_error(&ask(session, "load work"), &["the keyring refused to read the session"]);
    });
}

#[test]
fn a_search_that_comes_before_the_service_knows_its_client_is_repeated() {
    let early = Behaviour {
        refuses_first_search: true,
        items: vec![RECORD.to_owned()],
        ..Behaviour::default()
    };
    with_fake(early, |session, service| {
        assert_eq!(ask(session, "load work"), "generation 4");
        assert_eq!(service.count("SearchItems work"), 2);
    });
}

#[test]
fn a_prompt_that_a_person_answers_late_unlocks_the_keyring() {
    let locked = Behaviour {
        items: vec![RECORD.to_owned()],
        locked: true,
        // longer than a keyring may take that asks nobody, as the ten seconds of a long password are
        person: Person::ConfirmsAfter(Duration::from_millis(5500)),
        ..Behaviour::default()
    };
    with_fake(locked, |session, service| {
        assert_error(
            &ask(session, "load work"),
            &["the keyring is locked, and this run may not ask"],
        );
        assert_eq!(
            sorted(service.calls()),
            ["Dismiss", "OpenSession plain", "SearchItems work", "Unlock 1"]
        );
        assert_eq!(Driver::that_may_prompt(session).ask("load work"), "generation 4");
        assert!(service.calls().ends_with(&["Unlock 1".to_owned(), "Prompt".to_owned()]));
    });
}

#[test]
fn a_service_that_shows_nothing_while_it_is_locked_is_not_taken_for_empty() {
    let hiding = |person| Behaviour {
        items: vec![RECORD.to_owned()],
        locked: true,
        hides_while_locked: true,
        person,
        ..Behaviour::default()
    };
    with_fake(hiding(Person::Dismisses), |session, service| {
        for order in ["load work", "save work 1", "delete work", "probe work"] {
            assert_error(
                &ask(session, order),
                &["the keyring is locked, and this run may not ask"],
            );
            assert_error(&Driver::that_may_prompt(session).ask(order), &["was dismissed"]);
        }
        assert_eq!(service.values(), [RECORD]);
    });
    with_fake(hiding(Person::ConfirmsAfter(Duration::ZERO)), |session, _| {
        assert_eq!(Driver::that_may_prompt(session).ask("load work"), "generation 4");
    });
    with_fake(hiding(Person::ConfirmsAfter(Duration::ZERO)), |session, service| {
        assert_eq!(Driver::that_may_prompt(session).ask("delete work"), "existed: true");
        assert!(service.values().is_empty());
    });
}

#[test]
fn a_keyring_that_unlocks_without_a_prompt_is_unlocked_where_nobody_can_be_asked() {
    for hides_while_locked in [false, true] {
        for order in ["load work", "save work 5", "delete work", "probe work"] {
            let locked = Behaviour {
                items: vec![RECORD.to_owned()],
                locked: true,
                hides_while_locked,
                unlocks_without_prompt: true,
                ..Behaviour::default()
            };
            with_fake(locked, |session, service| {
                let answer = ask(session, order);
                assert!(!answer.starts_with("exit"), "{order}: {answer}");
                assert_eq!((service.count("Unlock 1"), service.count("Prompt")), (1, 0), "{order}");
            });
        }
    }
}

#[test]
fn a_keyring_that_asks_before_it_makes_or_removes_an_item_is_answered_where_that_is_allowed() {
    let asking = |person| Behaviour {
        asks_before_creating: true,
        asks_before_deleting: true,
        person,
        ..Behaviour::default()
    };
    with_fake(asking(Person::ConfirmsAfter(Duration::ZERO)), |session, service| {
        let mut driver = Driver::that_may_prompt(session);
        assert_eq!(driver.ask("save work 1"), "saved");
        // writing over it asks nobody, whoever runs this
        assert_eq!(ask(session, "save work 2"), "saved");
        assert_eq!(ask(session, "load work"), "generation 2");
        assert_eq!(service.count("Prompt"), 1);
        assert_eq!(driver.ask("delete work"), "existed: true");
        assert_eq!(service.count("Prompt"), 2);
        assert_eq!(service.names(), Vec::<String>::new());
    });
    with_fake(asking(Person::ConfirmsAfter(Duration::ZERO)), |session, service| {
        assert_error(
            &ask(session, "save work 1"),
            &[
                "asks for a confirmation to keep the session",
                "in a terminal of the desktop session",
            ],
        );
        assert_eq!(Driver::that_may_prompt(session).ask("save work 1"), "saved");
        assert_error(
            &ask(session, "delete work"),
            &[
                "asks for a confirmation to remove the session",
                "in a terminal of the desktop session",
            ],
        );
        assert_eq!((service.count("Prompt"), service.count("Dismiss")), (1, 2));
        assert_eq!(service.names(), ["work"]);
    });
    let dismissing = Behaviour {
        items: vec![RECORD.to_owned()],
        ..asking(Person::Dismisses)
    };
    with_fake(dismissing, |session, service| {
        let mut driver = Driver::that_may_prompt(session);
        assert_error(&driver.ask("delete work"), &["to remove the session was dismissed"]);
        assert_error(&driver.ask("save other 1"), &["to keep the session was dismissed"]);
        assert_eq!(service.values(), [RECORD]);
    });
}

#[test]
fn a_keyring_that_ends_while_its_prompt_is_up_is_not_waited_for() {
    let locked = Behaviour {
        items: vec![RECORD.to_owned()],
        locked: true,
        person: Person::PullsThePlug,
        ..Behaviour::default()
    };
    with_fake(locked, |session, _| {
        let began = Instant::now();
        assert_error(
            &Driver::that_may_prompt(session).ask("load work"),
            &["no keyring service answers"],
        );
        assert!(began.elapsed() < Duration::from_secs(60));
    });
}

#[test]
fn an_item_is_made_for_a_trial_only_where_there_is_none_and_nobody_is_asked_to_remove_it() {
    let asking = || Behaviour {
        asks_before_deleting: true,
        person: Person::ConfirmsAfter(Duration::ZERO),
        ..Behaviour::default()
    };
    with_fake(asking(), |session, service| {
        let mut driver = Driver::that_may_prompt(session);
        assert_eq!(driver.ask("probe work"), "usable");
        assert_eq!(driver.ask("probe work"), "usable");
        // it could not be removed without asking, and so it was written over
        assert_eq!(
            (service.count("CreateItem #probe"), service.count("SetSecret #probe")),
            (1, 1)
        );
        assert_eq!(service.count("Prompt"), 0);
        assert_eq!(driver.ask("save work 1"), "saved");
        let before = service.calls().len();
        assert_eq!(driver.ask("probe work"), "usable");
        assert_eq!(service.calls()[before..], ["SearchItems work"]);
    });
    let plain = Behaviour {
        items: vec![RECORD.to_owned()],
        ..Behaviour::default()
    };
    with_fake(plain, |session, service| {
        assert_eq!(ask(session, "probe work"), "usable");
        assert_eq!(ask(session, "probe other"), "usable");
        assert_eq!(service.names(), ["work"]);
        assert_eq!(
            (service.count("CreateItem #probe"), service.count("Delete #probe")),
            (1, 1)
        );
    });
}

#[test]
fn a_service_without_plain_sessions_is_asked_for_an_encrypted_one_unless_told_otherwise() {
    let behaviour = || Behaviour {
        knows_plain_sessions: false,
        ..Behaviour::default()
    };
    with_fake(behaviour(), |session, service| {
        // this one knows none either
        assert_error(
            &ask(session, "load work"),
            &["the keyring refused to be connected to", "no dh-ietf1024"],
        );
        let calls = service.calls().join(", ");
        assert!(
            calls.contains("OpenSession plain") && calls.contains("OpenSession dh-ietf1024"),
            "{calls}"
        );
    });
    with_fake(behaviour(), |session, service| {
        let mut driver = Driver::start(
            Driver::command("keyring", Path::new("/nonexistent"))
                .envs(session.environment())
                .env("DRIVER_SESSION", "plain"),
        );
        assert_error(
            &driver.ask("load work"),
            &["does not take a plain session", "--keyring-session encrypted"],
        );
        assert!(!service.calls().join(", ").contains("dh-ietf1024"));
    });
}

#[test]
fn several_items_for_one_profile_are_never_guessed_between() {
    let behaviour = Behaviour {
        items: vec![RECORD.to_owned(), RECORD.to_owned()],
        ..Behaviour::default()
    };
    with_fake(behaviour, |session, service| {
        for order in ["load work", "save work 1", "probe work"] {
            assert_error(
                &ask(session, order),
                &["2 items for `work`", "secret-tool clear service oauth username work"],
            );
        }
        assert_eq!(service.values().len(), 2);
    });
}

#[test]
fn files_are_private_under_any_umask() {
    for umask in ["000", "077", "022"] {
        let home = tempfile::tempdir().unwrap();
        let mut shell = Command::new("/bin/sh");
        shell
            .args(["-c", &format!("umask {umask}; exec \"$@\""), "sh"])
            .arg(std::env::current_exe().unwrap());
        let mut driver = Driver::start(&mut Driver::through(shell, "file", home.path()));
        assert_eq!(driver.ask("probe work"), "usable");
        assert_eq!(driver.ask("save work 1"), "saved");
        assert_eq!(driver.ask("lock work"), "locked");
        assert_eq!(driver.ask("declare"), "declared");
        for (path, mode) in [
            ("data/oauth", 0o700),
            ("data/oauth/sessions", 0o700),
            ("data/oauth/sessions/work", 0o600),
            ("config/oauth/store.key", 0o600),
            ("locks", 0o700),
            ("locks/work.lock", 0o600),
            ("locks/work.holder", 0o600),
        ] {
            let found = std::fs::metadata(home.path().join(path)).unwrap().permissions().mode() & 0o7777;
            assert_eq!(found, mode, "{path} under umask {umask}");
        }
    }
}

#[test]
fn processes_that_make_the_first_key_at_once_share_it() {
    let home = tempfile::tempdir().unwrap();
    let mut drivers: Vec<Driver> = (0..8)
        .map(|_| Driver::start(&mut Driver::command("file", home.path())))
        .collect();
    std::thread::scope(|scope| {
        for (index, driver) in drivers.iter_mut().enumerate() {
            scope.spawn(move || assert_eq!(driver.ask(&format!("save profile-{index} {index}")), "saved"));
        }
    });
    let mut reader = Driver::start(&mut Driver::command("file", home.path()));
    for index in 0..8 {
        assert_eq!(
            reader.ask(&format!("load profile-{index}")),
            format!("generation {index}")
        );
    }
}

#[test]
fn a_killed_process_leaves_its_lock_free_and_its_intention_behind() {
    let home = tempfile::tempdir().unwrap();
    let locks = home.path().join("locks");
    let mut driver = Driver::start(&mut Driver::command("file", home.path()));
    assert_eq!(driver.ask("lock work"), "locked");
    assert_eq!(driver.ask("declare"), "declared");
    let pid = driver.child.id();
    let error =
        ProfileLock::acquire(&locks, &profile("work"), LockKind::Session, Duration::ZERO, &mut |_| {}).unwrap_err();
    assert!(
        error.to_string().contains(&format!("process {pid} (`oauth token`)")),
        "{error}"
    );
    assert_eq!(error.exit_code().code(), 7);

    driver.child.kill().unwrap();
    driver.child.wait().unwrap();
    let lock = ProfileLock::acquire(
        &locks,
        &profile("work"),
        LockKind::Session,
        Duration::from_secs(5),
        &mut |_| {},
    )
    .unwrap();
    assert_eq!(lock.interrupted().map(|intent| intent.generation), Some(8));
}
