//! Points at which a test build is killed, stopped or made to fail, to show
//! that no session is lost there. Only the feature `fault-points` brings them
//! to life; without it every function here is empty and costs nothing.
//!
//! `OAUTH_FAULT=POINT=ACTION` arms one point of one process: `kill` ends it
//! as SIGKILL does, `stop` stops it as SIGSTOP does, `eio` and `enospc` are
//! answers of the operating system where the point is one of IO. `POINT=ACTION@3`
//! lets it pass twice. `OAUTH_FAULT_LOG=FILE` appends the name of each point that
//! is passed to a file, armed or not.

macro_rules! points {
    ($($point:ident $name:literal $meaning:literal;)+) => {
        /// A place in the life of a session where something can go wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Point {
            $(#[doc = $meaning] $point,)+
        }

        impl Point {
            /// All of them.
            pub const ALL: &'static [Point] = &[$(Point::$point,)+];

            /// The name that arms it.
            pub fn name(self) -> &'static str {
                match self { $(Point::$point => $name,)+ }
            }
        }
    };
}

points! {
    LockWanted "lock-wanted" "Before the profile's lock is asked for.";
    LockHeld "lock-held" "The lock is held, nothing is written down.";
    IntentWritten "intent-written" "What will be done is written down, nothing is sent.";
    ResponseBegun "response-begun" "The headers of the answer are read.";
    ResponseRead "response-read" "The whole answer is read, nothing of it is written.";
    FileMake "file-make" "A private file is about to be made.";
    FileWrite "file-write" "It is about to be written.";
    FileHalfWritten "file-half-written" "Half of it is written.";
    FileSync "file-sync" "It is about to be synced to the disk.";
    FileUnfinished "file-unfinished" "It is whole, under a name of its own.";
    FileNamedSuccessor "file-named-successor" "It has the name of the file that replaces the session.";
    FileNamed "file-named" "It is the session's file.";
    KeyMade "key-made" "The key of the file store is made, no session is.";
    KeyringConnected "keyring-connected" "The keyring is ready to be written to, nothing is sent to the server.";
    KeyringWriteSent "keyring-write-sent" "The write was handed to the keyring.";
    KeyringWriteAnswered "keyring-write-answered" "The keyring has written.";
    SessionStored "session-stored" "The new session is stored, the lock still held.";
    TokenUnprinted "token-unprinted" "Everything is done but the printing.";
    CodeExchanged "code-exchanged" "Login: the code was exchanged, nothing is stored.";
    TokensRevoked "tokens-revoked" "Logout: the tokens are revoked, the record is still there.";
}

/// A place where only the process can end.
#[cfg_attr(not(feature = "fault-points"), inline(always))]
pub fn here(point: Point) {
    let _ = io(point);
}

/// A place where the operating system can say no.
///
/// # Errors
/// The one that this point is armed with.
#[cfg(not(feature = "fault-points"))]
#[inline(always)]
pub fn io(_point: Point) -> std::io::Result<()> {
    Ok(())
}

/// The content, or where this point is armed the first half of it.
#[cfg(not(feature = "fault-points"))]
#[inline(always)]
pub fn cut(_point: Point, content: &[u8]) -> &[u8] {
    content
}

#[cfg(feature = "fault-points")]
pub use armed::{cut, io};

#[cfg(feature = "fault-points")]
mod armed {
    use super::Point;
    use rustix::process::{Signal, getpid, kill_process};
    use std::io::{self, ErrorKind, Write};
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// How often the armed point was passed.
    static PASSED: AtomicUsize = AtomicUsize::new(0);

    /// What this point is armed with, and from which time on.
    fn armed(point: Point) -> Option<(String, usize)> {
        let armed = std::env::var("OAUTH_FAULT").ok()?;
        let (name, action) = armed.split_once('=')?;
        let (action, time) = action.split_once('@').unwrap_or((action, "1"));
        (name == point.name()).then(|| (action.to_owned(), time.parse().unwrap_or(1)))
    }

    /// What is to happen at this point, at this time.
    fn action(point: Point) -> Option<String> {
        let (action, time) = armed(point)?;
        (PASSED.fetch_add(1, Ordering::Relaxed) + 1 == time).then_some(action)
    }

    /// A place where the operating system can say no.
    ///
    /// # Errors
    /// The one that this point is armed with.
    pub fn io(point: Point) -> io::Result<()> {
        log(point);
        let signal = match action(point).as_deref() {
            Some("kill") => Signal::KILL,
            Some("stop") => Signal::STOP,
            Some("enospc") => return Err(ErrorKind::StorageFull.into()),
            Some("eio") => return Err(io::Error::from(rustix::io::Errno::IO)),
            _ => return Ok(()),
        };
        kill_process(getpid(), signal)?;
        Ok(())
    }

    fn log(point: Point) {
        let Some(path) = std::env::var_os("OAUTH_FAULT_LOG") else {
            return;
        };
        let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
        // The test that reads it misses what cannot be written
        let _ = file.and_then(|mut file| writeln!(file, "{}", point.name()));
    }

    /// The content, or where this point is armed the first half of it.
    pub fn cut(point: Point, content: &[u8]) -> &[u8] {
        match armed(point) {
            // what goes on writes the other half as well
            Some((action, time)) if action == "kill" && PASSED.load(Ordering::Relaxed) + 1 == time => {
                &content[..content.len() / 2]
            }
            _ => content,
        }
    }
}
