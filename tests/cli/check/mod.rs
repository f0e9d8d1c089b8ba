//! `oauth check`: against a server that keeps every rule, against one that
//! breaks each in turn, and against one that is made of literal bytes.

mod apis;
#[cfg(unix)]
mod browser_logins;
mod common_mode_failures;
mod honest_server;
mod kept_clients;
mod login_redirects;
mod matrix;
#[cfg(unix)]
mod oidc_provider;
mod options;
mod profiles;
// the browser is a script
#[cfg(unix)]
mod pushed_requests;
mod raw_servers;
mod refusals;
mod reports;
#[cfg(unix)]
mod sign_in_first;
mod tokens;
mod unreadable_answers;
mod without_signing_in;

use super::support::binary::Home;
use super::support::development_server::DevelopmentServer;
use super::support::outcome::{Outcome, run};
use oauth::rules::Rule;
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

const SECRET: &str = "secret-of-the-confidential-client";

/// Who is examined with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Client {
    Public,
    Confidential,
    /// Authenticates with assertions.
    Signing,
    /// Shows a certificate, at a server that speaks https.
    Certified,
}

const KEY: &str = include_str!("../../../src/protocol/signing/test_keys/p256.pkcs8.pem");

/// The public half of the key (RFC 7515 §A.3.1).
const SIGNING_CLIENT: &str = r#"{"client_id":"signing","token_endpoint_auth_method":"private_key_jwt","jwks":{"keys":[{"kty":"EC","crv":"P-256","kid":"mine","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}}"#;

/// The client of the certificate that the server makes.
const CERTIFIED_CLIENT: &str = r#"{"client_id":"certified","token_endpoint_auth_method":"tls_client_auth","tls_client_auth_subject_dn":"CN=oauth serve client","tls_client_certificate_bound_access_tokens":true}"#;

/// The same by https, with a client that shows a certificate.
fn lenient_tls_server(home: &Home, arguments: &[&str]) -> DevelopmentServer {
    let metadata = home.path().join("certified.json");
    std::fs::write(&metadata, CERTIFIED_CLIENT).expect("the metadata");
    let (metadata, folder) = (metadata.display().to_string(), home.path().join("tls"));
    let folder = folder.display().to_string();
    let more = ["--tls", &folder, "--client-metadata", &metadata];
    lenient_server(home, &[&more, arguments].concat())
}

/// `oauth serve` that asks nobody, with a client of each kind.
fn lenient_server(home: &Home, arguments: &[&str]) -> DevelopmentServer {
    let file = home.path().join("secret");
    std::fs::write(&file, SECRET).expect("the secret");
    let confidential = format!("confidential:{}", file.display());
    let metadata = home.path().join("signing.json");
    std::fs::write(&metadata, SIGNING_CLIENT).expect("the metadata");
    let metadata = metadata.display().to_string();
    let mut all = vec!["--client", "oauth-cli", "--client", &confidential];
    all.extend(["--client-metadata", &metadata]);
    all.extend(arguments);
    DevelopmentServer::start(&all)
}

/// `oauth check` with everything that lets it see most.
fn check(home: &Home, issuer: &str, client: Client) -> Command {
    let mut command = home.oauth();
    command.args([
        "check",
        issuer,
        "--scope",
        "openid profile",
        "--resource",
        "https://api.example/",
    ]);
    match client {
        Client::Public => command.args(["--client-id", "oauth-cli"]),
        Client::Confidential => command
            .args(["--client-id", "confidential"])
            .env("OAUTH_CLIENT_SECRET", SECRET),
        Client::Certified => {
            let file = |name: &str| home.path().join("tls").join(name).display().to_string();
            command
                .args(["--client-id", "certified", "--client-auth", "tls_client_auth"])
                .args(["--cacert", &file("authority.pem")])
                .args(["--client-cert-file", &file("client.pem")])
                .args(["--client-key-file", &file("client.key.pem")])
        }
        Client::Signing => {
            let key = home.path().join("key.pem");
            std::fs::write(&key, KEY).expect("the key");
            command
                .args(["--client-id", "signing", "--client-key-id", "mine"])
                .arg("--client-key-file")
                .arg(key)
        }
    };
    command
}

/// Each rule's object of `--json`, by its id.
fn rules(outcome: &Outcome) -> BTreeMap<String, Value> {
    let report = outcome.json();
    let rules: BTreeMap<String, Value> = report["rules"]
        .as_array()
        .expect("rules")
        .iter()
        .map(|rule| (rule["id"].as_str().expect("an id").to_owned(), rule.clone()))
        .collect();
    for rule in rules.values() {
        let is_finding = ["fail", "warning"].iter().any(|verdict| rule["verdict"] == *verdict);
        let has_evidence = ["sent", "came"]
            .iter()
            .all(|member| rule[*member].as_str().is_some_and(|text| !text.is_empty()));
        assert!(has_evidence || !is_finding, "a finding without evidence: {rule}");
    }
    rules
}

/// The ids of the rules with these verdicts.
fn with_verdict(outcome: &Outcome, verdicts: &[&str]) -> Vec<String> {
    let rules = rules(outcome).into_iter();
    rules
        .filter(|(_, rule)| verdicts.contains(&rule["verdict"].as_str().expect("a verdict")))
        .map(|(id, _)| id)
        .collect()
}

#[test]
fn a_server_that_keeps_every_rule_passes() {
    let home = Home::new();
    let server = lenient_server(&home, &["--approve", "auto"]);
    let public = run(check(&home, &server.issuer(), Client::Public).arg("--json")).expect_code(0);
    let confidential = run(check(&home, &server.issuer(), Client::Confidential).arg("--json")).expect_code(0);
    let signing = run(check(&home, &server.issuer(), Client::Signing).arg("--json")).expect_code(0);
    let tls_server = lenient_tls_server(&home, &["--approve", "auto"]);
    let certified = run(check(&home, &tls_server.issuer(), Client::Certified).arg("--json")).expect_code(0);
    for outcome in [&public, &confidential, &signing, &certified] {
        assert_eq!(
            with_verdict(outcome, &["fail", "warning"]),
            Vec::<String>::new(),
            "{outcome:#?}"
        );
        for (id, rule) in rules(outcome) {
            let is_skipped = rule["verdict"] == "skipped";
            assert_eq!(is_skipped, rule["reason"] != "", "{id}: {rule}");
        }
    }
    let either: Vec<String> = with_verdict(&public, &["skipped"])
        .into_iter()
        .filter(|id| with_verdict(&confidential, &["skipped"]).contains(id))
        .filter(|id| with_verdict(&signing, &["skipped"]).contains(id))
        // They need an API, or a check that registers.
        .filter(|id| !is_of_apis(id))
        .filter(|id| with_verdict(&certified, &["skipped"]).contains(id))
        .collect();
    // Nobody signs in, so there is no page with a form; and refreshes bring an
    // ID token only when the last one is old.
    assert_eq!(
        either,
        ["authorize.form-action", "refresh.subject"],
        "no client sees these"
    );
}

#[test]
fn nothing_is_kept_and_every_token_is_revoked() {
    let home = Home::new();
    let server = lenient_server(&home, &["--approve", "auto"]);
    let before = home.files();
    let outcome = run(check(&home, &server.issuer(), Client::Public).args(["--rule", "pkce.supported"])).expect_code(0);
    assert_eq!(home.files(), before, "{outcome:#?}");
    server.wait_for_log(&["POST /token 200"]);
    server.wait_for_log(&["POST /revoke 200"]);
}

/// Whether a rule is about an API, or about clients that an examination brings along.
fn is_of_apis(id: &str) -> bool {
    let groups = ["resource.", "challenge.", "registration.", "client-id-document."];
    groups.iter().any(|group| id.starts_with(group))
}

/// Examines the server that breaks each of these rules, several at a time; what is wrong.
fn examine_each(rules: &[Rule], examine: fn(Rule) -> Result<(), String>) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(2, |cores| cores.get().min(8));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(rule) = rules.get(next.fetch_add(1, Ordering::SeqCst)) {
                    if let Err(how) = examine(*rule) {
                        wrong.lock().expect("the list").push(how);
                    }
                }
            });
        }
    });
    wrong.into_inner().expect("the list")
}
