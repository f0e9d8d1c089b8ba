//! The pages of the authorization endpoint: what a browser is told about them
//! (RFC 9700 §4.16), and whether they show a request's values safely.

use super::ask::Ask;
use super::examination::Examination;
use super::probe::Exchange;
use super::token_request::NOBODY;
use super::verdict::{Finding, Judgement, Test, broken, kept_if, unseen};
use crate::protocol::http::{HeaderValue, Method};
use crate::rules::Rule;

/// What a page must not repeat as it stands.
const MARK: &str = "\"><oauth-check>'";
const MARK_AS_ELEMENT: &str = "<oauth-check>";

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
        kept_if(
            by_options || by_policy,
            "neither X-Frame-Options nor frame-ancestors is there",
        )
    }),
    (Rule::AuthorizeContentSecurityPolicy, |page| {
        kept_if(!page.header("content-security-policy").is_empty(), "there is none")
    }),
    (Rule::AuthorizeReferrerPolicy, |page| {
        let header = page.header("referrer-policy").to_ascii_lowercase();
        // The last one that a browser knows counts.
        let policy = header.split(',').next_back().unwrap_or_default().trim().to_owned();
        let in_page = page.says("name=\"referrer\"");
        if policy.is_empty() && in_page {
            return Ok(());
        }
        let shown = if policy.is_empty() {
            "there is none"
        } else {
            policy.as_str()
        };
        kept_if(TIGHT_POLICIES.contains(&policy.as_str()), shown)
    }),
];

/// Judges the pages.
pub(super) fn judge(examination: &mut Examination<'_, '_>) {
    for (rule, test) in RULES {
        examination.judge(rule, &mut |examination| test(&page(examination)?));
    }
    examination.judge(Rule::AuthorizeNoCors, &mut |examination| {
        let ask = examination.ask()?;
        let origin = HeaderValue::Plain("https://oauth-check.example".to_owned());
        let exchange = examination.authorize_by(Method::Get, &ask, vec![("origin", origin)])?;
        let allowed = exchange.header("access-control-allow-origin");
        kept_if(allowed.is_empty(), format!("Access-Control-Allow-Origin: {allowed}"))
    });
    examination.judge(Rule::AuthorizeEscaping, &mut escaping);
}

/// The sign-in page, else the page for a client that nobody knows.
fn page(examination: &mut Examination<'_, '_>) -> Result<Exchange, Finding> {
    let mut ask = examination.ask()?;
    if let Some(page) = landing(examination, &ask)? {
        return Ok(page);
    }
    ask.params.set("client_id", NOBODY);
    match landing(examination, &ask)? {
        Some(page) => Ok(page),
        None => unseen("the server shows no page that could be looked at"),
    }
}

/// The page that a browser which never was there ends on, at the server itself.
fn landing(examination: &mut Examination<'_, '_>, ask: &Ask) -> Result<Option<Exchange>, Finding> {
    let exchange = examination.landing(ask)?;
    Ok(exchange.is_page().then_some(exchange))
}

fn escaping(examination: &mut Examination<'_, '_>) -> Judgement {
    let changes: [fn(&mut Ask); 4] = [
        |ask| ask.params.set("client_id", MARK),
        |ask| {
            let marked = format!("{}/{MARK}", ask.redirect_uri());
            ask.params.set("redirect_uri", &marked);
        },
        |ask| ask.params.set("scope", MARK),
        |ask| {
            ask.params.set("login_hint", MARK);
            ask.extend_state(MARK);
        },
    ];
    let mut seen = false;
    for change in changes {
        let mut ask = examination.ask()?;
        change(&mut ask);
        if let Some(page) = landing(examination, &ask)? {
            seen = true;
            if page.says(MARK_AS_ELEMENT) {
                return broken("a page repeats a value of the request as it stands");
            }
        }
    }
    if seen {
        Ok(())
    } else {
        unseen("the server shows no page that could be looked at")
    }
}
