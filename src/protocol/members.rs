//! The lenient reader of a metadata document: what is of another type than it
//! should be is absent here. Those who must say what is wrong look at the type.

use serde_json::{Map, Value};

/// The value of `grant_types_supported` for this flow (RFC 6749 §4.1).
pub const GRANT_AUTHORIZATION_CODE: &str = "authorization_code";

/// A document's members, read leniently: what is of another type is absent here.
#[derive(Debug, Clone, Copy)]
pub struct Members<'a>(pub &'a Map<String, Value>);

impl<'a> Members<'a> {
    /// A string.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// The strings of a list.
    pub fn list(&self, name: &str) -> Option<Vec<&'a str>> {
        let items = self.0.get(name).and_then(Value::as_array)?;
        Some(items.iter().filter_map(Value::as_str).collect())
    }

    /// Whether a list holds a string.
    pub fn lists(&self, name: &str, wanted: &str) -> bool {
        self.list(name).is_some_and(|items| items.contains(&wanted))
    }

    /// A list with something in it, joined by spaces.
    pub fn joined(&self, name: &str) -> Option<String> {
        self.list(name)
            .filter(|items| !items.is_empty())
            .map(|items| items.join(" "))
    }

    /// Whether a member is `true`.
    pub fn switch(&self, name: &str) -> bool {
        self.0.get(name) == Some(&Value::Bool(true))
    }

    /// Whether a member is there and not `null`.
    pub fn is_there(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| !value.is_null())
    }

    /// Absent, they mean these two (RFC 8414 §2).
    pub fn grant_types(&self) -> Vec<&'a str> {
        self.list("grant_types_supported")
            .unwrap_or_else(|| vec![GRANT_AUTHORIZATION_CODE, "implicit"])
    }
}
