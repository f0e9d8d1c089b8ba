//! What is read of the files that a user names, and what is refused.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
use super::*;
use crate::system::files::tests::make_pipe;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

#[test]
fn links_are_followed_and_other_users_may_read() {
    let home = tempfile::tempdir().unwrap();
    // as Kubernetes mounts a secret
    let data = home.path().join("..2026_11_28");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("token"), "secret").unwrap();
    set_mode(&data.join("token"), 0o644);
    symlink("..2026_11_28", home.path().join("..data")).unwrap();
    symlink("..data/token", home.path().join("token")).unwrap();
    assert_eq!(**read(&home.path().join("token")).unwrap(), *b"secret");
    assert_eq!(**read(&home.path().join("..data/../..data/token")).unwrap(), *b"secret");
    symlink("round", home.path().join("round")).unwrap();
    assert!(read(&home.path().join("round")).is_err());
    assert!(read(&home.path().join("absent")).unwrap_err().is_not_found());
    assert!(read(&home.path().join("token/below")).is_err());
}

#[test]
fn a_file_that_others_can_change_is_refused_and_so_are_their_folders() {
    let home = tempfile::tempdir().unwrap();
    let file_in = |name: &str, folder_mode: u32, file_mode: u32| {
        let folder = home.path().join(name);
        fs::create_dir(&folder).unwrap();
        let file = folder.join("file");
        fs::write(&file, "x").unwrap();
        set_mode(&file, file_mode);
        set_mode(&folder, folder_mode);
        (folder, file)
    };
    let named = |file: &Path| match read(file).unwrap_err() {
        FileError::WritableByOthers { path, .. } => path,
        error => panic!("{error}"),
    };
    let (_, file) = file_in("open file", 0o755, 0o602);
    assert_eq!(named(&file), file);
    let (folder, file) = file_in("open folder", 0o707, 0o604);
    assert_eq!(named(&file), folder);
    // through a link in a folder that nobody else can change, too
    symlink(&file, home.path().join("link")).unwrap();
    assert_eq!(named(&home.path().join("link")), folder);
    // and as /tmp is
    for (name, mode) in [("plain", 0o755), ("sticky", 0o1777)] {
        let (_, file) = file_in(name, mode, 0o604);
        assert_eq!(**read(&file).unwrap(), *b"x", "{name}");
        assert_eq!(**read(&file).unwrap(), *b"x", "{name}, again");
    }
}

#[test]
fn what_is_endless_or_not_a_file_is_refused() {
    let home = tempfile::tempdir().unwrap();
    for path in ["/dev/zero", "/dev/tty", home.path().to_str().unwrap()] {
        let error = read(Path::new(path)).unwrap_err();
        assert!(!error.is_not_found(), "{error}");
    }
    assert!(matches!(
        read(Path::new("/dev/zero")),
        Err(FileError::WrongKind { .. } | FileError::WritableByOthers { .. })
    ));
    assert!(read(Path::new("/dev/null")).unwrap().is_empty(), "an empty file");
    let file = home.path().join("file");
    fs::write(&file, vec![b'x'; MAX_BYTES]).unwrap();
    assert_eq!(read(&file).unwrap().len(), MAX_BYTES);
    fs::write(&file, vec![b'x'; MAX_BYTES + 1]).unwrap();
    assert!(matches!(read(&file), Err(FileError::TooLarge { .. })));
    fs::write(&file, [0xff]).unwrap();
    assert!(read_text(&file).unwrap_err().to_string().contains("UTF-8"));
}

#[test]
fn a_pipe_is_read_to_its_end_and_not_for_ever() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("pipe");
    make_pipe(&path);
    let limit = std::time::Duration::from_millis(50);
    assert!(matches!(
        read_within(&path, 100, limit),
        Err(FileError::TimedOut { .. })
    ));
    // opened for both ends, so that neither waits for the other
    let writer = fs::File::options().read(true).write(true).open(&path).unwrap();
    rustix::io::write(&writer, b"half").unwrap();
    assert!(
        matches!(read_within(&path, 100, limit), Err(FileError::TimedOut { .. })),
        "its writer did not finish"
    );
    let writing = std::thread::spawn({
        let path = path.clone();
        move || fs::write(path, vec![b'x'; 200_000])
    });
    drop(writer);
    assert_eq!(read(&path).unwrap().len(), 200_000);
    writing.join().unwrap().unwrap();
    let endless = std::thread::spawn({
        let path = path.clone();
        move || fs::write(path, vec![b'x'; 200_000])
    });
    assert!(matches!(
        read_within(&path, 1000, PATIENCE),
        Err(FileError::TooLarge { .. })
    ));
    assert!(endless.join().unwrap().is_err(), "its reader has gone");
}

#[test]
fn a_replaced_file_keeps_its_link_and_its_mode_and_its_folder_is_made_private() {
    let home = tempfile::tempdir().unwrap();
    let real = home.path().join("dotfiles/config.toml");
    let file = Replaced::find(&real).unwrap();
    file.check_writable().unwrap();
    file.replace(b"one").unwrap();
    assert_eq!((mode(real.parent().unwrap()), mode(&real)), (0o700, 0o600));
    set_mode(&real, 0o644);
    let link = home.path().join("config.toml");
    symlink("dotfiles/config.toml", &link).unwrap();
    Replaced::find(&link).unwrap().replace(b"two").unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!((fs::read(&real).unwrap(), mode(&real)), (b"two".to_vec(), 0o644));
    let names: Vec<_> = fs::read_dir(real.parent().unwrap()).unwrap().collect();
    assert_eq!(names.len(), 1, "{names:?}");
    set_mode(&real, 0o444);
    assert!(Replaced::find(&link).unwrap().check_writable().is_err());
    for other in ["/dev/null", home.path().to_str().unwrap()] {
        assert!(Replaced::find(Path::new(other)).is_err(), "{other}");
    }
}
