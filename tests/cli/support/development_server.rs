//! `oauth serve` as a child process, and a strict client of it that speaks
//! literal bytes.

use super::binary::Home;
use super::callback::{Answer, get, post};
use super::literal_server::PATIENCE;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

/// RFC 7636 Appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// Nobody listens there, and nobody needs to.
pub const CALLBACK: &str = "http%3A%2F%2F127.0.0.1%3A4711%2Fcallback";

#[derive(Default)]
struct Log {
    lines: Mutex<Vec<String>>,
    grown: Condvar,
}

/// A running server; it is killed with the test.
pub struct DevelopmentServer {
    child: Child,
    /// What stdout said.
    pub announcement: String,
    /// `127.0.0.1:PORT`.
    pub authority: String,
    issuer: String,
    log: Arc<Log>,
    _home: Home,
}

/// For ID tokens.
const RSA_KEY: &str = include_str!("../../../src/protocol/signing/test_keys/rsa.pkcs8.pem");

impl DevelopmentServer {
    /// `oauth serve --port 0` with more arguments.
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_with(arguments, |_| {})
    }

    /// The same after a last change of the command, such as a global flag.
    pub fn start_with(arguments: &[&str], change: impl FnOnce(&mut Command)) -> Self {
        let home = Home::new();
        let mut command = home.oauth();
        command.args(["serve", "--port", "0"]).args(arguments);
        if !arguments.contains(&"--signing-key-file") {
            let file = home.path().join("rsa.pem");
            std::fs::write(&file, RSA_KEY).expect("writing the key");
            command.arg("--signing-key-file").arg(file);
        }
        change(&mut command);
        DevelopmentServer::run(command, home)
    }

    /// One that makes the key of its ID tokens itself, when it is first needed.
    /// That takes a busy machine longer than a client waits for an answer.
    pub fn start_without_key(arguments: &[&str]) -> Self {
        let home = Home::new();
        let mut command = home.oauth();
        command.args(["serve", "--port", "0"]).args(arguments);
        DevelopmentServer::run(command, home)
    }

    fn run(mut command: Command, home: Home) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("oauth serve starts");
        let mut announcement = String::new();
        let mut stdout = BufReader::new(child.stdout.take().expect("stdout"));
        stdout.read_line(&mut announcement).expect("a line on stdout");
        let log = Arc::new(Log::default());
        let stderr = BufReader::new(child.stderr.take().expect("stderr"));
        let writer = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let mut lines = writer.lines.lock().expect("the log");
                // The tests that send most read none of it.
                if lines.len() < 10_000 {
                    lines.push(line);
                }
                writer.grown.notify_all();
            }
        });
        let issuer = match serde_json::from_str::<serde_json::Value>(&announcement) {
            Ok(object) => object["issuer"].as_str().expect("an issuer").to_owned(),
            Err(_) => announcement.trim_end().to_owned(),
        };
        let (_, authority) = issuer.split_once("://").expect("an issuer on stdout");
        let authority = authority.to_owned();
        DevelopmentServer {
            child,
            announcement,
            authority,
            issuer,
            log,
            _home: home,
        }
    }

    pub fn issuer(&self) -> String {
        self.issuer.clone()
    }

    /// A login here as the client that is there by default, with a scope that its API takes.
    pub fn login_arguments(&self) -> [String; 6] {
        let issuer = self.issuer();
        ["login", &issuer, "--client-id", "oauth-cli", "--scope", "openid hello"].map(str::to_owned)
    }

    pub fn port(&self) -> u16 {
        self.authority
            .rsplit(':')
            .next()
            .expect("a port")
            .parse()
            .expect("a port")
    }

    pub fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a log line that holds all of these.
    pub fn wait_for_log(&self, parts: &[&str]) -> String {
        let found = |lines: &Vec<String>| {
            let line = lines.iter().find(|line| parts.iter().all(|part| line.contains(part)));
            line.cloned()
        };
        let lines = self.log.lines.lock().expect("the log");
        let (lines, timeout) = self
            .log
            .grown
            .wait_timeout_while(lines, PATIENCE, |lines| found(lines).is_none())
            .expect("the log");
        assert!(!timeout.timed_out(), "no line with {parts:?} in {lines:#?}");
        found(&lines).expect("the line")
    }

    /// Everything on stderr so far.
    pub fn log(&self) -> String {
        self.log.lines.lock().expect("the log").join("\n")
    }

    /// All of it up to now: a line of its own is the last that was read. What was
    /// sent before may still be on its way from the server to this process.
    pub fn whole_log(&self) -> String {
        static MARKS: AtomicUsize = AtomicUsize::new(0);
        let mark = format!("/the-log-until-here/{}", MARKS.fetch_add(1, Ordering::Relaxed));
        let _not_found = self.get(&mark, &[]);
        self.wait_for_log(&[&format!("GET {mark} ")]);
        let log = self.log();
        let is_mark = |line: &&str| line.contains(" /the-log-until-here/");
        let lines: Vec<&str> = log.lines().filter(|line| !is_mark(line)).collect();
        lines.join("\n")
    }

    /// Ends it by a signal; how it ended.
    #[cfg(unix)]
    pub fn end_by(&mut self, signal: rustix::process::Signal) -> std::process::ExitStatus {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).expect("the signal");
        self.child.wait().expect("its end")
    }

    pub fn get(&self, target: &str, headers: &[&str]) -> Answer {
        get(&self.authority, target, &closing(headers)).expect("an answer")
    }

    pub fn post(&self, target: &str, headers: &[&str], form: &str) -> Answer {
        post(&self.authority, target, &closing(headers), form).expect("an answer")
    }

    /// The authorization request of the default client, with more parameters.
    pub fn authorize(&self, more: &str) -> Answer {
        self.get(&authorize_target(more), &[])
    }

    /// A code, where `--approve auto` decides.
    pub fn code(&self, more: &str) -> String {
        let answer = self.authorize(more);
        parameter(answer.header("location").expect("a redirect"), "code").expect("a code")
    }

    /// The token request for a code.
    pub fn redeem(&self, code: &str) -> Answer {
        self.post("/token", &[], &redemption(code))
    }

    /// The token response for the default client.
    pub fn tokens(&self, more: &str) -> serde_json::Value {
        let answer = self.redeem(&self.code(more));
        assert_eq!(answer.status, 200, "{}", answer.body_text());
        serde_json::from_slice(&answer.body).expect("JSON")
    }

    /// The status of the protected resource for this token.
    pub fn hello(&self, tokens: &serde_json::Value) -> u16 {
        let token = tokens["access_token"].as_str().expect("an access token");
        self.get("/api/hello", &[&format!("Authorization: Bearer {token}")])
            .status
    }
}

impl Drop for DevelopmentServer {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn closing<'a>(headers: &[&'a str]) -> Vec<&'a str> {
    let mut all = vec!["Connection: close"];
    all.extend(headers);
    all
}

pub fn authorize_target(more: &str) -> String {
    format!(
        "/authorize?response_type=code&client_id=oauth-cli&redirect_uri={CALLBACK}&state=af0ifjsldkj\
         &code_challenge={CHALLENGE}&code_challenge_method=S256{more}"
    )
}

pub fn redemption(code: &str) -> String {
    format!(
        "grant_type=authorization_code&client_id=oauth-cli&code={code}&redirect_uri={CALLBACK}&code_verifier={VERIFIER}"
    )
}

/// A parameter of a URL's query, decoded.
pub fn parameter(url: &str, name: &str) -> Option<String> {
    let query = url.split_once('?')?.1;
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}
