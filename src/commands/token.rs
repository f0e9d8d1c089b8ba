//! `oauth token`: the hot path. The configuration file for the profile's name
//! and store, one read of the store, a comparison of clocks, one line on
//! stdout: no lock, no runtime, no TLS, no discovery. Only a token that will
//! not last is refresh_locked first.

use super::login;
use crate::app::context::Context;
use crate::app::fresh_session::{FreshSession, Freshness, ensure_fresh, id_token_expiry};
use crate::app::login_required::LoginRequired;
use crate::app::token_format::{BOUND_TOKEN, PrintableToken, TokenKind, format_token};
use crate::args::cli::{TokenCommand, TokenOptions};
use crate::args::settings::{self, TokenOutput};
use crate::error::Error;
use crate::exit::ExitCode;
use crate::flow::renew::RenewError;
use crate::output::report;
use crate::protocol::time::UnixSeconds;
use crate::secret::Secret;
use crate::store::{ProfileName, Session};
use crate::system::{self};
use crate::trace::{Event, Observer};
use std::io::{self, IsTerminal};

pub(super) fn run(context: &Context, command: &TokenCommand) -> Result<(), Error> {
    let TokenCommand { options, format } = command;
    let output = settings::token_output(context.style.json, options.format, format)?;
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
    print(context, options, &output, &wanted, &chosen.name, &fresh)
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
    output: &TokenOutput,
    wanted: &Freshness,
    name: &ProfileName,
    fresh: &FreshSession,
) -> Result<(), Error> {
    let FreshSession { session, is_new } = fresh;
    let now = system::now();
    let token = session
        .token(&wanted.part)
        .ok_or_else(|| LoginRequired::Expired { profile: name.clone() })?;
    let access_token = PrintableToken {
        kind: TokenKind::AccessToken,
        token: &token.access_token,
        expires_at: token.expires_at,
        stored: token,
        session,
        profile: name,
        now,
    };
    if options.id_token {
        let (id_token, expires_at) = id_token(session, name, now)?;
        let id_token = PrintableToken {
            kind: TokenKind::IdToken,
            token: &id_token,
            expires_at,
            ..access_token
        };
        let text = format_token(output, &id_token, &context.environment)?;
        return report::print(text.expose().as_bytes());
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
    let text = format_token(output, &access_token, &context.environment)?;
    if access_token.is_bound() {
        context.observer().observe(&Event::Warning(BOUND_TOKEN));
    }
    report::print(text.expose().as_bytes())
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
