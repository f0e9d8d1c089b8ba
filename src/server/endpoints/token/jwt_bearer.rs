//! The JWT bearer grant (RFC 7523 §2.1, §3): an access token for an assertion
//! of an issuer that is trusted; an identity assertion is one of its kinds
//! (draft-ietf-oauth-identity-assertion-authz-grant §4.4).

use super::caller::Caller;
use super::token_exchange::scope;
use crate::protocol::abnf::random_token;
use crate::protocol::grant::jwt_bearer::JwtBearerGrant;
use crate::protocol::jose::UnverifiedJwt;
use crate::protocol::resource::Resource;
use crate::protocol::scope::Scope;
use crate::protocol::signing::JwtType;
use crate::server::authorization_server::AuthorizationServer;
use crate::server::grants::error::GrantError;
use crate::server::grants::grant::{Authorization, IssuedTokens};
use crate::server::moment::Moment;
use crate::server::route::Route;
use crate::server::trusted_issuers::{SignaturePolicy, is_for, text, verify};
use serde_json::Value;

const SIGNATURE: SignaturePolicy = SignaturePolicy {
    must_match: |policy| policy.verifies_signatures_of_grant_assertions(),
    must_be_there: |policy| policy.rejects_unsigned_grant_assertions(),
};

/// An access token for the subject of the assertion.
pub(super) fn issue(
    server: &AuthorizationServer,
    moment: &mut Moment<'_>,
    grant: &JwtBearerGrant,
    caller: &Caller<'_>,
) -> Result<IssuedTokens, GrantError> {
    let assertion = verify(server, moment, &grant.assertion, SIGNATURE).ok_or(GrantError::Assertion)?;
    check_purpose(server, moment, grant, &assertion)?;
    let is_id_jag = typ(&assertion) == Some(JwtType::IdentityAssertion.as_str());
    if is_id_jag && text(&assertion, "client_id") != Some(caller.client_id.as_str()) {
        return Err(GrantError::AssertionOfOtherClient);
    }
    let permitted = text(&assertion, "scope").and_then(|scope| Scope::parse(scope).ok());
    let authorization = Authorization {
        authorization_details: None,
        client_id: caller.client_id.clone(),
        scope: scope(server, grant.scope.as_ref(), permitted.as_ref())?,
        resource: resource(server, caller, &assertion)?,
        nonce: None,
        subject: text(&assertion, "sub").ok_or(GrantError::Assertion)?.to_owned(),
        auth_time: None,
        refresh_key: None,
    };
    let mut issued = server.grants().issue_access_token_only(moment, authorization)?;
    if !moment.policy.gives_no_refresh_token_for_assertions() {
        issued.refresh_token = Some(random_token(moment.randomness)?);
    }
    Ok(issued)
}

/// That it was made to be an assertion for this server, and is no other kind of token.
fn check_purpose(
    server: &AuthorizationServer,
    moment: &Moment<'_>,
    grant: &JwtBearerGrant,
    assertion: &UnverifiedJwt,
) -> Result<(), GrantError> {
    let policy = moment.policy;
    if typ(assertion) == Some(JwtType::AccessToken.as_str()) {
        return match policy.rejects_access_tokens_as_assertions() {
            true => Err(GrantError::AssertionIsAccessToken),
            false => Ok(()),
        };
    }
    if server.keys.is_id_token(grant.assertion.expose()) {
        return match policy.rejects_id_tokens_as_assertions() {
            true => Err(GrantError::AssertionIsIdToken),
            false => Ok(()),
        };
    }
    let token_endpoint = format!("{}{}", server.issuer, Route::Token.path());
    let is_ours = is_for(assertion, &[server.issuer.as_str(), &token_endpoint]);
    match is_ours || !policy.rejects_grant_assertions_for_others() {
        true => Ok(()),
        false => Err(GrantError::AssertionForOthers),
    }
}

fn typ(jwt: &UnverifiedJwt) -> Option<&str> {
    jwt.header.get("typ").and_then(Value::as_str)
}

/// What the assertion is limited to; else what was asked for, else the API of this server.
fn resource(
    server: &AuthorizationServer,
    caller: &Caller<'_>,
    assertion: &UnverifiedJwt,
) -> Result<Vec<Resource>, GrantError> {
    let texts: Vec<&str> = match assertion.claims.get("resource") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let named: Vec<Resource> = texts.iter().filter_map(|text| Resource::parse(text).ok()).collect();
    match (named.is_empty(), caller.resource) {
        (true, []) => Ok(vec![server.api.clone()]),
        (true, asked) => Ok(asked.to_vec()),
        (false, []) => Ok(named),
        (false, asked) if asked.iter().all(|asked| named.contains(asked)) => Ok(asked.to_vec()),
        (false, _) => Err(GrantError::Target),
    }
}
