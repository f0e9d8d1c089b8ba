//! The authorization code flow with PKCE (RFC 6749 §4.1): a person signs in.

use crate::app::login_context::BrowserLogin;
use crate::app::signals::shutdown_signal;
use crate::commands::login::attempt::Attempt;
use crate::commands::login::outcome::{LoginOutcome, Requested};
use crate::error::Error;
use crate::flow::login::login;
use crate::store::Session;
use crate::trace::Observer;

pub(super) fn run(attempt: Attempt<'_>) -> Result<LoginOutcome, Error> {
    let Attempt {
        context,
        options,
        resolved,
        transport,
        saver,
        observer,
        ..
    } = attempt;
    let requested = Requested::of(&resolved.request);
    let mut save = |session: &Session, observer: &mut dyn Observer| saver.save(session, observer);
    let browser_login = BrowserLogin {
        context,
        options,
        resolved,
        transport,
        observer,
    };
    let logged_in = browser_login.run(&mut save, async |request, context| {
        login(request, context, shutdown_signal()).await
    })?;
    Ok(LoginOutcome {
        session: logged_in.session,
        id_token: logged_in.id_token,
        requested,
        token_response: logged_in.token_response,
    })
}
