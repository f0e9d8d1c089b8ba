//! Finds an authorization server's metadata (RFC 8414 §3, OpenID Connect
//! Discovery §4): the first well-known URL that answers with a JSON object is
//! taken, and nothing is merged from two.

pub mod lint;
pub mod report;

use crate::exit::{Diagnosis, ExitCode};
use crate::flow::caller::Caller;
use crate::protocol::endpoint::{EndpointError, HttpPolicy, Issuer};
use crate::protocol::http::{HttpRequest, HttpResponse};
use crate::protocol::json::parse_object;
use crate::protocol::metadata::{MetadataError, ServerMetadata};
use crate::trace::Event;
use crate::transport::TransportError;

/// Why no metadata were found, or none that may be used.
#[derive(Debug, thiserror::Error)]
pub enum DiscoveryError {
    /// No answer.
    #[error("the metadata of {issuer} cannot be fetched")]
    Unreachable {
        /// Whose.
        issuer: String,
        /// Why.
        #[source]
        source: TransportError,
    },
    /// Only 429 and 5xx.
    #[error("the metadata of {issuer} cannot be fetched: {url} answered with status {status}")]
    Unavailable {
        /// Whose.
        issuer: String,
        /// The last one that answered so.
        url: String,
        /// What it answered.
        status: u16,
    },
    /// 404, HTML, redirects.
    #[error("{issuer} publishes no metadata ({} tried: {})", tried.len(), tried.join("; "))]
    NotFound {
        /// Whose.
        issuer: String,
        /// Each URL with what it answered.
        tried: Vec<String>,
    },
    /// A document, but not one that may be used.
    #[error("the metadata at {url} cannot be used")]
    Invalid {
        /// Where it was found.
        url: String,
        /// Why not.
        #[source]
        problem: MetadataError,
    },
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
            DiscoveryError::NotFound { issuer, tried } => hints_for_not_found(issuer, tried),
            DiscoveryError::Invalid { problem, .. } => hints_for(problem),
        }
    }
}

fn hints_for_not_found(issuer: &str, tried: &[String]) -> Vec<String> {
    if let Some(issuer) = Issuer::of_well_known_url(issuer) {
        return vec![format!(
            "That is the URL of a document; give its issuer instead: {issuer}"
        )];
    }
    let somebody_else = tried.iter().all(|tried| is_page_or_redirect(tried)).then_some(
        "A captive portal, or a proxy that wants you to sign in, may be answering in its place: open a page in a browser and look.",
    );
    let of_server = [
        if is_bare_origin(issuer) {
            "Check the issuer URL, which often has a path (Keycloak: https://HOST/realms/NAME, Okta: https://HOST/oauth2/default)."
        } else {
            "Check the issuer URL; the server's documentation names it."
        },
        "Where the server has no metadata, give --authorization-endpoint and --token-endpoint instead.",
    ];
    somebody_else.into_iter().chain(of_server).map(str::to_owned).collect()
}

/// What a person can do about metadata that may not be used.
pub fn hints_for(problem: &MetadataError) -> Vec<String> {
    match problem {
        // The server chose these words, and somebody may paste them into a shell.
        MetadataError::OtherIssuer { asked, found } if Issuer::parse(found, HttpPolicy::Everywhere).is_ok() => {
            let if_meant = if asked.trim_end_matches('/') == found.trim_end_matches('/') {
                "Only the trailing slash differs, which counts;"
            } else {
                "If that is the server you mean,"
            };
            vec![format!(
                "{if_meant} run: oauth login --issuer {} (and the other options as before)",
                shell_words::quote(found)
            )]
        }
        MetadataError::NoS256 => vec![
            "This program sends no other challenge method, since \"plain\" protects nothing; ask the server's operator to enable S256.".to_owned(),
        ],
        MetadataError::Endpoint { problem: EndpointError::PlainHttp(_), .. } => vec![
            "Use --allow-http if plain http to that machine is really meant.".to_owned(),
        ],
        MetadataError::Endpoint { member, .. } => {
            vec![format!("Give another one with --{}, if you know it.", member.replace('_', "-"))]
        }
        _ => vec!["Tell the server's operator; nothing of the document was used.".to_owned()],
    }
}

/// Fetches the metadata of an issuer.
///
/// # Errors
/// [`DiscoveryError`].
pub async fn discover(
    issuer: &Issuer,
    allowance: HttpPolicy,
    caller: &mut Caller<'_>,
) -> Result<ServerMetadata, DiscoveryError> {
    let mut tried = Vec::new();
    let mut unavailable = None;
    for url in issuer.well_known_urls() {
        let request = HttpRequest::get(url.clone());
        let response = caller
            .send(&request)
            .await
            .map_err(|source| DiscoveryError::Unreachable {
                issuer: issuer.to_string(),
                source,
            })?;
        let Some(what) = not_taken(&response) else {
            caller.observe(&Event::DiscoveryTried {
                url: url.as_str(),
                not_taken: None,
            });
            let metadata = ServerMetadata::parse(response.body.expose(), issuer, allowance).map_err(|problem| {
                DiscoveryError::Invalid {
                    url: url.to_string(),
                    problem,
                }
            })?;
            caller.observe(&Event::CheckPassed(
                "the metadata's issuer is the one that was asked for (RFC 8414 §3.3)",
            ));
            return Ok(metadata);
        };
        let status = response.status;
        caller.observe(&Event::DiscoveryTried {
            url: url.as_str(),
            not_taken: Some(&what),
        });
        if status == 429 || status >= 500 {
            unavailable = Some((url.to_string(), status));
        }
        tried.push(format!("{url}: {what}"));
    }
    Err(match unavailable {
        Some((url, status)) => DiscoveryError::Unavailable {
            issuer: issuer.to_string(),
            url,
            status,
        },
        None => DiscoveryError::NotFound {
            issuer: issuer.to_string(),
            tried,
        },
    })
}

/// Whether a URL has no path, as those of servers with one issuer only.
fn is_bare_origin(issuer: &str) -> bool {
    issuer
        .split_once("://")
        .is_some_and(|(_, rest)| !rest.trim_end_matches('/').contains('/'))
}

/// Whether the text of an attempt (see [`not_taken`]) tells of something that answers every request.
fn is_page_or_redirect(tried: &str) -> bool {
    tried.contains(": 200 with text/html") || tried.ends_with(REDIRECT)
}

const REDIRECT: &str = "a redirect, which is not followed";

/// Why an answer is no metadata document; `None` for the JSON object that one is.
pub(super) fn not_taken(response: &HttpResponse) -> Option<String> {
    match (response.status, response.media_type()) {
        (200, _) if parse_object(response.body.expose()).is_ok() => None,
        (200, Some(media_type)) => Some(format!("200 with {media_type}, no JSON object")),
        (200, None) => Some("200 without a JSON object".to_owned()),
        (status @ 300..400, _) => Some(format!("{status}, {REDIRECT}")),
        (status, _) => Some(status.to_string()),
    }
}
