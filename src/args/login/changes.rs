//! What a login saves in its profile, as it is collected.

use crate::args::config::Setting;
use crate::args::settings::lists::words;
use crate::store::TokenSource;
use std::path::Path;

/// Keys of a profile and their new values.
#[derive(Debug, Default)]
pub(in crate::args) struct ProfileChanges(Vec<(String, Setting)>);

impl ProfileChanges {
    pub(in crate::args) fn into_settings(self) -> Vec<(String, Setting)> {
        self.0
    }

    pub(super) fn set(&mut self, key: &str, setting: Setting) {
        self.0.push((key.to_owned(), setting));
    }

    /// A flag that was not given changes nothing.
    pub(in crate::args) fn text(&mut self, key: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.set(key, Setting::Text(text.to_owned()));
        }
    }

    /// The absolute path: the profile is used from other directories.
    pub(in crate::args) fn path(&mut self, key: &str, path: Option<&Path>) {
        if let Some(path) = path {
            let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
            self.set(key, Setting::Text(absolute.to_string_lossy().into_owned()));
        }
    }

    /// A source of tokens, with an absolute path: the profile is used from other directories.
    pub(super) fn source(&mut self, key: &str, text: Option<&str>) {
        let source = text.and_then(|text| text.parse::<TokenSource>().ok());
        self.text(key, source.map(|source| source.absolute().to_string()).as_deref());
    }

    /// Repeated flags, each with one value or several separated by spaces. One
    /// that is given empty empties the list.
    pub(super) fn list(&mut self, key: &str, given: &[String]) {
        if !given.is_empty() {
            self.set(key, Setting::List(words(given)));
        }
    }

    pub(super) fn pairs(&mut self, key: &str, pairs: Vec<(String, String)>) {
        if !pairs.is_empty() {
            self.set(key, Setting::Pairs(pairs));
        }
    }
}
