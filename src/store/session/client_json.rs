//! The client of a session, as the record holds it.

use super::error::SessionError;
use super::json_text::{borrowed, exposed, owned, secret};
use super::record::SessionClient;
use super::renewal_json::parse_source;
use crate::protocol::client::{AssertionParameters, ClientAuthenticationMethod, ClientId};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

#[derive(Serialize, Deserialize)]
pub(super) struct RecordClient<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    auth_method: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    secret: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    key: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    certificate_chain: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    assertion_audience: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    assertion_alg: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    assertion_source: Option<Cow<'a, str>>,
}

impl<'a> From<&'a SessionClient> for RecordClient<'a> {
    fn from(client: &'a SessionClient) -> Self {
        RecordClient {
            id: Cow::Borrowed(client.id.as_str()),
            auth_method: Cow::Borrowed(client.method.as_str()),
            secret: exposed(&client.secret),
            key: exposed(&client.key),
            certificate_chain: borrowed(&client.certificate_chain),
            assertion_audience: client
                .assertion
                .as_ref()
                .map(|assertion| Cow::Borrowed(assertion.audience.as_str())),
            assertion_alg: client
                .assertion
                .as_ref()
                .and_then(|assertion| borrowed(&assertion.algorithm)),
            assertion_source: client
                .assertion_source
                .as_ref()
                .map(|source| Cow::Owned(source.to_string())),
        }
    }
}

impl RecordClient<'_> {
    pub(super) fn parse(self) -> Result<SessionClient, SessionError> {
        let id = match self.id.is_empty() {
            true => ClientId::unnamed(),
            false => ClientId::parse(&self.id).map_err(|_| SessionError::Unusable("client_id"))?,
        };
        let method: Result<ClientAuthenticationMethod, _> = self.auth_method.parse();
        Ok(SessionClient {
            id,
            method: method.map_err(|_| SessionError::Unusable("client authentication method"))?,
            secret: secret(self.secret),
            key: secret(self.key),
            certificate_chain: owned(self.certificate_chain),
            certificate_bound: false,
            assertion: self.assertion_audience.map(|audience| AssertionParameters {
                audience: audience.into_owned(),
                algorithm: owned(self.assertion_alg),
            }),
            assertion_source: self.assertion_source.map(|source| parse_source(&source)).transpose()?,
        })
    }
}
