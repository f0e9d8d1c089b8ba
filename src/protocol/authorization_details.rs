//! Rich authorization requests (RFC 9396): what is asked for, and what was
//! granted, as a list of objects that each name their type.

use super::json::{JsonError, parse_value};
use serde_json::{Value, json};
use std::fmt;

/// Longer lists are refused: they go into a URL, and into the record of a session.
const MAX_BYTES: usize = 64 * 1024;

/// A list of authorization details (§2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationDetails(Vec<Value>);

/// JSON that is not a list of authorization details.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAuthorizationDetails {
    #[error("it is longer than 64 KiB")]
    TooLong,
    #[error("it is not JSON: {0}")]
    Json(#[from] JsonError),
    #[error("it is not a list of objects with something in it (RFC 9396 §2)")]
    NotAList,
    /// Its place, counted from 1.
    #[error("object {0} has no type, which says what its other members mean (RFC 9396 §2)")]
    NoType(usize),
}

impl AuthorizationDetails {
    /// Reads the list as JSON text, no member twice.
    ///
    /// # Errors
    /// [`InvalidAuthorizationDetails`].
    pub fn parse(text: &str) -> Result<Self, InvalidAuthorizationDetails> {
        if text.len() > MAX_BYTES {
            return Err(InvalidAuthorizationDetails::TooLong);
        }
        AuthorizationDetails::from_json(&parse_value(text.as_bytes())?)
    }

    /// Reads the list as a member of a message has it.
    ///
    /// # Errors
    /// [`InvalidAuthorizationDetails`].
    pub fn from_json(value: &Value) -> Result<Self, InvalidAuthorizationDetails> {
        let list = value.as_array().filter(|list| !list.is_empty());
        let list = list.ok_or(InvalidAuthorizationDetails::NotAList)?;
        for (index, details) in list.iter().enumerate() {
            let object = details.as_object().ok_or(InvalidAuthorizationDetails::NotAList)?;
            let has_type = object
                .get("type")
                .and_then(Value::as_str)
                .is_some_and(|text| !text.is_empty());
            if !has_type {
                return Err(InvalidAuthorizationDetails::NoType(index + 1));
            }
        }
        let details = AuthorizationDetails(list.clone());
        match details.to_string().len() > MAX_BYTES {
            true => Err(InvalidAuthorizationDetails::TooLong),
            false => Ok(details),
        }
    }

    /// The list as JSON.
    pub fn to_json(&self) -> Value {
        json!(self.0)
    }

    /// The objects.
    pub fn objects(&self) -> &[Value] {
        &self.0
    }

    /// The type of each object, once each. Text from the network where the list is.
    pub fn types(&self) -> Vec<&str> {
        let mut types: Vec<&str> = Vec::new();
        for name in self.0.iter().filter_map(|details| details["type"].as_str()) {
            if !types.contains(&name) {
                types.push(name);
            }
        }
        types
    }
}

/// Compact JSON, as the parameter carries it.
impl fmt::Display for AuthorizationDetails {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.to_json())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9396 §2, figure 3, but for the space in it.
    const EXAMPLE: &str = r#"[
        {"type":"account_information","actions":["list_accounts","read_balances","read_transactions"],
         "locations":["https://example.com/accounts"]},
        {"type":"payment_initiation","actions":["initiate","status","cancel"],
         "locations":["https://example.com/payments"],
         "instructedAmount":{"currency":"EUR","amount":"123.50"},"creditorName":"Merchant A",
         "creditorAccount":{"iban":"DE02100100109307118603"},
         "remittanceInformationUnstructured":"Ref Number Merchant"}]"#;

    #[test]
    fn the_example_of_rfc_9396_section_2_is_read_and_written_again() {
        let details = AuthorizationDetails::parse(EXAMPLE).unwrap();
        assert_eq!(details.types(), ["account_information", "payment_initiation"]);
        assert_eq!(details.objects()[1]["instructedAmount"]["amount"], "123.50");
        assert_eq!(AuthorizationDetails::parse(&details.to_string()), Ok(details));
    }

    #[test]
    fn what_is_no_list_of_typed_objects_is_refused() {
        use InvalidAuthorizationDetails::{NoType, NotAList};
        for (text, error) in [
            ("[]", NotAList),
            ("{}", NotAList),
            (r#"{"type":"a"}"#, NotAList),
            ("[1]", NotAList),
            (r#"[{"type":"a"},{}]"#, NoType(2)),
            (r#"[{"type":""}]"#, NoType(1)),
            (r#"[{"type":7}]"#, NoType(1)),
        ] {
            assert_eq!(AuthorizationDetails::parse(text), Err(error), "{text}");
        }
        for text in ["", "[", r#"[{"type":"a","type":"b"}]"#, r#"[{"type":"a"}] x"#] {
            let refused = AuthorizationDetails::parse(text);
            assert!(
                matches!(refused, Err(InvalidAuthorizationDetails::Json(_))),
                "{text}: {refused:?}"
            );
        }
        let long = format!(r#"[{{"type":"{}"}}]"#, "a".repeat(70_000));
        assert_eq!(
            AuthorizationDetails::parse(&long),
            Err(InvalidAuthorizationDetails::TooLong)
        );
    }
}
