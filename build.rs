//! On Linux with glibc, links the functions that walk the stack (`_Unwind_*`)
//! from the archive of the C compiler.
//!
//! The standard library takes them from `libgcc_s.so.1`, which the loader then
//! maps, relocates and initialises in each process: a tenth of the time that
//! `/bin/true` takes, and `oauth token` is started as often as that. Where the
//! compiler has no such archive, the shared library is used as usual.

use std::env::var;
use std::path::Path;
use std::process::Command;

/// The part of GCC's runtime library that reads stack frames. Its licence lets it be linked into any program.
const ARCHIVE: &str = "gcc_eh";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=RUSTC_LINKER");
    let is = |name: &str, value: &str| var(name).is_ok_and(|found| found == value);
    let is_for_this_machine = var("HOST").is_ok_and(|host| is("TARGET", &host));
    if !(is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") && is_for_this_machine) {
        return;
    }
    let compiler = var("RUSTC_LINKER").unwrap_or_else(|_| "cc".to_owned());
    let Ok(answer) = Command::new(compiler)
        .arg(format!("-print-file-name=lib{ARCHIVE}.a"))
        .output()
    else {
        return;
    };
    let path = String::from_utf8_lossy(&answer.stdout);
    let path = Path::new(path.trim());
    // A compiler that has no such file prints the bare name
    let Some(folder) = path.parent().filter(|folder| folder.is_absolute() && path.is_file()) else {
        return;
    };
    println!("cargo:rustc-link-search=native={}", folder.display());
    // All of it, so that nothing is left for the shared library to define, which the linker then drops
    println!("cargo:rustc-link-lib=static:+whole-archive,-bundle={ARCHIVE}");
}
