//! The pages of the authorization endpoint: the headers that they are sent with
//! (RFC 9700 §4.16), and whether they show a request's values safely.

use crate::check::authorization_probe::AuthorizationProbe;
use crate::check::carrier::Carried;
use crate::check::context::Check;
use crate::check::exchange::Exchange;
use crate::check::form_action::blocking_policy;
use crate::check::report::{CheckResult, Failure, Test, ensure, inconclusive, violated};
use crate::check::token_requests::UNKNOWN_CLIENT;
use crate::foreign_text::Quoted;
use crate::protocol::http::{HeaderValue, Method};
use crate::rules::Rule;
use url::Url;

/// What a page must not repeat as it is.
const MARK: &str = "\"><oauth-check>'";
const MARK_AS_ELEMENT: &str = "<oauth-check>";

/// What can be clicked, so that a page that frames it can have it clicked.
const CONTROLS: [&str; 4] = ["<form", "<button", "<input", "<script"];

/// Policies that keep the query from other origins (Referrer Policy §3).
const TIGHT_POLICIES: [&str; 6] = [
    "no-referrer",
    "origin",
    "same-origin",
    "strict-origin",
    "origin-when-cross-origin",
    "strict-origin-when-cross-origin",
];

const RULES: [(Rule, Test<Exchange>); 3] = [
    (Rule::AuthorizeFraming, |page| {
        let options = page.header("x-frame-options").to_ascii_lowercase();
        let by_options = ["deny", "sameorigin"].contains(&options.trim());
        let by_policy = page.header("content-security-policy").contains("frame-ancestors");
        let is_protected = by_options || by_policy;
        if !is_protected && page.status() >= 400 && !CONTROLS.iter().any(|control| page.contains(control)) {
            return inconclusive("the only page that could be seen is an error page, on which nothing can be clicked");
        }
        ensure(is_protected, "neither X-Frame-Options nor frame-ancestors is there")
    }),
    (Rule::AuthorizeContentSecurityPolicy, |page| {
        ensure(!page.header("content-security-policy").is_empty(), "there is none")
    }),
    (Rule::AuthorizeReferrerPolicy, |page| {
        let header = page.header("referrer-policy").to_ascii_lowercase();
        // The last one that a browser knows counts.
        let policy = header.split(',').next_back().unwrap_or_default().trim().to_owned();
        let in_page = page.contains("name=\"referrer\"");
        if policy.is_empty() && in_page {
            return Ok(());
        }
        let shown = if policy.is_empty() {
            "there is none"
        } else {
            policy.as_str()
        };
        ensure(TIGHT_POLICIES.contains(&policy.as_str()), shown)
    }),
];

/// Tests the pages.
pub(in crate::check) fn run(check: &mut Check<'_, '_>) {
    for (rule, test) in RULES {
        check.rule(rule, &mut |check| test(&page(check)?));
    }
    check.rule(Rule::AuthorizeNoCors, &mut |check| {
        let probe = check.prober.probe()?;
        let origin = HeaderValue::Plain("https://oauth-check.example".to_owned());
        let exchange = check
            .prober
            .authorize_by(Method::Get, &probe, vec![("origin".into(), origin)])?;
        let allowed = exchange.header("access-control-allow-origin");
        ensure(
            allowed.is_empty(),
            format!("Access-Control-Allow-Origin is {}", Quoted::name(allowed)),
        )
    });
    check.rule(Rule::AuthorizeFormAction, &mut form_action);
    check.rule(Rule::AuthorizeEscaping, &mut escaping);
}

/// Browsers but for Firefox apply the policy of a page to the redirects that
/// answer its form, too. What is seen is the first page; servers have one
/// policy for all as a rule.
fn form_action(check: &mut Check<'_, '_>) -> CheckResult {
    let probe = check.prober.probe()?;
    let Some(page) = landing(check, &probe)?.filter(|page| page.contains("<form")) else {
        return inconclusive("the server shows a page with a form only to a user who signs in");
    };
    let server = check.prober.target.metadata.authorization_endpoint.clone();
    let Some((server, client)) = server.zip(Url::parse(probe.redirect_uri()).ok()) else {
        return inconclusive("the redirect URI is not a URL");
    };
    match blocking_policy(&page, server.url(), &client) {
        None => Ok(()),
        Some(policy) => violated(format!(
            "form-action of the page is {}, which does not let {} through",
            Quoted::message(&policy),
            client.origin().ascii_serialization()
        )),
    }
}

/// The sign-in page, else the page for an unknown client.
fn page(check: &mut Check<'_, '_>) -> Result<Exchange, Failure> {
    let mut probe = check.prober.probe()?;
    if let Some(page) = landing(check, &probe)? {
        return Ok(page);
    }
    probe.params.set("client_id", UNKNOWN_CLIENT);
    match landing(check, &probe)? {
        Some(page) => Ok(page),
        None => inconclusive("the server shows no page that could be looked at"),
    }
}

/// The page that a browser which never was there ends on, at the server itself.
fn landing(check: &mut Check<'_, '_>, probe: &AuthorizationProbe) -> Result<Option<Exchange>, Failure> {
    let exchange = match check.prober.follow_redirects(probe)? {
        Ok(exchange) => exchange,
        // A browser that comes with the request itself may still be shown a page.
        Err(_push_refused) => {
            let as_it_is = Carried {
                params: probe.params.clone(),
                pushed: None,
            };
            check.prober.follow_redirects_with(&as_it_is, probe)?
        }
    };
    Ok(exchange.is_page().then_some(exchange))
}

fn escaping(check: &mut Check<'_, '_>) -> CheckResult {
    let changes: [fn(&mut AuthorizationProbe); 4] = [
        |probe| probe.params.set("client_id", MARK),
        |probe| {
            let marked = format!("{}/{MARK}", probe.redirect_uri());
            probe.params.set("redirect_uri", &marked);
        },
        |probe| probe.params.set("scope", MARK),
        |probe| {
            probe.params.set("login_hint", MARK);
            probe.extend_state(MARK);
        },
    ];
    let mut seen = false;
    for change in changes {
        let mut probe = check.prober.probe()?;
        change(&mut probe);
        if let Some(page) = landing(check, &probe)? {
            seen = true;
            if page.contains(MARK_AS_ELEMENT) {
                return violated("a page repeats a value of the request without escaping it");
            }
        }
    }
    if seen {
        Ok(())
    } else {
        inconclusive("the server shows no page that could be looked at")
    }
}
