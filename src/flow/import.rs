//! Begins a session with a refresh token that came from elsewhere: it is
//! refreshed at once, which proves that it works (RFC 6749 §6).

use crate::flow::caller::Caller;
use crate::flow::refresh::{RefreshError, RefreshOptions, refresh};
use crate::flow::server::{ClientChoice, ServerChoice, ServerError, resolve_server};
use crate::flow::session::{asked, new_session};
use crate::protocol::authorization::AuthorizationOptions;
use crate::protocol::id_token::IdToken;
use crate::secret::Secret;
use crate::store::{Part, Renewal, Session};

/// Why the refresh token did not begin a session.
#[derive(Debug)]
pub enum ImportError {
    /// The server is not known.
    Server(ServerError),
    /// It did not take the refresh token.
    Refresh(RefreshError),
}

/// Learns the server and refreshes.
///
/// # Errors
/// [`ImportError`].
pub async fn import_refresh_token(
    server: &ServerChoice,
    client: &ClientChoice,
    wish: &AuthorizationOptions,
    refresh_token: Secret,
    caller: &mut Caller<'_>,
) -> Result<(Session, Option<IdToken>), ImportError> {
    let server = resolve_server(server, caller).await.map_err(ImportError::Server)?;
    let client = client.authenticated_as(&server.metadata);
    let mut session = new_session(
        &server.metadata,
        &client,
        asked(&wish.scope, &wish.resource, &wish.audience),
    );
    session.refresh_token = Some(refresh_token);
    session.renewal = Renewal::RefreshToken;
    let options = RefreshOptions {
        client_secret: None,
        token_parameters: wish.extra_token_params.clone(),
    };
    let id_token = refresh(&mut session, &Part::default(), &options, caller)
        .await
        .map_err(ImportError::Refresh)?;
    Ok((session, id_token))
}
