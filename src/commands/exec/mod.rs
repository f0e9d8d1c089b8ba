//! `oauth exec`: runs a command with a fresh token in its environment. On Unix
//! the command takes the place of this process, so that signals, terminal,
//! standard streams and exit code are its own.

mod error;
#[cfg(unix)]
mod replace;
#[cfg(not(unix))]
mod wait;

use super::fresh_or_login::fresh_or_login;
use crate::app::context::Context;
use crate::app::deadline::Uninterruptible;
use crate::app::fresh_session::{FreshSession, WantedToken};
use crate::app::freshness::{Freshness, fresh_id_token};
use crate::app::time_left::token_with_time_left;
use crate::app::token_format::{BOUND_TOKEN, PrintableToken, check_is_access_token, is_bound, token_variables};
use crate::app::usable_profile::choose_usable_profile;
use crate::args::cli::{ExecOptions, TokenOptions};
use crate::args::config::Config;
use crate::args::settings::{self, ChosenProfile, ExecContent, ExecVariable};
use crate::error::Error;
use crate::secret::Secret;
use crate::store::StoredToken;
use crate::system;
use crate::trace::{Event, Observer};
use error::ExecError;
#[cfg(unix)]
use replace::run_command;
use std::process::Command;
#[cfg(not(unix))]
use wait::run_command;

pub(super) fn run(context: &Context, options: &ExecOptions) -> Result<(), Error> {
    let wanted = settings::exec_variables(&options.env)?;
    let config = context.config()?;
    let chosen = choose_usable_profile(context, &options.profile, &config)?;
    let tokens = Tokens {
        context,
        config: &config,
        chosen: &chosen,
        login: options.login,
    };
    let variables = match wanted.as_slice() {
        [] => tokens.usual_variables()?,
        wanted => tokens.variables(wanted)?,
    };
    let (program, arguments) = options.command.split_first().ok_or(ExecError::NoCommand)?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .envs(context.environment.for_command());
    // An `oauth` that the command runs finds `OAUTH_PROFILE` there
    if let (true, Some(path)) = (wanted.is_empty(), context.chosen_config()) {
        command.env("OAUTH_CONFIG", path);
    }
    for (name, value) in &variables {
        command.env(name, value.expose());
    }
    context.finish_trace();
    // From here on the deadline does not count.
    let _started = Uninterruptible::begin();
    Err(ExecError::new(program, run_command(command)).into())
}

/// Where the tokens for a command come from.
struct Tokens<'a> {
    context: &'a Context,
    config: &'a Config,
    chosen: &'a ChosenProfile,
    login: bool,
}

impl Tokens<'_> {
    /// The variables of `oauth token --format env`.
    fn usual_variables(&self) -> Result<Vec<(String, Secret)>, Error> {
        let (fresh, freshness) = self.fresh_session(false)?;
        let stored = self.access_token(&fresh, &freshness)?;
        let token = PrintableToken::access_token(stored, &fresh.session, &self.chosen.name, system::now());
        let variables = token_variables(&token).into_iter();
        Ok(variables.map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// The variables of `--env`.
    fn variables(&self, wanted: &[ExecVariable]) -> Result<Vec<(String, Secret)>, Error> {
        let has = |content| wanted.iter().any(|variable| variable.content == content);
        let needs_id_token = has(ExecContent::IdToken);
        let needs_access_token = has(ExecContent::AccessToken) || !needs_id_token;
        let (mut fresh, mut freshness) = self.fresh_session(needs_id_token)?;
        // What was refreshed just now is as fresh as it can be.
        if needs_id_token && needs_access_token && !fresh.is_new {
            (fresh, freshness) = self.fresh_session(false)?;
        }
        let id_token = match needs_id_token {
            true => Some(fresh_id_token(&fresh.session, &self.chosen.name, system::now())?),
            false => None,
        };
        let access_token = match needs_access_token {
            true => Some(self.access_token(&fresh, &freshness)?),
            false => None,
        };
        let expires_at = match (access_token, &id_token) {
            (Some(access_token), _) => access_token.expires_at,
            (None, Some((_, expires_at))) => *expires_at,
            (None, None) => None,
        };
        let value = |content| match content {
            ExecContent::AccessToken => access_token.map(|token| token.access_token.clone()),
            ExecContent::IdToken => id_token.as_ref().map(|(id_token, _)| id_token.clone()),
            ExecContent::ExpiresAt => expires_at.map(|expires_at| system::rfc_3339(expires_at).into()),
            ExecContent::Issuer => fresh.session.issuer.as_ref().map(|issuer| issuer.to_string().into()),
        };
        let variables = wanted.iter().map(|variable| {
            let value = value(variable.content).unwrap_or_else(|| Secret::from(""));
            (variable.name.clone(), value)
        });
        Ok(variables.collect())
    }

    /// The session with a fresh access token, or a fresh ID token.
    fn fresh_session(&self, id_token: bool) -> Result<(FreshSession, Freshness), Error> {
        let options = TokenOptions {
            id_token,
            login: self.login,
            ..TokenOptions::default()
        };
        let freshness = Freshness::new(&options)?;
        let fresh = fresh_or_login(
            self.context,
            WantedToken {
                config: self.config,
                chosen: self.chosen,
                options: &options,
                freshness: &freshness,
            },
        )?;
        Ok((fresh, freshness))
    }

    fn access_token<'a>(&self, fresh: &'a FreshSession, freshness: &Freshness) -> Result<&'a StoredToken, Error> {
        let token = token_with_time_left(self.context, freshness, &self.chosen.name, fresh)?;
        check_is_access_token(token)?;
        if is_bound(token) {
            self.context.observer().observe(&Event::Warning(BOUND_TOKEN));
        }
        Ok(token)
    }
}
