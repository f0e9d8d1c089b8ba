//! Values of a session as texts of its record, and back.

use super::error::SessionError;
use crate::protocol::authorization_details::AuthorizationDetails;
use crate::protocol::endpoint::{Endpoint, HttpPolicy, Issuer};
use crate::protocol::resource::Resource;
use crate::protocol::scope::Scope;
use crate::secret::Secret;
use std::borrow::Cow;

pub(super) fn borrowed(text: &Option<String>) -> Option<Cow<'_, str>> {
    text.as_deref().map(Cow::Borrowed)
}

pub(super) fn exposed(secret: &Option<Secret>) -> Option<Cow<'_, str>> {
    secret.as_ref().map(|secret| Cow::Borrowed(secret.expose().as_str()))
}

pub(super) fn endpoint_text(endpoint: &Option<Endpoint>) -> Option<Cow<'_, str>> {
    endpoint.as_ref().map(|endpoint| Cow::Borrowed(endpoint.url().as_str()))
}

pub(super) fn owned(text: Option<Cow<'_, str>>) -> Option<String> {
    text.map(Cow::into_owned)
}

pub(super) fn secret(text: Option<Cow<'_, str>>) -> Option<Secret> {
    text.map(|text| Secret::new(text.into_owned()))
}

/// URLs were vetted when they were stored, so http is there only where the
/// user allowed it.
pub(super) fn parse_issuer(text: &str) -> Result<Issuer, SessionError> {
    Issuer::parse(text, HttpPolicy::Everywhere).map_err(|_| SessionError::Unusable("issuer"))
}

pub(super) fn parse_endpoint(text: &str, member: &'static str) -> Result<Endpoint, SessionError> {
    Endpoint::parse(text, HttpPolicy::Everywhere).map_err(|_| SessionError::Unusable(member))
}

pub(super) fn parse_optional(
    text: Option<Cow<'_, str>>,
    member: &'static str,
) -> Result<Option<Endpoint>, SessionError> {
    text.map(|text| parse_endpoint(&text, member)).transpose()
}

pub(super) fn parse_details(text: Option<String>) -> Result<Option<AuthorizationDetails>, SessionError> {
    let details = text.map(|text| AuthorizationDetails::parse(&text)).transpose();
    details.map_err(|_| SessionError::Unusable("authorization_details"))
}

pub(super) fn parse_scope(tokens: Cow<'_, [String]>) -> Result<Scope, SessionError> {
    Scope::from_tokens(tokens.iter().map(String::as_str)).map_err(|_| SessionError::Unusable("scope"))
}

pub(super) fn parse_resources(resources: &[String]) -> Result<Vec<Resource>, SessionError> {
    let resources = resources.iter().map(|text| Resource::parse(text));
    resources
        .collect::<Result<_, _>>()
        .map_err(|_| SessionError::Unusable("resource"))
}
