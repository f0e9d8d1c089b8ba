//! A command behind lines of shell, which may change its limits and streams.

use std::process::Command;

/// The lines run the command themselves, by `exec "$@"`. Its environment and
/// folder are the shell's.
pub fn in_shell(lines: &str, command: &Command) -> Command {
    let mut shell = Command::new("bash");
    shell
        .args(["-c", lines, "bash"])
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear()
        .current_dir(command.get_current_dir().expect("a folder"));
    for (name, value) in command.get_envs() {
        shell.env(name, value.unwrap_or_default());
    }
    shell
}

/// The command after a line of shell.
pub fn after(line: &str, command: &Command) -> Command {
    in_shell(&format!("{line}; exec \"$@\""), command)
}
