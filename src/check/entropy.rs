//! How many bits of randomness a value may hold at most, from what can be
//! seen of it: its length and its alphabet, without what all samples share.

use crate::secret::Secret;

/// A shorter common beginning is chance.
const COMMON_FROM_CHARS: usize = 4;

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

/// The bits of a version 4 UUID (RFC 9562 §5.4).
const UUID_BITS: f64 = 122.0;

/// An upper bound of the bits of randomness in each of these values.
pub(super) fn bits_at_most(samples: &[&Secret]) -> f64 {
    let texts: Vec<&str> = samples.iter().map(|sample| sample.expose().as_str()).collect();
    let Some(first) = texts.first() else { return 0.0 };
    if texts.iter().all(|text| is_uuid(text)) {
        return UUID_BITS;
    }
    let common = texts[1..]
        .iter()
        .map(|text| common_beginning(first, text))
        .min()
        .filter(|common| *common >= COMMON_FROM_CHARS)
        .unwrap_or(0);
    let shortest = texts.iter().map(|text| text.chars().count()).min().unwrap_or(0);
    let varying = shortest.saturating_sub(common);
    let within = |alphabet: &str| {
        texts
            .iter()
            .all(|text| text.chars().skip(common).all(|char| alphabet.contains(char)))
    };
    let size = ALPHABETS
        .iter()
        .find(|(alphabet, _)| within(alphabet))
        .map_or(64.0, |(_, size)| *size);
    varying as f64 * f64::log2(size)
}

fn common_beginning(one: &str, other: &str) -> usize {
    one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count()
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.char_indices().all(|(index, char)| match index {
            8 | 13 | 18 | 23 => char == '-',
            _ => char.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(samples: &[&str]) -> f64 {
        let samples: Vec<Secret> = samples.iter().map(|sample| Secret::from(*sample)).collect();
        bits_at_most(&samples.iter().collect::<Vec<_>>())
    }

    #[test]
    fn length_and_alphabet_bound_the_randomness() {
        assert_eq!(bits(&["12345678"]), 8.0 * f64::log2(10.0));
        assert_eq!(bits(&["00112233445566778899aabbccddeeff"]), 128.0);
        assert_eq!(bits(&["dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"]), 258.0);
        assert_eq!(bits(&["f47ac10b-58cc-4372-a567-0e02b2c3d479"]), 122.0);
        assert_eq!(bits(&[]), 0.0);
    }

    #[test]
    fn small_letters_with_digits_hold_less_than_base64() {
        // 25 characters of base 32, as Dex writes its codes
        assert_eq!(bits(&["k2jdw7xq3mzpa5rtn4bvcyhs6", "z7wq2nfrx5ybkt3mjc6vpdahs"]), 125.0);
        assert!(bits(&["k2jdw7xq3mzpa5rtn4bvcyhs9", "z7wq2nfrx5ybkt3mjc6vpdahs"]) < 130.0);
    }

    #[test]
    fn what_all_samples_begin_with_is_not_random() {
        assert_eq!(bits(&["code-AAAA-Zx9_", "code-AAAA-Qw8_"]), 4.0 * 6.0);
        assert_eq!(bits(&["abXYZ_", "abxyz-"]), 36.0, "two equal characters are chance");
    }
}
