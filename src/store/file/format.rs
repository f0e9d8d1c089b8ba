//! The sizes and numbers of an encrypted session's file.

pub(super) const MAGIC: &[u8; 14] = b"oauth session\n";
pub(super) const FORMAT_VERSION: u8 = 1;
pub(super) const KEY_FROM_FILE: u8 = 0;
pub(super) const KEY_FROM_PASSPHRASE: u8 = 1;
pub(super) const FINGERPRINT_BYTES: usize = 8;
pub(super) const NONCE_BYTES: usize = 24;
pub(super) const LENGTH_BYTES: usize = 4;
pub(super) const TAG_BYTES: usize = 16;
/// The header of a file whose key is in a key file; with a passphrase it is `KDF_PARAMS_BYTES` longer.
pub(super) const HEADER_BYTES: usize = MAGIC.len() + 2 + FINGERPRINT_BYTES + NONCE_BYTES + LENGTH_BYTES;
/// A session of this size would be a mistake: servers limit their tokens to a fraction of it.
pub(super) const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;
