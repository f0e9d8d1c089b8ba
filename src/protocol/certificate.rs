//! The certificate of a client, as it is shown and named: in TLS (RFC 8705),
//! and in the header of what its key signs (RFC 7515 §4.1.7, §4.1.8).

use super::abnf::{base64, base64url, from_base64};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// A client needs its own certificate and those between it and the authority.
const MAX_CERTIFICATES: usize = 10;

/// A client's certificate, and those that vouch for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateChain {
    /// In DER, the client's own first.
    certificates: Vec<Vec<u8>>,
    thumbprints: CertificateThumbprints,
}

/// How headers and tokens name a certificate: the hash of its DER in base64url.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CertificateThumbprints {
    /// RFC 7515 §4.1.8; tokens are bound to it (RFC 8705 §3.1).
    #[serde(rename = "x5t#S256")]
    pub sha256: String,
    /// RFC 7515 §4.1.7; some servers know no other.
    #[serde(rename = "x5t")]
    pub sha1: String,
}

/// Text that is not the certificate of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    #[error("it has no certificate in PEM")]
    None,
    #[error("a certificate in it is damaged")]
    Malformed,
    #[error("it has more than {MAX_CERTIFICATES} certificates; a client's own and those above it are enough")]
    TooMany,
}

impl CertificateThumbprints {
    /// Of a certificate in DER.
    pub fn of(der: &[u8]) -> Self {
        CertificateThumbprints {
            sha256: base64url(&Sha256::digest(der)),
            sha1: base64url(digest(&SHA1_FOR_LEGACY_USE_ONLY, der).as_ref()),
        }
    }
}

impl CertificateChain {
    /// A chain of certificates in DER, the client's own first; `None` of an empty one.
    pub fn from_der(certificates: Vec<Vec<u8>>) -> Option<Self> {
        Some(CertificateChain {
            thumbprints: CertificateThumbprints::of(certificates.first()?),
            certificates,
        })
    }

    /// Reads the certificates of a PEM file; other blocks, such as the private
    /// key, are passed over.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub fn parse(pem: &str) -> Result<Self, CertificateError> {
        let mut certificates = Vec::new();
        let mut rest = pem;
        while let Some((_, after)) = rest.split_once("-----BEGIN CERTIFICATE-----") {
            let (body, after) = after
                .split_once("-----END CERTIFICATE-----")
                .ok_or(CertificateError::Malformed)?;
            let body: String = body.split_ascii_whitespace().collect();
            certificates.push(from_base64(&body).ok_or(CertificateError::Malformed)?);
            rest = after;
        }
        if certificates.len() > MAX_CERTIFICATES {
            return Err(CertificateError::TooMany);
        }
        CertificateChain::from_der(certificates).ok_or(CertificateError::None)
    }

    /// The certificates in DER, the client's own first.
    pub fn certificates(&self) -> &[Vec<u8>] {
        &self.certificates
    }

    /// The name of the client's own certificate.
    pub fn thumbprints(&self) -> &CertificateThumbprints {
        &self.thumbprints
    }

    /// The chain as [`CertificateChain::parse`] reads it back.
    pub fn to_pem(&self) -> String {
        let blocks = self.certificates.iter().map(|der| pem_block("CERTIFICATE", der));
        blocks.collect()
    }
}

/// DER as PEM (RFC 7468 §2).
pub fn pem_block(label: &str, der: &[u8]) -> String {
    let text = base64(der);
    let lines: String = text
        .as_bytes()
        .chunks(64)
        .map(|line| String::from_utf8_lossy(line).into_owned() + "\n")
        .collect();
    format!("-----BEGIN {label}-----\n{lines}-----END {label}-----\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEM: &str = "-----BEGIN CERTIFICATE-----\r\nZmly\r\nc3Q=\r\n-----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n-----BEGIN CERTIFICATE-----\nc2Vjb25k\n-----END CERTIFICATE-----\n";

    #[test]
    fn the_certificates_of_a_file_are_read_in_order_without_the_key() {
        let chain = CertificateChain::parse(PEM).unwrap();
        assert_eq!(chain.certificates(), [b"first".to_vec(), b"second".to_vec()]);
        // openssl dgst -sha256 and -sha1 of "first", in base64url
        assert_eq!(
            chain.thumbprints(),
            &CertificateThumbprints {
                sha256: "p5N7ZLjKpY8Dchu2us9ceMsjX-vg5wsbhM2ZVBRhoI4".into(),
                sha1: "4JlqN8E9RMOwYHSTnUP6N1m9MsE".into(),
            }
        );
        assert_eq!(CertificateChain::parse(&chain.to_pem()), Ok(chain));
    }

    #[test]
    fn what_is_not_a_certificate_is_named() {
        let one = "-----BEGIN CERTIFICATE-----\nc2Vjb25k\n-----END CERTIFICATE-----\n";
        for (text, error) in [
            (String::new(), CertificateError::None),
            (one.replace("CERTIFICATE", "PUBLIC KEY"), CertificateError::None),
            (one.replace("c2Vj", "!"), CertificateError::Malformed),
            (one.replace("END", "AND"), CertificateError::Malformed),
            (one.repeat(MAX_CERTIFICATES + 1), CertificateError::TooMany),
        ] {
            assert_eq!(CertificateChain::parse(&text), Err(error), "{text}");
        }
    }
}
