//! The binary under test, in an environment of its own.

use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A home folder that vanishes with the test.
pub struct Home {
    folder: TempDir,
}

impl Home {
    pub fn new() -> Self {
        Home {
            folder: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn config_file(&self) -> PathBuf {
        self.path().join(".config").join("oauth").join("config.toml")
    }

    /// `oauth` with this home, and nothing of the environment of the test but `PATH`.
    /// The store is the encrypted file, so that a test needs no keyring.
    pub fn oauth(&self) -> Command {
        self.command(assert_cmd::cargo::cargo_bin!("oauth").as_ref())
    }

    /// The same of `oauth` by another name.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("HOME", self.path())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("OAUTH_STORE", "file")
            .current_dir(self.path());
        // the same folders, and where Windows is, without which no socket opens
        #[cfg(windows)]
        command
            .env("APPDATA", self.path().join(".config"))
            .env("LOCALAPPDATA", self.path().join(".local").join("share"))
            .env("SystemRoot", std::env::var_os("SystemRoot").unwrap_or_default());
        command
    }
}
