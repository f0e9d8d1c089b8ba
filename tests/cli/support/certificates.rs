//! TLS for the literal server: authorities and certificates made for one
//! test, good ones and ones with a single fault, and the server's side of
//! the connection.
#![allow(dead_code, unreachable_pub, reason = "each test crate uses its own part")]

use super::literal_server::{Connection, LiteralServer, Wrap};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A certificate with its key.
pub struct Identity {
    pub certificate: CertificateDer<'static>,
    key_der: Vec<u8>,
}

impl Identity {
    /// Writes `NAME.pem` and `NAME.key.pem` into the folder.
    pub fn write(&self, folder: &Path, name: &str) -> (PathBuf, PathBuf) {
        let certificate = folder.join(format!("{name}.pem"));
        let key = folder.join(format!("{name}.key.pem"));
        std::fs::write(&certificate, pem("CERTIFICATE", &self.certificate)).expect("writing the certificate");
        std::fs::write(&key, pem("PRIVATE KEY", &self.key_der)).expect("writing the key");
        (certificate, key)
    }

    /// The certificate in base64, as `x5c` has it.
    pub fn base64(&self) -> String {
        STANDARD.encode(&self.certificate)
    }

    /// From a certificate and a key in PEM form.
    pub fn from_pem(certificate: &str, key: &str) -> Self {
        Identity {
            certificate: der(certificate).into(),
            key_der: der(key),
        }
    }

    pub fn key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::try_from(self.key_der.clone()).expect("a PKCS #8 key")
    }
}

/// Signs certificates.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub certificate: CertificateDer<'static>,
}

impl Authority {
    pub fn new() -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, "authority of a test");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).expect("a certificate").der().clone();
        Authority {
            issuer: Issuer::new(params, key),
            certificate,
        }
    }

    /// The authority that `oauth serve --tls` made in this folder.
    pub fn of_server(folder: &Path) -> Self {
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).expect("a file of the server");
        let key = KeyPair::try_from(der(&read("authority.key.pem"))).expect("the key");
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params
            .distinguished_name
            .push(DnType::CommonName, "oauth serve authority");
        Authority {
            issuer: Issuer::new(params, key),
            certificate: der(&read("authority.pem")).into(),
        }
    }

    /// Writes the authority's certificate, for `--cacert`.
    pub fn write(&self, folder: &Path) -> PathBuf {
        let path = folder.join("authority.pem");
        std::fs::write(&path, pem("CERTIFICATE", &self.certificate)).expect("writing the authority");
        path
    }

    /// A certificate for these host names or addresses.
    pub fn issue(&self, names: &[&str]) -> Identity {
        self.issue_with(names, |_| {})
    }

    /// The same, with the test's own changes.
    pub fn issue_with(&self, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Identity {
        let key = KeyPair::generate().expect("a key");
        let mut params = params_for(names);
        change(&mut params);
        let certificate = params
            .signed_by(&key, &self.issuer)
            .expect("a certificate")
            .der()
            .clone();
        Identity {
            certificate,
            key_der: key.serialize_der(),
        }
    }

    /// A certificate of a key that was made elsewhere, in PEM.
    pub fn certify(&self, private_key: &str) -> String {
        let der = PrivateKeyDer::from_pem_slice(private_key.as_bytes()).expect("a key");
        let key = KeyPair::try_from(der.secret_der()).expect("a key");
        let certificate = params_for(&["client.example"]).signed_by(&key, &self.issuer);
        pem("CERTIFICATE", certificate.expect("a certificate").der())
    }

    /// One whose time was over in 2020.
    pub fn issue_expired(&self, names: &[&str]) -> Identity {
        self.issue_with(names, |params| {
            params.not_before = date_time_ymd(2019, 1, 1);
            params.not_after = date_time_ymd(2020, 1, 1);
        })
    }
}

/// A certificate that nobody but itself signed.
pub fn self_signed(names: &[&str]) -> Identity {
    let key = KeyPair::generate().expect("a key");
    let certificate = params_for(names)
        .self_signed(&key)
        .expect("a certificate")
        .der()
        .clone();
    Identity {
        certificate,
        key_der: key.serialize_der(),
    }
}

fn params_for(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    CertificateParams::new(names).expect("names for a certificate")
}

/// An https server with this certificate.
pub fn start_tls(identity: &Identity) -> LiteralServer {
    LiteralServer::start_wrapped("https", wrap(identity, None, &[]))
}

/// The same on a listener of the test's own.
pub fn start_tls_on(listener: TcpListener, identity: &Identity) -> LiteralServer {
    LiteralServer::start_on(listener, "https", wrap(identity, None, &[]))
}

/// An https server that negotiates these protocols alone (RFC 7301).
pub fn start_tls_for(identity: &Identity, protocols: &[&[u8]]) -> LiteralServer {
    LiteralServer::start_wrapped("https", wrap(identity, None, protocols))
}

/// An https server that wants a client certificate of this authority.
pub fn start_mutual_tls(identity: &Identity, clients: &Authority) -> LiteralServer {
    LiteralServer::start_wrapped("https", wrap(identity, Some(clients), &[]))
}

fn wrap(identity: &Identity, clients: Option<&Authority>, protocols: &[&[u8]]) -> Wrap {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("protocol versions");
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots
                .add(authority.certificate.clone())
                .expect("the clients' authority");
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.expect("a verifier"))
        }
    };
    let mut configuration = builder
        .with_single_cert(vec![identity.certificate.clone()], identity.key())
        .expect("certificate and key");
    configuration.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    let configuration = Arc::new(configuration);
    Arc::new(move |stream: TcpStream| {
        let connection = ServerConnection::new(Arc::clone(&configuration)).map_err(std::io::Error::other)?;
        Ok(Box::new(StreamOwned::new(connection, stream)) as Box<dyn Connection>)
    })
}

impl Connection for StreamOwned<ServerConnection, TcpStream> {
    fn finish(&mut self) {
        self.conn.send_close_notify();
        // the client may be gone already
        let _ = std::io::Write::flush(self);
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let encoded = STANDARD.encode(der);
    let lines: Vec<&str> = encoded
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).expect("base64 is ASCII"))
        .collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// The content of the first block.
fn der(pem: &str) -> Vec<u8> {
    let lines = pem.lines().skip_while(|line| !line.starts_with("-----BEGIN")).skip(1);
    let encoded: String = lines.take_while(|line| !line.starts_with("-----END")).collect();
    STANDARD.decode(encoded).expect("base64")
}
