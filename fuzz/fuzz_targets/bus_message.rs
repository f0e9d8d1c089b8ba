//! A message of the session bus: it is read as an answer of the Secret Service
//! or refused, without allocating what its lengths claim.
#![no_main]
use libfuzzer_sys::fuzz_target;
use oauth::store::is_answer;

fuzz_target!(|bytes: &[u8]| {
    let _ = is_answer(bytes);
});
