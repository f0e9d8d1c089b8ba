//! What git has since 2.46: other schemes than Basic, and passwords that expire.

use crate::git_server::GitServer;
use crate::place::program;
use crate::support::binary::Home;
use crate::support::outcome::{Outcome, run, run_with_input};
use crate::support::sessions::{KEPT_ACCESS_TOKEN, refreshable, session};

/// A home with a session for this git server.
fn home(git: &GitServer, home: Home) -> Home {
    let origin = git.server.origin();
    home.configure(&format!(
        "[profile.work]\nissuer = \"{origin}\"\nclient_id = \"desktop\"\nallow_host = [\"{}\"]\n",
        git.host()
    ));
    home.keep("work", &refreshable(&origin));
    home
}

fn git(home: &Home, line: &str) -> Outcome {
    let mut command = program(home, "git");
    command.env("GIT_TERMINAL_PROMPT", "0").args(line.split_whitespace());
    run(&mut command)
}

fn helper(home: &Home, helper: &str) {
    let mut command = program(home, "git");
    run(command.args(["config", "--global", "--add", "credential.helper", helper])).expect_code(0);
}

#[test]
fn a_server_that_takes_bearer_alone_gets_the_token_as_one() {
    let place = Home::new();
    let server = GitServer::start_with_bearer(place.path(), &[KEPT_ACCESS_TOKEN]);
    let home = home(&server, place);
    for line in [
        "init --quiet --bare --initial-branch=main repo.git",
        "config --global user.name Somebody",
        "config --global user.email somebody@example.com",
        "init --quiet --initial-branch=main first",
        "-C first commit --quiet --allow-empty --message=First",
        "-C first push --quiet ../repo.git main",
    ] {
        git(&home, line).expect_code(0);
    }
    helper(&home, "!oauth credential git");
    let outcome = git(&home, &format!("clone --quiet {} copy", server.url())).expect_code(0);
    assert_eq!(outcome.stderr, "");
    assert_eq!(server.credentials(), [KEPT_ACCESS_TOKEN]);
}

#[test]
fn git_learns_when_the_token_expires() {
    let place = Home::new();
    let server = GitServer::start(place.path(), &[]);
    let home = home(&server, place);
    let expires_at = session("https://id.example.com").tokens[0]
        .expires_at
        .expect("a time")
        .0;
    helper(&home, "!oauth credential git");
    let request = format!("protocol=http\nhost={}\npath=repo.git\n\n", server.host());
    let mut fill = program(&home, "git");
    let outcome = run_with_input(fill.args(["credential", "fill"]), request.as_bytes()).expect_code(0);
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
    let place = Home::new();
    let server = GitServer::start(place.path(), &[]);
    let home = home(&server, place);
    helper(
        &home,
        "!printf 'username=me\\npassword=old\\npassword_expiry_utc=1\\n' #",
    );
    helper(&home, "!oauth credential git");
    let request = format!("protocol=http\nhost={}\npath=repo.git\n\n", server.host());
    let mut fill = program(&home, "git");
    let outcome = run_with_input(fill.args(["credential", "fill"]), request.as_bytes()).expect_code(0);
    let password = format!("password={KEPT_ACCESS_TOKEN}");
    assert!(outcome.stdout.lines().any(|line| line == password), "{outcome:?}");
}
