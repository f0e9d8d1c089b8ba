//! How many bits of randomness a value may hold at most, from what can be seen
//! of several: their length and the alphabet that they really use, without the
//! places that never change.

use super::report::{CheckResult, ensure, violated};
use super::secrets;
use crate::hex::from_hex;
use crate::protocol::abnf::from_base64url;
use crate::secret::Secret;

/// A run of places with the same characters in all samples is not a chance where
/// its probability is less than this.
const CHANCE: f64 = 1e-6;

/// Alphabets that values are written in, the smallest first.
const ALPHABETS: [(&str, f64); 7] = [
    ("0123456789", 10.0),
    ("0123456789abcdef", 16.0),
    ("0123456789ABCDEF", 16.0),
    ("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 32.0),
    ("abcdefghijklmnopqrstuvwxyz234567", 32.0),
    ("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 36.0),
    ("abcdefghijklmnopqrstuvwxyz0123456789", 36.0),
];

const BASE64_SIZE: f64 = 64.0;

/// The random bits of a version 4 UUID (RFC 9562 §5.4).
const UUID_BITS: f64 = 122.0;

/// Violated where these values have fewer bits each, or two are the same.
pub(super) fn expect_bits(samples: &[Secret], bits: f64) -> CheckResult {
    if samples.is_empty() {
        return violated("none came");
    }
    if secrets::distinct(samples.iter().cloned()) < samples.len() {
        return violated("the same value came twice");
    }
    let found = max_bits(samples);
    ensure(found >= bits, format!("they have {found:.0} bits at most"))
}

/// An upper bound of the bits of randomness in each of these values.
fn max_bits(samples: &[Secret]) -> f64 {
    let texts: Vec<Vec<char>> = samples.iter().map(|sample| sample.expose().chars().collect()).collect();
    if samples.is_empty() {
        return 0.0;
    }
    if samples.iter().all(|sample| is_uuid(sample.expose())) {
        return UUID_BITS;
    }
    // Values of different lengths are the same at their beginnings, or at their ends.
    let reversed: Vec<Vec<char>> = texts.iter().map(|text| text.iter().rev().copied().collect()).collect();
    bits_of_varying(&texts).min(bits_of_varying(&reversed))
}

/// The bits in the places that vary.
fn bits_of_varying(texts: &[Vec<char>]) -> f64 {
    let shortest = texts.iter().map(Vec::len).min().unwrap_or_default();
    let size = alphabet_size(texts.iter().flatten());
    let is_constant: Vec<bool> = (0..shortest)
        .map(|place| texts.iter().all(|text| text.get(place) == texts[0].get(place)))
        .collect();
    // Two values are the same in a place by chance; so are many only rarely.
    let chance_of_one = size.powi(1 - i32::try_from(texts.len()).unwrap_or(i32::MAX));
    let mut varying = Vec::new();
    let mut place = 0;
    while place < shortest {
        let run = is_constant[place..].iter().take_while(|constant| **constant).count();
        let is_chance = chance_of_one.powi(i32::try_from(run).unwrap_or(i32::MAX)) >= CHANCE;
        let end = place + run.max(1);
        if run == 0 || is_chance {
            varying.extend(place..end);
        }
        place = end;
    }
    let varying_chars = texts
        .iter()
        .flat_map(|text| varying.iter().filter_map(|place| text.get(*place)));
    varying.len() as f64 * libm::log2(alphabet_size(varying_chars))
}

/// How many different characters each place may have: the smallest alphabet
/// that has all of them, or as many as there are where those are too few for it.
fn alphabet_size<'c>(chars: impl Iterator<Item = &'c char>) -> f64 {
    let all: Vec<char> = chars.copied().collect();
    let mut different = all.clone();
    different.sort_unstable();
    different.dedup();
    let within = |alphabet: &str| different.iter().all(|char| alphabet.contains(*char));
    let size = ALPHABETS
        .iter()
        .find(|(alphabet, _)| within(alphabet))
        .map_or(BASE64_SIZE, |(_, size)| *size);
    let expected = size * (1.0 - (1.0 - 1.0 / size).powi(i32::try_from(all.len()).unwrap_or(i32::MAX)));
    let found = different.len() as f64;
    if found < expected / 2.0 { found.max(1.0) } else { size }
}

/// A version 4 UUID, written out, in hexadecimal digits, or in BASE64.
fn is_uuid(text: &str) -> bool {
    let of_base64 = || from_base64url(&text.trim_end_matches('=').replace('+', "-").replace('/', "_"));
    is_written_uuid(text)
        || from_hex(text).is_some_and(|bytes| is_uuid_bytes(&bytes))
        || of_base64().is_some_and(|bytes| {
            is_uuid_bytes(&bytes) || String::from_utf8(bytes).is_ok_and(|text| is_written_uuid(&text))
        })
}

fn is_written_uuid(text: &str) -> bool {
    let has_hyphens = text.len() == 36 && [8, 13, 18, 23].iter().all(|place| text.as_bytes()[*place] == b'-');
    has_hyphens && from_hex(&text.replace('-', "")).is_some_and(|bytes| bytes.len() == 16)
}

/// Version and variant in their places.
fn is_uuid_bytes(bytes: &[u8]) -> bool {
    bytes.len() == 16 && bytes[6] >> 4 == 4 && bytes[8] >> 6 == 0b10
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::report::Failure;

    fn secrets_of(samples: &[&str]) -> Vec<Secret> {
        samples.iter().map(|sample| Secret::from(*sample)).collect()
    }

    fn bits(samples: &[&str]) -> f64 {
        max_bits(&secrets_of(samples))
    }

    #[test]
    fn length_and_alphabet_bound_the_randomness() {
        assert_eq!(bits(&["12345678"]), 8.0 * f64::log2(10.0));
        assert_eq!(bits(&["00112233445566778899aabbccddeeff"]), 128.0);
        assert_eq!(bits(&["dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"]), 258.0);
        assert_eq!(bits(&[]), 0.0);
    }

    #[test]
    fn small_letters_with_digits_hold_less_than_base64() {
        // 25 characters of base 32, as Dex writes its codes
        assert_eq!(bits(&["k2jdw7xq3mzpa5rtn4bvcyhs6", "z7wq2nfrx5ybkt3mjc6vpdahs"]), 125.0);
        assert!(bits(&["k2jdw7xq3mzpa5rtn4bvcyhs9", "z7wq2nfrx5ybkt3mjc6vpdahs"]) < 130.0);
    }

    #[test]
    fn a_version_4_uuid_has_122_bits_however_it_is_written() {
        for uuid in [
            "f47ac10b-58cc-4372-a567-0e02b2c3d479",
            "f47ac10b58cc4372a5670e02b2c3d479",
            "9HrBC1jMQ3KlZw4CssPUeQ",
            "9HrBC1jMQ3KlZw4CssPUeQ==",
            "ZjQ3YWMxMGItNThjYy00MzcyLWE1NjctMGUwMmIyYzNkNDc5",
        ] {
            assert_eq!(bits(&[uuid]), 122.0, "{uuid}");
        }
    }

    #[test]
    fn an_alphabet_is_what_is_really_used_of_it() {
        let two_letters = "abbabaabbabbaaababbabaabbabbaaababbabaabbabbaaab";
        assert_eq!(bits(&[two_letters]), 48.0);
    }

    #[test]
    fn places_that_never_change_are_not_random() {
        assert_eq!(bits(&["code-AAAA-Zx9_", "code-AAAA-Qw8_"]), 4.0 * 6.0);
        assert_eq!(bits(&["abXYZ_", "abxyz-"]), 36.0, "two equal characters are chance");
        let behind_a_counter: Vec<String> = (10..20)
            .map(|count| format!("{count}-dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"))
            .collect();
        let samples: Vec<&str> = behind_a_counter.iter().map(String::as_str).collect();
        assert!(bits(&samples) < 8.0, "{}", bits(&samples));
        let of_other_lengths = ["9-dBjftJeZ4CVP-mB92K27uhbU", "10-dBjftJeZ4CVP-mB92K27uhbU"];
        assert!(bits(&of_other_lengths) < 8.0);
    }

    #[test]
    fn the_same_value_twice_has_no_randomness() {
        let good = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert!(expect_bits(&secrets_of(&[good]), 128.0).is_ok());
        let other = "n4bvcyhs6_k2jdw7xq3mzpa5rtZ4CVP-mB92K27uhbU";
        for samples in [&[good, good][..], &[good, other, good]] {
            let result = expect_bits(&secrets_of(samples), 128.0);
            assert!(matches!(result, Err(Failure::Violated(how)) if how == "the same value came twice"));
        }
    }
}
