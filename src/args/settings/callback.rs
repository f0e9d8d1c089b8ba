//! How the authorization response comes back.

use super::error::{SettingsError, invalid, invalid_with_hint};
use crate::args::cli::LoginOptions;
use crate::args::config::Profile;
use crate::flow::login::CallbackChoice;
use crate::protocol::authorization::ResponseMode;
use crate::protocol::redirect_uri::RedirectUri;
use crate::user_agent::callback::{ListenSettings, ListenerLimits};
use clap::ValueEnum;

/// Where the browser comes back by default.
pub(super) const DEFAULT_REDIRECT_URI: &str = "http://127.0.0.1:0/callback";

pub(super) fn callback_choice(options: &LoginOptions, profile: &Profile) -> Result<CallbackChoice, SettingsError> {
    let (place, text) = match (&options.redirect_uri, profile.text("redirect_uri")) {
        (Some(text), _) => ("--redirect-uri", text.as_str()),
        (None, Some(text)) => ("redirect_uri", text),
        (None, None) => ("redirect_uri", DEFAULT_REDIRECT_URI),
    };
    let redirect_uri = RedirectUri::parse(text).map_err(|error| invalid(place, error))?;
    let ports = match options.port.as_slice() {
        [] => profile.ports("port"),
        given => given,
    };
    if options.paste {
        // No listener tries one after the other: the first is the one that is registered.
        return Ok(CallbackChoice::Paste(match (redirect_uri.port(), ports.first()) {
            (Some(0), Some(port)) => redirect_uri.with_port(*port),
            _ => redirect_uri,
        }));
    }
    let Some(address) = redirect_uri.loopback_address() else {
        let problem = "no listener on this machine can receive that: it is not http on 127.0.0.1, [::1] or localhost";
        return Err(invalid_with_hint(
            place,
            problem,
            "With --paste you paste the URL that the browser ended on instead.",
        ));
    };
    let settings = ListenSettings {
        host: address,
        ports: ports_to_try(place, redirect_uri.port(), ports)?,
        listen: options.listen.map(|listen| (listen.address, listen.port)),
        path: redirect_uri.url().path().to_owned(),
        accept_form_post: response_mode(options, profile)? == Some(ResponseMode::FormPost),
        limits: ListenerLimits::default(),
    };
    Ok(CallbackChoice::Listen(redirect_uri, settings))
}

/// For a grant without a browser: nothing comes back, and nothing listens.
pub(super) fn no_callback() -> Result<CallbackChoice, SettingsError> {
    let redirect_uri = RedirectUri::parse(DEFAULT_REDIRECT_URI).map_err(|error| invalid("redirect_uri", error))?;
    Ok(CallbackChoice::Paste(redirect_uri))
}

/// The port of the redirect URI, or those of `--port`, which it must not contradict.
fn ports_to_try(place: &str, in_redirect_uri: Option<u16>, given: &[u16]) -> Result<Vec<u16>, SettingsError> {
    match (in_redirect_uri, given) {
        (None, []) => Ok(vec![80]),
        (Some(port), []) => Ok(vec![port]),
        (None | Some(0), ports) => Ok(ports.to_vec()),
        (Some(port), ports) if ports == [port] => Ok(vec![port]),
        (Some(port), _) => Err(SettingsError::Contradiction {
            one: "--port".to_owned(),
            other: place.to_owned(),
            problem: format!("the redirect URI names port {port}; write port 0 in it to try several"),
        }),
    }
}

pub(super) fn response_mode(options: &LoginOptions, profile: &Profile) -> Result<Option<ResponseMode>, SettingsError> {
    match (options.response_mode, profile.text("response_mode")) {
        (Some(mode), _) => Ok(Some(mode)),
        (None, Some(text)) => match ResponseMode::from_str(text, false) {
            Ok(mode) => Ok(Some(mode)),
            Err(_) => Err(invalid("response_mode", "it is neither query nor form_post")),
        },
        (None, None) => Ok(None),
    }
}
