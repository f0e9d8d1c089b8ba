//! Modes, links and folders that cannot be made.

use super::*;

#[cfg(unix)]
#[test]
fn modes_are_fixed_and_links_are_refused() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let home = tempfile::tempdir().unwrap();
    store(&home).save(&profile("work"), &full_session(1)).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(&home.path().join("data/oauth/sessions")), 0o700);
    assert_eq!(mode(&session_path(&home, "work")), 0o600);
    assert_eq!(mode(&key_path(&home)), 0o600);

    fs::set_permissions(key_path(&home), fs::Permissions::from_mode(0o640)).unwrap();
    let error = file_error(store(&home).load(&profile("work")));
    assert!(
        matches!(
            error,
            FileStoreError::File(FileError::ReadableByOthers { mode: 0o640, .. })
        ),
        "{error:?}"
    );
    assert!(error.hints()[0].contains("chmod 600"));
    fs::set_permissions(key_path(&home), fs::Permissions::from_mode(0o600)).unwrap();

    // a named key may be open and a link: mounted secrets are
    let key = named_key(&home, "mounted.key", &fs::read_to_string(key_path(&home)).unwrap());
    symlink(&key, home.path().join("link.key")).unwrap();
    store_with_key(&home, &home.path().join("link.key"))
        .load(&profile("work"))
        .unwrap()
        .unwrap();

    let sessions = home.path().join("data/oauth/sessions");
    fs::rename(session_path(&home, "work"), home.path().join("moved")).unwrap();
    symlink(home.path().join("moved"), session_path(&home, "work")).unwrap();
    let error = file_error(store(&home).load(&profile("work")));
    assert!(
        matches!(error, FileStoreError::File(FileError::Symlink { .. })),
        "{error:?}"
    );
    fs::rename(&sessions, home.path().join("elsewhere")).unwrap();
    symlink(home.path().join("elsewhere"), &sessions).unwrap();
    for outcome in [
        store(&home).load(&profile("work")).map(|_| ()),
        store(&home).probe(&profile("work")),
        store(&home).save(&profile("work"), &full_session(1)),
        store(&home).delete(&profile("work")).map(|_| ()),
    ] {
        let error = file_error(outcome);
        assert!(
            matches!(error, FileStoreError::File(FileError::Symlink { .. })),
            "{error:?}"
        );
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_an_error_before_and_at_saving() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("data"), b"a file in the way").unwrap();
    for outcome in [
        store(&home).probe(&profile("work")),
        store(&home).save(&profile("work"), &full_session(1)),
    ] {
        let error = file_error(outcome);
        assert!(
            matches!(&error, FileStoreError::File(FileError::WrongKind { path, .. }) if *path == home.path().join("data")),
            "{error:?}"
        );
        let error = StoreError::from(error);
        assert!(error.hints().iter().any(|hint| hint.contains("--store none")));
    }
}
