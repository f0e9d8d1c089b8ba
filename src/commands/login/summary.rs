//! What a login prints at the end: who signed in, what was granted, until
//! when, and where it is kept.

use super::outcome::LoginOutcome;
use super::saver::SessionSaver;
use crate::app::repeated_grant::identity_without_person;
use crate::app::session_row::SessionRow;
use crate::args::config::Config;
use crate::args::login_grant::LoginGrant;
use crate::error::Error;
use crate::foreign_text::{WordOrQuoted, sanitize, sanitize_json};
use crate::output::duration::describe_seconds;
use crate::output::report;
use crate::protocol::authorization_details::AuthorizationDetails;
use crate::protocol::endpoint::Issuer;
use crate::protocol::id_token::stored_name;
use crate::protocol::scope::Scope;
use crate::protocol::time::UnixSeconds;
use crate::secret::Secret;
use crate::store::{ProfileName, Session, StoreKind};
use crate::system;
use crate::trace::{Event, Observer};

/// The end of a login, for a person on stderr and for a program on stdout.
pub(super) struct Summary<'a> {
    saver: &'a SessionSaver,
    outcome: &'a LoginOutcome,
    now: UnixSeconds,
}

impl<'a> Summary<'a> {
    pub(super) fn new(saver: &'a SessionSaver, outcome: &'a LoginOutcome) -> Self {
        Summary {
            saver,
            outcome,
            now: system::now(),
        }
    }

    /// # Errors
    /// Standard output cannot be written.
    pub(super) fn print(&self, prints_json: bool, observer: &mut dyn Observer) -> Result<(), Error> {
        self.print_identity(observer);
        self.print_scope(observer);
        self.print_authorization_details(observer);
        self.print_lifetime(observer);
        let name = self.saver.name();
        if *self.saver.kind() == StoreKind::None {
            observer.observe(&Event::SuccessDetail(
                "no session is stored: standard output has the token response",
            ));
            self.print_profile_without_session(observer);
            let line = sanitize_json(self.outcome.token_response.expose()) + "\n";
            return report::print_token(Secret::new(line).expose().as_bytes());
        }
        self.print_renewal(observer);
        observer.observe(&Event::SuccessDetail(&format!(
            "stored as profile \"{name}\" in {}",
            self.saver.store_description()
        )));
        if prints_json {
            let row = SessionRow::new(name, None, Some(&self.outcome.session), self.saver.kind(), self.now);
            let line = sanitize_json(&row.to_json(self.now).to_string()) + "\n";
            return report::print(line.as_bytes());
        }
        Ok(())
    }

    /// What is saved all the same, and what it is good for.
    fn print_profile_without_session(&self, observer: &mut dyn Observer) {
        if !self.saver.saves_profile() {
            return;
        }
        let name = self.saver.name();
        let use_of_it = match self.outcome.session.renewal.repeats_grant() {
            true => "each `oauth token` requests a new token",
            false => "it has no session to take a token from",
        };
        observer.observe(&Event::Note(&format!(
            "the profile \"{name}\" is saved (--no-save leaves it out), but {use_of_it}"
        )));
    }

    fn print_identity(&self, observer: &mut dyn Observer) {
        let session = &self.outcome.session;
        let identity = match &self.outcome.id_token {
            Some(id_token) => format!(" as {}", WordOrQuoted(id_token.display_name())),
            None => match stored_name_of(session) {
                Some(name) => format!(" as {}", WordOrQuoted(&name)),
                None => identity_without_person(session),
            },
        };
        let issuer = session.issuer.as_ref().map(Issuer::as_str);
        let issuer = issuer.unwrap_or(session.token_endpoint.url().as_str());
        observer.observe(&Event::Success(&format!("signed in{identity} at {issuer}")));
    }

    /// The scope that was granted, and how it differs from the one requested.
    fn print_scope(&self, observer: &mut dyn Observer) {
        let session = &self.outcome.session;
        let requested = &self.outcome.requested.scope;
        let token = session.tokens.first();
        let granted = token.and_then(|token| token.scope.as_ref());
        let granted = granted.unwrap_or(requested);
        if !granted.is_empty() {
            observer.observe(&Event::SuccessDetail(&format!("granted: {granted}")));
        }
        let mut missing = requested.without(granted);
        if session.can_renew() {
            // The refresh token is what it asks for, whether or not the server repeats its name.
            missing = missing.without(&Scope::received("offline_access"));
        }
        if !missing.is_empty() {
            observer.observe(&Event::Warning(&format!("requested, but not granted: {missing}")));
        }
        let more = granted.without(requested);
        if !requested.is_empty() && !more.is_empty() {
            observer.observe(&Event::Warning(&format!("granted, but not requested: {more}")));
        }
    }

    /// What was granted beside the scope, and what of it is missing.
    fn print_authorization_details(&self, observer: &mut dyn Observer) {
        let granted = self.outcome.session.authorization_details.as_ref();
        let requested = self.outcome.requested.authorization_details.as_ref();
        let granted_types = granted.map(AuthorizationDetails::types).unwrap_or_default();
        for details in granted.map(AuthorizationDetails::objects).unwrap_or_default() {
            observer.observe(&Event::SuccessDetail(&format!(
                "granted in detail: {}",
                sanitize(&details.to_string())
            )));
        }
        if requested.is_some() && granted.is_none() {
            observer.observe(&Event::Note(
                "the server does not report which authorization details it granted (RFC 9396 §7)",
            ));
            return;
        }
        let requested_types = requested.map(AuthorizationDetails::types).unwrap_or_default();
        for missing in requested_types.iter().filter(|name| !granted_types.contains(name)) {
            observer.observe(&Event::Warning(&format!(
                "requested, but not granted: authorization details of type {}",
                WordOrQuoted(missing)
            )));
        }
    }

    fn print_lifetime(&self, observer: &mut dyn Observer) {
        let token = self.outcome.session.tokens.first();
        match token.and_then(|token| token.expires_at) {
            Some(expires_at) => {
                let left_s = u64::try_from(expires_at.seconds_since(self.now)).unwrap_or_default();
                let until = system::local_time(expires_at);
                observer.observe(&Event::SuccessDetail(&format!(
                    "the access token is valid until {until} ({})",
                    describe_seconds(left_s)
                )));
            }
            None => observer.observe(&Event::Note("the server did not send the lifetime of the access token")),
        }
        if self.outcome.session.dpop_key.is_some() {
            observer.observe(&Event::SuccessDetail(
                "the tokens are bound to a key that is stored with the session (DPoP)",
            ));
        }
    }

    /// What happens when the access token has expired.
    fn print_renewal(&self, observer: &mut dyn Observer) {
        let session = &self.outcome.session;
        let requested = &self.outcome.requested;
        if session.renewal.repeats_grant() {
            observer.observe(&Event::SuccessDetail(
                "`oauth token` renews it in the same way when it is needed",
            ));
        } else if session.can_renew() {
            observer.observe(&Event::SuccessDetail("`oauth token` refreshes it when it is needed"));
        } else if session.api.is_none() && !requested.scope.contains("offline_access") {
            observer.observe(&Event::Note(
                "the session cannot be refreshed: the server issued no refresh token; --scope offline_access may help",
            ));
        } else {
            observer.observe(&Event::Note(
                "the session cannot be refreshed: the server issued no refresh token",
            ));
            if session.api.is_none() && requested.scope.contains("openid") && !requested.with_consent {
                observer.observe(&Event::Note(&format!(
                    "some servers issue one only after the consent page (OpenID Connect Core §11): oauth login {} --param prompt=consent",
                    self.saver.name()
                )));
            }
        }
    }
}

/// Who signed in, by the ID token that another process received and stored.
fn stored_name_of(session: &Session) -> Option<String> {
    let id_token = session.id_token.as_ref().filter(|_| !session.renewal.repeats_grant())?;
    let subject = session.subject.as_deref()?;
    Some(stored_name(id_token, subject).unwrap_or_else(|| subject.to_owned()))
}

/// What the next login of the profile does, which this one chose, and how to
/// log in again with the grant that it had before.
pub(super) fn print_device_note(name: &ProfileName, earlier: LoginGrant, observer: &mut dyn Observer) {
    let command = format!("oauth login {name} --grant {}", earlier.as_str());
    let how = match earlier {
        LoginGrant::AuthorizationCode => format!("to use a browser here again: {command}"),
        _ => format!("to log in as before: {command}"),
    };
    observer.observe(&Event::Note(&format!(
        "profile \"{name}\" signs in on another device from now on (--device); {how}"
    )));
}

/// How to use a profile that no command takes by default.
pub(super) fn print_default_note(config: &Config, name: &ProfileName, observer: &mut dyn Observer) {
    if config.profile(name).is_none() || config.effective_default() == Some(name) {
        return;
    }
    observer.observe(&Event::Note(&format!(
        "this is not the default profile; print its token with: oauth token {name}"
    )));
    observer.observe(&Event::Note(&format!(
        "make it the default with: oauth profile use {name}"
    )));
}
