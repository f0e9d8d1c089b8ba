//! The terminal of Unix: switched to single bytes while this process is in
//! the foreground, and switched back.
//!
//! Every switch happens under one lock, over a list of the terminals that are
//! switched at the moment, so that whoever ends the process can restore them
//! and nobody switches them again after that.

use super::TerminalInputError;
use super::lines::{Input, LineDecoder};
use crate::secret::Secret;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Signal, getpgrp, kill_current_process_group};
use rustix::termios::{
    LocalModes, OptionalActions, QueueSelector, SpecialCodeIndex, Termios, isatty, tcflush, tcgetattr, tcgetpgrp,
    tcsetattr,
};
use std::io::{PipeReader, PipeWriter};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use zeroize::Zeroizing;

/// How often a background process looks whether it came to the foreground.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// After asking to be suspended: by then the whole process has stopped.
const SUSPEND_PAUSE: Duration = Duration::from_millis(200);

/// Lines that nobody has asked for yet. Further ones are dropped.
const LINE_BACKLOG: usize = 16;

const BRACKETED_PASTE_ON: &[u8] = b"\x1b[?2004h";
const BRACKETED_PASTE_OFF: &[u8] = b"\x1b[?2004l";

/// Switches a special character off (`_POSIX_VDISABLE`).
const NO_CHARACTER: u8 = if cfg!(any(target_os = "linux", target_os = "android")) {
    0
} else {
    0xff
};

/// The terminals that are switched now.
static SWITCHED: Mutex<Vec<Arc<Terminal>>> = Mutex::new(Vec::new());

/// Restores every terminal that a [`PasteReader`] has switched, for good. For
/// ways out that run no destructor; calling it twice, or for nothing, is fine.
pub fn restore_terminal() {
    // nothing that runs under these locks panics, so a panic hook may wait for them
    for terminal in std::mem::take(&mut *lock(&SWITCHED)) {
        terminal.switch_back_for_good();
    }
}

/// Reads pasted lines from a terminal, on a thread of its own. Dropping it
/// restores the terminal.
#[derive(Debug)]
pub struct PasteReader {
    lines: mpsc::Receiver<Input>,
    terminal: Arc<Terminal>,
    /// The thread ends when this is dropped.
    _wake: PipeWriter,
    ended: bool,
}

impl PasteReader {
    /// Reads from standard input; `None` if that is not a terminal.
    ///
    /// # Errors
    /// [`TerminalInputError::Terminal`].
    pub fn open() -> Result<Option<PasteReader>, TerminalInputError> {
        let stdin = std::io::stdin();
        if !isatty(&stdin) {
            return Ok(None);
        }
        let terminal = stdin
            .as_fd()
            .try_clone_to_owned()
            .map_err(TerminalInputError::Terminal)?;
        PasteReader::open_on(terminal).map(Some)
    }

    /// Reads from this terminal.
    ///
    /// # Errors
    /// [`TerminalInputError::Terminal`].
    pub fn open_on(terminal: OwnedFd) -> Result<PasteReader, TerminalInputError> {
        restore_on_panic();
        let terminal = Arc::new(Terminal {
            descriptor: terminal,
            modes: Mutex::new(Modes::default()),
        });
        lock(&SWITCHED).push(Arc::clone(&terminal));
        let reader = || -> std::io::Result<PasteReader> {
            terminal.switch_if_foreground()?;
            let (wake, waker) = std::io::pipe()?;
            let (sender, lines) = mpsc::channel(LINE_BACKLOG);
            let thread_terminal = Arc::clone(&terminal);
            std::thread::Builder::new()
                .name("paste".to_owned())
                .spawn(move || read(&thread_terminal, &wake, &sender))?;
            Ok(PasteReader {
                lines,
                terminal: Arc::clone(&terminal),
                _wake: waker,
                ended: false,
            })
        };
        reader().map_err(|error| {
            terminal.release();
            TerminalInputError::Terminal(error)
        })
    }

    /// Whether pasting would be heard now: false while in the background.
    pub fn is_listening(&self) -> bool {
        self.terminal.modes().switched
    }

    /// The next line that is not blank, trimmed; `None` when there will be no
    /// more (Ctrl-D, or the terminal has gone). Dropping the future loses none.
    ///
    /// # Errors
    /// [`TerminalInputError::LineTooLong`], after which the next line may come.
    pub async fn next_line(&mut self) -> Result<Option<Secret>, TerminalInputError> {
        if self.ended {
            return Ok(None);
        }
        match self.lines.recv().await {
            Some(Input::Line(line)) => Ok(Some(line)),
            Some(Input::TooLong) => Err(TerminalInputError::LineTooLong),
            Some(Input::End | Input::Suspend) | None => {
                self.ended = true;
                Ok(None)
            }
        }
    }
}

impl Drop for PasteReader {
    fn drop(&mut self) {
        self.terminal.release();
    }
}

#[derive(Debug)]
struct Terminal {
    descriptor: OwnedFd,
    modes: Mutex<Modes>,
}

#[derive(Debug, Default)]
struct Modes {
    /// How the terminal was found.
    original: Option<Termios>,
    switched: bool,
    /// Never to be switched again.
    released: bool,
}

impl Terminal {
    fn modes(&self) -> MutexGuard<'_, Modes> {
        lock(&self.modes)
    }

    /// Whether this process may read the terminal without being stopped. A
    /// terminal that is not this session's stops no process. Fails when it has gone.
    fn is_foreground(&self) -> std::io::Result<bool> {
        match tcgetpgrp(&self.descriptor) {
            Ok(group) => Ok(group == getpgrp()),
            Err(Errno::NOTTY) => Ok(true),
            // a group that this process cannot see, outside its container
            Err(Errno::OPNOTSUPP) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Switches to single bytes, also if it was and a shell has switched back
    /// in the meantime. True if it may be read now.
    fn switch_if_foreground(&self) -> std::io::Result<bool> {
        let mut modes = self.modes();
        if modes.released || !self.is_foreground()? {
            // in the background the terminal is the shell's, which has its own modes
            modes.switched = false;
            return Ok(false);
        }
        let current = tcgetattr(&self.descriptor)?;
        let by_lines = current.local_modes.intersects(LocalModes::ICANON | LocalModes::ECHO);
        if modes.switched && !by_lines {
            return Ok(true);
        }
        let mut single_bytes = current.clone();
        single_bytes.local_modes -= LocalModes::ICANON | LocalModes::ECHO | LocalModes::ECHONL | LocalModes::IEXTEN;
        // a read gives what there is and never waits: poll does
        single_bytes.special_codes[SpecialCodeIndex::VMIN] = 0;
        single_bytes.special_codes[SpecialCodeIndex::VTIME] = 0;
        // Ctrl-Z comes as a byte, so that the terminal can be restored first;
        // Ctrl-C stays a signal
        single_bytes.special_codes[SpecialCodeIndex::VSUSP] = NO_CHARACTER;
        tcsetattr(&self.descriptor, OptionalActions::Now, &single_bytes)?;
        if by_lines || modes.original.is_none() {
            modes.original = Some(current);
        }
        modes.switched = true;
        self.write(BRACKETED_PASTE_ON);
        Ok(true)
    }

    /// Discards what was not read: the rest of a paste is not an input for a
    /// shell. Waits for no output, which Ctrl-S may have stopped.
    fn switch_back(&self, modes: &mut Modes) {
        let switched = std::mem::take(&mut modes.switched);
        let Some(original) = modes
            .original
            .as_ref()
            .filter(|_| switched && self.is_foreground().unwrap_or(false))
        else {
            return;
        };
        self.write(BRACKETED_PASTE_OFF);
        let _terminal_gone = tcflush(&self.descriptor, QueueSelector::IFlush);
        let _terminal_gone = tcsetattr(&self.descriptor, OptionalActions::Now, original);
    }

    fn switch_back_for_good(&self) {
        let mut modes = self.modes();
        modes.released = true;
        self.switch_back(&mut modes);
    }

    fn release(&self) {
        self.switch_back_for_good();
        lock(&SWITCHED).retain(|terminal| !std::ptr::eq(&raw const **terminal, self));
    }

    /// A terminal that was opened for reading alone has no bracketed paste;
    /// line breaks in a paste then end it.
    fn write(&self, bytes: &[u8]) {
        let _read_only = rustix::io::write(&self.descriptor, bytes);
    }

    /// As the terminal itself would on Ctrl-Z, but restored before.
    fn suspend(&self) {
        self.switch_back(&mut self.modes());
        let _not_stopped = kill_current_process_group(Signal::TSTP);
        std::thread::sleep(SUSPEND_PAUSE);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A release build aborts on a panic and runs no destructor.
fn restore_on_panic() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |information| {
            restore_terminal();
            previous(information);
        }));
    });
}

/// The thread: until the reader is dropped, the terminal ends or fails.
fn read(terminal: &Terminal, wake: &PipeReader, lines: &mpsc::Sender<Input>) {
    let mut decoder = LineDecoder::default();
    let mut buffer = Zeroizing::new([0; 4096]);
    while let Ok(readable) = terminal.switch_if_foreground() {
        let Some(events) = wait(terminal, readable, wake) else {
            break;
        };
        if events.is_empty() || !terminal.is_foreground().unwrap_or(false) {
            continue;
        }
        match rustix::io::read(&terminal.descriptor, &mut *buffer) {
            Ok(0) if events.intersects(PollFlags::HUP | PollFlags::ERR) => break,
            Ok(length) => {
                for byte in &buffer[..length] {
                    match decoder.push(*byte) {
                        Some(Input::Suspend) => terminal.suspend(),
                        Some(Input::End) => return,
                        Some(input) => {
                            let _nobody_takes_them = lines.try_send(input);
                        }
                        None => {}
                    }
                }
            }
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(_) => break,
        }
    }
}

/// What there is at the terminal; `None` when the reader was dropped.
fn wait(terminal: &Terminal, readable: bool, wake: &PipeReader) -> Option<PollFlags> {
    let mut descriptors = vec![PollFd::new(wake, PollFlags::IN)];
    if readable {
        descriptors.push(PollFd::new(&terminal.descriptor, PollFlags::IN));
    }
    let interval = Timespec::try_from(LOOK_INTERVAL).ok();
    match poll(&mut descriptors, interval.as_ref()) {
        Ok(_) => {}
        Err(Errno::INTR) => return Some(PollFlags::empty()),
        Err(_) => return None,
    }
    if !descriptors[0].revents().is_empty() {
        return None;
    }
    Some(descriptors.get(1).map_or(PollFlags::empty(), PollFd::revents))
}
