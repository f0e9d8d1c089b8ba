//! Reading the members of a metadata document: one that is malformed counts
//! only when it is needed.

use super::error::MetadataError;
use crate::protocol::endpoint::{Endpoint, HttpPolicy, Issuer};
use crate::protocol::mtls_endpoints::MtlsEndpoints;
use serde_json::{Map, Value};

/// Reads members, and keeps what is wrong with them for when they are needed.
pub(super) struct Reader<'a> {
    pub(super) object: &'a Map<String, Value>,
    pub(super) server: &'a Issuer,
    pub(super) allowance: HttpPolicy,
    pub(super) problems: Vec<MetadataError>,
}

impl Reader<'_> {
    pub(super) fn endpoint(&mut self, member: &'static str) -> Option<Endpoint> {
        let read = match self.object.get(member) {
            None | Some(Value::Null) => return None,
            Some(Value::String(text)) => Endpoint::parse_untrusted(text, self.server.url(), self.allowance)
                .map_err(|problem| MetadataError::Endpoint { member, problem }),
            Some(_) => Err(MetadataError::Type(member)),
        };
        self.keep(read)
    }

    pub(super) fn list(&mut self, member: &'static str) -> Option<Vec<String>> {
        let read = match self.object.get(member) {
            None | Some(Value::Null) => return None,
            Some(Value::Array(items)) => items
                .iter()
                .map(|item| item.as_str().map(str::to_owned).ok_or(MetadataError::Type(member)))
                .collect(),
            Some(_) => Err(MetadataError::Type(member)),
        };
        self.keep(read)
    }

    pub(super) fn switch(&mut self, member: &'static str) -> bool {
        let read = match self.object.get(member) {
            None | Some(Value::Null) => return false,
            Some(Value::Bool(switch)) => Ok(*switch),
            Some(_) => Err(MetadataError::Type(member)),
        };
        self.keep(read).unwrap_or(false)
    }

    pub(super) fn mtls_endpoints(&mut self) -> MtlsEndpoints {
        let read = MtlsEndpoints::parse(self.object, self.server, self.allowance);
        let read = read.map_err(|_| MetadataError::Type(MtlsEndpoints::MEMBER));
        self.keep(read).unwrap_or_default()
    }

    pub(super) fn keep<T>(&mut self, read: Result<T, MetadataError>) -> Option<T> {
        read.map_err(|problem| self.problems.push(problem)).ok()
    }
}
