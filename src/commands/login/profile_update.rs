//! What `login` writes to the configuration file after success.

use crate::args::config::{self, Change, Config, ConfigError, Setting};
use crate::args::settings::ResolvedLogin;
use crate::store::StoreKind;
use std::path::{Path, PathBuf};

/// The changes of one profile, made only when the session is kept.
pub(super) struct ProfileUpdate {
    path: PathBuf,
    changes: Vec<Change>,
}

impl ProfileUpdate {
    pub(super) fn new(config: &Config, path: PathBuf, resolved: &ResolvedLogin, kind: &StoreKind) -> Self {
        let name = &resolved.profile;
        let set = |key: &str, setting: Setting| Change::Set(name.clone(), key.to_owned(), setting);
        let mut changes: Vec<Change> = resolved
            .dropped
            .iter()
            .map(|key| Change::Unset(name.clone(), (*key).to_owned()))
            .collect();
        changes.extend(resolved.given.iter().map(|(key, setting)| set(key, setting.clone())));
        let keeps_session = *kind != StoreKind::None;
        // A profile that has another store may have a session there.
        if keeps_session || config.profile(name).is_none() {
            changes.push(set("store", Setting::Text(kind.to_string())));
        }
        let is_first = keeps_session && config.profiles().next().is_none() && config.default_profile.is_none();
        if is_first && name.as_str() != "default" {
            changes.push(Change::Default(name.clone()));
        }
        ProfileUpdate { path, changes }
    }

    /// The same file, and what `resolved` is now.
    pub(super) fn rebuild(&self, config: &Config, resolved: &ResolvedLogin, kind: &StoreKind) -> Self {
        ProfileUpdate::new(config, self.path.clone(), resolved, kind)
    }

    /// # Errors
    /// [`ConfigError`] where the file cannot be written; then it is as before.
    pub(super) fn save(&self, locks: &Path) -> Result<(), ConfigError> {
        config::change(&self.path, locks, &self.changes)
    }
}
