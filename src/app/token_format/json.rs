//! `--format json`: one object, in which what is not known is `null`.

use super::{PrintableToken, TokenKind};
use crate::foreign_text::sanitize_json;
use crate::protocol::endpoint::Issuer;
use crate::protocol::resource::Resource;
use crate::system;
use serde_json::json;

pub(super) fn object(token: &PrintableToken<'_>) -> String {
    let PrintableToken {
        stored, session, now, ..
    } = token;
    let member = match token.kind {
        TokenKind::AccessToken => "access_token",
        TokenKind::IdToken => "id_token",
    };
    let scope = stored.scope.as_ref().map(ToString::to_string);
    let mut object = json!({
        member: token.token.expose(),
        "token_type": stored.token_type,
        "expires_in": token.expires_at.map(|expires_at| expires_at.seconds_since(*now)),
        "expires_at": token.expires_at.map(system::rfc_3339),
        "scope": scope,
        "resource": stored.resource.iter().map(Resource::as_str).collect::<Vec<_>>(),
        "issuer": session.issuer.as_ref().map(Issuer::as_str),
        "profile": token.profile.as_str(),
    });
    if let Some(issued_token_type) = &stored.issued_token_type {
        object["issued_token_type"] = json!(issued_token_type);
    }
    sanitize_json(&object.to_string()) + "\n"
}
