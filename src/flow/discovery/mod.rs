//! Finds an authorization server's metadata (RFC 8414 §3, OpenID Connect
//! Discovery §4): the first well-known URL that answers with a JSON object is
//! used. A few endpoints that it does not name are taken from another document
//! of the same issuer when they are needed.

pub mod capabilities;
pub mod demands;
mod error;
pub mod lint;
pub mod report;
pub mod walk;

pub use error::{DiscoveryError, hints_for};

use crate::flow::caller::Caller;
use crate::protocol::endpoint::{HttpPolicy, Issuer};
use crate::protocol::metadata::ServerMetadata;
use crate::trace::Event;
use walk::{Outcome, Walk};

/// Why a document is used.
pub(super) const FIRST: &str = "the first document found";

/// Why a document is not used.
pub(super) const LATER: &str = "a document was found before; only endpoints that it lacks are taken from this one";

/// Fetches the metadata of an issuer.
///
/// # Errors
/// [`DiscoveryError`].
pub async fn discover(
    issuer: &Issuer,
    allowance: HttpPolicy,
    caller: &mut Caller<'_>,
) -> Result<ServerMetadata, DiscoveryError> {
    let mut walk = Walk::new(issuer);
    first_document(&mut walk, issuer, allowance, caller).await
}

/// The same, and where the document does not name `member`, the other
/// documents are looked at for it.
///
/// # Errors
/// [`DiscoveryError`]; that no other document has it is none.
pub async fn discover_with(
    member: &'static str,
    issuer: &Issuer,
    allowance: HttpPolicy,
    caller: &mut Caller<'_>,
) -> Result<ServerMetadata, DiscoveryError> {
    let mut walk = Walk::new(issuer);
    let mut metadata = first_document(&mut walk, issuer, allowance, caller).await?;
    while metadata.lacks(member) {
        let Some(document) = walk.next_document(caller).await else {
            break;
        };
        let outcome = match ServerMetadata::parse(&document.bytes, issuer, allowance) {
            Err(problem) => Outcome::Refused(problem),
            Ok(other) => {
                metadata.complete_from(member, &other);
                Outcome::NotUsed(LATER)
            }
        };
        walk.conclude(outcome, caller);
        if !metadata.lacks(member) {
            let decision = format!("{member} is taken from {}", document.url);
            caller.observe(&Event::Decision(&decision));
        }
    }
    Ok(metadata)
}

async fn first_document(
    walk: &mut Walk,
    issuer: &Issuer,
    allowance: HttpPolicy,
    caller: &mut Caller<'_>,
) -> Result<ServerMetadata, DiscoveryError> {
    let Some(document) = walk.next_document(caller).await else {
        let walk = std::mem::replace(walk, Walk::over(issuer.as_str(), []));
        return Err(walk.into_failure());
    };
    walk.conclude(Outcome::Used(FIRST), caller);
    let metadata = ServerMetadata::parse(&document.bytes, issuer, allowance).map_err(|problem| {
        let url = document.url.to_string();
        DiscoveryError::Invalid { url, problem }
    })?;
    caller.observe(&Event::CheckPassed(
        "the metadata's issuer is the one that was asked for (RFC 8414 §3.3)",
    ));
    for problem in &metadata.problems {
        caller.observe(&Event::CheckSkipped(&format!("{problem}; it counts as absent")));
    }
    Ok(metadata)
}
