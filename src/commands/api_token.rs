//! The token for the calls of an API: fresh, another one where the server did
//! not take it, and one of a wider scope after a login.

use super::fresh_or_login::{fresh_or_login, login_may_help};
use super::login;
use crate::app::context::Context;
use crate::app::fresh_session::{FreshSession, WantedToken, ensure_fresh};
use crate::app::freshness::Freshness;
use crate::app::rejected_token::{RejectedToken, forget_rejected};
use crate::app::time_left::token_with_time_left;
use crate::app::token_format::check_is_access_token;
use crate::args::cli::TokenOptions;
use crate::args::settings::ChosenProfile;
use crate::error::Error;
use crate::exit::{Diagnosis, ExitCode};
use crate::flow::authorized_request::PresentedToken;
use crate::protocol::scope::Scope;
use crate::secret::Secret;
use crate::store::{ProfileName, Session, StoredToken};
use crate::trace::{Event, NoteName, Observer};

/// Where the tokens for an API come from.
pub(super) struct ApiTokens<'a> {
    pub(super) context: &'a Context,
    pub(super) chosen: ChosenProfile,
    pub(super) login: LoginPermission,
}

/// Whether a person may be asked to log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LoginPermission {
    Never,
    /// `--login`, where someone is at a terminal.
    AtTerminal,
    /// `--login`, where a browser is enough.
    Always,
}

impl LoginPermission {
    pub(super) fn is_given(self, context: &Context) -> bool {
        match self {
            LoginPermission::Never => false,
            LoginPermission::AtTerminal => context.has_terminal(),
            LoginPermission::Always => true,
        }
    }
}

/// A token with the session that it is of.
pub(super) struct ApiToken {
    pub(super) session: Session,
    pub(super) stored: StoredToken,
    /// Whether it was got by a refresh just now.
    pub(super) is_new: bool,
}

impl ApiToken {
    /// As it goes into a request.
    ///
    /// # Errors
    /// [`UnusableToken`](crate::flow::authorized_request::UnusableToken).
    pub(super) fn present(&self) -> Result<PresentedToken, Error> {
        Ok(PresentedToken::new(&self.session, &self.stored)?)
    }
}

impl ApiTokens<'_> {
    /// A token as fresh as that of `oauth token`.
    ///
    /// # Errors
    /// Those of `oauth token`.
    pub(super) fn fresh(&self) -> Result<ApiToken, Error> {
        let options = TokenOptions::default();
        let freshness = Freshness::new(&options)?;
        // Read each time: a login may have changed the profile.
        let config = self.context.config()?;
        let wanted = WantedToken {
            config: &config,
            chosen: &self.chosen,
            options: &options,
            freshness: &freshness,
        };
        let found = fresh_or_login(self.context, wanted);
        let fresh = match found {
            Err(error) if login_may_help(&error) && self.login.is_given(self.context) => {
                let note = format!("{error}: logging in first");
                self.context
                    .observer()
                    .observe(&Event::NamedNote(NoteName::LoginStarts, &note));
                login::login_for_token(self.context, &self.chosen.name)?;
                let config = &self.context.config()?;
                ensure_fresh(self.context, WantedToken { config, ..wanted })?
            }
            found => found?,
        };
        let stored = token_with_time_left(self.context, &freshness, &self.chosen.name, &fresh)?.clone();
        check_is_access_token(&stored)?;
        let FreshSession { session, is_new } = fresh;
        Ok(ApiToken {
            session,
            stored,
            is_new,
        })
    }

    /// Another token in the place of one that the server did not take; `None`
    /// where there is no way to one.
    ///
    /// # Errors
    /// Those of a refresh.
    pub(super) fn replace(&self, rejected: &Secret) -> Result<Option<ApiToken>, Error> {
        let config = self.context.config()?;
        match forget_rejected(self.context, &config, &self.chosen, rejected)? {
            RejectedToken::NotRefreshable if self.login.is_given(self.context) => {
                let name = &self.chosen.name;
                let note = format!("the server did not accept the token of profile \"{name}\": logging in first");
                self.context
                    .observer()
                    .observe(&Event::NamedNote(NoteName::LoginStarts, &note));
                login::login_for_token(self.context, name)?;
            }
            // The session may have ended for a reason that is to be said, and
            // another process may have logged in since.
            RejectedToken::NotRefreshable | RejectedToken::NotOfSession | RejectedToken::Expired => {}
        }
        let token = self.fresh()?;
        let is_other = token.stored.access_token.fingerprint() != rejected.fingerprint();
        Ok(is_other.then_some(token))
    }

    /// A token of a wider scope, after a login.
    ///
    /// # Errors
    /// Those of a login.
    pub(super) fn widen(&self, needed: &ScopeNeeded) -> Result<ApiToken, Error> {
        self.context.observer().observe(&Event::NamedNote(
            NoteName::LoginStarts,
            &format!("{needed}: logging in for it"),
        ));
        login::login_for_scope(self.context, &self.chosen.name, &needed.union)?;
        self.fresh()
    }
}

/// 403 `insufficient_scope`: a login has to ask for more, since a refresh never
/// widens (RFC 6749 §6).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the API requires the {}, and the token of profile \"{profile}\" {}", describe_scopes(.wanted), describe_grant(.missing, .wanted))]
pub(super) struct ScopeNeeded {
    pub(super) profile: ProfileName,
    /// What the challenge names.
    pub(super) wanted: Scope,
    /// What to ask for: everything so far, and that.
    pub(super) union: Scope,
    /// What of it the token does not have, as far as the authorization server says.
    pub(super) missing: Scope,
}

/// `scopes hello and notes`.
fn describe_scopes(wanted: &Scope) -> String {
    let noun = match wanted.tokens() {
        [] | [_] => "scope",
        _ => "scopes",
    };
    format!("{noun} {}", wanted.tokens().join(" and "))
}

fn describe_grant(missing: &Scope, wanted: &Scope) -> String {
    match missing.tokens() {
        [] => "is not enough, although the authorization server granted it".to_owned(),
        [_] if wanted.tokens().len() == 1 => "does not have it".to_owned(),
        missing if missing.len() == wanted.tokens().len() => "has none of them".to_owned(),
        missing => format!("lacks {}", missing.join(" and ")),
    }
}

impl ScopeNeeded {
    pub(super) fn new(profile: &ProfileName, session: &Session, wanted: Scope) -> Self {
        let granted = session.tokens.first().and_then(|token| token.scope.as_ref());
        // Where nothing was asked for, the server chose, and may choose less beside a scope.
        let so_far = match (session.requested.scope.is_empty(), granted) {
            (true, Some(granted)) => granted,
            _ => &session.requested.scope,
        };
        ScopeNeeded {
            profile: profile.clone(),
            union: so_far.union(&wanted),
            missing: wanted.without(granted.unwrap_or(&session.requested.scope)),
            wanted,
        }
    }

    /// The command that asks for it.
    pub(super) fn command(&self) -> String {
        let scope = self.union.to_string();
        format!("oauth login {} --scope {}", self.profile, shell_words::quote(&scope))
    }
}

impl Diagnosis for ScopeNeeded {
    fn exit_code(&self) -> ExitCode {
        ExitCode::LoginRequired
    }

    fn hints(&self) -> Vec<String> {
        let command = self.command();
        vec![match self.missing.is_empty() {
            true => format!("The login of a user with more rights may help: {command}"),
            false => format!("Ask for it: {command}"),
        }]
    }

    fn oauth_error(&self) -> Option<(&str, Option<&str>)> {
        Some(("insufficient_scope", None))
    }
}
