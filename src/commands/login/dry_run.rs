//! `oauth login --stop-before exchange`: what came back with the browser, and
//! the token request that would be sent next. Nothing is sent to the token
//! endpoint, nothing is stored, nothing is saved.

use super::client::choose_client;
use super::target::find_server;
use crate::app::client_credentials::{check_client_authentication, client_credentials, given_client_credentials};
use crate::app::context::Context;
use crate::app::login_context::BrowserLogin;
use crate::app::passphrase::ask_passphrase;
use crate::app::signals::shutdown_signal;
use crate::app::token_source::Purpose;
use crate::args::login::LoginOptions;
use crate::args::settings;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::flow::login::{PreparedExchange, login_until_exchange};
use crate::foreign_text::{sanitize, sanitize_json};
use crate::output::causes::error_chain;
use crate::output::report;
use crate::protocol::endpoint::HttpPolicy;
use crate::protocol::http::HttpRequest;
use crate::protocol::params::{Params, Value};
use crate::secret::Secret;
use crate::store::{Interaction, ProfileName, Session, StoreKind, load_undamaged};
use crate::trace::curl::{curl_assignments, curl_command};
use crate::trace::ordered_json::{OrderedJson, object};
use crate::trace::redact::Redaction;
use crate::trace::{Event, Observer};
use url::Position;
use url::form_urlencoded::byte_serialize;

pub(super) fn run(context: &Context, options: &LoginOptions) -> Result<(), Error> {
    let config = context.config()?;
    let mut resolved = settings::login(options, &context.environment, &config)?;
    let profile = config.profile(&resolved.profile);
    let kind = if options.session.no_store {
        StoreKind::None
    } else {
        context.store_kind(profile)?
    };
    let mut observer = context.observer();
    let given = given_client_credentials(context, options, (&resolved, Purpose::Login))?;
    let earlier = earlier_session(context, &kind, (&resolved.profile, profile.is_some()), &mut observer)?;
    let transport = context.transport(profile, resolved.request.server.allowance == HttpPolicy::Everywhere)?;
    find_server(context, &mut resolved, earlier.as_ref(), &transport, &mut observer)?;
    choose_client(&mut resolved, earlier.as_ref(), &mut observer)?;
    resolved.request.client.credentials = client_credentials(given, &resolved, earlier.as_ref());
    check_client_authentication(context, &resolved)?;
    let mut save = |_: &Session, _: &mut dyn Observer| Ok(());
    let browser_login = BrowserLogin {
        context,
        options,
        resolved,
        transport: &transport,
        observer: &mut observer,
    };
    let stopped = browser_login.run(&mut save, async |request, context| {
        login_until_exchange(request, context, shutdown_signal()).await
    })?;

    let show_secrets = context.global.show_secrets;
    observer.observe(&if show_secrets {
        Event::Warning("the lines below show secrets (--show-secrets): do not share them")
    } else {
        Event::Note(
            "secrets are redacted; with --show-secrets the request can be sent by hand, once, while the code is valid",
        )
    });
    let stopped = PreparedExchange {
        token_request: transport.with_files(&stopped.token_request).into_owned(),
        ..stopped
    };
    let shown = Shown(Redaction::new(show_secrets));
    let text = if context.style.json {
        shown.as_json(&stopped)
    } else {
        shown.as_text(&stopped)
    };
    report::print(Secret::new(text).expose().as_bytes())
}

/// The session in the store, where the client and its secret may be kept.
/// Nothing is written, so that a store which cannot be used is no obstacle; for
/// a profile that is saved, what it keeps may be missing.
fn earlier_session(
    context: &Context,
    kind: &StoreKind,
    (name, is_saved): (&ProfileName, bool),
    observer: &mut dyn Observer,
) -> Result<Option<Session>, Error> {
    let load = || -> Result<Option<Session>, Error> {
        let mut store = match is_saved {
            true => context.open_store_interactive(kind, Interaction::Allowed, ask_passphrase(context))?,
            false => context.store(kind, Interaction::Forbidden)?,
        };
        Ok(load_undamaged(store.as_mut(), name)?)
    };
    match load() {
        Err(error) if error.exit_code() == ExitCode::Store => {
            let text = format!(
                "the stored session is not used, since the store cannot be read: {}",
                error_chain(&error.to_string(), &*error)
            );
            observer.observe(&match is_saved {
                true => Event::Warning(&text),
                false => Event::Note(&text),
            });
            Ok(None)
        }
        loaded => loaded,
    }
}

/// How values are shown.
struct Shown(Redaction);

impl Shown {
    fn as_text(&self, stopped: &PreparedExchange) -> String {
        let pairs = self.pairs(&stopped.authorization_response);
        let width = pairs
            .iter()
            .map(|(name, _)| name.chars().count())
            .max()
            .unwrap_or_default();
        let response: String = pairs
            .iter()
            .map(|(name, value)| format!("  {name:width$}  {value}\n"))
            .collect();
        let message: String = self
            .message(&stopped.token_request)
            .lines()
            .map(|line| format!("  {line}").trim_end().to_owned() + "\n")
            .collect();
        let curl = curl_command(&stopped.token_request).join(" \\\n    ");
        let assignments: String = match self.0.shows_secrets() {
            true => {
                let lines = curl_assignments(&stopped.token_request).into_iter();
                lines.map(|line| format!("  {}\n", line.expose())).collect()
            }
            false => String::new(),
        };
        format!(
            "authorization response\n{response}\ntoken request\n{message}\nthe same as a command, secrets as variables\n{assignments}  {curl}\n"
        )
    }

    fn as_json(&self, stopped: &PreparedExchange) -> String {
        let request = &stopped.token_request;
        let headers = self.headers(request);
        let params = request.form().map(|params| self.pairs(params)).unwrap_or_default();
        let result = object([
            (
                "authorization_response",
                list(self.pairs(&stopped.authorization_response)),
            ),
            (
                "token_request",
                object([
                    ("method", request.method.as_str().into()),
                    ("url", request.url.as_str().into()),
                    ("headers", list(headers)),
                    ("params", list(params)),
                    ("message", self.message(request).into()),
                    ("curl", curl_command(request).join(" ").into()),
                ]),
            ),
        ]);
        sanitize_json(&result.line()) + "\n"
    }

    /// The request as it would stand on the wire, with `\n` for the line ends.
    fn message(&self, request: &HttpRequest) -> String {
        let target = &request.url[Position::BeforePath..Position::AfterQuery];
        let mut message = format!("{} {target} HTTP/1.1\n", request.method.as_str());
        for (name, value) in self.headers(request) {
            message += &format!("{name}: {value}\n");
        }
        message.push('\n');
        if let Some(params) = request.form() {
            message += &self.form(params);
            message.push('\n');
        }
        message
    }

    fn headers(&self, request: &HttpRequest) -> Vec<(String, String)> {
        let headers = request.all_headers().into_iter();
        let mut headers: Vec<(String, String)> = headers
            .map(|(name, value)| (name.to_string(), self.0.request_header(&value)))
            .collect();
        if let Some(params) = request.form() {
            let length_bytes = params.encode().expose().len();
            headers.push(("content-length".to_owned(), length_bytes.to_string()));
        }
        headers
    }

    /// The body; what is redacted is in it unencoded.
    fn form(&self, params: &Params) -> String {
        let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        let pair = |(name, value): (&str, &Value)| {
            let shown = self.0.value(value);
            let whole = shown == *value.expose();
            format!("{}={}", encoded(name), if whole { encoded(&shown) } else { shown })
        };
        params.iter().map(pair).collect::<Vec<_>>().join("&")
    }

    fn pairs(&self, params: &Params) -> Vec<(String, String)> {
        let pairs = params.iter();
        pairs
            .map(|(name, value)| (sanitize(name), self.0.value(value)))
            .collect()
    }
}

fn list(pairs: Vec<(String, String)>) -> OrderedJson {
    let pair = |(name, value): (String, String)| object([("name", name.into()), ("value", value.into())]);
    OrderedJson::List(pairs.into_iter().map(pair).collect())
}
