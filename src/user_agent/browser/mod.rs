//! Opens the resource owner's browser at the authorization URL.
//!
//! Invariants: no shell anywhere; what is opened is a URL that was parsed,
//! found harmless and written again ([`url_for_browser`]), never a string that
//! a server sent; the child gets the environment that it is handed minus every
//! `OAUTH_*`, no stream of ours and a process group of its own, so that it can
//! neither write into our output nor read the terminal; and whatever it does,
//! the flow does not wait for it: a thread does, and reports.

mod command;
mod error;
mod process;
mod safe_url;
#[cfg(test)]
mod tests;

pub use command::{BrowserCommand, BrowserLauncher, candidates};
pub use error::{BrowserError, MAX_URL_BYTES};
pub use process::{BrowserProcess, BrowserReport, LaunchSettings, open};
pub use safe_url::url_for_browser;
