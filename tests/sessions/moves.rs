//! A session that moves to another store while a process waits that has seen
//! it in the old one.

use crate::place::{Place, Spent, Store, start, was_killed};
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

/// A move into the file store that is killed when the session is there, and
/// the profile still names the keyring.
fn leave_a_copy_in_the_file_store(place: &Place) {
    let mut moving = oauth(place, &["profile", "set", "work", "store=file"]);
    // the new store waits for the disk twice, then the configuration file does once
    let mut moving = start(moving.env("OAUTH_FAULT", "file-sync=kill@3"));
    assert!(was_killed(moving.wait().expect("its end")));
    assert!(place.home.kept("work").is_some(), "the copy");
    assert!(place.record().is_some(), "the session");
    let config = std::fs::read_to_string(place.home.config_file()).expect("the configuration file");
    assert!(config.contains("store = \"keyring\""), "{config}");
}

#[test]
fn a_login_that_waited_does_not_take_the_copy_that_a_killed_move_left() {
    let Some(place) = Place::logged_in(Store::Keyring, Spent::Refused, "0ms") else {
        return;
    };
    let mut login = place.login();
    login.env_remove("OAUTH_STORE").args(["--store", "file"]);
    // it has seen that the file store holds no session
    let waiting = start(login.env("OAUTH_FAULT", "key-made=stop"));
    let pid = Pid::from_child(&waiting);
    wait_until_stopped(pid);
    leave_a_copy_in_the_file_store(&place);
    // the refresh token of the copy is spent now
    run(&mut oauth(&place, &["token", "work", "--force-refresh"])).expect_code(0);
    kill_process(pid, Signal::CONT).expect("continuing it");
    finish(waiting).expect_code(0).does_not_say("another process logged in");
    run(&mut oauth(&place, &["token", "work", "--force-refresh"])).expect_code(0);
}
