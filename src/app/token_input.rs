//! Which token a command is about: the one on standard input or in a file,
//! else that of the stored session. Never one on the command line.

use crate::app::client_credentials::given_client_credentials;
use crate::app::context::{Context, caller};
use crate::app::fresh_session::session_with_valid_token;
use crate::app::input::read_secret_from_stdin;
use crate::app::login_required::LoginRequired;
use crate::app::session::{ProfileRecord, check_matches_profile};
use crate::app::signals::interruptible;
use crate::app::token_source::Purpose;
use crate::args::cli::{ProfileChoice, TokenInput};
use crate::args::config::Config;
use crate::args::login::{CallbackOptions, LoginOptions};
use crate::args::settings::{self, SettingsError};
use crate::error::Error;
use crate::flow::token_services::{KnownServer, discover_known_server};
use crate::secret::Secret;
use crate::store::{CredentialStore, ProfileName, Session};
use crate::system::files::{FileError, named};
use crate::trace::Observer;
use crate::transport::Transport;
use std::path::Path;

/// No JWT that this program reads is longer.
const MAX_TOKEN_BYTES: usize = 256 * 1024 + 2;

/// Where a token is read from.
const PLACE: &str = "FILE";

/// The token of standard input (`-`) or of a file; `None` where neither is named.
pub(crate) fn read_token_argument(context: &Context, input: &TokenInput) -> Result<Option<Secret>, Error> {
    let Some(name) = input.file.as_deref() else {
        return Ok(None);
    };
    if name.as_os_str() == "-" {
        return read_secret_from_stdin(context, "token").map(Some);
    }
    settings::reject_token_argument(PLACE, &name.to_string_lossy())?;
    match named::read_at_most(name, MAX_TOKEN_BYTES) {
        Ok(mut bytes) => Ok(Some(settings::secret_from_bytes(PLACE, std::mem::take(&mut *bytes))?)),
        Err(error) => Err(unreadable(context, name, &error).into()),
    }
}

/// The name is not repeated unless it is that of a saved profile: it may be a token.
fn unreadable(context: &Context, name: &Path, error: &FileError) -> SettingsError {
    let is_saved = |name: &ProfileName| context.config().is_ok_and(|config| config.profile(name).is_some());
    let profile = name.to_str().and_then(|name| ProfileName::parse(name).ok());
    let profile = profile.filter(is_saved);
    let (file, hint) = match profile {
        Some(profile) => (
            format!("file \"{profile}\""),
            format!("For the token of the profile: oauth {} -p {profile}", context.command),
        ),
        None => (
            "such file".to_owned(),
            "A token comes on standard input (-), a profile is named with --profile.".to_owned(),
        ),
    };
    SettingsError::Value {
        name: PLACE.to_owned(),
        problem: match error {
            error if error.is_not_found() => format!("there is no {file}"),
            FileError::Unreadable(source) => format!("that file cannot be read: {source}"),
            error => error.to_string(),
        },
        hint: Some(hint),
    }
}

/// A profile, with its session if there is one.
pub(crate) struct StoredSession {
    pub(crate) config: Config,
    pub(crate) name: ProfileName,
    pub(crate) store: Box<dyn CredentialStore>,
    pub(crate) session: Session,
}

/// The choice of a profile by `--profile` alone.
pub(crate) fn profile_choice(input: &TokenInput) -> ProfileChoice {
    ProfileChoice {
        argument: None,
        option: input.profile.clone(),
    }
}

/// The stored session, as it is: nothing is refreshed.
pub(crate) fn load_session(context: &Context, input: &TokenInput) -> Result<StoredSession, Error> {
    let config = context.config()?;
    let chosen = settings::choose_profile(&profile_choice(input), &context.environment, &config)?;
    let mut found = ProfileRecord::load(context, &config, &chosen, context.interaction())?;
    let name = chosen.name;
    let session = found.take_session(&name, &config)?;
    check_matches_profile(&session, &name, config.profile(&name))?;
    Ok(StoredSession {
        config,
        name,
        store: found.store,
        session,
    })
}

/// A token, and the server and client that are asked about it.
pub(crate) struct TokenTarget {
    pub(crate) token: Secret,
    /// The session's own access token, and not one that was given.
    pub(crate) is_own: bool,
    /// Who signed in, where that is known and the token is the session's own.
    pub(crate) subject: Option<String>,
    pub(crate) server: KnownServer,
    pub(crate) transport: Transport,
}

/// The token that was given, else the session's access token, refreshed first
/// where `oauth token` would do so.
pub(crate) fn resolve_token(
    context: &Context,
    input: &TokenInput,
    observer: &mut dyn Observer,
) -> Result<TokenTarget, Error> {
    let given = read_token_argument(context, input)?;
    let config = context.config()?;
    let name = settings::choose_profile(&profile_choice(input), &context.environment, &config)?.name;
    let transport = context.transport(config.profile(&name), true)?;
    if let Some(token) = given {
        let server = match session_if_signed_in(context, input)? {
            // It need not be bound to the key of the session.
            Some(session) => KnownServer {
                dpop_key: None,
                ..KnownServer::from(&session)
            },
            None => server_of_profile(context, &config, &name, &transport, observer)?,
        };
        return Ok(TokenTarget {
            token,
            is_own: false,
            subject: None,
            server,
            transport,
        });
    }
    let session = session_with_valid_token(context, profile_choice(input))?;
    let token = session.tokens.first().map(|token| token.access_token.clone());
    Ok(TokenTarget {
        token: token.ok_or(LoginRequired::Expired { profile: name })?,
        is_own: true,
        server: KnownServer::from(&session),
        subject: session.subject,
        transport,
    })
}

/// The stored session; `None` where there is no login.
pub(crate) fn session_if_signed_in(context: &Context, input: &TokenInput) -> Result<Option<Session>, Error> {
    match load_session(context, input) {
        Ok(stored) => Ok(Some(stored.session)),
        Err(error)
            if matches!(
                error.downcast_ref(),
                Some(LoginRequired::NotLoggedIn { .. } | LoginRequired::NotKept { .. })
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Which server and client a given token is a matter of, by the configuration file alone.
pub(crate) fn server_of_profile(
    context: &Context,
    config: &Config,
    name: &ProfileName,
    transport: &Transport,
    observer: &mut dyn Observer,
) -> Result<KnownServer, Error> {
    let options = LoginOptions {
        profile: Some(name.to_string()),
        callback: CallbackOptions {
            paste: true,
            ..CallbackOptions::default()
        },
        ..LoginOptions::default()
    };
    let mut resolved = settings::login(&options, &context.environment, config)?;
    resolved.request.client.credentials = given_client_credentials(context, &options, (&resolved, Purpose::Renewal))?;
    let mut caller = caller(transport, observer);
    let client = (&resolved.request.client, resolved.require_client()?);
    let discovering = discover_known_server(&resolved.request.server, client, &mut caller);
    Ok(context.runtime()?.block_on(interruptible(discovering))??)
}
