//! A JSON document to look at: members in the order in which they came,
//! repeated ones included, which a map would hide.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Number;
use std::fmt;

/// Room for most lines, so that few have to be moved while they grow.
const LINE_BYTES: usize = 1024;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub enum OrderedJson {
    /// `null`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<OrderedJson>),
    /// An object, members in order.
    Object(Vec<(String, OrderedJson)>),
}

impl OrderedJson {
    /// Reads JSON text; `None` when it is none, or nested deeper than 128 levels.
    pub fn parse(text: &[u8]) -> Option<Self> {
        serde_json::from_slice(text).ok()
    }

    /// On one line.
    pub fn line(&self) -> String {
        let mut line = Vec::with_capacity(LINE_BYTES);
        // a vector takes everything, and what serde_json writes is UTF-8
        let _ = serde_json::to_writer(&mut line, self);
        String::from_utf8(line).unwrap_or_default()
    }

    /// On several lines, indented by two.
    pub fn pretty(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

impl From<&str> for OrderedJson {
    fn from(text: &str) -> Self {
        OrderedJson::Text(text.to_owned())
    }
}

impl From<String> for OrderedJson {
    fn from(text: String) -> Self {
        OrderedJson::Text(text)
    }
}

impl From<u64> for OrderedJson {
    fn from(number: u64) -> Self {
        OrderedJson::Number(number.into())
    }
}

/// An object of these members.
pub fn object<const N: usize>(members: [(&str, OrderedJson); N]) -> OrderedJson {
    let owned = members.into_iter().map(|(name, value)| (name.to_owned(), value));
    OrderedJson::Object(owned.collect())
}

impl Serialize for OrderedJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            OrderedJson::Null => serializer.serialize_unit(),
            OrderedJson::Bool(value) => serializer.serialize_bool(*value),
            OrderedJson::Number(number) => number.serialize(serializer),
            OrderedJson::Text(text) => serializer.serialize_str(text),
            OrderedJson::List(items) => serializer.collect_seq(items),
            OrderedJson::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for OrderedJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OrderedJsonVisitor)
    }
}

struct OrderedJsonVisitor;

impl<'de> Visitor<'de> for OrderedJsonVisitor {
    type Value = OrderedJson;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<OrderedJson, E> {
        Ok(OrderedJson::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<OrderedJson, E> {
        Ok(OrderedJson::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<OrderedJson, E> {
        Ok(OrderedJson::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<OrderedJson, E> {
        Ok(OrderedJson::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<OrderedJson, E> {
        Ok(Number::from_f64(value).map_or(OrderedJson::Null, OrderedJson::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<OrderedJson, E> {
        Ok(OrderedJson::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<OrderedJson, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(OrderedJson::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<OrderedJson, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = entries.next_entry()? {
            members.push(member);
        }
        Ok(OrderedJson::Object(members))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn order_and_repetition_survive() {
        let text = r#"{"z":1,"a":[null,true,-2,1.5,"é"],"z":{"b":{},"a":[]}}"#;
        assert_eq!(OrderedJson::parse(text.as_bytes()).unwrap().line(), text);
    }

    #[test]
    fn what_is_no_json_or_too_deep_is_none() {
        let deep = "[".repeat(100_000);
        for text in ["", "<html>", "{\"a\":1", "{} x", "\u{feff}{}", &deep] {
            assert_eq!(OrderedJson::parse(text.as_bytes()), None);
        }
        assert_eq!(OrderedJson::parse(b"\"\xff\""), None);
    }
}
