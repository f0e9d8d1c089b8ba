//! A home folder in which programs of Debian 13 run, with `oauth` on `PATH`.

use crate::support::binary::Home;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Makes folders of the machine part of the other system, for this process
/// alone, and runs a program there: ROOT FOLDER COMMAND...
const RUN: &str = r#"
set -e
root=$1 place=$PWD binaries=$2
shift 2
mount --bind "$binaries" "$root/mnt"
for folder in /tmp /dev /proc; do mount --rbind $folder "$root$folder"; done
exec /usr/sbin/chroot "$root" /usr/bin/env -C "$place" -- "$@"
"#;

/// Where `tests/debian/run` has unpacked the system of this name.
pub fn root(name: &str) -> PathBuf {
    let folder = std::env::var_os("OAUTH_DEBIAN_FOLDER").expect("OAUTH_DEBIAN_FOLDER is not set: run ./test --debian");
    Path::new(&folder).join(name)
}

/// The binary under test, as programs there see it.
pub fn binary() -> PathBuf {
    PathBuf::from("/mnt/oauth")
}

/// `PATH` of programs there.
pub fn path() -> OsString {
    OsString::from("/mnt:/usr/sbin:/usr/bin:/sbin:/bin")
}

/// Whether the docker command line is there.
pub fn has_docker() -> bool {
    true
}

/// The folder of the binary under test.
fn binaries() -> PathBuf {
    let binary = PathBuf::from(assert_cmd::cargo::cargo_bin!("oauth"));
    binary.parent().expect("its folder").to_owned()
}

/// A program of the larger system with this home and nothing else of the test's environment.
pub fn program(home: &Home, name: &str) -> Command {
    let mut command = Command::new("/usr/bin/unshare");
    command
        .args(["--mount", "/bin/sh", "-c", RUN, "sh"])
        .arg(root("programs"))
        .arg(binaries())
        .arg(name)
        .env_clear()
        .env("HOME", home.path())
        .env("PATH", path())
        .env("LC_ALL", "C.UTF-8")
        .env("OAUTH_STORE", "file")
        .current_dir(home.path());
    command
}
