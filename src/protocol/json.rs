//! JSON objects from a server, read strictly: a member that appears twice
//! makes the document invalid, since two readers could take two different
//! values (RFC 8259 §4, RFC 8725 §2.4).

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

/// The body is not a JSON object, or one that two readers could read differently.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// Not JSON at all, too deep, or with a member twice. The text names the
    /// place, never a value.
    #[error("{0}")]
    Malformed(String),
    /// JSON, but `null`, a list, a string or a number.
    #[error("JSON, but no object")]
    NotAnObject,
}

/// Reads one JSON object from bytes (UTF-8, at most 128 levels deep).
///
/// # Errors
/// [`JsonError`].
pub fn parse_object(bytes: &[u8]) -> Result<Map<String, Value>, JsonError> {
    match parse_value(bytes)? {
        Value::Object(object) => Ok(object),
        _ => Err(JsonError::NotAnObject),
    }
}

/// The same, but a member may stand twice with the same value: no two readers
/// take different values then.
///
/// # Errors
/// [`JsonError`].
pub fn parse_object_with_repetitions(bytes: &[u8]) -> Result<Map<String, Value>, JsonError> {
    match parse::<true>(bytes)? {
        Value::Object(object) => Ok(object),
        _ => Err(JsonError::NotAnObject),
    }
}

/// Reads one JSON value from bytes, as strictly.
///
/// # Errors
/// [`JsonError::Malformed`].
pub fn parse_value(bytes: &[u8]) -> Result<Value, JsonError> {
    parse::<false>(bytes)
}

fn parse<const REPETITIONS: bool>(bytes: &[u8]) -> Result<Value, JsonError> {
    match serde_json::from_slice::<Strict<REPETITIONS>>(bytes) {
        Ok(Strict(value)) => Ok(value),
        Err(error) => Err(JsonError::Malformed(error.to_string())),
    }
}

/// A value whose members stand once, or with `REPETITIONS` have one value.
struct Strict<const REPETITIONS: bool>(Value);

impl<'de, const REPETITIONS: bool> Deserialize<'de> for Strict<REPETITIONS> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor::<REPETITIONS>).map(Strict)
    }
}

struct StrictVisitor<const REPETITIONS: bool>;

impl<'de, const REPETITIONS: bool> Visitor<'de> for StrictVisitor<REPETITIONS> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict::<REPETITIONS>(value)) = sequence.next_element()? {
            list.push(value);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            let Strict::<REPETITIONS>(value) = map.next_value()?;
            match object.get(&name) {
                Some(first) if REPETITIONS && *first == value => {}
                Some(_) => return Err(A::Error::custom("a member is given twice")),
                None => {
                    object.insert(name, value);
                }
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_alone() {
        assert_eq!(
            parse_object(br#"{"a":[1,-2,0.5,"x",null,true,{}]}"#).unwrap()["a"][3],
            "x"
        );
        for bad in ["null", "[]", "\"x\"", "1"] {
            assert_eq!(parse_object(bad.as_bytes()), Err(JsonError::NotAnObject), "{bad}");
        }
        for bad in ["", "<html>", "{", "{\"a\":1}x", "\u{feff}{}"] {
            assert!(
                matches!(parse_object(bad.as_bytes()), Err(JsonError::Malformed(_))),
                "{bad}"
            );
        }
        assert!(parse_object(b"{\"a\":\"\xff\"}").is_err());
    }

    #[test]
    fn a_member_twice_is_an_error_that_shows_no_value() {
        for bad in [
            r#"{"access_token":"s3cret","access_token":"s3cret"}"#,
            r#"{"a":{"b":1,"b":2}}"#,
        ] {
            let error = parse_object(bad.as_bytes()).unwrap_err().to_string();
            assert!(error.contains("twice") && !error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn a_repetition_is_taken_where_it_may_stand_and_has_one_value() {
        let object = parse_object_with_repetitions(br#"{"a":"x","b":[{"c":1,"c":1}],"a":"x"}"#).unwrap();
        assert_eq!((object.len(), &object["a"]), (2, &Value::from("x")));
        for bad in [r#"{"a":1,"a":2}"#, r#"{"a":1,"a":"1"}"#, r#"{"a":{"b":1,"b":2}}"#, "[]"] {
            assert!(parse_object_with_repetitions(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let deep = format!("{}{}", "{\"a\":".repeat(100_000), "1");
        assert!(parse_object(deep.as_bytes()).is_err());
    }
}
