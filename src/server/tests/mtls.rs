//! Tokens of public clients that are bound to a certificate (RFC 8705 §4),
//! and which certificate may be whose.

use super::*;
use crate::protocol::certificate::CertificateThumbprints;
use crate::server::client_certificate::ShownCertificate;
use serde_json::json as value;

/// Where the certificate of a client is not of the authority.
fn shown(der: &[u8]) -> Option<ShownCertificate> {
    Some(ShownCertificate {
        der: der.to_vec(),
        untrusted_because: Some("it is not signed".to_owned()),
    })
}

fn fixture(metadata: &Value) -> Fixture {
    Fixture::new(|settings| {
        settings.approval = Approval::Auto;
        settings.tls = Some("unused".into());
        let client = RegisteredClient::from_metadata(metadata.to_string().as_bytes());
        settings.clients = vec![client.unwrap()];
    })
}

fn send(fixture: &Fixture, path: &str, form: &str, certificate: Option<ShownCertificate>) -> Response {
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let mut request = Fixture::request("POST", path, &headers, form);
    request.certificate = certificate;
    let now = UnixSeconds(fixture.now.get());
    fixture
        .server
        .handle(now, &mut *fixture.randomness.borrow_mut(), &request)
}

fn error(response: &Response) -> (u16, String) {
    let body: Value = serde_json::from_slice(&response.body).unwrap();
    (response.status, body["error"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn tokens_of_a_public_client_work_and_refresh_with_its_certificate_alone() {
    let fixture = fixture(&value!({
        "client_id": "oauth-cli",
        "token_endpoint_auth_method": "none",
        "redirect_uris": [CALLBACK],
        "tls_client_certificate_bound_access_tokens": true,
    }));
    let redeem = |certificate| send(&fixture, "/token", &redemption(&fixture.code("")), certificate);
    assert_eq!(error(&redeem(None)), (400, "invalid_request".to_owned()));
    let tokens = json(&redeem(shown(b"one")), 200);
    let bound = value!({"x5t#S256": CertificateThumbprints::of(b"one").sha256});
    assert_eq!(claims(&tokens["access_token"])["cnf"], bound);
    assert_eq!(tokens["token_type"], "Bearer");

    let refresh_token = tokens["refresh_token"].as_str().unwrap();
    let form = format!("grant_type=refresh_token&client_id=oauth-cli&refresh_token={refresh_token}");
    let refused = (400, "invalid_grant".to_owned());
    assert_eq!(error(&send(&fixture, "/token", &form, shown(b"two"))), refused);
    let refreshed = json(&send(&fixture, "/token", &form, shown(b"one")), 200);
    assert_eq!(claims(&refreshed["access_token"])["cnf"], bound);
}

#[test]
fn a_client_that_must_show_a_certificate_gets_nothing_with_a_secret_or_without_one() {
    let certificate = "b25l";
    let fixture = fixture(&value!({
        "client_id": "oauth-cli",
        "token_endpoint_auth_method": "self_signed_tls_client_auth",
        "redirect_uris": [CALLBACK],
        "jwks": {"keys": [{"kty": "EC", "x5c": ["dHdv"]}, {"kty": "EC", "x5c": [certificate]}]},
    }));
    let form = || redemption(&fixture.code(""));
    let refused = (401, "invalid_client".to_owned());
    for (form, certificate) in [
        (form(), None),
        (form(), shown(b"three")),
        (form() + "&client_secret=s", shown(b"one")),
    ] {
        assert_eq!(error(&send(&fixture, "/token", &form, certificate)), refused, "{form}");
    }
    // Bound tokens are for those who ask for them.
    let tokens = json(&send(&fixture, "/token", &form(), shown(b"one")), 200);
    assert_eq!(claims(&tokens["access_token"])["cnf"], Value::Null);
    json(&send(&fixture, "/token", &form(), shown(b"two")), 200);
}

#[test]
fn pages_of_the_server_are_those_of_its_own_scheme() {
    for (tls, own, foreign) in [(None, "http", "https"), (Some("unused".into()), "https", "http")] {
        let fixture = Fixture::new(|settings| settings.tls = tls.clone());
        let status = |scheme: &str| {
            let origin = format!("{scheme}://127.0.0.1:9000");
            fixture
                .post_with("/token", "grant_type=x", &[("origin", &origin)])
                .status
        };
        assert_eq!((status(own), status(foreign)), (401, 403), "{own}");
    }
}
