//! What an authorization server's metadata (RFC 8414 §2, OpenID Connect
//! Discovery §3) say that it can do, as a table.

use super::lint::DEVICE_CODE;
use crate::protocol::members::Members;
use serde_json::{Map, Value};

const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// Something that a server can do, or cannot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capability {
    /// What, in the specification's words.
    pub what: &'static str,
    /// Where it is specified.
    pub reference: &'static str,
    /// How the metadata announces it; `None` where they do not. Text from the network.
    pub announced: Option<String>,
}

/// What the server can do and what it lacks, by its own words.
pub fn capabilities(document: &Map<String, Value>) -> Vec<Capability> {
    let members = Members(document);
    let grants = members.grant_types();
    let url = |name: &str| members.text(name).map(str::to_owned);
    let grant = |name: &'static str| grants.contains(&name).then(|| format!("grant type {name}"));
    let switch = |name: &'static str| members.switch(name).then(|| name.to_owned());
    let mut pushed = url("pushed_authorization_request_endpoint");
    if members.switch("require_pushed_authorization_requests") {
        pushed = pushed.map(|url| format!("{url} (required)"));
    }
    let bound_by_certificate = switch("tls_client_certificate_bound_access_tokens").or_else(|| {
        let methods = members
            .list("token_endpoint_auth_methods_supported")
            .unwrap_or_default();
        let by_certificate = methods.into_iter().find(|method| method.contains("tls_client_auth"));
        by_certificate.map(str::to_owned)
    });
    let openid = members
        .joined("id_token_signing_alg_values_supported")
        .map(|algorithms| format!("ID tokens signed {algorithms}"));
    let rows = [
        (
            "authorization code grant",
            "RFC 6749 §4.1",
            url("authorization_endpoint"),
        ),
        ("token endpoint", "RFC 6749 §3.2", url("token_endpoint")),
        ("PKCE", "RFC 7636", members.joined("code_challenge_methods_supported")),
        (
            "issuer in authorization responses",
            "RFC 9207",
            switch("authorization_response_iss_parameter_supported"),
        ),
        ("refresh tokens", "RFC 6749 §6", grant("refresh_token")),
        ("client credentials grant", "RFC 6749 §4.4", grant("client_credentials")),
        (
            "device authorization grant",
            "RFC 8628",
            url("device_authorization_endpoint").or_else(|| grant(DEVICE_CODE)),
        ),
        ("token exchange", "RFC 8693", grant(TOKEN_EXCHANGE)),
        ("JWT bearer grant", "RFC 7523 §2.1", grant(JWT_BEARER)),
        (
            "client authentication",
            "RFC 6749 §2.3",
            members.joined("token_endpoint_auth_methods_supported"),
        ),
        ("scopes", "RFC 6749 §3.3", members.joined("scopes_supported")),
        (
            "response types",
            "RFC 6749 §3.1.1",
            members.joined("response_types_supported"),
        ),
        (
            "response modes",
            "OAuth Multiple Response Types §2.1",
            members.joined("response_modes_supported"),
        ),
        ("revocation", "RFC 7009", url("revocation_endpoint")),
        ("introspection", "RFC 7662", url("introspection_endpoint")),
        ("pushed authorization requests", "RFC 9126", pushed),
        (
            "signed authorization requests",
            "RFC 9101",
            members.joined("request_object_signing_alg_values_supported"),
        ),
        (
            "DPoP-bound tokens",
            "RFC 9449",
            members.joined("dpop_signing_alg_values_supported"),
        ),
        ("certificate-bound tokens", "RFC 8705", bound_by_certificate),
        (
            "rich authorization requests",
            "RFC 9396",
            members.joined("authorization_details_types_supported"),
        ),
        ("client registration", "RFC 7591", url("registration_endpoint")),
        (
            "list of its protected resources",
            "RFC 9728 §4",
            members.joined("protected_resources"),
        ),
        ("published keys", "RFC 7517", url("jwks_uri")),
        ("OpenID Connect", "OpenID Connect Core", openid),
        ("userinfo", "OpenID Connect Core §5.3", url("userinfo_endpoint")),
        (
            "logout in the browser",
            "OpenID Connect RP-Initiated Logout",
            url("end_session_endpoint"),
        ),
    ];
    let capability = |(what, reference, announced)| Capability {
        what,
        reference,
        announced,
    };
    rows.into_iter().map(capability).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_what_is_announced() {
        let document = serde_json::json!({
            "token_endpoint": "https://as.example/token",
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "code_challenge_methods_supported": ["S256"],
        });
        let table = capabilities(document.as_object().unwrap());
        let announced = |what: &str| {
            let row = table.iter().find(|row| row.what == what).unwrap();
            row.announced.as_deref()
        };
        assert_eq!(announced("PKCE"), Some("S256"));
        assert_eq!(announced("token endpoint"), Some("https://as.example/token"));
        assert_eq!(announced("refresh tokens"), Some("grant type refresh_token"));
        assert_eq!(announced("introspection"), None);
    }
}
