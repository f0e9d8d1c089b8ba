//! The browser of this machine, and what kind of machine it is.

use crate::flow::login::UserAgent;
use crate::protocol::endpoint::HttpPolicy;
use crate::system::environment::Environment;
use crate::user_agent::browser::{self, BrowserError, BrowserLauncher, BrowserProcess, PlainHttp};
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

pub(crate) fn plain_http(allowance: HttpPolicy) -> PlainHttp {
    match allowance {
        HttpPolicy::Everywhere => PlainHttp::Anywhere,
        HttpPolicy::LoopbackOnly => PlainHttp::LoopbackOnly,
    }
}

/// The browser of this desktop.
pub(crate) struct DesktopBrowser<'a> {
    pub(crate) browser_launchers: Vec<BrowserLauncher>,
    pub(crate) plain_http: PlainHttp,
    pub(crate) environment: &'a Environment,
}

impl UserAgent for DesktopBrowser<'_> {
    fn open(&mut self, url: &Url) -> Result<BrowserProcess, BrowserError> {
        let environment = self
            .environment
            .for_children()
            .map(|(name, value)| (OsString::from(name), OsString::from(value)));
        browser::open(url, self.plain_http, self.browser_launchers.clone(), environment)
    }
}

/// Where this process runs.
pub(crate) fn detect_host(environment: &Environment) -> HostEnvironment {
    host::look(&|name| environment.raw(name).map(OsString::from), &|path| path.exists())
}
