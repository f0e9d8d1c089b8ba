//! What a client's metadata says about its authorization requests and the
//! responses to them (RFC 9101 §10.5, RFC 9126 §6, RFC 9396 §10, JARM §3).

use super::client_metadata::{InvalidClientMetadata, Members, invalid};
use super::settings::request_demands::RequestDemands;
use crate::protocol::jwks::JwkSet;
use crate::protocol::signing::SigningAlgorithm;

/// The metadata, as far as they make a difference here.
#[derive(Debug, Clone, Default)]
pub struct RequestMetadata {
    /// The public keys that verify its request objects.
    pub(crate) keys: Option<JwkSet>,
    /// The one `alg` that its request objects may have.
    pub(crate) object_algorithm: Option<String>,
    /// What signed responses to it are signed with; RS256 where it does not say.
    pub(crate) response_algorithm: Option<SigningAlgorithm>,
    /// How its requests must come.
    pub(crate) demands: RequestDemands,
    /// What it may ask for in detail beside what this server knows.
    pub(crate) details_types: Vec<String>,
}

impl RequestMetadata {
    /// Reads the members.
    ///
    /// # Errors
    /// [`InvalidClientMetadata`], which names the member.
    pub(crate) fn read(members: &Members) -> Result<Self, InvalidClientMetadata> {
        Ok(RequestMetadata {
            // A set that is there for certificates has none (RFC 8705 §2.2.1).
            keys: members.keys().unwrap_or_default(),
            object_algorithm: object_algorithm(members)?,
            response_algorithm: response_algorithm(members)?,
            demands: RequestDemands {
                pushed: members.switch("require_pushed_authorization_requests")?,
                signed: members.switch("require_signed_request_object")?,
            },
            details_types: members.list("authorization_details_types")?.unwrap_or_default(),
        })
    }
}

fn object_algorithm(members: &Members) -> Result<Option<String>, InvalidClientMetadata> {
    const NAME: &str = "request_object_signing_alg";
    match members.text(NAME)? {
        Some(name) if SigningAlgorithm::from_name(name).is_none() => Err(invalid(format!(
            "{NAME} \"{name}\" is not an algorithm of request objects"
        ))),
        name => Ok(name.map(str::to_owned)),
    }
}

fn response_algorithm(members: &Members) -> Result<Option<SigningAlgorithm>, InvalidClientMetadata> {
    const NAME: &str = "authorization_signed_response_alg";
    match members.text(NAME)? {
        None => Ok(None),
        Some("RS256") => Ok(Some(SigningAlgorithm::Rs256)),
        Some("ES256") => Ok(Some(SigningAlgorithm::Es256)),
        Some(name) => Err(invalid(format!("{NAME} \"{name}\" is neither RS256 nor ES256"))),
    }
}
