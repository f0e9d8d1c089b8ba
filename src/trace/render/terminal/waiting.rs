//! The line that says how long is left, at its right: redrawn at a terminal,
//! written once elsewhere.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use jiff::{SignedDuration, Zoned};
use std::fmt::Write;
use std::time::Duration;

/// How often the line is redrawn.
const REDRAW_EVERY: Duration = Duration::from_millis(120);

/// What turns at its left; the last one is at the end.
const TICKS: &str = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ";

/// A line at a terminal that counts down. Gone when dropped.
pub(super) struct WaitingLine {
    bar: ProgressBar,
}

impl WaitingLine {
    pub(super) fn begin(target: ProgressDrawTarget, awaited: &str, timeout: Duration) -> Self {
        let left = move |progress: &ProgressState, out: &mut dyn Write| {
            // a failure to draw is not worth more than this
            let _ = out.write_str(&format_countdown(timeout.saturating_sub(progress.elapsed())));
        };
        // the template is constant: if it were wrong, the bar's own would do
        let style = ProgressStyle::with_template("{spinner} {wide_msg} {left}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner())
            .with_key("left", left)
            .tick_chars(TICKS);
        let bar = ProgressBar::with_draw_target(None, target).with_style(style);
        bar.set_message(format!("Waiting for {awaited}"));
        bar.enable_steady_tick(REDRAW_EVERY);
        WaitingLine { bar }
    }

    /// A line for a work that takes long: what is done now, and what is left at its right.
    pub(super) fn of_work(target: ProgressDrawTarget, message: String, left: String) -> Self {
        let style = ProgressStyle::with_template("{spinner} {wide_msg} {prefix}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner())
            .tick_chars(TICKS);
        let bar = ProgressBar::with_draw_target(None, target).with_style(style);
        let line = WaitingLine { bar };
        line.show(message, left);
        line.bar.enable_steady_tick(REDRAW_EVERY);
        line
    }

    /// The next piece of the work.
    pub(super) fn show(&self, message: String, left: String) {
        self.bar.set_prefix(left);
        self.bar.set_message(message);
    }

    /// Takes the line away, writes, and puts it back.
    pub(super) fn around(&self, write: impl FnOnce()) {
        self.bar.suspend(write);
    }
}

impl Drop for WaitingLine {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
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
