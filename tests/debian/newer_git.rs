//! What git has since 2.46: other schemes than Basic, and passwords that expire.

use crate::git::Place;
use crate::git_server::GitServer;
use crate::place::program;
use crate::support::binary::Home;
use crate::support::outcome::{Outcome, run, run_with_input};
use crate::support::sessions::{KEPT_ACCESS_TOKEN, session};

/// What git learns of the helpers for the repository.
fn fill(place: &Place) -> Outcome {
    let request = format!("protocol=http\nhost={}\npath=repo.git\n\n", place.git.host());
    let mut fill = program(&place.home, "git");
    fill.env("GIT_TERMINAL_PROMPT", "0").args(["credential", "fill"]);
    run_with_input(&mut fill, request.as_bytes()).expect_code(0)
}

#[test]
fn a_server_that_takes_bearer_alone_gets_the_token_as_one() {
    let home = Home::new();
    let git = GitServer::start_with_bearer(home.path(), &[KEPT_ACCESS_TOKEN]);
    let place = Place::with(home, git);
    let outcome = place.clone("copy").expect_code(0);
    assert_eq!(outcome.stderr, "");
    assert_eq!(place.git.credentials(), [KEPT_ACCESS_TOKEN]);
}

#[test]
fn git_learns_when_the_token_expires() {
    let Some(place) = Place::new() else { return };
    let expires_at = session("https://id.example.com").tokens[0]
        .expires_at
        .expect("a time")
        .0;
    let outcome = fill(&place);
    let expiry: Option<i64> = outcome
        .stdout
        .lines()
        .find_map(|line| line.strip_prefix("password_expiry_utc="))
        .and_then(|seconds| seconds.parse().ok());
    assert!(
        expiry.is_some_and(|expiry| (expiry - expires_at).abs() < 60),
        "{outcome:?}"
    );
}

#[test]
fn an_expired_password_of_another_helper_is_passed_over() {
    let Some(place) = Place::new() else { return };
    // the helper that stands first is asked first
    let expired = "!printf 'username=me\\npassword=old\\npassword_expiry_utc=1\\n' #";
    for (option, helper) in [("--replace-all", expired), ("--add", "!oauth credential git")] {
        let mut config = program(&place.home, "git");
        run(config.args(["config", "--global", option, "credential.helper", helper])).expect_code(0);
    }
    let outcome = fill(&place);
    let password = format!("password={KEPT_ACCESS_TOKEN}");
    assert!(outcome.stdout.lines().any(|line| line == password), "{outcome:?}");
}
