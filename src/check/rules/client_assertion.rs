//! What a client assertion must be for the server to take it (RFC 7523 §3,
//! OpenID Connect Core §9).

use super::rejected_redemption::{RejectedRedemption, run_redemptions};
use crate::check::context::Check;
use crate::check::exchange::Exchange;
use crate::check::report::{Failure, inconclusive};
use crate::check::token_requests::{Code, UNKNOWN_CLIENT};
use crate::protocol::abnf::base64url;
use crate::protocol::client::{Client, ClientAuthentication};
use crate::protocol::client_auth::assertion::{Claims, unique_id};
use crate::protocol::jose::{UnverifiedJwt, signing_input};
use crate::rules::Rule;
use crate::secret::Secret;
use serde_json::{Value, json};

/// A server that does not exist: RFC 6761 §6.4 keeps the name for this.
const OTHER_SERVER: &str = "https://server.invalid";

/// Long enough ago for every clock.
const EXPIRED_S: i64 = 3600;

const REDEMPTIONS: &[RejectedRedemption] = &[
    RejectedRedemption {
        rule: Rule::AssertionSignature,
        send: |check, code| {
            let assertion = honest(check)?;
            redeem(check, code, with_other_signature(&assertion))
        },
        error: None,
    },
    RejectedRedemption {
        rule: Rule::AssertionUnsigned,
        send: |check, code| {
            let claims = claims(check)?;
            let input = signing_input(&json!({"typ": "JWT", "alg": "none"}), &claims);
            redeem(check, code, Secret::new(format!("{input}.")))
        },
        error: None,
    },
    RejectedRedemption {
        rule: Rule::AssertionAudience,
        send: |check, code| with_claim(check, code, "aud", json!(OTHER_SERVER)),
        error: None,
    },
    RejectedRedemption {
        rule: Rule::AssertionExpired,
        send: |check, code| {
            let now = check.prober.world.caller.now();
            let issued_at = now.plus_seconds(-EXPIRED_S);
            let mut claims = claims(check)?;
            claims["iat"] = json!(issued_at.0);
            claims["exp"] = json!(issued_at.plus_seconds(60).0);
            sign_and_redeem(check, code, &claims)
        },
        error: None,
    },
    RejectedRedemption {
        rule: Rule::AssertionNoExpiry,
        send: |check, code| with_claim(check, code, "exp", Value::Null),
        error: None,
    },
    RejectedRedemption {
        rule: Rule::AssertionIssuer,
        send: |check, code| with_claim(check, code, "iss", json!(UNKNOWN_CLIENT)),
        error: None,
    },
    RejectedRedemption {
        rule: Rule::AssertionSubject,
        send: |check, code| with_claim(check, code, "sub", json!(UNKNOWN_CLIENT)),
        error: None,
    },
    RejectedRedemption {
        rule: Rule::AssertionReplay,
        send: |check, code| {
            let assertion = honest(check)?;
            let first = authenticated_by(check, assertion.clone());
            let params = check.prober.unknown_code_params()?;
            // It is used for a code that does not exist, so it is refused and spent all the same.
            check.prober.token_request_as(params, &first)?;
            redeem(check, code, assertion)
        },
        error: None,
    },
];

/// Records for a client without assertions at once that it can test nothing here,
/// so that no sign-in is needed for that.
pub(in crate::check) fn skip_for_other_clients(check: &mut Check<'_, '_>) {
    let Err(failure) = claims(check) else { return };
    for redemption in REDEMPTIONS {
        check.prober.record(redemption.rule, Err(failure.clone()), None);
    }
}

/// Tests which assertions are refused; only a client that authenticates with them can.
pub(in crate::check) fn run(check: &mut Check<'_, '_>) {
    run_redemptions(check, REDEMPTIONS, "for client assertions that must be refused");
}

/// The claims of an assertion that the server takes.
fn claims(check: &mut Check<'_, '_>) -> Result<Value, Failure> {
    let client = check.prober.client.clone();
    let Some(parameters) = client.authentication.assertion_parameters() else {
        return inconclusive(
            "this needs a client that authenticates with assertions: --client-key-file FILE, or --client-auth client_secret_jwt",
        );
    };
    let mut context = check.prober.world.caller.authentication_context();
    let unique_id = unique_id(&mut context).map_err(|error| Failure::Inconclusive(error.to_string()))?;
    let claims = Claims::new(&client.id, &parameters.audience, &unique_id, &context);
    serde_json::to_value(claims).map_err(|error| Failure::Inconclusive(error.to_string()))
}

fn honest(check: &mut Check<'_, '_>) -> Result<Secret, Failure> {
    let claims = claims(check)?;
    sign(check, &claims)
}

fn sign(check: &Check<'_, '_>, claims: &Value) -> Result<Secret, Failure> {
    match check.prober.client.authentication.sign_assertion(claims) {
        Some(signed) => signed.map_err(|error| Failure::Inconclusive(error.to_string())),
        None => inconclusive("the client signs nothing"),
    }
}

/// The assertion with one bit of its signature changed.
fn with_other_signature(assertion: &Secret) -> Secret {
    let Ok(mut jwt) = UnverifiedJwt::decode(assertion.expose()) else {
        return assertion.clone();
    };
    if let Some(last) = jwt.signature.last_mut() {
        *last ^= 1;
    }
    Secret::new(format!("{}.{}", jwt.signing_input, base64url(&jwt.signature)))
}

/// Redeems with an assertion one claim of which is another, or absent.
fn with_claim(check: &mut Check<'_, '_>, code: &Code, name: &str, value: Value) -> Result<Exchange, Failure> {
    let mut claims = claims(check)?;
    match (value, claims.as_object_mut()) {
        (Value::Null, Some(members)) => {
            members.remove(name);
        }
        (value, _) => claims[name] = value,
    }
    sign_and_redeem(check, code, &claims)
}

fn sign_and_redeem(check: &mut Check<'_, '_>, code: &Code, claims: &Value) -> Result<Exchange, Failure> {
    let assertion = sign(check, claims)?;
    redeem(check, code, assertion)
}

fn redeem(check: &mut Check<'_, '_>, code: &Code, assertion: Secret) -> Result<Exchange, Failure> {
    let client = authenticated_by(check, assertion);
    check.prober.token_request_as(check.prober.code_params(code), &client)
}

fn authenticated_by(check: &Check<'_, '_>, assertion: Secret) -> Client {
    check.prober.client_with(ClientAuthentication::Assertion(assertion))
}
