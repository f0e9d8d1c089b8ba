//! Helpers that fail in every way that the protocol leaves them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
use super::*;
use crate::exit::{Diagnosis, ExitCode};
use crate::store::SessionError;
use crate::store::session::tests::full_session;
use crate::store::{FileKey, Interaction};
use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::Instant;
use tempfile::TempDir;

const HELPER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/credential-helper");

fn store_with(folder: &TempDir, suffix: Option<&str>) -> CommandStore {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let settings = StoreSettings {
        runtime_folder: None,
        kind: StoreKind::Command(HELPER.to_owned()),
        interaction: Interaction::Forbidden,
        keyring_session: None,
        session_bus: None,
        item_suffix: suffix.map(str::to_owned),
        data_folder: PathBuf::from("/nonexistent/data"),
        config_folder: PathBuf::from("/nonexistent/config"),
        file_key: FileKey::Generated,
        ask_passphrase: None,
        child_environment: vec![("PATH".into(), path), ("HELPER_FOLDER".into(), folder.path().into())],
    };
    CommandStore::new(HELPER.to_owned(), settings)
}

fn store(folder: &TempDir) -> CommandStore {
    store_with(folder, None)
}

fn behave(folder: &TempDir, behaviour: &str) {
    fs::write(folder.path().join("behaviour"), behaviour).unwrap();
}

/// The process that the helper has started in the background.
fn sleeper(folder: &TempDir) -> rustix::process::Pid {
    let id = fs::read_to_string(folder.path().join("sleeper")).unwrap();
    rustix::process::Pid::from_raw(id.trim().parse().unwrap()).unwrap()
}

fn runs(process: rustix::process::Pid) -> bool {
    // A zombie remains until its new parent has looked after it
    let state = fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero())).unwrap_or_default();
    rustix::process::test_kill_process(process).is_ok() && !state.contains(" Z ")
}

fn profile(name: &str) -> ProfileName {
    ProfileName::parse(name).unwrap()
}

fn items(folder: &TempDir) -> Vec<String> {
    let names = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let names = names.filter_map(|name| Some(name.to_str()?.strip_prefix("item.")?.to_owned()));
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

fn command_error(outcome: Result<impl Sized, StoreError>) -> CommandStoreError {
    let error = outcome.err().unwrap();
    assert_eq!(error.exit_code(), ExitCode::Store);
    match error {
        StoreError::Command(error) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_session_comes_back_as_it_was_and_each_profile_has_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = store(&folder);
    assert!(store.load(&profile("work")).unwrap().is_none());
    assert!(!store.delete(&profile("work")).unwrap());
    for (name, generation) in [("work", 1), ("Work", 2), ("work.", 3)] {
        store.save(&profile(name), &full_session(generation)).unwrap();
    }
    store_with(&folder, Some("@0a1b2c3d"))
        .save(&profile("work"), &full_session(4))
        .unwrap();
    assert_eq!(items(&folder), ["=57ork", "work", "work=2e", "work@0a1b2c3d"]);
    let again = store.load(&profile("work")).unwrap().unwrap();
    assert_eq!(again.encode().expose(), full_session(1).encode().expose());
    assert_eq!(store.load(&profile("Work")).unwrap().unwrap().generation, 2);
    assert!(store.delete(&profile("work")).unwrap());
    assert_eq!(items(&folder), ["=57ork", "work=2e", "work@0a1b2c3d"]);
}

#[test]
fn a_trial_shows_what_saving_would_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = store(&folder);
    store.prepare_save(&profile("work")).unwrap();
    assert_eq!(items(&folder), Vec::<String>::new());
    store.save(&profile("work"), &full_session(1)).unwrap();
    let calls = fs::read_to_string(folder.path().join("calls")).unwrap();
    // between an answer of a server and its write there is one call alone
    assert_eq!(calls, "get\nstore\nget\nerase\nstore\n");

    behave(&folder, r#"[ "$1" != store ] || exit 0"#);
    let error = command_error(self::store(&folder).probe(&profile("home")));
    assert!(
        matches!(error, CommandStoreError::WriteNotPersisted { .. }),
        "{error:?}"
    );
    behave(&folder, r#"[ "$1" != store ] || { echo 'no room'; exit 1; }"#);
    let error = command_error(self::store(&folder).probe(&profile("work")));
    assert!(
        matches!(&error, CommandStoreError::Failed { action: Action::Store, message, .. } if message == "no room"),
        "{error:?}"
    );
    assert_eq!(items(&folder), ["work"]);
}

#[test]
fn what_is_not_there_is_said_in_three_ways() {
    let folder = tempfile::tempdir().unwrap();
    for absent in [
        "echo 'credentials not found in native keychain'; exit 1",
        "echo 'credentials not found in native keychain' >&2; exit 1",
        r#"echo '{"ServerURL":"https://oauth.invalid/work","Username":"","Secret":""}'; exit 0"#,
    ] {
        behave(&folder, absent);
        assert!(store(&folder).load(&profile("work")).unwrap().is_none(), "{absent}");
        assert!(!store(&folder).delete(&profile("work")).unwrap(), "{absent}");
    }
}

#[test]
fn newer_records_stay_and_damaged_ones_may_go() {
    let folder = tempfile::tempdir().unwrap();
    let item = |secret: &str| format!(r#"{{"ServerURL":"x","Username":"y","Secret":{secret}}}"#);
    fs::write(folder.path().join("item.work"), item(r#""{\"v\":2}""#)).unwrap();
    for outcome in [
        store(&folder).load(&profile("work")).map(|_| ()),
        store(&folder).probe(&profile("work")),
        store(&folder).save(&profile("work"), &full_session(1)),
    ] {
        let error = outcome.unwrap_err();
        assert!(
            matches!(
                error,
                StoreError::Record {
                    source: SessionError::NewerVersion(2),
                    ..
                }
            ),
            "{error:?}"
        );
    }
    fs::write(folder.path().join("item.work"), item(r#""canary""#)).unwrap();
    let error = store(&folder).load(&profile("work")).unwrap_err();
    assert!(matches!(error, StoreError::Record { .. }), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    store(&folder).probe(&profile("work")).unwrap();
    store(&folder).save(&profile("work"), &full_session(1)).unwrap();
}

#[test]
fn nonsense_is_told_as_such_and_can_be_erased() {
    let folder = tempfile::tempdir().unwrap();
    for nonsense in [
        "",
        "echo hello",
        "echo '[]'",
        r#"echo '{"Username":"canary"}'"#,
        r#"echo '{"Secret":["canary"]}'"#,
        r#"printf '{"Secret":"a"'"#,
        "yes canary",
    ] {
        behave(
            &folder,
            &format!("[ \"$1\" != get ] || {{ {nonsense}; exit 0; }}; exit 0").replace("{ ;", "{ :;"),
        );
        let error = command_error(store(&folder).load(&profile("work")));
        assert!(
            matches!(error, CommandStoreError::InvalidResponse { .. }),
            "{nonsense}: {error:?}"
        );
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
        assert!(store(&folder).delete(&profile("work")).unwrap());
    }
}

#[test]
fn a_message_that_repeats_the_session_is_not_passed_on() {
    let folder = tempfile::tempdir().unwrap();
    for echo in [
        r#"printf '%s' "$input""#,
        r#"printf '%s' "$input" >&2"#,
        "echo cannot keep canary-refresh-token",
    ] {
        behave(&folder, &format!(r#"[ "$1" != store ] || {{ {echo}; exit 3; }}"#));
        let error = command_error(store(&folder).save(&profile("work"), &full_session(1)));
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
        assert!(error.to_string().contains("is not shown"), "{error}");
    }
    // nor what a failing `get` hands out
    behave(&folder, r#"[ "$1" != get ] || { echo '{"Secret":"canary"}'; exit 1; }"#);
    let error = command_error(store(&folder).load(&profile("work")));
    assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    behave(&folder, "exit 7");
    let error = command_error(store(&folder).load(&profile("work")));
    assert!(error.to_string().contains("exit status: 7"), "{error}");
}

#[test]
fn one_that_hangs_is_killed_with_what_it_has_started() {
    let folder = tempfile::tempdir().unwrap();
    behave(&folder, r#"sleep 600 & echo $! > "$folder/sleeper"; wait"#);
    let mut store = store(&folder);
    store.deadline = Duration::from_millis(500);
    let began = Instant::now();
    let error = command_error(store.load(&profile("work")));
    assert!(
        matches!(
            error,
            CommandStoreError::TimedOut {
                action: Action::Get,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    let sleeper = sleeper(&folder);
    while runs(sleeper) {
        assert!(began.elapsed() < Duration::from_secs(20), "it still runs");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn what_stays_in_the_background_and_what_talks_much_keep_nobody_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = store(&folder);
    store.save(&profile("work"), &full_session(1)).unwrap();
    behave(
        &folder,
        r#"sleep 100 & echo $! > "$folder/sleeper"; head -c 300000 /dev/zero >&2"#,
    );
    assert!(store.load(&profile("work")).unwrap().is_some());
    let sleeper = sleeper(&folder);
    assert!(runs(sleeper), "it was waited for");
    rustix::process::kill_process(sleeper, rustix::process::Signal::KILL).unwrap();
}

#[test]
fn more_than_a_helper_reads_is_told_and_the_old_session_stays() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = store(&folder);
    store.save(&profile("work"), &full_session(1)).unwrap();
    let mut large = full_session(2);
    large.id_token = Some(Secret::new("x".repeat(60_000)));
    store.save(&profile("work"), &large).unwrap();
    assert_eq!(store.load(&profile("work")).unwrap().unwrap().generation, 2);
    large.id_token = Some(Secret::new("x".repeat(66_000)));
    let error = command_error(store.save(&profile("work"), &large));
    assert!(matches!(error, CommandStoreError::TooLarge { .. }), "{error:?}");
    assert_eq!(store.load(&profile("work")).unwrap().unwrap().generation, 2);
}

#[test]
fn a_program_that_is_missing_or_none_is_told_apart_and_each_error_has_its_hint() {
    let folder = tempfile::tempdir().unwrap();
    let with_program = |program: &str| {
        let mut store = store(&folder);
        store.program = program.to_owned();
        command_error(store.load(&profile("work")))
    };
    let missing = with_program("a-helper-that-nobody-has");
    assert!(matches!(missing, CommandStoreError::Missing { .. }), "{missing:?}");
    assert!(
        missing.hints()[1].contains("docker-credential-a-helper"),
        "{:?}",
        missing.hints()
    );
    let no_path = with_program("/nonexistent/helper");
    assert!(matches!(no_path, CommandStoreError::Missing { .. }), "{no_path:?}");
    let folder_not_program = with_program(&folder.path().display().to_string());
    assert!(
        matches!(folder_not_program, CommandStoreError::NotRunnable { .. }),
        "{folder_not_program:?}"
    );
    let program = "docker-credential-x".to_owned();
    let errors = [
        missing,
        folder_not_program,
        CommandStoreError::Failed {
            program: program.clone(),
            action: Action::Get,
            address: "https://oauth.invalid/work".to_owned(),
            message: String::new(),
        },
        CommandStoreError::TimedOut {
            program: program.clone(),
            action: Action::Get,
            waited_s: 30,
        },
        CommandStoreError::InvalidResponse {
            program,
            how: "nothing",
        },
    ];
    let mut firsts = HashSet::new();
    for error in errors {
        assert!(firsts.insert(error.hints()[0].clone()), "{error}");
        let error = StoreError::from(error);
        assert!(
            error.hints().iter().any(|hint| hint.contains("--store file")),
            "{error}"
        );
    }
}
