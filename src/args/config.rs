//! The configuration file: profiles, no secret. Read strictly (an unknown key
//! is an error that names file, line and the nearest known key), changed so
//! that comments and order survive and two changes at once lose nothing.

use crate::exit::{Diagnosis, ExitCode};
use crate::store::ProfileName;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use toml_edit::{Array, Document, DocumentMut, Item, Table, TableLike, Value};

/// What a key may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A string.
    Text,
    /// A list of strings.
    List,
    /// `true` or `false`.
    Switch,
    /// A list of port numbers, or one.
    Ports,
    /// Names and string values, as in `param.prompt = "login"`.
    Pairs,
}

/// The keys of a profile: `login`'s long flags with `_`, and where requests go.
pub const KEYS: [(&str, Kind); 21] = [
    ("issuer", Kind::Text),
    ("authorization_endpoint", Kind::Text),
    ("token_endpoint", Kind::Text),
    ("revocation_endpoint", Kind::Text),
    ("allow_http", Kind::Switch),
    ("client_id", Kind::Text),
    ("client_secret_file", Kind::Text),
    ("client_auth", Kind::Text),
    ("scope", Kind::List),
    ("resource", Kind::List),
    ("audience", Kind::Text),
    ("param", Kind::Pairs),
    ("token_param", Kind::Pairs),
    ("redirect_uri", Kind::Text),
    ("port", Kind::Ports),
    ("response_mode", Kind::Text),
    ("browser", Kind::Text),
    ("store", Kind::Text),
    ("cacert", Kind::Text),
    ("proxy", Kind::Text),
    ("allow_host", Kind::List),
];

fn kind_of(key: &str) -> Option<Kind> {
    KEYS.iter().find(|(name, _)| *name == key).map(|(_, kind)| *kind)
}

/// The nearest known key, where one is near.
fn nearest(key: &str, known: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    known
        .map(|name| (strsim::damerau_levenshtein(key, name), name))
        .filter(|(distance, name)| *distance <= 1 + name.len() / 4)
        .min()
        .map(|(_, name)| name)
}

/// One profile's settings, as the file has them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profile {
    values: Vec<(String, Setting)>,
}

/// The value of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting {
    /// Of [`Kind::Text`].
    Text(String),
    /// Of [`Kind::List`].
    List(Vec<String>),
    /// Of [`Kind::Switch`].
    Switch(bool),
    /// Of [`Kind::Ports`].
    Ports(Vec<u16>),
    /// Of [`Kind::Pairs`].
    Pairs(Vec<(String, String)>),
}

impl Profile {
    /// The key's text, if it is set.
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.get(key) {
            Some(Setting::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The key's list; empty if it is not set.
    pub fn list(&self, key: &str) -> &[String] {
        match self.get(key) {
            Some(Setting::List(list)) => list,
            _ => &[],
        }
    }

    /// The key's switch; off if it is not set.
    pub fn switch(&self, key: &str) -> bool {
        matches!(self.get(key), Some(Setting::Switch(true)))
    }

    /// The ports; empty if not set.
    pub fn ports(&self, key: &str) -> &[u16] {
        match self.get(key) {
            Some(Setting::Ports(ports)) => ports,
            _ => &[],
        }
    }

    /// Names and values; empty if not set.
    pub fn pairs(&self, key: &str) -> &[(String, String)] {
        match self.get(key) {
            Some(Setting::Pairs(pairs)) => pairs,
            _ => &[],
        }
    }

    /// All settings in the order of the file.
    pub fn settings(&self) -> impl Iterator<Item = (&str, &Setting)> {
        self.values.iter().map(|(key, setting)| (key.as_str(), setting))
    }

    /// Sets a key, replacing what was there.
    pub fn set(&mut self, key: &str, setting: Setting) {
        self.values.retain(|(name, _)| name != key);
        self.values.push((key.to_owned(), setting));
    }

    fn get(&self, key: &str) -> Option<&Setting> {
        self.values
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, setting)| setting)
    }
}

/// Why the configuration file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It exists and cannot be read.
    #[error("the configuration file {} cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Not TOML.
    #[error("{}:{line}: not valid TOML: {problem}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What the parser says.
        problem: String,
    },
    /// A key that means nothing.
    #[error("{}:{line}: unknown key \"{key}\"", path.display())]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What stands there.
        key: String,
        /// What may have been meant.
        nearest: Option<&'static str>,
    },
    /// A value of the wrong type.
    #[error("{}:{line}: {key} must be {expected}", path.display())]
    Type {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// The key.
        key: String,
        /// `a string`, `a list of strings`.
        expected: &'static str,
    },
    /// A profile whose name cannot be typed.
    #[error("{}:{line}: \"{name}\" is no profile name: [A-Za-z0-9][A-Za-z0-9._-]{{0,63}}", path.display())]
    ProfileName {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What stands there.
        name: String,
    },
    /// It cannot be changed.
    #[error("the configuration file {} cannot be written", path.display())]
    NotWritable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// `profile set` with a key that means nothing.
    #[error("unknown key \"{key}\"")]
    UnknownSetting {
        /// What was typed.
        key: String,
        /// What may have been meant.
        nearest: Option<&'static str>,
    },
    /// `profile set` with a value of the wrong type.
    #[error("{key} must be {expected}")]
    SettingType {
        /// The key.
        key: String,
        /// What it takes.
        expected: &'static str,
    },
}

impl Diagnosis for ConfigError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hints(&self) -> Vec<String> {
        match self {
            // Known, but not alone: it has a name behind it.
            ConfigError::UnknownSetting {
                key,
                nearest: Some(nearest),
            } if key == nearest => {
                vec![format!(
                    "Write {key}.NAME=VALUE for one of them; an empty value removes it."
                )]
            }
            ConfigError::UnknownKey {
                nearest: Some(nearest), ..
            }
            | ConfigError::UnknownSetting {
                nearest: Some(nearest), ..
            } => {
                vec![format!("Did you mean \"{nearest}\"?")]
            }
            ConfigError::UnknownKey { .. } | ConfigError::UnknownSetting { .. } => {
                let known: Vec<&str> = KEYS.iter().map(|(name, _)| *name).collect();
                vec![format!("Known keys of a profile: {}.", known.join(", "))]
            }
            ConfigError::NotWritable { .. } => vec![
                "Log in with --no-save to leave the configuration file alone, or choose another one with --config FILE."
                    .to_owned(),
            ],
            ConfigError::Read { .. } => vec!["Choose another file with --config FILE.".to_owned()],
            _ => Vec::new(),
        }
    }
}

/// What the file says.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The profile that is meant when none is named.
    pub default_profile: Option<ProfileName>,
    profiles: Vec<(ProfileName, Profile)>,
}

impl Config {
    /// Reads the file; one that does not exist is empty.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        match fs::read_to_string(path) {
            Ok(text) => Config::parse(&text, path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Config::default()),
            Err(source) => Err(ConfigError::Read {
                path: path.to_owned(),
                source,
            }),
        }
    }

    fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let place = Place { text, path };
        let document = Document::parse(text).map_err(|error| ConfigError::Syntax {
            path: path.to_owned(),
            line: error.span().map_or(1, |span| place.line(span.start)),
            problem: error.message().lines().next().unwrap_or_default().to_owned(),
        })?;
        let mut config = Config::default();
        for (key, item) in document.as_table().iter() {
            let line = place.line_of(document.as_table(), key, item);
            match key {
                "default_profile" => {
                    let name = item.as_str().ok_or_else(|| place.wrong_type(line, key, "a string"))?;
                    config.default_profile = Some(place.profile_name(line, name)?);
                }
                "profile" => {
                    let profiles = item
                        .as_table_like()
                        .ok_or_else(|| place.wrong_type(line, key, "a table of profiles"))?;
                    for (name, item) in profiles.iter() {
                        let line = place.line_of(profiles, name, item);
                        let name = place.profile_name(line, name)?;
                        let table = item
                            .as_table_like()
                            .ok_or_else(|| place.wrong_type(line, &format!("profile.{name}"), "a table"))?;
                        config.profiles.push((name, place.profile(table)?));
                    }
                }
                _ => {
                    return Err(ConfigError::UnknownKey {
                        path: path.to_owned(),
                        line,
                        key: key.to_owned(),
                        nearest: nearest(key, ["default_profile", "profile"].into_iter()),
                    });
                }
            }
        }
        Ok(config)
    }

    /// The profile of this name.
    pub fn profile(&self, name: &ProfileName) -> Option<&Profile> {
        self.profiles
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, profile)| profile)
    }

    /// All profiles in the order of the file.
    pub fn profiles(&self) -> impl Iterator<Item = (&ProfileName, &Profile)> {
        self.profiles.iter().map(|(name, profile)| (name, profile))
    }
}

/// Turns positions in the text into line numbers, and items into settings.
struct Place<'a> {
    text: &'a str,
    path: &'a Path,
}

impl Place<'_> {
    fn line(&self, offset: usize) -> usize {
        1 + self
            .text
            .as_bytes()
            .iter()
            .take(offset)
            .filter(|byte| **byte == b'\n')
            .count()
    }

    fn line_of(&self, table: &dyn TableLike, key: &str, item: &Item) -> usize {
        let span = table.key(key).and_then(toml_edit::Key::span).or_else(|| item.span());
        self.line(span.map_or(0, |span| span.start))
    }

    fn wrong_type(&self, line: usize, key: &str, expected: &'static str) -> ConfigError {
        ConfigError::Type {
            path: self.path.to_owned(),
            line,
            key: key.to_owned(),
            expected,
        }
    }

    fn profile_name(&self, line: usize, name: &str) -> Result<ProfileName, ConfigError> {
        let invalid = || ConfigError::ProfileName {
            path: self.path.to_owned(),
            line,
            name: name.to_owned(),
        };
        ProfileName::parse(name).map_err(|_| invalid())
    }

    fn profile(&self, table: &dyn TableLike) -> Result<Profile, ConfigError> {
        let mut profile = Profile::default();
        for (key, item) in table.iter() {
            let line = self.line_of(table, key, item);
            let Some(kind) = kind_of(key) else {
                return Err(ConfigError::UnknownKey {
                    path: self.path.to_owned(),
                    line,
                    key: key.to_owned(),
                    nearest: nearest(key, KEYS.iter().map(|(name, _)| *name)),
                });
            };
            let setting = setting(kind, item).ok_or_else(|| self.wrong_type(line, key, expected(kind)))?;
            profile.set(key, setting);
        }
        Ok(profile)
    }
}

fn expected(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "a string",
        Kind::List => "a list of strings",
        Kind::Switch => "true or false",
        Kind::Ports => "a port number (0 to 65535) or a list of them",
        Kind::Pairs => "a table of strings",
    }
}

fn setting(kind: Kind, item: &Item) -> Option<Setting> {
    match kind {
        Kind::Text => item.as_str().map(|text| Setting::Text(text.to_owned())),
        Kind::Switch => item.as_bool().map(Setting::Switch),
        Kind::List => {
            let texts = item.as_array()?.iter().map(|value| value.as_str().map(str::to_owned));
            texts.collect::<Option<_>>().map(Setting::List)
        }
        Kind::Ports => {
            let port = |value: Option<i64>| value.and_then(|number| u16::try_from(number).ok());
            match item.as_array() {
                Some(array) => array
                    .iter()
                    .map(|value| port(value.as_integer()))
                    .collect::<Option<_>>(),
                None => port(item.as_integer()).map(|port| vec![port]),
            }
            .map(Setting::Ports)
        }
        Kind::Pairs => {
            let pairs = item.as_table_like()?.iter();
            pairs
                .map(|(name, item)| Some((name.to_owned(), item.as_str()?.to_owned())))
                .collect::<Option<_>>()
                .map(Setting::Pairs)
        }
    }
}

/// Reads `KEY=VALUE` of `profile set`; an empty value is `None`: remove the key.
/// A key of names and values is addressed as `param.prompt`.
///
/// # Errors
/// [`ConfigError::UnknownSetting`], [`ConfigError::SettingType`].
pub fn parse_setting(key: &str, value: &str) -> Result<Option<Setting>, ConfigError> {
    let (top, name) = match key.split_once('.') {
        Some((top, name)) => (top, Some(name)),
        None => (key, None),
    };
    let unknown = || ConfigError::UnknownSetting {
        key: key.to_owned(),
        nearest: nearest(top, KEYS.iter().map(|(name, _)| *name)),
    };
    let kind = kind_of(top).ok_or_else(unknown)?;
    if (kind == Kind::Pairs) != name.is_some() && !(kind == Kind::Pairs && value.is_empty()) {
        return Err(unknown());
    }
    if value.is_empty() {
        return Ok(None);
    }
    let wrong = || ConfigError::SettingType {
        key: key.to_owned(),
        expected: expected(kind),
    };
    let words = || value.split([' ', ',']).filter(|word| !word.is_empty());
    Ok(Some(match kind {
        Kind::Text => Setting::Text(value.to_owned()),
        Kind::List => Setting::List(value.split_whitespace().map(str::to_owned).collect()),
        Kind::Switch => Setting::Switch(value.parse().map_err(|_| wrong())?),
        Kind::Ports => Setting::Ports(
            words()
                .map(|word| word.parse::<u16>().map_err(|_| wrong()))
                .collect::<Result<_, _>>()?,
        ),
        Kind::Pairs => Setting::Pairs(vec![(name.unwrap_or_default().to_owned(), value.to_owned())]),
    }))
}

/// A change to the configuration file.
#[derive(Debug, Clone)]
pub enum Change {
    /// Sets a key of a profile, making the profile where there is none.
    Set(ProfileName, String, Setting),
    /// Removes a key of a profile (`param.prompt` removes one pair).
    Unset(ProfileName, String),
    /// Removes a profile.
    Remove(ProfileName),
    /// Names the default profile.
    Default(ProfileName),
}

/// Proves that a later [`change`] will work, and leaves nothing behind.
///
/// # Errors
/// [`ConfigError`].
pub fn check_writable(path: &Path) -> Result<(), ConfigError> {
    let not_writable = |source| ConfigError::NotWritable {
        path: path.to_owned(),
        source,
    };
    let target = resolve(path).map_err(not_writable)?;
    let temporary = write_beside(&target, "").map_err(not_writable)?;
    fs::remove_file(temporary).map_err(not_writable)?;
    if target.exists() && fs::metadata(&target).map_err(not_writable)?.permissions().readonly() {
        return Err(not_writable(io::Error::from(io::ErrorKind::PermissionDenied)));
    }
    Ok(())
}

/// The lock of all configuration files: no profile can have that name.
const LOCK_NAME: &str = ".config.lock";

/// Applies changes under a lock, which stands in the folder `locks` and not
/// beside the file, since that may be a folder of somebody's dotfiles.
/// Replaces the file atomically.
///
/// # Errors
/// [`ConfigError`]; the file is then as it was.
pub fn change(path: &Path, locks: &Path, changes: &[Change]) -> Result<(), ConfigError> {
    let not_writable = |source| ConfigError::NotWritable {
        path: path.to_owned(),
        source,
    };
    let target = resolve(path).map_err(not_writable)?;
    let lock = lock_file(locks).map_err(not_writable)?;
    lock.lock().map_err(not_writable)?;
    let text = match fs::read_to_string(&target) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
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
    let temporary = write_beside(&target, &document.to_string()).map_err(not_writable)?;
    fs::rename(&temporary, &target).map_err(|error| {
        let _ = fs::remove_file(&temporary);
        not_writable(error)
    })
}

fn lock_file(locks: &Path) -> io::Result<File> {
    let mut folder = fs::DirBuilder::new();
    folder.recursive(true);
    let mut options = File::options();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
        folder.mode(0o700);
        options.mode(0o600);
    }
    folder.create(locks)?;
    options.open(locks.join(LOCK_NAME))
}

fn apply(document: &mut DocumentMut, change: &Change) {
    match change {
        Change::Default(name) => assign(document.as_table_mut(), "default_profile", Value::from(name.as_str())),
        Change::Remove(name) => {
            if let Some(profiles) = document.get_mut("profile").and_then(Item::as_table_like_mut) {
                profiles.remove(name.as_str());
            }
            if document.get("default_profile").and_then(Item::as_str) == Some(name.as_str()) {
                document.remove("default_profile");
            }
        }
        Change::Set(name, key, setting) => {
            let Some(table) = profile_table(document, name) else {
                return;
            };
            match setting {
                Setting::Pairs(pairs) => {
                    let item = table
                        .entry(key)
                        .or_insert_with(|| Item::Value(Value::InlineTable(Default::default())));
                    if let Some(inner) = item.as_table_like_mut() {
                        for (name, value) in pairs {
                            inner.insert(name, toml_edit::value(value.as_str()));
                        }
                    }
                }
                Setting::Text(text) => assign(table, key, Value::from(text.as_str())),
                Setting::Switch(switch) => assign(table, key, Value::from(*switch)),
                Setting::List(list) => assign(table, key, Value::from(list.iter().collect::<Array>())),
                Setting::Ports(ports) => assign(
                    table,
                    key,
                    Value::from(ports.iter().map(|port| i64::from(*port)).collect::<Array>()),
                ),
            }
        }
        Change::Unset(name, key) => {
            let Some(table) = profile_table(document, name) else {
                return;
            };
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

/// The file behind symbolic links, with its folder made.
fn resolve(path: &Path) -> io::Result<PathBuf> {
    let mut target = path.to_owned();
    for _ in 0..16 {
        match fs::read_link(&target) {
            Ok(link) => target = target.parent().unwrap_or(Path::new("")).join(link),
            Err(_) => break,
        }
    }
    if let Some(folder) = target.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    Ok(target)
}

fn write_beside(target: &Path, text: &str) -> io::Result<PathBuf> {
    let name = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let temporary = target.with_file_name(format!(".{name}.{}.new", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
        let mode = fs::metadata(target).map_or(0o600, |metadata| metadata.permissions().mode() & 0o777);
        options.mode(mode);
    }
    let mut file = options.open(&temporary)?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .inspect_err(|_| {
            let _ = fs::remove_file(&temporary);
        })?;
    Ok(temporary)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, ConfigError> {
        Config::parse(text, Path::new("config.toml"))
    }

    fn name(text: &str) -> ProfileName {
        ProfileName::parse(text).unwrap()
    }

    const EXAMPLE: &str = r#"# my profiles
default_profile = "work"

[profile.work]
issuer = "https://id.example.com" # ours
client_id = "desktop"
scope = ["openid", "offline_access"]
port = [4711, 4712]
param = { login_hint = "me@example.com" }
"#;

    #[test]
    fn the_example_is_read() {
        let config = parse(EXAMPLE).unwrap();
        assert_eq!(config.default_profile, Some(name("work")));
        let profile = config.profile(&name("work")).unwrap();
        assert_eq!(profile.text("issuer"), Some("https://id.example.com"));
        assert_eq!(profile.list("scope"), ["openid", "offline_access"]);
        assert_eq!(profile.ports("port"), [4711, 4712]);
        assert_eq!(
            profile.pairs("param"),
            [("login_hint".to_owned(), "me@example.com".to_owned())]
        );
    }

    #[test]
    fn mistakes_name_file_line_and_nearest_key() {
        for (text, message, hint) in [
            (
                "[profile.a]\nissuer_ = \"x\"",
                "config.toml:2: unknown key \"issuer_\"",
                "issuer",
            ),
            (
                "\ndefault-profile = \"x\"",
                "config.toml:2: unknown key \"default-profile\"",
                "default_profile",
            ),
            (
                "[profile.a]\nscope = \"x\"",
                "config.toml:2: scope must be a list of strings",
                "",
            ),
            (
                "[profile.a]\nport = 70000",
                "config.toml:2: port must be a port number (0 to 65535) or a list of them",
                "",
            ),
            (
                "[profile.\"a b\"]\n",
                "config.toml:1: \"a b\" is no profile name: [A-Za-z0-9][A-Za-z0-9._-]{0,63}",
                "",
            ),
            (
                "[profile.a]\nallow_http = 1",
                "config.toml:2: allow_http must be true or false",
                "",
            ),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.to_string(), message);
            assert!(error.hints().join(" ").contains(hint), "{:?}", error.hints());
        }
        let error = parse("a = 1\n[profile.x\n").unwrap_err().to_string();
        assert!(error.starts_with("config.toml:2: not valid TOML: "), "{error}");
    }

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

    #[test]
    fn settings_as_they_are_typed() {
        assert_eq!(
            parse_setting("client_id", "x").unwrap(),
            Some(Setting::Text("x".into()))
        );
        assert_eq!(
            parse_setting("scope", "a b").unwrap(),
            Some(Setting::List(vec!["a".into(), "b".into()]))
        );
        assert_eq!(parse_setting("port", "1,2").unwrap(), Some(Setting::Ports(vec![1, 2])));
        assert_eq!(parse_setting("scope", "").unwrap(), None);
        assert_eq!(
            parse_setting("param.prompt", "login").unwrap(),
            Some(Setting::Pairs(vec![("prompt".into(), "login".into())]))
        );
        for (key, value) in [
            ("clientid", "x"),
            ("allow_http", "yes"),
            ("param", "x"),
            ("client_id.x", "y"),
        ] {
            assert!(parse_setting(key, value).is_err(), "{key}={value}");
        }
    }
}
