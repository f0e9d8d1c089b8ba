//! A person who is logged in at a strict server, with the session in one store
//! or the other.

use crate::support::binary::Home;
use crate::support::development_server::DevelopmentServer;
use crate::support::keyring_session::KeyringSession;
use crate::support::outcome::{Outcome, run};
use oauth::store::Session;
use serde_json::Value;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The end of an access token in the past.
const LONG_AGO: i64 = 1_700_000_000;

/// Where the session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    File,
    Keyring,
}

/// What the server does with a refresh token that was spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spent {
    /// It ends the session at once.
    Refused,
    /// It works for another 10 s.
    WithGrace,
}

pub(crate) struct Place {
    pub(crate) home: Home,
    pub(crate) server: DevelopmentServer,
    keyring: Option<KeyringSession>,
    marks: AtomicUsize,
}

impl Place {
    /// Logged in as profile `work`; `None`, loudly, where there is no keyring to test with.
    pub(crate) fn logged_in(store: Store, spent: Spent, latency: &str) -> Option<Self> {
        let place = Place::new(store, spent, latency)?;
        place.log_in();
        Some(place)
    }

    pub(crate) fn new(store: Store, spent: Spent, latency: &str) -> Option<Self> {
        let keyring = match store {
            Store::File => None,
            Store::Keyring => Some(KeyringSession::unlocked()?),
        };
        let grace = match spent {
            Spent::Refused => "0s",
            Spent::WithGrace => "10s",
        };
        let server = DevelopmentServer::start(&["--approve", "auto", "--latency", latency, "--refresh-grace", grace]);
        Some(Place {
            home: Home::new(),
            server,
            keyring,
            marks: AtomicUsize::new(0),
        })
    }

    pub(crate) fn oauth(&self, arguments: &[&str]) -> Command {
        let mut command = self.home.oauth();
        if let Some(keyring) = &self.keyring {
            command
                .envs(keyring.environment())
                .env("HOME", self.home.path())
                .env("OAUTH_STORE", "keyring");
        }
        command.args(arguments);
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        run(&mut self.oauth(arguments))
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        start(&mut self.oauth(arguments))
    }

    /// `oauth token work`.
    pub(crate) fn token(&self) -> Outcome {
        self.run(&["token", "work"])
    }

    /// The command of a login that needs nobody: the server agrees, `curl` is the browser.
    pub(crate) fn login(&self) -> Command {
        let page = self.home.path().join("page.html");
        let browser = format!("curl -sSL --noproxy * -o {}", page.display());
        let issuer = self.server.issuer();
        self.oauth(&[
            "login",
            &issuer,
            "--client-id",
            "oauth-cli",
            "--scope",
            "openid hello",
            "--profile",
            "work",
            "--browser",
            &browser,
        ])
    }

    pub(crate) fn log_in(&self) {
        run(&mut self.login()).expect_code(0);
    }

    /// The record as it is stored, which must be whole wherever it is.
    pub(crate) fn record(&self) -> Option<Value> {
        let text = match &self.keyring {
            None => self.home.kept("work")?.encode().expose().clone(),
            Some(keyring) => {
                let found = keyring.secret_tool(&["lookup", "service", "oauth", "username", "work"], b"");
                // without an item it says nothing
                if !found.status.success() {
                    assert!(found.stderr.is_empty(), "{found:?}");
                    return None;
                }
                String::from_utf8(found.stdout).expect("text")
            }
        };
        Some(serde_json::from_str(&text).expect("a whole record"))
    }

    pub(crate) fn generation(&self) -> u64 {
        self.record().expect("a record")["generation"]
            .as_u64()
            .expect("a number")
    }

    pub(crate) fn access_token(&self) -> String {
        let record = self.record().expect("a record");
        record["tokens"][0]["access_token"]
            .as_str()
            .expect("a token")
            .to_owned()
    }

    /// Makes the access token one of the past.
    pub(crate) fn expire(&self) {
        self.change_token("expires_at", LONG_AGO.into());
    }

    /// Puts this into the stored access token.
    pub(crate) fn change_token(&self, member: &str, value: Value) {
        let mut record = self.record().expect("a record");
        record["tokens"][0][member] = value;
        match &self.keyring {
            None => {
                let session = Session::decode(&record.to_string()).expect("a session");
                self.home.keep("work", &session);
            }
            Some(keyring) => {
                let stored = keyring.secret_tool(
                    &[
                        "store",
                        "--label=oauth session work",
                        "service",
                        "oauth",
                        "username",
                        "work",
                    ],
                    record.to_string().as_bytes(),
                );
                assert!(stored.status.success(), "{stored:?}");
            }
        }
    }

    /// How many refreshes the server has granted so far.
    pub(crate) fn refreshes(&self) -> usize {
        // what the server logged before this request stands before it
        let mark = format!("/mark-{}", self.marks.fetch_add(1, Ordering::Relaxed));
        self.server.get(&mark, &[]);
        self.server.wait_for_log(&[&format!("{mark} ")]);
        let log = self.server.log();
        let granted = log.lines().filter(|line| line.starts_with("POST /token 200")).count();
        granted - self.logins(&log)
    }

    fn logins(&self, log: &str) -> usize {
        let redirected = |line: &&str| line.starts_with("GET /authorize") && line.contains(" 303");
        log.lines().filter(redirected).count()
    }

    /// Unfinished files, which no process that has finished leaves.
    pub(crate) fn unfinished(&self) -> Vec<String> {
        let files = self.home.files().into_iter();
        let names = files.map(|file| file.file_name().expect("a name").to_string_lossy().into_owned());
        names.filter(|name| name.ends_with(".tmp")).collect()
    }
}

pub(crate) fn start(command: &mut Command) -> Child {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starting the program")
}

/// Whether SIGKILL ended it.
pub(crate) fn was_killed(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    status.signal() == Some(9)
}
