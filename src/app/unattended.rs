//! Where a login or a check would wait for a person who is not there.

use crate::app::context::Context;
use crate::args::login::LoginOptions;
use crate::args::login_grant::LoginGrant;
use crate::args::settings::{ResolvedLogin, SettingsError};
use std::io::IsTerminal;

/// In CI without a terminal there is no browser and no person to sign in; the
/// login would print its URL into the job's log and wait.
///
/// # Errors
/// [`SettingsError::Unattended`].
pub(crate) fn reject_unattended(
    context: &Context,
    options: &LoginOptions,
    resolved: &ResolvedLogin,
) -> Result<(), SettingsError> {
    let needs_no_browser = resolved.grant != LoginGrant::AuthorizationCode;
    let is_on_purpose = needs_no_browser || options.session.refresh_token_stdin || context.style.json;
    match !is_on_purpose && has_nobody(context, options, resolved) {
        true => Err(SettingsError::Unattended),
        false => Ok(()),
    }
}

/// Whether nobody is there who could sign in: in CI, without a terminal, and
/// nothing says how it is done.
pub(crate) fn has_nobody(context: &Context, options: &LoginOptions, resolved: &ResolvedLogin) -> bool {
    let environment = &context.environment;
    let has_terminal = std::io::stdin().is_terminal() || std::io::stderr().is_terminal();
    let has_browser = resolved.browser.is_some() || environment.has("BROWSER");
    let is_on_purpose = options.browser.no_browser || options.callback.paste;
    environment.has("CI") && !has_terminal && !has_browser && !is_on_purpose
}
