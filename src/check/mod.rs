//! `oauth check`: the examination of an authorization server, rule by rule.
//!
//! [`examine`] is the order. A group of rules is a file in `rules/`; a rule is a
//! line or a few in it. What a group works with lies below it: `logins` obtain
//! codes and sessions, `authorize_requests` and `token_requests` write raw
//! requests, the `prober` sends them, the `results` keep what was found. Raw
//! [`Params`](crate::protocol::params::Params) are sent, so that the typed
//! messages of `protocol` stay as strict as they are.
//!
//! Only what a real server can stand: one request at a time but for two rules
//! about races, no guessing, and every token that came is revoked at the end.

mod api;
mod authorization_probe;
mod authorize_requests;
mod baseline_login;
mod browser;
mod browser_login;
mod carriage;
mod carrier;
mod consent;
mod context;
mod document_host;
mod dpop_proof;
mod entropy;
mod error;
mod error_page;
mod exchange;
mod form_action;
mod interactivity;
mod login_plan;
mod logins;
mod member_type;
mod observations;
mod own_client;
mod prober;
mod redemption;
mod redirect_response;
mod registration_requests;
mod registrations;
pub mod render;
pub mod report;
mod request;
mod results;
mod rules;
mod secrets;
mod services;
mod token_requests;
mod variant_login;

pub use error::CheckError;
pub use report::Report;
pub use request::{CheckRequest, ClientHome, Selection, Shutdown};

use crate::exit::{Diagnosis, ExitCode};
use crate::flow::login::callback::random_unused_port;
use crate::flow::login::{CallbackChoice, LoginContext};
use crate::protocol::random::Randomness;
use crate::protocol::redirect_uri::RedirectUri;
use crate::rules::Rule;
use crate::trace::Event;
use api::{Api, NEEDS_API};
use context::Check;
use logins::Logins;
use own_client::REGISTERS;
use prober::Prober;
use registrations::{NEEDS_REGISTER, Registrations};
use report::{Stop, inconclusive};
use results::Results;
use rules::metadata::Documents;
use rules::{authorization_details, pushed_authorization, request_object, signed_response};
use rules::{
    authorize, challenge, client_assertion, client_id_document, code, device, dpop, id_token, introspection,
    jwt_bearer, keys, metadata, mtls, pages, pkce,
};
use rules::{
    redirect_uri, refresh, registration, resource, revocation, token, token_exchange, token_refusals, userinfo,
};
use std::rc::Rc;
use tokio::runtime::Runtime;

/// Why a check ends where the server asks, and no one can answer.
const NOBODY: &str =
    "the server does not grant without asking, and CI is set and there is no terminal, so no user can sign in";

/// What rules lack that are tested where an API is examined or clients are registered.
const NEEDS_API_OR_REGISTER: &str = "this needs the URL of an API, or --register";

/// Examines the server.
///
/// # Errors
/// [`CheckError::Discovery`] where there is no server to examine, and
/// [`CheckError::Interrupted`]. Broken rules are not error: they are in the [`Report`].
pub fn run(
    request: &CheckRequest,
    world: &mut LoginContext<'_>,
    runtime: &Runtime,
    shutdown: Shutdown<'_>,
) -> Result<Report, CheckError> {
    let redirect_uri = probe_redirect_uri(&request.login.callback, world.caller.randomness);
    let (of_api, of_own_client);
    let mut check = Check {
        prober: Prober::new(request, world, runtime, shutdown, redirect_uri.clone()),
        logins: Logins::default(),
        api: None,
        registrations: Registrations::default(),
    };
    let mut documents = metadata::fetch(&mut check);
    // What is not an authorization server may be an API that names one.
    if documents.as_ref().is_err_and(CheckError::is_absence)
        && let Some(api) = Api::find(&mut check.prober)
    {
        of_api = api.request(request)?;
        let Prober { world, shutdown, .. } = check.prober;
        if let Some(issuer) = &of_api.login.server.issuer {
            world.caller.transport.note_named(issuer.url(), &api.url);
        }
        check = Check {
            prober: Prober::new(&of_api, world, runtime, shutdown, redirect_uri),
            logins: Logins::default(),
            api: Some(Rc::new(api)),
            registrations: Registrations::default(),
        };
        announce_api(&mut check);
        documents = metadata::fetch(&mut check);
    }
    let documents = documents?;
    needs_home_of_client(&check)?;
    if let Some(api) = &check.api {
        for endpoint in check.prober.target.metadata.endpoints() {
            check.prober.world.caller.transport.note_named(endpoint.url(), &api.url);
        }
    }
    if check.prober.request.login.client.id.is_none() {
        match check.with_own_client() {
            Ok(request) => of_own_client = request,
            Err(error) => return examine_without_client(check, &documents, error),
        }
        check.use_client_of(&of_own_client);
    }
    examine(&mut check, &documents);
    report(check)
}

/// The report of an examination that failed before any rule was tested, so that
/// no earlier one is taken for it. `server` is what was to be examined.
pub fn failed(rules: Selection, server: &str, reason: String, exit_code: ExitCode) -> Report {
    Results::of_nothing(rules, server, Stop { reason, exit_code })
}

/// A URL that was an API's may be a server's now, which does not know the client.
fn needs_home_of_client(check: &Check<'_, '_>) -> Result<(), CheckError> {
    let request = check.prober.request;
    match (&request.client_home, &request.login.server.issuer) {
        (Some(home), Some(examined)) if home.issuer != *examined => {
            Err(CheckError::server_changed(examined.url(), home))
        }
        _ => Ok(()),
    }
}

/// The rules that need no client. The server may break one that is the reason
/// why there is none; else that there is none is all that is to be said.
fn examine_without_client(
    mut check: Check<'_, '_>,
    documents: &Documents,
    error: CheckError,
) -> Result<Report, CheckError> {
    examine_documents(&mut check, documents);
    registration::run(&mut check);
    check.delete_registrations();
    check.prober.stop(error.exit_code(), error.to_string());
    let report = report(check)?;
    match report.broken().is_empty() {
        true => Err(error),
        false => Ok(report),
    }
}

/// What the server and the API say of themselves.
fn examine_documents(check: &mut Check<'_, '_>, documents: &Documents) {
    skip_what_needs_more(check);
    metadata::run(check, documents);
    resource::run_metadata(check);
    challenge::run(check);
    keys::run(check);
}

/// The groups of rules, in their order.
fn examine(check: &mut Check<'_, '_>, documents: &Documents) {
    examine_documents(check, documents);
    client_assertion::skip_for_other_clients(check);
    mtls::skip_for_other_clients(check);

    announce(check);
    redirect_uri::run_loopback_port(check);
    announce_rejection(check);
    authorize::run_refusals(check);
    let variants = redirect_uri::run(check);
    pages::run(check);

    authorize::run_responses(check);
    token::run_responses(check);
    id_token::run(check);
    userinfo::run(check);
    introspection::run(check);
    resource::run_tokens(check);
    registration::run(check);
    client_id_document::run(check);
    device::run(check);
    token_exchange::run(check);
    jwt_bearer::run(check);
    dpop::run(check);
    pushed_authorization::run(check);
    request_object::run(check);
    signed_response::run(check);
    authorization_details::run(check);
    mtls::run_tokens(check);
    redirect_uri::run_in_browser(check, variants);

    pkce::run(check);
    token_refusals::run(check);
    client_assertion::run(check);
    mtls::run(check);
    code::run(check);
    refresh::run(check);
    revocation::run(check);

    // What is about everything that came is judged at the end.
    check.logins.run_pending(&mut check.prober);
    authorize::run_errors(check);
    authorize::run_entropy(check);
    token::run_entropy(check);
    token_refusals::run_errors(check);
    revocation::revoke_left(check);
    check.delete_registrations();
}

fn report(check: Check<'_, '_>) -> Result<Report, CheckError> {
    let Check { prober, logins, .. } = check;
    if let Some(code) = prober.interrupted {
        if !prober.observations.left.is_empty() {
            let warning = "the tokens issued so far are not revoked; they expire";
            prober.world.caller.observe(&Event::Warning(warning));
        }
        return Err(CheckError::Interrupted(code));
    }
    let metadata = &prober.target.metadata;
    let issuer = metadata.issuer.as_ref().map(ToString::to_string);
    let token_endpoint = metadata.token_endpoint.as_ref().map(ToString::to_string);
    let server = issuer.or(token_endpoint).unwrap_or_default();
    Ok(prober.results.into_report(&server, logins.without_login()))
}

/// Skips the rules about APIs where there is none, and those that register
/// clients where that is not wanted. Rules that only may need either are tested
/// where they are named one by one.
fn skip_what_needs_more(check: &mut Check<'_, '_>) {
    let (has_api, registers) = (check.api.is_some(), check.prober.request.registers);
    let is_named = !check.prober.request.rules.only.is_empty();
    for rule in Rule::ALL {
        let needs = match rule.group() {
            "resource" | "challenge" if !has_api => NEEDS_API,
            "registration" if !registers => NEEDS_REGISTER,
            "client-id-document" if !has_api && !registers && !is_named => NEEDS_API_OR_REGISTER,
            _ => continue,
        };
        check.prober.record(*rule, inconclusive(needs), None);
    }
}

/// Says which server is examined with the API.
fn announce_api(check: &mut Check<'_, '_>) {
    let Some(issuer) = &check.prober.request.login.server.issuer else {
        return;
    };
    let note = format!("the URL is an API's, whose tokens come from {issuer}: both are checked");
    check.prober.world.caller.observe(&Event::Note(&note));
}

/// Looks how the server meets a request, and says what will happen.
fn announce(check: &mut Check<'_, '_>) {
    if check.prober.is_stopped() {
        return;
    }
    check.logins.detect_interactivity(&mut check.prober);
    if check.prober.is_stopped() {
        return;
    }
    if check.prober.request.has_nobody && !check.logins.auto_approves() {
        return check.prober.stop(ExitCode::Usage, NOBODY);
    }
    let observer = &mut *check.prober.world.caller.observer;
    if check.logins.auto_approves() {
        observer.observe(&Event::Note(
            "the server grants access without asking, so no browser is needed",
        ));
    }
    let is_said = !check.registrations.left.is_empty();
    if check.prober.request.registers && check.prober.target.registration_endpoint.is_some() && !is_said {
        observer.observe(&Event::Note(REGISTERS));
    }
    let at_the_end = match check.prober.target.metadata.revocation_endpoint {
        Some(_) => "its tokens are revoked at the end",
        None => "its tokens cannot be revoked: the server announces no revocation endpoint",
    };
    observer.observe(&Event::Note(&format!(
        "this check revokes its own sessions; some servers then end all sessions of this \
         user and client, so use a test account; {at_the_end}"
    )));
}

/// Says that the browser may end on an error page, from which nothing comes back.
fn announce_rejection(check: &mut Check<'_, '_>) {
    if check.prober.is_stopped() {
        return;
    }
    if let Some(page) = check.logins.rejection() {
        let note = format!(
            "without a browser the server answers a good authorization request with {page}; \
             if the browser shows an error too, end this check with Ctrl-C"
        );
        check.prober.world.caller.observe(&Event::Note(&note));
    }
}

/// The redirect URI for requests that no browser answers: with a port on
/// which no program is likely to listen, where any port will do.
fn probe_redirect_uri(callback: &CallbackChoice, randomness: &mut dyn Randomness) -> RedirectUri {
    let (redirect_uri, port) = match callback {
        CallbackChoice::Paste(redirect_uri) => (redirect_uri, None),
        CallbackChoice::Listen(redirect_uri, settings) => {
            (redirect_uri, settings.ports.iter().copied().find(|port| *port != 0))
        }
    };
    match (redirect_uri.port(), port) {
        (Some(0), Some(port)) => redirect_uri.with_port(port),
        (Some(0), None) => redirect_uri.with_port(random_unused_port(randomness).unwrap_or(49_152)),
        _ => redirect_uri.clone(),
    }
}
