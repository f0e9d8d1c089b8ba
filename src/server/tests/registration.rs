//! Clients that register themselves (RFC 7591), and end that (RFC 7592).

use super::*;
use crate::server::settings::Registration;
use serde_json::json as value;

const NATIVE: &str = r#"{"redirect_uris":["http://127.0.0.1:4711/callback"],"application_type":"native",
    "token_endpoint_auth_method":"none","grant_types":["authorization_code","refresh_token"],
    "response_types":["code"],"client_name":"A tool","not_known":{"a":[1]}}"#;

fn register(fixture: &Fixture, body: &str) -> Response {
    fixture.send("POST", "/register", &[("content-type", "application/json")], body)
}

fn refusal(fixture: &Fixture, body: &str) -> (String, String) {
    let answer = json(&register(fixture, body), 400);
    let text = |name: &str| answer[name].as_str().unwrap().to_owned();
    (text("error"), text("error_description"))
}

fn authorize_as(fixture: &Fixture, client: &Value) -> Response {
    let request = without(&authorize(""), "client_id");
    fixture.open(&format!(
        "{request}&client_id={}",
        client["client_id"].as_str().unwrap()
    ))
}

fn redeem_as(fixture: &Fixture, client: &Value) -> Response {
    let params = location_params(&authorize_as(fixture, client));
    let code = params.single("code").unwrap().expect("a code").to_owned();
    let id = client["client_id"].as_str().unwrap();
    fixture.post("/token", &redemption(&code).replace("oauth-cli", id))
}

fn own(fixture: &Fixture, method: &str, client: &Value, token: &str) -> Response {
    let uri = client["registration_client_uri"].as_str().unwrap();
    let target = uri.strip_prefix(ISSUER).unwrap();
    let bearer = format!("Bearer {token}");
    fixture.send(method, target, &[("authorization", &bearer)], "")
}

#[test]
fn a_native_client_registers_and_logs_in() {
    let fixture = Fixture::auto();
    let client = json(&register(&fixture, NATIVE), 201);
    assert_eq!(client["redirect_uris"], value!(["http://127.0.0.1:4711/callback"]));
    assert_eq!(client["token_endpoint_auth_method"], "none");
    assert_eq!(client["application_type"], "native");
    assert_eq!(client["client_name"], "A tool");
    assert_eq!(client["client_id_issued_at"], 1_000_000);
    for absent in ["client_secret", "client_secret_expires_at", "not_known"] {
        assert!(client.get(absent).is_none(), "{absent}");
    }
    let tokens = json(&redeem_as(&fixture, &client), 200);
    assert!(fixture.says_hello(&tokens) && tokens["refresh_token"].is_string());
}

#[test]
fn an_id_begins_with_a_letter() {
    let fixture = Fixture::auto();
    for _ in 0..500 {
        let client = json(&register(&fixture, NATIVE), 201);
        let id = client["client_id"].as_str().unwrap();
        assert!(
            id.starts_with(|character: char| character.is_ascii_alphabetic()),
            "{id}"
        );
    }
}

#[test]
fn both_documents_announce_the_endpoint_while_it_is_open() {
    for (registration, announced) in [(Registration::Open, true), (Registration::Off, false)] {
        let fixture = Fixture::new(|settings| settings.registration = registration);
        for path in ["oauth-authorization-server", "openid-configuration"] {
            let document = json(&fixture.open(&format!("/.well-known/{path}")), 200);
            let expected = announced.then(|| format!("{ISSUER}/register"));
            assert_eq!(document["registration_endpoint"].as_str(), expected.as_deref());
        }
        let status = register(&fixture, NATIVE).status;
        assert_eq!(status, if announced { 201 } else { 403 });
    }
}

#[test]
fn a_client_with_a_secret_authenticates_with_it_alone() {
    let fixture = Fixture::auto();
    let body =
        r#"{"redirect_uris":["http://127.0.0.1:4711/callback"],"token_endpoint_auth_method":"client_secret_post"}"#;
    let client = json(&register(&fixture, body), 201);
    assert_eq!(client["client_secret_expires_at"], 0);
    assert_eq!(client["grant_types"], value!(["authorization_code"]));
    assert_eq!(redeem_as(&fixture, &client).status, 401);
    let params = location_params(&authorize_as(&fixture, &client));
    let code = params.single("code").unwrap().unwrap().to_owned();
    let (id, secret) = (
        client["client_id"].as_str().unwrap(),
        client["client_secret"].as_str().unwrap(),
    );
    let form = format!("{}&client_secret={secret}", redemption(&code).replace("oauth-cli", id));
    let tokens = json(&fixture.post("/token", &form), 200);
    assert!(tokens.get("refresh_token").is_none(), "it registered for codes alone");
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    assert_eq!(
        json(&fixture.post("/token", &form), 400)["error"],
        "unauthorized_client"
    );
}

#[test]
fn a_client_with_keys_registers_them() {
    let key = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
    let body = |jwks: &str| {
        format!(r#"{{"redirect_uris":["https://rp.example/cb"],"token_endpoint_auth_method":"private_key_jwt"{jwks}}}"#)
    };
    let fixture = Fixture::auto();
    let client = json(
        &register(&fixture, &body(&format!(r#","jwks":{{"keys":[{key}]}}"#))),
        201,
    );
    assert_eq!(client["jwks"]["keys"][0]["kty"], "EC");
    assert!(client.get("client_secret").is_none());
    assert_eq!(refusal(&fixture, &body("")).0, "invalid_client_metadata");
    let elsewhere = refusal(&fixture, &body(r#","jwks_uri":"https://rp.example/jwks""#));
    assert_eq!(elsewhere.0, "invalid_client_metadata");
}

#[test]
fn redirect_uris_are_https_or_of_this_machine() {
    let fixture = Fixture::auto();
    let body =
        |uri: &str, kind: &str| format!(r#"{{"redirect_uris":["{uri}"],"token_endpoint_auth_method":"none"{kind}}}"#);
    let native = r#","application_type":"native""#;
    let web = r#","application_type":"web""#;
    for (uri, kind) in [
        ("http://127.0.0.1:5000/cb", native),
        ("http://127.0.0.1/cb", native),
        ("http://[::1]:5000/cb", native),
        ("http://localhost:5000/cb", native),
        ("http://localhost:5000/cb", ""),
        ("https://rp.example/cb", native),
        ("https://rp.example/cb", web),
        ("com.example.app:/cb", native),
    ] {
        assert_eq!(register(&fixture, &body(uri, kind)).status, 201, "{uri} {kind}");
    }
    for (uri, kind, word) in [
        ("http://rp.example/cb", native, "loopback"),
        ("http://rp.example/cb", "", "loopback"),
        ("http://127.0.0.1.rp.example/cb", native, "loopback"),
        ("http://10.0.0.7/cb", native, "loopback"),
        ("http://127.0.0.1:5000/cb", web, "application_type native"),
        ("com.example.app:/cb", web, "application_type native"),
        ("app:/cb", native, "backwards"),
        ("javascript:alert(1)", native, "scheme"),
        ("https://rp.example/cb#x", native, "fragment"),
        ("/cb", native, "absolute"),
    ] {
        let (error, description) = refusal(&fixture, &body(uri, kind));
        assert_eq!(error, "invalid_redirect_uri", "{uri} {kind}");
        assert!(description.contains(word), "{uri} {kind}: {description}");
    }
}

#[test]
fn what_is_no_client_is_refused_by_name() {
    let fixture = Fixture::auto();
    let with = |more: &str| {
        format!(r#"{{"redirect_uris":["https://rp.example/cb"],"token_endpoint_auth_method":"none"{more}}}"#)
    };
    for (body, error, word) in [
        ("[]".to_owned(), "invalid_client_metadata", "object"),
        ("{".to_owned(), "invalid_client_metadata", ""),
        (
            r#"{"token_endpoint_auth_method":"none"}"#.to_owned(),
            "invalid_redirect_uri",
            "redirect_uris",
        ),
        (
            r#"{"redirect_uris":"https://rp.example/cb"}"#.to_owned(),
            "invalid_client_metadata",
            "redirect_uris",
        ),
        (
            with(r#","grant_types":["implicit","password"]"#),
            "invalid_client_metadata",
            "grant_types",
        ),
        (
            with(r#","response_types":["token"]"#),
            "invalid_client_metadata",
            "response_types",
        ),
        (
            with(r#","application_type":"other""#),
            "invalid_client_metadata",
            "application_type",
        ),
        (with(r#","client_name":7"#), "invalid_client_metadata", "client_name"),
        (
            with(&format!(r#","client_name":"{}""#, "x".repeat(17_000))),
            "invalid_client_metadata",
            "16 KiB",
        ),
        (
            r#"{"redirect_uris":["https://rp.example/cb"],"token_endpoint_auth_method":"tls_client_auth"}"#.to_owned(),
            "invalid_client_metadata",
            "tls_client_auth",
        ),
    ] {
        let (found, description) = refusal(&fixture, &body);
        assert_eq!(found, error, "{body}");
        assert!(description.contains(word), "{description}");
    }
    let as_form = fixture.post("/register", "redirect_uris=https://rp.example/cb");
    assert_eq!(json(&as_form, 400)["error"], "invalid_client_metadata");
}

#[test]
fn a_registration_is_read_and_ended_by_its_own_token_alone() {
    let fixture = Fixture::auto();
    let (client, other) = (
        json(&register(&fixture, NATIVE), 201),
        json(&register(&fixture, NATIVE), 201),
    );
    let token = client["registration_access_token"].as_str().unwrap();
    let tokens = json(&redeem_as(&fixture, &client), 200);
    for method in ["GET", "DELETE"] {
        for wrong in ["x", other["registration_access_token"].as_str().unwrap()] {
            assert_eq!(
                json(&own(&fixture, method, &client, wrong), 401)["error"],
                "invalid_token"
            );
        }
        let bare = fixture.send(method, "/register", &[], "");
        assert_eq!((bare.status, bare.header("www-authenticate")), (401, Some("Bearer")));
    }
    let read = json(&own(&fixture, "GET", &client, token), 200);
    assert_eq!(read["client_id"], client["client_id"]);
    assert_eq!(read["client_name"], "A tool");
    assert!(read.get("registration_access_token").is_none());
    assert!(fixture.says_hello(&tokens));

    assert_eq!(own(&fixture, "DELETE", &client, token).status, 204);
    assert_eq!(own(&fixture, "GET", &client, token).status, 401);
    assert_eq!(authorize_as(&fixture, &client).status, 400);
    assert!(!fixture.says_hello(&tokens), "its grants end with it");
    assert_eq!(authorize_as(&fixture, &other).status, 303);
}
