//! Whether a stored session may be used for a profile.

use crate::args::cli::ProfileChoice;
use crate::args::config::{Config, Profile};
use crate::error::SessionError;
use crate::store::{ProfileName, Session, StoreKind};
use url::Url;

/// Whether somebody is logged in; a record may remain with the client secret alone.
pub(crate) fn require_session(
    session: Option<Session>,
    profile: &ProfileName,
    config: &Config,
    kind: &StoreKind,
) -> Result<Session, SessionError> {
    match session.filter(Session::is_signed_in) {
        Some(session) => Ok(session),
        None if *kind == StoreKind::None => Err(SessionError::NotKept {
            profile: profile.clone(),
        }),
        None if config.profile(profile).is_some() => Err(SessionError::NotLoggedIn {
            profile: profile.clone(),
        }),
        None => Err(SessionError::UnknownProfile {
            profile: profile.clone(),
            known: config.profiles().map(|(name, _)| name.clone()).collect(),
        }),
    }
}

/// A profile that was chosen by a URL must be of that server.
///
/// # Errors
/// [`SessionError::Mismatch`].
pub(crate) fn check_matches_url(
    session: &Session,
    name: &ProfileName,
    choice: &ProfileChoice,
) -> Result<(), SessionError> {
    let url = choice.argument.as_deref().filter(|argument| argument.contains("://"));
    match (url, session.issuer.as_deref()) {
        (None, _) => Ok(()),
        (Some(url), Some(issuer)) if url == issuer => Ok(()),
        (Some(url), issuer) => Err(SessionError::Mismatch {
            profile: name.clone(),
            what: "issuer",
            wanted: format!("\"{url}\""),
            found: issuer.map_or_else(|| "none".to_owned(), |issuer| format!("\"{issuer}\"")),
        }),
    }
}

/// Compares what the profile says now with what the session was made with.
///
/// # Errors
/// [`SessionError::Mismatch`] naming the first difference.
pub(crate) fn check_matches_profile(
    session: &Session,
    name: &ProfileName,
    profile: Option<&Profile>,
) -> Result<(), SessionError> {
    let Some(profile) = profile else { return Ok(()) };
    let differs = |what: &'static str, wanted: String, found: String| SessionError::Mismatch {
        profile: name.clone(),
        what,
        wanted,
        found,
    };
    let shown = |text: &str| {
        if text.is_empty() {
            "none".to_owned()
        } else {
            format!("\"{text}\"")
        }
    };
    for (what, wanted, found) in [
        ("issuer", profile.text("issuer"), session.issuer.as_deref()),
        ("client_id", profile.text("client_id"), Some(session.client.id.as_str())),
    ] {
        if wanted.is_some() && wanted != found {
            return Err(differs(
                what,
                shown(wanted.unwrap_or_default()),
                shown(found.unwrap_or_default()),
            ));
        }
    }
    if let Some(wanted) = profile.text("token_endpoint") {
        let same = Url::parse(wanted).is_ok_and(|url| url.as_str() == session.endpoints.token);
        if !same {
            return Err(differs(
                "token_endpoint",
                shown(wanted),
                shown(&session.endpoints.token),
            ));
        }
    }
    for (what, wanted, found) in [
        ("resource", profile.list("resource"), &session.asked.resource),
        ("scope", profile.list("scope"), &session.asked.scope),
    ] {
        if wanted.iter().any(|word| !found.contains(word)) || found.iter().any(|word| !wanted.contains(word)) {
            return Err(differs(what, shown(&wanted.join(" ")), shown(&found.join(" "))));
        }
    }
    if profile.text("audience") != session.asked.audience.as_deref() {
        let (wanted, found) = (profile.text("audience"), session.asked.audience.as_deref());
        return Err(differs(
            "audience",
            shown(wanted.unwrap_or_default()),
            shown(found.unwrap_or_default()),
        ));
    }
    Ok(())
}
