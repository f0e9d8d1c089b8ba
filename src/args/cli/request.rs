//! The flags of `oauth request` and `oauth mcp`, which send the token to a URL.

use super::profile::PROFILE_NAME;
use clap::{Args, ValueHint};
use std::path::PathBuf;

/// Whose token goes along.
#[derive(Debug, Args)]
pub struct ApiTokenOptions {
    /// Profile; without it, the one whose api, resource or allow_host covers the URL [env: OAUTH_PROFILE]
    #[arg(short, long, value_name = "NAME", value_hint = PROFILE_NAME)]
    pub profile: Option<String>,
    /// A host that the token may go to in this call; repeatable
    #[arg(long, value_name = "HOST")]
    pub allow_host: Vec<String>,
    /// Log in first where that is needed, and for a scope that the server wants
    #[arg(long)]
    pub login: bool,
    /// Header to send; repeatable
    #[arg(short = 'H', long, value_name = "K: V")]
    pub header: Vec<String>,
}

/// Options of `oauth request`.
#[derive(Debug, Args)]
pub struct RequestOptions {
    /// Method of the request [default: GET, or POST with -d or -F]
    #[arg(value_name = "METHOD")]
    pub method: Option<String>,
    /// The URL to call
    #[arg(value_name = "URL", value_hint = ValueHint::Url)]
    pub url: String,
    /// Whose token goes along.
    #[command(flatten)]
    pub token: ApiTokenOptions,
    /// Send this, or the content of a file or of standard input (-) as it is; repeated, joined by &
    #[arg(
        short,
        long,
        value_name = "DATA, @FILE or @-",
        conflicts_with = "form",
        allow_hyphen_values = true
    )]
    pub data: Vec<String>,
    /// Send a form of several parts: K=V, K=@FILE for an upload, K=<FILE for its text; repeatable
    #[arg(short = 'F', long, value_name = "K=V")]
    pub form: Vec<String>,
    /// Print the status and the headers of the answer before its body
    #[arg(short, long)]
    pub include: bool,
    /// Write the answer to this file
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
    /// Follow redirects; the token never goes to another origin
    #[arg(short = 'L', long)]
    pub location: bool,
}

/// Options of `oauth mcp`.
#[derive(Debug, Args)]
pub struct McpOptions {
    /// The MCP server
    #[arg(value_name = "URL", value_hint = ValueHint::Url)]
    pub url: String,
    /// Whose token goes along.
    #[command(flatten)]
    pub token: ApiTokenOptions,
}
