//! The binary: hands argv to the library and its exit code to the system.

fn main() -> std::process::ExitCode {
    std::process::ExitCode::from(oauth::run(std::env::args_os().collect()))
}
