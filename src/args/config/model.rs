//! What the configuration file can hold.

use crate::store::ProfileName;

/// What a key may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SettingKind {
    Text,
    /// A list of strings.
    List,
    /// `true` or `false`.
    Bool,
    /// A list of port numbers, or one.
    Ports,
    /// Names and string values, as in `param.prompt = "login"`.
    Pairs,
}

/// The keys of a profile: `login`'s long flags with `_`, and where requests go.
pub(super) const KEYS: &[(&str, SettingKind)] = &[
    ("provider", SettingKind::Text),
    ("issuer", SettingKind::Text),
    ("api", SettingKind::Text),
    ("no_probe", SettingKind::Bool),
    ("assume_pkce", SettingKind::Bool),
    ("authorization_endpoint", SettingKind::Text),
    ("token_endpoint", SettingKind::Text),
    ("revocation_endpoint", SettingKind::Text),
    ("userinfo_endpoint", SettingKind::Text),
    ("introspection_endpoint", SettingKind::Text),
    ("jwks_uri", SettingKind::Text),
    ("device_authorization_endpoint", SettingKind::Text),
    ("pushed_authorization_request_endpoint", SettingKind::Text),
    ("allow_http", SettingKind::Bool),
    ("client_id", SettingKind::Text),
    ("client_metadata_url", SettingKind::Text),
    ("no_register", SettingKind::Bool),
    ("client_secret_file", SettingKind::Text),
    ("client_key_file", SettingKind::Text),
    ("client_key_id", SettingKind::Text),
    ("client_cert_file", SettingKind::Text),
    ("client_auth", SettingKind::Text),
    ("assertion_audience", SettingKind::Text),
    ("client_assertion", SettingKind::Text),
    ("grant", SettingKind::Text),
    ("subject_token", SettingKind::Text),
    ("subject_token_type", SettingKind::Text),
    ("actor_token", SettingKind::Text),
    ("actor_token_type", SettingKind::Text),
    ("requested_token_type", SettingKind::Text),
    ("assertion", SettingKind::Text),
    ("from", SettingKind::Text),
    ("scope", SettingKind::List),
    ("resource", SettingKind::List),
    ("audience", SettingKind::Text),
    ("dpop", SettingKind::Bool),
    ("par", SettingKind::Text),
    ("request_object", SettingKind::Bool),
    ("authorization_details", SettingKind::Text),
    ("param", SettingKind::Pairs),
    ("token_param", SettingKind::Pairs),
    ("refresh_param", SettingKind::Pairs),
    ("assume_ttl", SettingKind::Text),
    ("redirect_uri", SettingKind::Text),
    ("port", SettingKind::Ports),
    ("response_mode", SettingKind::Text),
    ("callback_cert", SettingKind::Text),
    ("callback_key", SettingKind::Text),
    ("success_url", SettingKind::Text),
    ("browser", SettingKind::Text),
    ("store", SettingKind::Text),
    ("cacert", SettingKind::Text),
    ("proxy", SettingKind::Text),
    ("allow_host", SettingKind::List),
    ("git_username", SettingKind::Text),
];

pub(super) fn kind_of(key: &str) -> Option<SettingKind> {
    KEYS.iter().find(|(name, _)| *name == key).map(|(_, kind)| *kind)
}

/// One profile's settings, as the file has them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profile {
    values: Vec<(String, Setting)>,
}

/// The value of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting {
    /// Of [`SettingKind::Text`].
    Text(String),
    /// Of [`SettingKind::List`].
    List(Vec<String>),
    /// Of [`SettingKind::Bool`].
    Bool(bool),
    /// Of [`SettingKind::Ports`].
    Ports(Vec<u16>),
    /// Of [`SettingKind::Pairs`].
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
    pub fn bool(&self, key: &str) -> bool {
        matches!(self.get(key), Some(Setting::Bool(true)))
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

    /// The same without these keys.
    #[must_use]
    pub fn without(&self, keys: &[&str]) -> Profile {
        let kept = self.values.iter().filter(|(name, _)| !keys.contains(&name.as_str()));
        Profile {
            values: kept.cloned().collect(),
        }
    }

    fn get(&self, key: &str) -> Option<&Setting> {
        self.values
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, setting)| setting)
    }
}

/// What the file says.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The profile that is meant when none is named.
    pub default_profile: Option<ProfileName>,
    /// The client-ID metadata document of profiles that name no other one.
    pub client_metadata_url: Option<String>,
    /// What was ignored, since a newer program wrote the file.
    pub warnings: Vec<String>,
    pub(super) profiles: Vec<(ProfileName, Profile)>,
}

impl Config {
    /// The profile that is used when none is named: `default_profile`, else the
    /// only one, else the one named `default`. `None` also where `default_profile` names nothing.
    pub fn effective_default(&self) -> Option<&ProfileName> {
        match (&self.default_profile, self.profiles.as_slice()) {
            (Some(name), profiles) => profiles.iter().map(|(own, _)| own).find(|own| *own == name),
            (None, [(name, _)]) => Some(name),
            (None, profiles) => profiles
                .iter()
                .map(|(own, _)| own)
                .find(|own| own.as_str() == "default"),
        }
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

pub(super) fn expected(kind: SettingKind) -> &'static str {
    match kind {
        SettingKind::Text => "a string",
        SettingKind::List => "a list of strings",
        SettingKind::Bool => "true or false",
        SettingKind::Ports => "a port number (0 to 65535) or a list of them",
        SettingKind::Pairs => "a table of strings",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    /// What `docs/configuration.md` says of what a key of a profile holds.
    fn kind_on_the_page(text: &str) -> SettingKind {
        match text {
            "text" => SettingKind::Text,
            "list of texts" => SettingKind::List,
            "`true` or `false`" => SettingKind::Bool,
            "a number, or a list of numbers" => SettingKind::Ports,
            _ if text.starts_with("names and texts") => SettingKind::Pairs,
            _ => panic!("{text}"),
        }
    }

    #[test]
    fn the_page_about_the_file_has_every_key() {
        let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/configuration.md")).unwrap();
        let (of_profiles, _) = page.split_once("## For the whole file").unwrap();
        let mut described = Vec::new();
        for row in of_profiles.lines().filter(|line| line.starts_with("| `")) {
            let cells: Vec<&str> = row.split(" | ").collect();
            let kind = kind_on_the_page(cells[1]);
            let keys = cells[0].split('`').skip(1).step_by(2);
            described.extend(keys.map(|key| (key.to_owned(), kind)));
        }
        let mut known: Vec<_> = KEYS.iter().map(|(key, kind)| ((*key).to_owned(), *kind)).collect();
        described.sort_by(|one, other| one.0.cmp(&other.0));
        known.sort_by(|one, other| one.0.cmp(&other.0));
        assert_eq!(described, known);
    }
}
