//! A whole login, token and logout at an authorization server that is not
//! ours: oidc-provider, run by Node from `tests/foreign/oidc-provider`. The
//! test plays the resource owner over HTTP.

use super::support::authorization_server::FakeBrowser;
use super::support::binary::Home;
use super::support::callback;
use super::support::chromium::Chromium;
use super::support::literal_server::value_of;
use super::support::oidc_provider::Provider;
use super::support::outcome::{Outcome, run};
use super::support::plain_browser::PlainBrowser;
use super::support::running::Running;
use serde_json::Value;

const RESOURCE: &str = "https://api.example.test";
const PASTED_REDIRECT_URI: &str = "https://rp.example/callback";

/// The claims of a JWT, unverified.
fn claims(jwt: &str) -> Value {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let payload = jwt.split('.').nth(1).expect("a JWT");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("base64url")).expect("JSON")
}

#[test]
fn login_token_status_and_logout_at_oidc_provider() {
    let Some(provider) = Provider::start() else { return };
    let home = Home::new();
    let browser = FakeBrowser::new(home.path());
    let running = Running::start(
        home.oauth()
            .args([
                "login",
                &provider.issuer,
                "--client-id",
                "native",
                "--profile",
                "foreign",
            ])
            .args(["--scope", "openid offline_access api:read", "--resource", RESOURCE])
            .args(["--param", "prompt=consent", "-vv", "--show-secrets"])
            .args(["--browser", &browser.command()]),
    );
    let back = provider.sign_in_and_consent(&browser.wait_for_url());
    let page = callback::get_url(back.as_str()).expect("an answer of the listener");
    assert_eq!(page.status, 200, "{}", page.body_text());
    let login = running.end().expect_code(0);
    assert_eq!(login.stdout, "");
    let login = login.says(&["signed in as alice"]);
    let refresh_token = shown(&login.stderr, "refresh_token");

    let token = run(home.oauth().args(["token", "foreign"])).expect_code(0);
    let access_token = token.stdout.strip_suffix('\n').expect("a line");
    let spoken_for = claims(access_token);
    assert_eq!(spoken_for["iss"], provider.issuer.as_str());
    assert_eq!(spoken_for["aud"], RESOURCE);
    assert_eq!(spoken_for["scope"], "api:read");
    assert_eq!(spoken_for["sub"], "alice");
    let id_token = run(home.oauth().args(["token", "foreign", "--id-token"])).expect_code(0);
    assert_eq!(claims(id_token.stdout.trim_end())["aud"], "native");

    let status = run(home.oauth().args(["status", "foreign", "--json"])).expect_code(0);
    let status: Value = serde_json::from_str(&status.stdout).expect("JSON");
    let row = &status[0];
    assert_eq!(status.as_array().map(Vec::len), Some(1));
    assert_eq!(row["profile"], "foreign");
    assert_eq!(row["subject"], "alice");
    assert_eq!(row["issuer"], provider.issuer.as_str());
    assert_eq!(row["client_id"], "native");
    assert_eq!(row["state"], "valid");
    assert_eq!(row["refreshable"], true);
    assert_eq!(row["store"], "file");
    let expires_in = row["expires_in"].as_i64().expect("seconds");
    assert!((500..=600).contains(&expires_in), "{row}");

    run(home.oauth().args(["logout", "foreign"])).expect_code(0);
    let refreshed = provider.refresh("native", &refresh_token);
    assert_eq!(refreshed, (400, Some("invalid_grant".to_owned())));
    run(home.oauth().args(["token", "foreign"])).expect_code(4);
}

#[test]
fn a_person_logs_in_at_oidc_provider_in_chromium() {
    let Some(provider) = Provider::start() else { return };
    let Some(chromium) = Chromium::start() else { return };
    let home = Home::new();
    let browser = FakeBrowser::new(home.path());
    let running = Running::start(
        home.oauth()
            .args(["login", &provider.issuer, "--client-id", "native", "-p", "foreign"])
            .args(["--scope", "openid", "--browser", &browser.command()]),
    );
    chromium.go_to(&browser.wait_for_url());
    chromium.wait_until("the sign-in page", || chromium.shows("input[name=login]"));
    chromium.fill_in("input[name=login]", "alice");
    chromium.fill_in("input[name=password]", "any");
    chromium.click("button[type=submit]");
    chromium.wait_until("the consent page", || {
        chromium.shows("input[name=prompt][value=consent]")
    });
    chromium.click("button[type=submit]");
    chromium.wait_for_heading("You are signed in");
    running.end().expect_code(0).says(&["signed in as alice"]);
}

#[test]
fn without_logout_the_refresh_token_lives_on_at_oidc_provider() {
    // what makes the refusal after a logout mean something
    let Some(provider) = Provider::start() else { return };
    let home = Home::new();
    let browser = FakeBrowser::new(home.path());
    let running = Running::start(
        home.oauth()
            .args(["login", &provider.issuer, "--client-id", "native", "--no-store"])
            .args(["--scope", "openid", "--browser", &browser.command()]),
    );
    let back = provider.sign_in_and_consent(&browser.wait_for_url());
    callback::get_url(back.as_str()).expect("an answer of the listener");
    let login = running.end().expect_code(0);
    let response: Value = serde_json::from_str(&login.stdout).expect("the token response");
    let refresh_token = response["refresh_token"].as_str().expect("a refresh token");
    assert_eq!(provider.refresh("native", refresh_token), (200, None));
    // each works once
    assert_eq!(provider.refresh("native", refresh_token).0, 400);
}

#[test]
fn a_denied_consent_at_oidc_provider_is_refused() {
    let Some(provider) = Provider::start() else { return };
    let home = Home::new();
    let browser = FakeBrowser::new(home.path());
    let running = Running::start(
        home.oauth()
            .args(["login", &provider.issuer, "--client-id", "native", "--scope", "openid"])
            .args(["--browser", &browser.command()]),
    );
    let mut owner = PlainBrowser::new();
    let sign_in = owner.go_to(&browser.wait_for_url()).page();
    let back = owner.go_to(&format!("{}/abort", sign_in.url)).elsewhere();
    callback::get_url(back.as_str()).expect("an answer of the listener");
    running.end().expect_code(5).says(&["access_denied"]);
}

#[test]
fn a_secret_with_odd_characters_reaches_oidc_provider_as_basic() {
    login_with_secret("basic", "basic-secret:with/odd%chars", "client_secret_basic");
}

#[test]
fn a_secret_in_the_body_is_taken_by_oidc_provider() {
    login_with_secret("post", "post-secret", "client_secret_post");
}

#[test]
fn an_assertion_signed_with_a_secret_is_taken_by_oidc_provider() {
    login_with_secret("sjwt", "a-shared-secret-of-32-bytes-or-more!", "client_secret_jwt");
}

#[test]
fn an_assertion_signed_with_a_key_is_taken_by_oidc_provider() {
    let Some(provider) = Provider::start() else { return };
    let home = Home::new();
    let file = home.path().join("key.jwk");
    std::fs::write(&file, provider.client_key()).expect("writing the key");
    confidential_login(
        &provider,
        &home,
        "pkjwt",
        &["--client-key-file", &file.display().to_string()],
    );
}

#[test]
fn oidc_provider_refuses_the_assertion_of_another_key_and_the_hint_says_what_to_look_at() {
    let Some(provider) = Provider::start() else { return };
    let home = Home::new();
    let file = home.path().join("key.pem");
    let other = include_str!("../../src/protocol/signing/test_keys/p256.pkcs8.pem");
    std::fs::write(&file, other).expect("writing the key");
    let mut command = home.oauth();
    command
        .args([
            "login",
            &provider.issuer,
            "--client-id",
            "pkjwt",
            "--grant",
            "client-credentials",
        ])
        .args(["--client-key-file", &file.display().to_string()])
        .args(["--scope", "api:read", "--resource", RESOURCE]);
    let outcome = run(&mut command).expect_code(5);
    assert!(outcome.hints().contains("--client-key-id"), "{outcome:?}");
}

fn login_with_secret(client_id: &str, secret: &str, method: &str) {
    let Some(provider) = Provider::start() else { return };
    let home = Home::new();
    let file = home.path().join("secret");
    std::fs::write(&file, format!("{secret}\n")).expect("writing the secret");
    let file = file.display().to_string();
    let arguments = ["--client-auth", method, "--client-secret-file", &file];
    confidential_login(&provider, &home, client_id, &arguments);
}

/// A client of another machine: its redirect URI is pasted.
fn confidential_login(provider: &Provider, home: &Home, client_id: &str, credential: &[&str]) {
    let mut running = Running::start_with_open_input(
        home.oauth()
            .args(["login", &provider.issuer, "--client-id", client_id])
            .args(credential)
            .args(["--paste", "--redirect-uri", PASTED_REDIRECT_URI, "--no-browser"])
            .args(["--scope", "openid offline_access api:read", "--resource", RESOURCE])
            .args(["--param", "prompt=consent"]),
    );
    let back = provider.sign_in_and_consent(&running.authorization_url());
    assert!(back.as_str().starts_with(PASTED_REDIRECT_URI), "{back}");
    assert!(value_of(&back.query_pairs().into_owned().collect::<Vec<_>>(), "code").is_some());
    running.type_line(back.as_str());
    running.end().expect_code(0);

    let profile = profile_of(&provider.issuer);
    let token = run(home.oauth().args(["token", &profile])).expect_code(0);
    assert_eq!(claims(token.stdout.trim_end())["client_id"], client_id);
    // refresh and revocation authenticate with what was kept with the session
    run(home.oauth().args(["token", &profile, "--force-refresh"])).expect_code(0);
    run(home.oauth().args(["logout", &profile])).expect_code(0);
}

/// The name that a profile has where none was given: host and port.
fn profile_of(issuer: &str) -> String {
    issuer
        .strip_prefix("http://")
        .expect("an http issuer")
        .replace(':', "-")
}

/// The value of a parameter in a trace that shows secrets.
fn shown(trace: &str, name: &str) -> String {
    let lines = trace.lines().filter_map(|line| line.split_once(name));
    let value = lines
        .filter_map(|(_, rest)| {
            rest.split(|c: char| !(c.is_ascii_alphanumeric() || "-_.~".contains(c)))
                .find(|word| word.len() > 20)
        })
        .next();
    value.unwrap_or_else(|| panic!("no {name} in:\n{trace}")).to_owned()
}

/// The server names no interval, so that the program asks after 5 seconds.
#[test]
fn a_device_login_at_oidc_provider_with_its_page_for_the_code() {
    let Some(provider) = Provider::start() else { return };
    let home = Home::new();
    let running = Running::start(
        home.oauth()
            .args(["login", &provider.issuer, "--client-id", "native", "--profile", "tv"])
            .args(["--device", "--scope", "openid offline_access", "--json"]),
    );
    let shown = running.line_with("user_code");
    let shown: Value = serde_json::from_str(&shown).expect("JSON");
    let text = |member: &str| shown[member].as_str().expect("a text").to_owned();
    let mut browser = PlainBrowser::new();
    let page = browser.go_to(&text("verification_uri")).page();
    assert!(page.html.contains("name=\"user_code\""), "{}", page.html);
    let confirm = browser
        .submit(&page, &[("user_code", &text("user_code").to_lowercase())])
        .page();
    let sign_in = browser.submit(&confirm, &[]).page();
    assert!(sign_in.html.contains("name=\"login\""), "{}", sign_in.html);
    let consent = browser
        .submit(&sign_in, &[("login", "alice"), ("password", "any")])
        .page();
    let done = browser.submit(&consent, &[]).page();
    assert!(done.html.contains("Sign-in Success"), "{}", done.html);
    let login = running.end().expect_code(0);
    let row = login.json();
    assert_eq!((&row["subject"], &row["refreshable"]), (&"alice".into(), &true.into()));
    run(home.oauth().args(["token", "tv", "--force-refresh"])).expect_code(0);
    run(home.oauth().args(["logout", "tv"])).expect_code(0);
}

#[test]
fn a_client_that_must_bind_its_tokens_logs_in_refreshes_and_asks_who_it_is_at_oidc_provider() {
    let Some(provider) = Provider::start_with(&[("DPOP_NONCE", "1")]) else {
        return;
    };
    let home = Home::new();
    let browser = FakeBrowser::new(home.path());
    let running = Running::start(
        home.oauth()
            .args(["login", &provider.issuer, "--client-id", "native-dpop", "--dpop"])
            .args(["--profile", "bound", "--scope", "openid offline_access"])
            .args(["--param", "prompt=consent", "-vv", "--browser", &browser.command()]),
    );
    let authorization_url = browser.wait_for_url();
    assert!(authorization_url.contains("request_uri="), "{authorization_url}");
    let back = provider.sign_in_and_consent(&authorization_url);
    callback::get_url(back.as_str()).expect("an answer of the listener");
    let login = running.end().expect_code(0);
    login.says(&["signed in as alice", "(DPoP)"]);

    let kept = home.kept("bound").expect("the session");
    assert_eq!(kept.tokens[0].token_type, "DPoP");
    let userinfo = run(home.oauth().args(["userinfo", "-p", "bound", "--json"])).expect_code(0);
    assert_eq!(userinfo.json()["sub"], "alice");
    run(home.oauth().args(["token", "bound", "--force-refresh"])).expect_code(0);
    let refreshed = home.kept("bound").expect("the session");
    assert_ne!(
        refreshed.tokens[0].access_token.expose(),
        kept.tokens[0].access_token.expose()
    );
    run(home.oauth().args(["userinfo", "-p", "bound"])).expect_code(0);
    // Without the key the refresh token is worth nothing.
    let refresh_token = refreshed.refresh_token.expect("a refresh token");
    assert_eq!(provider.refresh("native-dpop", refresh_token.expose()).0, 400);
    run(home.oauth().args(["logout", "bound"])).expect_code(0);
}

/// A login of this client at oidc-provider; the authorization URL, and what it wrote.
fn login_at(provider: &Provider, home: &Home, arguments: &[&str]) -> (String, Outcome) {
    let browser = FakeBrowser::new(home.path());
    let running = Running::start(
        home.oauth()
            .args([
                "login",
                &provider.issuer,
                "--profile",
                "strong",
                "--scope",
                "openid offline_access",
            ])
            .args(["--param", "prompt=consent", "-vv", "--browser", &browser.command()])
            .args(arguments),
    );
    let authorization_url = browser.wait_for_url();
    let back = provider.sign_in_and_consent(&authorization_url);
    callback::get_url(back.as_str()).expect("an answer of the listener");
    let outcome = running.end().expect_code(0).says(&["signed in as alice"]);
    run(home.oauth().args(["token", "strong", "--force-refresh"])).expect_code(0);
    run(home.oauth().args(["logout", "strong"])).expect_code(0);
    (authorization_url, outcome)
}

fn names_in(authorization_url: &str) -> Vec<String> {
    let url = url::Url::parse(authorization_url).expect("a URL");
    url.query_pairs().map(|(name, _)| name.into_owned()).collect()
}

#[test]
fn a_client_that_must_push_its_requests_logs_in_at_oidc_provider() {
    let Some(provider) = Provider::start() else { return };
    let home = Home::new();
    let (url, _) = login_at(&provider, &home, &["--client-id", "native-par"]);
    assert_eq!(names_in(&url), ["client_id", "request_uri"]);
}

#[test]
fn without_pushing_the_client_that_must_is_refused_at_oidc_provider() {
    let Some(provider) = Provider::start() else { return };
    let home = Home::new();
    let browser = FakeBrowser::new(home.path());
    let running = Running::start(
        home.oauth()
            .args(["login", &provider.issuer, "--client-id", "native-par", "--par", "never"])
            .args(["--scope", "openid", "--browser", &browser.command()]),
    );
    let back = PlainBrowser::new().go_to(&browser.wait_for_url()).elsewhere();
    callback::get_url(back.as_str()).expect("an answer of the listener");
    let outcome = running.end().expect_code(5);
    assert!(outcome.hints().contains("without --par never"), "{outcome:?}");
}

#[test]
fn a_client_that_must_sign_its_requests_logs_in_at_oidc_provider_with_and_without_pushing() {
    let Some(provider) = Provider::start() else { return };
    for (par, carried) in [("never", "request"), ("auto", "request_uri")] {
        let home = Home::new();
        let key = home.path().join("key.jwk");
        std::fs::write(&key, provider.client_key()).expect("writing the key");
        let key = key.display().to_string();
        let arguments = ["--client-id", "native-jar", "--client-auth", "none", "--request-object"];
        let arguments = [&arguments[..], &["--client-key-file", &key, "--par", par]].concat();
        let (url, _) = login_at(&provider, &home, &arguments);
        assert_eq!(names_in(&url), ["client_id", carried]);
    }
}

#[test]
fn signed_responses_of_oidc_provider_are_taken() {
    let Some(provider) = Provider::start() else { return };
    for mode in ["jwt", "query.jwt"] {
        let home = Home::new();
        let arguments = ["--client-id", "native-jarm", "--response-mode", mode];
        let (_, outcome) = login_at(&provider, &home, &arguments);
        outcome.says(&["JARM"]);
    }
}

/// What FAPI 2.0 Security Profile and Message Signing ask of a client, together.
#[test]
fn a_pushed_signed_bound_request_with_a_signed_response_works_at_oidc_provider() {
    let Some(provider) = Provider::start_with(&[("DPOP_NONCE", "1")]) else {
        return;
    };
    let home = Home::new();
    let key = home.path().join("key.jwk");
    std::fs::write(&key, provider.client_key()).expect("writing the key");
    let key = key.display().to_string();
    let arguments = ["--client-id", "native-pkjwt", "--client-key-file", &key, "--dpop"];
    let arguments = [
        &arguments[..],
        &["--request-object", "--par", "always", "--response-mode", "jwt"],
    ]
    .concat();
    let (url, outcome) = login_at(&provider, &home, &arguments);
    assert_eq!(names_in(&url), ["client_id", "request_uri"]);
    outcome.says(&["(DPoP)", "JARM"]);
}
