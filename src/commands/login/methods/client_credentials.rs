//! The client credentials grant (RFC 6749 §4.4): a token for the client itself.

use crate::commands::login::attempt::Attempt;
use crate::commands::login::outcome::LoginOutcome;
use crate::error::Error;
use crate::flow::client_credentials::log_in_as_client;

pub(super) fn run(attempt: Attempt<'_>) -> Result<LoginOutcome, Error> {
    let options = attempt.token_request_options(&attempt.resolved.request.authorization.extra_token_params);
    attempt.run_without_browser(async |request, caller| {
        let session = log_in_as_client(request, &options, caller).await?;
        Ok((session, None))
    })
}
