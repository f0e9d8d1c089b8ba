//! A file that processes lock: the lock is the kernel's and ends with the process.

use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

/// The pause between two attempts.
const PAUSE: Duration = Duration::from_millis(10);

/// A file that processes lock: the lock is the kernel's and ends with the process.
#[derive(Debug)]
pub struct LockFile {
    pub(super) file: File,
}

impl LockFile {
    /// Takes the lock, unless another process has it; whether it did.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn try_lock(&self) -> io::Result<bool> {
        match self.file.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Interrupted => Ok(false),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Takes the lock, and waits for it at most as long as `limit`: a process that was stopped holds it for ever.
    ///
    /// # Errors
    /// [`ErrorKind::TimedOut`] when the time is over, and those of the operating system.
    pub fn lock_within(&self, limit: Duration) -> io::Result<()> {
        let began = Instant::now();
        while !self.try_lock()? {
            if began.elapsed() >= limit {
                return Err(ErrorKind::TimedOut.into());
            }
            std::thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// Lets go of it.
    pub fn unlock(&self) {
        // The end of the process does the same
        let _ = self.file.unlock();
    }
}
