//! `oauth login` as the contract has it, against a server of literal bytes.
//!
//! Behind `cfg(unix)`: browsers that are scripts, and logins that find no
//! display. On Windows they would open the browser of whoever runs the tests.

#[cfg(unix)]
mod api;
#[cfg(unix)]
mod browser;
mod client;
mod discovery;
mod id_token;
mod id_token_signature;
mod listener;
#[cfg(unix)]
mod output;
mod pkce_and_issuer;
#[cfg(unix)]
mod profiles;
mod requests;
#[cfg(unix)]
mod scripted_browsers;
mod stopped;
