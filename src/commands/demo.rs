//! `oauth demo`: the development server in this process, a real login against
//! it, one call with the token, one refresh, one revocation. Leaves nothing behind.

use crate::app::browser::{DesktopBrowser, browser_launchers, detect_host};
use crate::app::context::{Context, caller, server_runtime};
use crate::app::deadline::Uninterruptible;
use crate::app::observer::CommandObserver;
use crate::app::signals::{interruptible, shutdown_signal};
use crate::args::cli::DemoOptions;
use crate::error::Error;
use crate::exit::{Diagnosis, ExitCode};
use crate::flow::assertion_audience::AssertionAudience;
use crate::flow::caller::Caller;
use crate::flow::login::{CallbackChoice, LoginContext, LoginRequest, UserAgent, login};
use crate::flow::pushed_authorization_request::ParChoice;
use crate::flow::refresh::{RefreshOptions, refresh};
use crate::flow::revoke::revoke_session;
use crate::flow::server::{ClientChoice, ServerChoice};
use crate::hex::hex;
use crate::output::report;
use crate::protocol::authorization::AuthorizationOptions;
use crate::protocol::client::{ClientCredentials, ClientId};
use crate::protocol::endpoint::{HttpPolicy, Issuer};
use crate::protocol::http::{HeaderValue, HttpRequest};
use crate::protocol::random::Randomness;
use crate::protocol::redirect_uri::{LoopbackAddress, RedirectUri};
use crate::protocol::scope::Scope;
use crate::server::Server;
use crate::server::scripted_user::{ScriptedUser, Step, UnexpectedPage};
use crate::server::settings::ServeSettings;
use crate::server::settings::clients::DEFAULT_CLIENT_ID;
use crate::server::settings::users::User;
use crate::store::{CredentialStore, FreshCredentials, Interaction, Part, ProfileName, Session, StoreKind};
use crate::system::SystemRandomness;
use crate::system::environment::Environment;
use crate::system::process;
use crate::trace::{Event, NoopObserver, Observer};
use crate::transport::{Transport, TransportError, TransportSettings};
use crate::user_agent::browser::{BrowserError, BrowserProcess, BrowserReport};
use crate::user_agent::callback::{ListenSettings, ListenerLimits};
use crate::user_agent::host::HostEnvironment;
use serde_json::Value;
use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};
use url::Url;

/// Why the demo ended early.
#[derive(Debug, thiserror::Error)]
enum DemoError {
    /// The demo's own pages were not understood, or its own resource server refused.
    #[error("the demo failed at: {0}")]
    Broken(&'static str),
    #[error("the demo's resource server did not answer")]
    Unreachable(#[source] TransportError),
}

impl Diagnosis for DemoError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Unexpected
    }
}

/// What the demo asks for: an identity, and the demo's own resource server.
const SCOPE: &str = "openid profile hello";

/// How to go on after the demo.
const NEXT: [&str; 2] = [
    "next, log in at a server of your own: oauth login https://your-server --client-id ID",
    "or run one on this machine: oauth serve",
];

pub(super) fn run(context: &Context, options: &DemoOptions) -> Result<(), Error> {
    let settings = ServeSettings {
        port: 0,
        ..ServeSettings::standard()?
    };
    let server = Server::bind(&settings)?;
    let issuer = server.authorization_server().issuer().clone();
    let user = settings.users.into_iter().next();
    let user = user.ok_or(DemoError::Broken("the account"))?;
    let host = detect_host(&context.environment);
    let why_unattended = why_unattended(options, &context.environment, &host);
    let unattended = why_unattended.is_some();
    let mut observer = demo_observer(context);
    print_intro(&issuer, &user, why_unattended, &mut observer);

    let name = random_name()?;
    let (mut store, kept) = store(context, &name, &mut observer)?;
    let runtime = server_runtime()?;
    let serving = runtime.spawn(server.run(std::future::pending(), |_| {}));
    let deadline = context.deadline.map(|deadline| deadline.at);
    let mut user_agent: Box<dyn UserAgent> = match unattended {
        true => Box::new(UnattendedBrowser {
            resource_owner: Some(ScriptedUser::new(&issuer, user)),
            deadline,
        }),
        false => Box::new(desktop_browser(context, options, &host)?),
    };
    let request = login_request(issuer, context.at_most(options.timeout))?;
    // A resource owner who is played needs no way to this machine.
    let here = HostEnvironment {
        display: true,
        ..HostEnvironment::default()
    };
    let _nothing_is_left_behind = Uninterruptible::begin();
    let scene = Scene {
        user_agent: user_agent.as_mut(),
        host: if unattended { &here } else { &host },
        store: store.as_mut(),
        name: &name,
        deadline,
    };
    let walked = runtime.block_on(walk(request, scene, &mut observer));
    // However it ended, the store is as it was before.
    let deleted = if kept { store.delete(&name).map(|_| ()) } else { Ok(()) };
    serving.abort();
    walked?;
    deleted?;
    if kept {
        let store = store.describe();
        observer.observe(&Event::Forgotten { store: &store });
    }
    let done = "done: the tokens are revoked and deleted, and nothing is left on this machine";
    observer.observe(&Event::Success(done));
    for next in NEXT {
        observer.observe(&Event::Outcome(next));
    }
    Ok(())
}

fn desktop_browser<'a>(
    context: &'a Context,
    options: &DemoOptions,
    host: &HostEnvironment,
) -> Result<DesktopBrowser<'a>, Error> {
    Ok(DesktopBrowser {
        browser_launchers: browser_launchers(options.browser.as_deref(), &context.environment, host)?,
        http_policy: HttpPolicy::LoopbackOnly,
        environment: &context.environment,
    })
}

/// Who shows the pages, on which machine, and where the session is kept.
struct Scene<'a> {
    user_agent: &'a mut dyn UserAgent,
    host: &'a HostEnvironment,
    store: &'a mut dyn CredentialStore,
    name: &'a ProfileName,
    deadline: Option<Instant>,
}

/// Its requests go to this process, and end with the command's time.
fn transport_until(deadline: Option<Instant>) -> Transport {
    Transport::new(TransportSettings {
        deadline,
        ..TransportSettings::default()
    })
}

/// The seven steps as `oauth login` walks them, then what a session is good for.
async fn walk(request: LoginRequest, scene: Scene<'_>, observer: &mut dyn Observer) -> Result<(), Error> {
    let Scene {
        user_agent,
        host,
        store,
        name,
        deadline,
    } = scene;
    let transport = transport_until(deadline);
    let mut save = |session: &Session, observer: &mut dyn Observer| {
        let saved = store.save(name, session);
        saved.map_err(|error| Box::new(error) as Box<dyn Diagnosis>)?;
        if store.name() != StoreKind::None.to_string() {
            let store = store.describe();
            observer.observe(&Event::Stored { store: &store });
        }
        Ok(())
    };
    let mut context = LoginContext {
        caller: caller(&transport, &mut *observer),
        user_agent,
        pasted: None,
        host,
        save: &mut save,
    };
    let logged_in = login(request, &mut context, shutdown_signal()).await?;
    let mut session = logged_in.session;

    interruptible(exercise_session(
        &mut session,
        store,
        name,
        &mut caller(&transport, observer),
    ))
    .await?
}

/// What a session is good for: a call, a refresh, a revocation.
async fn exercise_session(
    session: &mut Session,
    store: &mut dyn CredentialStore,
    name: &ProfileName,
    caller: &mut Caller<'_>,
) -> Result<(), Error> {
    let answer = call_resource_server(session, caller).await?;
    report::print(format!("{answer}\n").as_bytes())?;
    refresh(session, &Part::default(), &RefreshOptions::default(), caller).await?;
    caller.observe(&Event::Outcome(
        "refreshed: a new access token, and a new refresh token in place of the spent one",
    ));
    store.save(name, session)?;
    revoke_session(session, &FreshCredentials::default(), caller).await?;
    Ok(())
}

/// `GET /api/hello` with the token (RFC 6750 §2.1).
async fn call_resource_server(session: &Session, caller: &mut Caller<'_>) -> Result<Value, Error> {
    let broken = || Error::from(DemoError::Broken("the call of the resource server"));
    let token = session.tokens.first().ok_or_else(broken)?;
    let issuer = session.issuer.as_ref().ok_or_else(broken)?.url();
    let mut request = HttpRequest::get(issuer.join("/api/hello").map_err(|_| broken())?);
    let credentials = token.access_token.clone();
    request.push_header(
        "authorization",
        HeaderValue::Credentials {
            scheme: "Bearer",
            credentials,
        },
    );
    caller.observe(&Event::Outcome("with the token: GET /api/hello at the resource server"));
    let response = caller.send(&request).await.map_err(DemoError::Unreachable)?;
    serde_json::from_slice(response.body.expose())
        .ok()
        .filter(|_| response.status == 200)
        .ok_or_else(broken)
}

/// The demo tells its story, so it is as verbose as `-v` unless it must not be.
fn demo_observer(context: &Context) -> CommandObserver {
    let verbosity = if context.global.quiet || context.style.json {
        context.global.verbose
    } else {
        context.global.verbose.max(1)
    };
    context.observer_with(verbosity)
}

fn print_intro(issuer: &Issuer, user: &User, why_unattended: Option<&str>, observer: &mut dyn Observer) {
    observer.observe(&Event::Note(&format!(
        "an authorization server for this demo runs at {issuer}"
    )));
    let how = match why_unattended {
        Some(why) => format!("no browser is opened, because {why}: the demo signs in and consents by itself"),
        None => format!(
            "sign in as \"{}\" with the password \"{}\"",
            user.name,
            user.password.expose()
        ),
    };
    observer.observe(&Event::Note(&how));
}

/// Why the demo plays the resource owner itself; `None` where a person is at a
/// browser of this machine.
fn why_unattended(options: &DemoOptions, environment: &Environment, host: &HostEnvironment) -> Option<&'static str> {
    if options.unattended {
        return Some("--unattended was given");
    }
    if options.browser.is_some() {
        return None;
    }
    [
        (environment.has("CI"), "CI is set"),
        (host.ssh.is_some(), "this is an SSH session"),
        (!io::stdin().is_terminal(), "standard input is not a terminal"),
        (!host.display && !environment.has("BROWSER"), "no display was found"),
    ]
    .into_iter()
    .find_map(|(holds, why)| holds.then_some(why))
}

/// `oauth-demo-` and eight hex digits: no profile of the user has that name.
fn random_name() -> Result<ProfileName, Error> {
    let mut octets = [0u8; 4];
    SystemRandomness
        .fill(&mut octets)
        .map_err(crate::store::StoreError::Randomness)?;
    let digits = hex(&octets);
    Ok(crate::args::settings::parse_name(
        "profile",
        &format!("oauth-demo-{digits}"),
    )?)
}

/// The keyring where it can be used, else none; the file store would leave its key behind.
fn store(
    context: &Context,
    name: &ProfileName,
    observer: &mut dyn Observer,
) -> Result<(Box<dyn CredentialStore>, bool), Error> {
    if context.store_kind(None)? == StoreKind::Keyring {
        let mut keyring = context.store(&StoreKind::Keyring, Interaction::Allowed)?;
        match keyring.probe(name) {
            Ok(()) => return Ok((keyring, true)),
            Err(error) => observer.observe(&Event::Note(&format!(
                "no keyring can be used here, so the demo keeps its tokens in memory ({error})"
            ))),
        }
    }
    Ok((context.store(&StoreKind::None, Interaction::Forbidden)?, false))
}

fn login_request(issuer: Issuer, timeout: Duration) -> Result<LoginRequest, Error> {
    let broken = |_| Error::from(DemoError::Broken("its own settings"));
    let redirect_uri = RedirectUri::parse("http://127.0.0.1:0/callback").map_err(|_| broken(()))?;
    let listen = ListenSettings {
        name: None,
        certificate: None,
        host: LoopbackAddress::V4,
        ports: vec![0],
        listen: None,
        path: "/callback".to_owned(),
        accept_form_post: false,
        limits: ListenerLimits::default(),
    };
    Ok(LoginRequest {
        server: ServerChoice {
            issuer: Some(issuer),
            authorization_endpoint: None,
            token_endpoint: None,
            revocation_endpoint: None,
            userinfo_endpoint: None,
            introspection_endpoint: None,
            jwks_uri: None,
            device_authorization_endpoint: None,
            pushed_authorization_request_endpoint: None,
            allowance: HttpPolicy::LoopbackOnly,
            discovered: None,
            api: None,
            assumes_pkce: false,
        },
        client: ClientChoice {
            id: Some(ClientId::parse(DEFAULT_CLIENT_ID).map_err(|_| broken(()))?),
            registration: None,
            credentials: ClientCredentials::default(),
            method: None,
            method_with_secret: None,
            assertion_audience: AssertionAudience::default(),
            assertion_source: None,
        },
        authorization: AuthorizationOptions {
            scope: Scope::parse(SCOPE).map_err(|_| broken(()))?,
            ..AuthorizationOptions::default()
        },
        dpop: false,
        // So that the person sees the request.
        par: ParChoice::Never,
        request_object: false,
        callback: CallbackChoice::Listen(redirect_uri, Box::new(listen)),
        success_url: None,
        timeout,
        assumed_ttl: None,
    })
}

/// The resource owner, played over HTTP beside the flow.
struct UnattendedBrowser {
    resource_owner: Option<ScriptedUser>,
    deadline: Option<Instant>,
}

impl UserAgent for UnattendedBrowser {
    fn open(&mut self, url: &Url) -> Result<BrowserProcess, BrowserError> {
        let (reporter, opening) = BrowserProcess::reported();
        if let Some(resource_owner) = self.resource_owner.take() {
            let (url, transport) = (url.clone(), transport_until(self.deadline));
            // On a thread of its own, as a browser is a process of its own.
            let report = move |reason: String| {
                let command = "the demo's resource owner".to_owned();
                // The flow may have ended in the meantime; then the report is not needed.
                let _ = reporter.send(BrowserReport::NotStarted { command, reason });
            };
            let report_end = report.clone();
            let playing = std::thread::Builder::new().name("resource owner".to_owned());
            let started = playing.spawn(move || {
                if let Err(error) = run_script(resource_owner, url, &transport) {
                    report_end(error.to_string());
                }
            });
            if let Err(error) = started {
                report(format!("a thread cannot be started: {error}"));
            }
        }
        Ok(opening)
    }
}

/// Why the played resource owner did not come to the end.
#[derive(Debug, thiserror::Error)]
enum ScriptError {
    #[error(transparent)]
    Transport(#[from] TransportError),
    #[error(transparent)]
    UnexpectedPage(#[from] UnexpectedPage),
    #[error(transparent)]
    Runtime(#[from] io::Error),
}

fn run_script(resource_owner: ScriptedUser, url: Url, transport: &Transport) -> Result<(), ScriptError> {
    process::check_descriptors()?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(play(resource_owner, url, transport))
}

async fn play(mut resource_owner: ScriptedUser, url: Url, transport: &Transport) -> Result<(), ScriptError> {
    let mut request = resource_owner.open(url);
    loop {
        let response = transport.send(&request, &mut NoopObserver).await?;
        match resource_owner.next(&request.url, &response)? {
            Step::Follow(next) | Step::SignIn(next) | Step::Consent(next) => request = next,
            Step::Callback(url) => {
                transport.send(&HttpRequest::get(url), &mut NoopObserver).await?;
                return Ok(());
            }
        }
    }
}
