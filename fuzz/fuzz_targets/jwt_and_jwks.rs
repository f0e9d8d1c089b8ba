//! A JWT and a JWK set in one input, split at the first zero byte: neither may
//! panic, and a fuzzer never makes a valid signature.
#![no_main]
use libfuzzer_sys::fuzz_target;
use oauth::protocol::jose::UnverifiedJwt;
use oauth::protocol::jwks::JwkSet;

fuzz_target!(|input: &[u8]| {
    let split = input.iter().position(|byte| *byte == 0).unwrap_or(input.len());
    let (token, set) = (&input[..split], input.get(split + 1..).unwrap_or_default());
    let Ok(set) = JwkSet::parse(set) else { return };
    let Ok(Ok(jwt)) = std::str::from_utf8(token).map(UnverifiedJwt::decode) else { return };
    let _ = set.verify(&jwt);
});
