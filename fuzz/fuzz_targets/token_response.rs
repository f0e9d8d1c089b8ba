//! An answer of the token endpoint: it is tokens or an error; a token that is
//! taken is printable ASCII and of a known type.
#![no_main]
use libfuzzer_sys::fuzz_target;
use oauth::protocol::endpoint::{Endpoint, HttpPolicy};
use oauth::protocol::http::{HttpResponse, Timings};
use oauth::protocol::token_response::{TokenResponse, TokenType};
use oauth::secret::Secret;
use std::time::Duration;

fuzz_target!(|input: (u16, bool, bool, &[u8])| {
    let Ok(endpoint) = Endpoint::parse("https://id.example.com/token", HttpPolicy::LoopbackOnly) else { return };
    let (status, is_json, is_bound, body) = input;
    let wanted = if is_bound { TokenType::Dpop } else { TokenType::Bearer };
    let media_type = if is_json { "application/json" } else { "text/html" };
    let response = HttpResponse {
        status,
        headers: vec![("content-type".into(), media_type.into())],
        body: Secret::new(body.to_vec()),
        elapsed: Duration::ZERO,
        is_streamed: false,
        timings: Timings::default(),
    };
    if let Ok(token) = TokenResponse::read(&endpoint, &response, wanted) {
        let token = token.access_token.expose();
        assert!(!token.is_empty() && token.bytes().all(|byte| (0x20..0x7f).contains(&byte)));
    }
});
