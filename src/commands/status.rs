//! `oauth status`: who is signed in where, and until when. Never a secret, the
//! network, a prompt or a browser.

use super::token::error_chain;
use super::{Context, check_matches_profile};
use crate::args::cli::StatusOptions;
use crate::args::config::{Config, Profile};
use crate::args::settings;
use crate::error::{Error, SessionError};
use crate::output::duration::describe_seconds;
use crate::output::report;
use crate::output::sanitize::{sanitize, sanitize_json};
use crate::protocol::id_token::stored_name;
use crate::protocol::time::UnixSeconds;
use crate::store::{CredentialStore, Interaction, ProfileName, Session, StoreKind};
use crate::system;
use crate::trace::{Event, Observer};
use serde_json::{Value, json};
use std::collections::HashMap;

pub(super) fn run(context: &Context, options: &StatusOptions) -> Result<(), Error> {
    let config = context.config()?;
    let now = system::now();
    if context.global.verbose > 0 {
        tell_paths(context, &config)?;
    }
    let one = options.profile.argument.is_some() || options.profile.option.is_some();
    let mut stores = Stores {
        context,
        open: HashMap::new(),
    };
    let mut rows = Vec::new();
    if one {
        let name = settings::profile_name(&options.profile, &context.environment, &config)?;
        let profile = config.profile(&name);
        let (session, kind) = stores.load(&name, profile)?;
        let known = profile.is_some() || session.is_some();
        let row = Row::new(&name, profile, session.as_ref(), &kind, now);
        let usable = matches!(row.state, "valid") || (row.refreshable && row.state != "dead");
        rows.push(row);
        if !known {
            return Err(unknown(name, &config).into());
        }
        print_rows(context, &rows, now)?;
        let mismatch = session
            .as_ref()
            .map(|session| check_matches_profile(session, &name, profile));
        return match mismatch {
            Some(Err(mismatch)) => Err(mismatch.into()),
            _ if usable => Ok(()),
            _ => Err(SessionError::NotLoggedIn { profile: name }.into()),
        };
    }
    let mut first_failure = None;
    for (name, profile) in config.profiles() {
        match stores.load(name, Some(profile)) {
            Ok((session, kind)) => rows.push(Row::new(name, Some(profile), session.as_ref(), &kind, now)),
            // One store that cannot be read hides no profile of another.
            Err(error) => {
                let warning = format!("the store of profile \"{name}\" cannot be read");
                context.observer().observe(&Event::Warning(&warning));
                first_failure.get_or_insert(error);
            }
        }
    }
    let unnamed = settings::profile_name(&options.profile, &context.environment, &config)?;
    if config.profile(&unnamed).is_none()
        && let Ok((Some(session), kind)) = stores.load(&unnamed, None)
    {
        // Logged in with --no-save: only the store knows of it.
        rows.push(Row::new(&unnamed, None, Some(&session), &kind, now));
    }
    match first_failure {
        None => print_rows(context, &rows, now),
        Some(error) if rows.is_empty() => Err(error),
        Some(error) => {
            print_rows(context, &rows, now)?;
            Err(error)
        }
    }
}

fn unknown(profile: ProfileName, config: &Config) -> SessionError {
    SessionError::UnknownProfile {
        profile,
        known: config.profiles().map(|(name, _)| name.clone()).collect(),
    }
}

/// `-v`: where everything lives, and whether the store that a login would use can be.
fn tell_paths(context: &Context, config: &Config) -> Result<(), Error> {
    let mut observer = context.observer();
    let folders = context.folders()?;
    let unnamed = settings::unnamed_profile(&context.environment, config)?;
    let kind = context.store_kind(config.profile(&unnamed))?;
    let mut store = context.store(&kind, Interaction::Forbidden)?;
    let usable = match store.load(&unnamed) {
        Ok(_) => store.describe(),
        Err(error) => error_chain(&format!("{} cannot be used: {error}", store.describe()), &error),
    };
    for (name, value) in [
        ("configuration", context.config_path()?.display().to_string()),
        ("data", folders.data.join("oauth").display().to_string()),
        ("locks", folders.locks().display().to_string()),
        ("store", usable),
    ] {
        observer.observe(&Event::Detail { name, value: &value });
    }
    Ok(())
}

/// Stores that are open already: many profiles share one.
struct Stores<'a> {
    context: &'a Context,
    open: HashMap<String, Box<dyn CredentialStore>>,
}

impl Stores<'_> {
    fn load(&mut self, name: &ProfileName, profile: Option<&Profile>) -> Result<(Option<Session>, StoreKind), Error> {
        let kind = self.context.store_kind(profile)?;
        let store = match self.open.entry(kind.to_string()) {
            std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert(self.context.store(&kind, Interaction::Forbidden)?)
            }
        };
        Ok((store.load(name)?.filter(Session::is_signed_in), kind))
    }
}

/// One profile as `status` shows it; also what `login --json` prints.
pub(super) struct Row {
    profile: String,
    subject: Option<String>,
    /// What a person would know the subject by; in the table only.
    name: Option<String>,
    issuer: Option<String>,
    client_id: Option<String>,
    scope: Option<String>,
    resource: Vec<String>,
    state: &'static str,
    expires_at: Option<UnixSeconds>,
    refreshable: bool,
    store: String,
}

impl Row {
    pub(super) fn new(
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
            Some(_) if token.is_none() || expires_at.is_some_and(|expires_at| expires_at <= now) => "expired",
            Some(_) => "valid",
        };
        let of_profile = |key: &str| profile.and_then(|profile| profile.text(key)).map(str::to_owned);
        let granted = token.and_then(|token| token.scope.as_ref());
        let scope = granted
            .or(session.map(|session| &session.asked.scope))
            .map(|scope| scope.join(" "));
        let named = session.and_then(|session| stored_name(session.id_token.as_ref()?, session.subject.as_deref()?));
        Row {
            profile: name.to_string(),
            name: named,
            subject: session.and_then(|session| session.subject.clone()),
            issuer: session
                .and_then(|session| session.issuer.clone())
                .or_else(|| of_profile("issuer")),
            client_id: session
                .map(|session| session.client.id.clone())
                .or_else(|| of_profile("client_id")),
            scope: scope.filter(|scope| !scope.is_empty()),
            resource: session
                .map(|session| session.asked.resource.clone())
                .unwrap_or_default(),
            state,
            expires_at,
            refreshable: session.is_some_and(Session::can_renew),
            store: kind.to_string(),
        }
    }

    pub(super) fn to_json(&self, now: UnixSeconds) -> Value {
        json!({
            "profile": self.profile,
            "subject": self.subject,
            "issuer": self.issuer,
            "client_id": self.client_id,
            "scope": self.scope,
            "resource": self.resource,
            "state": self.state,
            "expires_at": self.expires_at.map(system::rfc_3339),
            "expires_in": self.expires_at.map(|expires_at| expires_at.seconds_since(now)),
            "refreshable": self.refreshable,
            "store": self.store,
        })
    }

    fn cells(&self, now: UnixSeconds) -> [String; 7] {
        let shown = |text: &Option<String>| text.as_deref().map_or_else(|| "-".to_owned(), sanitize);
        let expires = match (self.state, self.expires_at) {
            ("none", _) => "not logged in".to_owned(),
            ("dead", _) => "ended by the server".to_owned(),
            ("expired", _) => "expired".to_owned(),
            (_, None) => "unknown".to_owned(),
            (_, Some(expires_at)) => {
                let left_s = u64::try_from(expires_at.seconds_since(now)).unwrap_or_default();
                format!("in {}", describe_seconds(left_s))
            }
        };
        let refreshable = if self.refreshable { "yes" } else { "no" };
        [
            self.profile.clone(),
            shown(if self.name.is_some() { &self.name } else { &self.subject }),
            shown(&self.issuer),
            shown(&self.scope),
            expires,
            refreshable.to_owned(),
            sanitize(&self.store),
        ]
    }
}

fn print_rows(context: &Context, rows: &[Row], now: UnixSeconds) -> Result<(), Error> {
    if context.style.json {
        let array: Vec<Value> = rows.iter().map(|row| row.to_json(now)).collect();
        let line = sanitize_json(&Value::Array(array).to_string()) + "\n";
        return report::print(line.as_bytes());
    }
    if rows.is_empty() {
        context.observer().observe(&Event::Note(
            "nothing is saved yet; log in with: oauth login https://your-server --client-id ID",
        ));
        return Ok(());
    }
    let titles = ["PROFILE", "WHO", "ISSUER", "SCOPE", "EXPIRES", "REFRESHABLE", "STORE"].map(str::to_owned);
    let table: Vec<[String; 7]> = std::iter::once(titles)
        .chain(rows.iter().map(|row| row.cells(now)))
        .collect();
    report::print(aligned(&table).as_bytes())
}

/// Columns as wide as their widest cell, two spaces between them.
pub(super) fn aligned<const COLUMNS: usize>(table: &[[String; COLUMNS]]) -> String {
    let widths: [usize; COLUMNS] = std::array::from_fn(|column| {
        table
            .iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or_default()
    });
    let mut text = String::new();
    for row in table {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            line += &format!("{cell:width$}  ");
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}
