//! Step 7, the ID token: for this client, this request, this time, from this
//! issuer (OpenID Connect Core §3.1.3.7).

use super::error::LoginError;
use super::requested::Requested;
use crate::flow::caller::Caller;
use crate::flow::server::ResolvedServer;
use crate::protocol::client::Client;
use crate::protocol::endpoint::{Issuer, is_loopback};
use crate::protocol::id_token::{self, Expected, IdToken, IdTokenContext};
use crate::protocol::token_response::TokenResponse;
use crate::trace::Event;

/// Checks the ID token of a token response; `None` where there is none that can be taken.
pub(super) fn check_id_token(
    response: &TokenResponse,
    asked: &Requested<'_>,
    server: &ResolvedServer,
    client: &Client,
    caller: &mut Caller<'_>,
) -> Result<Option<IdToken>, LoginError> {
    let Some(text) = &response.id_token else {
        if asked.scope.contains("openid") {
            caller.observe(&Event::Warning(
                "openid was asked for, but no ID token came, so who signed in is not known (OpenID Connect Core §3.1.3.3)",
            ));
        }
        return Ok(None);
    };
    let checked = id_token::check(
        text.expose(),
        &Expected {
            issuer: server.metadata.issuer.as_ref().map(Issuer::as_str),
            client_id: client.id.as_str(),
            client_has_secret: client.is_confidential(),
            now: caller.now(),
            access_token: &response.access_token,
            context: IdTokenContext::Login(asked.nonce),
        },
    );
    let id_token = match checked {
        Ok(id_token) => id_token,
        // Without openid there is no request that it could be the answer to.
        Err(error) if !asked.scope.contains("openid") => {
            caller.observe(&Event::Warning(&format!(
                "an ID token came that was not asked for, and it is not taken, so who signed in is not known: {error}"
            )));
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    caller.observe(&Event::CheckPassed(
        "iss, aud, azp, exp, iat, sub and nonce of the ID token hold (OpenID Connect Core §3.1.3.7)",
    ));
    let token_endpoint = server.token_endpoint.url();
    if token_endpoint.scheme() == "https" || is_loopback(token_endpoint) {
        caller.observe(&Event::CheckSkipped(
            "signature of the ID token: it came straight from the token endpoint (OpenID Connect Core §3.1.3.7 item 6)",
        ));
    } else {
        caller.observe(&Event::Warning(
            "the ID token came over plain http and its signature is not checked: who signed in is not proven",
        ));
    }
    Ok(Some(id_token))
}
