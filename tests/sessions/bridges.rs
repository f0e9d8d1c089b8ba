//! Many `oauth mcp` at once, one session, a server that rotates refresh tokens
//! and detects their reuse: one refresh, all of them answer. Killed at any
//! time, they lose a session only between the server's grant and the write.

use crate::place::{Place, Spent, Store};
use crate::support::bridge::Bridge;
use crate::support::outcome::{finish, run};
use crate::{tell, times};
use serde_json::Value;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

const LATENCY: &str = "50ms";

/// Before the server's commit, so that much of a bridge's life is there.
const LATENCY_FOR_KILLS: &str = "20ms";

const LIST: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"t","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}}}"#;

/// What is wrong with the stored access token.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// Its time is over, as the bridge knows.
    Expired,
    /// The server does not take it, as the bridge finds out.
    Rejected,
}

impl Place {
    fn log_in_at_mcp(&self) {
        run(self.login().args(["--resource", &self.mcp_url()])).expect_code(0);
    }

    fn mcp_url(&self) -> String {
        self.server.issuer() + "/mcp"
    }

    fn spoil(&self, fault: Fault) {
        match fault {
            Fault::Expired => self.expire(),
            Fault::Rejected => self.change_token("access_token", "not-of-this-server".into()),
        }
    }

    fn refresh_token(&self) -> Value {
        self.record().expect("a record")["refresh_token"].clone()
    }

    /// Where the bridge of this number writes the points that it passes.
    fn points(&self, number: usize) -> PathBuf {
        self.home.path().join(format!("points-{number}.log"))
    }

    /// A bridge that was asked for the tools.
    fn bridge(&self, number: usize) -> Bridge {
        let mut command = self.oauth(&["mcp", &self.mcp_url()]);
        command.env("OAUTH_FAULT_LOG", self.points(number));
        let mut bridge = Bridge::start(&mut command, Stdio::null());
        bridge.say(LIST);
        bridge
    }

    /// Whether this bridge sent a refresh and did not come to store the answer.
    fn was_killed_in_the_window(&self, number: usize) -> bool {
        let passed = std::fs::read_to_string(self.points(number)).unwrap_or_default();
        let has = |point: &str| passed.lines().any(|line| line == point);
        has("intent-written") && !has("session-stored")
    }
}

#[track_caller]
fn assert_listed(line: &str) {
    let answer: Value = serde_json::from_str(line).expect("JSON");
    assert!(answer["result"]["tools"].is_array(), "{answer}");
}

fn race(store: Store, fault: Fault, count: usize, rounds: usize) {
    let Some(place) = Place::new(store, Spent::Refused, LATENCY) else {
        return;
    };
    place.log_in_at_mcp();
    for round in 1..=rounds {
        place.spoil(fault);
        let began = Instant::now();
        let bridges: Vec<Bridge> = (0..count).map(|number| place.bridge(number)).collect();
        for bridge in &bridges {
            assert_listed(&bridge.next());
        }
        let took = began.elapsed();
        for bridge in bridges {
            bridge.leave();
        }
        assert_eq!(place.refreshes(), round, "one refresh");
        tell(&format!(
            "{count} bridges, {store:?}, {fault:?}, round {round}: one refresh, {took:?}"
        ));
    }
    assert_eq!(place.unfinished(), Vec::<String>::new());
}

#[test]
fn many_bridges_with_an_expired_token_refresh_once_and_all_answer() {
    race(Store::File, Fault::Expired, times(10, 50), times(2, 10));
    race(Store::Keyring, Fault::Expired, times(10, 50), times(1, 10));
}

#[test]
fn many_bridges_whose_token_the_server_does_not_take_refresh_once_and_all_answer() {
    race(Store::File, Fault::Rejected, times(10, 50), times(2, 10));
    race(Store::Keyring, Fault::Rejected, times(10, 50), times(1, 10));
}

/// The time from the start of so many bridges to the last answer.
fn life(place: &Place, fault: Fault, count: usize) -> Duration {
    place.spoil(fault);
    let began = Instant::now();
    let bridges: Vec<Bridge> = (0..count).map(|number| place.bridge(number)).collect();
    bridges.iter().for_each(|bridge| assert_listed(&bridge.next()));
    let life = began.elapsed();
    bridges.into_iter().for_each(Bridge::leave);
    life
}

fn killed_at_any_time(store: Store, fault: Fault, count: usize, rounds: usize) {
    let Some(place) = Place::new(store, Spent::Refused, LATENCY_FOR_KILLS) else {
        return;
    };
    place.log_in_at_mcp();
    let life = life(&place, fault, count);
    let mut in_the_window = 0;
    for round in 0..rounds {
        place.spoil(fault);
        for number in 0..count {
            // of the round before
            let _ = std::fs::remove_file(place.points(number));
        }
        let (before, refreshes) = (place.refresh_token(), place.refreshes());
        let began = Instant::now();
        let mut bridges: Vec<Bridge> = (0..count).map(|number| place.bridge(number)).collect();
        // One after another, each round at other moments.
        for (index, bridge) in bridges.iter_mut().enumerate() {
            let share = (index as f64 + (round as f64 + 0.5) / rounds as f64) / count as f64;
            // not a wait for anything: the moment of the kill is what is tried
            std::thread::sleep(life.mul_f64(share).saturating_sub(began.elapsed()));
            bridge.child.kill().expect("killing it");
        }
        let answers: Vec<String> = bridges.iter().filter_map(Bridge::next_or_end).collect();
        for bridge in bridges {
            finish(bridge.child);
        }
        let windows = (0..count)
            .filter(|number| place.was_killed_in_the_window(*number))
            .count();

        let is_rotated = place.refresh_token() != before;
        let next = place.token();
        let granted = place.refreshes() - refreshes;
        assert!(granted <= 1, "{granted} refreshes for one token: {next:?}");
        match next.code {
            Some(0) => assert_eq!(next.stdout, format!("{}\n", place.access_token()), "{next:?}"),
            Some(4) => {
                assert_eq!((is_rotated, granted), (false, 1), "{next:?}");
                assert!(windows > 0, "lost by none that was killed before the write: {next:?}");
                let explained = |text: &str| text.contains("its answer is lost");
                assert!(
                    explained(&next.hints())
                        || next.error().contains("ended")
                        || answers.iter().any(|text| explained(text)),
                    "{next:?} {answers:?}"
                );
                in_the_window += 1;
                place.log_in_at_mcp();
            }
            _ => panic!("{next:?}"),
        }
        assert_eq!(place.unfinished(), Vec::<String>::new());
    }
    tell(&format!(
        "{store:?}, {fault:?}: {rounds} rounds of {count} bridges killed within {life:?}; {in_the_window} sessions lost, each between the server's commit and the write"
    ));
}

#[test]
fn bridges_that_are_killed_lose_a_session_only_between_the_grant_and_the_write() {
    killed_at_any_time(Store::File, Fault::Expired, times(10, 50), times(3, 40));
    killed_at_any_time(Store::File, Fault::Rejected, times(10, 50), times(3, 40));
    killed_at_any_time(Store::Keyring, Fault::Expired, times(10, 50), times(2, 20));
    killed_at_any_time(Store::Keyring, Fault::Rejected, times(10, 50), times(2, 20));
}

#[test]
fn a_token_that_is_rejected_while_another_process_waits_is_not_taken_for_a_new_one() {
    let place = Place::logged_in(Store::File, Spent::Refused, "0ms").expect("a place");
    let before = place.access_token();
    place
        .run(&["profile", "set", "work", "allow_host=git.example"])
        .expect_code(0);
    // It has read the session, and wants a refresh because the token does not last.
    let mut command = place.oauth(&["token", "work", "--min-ttl", "1d"]);
    let waiting = crate::place::start(command.env("OAUTH_FAULT", "lock-wanted=stop"));
    let pid = rustix::process::Pid::from_child(&waiting);
    crate::races::wait_until_stopped(pid);
    let input = format!("protocol=https\nhost=git.example\npassword={before}\n\n");
    let mut erase = place.oauth(&["credential", "git", "erase"]);
    crate::support::outcome::run_with_input(&mut erase, input.as_bytes()).expect_code(0);
    rustix::process::kill_process(pid, rustix::process::Signal::CONT).expect("continuing it");
    let outcome = finish(waiting).expect_code(0);
    assert_ne!(outcome.stdout, format!("{before}\n"));
    assert_eq!(place.refreshes(), 1);
}

#[test]
fn a_lost_answer_is_named_by_the_bridge_whose_token_is_rejected() {
    let place = Place::new(Store::File, Spent::Refused, "0ms").expect("a place");
    place.log_in_at_mcp();
    place.spoil(Fault::Rejected);
    let mut command = place.oauth(&["token", "work", "--force-refresh"]);
    let mut killed = crate::place::start(command.env("OAUTH_FAULT", "response-read=kill"));
    assert!(crate::place::was_killed(killed.wait().expect("its end")));
    let bridge = place.bridge(0);
    let answer = bridge.next();
    assert!(answer.contains("its answer is lost"), "{answer}");
    bridge.leave();
}
