//! Canaries: every secret of a session has a known value, and none of them
//! ever appears where it does not belong: messages, traces, files, the command
//! line, the environment of the browser. Every way that a login can end is
//! walked, at the highest verbosity and as JSON.

use super::support::authorization_server;
use super::support::binary::Home;
use super::support::callback::send_bytes;
use super::support::development_server::DevelopmentServer;
use super::support::literal_server::{LiteralServer, Reply, Request, html, value_of};
use super::support::outcome::{Outcome, finish, run, run_with_input};
use super::support::sessions::now;
use base64::Engine;
use serde_json::json;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

const CODE: &str = "canaryCode-4fQ81zKp";
const ACCESS_TOKEN: &str = "canaryAccessToken-8sLw02Vx";
const REFRESH_TOKEN: &str = "canaryRefreshToken-Yt67hRbn";
const ID_TOKEN_SIGNATURE: &str = "canaryIdTokenSignature3k";
const CLIENT_SECRET: &str = "canaryClientSecret-q9ZeX1";
const COOKIE: &str = "canaryCookie-77uIoPlk";
const SECOND_ACCESS_TOKEN: &str = "canarySecondAccess-m3Nb5Vc";
const SECOND_REFRESH_TOKEN: &str = "canarySecondRefresh-0OkQa2";

/// Every secret that is known beforehand, under its name.
fn canaries() -> Vec<(&'static str, String)> {
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("desktop:{CLIENT_SECRET}"));
    vec![
        ("the code", CODE.to_owned()),
        ("the access token", ACCESS_TOKEN.to_owned()),
        ("the refresh token", REFRESH_TOKEN.to_owned()),
        ("the ID token", ID_TOKEN_SIGNATURE.to_owned()),
        ("the client secret", CLIENT_SECRET.to_owned()),
        ("the client's credentials", basic),
        ("a cookie", COOKIE.to_owned()),
        ("the second access token", SECOND_ACCESS_TOKEN.to_owned()),
        ("the second refresh token", SECOND_REFRESH_TOKEN.to_owned()),
    ]
}

/// Fails the test where a secret stands in the text, but for those that may.
#[track_caller]
pub(super) fn assert_clean(what: &str, text: &[u8], secrets: &[(&str, String)], allowed: &[&str]) {
    for (name, secret) in secrets.iter().filter(|(name, _)| !allowed.contains(name)) {
        let found = text.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "{what} holds {name}: {}", String::from_utf8_lossy(text));
    }
}

#[track_caller]
pub(super) fn assert_outcome_clean(outcome: &Outcome, secrets: &[(&str, String)], allowed_on_stdout: &[&str]) {
    assert_clean("stderr", outcome.stderr.as_bytes(), secrets, &[]);
    assert_clean("stdout", outcome.stdout.as_bytes(), secrets, allowed_on_stdout);
}

/// Nothing on disk holds a secret in clear.
#[track_caller]
pub(super) fn assert_home_clean(home: &Home, secrets: &[(&str, String)]) {
    for file in home.files() {
        let name = file.display().to_string();
        assert_clean(&name, name.as_bytes(), secrets, &[]);
        assert_clean(&name, &std::fs::read(&file).expect("a file"), secrets, &[]);
    }
}

/// A home with the secret of a confidential client beside it, not in it.
struct Stage {
    home: Home,
    beside: tempfile::TempDir,
    server: LiteralServer,
    /// The process under test, for those who look at it from inside an answer.
    process: Arc<AtomicU32>,
    /// Of the authorization request; the ID token must repeat it.
    nonce: Arc<Mutex<String>>,
    /// Of the authorization request.
    state: Mutex<String>,
}

/// One of each kind.
const TRACES: [&str; 4] = ["json", "har", "html", "mmd"];

/// What the browser is sent back with.
type Response = fn(state: &str, issuer: &str) -> Vec<(&'static str, String)>;

fn granted(state: &str, issuer: &str) -> Vec<(&'static str, String)> {
    vec![
        ("code", CODE.to_owned()),
        ("state", state.to_owned()),
        ("iss", issuer.to_owned()),
    ]
}

/// With a cookie, as servers set them everywhere.
fn answer(status: u16, body: &str) -> Reply {
    let cookie = format!("Set-Cookie: session={COOKIE}; HttpOnly");
    Reply::http(status, &["Content-Type: application/json", &cookie], body)
}

impl Stage {
    fn new() -> Self {
        let stage = Stage {
            home: Home::new(),
            beside: tempfile::tempdir().expect("a folder"),
            server: LiteralServer::start(),
            process: Arc::default(),
            nonce: Arc::default(),
            state: Mutex::default(),
        };
        std::fs::write(stage.beside.path().join("secret"), CLIENT_SECRET).expect("the secret");
        std::fs::create_dir(stage.home.path().join("tmp")).expect("a folder");
        let metadata = authorization_server::metadata(&stage.server.origin());
        let revocation = format!(r#"{{"revocation_endpoint":"{}","#, stage.server.url("/revoke"));
        let metadata = metadata.replacen('{', &revocation, 1);
        stage
            .server
            .on("GET", "/.well-known/oauth-authorization-server", answer(200, &metadata));
        stage.make_browser();
        let (issuer, nonce) = (stage.server.origin(), Arc::clone(&stage.nonce));
        stage
            .server
            .on_call("POST", "/token", move |_| answer(200, &tokens(&issuer, &nonce)));
        stage
    }

    fn dump(&self) -> PathBuf {
        self.beside.path().join("dump")
    }

    fn pipe(&self) -> PathBuf {
        self.beside.path().join("pipe")
    }

    /// A browser that writes down its arguments and its environment, and then hands over the URL.
    fn make_browser(&self) {
        let made = Command::new("mkfifo").arg(self.pipe()).status().expect("mkfifo");
        assert!(made.success());
        let script = format!(
            "#!/bin/sh\n{{ printf '%s\\n' \"$0\" \"$@\"; env; tr '\\0' '\\n' < /proc/$$/environ; }} > '{}'\nprintf '%s' \"$1\" > '{}'\n",
            self.dump().display(),
            self.pipe().display()
        );
        let program = self.browser();
        std::fs::write(&program, script).expect("the browser");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("its mode");
    }

    fn browser(&self) -> PathBuf {
        self.beside.path().join("browser")
    }

    /// Every command writes traces of all kinds into the home, where
    /// [`Stage::assert_nothing_on_disk`] looks at them.
    fn oauth(&self) -> Command {
        let mut command = self.home.oauth();
        command.env("TMPDIR", self.home.path().join("tmp"));
        for ending in TRACES {
            command
                .arg("--trace")
                .arg(self.home.path().join(format!("trace.{ending}")));
        }
        command
    }

    fn login(&self, flags: &[&str]) -> Command {
        let mut command = self.oauth();
        command
            .arg("login")
            .arg(self.server.origin())
            .args([
                "--client-id=desktop",
                "--profile=work",
                "--scope=openid",
                "--client-secret-file",
            ])
            .arg(self.beside.path().join("secret"))
            .arg("--browser")
            .arg(self.browser())
            .args(flags);
        command
    }

    /// Runs a login to its end; the browser comes back with `response`.
    fn walk(&self, command: &mut Command, response: Response) -> Outcome {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starting the login");
        self.process.store(child.id(), Ordering::SeqCst);
        let url = self.handed_over();
        let params = authorization_server::parameters(&url);
        let state = value_of(&params, "state").expect("a state");
        state.clone_into(&mut self.state.lock().expect("the state"));
        value_of(&params, "nonce")
            .unwrap_or_default()
            .clone_into(&mut self.nonce.lock().expect("the nonce"));
        assert_clean("the command line", &command_line(child.id()), &canaries(), &[]);
        let response = response(state, &self.server.origin());
        let response: Vec<(&str, &str)> = response.iter().map(|(name, value)| (*name, value.as_str())).collect();
        // the process may be killed while the browser waits for its page
        let _ = super::support::callback::get_url(&authorization_server::callback_url_with(&url, &response));
        let outcome = finish(child);
        let dumped = std::fs::read(self.dump()).expect("what the browser saw");
        assert_clean("the browser's view", &dumped, &self.secrets(), &[]);
        let dumped = String::from_utf8_lossy(&dumped).into_owned();
        assert!(!dumped.contains("OAUTH_"), "{dumped}");
        outcome
    }

    fn handed_over(&self) -> String {
        let (sender, receiver) = std::sync::mpsc::channel();
        let pipe = self.pipe();
        std::thread::spawn(move || sender.send(std::fs::read_to_string(pipe)));
        let given = receiver.recv_timeout(super::support::literal_server::PATIENCE);
        given.expect("the browser runs").expect("reading the pipe")
    }

    /// The canaries, and the verifiers that the server has seen.
    fn secrets(&self) -> Vec<(&'static str, String)> {
        let mut secrets = canaries();
        for request in self.server.requests_to("/token") {
            let form = request.form();
            secrets.extend(value_of(&form, "code_verifier").map(|verifier| ("the verifier", verifier.to_owned())));
        }
        secrets
    }

    /// Every file of the home, the traces with it; there also the state is a secret.
    #[track_caller]
    fn assert_nothing_on_disk(&self) {
        let mut secrets = self.secrets();
        secrets.extend(
            Some(("the state", self.state.lock().expect("the state").clone())).filter(|(_, state)| !state.is_empty()),
        );
        assert_home_clean(&self.home, &secrets);
        for ending in TRACES {
            let length_bytes =
                std::fs::metadata(self.home.path().join(format!("trace.{ending}"))).map(|file| file.len());
            assert!(length_bytes.is_ok_and(|length| length > 0), "no trace.{ending}");
        }
    }
}

fn command_line(process: u32) -> Vec<u8> {
    std::fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default()
}

fn tokens(issuer: &str, nonce: &Mutex<String>) -> String {
    json!({
        "access_token": ACCESS_TOKEN,
        "token_type": "Bearer",
        "expires_in": 3600,
        "refresh_token": REFRESH_TOKEN,
        "id_token": id_token(issuer, &nonce.lock().expect("the nonce")),
        "device_secret": ACCESS_TOKEN,
    })
    .to_string()
}

fn id_token(issuer: &str, nonce: &str) -> String {
    let encode = |value: serde_json::Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
    let header = encode(json!({ "alg": "RS256" }));
    let claims = encode(json!({
        "iss": issuer, "aud": "desktop", "sub": "alice", "nonce": nonce, "iat": now(), "exp": now() + 3600,
    }));
    format!("{header}.{claims}.{ID_TOKEN_SIGNATURE}")
}

/// How much is said.
pub(super) const VOICES: [&[&str]; 4] = [&[], &["-vvv"], &["-vvv", "--json"], &["--quiet"]];

#[test]
fn a_login_that_works_shows_and_leaves_no_secret() {
    for voice in VOICES {
        let stage = Stage::new();
        let outcome = stage.walk(&mut stage.login(voice), granted).expect_code(0);
        let secrets = stage.secrets();
        assert!(secrets.iter().any(|(name, _)| *name == "the verifier"));
        assert_outcome_clean(&outcome, &secrets, &[]);
        stage.assert_nothing_on_disk();
    }
}

#[test]
fn the_secret_of_the_environment_is_not_handed_on() {
    let stage = Stage::new();
    let mut command = stage.login(&["-vvv"]);
    // in one way only
    let mut arguments: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
    let place = arguments
        .iter()
        .position(|argument| argument == "--client-secret-file")
        .expect("the flag");
    arguments.drain(place..place + 2);
    command = stage.oauth();
    command
        .args(arguments)
        .env("OAUTH_CLIENT_SECRET", CLIENT_SECRET)
        .env("OAUTH_ODD", CODE);
    let outcome = stage.walk(&mut command, granted).expect_code(0);
    assert_outcome_clean(&outcome, &stage.secrets(), &[]);
    let header = stage.server.requests_to("/token")[0]
        .header("authorization")
        .map(str::to_owned);
    assert!(header.is_some_and(|header| header.starts_with("Basic ")));
    stage.assert_nothing_on_disk();
}

#[test]
fn a_login_that_the_callback_ends_shows_no_secret() {
    let responses: [(i32, Response); 5] = [
        (6, |state, _| {
            vec![
                ("code", CODE.to_owned()),
                ("state", state.to_owned()),
                ("iss", "https://evil.example".to_owned()),
            ]
        }),
        (6, |state, _| {
            vec![("code", CODE.to_owned()), ("state", state.to_owned())]
        }),
        (6, |state, issuer| {
            vec![
                ("code", CODE.to_owned()),
                ("code", CODE.to_owned()),
                ("state", state.to_owned()),
                ("iss", issuer.to_owned()),
            ]
        }),
        (6, |state, issuer| {
            vec![
                ("code", CODE.to_owned()),
                ("error", "access_denied".to_owned()),
                ("state", state.to_owned()),
                ("iss", issuer.to_owned()),
            ]
        }),
        (5, |state, issuer| {
            vec![
                ("error", "access_denied".to_owned()),
                ("error_description", "no".to_owned()),
                ("refresh_token", REFRESH_TOKEN.to_owned()),
                ("client_secret", CLIENT_SECRET.to_owned()),
                ("state", state.to_owned()),
                ("iss", issuer.to_owned()),
            ]
        }),
    ];
    for (code, response) in responses {
        for voice in VOICES {
            let stage = Stage::new();
            let outcome = stage.walk(&mut stage.login(voice), response).expect_code(code);
            assert_outcome_clean(&outcome, &stage.secrets(), &[]);
            assert!(stage.server.requests_to("/token").is_empty());
            stage.assert_nothing_on_disk();
        }
    }
}

#[test]
fn a_callback_with_a_foreign_state_shows_no_secret() {
    let stage = Stage::new();
    let outcome = stage.walk(&mut stage.login(&["-vvv", "--timeout", "300ms"]), |_, issuer| {
        vec![
            ("code", CODE.to_owned()),
            ("state", ACCESS_TOKEN.to_owned()),
            ("iss", issuer.to_owned()),
        ]
    });
    assert_outcome_clean(&outcome.expect_code(7), &stage.secrets(), &[]);
    stage.assert_nothing_on_disk();
}

/// The request's own secrets in the words of the server.
fn echo(request: &Request, status: u16) -> Reply {
    let form = request.form();
    let verifier = value_of(&form, "code_verifier").unwrap_or_default();
    let said = format!("code {CODE} with {verifier} by {CLIENT_SECRET}");
    let body =
        json!({ "error": "invalid_grant", "error_description": said, "error_uri": format!("https://x/?{CODE}") });
    let realm = format!("WWW-Authenticate: Basic realm=\"{verifier}\"");
    let location = format!("Location: https://id.example.com/?code={CODE}");
    Reply::http(
        status,
        &["Content-Type: application/json", &realm, &location],
        body.to_string(),
    )
}

#[test]
fn a_login_that_the_token_endpoint_ends_shows_no_secret() {
    type Answering = fn(&Request) -> Reply;
    let answers: [(i32, Answering); 15] = [
        (5, |request| echo(request, 400)),
        (5, |request| echo(request, 401)),
        (5, |request| echo(request, 200)),
        (3, |request| echo(request, 500)),
        (6, |request| echo(request, 307)),
        (3, |request| {
            html(200, &format!("<p>{CODE} {ACCESS_TOKEN} {}</p>", request.body_text()))
        }),
        (3, |request| {
            html(404, &format!("<p>{CODE} {}</p>", request.body_text()))
        }),
        (3, |_| {
            answer(200, &format!(r#"{{"access_token":"{ACCESS_TOKEN}","token_ty"#))
        }),
        (6, |_| {
            answer(
                200,
                &format!(r#"{{"authed_user":{{"access_token":"{ACCESS_TOKEN}"}}}}"#),
            )
        }),
        (6, |_| {
            answer(
                200,
                &format!(r#"{{"access_token":"{ACCESS_TOKEN}","token_type":"mac","mac_key":"{REFRESH_TOKEN}"}}"#),
            )
        }),
        (6, |_| {
            answer(
                200,
                &format!(r#"{{"access_token":["{ACCESS_TOKEN}"],"token_type":"Bearer"}}"#),
            )
        }),
        (6, |_| {
            answer(
                200,
                &format!(
                    r#"{{"access_token":"{ACCESS_TOKEN}","token_type":"Bearer","refresh_token":{{"x":"{REFRESH_TOKEN}"}}}}"#
                ),
            )
        }),
        (6, |_| {
            let id_token = id_token("https://evil.example", ACCESS_TOKEN);
            answer(
                200,
                &json!({ "access_token": ACCESS_TOKEN, "token_type": "Bearer", "id_token": id_token }).to_string(),
            )
        }),
        (6, |_| {
            let id_token = format!("a.{ACCESS_TOKEN}.{ID_TOKEN_SIGNATURE}");
            answer(
                200,
                &json!({ "access_token": ACCESS_TOKEN, "token_type": "Bearer", "id_token": id_token }).to_string(),
            )
        }),
        (3, |_| Reply::reset()),
    ];
    for (code, answering) in answers {
        for voice in VOICES {
            let stage = Stage::new();
            let process = Arc::clone(&stage.process);
            stage.server.on_call("POST", "/token", move |request| {
                let line = command_line(process.load(Ordering::SeqCst));
                assert!(!line.is_empty());
                assert_clean("the command line", &line, &canaries(), &[]);
                answering(request)
            });
            let outcome = stage.walk(&mut stage.login(voice), granted);
            assert_outcome_clean(&outcome, &stage.secrets(), &[]);
            outcome.expect_code(code);
            stage.assert_nothing_on_disk();
            assert!(stage.home.kept("work").is_none(), "nothing is stored");
        }
    }
}

#[test]
fn a_login_that_the_store_ends_shows_no_secret() {
    for voice in VOICES {
        let stage = Stage::new();
        let (issuer, nonce) = (stage.server.origin(), Arc::clone(&stage.nonce));
        let sessions = stage.home.path().join(".local/share/oauth/sessions");
        stage.server.on_call("POST", "/token", move |_| {
            // it was tried before the browser opened; now it breaks
            std::fs::remove_dir_all(&sessions).expect("the folder of sessions");
            std::fs::write(&sessions, "").expect("a file in its place");
            answer(200, &tokens(&issuer, &nonce))
        });
        let outcome = stage.walk(&mut stage.login(voice), granted).expect_code(8);
        assert_outcome_clean(&outcome, &stage.secrets(), &[]);
        stage.assert_nothing_on_disk();
    }
}

#[test]
fn a_login_that_is_killed_leaves_no_secret() {
    let stage = Stage::new();
    let process = Arc::clone(&stage.process);
    stage.server.on_call("POST", "/token", move |_| {
        let id = process.load(Ordering::SeqCst).to_string();
        assert!(
            Command::new("kill")
                .args(["-KILL", &id])
                .status()
                .expect("kill")
                .success()
        );
        Reply::nothing()
    });
    let outcome = stage.walk(&mut stage.login(&["-vvv"]), granted);
    assert_eq!(outcome.code, None);
    assert!(stage.secrets().iter().any(|(name, _)| *name == "the verifier"));
    assert_outcome_clean(&outcome, &stage.secrets(), &[]);
    stage.assert_nothing_on_disk();
}

#[test]
fn without_a_store_the_answer_goes_to_stdout_alone() {
    let stage = Stage::new();
    let outcome = stage
        .walk(&mut stage.login(&["-vvv", "--no-store"]), granted)
        .expect_code(0);
    assert_eq!(outcome.json()["access_token"], ACCESS_TOKEN);
    assert_outcome_clean(
        &outcome,
        &stage.secrets(),
        &["the access token", "the refresh token", "the ID token"],
    );
    stage.assert_nothing_on_disk();
}

#[test]
fn what_is_pasted_or_piped_is_not_repeated() {
    // a refresh token from elsewhere
    let stage = Stage::new();
    let mut command = stage.oauth();
    command.arg("login").arg(stage.server.origin()).args([
        "--client-id=desktop",
        "--profile=work",
        "--refresh-token-stdin",
        "-vvv",
    ]);
    let outcome = run_with_input(&mut command, format!("{SECOND_REFRESH_TOKEN}\n").as_bytes()).expect_code(0);
    let sent = stage.server.only_request_to("/token").form();
    assert_eq!(value_of(&sent, "refresh_token"), Some(SECOND_REFRESH_TOKEN));
    assert_outcome_clean(&outcome, &stage.secrets(), &[]);
    stage.assert_nothing_on_disk();

    // lines that cannot be taken
    for line in [
        CODE.to_owned(),
        format!("http://127.0.0.1/callback?code={CODE}&state={ACCESS_TOKEN}"),
    ] {
        for voice in VOICES {
            let stage = Stage::new();
            let mut command = stage.oauth();
            command
                .arg("login")
                .arg(stage.server.origin())
                .args(["--client-id=desktop", "--paste", "--no-browser"])
                .args(["--redirect-uri", "http://127.0.0.1/callback"])
                .args(voice);
            let outcome = run_with_input(&mut command, format!("{line}\n").as_bytes()).expect_code(6);
            assert_outcome_clean(&outcome, &stage.secrets(), &[]);
            stage.assert_nothing_on_disk();
        }
    }
}

/// A home that is logged in as `work`.
fn logged_in() -> Stage {
    let stage = Stage::new();
    stage.walk(&mut stage.login(&[]), granted).expect_code(0);
    stage
}

#[test]
fn the_other_commands_show_only_what_they_are_for() {
    let stage = logged_in();
    let secrets = stage.secrets();
    let is_token = |arguments: &[&str]| arguments[0] == "token";
    for arguments in [
        &["token", "work"][..],
        &["token", "work", "-vvv"],
        &["token", "work", "--format", "header", "-vvv"],
        &["token", "work", "--format", "env", "-vvv"],
        &["token", "work", "--json", "-vvv"],
        &["status", "-vvv"],
        &["status", "work", "-vvv", "--json"],
        &["profile", "show", "work", "-vvv"],
        &["profile", "list", "--json", "-vvv"],
    ] {
        let outcome = run(stage.oauth().args(arguments)).expect_code(0);
        let allowed: &[&str] = if is_token(arguments) {
            &["the access token"]
        } else {
            &[]
        };
        assert_outcome_clean(&outcome, &secrets, allowed);
    }
    let outcome = run(stage.oauth().args(["token", "work", "--id-token", "-vvv"])).expect_code(0);
    assert_outcome_clean(&outcome, &secrets, &["the ID token"]);

    // a difference is told without what is in the session
    let text = stage.home.configuration();
    stage.home.configure(&text.replacen("\"desktop\"", "\"other\"", 1));
    for arguments in [&["token", "work", "-vvv"][..], &["status", "work", "-vvv"]] {
        let outcome = run(stage.oauth().args(arguments)).expect_code(4);
        assert_outcome_clean(&outcome, &secrets, &[]);
    }
    stage.assert_nothing_on_disk();
}

#[test]
fn a_refresh_shows_no_secret() {
    for voice in VOICES {
        let stage = logged_in();
        let body = json!({
            "access_token": SECOND_ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 3600,
            "refresh_token": SECOND_REFRESH_TOKEN,
        });
        for reply in [
            answer(503, &format!(r#"{{"error":"{REFRESH_TOKEN}"}}"#)),
            html(200, REFRESH_TOKEN),
            answer(
                400,
                &format!(r#"{{"error":"invalid_request","error_description":"{REFRESH_TOKEN}"}}"#),
            ),
            answer(200, &body.to_string()),
            answer(
                400,
                &format!(r#"{{"error":"invalid_grant","error_description":"{SECOND_REFRESH_TOKEN} is spent"}}"#),
            ),
        ] {
            stage.server.on("POST", "/token", reply);
            let mut command = stage.oauth();
            command.args(["token", "work", "--force-refresh"]).args(voice);
            let outcome = run(&mut command);
            let secrets = stage.secrets();
            assert_outcome_clean(&outcome, &secrets, &["the access token", "the second access token"]);
            stage.assert_nothing_on_disk();
        }
        // the reason is kept, and shown again
        for arguments in [
            &["token", "work"][..],
            &["status", "work"],
            &["status", "-vvv", "--json"],
        ] {
            assert_outcome_clean(&run(stage.oauth().args(arguments)), &stage.secrets(), &[]);
        }
    }
}

#[test]
fn a_logout_shows_no_secret() {
    for voice in VOICES {
        let stage = logged_in();
        let said = format!(r#"{{"error":"invalid_request","error_description":"{REFRESH_TOKEN} is not mine"}}"#);
        for (reply, code) in [
            (answer(500, &said), 3),
            (answer(400, &said), 5),
            (html(404, &said), 5),
            (Reply::reset(), 3),
            (answer(200, "{}"), 0),
        ] {
            stage.server.on("POST", "/revoke", reply);
            let mut command = stage.oauth();
            command.args(["logout", "work"]).args(voice);
            let outcome = run(&mut command);
            assert_outcome_clean(&outcome, &stage.secrets(), &[]);
            outcome.expect_code(code);
            stage.assert_nothing_on_disk();
        }
        assert_outcome_clean(
            &run(stage.oauth().args(["profile", "remove", "work"])),
            &stage.secrets(),
            &[],
        );
        stage.assert_nothing_on_disk();
    }
}

/// What the request says of a token and of its client, in the words of the server.
fn echo_of_token(request: &Request, status: u16) -> Reply {
    let form = request.form();
    let token = value_of(&form, "token").or_else(|| request.header("authorization")?.strip_prefix("Bearer "));
    let secret = if request.method == "POST" { CLIENT_SECRET } else { "" };
    let said = format!("{} of {secret}", token.expect("a token"));
    answer(
        status,
        &json!({"error": "invalid_token", "error_description": said}).to_string(),
    )
}

#[test]
fn what_asks_about_a_token_shows_none() {
    for voice in VOICES {
        let stage = logged_in();
        let metadata = authorization_server::metadata(&stage.server.origin());
        let more = format!(
            r#"{{"revocation_endpoint":"{0}/revoke","userinfo_endpoint":"{0}/userinfo","introspection_endpoint":"{0}/introspect","jwks_uri":"{0}/jwks","#,
            stage.server.origin()
        );
        let metadata = metadata.replacen('{', &more, 1);
        stage
            .server
            .on("GET", "/.well-known/oauth-authorization-server", answer(200, &metadata));
        stage.server.on("GET", "/jwks", answer(200, r#"{"keys":[]}"#));
        for code in [0, 400, 401, 500] {
            for (method, path) in [("GET", "/userinfo"), ("POST", "/introspect"), ("POST", "/revoke")] {
                let good = r#"{"sub":"alice","active":true}"#;
                stage.server.on_call(method, path, move |request| match code {
                    0 => answer(200, good),
                    status => echo_of_token(request, status),
                });
            }
            for arguments in [
                &["userinfo"][..],
                &["introspect"],
                &["decode", "--id-token"],
                &["revoke"],
            ] {
                let mut command = stage.oauth();
                command.args(arguments).args(["-p", "work"]).args(voice);
                assert_outcome_clean(&run(&mut command), &stage.secrets(), &[]);
                if arguments.len() > 1 {
                    continue;
                }
                let mut command = stage.oauth();
                command.args(arguments).args(["-", "-p", "work"]).args(voice);
                let outcome = run_with_input(&mut command, SECOND_ACCESS_TOKEN.as_bytes());
                assert_outcome_clean(&outcome, &stage.secrets(), &[]);
            }
            stage.assert_nothing_on_disk();
        }
        assert!(stage.server.requests_to("/userinfo").len() >= 8, "they were asked");
    }
}

#[test]
fn a_login_that_is_stopped_shows_and_leaves_no_secret() {
    for voice in VOICES {
        let stage = Stage::new();
        let mut command = stage.login(voice);
        let outcome = stage.walk(command.args(["--stop-before", "exchange"]), granted);
        assert_outcome_clean(&outcome.expect_code(0), &stage.secrets(), &[]);
        stage.assert_nothing_on_disk();
    }
}

#[test]
fn the_canaries_are_found_where_they_are() {
    // a check that finds nothing anywhere would find nothing here either
    let stage = logged_in();
    let outcome = run(stage
        .oauth()
        .args(["token", "work", "--force-refresh", "-vv", "--show-secrets"]));
    let found = |text: &str, secret: &str| text.contains(secret);
    assert!(
        found(&outcome.stderr, REFRESH_TOKEN) && found(&outcome.stderr, COOKIE),
        "{outcome:?}"
    );
    let file = stage.home.path().join("clear");
    std::fs::write(&file, format!("xx{CODE}")).expect("writing");
    let home: &Home = &stage.home;
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| assert_home_clean(home, &canaries())));
    assert!(caught.is_err());
    assert!(Path::new(&file).exists());
}

// An examination sends what belongs into a body in the URL too.

/// What of a message is secret.
const SECRET_NAMES: [&str; 9] = [
    "access_token",
    "client_secret",
    "code",
    "code_verifier",
    "id_token",
    "id_token_hint",
    "refresh_token",
    "state",
    "token",
];

/// What is said to the development server and what it says, seen on the way:
/// it does not tell its secrets itself.
struct Tap {
    server: LiteralServer,
    /// Drawn at random, as opposed to what an examination makes up.
    secrets: Arc<Mutex<Vec<(&'static str, String)>>>,
}

impl Tap {
    fn before(development: &DevelopmentServer) -> Self {
        let tap = Tap {
            server: LiteralServer::start(),
            secrets: Arc::default(),
        };
        let paths = [
            "/.well-known/oauth-authorization-server",
            "/.well-known/openid-configuration",
            "/jwks",
            "/authorize",
            "/token",
            "/revoke",
            "/introspect",
            "/userinfo",
        ];
        for (path, method) in paths.iter().flat_map(|path| [(path, "GET"), (path, "POST")]) {
            let (front, back) = (tap.server.port(), development.port());
            let secrets = Arc::clone(&tap.secrets);
            tap.server.on_call(method, path, move |request| {
                let mut secrets = secrets.lock().expect("the secrets");
                note_params(&mut secrets, &[request.query(), request.form()].concat());
                let head = String::from_utf8_lossy(&request.head).replacen("\r\n", "\r\nConnection: close\r\n", 1);
                let bytes = [with_port(&head, front, back).as_bytes(), &request.body].concat();
                let answer = send_bytes(&format!("127.0.0.1:{back}"), &bytes).expect("an answer");
                if let Some((_, params)) = answer.header("location").and_then(|location| location.split_once('?')) {
                    let params: Vec<(String, String)> =
                        url::form_urlencoded::parse(params.as_bytes()).into_owned().collect();
                    note_params(&mut secrets, &params);
                }
                if let Ok(serde_json::Value::Object(members)) = serde_json::from_slice(&answer.body) {
                    let texts = members
                        .into_iter()
                        .filter_map(|(name, value)| Some((name, value.as_str()?.to_owned())));
                    note_params(&mut secrets, &texts.collect::<Vec<_>>());
                }
                Reply::bytes(with_port(&String::from_utf8_lossy(&answer.raw), back, front)).then_close()
            });
        }
        tap
    }
}

/// The ports have five digits each, so no length changes.
fn with_port(text: &str, from: u16, to: u16) -> String {
    assert_eq!(from.to_string().len(), to.to_string().len());
    ["127.0.0.1:", "127.0.0.1%3A"]
        .iter()
        .fold(text.to_owned(), |text, host| {
            text.replace(&format!("{host}{from}"), &format!("{host}{to}"))
        })
}

fn note_params(secrets: &mut Vec<(&'static str, String)>, params: &[(String, String)]) {
    for (name, value) in params.iter().filter(|(_, value)| value.len() >= 20) {
        let known = SECRET_NAMES.iter().find(|known| *known == name);
        secrets.extend(known.map(|name| (*name, value.clone())));
    }
}

/// What `curl` would be given as the URL, with these values in the variables.
fn url_of_command(command: &str, params: &[(String, String)]) -> String {
    let script = format!("curl() {{ for word; do case $word in http*) printf %s \"$word\";; esac; done; }}; {command}");
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).env_clear();
    for (name, value) in params {
        let encoded: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
        shell.env(name.to_ascii_uppercase(), encoded);
    }
    run(&mut shell).expect_code(0).stdout
}

#[test]
fn an_examination_shows_requests_with_secrets_in_their_urls_without_the_secrets() {
    let home = Home::new();
    let file = home.path().join("secret");
    std::fs::write(&file, CLIENT_SECRET).expect("the secret");
    let client = format!("confidential:{}", file.display());
    let development = DevelopmentServer::start(&["--approve", "auto", "--client", &client]);
    let tap = Tap::before(&development);
    let mut command = home.oauth();
    command
        .args(["check", &tap.server.origin(), "--client-id", "confidential"])
        .args(["--scope", "openid profile", "-vvv"])
        .env("OAUTH_CLIENT_SECRET", CLIENT_SECRET);
    let traces = TRACES.map(|ending| home.path().join(format!("trace.{ending}")));
    for trace in &traces {
        command.arg("--trace").arg(trace);
    }
    // its ID tokens have another issuer than the tap
    let outcome = run(&mut command).expect_code(9);

    let mut secrets = tap.secrets.lock().expect("the secrets").clone();
    // a challenge that is sent as the verifier is known to everybody
    let asked = tap.server.requests_to("/authorize").into_iter();
    let challenges: Vec<String> = asked
        .flat_map(|request| request.query())
        .filter_map(|(name, value)| (name == "code_challenge").then_some(value))
        .collect();
    secrets.retain(|(_, secret)| !challenges.contains(secret));
    for name in SECRET_NAMES
        .iter()
        .filter(|name| **name != "id_token_hint" && **name != "client_secret")
    {
        assert!(secrets.iter().any(|(own, _)| own == name), "no {name} was seen");
    }
    secrets.push(("the client's secret", CLIENT_SECRET.to_owned()));
    assert_outcome_clean(&outcome, &secrets, &[]);
    let texts = traces
        .each_ref()
        .map(|trace| std::fs::read_to_string(trace).expect("a trace"));
    for (ending, text) in TRACES.iter().zip(&texts) {
        assert_clean(&format!("trace.{ending}"), text.as_bytes(), &secrets, &[]);
    }

    let [json, har, html, mmd] = &texts;
    let archive: serde_json::Value = serde_json::from_str(har).expect("JSON");
    let entries = archive["log"]["entries"].as_array().expect("entries");
    let events: Vec<serde_json::Value> = json
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    for (path, name) in [("/token", "code"), ("/revoke", "token"), ("/userinfo", "access_token")] {
        let start = format!("{}?", tap.server.url(path));
        let begins = |url: &serde_json::Value| url.as_str().is_some_and(|url| url.starts_with(&start));
        let mut sent = tap.server.requests_to(path);
        sent.retain(|request| request.method == "GET" && request.target.contains('?'));
        let asked: Vec<&serde_json::Value> = events
            .iter()
            .filter(|event| event["event"] == "request" && event["method"] == "GET" && begins(&event["url"]))
            .collect();
        assert!(!sent.is_empty() && asked.len() == sent.len(), "{path}: {asked:#?}");
        for (request, event) in sent.iter().zip(asked) {
            let command = event["curl"].as_str().expect("a command");
            let variable = format!("{name}=${}", name.to_ascii_uppercase());
            assert!(command.contains(&variable), "{command}");
            assert_eq!(
                url_of_command(command, &request.query()),
                tap.server.url(&request.target),
                "{command}"
            );
        }
        let archived =
            |entry: &&serde_json::Value| entry["request"]["method"] == "GET" && begins(&entry["request"]["url"]);
        assert_eq!(entries.iter().filter(archived).count(), sent.len(), "{path}");
        assert!(mmd.contains(&format!("GET {path}\n")), "{mmd}");
        assert!(html.contains(&format!("<pre>GET {start}")), "{html}");
        assert!(outcome.stderr.contains(&format!("  > GET {start}")), "{outcome:#?}");
    }
}
