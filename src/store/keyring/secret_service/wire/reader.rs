//! Values as D-Bus messages carry them, read from bytes that came from the bus:
//! every length is checked before it is used.

use super::STRUCT_ALIGNMENT;

pub(super) const LITTLE_ENDIAN: u8 = b'l';
const BIG_ENDIAN: u8 = b'B';

/// Bytes that are not a message, or not the one that was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed message")]
pub(in crate::store) struct Malformed;

/// Reads values in the order of a signature.
pub(in crate::store) struct Reader<'a> {
    bytes: &'a [u8],
    pub(super) position: usize,
    is_little_endian: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8], endianness: u8) -> Result<Self, Malformed> {
        let is_little_endian = match endianness {
            LITTLE_ENDIAN => true,
            BIG_ENDIAN => false,
            _ => return Err(Malformed),
        };
        Ok(Reader {
            bytes,
            position: 0,
            is_little_endian,
        })
    }

    pub(super) fn align(&mut self, alignment: usize) -> Result<(), Malformed> {
        self.position = self.position.next_multiple_of(alignment);
        if self.position > self.bytes.len() {
            return Err(Malformed);
        }
        Ok(())
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let end = self.position.checked_add(count).ok_or(Malformed)?;
        let taken = self.bytes.get(self.position..end).ok_or(Malformed)?;
        self.position = end;
        Ok(taken)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Malformed> {
        Ok(self.take(1)?[0])
    }

    pub(super) fn u32(&mut self) -> Result<u32, Malformed> {
        self.align(4)?;
        let bytes = <[u8; 4]>::try_from(self.take(4)?).map_err(|_| Malformed)?;
        Ok(match self.is_little_endian {
            true => u32::from_le_bytes(bytes),
            false => u32::from_be_bytes(bytes),
        })
    }

    pub(in crate::store) fn boolean(&mut self) -> Result<bool, Malformed> {
        Ok(self.u32()? != 0)
    }

    fn text(&mut self, count: usize) -> Result<&'a str, Malformed> {
        let text = std::str::from_utf8(self.take(count)?).map_err(|_| Malformed)?;
        match self.byte()? {
            0 => Ok(text),
            _ => Err(Malformed),
        }
    }

    /// A string or an object path.
    pub(in crate::store) fn string(&mut self) -> Result<&'a str, Malformed> {
        let count = usize::try_from(self.u32()?).map_err(|_| Malformed)?;
        self.text(count)
    }

    pub(super) fn signature(&mut self) -> Result<&'a str, Malformed> {
        let count = usize::from(self.byte()?);
        self.text(count)
    }

    pub(in crate::store) fn byte_array(&mut self) -> Result<&'a [u8], Malformed> {
        let count = usize::try_from(self.u32()?).map_err(|_| Malformed)?;
        self.take(count)
    }

    /// Begins a structure.
    pub(in crate::store) fn structure(&mut self) -> Result<(), Malformed> {
        self.align(STRUCT_ALIGNMENT)
    }

    /// Begins a variant, which must hold a value of this type.
    pub(in crate::store) fn variant(&mut self, signature: &str) -> Result<(), Malformed> {
        match self.signature()? == signature {
            true => Ok(()),
            false => Err(Malformed),
        }
    }

    /// An array of strings or object paths.
    pub(in crate::store) fn string_array(&mut self) -> Result<Vec<String>, Malformed> {
        let end = self.array_end(4)?;
        let mut strings = Vec::new();
        while self.position < end {
            strings.push(self.string()?.to_owned());
        }
        Ok(strings)
    }

    /// Begins an array; where its elements end.
    pub(super) fn array_end(&mut self, alignment: usize) -> Result<usize, Malformed> {
        let array_bytes = usize::try_from(self.u32()?).map_err(|_| Malformed)?;
        self.align(alignment)?;
        let end = self.position.checked_add(array_bytes).ok_or(Malformed)?;
        if end > self.bytes.len() {
            return Err(Malformed);
        }
        Ok(end)
    }
}
