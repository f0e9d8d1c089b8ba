//! The line that says how long is left, at its right: redrawn at a terminal,
//! written once elsewhere.

use crate::output::wrap::{part_that_fits, text_columns};
use jiff::{SignedDuration, Zoned};
use std::io::Write;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often the line is redrawn.
const REDRAW_EVERY: Duration = Duration::from_millis(120);

/// What turns at its left.
const TICKS: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/// The columns of a terminal that does not tell how many it has.
const USUAL_COLUMNS: usize = 80;

/// To the first column, and what stands in the row is erased (ECMA-48 §8.3.41).
const ERASE: &str = "\r\u{1b}[2K";

/// What both the lines and the one that is redrawn are written to.
pub(super) type SharedWriter = Arc<Mutex<Box<dyn Write + Send>>>;

/// Whoever panicked while it wrote has left a writer all the same.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A line at a terminal that is redrawn by a thread of its own. Gone when dropped.
pub(super) struct WaitingLine {
    writer: SharedWriter,
    content: Arc<Mutex<Content>>,
    /// Redraws until the sender is gone; `None` where no thread could be had.
    redrawing: Option<(Sender<()>, JoinHandle<()>)>,
}

struct Content {
    message: String,
    left: Left,
    ticks: usize,
}

/// What stands at the right.
enum Left {
    Until(Instant),
    Text(String),
}

impl WaitingLine {
    /// A line that counts down.
    pub(super) fn begin(writer: &SharedWriter, awaited: &str, timeout: Duration) -> Self {
        let now = Instant::now();
        let left = match now.checked_add(timeout) {
            Some(end) => Left::Until(end),
            None => Left::Text(String::new()),
        };
        WaitingLine::draw_first(writer, format!("Waiting for {awaited}"), left)
    }

    /// A line for a work that takes long: what is done now, and what is left at its right.
    pub(super) fn of_work(writer: &SharedWriter, message: String, left: String) -> Self {
        WaitingLine::draw_first(writer, message, Left::Text(left))
    }

    fn draw_first(writer: &SharedWriter, message: String, left: Left) -> Self {
        let content = Content {
            message,
            left,
            ticks: 0,
        };
        let (stop, stopped) = channel();
        let (content, writer) = (Arc::new(Mutex::new(content)), Arc::clone(writer));
        draw(&mut **lock(&writer), &lock(&content));
        let (shown, out) = (Arc::clone(&content), Arc::clone(&writer));
        let thread = std::thread::Builder::new().spawn(move || redraw_until(&stopped, &out, &shown));
        WaitingLine {
            writer,
            content,
            redrawing: thread.ok().map(|thread| (stop, thread)),
        }
    }

    /// The next piece of the work.
    pub(super) fn show(&self, message: String, left: String) {
        let mut writer = lock(&self.writer);
        let mut content = lock(&self.content);
        content.message = message;
        content.left = Left::Text(left);
        draw(&mut **writer, &content);
    }

    /// Takes the line away, writes, and puts it back.
    pub(super) fn around(&self, write: impl FnOnce(&mut dyn Write)) {
        let mut writer = lock(&self.writer);
        erase(&mut **writer);
        write(&mut **writer);
        draw(&mut **writer, &lock(&self.content));
    }
}

impl Drop for WaitingLine {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.redrawing.take() {
            drop(stop);
            // one that panicked draws no more, as one that has ended
            let _ = thread.join();
        }
        erase(&mut **lock(&self.writer));
    }
}

fn redraw_until(stopped: &Receiver<()>, writer: &SharedWriter, content: &Mutex<Content>) {
    while stopped.recv_timeout(REDRAW_EVERY) == Err(RecvTimeoutError::Timeout) {
        let mut writer = lock(writer);
        let mut content = lock(content);
        content.ticks += 1;
        draw(&mut **writer, &content);
    }
}

/// A terminal that cannot be written to is no reason to stop.
fn draw(writer: &mut dyn Write, content: &Content) {
    let columns = terminal_size::terminal_size_of(std::io::stderr()).map(|(columns, _)| usize::from(columns.0));
    let row = content.row(Instant::now(), columns.unwrap_or(USUAL_COLUMNS));
    let _ = write!(writer, "{ERASE}{row}").and_then(|()| writer.flush());
}

fn erase(writer: &mut dyn Write) {
    let _ = writer.write_all(ERASE.as_bytes()).and_then(|()| writer.flush());
}

impl Content {
    /// All of it in one row, the message as far as it fits.
    fn row(&self, now: Instant, columns: usize) -> String {
        let left = match &self.left {
            Left::Until(end) => format_countdown(end.saturating_duration_since(now)),
            Left::Text(text) => text.clone(),
        };
        let tick = TICKS[self.ticks % TICKS.len()];
        let room = columns.saturating_sub(text_columns(&left) + 3);
        let message = part_that_fits(&self.message, room);
        let gap = room.saturating_sub(text_columns(message));
        part_that_fits(&format!("{tick} {message}{:gap$} {left}", ""), columns).to_owned()
    }
}

/// `waiting for the browser until 14:03:20 (5 min)`.
pub(super) fn plain_line(now: &Zoned, awaited: &str, timeout: Duration) -> String {
    let spoken = format_duration(timeout);
    let end = SignedDuration::try_from(timeout)
        .ok()
        .and_then(|timeout| now.checked_add(timeout).ok());
    match end {
        Some(end) => format!("waiting for {awaited} until {} ({spoken})", end.strftime("%H:%M:%S")),
        None => format!("waiting for {awaited} ({spoken})"),
    }
}

/// `4:09`, `1:00:00`; part seconds count as whole, so that it starts at the
/// full time and ends at 0:01.
fn format_countdown(left: Duration) -> String {
    let seconds = left.as_millis().div_ceil(1000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

/// `5 min`, `90 s`, `1 h 30 min`.
fn format_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, _) if seconds == 0 => format!("{} ms", duration.as_millis()),
        (0, 0 | 1, 1..) => format!("{seconds} s"),
        (0, minutes, 0) => format!("{minutes} min"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, 0, _) => format!("{hours} h"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_row_is_as_wide_as_the_terminal_and_the_message_gives_way() {
        let row = |message: &str, columns| {
            let content = Content {
                message: message.to_owned(),
                left: Left::Text("4:09".to_owned()),
                ticks: 11,
            };
            content.row(Instant::now(), columns)
        };
        assert_eq!(row("Waiting", 20), "⠙ Waiting       4:09");
        assert_eq!(row("Waiting for 日本語", 20), "⠙ Waiting for   4:09");
        assert_eq!(row("Waiting for the browser", 20), "⠙ Waiting for t 4:09");
        assert_eq!(row("Waiting", 5), "⠙  4:");
    }

    #[test]
    fn durations_as_people_say_them() {
        let seconds = |seconds| {
            (
                format_countdown(Duration::from_secs(seconds)),
                format_duration(Duration::from_secs(seconds)),
            )
        };
        for (given, on_the_clock, said) in [
            (1, "0:01", "1 s"),
            (60, "1:00", "1 min"),
            (90, "1:30", "90 s"),
            (300, "5:00", "5 min"),
            (330, "5:30", "5 min 30 s"),
            (3600, "1:00:00", "1 h"),
            (5400, "1:30:00", "1 h 30 min"),
        ] {
            assert_eq!(seconds(given), (on_the_clock.to_owned(), said.to_owned()));
        }
        assert_eq!(format_duration(Duration::from_millis(250)), "250 ms");
        assert_eq!(format_countdown(Duration::from_millis(299_001)), "5:00");
    }
}
