//! The flags of `oauth check`.

use crate::args::login::LoginOptions;
use crate::rules::{RuleOrGroup, ServerProfile};
use clap::builder::PossibleValue;
use clap::{Args, ValueEnum, ValueHint};
use std::path::PathBuf;

/// Options of `oauth check`.
#[derive(Debug, Args)]
pub struct CheckOptions {
    /// Test this rule only, or the rules of a group such as pkce; repeatable
    #[arg(long, value_name = "RULE", help_heading = "Rules")]
    pub rule: Vec<RuleOrGroup>,
    /// Leave this rule out, or the rules of a group; repeatable
    #[arg(long, value_name = "RULE", help_heading = "Rules")]
    pub skip: Vec<RuleOrGroup>,
    /// Test the rules of this profile, as binding as it makes them
    #[arg(long = "for", value_name = "PROFILE", help_heading = "Rules")]
    pub server_profile: Option<ServerProfile>,
    /// List the rules and test nothing
    #[arg(long, help_heading = "Rules")]
    pub list: bool,
    /// Explain this rule, or each rule of a group such as pkce, with a link to its section, and test nothing
    #[arg(long, value_name = "RULE", help_heading = "Rules")]
    pub explain: Option<RuleOrGroup>,
    /// Show each rule, those that passed too (also -v)
    #[arg(long, help_heading = "Rules")]
    pub all: bool,
    /// Write the report as a page for a ticket, too
    #[arg(long, value_name = "FILE", help_heading = "Rules", value_hint = ValueHint::FilePath)]
    pub html: Option<PathBuf>,
    /// Write the report as JUnit XML, too
    #[arg(long, value_name = "FILE", help_heading = "Rules", value_hint = ValueHint::FilePath)]
    pub junit: Option<PathBuf>,
    /// Write the report as SARIF 2.1.0, too
    #[arg(long, value_name = "FILE", help_heading = "Rules", value_hint = ValueHint::FilePath)]
    pub sarif: Option<PathBuf>,
    /// The server and the client, as for a login. Nothing is saved or stored.
    #[command(flatten)]
    pub login: LoginOptions,
}

impl ValueEnum for ServerProfile {
    fn value_variants<'a>() -> &'a [Self] {
        ServerProfile::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let name = match self {
            ServerProfile::OAuth21 => "OAuth 2.1",
            ServerProfile::Rfc9700 => "Best Current Practice for OAuth 2.0 Security",
            ServerProfile::OpenIdConnect => "OpenID Connect",
            ServerProfile::Fapi2 => "FAPI 2.0 Security Profile",
            ServerProfile::Mcp => "Model Context Protocol",
        };
        Some(PossibleValue::new(self.as_str()).help(format!("{name}; no rule tests {}", self.untested())))
    }
}
