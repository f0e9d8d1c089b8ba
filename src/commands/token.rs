//! `oauth token`: the hot path. The configuration file for the profile's name
//! and store, one read of the store, a comparison of clocks, one line on
//! stdout: no lock, no runtime, no TLS, no discovery. Only a token that will
//! not last is refreshed first.

use super::fresh_or_login::fresh_or_login;
use super::login_wait::wait_for_login;
use crate::app::context::Context;
use crate::app::fresh_session::{FreshSession, WantedToken};
use crate::app::freshness::{Freshness, fresh_id_token};
use crate::app::login_required::LoginRequired;
use crate::app::time_left::token_with_time_left;
use crate::app::token_format::{BOUND_TOKEN, PrintableToken, TokenKind, format_token};
use crate::app::usable_profile::choose_usable_profile;
use crate::args::cli::TokenCommand;
use crate::args::settings::{self, TokenOutput};
use crate::error::Error;
use crate::output::report;
use crate::store::ProfileName;
use crate::system;
use crate::trace::{Event, Observer};

pub(super) fn run(context: &Context, command: &TokenCommand) -> Result<(), Error> {
    let TokenCommand { options, wait, format } = command;
    let output = settings::token_output(context.style.json, options.format, format)?;
    let wanted = Freshness::new(options)?;
    if let Some(wait) = wait {
        wait_for_login(context, options, &wanted, *wait)?;
    }
    let config = context.config()?;
    let chosen = choose_usable_profile(context, &options.profile, &config)?;
    let fresh = fresh_or_login(
        context,
        WantedToken {
            config: &config,
            chosen: &chosen,
            options,
            freshness: &wanted,
        },
    )?;
    match options.id_token {
        true => print_id_token(context, &output, &wanted, &chosen.name, &fresh),
        false => print_access_token(context, &output, &wanted, &chosen.name, &fresh),
    }
}

fn print_access_token(
    context: &Context,
    output: &TokenOutput,
    wanted: &Freshness,
    profile: &ProfileName,
    fresh: &FreshSession,
) -> Result<(), Error> {
    let stored = token_with_time_left(context, wanted, profile, fresh)?;
    let token = PrintableToken::access_token(stored, &fresh.session, profile, system::now());
    let text = format_token(output, &token, &context.environment)?;
    if token.is_bound() {
        context.observer().observe(&Event::Warning(BOUND_TOKEN));
    }
    report::print_token(text.expose().as_bytes())
}

fn print_id_token(
    context: &Context,
    output: &TokenOutput,
    wanted: &Freshness,
    profile: &ProfileName,
    fresh: &FreshSession,
) -> Result<(), Error> {
    let session = &fresh.session;
    let stored = session.token(&wanted.part).ok_or_else(|| LoginRequired::Expired {
        profile: profile.clone(),
    })?;
    let now = system::now();
    let (id_token, expires_at) = fresh_id_token(session, profile, now)?;
    let token = PrintableToken {
        kind: TokenKind::IdToken,
        token: &id_token,
        expires_at,
        stored,
        session,
        profile,
        now,
    };
    let text = format_token(output, &token, &context.environment)?;
    report::print_token(text.expose().as_bytes())
}
