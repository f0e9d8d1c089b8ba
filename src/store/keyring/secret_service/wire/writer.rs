//! Values as D-Bus messages carry them, written in little-endian order; the
//! bytes are erased when they are dropped.

use super::STRUCT_ALIGNMENT;
use zeroize::Zeroizing;

/// Writes values in the order of a signature.
pub(in crate::store) struct Writer {
    pub(super) bytes: Zeroizing<Vec<u8>>,
}

impl Writer {
    pub(in crate::store) fn with_capacity(capacity_bytes: usize) -> Self {
        Writer {
            bytes: Zeroizing::new(Vec::with_capacity(capacity_bytes)),
        }
    }

    pub(in crate::store) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Makes room at once: a vector that grows leaves its content behind in memory.
    pub(in crate::store) fn reserve(&mut self, additional_bytes: usize) {
        let mut larger = Zeroizing::new(Vec::with_capacity(self.bytes.len() + additional_bytes + 64));
        larger.extend_from_slice(&self.bytes);
        self.bytes = larger;
    }

    pub(super) fn align(&mut self, alignment: usize) {
        let aligned = self.bytes.len().next_multiple_of(alignment);
        self.bytes.resize(aligned, 0);
    }

    pub(in crate::store) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn u32(&mut self, value: u32) {
        self.align(4);
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub(in crate::store) fn boolean(&mut self, value: bool) {
        self.u32(u32::from(value));
    }

    /// A string or an object path.
    pub(in crate::store) fn string(&mut self, value: &str) {
        self.u32(length(value.len()));
        self.bytes.extend_from_slice(value.as_bytes());
        self.bytes.push(0);
    }

    pub(super) fn signature(&mut self, value: &str) {
        self.bytes.push(u8::try_from(value.len()).unwrap_or(u8::MAX));
        self.bytes.extend_from_slice(value.as_bytes());
        self.bytes.push(0);
    }

    pub(in crate::store) fn byte_array(&mut self, value: &[u8]) {
        self.u32(length(value.len()));
        self.bytes.extend_from_slice(value);
    }

    /// A variant; `write` writes a value of the type that is named.
    pub(in crate::store) fn variant(&mut self, signature: &str, write: impl FnOnce(&mut Writer)) {
        self.signature(signature);
        write(self);
    }

    /// An array; `write` writes its elements.
    pub(in crate::store) fn array(&mut self, alignment: usize, write: impl FnOnce(&mut Writer)) {
        self.u32(0);
        let length_ends_at = self.bytes.len();
        self.align(alignment);
        let elements_begin_at = self.bytes.len();
        write(self);
        let array_bytes = length(self.bytes.len() - elements_begin_at);
        self.bytes[length_ends_at - 4..length_ends_at].copy_from_slice(&array_bytes.to_le_bytes());
    }

    /// A structure; `write` writes its members.
    pub(in crate::store) fn structure(&mut self, write: impl FnOnce(&mut Writer)) {
        self.align(STRUCT_ALIGNMENT);
        write(self);
    }

    pub(in crate::store) fn string_dictionary(&mut self, entries: &[(&str, &str)]) {
        self.array(STRUCT_ALIGNMENT, |dictionary| {
            for (key, value) in entries {
                dictionary.structure(|entry| {
                    entry.string(key);
                    entry.string(value);
                });
            }
        });
    }

    pub(super) fn header_field(&mut self, code: u8, signature: &str, value: &str) {
        self.align(STRUCT_ALIGNMENT);
        self.bytes.push(code);
        self.variant(signature, |variant| variant.string(value));
    }
}

/// Nothing that is sent comes near the limit of the type.
pub(super) fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
