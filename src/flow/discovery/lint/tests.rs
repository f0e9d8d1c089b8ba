//! One document, one fault at a time.

use super::*;
use serde_json::{Value, json};

const ISSUER: &str = "https://as.example";

fn sound() -> Value {
    json!({
        "issuer": ISSUER,
        "authorization_endpoint": "https://as.example/authorize",
        "token_endpoint": "https://as.example/token",
        "revocation_endpoint": "https://as.example/revoke",
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "authorization_response_iss_parameter_supported": true,
    })
}

fn found(document: &Value) -> FoundDocument {
    FoundDocument {
        url: Url::parse("https://as.example/.well-known/oauth-authorization-server").unwrap(),
        asked: ISSUER.to_owned(),
        media_type: Some("application/json".to_owned()),
        bytes: document.to_string().into_bytes(),
        members: document.as_object().unwrap().clone(),
    }
}

fn findings_of(document: &Value) -> Vec<(Severity, String)> {
    let exploration = DiscoveryReport {
        server: Some(found(document)),
        ..DiscoveryReport::default()
    };
    let findings = findings(&exploration).into_iter();
    findings.map(|finding| (finding.severity, finding.message)).collect()
}

#[test]
fn a_sound_server_has_no_findings() {
    assert_eq!(findings_of(&sound()), []);
}

#[test]
fn each_member_that_is_wrong_is_found_and_nothing_else() {
    use Severity::{Must, Note, Should};
    let null = Value::Null;
    let cases = [
        ("issuer", json!("https://as.example/"), Must, "trailing slash"),
        ("issuer", null.clone(), Must, "does not name an issuer"),
        (
            "authorization_endpoint",
            null.clone(),
            Must,
            "no authorization_endpoint",
        ),
        (
            "authorization_endpoint",
            json!(7),
            Must,
            "is the number 7; it must be a string",
        ),
        (
            "authorization_endpoint",
            json!("http://as.example/"),
            Must,
            "plain http",
        ),
        (
            "authorization_endpoint",
            json!("https://as.example/#x"),
            Must,
            "fragment",
        ),
        (
            "authorization_endpoint",
            json!("javascript:alert(1)"),
            Must,
            "neither an https",
        ),
        ("jwks_uri", json!("https://10.0.0.1/jwks"), Must, "private address"),
        ("token_endpoint", null.clone(), Must, "no token_endpoint"),
        (
            "token_endpoint",
            json!("https://tokens.example/"),
            Note,
            "tokens.example instead of as.example",
        ),
        ("revocation_endpoint", null.clone(), Should, "no revocation_endpoint"),
        (
            "response_types_supported",
            null.clone(),
            Must,
            "no response_types_supported",
        ),
        ("response_types_supported", json!(["none"]), Must, "does not list code"),
        (
            "response_types_supported",
            json!(["code", "code token"]),
            Should,
            "code token",
        ),
        ("grant_types_supported", null.clone(), Should, "which means"),
        (
            "grant_types_supported",
            json!(["authorization_code", "implicit"]),
            Should,
            "implicit grant",
        ),
        (
            "grant_types_supported",
            json!(["authorization_code", "password"]),
            Must,
            "password grant",
        ),
        (
            "grant_types_supported",
            json!(["refresh_token"]),
            Should,
            "authorization_code",
        ),
        (
            "grant_types_supported",
            json!(["authorization_code", DEVICE_CODE]),
            Note,
            "device grant",
        ),
        (
            "device_authorization_endpoint",
            json!("https://as.example/d"),
            Note,
            "does not list the device",
        ),
        (
            "code_challenge_methods_supported",
            null.clone(),
            Should,
            "whether PKCE is supported",
        ),
        (
            "code_challenge_methods_supported",
            json!(["s256"]),
            Must,
            "S256 is not among",
        ),
        (
            "code_challenge_methods_supported",
            json!(["S256", "plain"]),
            Should,
            "plain",
        ),
        (
            "authorization_response_iss_parameter_supported",
            json!(false),
            Should,
            "mix-up",
        ),
        ("require_pushed_authorization_requests", json!(true), Must, "pushed"),
        (
            "require_signed_request_object",
            json!(true),
            Must,
            "signed request objects",
        ),
        (
            "token_endpoint_auth_methods_supported",
            json!(["client_secret_basic"]),
            Note,
            "without a secret",
        ),
        (
            "token_endpoint_auth_methods_supported",
            json!(["none", "private_key_jwt"]),
            Must,
            "signed JWT",
        ),
        (
            "token_endpoint_auth_signing_alg_values_supported",
            json!(["none"]),
            Must,
            "an unsigned JWT",
        ),
        (
            "id_token_signing_alg_values_supported",
            json!(["none"]),
            Should,
            "unsigned",
        ),
        ("ui_locales_supported", json!([]), Must, "empty list"),
    ];
    for (member, value, severity, part) in cases {
        let mut document = sound();
        document[member] = value.clone();
        let found = findings_of(&document);
        let [(its_severity, message)] = &found[..] else {
            panic!("{member} {value}: {found:?}");
        };
        assert!(
            *its_severity == severity && message.contains(part),
            "{member} {value}: {found:?}"
        );
    }
}

/// A document that a login takes, where each fault of type is the only one.
fn sound_openid() -> Value {
    let mut document = sound();
    document["jwks_uri"] = json!("https://as.example/jwks");
    document["scopes_supported"] = json!(["openid"]);
    document["subject_types_supported"] = json!(["public"]);
    document["id_token_signing_alg_values_supported"] = json!(["RS256"]);
    document["device_authorization_endpoint"] = json!("https://as.example/device");
    document["grant_types_supported"] = json!(["authorization_code", DEVICE_CODE]);
    document
}

#[test]
fn a_member_of_another_type_is_one_finding_whatever_follows_from_it() {
    let openid = |document: &Value| FoundDocument {
        url: Url::parse("https://as.example/.well-known/openid-configuration").unwrap(),
        ..found(document)
    };
    let list = "a list of strings";
    for (member, value, shown, expected) in [
        ("issuer", json!(7), "the number 7", "a string"),
        ("authorization_endpoint", json!(["x"]), "a list", "a string"),
        ("token_endpoint", json!({}), "an object", "a string"),
        ("revocation_endpoint", json!(true), "true", "a string"),
        ("jwks_uri", json!(7), "the number 7", "a string"),
        ("scopes_supported", json!("openid"), "the string \"openid\"", list),
        (
            "scopes_supported",
            json!(["openid", 7]),
            "a list with the number 7",
            list,
        ),
        ("scopes_supported", json!([null]), "a list with null", list),
        ("scopes_supported", json!(true), "true", list),
        ("response_types_supported", json!("code"), "the string \"code\"", list),
        (
            "grant_types_supported",
            json!("implicit"),
            "the string \"implicit\"",
            list,
        ),
        (
            "code_challenge_methods_supported",
            json!("S256"),
            "the string \"S256\"",
            list,
        ),
        (
            "code_challenge_methods_supported",
            json!([256]),
            "a list with the number 256",
            list,
        ),
        (
            "token_endpoint_auth_methods_supported",
            json!("none"),
            "the string \"none\"",
            list,
        ),
        (
            "subject_types_supported",
            json!("public"),
            "the string \"public\"",
            list,
        ),
        (
            "id_token_signing_alg_values_supported",
            json!("none"),
            "the string \"none\"",
            list,
        ),
        (
            "authorization_response_iss_parameter_supported",
            json!("true"),
            "the string \"true\"",
            "true or false",
        ),
        ("request_parameter_supported", json!(["x"]), "a list", "true or false"),
        ("mtls_endpoint_aliases", json!("x"), "the string \"x\"", "an object"),
    ] {
        let mut document = sound_openid();
        document[member] = value.clone();
        let alone = DiscoveryReport {
            server: Some(openid(&document)),
            ..DiscoveryReport::default()
        };
        let beside = DiscoveryReport {
            server: Some(found(&document)),
            other_documents: vec![openid(&document)],
            ..DiscoveryReport::default()
        };
        for report in [alone, beside] {
            let findings = findings(&report);
            let messages: Vec<&str> = findings.iter().map(|finding| finding.message.as_str()).collect();
            assert_eq!(messages, [format!("{member} is {shown}; it must be {expected}")]);
            assert_eq!(findings[0].severity, Severity::Must, "{member}");
        }
        // in the further document alone it is not a difference, too
        let further = findings(&DiscoveryReport {
            server: Some(found(&sound_openid())),
            other_documents: vec![openid(&document)],
            ..DiscoveryReport::default()
        });
        let messages: Vec<&str> = further.iter().map(|finding| finding.message.as_str()).collect();
        let url = "https://as.example/.well-known/openid-configuration";
        assert_eq!(
            messages,
            [format!("{member} is {shown}; it must be {expected} ({url})")]
        );
    }
}

#[test]
fn a_member_of_an_extension_may_have_any_type() {
    let mut document = sound_openid();
    document["vp_formats_supported"] = json!({"jwt_vp": {"alg": ["ES256"]}});
    document["credential_configurations_supported"] = json!({});
    document["new_limits_supported"] = json!(7);
    let report = DiscoveryReport {
        server: Some(FoundDocument {
            url: Url::parse("https://as.example/.well-known/openid-configuration").unwrap(),
            ..found(&document)
        }),
        ..DiscoveryReport::default()
    };
    assert_eq!(findings(&report), []);
}

#[test]
fn a_server_that_speaks_openid_connect_keeps_its_rules_too() {
    let openid = |document: &Value| FoundDocument {
        url: Url::parse("https://as.example/.well-known/openid-configuration").unwrap(),
        ..found(document)
    };
    let mut document = sound();
    document["scopes_supported"] = json!(["openid"]);
    let findings_with = |server: FoundDocument, other: Option<FoundDocument>| {
        findings(&DiscoveryReport {
            server: Some(server),
            other_documents: other.into_iter().collect(),
            ..DiscoveryReport::default()
        })
    };
    assert_eq!(findings_with(openid(&document), None).len(), 3);
    // the document of RFC 8414 may leave to the other one what is of OpenID Connect alone
    assert_eq!(findings_with(found(&document), None), []);
    let mut whole = document.clone();
    whole["jwks_uri"] = json!("https://as.example/jwks");
    whole["subject_types_supported"] = json!(["public"]);
    whole["id_token_signing_alg_values_supported"] = json!(["RS256"]);
    assert_eq!(findings_with(openid(&whole), None), []);
    let notes = findings_with(found(&document), Some(openid(&whole)));
    let messages: Vec<&str> = notes.iter().map(|note| note.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "https://as.example/.well-known/openid-configuration also names jwks_uri, which is taken from there when it is needed"
        ]
    );
    assert_eq!(findings_with(found(&document), Some(openid(&document))).len(), 3);
}

#[test]
fn two_documents_that_differ_are_told() {
    let mut other = sound();
    other["token_endpoint"] = json!("https://as.example/token2");
    other["claims_supported"] = json!(["sub"]);
    // a list is a set
    other["grant_types_supported"] = json!(["refresh_token", "authorization_code"]);
    let exploration = DiscoveryReport {
        server: Some(found(&sound())),
        other_documents: vec![found(&sound()), found(&other)],
        ..DiscoveryReport::default()
    };
    let found = findings(&exploration);
    assert_eq!(found.len(), 1, "{found:?}");
    let message = &found[0].message;
    let values = "something else about token_endpoint: \"https://as.example/token2\" there, and \"https://as.example/token\" in the document that is used";
    assert!(message.ends_with(values), "{message}");
}

#[test]
fn a_resource_names_itself_and_servers_that_may_be_asked() {
    let of = |document: Value| {
        let mut resource = found(&document);
        resource.asked = "https://as.example/api".to_owned();
        let exploration = DiscoveryReport {
            resource: Some(resource),
            server: Some(found(&sound())),
            ..DiscoveryReport::default()
        };
        findings(&exploration)
    };
    assert_eq!(
        of(json!({"resource": "https://as.example/api", "authorization_servers": [ISSUER]})),
        []
    );
    for (member, value) in [("resource", json!(7)), ("authorization_servers", json!(ISSUER))] {
        let mut document = json!({"resource": "https://as.example/api", "authorization_servers": [ISSUER]});
        document[member] = value;
        let found = of(document);
        let [only] = &found[..] else { panic!("{found:?}") };
        assert!(only.message.starts_with(&format!("{member} is the ")), "{only:?}");
    }
    let found =
        of(json!({"resource": "https://other.example", "authorization_servers": ["https://127.0.0.1/", ISSUER]}));
    let parts = ["https://other.example", "private address", "2 authorization servers"];
    assert_eq!(found.len(), parts.len(), "{found:?}");
    for (finding, part) in found.iter().zip(parts) {
        assert!(finding.message.contains(part), "{finding:?}");
    }
}
