//! Metadata and keys that say what they must not.

use super::set::Violations;
use crate::protocol::abnf::{base64url, from_base64url};
use crate::rules::Rule;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// An RSA key of this many octets is too short (RFC 7518 §3.3).
const SHORT_MODULUS_BYTES: usize = 128;

/// Alters both metadata documents.
pub(crate) fn alter_metadata(violations: &Violations, issuer: &str, document: &mut Value) {
    let mut set = |rule: Rule, member: &str, value: Value| {
        if violations.violates(rule) {
            document[member] = value;
        }
    };
    set(Rule::MetadataIssuer, "issuer", json!(format!("{issuer}/")));
    set(Rule::MetadataIssuerUrl, "issuer", json!(format!("{issuer}?tenant=1")));
    set(Rule::MetadataEmptyArrays, "ui_locales_supported", json!([]));
    // An address for documentation (RFC 5737), where nobody sends anything.
    let elsewhere = json!("http://192.0.2.1/register");
    set(Rule::MetadataHttps, "registration_endpoint", elsewhere);
    let token_endpoint = json!(format!("{issuer}/token#fragment"));
    set(Rule::MetadataFragment, "token_endpoint", token_endpoint);
    set(Rule::MetadataResponseTypes, "response_types_supported", json!(["none"]));
    let with_implicit = json!(["code", "token"]);
    set(Rule::MetadataNoImplicit, "response_types_supported", with_implicit);
    let with_password = json!(["authorization_code", "refresh_token", "password"]);
    set(Rule::MetadataNoPassword, "grant_types_supported", with_password);
    let methods = "code_challenge_methods_supported";
    set(Rule::MetadataS256, methods, json!(["S512"]));
    set(Rule::MetadataNoPlain, methods, json!(["S256", "plain"]));
    let client_methods = "token_endpoint_auth_methods_supported";
    set(Rule::MetadataAuthMethods, client_methods, json!(["private_key_jwt"]));
    let scopes = json!(["profile", "email", "offline_access", "hello", "introspect"]);
    set(Rule::MetadataScopes, "scopes_supported", scopes);
    let algorithms = "id_token_signing_alg_values_supported";
    set(Rule::MetadataIdTokenAlgorithms, algorithms, json!(["ES256"]));
    set(Rule::MetadataNoNone, algorithms, json!(["RS256", "none"]));
    let Some(members) = document.as_object_mut() else {
        return;
    };
    for (rule, member) in [
        (Rule::MetadataAuthorizationEndpoint, "authorization_endpoint"),
        (Rule::MetadataTokenEndpoint, "token_endpoint"),
        (Rule::MetadataGrantTypes, "grant_types_supported"),
        (Rule::MetadataChallengeMethods, methods),
        (
            Rule::MetadataIssParameter,
            "authorization_response_iss_parameter_supported",
        ),
        (Rule::MetadataRevocation, "revocation_endpoint"),
        (Rule::MetadataRevocation, "revocation_endpoint_auth_methods_supported"),
        (Rule::MetadataSubjectTypes, "subject_types_supported"),
        (Rule::KeysPublished, "jwks_uri"),
    ] {
        if violations.violates(rule) {
            members.remove(member);
        }
    }
}

/// Alters the document of OpenID Connect Discovery alone: it names the
/// introspection endpoint by another name of the same host, which works as well.
pub(crate) fn alter_openid_configuration(violations: &Violations, document: &mut Value) {
    if violations.violates(Rule::MetadataDocumentsAgree)
        && let Some(endpoint) = document["introspection_endpoint"].as_str()
    {
        document["introspection_endpoint"] = json!(endpoint.replace("127.0.0.1", "localhost"));
    }
}

/// Alters the published keys: the ES256 key and the RS256 key.
pub(crate) fn alter_keys(violations: &Violations, set: &mut Value) {
    let Some(keys) = set["keys"].as_array_mut() else { return };
    let [es256, rs256] = keys.as_slice() else { return };
    let (mut es256, rs256) = (es256.clone(), rs256.clone());
    if violations.violates(Rule::KeysPublicOnly) {
        // Made up: what must not be there is the member.
        let key_id = es256["kid"].as_str().unwrap_or_default();
        es256["d"] = json!(base64url(&Sha256::digest(key_id.as_bytes())));
        keys[0] = es256.clone();
    }
    if violations.violates(Rule::KeysDistinct) {
        keys.push(es256);
    }
    if violations.violates(Rule::KeysStrength) {
        // Half of the modulus of the real key: nobody has the private key of it, nothing is signed with it.
        let modulus = rs256["n"].as_str().and_then(from_base64url).unwrap_or_default();
        let half = modulus.get(..SHORT_MODULUS_BYTES).unwrap_or_default();
        let key_id = base64url(&Sha256::digest(half));
        let short = json!({
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": key_id, "n": base64url(half), "e": rs256["e"],
        });
        keys.push(short);
    }
}
