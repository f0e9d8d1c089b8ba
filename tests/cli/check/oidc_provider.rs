//! An examination of oidc-provider. What is found there was looked at by hand:
//! its development pages can be framed, POST is off unless it is configured,
//! a public client may introspect its own tokens, and no answer has Pragma.

use super::{rules, with_verdict};
use crate::support::authorization_server::FakeBrowser;
use crate::support::binary::Home;
use crate::support::callback;
use crate::support::oidc_provider::Provider;
use crate::support::outcome::run;
use crate::support::running::Running;

/// It keeps a code alive when a redemption fails, so one serves for many.
const LOGINS: usize = 10;

#[test]
fn oidc_provider_is_examined() {
    let Some(provider) = Provider::start() else { return };
    let home = Home::new();
    let browser = FakeBrowser::new(home.path());
    let mut command = home.oauth();
    command.args(["check", &provider.issuer, "--client-id", "native-v4only", "--json"]);
    command.args(["--scope", "openid offline_access", "--param", "prompt=consent"]);
    let running = Running::start(command.args(["--browser", &browser.command()]));
    for _ in 0..LOGINS {
        let url = provider.sign_in_and_consent(&browser.wait_for_url());
        callback::get_url(url.as_str()).expect("a page of the listener");
    }
    let outcome = running.end().expect_code(9);
    assert_eq!(
        with_verdict(&outcome, &["fail"]),
        ["authorize.framing", "authorize.post", "introspection.authenticated"]
    );
    assert_eq!(
        with_verdict(&outcome, &["warning"]),
        [
            "authorize.content-security-policy",
            "authorize.referrer-policy",
            "token.pragma"
        ]
    );
    let rules = rules(&outcome);
    for seen in [
        "authorize.state-characters",
        "pkce.wrong-verifier",
        "code.reuse-revokes",
        "refresh.reuse-revokes",
        "revocation.cascade",
        "id-token.signature",
        "userinfo.post",
        "userinfo.token-in-query",
    ] {
        assert_eq!(rules[seen]["verdict"], "pass", "{}", rules[seen]);
    }
}

/// It takes redirect URIs by http of web clients, and ends the token of a
/// registration that is used for another one, so that this client stays.
#[test]
fn registration_at_oidc_provider_is_examined_and_what_stays_is_named() {
    let Some(provider) = Provider::start() else { return };
    let home = Home::new();
    let of_registration = oauth::rules::Rule::ALL
        .iter()
        .filter(|rule| rule.id().starts_with("registration."));
    let mut command = home.oauth();
    command
        .args([
            "check",
            &provider.issuer,
            "--client-id",
            "native-v4only",
            "--json",
            "--register",
        ])
        .args(of_registration.flat_map(|rule| ["--rule", rule.id()]))
        .args(["--browser", "false"]);
    let outcome = run(&mut command).expect_code(9);
    assert_eq!(
        with_verdict(&outcome, &["fail", "warning"]),
        ["registration.http-redirect"]
    );
    for seen in [
        "registration.native",
        "registration.usable",
        "registration.read",
        "registration.delete",
    ] {
        assert_eq!(rules(&outcome)[seen]["verdict"], "pass", "{}", rules(&outcome)[seen]);
    }
    let said = "these clients are still registered, since the server does not delete them: ";
    let left = outcome
        .stderr
        .split(said)
        .nth(1)
        .expect(said)
        .lines()
        .next()
        .expect("a line");
    assert_eq!(left.matches(", ").count(), 0, "{left}");
}
