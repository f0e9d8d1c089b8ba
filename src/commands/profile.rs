//! `oauth profile`: the profiles of the configuration file.

use crate::app::context::{Context, caller};
use crate::app::lock::{LOCK_WAIT, lock};
use crate::app::session::{COMPARED_KEYS, ProfileRecord, check_matches_profile};
use crate::app::signals::interruptible;
use crate::app::store_migration::change_with_session;
use crate::args::cli::{ProfileChoice, ProfileCommand};
use crate::args::config::{self, Change, Config, KeyChange, Profile, Setting};
use crate::args::settings::{self, ChosenBy, ChosenProfile, SettingsError};
use crate::error::Error;
use crate::exit::{Diagnosis, ExitCode};
use crate::flow::registration::unregister;
use crate::foreign_text::{WordOrQuoted, sanitize};
use crate::output::causes::error_chain;
use crate::output::report;
use crate::output::table::align_columns;
use crate::protocol::endpoint::Issuer;
use crate::store::{Interaction, ProfileName, Session, StoreError};
use crate::trace::{Event, NoteName, Observer};
use serde_json::{Map, Value, json};

pub(super) fn run(context: &Context, command: &ProfileCommand) -> Result<(), Error> {
    let config = context.config()?;
    match command {
        ProfileCommand::List => list(context, &config),
        ProfileCommand::Show { name } => show(context, &config, name.as_deref()),
        ProfileCommand::Set { name, settings } => set(context, &config, name, settings),
        ProfileCommand::Use { name } => {
            let name = require_profile(&config, name)?;
            config::change(
                &context.config_path()?,
                &context.folders()?.locks(),
                &[Change::Default(name.clone())],
            )?;
            report_success(context, &format!("profile \"{name}\" is the default now"));
            Ok(())
        }
        ProfileCommand::Remove { name } => remove(context, &config, name),
    }
}

fn require_profile(config: &Config, name: &str) -> Result<ProfileName, Error> {
    let name = settings::parse_name("NAME", name)?;
    if config.profile(&name).is_some() {
        return Ok(name);
    }
    Err(SettingsError::unknown_profile(&name, config).into())
}

fn list(context: &Context, config: &Config) -> Result<(), Error> {
    let is_default = |name: &ProfileName| config.effective_default() == Some(name);
    if context.style.json {
        let profiles: Vec<Value> = config
            .profiles()
            .map(|(name, profile)| as_json(name, profile, is_default(name)))
            .collect();
        return report::print_json(&Value::Array(profiles));
    }
    let rows: Vec<[String; 4]> = config
        .profiles()
        .map(|(name, profile)| {
            let shown = |key: &str| profile.text(key).map_or_else(|| "-".to_owned(), sanitize);
            let mark = if is_default(name) { "*" } else { "" };
            let server = if profile.text("issuer").is_some() {
                "issuer"
            } else {
                "api"
            };
            let client_id = match profile.text("client_id") {
                None if profile.text("api").is_some() && config.client_metadata_url.is_none() => {
                    "registered".to_owned()
                }
                _ => shown("client_id"),
            };
            [mark.to_owned(), name.to_string(), shown(server), client_id]
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let titles = ["", "PROFILE", "SERVER", "CLIENT_ID"].map(str::to_owned);
    let table: Vec<[String; 4]> = std::iter::once(titles).chain(rows).collect();
    report::print_lines(&align_columns(&table, report::stdout_width()))
}

fn show(context: &Context, config: &Config, name: Option<&str>) -> Result<(), Error> {
    let choice = ProfileChoice {
        argument: name.map(str::to_owned),
        option: None,
    };
    let chosen = settings::choose_profile(&choice, &context.environment, config)?;
    let name = require_profile(config, chosen.name.as_str())?;
    let Some(profile) = config.profile(&name) else {
        return Ok(());
    };
    let registered = registered_client(context, config, &chosen);
    if context.style.json {
        let mut object = as_json(&name, profile, config.effective_default() == Some(&name));
        if let Some(session) = registered {
            let issuer = session.issuer.as_ref().map(Issuer::as_str);
            object["registered_client"] = json!({ "client_id": session.client.id.as_str(), "issuer": issuer });
        }
        return report::print_json(&object);
    }
    let mut rows: Vec<[String; 2]> = std::iter::once(["profile".to_owned(), name.to_string()])
        .chain(
            profile
                .settings()
                .map(|(key, setting)| [key.to_owned(), sanitize(&as_text(setting))]),
        )
        .collect();
    rows.extend(registered.map(|session| {
        let id = WordOrQuoted(session.client.id.as_str());
        let server = session.issuer.map(|issuer| format!(", registered at {issuer}"));
        let text = format!("{id}{}", server.unwrap_or_default());
        ["registered_client".to_owned(), text]
    }));
    report::print_lines(&align_columns(&rows, report::stdout_width()))
}

/// The record of a profile whose client a login registered. It is read where
/// the configuration file names no client; nobody is asked to unlock the store.
fn registered_client(context: &Context, config: &Config, chosen: &ChosenProfile) -> Option<Session> {
    let profile = config.profile(&chosen.name)?;
    if profile.text("client_id").is_some() {
        return None;
    }
    match ProfileRecord::load(context, config, chosen, Interaction::Forbidden) {
        Ok(found) => found.record.filter(|session| session.registration.is_some()),
        Err(error) => {
            let name = &chosen.name;
            let text = format!("whether a client is registered for profile \"{name}\" is not known: {error}");
            let text = error_chain(&text, &*error);
            context.observer().observe(&Event::Warning(&text));
            None
        }
    }
}

fn as_text(setting: &Setting) -> String {
    match setting {
        Setting::Text(text) => text.clone(),
        Setting::List(list) => list.join(" "),
        Setting::Bool(switch) => switch.to_string(),
        Setting::Ports(ports) => ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
        Setting::Pairs(pairs) => pairs
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
            .join(" "),
    }
}

fn as_json(name: &ProfileName, profile: &Profile, is_default: bool) -> Value {
    let mut object = Map::new();
    object.insert("profile".into(), json!(name.as_str()));
    object.insert("default".into(), json!(is_default));
    for (key, setting) in profile.settings() {
        let value = match setting {
            Setting::Text(text) => json!(text),
            Setting::List(list) => json!(list),
            Setting::Bool(switch) => json!(switch),
            Setting::Ports(ports) => json!(ports),
            Setting::Pairs(pairs) => {
                Value::Object(pairs.iter().map(|(name, value)| (name.clone(), json!(value))).collect())
            }
        };
        object.insert(key.to_owned(), value);
    }
    Value::Object(object)
}

fn set(context: &Context, config: &Config, name: &str, settings: &[String]) -> Result<(), Error> {
    let name = settings::parse_name("NAME", name)?;
    let mut changes = Vec::new();
    for text in settings {
        let (key, value) = text.split_once('=').ok_or_else(|| SettingsError::Value {
            name: "KEY=VALUE".to_owned(),
            problem: format!("\"{text}\" has no \"=\""),
            hint: Some("Write key=value, or key= to remove the key.".to_owned()),
        })?;
        changes.push(match config::parse_setting(key, value)? {
            KeyChange::Set(key, setting) => Change::Set(name.clone(), key, setting),
            KeyChange::Unset(key) => Change::Unset(name.clone(), key),
        });
    }
    check(config, &name, &changes)?;
    change_with_session(context, config, &name, &changes)?;
    let verb = match config.profile(&name) {
        Some(_) => "changed",
        None => "made",
    };
    report_success(context, &format!("{verb} profile \"{name}\""));
    let key = |change: &Change| match change {
        Change::Set(_, key, _) | Change::Unset(_, key) => COMPARED_KEYS.contains(&key.as_str()),
        _ => false,
    };
    match changes.iter().any(key) {
        true => note_unused_session(context, config, name),
        false => Ok(()),
    }
}

/// Says at once what the next command would end with: the session is of other
/// settings now. Nobody is asked to unlock the store for it.
fn note_unused_session(context: &Context, before: &Config, name: ProfileName) -> Result<(), Error> {
    let after = context.config()?;
    let chosen = ChosenProfile {
        name,
        chosen_by: ChosenBy::User,
    };
    let found = ProfileRecord::load(context, &after, &chosen, Interaction::Forbidden);
    let record = found.ok().and_then(|found| found.record);
    let Some(session) = record.filter(Session::is_signed_in) else {
        return Ok(());
    };
    let name = &chosen.name;
    let fits = |config: &Config| check_matches_profile(&session, name, config.profile(name)).is_ok();
    if fits(before) && !fits(&after) {
        context.observer().observe(&Event::Note(&format!(
            "the session was made with other settings; it is used again after: oauth login {name}"
        )));
    }
    Ok(())
}

fn report_success(context: &Context, text: &str) {
    context.observer().observe(&Event::Success(text));
}

/// A value that `login` would refuse is refused when it is set.
fn check(config: &Config, name: &ProfileName, changes: &[Change]) -> Result<(), Error> {
    let mut profile = config.profile(name).cloned().unwrap_or_default();
    for change in changes {
        if let Change::Set(_, key, setting) = change {
            profile.set(key, setting.clone());
        }
    }
    Ok(settings::check_profile(&profile)?)
}

/// Ends the registration of a client that this program registered (RFC 7592).
/// Whether that works is a note: the profile is removed in any case.
fn unregister_client(context: &Context, profile: Option<&Profile>, session: &Session) -> Result<(), Error> {
    let Some(management) = session.registration.as_ref().and_then(|own| own.management.as_ref()) else {
        return Ok(());
    };
    let transport = context.transport(profile, true)?;
    let mut observer = context.observer();
    let mut caller = caller(&transport, &mut observer);
    let unregistering = unregister(session.client.id.as_str(), management, &mut caller);
    context.runtime()?.block_on(interruptible(unregistering))
}

/// A store that is gone for good must not keep the profile.
fn not_deleted(context: &Context, error: StoreError, name: &ProfileName, profile: Option<&Profile>) -> Error {
    let is_unusable = error.exit_code() == ExitCode::Store;
    let error = context.explain_store_error(error, profile);
    match is_unusable {
        true => error.with_hint(format!(
            "To remove the profile alone, and leave the session where it is: oauth profile remove {name} --store none"
        )),
        false => error,
    }
}

fn remove(context: &Context, config: &Config, name: &str) -> Result<(), Error> {
    let name = require_profile(config, name)?;
    let _lock = lock(
        &context.folders()?.locks(),
        &name,
        context.at_most(LOCK_WAIT),
        &mut context.observer(),
    )?;
    // Read again: another process may have moved the session to another store.
    let config = &context.config()?;
    let mut store = context.store(&context.store_kind(config.profile(&name))?, context.interaction())?;
    if let Ok(Some(session)) = store.load(&name) {
        unregister_client(context, config.profile(&name), &session)?;
        if session.is_signed_in() {
            context.observer().observe(&Event::NamedNote(
                NoteName::NotRevoked,
                &format!(
                    "the session of profile \"{name}\" is deleted, and its tokens are not revoked: the server may take them \
                     until they expire; to revoke tokens, run `oauth logout` before `oauth profile remove`"
                ),
            ));
        }
    }
    store
        .delete(&name)
        .map_err(|error| not_deleted(context, error, &name, config.profile(&name)))?;
    let mut changes = vec![Change::Remove(name.clone())];
    let mut others = config
        .profiles()
        .map(|(other, _)| other)
        .filter(|other| **other != name);
    let left = match (others.next(), others.next()) {
        (Some(left), None) if config.default_profile.as_ref() == Some(&name) => Some(left),
        _ => None,
    };
    changes.extend(left.cloned().map(Change::Default));
    config::change(&context.config_path()?, &context.folders()?.locks(), &changes)?;
    report_success(context, &format!("removed profile \"{name}\""));
    if let Some(left) = left {
        report_success(context, &format!("profile \"{left}\" is the default now"));
    }
    Ok(())
}
