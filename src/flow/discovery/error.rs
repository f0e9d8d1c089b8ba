//! Why no metadata were found, or none that may be used.

use super::walk::{Attempt, Outcome, attempts_text};
use crate::exit::{Diagnosis, ExitCode};
use crate::protocol::endpoint::{EndpointError, HttpPolicy, Issuer};
use crate::protocol::http::is_unavailable;
use crate::protocol::metadata::MetadataError;
use crate::transport::TransportError;
use url::Url;

/// Why no metadata were found, or none that may be used.
#[derive(Debug, thiserror::Error)]
pub enum DiscoveryError {
    /// No answer, or one that cannot be read.
    #[error("the metadata of {issuer} cannot be fetched")]
    Unreachable {
        issuer: String,
        #[source]
        source: TransportError,
    },
    /// 429 and 5xx.
    #[error("the metadata of {issuer} cannot be fetched: {url} answered with status {status}")]
    Unavailable {
        issuer: String,
        /// The first one that answered so.
        url: String,
        status: u16,
    },
    /// 404, HTML, redirects, JSON that is not an object.
    #[error("{}", not_found(issuer, attempts))]
    NotFound {
        issuer: String,
        /// Each URL with what came.
        attempts: Vec<Attempt>,
    },
    /// A document, but not one that may be used.
    #[error("the metadata at {url} cannot be used")]
    Invalid {
        /// Where it was found.
        url: String,
        #[source]
        problem: MetadataError,
    },
}

fn not_found(issuer: &str, attempts: &[Attempt]) -> String {
    format!("{} ({})", what_is_missing(issuer, attempts), attempts_text(attempts))
}

fn what_is_missing(issuer: &str, attempts: &[Attempt]) -> String {
    match attempts.iter().all(Attempt::is_absence) {
        true => format!("{issuer} publishes no metadata"),
        false => format!("no metadata of {issuer} can be read"),
    }
}

impl DiscoveryError {
    /// Why none of these attempts brought a document: the first fault of the
    /// network or the server, else that there is none.
    pub fn from_attempts(issuer: String, mut attempts: Vec<Attempt>) -> Self {
        let is_fault = |attempt: &Attempt| match &attempt.outcome {
            Outcome::Failed(_) => true,
            Outcome::Status { status, .. } => is_unavailable(*status),
            _ => false,
        };
        let Some(position) = attempts.iter().position(is_fault) else {
            return DiscoveryError::NotFound { issuer, attempts };
        };
        let Attempt { url, outcome } = attempts.swap_remove(position);
        match outcome {
            Outcome::Failed(source) => DiscoveryError::Unreachable { issuer, source },
            Outcome::Status { status, .. } => DiscoveryError::Unavailable {
                issuer,
                url: url.to_string(),
                status,
            },
            _ => DiscoveryError::NotFound { issuer, attempts },
        }
    }
}

impl DiscoveryError {
    /// Whether no request was sent because of the address that it would have gone to.
    pub fn is_private_address(&self) -> bool {
        matches!(self, DiscoveryError::Unreachable { source, .. } if source.is_private_address())
    }
}

impl Diagnosis for DiscoveryError {
    fn exit_code(&self) -> ExitCode {
        match self {
            DiscoveryError::Unreachable { source, .. } if source.is_unreadable_answer() => ExitCode::Protocol,
            DiscoveryError::Unreachable { source, .. } => source.exit_code(),
            DiscoveryError::Unavailable { .. } => ExitCode::Unreachable,
            DiscoveryError::NotFound { .. } | DiscoveryError::Invalid { .. } => ExitCode::Protocol,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            DiscoveryError::Unreachable { source, .. } => source.hints(),
            DiscoveryError::Unavailable { .. } => vec!["Try again later.".to_owned()],
            DiscoveryError::NotFound { issuer, attempts } => hints_for_not_found(issuer, attempts),
            DiscoveryError::Invalid { problem, .. } => hints_for(problem),
        }
    }
}

impl DiscoveryError {
    /// The message below a table of the attempts.
    pub fn without_attempts(&self) -> String {
        match self {
            DiscoveryError::NotFound { issuer, attempts } => what_is_missing(issuer, attempts),
            error => error.to_string(),
        }
    }

    /// What helps where nothing but the metadata was asked for: what the
    /// server's author corrects, and with which options a login can go on.
    pub fn hints_for_discovery(&self) -> Vec<String> {
        let DiscoveryError::Invalid { problem, .. } = self else {
            return self.hints();
        };
        let flag = |member: &str| member.replace('_', "-");
        let hint = match problem {
            MetadataError::OtherIssuer { found, .. } if found.contains(['{', '}']) => {
                "The issuer in the document has a placeholder: ask about the issuer of your own tenant.".to_owned()
            }
            MetadataError::OtherIssuer { found, .. } if Issuer::parse(found, HttpPolicy::LoopbackOnly).is_ok() => {
                format!(
                    "The server's author has to publish the document at the URL of the issuer in it (RFC 8414 §3.3). If that is the server you mean, run: oauth discover {}",
                    shell_words::quote(found)
                )
            }
            MetadataError::Endpoint {
                member,
                problem: EndpointError::PlainHttp(_),
            } => format!(
                "The server's author has to correct {member}. On a network that you trust, a login can go on with --allow-http."
            ),
            MetadataError::NoEndpoint(member) => format!(
                "The server's author has to add {member}. Until then, a login can go on with --{} URL.",
                flag(member)
            ),
            MetadataError::Endpoint { member, .. } => format!(
                "The server's author has to correct {member}. Until then, a login can go on with --{} URL.",
                flag(member)
            ),
            MetadataError::NoS256 => return hints_for(problem),
            _ => "The server's author has to correct the document: a login would not use it.".to_owned(),
        };
        vec![hint]
    }
}

fn hints_for_not_found(issuer: &str, attempts: &[Attempt]) -> Vec<String> {
    if let Some(issuer) = Issuer::of_well_known_url(issuer) {
        return vec![format!(
            "That is the URL of a document; give its issuer instead: {issuer}"
        )];
    }
    if let Some(broken) = attempts.iter().find(|attempt| attempt.is_broken_document()) {
        return vec![format!(
            "The server's author has to correct the document at {}. Until then, a login can go on with --authorization-endpoint URL --token-endpoint URL.",
            broken.url
        )];
    }
    let root = Url::parse(issuer).ok().filter(|_| !is_bare_origin(issuer)).map(|url| {
        format!(
            "If the path is not part of the issuer, run this, with the other options as before: oauth login {}",
            shell_words::quote(&url.origin().ascii_serialization())
        )
    });
    let redirected = attempts.iter().find_map(|attempt| redirected_issuer(attempt, issuer));
    let redirected = redirected.map(|other| {
        format!(
            "The server redirects to the metadata of another issuer; if that is the server you mean, run this, with the other options as before: oauth login --issuer {}",
            shell_words::quote(&other)
        )
    });
    let somebody_else = attempts.iter().all(Attempt::is_page_or_redirect).then(|| {
        "A captive portal or a proxy may have answered instead of the server: open a page in a browser to see."
            .to_owned()
    });
    let of_server = [
        if is_bare_origin(issuer) {
            "Check the issuer URL, which often has a path (Keycloak: https://HOST/realms/NAME, Okta: https://HOST/oauth2/default)."
        } else {
            "Check the issuer URL; the server's documentation names it."
        },
        "If the server has no metadata, log in with --authorization-endpoint and --token-endpoint.",
    ];
    let of_server = of_server.into_iter().map(str::to_owned);
    let specific = redirected.into_iter().chain(somebody_else).chain(root);
    specific.chain(of_server).collect()
}

/// The issuer whose well-known URL a redirect leads to, where it is another one.
fn redirected_issuer(attempt: &Attempt, asked: &str) -> Option<String> {
    let Outcome::Redirect {
        target: Some(target), ..
    } = &attempt.outcome
    else {
        return None;
    };
    let issuer = Issuer::of_well_known_url(target.as_str())?;
    Issuer::parse(&issuer, HttpPolicy::LoopbackOnly).ok()?;
    (issuer.trim_end_matches('/') != asked.trim_end_matches('/')).then_some(issuer)
}

/// What a person can do about metadata that may not be used.
pub fn hints_for(problem: &MetadataError) -> Vec<String> {
    match problem {
        MetadataError::OtherIssuer { found, .. } if found.contains(['{', '}']) => vec![
            "The issuer in the document has a placeholder: give the issuer of your own tenant, or both --authorization-endpoint and --token-endpoint.".to_owned(),
        ],
        // The server chose these words, and someone may paste them into a shell.
        MetadataError::OtherIssuer { asked, found } if Issuer::parse(found, HttpPolicy::Everywhere).is_ok() => {
            let if_meant = if asked.trim_end_matches('/') == found.trim_end_matches('/') {
                "Only the trailing slash differs, and it matters;"
            } else {
                "If that is the server you mean,"
            };
            vec![format!(
                "{if_meant} run this, with the other options as before: oauth login --issuer {}",
                shell_words::quote(found)
            )]
        }
        MetadataError::NoS256 => vec![
            "This program sends no other challenge method, since \"plain\" gives no protection; ask the server's operator to enable S256.".to_owned(),
        ],
        MetadataError::Endpoint { problem: EndpointError::PlainHttp(_), .. } => vec![
            "If you want to use plain http to that machine, add --allow-http.".to_owned(),
        ],
        MetadataError::NoEndpoint(member) => vec![format!("Give it with --{}.", member.replace('_', "-"))],
        MetadataError::Endpoint { member, .. } => {
            vec![format!("Give another one with --{}, if you know it.", member.replace('_', "-"))]
        }
        _ => vec!["Report it to the server's operator; nothing from the document was used.".to_owned()],
    }
}

/// Whether a URL has no path, as those of servers with one issuer only.
fn is_bare_origin(issuer: &str) -> bool {
    issuer
        .split_once("://")
        .is_some_and(|(_, rest)| !rest.trim_end_matches('/').contains('/'))
}
