//! There is no session that can be used: exit code 4.

use crate::app::repeated_grant::repeated_grant;
use crate::args::config::Config;
use crate::exit::{Diagnosis, ExitCode};
use crate::protocol::endpoint::Issuer;
use crate::protocol::scope::Scope;
use crate::store::{ProfileName, Session, SessionEnd};

/// Why a login is needed first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LoginRequired {
    /// No profile is named, and there is none to use by default.
    #[error("{}", if known.is_empty() { "not logged in: no profile is saved" } else { "no profile is named, and there is no default" })]
    NothingSaved { known: Vec<ProfileName> },
    #[error("profile \"{profile}\" is not logged in")]
    NotLoggedIn { profile: ProfileName },
    #[error("the session of profile \"{profile}\" has expired and cannot be refreshed")]
    Expired { profile: ProfileName },
    #[error("the server has ended the session of profile \"{profile}\": {end}")]
    SessionEnd { profile: ProfileName, end: SessionEnd },
    /// `token --scope` with more than the session has.
    #[error("the session of profile \"{profile}\" was never granted {missing}")]
    ScopeNotGranted {
        profile: ProfileName,
        missing: Scope,
        /// What to ask for at the next login; `None` where the last one did.
        union: Option<Scope>,
    },
    /// The profile was changed after the login.
    #[error("the {what} of profile \"{profile}\" was changed after its login: from {found} to {wanted}")]
    Mismatch {
        profile: ProfileName,
        /// `issuer`, `scope`.
        what: &'static str,
        /// In the configuration file.
        wanted: String,
        found: String,
    },
    /// The profile is named after another URL.
    #[error("profile \"{profile}\" is named after {wanted}, but its session was made with {found}")]
    OtherServer {
        profile: ProfileName,
        wanted: String,
        found: String,
    },
    /// `--force-refresh` without a refresh token.
    #[error("the session of profile \"{profile}\" has no refresh token")]
    NotRefreshable {
        profile: ProfileName,
        /// What to ask for, so that the server may give one; `None` where the
        /// last login did.
        scope: Option<String>,
    },
    /// `--id-token` without one.
    #[error("the session of profile \"{profile}\" has no ID token")]
    NoIdToken {
        profile: ProfileName,
        /// What to ask for, so that the server gives one; `None` where the
        /// last login did.
        scope: Option<String>,
        issuer: Option<Box<Issuer>>,
        /// The grant, where it is one without a person.
        grant_without_person: Option<&'static str>,
    },
    /// `--id-token` with an old one.
    #[error("the ID token of profile \"{profile}\" has expired")]
    IdTokenExpired { profile: ProfileName },
    /// `token --login` waited for a login of another process.
    #[error("the login of another process did not produce a session for profile \"{profile}\"")]
    OtherLoginFailed { profile: ProfileName },
    #[error("profile \"{profile}\" uses the store \"none\", which stores no session")]
    NotKept { profile: ProfileName },
}

impl LoginRequired {
    pub(crate) fn nothing_saved(config: &Config) -> Self {
        LoginRequired::NothingSaved {
            known: config.profiles().map(|(name, _)| name.clone()).collect(),
        }
    }

    pub(crate) fn not_refreshable(profile: &ProfileName, session: &Session) -> Self {
        LoginRequired::NotRefreshable {
            profile: profile.clone(),
            scope: scope_with(session, "offline_access"),
        }
    }

    pub(crate) fn no_id_token(profile: &ProfileName, session: &Session) -> Self {
        LoginRequired::NoIdToken {
            profile: profile.clone(),
            scope: scope_with(session, "openid"),
            issuer: session.issuer.clone().map(Box::new),
            grant_without_person: repeated_grant(&session.renewal),
        }
    }

    fn profile(&self) -> Option<&ProfileName> {
        match self {
            LoginRequired::NothingSaved { known } => known.first(),
            LoginRequired::NotLoggedIn { profile }
            | LoginRequired::Expired { profile }
            | LoginRequired::SessionEnd { profile, .. }
            | LoginRequired::ScopeNotGranted { profile, .. }
            | LoginRequired::Mismatch { profile, .. }
            | LoginRequired::OtherServer { profile, .. }
            | LoginRequired::NotRefreshable { profile, .. }
            | LoginRequired::NoIdToken { profile, .. }
            | LoginRequired::IdTokenExpired { profile }
            | LoginRequired::OtherLoginFailed { profile }
            | LoginRequired::NotKept { profile } => Some(profile),
        }
    }
}

/// What the session was asked for, and this word; `None` where it is among
/// them already: the same login again would change nothing.
fn scope_with(session: &Session, word: &str) -> Option<String> {
    let requested = session.requested.scope.tokens().iter().map(String::as_str);
    (!session.requested.scope.contains(word)).then(|| requested.chain([word]).collect::<Vec<_>>().join(" "))
}

/// Where a login with the scope brought no ID token.
fn hint_for_no_openid_provider(issuer: Option<&Issuer>) -> String {
    let what = "The last login asked for openid, and no ID token came: the server may not be an OpenID provider, or not for this client.";
    match issuer {
        Some(issuer) => format!("{what} To see what it can do: oauth discover {issuer}"),
        None => what.to_owned(),
    }
}

impl Diagnosis for LoginRequired {
    fn exit_code(&self) -> ExitCode {
        ExitCode::LoginRequired
    }

    fn hints(&self) -> Vec<String> {
        let Some(profile) = self.profile() else {
            return vec!["Log in first: oauth login https://id.example.com --client-id ID".to_owned()];
        };
        vec![match self {
            LoginRequired::NothingSaved { .. } => format!("Choose a default: oauth profile use {profile}"),
            LoginRequired::ScopeNotGranted { union: Some(union), .. } => {
                format!("Ask for it at a login: oauth login {profile} --scope \"{union}\"")
            }
            LoginRequired::ScopeNotGranted { union: None, .. } => {
                "The last login asked for it, and the server did not grant it: its operator has to allow it for this user and client.".to_owned()
            }
            LoginRequired::NoIdToken {
                scope: Some(scope),
                grant_without_person: Some(grant),
                ..
            } => format!(
                "An ID token is about a person, and {grant} has none. To sign in as one: oauth login {profile} --grant authorization-code --scope \"{scope}\""
            ),
            LoginRequired::NoIdToken { scope: Some(scope), .. } => {
                format!("Ask for one: oauth login {profile} --scope \"{scope}\"")
            }
            LoginRequired::NoIdToken { issuer, .. } => hint_for_no_openid_provider(issuer.as_deref()),
            LoginRequired::NotRefreshable { scope: None, .. } => format!(
                "The last login asked for offline_access, and the server issued no refresh token: its settings for this client have to permit one. Some servers issue it only after the consent page: oauth login {profile} --param prompt=consent"
            ),
            LoginRequired::NotRefreshable { scope: Some(scope), .. } => format!(
                "The server issued no refresh token; the scope offline_access may help: oauth login {profile} --scope \"{scope}\""
            ),
            LoginRequired::NotKept { .. } => {
                format!("Choose a store that keeps it, keyring or file: oauth login {profile} --store file")
            }
            _ => format!("Run: oauth login {profile}"),
        }]
    }

    fn oauth_error(&self) -> Option<(&str, Option<&str>)> {
        match self {
            LoginRequired::SessionEnd { end, .. } => end.oauth_error(),
            _ => None,
        }
    }
}
