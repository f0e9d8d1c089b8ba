//! The client secret of a login, and whether it fits the authentication method.

use crate::app::context::Context;
use crate::app::input::read_secret_from_stdin;
use crate::args::login::LoginOptions;
use crate::args::login_grant::LoginGrant;
use crate::args::settings::{self, ResolvedLogin, SettingsError};
use crate::error::Error;
use crate::protocol::client::ClientAuthenticationMethod;
use crate::secret::Secret;
use crate::store::Session;

/// The secret of the environment, else of standard input or a file. Read before
/// anything is made: one that is empty or missing leaves nothing behind.
pub(crate) fn given_client_secret(
    context: &Context,
    options: &LoginOptions,
    resolved: &ResolvedLogin,
) -> Result<Option<Secret>, Error> {
    if let Some(secret) = context.client_secret_of_environment() {
        return Ok(Some(secret));
    }
    if options.client.client_secret_stdin {
        return read_secret_from_stdin(context, "--client-secret-stdin").map(Some);
    }
    match &resolved.client_secret_file {
        Some(path) => Ok(Some(settings::secret_from_file("--client-secret-file", path)?)),
        None => Ok(None),
    }
}

/// The secret that was given, else the one that the last login kept.
pub(crate) fn client_secret(
    given: Option<Secret>,
    resolved: &ResolvedLogin,
    earlier: Option<&Session>,
) -> Option<Secret> {
    if given.is_some() {
        return given;
    }
    let server = &resolved.request.server;
    let same_client = |session: &&Session| {
        session.client.id == resolved.request.client.id
            && session.issuer == server.issuer
            && server
                .token_endpoint
                .as_ref()
                .is_none_or(|endpoint| *endpoint == session.token_endpoint)
    };
    let kept = earlier
        .filter(same_client)
        .and_then(|session| session.client.secret.clone());
    kept.filter(|_| resolved.request.client.method != Some(ClientAuthenticationMethod::None))
}

pub(crate) fn check_client_authentication(resolved: &ResolvedLogin) -> Result<(), SettingsError> {
    let client = &resolved.request.client;
    let by_client_alone = resolved.grant == LoginGrant::ClientCredentials;
    match (client.method, &client.secret) {
        (Some(ClientAuthenticationMethod::None), _) if by_client_alone => Err(SettingsError::Contradiction {
            one: "--client-auth none".to_owned(),
            other: format!("--grant {}", resolved.grant.as_str()),
            problem: "only a client that authenticates gets a token for itself (RFC 6749 §4.4)".to_owned(),
        }),
        (Some(ClientAuthenticationMethod::None), Some(_)) => Err(SettingsError::Contradiction {
            one: "--client-auth none".to_owned(),
            other: "the client secret".to_owned(),
            problem: "a public client has no secret".to_owned(),
        }),
        (method, None)
            if by_client_alone || method.is_some_and(|method| method != ClientAuthenticationMethod::None) =>
        {
            Err(SettingsError::Missing {
                what: "client secret",
                profile: resolved.profile.to_string(),
                hint: "Give it with --client-secret-file FILE, --client-secret-stdin or OAUTH_CLIENT_SECRET."
                    .to_owned(),
            })
        }
        _ => Ok(()),
    }
}
