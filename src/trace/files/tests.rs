//! What files of a long command cost.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::TraceFiles;
use crate::trace::Observer;
use crate::trace::fixtures::{context, play, recorded_login};
use std::path::Path;
use std::time::{Duration, Instant};

/// Events of a long examination cost little. To run it:
/// `cargo test --release --lib ten_thousand -- --ignored`.
#[test]
#[ignore = "a measurement: only the release build keeps the bound"]
fn ten_thousand_events_cost_less_than_50_ms_and_20_mib_in_each_format() {
    let folder = tempfile::tempdir().unwrap();
    for ending in ["json", "har", "html", "mmd"] {
        let path = folder.path().join(format!("trace.{ending}"));
        // other work on the machine makes it slower, nothing makes it faster
        let least = (0..5)
            .map(|_| time_on_the_processor(|| trace_ten_thousand(&path)))
            .min();
        assert!(least < Some(Duration::from_millis(50)), ".{ending}: {least:?}");
        let length_bytes = std::fs::metadata(&path).unwrap().len();
        assert!(length_bytes < 20 * 1024 * 1024, ".{ending}: {length_bytes} bytes");
    }
}

/// A third of the events are of HTTP.
fn trace_ten_thousand(path: &Path) {
    let mut files = TraceFiles::open(&[path.to_owned()], context(false)).unwrap();
    let mut count = 0;
    while count < 10_000 {
        play(
            &mut |event, _| {
                count += 1;
                files.observe(event);
            },
            recorded_login,
        );
    }
}

/// Where the system tells it; elsewhere the time on the wall.
fn time_on_the_processor(work: impl FnOnce()) -> Duration {
    let spent = || {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        let nanoseconds = text.split(' ').next()?.parse().ok()?;
        Some(Duration::from_nanos(nanoseconds))
    };
    let (began, before) = (Instant::now(), spent());
    work();
    match (before, spent()) {
        (Some(before), Some(after)) => after - before,
        _ => began.elapsed(),
    }
}
