//! Runs one browser after the other until one works, on a thread of its own.

use super::command::BrowserLauncher;
use super::error::BrowserError;
use super::safe_url::url_for_browser;
use crate::protocol::endpoint::HttpPolicy;
use crate::system::process;
use std::ffi::OsString;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use url::Url;

/// See [`LaunchSettings::quick_failure`].
const QUICK_FAILURE: Duration = Duration::from_secs(5);

/// What came of an attempt to open the browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BrowserReport {
    Started {
        /// The command without the URL.
        command: String,
    },
    /// The command could not be run. The next one is tried.
    NotStarted {
        /// The command without the URL.
        command: String,
        /// Such as `no such program`.
        reason: String,
    },
    /// The command ran and soon ended without success. The next one is tried.
    Exited {
        /// The command without the URL.
        command: String,
        /// Such as `exited with 3`.
        how: String,
    },
}

/// The browser being opened, beside everything else.
#[derive(Debug)]
pub struct BrowserProcess {
    reports: mpsc::UnboundedReceiver<BrowserReport>,
    /// Whether there is any browser to try.
    has_launchers: bool,
}

impl BrowserProcess {
    /// An opening whose reports come from elsewhere: from a stand-in for a browser.
    pub fn reported() -> (mpsc::UnboundedSender<BrowserReport>, BrowserProcess) {
        let (reporter, reports) = mpsc::unbounded_channel();
        let process = BrowserProcess {
            reports,
            has_launchers: true,
        };
        (reporter, process)
    }

    /// Whether no browser is opened, whatever happens.
    pub fn opens_none(&self) -> bool {
        !self.has_launchers
    }

    /// The next report; `None` when there is nothing left to report. Dropping
    /// the future loses none. Dropping the [`BrowserProcess`] leaves a browser that
    /// runs alone, and starts no further one.
    pub async fn next(&mut self) -> Option<BrowserReport> {
        self.reports.recv().await
    }
}

/// How browsers are run.
#[derive(Debug)]
pub struct LaunchSettings {
    /// Where a browser may be sent over plain http.
    pub http_policy: HttpPolicy,
    /// The whole environment of the child, from which every variable is removed
    /// whose name begins with `OAUTH_`.
    pub environment: Vec<(OsString, OsString)>,
    /// An unsuccessful exit within this time means that no browser was opened.
    /// After it, a browser was closed, which is not a failure.
    pub quick_failure: Duration,
}

impl LaunchSettings {
    /// With the usual time for a failure.
    pub fn new(http_policy: HttpPolicy, environment: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        LaunchSettings {
            http_policy,
            environment: environment.into_iter().collect(),
            quick_failure: QUICK_FAILURE,
        }
    }
}

/// Opens the URL with the first of the launchers that works, on a thread of its
/// own.
///
/// # Errors
/// [`BrowserError`] for a URL that no browser is sent to; nothing was run then.
pub fn open(
    url: &Url,
    launchers: Vec<BrowserLauncher>,
    settings: LaunchSettings,
) -> Result<BrowserProcess, BrowserError> {
    let url = url_for_browser(url, settings.http_policy)?;
    let mut environment = settings.environment;
    environment.retain(|(name, _)| !is_ours(name));
    let quick_failure = settings.quick_failure;
    let has_launchers = !launchers.is_empty();
    let (reporter, reports) = mpsc::unbounded_channel();
    let thread_reporter = reporter.clone();
    // not a task of the runtime, which would wait for it at its end
    let started = thread::Builder::new().name("browser".to_owned()).spawn(move || {
        let reporter = thread_reporter;
        let attempts = launchers.iter().flat_map(|launcher| attempts(launcher, &url));
        for attempt in attempts {
            if reporter.is_closed() || attempt.run(&environment, quick_failure, &reporter) == LaunchOutcome::Done {
                break;
            }
        }
    });
    if let Err(error) = started {
        let _nobody_listens = reporter.send(BrowserReport::NotStarted {
            command: "the browser".to_owned(),
            reason: format!("a thread cannot be started: {error}"),
        });
    }
    Ok(BrowserProcess { reports, has_launchers })
}

fn is_ours(name: &OsString) -> bool {
    let name = name.as_encoded_bytes();
    name.get(..6).is_some_and(|start| start.eq_ignore_ascii_case(b"OAUTH_"))
}

/// One command line.
struct LaunchAttempt {
    command: Command,
    shown: String,
    /// Whether an unsuccessful exit shows that nothing was opened.
    status_is_meaningful: bool,
}

#[derive(PartialEq, Eq)]
enum LaunchOutcome {
    Done,
    TryNext,
}

fn attempts(launcher: &BrowserLauncher, url: &str) -> Vec<LaunchAttempt> {
    match launcher {
        BrowserLauncher::Command(browser) => vec![LaunchAttempt {
            command: browser.command(url),
            shown: browser.without_url(),
            status_is_meaningful: browser.has_meaningful_status(),
        }],
        BrowserLauncher::System => open::commands(url)
            .into_iter()
            .map(|command| LaunchAttempt {
                shown: command.get_program().to_string_lossy().into_owned(),
                command,
                status_is_meaningful: cfg!(not(windows)),
            })
            .collect(),
    }
}

impl LaunchAttempt {
    fn run(
        mut self,
        environment: &[(OsString, OsString)],
        quick_failure: Duration,
        reporter: &mpsc::UnboundedSender<BrowserReport>,
    ) -> LaunchOutcome {
        self.isolate(environment);
        let report = |report| {
            let _nobody_listens = reporter.send(report);
        };
        let began = Instant::now();
        let mut child = match process::spawn(&mut self.command) {
            Ok(child) => child,
            Err(error) => {
                report(BrowserReport::NotStarted {
                    command: self.shown,
                    reason: describe_spawn_error(&error),
                });
                return LaunchOutcome::TryNext;
            }
        };
        report(BrowserReport::Started {
            command: self.shown.clone(),
        });
        let status = child.wait();
        if !self.status_is_meaningful || began.elapsed() >= quick_failure {
            return LaunchOutcome::Done;
        }
        match status {
            Ok(status) if !status.success() => {
                report(BrowserReport::Exited {
                    command: self.shown,
                    how: describe_exit(status),
                });
                LaunchOutcome::TryNext
            }
            // its end cannot be seen, which is no sign that nothing was opened
            Ok(_) | Err(_) => LaunchOutcome::Done,
        }
    }

    /// Its own streams, environment and process group.
    fn isolate(&mut self, environment: &[(OsString, OsString)]) {
        // what `open` set, such as the target for PowerShell, survives the clearing
        let set: Vec<(OsString, OsString)> = self
            .command
            .get_envs()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
            .collect();
        self.command
            .env_clear()
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .envs(set)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        #[cfg(unix)]
        {
            use std::os::unix::process::CommandExt;
            // Ctrl-C ends us and not the browser; and the kernel keeps a text
            // browser, as a background process, from the terminal
            self.command.process_group(0);
        }
        #[cfg(windows)]
        {
            use std::os::windows::process::CommandExt;
            const CREATE_NEW_PROCESS_GROUP: u32 = 0x0000_0200;
            const CREATE_NO_WINDOW: u32 = 0x0800_0000;
            self.command.creation_flags(CREATE_NEW_PROCESS_GROUP | CREATE_NO_WINDOW);
        }
    }
}

fn describe_spawn_error(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "no such program".to_owned(),
        std::io::ErrorKind::PermissionDenied => "not executable".to_owned(),
        _ => error.to_string(),
    }
}

fn describe_exit(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("exited with {code}"),
        None => "was ended by a signal".to_owned(),
    }
}
