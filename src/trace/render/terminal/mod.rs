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
//! whole URL is always alone on its line, unbroken and without colour, so
//! that it can be copied. While someone waits at a terminal, one line shows the time that is left; it is
//! taken away before anything else is written, and at the end.

mod address;
mod columns;
mod device_prompt;
mod exchange;
mod step;
mod waiting;

use super::json::event_object;
use crate::foreign_text::{sanitize, sanitize_line, sanitize_unbounded};
use crate::output::message::message_rows;
use crate::output::theme::{Role, Theme};
use crate::output::wrap::Lead;
use crate::trace::ordered_json::{OrderedJson, object};
use crate::trace::redact::Redaction;
use crate::trace::{AuthorizationAddress, Event, NoteName, Observer, Paste, Progress};
use address::AddressLines;
use device_prompt::DevicePrompt;
use jiff::Zoned;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use step::level_of;
use waiting::{SharedWriter, WaitingLine};

/// What is said where a person may paste a URL and a listener waits too.
const PASTE_BESIDE_LISTENER: &str =
    "Browser on another machine? Paste the address that it ends on (even an error page) and press Enter.";

/// The same where no listener waits.
const PASTE_ONLY: &str =
    "After you have signed in, paste the address that the browser ends on (an error page is right) and press Enter.";

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
    /// Whether standard error is a terminal.
    pub is_terminal: bool,
    /// Whether it is one on which a line can be redrawn.
    pub redraws: bool,
    /// How many columns it has: wider values go on in the next line. `None`
    /// where nothing is to be broken.
    pub width: Option<usize>,
    /// How many rows it has, where it is one.
    pub height: Option<usize>,
}

/// The renderer for standard error.
pub struct Terminal {
    settings: TerminalSettings,
    theme: Theme,
    redaction: Redaction,
    writer: SharedWriter,
    now: fn() -> Zoned,
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
        Terminal::new(settings, Box::new(std::io::stderr()))
    }

    /// Writes to `writer`.
    pub fn new(settings: TerminalSettings, writer: Box<dyn Write + Send>) -> Self {
        let mut terminal = Terminal {
            settings,
            theme: Theme::new(settings.colour),
            redaction: Redaction::new(settings.show_secrets),
            writer: Arc::new(Mutex::new(writer)),
            now: Zoned::now,
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
    /// error that cannot be written to is no reason to stop.
    fn line(&mut self, text: &str) {
        let write = |writer: &mut dyn Write| {
            let _ = writeln!(writer, "{text}").and_then(|()| writer.flush());
        };
        match &self.waiting {
            Some(waiting) => waiting.around(write),
            None => write(&mut **waiting::lock(&self.writer)),
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

    /// A browser has the URL: the person is shown which server it is of.
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
        if self.settings.redraws {
            self.waiting = Some(WaitingLine::begin(&self.writer, awaited, timeout));
        } else {
            let text = waiting::plain_line(&(self.now)(), awaited, timeout);
            self.line(&text);
        }
    }

    /// Whether a long work is shown by a line that is redrawn.
    fn shows_progress(&self) -> bool {
        self.settings.redraws && !self.settings.quiet && !self.settings.json && self.level() < 2
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
            1 => "up to 1 more login".to_owned(),
            logins => format!("up to {logins} more logins"),
        };
        match &self.waiting {
            Some(line) => line.show(message, left),
            None => self.waiting = Some(WaitingLine::of_work(&self.writer, message, left)),
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

#[cfg(test)]
mod tests;
