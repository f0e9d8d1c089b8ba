//! Who sees the events of a command: the terminal, and the trace files where
//! some were asked for.

use crate::app::hint_commands::GivenOptions;
use crate::args::cli::GlobalOptions;
use crate::error::Error;
use crate::output::causes::{causes, error_chain};
use crate::system::environment::Environment;
use crate::trace::files::TraceFiles;
use crate::trace::redact::Redaction;
use crate::trace::render::terminal::Terminal;
use crate::trace::renderer::TraceContext;
use crate::trace::{Event, Observer};
use std::cell::RefCell;
use std::ffi::OsString;
use std::rc::Rc;

/// The trace files, which all observers of a process share.
pub(crate) type SharedTrace = Rc<RefCell<TraceFiles>>;

/// Opens the files of `--trace`, else of `OAUTH_TRACE`, before anything else happens.
/// `arguments` is what was typed.
///
/// # Errors
/// [`crate::trace::TraceFileError`].
pub(crate) fn open_trace(
    (command, arguments): (&'static str, &[OsString]),
    global: &GlobalOptions,
    environment: &Environment,
) -> Result<Option<SharedTrace>, Error> {
    let paths = if global.trace.is_empty() {
        Vec::from_iter(environment.path("OAUTH_TRACE"))
    } else {
        global.trace.clone()
    };
    if paths.is_empty() {
        return Ok(None);
    }
    let redaction = Redaction::new(global.show_secrets);
    let context = TraceContext {
        command,
        command_line: redaction.command_line(arguments),
        began_at: jiff::Timestamp::now(),
        redaction,
    };
    Ok(Some(Rc::new(RefCell::new(TraceFiles::open(&paths, context)?))))
}

/// Tells of an error that the command ends with: the last event of a trace.
pub(crate) fn trace_failure(observer: &mut dyn Observer, error: &Error) {
    let causes = causes(&**error);
    observer.observe(&Event::Failed {
        message: &error.to_string(),
        causes: &causes,
        hints: &error.hints(),
        exit_code: error.exit_code(),
    });
}

/// Passes each event on to the files and to the terminal.
pub(crate) struct CommandObserver {
    terminal: Terminal,
    trace: Option<SharedTrace>,
    given: GivenOptions,
}

impl CommandObserver {
    pub(crate) fn new(terminal: Terminal, trace: Option<SharedTrace>, global: &GlobalOptions) -> Self {
        CommandObserver {
            terminal,
            trace,
            given: GivenOptions::for_notes(global),
        }
    }

    fn show(&mut self, event: &Event<'_>) {
        self.terminal.observe(event);
        let Some(trace) = &self.trace else { return };
        let mut trace = trace.borrow_mut();
        trace.observe(event);
        for failure in trace.take_failures() {
            let text = error_chain(&failure.to_string(), &failure);
            let warning = format!("{text}; the trace file is incomplete");
            self.terminal.observe(&Event::Warning(&warning));
        }
    }
}

impl Observer for CommandObserver {
    fn observe(&mut self, event: &Event<'_>) {
        match self.given.complete_note(event) {
            Some(note) => self.show(&note.event()),
            None => self.show(event),
        }
    }
}
