//! What a server answers: literal bytes, and what it does between them.

use super::{Connection, PATIENCE, lock};
use std::io;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// One thing that the server does while it answers.
#[derive(Clone)]
enum Act {
    Write(Vec<u8>),
    Drip(Vec<u8>, Duration),
    Endless(Vec<u8>),
    Wait(Duration),
    Gate(Gate),
    Hang,
    Close,
    CutOff,
    Reset,
}

/// An answer: a list of things to do. A reply that ends without closing keeps
/// the connection for the next request.
#[derive(Clone, Default)]
pub struct Reply(Vec<Act>);

impl Reply {
    /// Exactly these bytes.
    pub fn bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Reply(vec![Act::Write(bytes.into())])
    }

    /// Status, headers and a body with its length. `headers` are lines without line breaks.
    pub fn http(status: u16, headers: &[&str], body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let mut bytes = format!("HTTP/1.1 {status} {}\r\n", reason(status)).into_bytes();
        for header in headers {
            bytes.extend_from_slice(header.as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
        if !matches!(status, 100..=199 | 204 | 304) {
            bytes.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(body);
        Reply::bytes(bytes)
    }

    /// Closes the connection without a word.
    pub fn nothing() -> Self {
        Reply(vec![Act::Close])
    }

    /// Resets the connection without a word.
    pub fn reset() -> Self {
        Reply(vec![Act::Reset])
    }

    /// Says nothing until the client goes away.
    pub fn silence() -> Self {
        Reply(vec![Act::Hang])
    }

    /// This many milliseconds (or whatever it is) before anything else.
    pub fn after(mut self, pause: Duration) -> Self {
        self.0.insert(0, Act::Wait(pause));
        self
    }

    /// Waits for the gate before anything else.
    pub fn after_gate(mut self, gate: &Gate) -> Self {
        self.0.insert(0, Act::Gate(gate.clone()));
        self
    }

    /// Then these bytes, one at a time.
    pub fn drip(mut self, bytes: impl Into<Vec<u8>>, pause: Duration) -> Self {
        self.0.push(Act::Drip(bytes.into(), pause));
        self
    }

    /// Then these bytes again and again until the client goes away.
    pub fn endless(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.0.push(Act::Endless(bytes.into()));
        self
    }

    /// Then these bytes.
    pub fn then(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.0.push(Act::Write(bytes.into()));
        self
    }

    /// Then waits for the gate.
    pub fn then_gate(mut self, gate: &Gate) -> Self {
        self.0.push(Act::Gate(gate.clone()));
        self
    }

    /// Then closes the connection.
    pub fn then_close(mut self) -> Self {
        self.0.push(Act::Close);
        self
    }

    /// Then ends the connection as a cut cable would look to TLS: without
    /// its close_notify.
    pub fn then_cut_off(mut self) -> Self {
        self.0.push(Act::CutOff);
        self
    }

    /// Then resets the connection.
    pub fn then_reset(mut self) -> Self {
        self.0.push(Act::Reset);
        self
    }

    /// Then says nothing more until the client goes away.
    pub fn then_silence(mut self) -> Self {
        self.0.push(Act::Hang);
        self
    }
}

/// A JSON answer as token endpoints and metadata documents give it.
pub fn json(status: u16, body: &str) -> Reply {
    Reply::http(
        status,
        &["Content-Type: application/json", "Cache-Control: no-store"],
        body,
    )
}

/// A page.
pub fn html(status: u16, body: &str) -> Reply {
    Reply::http(status, &["Content-Type: text/html; charset=utf-8"], body)
}

/// A redirect.
pub fn redirect(status: u16, location: &str) -> Reply {
    Reply::http(status, &[&format!("Location: {location}")], "")
}

/// An answer without a body.
pub fn status(status: u16) -> Reply {
    Reply::http(status, &[], "")
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        302 => "Found",
        303 => "See Other",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Status",
    }
}

/// Something that opens once; answers and tests can wait for it.
#[derive(Clone, Default)]
pub struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub fn new() -> Self {
        Gate::default()
    }

    pub fn open(&self) {
        *lock(&self.0.0) = true;
        self.0.1.notify_all();
    }

    /// Waits until it is open; whether it was within the time.
    pub fn wait(&self, at_most: Duration) -> bool {
        let (open, _) = self
            .0
            .1
            .wait_timeout_while(lock(&self.0.0), at_most, |open| !*open)
            .expect("the gate's lock");
        *open
    }
}

/// How a reply leaves the connection.
#[derive(PartialEq)]
pub(super) enum Outcome {
    Open,
    Closed,
    Reset,
}

/// Does what the reply says. `raw` is a second handle of the same connection.
pub(super) fn perform(
    reply: &Reply,
    stream: &mut dyn Connection,
    raw: &TcpStream,
    stopping: &AtomicBool,
) -> io::Result<Outcome> {
    for act in &reply.0 {
        match act {
            Act::Write(bytes) => stream.write_all(bytes)?,
            Act::Drip(bytes, pause) => {
                for byte in bytes {
                    stream.write_all(&[*byte])?;
                    stream.flush()?;
                    pause_unless_stopping(*pause, stopping);
                }
            }
            Act::Endless(bytes) => loop {
                stream.write_all(bytes)?;
            },
            Act::Wait(pause) => {
                stream.flush()?;
                pause_unless_stopping(*pause, stopping);
            }
            Act::Gate(gate) => {
                stream.flush()?;
                assert!(gate.wait(PATIENCE), "a gate was never opened");
            }
            Act::Hang => {
                stream.flush()?;
                // ends when the client or the test closes the connection
                io::copy(&mut &*raw, &mut io::sink())?;
                return Ok(Outcome::Closed);
            }
            Act::Close => {
                stream.flush()?;
                stream.finish();
                return Ok(Outcome::Closed);
            }
            Act::CutOff => {
                stream.flush()?;
                return Ok(Outcome::Closed);
            }
            Act::Reset => {
                stream.flush()?;
                return Ok(Outcome::Reset);
            }
        }
    }
    stream.flush()?;
    Ok(Outcome::Open)
}

fn pause_unless_stopping(pause: Duration, stopping: &AtomicBool) {
    let end = Instant::now() + pause;
    while Instant::now() < end && !stopping.load(Ordering::SeqCst) {
        thread::sleep((end - Instant::now()).min(Duration::from_millis(20)));
    }
}
