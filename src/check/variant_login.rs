//! Redirect URIs that are not registered, sent through the resource owner's
//! browser: some servers look at them only after the sign-in. Each of these
//! URIs reaches this machine, so that a server that redirects to one is heard.
//!
//! The listener of a login takes one path and one Host; here every path and
//! every Host counts, so the request line is read here. Invariant: no byte of a
//! request is in an answer, and nothing that comes is redeemed.

use super::authorization_probe::AuthorizationProbe;
use super::redirect_response::{RedirectResponse, badly_written_params, is_answer};
use super::secrets;
use crate::flow::login::browser_watch::{BrowserSighting, BrowserWatch};
use crate::flow::login::events::trace_authorization_url;
use crate::flow::login::{LoginContext, LoginError};
use crate::protocol::endpoint::Endpoint;
use crate::protocol::params::Params;
use crate::secret::Secret;
use crate::trace::{Event, Observer, Paste};
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

/// The random part that every `state` begins with.
const STATE_RANDOM_CHARS: usize = 43;

/// A request line and header fields longer than this are not read.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// Connections at once, more than a few tabs of a browser open.
const MAX_CONNECTIONS: usize = 64;

const PAGE: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 53\r\nConnection: close\r\n\r\n\
                    oauth check has seen this. You may close the window.\n";

/// One redirect URI that the server should not take, or should.
pub(super) struct Variant {
    pub(super) probe: AuthorizationProbe,
    /// What came for it.
    pub(super) response: Option<RedirectResponse>,
}

/// Opens a browser for each variant with what it takes to this endpoint, unless
/// there is nothing, and waits for what comes to this port; all have until `timeout` after the last thing that came.
///
/// # Errors
/// [`LoginError`] where no browser can be opened.
pub(super) async fn send_variants(
    variants: &mut [Variant],
    (carried, endpoint): (&[Option<Params>], &Endpoint),
    port: u16,
    timeout: Duration,
    context: &mut LoginContext<'_>,
) -> Result<bool, LoginError> {
    let listeners = bind(port).await;
    if listeners.is_empty() {
        return Ok(false);
    }
    let mut browsers = Vec::new();
    for params in carried.iter().flatten() {
        let url = endpoint.with_params(params);
        trace_authorization_url(params, &url, context.caller.observer);
        let process = context.user_agent.open(&url).map_err(LoginError::Browser)?;
        let mut browser = BrowserWatch::begin(process, &url);
        browser.report_absence(context.caller.observer);
        browsers.push(browser);
    }
    context.caller.observe(&Event::WaitBegins {
        timeout,
        awaited: "the browser",
        paste: Paste::No,
    });
    receive(variants, &listeners, timeout, &mut browsers, context.caller.observer).await;
    context.caller.observe(&Event::WaitEnds);
    Ok(true)
}

/// Both loopback addresses, as far as this machine has them: `localhost` is
/// either. None where another program has the port on one of them.
async fn bind(port: u16) -> Vec<TcpListener> {
    let mut listeners = Vec::new();
    for address in [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)] {
        match TcpListener::bind((address, port)).await {
            Ok(listener) => listeners.push(listener),
            Err(error) if error.kind() == ErrorKind::AddrInUse => return Vec::new(),
            Err(_no_such_address) => {}
        }
    }
    listeners
}

async fn receive(
    variants: &mut [Variant],
    listeners: &[TcpListener],
    timeout: Duration,
    browsers: &mut [BrowserWatch],
    observer: &mut dyn Observer,
) {
    let mut connections = FuturesUnordered::new();
    let mut deadline = Instant::now() + timeout;
    while variants.iter().any(|variant| variant.response.is_none()) {
        tokio::select! {
            accepted = accept(listeners), if connections.len() < MAX_CONNECTIONS => {
                connections.extend(accepted.map(read_target));
            }
            Some(request) = connections.next(), if !connections.is_empty() => {
                if request.is_some_and(|request| assign(variants, &request)) {
                    deadline = Instant::now() + timeout;
                }
            }
            Some(sighting) = next_sighting(browsers) => sighting.report_to(observer),
            () = tokio::time::sleep_until(deadline) => return,
        }
    }
}

/// What becomes of one of them.
async fn next_sighting(browsers: &mut [BrowserWatch]) -> Option<BrowserSighting> {
    let mut watching: FuturesUnordered<_> = browsers.iter_mut().map(BrowserWatch::next).collect();
    watching.next().await
}

async fn accept(listeners: &[TcpListener]) -> Option<TcpStream> {
    let mut accepting: FuturesUnordered<_> = listeners.iter().map(TcpListener::accept).collect();
    let accepted = accepting.next().await?;
    accepted.ok().map(|(stream, _)| stream)
}

/// Host and target of a request.
struct Heard {
    host: String,
    target: String,
}

/// Reads the head of a request and answers it.
async fn read_target(mut stream: TcpStream) -> Option<Heard> {
    let mut head = Vec::new();
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        let read = stream.read_buf(&mut head).await.ok()?;
        if read == 0 || head.len() > MAX_HEAD_BYTES {
            return None;
        }
    }
    let _browser_gone = stream.write_all(PAGE.as_bytes()).await;
    let text = String::from_utf8_lossy(&head);
    let mut lines = text.split("\r\n");
    let target = lines.next()?.split(' ').nth(1)?.to_owned();
    let host = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("host").then(|| value.trim().to_owned())
    });
    Some(Heard { host: host?, target })
}

/// Gives a response to the variant whose state it has; whether there is one.
fn assign(variants: &mut [Variant], heard: &Heard) -> bool {
    let (_, query) = heard.target.split_once('?').unwrap_or_default();
    let mut params = Params::parse(query);
    if !is_answer(&params) {
        params = badly_written_params(&heard.target);
    }
    let is_of = |variant: &&mut Variant| {
        let state = &variant.probe.state;
        params
            .all("state")
            .any(|found| secrets::begins(found, state, STATE_RANDOM_CHARS))
    };
    let Some(variant) = variants.iter_mut().find(is_of) else {
        return false;
    };
    variant.response.get_or_insert(RedirectResponse {
        location: Secret::new(format!("http://{}{}", heard.host, heard.target)),
        params,
        in_fragment: false,
    });
    true
}
