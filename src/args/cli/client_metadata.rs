//! The flags of `oauth client-metadata`.

use clap::{Args, Subcommand, ValueHint};

/// Options of `oauth client-metadata`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct ClientMetadataOptions {
    /// What to do instead of printing a document.
    #[command(subcommand)]
    pub command: Option<ClientMetadataCommand>,
    /// Where the document will be [env: OAUTH_CLIENT_METADATA_URL]
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub url: Option<String>,
    /// What people see on consent pages
    #[arg(long, value_name = "NAME", default_value = "oauth")]
    pub name: String,
    /// Where the browser comes back; repeatable [default: http://127.0.0.1/callback and
    /// http://[::1]/callback, on any port]
    #[arg(long, value_name = "URI")]
    pub redirect_uri: Vec<String>,
}

/// The other things that it does.
#[derive(Debug, Subcommand)]
pub enum ClientMetadataCommand {
    /// Fetch a document as a server does, and name what servers refuse in it
    Check {
        /// The document's URL [env: OAUTH_CLIENT_METADATA_URL]
        #[arg(value_name = "URL", value_hint = ValueHint::Url)]
        url: Option<String>,
    },
}
