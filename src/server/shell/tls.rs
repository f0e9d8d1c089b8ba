//! https of the development server: every client may show a certificate, and
//! the server decides by the client of each request whether it is a right one.

use super::tls_files::{TlsFiles, TlsFilesError};
use crate::server::client_certificate::ShownCertificate;
use crate::server::log_entry::LogEntry;
use crate::server::rejection::Rejection;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, ServerConnection, SignatureScheme,
};
use std::path::Path;
use std::sync::Arc;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// The first byte of every TLS connection (RFC 8446 §5.1).
const HANDSHAKE: u8 = 22;

const PLAIN_HTTP: &str = "this server speaks https";

/// How the server speaks TLS.
pub(super) struct Tls {
    acceptor: TlsAcceptor,
    authority: Arc<dyn ClientCertVerifier>,
}

impl Tls {
    /// With the certificates of this folder, which are made where they are not there.
    ///
    /// # Errors
    /// [`TlsFilesError`].
    pub(super) fn of_folder(folder: &Path) -> Result<Self, TlsFilesError> {
        let files = TlsFiles::open(folder)?;
        let unusable = TlsFilesError::Unusable;
        let mut roots = RootCertStore::empty();
        roots.add(files.authority).map_err(unusable)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let authority = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(|error| unusable(Error::General(error.to_string())))?;
        let config = files.server.configure(Arc::new(AnyCertificate(Arc::clone(&authority))));
        Ok(Tls {
            acceptor: TlsAcceptor::from(Arc::new(config.map_err(unusable)?)),
            authority,
        })
    }

    /// The connection with TLS on it, and the certificate that the client
    /// shows; the log entry, where it does not come to that, and `None` where
    /// nothing was said.
    pub(super) async fn shake_hands(
        &self,
        stream: TcpStream,
    ) -> Result<(TlsStream<TcpStream>, Option<ShownCertificate>), Option<LogEntry>> {
        let mut first = [0];
        match stream.peek(&mut first).await {
            Ok(0) | Err(_) => return Err(None),
            Ok(_) if first != [HANDSHAKE] => {
                refuse_plain_http(stream).await;
                return Err(Some(failed(Rejection::new(PLAIN_HTTP, "RFC 9110 §4.2.2"))));
            }
            Ok(_) => {}
        }
        let stream = self.acceptor.accept(stream).await.map_err(|error| {
            let reason = format!("the TLS handshake failed: {error}");
            Some(failed(Rejection::new(reason, "RFC 8446 §4")))
        })?;
        let certificate = self.shown_certificate(stream.get_ref().1);
        Ok((stream, certificate))
    }

    fn shown_certificate(&self, connection: &ServerConnection) -> Option<ShownCertificate> {
        let (own, others) = connection.peer_certificates()?.split_first()?;
        let verified = self.authority.verify_client_cert(own, others, UnixTime::now());
        Some(ShownCertificate {
            der: own.to_vec(),
            untrusted_because: verified.err().map(|error| problem(&error)),
        })
    }
}

fn problem(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            "it has expired".to_owned()
        }
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "the authority of this server did not sign it".to_owned()
        }
        Error::InvalidCertificate(other) => format!("{other}"),
        other => other.to_string(),
    }
}

/// What never became a request.
fn failed(rejection: Rejection) -> LogEntry {
    LogEntry {
        method: "?".to_owned(),
        path: "?".to_owned(),
        status: 400,
        rejection: Some(rejection),
        violated: Vec::new(),
    }
}

async fn refuse_plain_http(mut stream: TcpStream) {
    let body = format!("{PLAIN_HTTP}\n");
    let answer = format!(
        "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    // The client may have left already.
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}

/// Asks for a certificate, and takes every one whose key the client proves to
/// hold: those of clients with `self_signed_tls_client_auth` have no authority.
#[derive(Debug)]
struct AnyCertificate(Arc<dyn ClientCertVerifier>);

impl ClientCertVerifier for AnyCertificate {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    /// None is named: some clients would not show a certificate of another authority.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
