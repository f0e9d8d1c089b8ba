//! Modes, links, and files that are made once or not at all.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
use super::*;
use crate::system::files::tests::make_pipe;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn folders_and_files_are_for_the_owner_alone() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("data/oauth/sessions");
    let folder = PrivateDir::make(&path).unwrap();
    folder.replace("work", b"one").unwrap();
    assert_eq!((mode(&path), mode(&folder.file("work"))), (0o700, 0o600));

    fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
    fs::set_permissions(folder.file("work"), fs::Permissions::from_mode(0o666)).unwrap();
    let folder = PrivateDir::existing(&path).unwrap().unwrap();
    assert!(matches!(
        folder.read("work", 100, PermissionPolicy::Refuse),
        Err(FileError::ReadableByOthers { mode: 0o666, .. })
    ));
    assert_eq!(
        folder.read("work", 100, PermissionPolicy::Tighten).unwrap().unwrap(),
        b"one"
    );
    assert_eq!((mode(&path), mode(&folder.file("work"))), (0o700, 0o600));
}

#[test]
fn links_pipes_and_folders_are_no_files() {
    let home = tempfile::tempdir().unwrap();
    let folder = PrivateDir::make(&home.path().join("sessions")).unwrap();
    fs::write(home.path().join("elsewhere"), b"hers").unwrap();
    symlink(home.path().join("elsewhere"), folder.file("link")).unwrap();
    fs::create_dir(folder.file("folder")).unwrap();
    make_pipe(&folder.file("pipe"));
    assert!(matches!(
        folder.read("link", 100, PermissionPolicy::Tighten),
        Err(FileError::Symlink { .. })
    ));
    assert!(matches!(folder.lock_file("link"), Err(FileError::Symlink { .. })));
    for name in ["folder", "pipe"] {
        assert!(matches!(
            folder.read(name, 100, PermissionPolicy::Tighten),
            Err(FileError::WrongKind { .. })
        ));
    }
    // replacing puts a file in the place of the link and leaves what it pointed at alone
    folder.replace("link", b"mine").unwrap();
    assert_eq!(fs::read(home.path().join("elsewhere")).unwrap(), b"hers");
    assert_eq!(
        folder.read("link", 100, PermissionPolicy::Tighten).unwrap().unwrap(),
        b"mine"
    );

    symlink(home.path().join("sessions"), home.path().join("linked")).unwrap();
    assert!(matches!(
        PrivateDir::make(&home.path().join("linked")),
        Err(FileError::Symlink { .. })
    ));
    fs::write(home.path().join("file"), b"").unwrap();
    assert!(matches!(
        PrivateDir::make(&home.path().join("file")),
        Err(FileError::WrongKind { .. })
    ));
}

#[test]
fn a_file_is_made_once() {
    let home = tempfile::tempdir().unwrap();
    let folder = PrivateDir::make(home.path()).unwrap();
    assert!(folder.create("key", b"first").unwrap());
    assert!(!folder.create("key", b"second").unwrap());
    assert_eq!(
        folder.read("key", 100, PermissionPolicy::Refuse).unwrap().unwrap(),
        b"first"
    );
    assert_eq!(
        fs::read_dir(home.path()).unwrap().count(),
        1,
        "nothing unfinished stays"
    );
}

#[test]
fn unfinished_files_are_swept_by_age_or_by_name() {
    let home = tempfile::tempdir().unwrap();
    let folder = PrivateDir::make(home.path()).unwrap();
    let old = SystemTime::now() - ABANDONED_AFTER - Duration::from_secs(60);
    for (name, is_old) in [
        (".work.0011223344556677.tmp", false),
        (".work.x.0011223344556677.tmp", false),
        (".home.8899aabbccddeeff.tmp", true),
    ] {
        fs::write(folder.file(name), b"").unwrap();
        if is_old {
            File::options()
                .write(true)
                .open(folder.file(name))
                .unwrap()
                .set_modified(old)
                .unwrap();
        }
    }
    assert_eq!(folder.finished().unwrap(), Vec::<String>::new());
    folder.sweep(Some("work")).unwrap();
    let left = folder.names().unwrap();
    assert_eq!(left, [".work.x.0011223344556677.tmp"]);
}

#[test]
fn what_is_too_large_is_not_read() {
    let home = tempfile::tempdir().unwrap();
    let folder = PrivateDir::make(home.path()).unwrap();
    folder.replace("file", &[0; 11]).unwrap();
    assert!(matches!(
        folder.read("file", 10, PermissionPolicy::Refuse),
        Err(FileError::TooLarge { limit_bytes: 10, .. })
    ));
}
