//! The flags of the commands that show something: `discover`, `decode`, `pkce`,
//! and those that are about one token.

use super::profile::PROFILE_NAME;
use clap::{Args, ValueHint};
use std::path::PathBuf;

/// Options of `oauth discover`.
#[derive(Debug, Args)]
pub struct DiscoverOptions {
    /// Issuer or protected resource
    #[arg(value_name = "URL", value_hint = ValueHint::Url)]
    pub url: String,
}

/// Options of `oauth providers`.
#[derive(Debug, Args)]
pub struct ProvidersOptions {
    /// The provider whose facts are shown, such as google or gitlab:HOST; all of them when absent
    #[arg(value_name = "NAME[:VALUE]")]
    pub name: Option<String>,
}

/// Options of `oauth man`.
#[derive(Debug, Args)]
pub struct ManOptions {
    /// Write the pages of all commands into this folder; without it oauth(1) is printed
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
}

/// Which token a command is about. Never one on the command line.
#[derive(Debug, Args)]
pub struct TokenInput {
    /// Token on standard input (-) or in a file; the stored session's when absent
    #[arg(value_name = "- | FILE", value_hint = ValueHint::FilePath)]
    pub file: Option<PathBuf>,
    /// Profile name [env: OAUTH_PROFILE]
    #[arg(short, long, value_name = "NAME", value_hint = PROFILE_NAME)]
    pub profile: Option<String>,
}

/// Options of `oauth pkce`.
#[derive(Debug, Args)]
pub struct PkceOptions {
    /// The challenge of the verifier on standard input, not of a new one
    #[arg(long)]
    pub verifier_stdin: bool,
}

/// Options of `oauth decode`.
#[derive(Debug, Args)]
pub struct DecodeOptions {
    /// Which token.
    #[command(flatten)]
    pub input: TokenInput,
    /// The session's ID token instead of its access token
    #[arg(long, conflicts_with = "file")]
    pub id_token: bool,
    /// Whose keys to ask for, where no profile is of the token's issuer
    #[arg(long, value_name = "URL", requires = "file")]
    pub issuer: Option<String>,
    /// Do not fetch the issuer's keys; show the token without verifying it
    #[arg(long, conflicts_with = "issuer")]
    pub no_verify: bool,
}
