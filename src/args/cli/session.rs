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

/// `oauth token` with the options of single formats. Scripts that need none of
/// them are spared the work of parsing them.
#[derive(Debug, Default, Args)]
pub struct TokenCommand {
    /// Those of every format.
    #[command(flatten)]
    pub options: TokenOptions,
    /// Where a login is needed, wait this long for one by another process
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub wait: Option<Duration>,
    /// Those of single formats.
    #[command(flatten)]
    pub format: FormatOptions,
}

impl From<TokenOptions> for TokenCommand {
    fn from(options: TokenOptions) -> Self {
        TokenCommand {
            options,
            wait: None,
            format: FormatOptions::default(),
        }
    }
}

/// What single formats take.
#[derive(Debug, Default, Args)]
pub struct FormatOptions {
    /// Whose lines --format env prints [default: posix]
    #[arg(long, value_name = "SHELL", help_heading = "Formats")]
    pub shell: Option<EnvShell>,
    /// The account, for --format xoauth2 and oauthbearer
    #[arg(long, value_name = "U", help_heading = "Formats")]
    pub user: Option<String>,
    /// The mail server, for --format oauthbearer
    #[arg(long, value_name = "H", help_heading = "Formats")]
    pub host: Option<String>,
    /// Its port, for --format oauthbearer
    #[arg(long, value_name = "P", help_heading = "Formats", value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,
}

/// `oauth token --format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TokenFormat {
    /// The token and a newline
    Raw,
    /// Authorization: Bearer …
    Header,
    /// The same as a JSON object, for programs that run a helper for headers
    Headers,
    /// One JSON object
    Json,
    /// export lines for a shell
    Env,
    /// For kubectl and other clients of Kubernetes
    ExecCredential,
    /// SASL XOAUTH2 for mail programs, in base64; wants --user
    Xoauth2,
    /// SASL OAUTHBEARER (RFC 7628), in base64; wants --user
    Oauthbearer,
}

impl TokenFormat {
    /// As it is typed.
    pub fn as_str(self) -> &'static str {
        match self {
            TokenFormat::Raw => "raw",
            TokenFormat::Header => "header",
            TokenFormat::Headers => "headers",
            TokenFormat::Json => "json",
            TokenFormat::Env => "env",
            TokenFormat::ExecCredential => "exec-credential",
            TokenFormat::Xoauth2 => "xoauth2",
            TokenFormat::Oauthbearer => "oauthbearer",
        }
    }
}

/// `oauth token --shell`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum EnvShell {
    /// export lines
    #[default]
    Posix,
    /// set -gx lines
    Fish,
    /// $env: lines
    Powershell,
    /// set lines for cmd.exe
    Cmd,
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
