//! Which browser shows the server's pages.

use super::changes::ProfileChanges;
use crate::args::config::Profile;
use clap::Args;

/// The browser.
#[derive(Debug, Default, Args)]
pub struct BrowserOptions {
    /// Browser command; %s is replaced by the URL, else the URL is appended
    #[arg(long, value_name = "CMD", help_heading = "Browser")]
    pub browser: Option<String>,
    /// Print the URL and do not open a browser
    #[arg(long, conflicts_with = "browser", help_heading = "Browser")]
    pub no_browser: bool,
}

impl BrowserOptions {
    /// The browser command of flag or profile.
    pub(in crate::args) fn command(&self, profile: &Profile) -> Option<String> {
        let saved = || profile.text("browser").map(str::to_owned);
        self.browser.clone().or_else(saved)
    }

    /// `--no-browser` is for this login alone.
    pub(super) fn save(&self, changes: &mut ProfileChanges) {
        changes.text("browser", self.browser.as_deref());
    }
}
