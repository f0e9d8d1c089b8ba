//! A stored record: whatever stands there, reading it is a session or an error,
//! and a session that was read is written and read again as the same.
#![no_main]
use libfuzzer_sys::fuzz_target;
use oauth::store::Session;

fuzz_target!(|text: &str| {
    let Ok(session) = Session::decode(text) else { return };
    let again = Session::decode(session.encode().expose());
    assert!(again.is_ok_and(|again| again.is_same_as(&session)));
});
