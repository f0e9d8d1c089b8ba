//! The top of the page: the server, the client, and what came of the command.

use super::row::prose;
use crate::exit::ExitCode;
use crate::foreign_text::{escape_html, sanitize, sanitize_line};
use crate::output::duration::describe_milliseconds;
use crate::trace::{Event, Party, Step};
use std::fmt::Write;
use std::time::Duration;
use url::Url;

/// What the events say about the whole command.
pub(super) struct Banner {
    server: Option<Server>,
    client_id: Option<String>,
    step: Option<Step>,
    failures: Vec<Failure>,
    outcome: Option<String>,
    is_finished: bool,
    elapsed: Duration,
}

/// An origin, and how sure it is that it is the authorization server's: a
/// later event that is as sure does not replace it.
struct Server {
    origin: String,
    certainty: Certainty,
}

#[derive(PartialEq, PartialOrd)]
enum Certainty {
    /// Something was fetched from it.
    Fetched,
    /// It got a request with parameters.
    Asked,
    /// The browser is sent there.
    SignIn,
}

struct Failure {
    message: String,
    causes: Vec<String>,
    hints: Vec<String>,
    exit_code: ExitCode,
    step: Option<Step>,
    /// The `id` of the row to look at.
    id: String,
}

impl Banner {
    pub(super) fn new() -> Self {
        Banner {
            server: None,
            client_id: None,
            step: None,
            failures: Vec::new(),
            outcome: None,
            is_finished: false,
            elapsed: Duration::ZERO,
        }
    }

    /// Takes note of an event.
    pub(super) fn observe(&mut self, event: &Event<'_>, since_start: Duration) {
        self.elapsed = since_start;
        match event {
            Event::StepBegins(step) => self.step = Some(*step),
            Event::Message { from, params, .. } if *from == Party::Client => {
                self.take_client(params.all("client_id").next())
            }
            Event::AuthorizationUrl(address) => {
                if let Ok(url) = Url::parse(address.url) {
                    self.take_server(&url, Certainty::SignIn);
                    let client_id = url.query_pairs().find(|(name, _)| name == "client_id");
                    self.take_client(client_id.as_ref().map(|(_, value)| value.as_ref()));
                }
            }
            Event::RequestSent(request) if event.to() == Party::AuthorizationServer => {
                let certainty = match request.form() {
                    Some(_) => Certainty::Asked,
                    None => Certainty::Fetched,
                };
                self.take_server(&request.url, certainty);
                self.take_client(request.form().and_then(|form| form.all("client_id").next()));
            }
            Event::Success(text) if self.outcome.is_none() => {
                self.outcome = Some(with_capital(&sanitize_line(text.lines().next().unwrap_or_default())));
            }
            Event::Failed {
                message,
                causes,
                hints,
                exit_code,
            } => self.failures.push(Failure {
                message: sanitize(message),
                causes: causes.iter().map(|cause| sanitize(cause)).collect(),
                hints: hints.iter().map(|hint| sanitize_line(hint)).collect(),
                exit_code: *exit_code,
                step: self.step,
                id: format!("failure-{}", self.failures.len() + 1),
            }),
            _ => {}
        }
    }

    /// The command has ended without an error.
    pub(super) fn finish(&mut self) {
        self.is_finished = true;
    }

    /// The `id` of the row of the last failure.
    pub(super) fn failure_id(&self) -> String {
        format!("failure-{}", self.failures.len())
    }

    /// The `id` of the answer that the last failure is about; the banner links to it from now on.
    pub(super) fn cause_id(&mut self) -> String {
        let id = format!("cause-{}", self.failures.len());
        if let Some(failure) = self.failures.last_mut() {
            failure.id.clone_from(&id);
        }
        id
    }

    fn take_server(&mut self, url: &Url, certainty: Certainty) {
        if self.server.as_ref().is_none_or(|known| known.certainty < certainty) {
            let origin = sanitize(&url.origin().ascii_serialization());
            self.server = Some(Server { origin, certainty });
        }
    }

    fn take_client(&mut self, client_id: Option<&str>) {
        if self.client_id.is_none() {
            self.client_id = client_id.map(sanitize);
        }
    }

    /// The part of the page.
    pub(super) fn render(&self) -> String {
        let elapsed = describe_milliseconds(self.elapsed);
        let mut page = String::new();
        if self.failures.is_empty() {
            let (class, mark, result) = match (self.is_finished, &self.outcome) {
                (true, Some(outcome)) => ("done", "✓", prose(outcome)),
                (true, None) => ("done", "✓", "Finished without an error".to_owned()),
                (false, _) => (
                    "unfinished",
                    "…",
                    "Not finished: the command was still running, or was killed".to_owned(),
                ),
            };
            // writing to a string does not fail
            let _ = write!(
                page,
                "<section class=\"banner {class}\"><p class=\"result\"><b>{mark}</b>{result}</p>"
            );
        } else {
            page.push_str("<section class=\"banner failed\">");
        }
        for failure in &self.failures {
            failure.write(&mut page);
        }
        let mut facts = vec![("time", elapsed)];
        facts.extend(
            self.client_id
                .iter()
                .map(|client_id| ("client", escape_html(client_id))),
        );
        facts.extend(self.server.iter().map(|server| ("server", escape_html(&server.origin))));
        page.push_str("<dl>");
        for (name, value) in facts.iter().rev() {
            let _ = write!(page, "<div><dt>{name}</dt><dd>{value}</dd></div>");
        }
        page.push_str("</dl></section>\n");
        page
    }
}

fn with_capital(text: &str) -> String {
    let mut characters = text.chars();
    let first: String = characters.next().into_iter().flat_map(char::to_uppercase).collect();
    first + characters.as_str()
}

impl Failure {
    fn write(&self, page: &mut String) {
        let _ = write!(
            page,
            "<p class=\"result\"><b>✕</b><a href=\"#{}\">{}</a></p>",
            self.id,
            prose(&self.message)
        );
        for cause in &self.causes {
            let _ = write!(page, "<p>{}</p>", prose(cause));
        }
        for hint in &self.hints {
            let _ = write!(page, "<p class=\"hint\">{}</p>", prose(hint));
        }
        let _ = write!(
            page,
            "<p class=\"remark\">exit code {} ({})",
            self.exit_code.code(),
            self.exit_code.name()
        );
        if let Some(step) = self.step {
            let _ = write!(page, ", step {}/7: {}", step.number(), escape_html(step.title()));
        }
        page.push_str("</p>");
    }
}
