//! The process environment as a value, taken once, so that everything that
//! depends on it says so in its arguments.

use std::borrow::Cow;
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

    /// The value as it is.
    pub fn raw(&self, name: &str) -> Option<&OsStr> {
        let value = match cfg!(windows) {
            false => self.0.get(OsStr::new(name)),
            true => {
                let mut variables = self.0.iter();
                let found = variables.find(|(found, _)| is_name(found, name));
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
            .filter(|(name, _)| !names.iter().any(|own| is_name(name, own)));
        Environment(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    /// All variables but our own, for a command that the user runs through us:
    /// no `OAUTH_*` goes there.
    pub fn for_command(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.0
            .iter()
            .filter(|(name, _)| !name.to_string_lossy().to_ascii_uppercase().starts_with("OAUTH_"))
            .map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }

    /// The same for a program that we run, such as a browser or a credential
    /// helper: neither it nor what it runs is looked for in the current folder,
    /// which `PATH` may name by `.` or by an empty entry.
    pub fn for_children(&self) -> impl Iterator<Item = (Cow<'_, OsStr>, Cow<'_, OsStr>)> {
        self.for_command().filter_map(|(name, value)| {
            let value = match is_name(name, "PATH") {
                true => Cow::Owned(absolute_entries(value)?),
                false => Cow::Borrowed(value),
            };
            Some((Cow::Borrowed(name), value))
        })
    }
}

/// Whether a variable has this name. On Windows its case does not count.
fn is_name(variable: &OsStr, name: &str) -> bool {
    match cfg!(windows) {
        true => variable.eq_ignore_ascii_case(name),
        false => variable == name,
    }
}

/// The folders of a search path that are the same wherever a process runs;
/// `None` where there are none, since an empty path means the current folder.
fn absolute_entries(path: &OsStr) -> Option<OsString> {
    let entries: Vec<PathBuf> = std::env::split_paths(path)
        .filter(|entry| entry.is_absolute())
        .collect();
    let joined = std::env::join_paths(entries).ok()?;
    (!joined.is_empty()).then_some(joined)
}

/// The command that removes a variable from the shell of this system: on
/// Windows PowerShell.
pub fn unset_command(name: &str) -> String {
    match cfg!(windows) {
        true => format!("Remove-Item Env:{name}"),
        false => format!("unset {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_child_searches_no_folder_that_depends_on_where_it_runs() {
        for (path, kept) in [
            ("/usr/bin:/bin", Some("/usr/bin:/bin")),
            (".:/usr/bin:bin:/bin:../x", Some("/usr/bin:/bin")),
            (":/usr/bin::/bin:", Some("/usr/bin:/bin")),
            (".", None),
            (":", None),
        ] {
            let environment = Environment::of(&[("PATH", path), ("OAUTH_STORE", "none"), ("HOME", ".")]);
            let child: Vec<_> = environment.for_children().collect();
            let value = |wanted: &str| {
                child
                    .iter()
                    .find(|(name, _)| **name == *wanted)
                    .map(|(_, value)| value.to_str())
            };
            assert_eq!(value("PATH"), kept.map(Some), "{path}");
            assert_eq!((value("HOME"), value("OAUTH_STORE")), (Some(Some(".")), None));
        }
    }

    #[cfg(windows)]
    #[test]
    fn the_case_of_a_name_does_not_count() {
        let environment = Environment::of(&[("oauth_store", "none"), ("Path", "C:\\")]);
        assert_eq!(environment.text("OAUTH_STORE").as_deref(), Some("none"));
        let children: Vec<_> = environment.for_children().map(|(name, _)| name.into_owned()).collect();
        assert_eq!(children, ["Path"], "names are passed on as they are");
        assert!(!environment.without(&["OAUTH_STORE"]).has("OAUTH_STORE"));
    }
}
