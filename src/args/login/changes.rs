//! What a login saves in its profile, as it is collected.

use crate::args::config::{Setting, absolute};
use crate::args::settings::lists::words;
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

    /// A flag that was not given changes nothing. Paths become absolute: the
    /// profile is used from other folders.
    pub(in crate::args) fn text(&mut self, key: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.set(key, Setting::Text(absolute(key, text)));
        }
    }

    pub(in crate::args) fn path(&mut self, key: &str, path: Option<&Path>) {
        self.text(key, path.map(Path::to_string_lossy).as_deref());
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
