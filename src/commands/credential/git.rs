//! `oauth credential git`: a credential helper of git
//! (<https://git-scm.com/docs/gitcredentials#_custom_helpers>).

use super::git_attributes::GitAttributes;
use super::input::read_request;
use super::lookup::{HelperToken, Lookup};
use crate::app::context::Context;
use crate::app::rejected_token::{RejectedToken, forget_rejected};
use crate::args::cli::HelperOptions;
use crate::error::Error;
use crate::output::report;
use crate::trace::{Event, Observer};
use zeroize::Zeroizing;

pub(super) fn run(context: &Context, options: &HelperOptions) -> Result<(), Error> {
    let attributes = GitAttributes::parse(&read_request()?);
    match options.action.as_str() {
        "get" => get(context, options, &attributes),
        "erase" => erase(context, options, &attributes),
        // Tokens come from a login alone. Actions of a newer git are to be ignored.
        _ => Ok(()),
    }
}

/// Nothing is printed where the credential is not ours: git then asks the next helper.
fn get(context: &Context, options: &HelperOptions, attributes: &GitAttributes) -> Result<(), Error> {
    let Some(url) = attributes.url() else { return Ok(()) };
    let lookup = Lookup::new(context, options, "oauth credential git")?;
    let Some(found) = lookup.token(&url, attributes.username.as_deref())? else {
        return Ok(());
    };
    let HelperToken {
        username,
        token,
        expires_at,
    } = found;
    let expiry = expires_at.map(|expires_at| format!("password_expiry_utc={}\n", expires_at.0));
    let expiry = expiry.unwrap_or_default();
    let token = token.expose();
    let answer = Zeroizing::new(match attributes.wants_bearer() {
        true => format!("capability[]=authtype\nauthtype=Bearer\ncredential={token}\nephemeral=1\n{expiry}"),
        false => format!("username={username}\npassword={token}\n{expiry}"),
    });
    report::print(answer.as_bytes())
}

/// The server did not take the credential. Where it is a token of ours, the
/// next `get` gives another one.
fn erase(context: &Context, options: &HelperOptions, attributes: &GitAttributes) -> Result<(), Error> {
    let (Some(url), Some(password)) = (attributes.url(), &attributes.password) else {
        return Ok(());
    };
    let lookup = Lookup::new(context, options, "oauth credential git")?;
    let Some(chosen) = lookup.profile(&url, attributes.username.as_deref())? else {
        return Ok(());
    };
    if forget_rejected(context, &lookup.config, &chosen, password)? == RejectedToken::NotRefreshable {
        let name = &chosen.name;
        context.observer().observe(&Event::Warning(&format!(
            "the server did not accept the token of profile \"{name}\", and it cannot be refreshed. Log in again: oauth login {name}"
        )));
    }
    Ok(())
}
