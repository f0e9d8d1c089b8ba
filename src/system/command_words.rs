//! Commands that a person writes in one piece: split into words as a shell
//! does it, and put together again, though no shell runs.

use std::borrow::Cow;
use std::path::{Path, is_separator};

/// A quote that is not closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenQuote;

/// The words of a command. On Windows a backslash is a part of paths and
/// escapes nothing.
///
/// # Errors
/// [`OpenQuote`].
pub fn split(command: &str) -> Result<Vec<String>, OpenQuote> {
    let command = match cfg!(windows) {
        true => Cow::Owned(with_plain_backslashes(command)),
        false => Cow::Borrowed(command),
    };
    shell_words::split(&command).map_err(|_| OpenQuote)
}

/// The words as one line that [`split`] takes, and a shell of this system.
pub fn join(words: &[String]) -> String {
    match cfg!(windows) {
        true => {
            let words = words.iter().map(|word| in_double_quotes_where_needed(word));
            words.collect::<Vec<_>>().join(" ")
        }
        false => shell_words::join(words),
    }
}

/// The command with an absolute path in the place of each word that is a path
/// from the current folder; `None` where there is none.
pub fn absolute(command: &str) -> Option<String> {
    let mut words = split(command).ok()?;
    let is_saved_whole = |at: &usize| is_relative(&words, *at) || names_file_here(&words, *at);
    let relative: Vec<usize> = (0..words.len()).filter(is_saved_whole).collect();
    for at in &relative {
        let path = std::path::absolute(&words[*at]).ok()?;
        words[*at] = path.to_string_lossy().into_owned();
    }
    (!relative.is_empty()).then(|| join(&words))
}

/// The first word of a command that is a path from the current folder.
pub fn relative_path(command: &str) -> Option<String> {
    let words = split(command).ok()?;
    let at = (0..words.len()).find(|at| is_relative(&words, *at))?;
    words.into_iter().nth(at)
}

/// Whether a word is a path from the current folder, whatever is there: a
/// program with a separator, since without one it is searched for, or an
/// argument that begins with `./` or `../`.
fn is_relative(words: &[String], at: usize) -> bool {
    let (word, path) = (&words[at], Path::new(&words[at]));
    match at {
        0 => !path.is_absolute() && word.contains(is_separator),
        _ => path.starts_with(".") || path.starts_with(".."),
    }
}

/// Whether an argument is a file of the current folder, as the script of an
/// interpreter.
fn names_file_here(words: &[String], at: usize) -> bool {
    let path = Path::new(&words[at]);
    let is_named = words[at].contains(|character| is_separator(character) || character == '.');
    at > 0 && is_named && !path.is_absolute() && path.is_file()
}

/// Every backslash doubled, but between single quotes, where it is one already.
fn with_plain_backslashes(command: &str) -> String {
    let mut doubled = String::with_capacity(command.len());
    let mut open_quote = None;
    for character in command.chars() {
        match (open_quote, character) {
            (None, '\'' | '"') => open_quote = Some(character),
            (Some(quote), _) if quote == character => open_quote = None,
            (None | Some('"'), '\\') => doubled.push('\\'),
            _ => {}
        }
        doubled.push(character);
    }
    doubled
}

fn in_double_quotes_where_needed(word: &str) -> Cow<'_, str> {
    if word.contains('"') {
        return Cow::Owned(format!("'{word}'"));
    }
    match word.is_empty() || word.contains([' ', '\t', '\'', '&', '|', '<', '>', '^', '(', ')', ';']) {
        true => Cow::Owned(format!("\"{word}\"")),
        false => Cow::Borrowed(word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backslash_of_windows_is_one_inside_and_outside_of_quotes() {
        for command in [
            r"C:\pp\sub\tool.exe %s",
            r#""C:\pp\sub\tool.exe" %s"#,
            r"'C:\pp\sub\tool.exe' %s",
        ] {
            let words = shell_words::split(&with_plain_backslashes(command));
            assert_eq!(
                words.ok(),
                Some(vec![r"C:\pp\sub\tool.exe".to_owned(), "%s".to_owned()])
            );
        }
        let at_the_end = shell_words::split(&with_plain_backslashes(r#"x "C:\it's here\" \\host\share"#));
        assert_eq!(
            at_the_end.ok().unwrap_or_default(),
            ["x", r"C:\it's here\", r"\\host\share"]
        );
    }

    #[test]
    fn words_that_were_joined_are_split_into_the_same_again() {
        let words = ["C:/a b/tool", "%s", "", "it's", "a&b", "say \"x\""].map(str::to_owned);
        assert_eq!(split(&join(&words)), Ok(words.to_vec()));
        let quoted = words
            .each_ref()
            .map(|word| in_double_quotes_where_needed(word).into_owned());
        let again = shell_words::split(&with_plain_backslashes(&quoted.join(" ")));
        assert_eq!(again.ok(), Some(words.to_vec()));
        assert_eq!(split("a 'b"), Err(OpenQuote));
    }
}
