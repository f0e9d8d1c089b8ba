//! The answer of AWS STS: keys that were read can be printed, and no answer is
//! both keys and a refusal to a reader that looks for an error first.
#![no_main]
use libfuzzer_sys::fuzz_target;
use oauth::protocol::aws_sts::{RoleKeys, StsRefusal};

fuzz_target!(|bytes: &[u8]| {
    if let Some(keys) = RoleKeys::read(bytes) {
        for text in [&keys.access_key_id, keys.secret_access_key.expose(), keys.session_token.expose()] {
            assert!(!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()));
        }
    }
    let _ = StsRefusal::read(bytes);
});
