//! `oauth revoke`: tells the server to forget one token. The session stays,
//! but a token of its own that is revoked is never handed out again.

use crate::app::context::{Context, caller};
use crate::app::lock::{LOCK_WAIT, lock};
use crate::app::login_required::LoginRequired;
use crate::app::signals::{finish_then_interrupt, interruptible};
use crate::app::token_input::{
    StoredSession, load_session, profile_choice, read_token_argument, server_of_profile, session_if_signed_in,
};
use crate::app::token_source::fresh_credentials;
use crate::args::cli::TokenInput;
use crate::args::settings;
use crate::error::Error;
use crate::flow::caller::Caller;
use crate::flow::revoke::revoke_token;
use crate::flow::token_services::KnownServer;
use crate::secret::Secret;
use crate::store::{FreshCredentials, ProfileName, Session};
use crate::system;
use crate::trace::{Event, Observer};

pub(super) fn run(context: &Context, input: &TokenInput) -> Result<(), Error> {
    let given = read_token_argument(context, input)?;
    let config = context.config()?;
    let name = settings::choose_profile(&profile_choice(input), &context.environment, &config)?.name;
    let transport = context.transport(config.profile(&name), true)?;
    let mut observer = context.observer();
    let runtime = context.runtime()?;
    let session = match given {
        Some(_) => session_if_signed_in(context, input)?,
        None => Some(load_session(context, input)?.session),
    };
    let is_own = |token: &Secret| {
        session
            .as_ref()
            .is_some_and(|session| kind_of(session, token).is_some())
    };
    if let Some(token) = given.as_ref().filter(|token| !is_own(token)) {
        let server = match &session {
            Some(session) => KnownServer::from(session),
            None => server_of_profile(context, &config, &name, &transport, &mut observer)?,
        };
        let credentials = fresh_credentials(context, &name, config.profile(&name), &server.client)?;
        let mut caller = caller(&transport, &mut observer);
        let revoking = revoke_token(&server, &credentials, token, None, &mut caller);
        runtime.block_on(interruptible(revoking))??;
        observer.observe(&Event::Success(
            "revoked; a server says so of a token that it does not know as well (RFC 7009 §2.2)",
        ));
        return Ok(());
    }
    let credentials = match &session {
        Some(session) => fresh_credentials(context, &name, config.profile(&name), &session.client)?,
        None => FreshCredentials::default(),
    };
    // Read again under the lock: another process may have refreshed in the meantime.
    let _lock = lock(
        &context.folders()?.locks(),
        &name,
        context.at_most(LOCK_WAIT),
        &mut observer,
    )?;
    let mut stored = load_session(context, input)?;
    let token = match given {
        Some(token) => token,
        None => own_access_token(&stored.session, &name)?,
    };
    let kind = kind_of(&stored.session, &token);
    let mut caller = caller(&transport, &mut observer);
    // A signal waits until what the server has forgotten is not handed out here any more.
    let revoking = revoke_own_token(&mut stored, &name, (&token, kind), &credentials, &mut caller);
    runtime.block_on(finish_then_interrupt(revoking))??;
    tell_revoked(&stored.session, &name, kind, &mut observer);
    Ok(())
}

/// Revokes a token of the session, and keeps that it is of no use any more.
async fn revoke_own_token(
    stored: &mut StoredSession,
    name: &ProfileName,
    (token, kind): (&Secret, Option<&'static str>),
    credentials: &FreshCredentials,
    caller: &mut Caller<'_>,
) -> Result<(), Error> {
    let server = KnownServer::from(&stored.session);
    revoke_token(&server, credentials, token, kind, caller).await?;
    let now = system::now();
    // A server may end the access tokens with their refresh token (RFC 7009 §2.1).
    let whole = kind == Some("refresh_token");
    for own in &mut stored.session.tokens {
        if whole || own.access_token.expose() == token.expose() {
            own.expires_at = Some(now);
        }
    }
    stored.session.generation = stored.session.generation.saturating_add(1);
    stored.store.save(name, &stored.session)?;
    Ok(())
}

fn tell_revoked(session: &Session, name: &ProfileName, kind: Option<&str>, observer: &mut dyn Observer) {
    let next = if kind == Some("access_token") && session.can_renew() {
        format!("oauth token {name} gets another access token, unless the server has ended the whole session")
    } else {
        format!("log in again with: oauth login {name}")
    };
    let what = kind.unwrap_or("token").replace('_', " ");
    observer.observe(&Event::Success(&format!(
        "the {what} of profile \"{name}\" is revoked; {next}"
    )));
}

fn own_access_token(session: &Session, name: &ProfileName) -> Result<Secret, Error> {
    let token = session.tokens.first().map(|token| token.access_token.clone());
    token.ok_or_else(|| LoginRequired::Expired { profile: name.clone() }.into())
}

/// Which of the session's tokens this is, as `token_type_hint` names it (RFC 7009 §2.1).
fn kind_of(session: &Session, token: &Secret) -> Option<&'static str> {
    let is_it = |other: &Secret| other.expose() == token.expose();
    if session.tokens.iter().any(|stored| is_it(&stored.access_token)) {
        Some("access_token")
    } else {
        session
            .refresh_token
            .as_ref()
            .filter(|own| is_it(own))
            .map(|_| "refresh_token")
    }
}
