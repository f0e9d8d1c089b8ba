//! A client that this program registered by itself (RFC 7591), as it is kept
//! with the session: it belongs to the session's issuer.

use super::error::SessionError;
use crate::protocol::endpoint::{Endpoint, HttpPolicy};
use crate::protocol::redirect_uri::RedirectUri;
use crate::protocol::registration::RegistrationManagement;
use crate::protocol::time::UnixSeconds;
use crate::secret::Secret;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// What is known of a registration beside the client's name and secret.
#[derive(Debug, Clone, Default)]
pub struct Registration {
    /// The redirect URI that was registered, with its port.
    pub redirect_uri: Option<RedirectUri>,
    /// When the client's secret ends; `None` where it does not.
    pub secret_expires_at: Option<UnixSeconds>,
    /// How the registration is ended (RFC 7592).
    pub management: Option<RegistrationManagement>,
}

impl Registration {
    /// Whether the client can still prove itself.
    pub fn is_usable(&self, now: UnixSeconds) -> bool {
        self.secret_expires_at.is_none_or(|ends| ends > now)
    }
}

/// The registration in the record.
#[derive(Serialize, Deserialize)]
pub(super) struct RecordRegistration<'a> {
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    redirect_uri: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret_expires_at: Option<i64>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    uri: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    access_token: Option<Cow<'a, str>>,
}

impl<'a> From<&'a Registration> for RecordRegistration<'a> {
    fn from(registration: &'a Registration) -> Self {
        let management = registration.management.as_ref();
        RecordRegistration {
            redirect_uri: registration
                .redirect_uri
                .as_ref()
                .map(|uri| Cow::Borrowed(uri.as_str())),
            secret_expires_at: registration.secret_expires_at.map(|at| at.0),
            uri: management.map(|management| Cow::Borrowed(management.uri.url().as_str())),
            access_token: management.map(|management| Cow::Borrowed(management.access_token.expose().as_str())),
        }
    }
}

impl RecordRegistration<'_> {
    pub(super) fn parse(self) -> Result<Registration, SessionError> {
        let redirect_uri = self.redirect_uri.map(|uri| RedirectUri::parse(&uri)).transpose();
        // It was vetted when it was stored.
        let uri = self
            .uri
            .map(|uri| Endpoint::parse(&uri, HttpPolicy::Everywhere))
            .transpose();
        let uri = uri.map_err(|_| SessionError::Unusable("registration_client_uri"))?;
        let management = uri.zip(self.access_token).map(|(uri, token)| RegistrationManagement {
            uri,
            access_token: Secret::new(token.into_owned()),
        });
        Ok(Registration {
            redirect_uri: redirect_uri.map_err(|_| SessionError::Unusable("registered redirect_uri"))?,
            secret_expires_at: self.secret_expires_at.map(UnixSeconds),
            management,
        })
    }
}
