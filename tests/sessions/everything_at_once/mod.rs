//! Fifty processes at once that print tokens, log in, log out, show what is
//! there and move sessions between stores; they are killed, stopped and
//! interrupted at any time, on a disk that is full for a while, with a keyring
//! that is locked, hangs and dies, at a server that drops, delays, rotates and
//! answers oddly, with clocks that jump. At the end every session that the
//! server still honours is usable here.
//!
//! The server loses some sessions itself: it has rotated a refresh token, and
//! the answer never arrived whole, or the process was killed before it could
//! write it down, or a request that nobody waits for any more arrived behind the
//! next one with the same refresh token, which was granted. Each session that ended is traced back
//! to such a moment; one that ended otherwise was lost here, and fails the test,
//! which then shows what surrounded it.
//!
//! Half a minute with all tests; an hour by
//! `OAUTH_TESTS=long ./test --features fault-points --test sessions everything_at_once`.

mod account;
mod chance;
mod history;
mod ledger;
mod process;
mod server;
mod weather;

use crate::jumping_clock::JumpingClock;
use crate::support::binary::Home;
use crate::support::keyring_session::KeyringSession;
use crate::support::literal_server::LiteralServer;
use crate::support::outcome::Outcome;
use crate::support::small_disk::SmallDisk;
use crate::{tell, times};
use account::Account;
use chance::Chance;
use history::{History, Span};
use ledger::{Granted, Ledger, Process};
use oauth::fault::Point;
use process::{Ended, Treatment};
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant, SystemTime};
use weather::Weather;

const PROCESSES: usize = 50;
const PROFILES: [&str; 10] = ["p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9"];
const DISK_KIB: usize = 2048;

/// How many findings are told with what surrounds them.
const MAX_TOLD: usize = 20;

/// Exit codes that a command may end with, whatever is done around it.
fn is_foreseen(command: &str, code: i32) -> bool {
    match command {
        "token" | "token --force-refresh" => matches!(code, 0 | 3..=8 | 129 | 130 | 143),
        "login" => matches!(code, 0 | 2 | 3 | 5 | 7 | 8 | 129 | 130 | 143),
        "logout" => matches!(code, 0 | 3 | 5 | 7 | 8 | 129 | 130 | 143),
        // 2 where the configuration cannot be written
        "profile set" => matches!(code, 0 | 2 | 7 | 8 | 129 | 130 | 143),
        _ => matches!(code, 0 | 4 | 7 | 8 | 129 | 130 | 143),
    }
}

/// Which profile it is: each has a client of its own, of that name.
fn profile_number(client: &str) -> usize {
    let found = PROFILES.iter().position(|profile| *profile == client);
    found.expect("a profile")
}

/// What all processes share.
struct Scene {
    home: Home,
    environment: Vec<(&'static str, OsString)>,
    clock: JumpingClock,
    server: LiteralServer,
    ledger: Arc<Mutex<Ledger>>,
    accounts: Vec<Mutex<Account>>,
    next: AtomicUsize,
    /// Of each process that was killed or had a deadline: whether it had stored what it had received.
    killed: Mutex<HashMap<Process, bool>>,
    /// What became of each process that sent a refresh.
    refreshes: Mutex<HashMap<Process, Refreshed>>,
    counts: Mutex<BTreeMap<String, usize>>,
    findings: Mutex<Vec<Finding>>,
    history: Arc<History>,
}

/// A process that has run.
struct Run {
    process: Process,
    /// Its profile.
    number: usize,
    treatment: Treatment,
    span: Span,
    /// All of it in a line.
    text: String,
    ended: Option<Ended>,
}

/// A process that has sent a refresh, or was about to.
struct Refreshed {
    span: Span,
    text: String,
    /// Since when its request was on its way, where it was ended before the answer.
    left_a_request: Option<SystemTime>,
}

/// Something that must not be.
struct Finding {
    profile: usize,
    /// When it came to be.
    span: Span,
    text: String,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no thread panicked")
}

impl Scene {
    fn new(keyring: &KeyringSession, home: Home, seed: u64) -> Self {
        let ledger = Arc::new(Mutex::new(Ledger::new(seed)));
        let history = Arc::new(History::of_profiles(PROFILES.len(), home.path()));
        std::fs::create_dir(home.path().join("logs")).expect("a folder");
        Scene {
            environment: keyring.environment(),
            clock: JumpingClock::build(home.path()),
            server: server::start(&ledger, &history),
            ledger,
            accounts: PROFILES.iter().map(|_| Mutex::default()).collect(),
            next: AtomicUsize::new(1),
            killed: Mutex::default(),
            refreshes: Mutex::default(),
            counts: Mutex::default(),
            findings: Mutex::default(),
            history,
            home,
        }
    }

    fn oauth(&self, process: Process, arguments: &[&str]) -> Command {
        let mut command = self.home.oauth();
        command
            .envs(self.environment.iter().cloned())
            .env("HOME", self.home.path())
            .env_remove("OAUTH_STORE")
            .env("OAUTH_CLIENT_SECRET", format!("process-{process}"))
            .args(arguments);
        command
    }

    /// Runs one process to its end, and counts it.
    fn run(&self, number: usize, name: &str, arguments: &[&str], treatment: Treatment) -> Run {
        let process = self.next.fetch_add(1, Ordering::Relaxed);
        let log = self.home.path().join("logs").join(process.to_string());
        let began = self.history.now();
        let ended = process::run(&mut self.oauth(process, arguments), treatment, &self.clock, log);
        let span = self.history.since(began);
        let outcome = ended.as_ref().map(|ended| {
            let Outcome { code, stderr, .. } = &ended.outcome;
            format!("{code:?} {stderr:?} {}", ended.points.join(" "))
        });
        let outcome = outcome.as_deref().unwrap_or("did not end");
        let text = format!("{process}: {}, {treatment:?}: {outcome}", arguments.join(" "));
        self.history.write(number, span, &text);
        let run = Run {
            process,
            number,
            treatment,
            span,
            text,
            ended,
        };
        match &run.ended {
            Some(ended) => self.count(name, &run, ended),
            None => self.find(number, span, run.text.clone()),
        }
        run
    }

    /// Counts how a process ended, and keeps what explains the ends of sessions.
    fn count(&self, name: &str, run: &Run, ended: &Ended) {
        let Run {
            process,
            treatment,
            span,
            ref text,
            ..
        } = *run;
        let code = ended
            .outcome
            .code
            .map_or("killed".to_owned(), |code| format!("exit {code}"));
        *lock(&self.counts).entry(format!("{name:21} {code}")).or_default() += 1;
        *lock(&self.counts).entry(format!("({})", treatment.name())).or_default() += 1;
        // a deadline ends the wait for an answer that the server has decided on
        let is_cut_short = ended.was_killed || matches!(treatment, Treatment::Deadline(_));
        if is_cut_short {
            let is_stored = ended.has_passed(Point::SessionStored);
            lock(&self.killed).insert(process, is_stored);
        }
        if ended.has_passed(Point::IntentWritten) {
            let refreshed = Refreshed {
                span,
                text: text.clone(),
                left_a_request: ended.left_a_request().filter(|_| is_cut_short),
            };
            lock(&self.refreshes).insert(process, refreshed);
        }
        let is_foreseen = match ended.outcome.code {
            Some(code) => is_foreseen(name, code),
            None => ended.was_killed || matches!(treatment, Treatment::Signal(..)),
        };
        if !is_foreseen {
            self.find(run.number, span, format!("not foreseen: {text}"));
        }
    }

    /// Something that must not be.
    fn find(&self, profile: usize, span: Span, text: String) {
        tell(&format!("{}: {text}", PROFILES[profile]));
        lock(&self.findings).push(Finding { profile, span, text });
    }

    /// Each finding, with all that happened to its profile and around it at that time.
    fn tell_findings(&self) {
        for Finding { profile, span, text } in lock(&self.findings).iter().take(MAX_TOLD) {
            tell(&format!("=== {}: {text}", PROFILES[*profile]));
            for line in self.history.near(*profile, *span) {
                tell(&format!("    {line}"));
            }
        }
    }

    /// One process after the other until the end.
    fn work(&self, is_over: &AtomicBool, mut chance: Chance) {
        while !is_over.load(Ordering::Relaxed) {
            let number = chance.below(PROFILES.len());
            let treatment = Treatment::choose(&mut chance);
            match chance.below(100) {
                0..50 => self.token(number, &[], treatment),
                50..65 => self.token(number, &["--force-refresh"], treatment),
                65..75 => self.status(number, treatment),
                75..86 => self.login(number, chance.of(&["", "", "file", "keyring"]), treatment),
                86..90 => self.logout(number, treatment),
                _ => self.migrate(number, chance.of(&["file", "keyring"]), treatment),
            }
        }
    }

    fn token(&self, number: usize, options: &[&str], treatment: Treatment) {
        let (profile, account) = (PROFILES[number], &self.accounts[number]);
        let beginning = lock(account).use_begins(&lock(&self.ledger));
        let name = ["token"].iter().chain(options).copied().collect::<Vec<_>>().join(" ");
        let Run { span, ended, .. } = self.run(number, &name, &[&["token", profile], options].concat(), treatment);
        let Some(outcome) = ended.map(|ended| ended.outcome) else {
            return;
        };
        let (account, ledger) = (lock(account), lock(&self.ledger));
        let known = ledger.bearer(outcome.stdout.trim_end());
        if outcome.code == Some(0) && known.is_none_or(|(_, client)| client != profile) {
            let text = format!("{profile} has a token of another session: {outcome:?}");
            self.find(number, span, text);
        }
        if outcome.code == Some(4) && account.was_usable(beginning, &ledger) {
            let text = format!("{profile} has a session that the server honours, {treatment:?}: {outcome:?}");
            self.find(number, span, text);
        }
    }

    fn status(&self, number: usize, treatment: Treatment) {
        let arguments = ["status", PROFILES[number], "--json"];
        let Some(ended) = self.run(number, "status", &arguments, treatment).ended else {
            return;
        };
        if ended.outcome.code == Some(0) {
            ended.outcome.json();
        }
    }

    fn login(&self, number: usize, store: &str, treatment: Treatment) {
        let (profile, account) = (PROFILES[number], &self.accounts[number]);
        let origin = self.server.origin();
        let browser = "curl -sSL --noproxy * -o /dev/null";
        let mut arguments = vec!["login", &origin, "--profile", profile, "--client-id", profile];
        arguments.extend(["--browser", browser, "--timeout", "60s"]);
        if !store.is_empty() {
            arguments.extend(["--store", store]);
        }
        let beginning = lock(account).change_begins();
        let Run { process, ended, .. } = self.run(number, "login", &arguments, treatment);
        let family = lock(&self.ledger).started_by(process);
        let is_stored = ended.is_some_and(|ended| ended.outcome.code == Some(0));
        lock(account).login_ends(beginning, family, is_stored);
    }

    fn logout(&self, number: usize, treatment: Treatment) {
        let (profile, account) = (PROFILES[number], &self.accounts[number]);
        let beginning = lock(account).change_begins();
        let ended = self.run(number, "logout", &["logout", profile], treatment).ended;
        let is_done = ended.is_some_and(|ended| ended.outcome.code == Some(0));
        lock(account).logout_ends(beginning, is_done);
    }

    fn migrate(&self, number: usize, store: &str, treatment: Treatment) {
        let setting = format!("store={store}");
        self.run(
            number,
            "profile set",
            &["profile", "set", PROFILES[number], &setting],
            treatment,
        );
    }

    /// When everything works again: what must be usable is. A session whose last
    /// answer never arrived ends here, with the next request; whether that was
    /// the server's doing is for [`Self::explain_ends`].
    fn settle(&self) -> usize {
        lock(&self.ledger).is_honest = true;
        let mut usable = 0;
        for (number, account) in self.accounts.iter().enumerate() {
            let profile = PROFILES[number];
            let must_be_usable = lock(account).must_be_usable(&lock(&self.ledger));
            for _ in 0..2 {
                let arguments = ["token", profile, "--force-refresh"];
                let run = self.run(number, "token at the end", &arguments, Treatment::LeftAlone);
                let Run { span, ended, .. } = run;
                let Some(outcome) = ended.map(|ended| ended.outcome) else {
                    continue;
                };
                let ledger = lock(&self.ledger);
                let bearer = ledger.bearer(outcome.stdout.trim_end());
                let works = bearer.is_some_and(|(family, client)| ledger.honours(family) && client == profile);
                usable += usize::from(works);
                if must_be_usable && !works && !lock(account).is_ended_by_reuse(&ledger) {
                    self.find(number, span, format!("LOST: {profile}: {outcome:?}"));
                }
            }
        }
        usable / 2
    }

    /// Whether an answer that would have saved this session was lost on the
    /// way, or with the process that got it, each time that it was given; or
    /// whether the request that ended it had been left on its way by a process
    /// that was gone when another one sent the same, and came second; or had been
    /// given up by the very process that then asked once more, and was answered first.
    fn explain_ends(&self) -> usize {
        let (ledger, killed) = (lock(&self.ledger), lock(&self.killed));
        let mut ends = 0;
        let refreshes = lock(&self.refreshes);
        for (family, client, by, answers) in ledger.reused() {
            ends += 1;
            let left_at = refreshes
                .get(&by.process)
                .and_then(|refreshed| refreshed.left_a_request);
            let saved = answers
                .iter()
                .filter(|granted| granted.is_readable && killed.get(&granted.to.process) != Some(&false))
                .filter(|granted| !by.gave_up_before(granted.to))
                .find(|granted| left_at.is_none_or(|left_at| left_at > granted.at));
            if let Some(Granted { to, .. }) = saved {
                let (to, by) = (to.process, by.process);
                let [(stored, how), (sent, other)] = [to, by].map(|process| match refreshes.get(&process) {
                    Some(refreshed) => (refreshed.span, refreshed.text.as_str()),
                    None => (self.history.since(self.history.now()), "?"),
                });
                self.find(
                    profile_number(client),
                    stored.and(sent),
                    format!(
                        "LOST: session {family} of {client}, whose answer process {to} had read ({how}); process {by} had another one ({other})",
                    ),
                );
            }
        }
        ends
    }
}

fn length() -> Duration {
    let given = std::env::var("OAUTH_TESTS_S").ok().and_then(|text| text.parse().ok());
    let standard = u64::try_from(times(20, 3600)).expect("a number");
    Duration::from_secs(given.unwrap_or(standard))
}

#[test]
fn no_session_is_lost_whatever_happens_at_once() {
    let Some(keyring) = KeyringSession::unlocked() else {
        return;
    };
    let seed = std::env::var("OAUTH_TESTS_SEED")
        .ok()
        .and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| u64::from(std::process::id()));
    tell(&format!("seed {seed}"));
    let mut chance = Chance::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let home = Home::new();
    let disk = SmallDisk::of_kib(&home.path().join(".local/share"), DISK_KIB);
    let scene = Scene::new(&keyring, home, chance.number());
    let mut weather = Weather { keyring, disk };
    lock(&scene.ledger).is_honest = true;
    for number in 0..PROFILES.len() {
        scene.login(number, ["file", "keyring"][number % 2], Treatment::LeftAlone);
    }
    lock(&scene.ledger).is_honest = false;
    let history = &scene.history;
    let (is_over, began) = (AtomicBool::new(false), Instant::now());
    let episodes = std::thread::scope(|scope| {
        for _ in 0..PROCESSES {
            let chance = Chance::new(chance.number());
            scope.spawn(|| scene.work(&is_over, chance));
        }
        let seed = chance.number();
        let (weather, is_over) = (&mut weather, &is_over);
        let weather = scope.spawn(move || weather.until(is_over, Chance::new(seed), history));
        while began.elapsed() < length() {
            // not a wait for anything: how long it lasts is what is tried
            std::thread::sleep(Duration::from_millis(500));
            scene.server.forget_requests();
        }
        is_over.store(true, Ordering::Relaxed);
        weather.join().expect("the weather")
    });
    let usable = scene.settle();
    let ends = scene.explain_ends();
    let (sessions, revoked, refreshes) = lock(&scene.ledger).counts();
    for (what, count) in lock(&scene.counts).iter() {
        tell(&format!("{count:7} {what}"));
    }
    scene.tell_findings();
    let findings = lock(&scene.findings);
    tell(&format!(
        "{:?}, {} processes, {sessions} sessions, {refreshes} refreshes granted, {revoked} sessions revoked, {ends} ended in the server's own span, {usable} of {} usable at the end, {} findings; {episodes:?}",
        began.elapsed(),
        scene.next.load(Ordering::Relaxed) - 1,
        PROFILES.len(),
        findings.len(),
    ));
    let found: Vec<&str> = findings.iter().map(|finding| finding.text.as_str()).collect();
    assert!(found.is_empty(), "{found:#?}");
}
