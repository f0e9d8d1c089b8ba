//! A message with its label, as a terminal shows it: broken between words,
//! its further rows moved in, and a command that it ends with alone on its row,
//! whole, so that it can be copied.

use super::wrap::{Lead, wrap};

/// Programs that hints name commands of.
const PROGRAMS: [&str; 13] = [
    "chmod",
    "curl",
    "dbus-run-session",
    "docker",
    "echo",
    "find",
    "gnome-keyring-daemon",
    "kubectl",
    "oauth",
    "openssl",
    "secret-tool",
    "ssh",
    "unset",
];

/// How much further than the text a command is indented.
const COMMAND_INDENT: &str = "  ";

/// The rows of a message behind its label. Without a `width` it is one row.
pub fn message_rows(width: Option<usize>, label: Lead<'_>, text: &str) -> Vec<String> {
    let further = " ".repeat(label.columns.max(2));
    let command = width.and_then(|_| split_command(text));
    let words = command.map_or(text, |(words, _)| words);
    let mut rows = wrap(width, label, Lead::plain(&further), words);
    rows.extend(command.map(|(_, command)| format!("{further}{COMMAND_INDENT}{command}")));
    rows
}

/// The words with their colon, and the command behind them, where a message
/// ends with one. Text of others is in quotes, where nothing is a command.
pub fn split_command(text: &str) -> Option<(&str, &str)> {
    let (begin, _) = text.rmatch_indices(": ").find(|(begin, _)| {
        let program = text[begin + 2..].split(' ').next();
        program.is_some_and(|program| PROGRAMS.contains(&program))
    })?;
    let is_quoted = text[..begin].matches('"').count() % 2 == 1;
    (!is_quoted).then(|| (&text[..=begin], &text[begin + 2..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(width: usize, text: &str) -> Vec<String> {
        message_rows(Some(width), Lead::plain("hint: "), text)
    }

    #[test]
    fn a_command_stands_whole_on_a_row_of_its_own() {
        let command = "oauth login work --scope \"openid offline_access\"";
        assert_eq!(
            rows(
                30,
                &format!("The server issued no refresh token. Ask for one: {command}")
            ),
            [
                "hint: The server issued no",
                "      refresh token. Ask for",
                "      one:",
                &format!("        {command}"),
            ]
        );
        assert_eq!(
            message_rows(None, Lead::plain("hint: "), "Run: oauth login"),
            ["hint: Run: oauth login"]
        );
    }

    #[test]
    fn what_a_server_says_is_no_command() {
        for text in [
            "the server says \"run: oauth login evil\"",
            "run: sudo reboot",
            "the oauth: nothing",
        ] {
            assert_eq!(split_command(text), None, "{text}");
        }
    }
}
