//! `oauth exec`: the command sees the token and nothing else of ours, and is
//! the process that the caller started.

use super::support::authorization_server::{self, ACCESS_TOKEN};
use super::support::binary::Home;
use super::support::outcome::{Outcome, run, run_with_input};
use super::support::running::Running;
use super::support::sessions::{KEPT_ACCESS_TOKEN, ending_in, log_in, now, session};
use base64::Engine;
use oauth::protocol::time::UnixSeconds;
use oauth::secret::Secret;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

const ISSUER: &str = "https://id.example.com";

/// 2033-05-18T03:33:20Z
const EXPIRES_AT: UnixSeconds = UnixSeconds(2_000_000_000);

fn home() -> Home {
    let home = Home::new();
    home.configure(&format!(
        "[profile.work]\nissuer = \"{ISSUER}\"\nclient_id = \"desktop\"\n"
    ));
    let mut session = session(ISSUER);
    session.tokens[0].expires_at = Some(EXPIRES_AT);
    session.id_token = Some(Secret::from(id_token(3600).as_str()));
    home.keep("work", &session);
    home
}

fn exec(home: &Home, arguments: &[&str]) -> Command {
    let mut command = home.oauth();
    command.arg("exec").args(arguments);
    command
}

/// Nobody looks at its signature here.
fn id_token(seconds: i64) -> String {
    let encode = |value: Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
    let hour = now() - now() % 3600;
    let claims =
        json!({ "iss": ISSUER, "aud": "desktop", "sub": "u1", "iat": hour - 7200, "exp": hour + 3600 + seconds });
    format!("{}.{}.c2lnbmF0dXJl", encode(json!({ "alg": "RS256" })), encode(claims))
}

/// The environment that a command found, sorted.
fn environment(outcome: &Outcome) -> Vec<(&str, &str)> {
    let mut variables: Vec<(&str, &str)> = outcome
        .stdout
        .split_terminator('\0')
        .filter_map(|variable| variable.split_once('='))
        .collect();
    variables.sort_unstable();
    variables
}

#[test]
fn the_command_finds_the_variables_of_format_env_and_no_setting_of_ours() {
    let home = home();
    let mut command = exec(&home, &["work", "--", "env", "-0"]);
    command
        .env("OAUTH_DEADLINE", "1h")
        .env("OAUTH_TRACE", home.path().join("trace.json"))
        .env("OAUTH_CLIENT_SECRET", "canary")
        .env("Oauth_Other", "canary")
        .env("OTHER", "kept");
    let outcome = run(&mut command).expect_code(0);
    assert_eq!(outcome.stderr, "");
    let path = std::env::var("PATH").expect("PATH");
    assert_eq!(
        environment(&outcome),
        [
            ("HOME", home.path().to_str().expect("a path")),
            ("OAUTH_ACCESS_TOKEN", KEPT_ACCESS_TOKEN),
            ("OAUTH_EXPIRES_AT", "2033-05-18T03:33:20Z"),
            ("OAUTH_ISSUER", ISSUER),
            ("OAUTH_PROFILE", "work"),
            ("OAUTH_TOKEN_PROFILE", "work"),
            ("OAUTH_TOKEN_TYPE", "Bearer"),
            ("OTHER", "kept"),
            ("PATH", path.as_str()),
        ]
    );
}

#[test]
fn an_oauth_in_the_command_finds_the_profile_of_another_configuration_file() {
    let (home, server) = (Home::new(), authorization_server::start());
    let config = home.path().join("app.toml");
    let path = config.to_str().expect("a path");
    let issuer = server.origin();
    let arguments = [
        "-p",
        "app",
        "--config",
        path,
        "--issuer",
        &issuer,
        "--client-id",
        "desktop",
    ];
    log_in(&home, &server, &arguments);
    let inner = "cd / && \"$0\" token";
    let command = ["--", "sh", "-c", inner, env!("CARGO_BIN_EXE_oauth")];
    let mut outer = exec(&home, &[&["app", "--config", "app.toml"][..], &command].concat());
    let outcome = run(outer.current_dir(home.path())).expect_code(0);
    assert_eq!(outcome.stdout, format!("{ACCESS_TOKEN}\n"));
}

#[test]
fn with_env_it_finds_these_variables_alone() {
    let home = home();
    let arguments = [
        "--env",
        "GITLAB_TOKEN=access_token",
        "--env=ID=id_token",
        "--env=_END=expires_at",
        "--env=ISS=issuer",
        "--",
        "env",
        "-0",
    ];
    let outcome = run(&mut exec(&home, &arguments)).expect_code(0);
    let id_token = id_token(3600);
    let mut found = environment(&outcome);
    found.retain(|(name, _)| !["HOME", "PATH"].contains(name));
    assert_eq!(
        found,
        [
            ("GITLAB_TOKEN", KEPT_ACCESS_TOKEN),
            ("ID", id_token.as_str()),
            ("ISS", ISSUER),
            ("_END", "2033-05-18T03:33:20Z"),
        ]
    );
}

#[test]
fn variables_that_cannot_be_set_are_a_usage_error_and_the_text_is_not_repeated() {
    let home = home();
    for bad in [
        "canary",
        "=access_token",
        "1A=access_token",
        "A B=access_token",
        "A=canary",
        "A=",
    ] {
        run(&mut exec(&home, &["--env", bad, "--", "touch", "ran"]))
            .expect_error(2)
            .says(&["--env"])
            .does_not_say("canary");
    }
    run(&mut exec(
        &home,
        &["--env=A=issuer", "--env=A=id_token", "--", "touch", "ran"],
    ))
    .expect_error(2);
    run(&mut exec(&home, &["work"])).expect_code(2);
    assert!(!home.path().join("ran").exists());
}

#[test]
fn a_command_without_dashes_is_shown_with_them() {
    let home = home();
    run(&mut exec(&home, &["work", "ls", "a b"]))
        .expect_error(2)
        .says(&["the command comes after --: oauth exec work -- ls 'a b'"]);
    run(&mut exec(&home, &["work", "--lgin", "--", "ls"]))
        .expect_error(2)
        .does_not_say("comes after --");
}

#[test]
fn the_exit_code_is_the_commands_and_those_of_a_shell_where_there_is_none() {
    let home = home();
    for code in [0, 1, 4, 42, 255] {
        let script = format!("exit {code}");
        run(&mut exec(&home, &["--", "sh", "-c", &script])).expect_code(code);
    }
    run(&mut exec(&home, &["--", "no-such-command-of-anybody"]))
        .expect_error(127)
        .says(&["no-such-command-of-anybody"]);
    run(&mut exec(&home, &["--", "echo $OAUTH_ACCESS_TOKEN"]))
        .expect_error(127)
        .says(&["hint: ", "sh -c"]);
    let file = home.path().join("plain-file");
    std::fs::write(&file, "text").expect("writing it");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("its mode");
    run(&mut exec(&home, &["--", file.to_str().expect("a path")])).expect_error(126);
    let error = run(exec(&home, &["--", "no-such-command-of-anybody"])
        .env("OAUTH_STORE", "file")
        .arg("x"));
    assert_eq!(error.code, Some(127));
}

#[test]
fn standard_input_arguments_and_streams_are_the_commands() {
    let home = home();
    let input = b"one\ntwo \x00 three";
    let outcome = run_with_input(&mut exec(&home, &["--", "cat"]), input).expect_code(0);
    assert_eq!(outcome.stdout.as_bytes(), input);
    let arguments = ["--", "printf", "%s|", "-p", "--json", "", "a b"];
    let outcome = run(&mut exec(&home, &arguments)).expect_code(0);
    assert_eq!(outcome.stdout, "-p|--json||a b|");
}

#[test]
fn the_command_is_the_process_that_was_started_and_gets_its_signals() {
    use rustix::process::Signal;
    let home = home();
    let script = "trap 'exit 42' TERM; echo \"pid $$\" >&2; read line";
    // a deadline ends when the command starts: its thread is gone with the rest of the process
    let mut command = exec(&home, &["--deadline", "1h", "--", "sh", "-c", script]);
    let running = Running::start_with_open_input(&mut command);
    assert_eq!(running.line_with("pid "), format!("pid {}", running.id()));
    running.signal(Signal::TERM);
    running.end().expect_code(42);
}

#[test]
fn without_a_session_the_command_is_not_run() {
    let home = home();
    home.keep("work", &ending_in(-5, session(ISSUER)));
    run(&mut exec(&home, &["--", "touch", "ran"]))
        .expect_error(4)
        .says(&["oauth login work"]);
    run(&mut exec(&home, &["other", "--", "touch", "ran"])).expect_error(2);
    home.keep("work", &session(ISSUER));
    run(&mut exec(&home, &["--env=A=id_token", "--", "touch", "ran"])).expect_error(4);
    run(&mut exec(&home, &["--login", "other", "--", "touch", "ran"])).expect_error(2);
    assert!(!home.path().join("ran").exists());
}

/// The end of a trace that goes to a pipe is written last, and a process that
/// was replaced writes nothing any more.
#[test]
fn a_trace_is_whole_when_the_command_starts() {
    let home = home();
    let trace = home.path().join("trace.har");
    let made = Command::new("mkfifo").arg(&trace).status().expect("mkfifo");
    assert!(made.success());
    let reading = {
        let trace = trace.clone();
        std::thread::spawn(move || std::fs::read_to_string(trace).expect("the pipe"))
    };
    let arguments = ["--trace", trace.to_str().expect("a path"), "--", "true"];
    run(&mut exec(&home, &arguments)).expect_code(0);
    let har: Value = serde_json::from_str(&reading.join().expect("no panic")).expect("whole JSON");
    assert!(har["log"]["entries"].is_array());
}

#[test]
fn a_bound_token_is_given_with_its_type_and_a_warning() {
    let home = home();
    let mut bound = session(ISSUER);
    bound.tokens[0].token_type = "DPoP".to_owned();
    home.keep("work", &bound);
    let outcome = run(&mut exec(&home, &["--", "sh", "-c", "echo $OAUTH_TOKEN_TYPE"])).expect_code(0);
    assert_eq!(outcome.stdout, "DPoP\n");
    outcome.says(&["warning: ", "DPoP"]);
}

#[test]
fn the_command_has_the_limits_that_oauth_was_started_with() {
    let home = home();
    let mut command = Command::new("sh");
    let script = "ulimit -S -c 7 && exec \"$0\" exec -- sh -c 'ulimit -S -c'";
    command
        .args(["-c", script])
        .arg(assert_cmd::cargo::cargo_bin!("oauth"))
        .env_clear()
        .env("HOME", home.path())
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("OAUTH_STORE", "file");
    assert_eq!(run(&mut command).expect_code(0).stdout, "7\n");
}
