//! How `oauth token` prints a token: one file a format, one arm here.

mod env;
mod exec_credential;
mod json;
mod sasl;
mod shell;

pub(crate) use env::token_variables;

use crate::args::settings::TokenOutput;
use crate::exit::{Diagnosis, ExitCode};
use crate::foreign_text::Quoted;
use crate::protocol::time::UnixSeconds;
use crate::protocol::token_response::TokenType;
use crate::secret::Secret;
use crate::store::{ProfileName, Session, StoredToken};
use crate::system::environment::Environment;
use exec_credential::ExecInfoError;
use shell::UnquotableValue;

/// The warning beside a bound token that is printed all the same.
pub(crate) const BOUND_TOKEN: &str = "the access token is bound to a key of the session (token_type DPoP): a server takes it only with a proof of that key";

/// Which of a session's tokens is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    AccessToken,
    IdToken,
}

/// A token with what the formats say about it.
pub(crate) struct PrintableToken<'a> {
    pub(crate) kind: TokenKind,
    pub(crate) token: &'a Secret,
    /// When this token ends; `None` when that is not known.
    pub(crate) expires_at: Option<UnixSeconds>,
    /// The access token that it is, or came with.
    pub(crate) stored: &'a StoredToken,
    pub(crate) session: &'a Session,
    pub(crate) profile: &'a ProfileName,
    pub(crate) now: UnixSeconds,
}

impl<'a> PrintableToken<'a> {
    /// The access token of a session's part.
    pub(crate) fn access_token(
        stored: &'a StoredToken,
        session: &'a Session,
        profile: &'a ProfileName,
        now: UnixSeconds,
    ) -> Self {
        PrintableToken {
            kind: TokenKind::AccessToken,
            token: &stored.access_token,
            expires_at: stored.expires_at,
            stored,
            session,
            profile,
            now,
        }
    }

    /// Whether the token is of use only to the holder of a key (RFC 9449 §5).
    pub(crate) fn is_bound(&self) -> bool {
        self.kind == TokenKind::AccessToken && is_bound(self.stored)
    }
}

/// Whether an access token is bound to a key (RFC 9449 §5).
pub(crate) fn is_bound(token: &StoredToken) -> bool {
    is_bound_type(&token.token_type)
}

/// Whether a token of this type is.
pub(crate) fn is_bound_type(token_type: &str) -> bool {
    token_type.eq_ignore_ascii_case(TokenType::Dpop.as_str())
}

/// Refuses what came of an exchange and is not an access token: an API would be
/// shown something that is for an authorization server (RFC 8693 §2.2.1).
///
/// # Errors
/// [`TokenFormatError::NoAccessToken`].
pub(crate) fn check_is_access_token(token: &StoredToken) -> Result<(), TokenFormatError> {
    match token.is_no_access_token() {
        true => Err(TokenFormatError::NoAccessToken {
            issued_token_type: token.issued_token_type.clone().unwrap_or_default(),
        }),
        false => Ok(()),
    }
}

/// What goes to stdout, to the last newline.
///
/// # Errors
/// [`TokenFormatError`].
pub(crate) fn format_token(
    output: &TokenOutput,
    token: &PrintableToken<'_>,
    environment: &Environment,
) -> Result<Secret, TokenFormatError> {
    if token.is_bound()
        && let Some(format) = output.sends_bearer_token()
    {
        return Err(TokenFormatError::Bound { what: format });
    }
    if token.kind == TokenKind::AccessToken && !matches!(output, TokenOutput::Json) {
        check_is_access_token(token.stored)?;
    }
    let text = token.token.expose();
    Ok(Secret::new(match output {
        TokenOutput::Raw => format!("{text}\n"),
        TokenOutput::Header => format!("Authorization: Bearer {text}\n"),
        TokenOutput::Headers => format!("{}\n", serde_json::json!({ "Authorization": format!("Bearer {text}") })),
        TokenOutput::Json => json::object(token),
        TokenOutput::Env(shell) => env::assignments(*shell, token)?,
        TokenOutput::ExecCredential => {
            let info = environment.text(exec_credential::VARIABLE);
            exec_credential::object(token, info.as_deref())?
        }
        TokenOutput::Xoauth2 { user } => sasl::xoauth2(user, text),
        TokenOutput::Oauthbearer(client) => sasl::oauthbearer(client, text),
    }))
}

/// Why a token cannot be printed in a format.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TokenFormatError {
    /// RFC 9449 §7.1: a bound token is refused without a proof of its key.
    #[error("the access token is bound to a key of the session (DPoP), and {what} would send it without a proof")]
    Bound {
        /// The format or command, as it was typed.
        what: &'static str,
    },
    /// RFC 8693 §2.2.1.
    #[error(
        "the token of this session is not an access token (token_type N_A, issued_token_type {})",
        Quoted::name(issued_token_type)
    )]
    NoAccessToken { issued_token_type: String },
    #[error(transparent)]
    ExecInfo(#[from] ExecInfoError),
    #[error(transparent)]
    Unquotable(#[from] UnquotableValue),
}

impl Diagnosis for TokenFormatError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hints(&self) -> Vec<String> {
        match self {
            TokenFormatError::Bound { .. } => vec![
                "Let oauth send the request, with the proof: oauth request URL".to_owned(),
                "For a program that makes the proof itself, print the token with --format raw, json or env.".to_owned(),
            ],
            TokenFormatError::NoAccessToken { .. } => vec![
                "To see it all the same: --format json. Another profile can use it: --assertion profile:NAME, or --subject-token profile:NAME"
                    .to_owned(),
            ],
            TokenFormatError::ExecInfo(error) => error.hints(),
            TokenFormatError::Unquotable(error) => error.hints(),
        }
    }
}
