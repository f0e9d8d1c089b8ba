//! The list in the program: every entry is whole, its URLs would be taken, and
//! nothing in it can weaken a check.

use super::{Loopback, Provider, ProviderError, ValueKind, all, find, read};
use crate::protocol::authorization::RESERVED_PARAMETERS;
use crate::protocol::endpoint::{Endpoint, HttpPolicy, Issuer};
use crate::protocol::redirect_uri::RedirectUri;
use crate::protocol::scope::Scope;
use std::collections::BTreeSet;
use url::Url;

fn example(kind: ValueKind) -> &'static str {
    match kind {
        ValueKind::Tenant => "11111111-2222-3333-4444-555555555555",
        ValueKind::Host => "git.example.com",
        ValueKind::Issuer => "id.example.com/realms/work",
    }
}

/// Every provider, with a value where it takes one.
fn providers() -> impl Iterator<Item = Provider> {
    all().unwrap().into_iter().map(|provider| {
        let value = provider.value.map(example);
        provider.at(value).unwrap()
    })
}

#[test]
fn there_are_at_least_25_with_names_of_their_own() {
    let names: BTreeSet<String> = providers().map(|provider| provider.name).collect();
    assert!(names.len() >= 25);
    assert_eq!(names.len(), providers().count());
    let is_name = |name: &String| {
        name.bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    assert!(names.iter().all(is_name), "{names:?}");
}

#[test]
fn every_server_can_be_used() {
    for provider in providers() {
        let name = &provider.name;
        let endpoint = |key: &str| provider.endpoints.iter().any(|(own, _)| *own == key);
        let has_both = endpoint("authorization_endpoint") && endpoint("token_endpoint");
        assert!(provider.issuer.is_some() || has_both, "{name}");
        if let Some(issuer) = &provider.issuer {
            Issuer::parse(issuer, HttpPolicy::LoopbackOnly).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        for (key, url) in &provider.endpoints {
            Endpoint::parse(url, HttpPolicy::LoopbackOnly).unwrap_or_else(|error| panic!("{name}: {key}: {error}"));
            assert!(url.starts_with("https://") && !url.contains('{'), "{name}: {key}");
        }
    }
}

#[test]
fn every_entry_names_its_source_and_what_was_not_tried() {
    let lines: Vec<&str> = include_str!("providers.toml").lines().collect();
    let entries = (1..lines.len()).filter(|&line| lines[line].starts_with('['));
    for entry in entries {
        let (comment, name) = (lines[entry - 1], lines[entry]);
        let is_sourced = comment.starts_with("# Source: ");
        let (_, untried) = comment.split_once("Not tried").unwrap_or_default();
        assert!(is_sourced && untried.contains("login"), "{name}: {comment}");
    }
}

#[test]
fn every_page_is_an_https_url() {
    for provider in providers() {
        assert!(!provider.documentation.is_empty(), "{}", provider.name);
        for page in provider.documentation.iter().chain([&provider.register]) {
            let url = Url::parse(page).unwrap_or_else(|error| panic!("{}: {page}: {error}", provider.name));
            assert_eq!(url.scheme(), "https", "{}: {page}", provider.name);
            assert!(!page.contains('{'), "{}: {page}", provider.name);
        }
    }
}

#[test]
fn the_redirect_uri_fits_what_is_said_of_it() {
    for provider in providers() {
        let name = &provider.name;
        let Some(text) = &provider.redirect_uri else {
            assert_eq!(provider.loopback, Loopback::HttpsOnly, "{name}");
            continue;
        };
        let redirect_uri = RedirectUri::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        match provider.loopback {
            Loopback::AnyPort => assert_eq!(redirect_uri.port(), Some(0), "{name}"),
            Loopback::Exact => {
                assert!(redirect_uri.port().is_some_and(|port| port != 0), "{name}");
                assert!(redirect_uri.loopback_address().is_some(), "{name}");
            }
            Loopback::HttpsOnly => assert_eq!(redirect_uri.url().scheme(), "https", "{name}"),
            Loopback::Unknown => {}
        }
    }
}

#[test]
fn no_parameter_is_one_of_the_flow() {
    for provider in providers() {
        for (name, _) in &provider.param {
            assert!(
                !RESERVED_PARAMETERS.contains(&name.as_str()),
                "{}: {name}",
                provider.name
            );
        }
        if let Some(scope) = &provider.scope_for_refresh {
            assert_eq!(Scope::parse(scope).unwrap().tokens().len(), 1, "{}", provider.name);
        }
    }
}

#[test]
fn each_mail_domain_is_of_one_provider() {
    let mut seen = BTreeSet::new();
    for (name, mail) in providers().filter_map(|provider| Some((provider.name, provider.mail?))) {
        for server in [&mail.imap, &mail.smtp] {
            let (host, port) = server.rsplit_once(':').unwrap();
            assert!(host.contains('.') && port.parse::<u16>().is_ok(), "{name}: {server}");
        }
        assert!(!mail.scope.is_empty(), "{name}");
        Scope::from_tokens(mail.scope.iter().map(String::as_str)).unwrap();
        for domain in mail.domains {
            assert!(seen.insert(domain.clone()), "{name}: {domain}");
        }
    }
    assert!(seen.contains("gmail.com"));
}

#[test]
fn a_value_stands_in_its_place_and_nowhere_else() {
    let at = |text: &str| {
        let (provider, value) = find(text).unwrap();
        provider.at(value)
    };
    let issuer = |text: &str| at(text).unwrap().issuer.unwrap();
    assert_eq!(issuer("microsoft:abc"), "https://login.microsoftonline.com/abc/v2.0");
    assert_eq!(issuer("gitlab"), "https://gitlab.com");
    assert_eq!(issuer("gitlab:git.example.com:8443"), "https://git.example.com:8443");
    assert_eq!(
        issuer("keycloak:id.example.com/realms/a"),
        "https://id.example.com/realms/a"
    );
    assert_eq!(issuer("auth0:x.eu.auth0.com"), "https://x.eu.auth0.com/");
    for impossible in [
        "microsoft:",
        "microsoft:a/b",
        "microsoft:..",
        "microsoft:a?b",
        "gitlab:a@b.example",
        "gitlab:a.example/path",
        "gitlab:a.example:x",
        "gitlab:a.example#b",
        "keycloak:https://id.example.com",
        "keycloak:id.example.com/../x",
        "keycloak:id.example.com//x",
        "keycloak:id.example.com/a%2fb",
    ] {
        let refused = at(impossible);
        assert!(
            matches!(refused, Err(ProviderError::InvalidValue { .. })),
            "{impossible}: {refused:?}"
        );
    }
    assert!(matches!(at("okta"), Err(ProviderError::NoValue { .. })));
    assert!(matches!(at("google:x"), Err(ProviderError::TakesNoValue(_))));
}

#[test]
fn an_unknown_name_is_told_with_the_nearest() {
    let nearest = |text: &str| match find(text) {
        Err(ProviderError::Unknown { nearest, .. }) => nearest,
        other => panic!("{other:?}"),
    };
    assert_eq!(nearest("gogle").as_deref(), Some("google"));
    assert_eq!(nearest("githup:x").as_deref(), Some("github"));
    assert_eq!(nearest("nothing-like-it"), None);
}

#[test]
fn an_entry_that_is_not_whole_is_not_taken() {
    let whole = r#"
[a]
title = "A"
documentation = ["https://a.example"]
register = "https://a.example"
issuer = "https://a.example"
redirect_uri = "http://127.0.0.1:0/callback"
loopback = "any-port"
client = "public"
pkce = "supported"
refresh = "always"
notes = []
tried = false
"#;
    assert_eq!(read::read(whole).unwrap().len(), 1);
    for needed in [
        "title",
        "documentation",
        "register",
        "loopback",
        "client",
        "pkce",
        "refresh",
        "notes",
        "tried",
    ] {
        let without: String = whole
            .lines()
            .filter(|line| !line.starts_with(needed))
            .flat_map(|line| [line, "\n"])
            .collect();
        assert_eq!(read::read(&without).unwrap_err(), format!("a: {needed} is missing"));
    }
    for (wrong, problem) in [
        ("skip_state = true", "a: unknown key skip_state"),
        ("value = \"realm\"", "a: value cannot be \"realm\""),
        ("param = { prompt = 1 }", "a: param is no table of texts"),
        ("mail = { imap = \"x\" }", "a: domains is missing"),
    ] {
        assert_eq!(read::read(&format!("{whole}{wrong}\n")).unwrap_err(), problem);
    }
}
