//! `oauth serve --client-metadata`: clients that authenticate with assertions,
//! and every assertion that is not theirs (RFC 7523 §3).

use super::support::binary::Home;
use super::support::development_server::DevelopmentServer;
use super::support::login::complete_at;
use super::support::outcome::run;
use super::support::sessions::now;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth::protocol::signing::{HmacAlgorithm, JwsHeader, JwtType, SigningAlgorithm, SigningKey, sign_with_secret};
use oauth::secret::Secret;
use serde_json::{Value, json};
use std::path::PathBuf;

/// RFC 7515 §A.3.1.
const KEY: &str = include_str!("../../src/protocol/signing/test_keys/p256.pkcs8.pem");
const PUBLIC_KEY: &str = include_str!("../../src/protocol/signing/test_keys/p256.public.pem");
const RSA_KEY: &str = include_str!("../../src/protocol/signing/test_keys/rsa.pkcs8.pem");
const X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
const Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
const SECRET: &str = "a-shared-secret-of-32-bytes-or-more!";

fn file(home: &Home, name: &str, content: &str) -> PathBuf {
    let path = home.path().join(name);
    std::fs::write(&path, content).expect("writing a file");
    path
}

/// A server that knows `signing` by its key and `sharing` by its secret.
fn server(home: &Home) -> DevelopmentServer {
    let signing = json!({
        "client_id": "signing",
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": {"keys": [{"kty": "EC", "crv": "P-256", "kid": "mine", "x": X, "y": Y}]},
        "client_name": "ignored"
    });
    let sharing = json!({
        "client_id": "sharing",
        "client_secret": SECRET,
        "token_endpoint_auth_method": "client_secret_jwt",
        "token_endpoint_auth_signing_alg": "HS256"
    });
    let signing = file(home, "signing.json", &signing.to_string());
    let sharing = file(home, "sharing.json", &sharing.to_string());
    DevelopmentServer::start(&[
        "--approve",
        "auto",
        "--client-metadata",
        &signing.display().to_string(),
        "--client-metadata",
        &sharing.display().to_string(),
    ])
}

#[test]
fn clients_with_keys_and_with_signing_secrets_log_in_refresh_introspect_and_log_out() {
    let home = Home::new();
    let server = server(&home);
    let key = file(&home, "key.pem", KEY).display().to_string();
    let secret = file(&home, "secret", SECRET).display().to_string();
    for arguments in [
        &[
            "--client-id",
            "signing",
            "--client-key-file",
            &key,
            "--client-key-id",
            "mine",
        ][..],
        &[
            "--client-id",
            "sharing",
            "--client-secret-file",
            &secret,
            "--client-auth",
            "client_secret_jwt",
        ],
    ] {
        let arguments = [&["-p", arguments[1]], arguments].concat();
        complete_at(&server, &home, &arguments).expect_code(0);
        let profile = arguments[1];
        run(home.oauth().args(["token", profile, "--force-refresh"])).expect_code(0);
        let introspected = run(home.oauth().args(["introspect", "-p", profile, "--json"])).expect_code(0);
        assert_eq!(introspected.json()["client_id"], profile);
        run(home.oauth().args(["logout", profile])).expect_code(0);
    }
    let metadata = server.get("/.well-known/oauth-authorization-server", &[]).body_text();
    let metadata: Value = serde_json::from_str(&metadata).expect("JSON");
    for member in [
        "token_endpoint_auth_signing_alg_values_supported",
        "revocation_endpoint_auth_signing_alg_values_supported",
        "introspection_endpoint_auth_signing_alg_values_supported",
    ] {
        assert!(
            metadata[member]
                .as_array()
                .is_some_and(|list| list.contains(&json!("ES256")))
        );
    }
}

#[test]
fn a_registered_key_without_a_name_verifies_assertions_that_name_one() {
    let home = Home::new();
    let keys = [
        json!({"kty": "RSA", "n": "sXchDaQebHnPiGvyDOAT4saGEUetSyo9MKLOoWFsueri23bOdgWp4Dy1WlUzewbgBHod5pcM9H95GQRV3JDXboIRROSBigeC5yjU1hGzHHyXss8UDprecbAYxknTcQkhslANGRUZmdTOQ5qTRsLAt6BTYuyvVRdhS8exSZEy_c4gs_7svlJJQ4H9_NxsiIoLwAEk7-Q3UXERGYw_75IDrGA84-lA_-Ct4eTlXHBIY2EaV7t7LjJaynVJCpkv4LKjTTAumiGUIuQhrNhZLuF_RJLqHpM2kgWFLU7-VTdL1VbC2tejvcI2BlMkEpk1BzBZI0KQB0GaDWFLN-aEAw3vRw", "e": "AQAB"}),
        json!({"kty": "EC", "crv": "P-256", "x": X, "y": Y}),
    ];
    let metadata =
        json!({"client_id": "signing", "token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": keys}});
    let metadata = file(&home, "signing.json", &metadata.to_string()).display().to_string();
    let server = DevelopmentServer::start(&["--approve", "auto", "--client-metadata", &metadata]);
    let key = file(&home, "key.pem", KEY).display().to_string();
    let arguments = ["-p", "signing", "--client-id", "signing", "--client-key-file", &key];
    complete_at(&server, &home, &arguments).expect_code(0);
    let [one, other] = [(); 2].map(|()| signed(HONEST, KEY, &claims(&server, "signing")));
    let (said, of_other) = (
        one.rsplit_once('.').expect("a JWT").0,
        other.rsplit_once('.').expect("a JWT").1,
    );
    let refused = (401, Some("invalid_client".to_owned()));
    assert_eq!(request(&server, &format!("{said}.{of_other}")), refused);
}

/// A client credentials request with this assertion: status and `error`.
fn request(server: &DevelopmentServer, assertion: &str) -> (u16, Option<String>) {
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "client_credentials")
        .append_pair(
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        )
        .append_pair("client_assertion", assertion)
        .finish();
    let answer = server.post("/token", &[], &form);
    let body: Value = serde_json::from_str(&answer.body_text()).expect("JSON");
    (answer.status, body["error"].as_str().map(str::to_owned))
}

fn claims(server: &DevelopmentServer, id: &str) -> Value {
    json!({"iss": id, "sub": id, "aud": server.issuer(), "jti": format!("{:?}", std::time::Instant::now()), "iat": now(), "exp": now() + 60})
}

fn with(mut claims: Value, name: &str, value: Value) -> Value {
    match value {
        Value::Null => {
            claims.as_object_mut().expect("an object").remove(name);
        }
        value => claims[name] = value,
    }
    claims
}

fn signed(header: JwsHeader<'_>, key: &str, claims: &Value) -> String {
    let key = SigningKey::parse(key).expect("a key");
    let header = header.encode().expect("a header");
    key.sign_jwt(&header, claims).expect("a token").expose().clone()
}

const HONEST: JwsHeader<'static> = JwsHeader {
    typ: JwtType::ClientAuthentication,
    alg: SigningAlgorithm::Es256,
    kid: Some("mine"),
    jwk: None,
    certificate: None,
};

#[test]
fn only_a_fresh_assertion_of_the_client_for_this_issuer_is_taken() {
    let home = Home::new();
    let server = server(&home);
    let honest = || claims(&server, "signing");
    let refused = (401, Some("invalid_client".to_owned()));
    let once = signed(HONEST, KEY, &honest());
    assert_eq!(request(&server, &once), (200, None));
    assert_eq!(request(&server, &once), refused, "used before");
    server.wait_for_log(&["used before"]);
    let without_type = JwsHeader { kid: None, ..HONEST };
    assert_eq!(request(&server, &signed(without_type, KEY, &honest())), (200, None));

    let issuer = server.issuer();
    for (name, value) in [
        ("aud", json!(format!("{issuer}/token"))),
        ("aud", json!([issuer])),
        ("aud", json!(format!("{issuer}/"))),
        ("aud", Value::Null),
        ("iss", json!("sharing")),
        ("iss", Value::Null),
        ("sub", Value::Null),
        ("exp", Value::Null),
        ("exp", json!(now())),
        ("exp", json!(now() + 3600)),
        ("exp", json!("tomorrow")),
        ("iat", json!(now() + 3600)),
        ("nbf", json!(now() + 3600)),
        ("jti", Value::Null),
    ] {
        let changed = signed(HONEST, KEY, &with(honest(), name, value.clone()));
        assert_eq!(request(&server, &changed), refused, "{name}: {value}");
    }
    for (header, key) in [
        (
            JwsHeader {
                typ: JwtType::AccessToken,
                ..HONEST
            },
            KEY,
        ),
        (
            JwsHeader {
                typ: JwtType::DpopProof,
                ..HONEST
            },
            KEY,
        ),
        (
            JwsHeader {
                kid: Some("another"),
                ..HONEST
            },
            KEY,
        ),
        (
            JwsHeader {
                alg: SigningAlgorithm::Rs256,
                ..HONEST
            },
            RSA_KEY,
        ),
        (
            JwsHeader {
                alg: SigningAlgorithm::Rs256,
                kid: None,
                ..HONEST
            },
            RSA_KEY,
        ),
    ] {
        assert_eq!(request(&server, &signed(header, key, &honest())), refused, "{header:?}");
    }
}

#[test]
fn neither_a_public_key_nor_nothing_nor_another_method_stands_for_a_signature() {
    let home = Home::new();
    let server = server(&home);
    let refused = (401, Some("invalid_client".to_owned()));
    let honest = claims(&server, "signing");
    // what everybody has of the client, as the key of an HMAC (RFC 8725 §3.1)
    let jwk = format!(r#"{{"crv":"P-256","kty":"EC","x":"{X}","y":"{Y}"}}"#);
    for public in [PUBLIC_KEY, PUBLIC_KEY.trim_end(), &jwk, X, ""] {
        let token = sign_with_secret(
            &Secret::from(public),
            JwtType::ClientAuthentication,
            HmacAlgorithm::Hs256,
            &honest,
        );
        assert_eq!(request(&server, token.expect("a token").expose()), refused, "{public}");
    }
    let encoded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    for algorithm in ["none", "None", "NONE", ""] {
        let unsigned = format!("{}.{}.", encoded(&json!({"alg": algorithm})), encoded(&honest));
        assert_eq!(request(&server, &unsigned), refused, "{algorithm}");
    }
    let of_sharing = claims(&server, "sharing");
    let secret = Secret::from(SECRET);
    let by = |algorithm| {
        let token = sign_with_secret(&secret, JwtType::ClientAuthentication, algorithm, &of_sharing);
        token.expect("a token").expose().clone()
    };
    assert_eq!(
        request(&server, &by(HmacAlgorithm::Hs512)),
        refused,
        "HS256 is registered"
    );
    assert_eq!(request(&server, &by(HmacAlgorithm::Hs256)), (200, None));
    // its secret is for signing alone
    let form = format!(
        "grant_type=client_credentials&client_id=sharing&client_secret={}",
        SECRET.replace('!', "%21")
    );
    assert_eq!(server.post("/token", &[], &form).status, 401);
    for form in [
        "grant_type=client_credentials&client_id=signing",
        "grant_type=client_credentials&client_id=sharing",
    ] {
        assert_eq!(server.post("/token", &[], form).status, 401);
    }
    let assertion = signed(HONEST, KEY, &honest);
    for more in [
        "client_secret=x&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer",
        "x=y",
    ] {
        let form = format!("grant_type=client_credentials&client_id=signing&client_assertion={assertion}&{more}");
        assert!([400, 401].contains(&server.post("/token", &[], &form).status), "{more}");
    }
}

#[test]
fn metadata_that_make_no_client_are_exit_2() {
    let home = Home::new();
    for (text, word) in [
        ("{", "client metadata"),
        (r#"{"client_id":"c"}"#, "client_secret"),
        (
            r#"{"client_id":"c","token_endpoint_auth_method":"private_key_jwt"}"#,
            "jwks",
        ),
    ] {
        let path = file(&home, "client.json", text);
        run(home
            .oauth()
            .args(["serve", "--port", "0", "--client-metadata"])
            .arg(path))
        .expect_error(2)
        .says(&[word]);
    }
}

#[test]
fn signing_keys_of_a_file_stay_the_same_from_run_to_run() {
    let home = Home::new();
    let keys = file(&home, "keys.pem", &format!("{RSA_KEY}{KEY}"));
    let published = || {
        let server = DevelopmentServer::start(&["--signing-key-file", &keys.display().to_string()]);
        server.get("/jwks", &[]).body_text()
    };
    let first = published();
    assert_eq!(published(), first);
    let set: Value = serde_json::from_str(&first).expect("JSON");
    assert_eq!(
        (&set["keys"][0]["x"], &set["keys"][0]["alg"]),
        (&json!(X), &json!("ES256"))
    );
    assert_eq!(set["keys"][1]["alg"], "RS256");
    assert!(!first.contains("\"d\""), "{first}");
    let wrong = file(&home, "wrong.pem", PUBLIC_KEY);
    run(home
        .oauth()
        .args(["serve", "--port", "0", "--signing-key-file"])
        .arg(wrong))
    .expect_error(2)
    .says(&["private key"]);
}
