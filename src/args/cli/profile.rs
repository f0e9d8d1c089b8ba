//! `oauth profile`, and how every command chooses its profile.

use clap::{Args, Subcommand, ValueHint};

/// Completion scripts know no hint for profile names. A user's name is
/// for them in the definition; `commands::completions` puts profiles in its place.
pub(crate) const PROFILE_NAME: ValueHint = ValueHint::Username;

/// The profile, by argument or by option.
#[derive(Debug, Default, Args)]
pub struct ProfileChoice {
    /// Profile name, or the server's URL [env: OAUTH_PROFILE]
    #[arg(value_name = "PROFILE", value_hint = PROFILE_NAME)]
    pub argument: Option<String>,
    /// Profile name [env: OAUTH_PROFILE]
    #[arg(short = 'p', long = "profile", value_name = "NAME", conflicts_with = "argument", value_hint = PROFILE_NAME)]
    pub option: Option<String>,
}

impl ProfileChoice {
    /// The argument, where it is a URL.
    pub fn url(&self) -> Option<&str> {
        self.argument.as_deref().filter(|argument| argument.contains("://"))
    }
}

/// `oauth profile`.
#[derive(Debug, Subcommand)]
pub enum ProfileCommand {
    /// List the saved profiles
    List,
    /// Show one profile's settings
    Show {
        /// Profile name; the default one when absent
        #[arg(value_hint = PROFILE_NAME)]
        name: Option<String>,
    },
    /// Change settings; an empty value removes the key
    Set {
        /// Profile name
        #[arg(value_hint = PROFILE_NAME)]
        name: String,
        /// Such as client_id=desktop or "scope=openid email"
        #[arg(required = true, value_name = "KEY=VALUE")]
        settings: Vec<String>,
    },
    /// Make a profile the default
    Use {
        /// Profile name
        #[arg(value_hint = PROFILE_NAME)]
        name: String,
    },
    /// Delete a profile with its session and secrets; `oauth logout` before it revokes the tokens
    Remove {
        /// Profile name
        #[arg(value_hint = PROFILE_NAME)]
        name: String,
    },
}
