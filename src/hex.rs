//! Hexadecimal digits.

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Two lower-case digits for each octet.
pub(crate) fn hex(octets: &[u8]) -> String {
    let digit = |value: u8| char::from(DIGITS[usize::from(value & 0x0f)]);
    let pairs = octets.iter().map(|octet| [digit(octet >> 4), digit(*octet)]);
    pairs.flatten().collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_octet_has_two_lower_case_digits() {
        assert_eq!(super::hex(&[0x00, 0x0f, 0xa5, 0xff]), "000fa5ff");
    }
}
