//! The metadata of an API (RFC 9728), read raw, and the tokens that it takes.

use crate::check::api::{Api, ApiDocument, api_request, expect_taken, is_refused, needs_scope, no_api};
use crate::check::context::Check;
use crate::check::exchange::Exchange;
use crate::check::member_type::needs_type;
use crate::check::report::{CheckResult, Failure, ensure, inconclusive, violated};
use crate::foreign_text::Quoted;
use crate::protocol::endpoint::{Endpoint, HttpPolicy, Issuer};
use crate::protocol::http::HttpRequest;
use crate::protocol::params::Params;
use crate::rules::Rule;
use crate::secret::Secret;
use serde_json::Value;
use std::rc::Rc;

type DocumentTest = fn(&Api, &ApiDocument) -> CheckResult;

/// Rules about the document alone, with the member that they are about.
const RULES: &[(Rule, &str, DocumentTest)] = &[
    (Rule::ResourceContentType, "", |_, document| {
        let media_type = document.exchange.response.media_type().unwrap_or_default();
        ensure(
            media_type == "application/json",
            format!("it is {}", Quoted::name(&media_type)),
        )
    }),
    (Rule::ResourceIdentity, "resource", |api, document| {
        needs_own_url(api)?;
        match document.text("resource") {
            Some(found) => ensure(
                api.is_named_by(found),
                format!("it is {}, and the API is {}", Quoted::name(found), api.url),
            ),
            None => violated("there is no resource"),
        }
    }),
    (Rule::ResourceUrl, "resource", |_, document| {
        let Some(found) = document.text("resource") else {
            return inconclusive("there is no resource (resource.identity)");
        };
        match Endpoint::parse(found, HttpPolicy::LoopbackOnly) {
            Ok(_) => Ok(()),
            Err(problem) => violated(problem.to_string()),
        }
    }),
    (
        Rule::ResourceAuthorizationServers,
        "authorization_servers",
        |_, document| {
            let named = document.list("authorization_servers");
            ensure(named.is_some_and(|named| !named.is_empty()), "it names none")
        },
    ),
    (Rule::ResourceScopes, "scopes_supported", |_, document| {
        ensure(document.list("scopes_supported").is_some(), "it is not there")
    }),
    (Rule::ResourceNoOfflineAccess, "scopes_supported", |_, document| {
        let scopes = document.list("scopes_supported").unwrap_or_default();
        ensure(!scopes.contains(&"offline_access"), "it has offline_access")
    }),
    (
        Rule::ResourceBearerMethods,
        "bearer_methods_supported",
        |_, document| {
            let Some(methods) = document.list("bearer_methods_supported") else {
                return Ok(());
            };
            ensure(methods.contains(&"header"), "it has no header")?;
            ensure(!methods.contains(&"query"), "it has query")
        },
    ),
    (Rule::ResourceEmptyArrays, "", |_, document| {
        let is_empty = |value: &Value| value.as_array().is_some_and(Vec::is_empty);
        let mut empty = document.members.iter().filter(|(_, value)| is_empty(value));
        match empty.next() {
            Some((name, _)) => violated(format!("{} is one", Quoted::name(name))),
            None => Ok(()),
        }
    }),
];

/// Tests the metadata.
pub(in crate::check) fn run_metadata(check: &mut Check<'_, '_>) {
    for (rule, member, test) in RULES {
        with_document(check, *rule, member, &mut |_, api, document| test(api, document));
    }
    check.rule(Rule::ResourceWellKnown, &mut well_known);
    check.rule(Rule::ResourceDocumentsAgree, &mut |check| {
        let api = api(check)?;
        let (Some(named), Some(well_known)) = (&api.named, &api.well_known) else {
            return inconclusive("there is only one document");
        };
        check.prober.show(Some(well_known.exchange.evidence()));
        let names = named.members.keys().chain(well_known.members.keys());
        let mut other = names.filter(|name| named.members.get(*name) != well_known.members.get(*name));
        match other.next() {
            Some(name) => violated(format!("they differ in {}", Quoted::name(name))),
            None => Ok(()),
        }
    });
    with_document(
        check,
        Rule::ResourceKnownScopes,
        "scopes_supported",
        &mut |check, _, document| {
            let Some(known) = check.prober.target.metadata.scopes_supported.clone() else {
                return Ok(());
            };
            let scopes = document.list("scopes_supported").unwrap_or_default();
            let mut unknown = scopes.into_iter().filter(|scope| !known.iter().any(|own| own == scope));
            match unknown.next() {
                Some(scope) => violated(format!("the authorization server has no {}", Quoted::name(scope))),
                None => Ok(()),
            }
        },
    );
    with_document(
        check,
        Rule::ResourceIssuers,
        "authorization_servers",
        &mut |check, _, document| {
            for text in document.list("authorization_servers").unwrap_or_default() {
                has_metadata(check, text)?;
            }
            Ok(())
        },
    );
}

fn well_known(check: &mut Check<'_, '_>) -> CheckResult {
    let api = api(check)?;
    match &api.well_known {
        Some(document) => {
            check.prober.show(Some(document.exchange.evidence()));
            Ok(())
        }
        None => {
            needs_own_url(&api)?;
            check
                .prober
                .show(api.named.as_ref().map(|document| document.exchange.evidence()));
            violated("there is no document")
        }
    }
}

/// `Ok` unless the URL is only a part of an API, whose metadata are elsewhere.
fn needs_own_url(api: &Api) -> CheckResult {
    match api.wider_resource() {
        None => Ok(()),
        Some(resource) => inconclusive(format!(
            "the URL is a part of the API {resource}: oauth check {resource}"
        )),
    }
}

/// `Ok` where a server has metadata with this issuer.
fn has_metadata(check: &mut Check<'_, '_>, text: &str) -> CheckResult {
    let issuer = match Issuer::parse(text, HttpPolicy::LoopbackOnly) {
        Ok(issuer) => issuer,
        Err(problem) => return violated(format!("{}: {problem}", Quoted::name(text))),
    };
    let is_its_own = |exchange: &Exchange| {
        let members = exchange.object().filter(|_| exchange.status() == 200);
        members.is_some_and(|members| members.get("issuer").and_then(Value::as_str) == Some(text))
    };
    for url in issuer.well_known_urls() {
        if is_its_own(&check.prober.send(HttpRequest::get(url))?) {
            return Ok(());
        }
    }
    violated(format!("{} has no metadata with that issuer", Quoted::name(text)))
}

fn with_document(
    check: &mut Check<'_, '_>,
    rule: Rule,
    member: &str,
    test: &mut dyn FnMut(&mut Check<'_, '_>, &Api, &ApiDocument) -> CheckResult,
) {
    check.rule(rule, &mut |check| {
        let api = api(check)?;
        let Some(document) = api.document() else {
            return no_api();
        };
        let shown = match document.members.get(member) {
            _ if member.is_empty() => String::new(),
            Some(value) => format!("with \"{member}\": {value}"),
            None => format!("without {member}"),
        };
        let evidence = document.exchange.evidence_with(&shown);
        let result = readable(document, member, rule).and_then(|()| test(check, &api, document));
        check.prober.show(Some(evidence));
        result
    });
}

/// `Ok` where a member is of the type that it must be. Where it is not, one of
/// its rules is broken, and the others cannot be tested.
fn readable(document: &ApiDocument, member: &str, rule: Rule) -> CheckResult {
    let broken = match member {
        "resource" => Rule::ResourceIdentity,
        "authorization_servers" => Rule::ResourceAuthorizationServers,
        "scopes_supported" => Rule::ResourceScopes,
        _ => rule,
    };
    needs_type(&document.members, member, rule, broken)
}

pub(super) fn api(check: &Check<'_, '_>) -> Result<Rc<Api>, Failure> {
    match &check.api {
        Some(api) => Ok(Rc::clone(api)),
        None => no_api(),
    }
}

/// The same where something at its URL answers to GET: else neither a challenge
/// nor the lack of one says anything.
pub(super) fn answering_api(check: &Check<'_, '_>) -> Result<Rc<Api>, Failure> {
    let api = api(check)?;
    match api.challenge.status() {
        status @ (404 | 405 | 410 | 501) => inconclusive(format!(
            "GET {} is answered with {status}: give a URL of the API that answers to GET",
            api.url
        )),
        _ => Ok(api),
    }
}

/// Tests which tokens the API takes.
pub(in crate::check) fn run_tokens(check: &mut Check<'_, '_>) {
    check.rule(Rule::ResourceToken, &mut |check| {
        let token = own_token(check)?;
        let exchange = call(check, &token)?;
        needs_scope(
            &exchange,
            &*api(check)?,
            &check.prober.request.login.authorization.scope,
        )?;
        ensure(
            !is_refused(&exchange),
            format!("the answer is status {}", exchange.status()),
        )
    });
    check.rule(Rule::ResourceTokenInQuery, &mut |check| {
        let token = own_token(check)?;
        let usual = call(check, &token)?;
        expect_taken(&usual)?;
        let api = api(check)?;
        let mut params = Params::new();
        params.push_secret("access_token", &token);
        let mut request = api_request(&api.url, None);
        let endpoint = Endpoint::parse(api.url.as_str(), HttpPolicy::Everywhere);
        request.url = match endpoint {
            Ok(endpoint) => endpoint.with_params(&params),
            Err(problem) => return inconclusive(problem.to_string()),
        };
        let exchange = check.prober.send(request)?;
        let is_taken = exchange.status() == usual.status() && !is_refused(&exchange);
        ensure(!is_taken, "it is accepted")
    });
    check.rule(Rule::ResourceIdToken, &mut |check| {
        check.prober.needs_openid()?;
        answering_api(check)?;
        let baseline = check.baseline()?;
        let (tokens, _) = baseline.tokens()?;
        expect_taken(&call(check, &tokens.access_token)?)?;
        let Some(id_token) = &tokens.id_token else {
            return inconclusive("no ID token came");
        };
        let exchange = call(check, id_token)?;
        ensure(is_refused(&exchange), "it is accepted")
    });
    check.rule(Rule::ResourceAudience, &mut audience);
}

/// A token of the same server for an API that does not exist.
fn audience(check: &mut Check<'_, '_>) -> CheckResult {
    const OTHER: &str = "https://another-api.example/";
    let token = own_token(check)?;
    expect_taken(&call(check, &token)?)?;
    let mut probe = check.prober.probe()?;
    probe.params.set("resource", OTHER);
    let purpose = "for a token for another API";
    let Some(exchange) = check.answer_or_page(probe, purpose)? else {
        return inconclusive("the server issues no token for an API that it does not know");
    };
    let code = check.code_from(exchange)?;
    let mut params = check.prober.code_params(&code);
    params.set("resource", OTHER);
    let exchange = check.prober.token_request(params)?;
    let Some(tokens) = exchange.tokens() else {
        return inconclusive("the server issues no token for an API that it does not know");
    };
    let exchange = call(check, &tokens.access_token)?;
    ensure(is_refused(&exchange), "it is accepted")
}

/// The access token of the baseline, which was asked for with the API as resource.
fn own_token(check: &mut Check<'_, '_>) -> Result<Secret, Failure> {
    answering_api(check)?;
    let baseline = check.baseline()?;
    let (tokens, _) = baseline.tokens()?;
    Ok(tokens.access_token.clone())
}

fn call(check: &mut Check<'_, '_>, token: &Secret) -> Result<Exchange, Failure> {
    let api = api(check)?;
    check.prober.send(api_request(&api.url, Some(token)))
}
