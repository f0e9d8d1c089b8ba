//! `WWW-Authenticate`: no header makes the reader panic, and what it reads is a
//! part of the header or of its unescaped text.
#![no_main]
use libfuzzer_sys::fuzz_target;
use oauth::protocol::www_authenticate::parameter;

fuzz_target!(|header: &str| {
    for name in ["error", "scope", "resource_metadata", "realm"] {
        if let Some(value) = parameter(header, name) {
            assert!(value.len() <= header.len());
        }
    }
});
