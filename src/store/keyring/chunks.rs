//! One value under one name, on platforms that limit an item's size: a value
//! that is too long is cut into chunks `NAME#GENERATION#INDEX`, and the item
//! `NAME` holds a header that says which generation counts.
//!
//! The header is written last, which is the moment the new value takes the
//! place of the old one; the chunks of the current generation are never written
//! to, and those of the old one are removed afterwards. Reading checks length
//! and SHA-256 of the whole.

use super::error::{KeyringError, Operation};
use crate::hex::hex;
use crate::store::session::{Session, SessionError};
use keyring_core::{CredentialStore, Entry, Error};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// The `service` attribute of every item.
pub(in crate::store) const SERVICE: &str = "oauth";
/// More than any session needs, and few enough items for a platform that limits them.
const MAX_CHUNKED_BYTES: usize = 64 * 1024;
/// Left free in every item, for what a platform may add.
const RESERVE_BYTES: usize = 160;
/// A writer that replaces the value in between makes a reader start again.
const READ_ATTEMPTS: usize = 3;
const HEADER_START: &[u8] = br#"{"oauth_chunks":"#;

type Value = Zeroizing<Vec<u8>>;

#[derive(Clone, Serialize, Deserialize)]
struct Header {
    /// The version of this layout.
    oauth_chunks: u32,
    generation: u64,
    count: usize,
    bytes: usize,
    sha256: String,
}

/// The value under this name, or `None`.
pub(in crate::store) fn read(store: &CredentialStore, name: &str) -> Result<Option<Value>, KeyringError> {
    for _ in 0..READ_ATTEMPTS {
        let Some(value) = get(store, name)? else {
            return Ok(None);
        };
        if !value.starts_with(HEADER_START) {
            return Ok(Some(value));
        }
        let header = parse_header(&value)?;
        match assemble(store, name, &header) {
            Ok(value) => return Ok(Some(value)),
            Err(error @ KeyringError::Damaged { .. }) => {
                let unchanged = get(store, name)?.is_some_and(|again| again == value);
                if unchanged {
                    return Err(error);
                }
            }
            Err(error) => return Err(error),
        }
    }
    Err(damaged("is being rewritten all the time"))
}

/// What the value's place holds now, as [`check_replaceable`] found it.
#[derive(Clone)]
pub(in crate::store) struct CurrentHeader {
    exists: bool,
    header: Option<Header>,
}

impl CurrentHeader {
    /// Whether there is a value, of one chunk or of several.
    pub(in crate::store) fn exists(&self) -> bool {
        self.exists
    }
}

/// Puts the value in the place of the old one, in chunks where it is longer
/// than `item_limit_bytes`. What a newer program wrote is left alone.
pub(in crate::store) fn write(
    store: &CredentialStore,
    name: &str,
    value: &[u8],
    item_limit_bytes: Option<usize>,
) -> Result<(), KeyringError> {
    let current = check_replaceable(store, name)?;
    overwrite(store, name, value, item_limit_bytes, current)
}

/// The same where that was found out before, and no process wrote in between.
pub(in crate::store) fn overwrite(
    store: &CredentialStore,
    name: &str,
    value: &[u8],
    item_limit_bytes: Option<usize>,
    current: CurrentHeader,
) -> Result<(), KeyringError> {
    let Some(limit_bytes) = item_limit_bytes.filter(|limit| value.len() > *limit) else {
        set(store, name, value)?;
        if let Some(header) = current.header {
            // The value is written, and that is what was asked for
            let _ = sweep(store, name, header.generation, None);
        }
        return Ok(());
    };
    if value.len() > MAX_CHUNKED_BYTES {
        return Err(KeyringError::TooLarge {
            size_bytes: Some(value.len()),
            limit_bytes: MAX_CHUNKED_BYTES,
        });
    }
    let current_generation = current.header.map_or(0, |header| header.generation);
    let generation = current_generation.wrapping_add(1);
    let chunk_bytes = limit_bytes.saturating_sub(RESERVE_BYTES).max(1);
    let mut count = 0;
    for chunk in value.chunks(chunk_bytes) {
        set(store, &chunk_name(name, generation, count), chunk)?;
        count += 1;
    }
    let header = Header {
        oauth_chunks: 1,
        generation,
        count,
        bytes: value.len(),
        sha256: hex_sha256(value),
    };
    let header = serde_json::to_vec(&header).map_err(|_| damaged("has a header that cannot be written"))?;
    set(store, name, &header)?;
    let _ = sweep(store, name, current_generation, Some((generation, count)));
    Ok(())
}

/// Removes the value and its chunks; whether there was one.
pub(in crate::store) fn delete(store: &CredentialStore, name: &str) -> Result<bool, KeyringError> {
    let header = get(store, name)?
        .filter(|value| value.starts_with(HEADER_START))
        .and_then(|value| parse_header(&value).ok());
    let existed = delete_item(store, name)?;
    if let Some(header) = header {
        sweep(store, name, header.generation, None)?;
    }
    Ok(existed)
}

/// Whether the value may be overwritten: not where a newer program wrote it.
pub(in crate::store) fn check_replaceable(store: &CredentialStore, name: &str) -> Result<CurrentHeader, KeyringError> {
    let Some(value) = get(store, name)? else {
        return Ok(CurrentHeader {
            exists: false,
            header: None,
        });
    };
    let header = current_header(store, name, value)?;
    Ok(CurrentHeader { exists: true, header })
}

/// The header that counts now. Refuses to go on where a newer program wrote the value.
fn current_header(store: &CredentialStore, name: &str, value: Value) -> Result<Option<Header>, KeyringError> {
    let (header, whole) = if value.starts_with(HEADER_START) {
        match parse_header(&value) {
            Ok(header) => {
                let whole = assemble(store, name, &header);
                (Some(header), whole)
            }
            Err(error) => (None, Err(error)),
        }
    } else {
        (None, Ok(value))
    };
    match whole {
        Ok(value) => match std::str::from_utf8(&value).map(Session::decode) {
            Ok(Err(source)) if !source.is_damage() => Err(KeyringError::Record(source)),
            _ => Ok(header),
        },
        // Damaged values may be replaced
        Err(KeyringError::Damaged { .. }) => Ok(header),
        Err(error) => Err(error),
    }
}

fn parse_header(value: &[u8]) -> Result<Header, KeyringError> {
    // Only the type of the mistake is told: the value stays out of the error
    let header: Header = serde_json::from_slice(value).map_err(|_| damaged("has a malformed header"))?;
    match header.oauth_chunks {
        1 => Ok(header),
        version => Err(KeyringError::Record(SessionError::NewerVersion(version.into()))),
    }
}

fn assemble(store: &CredentialStore, name: &str, header: &Header) -> Result<Value, KeyringError> {
    if header.bytes > MAX_CHUNKED_BYTES || header.count > header.bytes {
        return Err(damaged("has a header with impossible sizes"));
    }
    let mut whole = Zeroizing::new(Vec::with_capacity(header.bytes));
    for index in 0..header.count {
        let chunk = get(store, &chunk_name(name, header.generation, index))?
            .ok_or_else(|| damaged("lacks one of its chunks"))?;
        if whole.len() + chunk.len() > header.bytes {
            return Err(damaged("has chunks that are too long"));
        }
        whole.extend_from_slice(&chunk);
    }
    if whole.len() == header.bytes && hex_sha256(&whole) == header.sha256 {
        Ok(whole)
    } else {
        Err(damaged("has chunks that do not belong together"))
    }
}

/// Removes the chunks of a generation and those that a writer of the next one
/// may have left; of `written`, only what is beyond its count.
fn sweep(
    store: &CredentialStore,
    name: &str,
    old_generation: u64,
    written: Option<(u64, usize)>,
) -> Result<(), KeyringError> {
    for generation in [old_generation, old_generation.wrapping_add(1)] {
        let first = match written {
            Some((kept, count)) if kept == generation => count,
            _ => 0,
        };
        let mut index = first;
        while delete_item(store, &chunk_name(name, generation, index))? {
            index += 1;
        }
    }
    Ok(())
}

fn chunk_name(name: &str, generation: u64, index: usize) -> String {
    format!("{name}#{generation}#{index}")
}

fn damaged(how: &'static str) -> KeyringError {
    KeyringError::Damaged { how }
}

fn hex_sha256(value: &[u8]) -> String {
    hex(&Sha256::digest(value))
}

fn entry(store: &CredentialStore, name: &str) -> Result<Entry, KeyringError> {
    store
        .build(SERVICE, name, None)
        .map_err(|error| KeyringError::from_core(error, Operation::Find))
}

fn get(store: &CredentialStore, name: &str) -> Result<Option<Value>, KeyringError> {
    match entry(store, name)?.get_secret() {
        Ok(value) => Ok(Some(Zeroizing::new(value))),
        Err(Error::NoEntry) => Ok(None),
        Err(error) => Err(KeyringError::from_core(error, Operation::Read)),
    }
}

fn set(store: &CredentialStore, name: &str, value: &[u8]) -> Result<(), KeyringError> {
    entry(store, name)?
        .set_secret(value)
        .map_err(|error| KeyringError::from_core(error, Operation::Write))
}

fn delete_item(store: &CredentialStore, name: &str) -> Result<bool, KeyringError> {
    match entry(store, name)?.delete_credential() {
        Ok(()) => Ok(true),
        Err(Error::NoEntry) => Ok(false),
        Err(error) => Err(KeyringError::from_core(error, Operation::Delete)),
    }
}

#[cfg(test)]
mod tests;
