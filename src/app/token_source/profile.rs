//! `profile:NAME[:access|id|refresh]`: a token of another session of this
//! machine, as fresh as it can be. The lock of that session is released before
//! ours is taken.

use super::error::SourceProblem;
use crate::app::context::Context;
use crate::app::fresh_session::{WantedToken, ensure_fresh, expired};
use crate::app::freshness::{Freshness, fresh_id_token};
use crate::app::token_format::is_bound;
use crate::args::cli::TokenOptions;
use crate::args::config::Config;
use crate::args::settings::{ChosenBy, ChosenProfile};
use crate::error::Error;
use crate::flow::renew::has_expired;
use crate::protocol::endpoint::Endpoint;
use crate::protocol::grant::token_exchange::TypedToken;
use crate::protocol::token_type_uri::TokenTypeUri;
use crate::store::{Part, ProfileName, ProfileSource, Session, SessionToken};
use crate::system;

/// A token of another session.
pub(super) struct TokenOfSession {
    pub(super) token: TypedToken,
    /// The only token endpoint that it may be sent to.
    pub(super) bound_for: Option<Endpoint>,
}

/// Why another session gives no token.
pub(super) enum NoTokenOfSession {
    Problem(SourceProblem),
    Session(Error),
}

impl<E: Into<Error>> From<E> for NoTokenOfSession {
    fn from(error: E) -> Self {
        NoTokenOfSession::Session(error.into())
    }
}

/// The token of the other session; `context` is one for sources.
pub(super) fn read(
    context: &Context,
    config: &Config,
    source: &ProfileSource,
) -> Result<TokenOfSession, NoTokenOfSession> {
    let name = &source.profile;
    let problem = NoTokenOfSession::Problem;
    let no_such_token = || problem(SourceProblem::NoSuchToken(name.clone()));
    let session = fresh(context, config, name, source.token == SessionToken::Id)?;
    let unbound = |token, token_type| TokenOfSession {
        token: TypedToken { token, token_type },
        bound_for: None,
    };
    match source.token {
        SessionToken::Access => {
            let stored = session.tokens.first().ok_or_else(no_such_token)?;
            if has_expired(&session, &Part::default(), system::now()) {
                return Err(expired(&session, name).into());
            }
            if is_bound(stored) {
                return Err(problem(SourceProblem::Bound(name.clone())));
            }
            let issued = stored.issued_token_type.as_ref().and_then(|uri| uri.parse().ok());
            let token_type = issued.unwrap_or_else(TokenTypeUri::access_token);
            Ok(unbound(stored.access_token.clone(), token_type))
        }
        SessionToken::Id => {
            let (id_token, _) = fresh_id_token(&session, name, system::now())?;
            Ok(unbound(id_token, TokenTypeUri::id_token()))
        }
        SessionToken::Refresh => {
            if session.dpop_key.is_some() {
                return Err(problem(SourceProblem::Bound(name.clone())));
            }
            Ok(TokenOfSession {
                token: TypedToken {
                    token: session.refresh_token.ok_or_else(no_such_token)?,
                    token_type: TokenTypeUri::refresh_token(),
                },
                bound_for: Some(session.token_endpoint),
            })
        }
    }
}

/// The other session, refreshed where `oauth token` would do so.
pub(super) fn fresh(
    context: &Context,
    config: &Config,
    name: &ProfileName,
    for_id_token: bool,
) -> Result<Session, NoTokenOfSession> {
    if context.sources_of.contains(name) {
        let mut circle = context.sources_of.clone();
        circle.push(name.clone());
        return Err(NoTokenOfSession::Problem(SourceProblem::Circle(circle)));
    }
    let options = TokenOptions {
        id_token: for_id_token,
        ..TokenOptions::default()
    };
    let chosen = ChosenProfile {
        name: name.clone(),
        chosen_by: ChosenBy::User,
    };
    let wanted = WantedToken {
        config,
        chosen: &chosen,
        options: &options,
        freshness: &Freshness::new(&options)?,
    };
    Ok(ensure_fresh(context, wanted)?.session)
}
