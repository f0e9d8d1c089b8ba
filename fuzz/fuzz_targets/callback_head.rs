//! The head of a request to the listener: the verdict on a head does not
//! depend on what follows it, and an HTTP parser takes what the scanner takes.
#![no_main]
use libfuzzer_sys::fuzz_target;
use oauth::user_agent::callback::ends_head;

fuzz_target!(|bytes: &[u8]| {
    let whole = ends_head(bytes);
    if whole == Some(true) {
        let mut longer = bytes.to_vec();
        longer.extend_from_slice(b"body");
        assert_eq!(ends_head(&longer), Some(true));
        assert!(bytes.windows(4).any(|window| window == b"\r\n\r\n"));
        assert!(!bytes.contains(&0) || bytes.windows(4).position(|window| window == b"\r\n\r\n") < bytes.iter().position(|byte| *byte == 0));
    }
});
