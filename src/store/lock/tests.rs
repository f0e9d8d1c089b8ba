//! Waiters, holders that are gone, and intents that were left behind.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
use super::*;
use std::fs;
use std::sync::mpsc;

fn profile() -> ProfileName {
    ProfileName::parse("work").unwrap()
}

fn acquire(folder: &Path, wait: Duration) -> Result<ProfileLock, LockError> {
    ProfileLock::acquire(folder, &profile(), LockKind::Session, wait, &mut |_| {})
}

fn intent() -> Intent {
    Intent {
        command: "token".to_owned(),
        at: UnixSeconds(1_700_000_000),
        generation: 8,
        fingerprint: "1a2b3c4d".to_owned(),
    }
}

#[test]
fn who_waits_in_vain_is_told_whom_for() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("oauth/locks");
    let mut held = acquire(&folder, Duration::ZERO).unwrap();
    let error = acquire(&folder, Duration::from_millis(20)).unwrap_err();
    let pid = std::process::id();
    assert!(matches!(&error, LockError::Held { holder, .. } if *holder == format!("process {pid}")));
    assert_eq!(error.exit_code(), ExitCode::Timeout);

    held.write_intent(&intent()).unwrap();
    let mut told = Vec::new();
    let wait = LockKind::Session.tell_after() + Duration::from_millis(100);
    let error = ProfileLock::acquire(&folder, &profile(), LockKind::Session, wait, &mut |holder| {
        told.push(holder.to_owned())
    })
    .unwrap_err();
    assert_eq!(told, [format!("process {pid} (`oauth token`)")]);
    assert!(error.to_string().contains(&told[0]), "{error}");
    drop(held);
    acquire(&folder, Duration::ZERO).unwrap();
}

#[test]
fn a_waiter_gets_the_lock_when_it_is_let_go() {
    let home = tempfile::tempdir().unwrap();
    let held = acquire(home.path(), Duration::ZERO).unwrap();
    let (waiting, wait_began) = mpsc::channel();
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            ProfileLock::acquire(
                home.path(),
                &profile(),
                LockKind::Session,
                Duration::from_secs(60),
                &mut |_| {
                    waiting.send(()).unwrap();
                },
            )
        });
        wait_began.recv().unwrap();
        drop(held);
        waiter.join().unwrap().unwrap();
    });
}

#[test]
fn profiles_do_not_wait_for_each_other() {
    let home = tempfile::tempdir().unwrap();
    let _held = acquire(home.path(), Duration::ZERO).unwrap();
    let other = ProfileName::parse("work.x").unwrap();
    ProfileLock::acquire(home.path(), &other, LockKind::Session, Duration::ZERO, &mut |_| {}).unwrap();
}

#[test]
fn the_lock_file_stays_and_the_holder_file_goes() {
    let home = tempfile::tempdir().unwrap();
    let mut lock = acquire(home.path(), Duration::ZERO).unwrap();
    lock.write_intent(&intent()).unwrap();
    assert!(home.path().join("work.holder").exists());
    drop(lock);
    assert!(home.path().join("work.lock").exists());
    assert!(!home.path().join("work.holder").exists());
}

#[test]
fn an_intention_left_behind_is_found_until_another_takes_its_place() {
    let home = tempfile::tempdir().unwrap();
    let left = Holder {
        pid: 1,
        ..Holder::current_process(&LockKind::Session, Some(&intent()))
    };
    fs::write(home.path().join("work.holder"), left.to_bytes()).unwrap();
    // seen, not acted upon: it stays for the next one
    let lock = acquire(home.path(), Duration::ZERO).unwrap();
    assert_eq!(lock.interrupted(), Some(&intent()));
    let ourselves = read_holder(&lock.folder, "work").unwrap();
    assert_eq!(ourselves.pid, std::process::id());
    drop(lock);
    let mut lock = acquire(home.path(), Duration::ZERO).unwrap();
    assert_eq!(lock.interrupted(), Some(&intent()));
    lock.write_intent(&Intent {
        generation: 9,
        ..intent()
    })
    .unwrap();
    assert_eq!(lock.interrupted(), None);
    drop(lock);
    assert_eq!(acquire(home.path(), Duration::ZERO).unwrap().interrupted(), None);
}

#[test]
fn nonsense_in_the_holder_file_is_nobody() {
    let home = tempfile::tempdir().unwrap();
    for nonsense in [&b""[..], b"{", b"\xff", b"{\"pid\":\"x\"}", &[b'x'; 10_000]] {
        fs::write(home.path().join("work.holder"), nonsense).unwrap();
        let lock = acquire(home.path(), Duration::ZERO).unwrap();
        assert_eq!(lock.interrupted(), None);
        fs::write(home.path().join("work.holder"), nonsense).unwrap();
        let error = acquire(home.path(), Duration::ZERO).unwrap_err();
        assert!(error.to_string().contains("another process"), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn a_lock_whose_file_was_removed_excludes_nobody_by_mistake() {
    let home = tempfile::tempdir().unwrap();
    let held = acquire(home.path(), Duration::ZERO).unwrap();
    let (waiting, wait_began) = mpsc::channel();
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            ProfileLock::acquire(
                home.path(),
                &profile(),
                LockKind::Session,
                Duration::from_secs(60),
                &mut |_| {
                    waiting.send(()).unwrap();
                },
            )
        });
        wait_began.recv().unwrap();
        held.remove();
        let lock = waiter.join().unwrap().unwrap();
        assert!(home.path().join("work.lock").exists());
        assert!(acquire(home.path(), Duration::ZERO).is_err());
        lock.remove();
    });
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
}

#[cfg(unix)]
#[test]
fn a_file_that_lost_its_name_to_another_is_not_the_lock() {
    let home = tempfile::tempdir().unwrap();
    let folder = PrivateDir::existing(home.path()).unwrap().unwrap();
    let file = folder.lock_file("work.lock").unwrap();
    assert!(folder.has(&file, "work.lock"));
    fs::remove_file(home.path().join("work.lock")).unwrap();
    assert!(!folder.has(&file, "work.lock"));
    folder.lock_file("work.lock").unwrap();
    assert!(!folder.has(&file, "work.lock"));
}

#[cfg(unix)]
#[test]
fn lock_files_are_for_the_owner_alone_and_no_link_is_followed() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("locks");
    drop(acquire(&folder, Duration::ZERO).unwrap());
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode(&folder), mode(&folder.join("work.lock"))), (0o700, 0o600));

    fs::remove_file(folder.join("work.lock")).unwrap();
    symlink(home.path().join("elsewhere"), folder.join("work.lock")).unwrap();
    let error = acquire(&folder, Duration::ZERO).unwrap_err();
    assert!(
        matches!(
            &error,
            LockError::File {
                source: FileError::Symlink { .. },
                ..
            }
        ),
        "{error:?}"
    );
    assert_eq!(error.exit_code(), ExitCode::Store);
    assert!(!home.path().join("elsewhere").exists());
}
