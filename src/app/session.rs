//! The stored session of a profile, and whether it may be used for it.

use crate::app::context::Context;
use crate::app::login_required::LoginRequired;
use crate::args::cli::ProfileChoice;
use crate::args::config::{Config, Profile};
use crate::args::settings::{ChosenBy, ChosenProfile, SettingsError};
use crate::error::Error;
use crate::exit::{Diagnosis, ExitCode};
use crate::foreign_text::Quoted;
use crate::output::causes::error_chain;
use crate::protocol::endpoint::Issuer;
use crate::protocol::resource::Resource;
use crate::store::{CredentialStore, Interaction, ProfileName, Session, StoreKind, Suspension, was_locked};
use url::Url;

/// A profile's store, and the record that is in it.
pub(crate) struct ProfileRecord {
    pub(crate) kind: StoreKind,
    pub(crate) store: Box<dyn CredentialStore>,
    pub(crate) record: Option<Session>,
}

impl ProfileRecord {
    /// Reads the profile's record. A profile that the configuration file lacks
    /// may be only in the store (`login --no-save`); no person is asked to unlock
    /// the store for a name that may be mistyped.
    ///
    /// # Errors
    /// [`SettingsError::UnknownProfile`] for a named profile that is nowhere.
    pub(crate) fn load(
        context: &Context,
        config: &Config,
        chosen: &ChosenProfile,
        interaction: Interaction,
    ) -> Result<Self, Error> {
        let name = &chosen.name;
        let profile = config.profile(name);
        let kind = context.store_kind(profile)?;
        if profile.is_some() {
            let mut store = context.store(&kind, interaction)?;
            let loaded = store.load(name);
            let record = loaded.map_err(|error| context.explain_store_error(error, profile))?;
            let found = ProfileRecord { kind, store, record };
            // It may have moved after the configuration was read.
            return match found.record {
                Some(_) => Ok(found),
                None => found.follow_move(context, chosen, interaction),
            };
        }
        let mut store = context.store(&kind, Interaction::Forbidden)?;
        match store.load(name) {
            Ok(None) if chosen.chosen_by != ChosenBy::Fallback => Err(missing(chosen, config)),
            Ok(record) => Ok(ProfileRecord { kind, store, record }),
            Err(_) if !was_locked(&context.folders()?.locks(), name) => Err(missing(chosen, config)),
            Err(error) => {
                let store = store.describe();
                let text = format!("A login with --no-save may be in {store}, which cannot be read here: {error}");
                let hint = error_chain(&text, &error);
                Err(missing(chosen, config).with_hint(hint))
            }
        }
    }

    /// The same record where the profile has it now. For those who hold the
    /// profile's lock, under which sessions move from one store to another:
    /// what was read before may have left its store since.
    ///
    /// # Errors
    /// Those of [`load`](Self::load).
    pub(crate) fn follow_move(
        self,
        context: &Context,
        chosen: &ChosenProfile,
        interaction: Interaction,
    ) -> Result<Self, Error> {
        let config = context.config()?;
        match context.store_kind(config.profile(&chosen.name))? == self.kind {
            true => Ok(self),
            false => ProfileRecord::load(context, &config, chosen, interaction),
        }
    }

    /// Takes the session out, if someone is logged in; a record may remain with
    /// the secrets of the client alone.
    ///
    /// # Errors
    /// [`LoginRequired`], or [`SuspendedSession`].
    pub(crate) fn take_session(&mut self, name: &ProfileName, config: &Config) -> Result<Session, Error> {
        let signed_in = self.record.take().filter(Session::is_signed_in);
        let session = signed_in.ok_or_else(|| match (&self.kind, config.profile(name)) {
            (StoreKind::None, _) => LoginRequired::NotKept { profile: name.clone() },
            (_, Some(_)) => LoginRequired::NotLoggedIn { profile: name.clone() },
            (_, None) => LoginRequired::nothing_saved(config),
        })?;
        check_not_suspended(&session, name)?;
        Ok(session)
    }
}

/// The error for a profile that is nowhere.
fn missing(chosen: &ChosenProfile, config: &Config) -> Error {
    match chosen.chosen_by {
        ChosenBy::User | ChosenBy::Destination => SettingsError::unknown_profile(&chosen.name, config).into(),
        ChosenBy::DefaultProfile => SettingsError::default_profile(&chosen.name, config).into(),
        ChosenBy::Fallback => LoginRequired::nothing_saved(config).into(),
    }
}

/// A refresh brought the ID token of another party: the tokens of the session
/// are kept, but not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the session of profile \"{profile}\" is suspended: its {} is {}, and the last refresh returned an ID token whose {} is {}",
    suspension.claim,
    Quoted::name(&suspension.expected),
    suspension.claim,
    Quoted::name(&suspension.found)
)]
pub(crate) struct SuspendedSession {
    profile: ProfileName,
    suspension: Suspension,
}

impl Diagnosis for SuspendedSession {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Protocol
    }

    fn hints(&self) -> Vec<String> {
        vec![
            "Its tokens are kept, but not used: they may be of another account.".to_owned(),
            format!("Log in again: oauth login {}", self.profile),
        ]
    }
}

/// The tokens of a suspended session may be of another account.
///
/// # Errors
/// [`SuspendedSession`].
pub(crate) fn check_not_suspended(session: &Session, profile: &ProfileName) -> Result<(), SuspendedSession> {
    match &session.suspended {
        None => Ok(()),
        Some(suspension) => Err(SuspendedSession {
            profile: profile.clone(),
            suspension: suspension.clone(),
        }),
    }
}

/// A profile that is named after a URL must be of that server.
///
/// # Errors
/// [`LoginRequired::OtherServer`].
pub(crate) fn check_matches_url(
    session: &Session,
    chosen: &ChosenProfile,
    choice: &ProfileChoice,
) -> Result<(), LoginRequired> {
    let url = choice.url().filter(|_| chosen.chosen_by != ChosenBy::Destination);
    let is_api = url.is_some_and(|url| is_api(session, url));
    match (url, session.issuer.as_ref().map(Issuer::as_str)) {
        (None, _) => Ok(()),
        (Some(_), _) if is_api => Ok(()),
        (Some(url), Some(issuer)) if url == issuer => Ok(()),
        (Some(url), issuer) => Err(LoginRequired::OtherServer {
            profile: chosen.name.clone(),
            wanted: format!("\"{url}\""),
            found: issuer.map_or_else(|| "none".to_owned(), |issuer| format!("\"{issuer}\"")),
        }),
    }
}

/// Whether a session was made with the URL of this API.
fn is_api(session: &Session, url: &str) -> bool {
    let wanted = Url::parse(url);
    session
        .api
        .as_ref()
        .is_some_and(|api| wanted.is_ok_and(|wanted| wanted == *api.url()))
}

/// The keys that [`check_matches_profile`] compares.
pub(crate) const COMPARED_KEYS: [&str; 8] = [
    "issuer",
    "client_id",
    "api",
    "token_endpoint",
    "resource",
    "scope",
    "dpop",
    "audience",
];

/// Compares what the profile says now with what the session was made with.
///
/// # Errors
/// [`LoginRequired::Mismatch`] naming the first difference.
pub(crate) fn check_matches_profile(
    session: &Session,
    name: &ProfileName,
    profile: Option<&Profile>,
) -> Result<(), LoginRequired> {
    let Some(profile) = profile else { return Ok(()) };
    let differs = |what, wanted: &str, found: &str| Err(mismatch(name, what, shown(wanted), shown(found)));
    let requested = &session.requested;
    for (what, wanted, found) in [
        (
            "issuer",
            profile.text("issuer"),
            session.issuer.as_ref().map(Issuer::as_str),
        ),
        ("client_id", profile.text("client_id"), Some(session.client.id.as_str())),
    ] {
        if wanted.is_some() && wanted != found {
            return differs(what, wanted.unwrap_or_default(), found.unwrap_or_default());
        }
    }
    if let Some(wanted) = profile.text("api").filter(|wanted| !is_api(session, wanted)) {
        let found = session.api.as_ref().map(ToString::to_string).unwrap_or_default();
        return differs("api", wanted, &found);
    }
    if let Some(wanted) = profile.text("token_endpoint") {
        let found = session.token_endpoint.url();
        if !Url::parse(wanted).is_ok_and(|url| url == *found) {
            return differs("token_endpoint", wanted, found.as_str());
        }
    }
    let resource: Vec<&str> = requested.resource.iter().map(Resource::as_str).collect();
    let scope: Vec<&str> = requested.scope.tokens().iter().map(String::as_str).collect();
    for (what, wanted, found) in [
        ("resource", profile.list("resource"), resource),
        ("scope", profile.list("scope"), scope),
    ] {
        // What the API asks for is not in its profile.
        let is_of_api = session.api.is_some() && wanted.is_empty();
        if !is_of_api && !have_same_words(wanted, &found) {
            return differs(what, &wanted.join(" "), &found.join(" "));
        }
    }
    if profile.bool("dpop") && session.dpop_key.is_none() {
        return Err(mismatch(name, "dpop", "true".to_owned(), "false".to_owned()));
    }
    let (wanted, found) = (profile.text("audience"), requested.audience.as_deref());
    if wanted != found {
        return differs("audience", wanted.unwrap_or_default(), found.unwrap_or_default());
    }
    Ok(())
}

fn mismatch(profile: &ProfileName, what: &'static str, wanted: String, found: String) -> LoginRequired {
    LoginRequired::Mismatch {
        profile: profile.clone(),
        what,
        wanted,
        found,
    }
}

fn shown(text: &str) -> String {
    match text {
        "" => "none".to_owned(),
        text => format!("\"{text}\""),
    }
}

/// Whether both are the same, in whatever order.
fn have_same_words(wanted: &[String], found: &[&str]) -> bool {
    let lacks = |word: &&str| !wanted.iter().any(|wanted| wanted == word);
    !wanted.iter().any(|word| !found.contains(&word.as_str())) && !found.iter().any(lacks)
}
