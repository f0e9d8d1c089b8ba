//! Which variables `oauth exec` gives to its command.

use super::error::{SettingsError, invalid, invalid_with_hint};

/// A variable and what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecVariable {
    pub name: String,
    pub content: ExecContent,
}

/// What a variable can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExecContent {
    AccessToken,
    IdToken,
    ExpiresAt,
    Issuer,
}

const CONTENTS: [(&str, ExecContent); 4] = [
    ("access_token", ExecContent::AccessToken),
    ("id_token", ExecContent::IdToken),
    ("expires_at", ExecContent::ExpiresAt),
    ("issuer", ExecContent::Issuer),
];

/// The variables of `--env`.
///
/// # Errors
/// [`SettingsError::Value`].
pub fn exec_variables(given: &[String]) -> Result<Vec<ExecVariable>, SettingsError> {
    let mut variables: Vec<ExecVariable> = Vec::new();
    for text in given {
        let variable = exec_variable(text)?;
        if variables.iter().any(|earlier| earlier.name == variable.name) {
            return Err(invalid("--env", format!("\"{}\" is given twice", variable.name)));
        }
        variables.push(variable);
    }
    Ok(variables)
}

fn exec_variable(text: &str) -> Result<ExecVariable, SettingsError> {
    let hint = "Such as: oauth exec --env GITLAB_TOKEN=access_token -- CMD";
    let (name, what) = text
        .split_once('=')
        .filter(|(name, _)| is_variable_name(name))
        // The text is not shown: the value may be a token in the wrong place
        .ok_or_else(|| invalid_with_hint("--env", "it is not of the form NAME=WHAT", hint))?;
    let content = CONTENTS.iter().find(|(known, _)| *known == what);
    let (_, content) = content.ok_or_else(|| {
        let problem = format!("what {name} is to hold must be access_token, id_token, expires_at or issuer");
        invalid_with_hint("--env", problem, hint)
    })?;
    Ok(ExecVariable {
        name: name.to_owned(),
        content: *content,
    })
}

/// POSIX.1-2024, Base Definitions §3.216.
fn is_variable_name(name: &str) -> bool {
    let starts_well = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    starts_well && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
