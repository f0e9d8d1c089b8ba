//! git with `oauth credential git` as its credential helper.

use crate::git_server::GitServer;
use crate::place::program;
use crate::support::binary::Home;
use crate::support::installed;
use crate::support::literal_server::json;
use crate::support::outcome::{Outcome, run};
use crate::support::sessions::{KEPT_ACCESS_TOKEN, ending_in, refreshable};
use std::process::Command;

const NEW: &str = r#"{"access_token":"new-access","token_type":"Bearer","expires_in":3600}"#;

/// A home with a repository behind a server, and a session whose token it accepts.
pub struct Place {
    pub home: Home,
    pub git: GitServer,
}

impl Place {
    pub fn new() -> Option<Self> {
        if !installed::all(&["git"], "git") {
            return None;
        }
        let home = Home::new();
        let git = GitServer::start(home.path(), &[KEPT_ACCESS_TOKEN]);
        Some(Place::with(home, git))
    }

    /// The repository of this home behind this server.
    pub fn with(home: Home, git: GitServer) -> Self {
        git.server.on("POST", "/token", json(200, NEW));
        let origin = git.server.origin();
        home.configure(&format!(
            "[profile.work]\nissuer = \"{origin}\"\nclient_id = \"desktop\"\nallow_host = [\"{}\"]\n",
            git.host()
        ));
        home.keep("work", &refreshable(&origin));
        let place = Place { home, git };
        for line in [
            "init --quiet --bare --initial-branch=main repo.git",
            "config --global user.name Somebody",
            "config --global user.email somebody@example.com",
            "init --quiet --initial-branch=main first",
            "-C first commit --quiet --allow-empty --message=First",
            "-C first push --quiet ../repo.git main",
        ] {
            run(&mut place.git(line)).expect_code(0);
        }
        run(program(&place.home, "git").args(["config", "--global", "credential.helper", "!oauth credential git"]))
            .expect_code(0);
        place
    }

    fn git(&self, line: &str) -> Command {
        let mut command = program(&self.home, "git");
        command
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .args(line.split_whitespace());
        command
    }

    pub fn clone(&self, name: &str) -> Outcome {
        run(&mut self.git(&format!("clone --quiet {} {name}", self.git.url())))
    }
}

#[test]
fn clone_and_push_work_without_a_question() {
    let Some(place) = Place::new() else { return };
    let outcome = place.clone("copy").expect_code(0);
    assert_eq!(outcome.stderr, "");
    for line in [
        "-C copy commit --quiet --allow-empty --message=Second",
        "-C copy push --quiet origin main",
        "-C copy pull --quiet",
    ] {
        run(&mut place.git(line)).expect_code(0);
    }
    let log = run(&mut place.git("-C repo.git log --format=%s main")).expect_code(0);
    assert_eq!(log.stdout, "Second\nFirst\n");
    assert_eq!(place.git.credentials(), [format!("oauth2:{KEPT_ACCESS_TOKEN}")]);
    assert_eq!(place.git.server.requests_to("/token").len(), 0);
}

#[test]
fn a_token_that_has_expired_is_refreshed_before_git_gets_it() {
    let Some(place) = Place::new() else { return };
    place.git.accept(&["new-access"]);
    let origin = place.git.server.origin();
    place.home.keep("work", &ending_in(-5, refreshable(&origin)));
    place.clone("copy").expect_code(0);
    assert_eq!(place.git.credentials(), ["oauth2:new-access"]);
}

#[test]
fn a_token_that_the_server_refuses_is_refreshed_for_the_next_try() {
    let Some(place) = Place::new() else { return };
    place.git.accept(&["new-access"]);
    // git asks each helper once, says that the answer was no good, and gives up
    let outcome = place.clone("copy");
    assert_ne!(outcome.code, Some(0));
    place.clone("copy").expect_code(0);
    assert_eq!(
        place.git.credentials(),
        [format!("oauth2:{KEPT_ACCESS_TOKEN}"), "oauth2:new-access".to_owned()]
    );
    assert_eq!(place.git.server.requests_to("/token").len(), 1);
}

#[test]
fn another_helper_answers_for_hosts_that_are_not_ours_and_ours_stay_out_of_its_file() {
    let Some(place) = Place::new() else { return };
    let other = GitServer::start(place.home.path(), &["another-password"]);
    let file = place.home.path().join("other-credentials");
    std::fs::write(&file, format!("http://me:another-password@{}\n", other.host())).expect("writing");
    let store = format!("store --file={}", file.display());
    run(program(&place.home, "git").args(["config", "--global", "--add", "credential.helper", &store])).expect_code(0);
    // as docs/git.md has it: for our host, our helper alone
    let own = format!("credential.http://{}.helper", place.git.host());
    for helper in ["", "!oauth credential git"] {
        run(program(&place.home, "git").args(["config", "--global", "--add", &own, helper])).expect_code(0);
    }
    run(&mut place.git(&format!("clone --quiet {} theirs", other.url()))).expect_code(0);
    assert_eq!(other.credentials(), ["me:another-password"]);
    place.clone("ours").expect_code(0);
    assert_eq!(place.git.credentials(), [format!("oauth2:{KEPT_ACCESS_TOKEN}")]);
    let kept = std::fs::read_to_string(&file).expect("the file");
    assert!(!kept.contains(KEPT_ACCESS_TOKEN), "{kept}");
}

#[test]
fn the_user_name_of_the_url_chooses_the_profile() {
    let Some(place) = Place::new() else { return };
    let config = place.home.configuration();
    place.home.configure(&format!(
        "{config}git_username = \"alice\"\n[profile.other]\nissuer = \"{}\"\nclient_id = \"desktop\"\nallow_host = [\"{}\"]\ngit_username = \"bob\"\n",
        place.git.server.origin(),
        place.git.host()
    ));
    let mut other = refreshable(&place.git.server.origin());
    other.tokens[0].access_token = "bobs-token".into();
    place.home.keep("other", &other);
    place.git.accept(&["bobs-token", KEPT_ACCESS_TOKEN]);
    for (name, folder) in [("bob", "one"), ("alice", "two")] {
        let url = format!("http://{name}@{}/repo.git", place.git.host());
        run(&mut place.git(&format!("clone --quiet {url} {folder}"))).expect_code(0);
    }
    assert_eq!(
        place.git.credentials(),
        ["bob:bobs-token".to_owned(), format!("alice:{KEPT_ACCESS_TOKEN}")]
    );
}
