//! The JSON type of each member of a metadata document, by its name, and what
//! stands there instead.

use crate::foreign_text::Quoted;
use serde_json::Value;

/// What a member may hold.
#[derive(Clone, Copy)]
enum MemberType {
    Text,
    Switch,
    List,
    Object,
}

/// Members that are strings and not URLs of endpoints.
const TEXTS: [&str; 8] = [
    "issuer",
    "resource",
    "resource_name",
    "jwks_uri",
    "check_session_iframe",
    "signed_metadata",
    "op_policy_uri",
    "op_tos_uri",
];

/// Members that are `true` or `false`, and whose names do not show it.
const SWITCHES: [&str; 14] = [
    "authorization_response_iss_parameter_supported",
    "backchannel_logout_session_supported",
    "backchannel_logout_supported",
    "claims_parameter_supported",
    "client_id_metadata_document_supported",
    "dpop_bound_access_tokens_required",
    "frontchannel_logout_session_supported",
    "frontchannel_logout_supported",
    "request_parameter_supported",
    "request_uri_parameter_supported",
    "require_pushed_authorization_requests",
    "require_request_uri_registration",
    "require_signed_request_object",
    "tls_client_certificate_bound_access_tokens",
];

/// Members that are lists, and whose names do not show it.
const LISTS: [&str; 3] = ["authorization_servers", "claims_supported", "scopes_supported"];

/// How the names of further lists end.
const ENDS_OF_LISTS: [&str; 5] = [
    "_values_supported",
    "_methods_supported",
    "_types_supported",
    "_modes_supported",
    "_locales_supported",
];

impl MemberType {
    fn of(name: &str) -> Option<Self> {
        if TEXTS.contains(&name) || name.ends_with("_endpoint") {
            Some(MemberType::Text)
        } else if SWITCHES.contains(&name) {
            Some(MemberType::Switch)
        } else if LISTS.contains(&name) || ENDS_OF_LISTS.iter().any(|end| name.ends_with(end)) {
            Some(MemberType::List)
        } else if name == "mtls_endpoint_aliases" {
            Some(MemberType::Object)
        } else {
            // An extension may announce what it has in a form of its own: OpenID4VP
            // has an object in `vp_formats_supported`.
            None
        }
    }

    fn has(self, value: &Value) -> bool {
        let is_list = || value.as_array().is_some_and(|items| items.iter().all(Value::is_string));
        match self {
            MemberType::Text => value.is_string(),
            MemberType::Switch => value.is_boolean(),
            MemberType::List => is_list(),
            MemberType::Object => value.is_object(),
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            MemberType::Text => "a string",
            MemberType::Switch => "true or false",
            MemberType::List => "a list of strings",
            MemberType::Object => "an object",
        }
    }
}

/// What stands in a member of metadata, and what must stand there, where these
/// are of different types (RFC 8414 §2, RFC 9728 §2, OpenID Connect Discovery
/// §3); `null` is as if the member were absent. May hold text from the network.
pub fn type_fault(name: &str, value: &Value) -> Option<String> {
    let expected = MemberType::of(name).filter(|expected| !value.is_null() && !expected.has(value))?;
    let found = match value.as_array() {
        Some(items) if matches!(expected, MemberType::List) => {
            let other = items.iter().find(|item| !item.is_string());
            format!("a list with {}", other.map(shown).unwrap_or_default())
        }
        _ => shown(value),
    };
    Some(format!("{name} is {found}; it must be {}", expected.as_str()))
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(switch) => switch.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => format!("the string {}", Quoted::name(text)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}
