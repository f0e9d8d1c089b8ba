//! How `oauth token` is asked to print the token.

use super::error::{SettingsError, invalid};
use crate::args::cli::{EnvShell, FormatOptions, TokenFormat};

/// A format with all that it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenOutput {
    Raw,
    Header,
    Headers,
    Json,
    Env(EnvShell),
    ExecCredential,
    Xoauth2 { user: String },
    Oauthbearer(BearerClient),
}

/// Who is signed in, and to which mail server (RFC 7628 §3.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BearerClient {
    pub user: String,
    pub host: Option<String>,
    pub port: Option<u16>,
}

impl TokenOutput {
    /// The format as it was typed, where it makes a program send the token as
    /// a bearer token.
    pub fn sends_bearer_token(&self) -> Option<&'static str> {
        match self {
            TokenOutput::Raw | TokenOutput::Json | TokenOutput::Env(_) => None,
            TokenOutput::Header => Some("--format header"),
            TokenOutput::Headers => Some("--format headers"),
            TokenOutput::ExecCredential => Some("--format exec-credential"),
            TokenOutput::Xoauth2 { .. } => Some("--format xoauth2"),
            TokenOutput::Oauthbearer(_) => Some("--format oauthbearer"),
        }
    }
}

/// The format that was asked for. `json` is whether `--json` was given.
///
/// # Errors
/// [`SettingsError`] for options that conflict or are missing.
pub fn token_output(
    json: bool,
    format: Option<TokenFormat>,
    options: &FormatOptions,
) -> Result<TokenOutput, SettingsError> {
    let format = match (json, format) {
        (true, None | Some(TokenFormat::Json)) => TokenFormat::Json,
        (true, Some(_)) => {
            return Err(contradiction(
                "--json",
                "--format".to_owned(),
                "--json is --format json",
            ));
        }
        (false, format) => format.unwrap_or(TokenFormat::Raw),
    };
    reject_options_of_others(format, options)?;
    let FormatOptions { shell, host, port, .. } = options;
    Ok(match format {
        TokenFormat::Raw => TokenOutput::Raw,
        TokenFormat::Header => TokenOutput::Header,
        TokenFormat::Headers => TokenOutput::Headers,
        TokenFormat::Json => TokenOutput::Json,
        TokenFormat::Env => TokenOutput::Env(shell.unwrap_or_default()),
        TokenFormat::ExecCredential => TokenOutput::ExecCredential,
        TokenFormat::Xoauth2 => TokenOutput::Xoauth2 {
            user: user(format, options)?,
        },
        TokenFormat::Oauthbearer => TokenOutput::Oauthbearer(BearerClient {
            user: user(format, options)?,
            host: host.as_deref().map(sasl_host).transpose()?,
            port: *port,
        }),
    })
}

fn reject_options_of_others(format: TokenFormat, options: &FormatOptions) -> Result<(), SettingsError> {
    let is_sasl = matches!(format, TokenFormat::Xoauth2 | TokenFormat::Oauthbearer);
    let is_bearer = format == TokenFormat::Oauthbearer;
    for (is_given, is_taken, flag, whose) in [
        (
            options.shell.is_some(),
            format == TokenFormat::Env,
            "--shell",
            "only --format env has one",
        ),
        (
            options.user.is_some(),
            is_sasl,
            "--user",
            "only --format xoauth2 and --format oauthbearer have one",
        ),
        (
            options.host.is_some(),
            is_bearer,
            "--host",
            "only --format oauthbearer has one",
        ),
        (
            options.port.is_some(),
            is_bearer,
            "--port",
            "only --format oauthbearer has one",
        ),
    ] {
        if is_given && !is_taken {
            let other = format!("--format {}", format.as_str());
            return Err(contradiction(flag, other, whose));
        }
    }
    Ok(())
}

fn contradiction(one: &str, other: String, problem: &str) -> SettingsError {
    SettingsError::Contradiction {
        one: one.to_owned(),
        other,
        problem: problem.to_owned(),
    }
}

/// U+0001 ends a field of the message, and no account's name has a control character.
fn user(format: TokenFormat, options: &FormatOptions) -> Result<String, SettingsError> {
    match options.user.as_deref() {
        None => Err(SettingsError::Incomplete {
            given: format!("--format {}", format.as_str()),
            needed: "--user",
            hint: "Add --user with the name of the account at the mail server, most often its address.",
        }),
        Some("") => Err(invalid("--user", "it is empty")),
        Some(user) if user.chars().any(char::is_control) => Err(invalid("--user", "it has a control character in it")),
        Some(user) => Ok(user.to_owned()),
    }
}

fn sasl_host(host: &str) -> Result<String, SettingsError> {
    match host.is_empty() || !host.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Err(invalid("--host", "it is not the name of a host")),
        false => Ok(host.to_owned()),
    }
}
