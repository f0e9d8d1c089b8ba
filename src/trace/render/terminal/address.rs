//! Authorization URLs at a terminal: one line that names the server for each
//! that a browser took, and the whole URL only where someone needs it.

use crate::foreign_text::{sanitize, sanitize_unbounded};
use std::collections::VecDeque;
use url::Url;

/// URLs that were not shown whole.
#[derive(Debug, Default)]
pub(super) struct AddressLines {
    /// Those that no browser has taken yet, oldest first.
    waiting: VecDeque<String>,
    opened: Vec<String>,
}

impl AddressLines {
    pub(super) fn defer(&mut self, url: &str) {
        self.waiting.push_back(url.to_owned());
    }

    /// The URL that a browser has just taken.
    pub(super) fn begin(&mut self) -> Option<String> {
        let url = self.waiting.pop_front()?;
        self.opened.push(url.clone());
        Some(url)
    }

    /// Whether a URL is still to be shown whole, which is done now.
    pub(super) fn reveal(&mut self, url: &str) -> bool {
        let before = self.waiting.len() + self.opened.len();
        self.waiting.retain(|waiting| waiting != url);
        self.opened.retain(|opened| opened != url);
        before > self.waiting.len() + self.opened.len()
    }
}

/// `Opening https://id.example.com/… in your browser`, on a terminal with colour
/// a link to the whole URL (OSC 8).
pub(super) fn opening_line(url: &str, links: bool) -> String {
    let origin = Url::parse(url).map(|url| url.origin().ascii_serialization());
    let shown = format!("{}/…", sanitize(&origin.unwrap_or_default()));
    let address = match links {
        true => format!("\u{1b}]8;;{}\u{1b}\\{shown}\u{1b}]8;;\u{1b}\\", sanitize_unbounded(url)),
        false => shown,
    };
    format!("Opening {address} in your browser")
}
