//! How often the server is asked, with a clock that takes no time; the server
//! is literal bytes over a socket.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::exit::Diagnosis;
use crate::flow::assertion_audience::AssertionAudience;
use crate::flow::caller::Timer;
use crate::flow::login::CallbackChoice;
use crate::flow::pushed_authorization_request::ParChoice;
use crate::flow::server::{ClientChoice, ServerChoice};
use crate::protocol::authorization::AuthorizationOptions;
use crate::protocol::client::{ClientCredentials, ClientId};
use crate::protocol::redirect_uri::RedirectUri;
use crate::protocol::time::UnixSeconds;
use crate::store::Session;
use crate::system::SystemRandomness;
use crate::trace::{NoopObserver, Observer};
use crate::transport::{Transport, TransportSettings};
use std::cell::RefCell;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;

const HOURS: Duration = Duration::from_secs(6 * 3600);
const TOKENS: &str = r#"{"access_token":"a","token_type":"Bearer","expires_in":60}"#;

/// A clock that a sleep moves on, and that takes no time.
#[derive(Default)]
struct FakeTimer {
    now: RefCell<Duration>,
    slept_s: RefCell<Vec<f64>>,
}

impl Timer for FakeTimer {
    fn now(&self) -> Duration {
        *self.now.borrow()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + '_>> {
        *self.now.borrow_mut() += duration;
        self.slept_s.borrow_mut().push(duration.as_secs_f64());
        Box::pin(std::future::ready(()))
    }
}

/// What a connection gets: an answer, or none at all.
#[derive(Clone)]
enum Reply {
    Json(u16, String),
    Lost,
}

fn error(code: &str) -> Reply {
    Reply::Json(400, format!(r#"{{"error":"{code}"}}"#))
}

fn tokens() -> Reply {
    Reply::Json(200, TOKENS.to_owned())
}

/// Answers one request a connection with these replies in order; the last one stays.
fn serve(replies: Vec<Reply>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let Ok(mut stream) = stream else { return };
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut length = 0;
            let mut line = String::new();
            while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
                let header = line.to_ascii_lowercase();
                if let Some(value) = header.strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                line.clear();
            }
            let _ = reader.read_exact(&mut vec![0; length]);
            if let Reply::Json(status, body) = &replies[number.min(replies.len() - 1)] {
                let head = format!(
                    "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                );
                let _ = stream.write_all((head + body).as_bytes());
            }
        }
    });
    port
}

/// Runs the flow with codes that have these members; how long was slept before
/// each request, and what came of it.
fn log_in(members: &str, mut replies: Vec<Reply>, timeout: Duration) -> (Vec<f64>, Result<LoggedIn, DeviceLoginError>) {
    let codes =
        format!(r#"{{"device_code":"d","user_code":"u","verification_uri":"https://example.com/device",{members}}}"#);
    replies.insert(0, Reply::Json(200, codes));
    let endpoint = format!("http://127.0.0.1:{}/", serve(replies));
    let endpoint = Some(Endpoint::parse(&endpoint, HttpPolicy::LoopbackOnly).unwrap());
    let request = LoginRequest {
        server: ServerChoice {
            issuer: None,
            authorization_endpoint: None,
            token_endpoint: endpoint.clone(),
            revocation_endpoint: None,
            userinfo_endpoint: None,
            introspection_endpoint: None,
            jwks_uri: None,
            device_authorization_endpoint: endpoint,
            pushed_authorization_request_endpoint: None,
            discovered: None,
            api: None,
            assumes_pkce: false,
            allowance: HttpPolicy::LoopbackOnly,
        },
        client: ClientChoice {
            id: ClientId::parse("tv").ok(),
            registration: None,
            credentials: ClientCredentials::default(),
            method: None,
            method_with_secret: None,
            assertion_audience: AssertionAudience::default(),
            assertion_source: None,
        },
        authorization: AuthorizationOptions::default(),
        dpop: false,
        par: ParChoice::default(),
        request_object: false,
        callback: CallbackChoice::Paste(RedirectUri::parse("http://127.0.0.1:0/callback").unwrap()),
        timeout,
        success_url: None,
        assumed_ttl: None,
    };
    let transport = Transport::new(TransportSettings::default());
    let timer = FakeTimer::default();
    let mut caller = Caller {
        transport: &transport,
        clock: || UnixSeconds(1_700_000_000),
        timer: &timer,
        randomness: &mut SystemRandomness,
        observer: &mut NoopObserver,
    };
    let mut save = |_: &Session, _: &mut dyn Observer| Ok(());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let logging_in = log_in_with_device(&request, &mut caller, &mut save, std::future::pending());
    let outcome = runtime.block_on(logging_in);
    (timer.slept_s.take(), outcome)
}

#[test]
fn the_server_is_asked_every_five_seconds_where_it_names_no_interval() {
    let replies = vec![error("authorization_pending"), error("authorization_pending"), tokens()];
    let (slept_s, outcome) = log_in(r#""expires_in":900"#, replies, HOURS);
    assert_eq!(slept_s, [5.0, 5.0, 5.0]);
    assert!(outcome.is_ok(), "{outcome:?}");
}

#[test]
fn slow_down_makes_all_further_waits_five_seconds_longer() {
    let replies = vec![
        error("slow_down"),
        error("authorization_pending"),
        error("slow_down"),
        tokens(),
    ];
    let (slept_s, outcome) = log_in(r#""expires_in":900,"interval":"7""#, replies, HOURS);
    assert_eq!(slept_s, [7.0, 12.0, 12.0, 17.0]);
    assert!(outcome.is_ok(), "{outcome:?}");
}

#[test]
fn answers_that_say_nothing_double_the_wait_and_the_login_goes_on() {
    let replies = vec![
        Reply::Json(500, String::new()),
        Reply::Lost,
        Reply::Json(429, "{}".to_owned()),
        error("authorization_pending"),
        tokens(),
    ];
    let (slept_s, outcome) = log_in(r#""expires_in":900,"interval":5"#, replies, HOURS);
    assert_eq!(slept_s, [5.0, 10.0, 20.0, 40.0, 5.0]);
    assert!(outcome.is_ok(), "{outcome:?}");
}

#[test]
fn slow_down_for_ever_ends_when_the_code_expires() {
    let (slept_s, outcome) = log_in(r#""expires_in":"60","interval":5"#, vec![error("slow_down")], HOURS);
    // the last is the rest of the minute
    assert_eq!(slept_s, [5.0, 10.0, 15.0, 20.0, 10.0]);
    let error = outcome.unwrap_err();
    assert!(matches!(error, DeviceLoginError::Expired(None)), "{error}");
    assert_eq!(error.exit_code(), ExitCode::Timeout);
}

#[test]
fn the_users_own_limit_counts_where_it_comes_first() {
    let (slept_s, outcome) = log_in(
        r#""expires_in":900,"interval":5"#,
        vec![error("authorization_pending")],
        Duration::from_secs(12),
    );
    assert_eq!(slept_s, [5.0, 5.0, 2.0]);
    let error = outcome.unwrap_err();
    assert_eq!(error.exit_code(), ExitCode::Timeout);
    assert!(error.to_string().contains("timed out after 12 s"), "{error}");
    assert!(error.hints().concat().contains("--timeout"), "{error:?}");
}
