//! How often the client may ask for the tokens (RFC 8628 §3.5). A value that
//! counts; it neither waits nor reads a clock.

use std::time::Duration;

/// Where the server does not name an interval (RFC 8628 §3.2).
const DEFAULT_INTERVAL: Duration = Duration::from_secs(5);

/// What each `slow_down` adds, for good.
const SLOW_DOWN: Duration = Duration::from_secs(5);

/// However long an interval the server names, a person does not wait longer
/// for what was approved.
const MAX_INTERVAL: Duration = Duration::from_secs(60);

/// However short an interval the server names.
const MIN_INTERVAL: Duration = Duration::from_secs(1);

/// The same on this machine, where the requests cost no one else anything.
const MIN_INTERVAL_ON_LOOPBACK: Duration = Duration::from_millis(50);

/// Longer waits after lost answers do not help.
const MAX_BACKOFF: Duration = Duration::from_secs(60);

/// Counts down from the lifetime of the codes.
#[derive(Debug)]
pub struct Polling {
    interval: Duration,
    /// Requests without an answer since the last answer.
    unanswered: u32,
    /// When the codes have expired, on the clock that the caller reads.
    end: Duration,
}

impl Polling {
    /// `now` is a clock that never goes back; `lifetime` counts from it.
    pub fn new(interval: Option<Duration>, lifetime: Duration, now: Duration, is_loopback: bool) -> Self {
        let least = if is_loopback {
            MIN_INTERVAL_ON_LOOPBACK
        } else {
            MIN_INTERVAL
        };
        Polling {
            interval: interval.unwrap_or(DEFAULT_INTERVAL).clamp(least, MAX_INTERVAL),
            unanswered: 0,
            end: now.saturating_add(lifetime),
        }
    }

    /// How long to wait before the next request; `None` where the codes have
    /// expired by then. Then nothing is left but to wait for [`Polling::left`].
    pub fn pause(&self, now: Duration) -> Option<Duration> {
        let factor = 1_u32.checked_shl(self.unanswered).unwrap_or(u32::MAX);
        let pause = match self.unanswered {
            0 => self.interval,
            _ => self.interval.saturating_mul(factor).min(MAX_BACKOFF.max(self.interval)),
        };
        (now.saturating_add(pause) < self.end).then_some(pause)
    }

    /// What is left of the codes' lifetime.
    pub fn left(&self, now: Duration) -> Duration {
        self.end.saturating_sub(now)
    }

    /// `authorization_pending`: the person has not decided yet.
    pub fn note_pending(&mut self) {
        self.unanswered = 0;
    }

    /// `slow_down`: all further requests are 5 seconds further apart.
    pub fn note_slow_down(&mut self) {
        self.unanswered = 0;
        self.interval = self.interval.saturating_add(SLOW_DOWN);
    }

    /// No answer in time, or none that says anything: twice as long a wait each time.
    pub fn note_no_answer(&mut self) {
        self.unanswered = self.unanswered.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1000);
    const LONG: Duration = Duration::from_secs(1800);

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn first_pause(interval: Option<Duration>, is_loopback: bool) -> Duration {
        Polling::new(interval, LONG, NOW, is_loopback).pause(NOW).unwrap()
    }

    #[test]
    fn the_interval_is_the_servers_within_bounds_and_five_seconds_where_it_names_none() {
        assert_eq!(first_pause(None, false), s(5));
        assert_eq!(first_pause(None, true), s(5));
        assert_eq!(first_pause(Some(s(7)), false), s(7));
        assert_eq!(first_pause(Some(s(0)), false), s(1));
        assert_eq!(first_pause(Some(s(0)), true), Duration::from_millis(50));
        assert_eq!(first_pause(Some(s(86_400)), false), s(60));
    }

    #[test]
    fn slow_down_adds_five_seconds_for_good_each_time() {
        let mut polling = Polling::new(Some(s(5)), LONG, NOW, false);
        polling.note_slow_down();
        assert_eq!(polling.pause(NOW), Some(s(10)));
        polling.note_pending();
        assert_eq!(polling.pause(NOW), Some(s(10)));
        polling.note_slow_down();
        assert_eq!(polling.pause(NOW), Some(s(15)));
    }

    #[test]
    fn lost_answers_double_the_pause_until_an_answer_comes() {
        let mut polling = Polling::new(Some(s(5)), LONG, NOW, false);
        let pauses: Vec<_> = (0..6)
            .map(|_| {
                polling.note_no_answer();
                polling.pause(NOW).unwrap().as_secs()
            })
            .collect();
        assert_eq!(pauses, [10, 20, 40, 60, 60, 60]);
        for _ in 0..100 {
            polling.note_no_answer();
        }
        assert_eq!(polling.pause(NOW), Some(s(60)));
        polling.note_pending();
        assert_eq!(polling.pause(NOW), Some(s(5)));
        // a pause that slow_down has made longer is not made shorter by a lost answer
        for _ in 0..20 {
            polling.note_slow_down();
        }
        polling.note_no_answer();
        assert_eq!(polling.pause(NOW), Some(s(105)));
    }

    #[test]
    fn no_request_goes_out_once_the_codes_have_expired() {
        let polling = Polling::new(Some(s(5)), s(12), NOW, false);
        assert_eq!(polling.pause(NOW + s(6)), Some(s(5)));
        assert_eq!(polling.pause(NOW + s(7)), None);
        assert_eq!(polling.left(NOW + s(7)), s(5));
        assert_eq!(polling.left(NOW + s(100)), s(0));
    }
}
