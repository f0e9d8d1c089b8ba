//! Secrets from files, standard input and the environment, and the refusal of
//! tokens in arguments.

use super::error::{SettingsError, invalid, invalid_with_hint};
use crate::protocol::authorization_details::AuthorizationDetails;
use crate::protocol::certificate::CertificateChain;
use crate::protocol::pkce::CodeVerifier;
use crate::protocol::signing::SigningKey;
use crate::secret::Secret;
use crate::store::FileKey;
use crate::system::environment::Environment;
use crate::system::files::{FileError, named};
use std::path::Path;

/// Drops the one line ending that files and standard input end with.
///
/// # Errors
/// [`SettingsError::Value`] for an empty secret, or one that is not text.
pub fn secret_from_bytes(place: &str, bytes: Vec<u8>) -> Result<Secret, SettingsError> {
    let bytes = Secret::new(bytes);
    let text = std::str::from_utf8(bytes.expose()).map_err(|_| invalid(place, "that is not UTF-8 text"))?;
    let text = text
        .strip_suffix('\n')
        .map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
    if text.is_empty() {
        Err(invalid(place, "that is empty"))
    } else {
        Ok(Secret::from(text))
    }
}

/// A code verifier as it was given at `place`.
///
/// # Errors
/// [`SettingsError::Value`], which does not repeat it.
pub fn code_verifier(place: &str, given: &Secret) -> Result<CodeVerifier, SettingsError> {
    CodeVerifier::parse(given.expose()).map_err(|problem| invalid(place, problem))
}

/// Reads a secret from a file.
///
/// # Errors
/// [`SettingsError::Value`].
pub fn secret_from_file(place: &str, path: &Path) -> Result<Secret, SettingsError> {
    let mut bytes = named::read(path).map_err(|error| unreadable(place, path, &error))?;
    secret_from_bytes(place, std::mem::take(&mut *bytes))
}

fn unreadable(place: &str, path: &Path, error: &FileError) -> SettingsError {
    let problem = match error {
        FileError::Unreadable(source) => format!("{} cannot be read: {source}", path.display()),
        error => error.to_string(),
    };
    SettingsError::Value {
        name: place.to_owned(),
        problem,
        hint: error.hints().into_iter().next(),
    }
}

/// Reads the private key of the client.
///
/// # Errors
/// [`SettingsError::Value`], which does not repeat a key that is there
/// instead of a file's name.
pub fn signing_key_from_file(path: &Path) -> Result<SigningKey, SettingsError> {
    const PLACE: &str = "--client-key-file";
    let argument = path.to_string_lossy();
    if argument.contains("-----BEGIN") || argument.trim_start().starts_with('{') {
        return Err(invalid_with_hint(
            PLACE,
            "that is a key, and a key must not be on a command line",
            "Write it to a file, and give the file's name.",
        ));
    }
    let text = secret_from_file(PLACE, path)?;
    SigningKey::parse(text.expose()).map_err(|error| SettingsError::Value {
        name: PLACE.to_owned(),
        problem: format!("{} cannot be used: {error}", path.display()),
        hint: error.hint().map(str::to_owned),
    })
}

/// Reads the certificate of the client, and those of its issuers.
///
/// # Errors
/// [`SettingsError::Value`].
pub fn certificate_from_file(path: &Path) -> Result<CertificateChain, SettingsError> {
    const PLACE: &str = "--client-cert-file";
    // The file may hold the private key, too.
    let text = secret_from_file(PLACE, path)?;
    CertificateChain::parse(text.expose())
        .map_err(|error| invalid(PLACE, format!("{} cannot be used: {error}", path.display())))
}

/// Reads what is asked for beside the scope (RFC 9396).
///
/// # Errors
/// [`SettingsError::Value`].
pub fn authorization_details_from_file(place: &str, path: &Path) -> Result<AuthorizationDetails, SettingsError> {
    let text = secret_from_file(place, path)?;
    AuthorizationDetails::parse(text.expose())
        .map_err(|error| invalid(place, format!("{} cannot be used: {error}", path.display())))
}

/// The key of the file store, as the environment names it.
///
/// # Errors
/// [`SettingsError::Contradiction`] for two of them, [`SettingsError::Value`]
/// for a passphrase that is empty or cannot be read.
pub fn file_key(environment: &Environment) -> Result<FileKey, SettingsError> {
    const KEY_FILE: &str = "OAUTH_STORE_KEY_FILE";
    const PASSPHRASE: &str = "OAUTH_STORE_PASSPHRASE";
    const PASSPHRASE_FILE: &str = "OAUTH_STORE_PASSPHRASE_FILE";
    let mut given = [KEY_FILE, PASSPHRASE, PASSPHRASE_FILE]
        .into_iter()
        .filter(|name| environment.has(name));
    if let (Some(one), Some(other)) = (given.next(), given.next()) {
        return Err(SettingsError::Contradiction {
            one: one.to_owned(),
            other: other.to_owned(),
            problem: "each of them gives the key of the encrypted files".to_owned(),
        });
    }
    if let Some(path) = environment.path(KEY_FILE) {
        Ok(FileKey::Named(path))
    } else if let Some(path) = environment.path(PASSPHRASE_FILE) {
        Ok(FileKey::Passphrase(secret_from_file(PASSPHRASE_FILE, &path)?))
    } else if let Some(passphrase) = environment.raw(PASSPHRASE) {
        let passphrase = passphrase
            .to_str()
            .ok_or_else(|| invalid(PASSPHRASE, "that is not UTF-8 text"))?;
        Ok(FileKey::Passphrase(Secret::from(passphrase)))
    } else {
        Ok(FileKey::Generated)
    }
}

pub(super) fn is_like_a_jwt(argument: &str) -> bool {
    argument.starts_with("eyJ") && argument.matches('.').count() >= 2
}

pub(super) fn token_as_argument(place: &str, hint: &str) -> SettingsError {
    let problem = "that looks like a token, and a token must not be on a command line";
    invalid_with_hint(place, problem, hint)
}

/// Refuses a token where the name of a file should be.
///
/// # Errors
/// [`SettingsError::Value`], which does not repeat it.
pub fn reject_token_argument(place: &str, argument: &str) -> Result<(), SettingsError> {
    if is_like_a_jwt(argument) {
        return Err(token_as_argument(
            place,
            "Use - instead, and give it on standard input.",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_lose_one_line_ending_and_may_not_be_empty() {
        let read = |text: &str| secret_from_bytes("x", text.as_bytes().to_vec()).map(|secret| secret.expose().clone());
        assert_eq!(read("a\n").unwrap(), "a");
        assert_eq!(read("a\r\n").unwrap(), "a");
        assert_eq!(read("a\n\n").unwrap(), "a\n");
        assert!(read("\n").is_err() && read("").is_err());
    }
}
