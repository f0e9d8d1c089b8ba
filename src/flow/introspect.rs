//! Asks the introspection endpoint for a token's state and metadata (RFC 7662).

use super::caller::Caller;
use super::token_services::{
    KnownServer, TokenService, TokenServiceError, endpoint, json_object, not_json, request_about_token, send,
};
use crate::secret::Secret;
use crate::store::FreshCredentials;
use serde_json::Value;

/// What the introspection endpoint says about a token: a JSON object as text, and
/// whether the token is active.
///
/// # Errors
/// [`TokenServiceError`].
pub async fn introspect(
    server: &KnownServer,
    credentials: &FreshCredentials,
    token: &Secret,
    token_type_hint: Option<&str>,
    caller: &mut Caller<'_>,
) -> Result<(Vec<u8>, bool), TokenServiceError> {
    let service = TokenService::Introspection;
    let endpoint = endpoint(service, server, caller).await?;
    let client = server.client.to_client(credentials)?;
    let request = request_about_token(&endpoint, &client, token, token_type_hint, caller)?;
    let method = Some(client.authentication.method());
    let response = send(service, &endpoint, &request, method, caller).await?;
    let (bytes, members) = json_object(&response).ok_or_else(|| not_json(service, &endpoint))?;
    match members.get("active") {
        Some(Value::Bool(active)) => Ok((bytes, *active)),
        _ => Err(TokenServiceError::Invalid {
            service: service.name(),
            problem: "active is missing or no boolean (RFC 7662 §2.2)",
        }),
    }
}
