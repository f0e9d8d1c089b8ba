//! `oauth request`: an HTTP call with the session's token, as curl would make
//! it. The token goes where it may go and nowhere else; the answer goes to
//! standard output as it comes.

mod body;
mod error;
mod multipart;
mod section;
mod sink;

use super::api_token::{ApiToken, ApiTokens, LoginPermission, ScopeNeeded};
use super::step_up::StepUps;
use crate::app::context::{Context, caller};
use crate::app::login_required::LoginRequired;
use crate::app::observer::CommandObserver;
use crate::app::signals::interruptible;
use crate::app::token_destination::TokenDestinations;
use crate::args::cli::RequestOptions;
use crate::args::config::Config;
use crate::args::settings::{self, ApiCall, CommandForm, SettingsError};
use crate::error::Error;
use crate::flow::authorized_request::{BodyAtHand, TokenVerdict, UploadSource, send_authorized};
use crate::protocol::http::{HeaderValue, HttpRequest, Method};
use crate::protocol::redirect::Redirect;
use crate::trace::{Event, Observer};
use crate::transport::{Answer, Transport, UrlSource};
use body::PreparedBody;
use error::RequestError;
use section::MAX_KEPT_BYTES;
use sink::{Sink, head_lines};
use tokio::runtime::Runtime;
use url::Url;

/// Redirects of one call that are followed.
const MAX_REDIRECTS: usize = 10;

/// Logins of one call that a missing scope leads to.
const MAX_STEP_UPS: usize = 2;

/// Headers that may go along to another origin: they say nothing of the user.
const SHARED_HEADERS: [&str; 5] = ["accept", "accept-language", "content-type", "range", "user-agent"];

/// Methods that no profile's name stands for.
const USUAL_METHODS: [&str; 7] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

/// Other commands take the profile as a word; here it would be sent as the method.
///
/// # Errors
/// [`SettingsError::Value`].
fn reject_profile_as_method(options: &RequestOptions, config: &Config) -> Result<(), SettingsError> {
    let method = options.method.as_deref().unwrap_or_default();
    let is_usual = USUAL_METHODS.iter().any(|usual| usual.eq_ignore_ascii_case(method));
    if is_usual || !config.profiles().any(|(name, _)| name.as_str() == method) {
        return Ok(());
    }
    let url = shell_words::quote(&options.url);
    Err(SettingsError::Value {
        name: "METHOD".to_owned(),
        problem: format!("\"{method}\" is a profile"),
        hint: Some(format!("To send its token: oauth request -p {method} {url}")),
    })
}

/// The command without its options: a header or a body may be a secret.
fn repeated_command(options: &RequestOptions) -> CommandForm {
    let operands = options.method.iter().chain([&options.url]);
    CommandForm {
        name: "request",
        operands: shell_words::join(operands),
    }
}

/// Why no token may go to the URL, and the login that would get one.
fn no_profile_for(url: &Url, destinations: &TokenDestinations<'_>) -> Error {
    let config = destinations.config;
    let command = format!("oauth login {}", shell_words::quote(url.as_str()));
    let login = format!("If the API names its authorization server: {command}");
    match config.profiles().next() {
        None => Error::from(LoginRequired::nothing_saved(config)).with_first_hint(login),
        Some(_) => {
            let error = settings::nothing_covers(url, config).of_command(destinations.command.as_ref());
            Error::from(error).with_hint(login)
        }
    }
}

pub(super) fn run(context: &Context, options: &RequestOptions) -> Result<(), Error> {
    let ApiCall {
        method,
        url,
        headers,
        body,
    } = settings::api_call(options)?;
    let allowed = settings::allowed_hosts("--allow-host", &options.token.allow_host)?;
    let config = context.config()?;
    reject_profile_as_method(options, &config)?;
    let destinations = TokenDestinations {
        context,
        config: &config,
        profile: options.token.profile.as_deref(),
        for_this_call: &allowed,
        command: Some(repeated_command(options)),
    };
    context.transport(None, false)?.vet(&url, UrlSource::User)?;
    let chosen = destinations.profile(&url, None)?;
    let chosen = chosen.ok_or_else(|| no_profile_for(&url, &destinations))?;
    let body = body.map(|body| PreparedBody::prepare(&body)).transpose()?;
    let mut request = HttpRequest {
        method,
        headers,
        body: body.as_ref().map(PreparedBody::to_request_body),
        ..HttpRequest::get_from_resource(url)
    };
    if !request.headers.iter().any(|(name, _)| name == "accept") {
        request.push_header("accept", HeaderValue::Plain("*/*".to_owned()));
    }
    let tokens = ApiTokens {
        context,
        chosen,
        login: match options.token.login {
            true => LoginPermission::AtTerminal,
            false => LoginPermission::Never,
        },
    };
    let call = Call {
        destinations: &destinations,
        options,
        runtime: context.runtime()?,
        transport: context.transport(config.profile(&tokens.chosen.name), false)?,
        observer: context.observer(),
        tokens,
    };
    call.run(request, body)
}

/// A call, with all that it works with.
struct Call<'a> {
    destinations: &'a TokenDestinations<'a>,
    options: &'a RequestOptions,
    tokens: ApiTokens<'a>,
    runtime: Runtime,
    transport: Transport,
    observer: CommandObserver,
}

/// The last answer, and whether the token was shown to who gave it.
struct Received {
    request: HttpRequest,
    answer: Answer,
    with_token: bool,
}

impl Call<'_> {
    /// Sends until the token is taken: once more after a refresh, and after
    /// each login for a scope.
    fn run(mut self, request: HttpRequest, body: Option<PreparedBody>) -> Result<(), Error> {
        let mut body: Box<dyn UploadSource> = match body {
            Some(body) => Box::new(body),
            None => Box::new(BodyAtHand),
        };
        let mut token = self.tokens.fresh()?;
        let (mut is_replaced, mut logins, mut step_ups) = (false, 0, StepUps::default());
        loop {
            let received = self.follow(&request, body.as_mut(), &token)?;
            let verdict = match received.with_token {
                true => TokenVerdict::read(&received.answer.head),
                false => TokenVerdict::Taken,
            };
            let next = match verdict {
                TokenVerdict::Rejected if !is_replaced && body.can_repeat() => {
                    is_replaced = true;
                    self.tokens.replace(&token.stored.access_token)
                }
                TokenVerdict::InsufficientScope(wanted) => {
                    let needed = ScopeNeeded::new(&self.tokens.chosen.name, &token.session, wanted);
                    match logins < MAX_STEP_UPS && body.can_repeat() {
                        true => {
                            logins += 1;
                            step_ups.log_in(&self.tokens, needed).map(Some)
                        }
                        false => Err(needed.into()),
                    }
                }
                TokenVerdict::Taken | TokenVerdict::Rejected => Ok(None),
            };
            match next {
                Ok(Some(other)) => token = other,
                Ok(None) => return self.finish(received, &token),
                Err(error) => {
                    // The answer is the result, whatever comes of it.
                    self.write(received.answer)?;
                    return Err(error);
                }
            }
        }
    }

    /// Sends the request, and follows redirects where that was asked for.
    fn follow(
        &mut self,
        request: &HttpRequest,
        body: &mut dyn UploadSource,
        token: &ApiToken,
    ) -> Result<Received, Error> {
        let reach = self.destinations.reach(&self.tokens.chosen, &token.session)?;
        let mut presented = token.present()?;
        let mut request = request.clone();
        let mut has_left = false;
        for _ in 0..=MAX_REDIRECTS {
            let with_token = !has_left && reach.coverage(&request.url).is_some();
            let mut caller = caller(&self.transport, &mut self.observer);
            let presented = with_token.then_some(&mut presented);
            let mut at_hand = BodyAtHand;
            let source: &mut dyn UploadSource = match request.body {
                Some(_) => body,
                None => &mut at_hand,
            };
            let sending = send_authorized(&request, source, presented, &mut caller);
            let answer = self.runtime.block_on(interruptible(sending))??;
            let redirect = match self.options.location {
                true => Redirect::read(&request.url, &request.method, &answer.head),
                false => Ok(None),
            };
            let redirect = redirect.map_err(|problem| RequestError::Redirect {
                status: answer.head.status,
                problem,
            })?;
            let Some(redirect) = redirect else {
                return Ok(Received {
                    request,
                    answer,
                    with_token,
                });
            };
            if !redirect.becomes_get && request.body.is_some() && !body.can_repeat() {
                let limit_bytes = MAX_KEPT_BYTES;
                return Err(RequestError::NotRepeatable { limit_bytes }.into());
            }
            self.observer.observe(&Event::Decision("the redirect is followed"));
            // Nor does the token come back with a redirect of someone else.
            has_left |= redirect.url.origin() != request.url.origin();
            redirect_to(&mut request, redirect);
        }
        Err(RequestError::TooManyRedirects { limit: MAX_REDIRECTS }.into())
    }

    fn finish(self, received: Received, token: &ApiToken) -> Result<(), Error> {
        let Received { request, answer, .. } = received;
        let status = answer.head.status;
        let mut secrets = request.secrets();
        secrets.push(token.stored.access_token.clone());
        let error = RequestError::of_status(&answer.head, &secrets);
        self.write(answer)?;
        match status {
            200..300 | 304 => Ok(()),
            _ => Err(error.into()),
        }
    }

    /// Writes the answer as it comes.
    fn write(self, answer: Answer) -> Result<(), Error> {
        let Answer { head, mut body } = answer;
        let mut sink = Sink::open(self.options.output.as_deref())?;
        if self.options.include && !sink.write(head_lines(&head).as_bytes())? {
            return Ok(());
        }
        while let Some(piece) = self.runtime.block_on(interruptible(body.next()))?? {
            if !sink.write(&piece)? {
                return Ok(());
            }
        }
        sink.finish()
    }
}

/// Turns a request into the one that a redirect asks for. Another origin gets
/// no header that may be a secret.
fn redirect_to(request: &mut HttpRequest, redirect: Redirect) {
    if redirect.becomes_get {
        request.method = Method::Get;
        request.body = None;
        request
            .headers
            .retain(|(name, _)| !name.as_str().starts_with("content-"));
    }
    if redirect.url.origin() != request.url.origin() {
        let is_shared = |name: &str| SHARED_HEADERS.contains(&name);
        request.headers.retain(|(name, _)| is_shared(name.as_str()));
    }
    request.url = redirect.url;
}
