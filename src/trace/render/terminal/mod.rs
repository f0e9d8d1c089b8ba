//! Events as a person at a terminal reads them, or, with `--json`, as lines
//! that each hold one JSON object. Everything goes to standard error.
//!
//! | level | what appears |
//! | --- | --- |
//! | 0 | the authorization URL, notes, warnings, how long is left to wait |
//! | 1 (`-v`) | the seven steps with their parameters |
//! | 2 (`-vv`) | each HTTP exchange, and the checks that held |
//! | 3 (`-vvv`) | the decisions on the way |
//!
//! `--quiet` leaves the authorization URL alone, and that only where no browser
//! was opened or none came back for a while. On a terminal the whole URL is
//! printed only then, too, or with `-v`; before, one line names the server. The
//! whole URL always stands alone on its line, unbroken and without colour, so
//! that it can be copied. While somebody waits at a terminal, one line shows the time that is left; it is
//! taken away before anything else is written, and at the end.

mod address;
mod device_prompt;
mod exchange;
mod waiting;

use super::json::event_object;
use crate::foreign_text::{sanitize, sanitize_line, sanitize_unbounded};
use crate::output::message::message_rows;
use crate::output::theme::{Role, Theme};
use crate::output::wrap::{Lead, wrap};
use crate::protocol::params::Params;
use crate::trace::diagram::reason_phrase;
use crate::trace::ordered_json::{OrderedJson, object};
use crate::trace::redact::Redaction;
use crate::trace::{AuthorizationAddress, Event, NoteName, Observer, Paste, Progress, Verdict};
use address::AddressLines;
use device_prompt::DevicePrompt;
use indicatif::ProgressDrawTarget;
use jiff::Zoned;
use std::io::Write;
use std::time::Duration;
use waiting::WaitingLine;

/// Names are padded to the longest that the flow itself uses,
/// `code_challenge_method`, so that values stand in one column.
const NAME_WIDTH: usize = 21;

/// What is said where a person may paste a URL and a listener waits too.
const PASTE_BESIDE_LISTENER: &str =
    "Browser on another machine? Paste the address that it ends on (even an error page) and press Enter.";

/// The same where no listener waits.
const PASTE_ONLY: &str = "Sign in there, then paste the address that the browser ends on and press Enter.";

/// How far everything that belongs to a step is moved in.
const INDENT: &str = "      ";

/// What the user asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct TerminalSettings {
    /// How many `-v`: 0 to 3, more counts as 3.
    pub verbosity: u8,
    /// `--quiet`: overrules `verbosity`.
    pub quiet: bool,
    /// `--json`: each line is a JSON object.
    pub json: bool,
    /// Whether there is colour; see [`Theme`].
    pub colour: bool,
    /// `--show-secrets`.
    pub show_secrets: bool,
    /// Whether standard error is a terminal, where a line can be redrawn.
    pub is_terminal: bool,
    /// How many columns it has: wider values go on in the next line. `None`
    /// where nothing is to be broken.
    pub width: Option<usize>,
}

/// The renderer for standard error.
pub struct Terminal {
    settings: TerminalSettings,
    theme: Theme,
    redaction: Redaction,
    writer: Box<dyn Write + Send>,
    now: fn() -> Zoned,
    draw_target: fn() -> ProgressDrawTarget,
    waiting: Option<WaitingLine>,
    addresses: AddressLines,
    /// Whether a URL can be pasted beside the listener, which is said when no
    /// browser comes back.
    paste_beside_listener: bool,
    /// Whether no browser has taken the URL, or none came back.
    is_overdue: bool,
}

impl Terminal {
    /// Writes to standard error.
    pub fn on_stderr(settings: TerminalSettings) -> Self {
        Terminal::new(settings, Box::new(std::io::stderr()), ProgressDrawTarget::stderr)
    }

    /// Writes lines to `writer`; the line that is redrawn goes to `draw_target`.
    /// The two are the same device unless a test looks at them apart.
    pub fn new(
        settings: TerminalSettings,
        writer: Box<dyn Write + Send>,
        draw_target: fn() -> ProgressDrawTarget,
    ) -> Self {
        let mut terminal = Terminal {
            settings,
            theme: Theme::new(settings.colour),
            redaction: Redaction::new(settings.show_secrets),
            writer,
            now: Zoned::now,
            draw_target,
            waiting: None,
            addresses: AddressLines::default(),
            paste_beside_listener: false,
            is_overdue: false,
        };
        if settings.show_secrets && terminal.level() >= 1 {
            terminal.warning("the lines below show secrets (--show-secrets): do not share them");
        }
        terminal
    }

    /// Tells the time for "waiting until"; for tests.
    #[cfg(test)]
    fn with_clock(mut self, now: fn() -> Zoned) -> Self {
        self.now = now;
        self
    }

    fn level(&self) -> u8 {
        if self.settings.quiet {
            0
        } else {
            self.settings.verbosity
        }
    }

    /// Writes whole lines, around the waiting line if there is one. A standard
    /// error that cannot be written to is nobody's reason to stop.
    fn line(&mut self, text: &str) {
        let writer = &mut self.writer;
        let mut write = || {
            let _ = writeln!(writer, "{text}").and_then(|()| writer.flush());
        };
        match &self.waiting {
            Some(waiting) => waiting.around(write),
            None => write(),
        }
    }

    fn json_line(&mut self, document: &OrderedJson) {
        self.line(&document.line());
    }

    fn note(&mut self, name: Option<NoteName>, text: &str) {
        if self.settings.quiet {
        } else if self.settings.json {
            let text = ("note", sanitize_line(text).into());
            self.json_line(&match name {
                Some(name) => object([text, ("name", name.as_str().into())]),
                None => object([text]),
            });
        } else {
            self.wrapped_line(Some((Role::Hint, "note:")), text);
        }
    }

    fn outcome(&mut self, text: &str) {
        if self.settings.json {
            self.note(None, text);
        } else if !self.settings.quiet {
            self.wrapped_line(None, text);
        }
    }

    /// With a tick on a terminal, where it begins with a capital.
    fn success(&mut self, text: &str) {
        if !self.settings.is_terminal || self.settings.json || self.settings.quiet {
            return self.outcome(text);
        }
        let mut characters = text.chars();
        let first: String = characters.next().into_iter().flat_map(char::to_uppercase).collect();
        let lead = format!("{} ", self.theme.paint(Role::Good, "✓"));
        let text = sanitize(&format!("{first}{}", characters.as_str()));
        let label = Lead {
            text: &lead,
            columns: 2,
        };
        self.line(&message_rows(self.settings.width, label, &text).join("\n"));
    }

    fn success_detail(&mut self, text: &str) {
        if !self.settings.is_terminal || self.settings.json || self.settings.quiet {
            return self.outcome(text);
        }
        let rows = self.wrapped(Lead::plain("  "), Lead::plain("      "), &sanitize(text));
        let rows: Vec<String> = rows.iter().map(|row| self.theme.paint(Role::Aside, row)).collect();
        self.line(&rows.join("\n"));
    }

    fn warning(&mut self, text: &str) {
        if self.settings.quiet {
        } else if self.settings.json {
            self.json_line(&object([("warning", sanitize(text).into())]));
        } else {
            self.wrapped_line(Some((Role::Warning, "warning:")), text);
        }
    }

    fn authorization_url(&mut self, address: &AuthorizationAddress<'_>) {
        self.is_overdue = false;
        let url = sanitize_unbounded(address.url);
        if self.settings.json {
            let mut members = vec![("authorization_url", OrderedJson::from(url))];
            if let Some(redirect_uri) = address.redirect_uri {
                let forward_command = address.forward_command.map(|command| sanitize(command).into());
                members.push(("redirect_uri", sanitize_unbounded(redirect_uri).into()));
                members.push(("forward_command", forward_command.unwrap_or(OrderedJson::Null)));
            }
            let members = members.into_iter().map(|(name, value)| (name.to_owned(), value));
            self.json_line(&OrderedJson::Object(members.collect()));
            return;
        }
        if self.defers_url() {
            self.addresses.defer(address.url);
        } else if !self.settings.quiet {
            self.line("Sign in at this address:");
            self.line(&url);
        }
    }

    /// Whether the whole URL is shown only where a person needs it.
    fn defers_url(&self) -> bool {
        self.settings.is_terminal && self.level() == 0 && !self.settings.json
    }

    /// A browser has the URL: a person is told which server it is of.
    fn browser_started(&mut self) {
        if let Some(url) = self.addresses.begin()
            && !self.settings.quiet
        {
            let line = address::opening_line(&url, self.settings.colour);
            self.line(&line);
        }
    }

    /// Who was not shown the whole URL sees it now.
    fn browser_overdue(&mut self, url: &str) {
        if self.settings.json {
            return;
        }
        self.is_overdue = true;
        let is_hidden = self.settings.quiet || self.addresses.reveal(url);
        if is_hidden {
            if !self.settings.quiet {
                self.line("Sign in at this address:");
            }
            self.line(&sanitize_unbounded(url));
        }
        if std::mem::take(&mut self.paste_beside_listener) {
            self.outcome(PASTE_BESIDE_LISTENER);
        }
    }

    fn wait_begins(&mut self, timeout: Duration, awaited: &str, paste: Paste) {
        if self.settings.quiet || self.settings.json {
            return;
        }
        match paste {
            Paste::No => {}
            Paste::BesideListener if self.settings.is_terminal && !self.is_overdue => self.paste_beside_listener = true,
            Paste::BesideListener => self.outcome(PASTE_BESIDE_LISTENER),
            Paste::Only => self.outcome(PASTE_ONLY),
        }
        // one line at a time
        self.waiting = None;
        let target = (self.draw_target)();
        // a terminal that cannot redraw (TERM=dumb) gets the plain line
        if self.settings.is_terminal && !target.is_hidden() {
            self.waiting = Some(WaitingLine::begin(target, awaited, timeout));
        } else {
            let text = waiting::plain_line(&(self.now)(), awaited, timeout);
            self.line(&text);
        }
    }

    /// Whether a long work is shown by a line that is redrawn.
    fn shows_progress(&self) -> bool {
        self.settings.is_terminal && !self.settings.quiet && !self.settings.json && self.level() < 2
    }

    fn progress(&mut self, progress: &Progress<'_>) {
        let message = format!(
            "{}/{} {}: {}",
            progress.number,
            progress.of,
            sanitize(progress.rule),
            sanitize(progress.text)
        );
        let left = match progress.logins_left {
            0 => String::new(),
            1 => "1 login left".to_owned(),
            logins => format!("{logins} logins left"),
        };
        match &self.waiting {
            Some(line) => line.show(message, left),
            None => {
                let target = (self.draw_target)();
                if !target.is_hidden() {
                    self.waiting = Some(WaitingLine::of_work(target, message, left));
                }
            }
        }
    }

    /// One fact of a step: name and value in their columns.
    fn fact(&mut self, name: &str, value: &str) {
        let lines = self.named(INDENT, name, value, NAME_WIDTH);
        self.line(&lines.join("\n"));
    }

    /// `name = value`, the name padded and set back; a long value goes on below itself.
    fn named(&self, indent: &str, name: &str, value: &str, width: usize) -> Vec<String> {
        let name = format!("{:width$} =", sanitize(name));
        let lead_columns = indent.len() + name.chars().count() + 1;
        let mark = indent.trim_end();
        let margin = match mark {
            "" => String::new(),
            mark => self.theme.paint(Role::Aside, mark),
        };
        let space = &indent[mark.len()..];
        let first = format!("{margin}{space}{} ", self.theme.paint(Role::Aside, &name));
        let below = format!("{margin}{:1$}", "", lead_columns - mark.len());
        let lead = |text| Lead {
            text,
            columns: lead_columns,
        };
        self.wrapped(lead(&first), lead(&below), value)
    }

    /// The text behind its lead, broken where it is too long for the terminal.
    fn wrapped(&self, first: Lead<'_>, further: Lead<'_>, text: &str) -> Vec<String> {
        wrap(self.settings.width, first, further, text)
    }

    /// A line of its own, at whatever level: its further rows are moved in. A
    /// command to be copied, which is moved in by itself, is left whole.
    fn wrapped_line(&mut self, label: Option<(Role, &str)>, text: &str) {
        let (lead, columns) = match label {
            Some((role, label)) => (format!("{} ", self.theme.paint(role, label)), label.len() + 1),
            None => (String::new(), 0),
        };
        let words = text.trim_start_matches(' ');
        let (indent, text) = (&text[..text.len() - words.len()], sanitize(words));
        let rows = match (self.settings.width, indent) {
            (width, "") => message_rows(width, Lead { text: &lead, columns }, &text),
            (None, indent) => vec![format!("{lead}{indent}{text}")],
            (Some(_), indent) => vec![format!("{:columns$}{indent}{text}", "")],
        };
        self.line(&rows.join("\n"));
    }

    /// Parameters in columns, each on its line.
    fn params(&self, indent: &str, params: &Params) -> Vec<String> {
        let longest = params.iter().map(|(name, _)| name.chars().count()).max();
        let width = NAME_WIDTH.max(longest.unwrap_or(0).min(2 * NAME_WIDTH));
        let lines = params.iter();
        lines
            .flat_map(|(name, value)| self.named(indent, name, &self.redaction.parameter(name, value), width))
            .collect()
    }

    fn remark(&mut self, label: &str, text: &str) {
        self.labelled(Role::Aside, label, text);
    }

    fn labelled(&mut self, role: Role, label: &str, text: &str) {
        let columns = INDENT.len() + label.chars().count() + 1;
        let lead = format!("{INDENT}{} ", self.theme.paint(role, label));
        let below = format!("{INDENT}  ");
        let first = Lead { text: &lead, columns };
        let rows = self.wrapped(first, Lead::plain(&below), &sanitize(text));
        self.line(&rows.join("\n"));
    }

    fn text(&mut self, event: &Event<'_>) {
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
            Event::CallbackIgnored { reason, .. } => self.remark("ignored:", reason),
            Event::CallbackAnswered { status, .. } => {
                self.remark(
                    "answered:",
                    &format!("the browser gets {status} {}", reason_phrase(*status)),
                );
            }
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
            Event::DiscoveryTried { url, not_taken: None } => {
                self.remark("decided:", &format!("metadata: {url} is used"));
            }
            Event::DiscoveryTried {
                url,
                not_taken: Some(reason),
            } => self.remark("decided:", &format!("metadata: {url} is not used: {reason}")),
            Event::Refreshed { rotated, .. } => {
                let and = if *rotated { " and a new refresh token" } else { "" };
                self.remark("refreshed:", &format!("a new access token{and}"));
            }
            Event::Revoked { token_type } => self.remark("revoked:", token_type),
            Event::Stored { store } => self.remark("decided:", &format!("stored in {store}")),
            Event::Forgotten { store } => self.remark("decided:", &format!("deleted from {store}")),
            Event::Progress(progress) => {
                let title = format!("rule {}: {}", sanitize(progress.rule), sanitize(progress.text));
                let title = self.theme.paint(Role::Heading, &title);
                self.line(&title);
            }
            Event::RuleTested { rule, verdict, reason } => {
                let (role, label) = match verdict {
                    Verdict::Pass => (Role::Good, "pass:"),
                    Verdict::Fail => (Role::Error, "fail:"),
                    Verdict::Warning => (Role::Warning, "warning:"),
                    Verdict::Skipped => (Role::Aside, "skipped:"),
                };
                let separator = if reason.is_empty() { "" } else { ": " };
                self.labelled(role, label, &format!("{rule}{separator}{reason}"));
            }
            Event::Decision(text) => self.remark("decided:", text),
            Event::CheckPassed(text) => self.remark("checked:", text),
            Event::CheckSkipped(text) => self.remark("not checked:", text),
            // shown at every level, or nothing to show
            Event::AuthorizationUrl(_)
            | Event::UserCode { .. }
            | Event::BrowserOverdue { .. }
            | Event::BrowserFailed { .. }
            | Event::BrowserExited { .. }
            | Event::WaitBegins { .. }
            | Event::WaitEnds
            | Event::Note(_)
            | Event::NamedNote(..)
            | Event::Outcome(_)
            | Event::Success(_)
            | Event::SuccessDetail(_)
            | Event::Retried { .. }
            | Event::Warning(_)
            | Event::Failed { .. } => {}
        }
    }
}

impl Observer for Terminal {
    fn observe(&mut self, event: &Event<'_>) {
        match event {
            Event::AuthorizationUrl(address) => self.authorization_url(address),
            Event::UserCode {
                verification_uri,
                verification_uri_complete,
                user_code,
                expires_in,
            } => {
                let prompt = DevicePrompt {
                    verification_uri,
                    verification_uri_complete: *verification_uri_complete,
                    user_code,
                    expires_in: *expires_in,
                };
                let text = prompt.text(&self.settings);
                self.line(&text);
            }
            Event::BrowserOverdue { url } => self.browser_overdue(url),
            Event::Note(text) => self.note(None, text),
            Event::NamedNote(name, text) => self.note(Some(*name), text),
            Event::Outcome(text) => self.outcome(text),
            Event::Success(text) => self.success(text),
            Event::SuccessDetail(text) => self.success_detail(text),
            Event::Warning(text) | Event::Retried { reason: text, .. } => self.warning(text),
            // told by whoever reports errors
            Event::Failed { .. } => {}
            Event::BrowserFailed { command, reason } => {
                self.warning(&format!(
                    "the browser could not be started with \"{command}\": {reason}"
                ));
            }
            Event::BrowserExited { command, how } => {
                self.warning(&format!("the browser command \"{command}\" {how}"));
            }
            Event::CallbackIgnored { reason, notable: true } => self.warning(reason),
            Event::WaitBegins {
                timeout,
                awaited,
                paste,
            } => self.wait_begins(*timeout, awaited, *paste),
            Event::WaitEnds => self.waiting = None,
            Event::Progress(progress) if self.shows_progress() => self.progress(progress),
            Event::BrowserStarted { .. } if self.defers_url() => self.browser_started(),
            _ if level_of(event) > self.level() => {}
            _ if self.settings.json => self.json_line(&event_object(event, self.redaction)),
            _ => self.text(event),
        }
    }
}

/// From which verbosity on an event is shown.
fn level_of(event: &Event<'_>) -> u8 {
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

#[cfg(test)]
mod tests;
