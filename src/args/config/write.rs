//! Changes the configuration file so that comments and order survive and two
//! changes at once lose nothing.

use super::error::ConfigError;
use super::model::{Config, Setting};
use crate::store::ProfileName;
use crate::system::files::named::{self, Replaced};
use crate::system::files::{FileError, PrivateDir};
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;
use toml_edit::{Array, DocumentMut, Item, Table, TableLike, Value};

/// A change to the configuration file.
#[derive(Debug, Clone)]
pub enum Change {
    /// Sets a key of a profile, making the profile where there is none.
    Set(ProfileName, String, Setting),
    /// Removes a key of a profile (`param.prompt` removes one pair).
    Unset(ProfileName, String),
    Remove(ProfileName),
    /// Names the default profile.
    Default(ProfileName),
}

/// Proves that a later [`change`] will work, and leaves nothing behind.
///
/// # Errors
/// [`ConfigError`].
pub fn check_writable(path: &Path) -> Result<(), ConfigError> {
    named::check_replaceable(path).map_err(|source| not_writable(path, source))
}

/// The lock of all configuration files: no profile can have that name.
const LOCK_NAME: &str = ".config.lock";

/// How long to wait for another process that changes the file: a matter of milliseconds.
const LOCK_WAIT: Duration = Duration::from_secs(10);

/// Applies changes under a lock, which is in the folder `locks` and not
/// beside the file, since that may be a folder under version control.
/// Replaces the file atomically.
///
/// # Errors
/// [`ConfigError`]; the file is then as it was.
pub fn change(path: &Path, locks: &Path, changes: &[Change]) -> Result<(), ConfigError> {
    change_within(LOCK_WAIT, path, locks, changes)
}

fn change_within(lock_wait: Duration, path: &Path, locks: &Path, changes: &[Change]) -> Result<(), ConfigError> {
    let not_writable = |source| not_writable(path, source);
    let target = Replaced::find(path).map_err(not_writable)?;
    let not_lockable = |source| ConfigError::NotLockable {
        path: path.to_owned(),
        source,
    };
    let locks = PrivateDir::make(locks).map_err(not_lockable)?;
    let lock = locks.lock_file(LOCK_NAME).map_err(not_lockable)?;
    lock.lock_within(lock_wait).map_err(|error| match error.kind() {
        ErrorKind::TimedOut => ConfigError::Locked { path: path.to_owned() },
        _ => not_lockable(FileError::unwritten(&locks.file(LOCK_NAME), error)),
    })?;
    let text = match named::read_text(&target.path()) {
        Ok(text) => text,
        Err(error) if error.is_not_found() => String::new(),
        Err(source) => {
            return Err(ConfigError::Read {
                path: path.to_owned(),
                source,
            });
        }
    };
    // Read strictly first: a file that would not load is never rewritten.
    Config::parse(&text, path)?;
    let mut document: DocumentMut = text
        .parse()
        .map_err(|error: toml_edit::TomlError| ConfigError::Syntax {
            path: path.to_owned(),
            line: 1,
            problem: error.message().to_owned(),
        })?;
    for change in changes {
        apply(&mut document, change);
    }
    target.replace(document.to_string().as_bytes()).map_err(not_writable)
}

fn not_writable(path: &Path, source: FileError) -> ConfigError {
    ConfigError::NotWritable {
        path: path.to_owned(),
        source,
    }
}

fn apply(document: &mut DocumentMut, change: &Change) {
    match change {
        Change::Default(name) => assign(document.as_table_mut(), "default_profile", Value::from(name.as_str())),
        Change::Remove(name) => remove_profile(document, name),
        Change::Set(name, key, setting) => {
            if let Some(table) = profile_table(document, name) {
                set(table, key, setting);
            }
        }
        Change::Unset(name, key) => {
            if let Some(table) = profile_table(document, name) {
                unset(table, key);
            }
        }
    }
}

/// Removes the profile, and its name where it is the default.
fn remove_profile(document: &mut DocumentMut, name: &ProfileName) {
    if let Some(profiles) = document.get_mut("profile").and_then(Item::as_table_like_mut) {
        profiles.remove(name.as_str());
    }
    if document.get("default_profile").and_then(Item::as_str) == Some(name.as_str()) {
        document.remove("default_profile");
    }
}

fn set(table: &mut dyn TableLike, key: &str, setting: &Setting) {
    let value = match setting {
        Setting::Pairs(pairs) => return set_pairs(table, key, pairs),
        Setting::Text(text) => Value::from(text.as_str()),
        Setting::Bool(value) => Value::from(*value),
        Setting::List(list) => Value::from(list.iter().collect::<Array>()),
        Setting::Ports(ports) => Value::from(ports.iter().map(|port| i64::from(*port)).collect::<Array>()),
    };
    assign(table, key, value);
}

/// Sets these pairs and leaves the others.
fn set_pairs(table: &mut dyn TableLike, key: &str, pairs: &[(String, String)]) {
    let item = table
        .entry(key)
        .or_insert_with(|| Item::Value(Value::InlineTable(Default::default())));
    let Some(inner) = item.as_table_like_mut() else { return };
    for (name, value) in pairs {
        inner.insert(name, toml_edit::value(value.as_str()));
    }
}

/// Removes a key, or one pair (`param.prompt`).
fn unset(table: &mut dyn TableLike, key: &str) {
    match key.split_once('.') {
        None => {
            table.remove(key);
        }
        Some((top, inner)) => {
            if let Some(pairs) = table.get_mut(top).and_then(Item::as_table_like_mut) {
                pairs.remove(inner);
            }
        }
    }
}

/// Replaces a value and keeps the comments above and behind it.
fn assign(table: &mut dyn TableLike, key: &str, mut value: Value) {
    let Some(item) = table.get_mut(key) else {
        table.insert(key, Item::Value(value));
        return;
    };
    if let Some(old) = item.as_value() {
        *value.decor_mut() = old.decor().clone();
    }
    *item = Item::Value(value);
}

/// The profile's table, made where there is none.
fn profile_table<'a>(document: &'a mut DocumentMut, name: &ProfileName) -> Option<&'a mut dyn TableLike> {
    let profiles = document.entry("profile").or_insert_with(|| {
        let mut table = Table::new();
        table.set_implicit(true);
        Item::Table(table)
    });
    if !profiles.is_table_like() {
        *profiles = Item::Table(Table::new());
    }
    let profile = &mut profiles[name.as_str()];
    if !profile.is_table_like() {
        *profile = Item::Table(Table::new());
    }
    profile.as_table_like_mut()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::config::read::tests::{EXAMPLE, name};
    use crate::exit::{Diagnosis, ExitCode};
    use std::fs;

    #[test]
    fn changes_keep_comments_and_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sub/config.toml");
        check_writable(&path).unwrap();
        change(&path, folder.path(), &[]).unwrap();
        fs::write(&path, EXAMPLE).unwrap();
        change(
            &path,
            folder.path(),
            &[
                Change::Set(name("work"), "issuer".into(), Setting::Text("https://new".into())),
                Change::Set(name("home"), "client_id".into(), Setting::Text("cli".into())),
                Change::Set(
                    name("work"),
                    "param".into(),
                    Setting::Pairs(vec![("prompt".into(), "login".into())]),
                ),
                Change::Unset(name("work"), "port".into()),
                Change::Default(name("home")),
            ],
        )
        .unwrap();
        let expected = EXAMPLE
            .replace("\"work\"\n", "\"home\"\n")
            .replace("https://id.example.com\"", "https://new\"")
            .replace("port = [4711, 4712]\n", "")
            .replace("\"me@example.com\" }", "\"me@example.com\" , prompt = \"login\" }")
            + "\n[profile.home]\nclient_id = \"cli\"\n";
        let written = fs::read_to_string(&path).unwrap();
        assert_eq!(written.replace(" , ", ", "), expected.replace(" , ", ", "));
        change(&path, folder.path(), &[Change::Remove(name("home"))]).unwrap();
        let config = Config::load(&path).unwrap();
        assert_eq!((config.default_profile.clone(), config.profiles().count()), (None, 1));
    }

    #[test]
    fn a_process_that_keeps_the_lock_is_not_waited_for_without_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, EXAMPLE).unwrap();
        let locks = PrivateDir::make(&folder.path().join("locks")).unwrap();
        let lock = locks.lock_file(LOCK_NAME).unwrap();
        assert!(lock.try_lock().unwrap());
        let moment = Duration::from_millis(20);
        let change = |wait| {
            change_within(
                wait,
                &path,
                &folder.path().join("locks"),
                &[Change::Default(name("home"))],
            )
        };
        let error = change(moment).unwrap_err();
        assert_eq!(error.exit_code(), ExitCode::Timeout, "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), EXAMPLE);
        lock.unlock();
        change(moment).unwrap();
    }

    #[test]
    fn comments_above_and_behind_a_changed_value_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        let text = "default_profile = \"a\" # the usual one\n\n[profile.a]\n# why these\nscope = [\"x\"] # two\n# who\nclient_id = \"c\"\n";
        fs::write(&path, text).unwrap();
        let changes = [
            Change::Default(name("b")),
            Change::Set(name("a"), "scope".into(), Setting::List(vec!["y".into()])),
            Change::Set(name("a"), "client_id".into(), Setting::Text("d".into())),
        ];
        change(&path, folder.path(), &changes).unwrap();
        let expected = text
            .replace("\"a\" #", "\"b\" #")
            .replace("\"x\"", "\"y\"")
            .replace("\"c\"", "\"d\"");
        assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    }

    #[test]
    fn a_broken_file_is_never_rewritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, "[profile.a]\nwrong = 1\n").unwrap();
        assert!(change(&path, folder.path(), &[Change::Default(name("a"))]).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "[profile.a]\nwrong = 1\n");
    }

    #[test]
    fn many_changes_at_once_lose_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        let locks = folder.path().to_owned();
        std::thread::scope(|scope| {
            for index in 0..8 {
                let (path, locks) = (path.clone(), locks.clone());
                scope.spawn(move || {
                    let set = Change::Set(
                        name(&format!("p{index}")),
                        "client_id".into(),
                        Setting::Text("c".into()),
                    );
                    change(&path, &locks, &[set]).unwrap();
                });
            }
        });
        assert_eq!(Config::load(&path).unwrap().profiles().count(), 8);
    }

    #[cfg(unix)]
    #[test]
    fn a_symbolic_link_stays_one() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().join("dotfiles.toml");
        fs::write(&real, "").unwrap();
        let link = folder.path().join("config.toml");
        std::os::unix::fs::symlink("dotfiles.toml", &link).unwrap();
        change(&link, folder.path(), &[Change::Default(name("a"))]).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(fs::read_to_string(&real).unwrap().contains("default_profile"));
    }
}
