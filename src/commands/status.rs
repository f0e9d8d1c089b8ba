//! `oauth status`: who is signed in where, and until when. Never a secret, the
//! network, a prompt or a browser.

use crate::app::context::Context;
use crate::app::session::check_matches_profile;
use crate::app::session_row::SessionRow;
use crate::args::cli::StatusOptions;
use crate::args::config::{Config, Profile};
use crate::args::settings;
use crate::error::{Error, SessionError};
use crate::output::causes::error_chain;
use crate::output::report;
use crate::output::sanitize::sanitize_json;
use crate::output::table::align_columns;
use crate::protocol::time::UnixSeconds;
use crate::store::{CredentialStore, Interaction, ProfileName, Session, StoreKind};
use crate::system;
use crate::trace::{Event, Observer};
use serde_json::Value;
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
        let row = SessionRow::new(&name, profile, session.as_ref(), &kind, now);
        let usable = row.is_usable();
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
            Ok((session, kind)) => rows.push(SessionRow::new(name, Some(profile), session.as_ref(), &kind, now)),
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
        rows.push(SessionRow::new(&unnamed, None, Some(&session), &kind, now));
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
    let unnamed = settings::default_profile(&context.environment, config)?;
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

fn print_rows(context: &Context, rows: &[SessionRow], now: UnixSeconds) -> Result<(), Error> {
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
    report::print(align_columns(&table).as_bytes())
}
