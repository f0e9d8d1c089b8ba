//! Pushed authorization requests (RFC 9126): what the endpoint takes, and what
//! a reference is good for.

use crate::check::authorization_probe::{AuthorizationProbe, expect_refusal, inconclusive_needs_login};
use crate::check::carrier::reference;
use crate::check::context::Check;
use crate::check::entropy::expect_bits;
use crate::check::exchange::{Exchange, Outcome};
use crate::check::report::{CheckResult, Failure, ensure, inconclusive, violated};
use crate::check::secrets;
use crate::check::token_requests::{UNKNOWN_CLIENT, UNKNOWN_TOKEN};
use crate::protocol::client::{Client, ClientAuthentication};
use crate::protocol::http::HttpRequest;
use crate::protocol::params::Params;
use crate::protocol::pushed_authorization;
use crate::rules::Rule;
use crate::secret::Secret;
use serde_json::Value;

/// So many references are compared with each other.
const SAMPLES: usize = 3;

const REQUEST_URI_BITS: f64 = 128.0;

/// Longer is not "relatively short" (RFC 9126 §2.2).
const MAX_LIFETIME_S: u64 = 600;

/// A host that does not exist: RFC 6761 §6.4 keeps the name for this.
const FOREIGN_REDIRECT_URI: &str = "https://client.invalid/callback";

/// A request that the server keeps.
struct Pushed {
    probe: AuthorizationProbe,
    exchange: Exchange,
    request_uri: String,
}

type Test = fn(&mut Check<'_, '_>) -> CheckResult;

const TESTS: [(Rule, Test); 12] = [
    (Rule::ParResponse, response),
    (Rule::ParEntropy, entropy),
    (Rule::ParLifetime, |check| {
        let pushed = push(check)?;
        let lifetime_s = pushed
            .exchange
            .object()
            .and_then(|object| object.get("expires_in")?.as_u64());
        match lifetime_s {
            Some(lifetime_s) => ensure(lifetime_s <= MAX_LIFETIME_S, format!("it is valid for {lifetime_s} s")),
            None => inconclusive("the answer has no expires_in (par.response)"),
        }
    }),
    (Rule::ParNoStore, |check| {
        let pushed = push(check)?;
        let header = pushed.exchange.header("cache-control").to_lowercase();
        ensure(
            header.contains("no-store") || header.contains("no-cache"),
            "it has no Cache-Control: no-store",
        )
    }),
    (Rule::ParSingleUse, |check| {
        let pushed = push(check)?;
        check.prober.results.begin_sequence();
        needs_grant(&authorize_by(check, &pushed, |_| {})?)?;
        expect_refusal(&authorize_by(check, &pushed, |_| {})?)
    }),
    (Rule::ParClient, |check| {
        let pushed = push(check)?;
        expect_refusal(&authorize_by(check, &pushed, |params| {
            params.set("client_id", UNKNOWN_CLIENT)
        })?)
    }),
    (Rule::ParUnknown, |check| {
        let pushed = push(check)?;
        let mut probe = pushed.probe.clone();
        let (prefix, _) = pushed.request_uri.rsplit_once(':').unwrap_or_default();
        probe.params.push("request_uri", &format!("{prefix}:{UNKNOWN_TOKEN}"));
        expect_refusal(&check.prober.authorize(&probe)?)
    }),
    (Rule::ParParameters, |check| {
        let pushed = push(check)?;
        match authorize_by(check, &pushed, |params| params.push("state", secrets::MADE_UP))? {
            Outcome::Redirect(response) => {
                let state = response.value("state").unwrap_or_default().to_owned();
                ensure(state != secrets::MADE_UP, "the state beside it comes back")
            }
            Outcome::Error(page) if !page.is_outage() => Ok(()),
            outcome => expect_refusal(&outcome),
        }
    }),
    (Rule::ParRequestUri, |check| {
        let pushed = push(check)?;
        expect_no_reference(check, |params| params.push("request_uri", &pushed.request_uri))
    }),
    (Rule::ParRedirectUri, |check| {
        push(check)?;
        expect_no_reference(check, |params| params.set("redirect_uri", FOREIGN_REDIRECT_URI))
    }),
    (Rule::ParPostOnly, by_get),
    (Rule::ParClientAuthentication, |check| {
        check.prober.needs_confidential_client()?;
        push(check)?;
        let probe = check.prober.probe()?;
        let public = check.prober.client_with(ClientAuthentication::None);
        let exchange = post(check, &probe.params, &public)?;
        refused(&exchange)
    }),
];

/// Tests pushed authorization requests.
pub(in crate::check) fn run(check: &mut Check<'_, '_>) {
    for (rule, test) in TESTS {
        check.rule(rule, &mut |check| test(check));
    }
}

fn response(check: &mut Check<'_, '_>) -> CheckResult {
    let pushed = push(check)?;
    let members = pushed.exchange.object().unwrap_or_default();
    let status = pushed.exchange.status();
    if status != 201 {
        return violated(format!("the status is {status}"));
    }
    let lifetime_s = members.get("expires_in").and_then(Value::as_u64);
    ensure(
        lifetime_s.is_some_and(|lifetime_s| lifetime_s > 0),
        "expires_in is absent or no positive number",
    )
}

fn entropy(check: &mut Check<'_, '_>) -> CheckResult {
    let mut references = Vec::new();
    for _ in 0..SAMPLES {
        references.push(Secret::new(push(check)?.request_uri));
    }
    expect_bits(&references, REQUEST_URI_BITS)
}

/// The same parameters in the URL of a GET.
fn by_get(check: &mut Check<'_, '_>) -> CheckResult {
    push(check)?;
    let probe = check.prober.probe()?;
    let endpoint = check.prober.pushed_authorization_request_endpoint()?;
    let mut params = check.prober.params_to_push(&probe.params)?;
    let header = check.prober.authenticate_in_query(endpoint.url(), &mut params)?;
    params.set("client_id", &check.prober.client.id.to_string());
    let mut request = HttpRequest::get(endpoint.with_params(&params));
    request
        .headers
        .extend(header.map(|header| ("authorization".into(), header)));
    let exchange = check.prober.send(request)?;
    refused(&exchange)
}

/// Pushes a request that the server should take.
fn push(check: &mut Check<'_, '_>) -> Result<Pushed, Failure> {
    let probe = check.prober.probe()?;
    let client = check.prober.client.clone();
    let exchange = post(check, &probe.params, &client)?;
    match reference(&exchange) {
        Some(request_uri) => Ok(Pushed {
            probe,
            exchange,
            request_uri,
        }),
        None => inconclusive(match exchange.error() {
            Some(error) => format!("the client can push nothing: {error}"),
            None => format!("the client can push nothing: {}", exchange.summary()),
        }),
    }
}

fn post(check: &mut Check<'_, '_>, params: &Params, client: &Client) -> Result<Exchange, Failure> {
    let endpoint = check.prober.pushed_authorization_request_endpoint()?;
    let params = check.prober.params_to_push(params)?;
    let mut context = check.prober.world.caller.authentication_context();
    let request = pushed_authorization::http_request(&params, client, &endpoint, &mut context);
    let request = request.map_err(|error| Failure::Inconclusive(error.to_string()))?;
    check.prober.send(request)
}

/// A push with something in it that must be refused.
fn expect_no_reference(check: &mut Check<'_, '_>, change: impl Fn(&mut Params)) -> CheckResult {
    let mut probe = check.prober.probe()?;
    change(&mut probe.params);
    let client = check.prober.client.clone();
    let exchange = post(check, &probe.params, &client)?;
    refused(&exchange)
}

fn refused(exchange: &Exchange) -> CheckResult {
    if reference(exchange).is_some() {
        return violated("it gets a request_uri");
    }
    match exchange.is_outage() {
        true => inconclusive(format!("the server failed with status {}", exchange.status())),
        false => Ok(()),
    }
}

/// Sends a browser that never was there with a reference.
fn authorize_by(check: &mut Check<'_, '_>, pushed: &Pushed, change: impl Fn(&mut Params)) -> Result<Outcome, Failure> {
    check.needs_plain_answers()?;
    let mut params = Params::new();
    params.push("client_id", &check.prober.client.id.to_string());
    params.push("request_uri", &pushed.request_uri);
    change(&mut params);
    let probe = AuthorizationProbe {
        params,
        ..pushed.probe.clone()
    };
    check.prober.authorize(&probe)
}

/// `Ok` where a reference is taken, so that a refusal means something.
fn needs_grant(outcome: &Outcome) -> CheckResult {
    match outcome {
        Outcome::Redirect(response) if response.grants() => Ok(()),
        Outcome::Redirect(response) => inconclusive(format!("the pushed request is refused: {}", response.refusal())),
        Outcome::Error(page) => inconclusive(format!("the pushed request is refused by {page}")),
        Outcome::PushRefused(refusal) => inconclusive(format!("the pushed request is refused with {refusal}")),
        Outcome::Page => inconclusive_needs_login(),
    }
}
