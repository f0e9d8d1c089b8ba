//! Renews a stored session so that it is never lost: under the profile's
//! lock, after reading again, with everything slow done before the request and
//! nothing between the answer and the write. Only `invalid_grant`, after
//! reading again, ends a session (RFC 6749 §5.2).

use crate::diagnosis::{Diagnosis, ExitCode};
use crate::flow::refresh::{RefreshError, refresh};
use crate::flow::session::{UnusableRecord, endpoint_of};
use crate::protocol::time::UnixSeconds;
use crate::secret::Secret;
use crate::store::{CredentialStore, Dead, Intent, PrivateFileError, ProfileLock, ProfileName, Session, StoreError};
use crate::trace::{Event, Observer, Party};
use crate::transport::{Transport, TransportError, UrlSource};
use std::time::Duration;

/// How often a write is tried again after the server has rotated the refresh
/// token: the new one exists nowhere else.
const SAVE_ATTEMPTS: u32 = 6;

/// The pause between two attempts to write.
const SAVE_PAUSE: Duration = Duration::from_millis(800);

/// Why there is no new token.
#[derive(Debug, thiserror::Error)]
pub enum RenewError {
    /// The session cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The intent cannot be written down, so nothing was sent.
    #[error("the refresh cannot be written down before it is done, so it was not sent")]
    Intent(#[from] PrivateFileError),
    /// The record was changed by others.
    #[error(transparent)]
    Record(#[from] UnusableRecord),
    /// Nothing would be sent: certificates, proxy, URL.
    #[error("the token endpoint cannot be reached")]
    Unprepared(#[source] TransportError),
    /// The refresh itself.
    #[error(transparent)]
    Refresh(#[from] RefreshError),
    /// The server has ended the session; it is marked so.
    #[error("the server has ended the session of profile \"{profile}\": {reason}")]
    Ended {
        /// Whose.
        profile: ProfileName,
        /// What it said.
        reason: String,
        /// Whether an interrupted refresh explains it.
        after_interruption: bool,
    },
    /// While we waited for the lock, somebody logged out.
    #[error("profile \"{profile}\" was logged out meanwhile")]
    LoggedOut {
        /// Whose.
        profile: ProfileName,
    },
}

impl Diagnosis for RenewError {
    fn exit_code(&self) -> ExitCode {
        match self {
            RenewError::Store(source) => source.exit_code(),
            RenewError::Intent(_) | RenewError::Record(_) => ExitCode::Store,
            RenewError::Unprepared(source) => source.exit_code(),
            RenewError::Refresh(source) => source.exit_code(),
            RenewError::Ended { .. } | RenewError::LoggedOut { .. } => ExitCode::LoginRequired,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            RenewError::Store(source) => source.hints(),
            RenewError::Intent(_) => vec!["Make room and rights in the folder, then run this again.".to_owned()],
            RenewError::Record(_) => vec!["Log in again, which writes the session anew.".to_owned()],
            RenewError::Unprepared(source) => source.hints(),
            RenewError::Refresh(source) => source.hints(),
            RenewError::Ended {
                profile,
                after_interruption,
                ..
            } => {
                let mut hints = Vec::new();
                if *after_interruption {
                    hints.push(
                        "A refresh was interrupted after the server had taken it, so its answer is lost.".to_owned(),
                    );
                }
                hints.push(format!("Run: oauth login {profile}"));
                hints
            }
            RenewError::LoggedOut { profile } => vec![format!("Run: oauth login {profile}")],
        }
    }

    fn oauth_error(&self) -> Option<(&str, Option<&str>)> {
        match self {
            RenewError::Refresh(source) => source.oauth_error(),
            RenewError::Ended { .. } => Some(("invalid_grant", None)),
            _ => None,
        }
    }
}

/// What the renewal needs of the world around it.
pub struct RenewWorld<'a> {
    /// Where the session is.
    pub store: &'a mut dyn CredentialStore,
    /// What the environment holds now.
    pub client_secret: Option<Secret>,
    /// Further parameters of the token request.
    pub token_parameters: Vec<(String, String)>,
    /// Sends the request.
    pub transport: &'a Transport,
    /// The wall clock.
    pub now: fn() -> UnixSeconds,
    /// Sees everything.
    pub observer: &'a mut dyn Observer,
}

/// Renews the session that was read as `known`, under the profile's lock. Returns the session as it is
/// stored afterwards: another process's, if it was quicker.
///
/// `still_needed` is asked about the session as it stands under the lock. One
/// that another process has renewed meanwhile is taken as it is: never more
/// than one refresh for one expiry.
///
/// # Errors
/// [`RenewError`]. The stored session is as it was, but for [`RenewError::Ended`].
pub async fn renew(
    profile: &ProfileName,
    mut lock: ProfileLock,
    known: &Session,
    still_needed: &dyn Fn(&Session) -> bool,
    world: &mut RenewWorld<'_>,
) -> Result<Session, RenewError> {
    // Read again: another process may have done it while we waited.
    let session = world.store.load(profile)?.filter(Session::is_signed_in);
    let mut session = session.ok_or_else(|| RenewError::LoggedOut {
        profile: profile.clone(),
    })?;
    let renewed_meanwhile = session.generation != known.generation;
    if session.dead.is_some() || renewed_meanwhile || !still_needed(&session) {
        world.observer.observe(&Event::Decision(
            "the session was changed by another process: no refresh",
        ));
        return Ok(session);
    }
    let interrupted = lock
        .interrupted()
        .filter(|intent| intent.generation > session.generation)
        .cloned();
    if let Some(intent) = &interrupted {
        world.observer.observe(&Event::Note(&format!(
            "a refresh by `oauth {}` was interrupted at {}; trying again with the same refresh token",
            intent.command,
            crate::system::local_time(intent.at)
        )));
    }

    // Everything slow, and everything that can fail here, before the request.
    let token_endpoint = endpoint_of(&session.endpoints.token, "token endpoint")?;
    world
        .transport
        .prepare(token_endpoint.url(), UrlSource::User)
        .map_err(RenewError::Unprepared)?;
    let refresh_token = session.refresh_token.clone().ok_or(RefreshError::NoRefreshToken)?;
    world.store.probe(profile)?;
    lock.declare(&Intent {
        command: "token".to_owned(),
        at: (world.now)(),
        generation: session.generation.saturating_add(1),
        fingerprint: refresh_token.fingerprint(),
    })?;

    // The request, and the write at once.
    let outcome = refresh_with_one_more_try(&mut session, world).await;
    match outcome {
        Ok(()) => {
            save(profile, &session, world).await?;
            Ok(session)
        }
        Err(error) if error.ends_session() => {
            let session = world.store.load(profile)?.filter(Session::is_signed_in);
            let current = session.ok_or_else(|| RenewError::LoggedOut {
                profile: profile.clone(),
            })?;
            if current.refresh_token.as_ref().map(Secret::fingerprint) != Some(refresh_token.fingerprint()) {
                world.observer.observe(&Event::Decision(
                    "another process has stored a newer session: it is taken",
                ));
                return Ok(current);
            }
            let reason = error.oauth_error().map(|(name, description)| {
                description.map_or_else(|| name.to_owned(), |description| format!("{name} ({description})"))
            });
            let reason = reason.unwrap_or_default();
            let dead = Dead {
                at: (world.now)(),
                reason: reason.clone(),
            };
            let generation = current.generation.saturating_add(1);
            world.store.save(
                profile,
                &Session {
                    dead: Some(dead),
                    generation,
                    ..current
                },
            )?;
            world
                .observer
                .observe(&Event::Decision("the session is marked as ended in the store"));
            Err(RenewError::Ended {
                profile: profile.clone(),
                reason,
                after_interruption: interrupted.is_some(),
            })
        }
        Err(error) => Err(error.into()),
    }
}

/// An answer that never came is asked for once more, but only when the old
/// access token is of no use any more: a server with reuse detection would
/// revoke it, one with a grace period answers again (RFC 9700 §4.14.2).
async fn refresh_with_one_more_try(session: &mut Session, world: &mut RenewWorld<'_>) -> Result<(), RefreshError> {
    let first = refresh_once(session, world).await;
    match first {
        Err(RefreshError::Transport(error))
            if error.may_have_been_received() && has_expired(session, (world.now)()) =>
        {
            world.observer.observe(&Event::Retried {
                with: Party::AuthorizationServer,
                reason: "the answer to the refresh was lost; asking once more with the same refresh token",
            });
            refresh_once(session, world).await
        }
        outcome => outcome,
    }
}

async fn refresh_once(session: &mut Session, world: &mut RenewWorld<'_>) -> Result<(), RefreshError> {
    let secret = world.client_secret.as_ref();
    refresh(
        session,
        secret,
        &world.token_parameters,
        world.transport,
        world.now,
        world.observer,
    )
    .await
    .map(|_| ())
}

/// Whether the main access token is of the past.
pub fn has_expired(session: &Session, now: UnixSeconds) -> bool {
    session
        .tokens
        .first()
        .is_none_or(|token| token.expires_at.is_some_and(|expires_at| expires_at <= now))
}

async fn save(profile: &ProfileName, session: &Session, world: &mut RenewWorld<'_>) -> Result<(), StoreError> {
    let mut attempt = 1;
    loop {
        match world.store.save(profile, session) {
            Ok(()) => {
                let store = world.store.describe();
                world.observer.observe(&Event::Stored { store: &store });
                return Ok(());
            }
            Err(error) if attempt >= SAVE_ATTEMPTS => return Err(error),
            Err(error) => {
                attempt += 1;
                world.observer.observe(&Event::Retried {
                    with: Party::CredentialStore,
                    reason: &format!("the refreshed session cannot be written, trying again: {error}"),
                });
                tokio::time::sleep(SAVE_PAUSE).await;
            }
        }
    }
}
