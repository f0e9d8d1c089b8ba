//! The documents that clients read first.

use super::*;
use crate::protocol::endpoint::{HttpPolicy, Issuer};
use crate::protocol::metadata::ServerMetadata;
use serde_json::json as value;

#[test]
fn both_well_known_documents_say_the_same_and_our_client_takes_them() {
    let fixture = Fixture::auto();
    let response = fixture.open("/.well-known/oauth-authorization-server");
    let document = json(&response, 200);
    assert_eq!(json(&fixture.open("/.well-known/openid-configuration"), 200), document);
    assert_eq!(response.header("access-control-allow-origin"), Some("*"));
    assert_eq!(document["issuer"], ISSUER);
    assert_eq!(document["code_challenge_methods_supported"], value!(["S256"]));
    assert_eq!(document["authorization_response_iss_parameter_supported"], true);
    assert_eq!(document["id_token_signing_alg_values_supported"], value!(["RS256"]));
    assert_eq!(document["request_uri_parameter_supported"], false);
    for (member, path) in [
        ("authorization_endpoint", "/authorize"),
        ("token_endpoint", "/token"),
        ("revocation_endpoint", "/revoke"),
        ("introspection_endpoint", "/introspect"),
        ("userinfo_endpoint", "/userinfo"),
        ("jwks_uri", "/jwks"),
    ] {
        assert_eq!(document[member], format!("{ISSUER}{path}"));
    }
    let issuer = Issuer::parse(ISSUER, HttpPolicy::LoopbackOnly).unwrap();
    let metadata = ServerMetadata::parse(&response.body, &issuer, HttpPolicy::LoopbackOnly).unwrap();
    assert_eq!(metadata.supports_code_flow_with_pkce(), Ok(()));
}

#[test]
fn the_protected_resource_names_its_authorization_server() {
    let document = json(&Fixture::auto().open("/.well-known/oauth-protected-resource/api"), 200);
    assert_eq!(document["resource"], format!("{ISSUER}/api"));
    assert_eq!(document["authorization_servers"], value!([ISSUER]));
    assert_eq!(document["bearer_methods_supported"], value!(["header"]));
}

#[test]
fn the_key_set_holds_both_keys() {
    let set = json(&Fixture::auto().open("/jwks"), 200);
    let algorithms: Vec<&Value> = set["keys"].as_array().unwrap().iter().map(|key| &key["alg"]).collect();
    assert_eq!(algorithms, ["ES256", "RS256"]);
}
