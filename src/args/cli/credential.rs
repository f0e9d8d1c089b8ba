//! The flags of `oauth credential`, whose arguments other programs give.

use super::profile::{PROFILE_NAME, ProfileChoice};
use crate::output::duration::parse_duration;
use clap::{Args, Subcommand};
use std::time::Duration;

/// `oauth credential`.
#[derive(Debug, Subcommand)]
pub enum CredentialCommand {
    /// A credential helper of git: git config credential.helper '!oauth credential git'
    Git(HelperOptions),
    /// A credential helper of docker, podman and others; also as docker-credential-oauth
    Docker(HelperOptions),
    /// A credential_process of AWS: short-lived keys of a role, for the ID token
    Aws(AwsOptions),
}

/// What the helpers of git and docker take.
#[derive(Debug, Args)]
pub struct HelperOptions {
    /// What the caller wants: get, store or erase (docker: list, version)
    #[arg(value_name = "ACTION")]
    pub action: String,
    /// Profile; without it, the one whose allow_host or resource covers the host [env: OAUTH_PROFILE]
    #[arg(short, long, value_name = "NAME", value_hint = PROFILE_NAME)]
    pub profile: Option<String>,
    /// A host that the token may go to in this call; repeatable
    #[arg(long, value_name = "HOST")]
    pub allow_host: Vec<String>,
    /// Log in first if needed (requires a terminal)
    #[arg(long)]
    pub login: bool,
}

/// Options of `oauth credential aws`.
#[derive(Debug, Args)]
pub struct AwsOptions {
    /// Whose ID token.
    #[command(flatten)]
    pub profile: ProfileChoice,
    /// The role to assume
    #[arg(long, value_name = "ARN")]
    pub role_arn: String,
    /// How the session is called in logs [default: oauth-PROFILE]
    #[arg(long, value_name = "N")]
    pub session_name: Option<String>,
    /// How long the keys live, 15m to 12h
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = parse_duration)]
    pub duration: Duration,
    /// Region whose STS is asked [env: AWS_REGION, AWS_DEFAULT_REGION]
    #[arg(long, value_name = "R")]
    pub region: Option<String>,
    /// Instead of the region's STS
    #[arg(long, value_name = "URL")]
    pub sts_endpoint: Option<String>,
    /// Log in first if needed (requires a terminal)
    #[arg(long)]
    pub login: bool,
}
