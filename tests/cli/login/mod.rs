//! `oauth login` as the contract has it, against a server of literal bytes.

mod api;
// the browsers are scripts
#[cfg(unix)]
mod browser;
mod client;
mod discovery;
mod id_token;
mod id_token_signature;
mod listener;
mod output;
mod pkce_and_issuer;
mod profiles;
mod requests;
#[cfg(unix)]
mod scripted_browsers;
mod stopped;
