//! The names in a certificate: what a server knows a client by (RFC 8705 §2.1.2).

use super::distinguished_name;
use core::net::IpAddr;
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// One name of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertificateName {
    /// The subject, as RFC 4514 writes it.
    Subject(String),
    Dns(String),
    Uri(String),
    Ip(IpAddr),
    Email(String),
}

/// The names of a certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CertificateNames(Vec<CertificateName>);

/// The text is not a name of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCertificateName {
    #[error("it is not a distinguished name, which is written like CN=client,O=Example (RFC 4514)")]
    Subject,
    #[error("it is not an IP address")]
    Ip,
}

impl CertificateName {
    /// A distinguished name. Spaces after commas do not count.
    ///
    /// # Errors
    /// [`InvalidCertificateName::Subject`].
    pub fn subject(text: &str) -> Result<Self, InvalidCertificateName> {
        let name = distinguished_name::normalized(text).ok_or(InvalidCertificateName::Subject)?;
        Ok(CertificateName::Subject(name))
    }

    /// An address in any notation.
    ///
    /// # Errors
    /// [`InvalidCertificateName::Ip`].
    pub fn ip(text: &str) -> Result<Self, InvalidCertificateName> {
        let address = text.parse().map_err(|_| InvalidCertificateName::Ip)?;
        Ok(CertificateName::Ip(address))
    }
}

impl CertificateNames {
    /// Reads the subject and the alternative names of a certificate in DER;
    /// `None` where it is not one.
    pub fn read(der: &[u8]) -> Option<Self> {
        let certificate = Certificate::from_der(der).ok()?;
        let certificate = certificate.tbs_certificate();
        let mut names = vec![CertificateName::Subject(distinguished_name::of_certificate(
            certificate.subject(),
        ))];
        let (_, alternatives) = certificate
            .get_extension::<SubjectAltName>()
            .ok()?
            .unwrap_or((false, SubjectAltName(Vec::new())));
        names.extend(alternatives.0.iter().filter_map(alternative));
        Some(CertificateNames(names))
    }

    /// Whether the certificate has this name. Host names match whatever their case.
    pub fn contain(&self, wanted: &CertificateName) -> bool {
        self.0.iter().any(|name| match (name, wanted) {
            (CertificateName::Dns(name), CertificateName::Dns(wanted)) => name.eq_ignore_ascii_case(wanted),
            (name, wanted) => name == wanted,
        })
    }

    /// The member and the value that a client with this certificate is
    /// registered with for `tls_client_auth` (RFC 8705 §2.1.2): the subject, and
    /// where that is empty the first alternative name.
    pub fn registration(&self) -> Option<(&'static str, String)> {
        self.0.iter().find_map(|name| match name {
            CertificateName::Subject(subject) if subject.is_empty() => None,
            CertificateName::Subject(subject) => Some(("tls_client_auth_subject_dn", subject.clone())),
            CertificateName::Dns(name) => Some(("tls_client_auth_san_dns", name.clone())),
            CertificateName::Uri(uri) => Some(("tls_client_auth_san_uri", uri.clone())),
            CertificateName::Ip(address) => Some(("tls_client_auth_san_ip", address.to_string())),
            CertificateName::Email(address) => Some(("tls_client_auth_san_email", address.clone())),
        })
    }

    /// The subject.
    pub fn subject(&self) -> &str {
        match self.0.first() {
            Some(CertificateName::Subject(subject)) => subject,
            _ => "",
        }
    }
}

/// The alternative names that clients are registered with.
fn alternative(name: &GeneralName) -> Option<CertificateName> {
    Some(match name {
        GeneralName::DnsName(name) => CertificateName::Dns(name.as_str().to_owned()),
        GeneralName::UniformResourceIdentifier(uri) => CertificateName::Uri(uri.as_str().to_owned()),
        GeneralName::Rfc822Name(address) => CertificateName::Email(address.as_str().to_owned()),
        GeneralName::IpAddress(octets) => CertificateName::Ip(match *octets.as_bytes() {
            [a, b, c, d] => IpAddr::from([a, b, c, d]),
            ref octets => IpAddr::from(<[u8; 16]>::try_from(octets).ok()?),
        }),
        _ => return None,
    })
}

/// When a certificate in DER ends, in seconds since 1970; `None` where it is
/// not a certificate.
pub fn expiry_s(der: &[u8]) -> Option<i64> {
    let certificate = Certificate::from_der(der).ok()?;
    let end = certificate.tbs_certificate().validity().not_after.to_unix_duration();
    i64::try_from(end.as_secs()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, DnType, KeyPair, SanType, date_time_ymd};

    fn certificate() -> Vec<u8> {
        let mut params = CertificateParams::new(vec!["Client.example".to_owned(), "192.0.2.7".to_owned()]).unwrap();
        params
            .subject_alt_names
            .push(SanType::URI("spiffe://example/ci".try_into().unwrap()));
        params
            .subject_alt_names
            .push(SanType::Rfc822Name("ops@client.example".try_into().unwrap()));
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CountryName, "CH");
        params
            .distinguished_name
            .push(DnType::OrganizationName, "Example, Ltd.");
        params.distinguished_name.push(DnType::CommonName, "client");
        params.not_after = date_time_ymd(2030, 1, 2);
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn a_client_is_known_by_each_name_of_its_certificate() {
        let names = CertificateNames::read(&certificate()).unwrap();
        for name in [
            CertificateName::subject(r"CN=client,O=Example\, Ltd.,C=CH"),
            Ok(CertificateName::Dns("client.EXAMPLE".into())),
            Ok(CertificateName::Uri("spiffe://example/ci".into())),
            CertificateName::ip("192.0.2.7"),
            Ok(CertificateName::Email("ops@client.example".into())),
        ] {
            assert!(names.contain(&name.clone().unwrap()), "{name:?} in {names:?}");
        }
        for name in [
            CertificateName::subject("CN=client"),
            CertificateName::subject(r"C=CH,O=Example\, Ltd.,CN=client"),
            Ok(CertificateName::Dns("example".into())),
            Ok(CertificateName::Uri("spiffe://example/CI".into())),
            CertificateName::ip("192.0.2.8"),
            Ok(CertificateName::Email("client.example".into())),
        ] {
            assert!(!names.contain(&name.clone().unwrap()), "{name:?} in {names:?}");
        }
    }

    #[test]
    fn spaces_after_the_commas_of_a_distinguished_name_do_not_count() {
        assert_eq!(
            CertificateName::subject("CN=client, O=Example"),
            CertificateName::subject("CN=client,O=Example")
        );
        for text in ["", "client", "=x", "CN"] {
            assert_eq!(
                CertificateName::subject(text),
                Err(InvalidCertificateName::Subject),
                "{text}"
            );
        }
    }

    #[test]
    fn a_certificate_ends_when_it_says() {
        assert_eq!(expiry_s(&certificate()), Some(1_893_542_400));
        assert_eq!(
            (expiry_s(b""), CertificateNames::read(b"\x30\x03\x02\x01\x00")),
            (None, None)
        );
    }
}
