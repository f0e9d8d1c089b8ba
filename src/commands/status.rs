//! `oauth status`: who is signed in where, and until when. Never a secret, the
//! network, a prompt or a browser.

use crate::app::context::Context;
use crate::app::login_required::LoginRequired;
use crate::app::session::{ProfileRecord, check_matches_profile, check_not_suspended};
use crate::app::session_row::SessionRow;
use crate::args::cli::{ProfileChoice, StatusOptions};
use crate::args::config::{Config, Profile};
use crate::args::settings::{self, ChosenProfile, SettingsError};
use crate::error::Error;
use crate::foreign_text::sanitize_json;
use crate::output::causes::error_chain;
use crate::output::report;
use crate::output::table::align_columns;
use crate::protocol::time::UnixSeconds;
use crate::store::{CredentialStore, Interaction, ProfileName, Session, StoreKind};
use crate::system;
use crate::trace::{Event, Observer};
use serde_json::Value;
use std::collections::HashMap;

pub(super) fn run(context: &Context, options: &StatusOptions) -> Result<(), Error> {
    let config = context.config()?;
    if context.global.verbose > 0 {
        print_paths(context, &config)?;
    }
    if options.profile.argument.is_some() || options.profile.option.is_some() {
        let chosen = settings::choose_profile(&options.profile, &context.environment, &config)?;
        return show_profile(context, &config, &chosen);
    }
    show_all(context, &config)
}

/// One profile; exit code 4 where it gives no token.
fn show_profile(context: &Context, config: &Config, chosen: &ChosenProfile) -> Result<(), Error> {
    let name = &chosen.name;
    let profile = config.profile(name);
    let found = ProfileRecord::load(context, config, chosen, Interaction::Forbidden)?;
    let session = found.record.filter(Session::is_signed_in);
    let now = system::now();
    let row = SessionRow::new(name, profile, session.as_ref(), &found.kind, now);
    let usable = row.is_usable();
    print_rows(context, config, &[row], now)?;
    warn_if_suspended(context, session.as_ref(), name);
    if let Some(session) = &session {
        check_matches_profile(session, name, profile)?;
    }
    if usable {
        return Ok(());
    }
    Err(LoginRequired::NotLoggedIn { profile: name.clone() }.into())
}

fn show_all(context: &Context, config: &Config) -> Result<(), Error> {
    let now = system::now();
    let mut stores = Stores {
        context,
        open: HashMap::new(),
    };
    let mut rows = Vec::new();
    let mut first_failure = None;
    for (name, profile) in config.profiles() {
        match stores.load(name, Some(profile)) {
            Ok((session, kind)) => {
                warn_if_suspended(context, session.as_ref(), name);
                rows.push(SessionRow::new(name, Some(profile), session.as_ref(), &kind, now));
            }
            // One store that cannot be read hides no profile of another.
            Err(error) => {
                let warning = format!("the store of profile \"{name}\" cannot be read");
                context.observer().observe(&Event::Warning(&warning));
                first_failure.get_or_insert(error);
            }
        }
    }
    // Logged in with --no-save: only the store knows of it.
    if let Ok(ChosenProfile { name, .. }) = unnamed(context, config)
        && config.profile(&name).is_none()
        && let Ok((Some(session), kind)) = stores.load(&name, None)
    {
        rows.push(SessionRow::new(&name, None, Some(&session), &kind, now));
    }
    match first_failure {
        None => print_rows(context, config, &rows, now),
        Some(error) if rows.is_empty() => Err(error),
        Some(error) => {
            print_rows(context, config, &rows, now)?;
            Err(error)
        }
    }
}

/// Why a session is suspended, which the table has no room for.
fn warn_if_suspended(context: &Context, session: Option<&Session>, name: &ProfileName) {
    if let Some(Err(suspended)) = session.map(|session| check_not_suspended(session, name)) {
        context.observer().observe(&Event::Warning(&suspended.to_string()));
    }
}

/// The profile that a command would use that names none.
fn unnamed(context: &Context, config: &Config) -> Result<ChosenProfile, SettingsError> {
    settings::choose_profile(&ProfileChoice::default(), &context.environment, config)
}

/// `-v`: where everything lives, and whether the store that a login would use can be.
fn print_paths(context: &Context, config: &Config) -> Result<(), Error> {
    let mut observer = context.observer();
    let folders = context.folders()?;
    let unnamed = unnamed(context, config)?.name;
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
        let loaded = store.load(name);
        let record = loaded.map_err(|error| self.context.explain_store_error(error, &kind, name, profile))?;
        Ok((record.filter(Session::is_signed_in), kind))
    }
}

fn print_rows(context: &Context, config: &Config, rows: &[SessionRow], now: UnixSeconds) -> Result<(), Error> {
    if context.style.json {
        let array: Vec<Value> = rows.iter().map(|row| row.to_json(now)).collect();
        let line = sanitize_json(&Value::Array(array).to_string()) + "\n";
        return report::print(line.as_bytes());
    }
    if rows.is_empty() {
        context.observer().observe(&Event::Note(
            "nothing is saved yet; log in with: oauth login https://id.example.com --client-id ID",
        ));
        return Ok(());
    }
    let titles = [
        "",
        "PROFILE",
        "WHO",
        "ISSUER",
        "SCOPE",
        "EXPIRES",
        "REFRESHABLE",
        "STORE",
    ]
    .map(str::to_owned);
    let default = config.effective_default().map(ProfileName::as_str);
    let table: Vec<[String; 8]> = std::iter::once(titles)
        .chain(rows.iter().map(|row| row.cells(default, now)))
        .collect();
    report::print_lines(&align_columns(&table))
}
