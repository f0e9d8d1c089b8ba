//! `oauth credential docker`: a credential helper of docker and podman
//! (<https://github.com/docker/docker-credential-helpers#development>). Such a
//! helper prints its errors to stdout, where its callers look for them.

use super::error::HelperError;
use super::input::read_request;
use super::lookup::Lookup;
use crate::app::context::Context;
use crate::args::cli::HelperOptions;
use crate::args::settings;
use crate::error::Error;
use crate::foreign_text::sanitize;
use crate::output::report;
use crate::protocol::endpoint::{Endpoint, HttpPolicy};
use crate::protocol::json::parse_object;
use crate::secret::Secret;
use crate::trace::{Event, Observer};
use serde_json::{Map, Value, json};
use url::Url;
use zeroize::Zeroizing;

/// What callers take for "ask someone else" (`credentials.IsErrCredentialsNotFound`).
const NOT_FOUND: &str = "credentials not found in native keychain";

pub(super) fn run(context: &Context, options: &HelperOptions) -> Result<(), Error> {
    let outcome = act(context, options);
    if let Err(error) = &outcome {
        report::print(format!("{}\n", sanitize(&error.to_string())).as_bytes())?;
    }
    outcome
}

fn act(context: &Context, options: &HelperOptions) -> Result<(), Error> {
    let lookup = |options| Lookup::new(context, options, "oauth credential docker");
    match options.action.as_str() {
        "get" => get(&lookup(options)?, read_request()?.trim()),
        "list" => list(&lookup(options)?),
        "store" => store(&lookup(options)?, &read_request()?),
        "erase" => erase(context, &lookup(options)?, read_request()?.trim()),
        "version" => report::print(concat!("oauth ", env!("CARGO_PKG_VERSION"), "\n").as_bytes()),
        action => Err(HelperError::UnknownAction {
            action: action.to_owned(),
        }
        .into()),
    }
}

fn get(lookup: &Lookup<'_>, server: &str) -> Result<(), Error> {
    let found = match server_url(server) {
        Some(url) => lookup.token(&url, None)?,
        None => None,
    };
    let found = found.ok_or_else(not_found)?;
    let answer = Zeroizing::new(
        json!({ "ServerURL": server, "Username": found.username, "Secret": found.token.expose() }).to_string(),
    );
    report::print(format!("{}\n", *answer).as_bytes())
}

/// The servers that are named one by one, each with its user name.
fn list(lookup: &Lookup<'_>) -> Result<(), Error> {
    let mut servers = Map::new();
    for (name, profile) in lookup.config.profiles() {
        let username = lookup.username(name, None)?;
        let reach = settings::token_reach(Some(profile), &[])?;
        for host in reach.allowed_hosts.iter().filter_map(|host| host.exact()) {
            servers.insert(host, json!(username));
        }
    }
    report::print(format!("{}\n", Value::Object(servers)).as_bytes())
}

/// `docker login` stores what it was given. Of ours there is nothing to store.
fn store(lookup: &Lookup<'_>, request: &str) -> Result<(), Error> {
    let request = parse_object(request.as_bytes()).unwrap_or_default();
    let text = |member: &str| request.get(member).and_then(Value::as_str).unwrap_or_default();
    let is_ours = match server_url(text("ServerURL")) {
        Some(url) => {
            let found = lookup.token(&url, None)?;
            let given = Secret::from(text("Secret"));
            found.is_some_and(|found| found.token.expose() == given.expose())
        }
        None => false,
    };
    match is_ours {
        true => Ok(()),
        false => Err(refused(
            "oauth gives tokens of its own logins, and keeps no credentials of others",
        )),
    }
}

/// `docker logout` erases. The session is for other programs too, so it stays.
fn erase(context: &Context, lookup: &Lookup<'_>, server: &str) -> Result<(), Error> {
    let chosen = match server_url(server) {
        Some(url) => lookup.profile(&url, None)?,
        None => None,
    };
    let chosen = chosen.ok_or_else(|| refused("oauth has no credentials for this server"))?;
    context.observer().observe(&Event::Note(&format!(
        "the session of profile \"{}\" stays; to end it: oauth logout {}",
        chosen.name, chosen.name
    )));
    Ok(())
}

/// Registries are named with and without a scheme.
fn server_url(server: &str) -> Option<Url> {
    let text = match server.contains("://") {
        true => server.to_owned(),
        false => format!("https://{server}"),
    };
    let endpoint = Endpoint::parse(&text, HttpPolicy::LoopbackOnly).ok()?;
    Some(endpoint.url().clone())
}

fn not_found() -> Error {
    HelperError::NotFound(NOT_FOUND).into()
}

fn refused(message: &'static str) -> Error {
    HelperError::Refused(message).into()
}
