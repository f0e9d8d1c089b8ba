//! Token responses (RFC 6749 §5.1), with access tokens (RFC 9068) and ID
//! tokens (OpenID Connect Core §2).

use super::authorization_server::AuthorizationServer;
use super::confirmation::Confirmation;
use super::grants::grant::IssuedTokens;
use super::keys::error::KeyError;
use super::moment::Moment;
use super::route::Route;
use super::violations::policy::IdTokenFacts;
use super::violations::signed_response::with_signature_of;
use super::violations::token_alias::Entropy;
use crate::protocol::abnf::base64url;
use crate::protocol::authorization_details::AuthorizationDetails;
use crate::protocol::token_response::TokenType;
use crate::protocol::token_type_uri::TokenTypeUri;
use crate::secret::Secret;
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// `aud` and `client_id` are always there, but where that rule is violated.
#[derive(Serialize)]
struct AccessTokenClaims<'a> {
    iss: &'a str,
    sub: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<Audience<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a str>,
    scope: &'a str,
    jti: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    iat: i64,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cnf: Option<Confirmation>,
    /// RFC 9396 §9.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_details: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    act: Option<Actor<'a>>,
    /// Those of the setup.
    #[serde(flatten)]
    extra: &'a Map<String, Value>,
}

/// Who acts for the subject (RFC 8693 §4.1).
#[derive(Serialize)]
struct Actor<'a> {
    sub: &'a str,
}

/// The type of a token that is bound to this key, or to none.
pub(crate) fn token_type(key_thumbprint: Option<&str>) -> &'static str {
    match key_thumbprint {
        Some(_) => TokenType::Dpop.as_str(),
        None => TokenType::Bearer.as_str(),
    }
}

/// One resource is a string, several are a list (RFC 7519 §4.1.3).
#[derive(Serialize)]
#[serde(untagged)]
enum Audience<'a> {
    One(&'a str),
    Several(Vec<&'a str>),
}

#[derive(Serialize)]
struct IdTokenClaims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    azp: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    iat: i64,
    exp: i64,
    at_hash: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    /// Those of the setup and of the user.
    #[serde(flatten)]
    extra: &'a Map<String, Value>,
}

#[derive(Serialize)]
struct TokenResponseBody<'a> {
    access_token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_token_type: Option<&'a str>,
    token_type: &'static str,
    expires_in: i64,
    scope: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<&'a str>,
    /// RFC 9396 §7.
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_details: Option<&'a Value>,
}

/// Signs the tokens of one token response and writes its JSON.
///
/// # Errors
/// [`KeyError`].
pub(crate) fn token_response(
    server: &AuthorizationServer,
    moment: &mut Moment<'_>,
    issued: &IssuedTokens,
) -> Result<Vec<u8>, KeyError> {
    let policy = moment.policy;
    let scope = issued.scope.to_string();
    let details = issued.authorization_details.as_ref().map(AuthorizationDetails::to_json);
    let access_token = access_token(server, moment, issued, (&scope, details.as_ref()))?;
    let id_token = if issued.with_id_token && policy.issues_id_tokens() {
        Some(id_token(server, moment, issued, &access_token)?)
    } else {
        None
    };
    if let Some(id_token) = &id_token
        && policy.accepts_id_tokens_at_userinfo()
    {
        let only_at = Some(Route::Userinfo);
        server
            .aliases
            .alias(moment.now, id_token, access_token.clone(), only_at);
    }
    if let Some(id_token) = &id_token
        && policy.accepts_id_tokens_at_resources()
    {
        let only_at = Some(Route::Mcp);
        server
            .aliases
            .alias(moment.now, id_token, access_token.clone(), only_at);
    }
    let refresh_token = match &issued.refresh_token {
        Some(token) => Some(issue_weak_token(
            server,
            moment,
            token.clone(),
            policy.refresh_token_entropy(),
        )?),
        None => None,
    };
    serde_json::to_vec(&TokenResponseBody {
        access_token: access_token.expose(),
        issued_token_type: issued
            .issued_token_type
            .as_ref()
            .filter(|_| policy.names_issued_token_type())
            .map(TokenTypeUri::as_str),
        token_type: match policy.reports_bound_tokens_as_dpop() {
            true => token_type(issued.confirmation.key.as_deref()),
            false => token_type(None),
        },
        expires_in: server.access_token_lifetime_s,
        scope: &scope,
        refresh_token: refresh_token.as_ref().map(|token| token.expose().as_str()),
        id_token: id_token.as_ref().map(|token| token.expose().as_str()),
        authorization_details: details.as_ref().filter(|_| policy.reports_authorization_details()),
    })
    .map_err(|_| KeyError::Failed)
}

/// The access token as the client gets it.
fn access_token(
    server: &AuthorizationServer,
    moment: &mut Moment<'_>,
    issued: &IssuedTokens,
    (scope, authorization_details): (&str, Option<&Value>),
) -> Result<Secret, KeyError> {
    let policy = moment.policy;
    policy.note_lifetime();
    let claims = AccessTokenClaims {
        iss: server.issuer.as_str(),
        sub: &issued.subject,
        aud: Some(match issued.resource.as_slice() {
            _ if !policy.issues_access_tokens_for_requested_resources() => Audience::One(server.api.as_str()),
            [one] => Audience::One(one.as_str()),
            several => Audience::Several(several.iter().map(|resource| resource.as_str()).collect()),
        }),
        client_id: Some(issued.client_id.as_str()),
        scope,
        jti: &issued.token_id,
        auth_time: issued.auth_time.map(|at| at.0),
        iat: moment.now.0,
        exp: moment.now.plus_seconds(server.access_token_lifetime_s).0,
        cnf: Some(issued.confirmation.clone()).filter(|confirmation| !confirmation.is_empty()),
        authorization_details,
        act: issued.actor.as_deref().map(|sub| Actor { sub }),
        extra: server.claims.access_token.members(),
    };
    let real = server.keys.sign_access_token(&claims)?;
    if let Some(entropy) = policy.access_token_entropy() {
        return issue_weak_token(server, moment, real, Some(entropy));
    }
    let names_audience = policy.names_audience_in_access_tokens();
    let names_client = policy.names_client_in_access_tokens();
    let confirmation = policy.confirmation(&issued.confirmation);
    if names_audience && names_client && confirmation == issued.confirmation {
        return Ok(real);
    }
    let given = server.keys.sign_access_token(&AccessTokenClaims {
        cnf: Some(confirmation).filter(|confirmation| !confirmation.is_empty()),
        aud: claims.aud.filter(|_| names_audience),
        client_id: claims.client_id.filter(|_| names_client),
        ..claims
    })?;
    server.aliases.alias(moment.now, &given, real, None);
    Ok(given)
}

/// A token of so little randomness that stands for the real one, where that is asked for.
fn issue_weak_token(
    server: &AuthorizationServer,
    moment: &mut Moment<'_>,
    real: Secret,
    entropy: Option<Entropy>,
) -> Result<Secret, KeyError> {
    match entropy {
        None => Ok(real),
        Some(entropy) => Ok(server
            .aliases
            .issue_weak_token(moment.now, moment.randomness, real, entropy)?),
    }
}

fn id_token(
    server: &AuthorizationServer,
    moment: &mut Moment<'_>,
    issued: &IssuedTokens,
    access_token: &Secret,
) -> Result<Secret, KeyError> {
    let policy = moment.policy;
    let facts = policy.id_token_claims(IdTokenFacts {
        issuer: server.issuer.as_str(),
        audience: issued.client_id.as_str(),
        authorized_party: issued.client_id.as_str(),
        issued_at: moment.now.0,
        expires_at: moment.now.plus_seconds(server.access_token_lifetime_s).0,
        hashed_token: access_token.expose(),
        nonce: issued.nonce.as_deref(),
    });
    let mut extra = server.claims.id_token.members().clone();
    let user = server.users.with_subject(&issued.subject);
    for (name, value) in user.iter().flat_map(|user| user.claims.granted_by(&issued.scope)) {
        extra.insert(name.clone(), value.clone());
    }
    let claims = IdTokenClaims {
        iss: facts.issuer,
        sub: &policy.subject(&issued.subject),
        aud: facts.audience,
        azp: facts.authorized_party,
        auth_time: issued
            .auth_time
            .filter(|_| policy.names_sign_in_time_in_id_tokens())
            .map(|at| at.0),
        iat: facts.issued_at,
        exp: facts.expires_at,
        at_hash: &access_token_hash(facts.hashed_token),
        nonce: facts.nonce,
        extra: &extra,
    };
    if !policy.signs_id_tokens() {
        return server.keys.leave_unsigned(moment.randomness, &claims);
    }
    if !policy.names_key_in_id_tokens() {
        return server.keys.sign_id_token_without_key_id(moment.randomness, &claims);
    }
    let token = server.keys.sign_id_token(moment.randomness, &claims)?;
    if policy.signs_id_tokens_rightly() {
        return Ok(token);
    }
    let other_claims = IdTokenClaims { iat: 0, ..claims };
    let other = server.keys.sign_id_token(moment.randomness, &other_claims)?;
    Ok(with_signature_of(&token, &other))
}

/// The left half of the SHA-256 (OpenID Connect Core §3.1.3.6).
fn access_token_hash(access_token: &str) -> String {
    base64url(&Sha256::digest(access_token.as_bytes())[..16])
}
