//! Programs of the system that a test needs. Where one is missing the test is
//! skipped, loudly; under `CI`, where `./test` could install them, it fails.

use std::io::Write;
use std::path::PathBuf;

/// Whether all of these are on `PATH`. `packages` is what brings them on Debian.
pub fn all(programs: &[&str], packages: &str) -> bool {
    let missing: Vec<&str> = programs
        .iter()
        .copied()
        .filter(|program| find(program).is_none())
        .collect();
    missing.is_empty() || skip(&format!("{} not installed (Debian: {packages})", missing.join(", ")))
}

/// Whether this file of the tests' set-up is there.
pub fn file(path: &std::path::Path) -> bool {
    path.exists() || skip(&format!("{} is missing: run ./test", path.display()))
}

/// Says that this test is skipped and why; fails it under `CI`. Always false.
pub fn skip(reason: &str) -> bool {
    assert!(std::env::var_os("CI").is_none(), "{reason}");
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    // not `eprintln!`, which the test harness keeps to itself
    let _ = writeln!(std::io::stderr(), "\n*** SKIPPED: {test}: {reason} ***");
    false
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}
