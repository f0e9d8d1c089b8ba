//! The query of a callback: whatever comes in, what was parsed survives being
//! encoded and parsed again, in order and with every repetition.
#![no_main]
use libfuzzer_sys::fuzz_target;
use oauth::protocol::params::Params;

fuzz_target!(|query: &str| {
    let params = Params::parse(query);
    let encoded = params.encode();
    let again = Params::parse(encoded.expose());
    let pairs = |params: &Params| -> Vec<(String, String)> {
        params.iter().map(|(name, value)| (name.to_owned(), value.expose().to_owned())).collect()
    };
    assert_eq!(pairs(&params), pairs(&again));
    for name in ["code", "state", "iss", "error"] {
        let _ = params.single(name);
    }
});
