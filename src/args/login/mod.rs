//! The flags of a login, one file a group: each has what can be typed, what it
//! resolves to together with the profile, and what `login` saves of it.

mod browser;
mod callback;
mod changes;
mod client;
mod machine;
mod request;
mod server;
mod session;

pub use browser::BrowserOptions;
pub(in crate::args) use callback::no_callback;
pub use callback::{CallbackOptions, DEFAULT_LOGIN_TIMEOUT, DEFAULT_REDIRECT_URI};
pub(in crate::args) use changes::ProfileChanges;
pub use client::{ClientOptions, ClientSearch, CredentialFiles, RegistrationChoice};
pub use machine::{MachineOptions, profiles_behind};
pub use request::{RequestOptions, assumed_ttl, token_parameters};
pub use server::ServerOptions;
pub(in crate::args) use server::{require_server, unusable};
pub use session::{SessionOptions, StopBefore};

use super::cli::profile::PROFILE_NAME;
use crate::args::config::Setting;
use clap::Args;
use std::ffi::OsString;

/// `oauth login`: its options, and the questions that stand in for them.
#[derive(Debug, Default, Args)]
pub struct LoginCommand {
    #[command(flatten)]
    pub options: LoginOptions,
    /// Ask for server, client, scopes, store and profile (default if nothing is given and nothing is saved)
    #[arg(long, conflicts_with_all = ["target", "issuer", "provider", "authorization_endpoint", "token_endpoint", "stop_before", "refresh_token_stdin"])]
    pub wizard: bool,
    /// The whole command line, for the wizard to complete.
    #[arg(skip)]
    pub words: Vec<OsString>,
}

/// Options of a login.
#[derive(Debug, Default, Args)]
pub struct LoginOptions {
    /// A saved profile, or the URL of an authorization server or of an API
    #[arg(value_name = "PROFILE | URL", value_hint = PROFILE_NAME)]
    pub target: Option<String>,
    /// Profile to use; options given here are saved to it [env: OAUTH_PROFILE]
    #[arg(short, long, value_name = "NAME", value_hint = PROFILE_NAME)]
    pub profile: Option<String>,
    #[command(flatten)]
    pub server: ServerOptions,
    #[command(flatten)]
    pub client: ClientOptions,
    #[command(flatten)]
    pub request: RequestOptions,
    #[command(flatten)]
    pub machine: MachineOptions,
    #[command(flatten)]
    pub callback: CallbackOptions,
    #[command(flatten)]
    pub browser: BrowserOptions,
    #[command(flatten)]
    pub session: SessionOptions,
}

impl LoginOptions {
    /// What `login` saves in the profile: what was given on the command line,
    /// but for what holds for one login alone.
    pub(in crate::args) fn profile_changes(&self, url: Option<&str>, saved_scope: &[String]) -> Vec<(String, Setting)> {
        let mut changes = ProfileChanges::default();
        self.server.save(url, &mut changes);
        self.client.save(&mut changes);
        self.request.save(saved_scope, &mut changes);
        self.machine.save(&mut changes);
        self.callback.save(&mut changes);
        self.browser.save(&mut changes);
        changes.into_settings()
    }

    /// The first flag that was given and has a meaning only where a person signs in.
    pub(in crate::args) fn flag_for_a_person(&self) -> Option<&'static str> {
        let for_a_person = (!self.request.param.is_empty()).then_some("--param");
        self.flag_for_a_browser().or(for_a_person)
    }

    /// The first flag that was given and has a meaning only where a browser comes back to this machine.
    pub(in crate::args) fn flag_for_a_browser(&self) -> Option<&'static str> {
        [
            (self.session.stop_before.is_some(), "--stop-before"),
            (self.session.refresh_token_stdin, "--refresh-token-stdin"),
            (self.callback.paste, "--paste"),
            (self.callback.redirect_uri.is_some(), "--redirect-uri"),
            (!self.callback.port.is_empty(), "--port"),
            (self.callback.listen.is_some(), "--listen"),
            (self.callback.response_mode.is_some(), "--response-mode"),
            (self.callback.callback_cert.is_some(), "--callback-cert"),
            (self.callback.success_url.is_some(), "--success-url"),
            (self.request.par.is_some(), "--par"),
            (self.request.request_object, "--request-object"),
            (self.request.authorization_details.is_some(), "--authorization-details"),
            (self.browser.browser.is_some(), "--browser"),
        ]
        .into_iter()
        .find_map(|(is_given, flag)| is_given.then_some(flag))
    }
}
