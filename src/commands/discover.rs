//! `oauth discover`: each URL that a server may publish its metadata at and
//! what became of it, what the server says that it can do and what it lacks,
//! and what in its words is broken, contradictory or risky.

use crate::app::context::{Context, caller};
use crate::app::signals::interruptible;
use crate::args::cli::DiscoverOptions;
use crate::args::settings;
use crate::error::Error;
use crate::exit::{Diagnosis, ExitCode};
use crate::flow::discovery::DiscoveryError;
use crate::flow::discovery::capabilities::capabilities;
use crate::flow::discovery::demands::{Demand, LoginTarget, demands, login_command};
use crate::flow::discovery::lint::{Finding, findings};
use crate::flow::discovery::report::{DiscoveryReport, explore};
use crate::flow::discovery::walk::FoundDocument;
use crate::foreign_text::{sanitize, sanitize_json};
use crate::output::report;
use crate::output::table::{align_columns, fits};
use crate::output::theme::{Role, Theme};
use crate::protocol::endpoint::{HttpPolicy, Issuer};
use crate::protocol::metadata::ServerMetadata;
use crate::trace::ordered_json::{OrderedJson, object};
use crate::transport::{TransportError, UrlSource};
use serde_json::Value;
use std::fmt;
use url::Url;

pub(super) fn run(context: &Context, options: &DiscoverOptions) -> Result<(), Error> {
    let (url, issuer) = settings::discover_url(&options.url)?;
    let transport = context.transport(None, false)?;
    transport.prepare(url.url(), UrlSource::User).map_err(RequestNotSent)?;
    let mut observer = context.observer();
    let mut caller = caller(&transport, &mut observer);
    let exploring = explore(&url, issuer.as_ref(), &mut caller);
    let mut exploration = context.runtime()?.block_on(interruptible(exploring))?;

    let findings = findings(&exploration);
    let fit = Fit::new(context, &exploration, &options.url);
    if context.style.json {
        report::print(as_json(&exploration, &findings, &fit).as_bytes())?;
    } else {
        let theme = Theme::new(context.stdout_has_colour());
        report::print_lines(&as_text(&exploration, &findings, &fit, theme))?;
    }
    if exploration.server.is_none()
        && let Some(problem) = exploration.resource_problem.take()
    {
        return Err(problem.into());
    }
    if let Some(failure) = exploration.failure(&options.url) {
        return Err(NothingUsable(failure).into());
    }
    exploration.server.as_ref().map_or(Ok(()), usable)
}

/// What the server demands, and what meets it.
struct Fit {
    issuer: Option<String>,
    demands: Vec<Demand>,
    /// The command that logs in.
    login: Option<String>,
    /// Saved profiles of this issuer, with the options that they lack.
    lacking: Vec<(String, Vec<&'static str>)>,
}

impl Fit {
    fn new(context: &Context, exploration: &DiscoveryReport, asked: &str) -> Self {
        let members = exploration.usable_members();
        let issuer = members.get("issuer").and_then(Value::as_str).map(str::to_owned);
        let demands = demands(&members);
        // Without a configuration that can be read there is nothing to compare with.
        let config = context.config().ok();
        let profiles = config.iter().flat_map(|config| config.profiles());
        let lacking = profiles
            .filter(|(_, profile)| issuer.is_some() && profile.text("issuer") == issuer.as_deref())
            .map(|(name, profile)| {
                let has = |key: &str| profile.settings().any(|(own, _)| own == key);
                let missing = demands.iter().filter_map(|demand| demand.missing_options(has));
                (name.to_string(), missing.collect())
            })
            .filter(|(_, missing): &(String, Vec<&str>)| !missing.is_empty())
            .collect();
        let is_usable = exploration.server.as_ref().is_some_and(|server| usable(server).is_ok());
        // One whose metadata cannot be used is no API to a login.
        let is_api = exploration.resource.is_some() && exploration.resource_problem.is_none();
        Fit {
            login: issuer.as_deref().filter(|_| is_usable).and_then(|issuer| {
                let target = match is_api {
                    true => LoginTarget::Api(asked),
                    false => LoginTarget::Issuer(issuer),
                };
                login_command(target, &members)
            }),
            issuer,
            demands,
            lacking,
        }
    }

    fn sections(&self, width: Option<usize>, theme: Theme) -> Vec<String> {
        let mut sections = Vec::new();
        if let Some(login) = &self.login {
            sections.push(format!("log in with:\n  {}\n", sanitize(login)));
        }
        for (profile, missing) in &self.lacking {
            sections.push(format!(
                "profile \"{profile}\" does not meet the server's requirements; log in with:\n  oauth login {profile} {}\n",
                missing.join(" ")
            ));
        }
        if !self.demands.is_empty() {
            let mut table = vec![["DEMANDED", "SPECIFICATION", "HOW IT IS MET"].map(str::to_owned)];
            table.extend(self.demands.iter().map(|demand| {
                let met = demand.options().unwrap_or("by itself");
                [demand.what, demand.reference, met].map(str::to_owned)
            }));
            sections.push(with_titles(&align_columns(&table, width), theme));
        }
        sections
    }
}

/// The transport refused the request before it was sent.
#[derive(Debug, thiserror::Error)]
#[error("the request cannot be sent")]
struct RequestNotSent(#[source] TransportError);

impl Diagnosis for RequestNotSent {
    fn exit_code(&self) -> ExitCode {
        self.0.exit_code()
    }

    fn hints(&self) -> Vec<String> {
        self.0.hints()
    }
}

/// No metadata that a login could use. The options of a login are not those of
/// this command, and the server's author may be the one who asks.
#[derive(Debug)]
struct NothingUsable(DiscoveryError);

impl fmt::Display for NothingUsable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.without_attempts())
    }
}

impl std::error::Error for NothingUsable {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

impl Diagnosis for NothingUsable {
    fn exit_code(&self) -> ExitCode {
        self.0.exit_code()
    }

    fn hints(&self) -> Vec<String> {
        self.0.hints_for_discovery()
    }
}

/// Whether a login could use the document. What it lacks is in the findings.
fn usable(server: &FoundDocument) -> Result<(), Error> {
    let Ok(asked) = Issuer::parse(&server.asked, HttpPolicy::LoopbackOnly) else {
        return Ok(());
    };
    let read = ServerMetadata::parse(&server.bytes, &asked, HttpPolicy::LoopbackOnly)
        .and_then(|metadata| metadata.problem_for_a_login().cloned().map_or(Ok(()), Err));
    read.map_err(|problem| {
        let url = server.url.to_string();
        NothingUsable(DiscoveryError::Invalid { url, problem }).into()
    })
}

/// `{document, other_documents, resource, attempts, findings, demands, login}`; documents as they came, their members in order.
fn as_json(exploration: &DiscoveryReport, findings: &[Finding], fit: &Fit) -> String {
    let document = |found: Option<&FoundDocument>| {
        let document = found.and_then(|found| OrderedJson::parse(&found.bytes));
        document.unwrap_or(OrderedJson::Null)
    };
    let others = exploration.other_documents.iter();
    let others = others.map(|other| document(Some(other))).collect();
    let attempts = exploration.attempts.iter().map(|attempt| {
        object([
            ("url", attempt.url.as_str().into()),
            (
                "status",
                attempt
                    .status()
                    .map_or(OrderedJson::Null, |status| u64::from(status).into()),
            ),
            ("taken", OrderedJson::Bool(attempt.is_used())),
            ("reason", attempt.reason().as_str().into()),
        ])
    });
    let findings = findings.iter().map(|finding| {
        let reference = Some(finding.reference.as_str()).filter(|reference| !reference.is_empty());
        object([
            ("rule", finding.rule.map_or(OrderedJson::Null, |rule| rule.id().into())),
            ("level", finding.severity.as_str().into()),
            ("reference", reference.map_or(OrderedJson::Null, OrderedJson::from)),
            ("message", finding.message.as_str().into()),
        ])
    });
    let text_or_null = |text: Option<&str>| text.map_or(OrderedJson::Null, OrderedJson::from);
    let demands = fit.demands.iter().map(|demand| {
        object([
            ("what", demand.what.into()),
            ("reference", demand.reference.into()),
            ("options", text_or_null(demand.options())),
        ])
    });
    let result = object([
        ("document", document(exploration.server.as_ref())),
        ("other_documents", OrderedJson::List(others)),
        ("resource", document(exploration.resource.as_ref())),
        ("attempts", OrderedJson::List(attempts.collect())),
        ("findings", OrderedJson::List(findings.collect())),
        ("demands", OrderedJson::List(demands.collect())),
        ("login", text_or_null(fit.login.as_deref())),
    ]);
    sanitize_json(&result.line()) + "\n"
}

/// The findings and the command that logs in first; then what the server
/// demands and announces, and where that was found.
fn as_text(exploration: &DiscoveryReport, findings: &[Finding], fit: &Fit, theme: Theme) -> String {
    let width = report::stdout_width();
    let mut sections = Vec::new();
    if exploration.server.is_some() {
        let issuer = fit.issuer.as_deref().unwrap_or("(none)");
        sections.push(format!("issuer  {}\n", sanitize(issuer)));
    }
    sections.extend(findings_section(exploration, findings, width, theme));
    if exploration.server.is_some() {
        sections.extend(fit.sections(width, theme));
        sections.push(capabilities_section(exploration, width, theme));
    }
    sections.push(attempts_section(exploration, width, theme));
    sections.join("\n")
}

fn findings_section(
    exploration: &DiscoveryReport,
    findings: &[Finding],
    width: Option<usize>,
    theme: Theme,
) -> Option<String> {
    if findings.is_empty() {
        let none = format!("{} no problems found in its metadata\n", theme.paint(Role::Good, "✓"));
        return exploration.server.is_some().then_some(none);
    }
    let mut table = vec![["LEVEL", "SPECIFICATION", "FINDING"].map(str::to_owned)];
    table.extend(findings.iter().map(|finding| {
        [
            finding.severity.as_str().to_owned(),
            finding.reference.clone(),
            sanitize(&finding.message),
        ]
    }));
    let rows = with_titles(&align_columns(&table, width), theme);
    let coloured = rows.lines().map(|row| match row.split_once(' ') {
        Some(("MUST", rest)) => format!("{} {rest}\n", theme.paint(Role::Error, "MUST")),
        Some(("SHOULD", rest)) => format!("{} {rest}\n", theme.paint(Role::Warning, "SHOULD")),
        _ => format!("{row}\n"),
    });
    Some(coloured.collect())
}

fn capabilities_section(exploration: &DiscoveryReport, width: Option<usize>, theme: Theme) -> String {
    let mut table = vec![[ANNOUNCED, "WHAT", "SPECIFICATION", "HOW"].map(str::to_owned)];
    let capabilities = capabilities(&exploration.usable_members());
    table.extend(capabilities.into_iter().map(|capability| {
        let announced = if capability.announced.is_some() { "yes" } else { "no" };
        let how = capability.announced.as_deref().map(sanitize).unwrap_or_default();
        [
            announced.to_owned(),
            capability.what.to_owned(),
            capability.reference.to_owned(),
            how,
        ]
    }));
    if fits(&table, width) {
        return with_titles(&align_columns(&table, width), theme);
    }
    // with the specification behind the fact more rows have room beside their name
    let narrow = table.into_iter().map(|[announced, what, reference, how]| {
        let how = match how.is_empty() {
            true => reference,
            false if announced == ANNOUNCED => how,
            // no row ends within it
            false => format!("{how} ({})", reference.replace(' ', "\u{a0}")),
        };
        [announced, what, how]
    });
    with_titles(&align_columns(&narrow.collect::<Vec<_>>(), width), theme)
}

const ANNOUNCED: &str = "ANNOUNCED";

fn attempts_section(exploration: &DiscoveryReport, width: Option<usize>, theme: Theme) -> String {
    let mut table = vec![["STATUS", "URL", "RESULT"].map(str::to_owned)];
    let is_unusable =
        |url: &Url| matches!(&exploration.server, Some(server) if server.url == *url && usable(server).is_err());
    table.extend(exploration.attempts.iter().map(|attempt| {
        let status = attempt
            .status()
            .map_or_else(|| "-".to_owned(), |status| status.to_string());
        let result = match (attempt.is_used(), &attempt.reason()) {
            (true, reason) if is_unusable(&attempt.url) => format!("examined: {reason}"),
            (true, reason) => format!("used: {reason}"),
            (false, reason) if *reason == status => "not used".to_owned(),
            (false, reason) => format!("not used: {reason}"),
        };
        [status, sanitize(attempt.url.as_str()), sanitize(&result)]
    }));
    with_titles(&align_columns(&table, width), theme)
}

/// The row of titles set back.
fn with_titles(table: &str, theme: Theme) -> String {
    let (titles, rows) = table.split_once('\n').unwrap_or((table, ""));
    format!("{}\n{rows}", theme.paint(Role::Aside, titles))
}
