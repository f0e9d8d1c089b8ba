//! The one TLS stack: rustls with ring, TLS 1.2 and 1.3, certificate and host
//! name always verified (RFC 6749 §10.9, RFC 9325). There is no switch to turn
//! verification off.
//!
//! Trusted certificates, first that is given: `--cacert`, `SSL_CERT_FILE`
//! and `SSL_CERT_DIR`, the system's. On Linux the system's bundle file is
//! read alone: the folder beside it holds the same certificates again, and
//! scanning it takes four times as long as everything else here together.

use super::TransportSettings;
use super::cause::PemProblem;
use super::certificate_verifier::ExplainingVerifier;
use super::client_key::certified_key;
use super::error::TransportError;
use crate::protocol::tls_identity::TlsIdentity;
use crate::system::files::named;
use rustls::client::danger::ServerCertVerifier;
use rustls::client::{WantsClientCert, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::SingleCertAndKey;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// For the network.
///
/// # Errors
/// The files of the settings that cannot be used, or a system without
/// trusted certificates.
pub(super) fn with_roots(settings: &TransportSettings) -> Result<ClientConfig, TransportError> {
    let verified = verified(settings)?;
    let mut configuration = match &settings.client_certificate {
        Some((certificate, key)) => with_client_certificate(verified, certificate, key)?,
        None => verified.with_no_client_auth(),
    };
    configuration.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(configuration)
}

/// The same for a client that shows this certificate (RFC 8705 §2).
///
/// # Errors
/// As [`with_roots`].
pub(super) fn with_identity(
    settings: &TransportSettings,
    identity: &TlsIdentity,
) -> Result<ClientConfig, TransportError> {
    let shown = Arc::new(SingleCertAndKey::from(certified_key(identity)));
    let mut configuration = verified(settings)?.with_client_cert_resolver(shown);
    configuration.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(configuration)
}

/// Trusts what the settings say.
fn verified(settings: &TransportSettings) -> Result<Unauthenticated, TransportError> {
    let builder = builder()?;
    // a variable that is set to nothing counts as not set
    let is_set = |path: &&PathBuf| !path.as_os_str().is_empty();
    let file = settings.ssl_cert_file.as_ref().filter(is_set);
    let folders: Vec<&PathBuf> = settings.ssl_cert_dir.iter().filter(is_set).collect();
    if let Some(path) = &settings.ca_file {
        trusting(builder, roots_of_file("--cacert", path)?)
    } else if file.is_some() || !folders.is_empty() {
        trusting(builder, roots_of_environment(file, &folders)?)
    } else {
        Ok(explaining(builder, system::verifier()?, Vec::new()))
    }
}

/// For http on this machine: trusts no authority. Files that are named must be
/// usable all the same, or the mistake shows only at the first https request.
pub(super) fn without_roots(settings: &TransportSettings) -> Result<ClientConfig, TransportError> {
    if let Some(path) = &settings.ca_file {
        roots_of_file("--cacert", path)?;
    }
    let unverified = builder()?.with_root_certificates(RootCertStore::empty());
    match &settings.client_certificate {
        Some((certificate, key)) => with_client_certificate(unverified, certificate, key),
        None => Ok(unverified.with_no_client_auth()),
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn builder() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, TransportError> {
    ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(TransportError::TlsNotSetUp)
}

type Unauthenticated = ConfigBuilder<ClientConfig, WantsClientCert>;

/// Trusts these certificates alone.
fn trusting(
    builder: ConfigBuilder<ClientConfig, WantsVerifier>,
    roots: Roots,
) -> Result<Unauthenticated, TransportError> {
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots.store), provider()).build();
    let verifier = verifier.map_err(|_| TransportError::NoRoots)?;
    Ok(explaining(builder, verifier, roots.certificates))
}

/// What verifies stays what it is; its errors say more.
fn explaining(
    builder: ConfigBuilder<ClientConfig, WantsVerifier>,
    verifier: Arc<dyn ServerCertVerifier>,
    trusted: Vec<CertificateDer<'static>>,
) -> Unauthenticated {
    let verifier = Arc::new(ExplainingVerifier::new(verifier, trusted));
    builder.dangerous().with_custom_certificate_verifier(verifier)
}

/// Trusted certificates, and the same as they were read.
struct Roots {
    store: RootCertStore,
    certificates: Vec<CertificateDer<'static>>,
}

impl Roots {
    fn none() -> Self {
        Roots {
            store: RootCertStore::empty(),
            certificates: Vec::new(),
        }
    }

    /// Takes those that can be parsed; says how many.
    fn add(&mut self, certificates: Vec<CertificateDer<'static>>) -> usize {
        self.certificates.extend(certificates.iter().cloned());
        self.store.add_parsable_certificates(certificates).0
    }
}

fn roots_of_file(named_by: &'static str, path: &Path) -> Result<Roots, TransportError> {
    let unusable = |problem| TransportError::CaFile {
        named_by,
        path: path.to_owned(),
        problem,
    };
    let mut roots = Roots::none();
    if roots.add(certificates(path).map_err(unusable)?) == 0 {
        return Err(unusable(PemProblem::NothingInIt("certificate")));
    }
    Ok(roots)
}

/// A folder that does not exist is skipped, as OpenSSL does: the variable
/// often names several for several systems. No certificate at all is an error.
fn roots_of_environment(file: Option<&PathBuf>, folders: &[&PathBuf]) -> Result<Roots, TransportError> {
    let mut roots = match file {
        Some(path) => roots_of_file("SSL_CERT_FILE", path)?,
        None => Roots::none(),
    };
    let mut problem = PemProblem::NothingInIt("certificate");
    for folder in folders {
        let entries = match named::list(folder) {
            Ok(entries) => entries,
            Err(error) => {
                problem = PemProblem::Unreadable(error);
                continue;
            }
        };
        for path in entries {
            // a folder of certificates also holds links and lists that are none
            if let Ok(certificates) = certificates(&path) {
                roots.add(certificates);
            }
        }
    }
    if roots.store.is_empty() {
        return Err(TransportError::CaFile {
            named_by: "SSL_CERT_DIR",
            path: std::env::join_paths(folders).map_or_else(|_| PathBuf::new(), PathBuf::from),
            problem,
        });
    }
    Ok(roots)
}

fn with_client_certificate(
    builder: ConfigBuilder<ClientConfig, WantsClientCert>,
    certificate: &Path,
    key: &Path,
) -> Result<ClientConfig, TransportError> {
    let chain = certificates(certificate).map_err(|problem| TransportError::ClientCertificate {
        path: certificate.to_owned(),
        problem,
    })?;
    let private_key = private_key(key).map_err(|problem| TransportError::ClientKey {
        path: key.to_owned(),
        problem,
    })?;
    builder
        .with_client_auth_cert(chain, private_key)
        .map_err(|source| TransportError::ClientCertificateAndKey {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            source: Box::new(source),
        })
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, PemProblem> {
    let text = named::read(path).map_err(PemProblem::Unreadable)?;
    let certificates: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(&text).collect();
    let certificates = certificates.map_err(PemProblem::Malformed)?;
    if certificates.is_empty() {
        return Err(PemProblem::NothingInIt("certificate"));
    }
    Ok(certificates)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, PemProblem> {
    let text = named::read(path).map_err(PemProblem::Unreadable)?;
    match PrivateKeyDer::from_pem_slice(&text) {
        Ok(key) => Ok(key),
        Err(pem::Error::NoItemsFound) => Err(PemProblem::NothingInIt("unencrypted private key")),
        Err(error) => Err(PemProblem::Malformed(error)),
    }
}

#[cfg(all(unix, not(target_os = "macos")))]
mod system {
    use super::{Arc, RootCertStore, ServerCertVerifier, TransportError, WebPkiServerVerifier, provider};
    use std::path::Path;

    pub(super) fn verifier() -> Result<Arc<dyn ServerCertVerifier>, TransportError> {
        let found = openssl_probe::probe();
        let mut roots = load(found.cert_file.as_deref(), None);
        for folder in &found.cert_dir {
            if roots.is_empty() {
                roots = load(None, Some(folder));
            }
        }
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build();
        Ok(verifier.map_err(|_| TransportError::NoRoots)?)
    }

    fn load(file: Option<&Path>, folder: Option<&Path>) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        // what cannot be read or parsed is the system's business; the rest counts
        roots.add_parsable_certificates(rustls_native_certs::load_certs_from_paths(file, folder).certs);
        roots
    }
}

#[cfg(any(target_os = "macos", windows))]
mod system {
    use super::{Arc, ServerCertVerifier, TransportError, provider};

    pub(super) fn verifier() -> Result<Arc<dyn ServerCertVerifier>, TransportError> {
        let verifier = rustls_platform_verifier::Verifier::new(provider()).map_err(TransportError::TlsNotSetUp)?;
        Ok(Arc::new(verifier))
    }
}
