//! How secrets pass the bus: as they are, or encrypted under a key agreed with
//! the service (`dh-ietf1024-sha256-aes128-cbc-pkcs7`).
//!
//! The agreement is of the specification's making; its 1,024-bit group is all
//! that services take. It keeps secrets from those who read the bus's traffic,
//! not from those who can change it.
//!
//! Specification: <https://specifications.freedesktop.org/secret-service-spec/latest/transfer-secrets.html>.

use super::wire::{Malformed, Reader, Writer};
use crate::protocol::random::Randomness;
use crate::system::SystemRandomness;
use aes::Aes128;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use num_bigint_dig::BigUint;
use ring::hkdf;
use zeroize::Zeroizing;

pub(super) const PLAIN: &str = "plain";
pub(super) const DIFFIE_HELLMAN: &str = "dh-ietf1024-sha256-aes128-cbc-pkcs7";

const GROUP_BYTES: usize = 128;
const KEY_BYTES: usize = 16;
const IV_BYTES: usize = 16;
/// What `secret-tool` and libsecret read as text.
const CONTENT_TYPE: &str = "text/plain";

/// The prime of the second Oakley group (RFC 2409 §6.2).
const PRIME_HEX: &[u8] = b"ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74\
020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6\
f44c42e9a637ed6b0bff5cb6f406b7edee386bfb5a899fa5ae9f24117c4b1fe649286651ece65381ffffffffffffffff";
const GENERATOR: u32 = 2;

type AesKey = Zeroizing<[u8; KEY_BYTES]>;

/// The session at the service, in which secrets are handed over.
pub(super) struct Session {
    path: String,
    key: Option<AesKey>,
}

impl Session {
    pub(super) fn plain(path: String) -> Self {
        Session { path, key: None }
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Writes a secret as the services' type `(oayays)`; `None` where there is
    /// no randomness for it.
    pub(super) fn write_secret(&self, secret: &[u8], out: &mut Writer) -> Option<()> {
        let (parameters, sealed) = match &self.key {
            None => (Vec::new(), None),
            Some(key) => {
                let mut iv = [0_u8; IV_BYTES];
                SystemRandomness.fill(&mut iv).ok()?;
                let cipher = cbc::Encryptor::<Aes128>::new((&**key).into(), &iv.into());
                (iv.to_vec(), Some(cipher.encrypt_padded_vec::<Pkcs7>(secret)))
            }
        };
        let value = sealed.as_deref().unwrap_or(secret);
        out.reserve(value.len() + 256);
        out.structure(|members| {
            members.string(&self.path);
            members.byte_array(&parameters);
            members.byte_array(value);
            members.string(CONTENT_TYPE);
        });
        Some(())
    }

    /// Reads a secret of that type.
    pub(super) fn read_secret(&self, body: &mut Reader<'_>) -> Result<Zeroizing<Vec<u8>>, Malformed> {
        body.structure()?;
        let _session = body.string()?;
        let parameters = body.byte_array()?;
        let value = body.byte_array()?;
        let Some(key) = &self.key else {
            return Ok(Zeroizing::new(value.to_vec()));
        };
        let iv = <[u8; IV_BYTES]>::try_from(parameters).map_err(|_| Malformed)?;
        let cipher = cbc::Decryptor::<Aes128>::new((&**key).into(), &iv.into());
        let opened = cipher.decrypt_padded_vec::<Pkcs7>(value).map_err(|_| Malformed)?;
        Ok(Zeroizing::new(opened))
    }
}

/// Our half of a key agreement.
pub(super) struct KeyAgreement {
    exponent: Zeroizing<Vec<u8>>,
    prime: BigUint,
}

impl KeyAgreement {
    /// Draws a key; `None` where there is no randomness for it.
    pub(super) fn draw() -> Option<Self> {
        let mut exponent = Zeroizing::new(vec![0_u8; GROUP_BYTES]);
        SystemRandomness.fill(&mut exponent).ok()?;
        let prime = BigUint::parse_bytes(PRIME_HEX, 16)?;
        Some(KeyAgreement { exponent, prime })
    }

    fn power(&self, base: &BigUint) -> BigUint {
        base.modpow(&BigUint::from_bytes_be(&self.exponent), &self.prime)
    }

    pub(super) fn public_key(&self) -> Vec<u8> {
        self.power(&BigUint::from(GENERATOR)).to_bytes_be()
    }

    /// The session with the service that has this public key.
    pub(super) fn agree(&self, path: String, service_key: &[u8]) -> Result<Session, Malformed> {
        let service_key = BigUint::from_bytes_be(service_key);
        let one = BigUint::from(1_u32);
        // 0, 1 and p - 1 would make the key known to everyone
        if service_key <= one || service_key >= &self.prime - &one {
            return Err(Malformed);
        }
        let shared = Zeroizing::new(self.power(&service_key).to_bytes_be());
        let mut padded = Zeroizing::new(vec![0_u8; GROUP_BYTES.saturating_sub(shared.len())]);
        padded.extend_from_slice(&shared);
        let mut key = Zeroizing::new([0_u8; KEY_BYTES]);
        hkdf::Salt::new(hkdf::HKDF_SHA256, &[])
            .extract(&padded)
            .expand(&[], KeyLength)
            .and_then(|material| material.fill(key.as_mut()))
            .map_err(|_| Malformed)?;
        Ok(Session { path, key: Some(key) })
    }
}

struct KeyLength;

impl hkdf::KeyType for KeyLength {
    fn len(&self) -> usize {
        KEY_BYTES
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use crate::store::keyring::secret_service::wire::Writer;

    #[test]
    fn two_sides_agree_on_a_key_and_public_keys_that_give_it_away_are_refused() {
        let (ours, theirs) = (KeyAgreement::draw().unwrap(), KeyAgreement::draw().unwrap());
        let path = || "/session".to_owned();
        let here = ours.agree(path(), &theirs.public_key()).unwrap();
        let there = theirs.agree(path(), &ours.public_key()).unwrap();
        assert_eq!(here.key.unwrap(), there.key.unwrap());
        let prime = ours.prime.to_bytes_be();
        let almost = (&ours.prime - 1_u32).to_bytes_be();
        for known in [&[][..], &[0], &[1], &almost, &prime] {
            assert!(ours.agree(path(), known).is_err(), "{known:?}");
        }
    }

    #[test]
    fn an_encrypted_secret_is_not_in_what_is_written() {
        let agreement = KeyAgreement::draw().unwrap();
        let session = agreement
            .agree("/session".to_owned(), &KeyAgreement::draw().unwrap().public_key())
            .unwrap();
        let mut out = Writer::with_capacity(0);
        session.write_secret(b"canary-0123456789", &mut out).unwrap();
        assert!(!out.bytes().windows(6).any(|window| window == b"canary"));
        let mut plain = Writer::with_capacity(0);
        Session::plain("/session".to_owned())
            .write_secret(b"canary-0123456789", &mut plain)
            .unwrap();
        assert!(plain.bytes().windows(6).any(|window| window == b"canary"));
    }
}
