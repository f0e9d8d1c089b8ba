//! What was typed and what it resolves to: the command line, the
//! configuration file, and the settings made of both and the environment.

pub mod cli;
pub mod config;
pub mod login;
pub mod login_grant;
pub mod serve_setup;
pub mod settings;
mod toml_source;
