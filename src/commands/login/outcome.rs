//! What a login brought, beside what it asked for.

use crate::flow::login::LoginRequest;
use crate::protocol::authorization_details::AuthorizationDetails;
use crate::protocol::id_token::IdToken;
use crate::protocol::scope::Scope;
use crate::secret::Secret;
use crate::store::Session;
use serde_json::{Value, json};

/// What the summary compares the answer with.
pub(super) struct Requested {
    pub(super) scope: Scope,
    pub(super) authorization_details: Option<AuthorizationDetails>,
    /// Whether `prompt=consent` was sent.
    pub(super) with_consent: bool,
}

impl Requested {
    pub(super) fn of(request: &LoginRequest) -> Self {
        let is_consent =
            |(name, value): &(String, String)| name == "prompt" && value.split(' ').any(|word| word == "consent");
        Requested {
            scope: request.authorization.scope.clone(),
            authorization_details: request.authorization.authorization_details.clone(),
            with_consent: request.authorization.extra.iter().any(is_consent),
        }
    }
}

/// What a login brought.
pub(super) struct LoginOutcome {
    pub(super) session: Session,
    pub(super) id_token: Option<IdToken>,
    pub(super) requested: Requested,
    /// For `--no-store`, as JSON.
    pub(super) token_response: Secret,
}

impl LoginOutcome {
    pub(super) fn new(requested: Requested, session: Session, id_token: Option<IdToken>) -> Self {
        LoginOutcome {
            token_response: token_response(&session),
            session,
            id_token,
            requested,
        }
    }
}

/// What a session holds, in the members of RFC 6749 §5.1.
fn token_response(session: &Session) -> Secret {
    let token = session.tokens.first();
    let lifetime_s = token.and_then(|token| Some(token.expires_at?.seconds_since(token.issued_at?)));
    let object = json!({
        "access_token": token.map(|token| token.access_token.expose()),
        "token_type": token.map(|token| &token.token_type),
        "expires_in": lifetime_s,
        "refresh_token": session.refresh_token.as_ref().map(Secret::expose),
        "scope": token.and_then(|token| token.scope.as_ref()).map(ToString::to_string),
        "id_token": session.id_token.as_ref().map(Secret::expose),
        "authorization_details": session.authorization_details.as_ref().map(AuthorizationDetails::to_json),
    });
    let members = object
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, value)| !value.is_null());
    let members: serde_json::Map<String, Value> = members.map(|(name, value)| (name.clone(), value.clone())).collect();
    Secret::new(Value::Object(members).to_string())
}
