//! The resource owner's side of this machine: the browser, the listener that
//! the browser comes back to, the terminal, and what kind of host this is.

pub mod browser;
pub mod callback;
pub mod host;
pub mod terminal;
