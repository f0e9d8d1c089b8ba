//! The transport against a server of literal bytes: what goes over the wire,
//! and what a person is told when the server is broken, hostile or absent.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "a test that runs once more speaks to itself")]

#[path = "../cli/support/certificates.rs"]
mod certificates;
#[path = "../cli/support/literal_server/mod.rs"]
mod literal_server;

mod answers;
mod messages;
mod proxies;
mod refused;
mod tls;
mod unreachable;

use certificates::{Authority, Identity, self_signed, start_mutual_tls, start_tls, start_tls_for};
use literal_server::{Gate, LiteralServer, PATIENCE, Reply, json, redirect, status};
use oauth::exit::{Diagnosis, ExitCode};
use oauth::protocol::http::{HeaderValue, HttpRequest, HttpResponse};
use oauth::protocol::params::Params;
use oauth::secret::Secret;
use oauth::trace::{Event, NoopObserver, Observer};
use oauth::transport::{ProxySettings, TlsFailure, Transport, TransportError, TransportSettings, UrlSource};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use url::Url;

/// A code that must never stand in an error or a debug text.
const CODE: &str = "canary-code-canary";

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn get(text: &str) -> HttpRequest {
    HttpRequest::get(url(text))
}

fn post(text: &str) -> HttpRequest {
    let mut body = Params::new();
    body.push("grant_type", "authorization_code");
    body.push("code", CODE);
    HttpRequest::post(url(text), body)
}

fn settings() -> TransportSettings {
    TransportSettings {
        http_timeout: Duration::from_secs(10),
        ..TransportSettings::default()
    }
}

fn trusting(authority: &Authority, folder: &tempfile::TempDir) -> TransportSettings {
    TransportSettings {
        ca_file: Some(authority.write(folder.path())),
        ..settings()
    }
}

fn within(http_timeout: Duration) -> TransportSettings {
    TransportSettings {
        http_timeout,
        ..settings()
    }
}

fn send_with(settings: TransportSettings, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
    send_over(&Transport::new(settings), request, &mut NoopObserver)
}

fn send(request: &HttpRequest) -> Result<HttpResponse, TransportError> {
    send_with(settings(), request)
}

fn send_over(
    transport: &Transport,
    request: &HttpRequest,
    observer: &mut dyn Observer,
) -> Result<HttpResponse, TransportError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(transport.send(request, observer))
}

/// The error's whole text: message, causes, hints.
fn told(error: &TransportError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(source) = cause {
        text.push_str(&format!("\ncaused by: {source}"));
        cause = source.source();
    }
    for hint in error.hints() {
        text.push_str(&format!("\nhint: {hint}"));
    }
    assert!(
        !text.contains("canary") && !format!("{error:?}").contains("canary"),
        "{text}"
    );
    text
}

fn refused_with(error: &TransportError, code: ExitCode, parts: &[&str]) {
    let text = told(error);
    assert_eq!(error.exit_code(), code, "{text}");
    assert!(!error.hints().is_empty(), "no hint: {text}");
    for part in parts {
        assert!(text.contains(part), "no {part:?} in: {text}");
    }
}

/// What a test asks of itself when it runs once more in a process of its own.
const TARGET: &str = "OAUTH_TEST_TARGET";

/// Runs one test of this file in a process that holds the client alone.
fn run_again(test: &str, target: &str, environment: &[(&str, &str)]) -> String {
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(TARGET, target)
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let output = String::from_utf8(child.stdout).unwrap();
    assert!(child.status.success(), "{output}");
    output
}
