//! The operating system: clock and randomness, for those who hand them to the
//! core, environment, folders and files.

pub mod command_words;
pub mod dirs;
pub mod environment;
pub mod files;
pub mod process;
pub mod program;
pub mod tls;

use crate::protocol::random::{Randomness, RandomnessFailed};
use crate::protocol::time::UnixSeconds;
use rand::TryRng;
use rand::rngs::SysRng;
use std::time::{SystemTime, UNIX_EPOCH};

/// The random bytes of the operating system.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemRandomness;

impl Randomness for SystemRandomness {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), RandomnessFailed> {
        SysRng.try_fill_bytes(buffer).map_err(|_| RandomnessFailed)
    }
}

/// The wall clock now, in milliseconds since 1970. A clock before 1970 counts as 1970.
pub fn now_ms() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}

/// The wall clock now. A clock before 1970 counts as 1970.
pub fn now() -> UnixSeconds {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixSeconds(i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX))
}

/// A point in time as RFC 3339 in UTC: `2026-11-22T10:00:00Z`.
pub fn rfc_3339(time: UnixSeconds) -> String {
    timestamp(time).to_string()
}

/// The point in time that RFC 3339 text names; `None` for anything else.
pub fn parse_rfc_3339(text: &str) -> Option<UnixSeconds> {
    let timestamp: jiff::Timestamp = text.parse().ok()?;
    Some(UnixSeconds(timestamp.as_second()))
}

/// The time of day on this machine's clock, `14:03:20`, with the date where it is not today's.
pub fn local_time(time: UnixSeconds) -> String {
    let zone = jiff::tz::TimeZone::system();
    let (then, today) = (timestamp(time).to_zoned(zone.clone()), timestamp(now()).to_zoned(zone));
    let format = if then.date() == today.date() {
        "%H:%M:%S"
    } else {
        "%Y-%m-%d %H:%M"
    };
    then.strftime(format).to_string()
}

/// Times outside of jiff's range, which are thousands of years away, become its end.
fn timestamp(time: UnixSeconds) -> jiff::Timestamp {
    jiff::Timestamp::from_second(time.0).unwrap_or(jiff::Timestamp::MAX)
}
