//! The flags of `oauth check`.

use crate::args::login::LoginOptions;
use crate::rules::Rule;
use clap::{Args, ValueHint};
use std::path::PathBuf;

/// Options of `oauth check`.
#[derive(Debug, Args)]
pub struct CheckOptions {
    /// The server and the client, as for a login. Nothing is saved or stored.
    #[command(flatten)]
    pub login: LoginOptions,
    /// Test this rule only; repeatable
    #[arg(long, value_name = "ID", help_heading = "Rules")]
    pub rule: Vec<Rule>,
    /// Leave this rule out; repeatable
    #[arg(long, value_name = "ID", help_heading = "Rules")]
    pub skip: Vec<Rule>,
    /// List the rules and test nothing
    #[arg(long, help_heading = "Rules")]
    pub list: bool,
    /// Write the report as JUnit XML, too
    #[arg(long, value_name = "FILE", help_heading = "Rules", value_hint = ValueHint::FilePath)]
    pub junit: Option<PathBuf>,
}
