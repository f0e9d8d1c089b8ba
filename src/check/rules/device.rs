//! The device authorization grant (RFC 8628), as far as it can be seen while
//! no code is entered.

use crate::check::context::Check;
use crate::check::entropy::expect_bits;
use crate::check::exchange::Exchange;
use crate::check::report::{CheckResult, Failure, ensure, inconclusive, violated};
use crate::check::secrets;
use crate::check::token_requests::UNKNOWN_TOKEN;
use crate::protocol::client::{Client, ClientAuthentication};
use crate::protocol::endpoint::{Endpoint, HttpPolicy};
use crate::protocol::grant::device_code;
use crate::protocol::params::Params;
use crate::protocol::pkce::S256;
use crate::rules::Rule;
use crate::secret::Secret;
use serde_json::Value;

/// So many codes are compared with each other.
const SAMPLES: usize = 3;

/// What a person can type, and no one can guess within its life.
const USER_CODE_BITS: f64 = 20.0;

/// What a client may not use that gets no codes.
const GRANT: &str = "the device grant";

const DEVICE_CODE_BITS: f64 = 128.0;

/// Tests the device authorization grant.
pub(in crate::check) fn run(check: &mut Check<'_, '_>) {
    run_answers(check);
    run_entropy(check);
    run_redemptions(check);
    run_clients(check);
}

/// What the answer with the codes looks like.
fn run_answers(check: &mut Check<'_, '_>) {
    check.rule(Rule::DeviceResponse, &mut |check| {
        let exchange = ask(check)?;
        let members = exchange.object().unwrap_or_default();
        let is_text = |name: &str| {
            members
                .get(name)
                .and_then(Value::as_str)
                .is_some_and(|text| !text.is_empty())
        };
        let mut wanted = ["device_code", "user_code", "verification_uri"].into_iter();
        match wanted.find(|name| !is_text(name)) {
            Some(name) => violated(format!("it has no {name}")),
            None => ensure(
                members.get("expires_in").is_some_and(Value::is_number),
                "it has no expires_in",
            ),
        }
    });
    check.rule(Rule::DeviceNoStore, &mut |check| {
        let exchange = ask(check)?;
        let header = exchange.response.header("cache-control").unwrap_or_default();
        ensure(
            header.to_lowercase().contains("no-store"),
            "it has no Cache-Control: no-store",
        )
    });
    check.rule(Rule::DeviceVerificationUri, &mut |check| {
        let exchange = ask(check)?;
        let address = member(&exchange, "verification_uri")?;
        let address = address.expose().split('#').next().unwrap_or_default().to_owned();
        match Endpoint::parse(&address, HttpPolicy::LoopbackOnly) {
            Ok(_) => Ok(()),
            Err(problem) => violated(problem.to_string()),
        }
    });
}

fn run_entropy(check: &mut Check<'_, '_>) {
    check.rule(Rule::DeviceUserCodeEntropy, &mut |check| {
        let codes = samples(check, "user_code")?;
        // What is between the letters is there to be read
        let letters = codes.iter().map(|code| {
            let code = code.expose().chars();
            Secret::new(code.filter(|letter| letter.is_alphanumeric()).collect::<String>())
        });
        expect_bits(&letters.collect::<Vec<_>>(), USER_CODE_BITS)
    });
    check.rule(Rule::DeviceCodeEntropy, &mut |check| {
        let codes = samples(check, "device_code")?;
        expect_bits(&codes, DEVICE_CODE_BITS)
    });
}

/// What a device code is good for.
fn run_redemptions(check: &mut Check<'_, '_>) {
    check.rule(Rule::DeviceApproval, &mut |check| {
        let client = check.prober.client.clone();
        let exchange = poll_new_code(check, &client)?;
        check.expect_no_token(&exchange)
    });
    check.rule(Rule::DevicePending, &mut pending);
    check.rule(Rule::DeviceUnknown, &mut |check| {
        ask(check)?;
        let params = redemption(&Secret::from(UNKNOWN_TOKEN));
        let exchange = check.prober.token_request(params)?;
        check.prober.needs_permitted_grant(&exchange, GRANT)?;
        check.expect_error(&exchange, "invalid_grant")
    });
    check.rule(Rule::DeviceClient, &mut |check| {
        let other = check.prober.unknown_client();
        let exchange = poll_new_code(check, &other)?;
        check.expect_no_token(&exchange)?;
        ensure(!is_pending(&exchange), "the other client gets authorization_pending")
    });
}

/// Who gets codes.
fn run_clients(check: &mut Check<'_, '_>) {
    check.rule(Rule::DeviceUnknownClient, &mut |check| {
        ask(check)?;
        let unknown = check.prober.unknown_client();
        expect_no_codes(check, &unknown)
    });
    check.rule(Rule::DeviceClientAuthentication, &mut |check| {
        check.prober.needs_confidential_client()?;
        ask(check)?;
        let public = check.prober.client_with(ClientAuthentication::None);
        expect_no_codes(check, &public)
    });
}

/// The code was not entered, so nothing can be decided.
fn pending(check: &mut Check<'_, '_>) -> CheckResult {
    let client = check.prober.client.clone();
    let exchange = poll_new_code(check, &client)?;
    check.prober.needs_permitted_grant(&exchange, GRANT)?;
    if exchange.has_token() {
        return inconclusive("it gets a token (device.approval)");
    }
    match exchange.error() {
        Some(_) if is_pending(&exchange) => Ok(()),
        _ if exchange.is_outage() => inconclusive(format!("the server failed with status {}", exchange.status())),
        Some(error) => violated(format!("the error is {error}, not authorization_pending")),
        None => check.expect_error(&exchange, "authorization_pending"),
    }
}

fn is_pending(exchange: &Exchange) -> bool {
    let error = exchange.error();
    error.is_some_and(|error| ["authorization_pending", "slow_down"].contains(&error.as_str()))
}

/// The answer with the codes, for the client as it is.
fn ask(check: &mut Check<'_, '_>) -> Result<Exchange, Failure> {
    ask_for_redemption(check).map(|(exchange, _)| exchange)
}

/// The same with the verifier that the code is redeemed with, where there is one.
fn ask_for_redemption(check: &mut Check<'_, '_>) -> Result<(Exchange, Option<Secret>), Failure> {
    let client = check.prober.client.clone();
    let code_verifier = code_verifier(check)?;
    let exchange = ask_as(check, &client, code_verifier.as_ref())?;
    let has_codes = exchange.status() == 200 && exchange.object().is_some();
    check.prober.needs_permitted_grant(&exchange, GRANT)?;
    match exchange.error() {
        None if has_codes => Ok((exchange, code_verifier)),
        Some(error) => inconclusive(format!("the client gets no codes for a device: {error}")),
        None => inconclusive(format!("the client gets no codes for a device: {}", exchange.summary())),
    }
}

/// PKCE as in a login, where the server lists S256: some demand it for devices, too.
fn code_verifier(check: &mut Check<'_, '_>) -> Result<Option<Secret>, Failure> {
    match check.prober.target.metadata.announces_s256() {
        true => check.prober.random().map(Some),
        false => Ok(None),
    }
}

fn ask_as(check: &mut Check<'_, '_>, client: &Client, code_verifier: Option<&Secret>) -> Result<Exchange, Failure> {
    let url = check.prober.device_authorization_endpoint()?.url().clone();
    let wanted = &check.prober.request.login.authorization;
    let mut params = Params::new();
    if !wanted.scope.is_empty() {
        params.push("scope", &wanted.scope.to_string());
    }
    for resource in &wanted.resource {
        params.push("resource", resource.as_str());
    }
    if let Some(code_verifier) = code_verifier {
        params.push_secret("code_challenge", &secrets::challenge(code_verifier));
        params.push("code_challenge_method", S256);
    }
    let request = check.prober.message(url, params, client)?;
    check.prober.send(request)
}

fn expect_no_codes(check: &mut Check<'_, '_>, client: &Client) -> CheckResult {
    let code_verifier = code_verifier(check)?;
    let exchange = ask_as(check, client, code_verifier.as_ref())?;
    ensure(member(&exchange, "device_code").is_err(), "it gets codes")
}

/// Asks for the tokens of a new code, as this client.
fn poll_new_code(check: &mut Check<'_, '_>, client: &Client) -> Result<Exchange, Failure> {
    let (codes, code_verifier) = ask_for_redemption(check)?;
    let mut params = redemption(&member(&codes, "device_code")?);
    if let Some(code_verifier) = code_verifier {
        params.push_secret("code_verifier", &code_verifier);
    }
    check.prober.token_request_as(params, client)
}

fn redemption(code: &Secret) -> Params {
    let mut params = Params::new();
    params.push("grant_type", device_code::GRANT_TYPE);
    params.push_secret("device_code", code);
    params
}

fn samples(check: &mut Check<'_, '_>, name: &'static str) -> Result<Vec<Secret>, Failure> {
    check.prober.results.begin_sequence();
    (0..SAMPLES)
        .map(|_| {
            let exchange = ask(check)?;
            member(&exchange, name)
        })
        .collect()
}

fn member(exchange: &Exchange, name: &'static str) -> Result<Secret, Failure> {
    let object = exchange.object();
    let text = object
        .as_ref()
        .and_then(|object| object.get(name))
        .and_then(Value::as_str);
    match text.filter(|text| !text.is_empty()) {
        Some(text) => Ok(Secret::from(text)),
        None => inconclusive(format!("the answer has no {name} (device.response)")),
    }
}
