//! Step 7: the token response is checked against what was asked for, and
//! stored. Every login in which a person signs in ends here.

use super::context::SaveSession;
use super::error::LoginError;
use super::id_token::check_id_token;
use super::requested::Requested;
use crate::fault::{self, Point};
use crate::flow::caller::Caller;
use crate::flow::dpop::DpopSession;
use crate::flow::events::{Quirks, trace_token_response};
use crate::flow::revoke::revoke_session;
use crate::flow::server::ResolvedServer;
use crate::flow::session::apply_token_response;
use crate::protocol::client::Client;
use crate::protocol::id_token::IdToken;
use crate::protocol::token_response::TokenResponse;
use crate::secret::Secret;
use crate::store::{FreshCredentials, Part, RequestedAccess, Session};
use crate::trace::Event;
use std::time::Duration;

/// The issuer of tokens, and their client.
pub(in crate::flow) struct Issued<'r> {
    pub(in crate::flow) server: &'r ResolvedServer,
    pub(in crate::flow) client: &'r Client,
    /// The key that they are bound to.
    pub(in crate::flow) dpop: Option<&'r DpopSession>,
    /// How long the access token lives where the server does not say so.
    pub(in crate::flow) assumed_ttl: Option<Duration>,
}

/// A login that succeeded and is stored.
#[derive(Debug)]
pub struct LoggedIn {
    /// As it was stored.
    pub session: Session,
    /// Who signed in, where the server says so.
    pub id_token: Option<IdToken>,
    /// The token response as JSON, for `--no-store`.
    pub token_response: Secret,
}

impl Issued<'_> {
    /// Checks the token response and stores the session. Where it cannot be
    /// stored, its tokens are revoked.
    ///
    /// # Errors
    /// [`LoginError::IdToken`] and [`LoginError::Save`].
    pub(in crate::flow) async fn check_and_store(
        &self,
        mut response: TokenResponse,
        requested: &Requested<'_>,
        caller: &mut Caller<'_>,
        save: &mut SaveSession<'_>,
    ) -> Result<LoggedIn, LoginError> {
        let Issued {
            server,
            client,
            dpop,
            assumed_ttl,
        } = *self;
        trace_token_response(&response, Quirks::Warn, caller.observer);
        let checked = check_id_token(&response, requested, server, client, caller).await?;
        if checked.is_none() {
            response.id_token = None;
        }
        let now = caller.now();
        let token_response = response.to_json();
        let mut session = server.session(client, RequestedAccess::from(requested), dpop);
        session.subject_is_unverified = checked.as_ref().is_some_and(|checked| !checked.is_verified);
        let id_token = checked.map(|checked| checked.id_token);
        session.subject = id_token.as_ref().map(|id_token| id_token.subject.clone());
        apply_token_response(&mut session, &Part::default(), response, assumed_ttl, now);
        fault::here(Point::CodeExchanged);
        if let Err(error) = save(&session, caller.observer) {
            // Tokens that nobody keeps should not live on at the server.
            let credentials = FreshCredentials {
                assertion: client.credentials.assertion.clone(),
                ..FreshCredentials::default()
            };
            if let Err(error) = revoke_session(&session, &credentials, caller).await {
                caller.observe(&Event::Warning(&format!(
                    "the new tokens could not be revoked either: {error}"
                )));
            }
            return Err(LoginError::Save(error));
        }
        Ok(LoggedIn {
            session,
            id_token,
            token_response,
        })
    }
}
