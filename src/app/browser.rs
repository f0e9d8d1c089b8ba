//! The browser of this machine, and what kind of machine it is.

use crate::flow::login::UserAgent;
use crate::protocol::endpoint::HttpPolicy;
use crate::system::environment::Environment;
use crate::user_agent::browser::{self, BrowserError, BrowserLauncher, BrowserProcess, LaunchSettings};
use crate::user_agent::host::{self, HostEnvironment};
use std::ffi::OsString;
use url::Url;

/// `--browser` or the profile's, else `$BROWSER`, else the system's where there is a display.
pub(crate) fn browser_launchers(
    chosen: Option<&str>,
    environment: &Environment,
    host: &HostEnvironment,
) -> Result<Vec<BrowserLauncher>, BrowserError> {
    browser::candidates(chosen, environment.text("BROWSER").as_deref(), host.display)
}

/// The browser of this desktop.
pub(crate) struct DesktopBrowser<'a> {
    pub(crate) browser_launchers: Vec<BrowserLauncher>,
    pub(crate) http_policy: HttpPolicy,
    pub(crate) environment: &'a Environment,
}

impl UserAgent for DesktopBrowser<'_> {
    fn open(&mut self, url: &Url) -> Result<BrowserProcess, BrowserError> {
        let environment = self
            .environment
            .for_children()
            .map(|(name, value)| (name.into_owned(), value.into_owned()));
        browser::open(
            url,
            self.browser_launchers.clone(),
            LaunchSettings::new(self.http_policy, environment),
        )
    }
}

/// Where this process runs.
pub(crate) fn detect_host(environment: &Environment) -> HostEnvironment {
    host::detect(&|name| environment.raw(name).map(OsString::from), &|path| path.exists())
}
