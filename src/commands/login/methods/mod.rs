//! The ways to the tokens of a login, one file each. A grant with a person is a
//! file here and a variant of [`LoginMethod`] with its arms; the others share
//! `machine_grant`.

mod authorization_code;
mod device;
mod machine_grant;
mod refresh_token;

use super::attempt::LoginAttempt;
use super::outcome::LoginOutcome;
use crate::app::context::Context;
use crate::app::input::read_secret_from_stdin;
use crate::app::token_source::{Purpose, Sources, prepare_login};
use crate::args::config::Config;
use crate::args::login::LoginOptions;
use crate::args::login_grant::GrantBasis;
use crate::args::settings::ResolvedLogin;
use crate::error::Error;
use crate::secret::Secret;
use crate::store::{Renewal, Session};

/// How a login gets its tokens.
pub(super) enum LoginMethod<'a> {
    /// A person signs in with the browser.
    AuthorizationCode,
    /// A person signs in on another device.
    Device,
    /// No person: the client acts for itself, or with a token that is there already.
    Machine {
        renewal: Renewal,
        sources: Box<Sources<'a>>,
    },
    /// A refresh token that another program got.
    RefreshToken(Secret),
}

impl<'a> LoginMethod<'a> {
    /// The method that flags and profile choose; reads what it needs from
    /// standard input and from other sessions.
    ///
    /// # Errors
    /// The error of [`read_secret_from_stdin`], or that of a source.
    pub(super) fn resolve(
        context: &'a Context,
        config: &Config,
        options: &LoginOptions,
        (resolved, purpose): (&ResolvedLogin, Purpose),
    ) -> Result<Self, Error> {
        if options.session.refresh_token_stdin {
            let refresh_token = read_secret_from_stdin(context, "--refresh-token-stdin")?;
            return Ok(LoginMethod::RefreshToken(refresh_token));
        }
        Ok(match resolved.grant.basis() {
            GrantBasis::Browser => LoginMethod::AuthorizationCode,
            GrantBasis::OtherDevice => LoginMethod::Device,
            GrantBasis::Client | GrantBasis::GivenToken => LoginMethod::Machine {
                sources: Box::new(prepare_login(
                    context,
                    config,
                    &resolved.profile,
                    (&resolved.renewal, purpose),
                )?),
                renewal: resolved.renewal.clone(),
            },
        })
    }

    /// Whether one login at a time is enough: the session of another one serves as well.
    pub(super) fn may_share_session(&self) -> bool {
        match self {
            LoginMethod::AuthorizationCode | LoginMethod::Device => true,
            // A token that comes once would be left unused
            LoginMethod::Machine { renewal, .. } => !renewal.is_once(),
            LoginMethod::RefreshToken(_) => false,
        }
    }

    /// Whether a session is renewed as one of this method is.
    pub(super) fn renews_like(&self, session: &Session) -> bool {
        match self {
            LoginMethod::AuthorizationCode | LoginMethod::Device | LoginMethod::RefreshToken(_) => {
                !session.renewal.repeats_grant()
            }
            LoginMethod::Machine { renewal, .. } => session.renewal == *renewal,
        }
    }

    /// Gets the tokens, and keeps the session before it returns.
    ///
    /// # Errors
    /// The error of the flow. Nothing is kept then, but a refresh token that
    /// came with a faulty answer.
    pub(super) fn run(self, attempt: LoginAttempt<'_>) -> Result<LoginOutcome, Error> {
        match self {
            LoginMethod::AuthorizationCode => authorization_code::run(attempt),
            LoginMethod::Device => device::run(attempt),
            LoginMethod::Machine { renewal, sources } => machine_grant::run(attempt, &renewal, *sources),
            LoginMethod::RefreshToken(refresh_token) => refresh_token::run(attempt, refresh_token),
        }
    }
}
