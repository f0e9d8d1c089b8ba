//! The redirect URI is matched exactly (RFC 9700 §4.1.3): a table of tricks,
//! none of which may be redirected to.

use super::ask::{asks_first, refused};
use super::examination::Examination;
use super::probe::Reply;
use super::sign_in::Door;
use super::verdict::{Judgement, broken, kept_if, unseen};
use crate::exit::ExitCode;
use crate::flow::login::CallbackChoice;
use crate::protocol::redirect_uri::{LoopbackAddress, RedirectUri};
use crate::rules::Rule;

const ELSEWHERE: &str = "oauth-check.example";

/// The parts of the registered URI that tricks are made of.
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
type Trick = fn(&Parts<'_>) -> Option<String>;

const TRICKS: &[(Rule, Trick)] = &[
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

/// Judges the tricks.
pub(super) fn judge(examination: &mut Examination<'_, '_>) {
    let registered = examination.redirect_uri.clone();
    for (rule, trick) in TRICKS {
        examination.judge(*rule, &mut |examination| {
            examination.needs_plain_answers()?;
            let Some(tricked) = Parts::of(&registered).and_then(|parts| trick(&parts)) else {
                return unseen("the redirect URI of the client leaves no room for it");
            };
            let mut ask = examination.ask()?;
            ask.params.set("redirect_uri", &tricked);
            let reply = examination.authorize(&ask)?;
            if matches!(reply, Reply::SignIn) {
                return unseen(
                    "the server asks to sign in: it takes this redirect_uri, or looks at it only later; \
                     is one with a wildcard registered?",
                );
            }
            not_sent_to(&reply, &tricked, &registered).map_err(|finding| match (rule, finding) {
                (Rule::RedirectLocalhost, super::verdict::Finding::Broken(how)) => super::verdict::Finding::Broken(
                    format!("{how}; if both are registered on purpose, leave this out with --skip {rule}"),
                ),
                (_, finding) => finding,
            })
        });
    }
    examination.judge(Rule::RedirectRepeated, &mut |examination| {
        examination.needs_plain_answers()?;
        let mut ask = examination.ask()?;
        let other = format!("https://{ELSEWHERE}/");
        ask.params.push("redirect_uri", &other);
        let reply = examination.authorize(&ask)?;
        refused(&reply)?;
        not_sent_to(&reply, &other, &registered)
    });
}

/// A page, or an error at the registered URI, is a refusal.
fn not_sent_to(reply: &Reply, tricked: &str, registered: &RedirectUri) -> Judgement {
    let Reply::Back(back) = reply else {
        return refused(reply);
    };
    if back.grants() {
        return broken(format!("a code is sent to {tricked}"));
    }
    let is_tricked = back.goes_to(tricked) && !back.is_to(registered.as_str());
    kept_if(!is_tricked, format!("the browser is sent to {tricked} with an error"))
}

/// Whether the user leaves the port to this program.
fn picks_any_port(callback: &CallbackChoice) -> bool {
    match callback {
        CallbackChoice::Paste(uri) => uri.port() == Some(0),
        CallbackChoice::Listen(uri, settings) => uri.port() == Some(0) && settings.ports.iter().all(|port| *port == 0),
    }
}

/// RFC 8252 §7.3. Comes first, since without it nothing else may work.
pub(super) fn judge_loopback_port(examination: &mut Examination<'_, '_>) {
    if !examination.wants(Rule::RedirectLoopbackPort) && !matches!(examination.door(), Some(Door::Closed(_))) {
        return;
    }
    let uri = examination.redirect_uri.clone();
    let is_literal = matches!(uri.loopback_address(), Some(LoopbackAddress::V4 | LoopbackAddress::V6));
    let any_port = picks_any_port(&examination.request.login.callback);
    let door = examination.door();
    examination.judge(Rule::RedirectLoopbackPort, &mut |examination| {
        if !is_literal {
            return unseen("the redirect URI is not on a loopback address");
        }
        if !any_port {
            return unseen("the redirect URI names its port: with port 0 it could be seen");
        }
        let mut ask = examination.ask()?;
        match door {
            Some(Door::Closed(_)) => {
                let mut without_port = uri.url().clone();
                let _ = without_port.set_port(None);
                ask.params.set("redirect_uri", without_port.as_str());
                match examination.authorize(&ask)? {
                    Reply::ErrorPage(status) => unseen(format!(
                        "the server answers every request with {status}: is the redirect URI registered?"
                    )),
                    _ => broken(format!("{without_port} is taken, but {uri} is not")),
                }
            }
            Some(Door::Open) => {
                let port = uri.port().unwrap_or_default();
                let other = uri.with_port(if port > 50_000 { port - 1 } else { port + 1 });
                ask.params.set("redirect_uri", other.as_str());
                match examination.authorize(&ask)? {
                    Reply::Back(back) if back.grants() => Ok(()),
                    Reply::SignIn => asks_first(),
                    _ => broken(format!("{uri} is taken, but {other} is not")),
                }
            }
            // Its port was drawn at random.
            _ => examination.main_login().map(|_| ()),
        }
    });
    if let Some(Door::Closed(status @ (400 | 404))) = door {
        examination.stop(
            ExitCode::Refused,
            format!(
                "the server refuses a plain authorization request with a page of status {status}: \
             compare client_id and redirect URI ({uri}) with what is registered"
            ),
        );
    }
}
