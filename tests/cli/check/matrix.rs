//! Rules × broken servers: for every rule of the catalogue a server that
//! breaks it, and of that server exactly this is said.

use super::{Client, check, examine_each, is_of_apis, lenient_server, lenient_tls_server, rules, with_verdict};
use crate::support::binary::Home;
use crate::support::outcome::run;
use oauth::rules::{Level, Rule};
use std::collections::BTreeSet;

/// Rules that cannot be broken alone, with those that are broken with them.
const FOLLOWING: &[(Rule, &[Rule])] = &[
    // An issuer with a query is never the one that was asked for.
    (Rule::MetadataIssuerUrl, &[Rule::MetadataIssuer]),
    // Fewer than 128 bits are fewer than 160.
    (Rule::AuthorizeCodeEntropy, &[Rule::AuthorizeCodeEntropyMore]),
    (Rule::TokenEntropy, &[Rule::TokenEntropyMore]),
    (Rule::TokenRefreshEntropy, &[Rule::TokenRefreshEntropyMore]),
    // What a request by URL may name, a pushed one may name, too.
    (Rule::RedirectScheme, &[Rule::ParRedirectUri]),
    // A code without a challenge takes a request without one.
    (Rule::PkceVerifierWithoutChallenge, &[Rule::PkceRequired]),
    // What is neither Bearer nor DPoP is not DPoP, and not N_A.
    (Rule::TokenType, &[Rule::DpopTokenType, Rule::IdJagTokenType]),
    // What works twice works twice at the same moment.
    (Rule::CodeSingleUse, &[Rule::CodeParallel]),
    (Rule::RefreshReuse, &[Rule::RefreshParallel]),
    // Without aud, none is right, and a revoked token is not recognized as one that was issued.
    (
        Rule::TokenAudience,
        &[Rule::TokenResource, Rule::TokenProfile, Rule::ExchangeRevoked],
    ),
];

/// Rules that only a client with a secret can see.
const FOR_CONFIDENTIAL_CLIENTS: [Rule; 9] = [
    Rule::ParClientAuthentication,
    Rule::DeviceClientAuthentication,
    Rule::RefreshClientAuthentication,
    Rule::RevocationClientAuthentication,
    Rule::TokenTwoMethods,
    Rule::TokenClientAuthentication,
    Rule::TokenWrongSecret,
    Rule::IntrospectionActive,
    Rule::IntrospectionInactive,
];

/// Rules that only a client with assertions can see.
const FOR_SIGNING_CLIENTS: [Rule; 17] = [
    Rule::RequestObjectSignature,
    Rule::RequestObjectUnsigned,
    Rule::RequestObjectIssuer,
    Rule::RequestObjectAudience,
    Rule::RequestObjectExpired,
    Rule::RequestObjectClient,
    Rule::RequestObjectType,
    Rule::RequestObjectNested,
    Rule::RequestObjectParameters,
    Rule::AssertionSignature,
    Rule::AssertionUnsigned,
    Rule::AssertionAudience,
    Rule::AssertionExpired,
    Rule::AssertionNoExpiry,
    Rule::AssertionIssuer,
    Rule::AssertionSubject,
    Rule::AssertionReplay,
];

/// Rules that only a client with a certificate can see.
const FOR_CLIENTS_WITH_CERTIFICATES: [Rule; 6] = [
    Rule::MtlsOtherCertificate,
    Rule::MtlsRefresh,
    Rule::MtlsConfirmation,
    Rule::MtlsIntrospection,
    Rule::MtlsBearer,
    Rule::MtlsTokenOfOther,
];

/// Rules about what a resource owner is asked, with those that are tested
/// beside them: nobody signs in here.
const OF_THE_SIGN_IN_PAGE: [Rule; 2] = [Rule::AuthorizeFraming, Rule::AuthorizeFormAction];

/// Rules that need no signing in, for a server that asks for it.
const WITHOUT_SIGNING_IN: [&str; 5] = [
    "authorize.framing",
    "authorize.form-action",
    "authorize.content-security-policy",
    "authorize.referrer-policy",
    "authorize.client-unknown",
];

/// Rules that a server cannot break in a way that shows within an examination, and why.
const UNSEEN: &[(Rule, &str)] = &[];

#[test]
fn every_rule_is_found_on_the_server_that_breaks_it() {
    let rules: Vec<Rule> = Rule::ALL
        .iter()
        .copied()
        .filter(|rule| !is_of_apis(rule.id()))
        .collect();
    let wrong = examine_each(&rules, examine_broken_server);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Examines a server that breaks this rule: by all rules, and by this one alone.
fn examine_broken_server(rule: Rule) -> Result<(), String> {
    if UNSEEN.iter().any(|(unseen, _)| *unseen == rule) {
        return Ok(());
    }
    let home = Home::new();
    let is_of_sign_in_page = OF_THE_SIGN_IN_PAGE.contains(&rule);
    let approve = if is_of_sign_in_page { "ask" } else { "auto" };
    let client = if FOR_CLIENTS_WITH_CERTIFICATES.contains(&rule) {
        Client::Certified
    } else if FOR_CONFIDENTIAL_CLIENTS.contains(&rule) {
        Client::Confidential
    } else if FOR_SIGNING_CLIENTS.contains(&rule) {
        Client::Signing
    } else {
        Client::Public
    };
    let broken_server = || {
        let arguments = ["--approve", approve, "--break", rule.id()];
        match client {
            Client::Certified => lenient_tls_server(&home, &arguments),
            _ => lenient_server(&home, &arguments),
        }
    };
    let following = FOLLOWING.iter().find(|(broken, _)| *broken == rule);
    let mut expected: BTreeSet<Rule> = following
        .map(|(_, rules)| rules.iter().copied().collect())
        .unwrap_or_default();
    expected.insert(rule);
    let code = |rules: &BTreeSet<Rule>| {
        if rules.iter().any(|rule| rule.level() == Level::Must) {
            9
        } else {
            0
        }
    };

    let server = broken_server();
    let mut command = check(&home, &server.issuer(), client);
    if is_of_sign_in_page {
        command.args(WITHOUT_SIGNING_IN.iter().flat_map(|rule| ["--rule", rule]));
    }
    let whole = run(command.arg("--json"));
    let found: BTreeSet<Rule> = with_verdict(&whole, &["fail", "warning"])
        .iter()
        .map(|id| id.parse().expect("a rule"))
        .collect();
    if found != expected || whole.code != Some(code(&expected)) {
        let own = &rules(&whole)[rule.id()];
        let found: Vec<&str> = found.iter().map(|rule| rule.id()).collect();
        return Err(format!(
            "{rule}: {found:?} were found, exit {:?}; its own verdict: {own}",
            whole.code
        ));
    }

    // It takes the port alone that came first.
    let server = if rule == Rule::RedirectLoopbackPort {
        broken_server()
    } else {
        server
    };
    let alone = run(check(&home, &server.issuer(), client).args(["--json", "--rule", rule.id()]));
    let verdict = rules(&alone)[rule.id()].clone();
    let expected = BTreeSet::from([rule]);
    let word = if rule.level() == Level::Must { "fail" } else { "warning" };
    if verdict["verdict"] != word || alone.code != Some(code(&expected)) {
        return Err(format!("{rule} alone: {verdict}, exit {:?}", alone.code));
    }
    Ok(())
}
