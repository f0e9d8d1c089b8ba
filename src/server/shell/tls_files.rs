//! The certificates of the development server (`--tls DIR`): an authority that
//! can vouch for this machine alone, the server's own certificate, and one for
//! a client. They are made once and used again; the server's own is renewed
//! before it ends.

use crate::exit::{Diagnosis, ExitCode};
use crate::protocol::certificate::{CertificateChain, pem_block};
use crate::protocol::certificate_names::expiry_s;
use crate::secret::Secret;
use crate::system::files::{FileError, PermissionPolicy, PrivateDir};
use crate::system::now;
use crate::system::tls::ListenerIdentity;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, date_time_ymd,
};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The certificate for `--cacert`.
pub const AUTHORITY: &str = "authority.pem";
const AUTHORITY_KEY: &str = "authority.key.pem";
const SERVER: &str = "server.pem";
const SERVER_KEY: &str = "server.key.pem";
/// The certificate for `--client-cert-file`.
pub const CLIENT: &str = "client.pem";
/// The key for `--client-key-file`.
pub const CLIENT_KEY: &str = "client.key.pem";
const LOCK: &str = "lock";

/// How long to wait for another server that makes the files.
const LOCK_WAIT: Duration = Duration::from_secs(10);

/// The subject of the client certificate, for `tls_client_auth_subject_dn`.
pub const CLIENT_SUBJECT: &str = "CN=oauth serve client";

const MAX_FILE_BYTES: u64 = 64 * 1024;

const DAY_S: i64 = 24 * 3600;
/// Of the authority and of the client.
const LONG_S: i64 = 3650 * DAY_S;
/// Browsers take no certificates of servers that live longer.
const SERVER_S: i64 = 397 * DAY_S;
/// The server's certificate is renewed when less is left.
const RENEWED_BEFORE_END_S: i64 = 30 * DAY_S;

/// Why there are no certificates.
#[derive(Debug, thiserror::Error)]
pub enum TlsFilesError {
    /// The folder or a file of it.
    #[error(transparent)]
    File(#[from] FileError),
    #[error("the folder {} cannot be locked", path.display())]
    Lock {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{} is damaged", path.display())]
    Pem {
        path: PathBuf,
        #[source]
        source: pem::Error,
    },
    #[error("{} is not a key that certificates can be signed with", path.display())]
    Key {
        path: PathBuf,
        #[source]
        source: rcgen::Error,
    },
    #[error("{} is missing, but certificates of that authority are there", path.display())]
    NoKey { path: PathBuf },
    #[error("the authority {} has expired", path.display())]
    AuthorityExpired { path: PathBuf },
    /// Randomness failed, above all.
    #[error("the certificates cannot be made")]
    NotMade(#[source] rcgen::Error),
    #[error("the certificates cannot be used")]
    Unusable(#[source] rustls::Error),
}

impl Diagnosis for TlsFilesError {
    fn exit_code(&self) -> ExitCode {
        match self {
            TlsFilesError::NotMade(_) => ExitCode::Unexpected,
            _ => ExitCode::Usage,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            TlsFilesError::File(error) => error.hints(),
            TlsFilesError::NotMade(_) | TlsFilesError::Lock { .. } => Vec::new(),
            _ => vec!["Name another folder, or remove the files of this one: all of them are made again.".to_owned()],
        }
    }
}

/// The server's certificate, and the authorities that it trusts.
pub(super) struct TlsFiles {
    pub(super) authority: CertificateDer<'static>,
    pub(super) server: ListenerIdentity,
}

impl TlsFiles {
    /// Reads the folder; what is not there is made. Of two servers at once one
    /// makes it, and the other waits for that.
    pub(super) fn open(path: &Path) -> Result<Self, TlsFilesError> {
        let folder = Folder(PrivateDir::make_shared(path)?);
        let lock = folder.0.lock_file(LOCK)?;
        lock.lock_within(LOCK_WAIT).map_err(|source| TlsFilesError::Lock {
            path: path.to_owned(),
            source,
        })?;
        let authority = match folder.certificate(AUTHORITY)? {
            Some(certificate) => certificate,
            None => folder.make_authority()?,
        };
        if folder.left_s(&authority) <= 0 {
            return Err(TlsFilesError::AuthorityExpired {
                path: folder.0.file(AUTHORITY),
            });
        }
        if folder.certificate(CLIENT)?.is_none() {
            folder.make(client_params(), CLIENT, CLIENT_KEY)?;
        }
        let server = match (folder.certificate(SERVER)?, folder.key(SERVER_KEY)?) {
            (Some(certificate), Some(key)) if folder.left_s(&certificate) > RENEWED_BEFORE_END_S => ListenerIdentity {
                chain: vec![certificate],
                key,
            },
            _ => folder.make(server_params().map_err(TlsFilesError::NotMade)?, SERVER, SERVER_KEY)?,
        };
        lock.unlock();
        Ok(TlsFiles { authority, server })
    }
}

struct Folder(PrivateDir);

impl Folder {
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, TlsFilesError> {
        Ok(self.0.read(name, MAX_FILE_BYTES, PermissionPolicy::Tighten)?)
    }

    fn certificate(&self, name: &str) -> Result<Option<CertificateDer<'static>>, TlsFilesError> {
        let Some(content) = self.read(name)? else {
            return Ok(None);
        };
        let certificate = CertificateDer::from_pem_slice(&content);
        certificate.map(Some).map_err(|source| self.damaged(name, source))
    }

    fn key(&self, name: &str) -> Result<Option<PrivateKeyDer<'static>>, TlsFilesError> {
        let Some(content) = self.read(name)?.map(Secret::new) else {
            return Ok(None);
        };
        let key = PrivateKeyDer::from_pem_slice(content.expose());
        key.map(Some).map_err(|source| self.damaged(name, source))
    }

    fn damaged(&self, name: &str, source: pem::Error) -> TlsFilesError {
        let path = self.0.file(name);
        TlsFilesError::Pem { path, source }
    }

    /// Seconds until a certificate ends; none where it cannot be read.
    fn left_s(&self, certificate: &CertificateDer<'_>) -> i64 {
        expiry_s(certificate).map_or(0, |end| end - now().0)
    }

    fn make_authority(&self) -> Result<CertificateDer<'static>, TlsFilesError> {
        let key = KeyPair::generate().map_err(TlsFilesError::NotMade)?;
        let certificate = authority_params().self_signed(&key).map_err(TlsFilesError::NotMade)?;
        self.write(AUTHORITY, certificate.der(), AUTHORITY_KEY, &key)?;
        // They were made by another authority.
        for name in [CLIENT, CLIENT_KEY, SERVER, SERVER_KEY] {
            self.0.remove(name)?;
        }
        Ok(certificate.der().clone())
    }

    /// Makes a certificate of the authority, with a new key.
    fn make(&self, params: CertificateParams, name: &str, key_name: &str) -> Result<ListenerIdentity, TlsFilesError> {
        let path = || self.0.file(AUTHORITY_KEY);
        let authority_key = self
            .key(AUTHORITY_KEY)?
            .ok_or_else(|| TlsFilesError::NoKey { path: path() })?;
        let authority_key = KeyPair::try_from(authority_key.secret_der())
            .map_err(|source| TlsFilesError::Key { path: path(), source })?;
        let authority = Issuer::new(authority_params(), authority_key);
        let key = KeyPair::generate().map_err(TlsFilesError::NotMade)?;
        let certificate = params.signed_by(&key, &authority).map_err(TlsFilesError::NotMade)?;
        self.write(name, certificate.der(), key_name, &key)?;
        Ok(ListenerIdentity {
            chain: vec![certificate.der().clone()],
            key: PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der())),
        })
    }

    /// The key first: a certificate that is there has its key.
    fn write(
        &self,
        name: &str,
        certificate: &CertificateDer<'_>,
        key_name: &str,
        key: &KeyPair,
    ) -> Result<(), TlsFilesError> {
        let key = Secret::new(pem_block("PRIVATE KEY", key.serialized_der()));
        self.0.replace(key_name, key.expose().as_bytes())?;
        let certificate = CertificateChain::from_der(vec![certificate.to_vec()]);
        let pem = certificate.map(|chain| chain.to_pem()).unwrap_or_default();
        Ok(self.0.replace(name, pem.as_bytes())?)
    }
}

/// Always the same, so that an authority that was made once signs again.
fn authority_params() -> CertificateParams {
    let mut params = named("oauth serve authority", LONG_S);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    // Whoever trusts it, and whoever gets its key: it vouches for this machine alone (RFC 5280 §4.2.1.10).
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![
            GeneralSubtree::DnsName("localhost".to_owned()),
            GeneralSubtree::IpAddress(CidrSubnet::V4([127, 0, 0, 0], [255, 0, 0, 0])),
            GeneralSubtree::IpAddress(CidrSubnet::V6(
                [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
                [255; 16],
            )),
        ],
        excluded_subtrees: Vec::new(),
    });
    params
}

fn server_params() -> Result<CertificateParams, rcgen::Error> {
    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let mut params = named("localhost", SERVER_S);
    params.subject_alt_names = CertificateParams::new(names)?.subject_alt_names;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn client_params() -> CertificateParams {
    let name = CLIENT_SUBJECT.trim_start_matches("CN=");
    let mut params = named(name, LONG_S);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    params
}

fn named(name: &str, lifetime_s: i64) -> CertificateParams {
    let since_1970 = |seconds: i64| Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    // Clocks differ.
    params.not_before = date_time_ymd(1970, 1, 1) + since_1970(now().0 - DAY_S);
    params.not_after = date_time_ymd(1970, 1, 1) + since_1970(now().0 + lifetime_s);
    params
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::server::WebPkiClientVerifier;

    fn contents(folder: &Path, name: &str) -> String {
        std::fs::read_to_string(folder.join(name)).unwrap()
    }

    /// Makes the server's certificate again with another lifetime.
    fn age(folder: &Path, name: &str, lifetime_s: i64) {
        let folder = Folder(PrivateDir::make_shared(folder).unwrap());
        let mut params = server_params().unwrap();
        params.not_after = named("", lifetime_s).not_after;
        folder.make(params, name, SERVER_KEY).unwrap();
    }

    #[test]
    fn a_certificate_that_soon_ends_is_renewed_and_the_others_stay() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("tls");
        TlsFiles::open(&folder).unwrap();
        let before = [AUTHORITY, CLIENT].map(|name| contents(&folder, name));
        for (lifetime_s, is_renewed) in [
            (-DAY_S / 2, true),
            (RENEWED_BEFORE_END_S - 60, true),
            (RENEWED_BEFORE_END_S + 60, false),
        ] {
            age(&folder, SERVER, lifetime_s);
            let aged = contents(&folder, SERVER);
            let files = TlsFiles::open(&folder).unwrap();
            assert_eq!(contents(&folder, SERVER) != aged, is_renewed, "{lifetime_s}");
            assert!(expiry_s(&files.server.chain[0]).unwrap() > now().0, "{lifetime_s}");
            files.server.configure(WebPkiClientVerifier::no_client_auth()).unwrap();
        }
        assert_eq!(before, [AUTHORITY, CLIENT].map(|name| contents(&folder, name)));
    }

    #[test]
    fn of_several_servers_at_once_all_have_the_same_authority() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("tls");
        let opened: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| TlsFiles::open(&folder).unwrap()))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        for files in &opened {
            assert_eq!(files.authority, opened[0].authority);
            assert_eq!(files.server.chain, opened[0].server.chain);
        }
    }
}
