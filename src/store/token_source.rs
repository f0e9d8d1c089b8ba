//! Where a token comes from that is not kept, but read each time it is needed.
//! The record and the profile keep this, never the token itself.

use super::profile_name::ProfileName;
use crate::system::command_words;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// A source of tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenSource {
    /// A file, such as the projected tokens of Kubernetes and SPIFFE.
    File(PathBuf),
    /// An environment variable.
    Environment(String),
    /// Standard input: once, and never again.
    Stdin,
    /// What a command prints.
    Command(TokenCommand),
    /// The ID token of a job in GitHub Actions.
    GithubActions {
        /// Its audience; the owner of the repository where it is not named.
        audience: Option<String>,
    },
    /// The token of a pod's service account.
    Kubernetes,
    /// The ID token of a virtual machine's service account in Google Cloud.
    Gcp {
        /// Its audience.
        audience: String,
    },
    /// The token of a managed identity in Azure.
    Azure {
        /// What it is for; the exchange of tokens where it is not named.
        resource: Option<String>,
    },
    /// A token of another session of this machine.
    Profile(ProfileSource),
}

/// A token of another session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileSource {
    /// Whose session.
    pub profile: ProfileName,
    /// Which of its tokens.
    pub token: SessionToken,
}

/// Which token of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionToken {
    /// `access`
    Access,
    /// `id`
    Id,
    /// `refresh`
    Refresh,
}

/// A command as it was written, and the words that it is split into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenCommand {
    text: String,
    words: Vec<String>,
}

/// Text that names no source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTokenSource {
    /// It is not repeated: it may be the token itself.
    #[error("that is not a source of tokens (expected: {SOURCES})")]
    Unknown,
    /// `file` without a path.
    #[error("{0}: needs {1} behind the colon")]
    Incomplete(&'static str, &'static str),
    /// `stdin:x`.
    #[error("{0} needs a value after the colon")]
    TakesNothing(&'static str),
    /// A quote that is not closed, or no word at all.
    #[error("command: needs a command; quotes in it must be closed")]
    Command,
    /// `profile:` with another name or token.
    #[error("profile: needs the name of a profile, then nothing or :access, :id or :refresh")]
    Profile,
    /// Not the name of a variable.
    #[error("env: needs the name of an environment variable")]
    Variable,
}

/// For messages.
const SOURCES: &str = "file:PATH, env:NAME, stdin, command:CMD, github-actions[:AUDIENCE], kubernetes, gcp:AUDIENCE, azure[:RESOURCE], profile:NAME[:access|id|refresh]";

impl TokenSource {
    /// The access token of another session.
    pub fn of_profile(profile: ProfileName) -> Self {
        TokenSource::Profile(ProfileSource {
            profile,
            token: SessionToken::Access,
        })
    }

    /// Whether it gives a token once only, so that nothing can be renewed by it.
    pub fn is_used_up(&self) -> bool {
        matches!(self, TokenSource::Stdin)
    }

    /// The profile whose session it is a token of.
    pub fn profile(&self) -> Option<&ProfileName> {
        match self {
            TokenSource::Profile(source) => Some(&source.profile),
            _ => None,
        }
    }

    /// The same from any folder: it is read again from another one.
    #[must_use]
    pub fn absolute(self) -> Self {
        match self {
            TokenSource::File(path) => TokenSource::File(std::path::absolute(&path).unwrap_or(path)),
            TokenSource::Command(given) => {
                let text = command_words::absolute(given.text());
                let absolute = text.and_then(|text| command(Some(&text)).ok());
                TokenSource::Command(absolute.unwrap_or(given))
            }
            other => other,
        }
    }
}

impl TokenCommand {
    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Program and arguments.
    pub fn words(&self) -> &[String] {
        &self.words
    }
}

impl FromStr for TokenSource {
    type Err = InvalidTokenSource;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, rest) = match text.split_once(':') {
            Some((kind, rest)) => (kind, Some(rest)),
            None => (text, None),
        };
        let given = rest.filter(|rest| !rest.is_empty());
        let alone = |name, source| match rest {
            None => Ok(source),
            Some(_) => Err(InvalidTokenSource::TakesNothing(name)),
        };
        match kind {
            "file" => {
                let path = given.ok_or(InvalidTokenSource::Incomplete("file", "a path"))?;
                Ok(TokenSource::File(PathBuf::from(path)))
            }
            "env" => {
                let is_name = |name: &&str| !name.contains('=') && name.bytes().all(|byte| byte.is_ascii_graphic());
                let name = given.filter(is_name).ok_or(InvalidTokenSource::Variable)?;
                Ok(TokenSource::Environment(name.to_owned()))
            }
            "stdin" => alone("stdin", TokenSource::Stdin),
            "command" => command(given).map(TokenSource::Command),
            "github-actions" => Ok(TokenSource::GithubActions {
                audience: given.map(str::to_owned),
            }),
            "kubernetes" => alone("kubernetes", TokenSource::Kubernetes),
            "gcp" => Ok(TokenSource::Gcp {
                audience: given
                    .ok_or(InvalidTokenSource::Incomplete("gcp", "an audience"))?
                    .to_owned(),
            }),
            "azure" => Ok(TokenSource::Azure {
                resource: given.map(str::to_owned),
            }),
            "profile" => profile(given).map(TokenSource::Profile),
            _ => Err(InvalidTokenSource::Unknown),
        }
    }
}

fn command(text: Option<&str>) -> Result<TokenCommand, InvalidTokenSource> {
    let text = text.ok_or(InvalidTokenSource::Command)?;
    let words = command_words::split(text).map_err(|_| InvalidTokenSource::Command)?;
    match words.first() {
        Some(program) if !program.is_empty() => Ok(TokenCommand {
            text: text.to_owned(),
            words,
        }),
        _ => Err(InvalidTokenSource::Command),
    }
}

fn profile(text: Option<&str>) -> Result<ProfileSource, InvalidTokenSource> {
    let text = text.ok_or(InvalidTokenSource::Profile)?;
    let (name, token) = text.split_once(':').unwrap_or((text, "access"));
    let token = match token {
        "access" => SessionToken::Access,
        "id" => SessionToken::Id,
        "refresh" => SessionToken::Refresh,
        _ => return Err(InvalidTokenSource::Profile),
    };
    let profile = ProfileName::parse(name).map_err(|_| InvalidTokenSource::Profile)?;
    Ok(ProfileSource { profile, token })
}

impl fmt::Display for TokenSource {
    /// As it is written.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TokenSource::File(path) => write!(formatter, "file:{}", path.display()),
            TokenSource::Environment(name) => write!(formatter, "env:{name}"),
            TokenSource::Stdin => formatter.write_str("stdin"),
            TokenSource::Command(command) => write!(formatter, "command:{}", command.text),
            TokenSource::GithubActions { audience: None } => formatter.write_str("github-actions"),
            TokenSource::GithubActions {
                audience: Some(audience),
            } => write!(formatter, "github-actions:{audience}"),
            TokenSource::Kubernetes => formatter.write_str("kubernetes"),
            TokenSource::Gcp { audience } => write!(formatter, "gcp:{audience}"),
            TokenSource::Azure { resource: None } => formatter.write_str("azure"),
            TokenSource::Azure {
                resource: Some(resource),
            } => write!(formatter, "azure:{resource}"),
            TokenSource::Profile(ProfileSource { profile, token }) => match token {
                SessionToken::Access => write!(formatter, "profile:{profile}"),
                SessionToken::Id => write!(formatter, "profile:{profile}:id"),
                SessionToken::Refresh => write!(formatter, "profile:{profile}:refresh"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_is_written_as_it_is_read() {
        for text in [
            "file:/var/run/secrets/tokens/svid",
            "env:CI_ID_TOKEN",
            "stdin",
            "command:spire-agent api fetch jwt -audience 'a b'",
            "github-actions",
            "github-actions:https://as.example/x:y",
            "kubernetes",
            "gcp://iam.googleapis.com/x",
            "azure",
            "azure:api://AzureADTokenExchange",
            "profile:work",
            "profile:work:id",
            "profile:work:refresh",
        ] {
            assert_eq!(
                TokenSource::from_str(text).map(|source| source.to_string()).as_deref(),
                Ok(text)
            );
        }
        assert_eq!(
            TokenSource::from_str("profile:work:access").unwrap().to_string(),
            "profile:work"
        );
    }

    #[test]
    fn what_is_no_source_is_refused_without_being_repeated() {
        for text in [
            "",
            "eyJhbGciOiJSUzI1NiJ9.e30.c2ln",
            "ya29.token",
            "file:",
            "file",
            "env:",
            "env:A=B",
            "stdin:x",
            "kubernetes:x",
            "gcp",
            "gcp:",
            "command:",
            "command:'a",
            "command:''",
            "profile:",
            "profile:a:b",
            "profile:../x",
        ] {
            let error = TokenSource::from_str(text).expect_err(text).to_string();
            assert!(!error.contains("eyJ") && !error.contains("ya29"), "{error}");
        }
    }
}
