//! The name of a profile, which is also a keyring user name and a file name:
//! nothing that a path, a shell or a D-Bus attribute would take apart.

use crate::exit::{Diagnosis, ExitCode};
use std::fmt;
use std::str::FromStr;

/// The longest name, in characters.
const MAX_LENGTH_CHARS: usize = 64;

/// A profile's name: `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProfileName(String);

impl ProfileName {
    /// Checks the name.
    ///
    /// # Errors
    /// [`InvalidProfileName`] when it does not match.
    pub fn parse(name: &str) -> Result<Self, InvalidProfileName> {
        let begins_well = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
        let continues_well = name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
        if begins_well && continues_well && name.len() <= MAX_LENGTH_CHARS {
            Ok(ProfileName(name.to_owned()))
        } else {
            Err(InvalidProfileName { name: name.to_owned() })
        }
    }

    /// The name as it was typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProfileName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for ProfileName {
    type Err = InvalidProfileName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        ProfileName::parse(name)
    }
}

/// A name that no profile can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` cannot be the name of a profile")]
pub struct InvalidProfileName {
    pub name: String,
}

impl Diagnosis for InvalidProfileName {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hints(&self) -> Vec<String> {
        vec![format!(
            "A name is 1 to {MAX_LENGTH_CHARS} letters, digits, `.`, `_` and `-`, and begins with a letter or a digit."
        )]
    }
}

/// A name that is the same file on every file system: capital letters and a
/// dot at the end are spelled `=HH`, for where case does not count and such a
/// dot is dropped; on Windows the first letter of a device's name too.
pub(super) fn file_name(name: &str) -> String {
    spelled(name, cfg!(windows) && names_device(name))
}

fn spelled(name: &str, with_first_letter: bool) -> String {
    let last = name.len().saturating_sub(1);
    let mut spelled = String::with_capacity(name.len());
    for (position, character) in name.char_indices() {
        let is_first = with_first_letter && position == 0;
        if is_first || character.is_ascii_uppercase() || (character == '.' && position == last) {
            spelled.push_str(&format!("={:02x}", u32::from(character)));
        } else {
            spelled.push(character);
        }
    }
    spelled
}

/// Whether Windows opens a device under this name, whatever its folder and ending.
fn names_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    match stem.as_str() {
        "con" | "prn" | "aux" | "nul" => true,
        stem => ["com", "lpt"]
            .iter()
            .filter_map(|port| stem.strip_prefix(port))
            .any(|number| number.len() == 1 && number.bytes().all(|byte| byte.is_ascii_digit())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_pattern_and_no_others() {
        let longest = "a".repeat(64);
        for good in ["work", "0", "id.example.com-8443-realms_x", longest.as_str()] {
            assert_eq!(
                ProfileName::parse(good).map(|name| name.to_string()),
                Ok(good.to_owned())
            );
        }
        let too_long = "a".repeat(65);
        for bad in [
            "",
            ".",
            "..",
            "-x",
            "_x",
            ".x",
            "a/b",
            "a b",
            "a#0",
            "a@b",
            "ä",
            "a\n",
            too_long.as_str(),
        ] {
            assert_eq!(
                ProfileName::parse(bad),
                Err(InvalidProfileName { name: bad.to_owned() }),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn names_that_only_some_file_systems_tell_apart_become_different_files() {
        assert_eq!(file_name("work"), "work");
        assert_eq!(file_name("Work.x"), "=57ork.x");
        assert_eq!(file_name("work."), "work=2e");
        assert_eq!(file_name("work@0a1b2c3d"), "work@0a1b2c3d");
    }

    #[test]
    fn names_of_devices_are_files_on_windows_too() {
        for device in ["nul", "NUL", "con.work", "aux", "prn.", "com1", "lpt9.x"] {
            assert!(names_device(device), "{device}");
        }
        for file in ["null", "com", "com10", "lptx", "work.nul", "nul@0a1b2c3d", "console"] {
            assert!(!names_device(file), "{file}");
        }
        assert_eq!(spelled("nul.work", true), "=6eul.work");
        assert_eq!(spelled("NUL", true), "=4e=55=4c");
        let expected = if cfg!(windows) { "=61ux" } else { "aux" };
        assert_eq!(file_name("aux"), expected, "an old file keeps its name elsewhere");
    }
}
