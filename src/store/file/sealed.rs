//! A session under its key, as bytes of a file.
//!
//! Layout: magic, format version, where the key comes from (0: a key file; 1: a
//! passphrase, followed by cost and salt), a fingerprint of the key, nonce,
//! length of what follows, ciphertext and tag. By the fingerprint a wrong key is
//! told from a damaged file, by the length a torn one from a changed one.
//!
//! The format is ours because the ones at hand do not fit: age makes a header
//! of its own for each recipient and tells no wrong key from a damaged file, and
//! neither binds a file to its profile.

use super::error::FileStoreError;
use super::passphrase::{KDF_PARAMS_BYTES, KEY_BYTES, KdfParams};
use crate::protocol::random::Randomness;
use crate::secret::Secret;
use crate::store::StoreError;
use crate::system::SystemRandomness;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

pub(super) const MAGIC: &[u8; 14] = b"oauth session\n";
pub(super) const FORMAT_VERSION: u8 = 1;
const KEY_FROM_FILE: u8 = 0;
const KEY_FROM_PASSPHRASE: u8 = 1;
pub(super) const FINGERPRINT_BYTES: usize = 8;
const NONCE_BYTES: usize = 24;
pub(super) const LENGTH_BYTES: usize = 4;
const TAG_BYTES: usize = 16;
/// The header of a file whose key is in a key file; with a passphrase it is [`KDF_PARAMS_BYTES`] longer.
pub(super) const HEADER_BYTES: usize = MAGIC.len() + 2 + FINGERPRINT_BYTES + NONCE_BYTES + LENGTH_BYTES;
/// A session of this size would be a mistake: servers limit their tokens to a fraction of it.
pub(super) const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// A key and where it comes from.
#[derive(Clone)]
pub(super) struct StoreKey {
    pub(super) bytes: Secret<[u8; KEY_BYTES]>,
    pub(super) origin: KeyOrigin,
}

#[derive(Clone, PartialEq, Eq)]
pub(super) enum KeyOrigin {
    File(PathBuf),
    Passphrase(KdfParams),
}

impl StoreKey {
    pub(super) fn parse(content: &[u8], path: PathBuf) -> Result<Self, FileStoreError> {
        let text = content.strip_suffix(b"\n").unwrap_or(content);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        // base64 asks for room for whole groups of three bytes
        let mut decoded = Zeroizing::new([0_u8; KEY_BYTES + 1]);
        let length = STANDARD.decode_slice(text, decoded.as_mut()).unwrap_or_default();
        match <[u8; KEY_BYTES]>::try_from(&decoded[..length]) {
            Ok(bytes) => Ok(StoreKey {
                bytes: Secret::new(bytes),
                origin: KeyOrigin::File(path),
            }),
            Err(_) => Err(FileStoreError::KeyMalformed { path }),
        }
    }

    /// Tells keys apart and says nothing else about them: they are random, or
    /// as dear to guess as the passphrase that they were made from.
    fn fingerprint(&self) -> [u8; FINGERPRINT_BYTES] {
        let digest = Sha256::new()
            .chain_update(b"oauth store key\n")
            .chain_update(self.bytes.expose())
            .finalize();
        let mut fingerprint = [0; FINGERPRINT_BYTES];
        fingerprint.copy_from_slice(&digest[..FINGERPRINT_BYTES]);
        fingerprint
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&Key::from(*self.bytes.expose()))
    }
}

/// A key as its file holds it.
pub(super) fn key_file(key: &[u8; KEY_BYTES]) -> Zeroizing<String> {
    Zeroizing::new(format!("{}\n", STANDARD.encode(key)))
}

fn associated_data(header: &[u8], item: &str) -> Vec<u8> {
    [header, item.as_bytes()].concat()
}

pub(super) fn encrypt(record: &Secret, key: &StoreKey, item: &str) -> Result<Vec<u8>, StoreError> {
    let plain = record.expose().as_bytes();
    let sealed_bytes = u32::try_from(plain.len() + TAG_BYTES).map_err(|_| FileStoreError::TooLarge)?;
    if u64::from(sealed_bytes) + (HEADER_BYTES + KDF_PARAMS_BYTES) as u64 > MAX_FILE_BYTES {
        return Err(FileStoreError::TooLarge.into());
    }
    let mut nonce = [0_u8; NONCE_BYTES];
    SystemRandomness.fill(&mut nonce)?;

    let mut content = Vec::with_capacity(HEADER_BYTES + KDF_PARAMS_BYTES + plain.len() + TAG_BYTES);
    content.extend_from_slice(MAGIC);
    content.push(FORMAT_VERSION);
    match &key.origin {
        KeyOrigin::File(_) => content.push(KEY_FROM_FILE),
        KeyOrigin::Passphrase(derivation) => {
            content.push(KEY_FROM_PASSPHRASE);
            content.extend_from_slice(&derivation.encode());
        }
    }
    content.extend_from_slice(&key.fingerprint());
    content.extend_from_slice(&nonce);
    content.extend_from_slice(&sealed_bytes.to_be_bytes());
    let associated_data = associated_data(&content, item);

    // Room for the tag from the start: a vector that grew would leave the record behind in memory
    let mut sealed = Vec::with_capacity(plain.len() + TAG_BYTES);
    sealed.extend_from_slice(plain);
    key.cipher()
        .encrypt_in_place(&XNonce::from(nonce), &associated_data, &mut sealed)
        .map_err(|_| FileStoreError::TooLarge)?;
    content.extend_from_slice(&sealed);
    Ok(content)
}

/// A file of the store, taken apart and not opened yet.
pub(super) struct SealedSession<'a> {
    header: &'a [u8],
    /// How the key is made, where it is made from a passphrase.
    pub(super) derivation: Option<KdfParams>,
    fingerprint: &'a [u8],
    nonce: [u8; NONCE_BYTES],
    sealed: &'a [u8],
}

impl<'a> SealedSession<'a> {
    pub(super) fn parse(content: &'a [u8], path: &Path) -> Result<Self, FileStoreError> {
        let path = || path.to_path_buf();
        let truncated = |expected_bytes| FileStoreError::Truncated {
            path: path(),
            found_bytes: content.len(),
            expected_bytes,
        };
        let compared = content.len().min(MAGIC.len());
        if content[..compared] != MAGIC[..compared] {
            return Err(FileStoreError::NotASession { path: path() });
        }
        // The version decides about everything behind it
        match content.get(MAGIC.len()) {
            Some(&FORMAT_VERSION) => {}
            Some(&format) if format > FORMAT_VERSION => {
                return Err(FileStoreError::NewerFormat { path: path(), format });
            }
            Some(_) => return Err(FileStoreError::NotASession { path: path() }),
            None => return Err(truncated(HEADER_BYTES)),
        }
        // and the kind of key about how long the header is
        let header_bytes = match content.get(MAGIC.len() + 1) {
            Some(&KEY_FROM_FILE) => HEADER_BYTES,
            Some(&KEY_FROM_PASSPHRASE) => HEADER_BYTES + KDF_PARAMS_BYTES,
            Some(&kind) => return Err(FileStoreError::UnknownKeyKind { path: path(), kind }),
            None => return Err(truncated(HEADER_BYTES)),
        };
        let Some((header, sealed)) = content.split_at_checked(header_bytes) else {
            return Err(truncated(header_bytes));
        };
        let mut rest = &header[MAGIC.len() + 2..];
        let mut derivation = None;
        if header_bytes > HEADER_BYTES
            && let Some((bytes, behind)) = rest.split_first_chunk::<KDF_PARAMS_BYTES>()
        {
            derivation = Some(KdfParams::decode(bytes));
            rest = behind;
        }
        let (fingerprint, rest) = rest.split_at(FINGERPRINT_BYTES);
        let (nonce, length) = rest.split_at(NONCE_BYTES);
        let sealed_bytes = length.iter().fold(0_usize, |sum, &byte| (sum << 8) | usize::from(byte));
        if sealed.len() < sealed_bytes {
            return Err(truncated(header_bytes.saturating_add(sealed_bytes)));
        }
        let mut nonce_bytes = [0_u8; NONCE_BYTES];
        nonce_bytes.copy_from_slice(nonce);
        Ok(SealedSession {
            header,
            derivation,
            fingerprint,
            nonce: nonce_bytes,
            sealed,
        })
    }

    pub(super) fn open(&self, key: &StoreKey, item: &str, path: &Path) -> Result<Secret, FileStoreError> {
        let path = || path.to_path_buf();
        if self.fingerprint != key.fingerprint() {
            return Err(match &key.origin {
                KeyOrigin::File(key) => FileStoreError::WrongKey {
                    path: path(),
                    key: key.clone(),
                },
                KeyOrigin::Passphrase(_) => FileStoreError::WrongPassphrase { path: path() },
            });
        }
        let mut record = Zeroizing::new(self.sealed.to_vec());
        key.cipher()
            .decrypt_in_place(
                &XNonce::from(self.nonce),
                &associated_data(self.header, item),
                &mut *record,
            )
            .map_err(|_| FileStoreError::Tampered { path: path() })?;
        let text = std::str::from_utf8(&record).map_err(|_| FileStoreError::NotASession { path: path() })?;
        Ok(Secret::from(text))
    }
}
