//! How a session whose grant is repeated is named where sessions are shown.

use crate::foreign_text::WordOrQuoted;
use crate::store::{Renewal, Session};

/// The grant; `None` where none is repeated.
pub(crate) fn repeated_grant(renewal: &Renewal) -> Option<&'static str> {
    match renewal {
        Renewal::None | Renewal::RefreshToken => None,
        Renewal::ClientCredentials => Some("client credentials"),
        Renewal::TokenExchange(_) => Some("token exchange"),
        Renewal::JwtBearer { .. } => Some("assertion"),
        Renewal::IdJag(_) => Some("identity assertion"),
    }
}

/// Who or what a session without a person is for, with the word before it.
pub(crate) fn identity_without_person(session: &Session) -> String {
    match &session.renewal {
        Renewal::ClientCredentials => format!(" as the client {}", WordOrQuoted(session.client.id.as_str())),
        Renewal::TokenExchange(exchange) => format!(" with a token from {}", exchange.subject.source),
        Renewal::JwtBearer { assertion } => format!(" with an assertion from {assertion}"),
        Renewal::IdJag(id_jag) => format!(" with the session of profile \"{}\"", id_jag.from),
        Renewal::RefreshToken | Renewal::None => String::new(),
    }
}
