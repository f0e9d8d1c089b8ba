//! kill -9 at times spread evenly over the life of a process that refreshes.

use crate::place::{Place, Spent, Store, was_killed};
use crate::{tell, times};
use std::time::{Duration, Instant};

/// Before the server's commit, so that much of the process's life is there.
const LATENCY: &str = "20ms";

fn killed_at_any_time(store: Store, spent: Spent) {
    let Some(place) = Place::logged_in(store, spent, LATENCY) else {
        return;
    };
    let trials = times(25, 250);
    let life = life_of_a_refresh(&place);
    let (mut killed, mut in_the_window) = (0, 0);
    for trial in 0..trials {
        place.expire();
        let (generation, refreshes) = (place.generation(), place.refreshes());
        let mut process = place.start(&["token", "work"]);
        // not a wait for anything: the moment of the kill is what is tried
        std::thread::sleep(life.mul_f64((trial as f64 + 0.5) / trials as f64));
        process.kill().expect("killing it");
        killed += usize::from(was_killed(process.wait().expect("its end")));

        let is_stored = place.generation() > generation;
        let next = place.token();
        let granted = place.refreshes() - refreshes;
        match next.code {
            Some(0) => {
                assert_eq!(next.stdout, format!("{}\n", place.access_token()), "{next:?}");
                let most = if spent == Spent::WithGrace && !is_stored { 2 } else { 1 };
                assert!(
                    (1..=most).contains(&granted),
                    "{granted} refreshes for one expiry: {next:?}"
                );
                in_the_window += usize::from(granted == 2);
            }
            Some(4) => {
                assert_eq!((spent, is_stored, granted), (Spent::Refused, false, 1), "{next:?}");
                assert!(next.hints().contains("its answer is lost"), "{next:?}");
                in_the_window += 1;
                place.log_in();
            }
            _ => panic!("{next:?}"),
        }
        assert_eq!(place.unfinished(), Vec::<String>::new());
    }
    tell(&format!(
        "{store:?}, {spent:?}: {killed} of {trials} were killed in {life:?}; {in_the_window} between the server's commit and the write"
    ));
}

fn life_of_a_refresh(place: &Place) -> Duration {
    let lives = (0..5).map(|_| {
        place.expire();
        let began = Instant::now();
        place.token().expect_code(0);
        began.elapsed()
    });
    lives.max().unwrap_or_default()
}

#[test]
fn file_store_and_strict_server() {
    killed_at_any_time(Store::File, Spent::Refused);
}

#[test]
fn file_store_and_server_with_grace() {
    killed_at_any_time(Store::File, Spent::WithGrace);
}

#[test]
fn keyring_and_strict_server() {
    killed_at_any_time(Store::Keyring, Spent::Refused);
}

#[test]
fn keyring_and_server_with_grace() {
    killed_at_any_time(Store::Keyring, Spent::WithGrace);
}
