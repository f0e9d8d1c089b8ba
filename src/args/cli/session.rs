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
    /// Output format [default: raw]
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<TokenFormat>,
    /// Print the ID token instead
    #[arg(long)]
    pub id_token: bool,
    /// Shortest remaining lifetime of the token [default: 60s, or half its lifetime if that is less]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub min_ttl: Option<Duration>,
    /// Refresh even if the token is still valid; where the server cannot be reached, a valid one is printed with a warning
    #[arg(long)]
    pub force_refresh: bool,
    /// Print a token for this resource server only, from the same session; repeatable
    #[arg(long, value_name = "URI")]
    pub resource: Vec<String>,
    /// Print a token with only these scopes, from the same session; repeatable, or one space-separated value
    #[arg(long, value_name = "S")]
    pub scope: Vec<String>,
    /// Log in first if needed (requires a terminal)
    #[arg(long)]
    pub login: bool,
}

/// `oauth token` with the options of single formats. Scripts that need none of
/// them do not have to parse them.
#[derive(Debug, Default, Args)]
pub struct TokenCommand {
    /// Those of every format.
    #[command(flatten)]
    pub options: TokenOptions,
    /// If a login is needed, wait this long for another process to log in
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
    /// Shell to print --format env for [default: posix]
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
    /// Log out of all profiles
    #[arg(long, conflicts_with_all = ["argument", "option"])]
    pub all: bool,
    /// Delete the session without revoking it at the server
    #[arg(long)]
    pub local: bool,
}

/// Options of `oauth status`.
#[derive(Debug, Args)]
pub struct StatusOptions {
    /// Whose session; all when absent.
    #[command(flatten)]
    pub profile: ProfileChoice,
    /// Print it again whenever it changes, until Ctrl-C
    #[arg(long)]
    pub watch: bool,
}
