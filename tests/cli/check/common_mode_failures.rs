//! A server that ends every session of a person and client when one of them is
//! misused or revoked, as Keycloak does: what one test does to the server must
//! not be taken for what another one saw.

use super::{rules, with_verdict};
use crate::support::binary::Home;
use crate::support::literal_server::{LiteralServer, Reply, Request, html, json, redirect, value_of};
use crate::support::outcome::{Outcome, run};
use std::collections::HashSet;
use std::sync::{Arc, Mutex};

const METADATA: &str = "/.well-known/oauth-authorization-server";

/// What the server knows. A token is `KIND-EPOCH-NUMBER`.
#[derive(Default)]
struct Sessions {
    /// Tokens of an earlier one are dead.
    epoch: usize,
    count: usize,
    spent: HashSet<String>,
}

impl Sessions {
    fn granted(&mut self) -> Reply {
        self.count += 1;
        let (epoch, count) = (self.epoch, self.count);
        let more = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJ";
        json(
            200,
            &format!(
                r#"{{"access_token":"access-{epoch}-{count}-{more}","refresh_token":"refresh-{epoch}-{count}-{more}","token_type":"Bearer","expires_in":300}}"#
            ),
        )
    }

    /// Spends it; a second use ends everything.
    fn spend(&mut self, grant: &str) -> Reply {
        if !self.spent.insert(grant.to_owned()) {
            self.epoch += 1;
            return refused("invalid_grant");
        }
        self.granted()
    }

    fn lives(&self, token: &str) -> bool {
        token.split('-').nth(1) == Some(self.epoch.to_string().as_str())
    }

    fn token(&mut self, request: &Request) -> Reply {
        let form = request.form();
        if value_of(&form, "client_id") != Some("desktop") {
            return refused("invalid_client");
        }
        match (value_of(&form, "code"), value_of(&form, "refresh_token")) {
            (Some(code), _) => self.spend(code),
            (_, Some(refresh_token)) if self.lives(refresh_token) => self.spend(refresh_token),
            _ => refused("invalid_grant"),
        }
    }

    fn revoke(&mut self, request: &Request) -> Reply {
        let form = request.form();
        if value_of(&form, "client_id") != Some("desktop") {
            return refused("invalid_client");
        }
        if value_of(&form, "token").is_some_and(|token| self.lives(token)) {
            self.epoch += 1;
        }
        json(200, "{}")
    }
}

fn refused(error: &str) -> Reply {
    json(400, &format!(r#"{{"error":"{error}"}}"#))
}

fn server_of_one_fate() -> LiteralServer {
    let server = LiteralServer::start();
    let origin = server.origin();
    let metadata = format!(
        r#"{{"issuer":"{origin}","authorization_endpoint":"{origin}/authorize","token_endpoint":"{origin}/token","revocation_endpoint":"{origin}/revoke","response_types_supported":["code"],"grant_types_supported":["authorization_code","refresh_token"],"code_challenge_methods_supported":["S256"],"token_endpoint_auth_methods_supported":["none"]}}"#
    );
    server.on("GET", METADATA, json(200, &metadata));
    let sessions = Arc::new(Mutex::new(Sessions::default()));
    let codes = Arc::clone(&sessions);
    server.on_call("GET", "/authorize", move |request| {
        let query = request.query();
        let of = |name: &str| value_of(&query, name).unwrap_or_default();
        let mut codes = codes.lock().expect("the sessions");
        codes.count += 1;
        let code = format!("code-{}", codes.count);
        redirect(
            302,
            &format!("{}?code={code}&state={}", of("redirect_uri"), of("state")),
        )
    });
    let at_token = Arc::clone(&sessions);
    server.on_call("POST", "/token", move |request| {
        at_token.lock().expect("the sessions").token(request)
    });
    server.on("GET", "/revoke", html(405, "no"));
    server.on_call("POST", "/revoke", move |request| {
        sessions.lock().expect("the sessions").revoke(request)
    });
    server
}

fn check(server: &LiteralServer, rules: &[&str]) -> Outcome {
    let home = Home::new();
    let mut command = home.oauth();
    command.args(["check", &server.origin(), "--client-id", "desktop", "--json"]);
    run(command.args(rules.iter().flat_map(|rule| ["--rule", rule])))
}

#[test]
fn what_one_test_ends_is_no_finding_of_the_next() {
    let server = server_of_one_fate();
    let asked_for = [
        "token.unknown-parameter",
        "code.single-use",
        "code.reuse-revokes",
        "code.parallel",
        "refresh.works",
        "refresh.rotation",
        "refresh.reuse",
        "refresh.reuse-revokes",
        "refresh.parallel",
        "revocation.post-only",
        "revocation.client",
        "revocation.hint",
        "revocation.refresh",
    ];
    let outcome = check(&server, &asked_for).expect_code(0);
    let mut expected = asked_for.to_vec();
    expected.sort_unstable();
    assert_eq!(with_verdict(&outcome, &["pass"]), expected, "{outcome:#?}");
}

#[test]
fn a_spent_refresh_token_is_tried_again_later_before_it_counts_as_taken() {
    let server = server_of_one_fate();
    let taken_once = Arc::new(Mutex::new((Sessions::default(), false)));
    server.on_call("POST", "/token", move |request| {
        let (sessions, was_lenient) = &mut *taken_once.lock().expect("the sessions");
        let form = request.form();
        match value_of(&form, "refresh_token") {
            Some(spent) if sessions.spent.contains(spent) && !*was_lenient => {
                *was_lenient = true;
                sessions.granted()
            }
            _ => sessions.token(request),
        }
    });
    let outcome = check(&server, &["refresh.reuse"]).expect_code(0);
    assert_eq!(rules(&outcome)["refresh.reuse"]["verdict"], "pass", "{outcome:#?}");
}

#[test]
fn refreshes_at_once_that_all_get_the_same_tokens_are_one() {
    let server = server_of_one_fate();
    let first = r#"{"access_token":"the-first","refresh_token":"the-first","token_type":"Bearer"}"#;
    let next = r#"{"access_token":"the-same-for-all","refresh_token":"the-next","token_type":"Bearer"}"#;
    server.on_call("POST", "/token", move |request| {
        let is_refresh = value_of(&request.form(), "refresh_token").is_some();
        json(200, if is_refresh { next } else { first })
    });
    let outcome = check(&server, &["refresh.parallel"]).expect_code(0);
    assert_eq!(rules(&outcome)["refresh.parallel"]["verdict"], "pass", "{outcome:#?}");
}

#[test]
fn a_client_that_the_token_endpoint_does_not_take_is_no_fault_of_the_server() {
    let server = server_of_one_fate();
    server.on("POST", "/token", refused("invalid_client"));
    let outcome = check(&server, &["code.unknown", "pkce.supported", "refresh.unknown"]).expect_code(5);
    assert_eq!(with_verdict(&outcome, &["fail"]), Vec::<String>::new(), "{outcome:#?}");
    assert!(outcome.stderr.contains("--client-secret-file"), "{outcome:#?}");
}

#[test]
fn tokens_that_cannot_be_revoked_are_told() {
    let server = server_of_one_fate();
    server.on("POST", "/revoke", html(503, "not now"));
    let outcome = check(&server, &["code.single-use"]).expect_code(0);
    assert!(outcome.stderr.contains("will expire"), "{}", outcome.stderr);
    let server = server_of_one_fate();
    let outcome = check(&server, &["code.single-use"]).expect_code(0);
    assert!(!outcome.stderr.contains("will expire"), "{}", outcome.stderr);
}
