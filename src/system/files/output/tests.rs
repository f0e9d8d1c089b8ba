//! Which files make room for a new one.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
use super::*;
use crate::system::files::tests::make_pipe;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

/// Longer than any reader here needs.
const PATIENCE: Duration = Duration::from_secs(60);

fn create(path: &Path) -> Result<OutputFile, OutputError> {
    OutputFile::create(path, Streams::Taken(PATIENCE), |head| head.starts_with(b"ours"))
}

#[test]
fn a_new_file_takes_the_place_of_an_empty_one_or_of_one_of_ours() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("trace");
    for old in [None, Some(""), Some("ours, and older")] {
        if let Some(old) = old {
            fs::write(&path, old).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        }
        let opened_before = fs::File::open(&path);
        let mut file = create(&path).unwrap();
        file.write_all(b"ours").unwrap();
        let found = fs::metadata(&path).unwrap();
        assert_eq!(
            (fs::read(&path).unwrap(), found.mode() & 0o7777),
            (b"ours".to_vec(), 0o600)
        );
        if let Ok(mut before) = opened_before {
            let mut seen = String::new();
            before.read_to_string(&mut seen).unwrap();
            assert_eq!(Some(seen.as_str()), old, "whoever opened the old file sees nothing new");
        }
    }
    assert_eq!(
        fs::read_dir(home.path()).unwrap().count(),
        1,
        "nothing unfinished stays"
    );
}

#[test]
fn what_is_not_ours_stays_as_it_is() {
    let home = tempfile::tempdir().unwrap();
    let other = home.path().join("package.json");
    fs::write(&other, "{}").unwrap();
    assert!(matches!(create(&other), Err(OutputError::OtherContent)));
    symlink(&other, home.path().join("link")).unwrap();
    assert!(matches!(create(&home.path().join("link")), Err(OutputError::Symlink)));
    assert!(matches!(create(home.path()), Err(OutputError::NotRegular)));
    assert_eq!(fs::read(&other).unwrap(), b"{}");
    // the second name of a file keeps its content
    fs::write(&other, "ours").unwrap();
    fs::hard_link(&other, home.path().join("second")).unwrap();
    create(&home.path().join("second")).unwrap().write_all(b"new").unwrap();
    assert_eq!(fs::read(&other).unwrap(), b"ours");
}

#[test]
fn a_link_in_a_folder_that_others_can_change_is_not_followed() {
    let home = tempfile::tempdir().unwrap();
    let (shared, secret) = (home.path().join("shared"), home.path().join("secret"));
    fs::create_dir(&shared).unwrap();
    fs::create_dir(&secret).unwrap();
    symlink(&secret, shared.join("way")).unwrap();
    create(&shared.join("way/trace")).unwrap();
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o777)).unwrap();
    assert!(create(&shared.join("way/trace")).is_err());
    create(&shared.join("trace")).unwrap();
}

#[test]
fn pipes_are_written_as_they_are_where_they_are_of_use() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("pipe");
    make_pipe(&path);
    // without a reader there is nobody to write to
    let impatient = Streams::Taken(Duration::ZERO);
    assert!(OutputFile::create(&path, impatient, |_| true).is_err());
    let mut reader = fs::File::options().read(true).write(true).open(&path).unwrap();
    let mut pipe = create(&path).unwrap();
    assert!(pipe.is_stream());
    pipe.write_all(b"ours").unwrap();
    let mut seen = [0; 4];
    reader.read_exact(&mut seen).unwrap();
    assert_eq!(seen, *b"ours");
    assert!(matches!(
        OutputFile::create(&path, Streams::Refused, |_| true),
        Err(OutputError::NotRegular)
    ));
}

#[test]
fn a_pipe_gets_all_of_it_however_late_and_slow_its_reader_is() {
    const BYTES: usize = 1 << 20; // many times what a pipe holds
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("pipe");
    make_pipe(&path);
    let writer = std::thread::spawn({
        let path = path.clone();
        move || create(&path).unwrap().write_all(&vec![b'x'; BYTES])
    });
    // opening waits for the writer, and the writer for this
    let read = fs::read(&path).unwrap();
    writer.join().unwrap().unwrap();
    assert_eq!(read.len(), BYTES);
}
