//! Clients of `oauth serve` whose `client_id` is the URL of their metadata:
//! what is fetched, how often, and from where.

use crate::support::binary::Home;
use crate::support::callback;
use crate::support::development_server::{DevelopmentServer, authorize_target, parameter, redemption};
use crate::support::literal_server::{LiteralServer, Reply};
use crate::support::outcome::run;
use crate::support::plain_browser::PlainBrowser;
use crate::support::running::Running;
use serde_json::json;

const PATH: &str = "/client.json";

fn encode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// A server of the document of the client that it returns.
fn host() -> (LiteralServer, String) {
    let host = LiteralServer::start();
    let client_id = format!("{}{PATH}", host.origin());
    let document = json!({
        "client_id": client_id,
        "client_name": "A tool",
        "redirect_uris": ["http://127.0.0.1/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
    });
    let body = document.to_string();
    host.on("GET", PATH, Reply::http(200, &["Content-Type: application/json"], body));
    (host, client_id)
}

fn target(client_id: &str) -> String {
    authorize_target("").replace("client_id=oauth-cli", &format!("client_id={}", encode(client_id)))
}

#[test]
fn a_login_fetches_the_document_once_without_following_or_sending_anything_of_the_person() {
    let server = DevelopmentServer::start(&["--approve", "auto", "--client-id-documents", "loopback"]);
    let (host, client_id) = host();
    let answer = server.get(
        &target(&client_id),
        &["Cookie: a=b", "Referer: http://127.0.0.1/secret"],
    );
    let code = parameter(answer.header("location").expect("a redirect"), "code").expect("a code");
    let form = redemption(&code).replace("client_id=oauth-cli", &format!("client_id={}", encode(&client_id)));
    let answer = server.post("/token", &[], &form);
    assert_eq!(answer.status, 200, "{}", answer.body_text());
    let requests = host.requests();
    assert_eq!(requests.len(), 1);
    for name in ["cookie", "referer", "authorization"] {
        assert_eq!(requests[0].header(name), None);
    }
}

#[test]
fn every_endpoint_that_a_client_comes_to_first_fetches_its_document() {
    for (path, more) in [
        (
            "/par",
            "&response_type=code&redirect_uri=http%3A%2F%2F127.0.0.1%2Fcallback",
        ),
        ("/device_authorization", ""),
        ("/revoke", "&token=unknown"),
    ] {
        let server = DevelopmentServer::start(&["--approve", "auto", "--client-id-documents", "loopback"]);
        let (host, client_id) = host();
        let answer = server.post(path, &[], &format!("client_id={}{more}", encode(&client_id)));
        assert!(
            !answer.body_text().contains("invalid_client"),
            "{path}: {}",
            answer.body_text()
        );
        assert_eq!(host.requests().len(), 1, "{path}");
    }
}

#[test]
fn a_login_by_the_url_of_an_api_works_with_a_document() {
    let server = DevelopmentServer::start(&["--approve", "auto", "--client-id-documents", "loopback"]);
    let (host, client_id) = host();
    let home = Home::new();
    let mut login = home.oauth();
    login
        .args(["login", &format!("{}/api", server.issuer()), "--scope", "hello"])
        .env("OAUTH_CLIENT_METADATA_URL", &client_id);
    let login = Running::start(&mut login);
    let back = PlainBrowser::new().go_to(&login.authorization_url()).elsewhere();
    let _page = callback::get_url(back.as_str());
    login.end().expect_code(0);
    assert_eq!(host.requests().len(), 1);
    let token = run(home.oauth().arg("token")).expect_code(0);
    assert!(token.stdout.starts_with("ey"), "{token:#?}");
}

#[test]
fn a_redirect_to_the_document_is_not_followed() {
    let server = DevelopmentServer::start(&["--approve", "auto", "--client-id-documents", "loopback"]);
    let (host, _) = host();
    let moved = LiteralServer::start();
    let elsewhere = format!("Location: {}{PATH}", host.origin());
    moved.on("GET", PATH, Reply::http(302, &[&elsewhere], ""));
    let answer = server.get(&target(&format!("{}{PATH}", moved.origin())), &[]);
    assert_eq!(answer.status, 400);
    assert!(answer.body_text().contains("status 302"), "{}", answer.body_text());
    assert!(host.requests().is_empty());
}

#[test]
fn nothing_is_fetched_from_this_machine_or_a_private_network_unasked() {
    let (host, client_id) = host();
    for (switch, named) in [
        ("on", client_id.clone()),
        ("off", client_id.clone()),
        ("loopback:1", client_id.clone()),
        // A public name's port at this machine: the address itself decides.
        ("on", format!("https://127.0.0.1:{}{PATH}", host.port())),
        ("loopback", format!("https://169.254.169.254{PATH}")),
        ("loopback", format!("https://10.0.0.7{PATH}")),
        ("loopback", format!("https://[::ffff:10.0.0.7]{PATH}")),
    ] {
        let server = DevelopmentServer::start(&["--approve", "auto", "--client-id-documents", switch]);
        let answer = server.get(&target(&named), &[]);
        assert_eq!(answer.status, 400, "{switch} {named}");
        let text = answer.body_text();
        let is_private = named.contains("169.254") || named.contains("10.0.0.7");
        assert_eq!(
            text.contains("not a public address"),
            is_private,
            "{switch} {named}: {text}"
        );
    }
    assert!(host.requests().is_empty());
}
