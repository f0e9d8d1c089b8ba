//! Token exchange (RFC 8693): an access token for a token of someone; or an
//! identity assertion for another authorization server
//! (draft-ietf-oauth-identity-assertion-authz-grant §4.3).

use super::caller::Caller;
use super::granted::{Granted, IdentityAssertion};
use crate::protocol::grant::token_exchange::{TokenExchangeGrant, TypedToken};
use crate::protocol::jose::UnverifiedJwt;
use crate::protocol::resource::Resource;
use crate::protocol::scope::Scope;
use crate::protocol::time::UnixSeconds;
use crate::protocol::token_type_uri::TokenTypeUri;
use crate::secret::Secret;
use crate::server::access_token::AccessToken;
use crate::server::authorization_server::AuthorizationServer;
use crate::server::grants::error::GrantError;
use crate::server::grants::grant::Authorization;
use crate::server::moment::Moment;
use crate::server::scopes::default_scope;
use crate::server::trusted_issuers::{SignaturePolicy, is_for, text, verify};
use serde_json::Value;

/// What is asked of the signatures of subject and actor tokens.
const SIGNATURE: SignaturePolicy = SignaturePolicy {
    must_match: |policy| policy.verifies_signatures_of_subject_tokens(),
    must_be_there: |policy| policy.rejects_unsigned_subject_tokens(),
};

/// The subject of a token.
struct Subject {
    name: String,
    /// What the token permits, where it says so.
    scope: Option<Scope>,
    auth_time: Option<UnixSeconds>,
}

/// What comes of the exchange.
pub(super) fn issue(
    server: &AuthorizationServer,
    moment: &mut Moment<'_>,
    grant: &TokenExchangeGrant,
    caller: &Caller<'_>,
) -> Result<Granted, GrantError> {
    let subject = subject(server, moment, &grant.subject, caller)?.ok_or(GrantError::SubjectToken)?;
    let actor = match &grant.actor {
        Some(actor) => Some(self::subject(server, moment, actor, caller)?.ok_or(GrantError::ActorToken)?),
        None => None,
    };
    let scope = scope(server, grant.scope.as_ref(), subject.scope.as_ref())?;
    let requested = grant.requested_token_type.as_ref().map(TokenTypeUri::short);
    match requested {
        None | Some("access_token" | "jwt") => {
            let authorization = Authorization {
                authorization_details: None,
                client_id: caller.client_id.clone(),
                scope,
                resource: targets(server, caller)?,
                nonce: None,
                subject: subject.name,
                auth_time: subject.auth_time,
                refresh_key: None,
            };
            let mut issued = server.grants().issue_access_token_only(moment, authorization)?;
            issued.actor = actor.map(|actor| actor.name);
            issued.issued_token_type = Some(match requested {
                Some("jwt") => TokenTypeUri::jwt(),
                _ => TokenTypeUri::access_token(),
            });
            Ok(Granted::Tokens(issued))
        }
        Some("id-jag") => {
            let audience = caller
                .form
                .single("audience")
                .ok()
                .flatten()
                .ok_or(GrantError::NoAudience)?;
            if !["id_token", "refresh_token"].contains(&grant.subject.token_type.short()) {
                return Err(GrantError::SubjectTokenType);
            }
            Ok(Granted::IdentityAssertion(IdentityAssertion {
                subject: subject.name,
                client_id: caller.client_id.clone(),
                audience: audience.to_owned(),
                resource: caller.resource.to_vec(),
                scope,
            }))
        }
        Some(_) => Err(GrantError::RequestedTokenType),
    }
}

/// The subject of a token; `None` where the token is not valid.
fn subject(
    server: &AuthorizationServer,
    moment: &mut Moment<'_>,
    token: &TypedToken,
    caller: &Caller<'_>,
) -> Result<Option<Subject>, GrantError> {
    match token.token_type.short() {
        "access_token" => Ok(of_access_token(server, moment, &token.token)),
        "jwt" => Ok(of_access_token(server, moment, &token.token)
            .or_else(|| of_jwt(server, moment, &token.token, &[server.issuer.as_str()]))),
        "id_token" => {
            let audiences = [caller.client_id.as_str(), server.issuer.as_str()];
            Ok(of_jwt(server, moment, &token.token, &audiences))
        }
        "refresh_token" => {
            let live = server.grants().live_refresh_token(moment.now, &token.token);
            let own = live.filter(|live| live.client_id == *caller.client_id);
            Ok(own.map(|live| Subject {
                name: live.subject,
                scope: Some(live.scope),
                auth_time: None,
            }))
        }
        _ => Err(GrantError::SubjectTokenType),
    }
}

/// An access token of this server, as far as the rules are kept.
fn of_access_token(server: &AuthorizationServer, moment: &mut Moment<'_>, token: &Secret) -> Option<Subject> {
    let known = |token: AccessToken| Subject {
        name: token.subject,
        scope: Some(token.scope),
        auth_time: None,
    };
    if let Some(token) = server.access_token(moment.now, token) {
        return Some(known(token));
    }
    let issuer = server.issuer.as_str();
    if let Some(revoked) = AccessToken::verify(&server.keys, issuer, moment.now, token.expose()) {
        return (!moment.policy.rejects_revoked_subject_tokens()).then(|| known(revoked));
    }
    if UnverifiedJwt::decode(token.expose()).is_err() {
        let is_taken = !moment.policy.rejects_unknown_subject_tokens();
        return is_taken.then(|| Subject {
            name: server.first_user(moment.now).user,
            scope: None,
            auth_time: None,
        });
    }
    // Only what claims to be of this server is looked at: everything else is not an access token of it.
    let jwt = verify(server, moment, token, SIGNATURE)?;
    (text(&jwt, "iss") == Some(issuer) && jwt.claims.contains_key("client_id")).then(|| subject_of(&jwt))?
}

/// A JWT of a trusted issuer for one of these audiences.
fn of_jwt(
    server: &AuthorizationServer,
    moment: &mut Moment<'_>,
    token: &Secret,
    audiences: &[&str],
) -> Option<Subject> {
    let jwt = verify(server, moment, token, SIGNATURE)?;
    match is_for(&jwt, audiences) {
        true => subject_of(&jwt),
        false => None,
    }
}

fn subject_of(jwt: &UnverifiedJwt) -> Option<Subject> {
    Some(Subject {
        name: text(jwt, "sub")?.to_owned(),
        scope: text(jwt, "scope").and_then(|scope| Scope::parse(scope).ok()),
        auth_time: jwt.claims.get("auth_time").and_then(Value::as_i64).map(UnixSeconds),
    })
}

/// What was asked for, as far as the subject token permits; else what it permits.
pub(super) fn scope(
    server: &AuthorizationServer,
    asked: Option<&Scope>,
    permitted: Option<&Scope>,
) -> Result<Scope, GrantError> {
    let asked = asked.filter(|asked| !asked.is_empty());
    let is_known = |scope: &Scope| server.scopes.first_unknown(scope).is_none();
    match (asked, permitted) {
        (Some(asked), Some(permitted)) if !asked.without(permitted).is_empty() => Err(GrantError::ExchangedScope),
        (Some(asked), None) if !is_known(asked) => Err(GrantError::ExchangedScope),
        (Some(asked), _) => Ok(asked.clone()),
        (None, Some(permitted)) if !permitted.is_empty() => Ok(permitted.clone()),
        (None, _) => Ok(default_scope()),
    }
}

/// The resources and the audience that were asked for; the API of this server where none was.
fn targets(server: &AuthorizationServer, caller: &Caller<'_>) -> Result<Vec<Resource>, GrantError> {
    let mut targets = caller.resource.to_vec();
    if let Some(audience) = caller.form.single("audience").ok().flatten() {
        targets.push(Resource::parse(audience).map_err(|_| GrantError::Target)?);
    }
    if targets.is_empty() {
        targets.push(server.api.clone());
    }
    Ok(targets)
}
