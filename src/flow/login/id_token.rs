//! Step 7, the ID token: for this client, this request, this time, from this
//! issuer, and signed by it (OpenID Connect Core §3.1.3.7).

use super::error::LoginError;
use super::requested::Requested;
use crate::flow::caller::Caller;
use crate::flow::issuer_keys::{IssuerKeys, IssuerKeysError, UnprovenError};
use crate::flow::server::ResolvedServer;
use crate::foreign_text::{Quoted, WordOrQuoted};
use crate::protocol::client::Client;
use crate::protocol::endpoint::{Issuer, is_loopback};
use crate::protocol::id_token::{
    self, Expected, IdToken, IdTokenContext, IdTokenError, IdTokenSignature, LoginDemands,
};
use crate::protocol::token_response::TokenResponse;
use crate::secret::Secret;
use crate::trace::Event;
use serde_json::Value;

/// An ID token that says who signed in.
pub(super) struct CheckedIdToken {
    pub(super) id_token: IdToken,
    /// Whether its signature was verified: not where no keys are known.
    pub(super) is_verified: bool,
}

/// Why an ID token is not taken.
#[derive(Debug, thiserror::Error)]
enum Rejection {
    #[error(transparent)]
    IdToken(#[from] IdTokenError),
    #[error(transparent)]
    Keys(#[from] IssuerKeysError),
}

impl From<UnprovenError> for Rejection {
    fn from(error: UnprovenError) -> Self {
        match error {
            UnprovenError::NoProof(error) => Rejection::IdToken(error.into()),
            UnprovenError::Keys(error) => Rejection::Keys(error),
        }
    }
}

impl Rejection {
    fn into_login_error(self, issuer: Option<&str>) -> LoginError {
        match self {
            Rejection::IdToken(error) => LoginError::IdToken {
                error,
                issuer: issuer.map(str::to_owned),
            },
            Rejection::Keys(error) => LoginError::Keys(Box::new(error)),
        }
    }
}

/// Checks the ID token of a token response; `None` where there is none that can be taken.
pub(super) async fn check_id_token(
    response: &TokenResponse,
    asked: &Requested<'_>,
    server: &ResolvedServer,
    client: &Client,
    caller: &mut Caller<'_>,
) -> Result<Option<CheckedIdToken>, LoginError> {
    let Some(text) = &response.id_token else {
        if asked.scope.contains("openid") {
            caller.observe(&Event::Warning(
                "openid was requested, but no ID token came, so the user is not known (OpenID Connect Core §3.1.3.3)",
            ));
        }
        return Ok(None);
    };
    let expected = Expected {
        issuer: server.metadata.issuer.as_ref().map(Issuer::as_str),
        client_id: client.id.as_str(),
        client_has_secret: client.credentials.secret.is_some(),
        now: caller.now(),
        access_token: &response.access_token,
        context: IdTokenContext::Login(LoginDemands {
            nonce: asked.nonce,
            max_age_s: asked.max_age_s(),
            algorithms: server.metadata.id_token_algorithms(),
        }),
    };
    match check(text, &expected, server, client, caller).await {
        Ok(checked) => {
            warn_of_other_acr(&checked.id_token, asked, caller);
            Ok(Some(checked))
        }
        // Without openid there is no request that it could be the answer to.
        Err(error) if !asked.scope.contains("openid") => {
            caller.observe(&Event::Warning(&format!(
                "an ID token came that was not asked for, and it is not accepted, so who signed in is not known: {error}"
            )));
            Ok(None)
        }
        Err(error) => Err(error.into_login_error(expected.issuer)),
    }
}

async fn check(
    text: &Secret,
    expected: &Expected<'_>,
    server: &ResolvedServer,
    client: &Client,
    caller: &mut Caller<'_>,
) -> Result<CheckedIdToken, Rejection> {
    let id_token = id_token::check(text.expose(), expected)?;
    caller.observe(&Event::CheckPassed(
        "iss, aud, azp, exp, iat, sub and nonce of the ID token are valid (OpenID Connect Core §3.1.3.7)",
    ));
    let signature = IdTokenSignature::decode(text).map_err(IdTokenError::from)?;
    let signed_by = if signature.is_with_secret() {
        let secret = client.credentials.secret.as_ref();
        Some(signature.verify_with_secret(secret).map_err(IdTokenError::from)?)
    } else {
        verify(&signature, server, caller).await?
    };
    match &signed_by {
        Some(signed_by) => caller.observe(&Event::CheckPassed(&format!(
            "the signature of the ID token is valid: {signed_by} (OpenID Connect Core §3.1.3.7 item 6)"
        ))),
        None => warn_of_no_keys(server, caller),
    }
    Ok(CheckedIdToken {
        id_token,
        is_verified: signed_by.is_some(),
    })
}

/// By what it was signed; `None` where nothing is known of the issuer's keys.
async fn verify(
    signature: &IdTokenSignature,
    server: &ResolvedServer,
    caller: &mut Caller<'_>,
) -> Result<Option<String>, Rejection> {
    let keys = match (&server.keys, &server.metadata.jwks_uri) {
        (Some(keys), _) => keys.clone(),
        // An ID token that was not asked for: nothing was fetched for it.
        (None, Some(endpoint)) => IssuerKeys::fetch(endpoint.clone(), caller).await?,
        (None, None) => return Ok(None),
    };
    Ok(Some(keys.verify(signature, caller).await?))
}

fn warn_of_no_keys(server: &ResolvedServer, caller: &mut Caller<'_>) {
    let token_endpoint = server.token_endpoint.url();
    let rests_on = match token_endpoint.scheme() == "https" || is_loopback(token_endpoint) {
        true => "that it came straight from the token endpoint is the only proof of who signed in",
        false => "it came over plain http, so the user is not verified",
    };
    caller.observe(&Event::Warning(&format!(
        "the signature of the ID token is not verified, since no jwks_uri of the server is known (--jwks-uri URL names it): {rests_on}"
    )));
}

/// `acr_values` is a wish, so another `acr` is not an error (OpenID Connect Core
/// §3.1.3.7 item 12).
fn warn_of_other_acr(id_token: &IdToken, asked: &Requested<'_>, caller: &mut Caller<'_>) {
    let Some(wanted) = asked.acr_values() else { return };
    let found = id_token.claims.get("acr").and_then(Value::as_str);
    if found.is_some_and(|found| wanted.split(' ').any(|value| value == found)) {
        return;
    }
    let found = match found {
        Some(found) => format!("acr is {}", WordOrQuoted(found)),
        None => "it has no acr".to_owned(),
    };
    caller.observe(&Event::Warning(&format!(
        "the ID token does not say that the resource owner signed in as acr_values asked ({}): {found}",
        Quoted::name(wanted)
    )));
}
