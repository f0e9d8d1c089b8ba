//! Figures, as ratios in one run, beside those of `.ci/ratios`: `./test --release --test figures -- --ignored --nocapture --test-threads 1`
//!
//! Commands take turns, so that a machine that is slow for a moment is slow for
//! all of them; each ratio is the median of the ratios of single rounds.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "the figures are the result")]

#[path = "../cli/support/mod.rs"]
mod support;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use support::binary::Home;
use support::certificates::{Authority, start_tls};
use support::keyring_session::KeyringSession;
use support::literal_server::{LiteralServer, json};
use support::sessions::{ending_in, refreshable};

const NEW: &str =
    r#"{"access_token":"new-access","token_type":"Bearer","expires_in":3600,"refresh_token":"new-refresh"}"#;

/// A command under a name, made again for each round.
struct Contender<'a> {
    name: &'static str,
    command: Box<dyn Fn() -> Command + 'a>,
}

fn contender<'a>(name: &'static str, command: impl Fn() -> Command + 'a) -> Contender<'a> {
    Contender {
        name,
        command: Box::new(command),
    }
}

/// The wall time of one run, which must succeed.
fn time(command: &mut Command) -> Duration {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let began = Instant::now();
    let status = command.status().expect("it runs");
    let took = began.elapsed();
    assert!(status.success(), "{command:?}: {status}");
    took
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Lets them take turns, and prints each one's median time and its ratio to the first.
fn interleaved(rounds: usize, contenders: &[Contender<'_>]) {
    let mut times = vec![Vec::new(); contenders.len()];
    for round in 0..rounds + 2 {
        for (contender, times) in contenders.iter().zip(&mut times) {
            let took = time(&mut (contender.command)()).as_secs_f64() * 1000.0;
            // the first two rounds warm up
            if round >= 2 {
                times.push(took);
            }
        }
    }
    for (contender, taken) in contenders.iter().zip(&times) {
        let ratios = taken.iter().zip(&times[0]).map(|(own, first)| own / first).collect();
        println!(
            "{:34} {:8.2} ms   {:6.2} × {}",
            contender.name,
            median(taken.clone()),
            median(ratios),
            contenders[0].name
        );
    }
}

/// `oauth` with this home. Without a folder of its own to run in: a start with
/// one takes longer than a start without.
fn oauth(home: &Home) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("oauth"));
    command
        .env_clear()
        .env("HOME", home.path())
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("OAUTH_STORE", "file");
    command
}

/// A keyring with the session `work`, and a home that uses it.
fn keyring_with_session() -> Option<(KeyringSession, Home)> {
    let keyring = KeyringSession::unlocked()?;
    let mut session = ending_in(3000, refreshable("https://id.example.com"));
    session.id_token = Some(oauth::secret::Secret::new("x".repeat(1_000)));
    put(&keyring, "work", session.encode().expose());
    Some((keyring, Home::new()))
}

fn put(keyring: &KeyringSession, name: &str, record: &str) {
    let label = format!("--label=oauth session {name}");
    let stored = keyring.secret_tool(
        &["store", &label, "service", "oauth", "username", name],
        record.as_bytes(),
    );
    assert!(stored.status.success(), "{stored:?}");
}

fn token(keyring: &KeyringSession, home: &Home) -> Command {
    let mut command = oauth(home);
    command
        .envs(keyring.environment())
        .env("HOME", home.path())
        .env("OAUTH_STORE", "keyring")
        .args(["token", "work"]);
    command
}

fn lookup(keyring: &KeyringSession) -> Command {
    let mut command = keyring.command("secret-tool");
    command.args(["lookup", "service", "oauth", "username", "work"]);
    command
}

#[test]
#[ignore = "a figure"]
fn two_hundred_tokens_at_once() {
    let Some((keyring, home)) = keyring_with_session() else {
        return;
    };
    let all_at_once = |make: &dyn Fn() -> Command| {
        let began = Instant::now();
        let children: Vec<_> = (0..200)
            .map(|_| {
                make()
                    .stdin(Stdio::null())
                    .stdout(Stdio::null())
                    .spawn()
                    .expect("it starts")
            })
            .collect();
        for mut child in children {
            assert!(child.wait().expect("its end").success());
        }
        began.elapsed().as_secs_f64()
    };
    let mut ratios = Vec::new();
    for _ in 0..5 {
        let ours = all_at_once(&|| token(&keyring, &home));
        let theirs = all_at_once(&|| lookup(&keyring));
        println!("200 at once: oauth token {ours:.2} s, secret-tool lookup {theirs:.2} s");
        ratios.push(ours / theirs);
    }
    println!(
        "200 oauth token at once: {:.2} × 200 secret-tool lookup at once",
        median(ratios)
    );
}

#[test]
#[ignore = "a figure"]
fn with_many_profiles_in_the_keyring() {
    let mut places = Vec::new();
    for count in [2, 100, 2_000] {
        let Some((keyring, home)) = keyring_with_session() else {
            return;
        };
        let record = ending_in(3000, refreshable("https://id.example.com")).encode();
        for index in 1..count {
            put(&keyring, &format!("other-{index}"), record.expose());
        }
        places.push((keyring, home));
    }
    interleaved(
        40,
        &[
            contender("oauth token with 2 profiles", || token(&places[0].0, &places[0].1)),
            contender("oauth token with 100 profiles", || token(&places[1].0, &places[1].1)),
            contender("oauth token with 2,000 profiles", || token(&places[2].0, &places[2].1)),
        ],
    );
}

/// A server with TLS that answers every refresh, and the file to trust it by.
fn server_with_tls(home: &Home) -> (LiteralServer, String) {
    let authority = Authority::new();
    let server = start_tls(&authority.issue(&["127.0.0.1"]));
    server.on("POST", "/token", json(200, NEW));
    (server, authority.write(home.path()).display().to_string())
}

#[test]
#[ignore = "a figure"]
fn a_refresh_through_tls() {
    let home = Home::new();
    let (server, ca) = server_with_tls(&home);
    home.keep("work", &ending_in(3000, refreshable(&server.origin())));
    let url = server.url("/token");
    let body = "grant_type=refresh_token&refresh_token=kept-refresh-token-91d2&client_id=desktop";
    interleaved(
        40,
        &[
            contender("curl, the same POST", || {
                let mut command = Command::new("curl");
                command.args(["-sS", "--noproxy", "*", "--cacert", &ca, "-d", body, &url]);
                command
            }),
            contender("oauth token --force-refresh, file", || {
                let mut command = oauth(&home);
                command.args(["token", "work", "--force-refresh", "--cacert", &ca]);
                command
            }),
        ],
    );
}

/// A server that answers every refresh, and when it last did so.
fn timed_server() -> (LiteralServer, Arc<Mutex<SystemTime>>) {
    let server = LiteralServer::start();
    let answered = Arc::new(Mutex::new(UNIX_EPOCH));
    let clock = Arc::clone(&answered);
    server.on_call("POST", "/token", move |_| {
        *clock.lock().unwrap() = SystemTime::now();
        json(200, NEW)
    });
    (server, answered)
}

fn since_1970(time: SystemTime) -> Duration {
    time.duration_since(UNIX_EPOCH).expect("after 1970")
}

#[test]
#[ignore = "a figure"]
fn from_the_answer_to_the_write() {
    // From before the server writes its answer until the session's file has its content.
    let home = Home::new();
    let (server, answered) = timed_server();
    let mut to_file = Vec::new();
    for _ in 0..50 {
        home.keep("work", &ending_in(-10, refreshable(&server.origin())));
        let mut command = oauth(&home);
        time(command.args(["token", "work"]));
        let written = std::fs::metadata(home.path().join(".local/share/oauth/sessions/work"))
            .and_then(|metadata| metadata.modified())
            .expect("the time of the write");
        let answered = since_1970(*answered.lock().unwrap());
        to_file.push(since_1970(written).saturating_sub(answered).as_secs_f64() * 1000.0);
    }
    println!("from the answer to the written file: median {:.2} ms", median(to_file));

    // The same until the bus carries the write to the keyring.
    let Some(keyring) = KeyringSession::unlocked() else {
        return;
    };
    let mut to_keyring = Vec::new();
    for _ in 0..30 {
        put(
            &keyring,
            "work",
            ending_in(-10, refreshable(&server.origin())).encode().expose(),
        );
        let mut monitor = keyring
            .command("dbus-monitor")
            .args(["--session", "--profile", "member=SetSecret"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("dbus-monitor starts");
        let mut lines = BufReader::new(monitor.stdout.take().expect("its stdout")).lines();
        for line in lines.by_ref() {
            if line.expect("a line").contains("NameLost") {
                break;
            }
        }
        time(&mut token(&keyring, &home));
        let answered = since_1970(*answered.lock().unwrap()).as_secs_f64();
        let sent = lines
            .map(|line| line.expect("a line"))
            .filter(|line| line.contains("SetSecret"))
            .filter_map(|line| line.split('\t').nth(1)?.parse::<f64>().ok())
            .find(|sent| *sent > answered)
            .expect("a write");
        monitor.kill().expect("ending the monitor");
        monitor.wait().expect("its end");
        to_keyring.push((sent - answered) * 1000.0);
    }
    println!(
        "from the answer to the write on the bus: median {:.2} ms",
        median(to_keyring)
    );
}
