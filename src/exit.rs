//! What every error of this crate can say beside its message: the exit code a
//! script sees and the hints a person can act on.
//!
//! It is below all other modules, so that hints can stand beside the
//! error variant they belong to.

/// The exit codes of `oauth`, with the names that `--json` errors carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitCode {
    /// 0: done.
    Ok,
    /// 1: input/output failed where no other code fits, or a bug.
    Unexpected,
    /// 2: wrong arguments, settings or environment.
    Usage,
    /// 3: no usable answer came; trying again later may help.
    Unreachable,
    /// 4: there is no session, or it has ended.
    LoginRequired,
    /// 5: the resource owner or the server said no.
    Refused,
    /// 6: the server broke the protocol, or a check failed.
    Protocol,
    /// 7: timeout.
    Timeout,
    /// 8: the credential store cannot be used.
    Store,
    /// 9: the server breaks a rule that binds it.
    Findings,
    /// 22: `oauth request` got a status that is not a success, as curl's `--fail`.
    HttpStatus,
    /// 126: `oauth exec` cannot run the command, as a shell says it.
    NotExecutable,
    /// 127: there is no such command, as a shell says it.
    NoSuchCommand,
    /// 129: ended by SIGHUP.
    HungUp,
    /// 130: ended by SIGINT.
    Interrupted,
    /// 143: ended by SIGTERM.
    Terminated,
}

impl ExitCode {
    /// The number the process ends with.
    pub fn code(self) -> u8 {
        match self {
            ExitCode::Ok => 0,
            ExitCode::Unexpected => 1,
            ExitCode::Usage => 2,
            ExitCode::Unreachable => 3,
            ExitCode::LoginRequired => 4,
            ExitCode::Refused => 5,
            ExitCode::Protocol => 6,
            ExitCode::Timeout => 7,
            ExitCode::Store => 8,
            ExitCode::Findings => 9,
            ExitCode::HttpStatus => 22,
            ExitCode::NotExecutable => 126,
            ExitCode::NoSuchCommand => 127,
            ExitCode::HungUp => 129,
            ExitCode::Interrupted => 130,
            ExitCode::Terminated => 143,
        }
    }

    /// The name that `--json` errors carry in `name`.
    pub fn name(self) -> &'static str {
        match self {
            ExitCode::Ok => "ok",
            ExitCode::Unexpected => "unexpected",
            ExitCode::Usage => "usage",
            ExitCode::Unreachable => "unreachable",
            ExitCode::LoginRequired => "login_required",
            ExitCode::Refused => "refused",
            ExitCode::Protocol => "protocol",
            ExitCode::Timeout => "timeout",
            ExitCode::Store => "store",
            ExitCode::Findings => "findings",
            ExitCode::HttpStatus => "http_status",
            ExitCode::NotExecutable => "not_executable",
            ExitCode::NoSuchCommand => "no_such_command",
            ExitCode::HungUp | ExitCode::Interrupted | ExitCode::Terminated => "interrupted",
        }
    }
}

/// An error that knows its exit code and what to do about it.
///
/// Messages are lower case without a full stop, and say what failed, where,
/// and what was expected. They hold no secret. Text that came from the network
/// is in them as it came: the code that prints it neutralises it.
pub trait Diagnosis: std::error::Error + Send + Sync + 'static {
    /// The exit code of a process that ends with this error.
    fn exit_code(&self) -> ExitCode;

    /// What a person can do about it, one sentence each, most useful first.
    fn hints(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whether it was reported already, in the words of another protocol. Then
    /// only the exit code is left to say.
    fn is_reported(&self) -> bool {
        false
    }

    /// The `error` and `error_description` that the server sent, if it did.
    fn oauth_error(&self) -> Option<(&str, Option<&str>)> {
        None
    }
}
