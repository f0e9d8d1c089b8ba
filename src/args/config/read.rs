//! Reads the configuration file strictly: a mistake names file, line and the
//! nearest known key.

use super::error::ConfigError;
use super::model::{Config, KEYS, Profile, Setting, SettingKind, expected, kind_of, nearest};
use crate::store::ProfileName;
use std::path::Path;
use std::{fs, io};
use toml_edit::{Document, Item, TableLike};

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

    pub(super) fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let place = SourceMap { text, path };
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
}

/// Turns positions in the text into line numbers, and items into settings.
struct SourceMap<'a> {
    text: &'a str,
    path: &'a Path,
}

impl SourceMap<'_> {
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
    if (kind == SettingKind::Pairs) != name.is_some() && !(kind == SettingKind::Pairs && value.is_empty()) {
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
        SettingKind::Text => Setting::Text(value.to_owned()),
        SettingKind::List => Setting::List(value.split_whitespace().map(str::to_owned).collect()),
        SettingKind::Bool => Setting::Bool(value.parse().map_err(|_| wrong())?),
        SettingKind::Ports => Setting::Ports(
            words()
                .map(|word| word.parse::<u16>().map_err(|_| wrong()))
                .collect::<Result<_, _>>()?,
        ),
        SettingKind::Pairs => Setting::Pairs(vec![(name.unwrap_or_default().to_owned(), value.to_owned())]),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Diagnosis;

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
