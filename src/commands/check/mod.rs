//! `oauth check`: resolves what was typed as a login does, examines the
//! server, prints the report. Nothing is saved or stored, and no session of the
//! profile is changed.

mod kept_client;
mod missing;
mod report_files;

use crate::app::browser::{DesktopBrowser, browser_launchers, detect_host};
use crate::app::client_credentials::{check_client_authentication, given_client_credentials};
use crate::app::context::{Context, caller};
use crate::app::input::open_paste_source;
use crate::app::signals::shutdown_signal;
use crate::app::token_source::Purpose;
use crate::app::unattended::has_nobody;
use crate::args::cli::CheckOptions;
use crate::args::config::Config;
use crate::args::login::RegistrationChoice;
use crate::args::login_grant::LoginGrant;
use crate::args::settings::{self, ResolvedLogin, SettingsError};
use crate::check::{CheckError, CheckRequest, Report, Selection, render, run as check_server};
use crate::error::Error;
use crate::exit::ExitCode;
use crate::flow::login::{CallbackChoice, LoginContext, PasteSource};
use crate::output::report;
use crate::protocol::client::ClientId;
use crate::protocol::endpoint::HttpPolicy;
use crate::rules::{RuleOrGroup, ServerProfile};
use crate::store::Session;
use crate::trace::{Event, Observer};
use kept_client::use_kept_client;
use missing::{explain_missing, missing_client};
use report_files::ReportFiles;
use std::io::IsTerminal;

pub(super) fn run(context: &Context, options: &CheckOptions) -> Result<(), Error> {
    let selection = selection(options)?;
    if options.list {
        let list = if context.style.json {
            render::json::list(&selection)
        } else {
            render::text::list(&selection, report::stdout_width())
        };
        return report::print(list.as_bytes());
    }
    if let Some(explained) = &options.explain {
        let text = match (explained, context.style.json) {
            (RuleOrGroup::Rule(rule), true) => render::json::explain(*rule, &selection),
            (RuleOrGroup::Rule(rule), false) => render::text::explain(*rule, &selection),
            (RuleOrGroup::Group(rules), true) => render::json::explain_group(rules, &selection),
            (RuleOrGroup::Group(rules), false) => render::text::explain_group(rules, &selection),
        };
        return report::print_json_or_lines(&text, context.style.json);
    }
    // First of all, so that nobody signs in for a report that has no place.
    let files = ReportFiles::at(options)?;
    let report = match examine(context, options, selection.clone()) {
        Ok(report) => report,
        Err(error) => return Err(files.write_failure(context, options, selection, error)),
    };
    files.write(context, &report)?;
    let text = if context.style.json {
        render::json::render(&report)
    } else {
        let is_terminal = std::io::stdout().is_terminal();
        let colour = settings::colour(context.global.color, &context.environment, is_terminal);
        let detail = match options.all || context.global.verbose > 0 {
            true => render::text::Detail::All,
            false => render::text::Detail::Findings,
        };
        render::text::render(&report, detail, colour)
    };
    report::print_json_or_lines(&text, context.style.json)?;
    if !options.rule.is_empty() && report.ended_early.is_none() && report.tests_nothing() {
        let warning = "no rule was tested: each that --rule names was skipped, for the reason in the report";
        context.observer().observe(&Event::Warning(warning));
    }
    verdict(report)
}

/// How the command ends.
fn verdict(report: Report) -> Result<(), Error> {
    let broken = report.broken();
    match (broken.is_empty(), report.ended_early) {
        (true, None) => Ok(()),
        // Where the server cannot be reached, or nobody can sign in, what was found is not all.
        (is_clean, Some(stop)) if is_clean || matches!(stop.exit_code, ExitCode::Unreachable | ExitCode::Usage) => {
            Err(CheckError::EndedEarly(stop).into())
        }
        (_, stop) => {
            let ended_early = stop.map(|stop| stop.reason);
            Err(CheckError::Findings { broken, ended_early }.into())
        }
    }
}

/// The rules that were asked for.
fn selection(options: &CheckOptions) -> Result<Selection, Error> {
    let all = |names: &[RuleOrGroup]| names.iter().flat_map(RuleOrGroup::rules).copied().collect();
    let selection = Selection {
        profile: options.server_profile,
        only: all(&options.rule),
        skip: all(&options.skip),
    };
    let is_foreign = |name: &&RuleOrGroup| !name.rules().iter().any(|rule| selection.is_of_profile(*rule));
    match options.rule.iter().find(is_foreign).zip(selection.profile) {
        None if selection.is_empty() => Err(SettingsError::Value {
            name: "--skip".to_owned(),
            problem: "no rule is left to test".to_owned(),
            hint: Some("Name a rule with --rule that --skip does not name.".to_owned()),
        }
        .into()),
        None => Ok(selection),
        Some((name, profile)) => Err(SettingsError::Value {
            name: "--rule".to_owned(),
            problem: match name {
                RuleOrGroup::Rule(rule) => format!("{rule} is not a rule of the profile {profile}"),
                RuleOrGroup::Group(_) => format!("the profile {profile} has no rule of the group {name}"),
            },
            hint: Some(format!("To see those that are: oauth check --list --for {profile}")),
        }
        .into()),
    }
}

/// Refuses flags of a login that an examination has no use for.
///
/// # Errors
/// [`SettingsError::Contradiction`].
fn reject_login_flags(options: &CheckOptions) -> Result<(), SettingsError> {
    const WHOLE_LOGINS: &str = "a check needs complete logins";
    for (is_given, flag, problem) in [
        (
            options.login.session.refresh_token_stdin,
            "--refresh-token-stdin",
            WHOLE_LOGINS,
        ),
        (
            options.login.session.stop_before.is_some(),
            "--stop-before",
            WHOLE_LOGINS,
        ),
        (
            options.login.request.dpop,
            "--dpop",
            "the rules about DPoP bind tokens of their own, and the others are tested with Bearer tokens",
        ),
    ] {
        if is_given {
            return Err(SettingsError::Contradiction {
                one: "oauth check".to_owned(),
                other: flag.to_owned(),
                problem: problem.to_owned(),
            });
        }
    }
    Ok(())
}

/// Whether clients are registered at the server.
fn may_register(choice: RegistrationChoice, rules: &Selection) -> bool {
    match choice {
        RegistrationChoice::Now => true,
        RegistrationChoice::Never => false,
        RegistrationChoice::WhereNeeded => rules.profile == Some(ServerProfile::Mcp),
    }
}

/// The login that the server is examined by.
fn resolve(context: &Context, options: &CheckOptions, config: &Config) -> Result<ResolvedLogin, Error> {
    reject_login_flags(options)?;
    let resolved = settings::login(&options.login, &context.environment, config);
    let mut resolved = resolved.map_err(|error| explain_missing(error, &options.login))?;
    if resolved.client_search.registration == RegistrationChoice::Now {
        // It says that clients are registered, and another one may be examined with.
        let named = &options.login.client;
        let saved = config.profile(&resolved.profile).cloned().unwrap_or_default();
        resolved.request.client.id = named.named_id(&context.environment, &saved)?;
    }
    if resolved.grant != LoginGrant::AuthorizationCode {
        return Err(SettingsError::Value {
            name: "--grant".to_owned(),
            problem: "the check tests the authorization code grant".to_owned(),
            hint: Some("Give it for this run: --grant authorization-code".to_owned()),
        }
        .into());
    }
    Ok(resolved)
}

fn examine(context: &Context, options: &CheckOptions, rules: Selection) -> Result<Report, Error> {
    let config = context.config()?;
    let mut resolved = resolve(context, options, &config)?;
    let profile = config.profile(&resolved.profile);
    let given = given_client_credentials(context, &options.login, (&resolved, Purpose::Login))?;
    let mut observer = context.observer();
    let registers = may_register(resolved.client_search.registration, &rules);
    let client_home = use_kept_client(context, &config, &mut resolved, given, &mut observer)?;
    if resolved.request.client.id.is_none() && !registers {
        return Err(missing_client(&config, &resolved, &options.login));
    }
    check_client_authentication(context, &resolved)?;
    let allowance = resolved.request.server.allowance;
    let transport = context.transport(profile, allowance == HttpPolicy::Everywhere)?;

    let host = detect_host(&context.environment);
    let mut user_agent = DesktopBrowser {
        browser_launchers: match options.login.browser.no_browser {
            true => Vec::new(),
            false => browser_launchers(resolved.browser.as_deref(), &context.environment, &host)?,
        },
        http_policy: allowance,
        environment: &context.environment,
    };
    let has_nobody = has_nobody(context, &options.login, &resolved);
    let paste_only = matches!(resolved.request.callback, CallbackChoice::Paste(_));
    let request = CheckRequest {
        client_id: resolved.request.client.id.clone().unwrap_or_else(ClientId::unnamed),
        login: resolved.request,
        registers,
        has_nobody,
        rules,
        client_home,
        deadline: context.deadline.map(|deadline| deadline.at),
    };
    let runtime = context.runtime()?;
    let in_runtime = runtime.enter();
    let mut pasted = open_paste_source(paste_only, options.login.client.client_secret_stdin)?;
    let shutdown = Box::pin(shutdown_signal());
    drop(in_runtime);
    let mut save_nothing = |_: &Session, _: &mut dyn Observer| Ok(());
    let mut login_context = LoginContext {
        caller: caller(&transport, &mut observer),
        user_agent: &mut user_agent,
        pasted: pasted.as_mut().map(|lines| lines as &mut dyn PasteSource),
        host: &host,
        save: &mut save_nothing,
    };
    Ok(check_server(&request, &mut login_context, &runtime, shutdown)?)
}
