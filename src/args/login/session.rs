//! What becomes of the tokens. Nothing of it is saved in the profile.

use clap::{Args, ValueEnum};

/// Where the session comes from and where it goes.
#[derive(Debug, Default, Args)]
pub struct SessionOptions {
    /// Stop before this step, and show what came back and what would be sent; store nothing
    #[arg(
        long,
        value_name = "STEP",
        conflicts_with = "refresh_token_stdin",
        help_heading = "Session"
    )]
    pub stop_before: Option<StopBefore>,
    /// Read a refresh token from standard input instead of opening a browser
    #[arg(long, conflicts_with_all = ["paste", "browser", "no_browser", "listen", "port"], help_heading = "Session")]
    pub refresh_token_stdin: bool,
    /// Do not save to the configuration file
    #[arg(long, help_heading = "Session")]
    pub no_save: bool,
    /// Store no session; print the token response as JSON (= --store none). --no-save leaves out the profile too
    #[arg(long, help_heading = "Session")]
    pub no_store: bool,
}

/// `--stop-before`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StopBefore {
    /// Step 6: the code is not exchanged
    Exchange,
}
