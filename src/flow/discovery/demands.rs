//! What an authorization server demands of every client, by its metadata, and
//! the login that meets it.

use super::lint::DEVICE_CODE;
use crate::protocol::members::Members;
use serde_json::{Map, Value};

/// Something that no client may leave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    pub what: &'static str,
    /// Where it is specified.
    pub reference: &'static str,
    /// How a login meets it.
    pub met: Met,
}

/// How a login meets a demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Met {
    /// Without an option.
    ByItself,
    /// By these options of `oauth login`; the keys of a profile that has them,
    /// one of which is enough.
    By {
        options: &'static str,
        keys: &'static [&'static str],
    },
}

impl Demand {
    /// The options of `oauth login`, where it takes some.
    pub fn options(&self) -> Option<&'static str> {
        match self.met {
            Met::ByItself => None,
            Met::By { options, .. } => Some(options),
        }
    }

    /// The options that a profile lacks; `has` says which keys it has.
    pub fn missing_options(&self, has: impl Fn(&str) -> bool) -> Option<&'static str> {
        match self.met {
            Met::By { options, keys } if !keys.iter().any(|key| has(key)) => Some(options),
            _ => None,
        }
    }
}

const SECRET: Met = Met::By {
    options: "--client-secret-file FILE",
    keys: &["client_secret_file", "client_auth"],
};
const KEY: Met = Met::By {
    options: "--client-key-file FILE",
    keys: &["client_key_file"],
};
const CERTIFICATE: Met = Met::By {
    options: "--client-cert-file FILE --client-key-file FILE",
    keys: &["client_cert_file"],
};

/// What a client authenticates with, the usual one first.
const METHODS: [(&str, Met); 6] = [
    ("client_secret_basic", SECRET),
    ("client_secret_post", SECRET),
    ("private_key_jwt", KEY),
    ("client_secret_jwt", SECRET),
    ("tls_client_auth", CERTIFICATE),
    ("self_signed_tls_client_auth", CERTIFICATE),
];

/// What the metadata demand of every client.
pub fn demands(document: &Map<String, Value>) -> Vec<Demand> {
    let members = Members(document);
    let required = |member: &str| members.switch(member);
    [
        client_authentication(members),
        required("require_pushed_authorization_requests").then_some(Demand {
            what: "pushed authorization requests",
            reference: "RFC 9126 §5",
            met: Met::ByItself,
        }),
        required("require_signed_request_object").then_some(Demand {
            what: "signed authorization requests",
            reference: "RFC 9101 §10.5",
            met: Met::By {
                options: "--request-object --client-key-file FILE",
                keys: &["request_object"],
            },
        }),
        signed_responses(members),
        required("dpop_bound_access_tokens_required").then_some(Demand {
            what: "DPoP-bound tokens",
            reference: "RFC 9728 §2",
            met: Met::ByItself,
        }),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Where clients without credentials are not among those that it takes.
fn client_authentication(members: Members<'_>) -> Option<Demand> {
    let listed = members.list("token_endpoint_auth_methods_supported")?;
    if listed.contains(&"none") {
        return None;
    }
    let (_, met) = METHODS.into_iter().find(|(method, _)| listed.contains(method))?;
    Some(Demand {
        what: "client authentication",
        reference: "RFC 6749 §2.3",
        met,
    })
}

/// Where it answers in no other way (JARM §2.3).
fn signed_responses(members: Members<'_>) -> Option<Demand> {
    let modes = members.list("response_modes_supported")?;
    let is_signed = |mode: &&str| *mode == "jwt" || mode.ends_with(".jwt");
    (!modes.is_empty() && modes.iter().all(is_signed)).then_some(Demand {
        what: "signed authorization responses",
        reference: "JARM §2.3",
        met: Met::By {
            options: "--response-mode jwt",
            keys: &["response_mode"],
        },
    })
}

/// What a login is for.
#[derive(Debug, Clone, Copy)]
pub enum LoginTarget<'a> {
    Issuer(&'a str),
    /// The URL of an API.
    Api(&'a str),
}

/// The login at this issuer, or to an API, that meets all demands, by the first
/// grant that the server announces; `None` where it announces none of ours.
pub fn login_command(target: LoginTarget<'_>, document: &Map<String, Value>) -> Option<String> {
    let members = Members(document);
    let (url, client) = match target {
        // A login to an API registers its client where that is possible.
        LoginTarget::Api(url) if members.text("registration_endpoint").is_some() => (url, ""),
        LoginTarget::Api(url) | LoginTarget::Issuer(url) => (url, " --client-id ID"),
    };
    let grants = members.grant_types();
    let grant = if members.text("authorization_endpoint").is_some() {
        ""
    } else if members.text("device_authorization_endpoint").is_some() || grants.contains(&DEVICE_CODE) {
        " --device"
    } else if grants.contains(&"client_credentials") {
        " --grant client-credentials"
    } else {
        return None;
    };
    let mut options: Vec<&str> = Vec::new();
    for option in demands(document).iter().filter_map(Demand::options) {
        for part in option.split(" --") {
            let part = part.trim_start_matches("--");
            if !options.contains(&part) {
                options.push(part);
            }
        }
    }
    let options: String = options.iter().map(|option| format!(" --{option}")).collect();
    Some(format!(
        "oauth login {}{client}{grant}{options}",
        shell_words::quote(url)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn document(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn the_login_meets_what_the_metadata_demand() {
        for (metadata, options) in [
            (json!({}), ""),
            (
                json!({"token_endpoint_auth_methods_supported": ["none", "private_key_jwt"]}),
                "",
            ),
            (
                json!({"token_endpoint_auth_methods_supported": ["client_secret_post"]}),
                " --client-secret-file FILE",
            ),
            (
                json!({"token_endpoint_auth_methods_supported": ["tls_client_auth"]}),
                " --client-cert-file FILE --client-key-file FILE",
            ),
            (
                json!({
                    "token_endpoint_auth_methods_supported": ["private_key_jwt"],
                    "require_signed_request_object": true,
                    "require_pushed_authorization_requests": true,
                    "dpop_bound_access_tokens_required": true,
                    "response_modes_supported": ["jwt", "form_post.jwt"],
                }),
                " --client-key-file FILE --request-object --response-mode jwt",
            ),
            (json!({"response_modes_supported": ["query", "jwt"]}), ""),
        ] {
            let mut metadata = document(metadata);
            metadata.insert(
                "authorization_endpoint".to_owned(),
                json!("https://as.example/authorize"),
            );
            assert_eq!(
                login_command(LoginTarget::Issuer("https://as.example"), &metadata),
                Some(format!("oauth login https://as.example --client-id ID{options}"))
            );
        }
    }

    #[test]
    fn the_login_is_by_a_grant_that_the_server_has() {
        for (metadata, grant) in [
            (
                json!({"device_authorization_endpoint": "https://as.example/device"}),
                Some(" --device"),
            ),
            (
                json!({"grant_types_supported": ["client_credentials"]}),
                Some(" --grant client-credentials"),
            ),
            (json!({"grant_types_supported": ["implicit"]}), None),
        ] {
            let command = grant.map(|grant| format!("oauth login https://as.example --client-id ID{grant}"));
            assert_eq!(
                login_command(LoginTarget::Issuer("https://as.example"), &document(metadata)),
                command
            );
        }
    }

    #[test]
    fn a_profile_lacks_what_it_has_no_key_for() {
        let demands = demands(&document(json!({
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "require_signed_request_object": true,
            "require_pushed_authorization_requests": true,
        })));
        let missing = |keys: &[&str]| -> Vec<&str> {
            let has = |key: &str| keys.contains(&key);
            demands
                .iter()
                .filter_map(|demand| demand.missing_options(has))
                .collect()
        };
        assert_eq!(
            missing(&[]),
            ["--client-key-file FILE", "--request-object --client-key-file FILE"]
        );
        assert_eq!(missing(&["client_key_file", "request_object"]), Vec::<&str>::new());
    }
}
