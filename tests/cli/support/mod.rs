//! What the tests share: the binary in a clean environment, and the peers it
//! speaks with. Nothing here uses the crate's own protocol code, so that a
//! mistake in it cannot hide; `sessions` uses its store, to put a session where
//! the binary looks for it.
#![allow(dead_code, unreachable_pub, reason = "each test uses its own part")]

pub mod authorization_server;
pub mod binary;
pub mod bridge;
pub mod callback;
pub mod certificates;
pub mod certified_server;
#[cfg(unix)]
pub mod chromium;
pub mod development_server;
#[cfg(unix)]
pub mod https_server;
#[cfg(unix)]
pub mod installed;
#[cfg(all(unix, not(target_os = "macos")))]
pub mod keyring_session;
pub mod literal_server;
pub mod login;
#[cfg(unix)]
pub mod look;
#[cfg(unix)]
pub mod oidc_provider;
pub mod outcome;
#[cfg(unix)]
pub mod person;
pub mod plain_browser;
pub mod running;
pub mod server_program;
pub mod sessions;
#[cfg(unix)]
pub mod shell;
pub mod signing;
#[cfg(unix)]
pub mod small_disk;
#[cfg(unix)]
pub mod terminal;
pub mod tls_client;
