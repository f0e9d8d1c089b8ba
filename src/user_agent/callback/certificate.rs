//! The certificate of a callback by https: the user's own, or one that is
//! made for the occasion.

use crate::exit::{Diagnosis, ExitCode};
use crate::hex::hex;
use crate::system::tls::ListenerIdentity;
use rustls::ServerConfig;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use sha2::{Digest, Sha256};
use std::path::PathBuf;
use std::sync::Arc;

/// Which certificate the listener shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallbackCertificate {
    /// PEM files with the chain and its key (`--callback-cert`, `--callback-key`).
    Files {
        /// The chain, the listener's own certificate first.
        chain: PathBuf,
        key: PathBuf,
    },
    /// Self-signed, with a key that never leaves this process.
    Made,
}

/// The certificate cannot be used or made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallbackCertificateError {
    #[error("the certificate {} cannot be used", path.display())]
    Chain {
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: pem::Error,
    },
    #[error("the key {} (given by --callback-key) cannot be used", path.display())]
    Key {
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: pem::Error,
    },
    /// They do not belong together, or TLS cannot use them.
    #[error("the certificate of the callback cannot be used")]
    Unusable(#[source] rustls::Error),
    /// Randomness failed, above all.
    #[error("no certificate can be made for the callback")]
    NotMade(#[source] rcgen::Error),
}

impl Diagnosis for CallbackCertificateError {
    fn exit_code(&self) -> ExitCode {
        match self {
            CallbackCertificateError::NotMade(_) => ExitCode::Unexpected,
            _ => ExitCode::Usage,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            CallbackCertificateError::NotMade(_) => Vec::new(),
            _ => vec![
                "Both files are PEM: --callback-cert has the chain, --callback-key its unencrypted key. Without them, a certificate is made for this login."
                    .to_owned(),
            ],
        }
    }
}

/// What the listener speaks TLS with.
pub(super) struct ListenerTls {
    pub(super) config: Arc<ServerConfig>,
    /// What a person should know before the browser shows it.
    pub(super) note: Option<String>,
}

impl CallbackCertificate {
    /// Reads the files now, for those who must know before anything is sent.
    ///
    /// # Errors
    /// [`CallbackCertificateError`].
    pub fn check(&self) -> Result<(), CallbackCertificateError> {
        match self {
            CallbackCertificate::Files { .. } => self.configure("localhost").map(|_| ()),
            CallbackCertificate::Made => Ok(()),
        }
    }

    /// The TLS configuration for a listener that browsers reach by this name.
    ///
    /// # Errors
    /// [`CallbackCertificateError`].
    pub(super) fn configure(&self, name: &str) -> Result<ListenerTls, CallbackCertificateError> {
        let (identity, note) = match self {
            CallbackCertificate::Files { chain, key } => (read(chain, key)?, None),
            CallbackCertificate::Made => {
                let host = name.trim_start_matches('[').trim_end_matches(']');
                let identity = ListenerIdentity::self_signed(host).map_err(CallbackCertificateError::NotMade)?;
                let note = identity.chain.first().map(|certificate| note_for(name, certificate));
                (identity, note)
            }
        };
        let config = identity
            .configure(WebPkiClientVerifier::no_client_auth())
            .map_err(CallbackCertificateError::Unusable)?;
        Ok(ListenerTls {
            config: Arc::new(config),
            note,
        })
    }
}

fn read(chain: &PathBuf, key: &PathBuf) -> Result<ListenerIdentity, CallbackCertificateError> {
    let unusable = |source| CallbackCertificateError::Chain {
        path: chain.clone(),
        source,
    };
    let certificates = CertificateDer::pem_file_iter(chain).map_err(unusable)?;
    let certificates: Vec<_> = certificates.collect::<Result<_, _>>().map_err(unusable)?;
    if certificates.is_empty() {
        return Err(unusable(pem::Error::NoItemsFound));
    }
    let private_key = PrivateKeyDer::from_pem_file(key);
    let private_key = private_key.map_err(|source| CallbackCertificateError::Key {
        path: key.clone(),
        source,
    })?;
    Ok(ListenerIdentity {
        chain: certificates,
        key: private_key,
    })
}

/// What the browser will show, and by what the person can tell our certificate.
fn note_for(name: &str, certificate: &CertificateDer<'_>) -> String {
    let digest = hex(&Sha256::digest(certificate));
    let pairs: Vec<&str> = digest
        .as_bytes()
        .chunks(2)
        .filter_map(|pair| std::str::from_utf8(pair).ok())
        .collect();
    format!(
        "the browser will warn about the certificate of https://{name}, because it was made for this login: continue there. Its SHA-256 fingerprint is {}. A certificate that the browser trusts brings no warning: --callback-cert FILE --callback-key FILE",
        pairs.join(":").to_uppercase()
    )
}
