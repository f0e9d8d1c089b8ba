//! The keys of a role, as the record holds them.

use super::role_credentials::{RoleCredentials, RoleIdentity};
use crate::protocol::time::UnixSeconds;
use crate::secret::Secret;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

#[derive(Serialize, Deserialize)]
pub(super) struct RecordRole<'a> {
    #[serde(borrow)]
    role_arn: Cow<'a, str>,
    #[serde(borrow)]
    session_name: Cow<'a, str>,
    duration_s: u32,
    #[serde(borrow)]
    endpoint: Cow<'a, str>,
    #[serde(borrow)]
    access_key_id: Cow<'a, str>,
    #[serde(borrow)]
    secret_access_key: Cow<'a, str>,
    #[serde(borrow)]
    session_token: Cow<'a, str>,
    expires_at: i64,
}

impl<'a> From<&'a RoleCredentials> for RecordRole<'a> {
    fn from(role: &'a RoleCredentials) -> Self {
        RecordRole {
            role_arn: Cow::Borrowed(&role.identity.role_arn),
            session_name: Cow::Borrowed(&role.identity.session_name),
            duration_s: role.identity.duration_s,
            endpoint: Cow::Borrowed(&role.identity.endpoint),
            access_key_id: Cow::Borrowed(&role.access_key_id),
            secret_access_key: Cow::Borrowed(role.secret_access_key.expose()),
            session_token: Cow::Borrowed(role.session_token.expose()),
            expires_at: role.expires_at.0,
        }
    }
}

impl From<RecordRole<'_>> for RoleCredentials {
    fn from(role: RecordRole<'_>) -> Self {
        RoleCredentials {
            identity: RoleIdentity {
                role_arn: role.role_arn.into_owned(),
                session_name: role.session_name.into_owned(),
                duration_s: role.duration_s,
                endpoint: role.endpoint.into_owned(),
            },
            access_key_id: role.access_key_id.into_owned(),
            secret_access_key: Secret::new(role.secret_access_key.into_owned()),
            session_token: Secret::new(role.session_token.into_owned()),
            expires_at: UnixSeconds(role.expires_at),
        }
    }
}
