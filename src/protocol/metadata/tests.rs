//! Metadata as servers publish them, and what is taken from them.

use super::*;
use crate::protocol::signing::SigningKey;

fn issuer(text: &str) -> Issuer {
    Issuer::parse(text, HttpPolicy::LoopbackOnly).unwrap()
}

fn parse(document: &Value) -> Result<ServerMetadata, MetadataError> {
    ServerMetadata::parse(
        document.to_string().as_bytes(),
        &issuer("https://as.example"),
        HttpPolicy::LoopbackOnly,
    )
}

#[test]
fn the_issuer_must_be_identical() {
    for found in [
        "https://as.example/",
        "https://AS.example",
        "https://as.example:443",
        "https://other.example",
    ] {
        assert!(
            matches!(
                parse(&json!({ "issuer": found })),
                Err(MetadataError::OtherIssuer { .. })
            ),
            "{found}"
        );
    }
    assert_eq!(parse(&json!({})).unwrap_err(), MetadataError::NoIssuer);
}

#[test]
fn endpoints_are_vetted() {
    for bad in [
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://as.example/",
        "https://169.254.169.254/",
    ] {
        let metadata = parse(&json!({ "issuer": "https://as.example", "authorization_endpoint": bad })).unwrap();
        let error = metadata.required("authorization_endpoint").unwrap_err();
        assert!(
            matches!(
                error,
                MetadataError::Endpoint {
                    member: "authorization_endpoint",
                    ..
                }
            ),
            "{bad}"
        );
    }
    let metadata = parse(&json!({ "issuer": "https://as.example", "token_endpoint": 7 })).unwrap();
    assert_eq!(
        metadata.required("token_endpoint"),
        Err(MetadataError::Type("token_endpoint"))
    );
    assert_eq!(
        metadata.required("jwks_uri"),
        Err(MetadataError::NoEndpoint("jwks_uri"))
    );
}

#[test]
fn what_is_published_can_be_read() {
    let endpoint = |path: &str| Endpoint::parse(&format!("https://as.example{path}"), HttpPolicy::LoopbackOnly).ok();
    let metadata = ServerMetadata {
        issuer: Some(issuer("https://as.example")),
        authorization_endpoint: endpoint("/authorize"),
        token_endpoint: endpoint("/token"),
        jwks_uri: endpoint("/jwks"),
        code_challenge_methods_supported: Some(vec!["S256".into()]),
        response_types_supported: Some(vec!["code".into()]),
        authorization_response_iss_parameter_supported: true,
        ..ServerMetadata::default()
    };
    let read = parse(&metadata.to_json()).unwrap();
    assert_eq!(read.to_json(), metadata.to_json());
    assert_eq!(read.supports_code_flow_with_pkce(), Ok(()));
}

#[test]
fn a_server_without_s256_is_told_apart_from_a_silent_one() {
    let with = |methods: Value| {
        parse(&json!({ "issuer": "https://as.example", "code_challenge_methods_supported": methods }))
            .and_then(|metadata| metadata.supports_code_flow_with_pkce())
    };
    assert_eq!(with(json!(["plain"])), Err(MetadataError::NoS256));
    assert_eq!(with(json!([])), Err(MetadataError::NoS256));
    assert_eq!(with(json!(null)), Ok(()));
    assert_eq!(with(json!(["plain", "S256"])), Ok(()));
}

#[test]
fn the_authentication_method_comes_from_the_metadata() {
    let chosen = |methods: Value, credentials: &ClientCredentials| {
        parse(&json!({ "issuer": "https://as.example", "token_endpoint_auth_methods_supported": methods }))
            .unwrap()
            .client_authentication_method(credentials)
    };
    let secret = ClientCredentials {
        secret: Some("s".into()),
        ..ClientCredentials::default()
    };
    let key = ClientCredentials {
        key: Some(SigningKey::generate_p256().unwrap()),
        ..ClientCredentials::default()
    };
    let both = ClientCredentials {
        secret: secret.secret.clone(),
        ..key.clone()
    };
    let with = |methods: Value| chosen(methods, &secret);
    assert_eq!(with(json!(null)), ClientAuthenticationMethod::ClientSecretBasic);
    assert_eq!(
        with(json!(["client_secret_post", "none"])),
        ClientAuthenticationMethod::ClientSecretPost
    );
    assert_eq!(
        with(json!(["client_secret_post", "client_secret_basic"])),
        ClientAuthenticationMethod::ClientSecretBasic
    );
    assert_eq!(
        with(json!(["private_key_jwt", "client_secret_jwt"])),
        ClientAuthenticationMethod::ClientSecretJwt
    );
    for listed in [json!(null), json!(["client_secret_basic"]), json!(["private_key_jwt"])] {
        assert_eq!(chosen(listed, &key), ClientAuthenticationMethod::PrivateKeyJwt);
    }
    // the key is for request objects
    let all = json!(["private_key_jwt", "client_secret_basic"]);
    assert_eq!(
        chosen(all.clone(), &both),
        ClientAuthenticationMethod::ClientSecretBasic
    );
    assert_eq!(
        chosen(all, &ClientCredentials::default()),
        ClientAuthenticationMethod::None
    );
}

#[test]
fn what_is_not_needed_may_be_malformed() {
    let metadata = parse(&json!({
        "issuer": "https://as.example",
        "authorization_endpoint": "https://as.example/a",
        "token_endpoint": "https://as.example/t",
        "userinfo_endpoint": "",
        "revocation_endpoint": "/revoke",
        "introspection_endpoint": "http://as.example/i",
        "jwks_uri": {},
        "scopes_supported": "openid email",
        "grant_types_supported": [1],
    }))
    .unwrap();
    assert_eq!(metadata.supports_code_flow_with_pkce(), Ok(()));
    assert!(metadata.required("authorization_endpoint").is_ok() && metadata.required("token_endpoint").is_ok());
    let members: Vec<_> = metadata.problems.iter().filter_map(MetadataError::member).collect();
    assert_eq!(
        members,
        [
            "revocation_endpoint",
            "introspection_endpoint",
            "userinfo_endpoint",
            "jwks_uri",
            "scopes_supported",
            "grant_types_supported"
        ]
    );
    assert!(
        !metadata.lacks("userinfo_endpoint"),
        "what is malformed is not replaced"
    );
    for member in ["code_challenge_methods_supported", "response_types_supported"] {
        let metadata = parse(&json!({ "issuer": "https://as.example", member: "S256" })).unwrap();
        assert_eq!(
            metadata.supports_code_flow_with_pkce(),
            Err(MetadataError::Type(member))
        );
    }
}

#[test]
fn a_second_document_adds_what_the_first_lacks_and_nothing_else() {
    let first = json!({
        "issuer": "https://as.example",
        "authorization_endpoint": "https://as.example/a",
        "token_endpoint": "https://as.example/t",
        "jwks_uri": "https://as.example/first",
    });
    let complete = |member: &str, url: &str| {
        let mut metadata = parse(&first).unwrap();
        let other = parse(&json!({ "issuer": "https://as.example", member: url })).unwrap();
        let taken = metadata.lacks(member) && metadata.complete_from(member, &other);
        assert_eq!(
            taken,
            metadata
                .endpoint(member)
                .is_some_and(|endpoint| endpoint.to_string() == url)
        );
        taken
    };
    for member in ["userinfo_endpoint", "introspection_endpoint", "revocation_endpoint"] {
        assert!(complete(member, "https://as.example/x"), "{member}");
        assert!(!complete(member, "https://other.example/x"), "{member}");
        assert!(!complete(member, "https://as.example:8443/x"), "{member}");
    }
    assert!(!complete("jwks_uri", "https://as.example/second"));
    assert!(!complete("token_endpoint", "https://as.example/second"));
}

proptest::proptest! {
    #[test]
    fn any_object_with_the_right_issuer_can_be_read(
        member in proptest::sample::select(vec![
            "authorization_endpoint", "token_endpoint", "revocation_endpoint", "introspection_endpoint",
            "userinfo_endpoint", "jwks_uri", "code_challenge_methods_supported", "scopes_supported",
            "response_types_supported", "authorization_response_iss_parameter_supported",
            "require_pushed_authorization_requests", "something_else",
        ]),
        value in "\\PC{0,40}",
        kind in 0..6,
    ) {
        let value = match kind {
            0 => json!(value),
            1 => json!([value]),
            2 => json!({ value: 1 }),
            3 => json!(7),
            4 => json!([1, null]),
            _ => Value::Null,
        };
        let read = parse(&json!({ "issuer": "https://as.example", member: value }));
        let read = read.unwrap();
        for problem in &read.problems {
            proptest::prop_assert_eq!(problem.member(), Some(member));
        }
        for endpoint in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
            if let Some(endpoint) = read.endpoint(endpoint) {
                proptest::prop_assert_eq!(endpoint.url().scheme(), "https");
            }
        }
    }
}

#[test]
fn entra_announces_bound_tokens_and_binds_none_unasked() {
    let read = |text: &str| {
        let document = json!({ "issuer": text, "tls_client_certificate_bound_access_tokens": true });
        let bytes = document.to_string();
        ServerMetadata::parse(bytes.as_bytes(), &issuer(text), HttpPolicy::LoopbackOnly).unwrap()
    };
    for (text, is_bound) in [
        (
            "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0",
            false,
        ),
        (
            "https://login.microsoftonline.us/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0",
            false,
        ),
        (
            "https://contoso.ciamlogin.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0",
            false,
        ),
        ("https://login.microsoftonline.com.as.example/", true),
        ("https://ciamlogin.com.as.example/", true),
        ("https://as.example", true),
    ] {
        assert_eq!(read(text).binds_tokens_to_certificates(), is_bound, "{text}");
    }
}
