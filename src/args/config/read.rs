//! Reads the configuration file strictly: a mistake names file, line and the
//! nearest known key.

use super::error::ConfigError;
use super::model::{Config, KEYS, Profile, Setting, SettingKind, expected, kind_of};
use super::paths;
use crate::args::toml_source::{line_at, line_of};
use crate::spelling::nearest;
use crate::store::ProfileName;
use crate::system::files::named;
use std::path::Path;
use toml_edit::{Array, Document, Item, TableLike, Value};

impl Config {
    /// Reads the file; one that does not exist is empty.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        match named::read_text(path) {
            Ok(text) => Config::parse(&text, path),
            Err(error) if error.is_not_found() => Ok(Config::default()),
            Err(source) => Err(ConfigError::Read {
                path: path.to_owned(),
                source,
            }),
        }
    }

    pub(super) fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let document = Document::parse(text).map_err(|error| ConfigError::Syntax {
            path: path.to_owned(),
            line: error.span().map_or(1, |span| line_at(text, span.start)),
            problem: error.message().lines().next().unwrap_or_default().to_owned(),
        })?;
        let table = document.as_table();
        let version = table.get("version").and_then(Item::as_integer);
        let mut source = SourceMap {
            text,
            path,
            is_of_newer_program: version.is_some_and(|version| version > CONFIG_VERSION),
            warnings: Vec::new(),
        };
        let mut config = Config::default();
        for (key, item) in table.iter() {
            let line = source.line_of(table, key, item);
            match key {
                "version" if version.is_some() => {}
                "version" => return Err(source.wrong_type(line, key, "a whole number")),
                "default_profile" => {
                    let name = item.as_str().ok_or_else(|| source.wrong_type(line, key, "a string"))?;
                    config.default_profile = Some(source.profile_name(line, name)?);
                }
                "client_metadata_url" => {
                    let url = item.as_str().ok_or_else(|| source.wrong_type(line, key, "a string"))?;
                    config.client_metadata_url = Some(url.to_owned());
                }
                "profile" => config.profiles = source.profiles(line, item)?,
                _ => {
                    let is_profile = item.is_table_like() && ProfileName::parse(key).is_ok();
                    let profile = is_profile.then(|| format!("[profile.{key}]"));
                    source.unknown_key(line, key, nearest(key, TOP_LEVEL_KEYS).map(quoted).or(profile))?;
                }
            }
        }
        config.warnings = source.warnings;
        Ok(config)
    }
}

/// The format that this program writes; a file may name it as `version`.
const CONFIG_VERSION: i64 = 1;

const TOP_LEVEL_KEYS: [&str; 4] = ["client_metadata_url", "default_profile", "profile", "version"];

/// Turns positions in the text into line numbers, and items into settings.
struct SourceMap<'a> {
    text: &'a str,
    path: &'a Path,
    /// Unknown keys are then left alone, with a warning.
    is_of_newer_program: bool,
    warnings: Vec<String>,
}

impl SourceMap<'_> {
    fn line_of(&self, table: &dyn TableLike, key: &str, item: &Item) -> usize {
        line_of(self.text, table, key, item)
    }

    fn wrong_type(&self, line: usize, key: &str, expected: &'static str) -> ConfigError {
        ConfigError::Type {
            path: self.path.to_owned(),
            line,
            key: key.to_owned(),
            expected,
            example: None,
        }
    }

    /// The same for a key of a profile.
    fn wrong_setting(&self, line: usize, key: &str, kind: SettingKind, item: &Item) -> ConfigError {
        let words = item.as_str().filter(|_| kind == SettingKind::List);
        ConfigError::Type {
            path: self.path.to_owned(),
            line,
            key: key.to_owned(),
            expected: expected(kind),
            example: words.map(|words| Value::from(words.split_whitespace().collect::<Array>()).to_string()),
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

    fn profiles(&mut self, line: usize, item: &Item) -> Result<Vec<(ProfileName, Profile)>, ConfigError> {
        let table = item
            .as_table_like()
            .ok_or_else(|| self.wrong_type(line, "profile", "a table of profiles"))?;
        let mut profiles = Vec::new();
        for (name, item) in table.iter() {
            let line = self.line_of(table, name, item);
            let name = self.profile_name(line, name)?;
            let table = item
                .as_table_like()
                .ok_or_else(|| self.wrong_type(line, &format!("profile.{name}"), "a table"))?;
            profiles.push((name, self.profile(table)?));
        }
        Ok(profiles)
    }

    fn profile(&mut self, table: &dyn TableLike) -> Result<Profile, ConfigError> {
        let mut profile = Profile::default();
        for (key, item) in table.iter() {
            let line = self.line_of(table, key, item);
            match kind_of(key) {
                Some(kind) => {
                    let setting = setting(kind, item).ok_or_else(|| self.wrong_setting(line, key, kind, item))?;
                    if let Setting::Text(text) = &setting
                        && let Some(relative) = paths::relative(key, text)
                    {
                        return Err(ConfigError::RelativePath {
                            path: self.path.to_owned(),
                            line,
                            key: key.to_owned(),
                            relative,
                        });
                    }
                    profile.set(key, setting);
                }
                None => {
                    let nearest = nearest(key, KEYS.iter().map(|(name, _)| *name));
                    self.unknown_key(line, key, nearest.map(quoted))?;
                }
            }
        }
        Ok(profile)
    }

    /// An error, but in a file of a newer program, which may know the key.
    fn unknown_key(&mut self, line: usize, key: &str, nearest: Option<String>) -> Result<(), ConfigError> {
        let error = ConfigError::UnknownKey {
            path: self.path.to_owned(),
            line,
            key: key.to_owned(),
            nearest,
        };
        if !self.is_of_newer_program {
            return Err(error);
        }
        self.warnings
            .push(format!("{error}: ignored, since a newer program wrote the file"));
        Ok(())
    }
}

fn quoted(key: &str) -> String {
    format!("\"{key}\"")
}

fn setting(kind: SettingKind, item: &Item) -> Option<Setting> {
    match kind {
        SettingKind::Text => item.as_str().map(|text| Setting::Text(text.to_owned())),
        SettingKind::Bool => item.as_bool().map(Setting::Bool),
        SettingKind::List => {
            let texts = item.as_array()?.iter().map(|value| value.as_str().map(str::to_owned));
            texts.collect::<Option<_>>().map(Setting::List)
        }
        SettingKind::Ports => {
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
        SettingKind::Pairs => {
            let pairs = item.as_table_like()?.iter();
            pairs
                .map(|(name, item)| Some((name.to_owned(), item.as_str()?.to_owned())))
                .collect::<Option<_>>()
                .map(Setting::Pairs)
        }
    }
}

/// A key of a profile as `profile set` changes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyChange {
    /// The key's new value.
    Set(String, Setting),
    /// The key, or one of its pairs (`param.prompt`), is removed.
    Unset(String),
}

/// Reads `KEY=VALUE` of `profile set`; an empty value removes the key. One pair
/// of a key is addressed as `param=prompt=login` or `param.prompt=login`.
///
/// # Errors
/// [`ConfigError::UnknownSetting`], [`ConfigError::SettingType`].
pub fn parse_setting(key: &str, value: &str) -> Result<KeyChange, ConfigError> {
    let is_pairs = kind_of(key) == Some(SettingKind::Pairs);
    let (top, name, value) = match (key.split_once('.'), value.split_once('=')) {
        (Some((top, name)), _) => (top, Some(name), value),
        (None, Some((name, value))) if is_pairs => (key, Some(name), value),
        (None, _) => (key, None, value),
    };
    let unknown = || ConfigError::UnknownSetting {
        key: key.to_owned(),
        nearest: nearest(top, KEYS.iter().map(|(name, _)| *name)),
    };
    let kind = kind_of(top).ok_or_else(unknown)?;
    match (kind == SettingKind::Pairs, name) {
        (true, Some("")) | (false, Some(_)) => return Err(unknown()),
        (true, None) if !value.is_empty() => return Err(unknown()),
        _ => {}
    }
    if value.is_empty() {
        let pair = name.map(|name| format!("{top}.{name}"));
        return Ok(KeyChange::Unset(pair.unwrap_or_else(|| top.to_owned())));
    }
    let setting = setting_from_text(kind, name, value).ok_or_else(|| ConfigError::SettingType {
        key: key.to_owned(),
        expected: expected(kind),
    })?;
    let setting = match setting {
        Setting::Text(text) => Setting::Text(paths::absolute(top, &text)),
        other => other,
    };
    Ok(KeyChange::Set(top.to_owned(), setting))
}

fn setting_from_text(kind: SettingKind, name: Option<&str>, value: &str) -> Option<Setting> {
    Some(match kind {
        SettingKind::Text => Setting::Text(value.to_owned()),
        SettingKind::List => Setting::List(value.split_whitespace().map(str::to_owned).collect()),
        SettingKind::Bool => Setting::Bool(value.parse().ok()?),
        SettingKind::Ports => {
            let words = value.split([' ', ',']).filter(|word| !word.is_empty());
            Setting::Ports(words.map(|word| word.parse::<u16>().ok()).collect::<Option<_>>()?)
        }
        SettingKind::Pairs => Setting::Pairs(vec![(name?.to_owned(), value.to_owned())]),
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::exit::Diagnosis;

    fn parse(text: &str) -> Result<Config, ConfigError> {
        Config::parse(text, Path::new("config.toml"))
    }

    pub(in crate::args::config) fn name(text: &str) -> ProfileName {
        ProfileName::parse(text).unwrap()
    }

    pub(in crate::args::config) const EXAMPLE: &str = r#"# my profiles
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
                "Write: scope = [\"x\"]",
            ),
            (
                "[profile.a]\nscope = \"openid email\"",
                "config.toml:2: scope must be a list of strings",
                "Write: scope = [\"openid\", \"email\"]",
            ),
            (
                "[work]\nissuer = \"x\"",
                "config.toml:1: unknown key \"work\"",
                "Did you mean [profile.work]?",
            ),
            (
                "[profile.a]\nclient_secret = \"x\"",
                "config.toml:2: unknown key \"client_secret\"",
                "never in the configuration file: name a file that holds it with client_secret_file",
            ),
            (
                "[profile.a]\nport = 70000",
                "config.toml:2: port must be a port number (0 to 65535) or a list of them",
                "",
            ),
            (
                "[profile.\"a b\"]\n",
                "config.toml:1: \"a b\" is not a profile name: [A-Za-z0-9][A-Za-z0-9._-]{0,63}",
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
    fn settings_as_they_are_typed() {
        let pair = |name: &str, value: &str| Setting::Pairs(vec![(name.into(), value.into())]);
        let set = |key: &str, setting: Setting| KeyChange::Set(key.into(), setting);
        let unset = |key: &str| KeyChange::Unset(key.into());
        for (key, value, change) in [
            ("client_id", "x", set("client_id", Setting::Text("x".into()))),
            (
                "scope",
                "a b",
                set("scope", Setting::List(vec!["a".into(), "b".into()])),
            ),
            ("port", "1,2", set("port", Setting::Ports(vec![1, 2]))),
            ("scope", "", unset("scope")),
            ("param.prompt", "login", set("param", pair("prompt", "login"))),
            ("param", "prompt=login", set("param", pair("prompt", "login"))),
            ("token_param", "a=b=c", set("token_param", pair("a", "b=c"))),
            ("param.prompt", "", unset("param.prompt")),
            ("param", "prompt=", unset("param.prompt")),
            ("param", "", unset("param")),
        ] {
            assert_eq!(parse_setting(key, value).unwrap(), change, "{key}={value}");
        }
        for (key, value) in [
            ("clientid", "x"),
            ("allow_http", "yes"),
            ("param", "x"),
            ("param", "=x"),
            ("param.", "x"),
            ("client_id.x", "y"),
        ] {
            assert!(parse_setting(key, value).is_err(), "{key}={value}");
        }
    }

    #[test]
    fn an_unknown_key_of_a_newer_program_is_a_warning() {
        let newer = "version = 2\nfuture = 1\n[profile.a]\nissuer = \"x\"\nmore = true\n";
        let config = parse(newer).unwrap();
        assert_eq!(config.profile(&name("a")).unwrap().text("issuer"), Some("x"));
        let lines: Vec<&str> = config.warnings.iter().map(|warning| &warning[..13]).collect();
        assert_eq!(lines, ["config.toml:2", "config.toml:5"]);
        for same in [newer.replace("= 2", "= 1"), newer.replace("version = 2\n", "")] {
            assert!(matches!(parse(&same), Err(ConfigError::UnknownKey { .. })), "{same}");
        }
        assert!(matches!(parse("version = \"2\""), Err(ConfigError::Type { .. })));
        assert!(parse("version = 1").unwrap().warnings.is_empty());
    }
}
