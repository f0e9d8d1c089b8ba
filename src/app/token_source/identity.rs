//! The identity assertion of `--grant id-jag`: the identity provider gives it
//! for the session of another profile.

use super::error::SourceProblem;
use super::profile::{NoTokenOfSession, fresh};
use crate::app::context::Context;
use crate::app::freshness::fresh_id_token;
use crate::args::config::Config;
use crate::flow::caller::Caller;
use crate::flow::id_jag::{IdJagError, IdJagRequest, IdentityProvider, request_id_jag};
use crate::protocol::grant::token_exchange::TypedToken;
use crate::protocol::token_type_uri::TokenTypeUri;
use crate::secret::Secret;
use crate::store::{FreshCredentials, IdJagRenewal, Session};
use crate::system;
use crate::transport::Transport;

/// The session at the identity provider, and how to ask there.
pub(super) struct IdentitySession {
    session: Session,
    subject: TypedToken,
    audience: Option<String>,
    transport: Transport,
}

/// Reads the session, refreshed where its ID token has ended; `context` is one
/// for sources. Without an ID token, the refresh token stands for the person.
pub(super) fn read(
    context: &Context,
    config: &Config,
    id_jag: &IdJagRenewal,
) -> Result<IdentitySession, NoTokenOfSession> {
    let name = &id_jag.from;
    let session = fresh(context, config, name, true)?;
    let subject = match (fresh_id_token(&session, name, system::now()), &session.refresh_token) {
        (Ok((token, _)), _) => TypedToken {
            token,
            token_type: TokenTypeUri::id_token(),
        },
        (Err(_), Some(_)) if session.dpop_key.is_some() => {
            return Err(NoTokenOfSession::Problem(SourceProblem::Bound(name.clone())));
        }
        (Err(_), Some(refresh_token)) => TypedToken {
            token: refresh_token.clone(),
            token_type: TokenTypeUri::refresh_token(),
        },
        (Err(error), None) => return Err(error.into()),
    };
    Ok(IdentitySession {
        transport: context.transport(config.profile(name), true)?,
        audience: id_jag.audience.clone(),
        session,
        subject,
    })
}

impl IdentitySession {
    /// The session itself, whose client may have a source, too.
    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    /// Asks the identity provider for the assertion that this session needs.
    pub(super) async fn request(
        &self,
        wanting: &Session,
        client_assertion: Option<Secret>,
        caller: &mut Caller<'_>,
    ) -> Result<Secret, IdJagError> {
        let credentials = FreshCredentials {
            secret: None,
            assertion: client_assertion,
        };
        let issuer = wanting.issuer.as_ref().map(ToString::to_string);
        let request = IdJagRequest {
            audience: self.audience.clone().or(issuer).ok_or(IdJagError::NoAudience)?,
            resource: wanting.requested.resource.clone(),
            scope: wanting.requested.scope.clone(),
        };
        let provider = IdentityProvider {
            session: &self.session,
            subject: &self.subject,
            credentials: &credentials,
        };
        let mut caller = Caller {
            transport: &self.transport,
            randomness: &mut *caller.randomness,
            observer: &mut *caller.observer,
            ..*caller
        };
        request_id_jag(&provider, request, &mut caller).await
    }
}
