//! What to examine, and by which rules.

use crate::exit::ExitCode;
use crate::flow::login::LoginRequest;
use crate::protocol::client::ClientId;
use crate::protocol::endpoint::Issuer;
use crate::rules::{Level, Rule, ServerProfile};
use crate::store::ProfileName;
use std::pin::Pin;
use std::time::Instant;

/// Resolves when a signal asks the process to end.
pub type Shutdown<'e> = Pin<Box<dyn Future<Output = ExitCode> + 'e>>;

/// What to examine, and by which rules.
#[derive(Debug, Clone)]
pub struct CheckRequest {
    /// The server and the client, as a login would take them.
    pub login: LoginRequest,
    /// The client's name; it is registered for the examination where the login names none.
    pub client_id: ClientId,
    /// Where the client is known, for an API whose profile keeps one.
    pub client_home: Option<ClientHome>,
    /// The rules to test.
    pub rules: Selection,
    /// Whether clients may be registered at the server.
    pub registers: bool,
    /// Whether nobody is there who could sign in: what needs that is not tried.
    pub has_nobody: bool,
    /// When no more is sent (`--deadline`): what was found until then is reported.
    pub deadline: Option<Instant>,
}

/// The only server that a kept client is for.
#[derive(Debug, Clone)]
pub struct ClientHome {
    pub issuer: Issuer,
    /// The profile whose login found the server.
    pub profile: ProfileName,
}

/// Which rules are tested.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Only those of this profile, as binding as it makes them.
    pub profile: Option<ServerProfile>,
    /// Only these; all where it is empty.
    pub only: Vec<Rule>,
    /// And none of these.
    pub skip: Vec<Rule>,
}

impl Selection {
    pub(super) fn has(&self, rule: Rule) -> bool {
        self.is_of_profile(rule) && (self.only.is_empty() || self.only.contains(&rule)) && !self.skip.contains(&rule)
    }

    /// Whether no rule is left to test.
    pub fn is_empty(&self) -> bool {
        !Rule::ALL.iter().any(|rule| self.has(*rule))
    }

    /// Whether the profile has the rule; without a profile all count.
    pub fn is_of_profile(&self, rule: Rule) -> bool {
        self.profile.is_none_or(|profile| rule.level_in(profile).is_some())
    }

    /// How binding the rule is here.
    pub fn level(&self, rule: Rule) -> Level {
        let raised = self.profile.and_then(|profile| rule.level_in(profile));
        raised.unwrap_or(rule.level())
    }
}
