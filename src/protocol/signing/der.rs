//! As much of DER (X.690) as private keys need: values are read, nothing is written.

/// Tags of X.690 §8.
pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;

/// The tag of a context-specific, constructed value.
pub(super) const fn context(number: u8) -> u8 {
    0xa0 | number
}

/// What is left to read of a sequence of values.
#[derive(Clone, Copy)]
pub(super) struct DerReader<'a>(&'a [u8]);

impl<'a> DerReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        DerReader(bytes)
    }

    /// The contents of the next value, which must have this tag.
    pub(super) fn value(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (found, rest) = self.0.split_first()?;
        if *found != tag {
            return None;
        }
        let (length, rest) = length(rest)?;
        let (contents, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(contents)
    }

    /// The values inside the next value.
    pub(super) fn inside(&mut self, tag: u8) -> Option<DerReader<'a>> {
        self.value(tag).map(DerReader)
    }

    /// The next number, which must not be negative, without its sign octet.
    pub(super) fn number(&mut self) -> Option<&'a [u8]> {
        match self.value(INTEGER)? {
            [0] => Some(&[]),
            [0, number @ ..] => Some(number),
            [first, ..] if first & 0x80 != 0 => None,
            [] => None,
            number => Some(number),
        }
    }
}

/// A length of up to three octets, and what comes after it.
fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let count = match first {
        0..=0x7f => return Some((usize::from(*first), rest)),
        0x81..=0x83 => usize::from(first & 0x7f),
        _ => return None,
    };
    let (octets, rest) = rest.split_at_checked(count)?;
    Some((octets.iter().fold(0, |sum, octet| sum << 8 | usize::from(*octet)), rest))
}
