//! Distinguished names as text (RFC 4514). One name can be written in many
//! ways; here it is written in one, so that the same name is the same text.

use crate::hex::{from_hex, hex};
use std::fmt::Write;
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::der::asn1::{Any, Ia5StringRef, ObjectIdentifier, PrintableStringRef, TeletexStringRef, Utf8StringRef};
use x509_cert::der::{Decode, Encode, Tag, Tagged};
use x509_cert::name::Name;

/// The types of attributes that are written by a name: those of RFC 4514 §3, and
/// what certificates of clients have beside them. All others are numbers.
const TYPES: [(&str, &str); 13] = [
    ("CN", "2.5.4.3"),
    ("L", "2.5.4.7"),
    ("ST", "2.5.4.8"),
    ("O", "2.5.4.10"),
    ("OU", "2.5.4.11"),
    ("C", "2.5.4.6"),
    ("STREET", "2.5.4.9"),
    ("DC", "0.9.2342.19200300.100.1.25"),
    ("UID", "0.9.2342.19200300.100.1.1"),
    ("serialNumber", "2.5.4.5"),
    ("emailAddress", "1.2.840.113549.1.9.1"),
    ("organizationIdentifier", "2.5.4.97"),
    ("businessCategory", "2.5.4.15"),
];

/// The name of a certificate's subject.
pub(super) fn of_certificate(name: &Name) -> String {
    let relative_names = name.as_ref().iter().map(|relative_name| {
        let attributes = relative_name.iter().map(|attribute| {
            let AttributeTypeAndValue { oid, value } = attribute;
            written(&oid.to_string(), value)
        });
        joined(attributes.collect())
    });
    // The text begins with what is last in the certificate (RFC 4514 §2.1)
    let mut relative_names: Vec<String> = relative_names.collect();
    relative_names.reverse();
    relative_names.join(",")
}

/// A name that somebody wrote, written as here; `None` where it is none. Spaces
/// after commas do not count.
pub(super) fn normalized(text: &str) -> Option<String> {
    let relative_names = split(text, ',').map(|relative_name| {
        let attributes = split(relative_name, '+').map(normalized_attribute);
        Some(joined(attributes.collect::<Option<_>>()?))
    });
    Some(relative_names.collect::<Option<Vec<_>>>()?.join(","))
}

/// The attributes of one part of a name, whose order says nothing.
fn joined(mut attributes: Vec<String>) -> String {
    attributes.sort_unstable();
    attributes.join("+")
}

fn normalized_attribute(text: &str) -> Option<String> {
    let (kind, value) = text.trim_start_matches(' ').split_once('=')?;
    let known = TYPES.iter().find(|(name, _)| name.eq_ignore_ascii_case(kind));
    let number = known.map_or(kind, |(_, number)| number);
    ObjectIdentifier::new(number).ok()?;
    match value.strip_prefix('#') {
        Some(digits) => Some(written(number, &Any::from_der(&from_hex(digits)?).ok()?)),
        None => {
            let text = String::from_utf8(unescaped(value)?).ok()?;
            Some(written(number, &Any::new(Tag::Utf8String, text.into_bytes()).ok()?))
        }
    }
}

/// `CN=client`; `1.2.3=#0c0161` where the type has no name, or the value is no text.
fn written(number: &str, value: &Any) -> String {
    let known = TYPES.iter().find(|(_, known)| *known == number);
    match known.zip(text_of(value)) {
        Some(((name, _), text)) => format!("{name}={}", escaped(&text)),
        None => format!("{number}=#{}", hex(&value.to_der().unwrap_or_default())),
    }
}

fn text_of(value: &Any) -> Option<String> {
    Some(match value.tag() {
        Tag::PrintableString => PrintableStringRef::try_from(value).ok()?.as_str().to_owned(),
        Tag::Utf8String => Utf8StringRef::try_from(value).ok()?.as_str().to_owned(),
        Tag::Ia5String => Ia5StringRef::try_from(value).ok()?.as_str().to_owned(),
        Tag::TeletexString => TeletexStringRef::try_from(value).ok()?.as_str().to_owned(),
        _ => return None,
    })
}

/// RFC 4514 §2.4.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (position, character) in text.char_indices() {
        let is_at_an_end = position == 0 || position + character.len_utf8() == text.len();
        match character {
            '#' if position == 0 => escaped.push_str("\\#"),
            ' ' if is_at_an_end => escaped.push_str("\\ "),
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => escaped.extend(['\\', character]),
            '\0'..='\x1f' | '\x7f' => {
                // writing to a string cannot fail
                let _ = write!(escaped, "\\{:02x}", u32::from(character));
            }
            _ => escaped.push(character),
        }
    }
    escaped
}

/// The octets of a value (RFC 4514 §3); `None` where a backslash stands before something else than it may.
fn unescaped(text: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        octets.extend_from_slice(before.as_bytes());
        let special = after.chars().next()?;
        if r##" "#=\+,;<>"##.contains(special) {
            octets.push(u8::try_from(special).ok()?);
            rest = &after[1..];
        } else {
            octets.push(u8::from_str_radix(after.get(..2)?, 16).ok()?);
            rest = &after[2..];
        }
    }
    octets.extend_from_slice(rest.as_bytes());
    Some(octets)
}

/// The pieces between these marks, but for marks behind a backslash.
fn split(text: &str, mark: char) -> impl Iterator<Item = &str> {
    let mut is_escaped = false;
    text.split(move |character| {
        let is_mark = character == mark && !is_escaped;
        is_escaped = character == '\\' && !is_escaped;
        is_mark
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_rfc_4514_are_read_and_written() {
        for (given, normal) in [
            ("UID=jsmith,DC=example,DC=net", Some("UID=jsmith,DC=example,DC=net")),
            (
                "OU=Sales+CN=J.  Smith,DC=example,DC=net",
                Some("CN=J.  Smith+OU=Sales,DC=example,DC=net"),
            ),
            (
                r#"CN=James \"Jim\" Smith\, III,DC=example,DC=net"#,
                Some(r#"CN=James \"Jim\" Smith\, III,DC=example,DC=net"#),
            ),
            (r"CN=Before\0dAfter,DC=example", Some(r"CN=Before\0dAfter,DC=example")),
            ("1.3.6.1.4.1.1466.0=#04024869", Some("1.3.6.1.4.1.1466.0=#04024869")),
            (r"CN=Lu\C4\8Di\C4\87", Some("CN=Lučić")),
        ] {
            assert_eq!(normalized(given).as_deref(), normal, "{given}");
        }
    }

    #[test]
    fn one_name_has_one_text() {
        for (one, other) in [
            ("cn=client, o=Example", "CN=client,O=Example"),
            ("2.5.4.3=client", "CN=client"),
            ("CN=#0c06636c69656e74", "CN=client"),
            ("CN=#1306636c69656e74", "CN=client"),
            (r"CN=\63lient", "CN=client"),
            (r"O=a\2cb\2b", r"O=a\,b\+"),
            (r"O=\23\20x\ ", r"O=\#\ x\ "),
            ("1.2.3=a", "1.2.3=#0C0161"),
            ("EMAILADDRESS=a@b.example", "1.2.840.113549.1.9.1=a@b.example"),
        ] {
            let (one, other) = (normalized(one), normalized(other));
            assert!(one.is_some() && one == other, "{one:?}, {other:?}");
        }
    }

    #[test]
    fn what_is_not_a_name_is_told() {
        for text in [
            "",
            "client",
            "=x",
            "CN",
            "CN=a,",
            ",CN=a",
            r"CN=a\",
            r"CN=\z",
            r"CN=\C4",
            "X=1",
            "1=2",
            "CN=#0",
            "CN=#0c",
            "CN=#é0",
            "CN=#+c0+61",
            r"CN=\é",
            "CN=a+",
        ] {
            assert_eq!(normalized(text), None, "{text}");
        }
    }
}
