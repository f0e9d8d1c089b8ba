//! `--format env`: the token as variables of a shell. `oauth exec` gives a
//! command the same ones.

use super::shell::{UnquotableValue, assignment};
use super::{PrintableToken, TokenKind};
use crate::args::settings::EnvShell;
use crate::secret::Secret;
use crate::system;

/// A variable and its value.
type TokenVariable = (&'static str, Secret);

/// The variables that describe a token.
pub(crate) fn token_variables(token: &PrintableToken<'_>) -> [TokenVariable; 6] {
    let variable = match token.kind {
        TokenKind::AccessToken => "OAUTH_ACCESS_TOKEN",
        TokenKind::IdToken => "OAUTH_ID_TOKEN",
    };
    let expires_at = token.expires_at.map(system::rfc_3339).unwrap_or_default();
    let issuer = token
        .session
        .issuer
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    [
        (variable, token.token.clone()),
        ("OAUTH_TOKEN_TYPE", token.stored.token_type.clone().into()),
        ("OAUTH_EXPIRES_AT", expires_at.into()),
        ("OAUTH_ISSUER", issuer.into()),
        ("OAUTH_PROFILE", token.profile.to_string().into()),
        ("OAUTH_TOKEN_PROFILE", token.profile.to_string().into()),
    ]
}

/// One line a variable.
///
/// # Errors
/// [`UnquotableValue`].
pub(super) fn assignments(shell: EnvShell, token: &PrintableToken<'_>) -> Result<String, UnquotableValue> {
    let lines = token_variables(token).map(|(name, value)| assignment(shell, name, value.expose()));
    lines.into_iter().collect()
}
