//! `WWW-Authenticate`: no header makes the reader panic, and what it reads is a
//! part of the header or of its unescaped text.
#![no_main]
use libfuzzer_sys::fuzz_target;
use oauth::protocol::www_authenticate::Challenges;

fuzz_target!(|header: &str| {
    let Ok(challenges) = Challenges::parse([header]) else {
        return;
    };
    for challenge in challenges.iter() {
        for name in ["error", "scope", "resource_metadata", "realm"] {
            if let Some(value) = challenge.parameter(name) {
                assert!(value.len() <= header.len());
            }
        }
    }
});
