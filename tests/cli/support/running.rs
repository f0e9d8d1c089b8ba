//! A program that runs beside the test: its output is read as it comes, and
//! it never outlives the test.

use super::literal_server::PATIENCE;
use super::outcome::Outcome;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Instant;

/// A program that was started, and not waited for yet.
pub struct Running {
    child: Child,
    stdout: Output,
    stderr: Output,
}

impl Running {
    /// Starts it, with nothing on stdin.
    pub fn start(command: &mut Command) -> Self {
        Running::start_with(command, Stdio::null())
    }

    /// Starts it with this text on stdin.
    pub fn start_with_input(command: &mut Command, input: &str) -> Self {
        let mut running = Running::start_with(command, Stdio::piped());
        let mut stdin = running.child.stdin.take().expect("its stdin");
        stdin.write_all(input.as_bytes()).expect("it reads");
        running
    }

    /// Starts it with its stdin open until the test ends, so that it can see that.
    pub fn start_with_open_input(command: &mut Command) -> Self {
        Running::start_with(command, Stdio::piped())
    }

    /// Starts it with this as its stdin.
    pub fn start_with(command: &mut Command, stdin: impl Into<Stdio>) -> Self {
        let mut child = command
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        let stdout = Output::of(child.stdout.take().expect("its stdout"));
        let stderr = Output::of(child.stderr.take().expect("its stderr"));
        Running { child, stdout, stderr }
    }

    /// The first line on stderr that has this in it, when it has come.
    pub fn line_with(&self, text: &str) -> String {
        self.stderr
            .wait_for(text, |line| line.contains(text).then(|| line.to_owned()))
    }

    /// Writes to its stdin, where that is open.
    pub fn type_line(&mut self, line: &str) {
        let stdin = self.child.stdin.as_mut().expect("an open stdin");
        stdin.write_all(format!("{line}\n").as_bytes()).expect("it reads");
    }

    /// Writes exactly this to its stdin, where that is open, and ends it.
    /// A program that has read enough may not wait for the rest.
    pub fn type_all(&mut self, text: &str) {
        let mut stdin = self.child.stdin.take().expect("an open stdin");
        let _ = stdin.write_all(text.as_bytes());
    }

    /// Waits until this gives something for all that it wrote to stderr so far.
    pub fn wait_until<T>(&self, what: &str, pick: impl Fn(&str) -> Option<T>) -> T {
        self.stderr.wait_until(what, |output| pick(&output.text))
    }

    /// The authorization URL on stderr, alone on its line (or, with `--json`,
    /// as the member of its object), when it has come.
    pub fn authorization_url(&self) -> String {
        self.stderr.wait_for("the authorization URL", |line| {
            let object = serde_json::from_str::<serde_json::Value>(line).ok();
            let member = object.and_then(|object| object["authorization_url"].as_str().map(str::to_owned));
            let is_url = line.starts_with("http://") || line.starts_with("https://");
            member.or_else(|| is_url.then(|| line.to_owned()))
        })
    }

    /// Sends it a signal.
    #[cfg(unix)]
    pub fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), signal).expect("it runs");
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it wrote to stderr so far.
    pub fn stderr_so_far(&self) -> String {
        self.stderr.text()
    }

    /// Waits until it ends by itself.
    pub fn end(mut self) -> Outcome {
        // its output ends with it, so nothing here has to ask again and again
        self.stdout.wait_for_end();
        self.stderr.wait_for_end();
        let status = self.child.wait().expect("its status");
        Outcome {
            code: status.code(),
            stdout: self.stdout.text(),
            stderr: self.stderr.text(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Default)]
struct Text {
    text: String,
    ended: bool,
}

struct Output {
    shared: Arc<(Mutex<Text>, Condvar)>,
    _reader: JoinHandle<()>,
}

impl Output {
    fn of(stream: impl Read + Send + 'static) -> Self {
        let shared: Arc<(Mutex<Text>, Condvar)> = Arc::default();
        let writing = Arc::clone(&shared);
        let reader = std::thread::spawn(move || {
            let mut stream = BufReader::new(stream);
            let mut line = Vec::new();
            while stream.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
                lock(&writing.0).text.push_str(&String::from_utf8_lossy(&line));
                writing.1.notify_all();
                line.clear();
            }
            lock(&writing.0).ended = true;
            writing.1.notify_all();
        });
        Output {
            shared,
            _reader: reader,
        }
    }

    fn text(&self) -> String {
        lock(&self.shared.0).text.clone()
    }

    fn wait_for<T>(&self, what: &str, pick: impl Fn(&str) -> Option<T>) -> T {
        let picked = self.wait_until(what, |output| {
            let whole_lines = output.text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
            let found = whole_lines.map(str::trim_end).find_map(&pick);
            match found {
                None if output.ended => Some(Err(output.text.clone())),
                None => None,
                Some(found) => Some(Ok(found)),
            }
        });
        picked.unwrap_or_else(|text| panic!("it ended without {what:?}:\n{text}"))
    }

    fn wait_for_end(&self) {
        self.wait_until("its end", |output| output.ended.then_some(()));
    }

    fn wait_until<T>(&self, what: &str, pick: impl Fn(&Text) -> Option<T>) -> T {
        let (mutex, changed) = &*self.shared;
        let began = Instant::now();
        let mut output = lock(mutex);
        loop {
            if let Some(picked) = pick(&output) {
                return picked;
            }
            let left = PATIENCE.saturating_sub(began.elapsed());
            assert!(!left.is_zero(), "in vain waited for {what:?} in:\n{}", output.text);
            output = changed.wait_timeout(output, left).expect("no reader panics").0;
        }
    }
}

fn lock(mutex: &Mutex<Text>) -> MutexGuard<'_, Text> {
    mutex.lock().expect("no reader panics")
}
