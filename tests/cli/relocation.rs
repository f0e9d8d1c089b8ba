//! A profile that moves to another store, by a new login or by `profile set`:
//! the session is there, and nothing stays behind in the old one.

use super::credential_helper::{HELPER, Helped};
use super::support::authorization_server::{self, ACCESS_TOKEN};
use super::support::literal_server::{Gate, LiteralServer, json};
use super::support::login::{sessions, stored};
use super::support::outcome::Outcome;
use super::support::running::Running;
use super::support::sessions::{KEPT_ACCESS_TOKEN, KEPT_REFRESH_TOKEN, ending_in, refreshable};
use oauth::secret::Secret;
use std::path::{Path, PathBuf};

const CLIENT_SECRET: &str = "canary-client-secret";

/// A login that keeps its session there, and saves that.
fn log_in(helped: &Helped, server: &LiteralServer, store: &str, arguments: &[&str]) -> Outcome {
    helped.login_to(server, store, arguments)
}

fn set(helped: &Helped, setting: &str) -> Outcome {
    helped.run(&["profile", "set", "work", setting])
}

/// What `status` says of the only profile: its store and its state.
fn state(helped: &Helped) -> (String, String) {
    let status = helped.run(&["status", "--json"]).json();
    let text = |name: &str| status[0][name].as_str().expect(name).to_owned();
    (text("store"), text("state"))
}

fn assert_usable(helped: &Helped, store: &str, token: &str) {
    assert_eq!(state(helped), (store.to_owned(), "valid".to_owned()));
    let printed = helped.run(&["token", "work"]).expect_code(0);
    assert_eq!(printed.stdout, format!("{token}\n"));
}

/// A profile whose session, with a client secret, is in an encrypted file.
fn in_a_file(issuer: &str) -> Helped {
    let helped = Helped::by_script();
    helped.home.configure(&format!(
        "# mine\n[profile.work]\nissuer = \"{issuer}\"\nclient_id = \"desktop\"\nstore = \"file\"\n"
    ));
    let mut session = refreshable(issuer);
    session.generation = 5;
    session.client.secret = Some(Secret::from(CLIENT_SECRET));
    helped.home.keep("work", &session);
    helped
}

fn assert_file_is_alone(helped: &Helped) {
    assert_eq!(stored(&helped.home), [sessions(&helped.home).join("work")]);
    assert!(!helped.file("item.work").exists());
}

fn assert_helper_is_alone(helped: &Helped) {
    assert_eq!(stored(&helped.home), Vec::<PathBuf>::new());
    assert!(helped.file("item.work").exists());
}

#[test]
fn a_login_elsewhere_takes_the_client_secret_along_and_leaves_nothing_behind() {
    let server = authorization_server::start();
    let helped = Helped::by_script();
    let secret = helped.home.path().join("secret");
    std::fs::write(&secret, CLIENT_SECRET).expect("writing it");
    let secret = secret.display().to_string();
    log_in(&helped, &server, "file", &["--client-secret-file", &secret]).expect_code(0);
    std::fs::remove_file(secret).expect("removing it");
    helped
        .run(&["profile", "set", "work", "client_secret_file="])
        .expect_code(0);
    assert_file_is_alone(&helped);

    let outcome = log_in(&helped, &server, &helped.store, &[]).expect_code(0);
    assert!(
        outcome
            .stderr
            .contains("note: the earlier session of profile \"work\" was removed from encrypted files in"),
        "{outcome:?}"
    );
    assert_helper_is_alone(&helped);
    assert_usable(&helped, &helped.store, ACCESS_TOKEN);
    assert!(helped.read("item.work").contains(CLIENT_SECRET));
    assert!(
        helped.read("item.work").contains(r#"\"generation\":2,"#),
        "it goes on counting"
    );

    log_in(&helped, &server, "file", &[]).expect_code(0);
    assert_file_is_alone(&helped);
    assert_usable(&helped, "file", ACCESS_TOKEN);
    let kept = helped.home.kept("work").expect("the session");
    assert_eq!(kept.client.secret.expect("the secret").expose(), CLIENT_SECRET);
}

#[test]
fn what_a_login_cannot_remove_is_told_and_the_new_session_counts() {
    let server = authorization_server::start();
    let helped = Helped::by_script();
    log_in(&helped, &server, &helped.store, &[]).expect_code(0);
    helped.behave(r#"[ "$1" != erase ] || { echo 'no right to do that'; exit 1; }"#);
    let outcome = log_in(&helped, &server, "file", &[]).expect_code(0);
    let warning = outcome.warnings();
    for part in [
        "the earlier session of profile \"work\" remains in the credential helper",
        HELPER,
        "with its tokens",
        "no right to do that",
    ] {
        assert!(warning.contains(part), "{warning}");
    }
    assert_usable(&helped, "file", ACCESS_TOKEN);

    // one that cannot even be read is told before the browser opens, and keeps nobody from logging in
    set(&helped, &format!("store={}", helped.store)).expect_error(8);
    helped.behave("echo 'out of order'; exit 1");
    helped.home.configure(
        &helped
            .home
            .configuration()
            .replace("\"file\"", &format!("\"{}\"", helped.store)),
    );
    let outcome = log_in(&helped, &server, "file", &[]).expect_code(0);
    assert!(outcome.warnings().contains("cannot be read"), "{outcome:?}");
    assert!(outcome.warnings().contains("remains in"), "{outcome:?}");
    assert_usable(&helped, "file", ACCESS_TOKEN);
}

#[test]
fn a_login_that_saves_nothing_or_keeps_nothing_leaves_the_old_store_alone() {
    let server = authorization_server::start();
    let helped = Helped::by_script();
    log_in(&helped, &server, "file", &[]).expect_code(0);
    let configuration = helped.home.configuration();
    log_in(&helped, &server, &helped.store, &["--no-save"]).expect_code(0);
    log_in(&helped, &server, "none", &[]).expect_code(0);
    assert_eq!(helped.home.configuration(), configuration);
    assert_usable(&helped, "file", ACCESS_TOKEN);
}

#[test]
fn a_login_that_fails_leaves_the_old_store_as_it_is() {
    let server = authorization_server::start();
    let helped = Helped::by_script();
    log_in(&helped, &server, "file", &[]).expect_code(0);
    let before = std::fs::read(sessions(&helped.home).join("work")).expect("the session");
    server.on("POST", "/token", json(400, r#"{"error":"invalid_grant"}"#));
    log_in(&helped, &server, &helped.store, &[]).expect_code(5);
    assert_file_is_alone(&helped);
    assert_eq!(
        std::fs::read(sessions(&helped.home).join("work")).expect("the session"),
        before
    );
    assert_usable(&helped, "file", ACCESS_TOKEN);
}

#[test]
fn profile_set_moves_the_session_with_its_client_secret_there_and_back() {
    let helped = in_a_file("http://127.0.0.1:9");
    let there = set(&helped, &format!("store={}", helped.store)).expect_code(0);
    assert_eq!(there.stdout, "");
    assert!(
        there
            .stderr
            .starts_with("moved the session of profile \"work\" from encrypted files in"),
        "{there:?}"
    );
    assert_helper_is_alone(&helped);
    assert_usable(&helped, &helped.store, KEPT_ACCESS_TOKEN);
    for part in [CLIENT_SECRET, KEPT_REFRESH_TOKEN, r#"\"generation\":6,"#] {
        assert!(helped.read("item.work").contains(part), "{part}");
    }
    let configuration = helped.home.configuration();
    assert!(
        configuration.contains("# mine") && configuration.contains(&format!("store = \"{}\"", helped.store)),
        "{configuration}"
    );
    // the same again moves nothing
    let calls = helped.read("calls");
    assert_eq!(
        set(&helped, &format!("store={}", helped.store)).expect_code(0).stderr,
        "changed profile \"work\"\n"
    );
    assert_eq!(helped.read("calls"), calls);

    set(&helped, "store=file").expect_code(0);
    assert_file_is_alone(&helped);
    assert_usable(&helped, "file", KEPT_ACCESS_TOKEN);
    let kept = helped.home.kept("work").expect("the session");
    assert_eq!((kept.generation, kept.subject), (7, None));
    assert_eq!(kept.client.secret.expect("the secret").expose(), CLIENT_SECRET);
}

#[test]
fn a_store_that_cannot_take_the_session_changes_nothing() {
    let helped = in_a_file("http://127.0.0.1:9");
    let configuration = helped.home.configuration();
    let before = std::fs::read(sessions(&helped.home).join("work")).expect("the session");
    let store = format!("store={}", helped.store);
    for (behaviour, setting, said) in [
        ("", "store=command:/nonexistent/helper", "there is no program"),
        ("", "store=keyring", "keyring"),
        ("echo 'out of order'; exit 1", store.as_str(), "out of order"),
        (
            r#"[ "$1" != store ] || { echo 'no room'; exit 1; }"#,
            store.as_str(),
            "no room",
        ),
        // the trial works, and the session is forgotten
        (
            r#"case "$1$input" in store*refresh_token*) exit 0;; esac"#,
            store.as_str(),
            "cannot be read back unchanged",
        ),
        // the trial works, and the session is refused
        (
            r#"case "$1$input" in store*refresh_token*) echo 'too long'; exit 1;; esac"#,
            store.as_str(),
            "too long",
        ),
    ] {
        helped.behave(behaviour);
        let outcome = set(&helped, setting).expect_error(8);
        assert!(outcome.error().contains(said), "{outcome:?}");
        assert_eq!(helped.home.configuration(), configuration, "{said}");
        assert_eq!(
            std::fs::read(sessions(&helped.home).join("work")).expect("the session"),
            before,
            "{said}"
        );
        assert_file_is_alone(&helped);
    }
    let none = set(&helped, "store=none").expect_error(2);
    assert!(
        none.error().contains("the session of profile \"work\"") && none.hints().contains("oauth logout work"),
        "{none:?}"
    );
    assert_eq!(helped.home.configuration(), configuration);
    assert_usable(&helped, "file", KEPT_ACCESS_TOKEN);
}

#[test]
fn a_keyring_that_is_not_there_is_explained_to_a_move_as_to_a_login() {
    let helped = in_a_file("http://127.0.0.1:9");
    let moved = set(&helped, "store=keyring").expect_error(8);
    let login = helped.run(&["login", "work", "--store", "keyring"]).expect_error(8);
    assert_eq!((moved.error(), moved.hints()), (login.error(), login.hints()));
}

#[test]
fn what_cannot_be_erased_from_the_old_store_is_told() {
    let helped = in_a_file("http://127.0.0.1:9");
    set(&helped, &format!("store={}", helped.store)).expect_code(0);
    helped.behave(r#"[ "$1" != erase ] || { echo 'no right to do that'; exit 1; }"#);
    let outcome = set(&helped, "store=file").expect_code(0);
    let warning = outcome.warnings();
    assert!(
        warning.contains("remains in the credential helper") && warning.contains("no right to do that"),
        "{outcome:?}"
    );
    assert_usable(&helped, "file", KEPT_ACCESS_TOKEN);
}

#[test]
fn an_old_store_that_cannot_be_read_stops_the_move_only_where_the_profile_names_it() {
    let helped = in_a_file("http://127.0.0.1:9");
    let named = helped.home.configuration().replace("\"file\"", "\"keyring\"");
    helped.home.configure(&named);
    let outcome = set(&helped, "store=file").expect_error(8);
    outcome.says(&["Log in again: oauth login work --store file"]);
    assert_eq!(helped.home.configuration(), named);
    // the way out of a keyring that was never there
    helped.home.configure(&named.replace("store = \"keyring\"\n", ""));
    let outcome = set(&helped, "store=file").expect_code(0);
    assert!(
        outcome
            .warnings()
            .contains("holds a session of profile \"work\" is not known"),
        "{outcome:?}"
    );
    assert_usable(&helped, "file", KEPT_ACCESS_TOKEN);
    // a profile that is new has nothing to move
    let outcome = helped
        .run(&["profile", "set", "new", "client_id=x", "store=file"])
        .expect_code(0);
    assert_eq!(outcome.stderr, "made profile \"new\"\n");
}

#[test]
fn two_names_of_one_helper_lose_nothing() {
    let server = authorization_server::start();
    let mut helped = Helped::by_script();
    let folder = Path::new(HELPER).parent().expect("its folder").display().to_string();
    let path = std::env::var("PATH").expect("a path");
    helped.environment.push(("PATH", format!("{folder}:{path}").into()));
    let short = "command:credential-helper";
    log_in(&helped, &server, &helped.store, &[]).expect_code(0);
    let outcome = log_in(&helped, &server, short, &[]).expect_code(0);
    outcome.does_not_say("was removed");
    assert_usable(&helped, short, ACCESS_TOKEN);
    set(&helped, &format!("store={}", helped.store)).expect_code(0);
    assert_usable(&helped, &helped.store, ACCESS_TOKEN);
}

#[test]
fn a_login_removes_nothing_from_what_may_be_its_own_store() {
    let server = authorization_server::start();
    let helped = Helped::by_script();
    let other_name = helped.home.path().join("other-name");
    std::os::unix::fs::symlink(HELPER, &other_name).expect("a link");
    log_in(&helped, &server, &format!("command:{}", other_name.display()), &[]).expect_code(0);
    helped.behave(r#"case "$0 $1" in *other-name\ get) echo 'not now'; exit 1 ;; esac"#);
    let outcome = log_in(&helped, &server, &helped.store, &[]).expect_code(0);
    let warning = outcome.warnings();
    assert!(
        warning.contains("remains in the credential helper") && warning.contains("not now"),
        "{outcome:?}"
    );
    assert_usable(&helped, &helped.store, ACCESS_TOKEN);
}

#[test]
fn a_move_waits_for_a_refresh_and_takes_its_result() {
    let server = LiteralServer::start();
    let gate = Gate::new();
    let answer =
        r#"{"access_token":"new-access","token_type":"Bearer","expires_in":3600,"refresh_token":"new-refresh"}"#;
    server.on("POST", "/token", json(200, answer).after_gate(&gate));
    let helped = in_a_file(&server.origin());
    helped.home.keep("work", &ending_in(-10, refreshable(&server.origin())));
    let refresh = Running::start(&mut helped.oauth(&["token", "work"]));
    server.wait_for("/token", 1);
    let store = format!("store={}", helped.store);
    let moving = Running::start(&mut helped.oauth(&["profile", "set", "work", &store]));
    moving.line_with("waiting for process");
    gate.open();
    assert_eq!(refresh.end().expect_code(0).stdout, "new-access\n");
    moving.end().expect_code(0);
    assert_helper_is_alone(&helped);
    assert!(helped.read("item.work").contains("new-refresh"));
    assert_usable(&helped, &helped.store, "new-access");
    assert_eq!(server.requests().len(), 1);
}
