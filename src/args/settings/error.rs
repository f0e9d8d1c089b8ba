//! Arguments, variables or keys that are wrong: exit code 2.

use crate::args::config::Config;
use crate::exit::{Diagnosis, ExitCode};
use crate::spelling::nearest;
use crate::store::ProfileName;
use std::fmt::Display;

/// Arguments, variables or keys that cannot be made sense of: exit code 2.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// One value is wrong.
    #[error("{name}: {problem}")]
    Value {
        /// The flag, variable or key.
        name: String,
        /// What is wrong with its value.
        problem: String,
        hint: Option<String>,
    },
    /// Two values exclude each other.
    #[error("{one} and {other} cannot be used together: {problem}")]
    Contradiction {
        /// A flag or key.
        one: String,
        other: String,
        problem: String,
    },
    /// A value is needed and was not given.
    #[error("there is no {what} for profile \"{profile}\"")]
    Missing {
        /// `issuer`, `client_id`.
        what: &'static str,
        profile: String,
        hint: String,
    },
    /// A value that needs another one.
    #[error("{given} needs {needed}")]
    Incomplete {
        given: String,
        /// A flag.
        needed: &'static str,
        hint: &'static str,
    },
    /// A login that names no server, of a profile that has none.
    #[error("no server is named, and {}", describe_absence(profile))]
    NoServer {
        profile: ProfileName,
        /// Which takes its URL.
        command: &'static str,
    },
    /// Neither configuration file nor store know the profile.
    #[error("there is no profile \"{profile}\"")]
    UnknownProfile {
        /// What was asked for.
        profile: ProfileName,
        known: Vec<ProfileName>,
    },
    /// A login by the name of a profile, and nothing says at which server.
    #[error("there is no profile \"{profile}\"")]
    UnsavedProfile {
        profile: ProfileName,
        known: Vec<ProfileName>,
    },
    /// `default_profile` of the configuration file names nothing.
    #[error("default_profile is \"{name}\", and there is no such profile")]
    DefaultProfile { name: ProfileName, known: Vec<ProfileName> },
    /// A login with a browser in CI.
    #[error("CI is set and there is no terminal, so no user can sign in with a browser")]
    Unattended,
    /// `-p` or `OAUTH_PROFILE` names a profile whose token is not for this host.
    #[error("the token of profile \"{profile}\" may not go to {host}")]
    NotCovered {
        profile: ProfileName,
        /// With its port.
        host: String,
        /// The hosts that the profile would permit together with this one.
        allow_host: String,
        command: Option<Box<CommandForm>>,
    },
    /// No profile is named, and the token of none is for this host.
    #[error("{}", describe_uncovered(host, nearest.as_ref()))]
    NothingCovers {
        /// With its port.
        host: String,
        /// The profile that was probably meant.
        nearest: Option<NearestProfile>,
        command: Option<Box<CommandForm>>,
    },
    /// Several profiles are for the same server, or their tokens may go there.
    #[error("the profiles {} are {} for {host}: one has to be named", quoted_list(profiles), if profiles.len() == 2 { "both" } else { "all" })]
    SeveralProfiles {
        /// With its port.
        host: String,
        profiles: Vec<ProfileName>,
        command: Option<Box<CommandForm>>,
    },
    /// A URL's profile name is in use.
    #[error("profile \"{profile}\" is already used for {issuer}")]
    NameTaken {
        /// The name made from the URL.
        profile: String,
        /// What it is used for.
        issuer: String,
    },
}

/// A command that a hint repeats with more options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandForm {
    /// `request`.
    pub name: &'static str,
    /// What follows the options, in the quotes of a shell.
    pub operands: String,
}

impl CommandForm {
    /// The whole command with these options.
    fn with(&self, options: &str) -> String {
        let CommandForm { name, operands } = self;
        format!("oauth {name} {options} {operands}").trim_end().to_owned()
    }
}

/// The profile whose token may have been meant for a URL that it does not cover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearestProfile {
    pub profile: ProfileName,
    /// Where its token may go: URLs and hosts.
    pub reach: Vec<String>,
    /// The hosts that the profile would permit together with the one of the URL.
    pub allow_host: String,
}

fn describe_absence(profile: &ProfileName) -> String {
    match profile.as_str() {
        // nobody named it: it stands for what is not there
        "default" => "there is no default profile with one".to_owned(),
        name => format!("profile \"{name}\" has none"),
    }
}

fn describe_uncovered(host: &str, nearest: Option<&NearestProfile>) -> String {
    match nearest {
        Some(NearestProfile { profile, reach, .. }) if !reach.is_empty() => {
            format!(
                "the token of profile \"{profile}\" may go to {} only",
                reach.join(" and ")
            )
        }
        Some(_) | None => format!("no profile has a token that may go to {host}"),
    }
}

/// How a token is allowed to go there.
fn hints_for_uncovered(host: &str, nearest: Option<&NearestProfile>, command: Option<&CommandForm>) -> Vec<String> {
    let (profile, allow_host) = match nearest {
        Some(nearest) => (nearest.profile.as_str(), nearest.allow_host.as_str()),
        None => ("NAME", host),
    };
    let mut hints = vec![
        for_this_call(profile, host, command),
        format!(
            "To allow it permanently: oauth profile set {profile} {}",
            shell_words::quote(&format!("allow_host={allow_host}"))
        ),
    ];
    if nearest.is_none_or(|nearest| nearest.reach.is_empty()) {
        hints.insert(0, "A token is sent only to hosts that its profile allows. A login with the URL of an API allows that API; a login with the URL of an issuer allows none.".to_owned());
    }
    hints
}

fn for_this_call(profile: &str, host: &str, command: Option<&CommandForm>) -> String {
    let options = format!("-p {profile} --allow-host {}", shell_words::quote(host));
    match command {
        Some(command) => format!("For this call only: {}", command.with(&options)),
        None => format!("For this call only: add {options}"),
    }
}

/// How one of several profiles is named.
fn hint_for_several(profiles: &[ProfileName], command: Option<&CommandForm>) -> String {
    match (command, profiles.first()) {
        (Some(command), Some(first)) => format!("Name one: {}", command.with(&format!("-p {first}"))),
        _ => "Name one with -p NAME, or give each its own allow_host, resource or git_username.".to_owned(),
    }
}

impl SettingsError {
    /// The same for a command that its hints can repeat.
    pub fn of_command(mut self, repeated: Option<&CommandForm>) -> Self {
        if let SettingsError::NotCovered { command, .. }
        | SettingsError::NothingCovers { command, .. }
        | SettingsError::SeveralProfiles { command, .. } = &mut self
        {
            *command = repeated.cloned().map(Box::new);
        }
        self
    }

    /// A profile that is neither in the configuration file nor in the store.
    pub fn unknown_profile(profile: &ProfileName, config: &Config) -> Self {
        SettingsError::UnknownProfile {
            profile: profile.clone(),
            known: names(config),
        }
    }

    /// A profile that a login names, and that no login has saved.
    pub(in crate::args) fn unsaved_profile(profile: &ProfileName, config: &Config) -> Self {
        SettingsError::UnsavedProfile {
            profile: profile.clone(),
            known: names(config),
        }
    }

    /// A `default_profile` that is neither a profile nor in the store.
    pub fn default_profile(name: &ProfileName, config: &Config) -> Self {
        SettingsError::DefaultProfile {
            name: name.clone(),
            known: names(config),
        }
    }
}

/// How to go on where no person is at the terminal.
const UNATTENDED_HINTS: [&str; 5] = [
    "Log in as the client itself, if it has a secret: the same command with --grant client-credentials",
    "Take a refresh token from a secret of the CI system, if the server does not rotate refresh tokens (a new one would have to be written back to the secret): the same command with --refresh-token-stdin",
    "Show a code to enter on another device, if you read the log of this job: the same command with --device",
    "Run a browser that a script drives: the same command with --browser CMD",
    "Print the URL and wait for a person all the same: the same command with --no-browser",
];

impl Diagnosis for SettingsError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hints(&self) -> Vec<String> {
        match self {
            SettingsError::Value { hint, .. } => hint.iter().cloned().collect(),
            SettingsError::Contradiction { .. } => vec!["Leave one of them out.".to_owned()],
            SettingsError::Missing { hint, .. } => vec![hint.clone()],
            SettingsError::Incomplete { hint, .. } => vec![(*hint).to_owned()],
            SettingsError::Unattended => UNATTENDED_HINTS.map(str::to_owned).to_vec(),
            SettingsError::DefaultProfile { name, known } => match near_profile(name, known).or(known.first()) {
                Some(known) => vec![format!("Choose another one: oauth profile use {known}")],
                None => vec![format!(
                    "Log in to make it: oauth login --profile {name} --issuer https://id.example.com --client-id ID"
                )],
            },
            SettingsError::UnknownProfile { known, .. } if known.is_empty() => {
                vec![
                    "No profile is saved yet. Log in first: oauth login https://id.example.com --client-id ID"
                        .to_owned(),
                ]
            }
            SettingsError::UnknownProfile { profile, known } => hints_for_unknown(profile, known),
            SettingsError::UnsavedProfile { profile, known } => hints_for_unsaved(profile, known),
            SettingsError::NotCovered {
                profile,
                host,
                allow_host,
                command,
            } => vec![
                for_this_call(profile.as_str(), host, command.as_deref()),
                format!(
                    "To allow it permanently: oauth profile set {profile} {}",
                    shell_words::quote(&format!("allow_host={allow_host}"))
                ),
            ],
            SettingsError::NothingCovers { host, nearest, command } => {
                hints_for_uncovered(host, nearest.as_ref(), command.as_deref())
            }
            SettingsError::SeveralProfiles { profiles, command, .. } => {
                vec![hint_for_several(profiles, command.as_deref())]
            }
            SettingsError::NoServer { profile, command } => {
                let name = match profile.as_str() {
                    "default" => String::new(),
                    name => format!(" --profile {name}"),
                };
                vec![format!(
                    "Give its URL: oauth {command} https://id.example.com --client-id ID{name}"
                )]
            }
            SettingsError::NameTaken { .. } => vec!["Name the one that you mean with --profile NAME.".to_owned()],
        }
    }
}

pub(in crate::args) fn invalid(name: &str, problem: impl Display) -> SettingsError {
    SettingsError::Value {
        name: name.to_owned(),
        problem: problem.to_string(),
        hint: None,
    }
}

pub(in crate::args) fn invalid_with_hint(name: &str, problem: impl Display, hint: &str) -> SettingsError {
    SettingsError::Value {
        name: name.to_owned(),
        problem: problem.to_string(),
        hint: Some(hint.to_owned()),
    }
}

fn hints_for_unsaved(profile: &ProfileName, known: &[ProfileName]) -> Vec<String> {
    let new = format!(
        "A login that fails saves no profile. To make this one, name the server: oauth login --profile {profile} --issuer https://id.example.com --client-id ID"
    );
    let mut hints = hints_for_unknown(profile, known);
    hints.push(new);
    hints
}

/// The profile that was probably meant, and all that there are.
fn hints_for_unknown(profile: &ProfileName, known: &[ProfileName]) -> Vec<String> {
    let meant = near_profile(profile, known).map(|near| format!("Did you mean \"{near}\"?"));
    let known = (!known.is_empty()).then(|| known_profiles(known));
    meant.into_iter().chain(known).collect()
}

fn near_profile<'k>(profile: &ProfileName, known: &'k [ProfileName]) -> Option<&'k ProfileName> {
    let near = nearest(profile.as_str(), known.iter().map(ProfileName::as_str))?;
    known.iter().find(|known| known.as_str() == near)
}

fn known_profiles(known: &[ProfileName]) -> String {
    let known: Vec<&str> = known.iter().map(ProfileName::as_str).collect();
    format!("Known profiles: {}.", known.join(", "))
}

fn quoted_list(names: &[ProfileName]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    quoted.join(" and ")
}

fn names(config: &Config) -> Vec<ProfileName> {
    config.profiles().map(|(name, _)| name.clone()).collect()
}
