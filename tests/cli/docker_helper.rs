//! `oauth credential docker`: the protocol of docker-credential-helpers.

use super::support::binary::Home;
use super::support::outcome::{Outcome, run, run_with_input};
use super::support::sessions::{KEPT_ACCESS_TOKEN, ending_in, session};
use serde_json::json;

const ISSUER: &str = "https://id.example.com";
const NOT_FOUND: &str = "credentials not found in native keychain\n";

fn home() -> Home {
    let home = Home::new();
    home.configure(&format!(
        "[profile.work]\nissuer = \"{ISSUER}\"\nclient_id = \"desktop\"\nallow_host = [\"registry.example:5000\", \"hub.example\", \"*.forge.example\"]\n"
    ));
    home.keep("work", &session(ISSUER));
    home
}

fn helper(home: &Home, action: &str, input: &str) -> Outcome {
    let mut command = home.oauth();
    run_with_input(command.args(["credential", "docker", action]), input.as_bytes())
}

#[test]
fn get_answers_for_a_registry_of_the_profile_however_it_is_written() {
    let home = home();
    for server in [
        "registry.example:5000",
        "https://registry.example:5000",
        "https://hub.example/v1/",
        "hub.example",
        "a.forge.example",
    ] {
        let outcome = helper(&home, "get", &format!("{server}\n")).expect_code(0);
        assert_eq!(
            outcome.json(),
            json!({ "ServerURL": server, "Username": "oauth2", "Secret": KEPT_ACCESS_TOKEN }),
            "{server}"
        );
        assert_eq!(outcome.stderr, "");
    }
}

#[test]
fn an_unknown_server_is_answered_with_the_text_that_callers_look_for() {
    let home = home();
    for server in [
        "https://index.docker.io/v1/",
        "registry.example",
        "http://hub.example",
        "https://id.example.com",
        "https://user@hub.example",
        "",
        "::",
    ] {
        let outcome = helper(&home, "get", server);
        assert_eq!(
            (outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()),
            (Some(1), NOT_FOUND, ""),
            "{server}"
        );
    }
    home.keep("work", &ending_in(-5, session(ISSUER)));
    let outcome = helper(&home, "get", "hub.example").expect_code(1);
    assert_eq!(outcome.stdout, NOT_FOUND);
    outcome.says(&["warning: ", "oauth login work"]);
}

#[test]
fn list_has_the_hosts_that_are_named_and_no_secret() {
    let outcome = helper(&home(), "list", "").expect_code(0);
    assert_eq!(
        outcome.stdout,
        "{\"hub.example\":\"oauth2\",\"registry.example:5000\":\"oauth2\"}\n"
    );
    assert_eq!(helper(&Home::new(), "list", "").expect_code(0).stdout, "{}\n");
}

#[test]
fn store_and_erase_of_others_are_refused() {
    let home = home();
    let stored = |server: &str, secret: &str| {
        let request = json!({ "ServerURL": server, "Username": "u", "Secret": secret });
        helper(&home, "store", &request.to_string())
    };
    stored("hub.example", KEPT_ACCESS_TOKEN).expect_code(0);
    for outcome in [
        stored("hub.example", "canary"),
        stored("other.example", KEPT_ACCESS_TOKEN),
        helper(&home, "store", "not JSON, canary"),
        helper(&home, "erase", "other.example"),
    ] {
        assert_eq!(outcome.code, Some(1), "{outcome:?}");
        assert!(outcome.stdout.starts_with("oauth "), "{outcome:?}");
        assert!(
            !outcome.stdout.contains("canary") && outcome.stderr.is_empty(),
            "{outcome:?}"
        );
    }
    let outcome = helper(&home, "erase", "hub.example").expect_code(0);
    assert_eq!(outcome.stdout, "");
    outcome.says(&["oauth logout work"]);
    helper(&home, "get", "hub.example").expect_code(0);
}

#[test]
fn errors_are_on_stdout_for_the_caller_and_on_stderr_with_their_hints() {
    let home = home();
    let mut bound = session(ISSUER);
    bound.tokens[0].token_type = "DPoP".to_owned();
    home.keep("work", &bound);
    let outcome = helper(&home, "get", "hub.example").expect_code(2);
    assert!(outcome.stdout.contains("DPoP") && !outcome.stdout.contains(KEPT_ACCESS_TOKEN));
    outcome.says(&["error: ", "hint: "]);
    let outcome = helper(&home, "frobnicate", "").expect_code(2);
    assert!(outcome.stdout.contains("frobnicate"), "{outcome:?}");
}

#[test]
fn a_link_with_the_name_that_docker_runs_is_the_helper() {
    let home = home();
    let link = home
        .path()
        .join(format!("docker-credential-oauth{}", std::env::consts::EXE_SUFFIX));
    let binary = assert_cmd::cargo::cargo_bin!("oauth");
    #[cfg(unix)]
    std::os::unix::fs::symlink(binary, &link).expect("a link");
    // few people may make symbolic links there
    #[cfg(windows)]
    std::fs::copy(binary, &link).expect("a copy");
    let linked = |arguments: &[&str]| {
        let mut command = home.command(&link);
        command.args(arguments);
        command
    };
    let outcome = run_with_input(&mut linked(&["get"]), b"hub.example").expect_code(0);
    assert_eq!(outcome.json()["Secret"], KEPT_ACCESS_TOKEN);
    let outcome = run(&mut linked(&["version"])).expect_code(0);
    assert_eq!(outcome.stdout, concat!("oauth ", env!("CARGO_PKG_VERSION"), "\n"));
    run(&mut linked(&[])).expect_code(2);
}
