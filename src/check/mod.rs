//! `oauth check`: the examination of an authorization server, rule by rule.
//!
//! [`examine`] is the order. A group of rules is a file; a rule is a line or a
//! few in it. The examination signs in as a client does, through the browser,
//! and sends what a client must not: the typed messages of `protocol` stay as
//! strict as they are, since here raw [`Params`](crate::protocol::params::Params) go out.
//!
//! Only what a real server can stand: one request at a time but for two rules
//! about races, no guessing, and every token that came is revoked at the end.

mod ask;
mod authorize;
mod code;
mod entropy;
mod error;
mod examination;
mod id_token;
mod introspection;
mod keys;
mod metadata;
mod pages;
mod pkce;
mod probe;
mod redirect_uri;
mod refresh;
pub mod render;
mod revocation;
mod secrets;
mod sign_in;
mod token;
mod token_request;
mod userinfo;
mod verdict;

pub use error::CheckError;
pub use verdict::{Evidence, Judged, Report, Verdict};

use crate::exit::ExitCode;
use crate::flow::login::callback::random_unused_port;
use crate::flow::login::{CallbackChoice, LoginContext, LoginRequest};
use crate::protocol::random::Randomness;
use crate::protocol::redirect_uri::RedirectUri;
use crate::rules::Rule;
use crate::trace::Event;
use examination::Examination;
use std::pin::Pin;
use tokio::runtime::Runtime;

/// Comes true when a signal asks the process to end.
pub type Interruption<'e> = Pin<Box<dyn Future<Output = ExitCode> + 'e>>;

/// What to examine, and by which rules.
#[derive(Debug)]
pub struct CheckRequest {
    /// The server and the client, as a login would take them.
    pub login: LoginRequest,
    /// Which rules.
    pub rules: Selection,
}

/// Which rules are tested.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Only these; all where it is empty.
    pub only: Vec<Rule>,
    /// And none of these.
    pub skip: Vec<Rule>,
}

impl Selection {
    fn has(&self, rule: Rule) -> bool {
        (self.only.is_empty() || self.only.contains(&rule)) && !self.skip.contains(&rule)
    }

    fn has_any(&self, rules: &[Rule]) -> bool {
        rules.iter().any(|rule| self.has(*rule))
    }
}

/// Examines the server.
///
/// # Errors
/// [`CheckError::Discovery`] where there is no server to examine, and
/// [`CheckError::Interrupted`]. Broken rules are no error: they stand in the [`Report`].
pub fn examine(
    request: &CheckRequest,
    world: &mut LoginContext<'_>,
    runtime: &Runtime,
    interruption: Interruption<'_>,
) -> Result<Report, CheckError> {
    let redirect_uri = redirect_uri(&request.login.callback, world.caller.randomness);
    let mut examination = Examination::new(request, world, runtime, interruption, redirect_uri);
    let documents = metadata::fetch(&mut examination)?;
    metadata::judge(&mut examination, &documents);
    keys::judge(&mut examination);

    sign_in::announce(&mut examination);
    redirect_uri::judge_loopback_port(&mut examination);
    authorize::judge_refusals(&mut examination);
    redirect_uri::judge(&mut examination);
    pages::judge(&mut examination);

    authorize::judge_responses(&mut examination);
    token::judge_responses(&mut examination);
    id_token::judge(&mut examination);
    userinfo::judge(&mut examination);
    introspection::judge(&mut examination);

    pkce::judge(&mut examination);
    token::judge_refusals(&mut examination);
    code::judge(&mut examination);
    refresh::judge(&mut examination);
    revocation::judge(&mut examination);
    examination.try_what_is_left();
    authorize::judge_errors(&mut examination);
    authorize::judge_entropy(&mut examination);
    token::judge_errors(&mut examination);
    revocation::revoke_what_is_left(&mut examination);

    if let Some(code) = examination.interrupted {
        if examination.has_tokens_left() {
            let warning = "the tokens that came until now are not revoked; they end by themselves";
            examination.world.caller.observer.observe(&Event::Warning(warning));
        }
        return Err(CheckError::Interrupted(code));
    }
    let issuer = examination.metadata.issuer.as_ref().map(ToString::to_string);
    let token_endpoint = examination.metadata.token_endpoint.as_ref().map(ToString::to_string);
    Ok(examination.report(issuer.or(token_endpoint).unwrap_or_default()))
}

/// The redirect URI for requests that no browser answers: with a port on
/// which nobody is likely to listen, where any port will do.
fn redirect_uri(callback: &CallbackChoice, randomness: &mut dyn Randomness) -> RedirectUri {
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
