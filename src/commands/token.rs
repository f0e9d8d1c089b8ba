//! `oauth token`: the hot path. The configuration file for the profile's name
//! and store, one read of the store, a comparison of clocks, one line on
//! stdout: no lock, no runtime, no TLS, no discovery. Only a token that will
//! not last is refresh_locked first.

use super::login;
use crate::app::context::Context;
use crate::app::fresh_session::{FreshSession, Freshness, ensure_fresh, id_token_expiry};
use crate::app::login_required::LoginRequired;
use crate::args::cli::{TokenFormat, TokenOptions};
use crate::args::settings::{self, SettingsError};
use crate::error::Error;
use crate::exit::ExitCode;
use crate::flow::renew::RenewError;
use crate::foreign_text::sanitize_json;
use crate::output::report;
use crate::protocol::time::UnixSeconds;
use crate::secret::Secret;
use crate::store::{ProfileName, Session, StoredToken};
use crate::system::{self};
use crate::trace::{Event, Observer};
use serde_json::json;
use std::io::{self, IsTerminal};

pub(super) fn run(context: &Context, options: &TokenOptions) -> Result<(), Error> {
    let format = format(context, options)?;
    let wanted = Freshness::new(options)?;
    let config = context.config()?;
    let chosen = settings::choose_profile(&options.profile, &context.environment, &config)?;
    let fresh = match ensure_fresh(context, options, &wanted, &config, &chosen) {
        Err(error) if options.login && login_may_help(&error) && is_interactive() => {
            context
                .observer()
                .observe(&Event::Note(&format!("{error}: logging in first")));
            login::login_for_token(context, &chosen.name)?;
            ensure_fresh(context, options, &wanted, &config, &chosen)?
        }
        outcome => outcome?,
    };
    print(context, options, format, &wanted, &chosen.name, &fresh)
}

/// Where somebody must log in, and after every refusal of a refresh.
fn login_may_help(error: &Error) -> bool {
    let is_refusal = error.downcast_ref::<RenewError>().is_some_and(RenewError::is_refusal);
    is_refusal || error.exit_code() == ExitCode::LoginRequired
}

/// Whole seconds where there is one, as people count.
fn describe_ms(milliseconds: i64) -> String {
    match milliseconds {
        ..1000 => format!("{milliseconds} ms"),
        _ => format!("{} s", milliseconds / 1000),
    }
}

fn is_interactive() -> bool {
    io::stdin().is_terminal() || io::stderr().is_terminal()
}

fn print(
    context: &Context,
    options: &TokenOptions,
    format: TokenFormat,
    wanted: &Freshness,
    name: &ProfileName,
    fresh: &FreshSession,
) -> Result<(), Error> {
    let FreshSession { session, is_new } = fresh;
    let now = system::now();
    let token = session
        .token(&wanted.part)
        .ok_or_else(|| LoginRequired::Expired { profile: name.clone() })?;
    if options.id_token {
        let (id_token, expires_at) = id_token(session, name, now)?;
        let line = format_token(
            format,
            TokenKind::IdToken(&id_token),
            expires_at,
            token,
            session,
            name,
            now,
        );
        return report::print(line.expose().as_bytes());
    }
    if let Some(expires_at) = token.expires_at {
        let left_ms = expires_at.0.saturating_mul(1000).saturating_sub(system::now_ms());
        let wanted_ms = wanted.min_ttl_ms(token);
        match left_ms {
            ..=0 if !is_new => return Err(LoginRequired::Expired { profile: name.clone() }.into()),
            ..=0 => context.observer().observe(&Event::Warning(
                "the token was refreshed just now and is valid for less than a second",
            )),
            left_ms if left_ms < wanted_ms => context.observer().observe(&Event::Warning(&format!(
                "the token is valid for another {} only, {} were wanted",
                describe_ms(left_ms),
                describe_ms(wanted_ms)
            ))),
            _ => {}
        }
    }
    let line = format_token(
        format,
        TokenKind::AccessToken(&token.access_token),
        token.expires_at,
        token,
        session,
        name,
        now,
    );
    report::print(line.expose().as_bytes())
}

fn format(context: &Context, options: &TokenOptions) -> Result<TokenFormat, Error> {
    match (context.style.json, options.format) {
        (true, None | Some(TokenFormat::Json)) => Ok(TokenFormat::Json),
        (true, Some(_)) => Err(SettingsError::Contradiction {
            one: "--json".to_owned(),
            other: "--format".to_owned(),
            problem: "--json is --format json".to_owned(),
        }
        .into()),
        (false, format) => Ok(format.unwrap_or(TokenFormat::Raw)),
    }
}

/// The ID token, which is as fresh as its own `exp` says.
fn id_token(
    session: &Session,
    name: &ProfileName,
    now: UnixSeconds,
) -> Result<(Secret, Option<UnixSeconds>), LoginRequired> {
    let id_token = session
        .id_token
        .clone()
        .ok_or_else(|| LoginRequired::no_id_token(name, session))?;
    let expires_at = id_token_expiry(session);
    match expires_at {
        Some(expires_at) if expires_at <= now => Err(LoginRequired::IdTokenExpired { profile: name.clone() }),
        expires_at => Ok((id_token, expires_at)),
    }
}

/// What is printed, and how it is called where it has a name.
#[derive(Clone, Copy)]
enum TokenKind<'a> {
    AccessToken(&'a Secret),
    IdToken(&'a Secret),
}

fn format_token(
    format: TokenFormat,
    shown: TokenKind<'_>,
    expires_at: Option<UnixSeconds>,
    stored: &StoredToken,
    session: &Session,
    name: &ProfileName,
    now: UnixSeconds,
) -> Secret {
    let (token, member, variable) = match shown {
        TokenKind::AccessToken(token) => (token.expose(), "access_token", "OAUTH_ACCESS_TOKEN"),
        TokenKind::IdToken(token) => (token.expose(), "id_token", "OAUTH_ID_TOKEN"),
    };
    Secret::new(match format {
        TokenFormat::Raw => format!("{token}\n"),
        TokenFormat::Header => format!("Authorization: Bearer {token}\n"),
        TokenFormat::Json => {
            let scope = stored.scope.as_ref().map(|scope| scope.join(" "));
            let object = json!({
                member: token,
                "token_type": stored.token_type,
                "expires_in": expires_at.map(|expires_at| expires_at.seconds_since(now)),
                "expires_at": expires_at.map(system::rfc_3339),
                "scope": scope,
                "resource": stored.resource,
                "issuer": session.issuer,
                "profile": name.as_str(),
            });
            sanitize_json(&object.to_string()) + "\n"
        }
        TokenFormat::Env => [
            (variable, token.clone()),
            ("OAUTH_TOKEN_TYPE", stored.token_type.clone()),
            ("OAUTH_EXPIRES_AT", expires_at.map(system::rfc_3339).unwrap_or_default()),
            ("OAUTH_ISSUER", session.issuer.clone().unwrap_or_default()),
            ("OAUTH_PROFILE", name.to_string()),
            ("OAUTH_TOKEN_PROFILE", name.to_string()),
        ]
        .map(|(variable, value)| format!("export {variable}={}\n", quoted(&value)))
        .concat(),
    })
}

/// A word for a POSIX shell: in single quotes, within which nothing is special.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_takes_quoted_text_as_it_is() {
        assert_eq!(quoted("a'b$(c)"), "'a'\\''b$(c)'");
    }
}
