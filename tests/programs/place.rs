//! A home folder in which programs of the system run, with `oauth` on `PATH`.

use crate::support::binary::Home;
use std::path::PathBuf;
use std::process::Command;

/// The binary under test.
pub fn binary() -> PathBuf {
    PathBuf::from(assert_cmd::cargo::cargo_bin!("oauth"))
}

/// Whether the docker command line is there.
pub fn has_docker() -> bool {
    Command::new("docker").arg("--version").output().is_ok()
}

/// `PATH` with the folder of the binary under test first.
pub fn path() -> std::ffi::OsString {
    let folder = binary().parent().expect("its folder").to_owned();
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder).chain(std::env::split_paths(&inherited));
    std::env::join_paths(folders).expect("a PATH")
}

/// A program with this home and nothing else of the test's environment.
pub fn program(home: &Home, name: &str) -> Command {
    let mut command = Command::new(name);
    command
        .env_clear()
        .env("HOME", home.path())
        .env("PATH", path())
        .env("LC_ALL", "C.UTF-8")
        .env("OAUTH_STORE", "file")
        .current_dir(home.path());
    command
}
