//! oidc-provider with what has no person: services by a secret and by a
//! certificate, introspection, a client that registers itself; and each
//! loopback address that a native client may be redirected to.

use super::support::authorization_server::FakeBrowser;
use super::support::binary::Home;
use super::support::callback;
use super::support::certificates::{Authority, Identity};
use super::support::oidc_provider::Provider;
use super::support::outcome::{Outcome, run};
use super::support::running::Running;
use super::support::sessions::ending_in;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::process::Command;

const OPAQUE: &str = "https://opaque.example.test";

/// The arguments of a login of a service.
fn service_login<'a>(provider: &'a Provider, profile: &'a str, client_id: &'a str) -> [&'a str; 11] {
    [
        "login",
        "-p",
        profile,
        "--issuer",
        &provider.issuer,
        "--client-id",
        client_id,
        "--grant",
        "client-credentials",
        "--resource",
        OPAQUE,
    ]
}

/// The profile gets a token, another one when that ends, and asks about it.
fn use_service(mut login: Command, oauth: &dyn Fn() -> Command, home: &Home) -> Outcome {
    run(&mut login).expect_code(0);
    let session = home.kept("ci").expect("the session");
    let first = session.tokens[0].access_token.clone();
    home.keep("ci", &ending_in(-10, session));
    let second = run(oauth().args(["token", "ci"])).expect_code(0);
    assert_ne!(second.stdout.trim_end(), first.expose());
    let facts = run(oauth().args(["introspect", "-p", "ci", "--json"])).expect_code(0);
    assert_eq!(facts.json()["active"], true);
    facts
}

#[test]
fn a_service_gets_tokens_of_oidc_provider_and_asks_about_them() {
    let Some(provider) = Provider::start() else { return };
    let home = Home::new();
    let mut command = home.oauth();
    command
        .args(service_login(&provider, "ci", "bench"))
        .args(["--scope", "api:read"])
        .env("OAUTH_CLIENT_SECRET", "bench");
    let facts = use_service(command, &|| home.oauth(), &home).json();
    assert_eq!(
        (&facts["client_id"], &facts["scope"]),
        (&"bench".into(), &"api:read".into())
    );
    run(home.oauth().args(["logout", "ci"])).expect_code(0);
}

/// oidc-provider with https, and the files of a client that it knows.
fn start_with_certificates(home: &Home) -> Option<(Provider, Identity, String)> {
    let (folder, authority) = (home.path(), Authority::new());
    let file = authority.write(folder);
    authority.issue(&["127.0.0.1"]).write(folder, "server");
    let client = authority.issue(&["client.example"]);
    client.write(folder, "client");
    let provider = Provider::start_with(&[("TLS", &folder.display().to_string())])?;
    Some((provider, client, file.display().to_string()))
}

#[test]
fn tokens_of_oidc_provider_are_bound_to_the_certificate_of_a_client_with_a_key_and_of_one_without() {
    for (client_id, method) in [("bound", "private_key_jwt"), ("certified", "tls_client_auth")] {
        let home = Home::new();
        let Some((provider, client, authority)) = start_with_certificates(&home) else {
            return;
        };
        let oauth = || {
            let mut command = home.oauth();
            command.args(["--cacert", &authority]);
            command
        };
        let file = |name: &str| home.path().join(name).display().to_string();
        let mut command = oauth();
        command
            .args(service_login(&provider, "ci", client_id))
            .args(["--scope", "api:read"])
            .args(["--client-auth", method, "--client-key-id", "bound"])
            .args([
                "--client-key-file",
                &file("client.key.pem"),
                "--client-cert-file",
                &file("client.pem"),
            ]);
        let facts = use_service(command, &oauth, &home);
        let thumbprint = URL_SAFE_NO_PAD.encode(Sha256::digest(&client.certificate));
        assert_eq!(facts.json()["cnf"]["x5t#S256"], thumbprint, "{client_id}");
        run(oauth().args(["logout", "ci"])).expect_code(0);

        let mut without = oauth();
        without
            .args(service_login(&provider, "new", client_id))
            .args(["--client-auth", "private_key_jwt"])
            .args(["--client-key-id", "bound", "--client-key-file", &file("client.key.pem")]);
        run(&mut without).expect_code(5);
        assert!(home.kept("new").is_none());
    }
}

/// A login with these arguments to its end.
fn logged_in(provider: &Provider, home: &Home, arguments: &[&str]) -> Outcome {
    let browser = FakeBrowser::new(home.path());
    let mut command = home.oauth();
    command
        .args([
            "login",
            &provider.issuer,
            "-p",
            "work",
            "--scope",
            "openid offline_access",
        ])
        .args(["--param", "prompt=consent", "--browser", &browser.command()])
        .args(arguments);
    let running = Running::start(&mut command);
    let back = provider.sign_in_and_consent(&browser.wait_for_url());
    callback::get_url(back.as_str()).expect("an answer of the listener");
    running.end().expect_code(0)
}

#[test]
fn each_loopback_address_of_a_native_client_is_redirected_to_by_oidc_provider() {
    let Some(provider) = Provider::start() else { return };
    let has_ipv6 = std::net::TcpListener::bind("[::1]:0").is_ok();
    for host in ["127.0.0.1", "[::1]", "localhost"] {
        if host == "[::1]" && !has_ipv6 {
            continue;
        }
        let home = Home::new();
        let redirect_uri = format!("http://{host}:0/callback");
        logged_in(
            &provider,
            &home,
            &["--client-id", "native", "--redirect-uri", &redirect_uri],
        );
        run(home.oauth().args(["token", "work", "--force-refresh"])).expect_code(0);
    }
}

#[test]
fn a_client_registers_itself_at_oidc_provider_and_is_deleted_with_its_profile() {
    let Some(provider) = Provider::start() else { return };
    let home = Home::new();
    logged_in(&provider, &home, &["--register"]).says(&["registered"]);
    run(home.oauth().args(["token", "work", "--force-refresh"])).expect_code(0);
    let client = home.kept("work").expect("the session").client;
    let removed = run(home.oauth().args(["profile", "remove", "work", "-vv"])).expect_code(0);
    assert!(removed.stderr.contains("204"), "{removed:?}");
    let (status, error) = provider.refresh(client.id.as_str(), "any");
    assert_eq!((status, error.as_deref()), (401, Some("invalid_client")));
}
