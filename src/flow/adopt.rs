//! Begins a session with a refresh token that came from elsewhere: it is
//! refreshed at once, which proves that it works (RFC 6749 §6).

use crate::flow::login::{ClientChoice, LoginError, ServerChoice, know_server};
use crate::flow::refresh::{RefreshError, RefreshTerms, refresh};
use crate::flow::session::{asked, without_tokens};
use crate::protocol::authorization::AuthorizationWish;
use crate::protocol::id_token::IdToken;
use crate::protocol::time::UnixSeconds;
use crate::secret::Secret;
use crate::store::{Part, Session};
use crate::trace::Observer;
use crate::transport::Transport;

/// Why the refresh token did not begin a session.
#[derive(Debug)]
pub enum AdoptError {
    /// The server is not known.
    Server(LoginError),
    /// It did not take the refresh token.
    Refresh(RefreshError),
}

/// Learns the server and refreshes.
///
/// # Errors
/// [`AdoptError`].
pub async fn adopt(
    server: &ServerChoice,
    client: &ClientChoice,
    wish: &AuthorizationWish,
    refresh_token: Secret,
    transport: &Transport,
    now: fn() -> UnixSeconds,
    observer: &mut dyn Observer,
) -> Result<(Session, Option<IdToken>), AdoptError> {
    let server = know_server(server, transport, observer)
        .await
        .map_err(AdoptError::Server)?;
    let client = client.authenticated_as(&server.metadata);
    let mut session = without_tokens(
        &server.metadata,
        &client,
        asked(&wish.scope, &wish.resource, &wish.audience),
    );
    session.refresh_token = Some(refresh_token);
    let terms = RefreshTerms {
        client_secret: None,
        token_parameters: wish.token_extra.clone(),
        transport,
        now,
    };
    let id_token = refresh(&mut session, &Part::default(), &terms, observer)
        .await
        .map_err(AdoptError::Refresh)?;
    Ok((session, id_token))
}
