//! `oauth exec` on Windows, where it waits for the command and ends as that does.

use super::support::binary::Home;
use super::support::outcome::{Outcome, run, run_with_input};
use super::support::sessions::{KEPT_ACCESS_TOKEN, ending_in, session};

const ISSUER: &str = "https://id.example.com";

fn home() -> Home {
    let home = Home::new();
    home.configure(&format!(
        "[profile.work]\nissuer = \"{ISSUER}\"\nclient_id = \"desktop\"\n"
    ));
    home.keep("work", &session(ISSUER));
    home
}

/// What this line of the shell does.
fn exec(home: &Home, line: &str) -> Outcome {
    let mut command = home.oauth();
    run(command
        .env("OAUTH_CLIENT_SECRET", "canary")
        .args(["exec", "--", "cmd", "/D", "/C", line]))
}

#[test]
fn the_command_finds_the_token_and_no_setting_of_ours() {
    let home = home();
    let outcome = exec(&home, "echo %OAUTH_ACCESS_TOKEN% %OAUTH_PROFILE% %OAUTH_CLIENT_SECRET%").expect_code(0);
    // cmd leaves variables that are not set as they are
    let expected = format!("{KEPT_ACCESS_TOKEN} work %OAUTH_CLIENT_SECRET%");
    assert_eq!(outcome.stdout.trim_end(), expected);
    assert_eq!(outcome.stderr, "");
}

#[test]
fn the_exit_code_is_the_commands_and_that_of_a_shell_where_there_is_none() {
    let home = home();
    for code in [0, 1, 4, 42, 255] {
        exec(&home, &format!("exit {code}")).expect_code(code);
    }
    let mut absent = home.oauth();
    run(absent.args(["exec", "--", "no-such-command-of-anybody"]))
        .expect_error(127)
        .says(&["no-such-command-of-anybody"]);
    let mut line = home.oauth();
    run(line.args(["exec", "--", "echo %OAUTH_ACCESS_TOKEN%"]))
        .expect_error(127)
        .says(&["hint: ", "oauth exec -- cmd /C"]);
}

#[test]
fn standard_input_is_the_commands() {
    let home = home();
    let mut command = home.oauth();
    let line = b"echo read by %OAUTH_PROFILE%\r\n";
    let outcome = run_with_input(command.args(["exec", "--", "cmd", "/D", "/Q"]), line).expect_code(0);
    assert!(outcome.stdout.contains("read by work"), "{outcome:?}");
}

#[test]
fn without_a_session_the_command_is_not_run() {
    let home = home();
    home.keep("work", &ending_in(-5, session(ISSUER)));
    exec(&home, "echo x > ran").expect_error(4).says(&["oauth login work"]);
    assert!(!home.path().join("ran").exists());
}
