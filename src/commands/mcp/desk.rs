//! The thread that has the session: it answers for tokens, one question after
//! another, and shows what happens.

use super::failure::Failure;
use crate::app::context::Context;
use crate::app::hint_commands::with_whole_commands;
use crate::app::token_destination::TokenDestinations;
use crate::args::cli::McpOptions;
use crate::args::settings::{self, CommandForm};
use crate::commands::api_token::{ApiToken, ApiTokens, LoginPermission, ScopeNeeded};
use crate::commands::login;
use crate::commands::step_up::StepUps;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::protocol::scope::Scope;
use crate::protocol::token_destination::AllowedHost;
use crate::secret::Secret;
use crate::trace::Observer;
use crate::trace::buffered::OwnedEvent;
use std::sync::mpsc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use url::Url;

/// After a login that failed no other one is begun for so long, whatever comes
/// in: a person who said no is not asked again by the next message.
const LOGIN_PAUSE: Duration = Duration::from_secs(30);

/// What the bridge says to the desk.
pub(super) enum DeskMessage {
    Token {
        want: Want,
        reply: oneshot::Sender<Result<ApiToken, Failure>>,
    },
    Observe(Box<OwnedEvent>),
    Ended(Result<(), Error>),
}

/// Which token is wanted.
pub(super) enum Want {
    Fresh,
    /// Another one than this, which the server did not take.
    Other(Secret),
    /// One that has this scope too, which the server missed in that token.
    Wider {
        scope: Scope,
        refused: Secret,
    },
}

pub(super) struct Desk<'a> {
    context: &'a Context,
    options: &'a McpOptions,
    url: &'a Url,
    allowed: &'a [AllowedHost],
    failed_login_at: Option<Instant>,
    step_ups: StepUps,
}

impl<'a> Desk<'a> {
    pub(super) fn new(context: &'a Context, options: &'a McpOptions, url: &'a Url, allowed: &'a [AllowedHost]) -> Self {
        Desk {
            context,
            options,
            url,
            allowed,
            failed_login_at: None,
            step_ups: StepUps::default(),
        }
    }

    /// Answers until the bridge ends.
    pub(super) fn serve(mut self, messages: &mpsc::Receiver<DeskMessage>) -> Result<(), Error> {
        while let Ok(message) = messages.recv() {
            match message {
                DeskMessage::Token { want, reply } => {
                    let token = self.token(want);
                    if let Err(error) = &token
                        && let ExitCode::Interrupted | ExitCode::Terminated | ExitCode::HungUp = error.exit_code()
                    {
                        // The bridge has seen the signal too, and ends.
                        continue;
                    }
                    // The message may have been cancelled.
                    let _ = reply
                        .send(token.map_err(|error| Failure::from(&with_whole_commands(&self.context.global, error))));
                }
                DeskMessage::Observe(event) => self.context.observer().observe(&event.event()),
                DeskMessage::Ended(outcome) => return outcome,
            }
        }
        Ok(())
    }

    fn token(&mut self, want: Want) -> Result<ApiToken, Error> {
        let paused = self.failed_login_at.is_some_and(|at| at.elapsed() < LOGIN_PAUSE);
        let login = match self.options.token.login && !paused {
            true => LoginPermission::Always,
            false => LoginPermission::Never,
        };
        let outcome = self.token_with(want, login);
        if let (Err(error), LoginPermission::Always) = (&outcome, login)
            && matches!(
                error.exit_code(),
                ExitCode::LoginRequired | ExitCode::Refused | ExitCode::Timeout | ExitCode::Protocol
            )
        {
            self.failed_login_at = Some(Instant::now());
        }
        outcome
    }

    /// The profile is looked for each time: it may have been made by a login
    /// since the last message.
    fn token_with(&mut self, want: Want, login: LoginPermission) -> Result<ApiToken, Error> {
        let config = self.context.config()?;
        let destinations = TokenDestinations {
            context: self.context,
            config: &config,
            profile: self.options.token.profile.as_deref(),
            for_this_call: self.allowed,
            command: Some(CommandForm {
                name: "mcp",
                operands: shell_words::quote(self.url.as_str()).into_owned(),
            }),
        };
        let chosen = match destinations.profile(self.url, None)? {
            Some(chosen) => chosen,
            None if login == LoginPermission::Always => {
                login::login_for_api(self.context, self.url)?;
                return self.token_with(want, LoginPermission::Never);
            }
            None => {
                let command = format!("oauth login {}", shell_words::quote(self.url.as_str()));
                let error = settings::nothing_covers(self.url, &config).of_command(destinations.command.as_ref());
                return Err(Error::from(error).with_hint(format!("Run: {command}")));
            }
        };
        let tokens = ApiTokens {
            context: self.context,
            chosen,
            login,
        };
        match want {
            Want::Fresh => tokens.fresh(),
            Want::Other(rejected) => {
                let name = tokens.chosen.name.clone();
                let other = tokens.replace(&rejected)?;
                other.ok_or_else(|| super::failure::TokenNotTaken { profile: name }.into())
            }
            Want::Wider { scope, refused } => {
                let token = tokens.fresh()?;
                let needed = ScopeNeeded::new(&tokens.chosen.name, &token.session, scope);
                // Another message, or another program, has led to a login for it since.
                match needed.missing.is_empty() && token.stored.access_token.fingerprint() != refused.fingerprint() {
                    true => Ok(token),
                    false => self.step_ups.log_in(&tokens, needed),
                }
            }
        }
    }
}
