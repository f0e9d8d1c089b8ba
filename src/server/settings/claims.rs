//! Claims of a setup: those of users, and those that every token has.

use super::invalid::InvalidSetting;
use crate::protocol::scope::Scope;
use serde_json::{Map, Value};

/// What the server itself says in tokens: no setup may say it.
const OWN_CLAIMS: [&str; 16] = [
    "iss",
    "aud",
    "azp",
    "exp",
    "iat",
    "nbf",
    "jti",
    "nonce",
    "auth_time",
    "at_hash",
    "c_hash",
    "client_id",
    "scope",
    "cnf",
    "act",
    "authorization_details",
];

/// Which claims a scope asks for (OpenID Connect Core §5.4).
const CLAIMS_OF_SCOPES: [(&str, &[&str]); 4] = [
    (
        "profile",
        &[
            "name",
            "family_name",
            "given_name",
            "middle_name",
            "nickname",
            "preferred_username",
            "profile",
            "picture",
            "website",
            "gender",
            "birthdate",
            "zoneinfo",
            "locale",
            "updated_at",
        ],
    ),
    ("email", &["email", "email_verified"]),
    ("address", &["address"]),
    ("phone", &["phone_number", "phone_number_verified"]),
];

/// Claims as JSON.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Claims(Map<String, Value>);

/// Claims that every token has beside its own.
#[derive(Debug, Clone, Default)]
pub struct ExtraClaims {
    pub id_token: Claims,
    pub access_token: Claims,
}

impl Claims {
    /// Claims of a user, with `sub` where it is not the name.
    ///
    /// # Errors
    /// [`InvalidSetting::Claim`] for one that the server says itself, and for a
    /// `sub` that is not text.
    pub fn of_user(claims: Map<String, Value>) -> Result<Self, InvalidSetting> {
        let is_unusable = |name: &str, value: &Value| match name {
            "sub" => value.as_str().is_none_or(str::is_empty),
            name => OWN_CLAIMS.contains(&name),
        };
        match claims.iter().find(|(name, value)| is_unusable(name, value)) {
            Some((name, _)) => Err(InvalidSetting::Claim(name.clone())),
            None => Ok(Claims(claims)),
        }
    }

    /// Claims that every token has.
    ///
    /// # Errors
    /// [`InvalidSetting::Claim`] for one that the server says itself.
    pub fn of_tokens(claims: Map<String, Value>) -> Result<Self, InvalidSetting> {
        match claims.contains_key("sub") {
            true => Err(InvalidSetting::Claim("sub".to_owned())),
            false => Claims::of_user(claims),
        }
    }

    pub(crate) fn members(&self) -> &Map<String, Value> {
        &self.0
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// Those that this scope asks for, and those that no scope asks for.
    pub(crate) fn granted_by(&self, scope: &Scope) -> impl Iterator<Item = (&String, &Value)> {
        self.0.iter().filter(move |(claim, _)| {
            let of_scope = |(_, claims): &&(&str, &[&str])| claims.contains(&claim.as_str());
            let asked_by = CLAIMS_OF_SCOPES.iter().find(of_scope);
            *claim != "sub" && asked_by.is_none_or(|(wanted, _)| scope.contains(wanted))
        })
    }

    /// The scopes that ask for these claims.
    pub(crate) fn scopes(&self) -> impl Iterator<Item = &'static str> {
        let has_one = |claims: &[&str]| claims.iter().any(|claim| self.0.contains_key(*claim));
        CLAIMS_OF_SCOPES
            .iter()
            .filter(move |(_, claims)| has_one(claims))
            .map(|(scope, _)| *scope)
    }
}
