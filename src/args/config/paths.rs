//! Paths in the values of a profile. The profile is used from other folders,
//! where a relative path would name a file or a program of whoever made those.

use crate::store::TokenSource;
use crate::system::command_words;
use std::path::Path;
use std::str::FromStr;

/// What of a value is a path.
enum PathKind {
    /// All of it.
    File,
    /// Words of it.
    Command,
    /// What is behind `file:`, and words of what is behind `command:`.
    Source,
}

fn kind_of(key: &str) -> Option<PathKind> {
    match key {
        "authorization_details"
        | "cacert"
        | "callback_cert"
        | "callback_key"
        | "client_cert_file"
        | "client_key_file"
        | "client_secret_file" => Some(PathKind::File),
        "browser" => Some(PathKind::Command),
        "actor_token" | "assertion" | "client_assertion" | "subject_token" => Some(PathKind::Source),
        _ => None,
    }
}

/// The value with absolute paths, from the current folder.
pub fn absolute(key: &str, text: &str) -> String {
    let changed = match kind_of(key) {
        Some(PathKind::File) => std::path::absolute(text)
            .ok()
            .map(|path| path.to_string_lossy().into_owned()),
        Some(PathKind::Command) => command_words::absolute(text),
        Some(PathKind::Source) => TokenSource::from_str(text)
            .ok()
            .map(|source| source.absolute().to_string()),
        None => None,
    };
    changed.unwrap_or_else(|| text.to_owned())
}

/// The relative path in a value.
pub(super) fn relative(key: &str, text: &str) -> Option<String> {
    match kind_of(key)? {
        PathKind::File => Path::new(text).is_relative().then(|| text.to_owned()),
        PathKind::Command => command_words::relative_path(text),
        PathKind::Source => match TokenSource::from_str(text).ok()? {
            TokenSource::File(path) => path.is_relative().then(|| path.display().to_string()),
            TokenSource::Command(command) => command_words::relative_path(command.text()),
            _ => None,
        },
    }
}
