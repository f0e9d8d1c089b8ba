//! What happened to each profile and around all of them, so that a finding
//! comes with what surrounds it. Kept in files: an hour of it is long.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// How much of it is shown with a finding.
const BEFORE: Duration = Duration::from_secs(5);
const AFTER: Duration = Duration::from_secs(2);

/// When something happened, since the test began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) from: Duration,
    pub(super) to: Duration,
}

impl Span {
    /// Both, and all that is between them.
    pub(super) fn and(self, other: Span) -> Span {
        Span {
            from: self.from.min(other.from),
            to: self.to.max(other.to),
        }
    }

    fn with_surroundings(self) -> Span {
        Span {
            from: self.from.saturating_sub(BEFORE),
            to: self.to + AFTER,
        }
    }

    fn touches(self, other: Span) -> bool {
        self.from <= other.to && other.from <= self.to
    }
}

/// One file for each profile, and one for what all of them share.
pub(super) struct History {
    began: Instant,
    folder: PathBuf,
    files: Vec<Mutex<File>>,
}

/// What all profiles share.
const SHARED: usize = 0;

impl History {
    pub(super) fn of_profiles(count: usize, home: &Path) -> Self {
        let folder = home.join("history");
        std::fs::create_dir(&folder).expect("a folder");
        let open = |index: usize| {
            let mut file = OpenOptions::new();
            let file = file.create_new(true).append(true);
            Mutex::new(file.open(folder.join(index.to_string())).expect("a file"))
        };
        History {
            began: Instant::now(),
            files: (SHARED..=count).map(open).collect(),
            folder,
        }
    }

    /// The time now.
    pub(super) fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// From then until now.
    pub(super) fn since(&self, from: Duration) -> Span {
        Span { from, to: self.now() }
    }

    /// Something happened to this profile.
    pub(super) fn write(&self, profile: usize, span: Span, text: &str) {
        self.write_to(profile + 1, span, text);
    }

    /// Something happened to all of them.
    pub(super) fn write_shared(&self, span: Span, text: &str) {
        self.write_to(SHARED, span, text);
    }

    fn write_to(&self, index: usize, span: Span, text: &str) {
        let (from, to) = (span.from.as_micros(), span.to.as_micros());
        let line = format!("{from} {to} {}\n", text.replace('\n', " "));
        let mut file = self.files[index].lock().expect("no thread panicked");
        file.write_all(line.as_bytes()).expect("a line more");
    }

    /// All that happened to a profile and around it near this time, in the
    /// order of its ends, which is that of what was stored.
    pub(super) fn near(&self, profile: usize, span: Span) -> Vec<String> {
        let wanted = span.with_surroundings();
        let mut found = Vec::new();
        for index in [SHARED, profile + 1] {
            let file = File::open(self.folder.join(index.to_string())).expect("the file");
            let lines = BufReader::new(file).lines().map(|line| line.expect("a line"));
            found.extend(lines.filter_map(|line| {
                let (span, text) = parse(&line)?;
                span.touches(wanted).then(|| (span, text.to_owned()))
            }));
        }
        found.sort_by_key(|(span, _)| span.to);
        let shown = |(Span { from, to }, text): (Span, String)| {
            format!("{:.4} to {:.4}: {text}", from.as_secs_f64(), to.as_secs_f64())
        };
        found.into_iter().map(shown).collect()
    }
}

fn parse(line: &str) -> Option<(Span, &str)> {
    let (from, rest) = line.split_once(' ')?;
    let (to, text) = rest.split_once(' ')?;
    let time = |text: &str| text.parse().ok().map(Duration::from_micros);
    Some((
        Span {
            from: time(from)?,
            to: time(to)?,
        },
        text,
    ))
}

#[test]
fn what_surrounds_a_finding_is_found_again() {
    let home = tempfile::tempdir().expect("a folder");
    let history = History::of_profiles(2, home.path());
    let span = |from, to| Span {
        from: Duration::from_secs(from),
        to: Duration::from_secs(to),
    };
    for (profile, from, to, text) in [
        (0, 1, 4, "long before"),
        (0, 1, 6, "just before"),
        (1, 10, 11, "another profile"),
        (0, 10, 11, "meant"),
        (0, 13, 20, "soon after"),
        (0, 14, 15, "later"),
    ] {
        history.write(profile, span(from, to), text);
    }
    history.write_shared(span(3, 12), "keyring\nkilled");
    assert_eq!(
        history.near(0, span(10, 11)),
        [
            "1.0000 to 6.0000: just before",
            "10.0000 to 11.0000: meant",
            "3.0000 to 12.0000: keyring killed",
            "13.0000 to 20.0000: soon after",
        ]
    );
}
