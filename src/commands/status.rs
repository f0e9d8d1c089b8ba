//! `oauth status`: who is signed in where, and until when. Never a secret, the
//! network, a prompt or a browser.

use crate::app::context::Context;
use crate::app::login_required::LoginRequired;
use crate::app::session::{ProfileRecord, check_matches_profile, check_not_suspended};
use crate::app::session_row::SessionRow;
use crate::app::usable_profile::find_saved_profile;
use crate::args::cli::{ProfileChoice, StatusOptions};
use crate::args::config::{Config, Profile};
use crate::args::settings::{self, ChosenProfile, SettingsError};
use crate::error::Error;
use crate::foreign_text::sanitize_json;
use crate::output::causes::error_chain;
use crate::output::report;
use crate::output::table::{align_columns, fits};
use crate::output::theme::{Role, Theme};
use crate::protocol::time::UnixSeconds;
use crate::store::{CredentialStore, Interaction, ProfileName, Session, StoreKind};
use crate::system;
use crate::trace::{Event, Observer};
use serde_json::Value;
use std::collections::HashMap;
use std::time::Duration;

/// How often `--watch` looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

pub(super) fn run(context: &Context, options: &StatusOptions) -> Result<(), Error> {
    let config = context.config()?;
    if context.global.verbose > 0 {
        print_paths(context, &config)?;
    }
    if options.watch {
        return watch(context, options);
    }
    let listing = Listing::load(context, options, &config)?;
    if listing.rows.is_empty() {
        listing.outcome?;
        note_nothing_saved(context);
        return print_text(context, &render(context, &config, &[], system::now()));
    }
    print_text(context, &render(context, &config, &listing.rows, system::now()))?;
    for warning in &listing.warnings {
        context.observer().observe(&Event::Warning(warning));
    }
    listing.outcome
}

/// Prints everything again whenever it has changed, until a signal comes.
fn watch(context: &Context, options: &StatusOptions) -> Result<(), Error> {
    let is_screen = report::stdout_width().is_some() && !context.style.json;
    let mut shown = None;
    loop {
        let config = context.config()?;
        let listing = Listing::load(context, options, &config)?;
        let now = system::now();
        let state = Value::Array(listing.rows.iter().map(|row| row.to_json_without_age(now)).collect());
        let text = render(context, &config, &listing.rows, now);
        // the time that is left is worth a line on a screen alone
        let change = if is_screen { text.clone() } else { state.to_string() };
        if shown.as_ref() != Some(&change) {
            if is_screen {
                report::print(CLEAR_SCREEN)?;
            }
            print_text(context, &text)?;
            shown = Some(change);
        }
        context.wait_for_person(async { tokio::time::sleep(LOOK_AGAIN).await })?;
    }
}

/// The cursor goes to the first row, and everything from there is cleared (ECMA-48 §8.3.21, §8.3.39).
const CLEAR_SCREEN: &[u8] = b"\x1b[H\x1b[J";

/// What is shown, and how the command ends.
struct Listing {
    rows: Vec<SessionRow>,
    /// What the rows have no room for.
    warnings: Vec<String>,
    outcome: Result<(), Error>,
}

impl Listing {
    fn load(context: &Context, options: &StatusOptions, config: &Config) -> Result<Self, Error> {
        if options.profile.argument.is_some() || options.profile.option.is_some() {
            let chosen = find_saved_profile(context, &options.profile, config)?;
            return Listing::of_profile(context, config, &chosen);
        }
        Ok(Listing::of_all(context, config))
    }

    /// One profile; exit code 4 where it gives no token.
    fn of_profile(context: &Context, config: &Config, chosen: &ChosenProfile) -> Result<Self, Error> {
        let name = &chosen.name;
        let profile = config.profile(name);
        let found = ProfileRecord::load(context, config, chosen, Interaction::Forbidden)?;
        let session = found.record.filter(Session::is_signed_in);
        let row = SessionRow::new(name, profile, session.as_ref(), &found.kind, system::now());
        let fit = session
            .as_ref()
            .map_or(Ok(()), |session| check_matches_profile(session, name, profile));
        let outcome = match (fit, row.is_usable()) {
            (Err(error), _) => Err(error.into()),
            (Ok(()), true) => Ok(()),
            (Ok(()), false) => Err(LoginRequired::NotLoggedIn { profile: name.clone() }.into()),
        };
        Ok(Listing {
            rows: vec![row],
            warnings: Vec::from_iter(suspension(session.as_ref(), name)),
            outcome,
        })
    }

    fn of_all(context: &Context, config: &Config) -> Self {
        let now = system::now();
        let mut stores = Stores {
            context,
            open: HashMap::new(),
        };
        let mut listing = Listing {
            rows: Vec::new(),
            warnings: Vec::new(),
            outcome: Ok(()),
        };
        for (name, profile) in config.profiles() {
            match stores.load(name, Some(profile)) {
                Ok((session, kind)) => {
                    listing.warnings.extend(suspension(session.as_ref(), name));
                    let row = SessionRow::new(name, Some(profile), session.as_ref(), &kind, now);
                    listing.rows.push(row);
                }
                // One store that cannot be read hides no profile of another.
                Err(error) => {
                    let warning = format!("the store of profile \"{name}\" cannot be read");
                    listing.warnings.push(warning);
                    listing.rows.extend(unreadable(context, name, profile, now));
                    listing.outcome = listing.outcome.and_then(|()| {
                        let forget = format!("Or remove the profile alone: oauth profile remove {name} --store none");
                        let error = context.explain_unattended_keyring(error, name, Some(profile));
                        Err(error.with_hint(forget))
                    });
                }
            }
        }
        // Logged in with --no-save: only the store knows of it.
        if let Ok(ChosenProfile { name, .. }) = unnamed(context, config)
            && config.profile(&name).is_none()
            && let Ok((Some(session), kind)) = stores.load(&name, None)
        {
            listing
                .rows
                .push(SessionRow::new(&name, None, Some(&session), &kind, now));
        }
        listing
    }
}

/// A row that says what is known of a profile without its store.
fn unreadable(context: &Context, name: &ProfileName, profile: &Profile, now: UnixSeconds) -> Option<SessionRow> {
    let kind = context.store_kind(Some(profile)).ok()?;
    Some(SessionRow::new(name, Some(profile), None, &kind, now).unreadable())
}

/// Why a session is suspended.
fn suspension(session: Option<&Session>, name: &ProfileName) -> Option<String> {
    let suspended = check_not_suspended(session?, name).err()?;
    Some(suspended.to_string())
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
        let record = loaded.map_err(|error| self.context.explain_store_error(error, profile))?;
        Ok((record.filter(Session::is_signed_in), kind))
    }
}

fn note_nothing_saved(context: &Context) {
    if !context.style.json {
        context.observer().observe(&Event::Note(
            "nothing is saved yet; log in with: oauth login https://id.example.com --client-id ID",
        ));
    }
}

fn print_text(context: &Context, text: &str) -> Result<(), Error> {
    report::print_json_or_lines(text, context.style.json)
}

const TITLES: [&str; 8] = [
    "",
    "PROFILE",
    "WHO",
    "ISSUER",
    "SCOPE",
    "EXPIRES",
    "REFRESHABLE",
    "STORE",
];

/// A table, or where the terminal has no room for it a block for each profile.
fn render(context: &Context, config: &Config, rows: &[SessionRow], now: UnixSeconds) -> String {
    if context.style.json {
        let array: Vec<Value> = rows
            .iter()
            .filter(|row| row.is_known())
            .map(|row| row.to_json(now))
            .collect();
        return sanitize_json(&Value::Array(array).to_string()) + "\n";
    }
    if rows.is_empty() {
        return String::new();
    }
    let width = report::stdout_width();
    let default = config.effective_default().map(ProfileName::as_str);
    let table: Vec<[String; 8]> = std::iter::once(TITLES.map(str::to_owned))
        .chain(rows.iter().map(|row| row.cells(default, now)))
        .collect();
    if fits(&table, width) {
        return align_columns(&table, width);
    }
    let theme = Theme::new(context.stdout_has_colour());
    let blocks = table[1..].iter().map(|cells| block(cells, width, theme));
    blocks.collect::<Vec<_>>().join("\n")
}

fn block(cells: &[String; 8], width: Option<usize>, theme: Theme) -> String {
    let [mark, profile, facts @ ..] = cells;
    let default = if mark.is_empty() { "" } else { " (default)" };
    let facts: Vec<[String; 2]> = TITLES[2..]
        .iter()
        .zip(facts)
        .filter(|(_, value)| !value.is_empty() && *value != "-")
        .map(|(title, value)| [format!("  {}", title.to_lowercase()), value.clone()])
        .collect();
    let profile = theme.paint(Role::Heading, profile);
    format!("{profile}{default}\n{}", align_columns(&facts, width))
}
