//! Clients whose `client_id` is the URL of their metadata, with documents that
//! were fetched by hand.

use super::*;
use crate::server::clients::document_url::ClientIdDocuments;
use crate::server::clients::documents::FetchedDocument;

const CLIENT: &str = "https://app.example/client.json";

fn target() -> String {
    format!("{}&client_id={}", without(&authorize(""), "client_id"), encode(CLIENT))
}

fn document() -> Value {
    serde_json::json!({
        "client_id": CLIENT,
        "client_name": "A tool",
        "redirect_uris": ["http://127.0.0.1/callback", "http://localhost:5/cb"],
        "grant_types": ["authorization_code", "refresh_token", "urn:example:unknown"],
    })
}

/// Whether the server asks for the document, and with what it goes on.
fn fetch(fixture: &Fixture, status: u16, content_type: &str, body: &str) -> bool {
    let request = Fixture::request("GET", &target(), &[], "");
    let now = UnixSeconds(fixture.now.get());
    let Some(url) = fixture.server.wanted_document(now, &request) else {
        return false;
    };
    let fetched = FetchedDocument {
        status,
        content_type: content_type.to_owned(),
        body: body.as_bytes().to_vec(),
    };
    fixture.server.keep_document(now, &url, Ok(fetched));
    true
}

#[test]
fn a_client_with_a_document_logs_in_on_any_loopback_port() {
    let fixture = Fixture::auto();
    assert!(fetch(&fixture, 200, "application/json", &document().to_string()));
    let params = location_params(&fixture.open(&target()));
    let code = params.single("code").unwrap().expect("a code").to_owned();
    let form = redemption(&code).replace("oauth-cli", &encode(CLIENT));
    let tokens = json(&fixture.post("/token", &form), 200);
    assert!(tokens["refresh_token"].is_string());
    assert_eq!(claims(&tokens["access_token"])["client_id"], CLIENT);
}

#[test]
fn both_documents_announce_it_unless_it_is_off() {
    for (setting, announced) in [
        (ClientIdDocuments::Public, true),
        (ClientIdDocuments::Loopback(Vec::new()), true),
        (ClientIdDocuments::Off, false),
    ] {
        let fixture = Fixture::new(|settings| settings.client_id_documents = setting);
        for path in ["oauth-authorization-server", "openid-configuration"] {
            let metadata = json(&fixture.open(&format!("/.well-known/{path}")), 200);
            assert_eq!(metadata["client_id_metadata_document_supported"] == true, announced);
        }
        assert_eq!(fetch(&fixture, 200, "application/json", "{}"), announced);
    }
}

#[test]
fn a_document_counts_for_minutes_and_a_failure_for_seconds() {
    let fixture = Fixture::auto();
    assert!(fetch(&fixture, 500, "application/json", ""));
    assert!(!fetch(&fixture, 200, "application/json", &document().to_string()));
    fixture.pass(5);
    assert!(fetch(
        &fixture,
        200,
        "application/json; charset=utf-8",
        &document().to_string()
    ));
    fixture.pass(299);
    assert!(!fetch(&fixture, 500, "", ""));
    assert_eq!(fixture.open(&target()).status, 303);
    fixture.pass(1);
    assert!(fetch(&fixture, 200, "application/oauth+json", &document().to_string()));
    assert_eq!(fixture.open(&target()).status, 303);
}

#[test]
fn a_document_that_is_none_is_refused_on_the_page_with_the_reason() {
    let with = |name: &str, value: Value| {
        let mut document = document();
        document[name] = value;
        document.to_string()
    };
    let good = document().to_string();
    for (status, content_type, body, reason) in [
        (404, "application/json", good.clone(), "status 404"),
        (302, "application/json", good.clone(), "status 302"),
        (200, "text/plain", good.clone(), "Content-Type"),
        (200, "text/html", good.clone(), "Content-Type"),
        (200, "application/json", "[]".to_owned(), "object"),
        (
            200,
            "application/json",
            with("client_id", "https://app.example/client.json/".into()),
            "not its URL",
        ),
        (
            200,
            "application/json",
            with("client_id", "https://APP.example/client.json".into()),
            "not its URL",
        ),
        (200, "application/json", with("client_id", Value::Null), "client_id"),
        (
            200,
            "application/json",
            with("client_secret", "x".into()),
            "client_secret",
        ),
        (
            200,
            "application/json",
            with("token_endpoint_auth_method", "client_secret_basic".into()),
            "secret",
        ),
        (
            200,
            "application/json",
            with("redirect_uris", serde_json::json!([])),
            "redirect_uris",
        ),
        (
            200,
            "application/json",
            with("redirect_uris", serde_json::json!(["http://app.example/cb"])),
            "loopback",
        ),
        (
            200,
            "application/json",
            with("client_name", "x".repeat(6_000).into()),
            "5 KiB",
        ),
    ] {
        let fixture = Fixture::auto();
        assert!(fetch(&fixture, status, content_type, &body));
        let page = fixture.open(&target());
        assert_eq!(page.status, 400, "{reason}");
        assert!(text(&page).contains(reason), "{reason}: {}", text(&page));
    }
}

#[test]
fn only_requests_that_are_answered_lead_to_a_fetch() {
    let fixture = Fixture::auto();
    let form = format!("grant_type=refresh_token&refresh_token=x&client_id={}", encode(CLIENT));
    let media_type = ("content-type", "application/x-www-form-urlencoded");
    let query = target();
    for (method, target, headers, body, wanted) in [
        ("GET", query.as_str(), &[][..], "", true),
        ("POST", "/token", &[media_type], form.as_str(), true),
        ("POST", "/revoke", &[media_type], &form, true),
        ("POST", "/device_authorization", &[media_type], &form, true),
        ("POST", "/token", &[], &form, false),
        (
            "POST",
            "/token",
            &[media_type, ("origin", "https://evil.example")],
            &form,
            false,
        ),
        ("GET", &query, &[("sec-fetch-dest", "image")], "", false),
        ("GET", &query, &[("host", "evil.example")], "", false),
        ("GET", &query.replace("/authorize", "/userinfo"), &[], "", false),
    ] {
        let request = Fixture::request(method, target, headers, body);
        let found = fixture.server.wanted_document(UnixSeconds(fixture.now.get()), &request);
        assert_eq!(found.is_some(), wanted, "{method} {target} {headers:?}");
    }
}
