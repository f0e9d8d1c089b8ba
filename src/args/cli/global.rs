//! The flags of every command.

use crate::output::duration::parse_duration;
use clap::{Args, ValueEnum, ValueHint};
use std::path::PathBuf;
use std::time::Duration;

/// Options that every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct GlobalOptions {
    /// Show the seven steps (-v), each HTTP exchange (-vv), decisions (-vvv); secrets redacted
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,
    /// Do not redact secrets in the trace
    #[arg(long, global = true)]
    pub show_secrets: bool,
    /// Also write the trace to FILE (.json, .har, .html or .mmd); repeatable [env: OAUTH_TRACE]
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub trace: Vec<PathBuf>,
    /// Time limit for the whole command [env: OAUTH_DEADLINE]
    #[arg(long, global = true, value_name = "TIME", value_parser = parse_duration)]
    pub deadline: Option<Duration>,
    /// Print only errors and prompts that need action
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Results as JSON on stdout, messages as JSON lines on stderr
    #[arg(long, global = true)]
    pub json: bool,
    /// When to use colour [default: auto] [env: NO_COLOR, CLICOLOR_FORCE]
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_default_value = true
    )]
    pub color: Colour,
    /// Configuration file [env: OAUTH_CONFIG]
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// Credential store: keyring, file, command:PROGRAM or none [default: keyring] [env: OAUTH_STORE]
    #[arg(long, global = true, value_name = "STORE")]
    pub store: Option<String>,
    /// Secret Service session: plain or encrypted [env: OAUTH_KEYRING_SESSION]
    #[arg(long, global = true, value_name = "KIND")]
    pub keyring_session: Option<String>,
    /// Time limit for one HTTP exchange
    #[arg(long, global = true, value_name = "TIME", default_value = "30s", value_parser = parse_duration)]
    pub http_timeout: Duration,
    /// Certificate authorities to trust instead of the system's (PEM)
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub cacert: Option<PathBuf>,
    /// Client certificate (PEM), with --key
    #[arg(long, global = true, value_name = "FILE", requires = "key", value_hint = ValueHint::FilePath)]
    pub cert: Option<PathBuf>,
    /// Private key of the client certificate (PEM), with --cert
    #[arg(long, global = true, value_name = "FILE", requires = "cert", value_hint = ValueHint::FilePath)]
    pub key: Option<PathBuf>,
    /// Proxy for all requests but those to this machine
    #[arg(long, global = true, value_name = "URL")]
    pub proxy: Option<String>,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}
