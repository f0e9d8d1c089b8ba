//! The client that the profile's record keeps: one that a login registered, and
//! the secret or the key of one that was named. A check uses it as a login does,
//! at the server that it belongs to and nowhere else.

use crate::app::client_credentials::{client_credentials, use_registered_client};
use crate::app::context::Context;
use crate::app::passphrase::ask_passphrase;
use crate::args::config::Config;
use crate::args::login::RegistrationChoice;
use crate::args::settings::ResolvedLogin;
use crate::check::ClientHome;
use crate::error::Error;
use crate::protocol::client::ClientCredentials;
use crate::store::Session;
use crate::system;
use crate::trace::Observer;

/// Completes what was typed and saved by what the record keeps, and gives the
/// server that the client is bound to, where the URL is an API's.
///
/// # Errors
/// Those of the store where only it may know a client.
pub(super) fn use_kept_client(
    context: &Context,
    config: &Config,
    resolved: &mut ResolvedLogin,
    given: ClientCredentials,
    observer: &mut dyn Observer,
) -> Result<Option<ClientHome>, Error> {
    let is_named = resolved.request.client.id.is_some();
    let kept = match load(context, config, resolved, is_named) {
        Ok(kept) => kept,
        // A client that is named may need nothing that is kept.
        Err(_) if is_named => None,
        Err(error) => return Err(error),
    };
    let api = resolved.target.clone().filter(|target| target.is_api);
    let kept = kept.filter(|session| match &api {
        Some(api) => session.api.as_ref() == Some(&api.url),
        None => session.issuer == resolved.request.server.issuer,
    });
    if let Some(session) = kept.as_ref().filter(|_| !is_named)
        && resolved.client_search.registration != RegistrationChoice::Now
    {
        use_client(resolved, session, observer);
    }
    let Some(api) = api else {
        resolved.request.client.credentials = client_credentials(given, resolved, kept.as_ref());
        return Ok(None);
    };
    let bound_to = kept.as_ref().and_then(|session| session.issuer.clone());
    // What is kept is of that server; the examination finds it by the URL of the API.
    resolved.request.server.issuer.clone_from(&bound_to);
    resolved.request.client.credentials = client_credentials(given, resolved, kept.as_ref());
    resolved.request.server.issuer = api.issuer.or(bound_to.clone());
    let is_kept = !resolved.client_search.is_named_now;
    Ok(bound_to.filter(|_| is_kept).map(|issuer| ClientHome {
        issuer,
        profile: resolved.profile.clone(),
    }))
}

/// The record of the profile, where it is saved. Only where no client is named
/// a person is asked for the passphrase of the store.
fn load(
    context: &Context,
    config: &Config,
    resolved: &ResolvedLogin,
    is_named: bool,
) -> Result<Option<Session>, Error> {
    let name = &resolved.profile;
    let Some(profile) = config.profile(name) else {
        return Ok(None);
    };
    let kind = context.store_kind(Some(profile))?;
    let prompt = match is_named {
        true => None,
        false => ask_passphrase(context),
    };
    let mut store = context.open_store_interactive(&kind, context.interaction(), prompt)?;
    let loaded = store.load(name);
    loaded.map_err(|error| context.explain_store_error(error, Some(profile)))
}

/// The client of the session, unless it can no longer prove itself.
fn use_client(resolved: &mut ResolvedLogin, session: &Session, observer: &mut dyn Observer) {
    let client = &mut resolved.request.client;
    match &session.registration {
        Some(registration) if registration.is_usable(system::now()) => {
            use_registered_client(client, session, registration, observer);
            let port = registration.redirect_uri.as_ref().and_then(|uri| uri.port());
            if let Some(at_port) = port.and_then(|port| resolved.request.callback.at_port(port)) {
                resolved.request.callback = at_port;
            }
        }
        Some(_) => {}
        None => {
            client.id = Some(session.client.id.clone());
            client.method = client.method.or(Some(session.client.method));
        }
    }
}
