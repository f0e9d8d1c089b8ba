//! The process environment as a value, taken once, so that everything that
//! depends on it says so in its arguments.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// Environment variables. A variable that is set to nothing counts as unset.
#[derive(Debug, Clone, Default)]
pub struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    /// That of this process.
    pub fn of_process() -> Self {
        Environment(std::env::vars_os().collect())
    }

    /// The variables that a test wants to see.
    #[cfg(test)]
    pub fn of(variables: &[(&str, &str)]) -> Self {
        Environment(
            variables
                .iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }

    /// The value as it is. On Windows the case of a variable's name does not count.
    pub fn raw(&self, name: &str) -> Option<&OsStr> {
        let value = match cfg!(windows) {
            false => self.0.get(OsStr::new(name)),
            true => {
                let mut variables = self.0.iter();
                let found = variables.find(|(found, _)| found.eq_ignore_ascii_case(name));
                found.map(|(_, value)| value)
            }
        };
        value.map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// The value as text; bytes that are not Unicode are replaced, and then
    /// fail wherever the text is parsed.
    pub fn text(&self, name: &str) -> Option<String> {
        self.raw(name).map(|value| value.to_string_lossy().into_owned())
    }

    /// The value as a path.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.raw(name).map(PathBuf::from)
    }

    /// Whether the variable is set, whatever its value.
    pub fn has(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    /// The same without some variables.
    #[must_use]
    pub fn without(&self, names: &[&str]) -> Self {
        let kept = self
            .0
            .iter()
            .filter(|(name, _)| !names.iter().any(|own| name.as_os_str() == OsStr::new(own)));
        Environment(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    /// All variables but our own, for a child process: no `OAUTH_*` goes to the browser.
    pub fn for_children(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.0
            .iter()
            .filter(|(name, _)| !name.to_string_lossy().to_ascii_uppercase().starts_with("OAUTH_"))
            .map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }
}

/// The command that removes a variable from the shell of this system: on
/// Windows PowerShell.
pub fn unset_command(name: &str) -> String {
    match cfg!(windows) {
        true => format!("Remove-Item Env:{name}"),
        false => format!("unset {name}"),
    }
}

#[cfg(all(test, windows))]
mod tests {
    use super::*;

    #[test]
    fn the_case_of_a_name_does_not_count() {
        let environment = Environment::of(&[("oauth_store", "none"), ("Path", "C:\\")]);
        assert_eq!(environment.text("OAUTH_STORE").as_deref(), Some("none"));
        let children: Vec<_> = environment.for_children().map(|(name, _)| name.to_owned()).collect();
        assert_eq!(children, ["Path"], "names are passed on as they are");
    }
}
