//! The flags of `oauth token`, `oauth logout` and `oauth status`.

use super::profile::ProfileChoice;
use crate::output::duration::parse_duration;
use clap::{Args, ValueEnum};
use std::time::Duration;

/// Options of `oauth token`.
#[derive(Debug, Default, Args)]
pub struct TokenOptions {
    /// Whose token.
    #[command(flatten)]
    pub profile: ProfileChoice,
    /// How to print it [default: raw]
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<TokenFormat>,
    /// Print the ID token instead
    #[arg(long)]
    pub id_token: bool,
    /// How long the token must still be valid [default: 60s, or half its lifetime if that is less]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub min_ttl: Option<Duration>,
    /// Refresh first, however long the token is still valid
    #[arg(long)]
    pub force_refresh: bool,
    /// A token for this resource server only, from the same session; repeatable
    #[arg(long, value_name = "URI")]
    pub resource: Vec<String>,
    /// A token with these scope values only, from the same session; repeatable, or one space-separated value
    #[arg(long, value_name = "S")]
    pub scope: Vec<String>,
    /// Log in first where that is needed and a terminal is there
    #[arg(long)]
    pub login: bool,
}

/// `oauth token --format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TokenFormat {
    /// The token and a newline
    Raw,
    /// Authorization: Bearer …
    Header,
    /// One JSON object
    Json,
    /// export lines for a shell
    Env,
}

/// Options of `oauth logout`.
#[derive(Debug, Args)]
pub struct LogoutOptions {
    /// Whose session.
    #[command(flatten)]
    pub profile: ProfileChoice,
    /// Every saved profile
    #[arg(long, conflicts_with_all = ["argument", "option"])]
    pub all: bool,
    /// Forget the session without telling the server
    #[arg(long)]
    pub local: bool,
}

/// Options of `oauth status`.
#[derive(Debug, Args)]
pub struct StatusOptions {
    /// Whose session; all when absent.
    #[command(flatten)]
    pub profile: ProfileChoice,
}
