//! The redirect URI is matched exactly (RFC 9700 §4.1.3): a table of mutations,
//! none of which may be redirected to.

use crate::check::authorization_probe::{expect_refusal, inconclusive_needs_login};
use crate::check::context::Check;
use crate::check::exchange::Outcome;
use crate::check::logins::Interactivity;
use crate::check::report::{CheckResult, Failure, ensure, inconclusive, violated};
use crate::exit::ExitCode;
use crate::flow::login::CallbackChoice;
use crate::protocol::redirect_uri::{LoopbackAddress, RedirectUri};
use crate::rules::Rule;

const ELSEWHERE: &str = "oauth-check.example";

/// The parts of the registered URI that mutations are made of.
struct Parts<'a> {
    whole: &'a str,
    scheme: &'a str,
    host: &'a str,
    /// With its colon.
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
        Some(format!("{}{mark}code=oauth-check", uri.whole))
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

/// Tests the mutations.
pub(in crate::check) fn run(check: &mut Check<'_, '_>) {
    let registered = check.prober.redirect_uri.clone();
    for (rule, mutate) in MUTATIONS {
        check.rule(*rule, &mut |check| {
            check.needs_plain_answers()?;
            let Some(mutated) = Parts::of(&registered).and_then(|parts| mutate(&parts)) else {
                return inconclusive("the redirect URI of the client leaves no room for it");
            };
            let mut probe = check.prober.probe()?;
            probe.params.set("redirect_uri", &mutated);
            let outcome = check.prober.authorize(&probe)?;
            if matches!(outcome, Outcome::Page) {
                return inconclusive(
                    "the server asks to sign in: it takes this redirect_uri, or looks at it only later; \
                     is one with a wildcard registered?",
                );
            }
            expect_not_sent_to(&outcome, &mutated, &registered).map_err(|failure| match (rule, failure) {
                (Rule::RedirectLocalhost, Failure::Violated(how)) => Failure::Violated(format!(
                    "{how}; if both are registered on purpose, leave this out with --skip {rule}"
                )),
                (_, failure) => failure,
            })
        });
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
    let is_mutated = response.goes_to(mutated) && !response.is_to(registered.as_str());
    ensure(!is_mutated, format!("the browser is sent to {mutated} with an error"))
}

/// RFC 8252 §7.3. Comes first, since without it nothing else may work.
pub(in crate::check) fn run_loopback_port(check: &mut Check<'_, '_>) {
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

fn loopback_port(check: &mut Check<'_, '_>) -> CheckResult {
    let uri = check.prober.redirect_uri.clone();
    if !matches!(uri.loopback_address(), Some(LoopbackAddress::V4 | LoopbackAddress::V6)) {
        return inconclusive("the redirect URI is not on a loopback address");
    }
    let any_port = picks_any_port(&check.prober.request.login.callback);
    let mut probe = check.prober.probe()?;
    match check.logins.interactivity {
        Some(Interactivity::Rejects(page)) if any_port => {
            let mut without_port = uri.url().clone();
            let _ = without_port.set_port(None);
            probe.params.set("redirect_uri", without_port.as_str());
            match check.prober.authorize(&probe)? {
                Outcome::Error(_) => inconclusive(format!(
                    "the server answers every request with {page}: is the redirect URI registered?"
                )),
                _ => violated(format!("{without_port} is taken, but {uri} is not")),
            }
        }
        Some(Interactivity::Rejects(page)) => {
            inconclusive(format!("the server answers even a good request with {page}"))
        }
        Some(Interactivity::AutoApproves) => {
            let other = uri.with_port(other_port(&uri));
            probe.params.set("redirect_uri", other.as_str());
            match check.prober.authorize(&probe)? {
                Outcome::Redirect(response) if response.grants() => Ok(()),
                Outcome::Page => inconclusive_needs_login(),
                _ => violated(format!("{uri} is taken, but {other} is not")),
            }
        }
        // Its port was drawn at random.
        _ if any_port => check.baseline().map(|_| ()),
        _ => inconclusive("the redirect URI names its port: with port 0 it could be seen"),
    }
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
