//! What `-v`, `-vv` and `-vvv` show of a step, and from which level on each
//! event is shown.

use super::Terminal;
use super::columns::INDENT;
use crate::foreign_text::sanitize;
use crate::output::theme::Role;
use crate::trace::diagram::reason_phrase;
use crate::trace::{Event, Verdict};

impl Terminal {
    /// The lines of an event that its level shows.
    pub(super) fn text(&mut self, event: &Event<'_>) {
        match event {
            Event::StepBegins(step) => {
                let title = format!("{}/7 {}", step.number(), step.title());
                let title = self.theme.paint(Role::Heading, &title);
                self.line(&title);
            }
            Event::Detail { name, value } => self.fact(name, &sanitize(value)),
            Event::Message {
                from,
                to,
                title,
                params,
            } => {
                let title = format!("{title}: {} -> {}", from.name(), to.name());
                let heading = self.theme.paint(Role::Heading, &sanitize(&title));
                let mut lines = vec![format!("{INDENT}{heading}")];
                lines.extend(self.params(INDENT, params));
                self.line(&lines.join("\n"));
            }
            Event::BrowserStarted { command } => self.fact("browser", &sanitize(command)),
            Event::RequestSent(request) => {
                let lines = self.request_lines(request);
                self.line(&lines.join("\n"));
            }
            Event::ResponseReceived { request, response } => {
                let lines = self.response_lines(request, response);
                self.line(&lines.join("\n"));
            }
            Event::RequestFailed { reason, .. } => {
                let lines = self.failure_lines(reason);
                self.line(&lines.join("\n"));
            }
            Event::Progress(progress) => {
                let title = format!("rule {}: {}", sanitize(progress.rule), sanitize(progress.text));
                let title = self.theme.paint(Role::Heading, &title);
                self.line(&title);
            }
            Event::RuleTested { rule, verdict, reason } => self.verdict(rule, *verdict, reason),
            _ => {
                if let Some((label, remark)) = remark(event) {
                    self.remark(label, &remark);
                }
            }
        }
    }

    fn verdict(&mut self, rule: &str, verdict: Verdict, reason: &str) {
        let (role, label) = match verdict {
            Verdict::Pass => (Role::Good, "pass:"),
            Verdict::Fail => (Role::Error, "fail:"),
            Verdict::Warning => (Role::Warning, "warning:"),
            Verdict::Skipped => (Role::Aside, "skipped:"),
        };
        let separator = if reason.is_empty() { "" } else { ": " };
        self.labelled(role, label, &format!("{rule}{separator}{reason}"));
    }
}

/// What an event adds to its step, with the word before it. `None` where the
/// event is shown in another way.
fn remark(event: &Event<'_>) -> Option<(&'static str, String)> {
    Some(match event {
        Event::CallbackIgnored { reason, .. } => ("ignored:", (*reason).to_owned()),
        Event::CallbackAnswered { status, .. } => {
            let phrase = reason_phrase(*status);
            ("answered:", format!("the browser gets {status} {phrase}"))
        }
        Event::DiscoveryTried { url, not_taken: None } => ("decided:", format!("metadata: {url} is used")),
        Event::DiscoveryTried {
            url,
            not_taken: Some(reason),
        } => ("decided:", format!("metadata: {url} is not used: {reason}")),
        Event::Refreshed { rotated, .. } => {
            let and = if *rotated { " and a new refresh token" } else { "" };
            ("received:", format!("a new access token{and}"))
        }
        Event::Revoked { token_type } => ("revoked:", (*token_type).to_owned()),
        Event::Stored { store } => ("decided:", format!("stored in {store}")),
        Event::Forgotten { store } => ("decided:", format!("deleted from {store}")),
        Event::Decision(text) => ("decided:", (*text).to_owned()),
        Event::CheckPassed(text) => ("checked:", (*text).to_owned()),
        Event::CheckSkipped(text) => ("not checked:", (*text).to_owned()),
        _ => return None,
    })
}

/// From which verbosity on an event is shown.
pub(super) fn level_of(event: &Event<'_>) -> u8 {
    match event {
        Event::AuthorizationUrl(_)
        | Event::UserCode { .. }
        | Event::BrowserOverdue { .. }
        | Event::BrowserFailed { .. }
        | Event::BrowserExited { .. }
        | Event::CallbackIgnored { notable: true, .. }
        | Event::WaitBegins { .. }
        | Event::WaitEnds
        | Event::Note(_)
        | Event::NamedNote(..)
        | Event::Outcome(_)
        | Event::Success(_)
        | Event::SuccessDetail(_)
        | Event::Retried { .. }
        | Event::Warning(_)
        | Event::Failed { .. } => 0,
        Event::StepBegins(_)
        | Event::Detail { .. }
        | Event::Message { .. }
        | Event::BrowserStarted { .. }
        | Event::CallbackIgnored { .. }
        | Event::CheckSkipped(_) => 1,
        Event::RequestSent(_)
        | Event::ResponseReceived { .. }
        | Event::RequestFailed { .. }
        | Event::CallbackAnswered { .. }
        | Event::Refreshed { .. }
        | Event::Revoked { .. }
        | Event::Progress(_)
        | Event::RuleTested {
            verdict: Verdict::Fail | Verdict::Warning,
            ..
        }
        | Event::CheckPassed(_) => 2,
        Event::RuleTested { .. }
        | Event::DiscoveryTried { .. }
        | Event::Stored { .. }
        | Event::Forgotten { .. }
        | Event::Decision(_) => 3,
    }
}
