//! A client of a server that speaks TLS: literal bytes in, one answer back.

use super::callback::{Answer, exchange};
use super::certificates::Identity;
use super::literal_server::PATIENCE;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::net::TcpStream;
use std::sync::Arc;

/// Sends a request over TLS to `127.0.0.1:PORT`, which this authority vouches
/// for; the client shows a certificate where there is one.
pub fn send_over_tls(
    port: u16,
    authority: &CertificateDer<'static>,
    shown: Option<&Identity>,
    request: &str,
) -> std::io::Result<Answer> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(authority.clone()).expect("the authority");
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("protocol versions")
        .with_root_certificates(roots);
    let configuration = match shown {
        None => builder.with_no_client_auth(),
        Some(identity) => builder
            .with_client_auth_cert(vec![identity.certificate.clone()], identity.key())
            .expect("certificate and key"),
    };
    let name = ServerName::try_from("localhost").expect("a name");
    let connection = ClientConnection::new(Arc::new(configuration), name).map_err(std::io::Error::other)?;
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    exchange(StreamOwned::new(connection, stream), request.as_bytes())
}
