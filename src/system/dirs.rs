//! Where the configuration and the data of `oauth` live.

use crate::exit::{Diagnosis, ExitCode};
use crate::system::environment::Environment;
use std::path::PathBuf;

/// The user's two folders; neither need exist.
#[derive(Debug, Clone)]
pub struct Folders {
    /// Such as `~/.config`; `oauth/config.toml` and `oauth/store.key` stand in it.
    pub configuration: PathBuf,
    /// Such as `~/.local/share`; `oauth/sessions` and `oauth/locks` stand in it.
    pub data: PathBuf,
}

/// No folder can be named.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no home folder: {0} is not set to an absolute path")]
pub struct NoHome(pub &'static str);

impl Diagnosis for NoHome {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hints(&self) -> Vec<String> {
        vec![format!("Set {} to a folder that this user may write.", self.0)]
    }
}

impl Folders {
    /// `XDG_CONFIG_HOME` and `XDG_DATA_HOME`, else `~/.config` and
    /// `~/.local/share`; `%APPDATA%` and `%LOCALAPPDATA%` on Windows.
    /// Relative paths are ignored, as the XDG specification says about its variables.
    ///
    /// # Errors
    /// [`NoHome`] naming the variable that would help.
    pub fn find(environment: &Environment) -> Result<Self, NoHome> {
        let absolute = |name: &str| environment.path(name).filter(|path| path.is_absolute());
        if cfg!(windows) {
            let folder = |name: &'static str| absolute(name).ok_or(NoHome(name));
            return Ok(Folders {
                configuration: folder("APPDATA")?,
                data: folder("LOCALAPPDATA")?,
            });
        }
        let folder = |variable: &str, below_home: &str| {
            absolute(variable)
                .or_else(|| absolute("HOME").map(|home| home.join(below_home)))
                .ok_or(NoHome("HOME"))
        };
        Ok(Folders {
            configuration: folder("XDG_CONFIG_HOME", ".config")?,
            data: folder("XDG_DATA_HOME", ".local/share")?,
        })
    }

    /// `oauth/config.toml` in the configuration folder.
    pub fn config_file(&self) -> PathBuf {
        self.configuration.join("oauth").join("config.toml")
    }

    /// `oauth/locks` in the data folder, one lock file a profile.
    pub fn locks(&self) -> PathBuf {
        self.data.join("oauth").join("locks")
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn xdg_before_home_and_no_home_is_named() {
        let find = |variables: &[(&str, &str)]| Folders::find(&Environment::of(variables));
        let folders = find(&[("HOME", "/h"), ("XDG_DATA_HOME", "/d"), ("XDG_CONFIG_HOME", "relative")]).unwrap();
        assert_eq!(folders.configuration, PathBuf::from("/h/.config"));
        assert_eq!(folders.data, PathBuf::from("/d"));
        assert_eq!(find(&[]).err(), Some(NoHome("HOME")));
        for relative in ["", "h", "./h", "~"] {
            assert_eq!(find(&[("HOME", relative)]).err(), Some(NoHome("HOME")), "{relative}");
        }
    }
}
