//! The grants without a person: client credentials (RFC 6749 §4.4), token
//! exchange (RFC 8693), assertions (RFC 7523 §2.1), identity assertions.

use crate::app::token_source::Sources;
use crate::commands::login::attempt::LoginAttempt;
use crate::commands::login::outcome::LoginOutcome;
use crate::error::Error;
use crate::flow::machine_grant::log_in_by_machine_grant;
use crate::store::Renewal;

pub(super) fn run(
    attempt: LoginAttempt<'_>,
    renewal: &Renewal,
    mut sources: Sources<'_>,
) -> Result<LoginOutcome, Error> {
    let options = attempt.token_request_options(&attempt.resolved.request.authorization.extra_token_params);
    attempt.run_without_browser(async |request, caller| {
        let session = log_in_by_machine_grant(request, renewal, &mut sources, options, caller).await?;
        Ok((session, None))
    })
}
