//! Chooses the client of a login where none was named: the one that was
//! registered earlier at this server, a client-ID metadata document, or one
//! that the login registers.

use crate::app::client_credentials::use_registered_client;
use crate::args::login::RegistrationChoice;
use crate::args::settings::ResolvedLogin;
use crate::error::Error;
use crate::exit::{Diagnosis, ExitCode};
use crate::foreign_text::WordOrQuoted;
use crate::protocol::client::ClientId;
use crate::protocol::client_metadata_url::ClientMetadataUrl;
use crate::protocol::endpoint::Issuer;
use crate::protocol::metadata::ServerMetadata;
use crate::store::Session;
use crate::system;
use crate::trace::{Event, NoteName, Observer};

/// Chooses the client. `earlier` is the session before.
///
/// # Errors
/// [`NoClient`], [`ClientOfAnotherServer`].
pub(super) fn choose_client(
    resolved: &mut ResolvedLogin,
    earlier: Option<&Session>,
    observer: &mut dyn Observer,
) -> Result<(), Error> {
    let issuer = resolved.request.server.issuer.clone();
    let moved_from = earlier
        .filter(|_| resolved.request.server.api.is_some())
        .and_then(|session| session.issuer.clone())
        .filter(|before| Some(before) != issuer.as_ref());
    if let Some(before) = &moved_from {
        let now = issuer.as_ref().map(Issuer::as_str).unwrap_or_default();
        let (api, api_before) = (
            &resolved.request.server.api,
            earlier.and_then(|session| session.api.as_ref()),
        );
        let change = match (api, api_before) {
            (Some(api), Some(api_before)) if api.url() != api_before.url() => format!(
                "profile \"{}\" was for the API {} and its server {before}; it is for {} and {now} now",
                resolved.profile,
                api_before.url(),
                api.url()
            ),
            _ => format!("the API names another authorization server than before: {now} instead of {before}"),
        };
        let note = format!("{change}; nothing of the old one is used there");
        observer.observe(&Event::NamedNote(NoteName::IssuerChanged, &note));
    }
    if let Some(id) = &resolved.request.client.id {
        let is_bound = !resolved.client_search.is_named_now && !ClientMetadataUrl::is_one(id);
        return match moved_from.filter(|_| is_bound) {
            Some(before) => Err(ClientOfAnotherServer {
                client: id.clone(),
                before,
                now: issuer,
                profile: resolved.profile.to_string(),
            }
            .into()),
            None => Ok(()),
        };
    }
    if resolved.client_search.registration == RegistrationChoice::Now {
        return Ok(());
    }
    let at_this_server = earlier.filter(|session| session.issuer == issuer);
    let registered = at_this_server.and_then(|session| Some((session, session.registration.as_ref()?)));
    if let Some((session, registration)) = registered.filter(|(_, own)| own.is_usable(system::now())) {
        use_registered_client(&mut resolved.request.client, session, registration, observer);
        return Ok(());
    }
    // A profile that was made with a registered client gets a new one.
    if registered.is_some() && resolved.client_search.registration != RegistrationChoice::Never {
        return Ok(());
    }
    choose_by_metadata(resolved, observer)
}

fn choose_by_metadata(resolved: &mut ResolvedLogin, observer: &mut dyn Observer) -> Result<(), Error> {
    let Some(metadata) = resolved.request.server.discovered.as_deref() else {
        return Err(resolved.client_search.missing.clone().into());
    };
    let search = &resolved.client_search;
    if let Some(url) = search
        .metadata_url
        .as_ref()
        .filter(|_| metadata.client_id_metadata_document_supported)
    {
        observer.observe(&Event::Note(&format!("the client is the metadata document {url}")));
        resolved.request.client.id = Some(url.client_id().clone());
        return Ok(());
    }
    let may_register = search.registration == RegistrationChoice::WhereNeeded;
    if may_register && metadata.registration_endpoint.is_some() {
        return Ok(());
    }
    Err(NoClient::new(resolved, metadata).into())
}

/// There is no way to a client at this server.
#[derive(Debug, thiserror::Error)]
#[error("{server} requires a client that it knows, and there is none: {reason}")]
struct NoClient {
    server: String,
    reason: &'static str,
    hints: Vec<String>,
}

impl NoClient {
    fn new(resolved: &ResolvedLogin, metadata: &ServerMetadata) -> Self {
        let server = metadata.issuer.as_ref().map(Issuer::to_string).unwrap_or_default();
        let search = &resolved.client_search;
        let mut hints = search.missing.hints();
        if metadata.client_id_metadata_document_supported {
            hints.push(
                "Or host a client-ID metadata document, and set OAUTH_CLIENT_METADATA_URL to its URL. To print one: oauth client-metadata"
                    .to_owned(),
            );
        }
        let registers = metadata.registration_endpoint.is_some();
        if registers {
            hints.push("Or let it register one: leave out --no-register.".to_owned());
        }
        NoClient {
            server,
            reason: match registers {
                true => "none may be registered (--no-register)",
                false => "it registers none by itself (RFC 7591)",
            },
            hints,
        }
    }
}

impl Diagnosis for NoClient {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hints(&self) -> Vec<String> {
        self.hints.clone()
    }
}

/// The user's client is known at the server of the first login alone.
#[derive(Debug, thiserror::Error)]
#[error(
    "the client {} is of {before}, and the API now takes tokens of {}",
    WordOrQuoted(client.as_str()),
    now.as_ref().map(Issuer::as_str).unwrap_or("another server")
)]
struct ClientOfAnotherServer {
    client: ClientId,
    before: Issuer,
    now: Option<Issuer>,
    profile: String,
}

impl Diagnosis for ClientOfAnotherServer {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hints(&self) -> Vec<String> {
        let profile = &self.profile;
        vec![
            format!("Name the client that the new server knows: oauth login {profile} --client-id ID"),
            format!("Or let it register one: oauth login {profile} --register"),
        ]
    }
}
