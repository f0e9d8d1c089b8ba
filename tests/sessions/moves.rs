//! A session that moves to another store while a process waits that has seen
//! it in the old one.

use crate::place::{Place, Spent, Store, start};
use crate::races::wait_until_stopped;
use crate::support::outcome::{finish, run};
use rustix::process::{Pid, Signal, kill_process};
use std::process::Command;

/// Without the variable that names one store for all profiles.
fn oauth(place: &Place, arguments: &[&str]) -> Command {
    let mut command = place.oauth(arguments);
    command.env_remove("OAUTH_STORE");
    command
}

#[test]
fn a_refresh_that_waits_follows_its_session_to_another_store() {
    let Some(place) = Place::logged_in(Store::Keyring, Spent::Refused, "0ms") else {
        return;
    };
    for (old, new) in [("keyring", "file"), ("file", "keyring")] {
        let mut command = oauth(&place, &["token", "work", "--force-refresh"]);
        let waiting = start(command.env("OAUTH_FAULT", "lock-wanted=stop"));
        let pid = Pid::from_child(&waiting);
        wait_until_stopped(pid);
        let refreshes = place.refreshes();
        run(&mut oauth(&place, &["profile", "set", "work", &format!("store={new}")])).expect_code(0);
        kill_process(pid, Signal::CONT).expect("continuing it");
        let refreshed = finish(waiting).expect_code(0);
        assert_eq!(place.refreshes() - refreshes, 1, "{old} to {new}");
        let kept = run(&mut oauth(&place, &["token", "work"])).expect_code(0);
        assert_eq!(kept.stdout, refreshed.stdout, "{old} to {new}");
        // the refresh token is the newest one, too
        run(&mut oauth(&place, &["token", "work", "--force-refresh"])).expect_code(0);
    }
}
