//! What every login method works with, whichever grant it uses.

use super::outcome::{LoginOutcome, Requested};
use super::saver::SessionSaver;
use crate::app::context::{Context, caller};
use crate::app::signals::finish_then_interrupt;
use crate::args::login::LoginOptions;
use crate::args::settings::ResolvedLogin;
use crate::error::Error;
use crate::flow::caller::Caller;
use crate::flow::grant_inputs::GrantInputs;
use crate::flow::login::{LoginError, LoginRequest};
use crate::flow::refresh::RefreshOptions;
use crate::protocol::id_token::IdToken;
use crate::store::Session;
use crate::trace::Observer;
use crate::transport::Transport;

/// One login whose turn it is, with everything resolved and the store probed.
pub(super) struct LoginAttempt<'a> {
    pub(super) context: &'a Context,
    pub(super) options: &'a LoginOptions,
    pub(super) resolved: ResolvedLogin,
    pub(super) transport: &'a Transport,
    pub(super) saver: &'a mut SessionSaver,
    pub(super) observer: &'a mut dyn Observer,
    /// Whether what is odd about an accepted answer is reported to the person.
    pub(super) warns_of_quirks: bool,
}

/// A token request that failed.
pub(super) struct RequestFailure {
    pub(super) error: Error,
    /// A session that must be kept all the same.
    pub(super) kept: Option<Box<Session>>,
}

impl<E: Into<Error>> From<E> for RequestFailure {
    fn from(error: E) -> Self {
        RequestFailure {
            error: error.into(),
            kept: None,
        }
    }
}

impl LoginAttempt<'_> {
    /// Gets the tokens without a browser and keeps the session. What was sent
    /// may be spent, so a signal waits until the session is kept.
    ///
    /// # Errors
    /// The error of `request_token`, or [`LoginError::Save`].
    pub(super) fn run_without_browser(
        self,
        request_token: impl AsyncFnOnce(
            &LoginRequest,
            &mut Caller<'_>,
        ) -> Result<(Session, Option<IdToken>), RequestFailure>,
    ) -> Result<LoginOutcome, Error> {
        let LoginAttempt {
            context,
            resolved,
            transport,
            saver,
            observer,
            ..
        } = self;
        let request = &resolved.request;
        let mut caller = caller(transport, observer);
        let (session, id_token) = context.runtime()?.block_on(finish_then_interrupt(async {
            let requested = request_token(request, &mut caller).await;
            let (session, id_token, failure) = match requested {
                Ok((session, id_token)) => (session, id_token, None),
                Err(RequestFailure {
                    error,
                    kept: Some(session),
                }) => (*session, None, Some(error)),
                Err(RequestFailure { error, kept: None }) => return Err(error),
            };
            saver
                .save(context, &session, caller.observer)
                .map_err(LoginError::Save)?;
            match failure {
                Some(error) => Err(error),
                None => Ok::<_, Error>((session, id_token)),
            }
        }))??;
        Ok(LoginOutcome::new(Requested::of(request), session, id_token))
    }

    /// How the first token request is made. The client secret is the request's own.
    pub(super) fn token_request_options(&self, token_parameters: &[(String, String)]) -> RefreshOptions {
        RefreshOptions {
            client_secret: None,
            inputs: GrantInputs::default(),
            token_parameters: token_parameters.to_vec(),
            assumed_ttl: self.resolved.request.assumed_ttl,
            warns_of_quirks: self.warns_of_quirks,
            send_by: None,
        }
    }
}
