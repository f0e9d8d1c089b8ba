//! The process under attack and under limits: core files, debuggers, signals,
//! standard output that leads nowhere, no threads, no descriptors.

use super::profile::as_ordinary_user;
use super::support::authorization_server;
use super::support::binary::Home;
use super::support::literal_server::{LiteralServer, PATIENCE, json};
use super::support::login::{login, script};
use super::support::outcome::{Outcome, finish, run};
use super::support::running::Running;
use super::support::server_program::ServerProgram;
use super::support::sessions::{KEPT_ACCESS_TOKEN, ending_in, refreshable, session};
use super::support::shell::{after, in_shell};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

/// A home with a session.
fn home() -> Home {
    let home = Home::new();
    home.configure("[profile.work]\nissuer = \"https://id.example.com\"\nclient_id = \"desktop\"\n");
    home.keep("work", &session("https://id.example.com"));
    home
}

#[test]
fn no_program_is_taken_from_the_current_folder_where_the_path_names_it() {
    let (home, server) = (Home::new(), authorization_server::start());
    let mark = home.path().join("was-run");
    // made by another process: one that this one had open for writing might be "busy"
    let make = r#"printf '#!/bin/sh\ntouch "%s"\n' "$1" > planted && chmod +x planted"#;
    let mut planting = Command::new("sh");
    planting.args(["-c", make, "sh"]).arg(&mark).current_dir(home.path());
    assert!(planting.status().expect("a shell").success());
    let issuer = server.origin();
    home.configure(&format!(
        "[profile.work]\nissuer = \"{issuer}\"\nclient_id = \"desktop\"\n"
    ));
    let path = std::env::var("PATH").expect("a path");
    for relative in [".", "", "./"] {
        let oauth = |arguments: &[&str]| {
            let mut command = home.oauth();
            command.env("PATH", format!("{relative}:{path}")).args(arguments);
            command
        };
        // a credential helper, which would get the session
        let helper = run(&mut oauth(&["token", "work", "--store", "command:planted"])).expect_error(8);
        assert!(helper.error().contains("there is no program `planted`"), "{helper:?}");
        // a source of tokens
        let source = ["--grant", "jwt-bearer", "--assertion", "command:planted"];
        let machine = ["login", &issuer, "--profile", "machine", "--client-id", "machine"];
        run(&mut oauth(&[&machine[..], &source[..]].concat())).expect_error(2);
        // a browser
        let mut command = login(&home, &server, &["--profile", "work", "--browser", "planted"]);
        let browsing = Running::start(command.env("PATH", format!("{relative}:{path}")));
        authorization_server::consent(&browsing.authorization_url(), &issuer);
        browsing.end().expect_code(0);
        assert!(!mark.exists(), "PATH began with {relative:?}");
    }
}

/// A project folder may have a program of the same path, which would be run by
/// the next login there.
#[test]
fn no_program_or_file_of_the_current_folder_is_saved_or_read_by_its_relative_path() {
    let (home, server) = (Home::new(), authorization_server::start());
    let issuer = server.origin();
    let here = home.path().canonicalize().expect("the folder");
    let here = here.to_str().expect("a path in UTF-8");
    std::fs::write(home.path().join("open.py"), "").expect("a script");
    let mut command = login(&home, &server, &["--profile", "work", "--browser", "./br.py -x %s"]);
    let browsing = Running::start(command.current_dir(here));
    authorization_server::consent(&browsing.authorization_url(), &issuer);
    browsing.end().expect_code(0);
    let is_saved = |line: &str| {
        let configuration = home.configuration();
        assert!(configuration.contains(line), "{line}: {configuration}");
    };
    is_saved(&format!("browser = \"{here}/br.py -x '%s'\""));
    for (setting, line) in [
        ("browser=bin/br %s", format!("browser = \"{here}/bin/br '%s'\"")),
        (
            "browser=python3 open.py",
            format!("browser = \"python3 {here}/open.py\""),
        ),
        ("browser=firefox -P work", "browser = \"firefox -P work\"".to_owned()),
        ("cacert=ca.pem", format!("cacert = \"{here}/ca.pem\"")),
        (
            "client_key_file=./key.pem",
            format!("client_key_file = \"{here}/key.pem\""),
        ),
        (
            "subject_token=file:token",
            format!("subject_token = \"file:{here}/token\""),
        ),
        (
            "assertion=command:./mint",
            format!("assertion = \"command:{here}/mint\""),
        ),
    ] {
        let mut command = home.oauth();
        run(command.current_dir(here).args(["profile", "set", "other", setting])).expect_code(0);
        is_saved(&line);
    }

    // what a person wrote there
    for (key, value, relative) in [
        ("browser", "./br.py %s", "./br.py"),
        ("browser", "python3 ./open.py", "./open.py"),
        ("client_secret_file", "secret", "secret"),
        ("subject_token", "command:bin/mint", "bin/mint"),
    ] {
        home.configure(&format!(
            "[profile.work]\nissuer = \"{issuer}\"\nclient_id = \"desktop\"\n{key} = \"{value}\"\n"
        ));
        let mut command = home.oauth();
        let refused = run(command.current_dir(here).args(["login", "work", "--no-browser"])).expect_error(2);
        let problem = format!("config.toml:4: {key} has a relative path, \"{relative}\"");
        assert!(refused.error().contains(&problem), "{refused:?}");
        assert!(refused.hints().contains("write the absolute path"), "{refused:?}");
    }
    // a file that came later, such as the browser's own, changes nothing
    home.configure("[profile.work]\nissuer = \"https://id.example.com\"\nbrowser = \"curl -o open.py\"\n");
    run(home.oauth().current_dir(here).args(["profile", "list"])).expect_code(0);
    home.configure("");
    let mut command = login(&home, &server, &["--profile", "work"]);
    let refused = run(command.env("BROWSER", "./br.py")).expect_error(2);
    assert!(refused.error().contains("BROWSER has a relative path"), "{refused:?}");
}

#[test]
fn an_aborted_process_leaves_no_core_file() {
    let home = home();
    let mut command = home.oauth();
    command.args(["serve", "--port", "0"]);
    // in the background of a script, SIGQUIT is ignored
    let mut server = in_shell("ulimit -c unlimited; exec env --default-signal=QUIT \"$@\"", &command)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let mut issuer = String::new();
    let mut stdout = BufReader::new(server.stdout.take().expect("its stdout"));
    stdout.read_line(&mut issuer).expect("the issuer");
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.id())).expect("its limits");
    let core = limits.lines().find(|line| line.starts_with("Max core file size"));
    let words: Vec<&str> = core.expect("a limit").split_whitespace().collect();
    assert_eq!(words[4..6], ["0", "unlimited"], "the soft limit alone: {limits}");
    kill_process(Pid::from_child(&server), Signal::QUIT).expect("it runs");
    let status = server.wait().expect("its end");
    assert_eq!((status.signal(), status.core_dumped()), (Some(3), false));
}

#[test]
fn a_process_of_the_same_user_cannot_look_into_it() {
    let home = home();
    let Some(mut command) = as_ordinary_user(&home) else {
        return;
    };
    command
        .args(["serve", "--port", "0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut server = command.spawn().expect("it starts");
    let mut issuer = String::new();
    let mut stdout = BufReader::new(server.stdout.take().expect("its stdout"));
    stdout.read_line(&mut issuer).expect("the issuer");
    // the owner of what is in there may read memory and descriptors
    let owner = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(format!("/proc/{}/mem", server.id())).unwrap());
    kill_process(Pid::from_child(&server), Signal::TERM).expect("it runs");
    server.wait().expect("its end");
    assert_eq!(owner, 0);
}

#[test]
fn the_browser_has_the_limits_and_signals_that_the_shell_gave() {
    let (home, server) = (Home::new(), authorization_server::start());
    let report = home.path().join("report");
    // the limit is given back after the start
    let browser = script(
        home.path(),
        "looking-browser",
        &format!(
            "for i in 1 2 3 4 5 6 7 8 9; do [ \"$(ulimit -c)\" = 0 ] || break; sleep 0.05; done\n{{ ulimit -c; grep SigIgn /proc/self/status; }} > '{0}.part'\nmv '{0}.part' '{0}'\nexit 1",
            report.display()
        ),
    );
    let command = login(&home, &server, &["--browser", &browser]);
    let running = Running::start(&mut after("ulimit -c unlimited", &command));
    running.line_with("exited with 1");
    running.signal(Signal::TERM);
    running.end();
    let report = std::fs::read_to_string(report).expect("the browser's report");
    let (limit, ignored) = report.trim().split_once("\nSigIgn:\t").expect("two lines");
    assert_eq!(limit, "unlimited");
    let ignored = u64::from_str_radix(ignored, 16).expect("a mask");
    assert_eq!(ignored & 1 << (Signal::XFSZ.as_raw() - 1), 0, "{ignored:x}");
}

#[test]
fn tokens_that_would_only_be_printed_are_not_fetched_for_nobody() {
    for redirection in [">&-", ">/dev/null"] {
        let (home, server) = (Home::new(), authorization_server::start());
        for store in [&["--no-store"][..], &["--store", "none"]] {
            let command = login(&home, &server, &[&["--no-browser"], store].concat());
            run(&mut in_shell(&format!("exec \"$@\" {redirection}"), &command))
                .expect_error(2)
                .says(&["/dev/null", "hint: ", "--no-store"]);
        }
        assert_eq!(server.connections(), 0, "{redirection}");
    }
}

#[test]
fn a_token_that_nobody_gets_is_an_error() {
    let home = home();
    let mut token = home.oauth();
    token.args(["token", "work"]);
    let with = |redirection: &str| run(&mut in_shell(&format!("exec \"$@\" {redirection}"), &token));
    with(">&-").expect_error(1).says(&["standard output is closed"]);
    with("<&- >&- 2>&-").expect_code(1);
    with("<&- 2>&-").expect_code(0);
    // dropped on purpose, as a job does that keeps a session alive
    with(">/dev/null").expect_code(0);
    with("<>/dev/null >&0").expect_code(0);
    assert_eq!(with("").expect_code(0).stdout, format!("{KEPT_ACCESS_TOKEN}\n"));
    let mut status = home.oauth();
    run(&mut in_shell("exec \"$@\" >&-", status.arg("status"))).expect_error(1);
}

#[test]
fn a_reader_that_has_gone_is_an_error_for_a_token_alone() {
    let home = home();
    let into_broken_pipe = |arguments: &[&str]| {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut command = home.oauth();
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(writer)
            .stderr(Stdio::piped());
        let child = command.spawn().expect("it starts");
        // the command holds the writer too
        drop(command);
        finish(child)
    };
    into_broken_pipe(&["token", "work"])
        .expect_error(1)
        .says(&["Broken pipe"]);
    for arguments in [&["status"][..], &["--help"], &["profile", "list"]] {
        let outcome = into_broken_pipe(arguments).expect_code(0);
        assert_eq!(outcome.stderr, "", "{arguments:?}");
    }
}

/// Ended by itself and not by a signal.
#[track_caller]
fn assert_not_aborted(outcome: &Outcome, limit: &str) {
    assert!(outcome.code.is_some(), "{limit}: {outcome:?}");
    assert!(!outcome.stderr.contains("panicked"), "{limit}: {outcome:?}");
}

#[test]
fn too_few_descriptors_are_an_error_and_no_abort() {
    let server = LiteralServer::start();
    let answer =
        r#"{"access_token":"new-access","token_type":"Bearer","expires_in":3600,"refresh_token":"new-refresh"}"#;
    server.on("POST", "/token", json(200, answer));
    let (mut failed, mut worked) = (0, 0);
    for descriptors in 4..20 {
        let limit = format!("ulimit -n {descriptors}");
        let home = home();
        home.keep("work", &ending_in(-10, refreshable(&server.origin())));
        home.configure(&format!(
            "[profile.work]\nissuer = \"{}\"\nclient_id = \"desktop\"\n",
            server.origin()
        ));
        for arguments in [
            &["token", "work"][..],
            &["demo", "--unattended", "--timeout", "300ms"],
            &["discover", "http://127.0.0.1:9"],
            &["status"],
        ] {
            let mut command = home.oauth();
            command.args(arguments);
            let outcome = run(&mut after(&limit, &command));
            assert_not_aborted(&outcome, &limit);
            match outcome.code {
                Some(0) => worked += 1,
                _ => failed += 1,
            }
        }
        let mut command = home.oauth();
        command.args(["serve", "--port", "0"]);
        assert_not_aborted(&served(after(&limit, &command)), &limit);
    }
    assert!(failed > 10 && worked > 10, "{failed} failed, {worked} worked");
}

/// A client that is never accepted waits for its own timeout.
#[test]
fn a_server_out_of_descriptors_closes_a_new_connection_at_once() {
    let home = home();
    let mut command = home.oauth();
    command.args(["serve", "--port", "0"]);
    let server = ServerProgram::start(&mut after("ulimit -n 20", &command), "http://");
    let address = server.line().trim().strip_prefix("http://").expect("its origin");
    let silent: Vec<_> = (0..20)
        .map(|_| TcpStream::connect(address).expect("a connection"))
        .collect();
    let newest = TcpStream::connect(address).expect("a connection");
    newest.set_read_timeout(Some(PATIENCE)).expect("a time limit");
    // closed in order, so that all before it were accepted, or closed too
    let closed = (&newest).read(&mut [0]);
    assert!(
        closed.as_ref().map_or_else(
            |error| error.kind() == ErrorKind::ConnectionReset,
            |length| *length == 0
        ),
        "{closed:?}"
    );
    silent[0].set_nonblocking(true).expect("a socket");
    let open = (&silent[0]).read(&mut [0]);
    assert!(
        open.is_err_and(|error| error.kind() == ErrorKind::WouldBlock),
        "the oldest is kept"
    );
    drop(silent);
    // until it has seen that they are gone
    let answered = (0..100).any(|_| {
        let mut next = TcpStream::connect(address).expect("a connection");
        next.set_read_timeout(Some(PATIENCE)).expect("a time limit");
        let mut answer = String::new();
        let sent = write!(
            next,
            "GET /jwks HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
        );
        sent.is_ok() && next.read_to_string(&mut answer).is_ok() && answer.starts_with("HTTP/1.1 200 ")
    });
    assert!(answered, "it serves on");
}

/// Runs a server until it says that it is ready, or ends before.
fn served(mut command: Command) -> Outcome {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut server = command.spawn().expect("it starts");
    let mut line = Vec::new();
    let mut stdout = server.stdout.take().expect("its stdout");
    let mut byte = [0];
    while stdout.read(&mut byte).is_ok_and(|length| length > 0) && byte != *b"\n" {
        line.push(byte[0]);
    }
    let _gone_already = kill_process(Pid::from_child(&server), Signal::TERM);
    finish(server)
}

#[test]
fn no_threads_are_an_error_and_no_abort() {
    let home = home();
    let Some(ordinary) = as_ordinary_user(&home) else {
        return;
    };
    for arguments in [
        &["demo", "--unattended"][..],
        &["token", "work", "--deadline", "5s"],
        &["serve", "--port", "0"],
        &["discover", "http://localhost:9"],
        &["token", "work", "--store", "command:/bin/true"],
        &["token", "work", "--store", "keyring"],
        &[
            "login",
            "http://localhost:9",
            "--client-id=x",
            "-p",
            "new",
            "--browser=true",
        ],
    ] {
        // the limit is not root's, and is set by the one who has it
        let mut words = ordinary.get_args().map(|word| word.to_str().expect("UTF-8").to_owned());
        let mut command = Command::new(ordinary.get_program());
        command.args(words.by_ref().take_while(|word| word != "--")).arg("--");
        command
            .args(["bash", "-c", "ulimit -u 1; exec \"$@\"", "bash"])
            .args(words)
            .args(arguments);
        command.env_clear().current_dir(home.path());
        for (name, value) in ordinary.get_envs() {
            command.env(name, value.unwrap_or_default());
        }
        let outcome = served(command);
        assert_not_aborted(&outcome, "ulimit -u 1");
        assert_ne!(outcome.code, Some(0), "{arguments:?}: {outcome:?}");
    }
}
