//! The flags of `oauth exec`.

use super::profile::ProfileChoice;
use clap::{Args, ValueHint};
use std::ffi::OsString;

/// Options of `oauth exec`.
#[derive(Debug, Args)]
pub struct ExecOptions {
    /// Whose token.
    #[command(flatten)]
    pub profile: ProfileChoice,
    /// Set this variable, instead of the OAUTH_ ones, to access_token, id_token, expires_at or issuer; repeatable
    #[arg(long, value_name = "NAME=WHAT")]
    pub env: Vec<String>,
    /// Log in first if needed (requires a terminal)
    #[arg(long)]
    pub login: bool,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "CMD", value_hint = ValueHint::CommandWithArguments)]
    pub command: Vec<OsString>,
}
