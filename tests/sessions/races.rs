//! Many processes at once, one session, a server that rotates refresh tokens,
//! detects their reuse and takes 200 ms.

use crate::place::{Place, Spent, Store, start};
use crate::support::outcome::{Outcome, finish};
use crate::{tell, times};
use rustix::process::{Pid, Signal, kill_process};
use std::process::Child;
use std::time::Instant;

const LATENCY: &str = "200ms";

fn tokens(place: &Place, count: usize) -> Vec<Child> {
    (0..count).map(|_| place.start(&["token", "work"])).collect()
}

fn race(store: Store, count: usize, rounds: usize) {
    let Some(place) = Place::logged_in(store, Spent::Refused, LATENCY) else {
        return;
    };
    for round in 1..=rounds {
        let before = place.access_token();
        place.expire();
        let began = Instant::now();
        let outcomes: Vec<Outcome> = tokens(&place, count).into_iter().map(finish).collect();
        let took = began.elapsed();
        let expected = format!("{}\n", place.access_token());
        assert_ne!(expected, format!("{before}\n"));
        for outcome in outcomes {
            assert_eq!((outcome.code, &outcome.stdout), (Some(0), &expected), "{outcome:?}");
        }
        assert_eq!(place.refreshes(), round, "one refresh for each expiry");
        tell(&format!(
            "{count} processes, {store:?}, round {round}: one refresh, {took:?}"
        ));
    }
    assert_eq!(place.unfinished(), Vec::<String>::new());
}

#[test]
fn two_processes_refresh_once() {
    race(Store::File, 2, times(3, 10));
    race(Store::Keyring, 2, times(3, 10));
}

#[test]
fn ten_processes_refresh_once() {
    race(Store::File, 10, times(2, 10));
    race(Store::Keyring, 10, times(2, 10));
}

#[test]
fn fifty_processes_refresh_once() {
    race(Store::File, 50, times(1, 10));
    race(Store::Keyring, 50, times(1, 10));
}

#[test]
fn two_hundred_processes_refresh_once() {
    race(Store::File, 200, times(1, 10));
    race(Store::Keyring, 200, times(1, 10));
}

#[test]
fn a_logout_in_the_middle_of_them_is_final() {
    for store in [Store::File, Store::Keyring] {
        for _ in 0..times(2, 10) {
            let Some(place) = Place::logged_in(store, Spent::Refused, "20ms") else {
                return;
            };
            place.expire();
            let mut running = tokens(&place, 10);
            let logout = place.start(&["logout", "work"]);
            running.extend(tokens(&place, 10));
            let others: Vec<Child> = (0..5).map(|_| place.start(&["status", "--json"])).collect();
            finish(logout).expect_code(0);
            for outcome in running.into_iter().map(finish) {
                assert!(matches!(outcome.code, Some(0 | 4)), "{outcome:?}");
            }
            for outcome in others.into_iter().map(finish) {
                outcome.expect_code(0).json();
            }
            assert_eq!(place.record(), None, "no process brought the session back");
            place.token().expect_code(4);
        }
    }
}

#[test]
fn a_login_in_the_middle_of_them_stays() {
    for store in [Store::File, Store::Keyring] {
        for _ in 0..times(2, 10) {
            let Some(place) = Place::logged_in(store, Spent::Refused, "20ms") else {
                return;
            };
            place.expire();
            let mut running = tokens(&place, 10);
            let login = start(&mut place.login());
            running.extend(tokens(&place, 10));
            finish(login).expect_code(0);
            for outcome in running.into_iter().map(finish) {
                outcome.expect_code(0);
            }
            let fresh = place.access_token();
            assert_eq!(place.token().stdout, format!("{fresh}\n"));
            // the refresh token is the living one of the login or of a refresh after it
            place.run(&["token", "work", "--force-refresh"]).expect_code(0);
        }
    }
}

#[test]
fn behind_a_holder_that_is_stopped_others_wait_a_minute_at_most_and_do_not_refresh() {
    let place = Place::logged_in(Store::File, Spent::Refused, "0ms").expect("a place");
    place.expire();
    let mut command = place.oauth(&["token", "work"]);
    let holder = start(command.env("OAUTH_FAULT", "intent-written=stop"));
    let pid = Pid::from_child(&holder);
    wait_until_stopped(pid);
    let waiting: Vec<Child> = tokens(&place, 5);
    for process in waiting {
        // longer than other tests wait for a process
        let output = process.wait_with_output().expect("its end");
        let outcome = Outcome {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
        };
        let outcome = outcome.expect_error(7);
        assert!(
            outcome.error().contains(&format!("process {}", holder.id())),
            "{outcome:?}"
        );
    }
    assert_eq!(place.refreshes(), 0);
    kill_process(pid, Signal::CONT).expect("continuing it");
    finish(holder).expect_code(0);
    assert_eq!(place.refreshes(), 1);
    place.token().expect_code(0);
}

pub(crate) fn wait_until_stopped(pid: Pid) {
    let status = format!("/proc/{}/stat", pid.as_raw_nonzero());
    loop {
        let stat = std::fs::read_to_string(&status).expect("the process");
        if stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('T')) {
            return;
        }
        std::thread::yield_now();
    }
}
