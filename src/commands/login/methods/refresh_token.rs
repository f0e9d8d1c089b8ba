//! A refresh token that another program got (RFC 6749 §6). It is spent at once,
//! which proves that it works.

use crate::commands::login::attempt::{LoginAttempt, RequestFailure};
use crate::commands::login::outcome::LoginOutcome;
use crate::error::Error;
use crate::flow::import::{ImportError, import_refresh_token};
use crate::flow::login::LoginError;
use crate::secret::Secret;

pub(super) fn run(attempt: LoginAttempt<'_>, refresh_token: Secret) -> Result<LoginOutcome, Error> {
    let options = attempt.token_request_options(&attempt.resolved.refresh_parameters);
    attempt.run_without_browser(async |request, caller| {
        let importing = import_refresh_token(request, &options, refresh_token, caller);
        importing.await.map_err(|error| match error {
            ImportError::Server(error) => LoginError::Server(error).into(),
            ImportError::Refused(error) => error.into(),
            ImportError::Refresh(error) => error.into(),
            ImportError::RefreshTokenKept(session, error) => RequestFailure {
                error: error.into(),
                kept: Some(session),
            },
        })
    })
}
