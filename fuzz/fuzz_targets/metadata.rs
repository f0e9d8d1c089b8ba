//! A metadata document of an honest issuer's URL: it is taken or refused, and
//! no endpoint that is taken is plain http to another machine.
#![no_main]
use libfuzzer_sys::fuzz_target;
use oauth::protocol::endpoint::{HttpPolicy, Issuer};
use oauth::protocol::metadata::ServerMetadata;

fuzz_target!(|bytes: &[u8]| {
    let Ok(issuer) = Issuer::parse("https://id.example.com", HttpPolicy::LoopbackOnly) else { return };
    if let Ok(metadata) = ServerMetadata::parse(bytes, &issuer, HttpPolicy::LoopbackOnly) {
        for endpoint in [&metadata.authorization_endpoint, &metadata.token_endpoint].into_iter().flatten() {
            assert_eq!(endpoint.url().scheme(), "https");
        }
    }
});
