//! A clock that jumps while a process runs: a library that is loaded before
//! libc, and what comes of it.

use crate::support::binary::Home;
use crate::support::literal_server::{LiteralServer, json};
use crate::support::outcome::run;
use crate::support::sessions::{KEPT_ACCESS_TOKEN, ending_in, refreshable};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The library, built.
pub(crate) struct JumpingClock(PathBuf);

impl JumpingClock {
    /// Built in this folder.
    pub(crate) fn build(folder: &Path) -> Self {
        let library = folder.join("jumping-clock.so");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sessions/jumping_clock.c");
        let mut compiler = Command::new("cc");
        compiler
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .arg(&library)
            .arg(source);
        assert!(compiler.status().expect("a C compiler").success());
        JumpingClock(library)
    }

    /// Lets the clock of a process jump by so many seconds, after it has
    /// looked at it so many times.
    pub(crate) fn jump(&self, command: &mut Command, seconds: i64, after: usize) {
        command
            .env("LD_PRELOAD", &self.0)
            .env("CLOCK_JUMP_S", seconds.to_string())
            .env("CLOCK_JUMP_AFTER", after.to_string());
    }
}

#[test]
fn a_session_that_can_be_refreshed_never_looks_ended_whenever_the_clock_jumps() {
    let (home, server) = (Home::new(), LiteralServer::start());
    server.on("POST", "/token", json(503, "{}"));
    home.keep("work", &ending_in(30, refreshable(&server.origin())));
    let clock = JumpingClock::build(home.path());
    let mut codes = Vec::new();
    for after in 0..12 {
        let mut command = home.oauth();
        command.args(["token", "work"]);
        clock.jump(&mut command, 3600, after);
        let outcome = run(&mut command);
        match outcome.code {
            Some(0) => assert_eq!(outcome.stdout, format!("{KEPT_ACCESS_TOKEN}\n")),
            Some(3) => assert!(outcome.stdout.is_empty(), "{outcome:?}"),
            _ => panic!("a jump after {after} looks: {outcome:?}"),
        }
        codes.push(outcome.code);
    }
    // the jump was early enough in one case and too late in another
    assert!(codes.contains(&Some(0)) && codes.contains(&Some(3)), "{codes:?}");
}
