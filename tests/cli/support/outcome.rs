//! One run of a program from its start to its end, and what came of it.

use super::literal_server::PATIENCE;
use serde_json::Value;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

/// How a program ended and what it wrote.
#[derive(Debug)]
pub struct Outcome {
    /// `None` when a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// Runs it to its end with nothing on standard input.
pub fn run(command: &mut Command) -> Outcome {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    finish(command.spawn().expect("starting the program"))
}

/// The same with these bytes on standard input.
pub fn run_with_input(command: &mut Command, input: &[u8]) -> Outcome {
    use std::io::Write;
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("starting the program");
    let mut stdin = child.stdin.take().expect("its standard input");
    // a program that does not read may be gone already
    let _ = stdin.write_all(input);
    drop(stdin);
    finish(child)
}

/// Waits for the end of a program whose streams are pipes or elsewhere. One
/// that does not end is ended, and the test fails.
pub fn finish(child: Child) -> Outcome {
    let id = child.id();
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    let Ok(output) = receiver.recv_timeout(PATIENCE) else {
        let mut ending = Command::new(if cfg!(windows) { "taskkill" } else { "kill" });
        let forcibly: &[&str] = if cfg!(windows) { &["/F", "/PID"] } else { &[] };
        let _ = ending.args(forcibly).arg(id.to_string()).status();
        panic!("the program did not end within {PATIENCE:?}");
    };
    let output = output.expect("the program's end");
    Outcome {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("stdout in UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("stderr in UTF-8"),
    }
}

impl Outcome {
    /// Fails the test unless it ended with this code.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// An error as `cli.md` has it: this code, nothing on stdout, `error:` on stderr.
    #[track_caller]
    pub fn expect_error(self, code: i32) -> Self {
        assert_eq!(self.stdout, "", "{self:#?}");
        assert!(self.stderr.lines().any(|line| line.starts_with("error: ")), "{self:#?}");
        self.expect_code(code)
    }

    /// Fails the test unless stderr has all of these.
    #[track_caller]
    pub fn says(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.stderr.contains(part), "stderr lacks {part:?}: {self:#?}");
        }
        self
    }

    /// Fails the test if stderr has this.
    #[track_caller]
    pub fn does_not_say(&self, part: &str) -> &Self {
        assert!(!self.stderr.contains(part), "stderr has {part:?}: {self:#?}");
        self
    }

    /// What stands behind `error: `, which must stand there once.
    #[track_caller]
    pub fn error(&self) -> String {
        let errors = self.labelled("error: ");
        assert_eq!(errors.len(), 1, "{self:#?}");
        errors.concat()
    }

    /// What stands behind `caused by: `, one cause a line.
    pub fn causes(&self) -> String {
        self.labelled("caused by: ").join("\n")
    }

    /// What stands behind `hint: `, one hint a line.
    pub fn hints(&self) -> String {
        self.labelled("hint: ").join("\n")
    }

    /// What stands behind `warning: `, one warning a line.
    pub fn warnings(&self) -> String {
        self.labelled("warning: ").join("\n")
    }

    /// The lines of stderr that begin with this label, without it.
    pub fn labelled(&self, label: &str) -> Vec<String> {
        let lines = self.stderr.lines().filter_map(|line| line.strip_prefix(label));
        lines.map(|line| line.trim().to_owned()).collect()
    }

    /// stdout, which must be one line of JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(self.stdout.matches('\n').count(), 1, "{self:#?}");
        assert!(self.stdout.ends_with('\n'), "{self:#?}");
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// Each line of stderr, which must all be JSON objects (`--json`).
    #[track_caller]
    pub fn json_lines(&self) -> Vec<Value> {
        let lines = self.stderr.lines();
        let objects: Vec<Value> = lines
            .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line:?}: {self:#?}")))
            .collect();
        assert!(objects.iter().all(Value::is_object), "{self:#?}");
        objects
    }

    /// The object of the error that stands last on stderr with `--json`.
    #[track_caller]
    pub fn json_error(&self, code: i32) -> Value {
        assert_eq!(self.code, Some(code), "{self:#?}");
        let lines = self.json_lines();
        let error = lines.last().unwrap_or_else(|| panic!("no error: {self:#?}"))["error"].clone();
        assert_eq!(error["exit_code"], code, "{self:#?}");
        error
    }
}

/// The names of a JSON object's members, sorted.
#[track_caller]
pub fn members(object: &Value) -> Vec<&str> {
    let object = object.as_object().unwrap_or_else(|| panic!("no object: {object}"));
    let mut names: Vec<&str> = object.keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}
