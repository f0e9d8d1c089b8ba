//! Finds the authorization server of a login whose URL may be an API's.

use crate::app::context::{Context, caller};
use crate::app::input::choose_one;
use crate::app::signals::interruptible;
use crate::args::login_grant::LoginGrant;
use crate::args::settings::{ResolvedLogin, UrlTarget};
use crate::error::Error;
use crate::flow::resource_discovery::Probing;
use crate::flow::resource_discovery::server::{DiscoveredApi, LookedAt, UrlMeaning};
use crate::protocol::endpoint::Issuer;
use crate::protocol::metadata::ServerMetadata;
use crate::store::Session;
use crate::trace::{Event, NoteName, Observer, Step};
use crate::transport::Transport;

/// Looks at the URL of a login, and sets what follows from it: the server, and
/// for an API what to ask for. Does nothing where the server is known.
///
/// # Errors
/// [`ResourceError`](crate::flow::resource_discovery::ResourceError).
pub(super) fn find_server(
    context: &Context,
    resolved: &mut ResolvedLogin,
    earlier: Option<&Session>,
    transport: &Transport,
    observer: &mut dyn Observer,
) -> Result<(), Error> {
    let Some(target) = resolved.target.clone() else {
        return Ok(());
    };
    if resolved.grant == LoginGrant::AuthorizationCode {
        observer.observe(&Event::StepBegins(Step::Prepare));
    }
    let runtime = context.runtime()?;
    let http = resolved.request.server.allowance;
    let looked_at = LookedAt {
        url: &target.url,
        issuer: target.issuer.as_ref().filter(|_| !target.is_api),
        http,
        probing: if target.may_probe {
            Probing::GetAndPost
        } else {
            Probing::Nothing
        },
    };
    let mut caller = caller(transport, observer);
    let meaning = runtime.block_on(interruptible(looked_at.find_meaning(&mut caller)))??;
    match meaning {
        UrlMeaning::Server(metadata) => use_server(resolved, &target, *metadata),
        UrlMeaning::Api(api) => {
            let before = earlier.and_then(|session| session.issuer.as_ref());
            let issuer = choose_server(context, &api, before, caller.observer)?;
            let discovering = api.discover_server(&issuer, http, &mut caller);
            let metadata = runtime.block_on(interruptible(discovering))??;
            use_api(resolved, &target, &api, metadata);
        }
    }
    Ok(())
}

/// The only server, else the one of the session before, else the one that the
/// person chooses, else the first.
fn choose_server(
    context: &Context,
    api: &DiscoveredApi,
    before: Option<&Issuer>,
    observer: &mut dyn Observer,
) -> Result<Issuer, Error> {
    let servers = &api.authorization_servers;
    if let Some(before) = before.filter(|before| servers.contains(before)) {
        return Ok(before.clone());
    }
    let names: Vec<&str> = servers.iter().map(Issuer::as_str).collect();
    let chosen = match names.len() {
        0 | 1 => 0,
        _ => match choose_one(
            context,
            &format!("{} takes tokens of several servers:", api.resource),
            &names,
        )? {
            Some(chosen) => chosen,
            None => {
                observer.observe(&Event::NamedNote(
                    NoteName::IssuerChosen,
                    &format!(
                        "{} takes tokens of {} servers; the first is used: {}",
                        api.resource,
                        names.len(),
                        names.first().copied().unwrap_or_default()
                    ),
                ));
                0
            }
        },
    };
    let issuer = servers.get(chosen).or(servers.first()).cloned();
    issuer.ok_or_else(|| crate::error::ProcessError::Input(std::io::ErrorKind::NotFound.into()).into())
}

fn use_server(resolved: &mut ResolvedLogin, target: &UrlTarget, metadata: ServerMetadata) {
    if target.is_given {
        resolved.save_first("issuer", &target.text);
        resolved.dropped.push("api");
    }
    let server = &mut resolved.request.server;
    server.issuer.clone_from(&target.issuer);
    server.discovered = Some(Box::new(metadata));
}

fn use_api(resolved: &mut ResolvedLogin, target: &UrlTarget, api: &DiscoveredApi, metadata: ServerMetadata) {
    if target.is_given {
        resolved.save_first("api", &target.text);
        resolved.dropped.push("issuer");
    }
    let needs_person = resolved.grant.needs_person();
    let authorization = &mut resolved.request.authorization;
    if authorization.scope.is_empty() {
        authorization.scope = match needs_person {
            true => api.scope_at(&metadata),
            // such a grant is repeated, and needs no refresh token
            false => api.scope.clone().unwrap_or_default(),
        };
    }
    if authorization.resource.is_empty() {
        authorization.resource = vec![api.resource.clone()];
    }
    resolved.request.dpop |= api.dpop_required;
    let server = &mut resolved.request.server;
    server.issuer.clone_from(&metadata.issuer);
    server.api = Some(target.url.clone());
    server.discovered = Some(Box::new(metadata));
}
