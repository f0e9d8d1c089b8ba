//! Whether a client is who it says that it is: by its secret (RFC 6749 §2.3.1),
//! by an assertion (RFC 7523 §3) or by its certificate (RFC 8705 §2).

use super::authorization_server::AuthorizationServer;
use super::client_certificate::{ShownCertificate, verify_certificate};
use super::moment::Moment;
use super::rejection::Rejection;
use super::settings::clients::{RegisteredClient, secrets_match};
use crate::protocol::client::{ClientAuthenticationMethod, PresentedClient};
use crate::protocol::jose::UnverifiedJwt;
use crate::protocol::signing::is_signed_with_secret;
use crate::protocol::time::UnixSeconds;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::sync::Arc;

const CITATION: &str = "RFC 7523 §3";

/// An assertion is for one request, so it need not live longer.
const MAX_LIFETIME_S: i64 = 600;

/// How far the clock of a client may be ahead.
const MAX_SKEW_S: i64 = 60;

/// The client that a request comes from, when its proof holds (RFC 6749 §2.3,
/// §3.2.1). An unknown client and a wrong secret look the same.
pub(super) fn authenticate(
    server: &AuthorizationServer,
    moment: &Moment<'_>,
    presented: &PresentedClient,
    certificate: Option<&ShownCertificate>,
) -> Result<Arc<RegisteredClient>, Rejection> {
    let registered = server.clients.find(&presented.id);
    let unknown = || Rejection::new("the client is unknown, or its authentication failed", "RFC 6749 §5.2");
    if let Some(jwt) = &presented.assertion {
        let client = registered.ok_or_else(unknown)?;
        verify_assertion(server, moment, &client, jwt)?;
        return Ok(client);
    }
    if let Some(client) = &registered
        && let Some(expected) = &client.certificate
        && presented.secret.is_none()
    {
        verify_certificate(expected, certificate)?;
        return Ok(Arc::clone(client));
    }
    let own_secret = registered.as_ref().and_then(|client| client.secret.as_ref());
    let (method, holds) = match &presented.secret {
        // Compared even where there is nothing to compare with, so that it takes as long.
        Some(secret) => (
            if presented.by_header {
                ClientAuthenticationMethod::ClientSecretBasic
            } else {
                ClientAuthenticationMethod::ClientSecretPost
            },
            secrets_match(own_secret.unwrap_or(secret), secret) && own_secret.is_some(),
        ),
        None => (ClientAuthenticationMethod::None, own_secret.is_none()),
    };
    let client = registered.filter(|_| holds).ok_or_else(unknown)?;
    match client.may_use(method) {
        true => Ok(client),
        false => Err(wrong_method(&client, method)),
    }
}

fn wrong_method(client: &RegisteredClient, method: ClientAuthenticationMethod) -> Rejection {
    let registered = client.method.map(|method| method.as_str().to_owned());
    let reason = format!("the client may not authenticate with {}", method.as_str());
    Rejection::new(reason, "RFC 7591 §2").with_fact("registered", registered.into_iter().collect())
}

fn verify_assertion(
    server: &AuthorizationServer,
    moment: &Moment<'_>,
    client: &RegisteredClient,
    jwt: &UnverifiedJwt,
) -> Result<(), Rejection> {
    let method = match client.keys {
        Some(_) => ClientAuthenticationMethod::PrivateKeyJwt,
        None => ClientAuthenticationMethod::ClientSecretJwt,
    };
    if !client.is_confidential() || !client.may_use(method) {
        return Err(wrong_method(client, method));
    }
    verify_signature(moment, client, jwt)?;
    verify_claims(server, moment, client, jwt)?;
    verify_first_use(server, moment, client, jwt)
}

/// Who signed it, and that it was signed as an assertion (RFC 8725 §3.1, §3.11).
fn verify_signature(moment: &Moment<'_>, client: &RegisteredClient, jwt: &UnverifiedJwt) -> Result<(), Rejection> {
    let text = |name: &str| jwt.header.get(name).and_then(Value::as_str);
    if text("alg") == Some("none") && !moment.policy.rejects_unsigned_assertions() {
        return Ok(());
    }
    if jwt.header.contains_key("typ") && !text("typ").is_some_and(is_assertion_type) {
        return Err(Rejection::new(
            "the typ of the client assertion is of another kind of JWT",
            "RFC 8725 §3.11",
        ));
    }
    if let Some(registered) = &client.assertion_algorithm
        && text("alg") != Some(registered)
    {
        let reason = format!("the client assertion is not signed with {registered}, which is registered");
        return Err(Rejection::new(reason, "OpenID Connect Registration §2"));
    }
    let problem = match (&client.keys, &client.secret) {
        (Some(keys), _) => keys.verify(jwt).err().map(|error| error.to_string()),
        (None, Some(secret)) => {
            (!is_signed_with_secret(secret, jwt)).then(|| "it is not signed with the client secret".to_owned())
        }
        (None, None) => Some("the client has no key".to_owned()),
    };
    let Some(problem) = problem else { return Ok(()) };
    // Without a signature another rule is broken, which was asked about before.
    match text("alg") == Some("none") || moment.policy.verifies_signatures_of_assertions() {
        true => {
            let reason = format!("the client assertion does not hold: {problem}");
            Err(Rejection::new(reason, CITATION))
        }
        false => Ok(()),
    }
}

fn is_assertion_type(typ: &str) -> bool {
    ["jwt", "client-authentication+jwt"]
        .iter()
        .any(|known| typ.eq_ignore_ascii_case(known))
}

/// What it says (RFC 7523 §3, draft-ietf-oauth-rfc7523bis §4).
fn verify_claims(
    server: &AuthorizationServer,
    moment: &Moment<'_>,
    client: &RegisteredClient,
    jwt: &UnverifiedJwt,
) -> Result<(), Rejection> {
    let (policy, now) = (moment.policy, moment.now);
    let text = |name: &str| jwt.claims.get(name).and_then(Value::as_str);
    let reject = |reason: &str| Err(Rejection::new(reason, CITATION));
    if text("iss") != Some(client.id.as_str()) && policy.rejects_assertions_by_others() {
        return reject("the iss of the client assertion is not the client");
    }
    if text("sub") != Some(client.id.as_str()) && policy.rejects_assertions_about_others() {
        return reject("the sub of the client assertion is not the client");
    }
    if text("aud") != Some(server.issuer.as_str()) && policy.rejects_assertions_for_others() {
        let found = jwt.claims.get("aud").map(ToString::to_string);
        return Err(Rejection::new(
            "the aud of the client assertion is not the issuer as one string",
            CITATION,
        )
        .with_fact("aud", found.into_iter().collect())
        .with_fact("issuer", vec![server.issuer.to_string()]));
    }
    match expiry(jwt) {
        None if policy.rejects_assertions_without_expiry() => return reject("the client assertion has no exp"),
        Some(expires_at) if expires_at <= now && policy.rejects_expired_assertions() => {
            return reject("the client assertion has expired");
        }
        Some(expires_at) if expires_at > now.plus_seconds(MAX_LIFETIME_S) => {
            return reject("the client assertion is good for more than 10 minutes");
        }
        _ => {}
    }
    for name in ["iat", "nbf"] {
        let from = jwt.claims.get(name).and_then(Value::as_i64);
        if from.is_some_and(|from| from > now.plus_seconds(MAX_SKEW_S).0) {
            return reject("the client assertion is from the future");
        }
    }
    Ok(())
}

fn expiry(jwt: &UnverifiedJwt) -> Option<UnixSeconds> {
    jwt.claims.get("exp").and_then(Value::as_i64).map(UnixSeconds)
}

/// An assertion is good for one request (OpenID Connect Core §9).
fn verify_first_use(
    server: &AuthorizationServer,
    moment: &Moment<'_>,
    client: &RegisteredClient,
    jwt: &UnverifiedJwt,
) -> Result<(), Rejection> {
    const SECTION: &str = "OpenID Connect Core §9";
    let Some(unique_id) = jwt.claims.get("jti").and_then(Value::as_str) else {
        return Err(Rejection::new("the client assertion has no jti", SECTION));
    };
    let use_of = Sha256::new()
        .chain_update(client.id.as_str())
        .chain_update([0])
        .chain_update(unique_id);
    let until = expiry(jwt).unwrap_or(moment.now.plus_seconds(MAX_LIFETIME_S));
    let is_first = server.note_assertion(moment.now, use_of.finalize().into(), until);
    if !is_first && moment.policy.rejects_used_assertions() {
        return Err(Rejection::new("the client assertion was used before", SECTION));
    }
    Ok(())
}
