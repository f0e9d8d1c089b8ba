//! Whether standard output was closed when the process started.
//!
//! Before `main` runs, Rust's standard library opens `/dev/null` in the place of
//! a standard stream that is closed. From then on `>&-`, which loses what is
//! printed by mistake, looks like `>/dev/null`, which drops it on purpose. So
//! this looks earlier. It is a crate of its own because `oauth` forbids `unsafe`,
//! even in the macro of another crate.
#![deny(clippy::undocumented_unsafe_blocks)]

use std::sync::atomic::{AtomicBool, Ordering};

static CLOSED: AtomicBool = AtomicBool::new(false);

#[cfg(unix)]
ctor::declarative::ctor! {
    // One system call and one store to a static: neither needs the standard library to be set up
    #[ctor(unsafe)]
    fn look_at_stdout() {
        let flags = rustix::io::fcntl_getfd(rustix::stdio::stdout());
        CLOSED.store(flags == Err(rustix::io::Errno::BADF), Ordering::Relaxed);
    }
}

/// Whether standard output was closed when the process started. On systems
/// other than Unix: false.
pub fn stdout_was_closed() -> bool {
    CLOSED.load(Ordering::Relaxed)
}
