//! Assignments of environment variables that a shell reads back as they are.

use crate::args::settings::EnvShell;
use crate::exit::{Diagnosis, ExitCode};

/// The value has a character that no quoting of cmd.exe protects.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the value of {name} has {character:?} in it, which cmd cannot read")]
pub(crate) struct UnquotableValue {
    name: &'static str,
    character: char,
}

impl Diagnosis for UnquotableValue {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hints(&self) -> Vec<String> {
        vec!["Use --shell powershell, or run the program with: oauth exec -- PROGRAM".to_owned()]
    }
}

/// The line that sets and exports the variable, with its newline.
///
/// # Errors
/// [`UnquotableValue`], with [`EnvShell::Cmd`] only.
pub(super) fn assignment(shell: EnvShell, name: &'static str, value: &str) -> Result<String, UnquotableValue> {
    Ok(match shell {
        EnvShell::Posix => format!("export {name}='{}'\n", value.replace('\'', "'\\''")),
        EnvShell::Fish => format!(
            "set -gx {name} '{}'\n",
            value.replace('\\', "\\\\").replace('\'', "\\'")
        ),
        EnvShell::Powershell => format!("$env:{name} = '{}'\n", powershell(value)),
        EnvShell::Cmd => {
            if let Some(character) = value.chars().find(|character| is_special_to_cmd(*character)) {
                return Err(UnquotableValue { name, character });
            }
            format!("set \"{name}={value}\"\n")
        }
    })
}

/// PowerShell takes typographic quotes for plain ones; each is doubled.
fn powershell(value: &str) -> String {
    let mut quoted = String::with_capacity(value.len());
    for character in value.chars() {
        if matches!(character, '\'' | '\u{2018}'..='\u{201b}') {
            quoted.push(character);
        }
        quoted.push(character);
    }
    quoted
}

/// `%` and `!` are expanded within quotes too, `"` ends them.
fn is_special_to_cmd(character: char) -> bool {
    matches!(character, '"' | '%' | '!') || character.is_control()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_shell_reads_quoted_text_as_it_is() {
        let line = |shell, value| assignment(shell, "X", value);
        let text = "a'b\\$(c)\"%d% \u{2019}";
        for (shell, expected) in [
            (EnvShell::Posix, "export X='a'\\''b\\$(c)\"%d% \u{2019}'\n"),
            (EnvShell::Fish, "set -gx X 'a\\'b\\\\$(c)\"%d% \u{2019}'\n"),
            (EnvShell::Powershell, "$env:X = 'a''b\\$(c)\"%d% \u{2019}\u{2019}'\n"),
        ] {
            assert_eq!(line(shell, text).as_deref(), Ok(expected), "{shell:?}");
        }
        assert_eq!(line(EnvShell::Cmd, "a'b^&|<>").as_deref(), Ok("set \"X=a'b^&|<>\"\n"));
        for special in ["\"", "%", "!", "\n"] {
            assert!(line(EnvShell::Cmd, special).is_err(), "{special:?}");
        }
    }
}
