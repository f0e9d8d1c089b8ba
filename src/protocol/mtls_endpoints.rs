//! `mtls_endpoint_aliases` (RFC 8705 §5): where requests go that show a certificate.

use super::endpoint::{Endpoint, HttpPolicy, Issuer};
use serde_json::{Map, Value};

/// Endpoints that take the place of those of the same name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MtlsEndpoints(Vec<(&'static str, Endpoint)>);

/// The member is not an object of endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidMtlsEndpoints;

/// The endpoints that clients authenticate at, and the one that takes bound tokens.
const MEMBERS: [&str; 6] = [
    "token_endpoint",
    "revocation_endpoint",
    "introspection_endpoint",
    "device_authorization_endpoint",
    "pushed_authorization_request_endpoint",
    "userinfo_endpoint",
];

impl MtlsEndpoints {
    /// The member's name.
    pub const MEMBER: &'static str = "mtls_endpoint_aliases";

    /// Reads the member; endpoints of other names are ignored (§5).
    ///
    /// # Errors
    /// [`InvalidMtlsEndpoints`] where one of them cannot be called: a client
    /// would send its requests to the wrong place.
    pub fn parse(
        metadata: &Map<String, Value>,
        server: &Issuer,
        allowance: HttpPolicy,
    ) -> Result<Self, InvalidMtlsEndpoints> {
        let aliases = match metadata.get(MtlsEndpoints::MEMBER) {
            None | Some(Value::Null) => return Ok(MtlsEndpoints::default()),
            Some(Value::Object(aliases)) => aliases,
            Some(_) => return Err(InvalidMtlsEndpoints),
        };
        let mut endpoints = Vec::new();
        for member in MEMBERS {
            let Some(value) = aliases.get(member) else { continue };
            let text = value.as_str().ok_or(InvalidMtlsEndpoints)?;
            let endpoint =
                Endpoint::parse_untrusted(text, server.url(), allowance).map_err(|_| InvalidMtlsEndpoints)?;
            endpoints.push((member, endpoint));
        }
        Ok(MtlsEndpoints(endpoints))
    }

    /// Names and endpoints.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Endpoint)> {
        self.0.iter().map(|(member, endpoint)| (*member, endpoint))
    }
}
