//! One profile and its session as `status` and `login --json` show it.

use crate::app::repeated_grant::repeated_grant;
use crate::app::token_format::is_bound_type;
use crate::app::usable_profile::needs_nobody;
use crate::args::config::Profile;
use crate::foreign_text::{Quoted, sanitize};
use crate::output::duration::describe_seconds;
use crate::protocol::authorization_details::AuthorizationDetails;
use crate::protocol::id_token::stored_name;
use crate::protocol::time::UnixSeconds;
use crate::store::{ProfileName, Session, StoreKind};
use crate::system;
use serde_json::{Value, json};

/// One profile as `status` shows it; also what `login --json` prints.
pub(crate) struct SessionRow {
    profile: String,
    subject: Option<String>,
    /// Whether no key proved who it is.
    subject_is_unverified: bool,
    /// What a person would know the subject by; in the table only.
    name: Option<String>,
    issuer: Option<String>,
    client_id: Option<String>,
    scope: Option<String>,
    resource: Vec<String>,
    authorization_details: Option<AuthorizationDetails>,
    state: &'static str,
    token_type: Option<String>,
    expires_at: Option<UnixSeconds>,
    refresh_expires_at: Option<UnixSeconds>,
    refreshable: bool,
    /// The grant that is repeated in the place of a refresh, which no person takes part in.
    repeated_grant: Option<&'static str>,
    /// Whether the next token comes without a login, with a session or none.
    needs_nobody: bool,
    /// Why no person is known; empty where nobody is signed in.
    without_person: &'static str,
    store: String,
}

/// The state of a profile whose store cannot be read; in the table only.
const UNREADABLE: &str = "unreadable";

/// Why a session says nothing of a person: that is in ID tokens, which come
/// with the scope `openid` (OpenID Connect Core §3.1.2.1).
fn reason_without_person(session: &Session) -> &'static str {
    let granted = session.tokens.first().and_then(|token| token.scope.as_ref());
    match repeated_grant(&session.renewal) {
        Some(_) => "no person signed in",
        None if granted.is_some_and(|granted| granted.contains("openid")) => "no ID token came",
        None if !session.requested.scope.contains("openid") => "openid was not asked for",
        None if granted.is_some() => "openid was not granted",
        None => "no ID token came",
    }
}

impl SessionRow {
    pub(crate) fn new(
        name: &ProfileName,
        profile: Option<&Profile>,
        session: Option<&Session>,
        kind: &StoreKind,
        now: UnixSeconds,
    ) -> Self {
        let token = session.and_then(|session| session.tokens.first());
        let expires_at = token.and_then(|token| token.expires_at);
        let state = match session {
            None => "none",
            Some(session) if session.dead.is_some() => "dead",
            Some(session) if session.suspended.is_some() => "suspended",
            Some(_) if token.is_none() || expires_at.is_some_and(|expires_at| expires_at <= now) => "expired",
            Some(_) => "valid",
        };
        let of_profile = |key: &str| profile.and_then(|profile| profile.text(key)).map(str::to_owned);
        let granted = token.and_then(|token| token.scope.as_ref());
        let scope = granted
            .or(session.map(|session| &session.requested.scope))
            .map(ToString::to_string);
        let named = session.and_then(|session| stored_name(session.id_token.as_ref()?, session.subject.as_deref()?));
        SessionRow {
            profile: name.to_string(),
            name: named,
            subject: session.and_then(|session| session.subject.clone()),
            subject_is_unverified: session.is_some_and(|session| session.subject_is_unverified),
            issuer: session
                .and_then(|session| session.issuer.as_ref().map(ToString::to_string))
                .or_else(|| of_profile("issuer")),
            client_id: session
                .map(|session| session.client.id.to_string())
                .filter(|id| !id.is_empty())
                .or_else(|| of_profile("client_id")),
            scope: scope.filter(|scope| !scope.is_empty()),
            resource: session
                .map(|session| session.requested.resource.iter().map(ToString::to_string).collect())
                .unwrap_or_default(),
            authorization_details: session.and_then(|session| session.authorization_details.clone()),
            state,
            token_type: token.map(|token| token.token_type.clone()),
            expires_at,
            refresh_expires_at: session.and_then(|session| session.refresh_expires_at),
            refreshable: session.is_some_and(Session::can_renew),
            repeated_grant: session.and_then(|session| repeated_grant(&session.renewal)),
            needs_nobody: needs_nobody(profile),
            without_person: session.map(reason_without_person).unwrap_or_default(),
            store: kind.to_string(),
        }
    }

    /// The same where the store cannot be read, and nobody knows whether a session is in it.
    pub(crate) fn unreadable(self) -> Self {
        SessionRow {
            state: UNREADABLE,
            ..self
        }
    }

    /// Whether the store said what is in it.
    pub(crate) fn is_known(&self) -> bool {
        self.state != UNREADABLE
    }

    /// Whether the token is valid or can be refreshed.
    pub(crate) fn is_usable(&self) -> bool {
        self.state == "valid" || (self.refreshable && self.state != "dead")
    }

    pub(crate) fn to_json(&self, now: UnixSeconds) -> Value {
        let mut row = json!({
            "profile": self.profile,
            "subject": self.subject,
            "issuer": self.issuer,
            "client_id": self.client_id,
            "scope": self.scope,
            "resource": self.resource,
            "state": self.state,
            "token_type": self.token_type,
            "expires_at": self.expires_at.map(system::rfc_3339),
            "expires_in": self.expires_at.map(|expires_at| expires_at.seconds_since(now)),
            "refreshable": self.refreshable,
            "refresh_expires_at": self.refresh_expires_at.map(system::rfc_3339),
            "store": self.store,
        });
        // Few sessions have them, and the other members are those of all.
        if let Some(details) = &self.authorization_details {
            row["authorization_details"] = details.to_json();
        }
        row
    }

    /// Who signed in where no person is known.
    fn nameless(&self) -> String {
        match (&self.repeated_grant, &self.client_id) {
            (Some("client credentials"), Some(client_id)) => format!("client {}", sanitize(client_id)),
            _ if self.without_person.is_empty() => String::new(),
            _ => format!("not known ({})", self.without_person),
        }
    }

    /// [`Self::to_json`] without what changes by itself.
    pub(crate) fn to_json_without_age(&self, now: UnixSeconds) -> Value {
        let mut row = self.to_json(now);
        row["expires_in"] = Value::Null;
        row
    }

    /// The scope, and the types of the authorization details.
    fn granted(&self) -> String {
        let scope = self.scope.as_deref().map(sanitize);
        let details = self.authorization_details.as_ref().map(AuthorizationDetails::types);
        let types = details.map(|types| types.into_iter().map(sanitize).collect::<Vec<_>>().join(", "));
        match (scope, types) {
            (scope, None) => scope.unwrap_or_else(|| "-".to_owned()),
            (None, Some(types)) => format!("details: {types}"),
            (Some(scope), Some(types)) => format!("{scope} (details: {types})"),
        }
    }

    /// The cells of the table; the first one marks the default profile.
    pub(crate) fn cells(&self, default: Option<&str>, now: UnixSeconds) -> [String; 8] {
        let shown = |text: &Option<String>| text.as_deref().map_or_else(|| "-".to_owned(), sanitize);
        // In quotes where it is not a single word: it must not pass for the issuer beside it.
        let who = |name: &String| {
            let name = match sanitize(name) {
                word if !word.contains([' ', '"']) => word,
                _ => Quoted::name(name).to_string(),
            };
            match self.subject_is_unverified {
                true => format!("{name} (not verified)"),
                false => name,
            }
        };
        let expires = match (self.state, self.expires_at) {
            ("none", _) => "not logged in".to_owned(),
            (UNREADABLE, _) => "its store cannot be read".to_owned(),
            ("dead", _) => "ended by the server".to_owned(),
            ("suspended", _) => "suspended".to_owned(),
            ("expired", _) => "expired".to_owned(),
            (_, None) => "unknown".to_owned(),
            (_, Some(expires_at)) => {
                let left_s = u64::try_from(expires_at.seconds_since(now)).unwrap_or_default();
                format!("in {}", describe_seconds(left_s))
            }
        };
        // Bound tokens are the ones to know of: they are of no use without a proof.
        let is_bound = self.token_type.as_deref().is_some_and(is_bound_type);
        let expires = if is_bound { format!("{expires}, DPoP") } else { expires };
        let refreshable = match (self.refreshable, self.refresh_expires_at) {
            _ if !self.is_known() => "-".to_owned(),
            (false, _) if self.needs_nobody && self.state == "none" => "needs no login".to_owned(),
            (false, _) => "no".to_owned(),
            (true, None) => match self.repeated_grant {
                Some(grant) => format!("yes, by {grant}"),
                None => "yes".to_owned(),
            },
            (true, Some(at)) => format!("log in again by {}", system::local_time(at)),
        };
        let mark = if default == Some(self.profile.as_str()) {
            "*"
        } else {
            ""
        };
        [
            mark.to_owned(),
            self.profile.clone(),
            match self.name.as_ref().or(self.subject.as_ref()) {
                Some(name) => who(name),
                None => self.nameless(),
            },
            shown(&self.issuer),
            self.granted(),
            expires,
            refreshable,
            sanitize(&self.store),
        ]
    }
}
