//! `oauth mcp`: a server of the Model Context Protocol on standard input and
//! output that passes every message to the one at a URL, with the session's
//! token. Nothing but protocol goes to standard output.
//!
//! Two threads: this one has the session and answers for tokens ([`desk`]),
//! another one has the messages ([`bridge`]). So a login that waits for a
//! person holds up nothing but the messages that wait for it.

mod bridge;
mod desk;
mod exchange;
mod failure;
mod legacy_exchange;
mod legacy_session;
mod observer;
mod pipes;
mod token_cell;
mod tool_headers;
mod tool_lists;

use crate::app::context::{Context, runtime};
use crate::app::deadline;
use crate::args::cli::McpOptions;
use crate::args::settings::{self, SettingsError};
use crate::error::{Error, ProcessError};
use crate::protocol::http::{HeaderName, HeaderValue};
use crate::transport::UrlSource;
use bridge::{Bridge, BridgeSettings};
use desk::{Desk, DeskMessage};
use observer::BridgeObserver;
use std::sync::mpsc;
use std::time::Duration;

/// How long a server may work on one message before it answers: clients give
/// up sooner, and say so.
const MIN_PATIENCE: Duration = Duration::from_secs(600);

/// Headers that the protocol sets.
const OWN_HEADERS: [&str; 7] = [
    "accept",
    "content-type",
    "last-event-id",
    "mcp-method",
    "mcp-name",
    "mcp-protocol-version",
    "mcp-session-id",
];

pub(super) fn run(context: &Context, options: &McpOptions) -> Result<(), Error> {
    let url = settings::api_url(&options.url)?;
    context.transport(None, false)?.vet(&url, UrlSource::User)?;
    let allowed = settings::allowed_hosts("--allow-host", &options.token.allow_host)?;
    let headers = headers(&options.token.header)?;
    let transport = context.transport_within(MIN_PATIENCE)?;
    let (sender, messages) = mpsc::channel();
    let observer = BridgeObserver::new(sender.clone(), context.shows_exchanges());
    let bridge = BridgeSettings {
        url: url.clone(),
        headers,
        transport,
        desk: sender.clone(),
        observer,
        deadline: context.deadline,
    };
    std::thread::Builder::new()
        .name("bridge".to_owned())
        .spawn(move || {
            let outcome = runtime().and_then(|runtime| Bridge::run(bridge, &runtime));
            let code = outcome.as_ref().err().map_or(0, |error| error.exit_code().code());
            // The desk is there for as long as this thread.
            let _ = sender.send(DeskMessage::Ended(outcome));
            // It may wait for another process or for a person, and then refresh for a
            // client that has gone and is about to kill this process.
            deadline::exit_when_free(code);
        })
        .map_err(ProcessError::Thread)?;
    Desk::new(context, options, &url, &allowed).serve(&messages)
}

fn headers(given: &[String]) -> Result<Vec<(HeaderName, HeaderValue)>, SettingsError> {
    let headers = settings::headers(given)?;
    let is_own = |name: &str| OWN_HEADERS.contains(&name) || name.starts_with("mcp-param-");
    match headers.iter().find(|(name, _)| is_own(name.as_str())) {
        None => Ok(headers),
        Some((name, _)) => Err(SettingsError::Value {
            name: "-H".to_owned(),
            problem: format!("the header {name} is set by the protocol"),
            hint: None,
        }),
    }
}
