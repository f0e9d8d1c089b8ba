//! Disks that are full and folders that cannot be written: the error comes
//! before the refresh token is spent, and the session is what it was.

use super::profile::{as_ordinary_user, set_mode, take_back};
use super::support::authorization_server;
use super::support::binary::Home;
use super::support::literal_server::{LiteralServer, json};
use super::support::login::{assert_nothing_kept, login, sessions};
use super::support::outcome::{Outcome, run};
use super::support::sessions::{KEPT_REFRESH_TOKEN, ending_in, refreshable};
use super::support::small_disk::SmallDisk;
use oauth::secret::Secret;
use std::process::Command;

const NEW: &str =
    r#"{"access_token":"new-access","token_type":"Bearer","expires_in":3600,"refresh_token":"new-refresh"}"#;

/// Somebody whose access token has expired.
struct Expired {
    home: Home,
    server: LiteralServer,
}

impl Expired {
    fn new() -> Self {
        let expired = Expired {
            home: Home::new(),
            server: LiteralServer::start(),
        };
        expired.server.on("POST", "/token", json(200, NEW));
        expired.home.configure(&format!(
            "[profile.work]\nissuer = \"{}\"\nclient_id = \"desktop\"\n",
            expired.server.origin()
        ));
        expired
    }

    /// Logged in, with an ID token that makes the session this long.
    fn with_session(self, id_token_bytes: usize) -> Self {
        let mut session = ending_in(-10, refreshable(&self.server.origin()));
        session.id_token = (id_token_bytes > 0).then(|| Secret::new("x".repeat(id_token_bytes)));
        self.home.keep("work", &session);
        self
    }

    fn session(&self) -> Vec<u8> {
        std::fs::read(sessions(&self.home).join("work")).expect("the session")
    }

    /// Runs what cannot work, and then, when the reason has gone, what works.
    fn fails_without_a_request(&self, failing: impl FnOnce() -> Outcome, repair: impl FnOnce()) -> Outcome {
        let before = self.session();
        let outcome = failing().expect_error(8);
        assert_eq!(self.server.connections(), 0, "{outcome:?}");
        repair();
        assert_eq!(self.session(), before, "{outcome:?}");
        let printed = run(&mut self.token()).expect_code(0);
        assert_eq!((printed.stdout.as_str(), printed.stderr.as_str()), ("new-access\n", ""));
        let request = self.server.only_request_to("/token");
        assert!(request.body_text().contains(KEPT_REFRESH_TOKEN), "{request:?}");
        outcome
    }

    fn token(&self) -> Command {
        let mut command = self.home.oauth();
        command.args(["token", "work"]);
        command
    }
}

/// The same command where no file may become longer than so many blocks of
/// 512 bytes. The write then fails as on a full disk: the signal that comes with
/// it, and ends a process otherwise, has a handler.
fn with_file_limit(command: &Command, blocks: u32) -> Command {
    let mut limited = Command::new("sh");
    limited
        .args(["-c", &format!("ulimit -f {blocks}; exec \"$@\""), "sh"])
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear()
        .current_dir(command.get_current_dir().expect("a folder"));
    for (name, value) in command.get_envs() {
        limited.env(name, value.unwrap_or_default());
    }
    limited
}

#[test]
fn files_that_may_not_grow_are_found_before_the_request() {
    // nothing at all; the lock but no session; a short session but not one as long as this
    for (blocks, id_token_bytes) in [(0, 0), (4, 0), (24, 20_000)] {
        let expired = Expired::new().with_session(id_token_bytes);
        let outcome = expired.fails_without_a_request(|| run(&mut with_file_limit(&expired.token(), blocks)), || {});
        assert!(outcome.hints().contains("ulimit -f"), "{outcome:?}");
        assert!(outcome.causes().contains("File too large"), "{outcome:?}");
    }
}

#[test]
fn a_login_does_not_begin_where_files_may_not_grow() {
    let (home, server) = (Home::new(), authorization_server::start());
    let outcome = run(&mut with_file_limit(&login(&home, &server, &[]), 4)).expect_error(8);
    outcome.does_not_say("/authorize");
    assert_nothing_kept(&home);
}

#[test]
fn a_full_disk_is_found_before_the_request() {
    for left_bytes in [0, 4096] {
        let expired = Expired::new();
        let Some(disk) = SmallDisk::of_kib(&expired.home.path().join(".local/share"), 256) else {
            return;
        };
        let expired = expired.with_session(0);
        let outcome = expired.fails_without_a_request(
            || {
                disk.fill_but(left_bytes);
                run(&mut expired.token())
            },
            || disk.empty(),
        );
        assert!(outcome.hints().contains("Make room on the disk"), "{outcome:?}");
        assert!(outcome.causes().contains("No space left"), "{outcome:?}");
        drop(disk);
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_found_before_the_request() {
    for folder in ["sessions", "locks"] {
        let expired = Expired::new().with_session(0);
        let folder = expired.home.path().join(".local/share/oauth").join(folder);
        std::fs::create_dir_all(&folder).expect("a folder");
        let Some(mut command) = as_ordinary_user(&expired.home) else {
            return;
        };
        set_mode(&folder, 0o500);
        let outcome = expired.fails_without_a_request(
            || run(command.args(["token", "work"])),
            || {
                set_mode(&folder, 0o700);
                take_back(&expired.home);
            },
        );
        assert!(outcome.causes().contains("Permission denied"), "{outcome:?}");
        assert!(outcome.hints().contains("writable for you"), "{outcome:?}");
    }
}

#[test]
fn a_session_can_be_ended_when_the_disk_is_full() {
    let expired = Expired::new();
    let Some(disk) = SmallDisk::of_kib(&expired.home.path().join(".local/share"), 256) else {
        return;
    };
    let expired = expired.with_session(0);
    run(&mut expired.token()).expect_code(0);
    disk.fill_but(0);
    let mut logout = expired.home.oauth();
    logout.args(["logout", "work"]);
    let ended = run(&mut logout).expect_code(0);
    assert!(ended.stderr.contains("logged out of profile \"work\""), "{ended:?}");
    assert!(!sessions(&expired.home).join("work").exists());
    drop(disk);
}

#[test]
fn a_data_folder_that_is_read_only_is_named_with_what_to_do() {
    let expired = Expired::new();
    let Some(disk) = SmallDisk::of_kib(&expired.home.path().join(".local/share"), 256) else {
        return;
    };
    let expired = expired.with_session(0);
    if !disk.make_read_only() {
        return;
    }
    let mut use_it = expired.home.oauth();
    use_it.args(["profile", "use", "work"]);
    for (command, code) in [(&mut expired.token(), 8), (&mut use_it, 2)] {
        let outcome = run(command).expect_error(code);
        assert!(outcome.causes().contains("Read-only file system"), "{outcome:?}");
        assert!(
            outcome.hints().contains("that can be written with XDG_DATA_HOME"),
            "{outcome:?}"
        );
    }
    assert_eq!(expired.server.connections(), 0);
    drop(disk);
}

#[test]
fn a_configuration_file_on_a_full_disk_is_no_matter_of_a_login() {
    let home = Home::new();
    let Some(disk) = SmallDisk::of_kib(&home.path().join(".config"), 256) else {
        return;
    };
    home.configure("[profile.work]\nissuer = \"https://id.example.com\"\nclient_id = \"desktop\"\n");
    disk.fill_but(0);
    let change = |arguments: &[&str]| {
        let mut command = home.oauth();
        run(command.arg("profile").args(arguments)).expect_error(2)
    };
    let set = ["set", "work", "scope=openid"];
    for arguments in [&set[..], &["use", "work"]] {
        let outcome = change(arguments);
        outcome.does_not_say("--no-save");
        assert!(outcome.hints().contains("Make room on the disk"), "{outcome:?}");
    }
    disk.empty();
    if disk.make_read_only() {
        let outcome = change(&set);
        outcome.does_not_say("--no-save");
        assert!(outcome.hints().contains("XDG_CONFIG_HOME"), "{outcome:?}");
    }
    drop(disk);
}
