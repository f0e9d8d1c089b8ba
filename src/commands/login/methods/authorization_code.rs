//! The authorization code flow with PKCE (RFC 6749 §4.1): a person signs in.

use crate::app::login_context::BrowserLogin;
use crate::app::signals::shutdown_signal;
use crate::args::login::RegistrationChoice;
use crate::args::settings::ResolvedLogin;
use crate::commands::login::attempt::LoginAttempt;
use crate::commands::login::outcome::{LoginOutcome, Requested};
use crate::error::Error;
use crate::flow::login::login;
use crate::store::Session;
use crate::trace::{Event, Observer};

pub(super) fn run(attempt: LoginAttempt<'_>) -> Result<LoginOutcome, Error> {
    let LoginAttempt {
        context,
        options,
        resolved,
        transport,
        saver,
        observer,
        ..
    } = attempt;
    let requested = Requested::of(&resolved.request);
    let mut save = |session: &Session, observer: &mut dyn Observer| saver.save(context, session, observer);
    let mut log_in = |resolved: ResolvedLogin, observer: &mut dyn Observer| {
        let browser_login = BrowserLogin {
            context,
            options,
            resolved,
            transport,
            observer,
        };
        browser_login.run(&mut save, async |request, context| {
            login(request, context, shutdown_signal()).await
        })
    };
    let again = with_new_client(&resolved);
    let logged_in = match (log_in(resolved, observer), again) {
        (Err(error), Some(again)) if is_unknown_client(&error) => {
            observer.observe(&Event::Note(&format!(
                "{error}: the client that was registered earlier is not known any more; a new one is registered, and the login begins again"
            )));
            log_in(again, observer)
        }
        (outcome, _) => outcome,
    }?;
    Ok(LoginOutcome {
        session: logged_in.session,
        id_token: logged_in.id_token,
        requested,
        token_response: logged_in.token_response,
    })
}

/// The same login with a client that is registered for it, where the client
/// was registered earlier.
fn with_new_client(resolved: &ResolvedLogin) -> Option<ResolvedLogin> {
    let is_registered = resolved.request.client.registration.is_some();
    let may_register = resolved.client_search.registration != RegistrationChoice::Never;
    (is_registered && may_register).then(|| {
        let mut again = resolved.clone();
        let client = &mut again.request.client;
        client.id = None;
        client.registration = None;
        client.credentials.secret = None;
        again
    })
}

/// Whether the server says that it does not know the client (RFC 6749 §5.2).
fn is_unknown_client(error: &Error) -> bool {
    error.oauth_error().is_some_and(|(code, _)| code == "invalid_client")
}
