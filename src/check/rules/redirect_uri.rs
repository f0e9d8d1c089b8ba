//! The redirect URI is matched exactly (RFC 9700 §4.1.3): a table of mutations,
//! none of which may be redirected to.

use crate::check::authorization_probe::{AuthorizationProbe, expect_refusal, inconclusive_needs_login};
use crate::check::context::Check;
use crate::check::exchange::Outcome;
use crate::check::interactivity::Interactivity;
use crate::check::redirect_response::{is_answer, shown_url};
use crate::check::report::{CheckResult, Evidence, Failure, ensure, inconclusive, violated};
use crate::check::secrets;
use crate::check::variant_login::Variant;
use crate::exit::ExitCode;
use crate::flow::login::CallbackChoice;
use crate::protocol::endpoint::is_loopback;
use crate::protocol::redirect_uri::{LoopbackAddress, RedirectUri};
use crate::rules::Rule;
use std::net::{Ipv4Addr, TcpListener};
use url::Url;

const ELSEWHERE: &str = "oauth-check.example";

/// Tabs of the browser that are opened at once.
const TABS_AT_ONCE: usize = 4;

/// The parts of the registered URI that mutations are made of.
struct Parts<'a> {
    whole: &'a str,
    scheme: &'a str,
    host: &'a str,
    port: &'a str,
    path: &'a str,
    query: &'a str,
}

/// Makes another URI of the registered one, where it can.
type RedirectMutation = fn(&Parts<'_>) -> Option<String>;

const MUTATIONS: &[(Rule, RedirectMutation)] = &[
    (Rule::RedirectOtherHost, |uri| {
        Some(format!(
            "{}://{ELSEWHERE}{}{}{}",
            uri.scheme, uri.port, uri.path, uri.query
        ))
    }),
    (Rule::RedirectHostSuffix, |uri| {
        Some(format!(
            "{}://{}.{ELSEWHERE}{}{}{}",
            uri.scheme, uri.host, uri.port, uri.path, uri.query
        ))
    }),
    (Rule::RedirectUserinfo, |uri| {
        Some(format!(
            "{}://{}{}@{ELSEWHERE}{}{}",
            uri.scheme, uri.host, uri.port, uri.path, uri.query
        ))
    }),
    (Rule::RedirectLocalhost, |uri| {
        let other = match uri.host {
            "127.0.0.1" | "[::1]" => "localhost",
            "localhost" => "127.0.0.1",
            _ => return None,
        };
        Some(format!("{}://{other}{}{}{}", uri.scheme, uri.port, uri.path, uri.query))
    }),
    (Rule::RedirectScheme, |uri| {
        let other = if uri.scheme == "https" { "http" } else { "https" };
        Some(format!("{other}://{}{}{}{}", uri.host, uri.port, uri.path, uri.query))
    }),
    (Rule::RedirectJavascript, |uri| {
        Some(format!("javascript://{}{}{}%0aalert(1)", uri.host, uri.port, uri.path))
    }),
    (Rule::RedirectOtherPath, |uri| Some(uri.with_path("/oauth-check"))),
    (Rule::RedirectPathSuffix, |uri| {
        Some(uri.with_path(&format!("{}/oauth-check", uri.path.trim_end_matches('/'))))
    }),
    (Rule::RedirectPathCase, |uri| {
        let other = uri.path.to_ascii_uppercase();
        (other != uri.path).then(|| uri.with_path(&other))
    }),
    (Rule::RedirectTrailingSlash, |uri| {
        Some(uri.with_path(&format!("{}/", uri.path)))
    }),
    (Rule::RedirectDotSegments, |uri| {
        Some(uri.with_path(&format!("/oauth-check/..{}", uri.path)))
    }),
    (Rule::RedirectEncodedDots, |uri| {
        Some(uri.with_path(&format!("/oauth-check/%2e%2e{}", uri.path)))
    }),
    (Rule::RedirectBackslash, |uri| {
        Some(format!(
            "{}://{ELSEWHERE}\\@{}{}{}{}",
            uri.scheme, uri.host, uri.port, uri.path, uri.query
        ))
    }),
    (Rule::RedirectExtraQuery, |uri| {
        let mark = if uri.query.is_empty() { '?' } else { '&' };
        Some(format!("{}{mark}oauth-check=1", uri.whole))
    }),
    (Rule::RedirectCodeInQuery, |uri| {
        let mark = if uri.query.is_empty() { '?' } else { '&' };
        Some(format!("{}{mark}code={}", uri.whole, secrets::MADE_UP))
    }),
    (Rule::RedirectFragment, |uri| Some(format!("{}#oauth-check", uri.whole))),
    (Rule::RedirectControlCharacters, |uri| {
        Some(format!("{}\r\nX-Oauth-Check: 1", uri.whole))
    }),
];

impl<'a> Parts<'a> {
    /// `None` for a URI without a host.
    fn of(uri: &'a RedirectUri) -> Option<Self> {
        let whole = uri.as_str();
        let (scheme, rest) = whole.split_once("://")?;
        let authority = &rest[..rest.find(['/', '?']).unwrap_or(rest.len())];
        let host_end = match authority.rfind(':') {
            Some(colon) if !authority.ends_with(']') => colon,
            _ => authority.len(),
        };
        let (host, port) = authority.split_at(host_end);
        let after = &rest[authority.len()..];
        let (path, query) = after.split_at(after.find('?').unwrap_or(after.len()));
        Some(Parts {
            whole,
            scheme,
            host,
            port,
            path,
            query,
        })
    }

    fn with_path(&self, path: &str) -> String {
        format!("{}://{}{}{path}{}", self.scheme, self.host, self.port, self.query)
    }
}

/// A mutation that the server looks at only after the sign-in.
pub(in crate::check) struct PendingMutation {
    rule: Rule,
    mutated: String,
    variant: Variant,
}

/// Tests the mutations without a browser. Those that are left go through it.
pub(in crate::check) fn run(check: &mut Check<'_, '_>) -> Vec<PendingMutation> {
    let registered = check.prober.redirect_uri.clone();
    let mut pending = Vec::new();
    for (rule, mutate) in MUTATIONS {
        if !check.prober.wants(*rule) || check.prober.is_stopped() {
            continue;
        }
        check.prober.results.clear_evidence();
        let result = match Parts::of(&registered).and_then(|parts| mutate(&parts)) {
            None => inconclusive("the redirect URI of the client leaves no room for it"),
            Some(mutated) => match try_mutation(check, &mutated) {
                Ok((Outcome::Page, probe)) if is_heard_here(check, &mutated) => {
                    let response = None;
                    let variant = Variant { probe, response };
                    pending.push(PendingMutation {
                        rule: *rule,
                        mutated,
                        variant,
                    });
                    continue;
                }
                Ok((Outcome::Page, _)) => needs_other_login(),
                Ok((outcome, _)) => expect_not_sent_to(&outcome, &mutated, &registered),
                Err(failure) => Err(failure),
            },
        };
        record(check, *rule, result);
    }
    check.rule(Rule::RedirectRepeated, &mut |check| {
        check.needs_plain_answers()?;
        let mut probe = check.prober.probe()?;
        let other = format!("https://{ELSEWHERE}/");
        probe.params.push("redirect_uri", &other);
        let outcome = check.prober.authorize(&probe)?;
        expect_refusal(&outcome)?;
        expect_not_sent_to(&outcome, &other, &registered)
    });
    check.logins.pending_variants = pending.len();
    pending
}

fn needs_other_login() -> CheckResult {
    inconclusive(
        "the server asks to sign in: it takes this redirect_uri, or looks at it only later; \
         is one with a wildcard registered?",
    )
}

fn record(check: &mut Check<'_, '_>, rule: Rule, result: CheckResult) {
    let result = result.map_err(|failure| match (rule, failure) {
        (Rule::RedirectLocalhost, Failure::Violated(how)) => Failure::Violated(format!(
            "{how}; if both are registered on purpose, leave this out with --skip {rule}"
        )),
        (_, failure) => failure,
    });
    let evidence = check.prober.results.evidence();
    check.prober.record(rule, result, evidence);
}

fn try_mutation(check: &mut Check<'_, '_>, mutated: &str) -> Result<(Outcome, AuthorizationProbe), Failure> {
    check.needs_plain_answers()?;
    let mut probe = check.prober.probe()?;
    probe.params.set("redirect_uri", mutated);
    let outcome = check.prober.authorize(&probe)?;
    Ok((outcome, probe))
}

/// Whether a browser that is sent to this URI comes to a port of this machine
/// that the examination can listen on.
fn is_heard_here(check: &Check<'_, '_>, mutated: &str) -> bool {
    let registered = check.prober.redirect_uri.url();
    let is_local = match &check.prober.request.login.callback {
        CallbackChoice::Listen(_, settings) => settings.listen.is_none(),
        CallbackChoice::Paste(_) => false,
    };
    let reaches_port = Url::parse(mutated).is_ok_and(|url| {
        url.scheme() == "http" && is_loopback(&url) && url.port_or_known_default() == registered.port_or_known_default()
    });
    check.logins.needs_login() && is_local && reaches_port
}

/// Sends what is left through the browser, a few at a time, and listens where it is sent to.
pub(in crate::check) fn run_in_browser(check: &mut Check<'_, '_>, mut pending: Vec<PendingMutation>) {
    let mut registered = check.prober.redirect_uri.clone();
    if picks_any_port(&check.prober.request.login.callback)
        && !pending.is_empty()
        && let Some(port) = free_port()
    {
        registered = move_to_port(&mut pending, &registered, port);
    }
    let port = registered.url().port_or_known_default().unwrap_or_default();
    while !pending.is_empty() && !check.prober.is_stopped() {
        let (rules, mut variants): (Vec<_>, Vec<Variant>) = pending
            .drain(..pending.len().min(TABS_AT_ONCE))
            .map(|pending| ((pending.rule, pending.mutated), pending.variant))
            .unzip();
        let purpose = "for redirect URIs that must be refused: an error page is a good answer";
        let outcome = check
            .logins
            .try_variants(&mut check.prober, &mut variants, port, purpose);
        for ((rule, mutated), variant) in rules.into_iter().zip(variants) {
            show_variant(check, &variant);
            let result = match (&outcome, variant.response) {
                (Err(failure), _) => Err(failure.as_inconclusive()),
                (Ok(false), _) => inconclusive(format!("port {port} of this machine is in use")),
                (Ok(true), Some(response)) => expect_not_sent_to(&Outcome::Redirect(response), &mutated, &registered),
                (Ok(true), None) => Ok(()),
            };
            record(check, rule, result);
        }
    }
    check.rule(Rule::RedirectLoopbackPort, &mut loopback_port_in_browser);
}

/// A port that no program has at the moment.
fn free_port() -> Option<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).ok()?;
    listener.local_addr().ok().map(|address| address.port())
}

/// The mutations with this port, where any will do; the registered URI with it.
fn move_to_port(pending: &mut [PendingMutation], registered: &RedirectUri, port: u16) -> RedirectUri {
    let moved = registered.with_port(port);
    if let Some(old) = registered.port() {
        for mutation in pending {
            mutation.mutated = mutation.mutated.replacen(&format!(":{old}"), &format!(":{port}"), 1);
            mutation.variant.probe.params.set("redirect_uri", &mutation.mutated);
        }
    }
    moved
}

/// What was sent by the browser and what it came back with.
fn show_variant(check: &mut Check<'_, '_>, variant: &Variant) {
    let Ok(endpoint) = check.prober.authorization_endpoint() else {
        return;
    };
    let sent = shown_url(&endpoint.with_params(&variant.probe.params));
    let came = match &variant.response {
        Some(response) => format!("by the browser {}", response.shown()),
        None => "nothing came to the redirect URI".to_owned(),
    };
    let evidence = Evidence::new(format!("by the browser GET {sent}"), came);
    check.prober.show(Some(evidence));
}

/// A page, or an error at the registered URI, is a refusal.
fn expect_not_sent_to(outcome: &Outcome, mutated: &str, registered: &RedirectUri) -> CheckResult {
    let Outcome::Redirect(response) = outcome else {
        return expect_refusal(outcome);
    };
    if response.grants() {
        let is_registered = response.is_to(registered.as_str()) && !response.is_to(mutated);
        let to = if is_registered { registered.as_str() } else { mutated };
        return violated(format!("a code is sent to {to}"));
    }
    if !is_answer(&response.params) {
        return violated(format!("the browser is sent to {} without an error", response.shown()));
    }
    let is_mutated = response.goes_to(mutated) && !response.is_to(registered.as_str());
    ensure(!is_mutated, format!("the browser is sent to {mutated} with an error"))
}

/// RFC 8252 §7.3. Comes first, since without it nothing else may work.
pub(in crate::check) fn run_loopback_port(check: &mut Check<'_, '_>) {
    if check.logins.needs_login() {
        return;
    }
    check.rule(Rule::RedirectLoopbackPort, &mut loopback_port);
    if let Some(Interactivity::Rejects(page)) = check.logins.interactivity
        && [400, 404].contains(&page.status)
    {
        let uri = check.prober.redirect_uri.clone();
        check.prober.stop(
            ExitCode::Refused,
            format!(
                "the server refuses a plain authorization request with {page}: \
                 compare client_id and redirect URI ({uri}) with what is registered"
            ),
        );
    }
}

/// `Ok` where the port of the redirect URI may be any.
fn needs_loopback_address(uri: &RedirectUri) -> CheckResult {
    match uri.loopback_address() {
        Some(LoopbackAddress::V4 | LoopbackAddress::V6) => Ok(()),
        _ => inconclusive("the redirect URI is not on a loopback address"),
    }
}

fn loopback_port(check: &mut Check<'_, '_>) -> CheckResult {
    let uri = check.prober.redirect_uri.clone();
    needs_loopback_address(&uri)?;
    let Some(Interactivity::Rejects(page)) = check.logins.interactivity else {
        let other = uri.with_port(other_port(&uri));
        return match try_mutation(check, other.as_str())? {
            (Outcome::Redirect(response), _) if response.grants() => Ok(()),
            (Outcome::Page, _) => inconclusive_needs_login(),
            _ => violated(format!("{uri} is accepted, but {other} is not")),
        };
    };
    let mut without_port = uri.url().clone();
    let _ = without_port.set_port(None);
    let mut probe = check.prober.probe()?;
    probe.params.set("redirect_uri", without_port.as_str());
    match check.prober.authorize(&probe)? {
        Outcome::Error(_) => inconclusive(format!(
            "the server answers every request with {page}: is the redirect URI registered?"
        )),
        _ => violated(format!("{without_port} is accepted, but {uri} is not")),
    }
}

/// The same where the server asks to sign in before it looks at the port.
fn loopback_port_in_browser(check: &mut Check<'_, '_>) -> CheckResult {
    let uri = check.prober.redirect_uri.clone();
    needs_loopback_address(&uri)?;
    if picks_any_port(&check.prober.request.login.callback) {
        // Its port was drawn at random.
        return check.baseline().map(|_| ());
    }
    let port = other_port(&uri);
    let other = uri.with_port(port);
    let probe = match try_mutation(check, other.as_str())? {
        (Outcome::Page, probe) => probe,
        (Outcome::Redirect(response), _) if response.grants() => return Ok(()),
        _ => return violated(format!("{uri} is accepted, but {other} is not")),
    };
    let response = None;
    let mut variants = [Variant { probe, response }];
    let purpose = "for the redirect URI with another port";
    let is_heard = check
        .logins
        .try_variants(&mut check.prober, &mut variants, port, purpose)?;
    if !is_heard {
        return inconclusive(format!("port {port} of this machine is in use"));
    }
    let [variant] = variants;
    show_variant(check, &variant);
    let is_taken = variant.response.is_some_and(|response| response.grants());
    ensure(is_taken, format!("{uri} is accepted, but {other} is not"))
}

fn other_port(uri: &RedirectUri) -> u16 {
    let port = uri.port().unwrap_or_default();
    if port > 50_000 { port - 1 } else { port + 1 }
}

/// Whether the user leaves the port to this program.
fn picks_any_port(callback: &CallbackChoice) -> bool {
    match callback {
        CallbackChoice::Paste(uri) => uri.port() == Some(0),
        CallbackChoice::Listen(uri, settings) => uri.port() == Some(0) && settings.ports.iter().all(|port| *port == 0),
    }
}
