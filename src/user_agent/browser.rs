//! Opens the resource owner's browser at the authorization URL.
//!
//! Invariants: no shell anywhere; what is opened is a URL that was parsed,
//! found harmless and written anew ([`url_for_browser`]), never a string that
//! a server sent; the child gets the environment that it is handed minus every
//! `OAUTH_*`, no stream of ours and a process group of its own, so that it can
//! neither write into our output nor read the terminal; and whatever it does,
//! nobody waits for it: a thread does, and reports.

use crate::exit::{Diagnosis, ExitCode};
use crate::protocol::endpoint::{HttpPolicy, is_loopback};
use std::ffi::OsString;
use std::fmt::Write;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use url::{Host, Url};

/// See [`LaunchSettings::quick_failure`].
const QUICK_FAILURE: Duration = Duration::from_secs(5);

/// A longer URL is not given to a browser (Windows takes 32,767 characters).
pub const MAX_URL_BYTES: usize = 32_000;

/// Stands for the URL in a browser command.
const URL_MARK: &str = "%s";

/// Between the entries of `$BROWSER`.
const LIST_SEPARATOR: char = if cfg!(windows) { ';' } else { ':' };

/// Why no browser can be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BrowserError {
    /// A quote that is never closed.
    #[error("the browser command in {given_by} has a quote that is not closed")]
    Quote {
        /// `--browser` or `BROWSER`.
        given_by: &'static str,
    },
    /// No word in it.
    #[error("the browser command in {given_by} is empty")]
    Empty {
        /// `--browser` or `BROWSER`.
        given_by: &'static str,
    },
    /// Neither https nor permitted http.
    #[error("a browser is only sent to https URLs, and to http ones on loopback, not to {scheme}")]
    Scheme {
        /// The scheme of the URL.
        scheme: String,
    },
    /// `user:password@` in the URL.
    #[error("the authorization URL carries a user name or password")]
    Userinfo,
    /// Characters that no host name has.
    #[error("the host of the authorization URL is not a host name")]
    HostName,
    /// Longer than [`MAX_URL_BYTES`].
    #[error("the authorization URL is longer than {MAX_URL_BYTES} bytes")]
    TooLong,
}

impl Diagnosis for BrowserError {
    fn exit_code(&self) -> ExitCode {
        match self {
            BrowserError::Quote { .. } | BrowserError::Empty { .. } => ExitCode::Usage,
            BrowserError::Scheme { .. } | BrowserError::Userinfo | BrowserError::HostName | BrowserError::TooLong => {
                ExitCode::Protocol
            }
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            BrowserError::Quote { given_by } | BrowserError::Empty { given_by } => vec![format!(
                "Write {given_by} as in a shell, with {URL_MARK} where the URL goes: `firefox -P work {URL_MARK}`."
            )],
            BrowserError::Scheme { .. } => {
                vec!["Permit http for this server with `--allow-http`, if you trust the network to it.".to_owned()]
            }
            BrowserError::Userinfo | BrowserError::HostName => {
                vec![
                    "Check the server's authorization endpoint, or name it with `--authorization-endpoint URL`."
                        .to_owned(),
                ]
            }
            BrowserError::TooLong => vec!["Ask for fewer scopes, or shorten what `--param` adds.".to_owned()],
        }
    }
}

/// A browser command: words as a shell splits them, though no shell runs; or
/// the path of a program that has blanks in it, and arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrowserCommand {
    words: Vec<String>,
}

impl BrowserCommand {
    /// Splits a command into words. `given_by` is what errors name.
    ///
    /// # Errors
    /// [`BrowserError::Quote`] and [`BrowserError::Empty`].
    pub fn parse(command: &str, given_by: &'static str) -> Result<BrowserCommand, BrowserError> {
        let split = |text: &str| shell_words::split(text).map_err(|_| BrowserError::Quote { given_by });
        let words = match program_with_blanks(command) {
            Some((program, arguments)) => [vec![program.to_owned()], split(arguments)?].concat(),
            None => split(command)?,
        };
        match words.first() {
            Some(program) if !program.is_empty() && !program.contains(URL_MARK) => Ok(BrowserCommand { words }),
            _ => Err(BrowserError::Empty { given_by }),
        }
    }

    fn command(&self, url: &str) -> Command {
        let mut words = self.words.iter();
        let mut command = Command::new(words.next().map_or("", String::as_str));
        command.args(words.map(|word| word.replace(URL_MARK, url)));
        if !self.names_url() {
            command.arg(url);
        }
        command
    }

    /// Whether an unsuccessful exit shows that nothing was opened. Windows'
    /// explorer, which WSL runs too, exits with 1 after it opened the URL.
    fn has_meaningful_status(&self) -> bool {
        let program = self.words.first().map_or("", String::as_str);
        let name = program
            .rsplit(['/', '\\'])
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        !matches!(name.as_str(), "explorer" | "explorer.exe")
    }

    fn names_url(&self) -> bool {
        self.words.iter().any(|word| word.contains(URL_MARK))
    }

    fn shown(&self) -> String {
        shell_words::join(&self.words)
    }
}

/// A program whose path has blanks and is not quoted, as the variables of
/// desktops and of Windows have it: the longest beginning of the command that
/// is a file.
fn program_with_blanks(command: &str) -> Option<(&str, &str)> {
    let command = command.trim();
    let blanks = command.match_indices(' ').map(|(at, _)| at);
    let ends: Vec<usize> = blanks.chain([command.len()]).collect();
    let mut paths = ends.into_iter().rev().map(|end| command.split_at(end));
    paths.find(|(path, _)| path.contains(' ') && path.contains(['/', '\\']) && Path::new(path).is_file())
}

/// One way to open a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BrowserLauncher {
    /// A command of the user's.
    Command(BrowserCommand),
    /// What the desktop is configured to use.
    System,
}

/// The ways to open a browser, in the order in which to try them: the one of
/// `--browser` alone if given; else those of `$BROWSER` and then the system's,
/// the latter only where there is a display for it.
///
/// # Errors
/// [`BrowserError::Quote`] and [`BrowserError::Empty`] for a command that
/// cannot be split. An empty list is no error: nothing is opened then.
pub fn candidates(
    browser_flag: Option<&str>,
    browser_variable: Option<&str>,
    display_found: bool,
) -> Result<Vec<BrowserLauncher>, BrowserError> {
    if let Some(command) = browser_flag {
        return Ok(vec![BrowserLauncher::Command(BrowserCommand::parse(
            command,
            "--browser",
        )?)]);
    }
    let mut launchers = Vec::new();
    for command in browser_variable.unwrap_or_default().split(LIST_SEPARATOR) {
        if !command.trim().is_empty() {
            launchers.push(BrowserLauncher::Command(BrowserCommand::parse(command, "BROWSER")?));
        }
    }
    if display_found {
        launchers.push(BrowserLauncher::System);
    }
    Ok(launchers)
}

/// The URL as it may be given to a program: https, or http where that is
/// permitted; no user name or password; a host of letters, digits, `.`, `-`
/// and `_` or an address; everything outside RFC 3986's unreserved characters,
/// `%` and `: / ? # [ ] @ ! * + , = &` percent-encoded, so that no quote, dollar,
/// backtick, semicolon, pipe, bracket or white space reaches a script on the way.
///
/// # Errors
/// [`BrowserError`] for a URL that no browser is sent to.
pub fn url_for_browser(url: &Url, http_policy: HttpPolicy) -> Result<String, BrowserError> {
    let permitted = match url.scheme() {
        "https" => true,
        "http" => http_policy == HttpPolicy::Everywhere || is_loopback(url),
        _ => false,
    };
    if !permitted {
        return Err(BrowserError::Scheme {
            scheme: url.scheme().to_owned(),
        });
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(BrowserError::Userinfo);
    }
    let is_name = |name: &str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
    };
    match url.host() {
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => {}
        Some(Host::Domain(name)) if is_name(name) => {}
        _ => return Err(BrowserError::HostName),
    }
    let mut written = String::with_capacity(url.as_str().len());
    for byte in url.as_str().bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~%:/?#[]@!*+,=&".contains(&byte) {
            written.push(char::from(byte));
        } else {
            let _infallible = write!(written, "%{byte:02X}");
        }
    }
    if written.len() > MAX_URL_BYTES {
        return Err(BrowserError::TooLong);
    }
    Ok(written)
}

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
}

impl BrowserProcess {
    /// An opening whose reports come from elsewhere: from a stand-in for a browser.
    pub fn reported() -> (mpsc::UnboundedSender<BrowserReport>, BrowserProcess) {
        let (reporter, reports) = mpsc::unbounded_channel();
        (reporter, BrowserProcess { reports })
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
    let (reporter, reports) = mpsc::unbounded_channel();
    // not a task of the runtime, which would wait for it at its end
    thread::spawn(move || {
        let attempts = launchers.iter().flat_map(|launcher| attempts(launcher, &url));
        for attempt in attempts {
            if reporter.is_closed() || attempt.run(&environment, quick_failure, &reporter) == Outcome::Done {
                break;
            }
        }
    });
    Ok(BrowserProcess { reports })
}

fn is_ours(name: &OsString) -> bool {
    let name = name.as_encoded_bytes();
    name.get(..6).is_some_and(|start| start.eq_ignore_ascii_case(b"OAUTH_"))
}

/// One command line.
struct Attempt {
    command: Command,
    shown: String,
    /// Whether an unsuccessful exit shows that nothing was opened.
    status_is_meaningful: bool,
}

#[derive(PartialEq, Eq)]
enum Outcome {
    Done,
    TryNext,
}

fn attempts(launcher: &BrowserLauncher, url: &str) -> Vec<Attempt> {
    match launcher {
        BrowserLauncher::Command(browser) => vec![Attempt {
            command: browser.command(url),
            shown: browser.shown(),
            status_is_meaningful: browser.has_meaningful_status(),
        }],
        BrowserLauncher::System => open::commands(url)
            .into_iter()
            .map(|command| Attempt {
                shown: command.get_program().to_string_lossy().into_owned(),
                command,
                status_is_meaningful: cfg!(not(windows)),
            })
            .collect(),
    }
}

impl Attempt {
    fn run(
        mut self,
        environment: &[(OsString, OsString)],
        quick_failure: Duration,
        reporter: &mpsc::UnboundedSender<BrowserReport>,
    ) -> Outcome {
        self.isolate(environment);
        let report = |report| {
            let _nobody_listens = reporter.send(report);
        };
        let began = Instant::now();
        let mut child = match self.command.spawn() {
            Ok(child) => child,
            Err(error) => {
                report(BrowserReport::NotStarted {
                    command: self.shown,
                    reason: describe_spawn_error(&error),
                });
                return Outcome::TryNext;
            }
        };
        report(BrowserReport::Started {
            command: self.shown.clone(),
        });
        let status = child.wait();
        if !self.status_is_meaningful || began.elapsed() >= quick_failure {
            return Outcome::Done;
        }
        match status {
            Ok(status) if !status.success() => {
                report(BrowserReport::Exited {
                    command: self.shown,
                    how: describe_exit(status),
                });
                Outcome::TryNext
            }
            // its end cannot be seen, which is no sign that nothing was opened
            Ok(_) | Err(_) => Outcome::Done,
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn written(url: &str) -> Result<String, BrowserError> {
        url_for_browser(&Url::parse(url).unwrap(), HttpPolicy::LoopbackOnly)
    }

    #[test]
    fn an_authorization_url_is_opened_as_it_is() {
        for url in [
            "https://id.example.com/authorize?response_type=code&client_id=a%20b&redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Fcallback&scope=openid+email",
            "https://id.example.com:8443/realms/x/protocol/openid-connect/auth?state=-._~",
            "https://[2001:db8::1]/authorize?a=b",
            "http://127.0.0.1:9000/authorize",
            "http://127.9.9.9/authorize",
            "http://[::1]:9000/authorize",
            "http://localhost:8080/authorize",
        ] {
            assert_eq!(written(url).unwrap(), url);
        }
    }

    /// CVE-2025-6514, CVE-2025-48938, CVE-2026-4519, CVE-2014-9622, CVE-2024-24576.
    #[test]
    fn nothing_that_a_server_sends_reaches_a_program_but_a_harmless_url() {
        for url in [
            "file:///c:/windows/system32/calc.exe",
            "file:////host/share/x.exe",
            "a:$(calc)",
            "javascript:alert(1)",
            "data:text/html,x",
            "vscode://x",
            "ms-msdt:x",
            "ftp://example.com/",
            "http://example.com/authorize",
            "http://127.0.0.1.example.com/authorize",
            "http://localhost.example.com/",
            "http://10.0.0.1/authorize",
        ] {
            assert!(matches!(written(url), Err(BrowserError::Scheme { .. })), "{url}");
        }
        for url in [
            "https://user@example.com/",
            "https://:p@example.com/",
            "http://a:b@127.0.0.1/",
        ] {
            assert!(matches!(written(url), Err(BrowserError::Userinfo)), "{url}");
        }
        for url in [
            "https://a$(calc)/",
            "https://x;id/",
            "https://`id`/",
            "https://a'b/",
            "https://a\"b/",
            "https://{x}/",
        ] {
            assert!(matches!(written(url), Err(BrowserError::HostName)), "{url}");
        }
        assert!(matches!(
            written(&format!("https://a/{}", "x".repeat(MAX_URL_BYTES))),
            Err(BrowserError::TooLong)
        ));
    }

    #[test]
    fn what_a_shell_would_read_is_percent_encoded() {
        assert_eq!(
            written("https://a/$(calc)/`id`/;x|y?q=\"&calc&\"'<>(){}^\\ \u{e9}#$(x)").unwrap(),
            "https://a/%24%28calc%29/%60id%60/%3Bx%7Cy?q=%22&calc&%22%27%3C%3E%28%29%7B%7D%5E%5C%20%C3%A9#%24%28x%29"
        );
        // the url crate drops tab and line feed, which a browser would too
        assert_eq!(written("https://a/b\n\tc").unwrap(), "https://a/bc");
        assert_eq!(written("https:\\\\a\\b").unwrap(), "https://a/b");
    }

    #[test]
    fn what_is_written_parses_to_the_same_host_and_holds_no_shell_character() {
        let mut seed: u32 = 1;
        let mut random = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from((seed >> 24) as u8)
        };
        for _ in 0..20_000 {
            let rest: String = (0..24).map(|_| random()).collect();
            let Ok(url) = Url::parse(&format!("https://example.com/{rest}")) else {
                continue;
            };
            let written = url_for_browser(&url, HttpPolicy::LoopbackOnly).unwrap();
            let again = Url::parse(&written).unwrap();
            assert_eq!(
                (again.scheme(), again.host_str(), again.port()),
                ("https", Some("example.com"), None)
            );
            assert_eq!(
                url_for_browser(&again, HttpPolicy::LoopbackOnly).unwrap(),
                written,
                "written once for all"
            );
            assert!(written.is_ascii());
            assert!(
                !written.contains(['\'', '"', '$', '`', ';', '|', '(', ')', '<', '>', '\\', ' ']),
                "{written}"
            );
        }
    }

    #[test]
    fn plain_http_beyond_loopback_takes_the_users_word() {
        let url = Url::parse("http://id.internal/authorize").unwrap();
        assert!(url_for_browser(&url, HttpPolicy::LoopbackOnly).is_err());
        assert_eq!(url_for_browser(&url, HttpPolicy::Everywhere).unwrap(), url.as_str());
        let file = Url::parse("file:///etc/passwd").unwrap();
        assert!(url_for_browser(&file, HttpPolicy::Everywhere).is_err());
    }

    fn line(command: &str) -> Vec<String> {
        let command = BrowserCommand::parse(command, "--browser")
            .unwrap()
            .command("https://a/?b=c");
        let arguments = command.get_args().map(|word| word.to_string_lossy().into_owned());
        std::iter::once(command.get_program().to_string_lossy().into_owned())
            .chain(arguments)
            .collect()
    }

    #[test]
    fn the_url_replaces_the_mark_in_any_word_or_is_appended() {
        assert_eq!(line("firefox"), ["firefox", "https://a/?b=c"]);
        assert_eq!(
            line("firefox -P 'my work' %s"),
            ["firefox", "-P", "my work", "https://a/?b=c"]
        );
        assert_eq!(line("x --app=%s --new"), ["x", "--app=https://a/?b=c", "--new"]);
        assert_eq!(
            line("x $(id) ; `y` && z"),
            ["x", "$(id)", ";", "`y`", "&&", "z", "https://a/?b=c"]
        );
        assert!(matches!(
            BrowserCommand::parse("x 'y", "BROWSER"),
            Err(BrowserError::Quote { given_by: "BROWSER" })
        ));
        for command in ["", "  ", "''", "%s", "%s x"] {
            assert!(
                matches!(
                    BrowserCommand::parse(command, "--browser"),
                    Err(BrowserError::Empty { .. })
                ),
                "{command}"
            );
        }
    }

    #[test]
    fn the_flag_stands_alone_and_the_system_needs_a_display() {
        let command = |text: &str| BrowserLauncher::Command(BrowserCommand::parse(text, "--browser").unwrap());
        let ask = |flag, variable, display| candidates(flag, variable, display).unwrap();
        assert_eq!(ask(Some("x %s"), Some("y"), true), [command("x %s")]);
        assert_eq!(
            ask(None, Some("y:z -a %s::"), true),
            [command("y"), command("z -a %s"), BrowserLauncher::System]
        );
        assert_eq!(ask(None, Some("y"), false), [command("y")]);
        assert_eq!(ask(None, None, true), [BrowserLauncher::System]);
        assert_eq!(ask(None, None, false), []);
        assert!(candidates(None, Some("'"), true).is_err());
    }
}
