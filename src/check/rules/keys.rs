//! The keys that the server publishes (RFC 7517, OpenID Connect Discovery §3).

use crate::check::context::Check;
use crate::check::report::{Failure, Test, ensure, inconclusive, violated};
use crate::foreign_text::Quoted;
use crate::protocol::abnf::from_base64url;
use crate::protocol::http::HttpRequest;
use crate::rules::Rule;
use serde_json::Value;

/// Members of private and of symmetric keys (RFC 7518 §6).
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

const RSA_BITS_MIN: usize = 2048;

/// Tests the published keys.
pub(in crate::check) fn run(check: &mut Check<'_, '_>) {
    let mut keys = None;
    check.rule(Rule::KeysPublished, &mut |check| {
        let found = fetch(check);
        let is_openid_provider = check.prober.target.is_openid_provider;
        match keys.insert((found, check.prober.results.evidence())) {
            (Err(Failure::Inconclusive(why)), _) if is_openid_provider => violated(why.clone()),
            (Err(failure), _) => Err(failure.clone()),
            (Ok(_), _) => Ok(()),
        }
    });
    for (rule, test) in RULES {
        check.rule(rule, &mut |check| {
            let (keys, evidence) = match &mut keys {
                Some(keys) => keys,
                none => {
                    let found = fetch(check);
                    none.insert((found, check.prober.results.evidence()))
                }
            };
            check.prober.show(evidence.clone());
            match keys {
                Ok(keys) => test(keys),
                Err(_) => inconclusive("no keys are published"),
            }
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
            Some((key, member)) => violated(format!("{key} has \"{member}\"")),
            None => Ok(()),
        }
    }),
    (Rule::KeysDistinct, |keys| {
        let ids: Vec<&str> = keys.iter().filter_map(|key| key.get("kid")?.as_str()).collect();
        let twice = ids.iter().enumerate().find(|(index, id)| ids[..*index].contains(id));
        ensure(
            twice.is_none(),
            format!("kid {} is used twice", Quoted::name(twice.map_or("", |(_, id)| id))),
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
            Some((key, bits)) => violated(format!("{key} has {bits} bits")),
            None => Ok(()),
        }
    }),
];

fn named(key: &Value) -> String {
    match key.get("kid").and_then(Value::as_str) {
        Some(id) => format!("the key {}", Quoted::name(id)),
        None => "a key without kid".to_owned(),
    }
}

/// The members of `keys` (RFC 7517 §5).
pub(in crate::check) fn fetch(check: &mut Check<'_, '_>) -> Result<Vec<Value>, Failure> {
    let Some(url) = check.prober.target.metadata.jwks_uri.clone() else {
        let document = check.prober.target.document.clone();
        check.prober.show(document);
        return inconclusive("the server announces no usable jwks_uri");
    };
    let exchange = check.prober.send(HttpRequest::get(url.url().clone()))?;
    let status = exchange.status();
    let object = exchange.object().filter(|_| status == 200);
    match object.as_ref().and_then(|object| object.get("keys")?.as_array()) {
        Some(keys) if !keys.is_empty() => Ok(keys.clone()),
        _ => violated(format!("jwks_uri answered {status} without a set of keys")),
    }
}
