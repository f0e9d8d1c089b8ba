//! Addresses of D-Bus buses, as `DBUS_SESSION_BUS_ADDRESS` has them.
//!
//! Specification: <https://dbus.freedesktop.org/doc/dbus-specification.html#addresses>.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// Where a bus listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    /// A socket in the file system.
    UnixPath(PathBuf),
    /// A socket in the kernel's abstract namespace.
    UnixAbstract(Vec<u8>),
    Tcp {
        host: String,
        port: u16,
    },
}

impl Address {
    /// Whether only processes of this machine can be at its other end.
    pub(super) fn is_local(&self) -> bool {
        match self {
            Address::UnixPath(_) | Address::UnixAbstract(_) => true,
            Address::Tcp { .. } => false,
        }
    }
}

/// The addresses of a list, to be tried in its order.
///
/// # Errors
/// What is wrong with the first one that cannot be used, where none can be.
pub(super) fn parse_list(list: &str) -> Result<Vec<Address>, String> {
    let mut addresses = Vec::new();
    let mut first_error = None;
    for text in list.split(';').filter(|text| !text.is_empty()) {
        match parse(text) {
            Ok(address) => addresses.push(address),
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    match (addresses.is_empty(), first_error) {
        (false, _) => Ok(addresses),
        (true, Some(error)) => Err(error),
        (true, None) => Err("its address is empty".to_owned()),
    }
}

fn parse(text: &str) -> Result<Address, String> {
    let malformed = || format!("the address `{text}` is malformed");
    let (transport, options) = text.split_once(':').ok_or_else(malformed)?;
    let mut values = Vec::new();
    for option in options.split(',').filter(|option| !option.is_empty()) {
        let (key, value) = option.split_once('=').ok_or_else(malformed)?;
        values.push((key, unescape(value).ok_or_else(malformed)?));
    }
    let value = |wanted: &str| {
        values
            .iter()
            .find(|(key, _)| *key == wanted)
            .map(|(_, value)| value.clone())
    };
    let text_value = |wanted| value(wanted).and_then(|value| String::from_utf8(value).ok());
    match transport {
        "unix" => match (value("path"), value("abstract")) {
            (Some(path), None) => Ok(Address::UnixPath(OsString::from_vec(path).into())),
            (None, Some(name)) => Ok(Address::UnixAbstract(name)),
            _ => Err(malformed()),
        },
        "tcp" => {
            let port = text_value("port")
                .and_then(|port| port.parse().ok())
                .ok_or_else(malformed)?;
            let host = text_value("host").unwrap_or_else(|| "localhost".to_owned());
            Ok(Address::Tcp { host, port })
        }
        other => Err(format!("`{other}` addresses are not supported")),
    }
}

/// `%HH` is a byte.
fn unescape(value: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (digits, behind) = rest.split_at_checked(2)?;
        rest = behind;
        let digits = std::str::from_utf8(digits).ok()?;
        // Not `+f`, which `from_str_radix` takes
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn path(path: &str) -> Address {
        Address::UnixPath(path.into())
    }

    #[test]
    fn an_address_is_parsed_with_its_escapes_and_without_what_does_not_matter() {
        for (list, addresses) in [
            ("unix:path=/run/user/1000/bus", vec![path("/run/user/1000/bus")]),
            ("unix:path=/run/bus,guid=00ff", vec![path("/run/bus")]),
            ("unix:guid=00ff,path=/run/bus", vec![path("/run/bus")]),
            ("unix:path=/tmp/a%20b%2cc%3B", vec![path("/tmp/a b,c;")]),
            (
                "unix:abstract=/tmp/dbus-x",
                vec![Address::UnixAbstract(b"/tmp/dbus-x".to_vec())],
            ),
            ("unix:path=/a;unix:path=/b", vec![path("/a"), path("/b")]),
            ("autolaunch:;unix:path=/b;", vec![path("/b")]),
            (
                "tcp:host=127.0.0.1,port=7,family=ipv4",
                vec![Address::Tcp {
                    host: "127.0.0.1".to_owned(),
                    port: 7,
                }],
            ),
        ] {
            assert_eq!(parse_list(list).unwrap(), addresses, "{list}");
        }
    }

    #[test]
    fn what_is_not_an_address_is_an_error_that_shows_it() {
        for (list, said) in [
            ("", "empty"),
            (";;", "empty"),
            ("garbage", "`garbage` is malformed"),
            ("unix:", "`unix:` is malformed"),
            ("unix:path", "malformed"),
            ("unix:path=/a,abstract=b", "malformed"),
            ("unix:path=/a%2", "malformed"),
            ("unix:path=/a%+f", "malformed"),
            ("unix:path=/a%é", "malformed"),
            ("tcp:host=localhost", "malformed"),
            ("tcp:host=localhost,port=70000", "malformed"),
            ("autolaunch:", "`autolaunch` addresses are not supported"),
            (
                "unixexec:path=/bin/sh;garbage",
                "`unixexec` addresses are not supported",
            ),
        ] {
            let error = parse_list(list).unwrap_err();
            assert!(error.contains(said), "{list}: {error}");
        }
    }
}
