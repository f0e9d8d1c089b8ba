//! Each way in which an examination ends without a clean report.

use super::report::Stop;
use super::request::ClientHome;
use crate::exit::{Diagnosis, ExitCode};
use crate::flow::discovery::DiscoveryError;
use crate::output::counted::counted;
use crate::protocol::endpoint::Issuer;
use crate::rules::Rule;
use crate::store::ProfileName;
use url::Url;

/// Why an examination did not end well.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// There is no server to examine.
    #[error(transparent)]
    Discovery(#[from] Box<DiscoveryError>),
    /// The report was printed, and has findings.
    #[error("{}{}", broken_rules(.broken), .ended_early.as_ref().map(|reason| format!("; not every rule could be tested: {reason}")).unwrap_or_default())]
    Findings {
        broken: Vec<Rule>,
        /// Why the report is not whole, if it is not.
        ended_early: Option<String>,
    },
    /// The report was printed, and is not whole.
    #[error("not every rule could be tested: {}", .0.reason)]
    EndedEarly(Stop),
    /// The client is known at another server than those that the API names.
    #[error("{api} no longer names the authorization server {before}, where the client is known")]
    ServerChanged {
        api: Box<Url>,
        before: Box<Issuer>,
        profile: ProfileName,
    },
    /// The examination was given no client, and none could be registered for it.
    #[error("no client could be registered for the check: {reason}")]
    NoClient { reason: String, exit_code: ExitCode },
    #[error("the check was interrupted")]
    Interrupted(ExitCode),
}

/// As many as a person reads on one line.
const MAX_NAMED_RULES: usize = 10;

/// `2 MUSTs broken: code.client, pkce.plain`.
fn broken_rules(broken: &[Rule]) -> String {
    let named: Vec<&str> = broken.iter().take(MAX_NAMED_RULES).map(|rule| rule.id()).collect();
    let more = match broken.len().saturating_sub(MAX_NAMED_RULES) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    format!("{} broken: {}{more}", counted(broken.len(), "MUST"), named.join(", "))
}

impl CheckError {
    pub(super) fn server_changed(api: &Url, home: &ClientHome) -> Self {
        CheckError::ServerChanged {
            api: Box::new(api.clone()),
            before: Box::new(home.issuer.clone()),
            profile: home.profile.clone(),
        }
    }

    /// Whether no authorization server is at the URL that was asked.
    pub(super) fn is_absence(&self) -> bool {
        matches!(self, CheckError::Discovery(problem) if matches!(**problem, DiscoveryError::NotFound { .. }))
    }
}

impl Diagnosis for CheckError {
    fn exit_code(&self) -> ExitCode {
        match self {
            CheckError::Discovery(source) => source.exit_code(),
            CheckError::Findings { .. } => ExitCode::Findings,
            CheckError::EndedEarly(stop) => stop.exit_code,
            CheckError::ServerChanged { .. } => ExitCode::LoginRequired,
            CheckError::NoClient { exit_code, .. } => *exit_code,
            CheckError::Interrupted(code) => *code,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            CheckError::Discovery(source) => source.hints(),
            CheckError::Findings { broken, .. } => {
                let first = broken.first().map_or("ID", |rule| rule.id());
                vec![
                    format!("To read what a rule protects from: oauth check --explain {first}"),
                    format!("To see only its exchanges, add: --rule {first} -vv"),
                ]
            }
            // Nobody could sign in.
            CheckError::EndedEarly(stop) if stop.exit_code == ExitCode::Usage => vec![
                "Run a browser that a script drives: the same command with --browser CMD".to_owned(),
                "Or let the test server grant every request: then nobody has to sign in.".to_owned(),
                "Print the URLs and wait for a person all the same: the same command with --no-browser".to_owned(),
            ],
            CheckError::EndedEarly(_) => {
                vec![
                    "First make a login work: `oauth login` with the same issuer, client and scope, and -vv."
                        .to_owned(),
                ]
            }
            CheckError::ServerChanged { profile, .. } => vec![
                format!("Log in again, at the server that it names now: oauth login {profile}"),
                "Or name a client of that server: --client-id ID".to_owned(),
            ],
            CheckError::NoClient { .. } => vec![
                "Register a client in the server's own way, and name it: the same command with --client-id ID"
                    .to_owned(),
            ],
            CheckError::Interrupted(_) => Vec::new(),
        }
    }
}
