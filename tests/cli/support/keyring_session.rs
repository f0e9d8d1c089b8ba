//! A D-Bus session of its own with a real gnome-keyring in it, for tests. The
//! bus, the keyring and their files are in a temporary folder; nothing of the
//! environment of the test gets in, and everything ends with the value.
//!
//! D-Bus clients find their bus by the environment, so what is tested runs in
//! a child process with [`KeyringSession::environment`].
#![allow(dead_code, reason = "each test crate uses its part")]

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a program of the session may take to come up.
const PATIENCE: Duration = Duration::from_secs(60);
const PASSWORD: &[u8] = b"password of the test keyring";
const SECRETS: &str = "org.freedesktop.secrets";
/// What `gnome-keyring-daemon --unlock` makes.
pub(crate) const LOGIN_COLLECTION: &str = "/org/freedesktop/secrets/collection/login";

/// Whether a missing `org.freedesktop.secrets` is started by the bus.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activation {
    Off,
    On,
}

pub(crate) struct KeyringSession {
    home: TempDir,
    address: String,
    bus: Child,
    keyring: Option<Child>,
}

impl KeyringSession {
    /// A bus without a keyring, or `None`, loudly, where the programs for it
    /// are missing. Under `CI` that is a failure.
    pub(crate) fn start(activation: Activation) -> Option<Self> {
        for program in ["dbus-daemon", "dbus-send", "gnome-keyring-daemon", "secret-tool"] {
            if !is_installed(program) {
                let message = format!(
                    "`{program}` is not installed (Debian: dbus-daemon, dbus-bin, gnome-keyring, libsecret-tools)"
                );
                assert!(std::env::var_os("CI").is_none(), "{message}");
                // not `eprintln!`, which the test harness keeps to itself
                let _ = writeln!(
                    std::io::stderr(),
                    "\n*** SKIPPED: the keyring is not tested: {message} ***"
                );
                return None;
            }
        }
        let home = tempfile::tempdir().expect("a temporary folder");
        for folder in ["run", "home", "services"] {
            fs::create_dir(home.path().join(folder)).expect("a folder");
            fs::set_permissions(home.path().join(folder), fs::Permissions::from_mode(0o700)).expect("its mode");
        }
        if activation == Activation::On {
            let service = format!(
                "[D-BUS Service]\nName={SECRETS}\nExec={} --foreground --components=secrets\n",
                find("gnome-keyring-daemon").display()
            );
            fs::write(home.path().join("services/secrets.service"), service).expect("a service file");
        }
        let config = home.path().join("bus.conf");
        fs::write(&config, bus_config(home.path())).expect("a bus configuration");
        let mut bus = in_home(Command::new("dbus-daemon"), home.path())
            .arg(format!("--config-file={}", config.display()))
            .args(["--nofork", "--print-address"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus-daemon starts");
        let mut address = String::new();
        BufReader::new(bus.stdout.take().expect("its stdout"))
            .read_line(&mut address)
            .expect("the address of the bus");
        assert!(address.starts_with("unix:"), "address: {address:?}");
        Some(KeyringSession {
            home,
            address: address.trim_end().to_owned(),
            bus,
            keyring: None,
        })
    }

    /// A bus with a keyring that is unlocked.
    pub(crate) fn unlocked() -> Option<Self> {
        let mut session = Self::start(Activation::Off)?;
        session.start_keyring();
        Some(session)
    }

    /// The same, and then locked.
    pub(crate) fn locked() -> Option<Self> {
        let session = Self::unlocked()?;
        session.lock();
        Some(session)
    }

    /// Starts an unlocked keyring; the first one makes the collection `login`.
    pub(crate) fn start_keyring(&mut self) {
        let mut stdin = self.start_keyring_with(&["--unlock"]);
        stdin.write_all(PASSWORD).expect("the password is read");
        drop(stdin);
        self.wait_until("the keyring answers", || self.has_keyring());
    }

    /// Starts a keyring that nobody has given a password: where no other one
    /// ran before, it has no collection to keep anything in.
    pub(crate) fn start_keyring_without_password(&mut self) {
        drop(self.start_keyring_with(&[]));
        self.wait_until("the keyring answers", || self.has_keyring());
    }

    fn start_keyring_with(&mut self, arguments: &[&str]) -> ChildStdin {
        let mut keyring = self
            .command("gnome-keyring-daemon")
            .args(["--foreground", "--components=secrets"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("gnome-keyring-daemon starts");
        let stdin = keyring.stdin.take().expect("its stdin");
        self.keyring = Some(keyring);
        stdin
    }

    /// Locks the collection `login`.
    pub(crate) fn lock(&self) {
        let output = self.call(
            SECRETS,
            "/org/freedesktop/secrets",
            "org.freedesktop.Secret.Service.Lock",
            &[&format!("array:objpath:{LOGIN_COLLECTION}")],
        );
        assert!(output.status.success(), "{output:?}");
    }

    /// Ends the keyring without a warning (SIGKILL).
    pub(crate) fn kill_keyring(&mut self) {
        if let Some(mut keyring) = self.keyring.take() {
            keyring.kill().expect("the keyring is killed");
            keyring.wait().expect("the keyring ends");
        }
        self.wait_until("the bus noticed", || !self.has_keyring());
    }

    /// Lets the keyring hold its name and answer nothing (SIGSTOP), or go on (SIGCONT).
    pub(crate) fn signal_keyring(&self, signal: &str) {
        let pid = self.keyring.as_ref().expect("a keyring").id().to_string();
        let status = Command::new("kill").args(["-s", signal, &pid]).status().expect("kill");
        assert!(status.success());
    }

    /// `secret-tool` with these arguments.
    pub(crate) fn secret_tool(&self, arguments: &[&str], stdin: &[u8]) -> Output {
        let mut child = self
            .command("secret-tool")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("secret-tool starts");
        child
            .stdin
            .take()
            .expect("its stdin")
            .write_all(stdin)
            .expect("it reads");
        child.wait_with_output().expect("it ends")
    }

    /// What leads a child to this session: to be added to an environment that was cleared.
    pub(crate) fn environment(&self) -> Vec<(&'static str, OsString)> {
        let mut environment = home_environment(self.home.path());
        environment.push(("DBUS_SESSION_BUS_ADDRESS", self.address.clone().into()));
        environment
    }

    /// The address of the bus.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// A program in this session and in nothing else.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .envs(self.environment())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
    }

    /// Every method call that the bus carries while `during` runs, as `interface.member`.
    pub(crate) fn calls_during(&self, during: impl FnOnce()) -> Vec<String> {
        let mut monitor = self
            .command("dbus-monitor")
            .args(["--session", "--profile"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("dbus-monitor starts");
        let mut lines = BufReader::new(monitor.stdout.take().expect("its stdout")).lines();
        // The monitor loses its own name once it listens
        for line in lines.by_ref() {
            if line.expect("a line").contains("NameLost") {
                break;
            }
        }
        during();
        // A call that nobody else makes marks the end
        let marker = "org.example.Marker.End";
        self.call("org.freedesktop.DBus", "/", marker, &[]);
        let mut calls = Vec::new();
        for line in lines {
            let line = line.expect("a line");
            let fields: Vec<&str> = line.split('\t').collect();
            // Fields: kind, time, serial, sender, destination, path, interface, member
            if let ["mc", _, _, _, _, _, interface, member] = fields[..] {
                let call = format!("{interface}.{member}");
                if call == marker {
                    break;
                }
                calls.push(call);
            }
        }
        monitor.kill().expect("the monitor is killed");
        monitor.wait().expect("the monitor ends");
        // The marker's own connection
        calls.pop();
        calls
    }

    fn has_keyring(&self) -> bool {
        let output = self.call(
            "org.freedesktop.DBus",
            "/org/freedesktop/DBus",
            "org.freedesktop.DBus.NameHasOwner",
            &[&format!("string:{SECRETS}")],
        );
        String::from_utf8_lossy(&output.stdout).contains("true")
    }

    fn call(&self, destination: &str, path: &str, method: &str, arguments: &[&str]) -> Output {
        self.command("dbus-send")
            .args(["--session", "--print-reply=literal", &format!("--dest={destination}")])
            .args([path, method])
            .args(arguments)
            .output()
            .expect("dbus-send runs")
    }

    fn wait_until(&self, what: &str, mut condition: impl FnMut() -> bool) {
        let began = Instant::now();
        while !condition() {
            assert!(began.elapsed() < PATIENCE, "in vain waited until {what}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for KeyringSession {
    fn drop(&mut self) {
        // A keyring that the bus started ends with the bus
        for child in [self.keyring.as_mut(), Some(&mut self.bus)].into_iter().flatten() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn home_environment(home: &Path) -> Vec<(&'static str, OsString)> {
    vec![
        ("HOME", home.join("home").into()),
        ("XDG_RUNTIME_DIR", home.join("run").into()),
    ]
}

fn in_home(mut command: Command, home: &Path) -> Command {
    command
        .env_clear()
        .envs(home_environment(home))
        .env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}

fn bus_config(home: &Path) -> String {
    let home = home.display();
    format!(
        r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={home}/run/bus</listen>
  <servicedir>{home}/services</servicedir>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#
    )
}

fn is_installed(program: &str) -> bool {
    find(program).is_file()
}

fn find(program: &str) -> PathBuf {
    std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
        .unwrap_or_default()
}
