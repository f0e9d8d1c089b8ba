//! Hexadecimal digits.

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Two lower-case digits for each octet.
pub(crate) fn hex(octets: &[u8]) -> String {
    let digit = |value: u8| char::from(DIGITS[usize::from(value & 0x0f)]);
    let pairs = octets.iter().map(|octet| [digit(octet >> 4), digit(*octet)]);
    pairs.flatten().collect()
}

/// The octets that these digits write, in either case; `None` where that is not what they are.
pub(crate) fn from_hex(digits: &str) -> Option<Vec<u8>> {
    // the standard library would take a sign for a digit
    let are_digits = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if !are_digits || !digits.len().is_multiple_of(2) {
        return None;
    }
    let places = (0..digits.len()).step_by(2);
    places
        .map(|place| u8::from_str_radix(&digits[place..place + 2], 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn octets_are_read_from_whole_pairs_of_digits() {
        assert_eq!(super::from_hex("000fA5ff"), Some(vec![0x00, 0x0f, 0xa5, 0xff]));
        assert_eq!(super::from_hex(""), Some(Vec::new()));
        for digits in ["0", "0g", "+f", "é0", "00 "] {
            assert_eq!(super::from_hex(digits), None, "{digits}");
        }
    }

    #[test]
    fn every_octet_has_two_lower_case_digits() {
        assert_eq!(super::hex(&[0x00, 0x0f, 0xa5, 0xff]), "000fa5ff");
    }
}
