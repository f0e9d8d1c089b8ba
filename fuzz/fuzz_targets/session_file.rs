//! The content of a session file: its header is read or refused, whatever its
//! numbers say, without allocating what they claim.
#![no_main]
use libfuzzer_sys::fuzz_target;
use oauth::store::is_session_file;

fuzz_target!(|content: &[u8]| {
    let _ = is_session_file(content);
});
