//! Sessions kept by a credential helper (`command:PROGRAM`): the literal bytes
//! that it is given, what it may do wrong, and the two helpers of Debian.

use super::support::authorization_server::{self, ACCESS_TOKEN, REFRESH_TOKEN};
use super::support::binary::Home;
use super::support::installed;
#[cfg(not(target_os = "macos"))]
use super::support::keyring_session::KeyringSession;
use super::support::literal_server::{LiteralServer, json};
use super::support::login::{complete, login, stored};
use super::support::outcome::{Outcome, run};
use std::path::PathBuf;
use std::process::Command;

pub(super) const HELPER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/credential-helper");
const ADDRESS: &str = "https://oauth.invalid/work";

/// A home whose sessions a helper keeps.
pub(super) struct Helped {
    pub(super) home: Home,
    pub(super) store: String,
    pub(super) environment: Vec<(&'static str, std::ffi::OsString)>,
}

impl Helped {
    /// By the scripted helper, with what it keeps in `helper` of the home.
    pub(super) fn by_script() -> Self {
        let home = Home::new();
        let folder = home.path().join("helper");
        std::fs::create_dir(&folder).expect("a folder");
        Helped {
            home,
            store: format!("command:{HELPER}"),
            environment: vec![("HELPER_FOLDER", folder.into())],
        }
    }

    pub(super) fn oauth(&self, arguments: &[&str]) -> Command {
        let mut command = self.home.oauth();
        command
            .env_remove("OAUTH_STORE")
            .envs(self.environment.clone())
            .args(arguments);
        command
    }

    pub(super) fn run(&self, arguments: &[&str]) -> Outcome {
        run(&mut self.oauth(arguments))
    }

    pub(super) fn login(&self, server: &LiteralServer, arguments: &[&str]) -> Outcome {
        self.login_to(server, &self.store, arguments)
    }

    pub(super) fn login_to(&self, server: &LiteralServer, store: &str, arguments: &[&str]) -> Outcome {
        let mut command = login(&self.home, server, &["--profile", "work", "--store", store]);
        command
            .env_remove("OAUTH_STORE")
            .envs(self.environment.clone())
            .args(arguments);
        complete(&mut command, &server.origin())
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.home.path().join("helper").join(name)
    }

    pub(super) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).expect(name)
    }

    pub(super) fn behave(&self, behaviour: &str) {
        std::fs::write(self.file("behaviour"), behaviour).expect("writing it");
    }
}

#[test]
fn a_helper_gets_the_protocol_and_nothing_else_from_login_to_logout() {
    let server = authorization_server::start();
    let mut helped = Helped::by_script();
    for name in ["OAUTH_STORE_PASSPHRASE", "OAUTH_ANYTHING", "oauth_lower"] {
        helped.environment.push((name, "canary".into()));
    }
    helped
        .login(&server, &[])
        .expect_code(0)
        .says(&[&format!("stored as profile \"work\" in the credential helper {HELPER}")]);
    let given = helped.read("input.store");
    let start = format!(r#"{{"ServerURL":"{ADDRESS}","Username":"oauth","Secret":"{{\"v\":1,"#);
    assert!(given.starts_with(&start), "{given}");
    assert!(given.ends_with("}\"}\n") && given.matches('\n').count() == 1, "{given}");
    assert!(given.contains(ACCESS_TOKEN) && given.contains(REFRESH_TOKEN), "{given}");
    assert_eq!(helped.read("item.work"), given);
    assert_eq!(stored(&helped.home), Vec::<PathBuf>::new(), "no file beside it");

    // the store is saved with the profile, so nothing names it from here on
    let token = helped.run(&["token", "work"]).expect_code(0);
    assert_eq!(
        (token.stdout.as_str(), token.stderr.as_str()),
        (format!("{ACCESS_TOKEN}\n").as_str(), "")
    );
    assert_eq!(
        helped.read("input.get"),
        ADDRESS,
        "as docker sends it, without a line end"
    );
    let status = helped.run(&["status", "--json"]).expect_code(0).json();
    assert_eq!(status[0]["store"], helped.store);
    assert_eq!(status[0]["state"], "valid");
    let table = helped.run(&["status"]).expect_code(0).stdout;
    assert!(table.contains(&helped.store), "{table}");
    let verbose = helped.run(&["status", "-v"]).expect_code(0);
    assert!(
        verbose.stderr.contains(&format!("the credential helper {HELPER}")),
        "{verbose:?}"
    );

    helped.run(&["logout", "work", "--local"]).expect_code(0);
    assert_eq!(helped.read("input.erase"), ADDRESS);
    assert!(!helped.file("item.work").exists());
    assert_eq!(helped.run(&["status", "--json"]).json()[0]["state"], "none");

    for call in helped.read("calls").lines() {
        assert!(["get", "store", "erase"].contains(&call), "{call}");
    }
    for line in helped.read("environment").lines() {
        assert!(!line.to_ascii_uppercase().starts_with("OAUTH_"), "{line}");
        assert!(!line.contains(ACCESS_TOKEN) && !line.contains("canary"), "{line}");
    }
}

#[test]
fn a_helper_is_found_on_the_path_too() {
    let server = authorization_server::start();
    let mut helped = Helped::by_script();
    helped.store = "command:credential-helper".to_owned();
    let folder = std::path::Path::new(HELPER).parent().expect("its folder");
    let path = std::env::var("PATH").expect("a path");
    helped
        .environment
        .push(("PATH", format!("{}:{path}", folder.display()).into()));
    helped.login(&server, &[]).expect_code(0);
    assert!(helped.file("item.work").exists());
    helped.environment.pop();
    let missing = helped.run(&["token", "work"]).expect_error(8);
    assert!(
        missing.error().contains("there is no program `credential-helper`"),
        "{missing:?}"
    );
}

#[test]
fn without_a_program_or_with_one_of_this_folder_it_is_a_mistake() {
    let helped = Helped::by_script();
    for (store, said) in [
        ("command:", "expected `keyring`, `file`, `command:PROGRAM` or `none`"),
        ("command:./helper", "a name on PATH or an absolute path"),
    ] {
        let outcome = helped.run(&["status", "x", "--store", store]).expect_error(2);
        assert!(outcome.error().contains(said), "{outcome:?}");
        helped
            .run(&["profile", "set", "work", &format!("store={store}")])
            .expect_error(2);
    }
}

#[test]
fn what_a_helper_says_reaches_the_terminal_harmless_and_nobody_logs_in_for_nothing() {
    let server = authorization_server::start();
    let helped = Helped::by_script();
    helped.behave(r#"[ "$1" != store ] || { printf 'locked \033[2J\n twice'; exit 1; }"#);
    let mut command = login(&helped.home, &server, &["--profile", "work", "--store", &helped.store]);
    let outcome = run(command.env_remove("OAUTH_STORE").envs(helped.environment.clone())).expect_error(8);
    assert!(
        outcome
            .error()
            .ends_with("failed to store the session: locked \\u{1b}[2J\\u{a} twice"),
        "{outcome:?}"
    );
    assert!(outcome.hints().contains("--store file"), "{outcome:?}");
    assert!(
        outcome.hints().contains(&format!("\"}}' | {HELPER} store")),
        "{outcome:?}"
    );
    outcome.does_not_say("http://127.0.0.1");
    assert_eq!(server.requests_to("/token").len(), 0);
    assert!(!helped.home.config_file().exists());

    helped
        .home
        .configure("[profile.work]\nissuer = \"https://id.example.com\"\nclient_id = \"c\"\n");
    helped.behave("exit 1");
    let failed = helped.run(&["token", "work", "--store", &helped.store]).expect_error(8);
    let by_hand = format!("printf %s https://oauth.invalid/work | {HELPER} get");
    assert!(failed.hints().contains(&by_hand), "{failed:?}");
    helped.behave("echo hello; exit 0");
    let nonsense = helped.run(&["token", "work", "--store", &helped.store]).expect_error(8);
    assert!(
        nonsense
            .error()
            .contains("answered `get` with something that is not a credential"),
        "{nonsense:?}"
    );
}

#[test]
fn a_refresh_is_not_sent_where_the_helper_would_not_keep_it() {
    let server = authorization_server::start();
    let helped = Helped::by_script();
    helped.login(&server, &[]).expect_code(0);
    let kept = helped.read("item.work");
    let answer =
        r#"{"access_token":"new-access","token_type":"Bearer","expires_in":3600,"refresh_token":"new-refresh"}"#;
    server.on("POST", "/token", json(200, answer));
    let requests = server.requests().len();

    helped.behave(r#"[ "$1" != store ] || { echo 'no room'; exit 1; }"#);
    helped
        .run(&["token", "work", "--force-refresh"])
        .expect_error(8)
        .says(&["no room"]);
    assert_eq!((server.requests().len(), helped.read("item.work")), (requests, kept));

    helped.behave("");
    let outcome = helped.run(&["token", "work", "--force-refresh"]).expect_code(0);
    assert_eq!(outcome.stdout, "new-access\n");
    assert_eq!(server.requests().len(), requests + 1);
    assert!(helped.read("item.work").contains("new-refresh"));
    assert!(!helped.file("item.work%trial").exists());
}

/// From login to logout, with a helper as it is installed.
fn live_with(helped: &Helped, server: &LiteralServer) {
    helped.login(server, &[]).expect_code(0);
    for _ in 0..2 {
        let token = helped.run(&["token", "work"]).expect_code(0);
        assert_eq!(
            (token.stdout.as_str(), token.stderr.as_str()),
            (format!("{ACCESS_TOKEN}\n").as_str(), "")
        );
    }
    // near the longest line that these helpers read
    let long = "x".repeat(50_000);
    let answer = format!(r#"{{"access_token":"{long}","token_type":"Bearer","expires_in":3600}}"#);
    server.on("POST", "/token", json(200, &answer));
    let outcome = helped.run(&["token", "work", "--force-refresh"]).expect_code(0);
    assert_eq!(outcome.stdout, format!("{long}\n"));
    assert_eq!(helped.run(&["token", "work"]).expect_code(0).stdout, outcome.stdout);
    let status = helped.run(&["status", "--json"]).expect_code(0).json();
    assert_eq!(
        (&status[0]["store"], &status[0]["state"]),
        (&helped.store.as_str().into(), &"valid".into())
    );
    helped.run(&["logout", "work", "--local"]).expect_code(0);
    assert_eq!(
        helped.run(&["status", "--json"]).expect_code(0).json()[0]["state"],
        "none"
    );
    // what is not there is not missed
    helped.run(&["logout", "work", "--local"]).expect_code(0);
    helped.run(&["profile", "remove", "work"]).expect_code(0);
}

#[test]
fn debians_docker_credential_pass_keeps_a_session() {
    if !installed::all(
        &["docker-credential-pass", "pass", "gpg"],
        "golang-docker-credential-helpers, pass, gnupg",
    ) {
        return;
    }
    let (home, server) = (Home::new(), authorization_server::start());
    let (keys, passwords) = (home.path().join("gnupg"), home.path().join("passwords"));
    std::fs::create_dir(&keys).expect("a folder");
    let own = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(&keys, own).expect("its mode");
    let helped = Helped {
        home,
        store: "command:docker-credential-pass".to_owned(),
        environment: vec![
            ("GNUPGHOME", keys.clone().into()),
            ("PASSWORD_STORE_DIR", passwords.clone().into()),
        ],
    };
    let program = |name: &str, arguments: &[&str]| {
        let mut command = Command::new(name);
        command
            .args(arguments)
            .envs(helped.environment.clone())
            .env("HOME", helped.home.path());
        run(&mut command)
    };
    // before there is a key: the helper's own words
    let uninitialised = helped
        .run(&[
            "login",
            &server.origin(),
            "--client-id",
            "desktop",
            "--store",
            &helped.store,
        ])
        .expect_error(8);
    assert!(
        uninitialised.error().contains("pass not initialized"),
        "{uninitialised:?}"
    );
    let new_key = [
        "--batch",
        "--quiet",
        "--pinentry-mode",
        "loopback",
        "--passphrase",
        "",
        "--quick-generate-key",
    ];
    let user = "oauth test <test@oauth.invalid>";
    program("gpg", &[&new_key[..], &[user, "default", "default", "never"]].concat()).expect_code(0);
    program("pass", &["init", "test@oauth.invalid"]).expect_code(0);

    live_with(&helped, &server);
    let left: Vec<_> = std::fs::read_dir(passwords.join("docker-credential-helpers"))
        .map(|entries| entries.map(|entry| entry.expect("an entry").file_name()).collect())
        .unwrap_or_default();
    assert!(left.is_empty(), "{left:?}");
    program("gpgconf", &["--kill", "gpg-agent"]).expect_code(0);
}

#[cfg(not(target_os = "macos"))]
#[test]
fn debians_docker_credential_secretservice_keeps_a_session() {
    if !installed::all(&["docker-credential-secretservice"], "golang-docker-credential-helpers") {
        return;
    }
    let Some(session) = KeyringSession::unlocked() else {
        return;
    };
    let server = authorization_server::start();
    let helped = Helped {
        home: Home::new(),
        store: "command:docker-credential-secretservice".to_owned(),
        environment: session.environment(),
    };
    live_with(&helped, &server);
    let left = session.secret_tool(&["search", "--all", "docker_cli", "1"], b"");
    assert!(left.stdout.is_empty(), "{left:?}");

    let nowhere = Helped {
        home: Home::new(),
        store: helped.store.clone(),
        environment: vec![("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus".into())],
    };
    let outcome = nowhere.run(&[
        "login",
        &server.origin(),
        "--client-id",
        "desktop",
        "--store",
        &nowhere.store,
    ]);
    outcome
        .expect_error(8)
        .says(&["the credential helper `docker-credential-secretservice` failed to get the session"]);
}
