//! The keys that the server publishes (RFC 7517, OpenID Connect Discovery §3).

use super::examination::Examination;
use super::verdict::{Finding, Test, broken, kept_if, unseen};
use crate::protocol::abnf::from_base64url;
use crate::protocol::http::HttpRequest;
use crate::rules::Rule;
use serde_json::Value;

/// Members of private and of symmetric keys (RFC 7518 §6).
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

const RSA_BITS_MIN: usize = 2048;

/// Judges the published keys.
pub(super) fn judge(examination: &mut Examination<'_, '_>) {
    let rules = [
        Rule::KeysPublished,
        Rule::KeysPublicOnly,
        Rule::KeysDistinct,
        Rule::KeysStrength,
    ];
    if !examination.wants_any(&rules) || examination.is_stopped() {
        return;
    }
    let mut keys = unseen("no keys are published");
    examination.judge(Rule::KeysPublished, &mut |examination| {
        keys = fetch(examination);
        match &keys {
            Err(Finding::Unseen(why)) if examination.is_openid_provider => broken(why.clone()),
            Err(finding) => Err(finding.clone()),
            Ok(_) => Ok(()),
        }
    });
    if !examination.request.rules.has(Rule::KeysPublished) {
        keys = fetch(examination);
    }
    for (rule, test) in RULES {
        examination.judge(rule, &mut |_| match &keys {
            Ok(keys) => test(keys),
            Err(_) => unseen("no keys are published"),
        });
    }
}

const RULES: [(Rule, Test<Vec<Value>>); 3] = [
    (Rule::KeysPublicOnly, |keys| {
        let private = |key: &Value| {
            PRIVATE_MEMBERS
                .iter()
                .find(|member| key.get(**member).is_some())
                .map(|member| (named(key), member))
        };
        match keys.iter().find_map(private) {
            Some((key, member)) => broken(format!("{key} has \"{member}\"")),
            None => Ok(()),
        }
    }),
    (Rule::KeysDistinct, |keys| {
        let ids: Vec<&str> = keys.iter().filter_map(|key| key.get("kid")?.as_str()).collect();
        let twice = ids.iter().enumerate().find(|(index, id)| ids[..*index].contains(id));
        kept_if(
            twice.is_none(),
            format!("kid \"{}\" stands twice", twice.map_or("", |(_, id)| id)),
        )
    }),
    (Rule::KeysStrength, |keys| {
        let weak = keys.iter().find_map(|key| {
            let modulus = from_base64url(key.get("n")?.as_str()?)?;
            let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
            let first = modulus.get(zeros).map_or(0, |byte| byte.leading_zeros() as usize);
            let bits = (modulus.len() - zeros) * 8 - first;
            (bits < RSA_BITS_MIN).then(|| (named(key), bits))
        });
        match weak {
            Some((key, bits)) => broken(format!("{key} has {bits} bits")),
            None => Ok(()),
        }
    }),
];

fn named(key: &Value) -> String {
    match key.get("kid").and_then(Value::as_str) {
        Some(id) => format!("the key \"{id}\""),
        None => "a key without kid".to_owned(),
    }
}

/// The members of `keys` (RFC 7517 §5).
pub(super) fn fetch(examination: &mut Examination<'_, '_>) -> Result<Vec<Value>, Finding> {
    let Some(url) = examination.metadata.jwks_uri.clone() else {
        return unseen("the server announces no usable jwks_uri");
    };
    let exchange = examination.send(HttpRequest::get(url.url().clone()))?;
    let status = exchange.status();
    let object = exchange.object().filter(|_| status == 200);
    match object.as_ref().and_then(|object| object.get("keys")?.as_array()) {
        Some(keys) if !keys.is_empty() => Ok(keys.clone()),
        _ => broken(format!("jwks_uri answered {status} without a set of keys")),
    }
}
