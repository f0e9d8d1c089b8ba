//! The device authorization grant (RFC 8628): a person signs in on another device.

use crate::app::context::caller;
use crate::app::deadline::Uninterruptible;
use crate::app::signals::shutdown_signal;
use crate::commands::login::attempt::LoginAttempt;
use crate::commands::login::outcome::{LoginOutcome, Requested};
use crate::error::Error;
use crate::flow::device::log_in_with_device;
use crate::store::Session;
use crate::trace::Observer;

pub(super) fn run(attempt: LoginAttempt<'_>) -> Result<LoginOutcome, Error> {
    let LoginAttempt {
        context,
        resolved,
        transport,
        saver,
        observer,
        ..
    } = attempt;
    let mut request = resolved.request;
    request.timeout = context.at_most(request.timeout);
    let mut save = |session: &Session, observer: &mut dyn Observer| saver.save(context, session, observer);
    let mut caller = caller(transport, observer);
    let runtime = context.runtime()?;
    let _until_stored = Uninterruptible::begin();
    let logged_in =
        runtime.block_on(async { log_in_with_device(&request, &mut caller, &mut save, shutdown_signal()).await })?;
    Ok(LoginOutcome {
        session: logged_in.session,
        id_token: logged_in.id_token,
        requested: Requested::of(&request),
        token_response: logged_in.token_response,
    })
}
