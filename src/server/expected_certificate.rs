//! The certificates of clients, in the members of RFC 8705 §2.1.2 and §2.2.2.

use crate::protocol::abnf::from_base64;
use crate::protocol::certificate_names::{CertificateName, InvalidCertificateName};
use serde_json::{Map, Value};

/// What the certificate of a client must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpectedCertificate {
    /// One of the server's authority with this name (`tls_client_auth`).
    Named(CertificateName),
    /// One of these, in DER (`self_signed_tls_client_auth`).
    OneOf(Vec<Vec<u8>>),
}

impl ExpectedCertificate {
    /// Reads the one name that a client with `tls_client_auth` has.
    ///
    /// # Errors
    /// The member and what is wrong with it.
    pub(in crate::server) fn named(members: &Map<String, Value>) -> Result<Self, String> {
        type Parse = fn(&str) -> Result<CertificateName, InvalidCertificateName>;
        const MEMBERS: [(&str, Parse); 5] = [
            ("tls_client_auth_subject_dn", CertificateName::subject),
            ("tls_client_auth_san_dns", |text| {
                Ok(CertificateName::Dns(text.to_owned()))
            }),
            ("tls_client_auth_san_uri", |text| {
                Ok(CertificateName::Uri(text.to_owned()))
            }),
            ("tls_client_auth_san_ip", CertificateName::ip),
            ("tls_client_auth_san_email", |text| {
                Ok(CertificateName::Email(text.to_owned()))
            }),
        ];
        let mut found = None;
        for (member, parse) in MEMBERS {
            let text = match members.get(member) {
                None => continue,
                Some(Value::String(text)) => text,
                Some(_) => return Err(format!("{member} is not a string")),
            };
            if found.is_some() {
                return Err("a client with tls_client_auth has one tls_client_auth_ name only".to_owned());
            }
            found = Some(parse(text).map_err(|error| format!("{member}: {error}"))?);
        }
        found.map(ExpectedCertificate::Named).ok_or_else(|| {
            "tls_client_auth_subject_dn is missing for tls_client_auth (or tls_client_auth_san_dns, _uri, _ip, _email)"
                .to_owned()
        })
    }

    /// Reads the first certificate of each key of `jwks`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(in crate::server) fn one_of(members: &Map<String, Value>) -> Result<Self, String> {
        const MISSING: &str = "jwks has no certificate (x5c) for self_signed_tls_client_auth";
        let keys = members.get("jwks").and_then(|jwks| jwks.get("keys")?.as_array());
        let mut certificates = Vec::new();
        for key in keys.into_iter().flatten() {
            let Some(chain) = key.get("x5c") else { continue };
            let first = chain.get(0).and_then(Value::as_str).and_then(from_base64);
            certificates.push(first.ok_or("jwks has an x5c that is not a list of certificates in base64")?);
        }
        match certificates.is_empty() {
            true => Err(MISSING.to_owned()),
            false => Ok(ExpectedCertificate::OneOf(certificates)),
        }
    }
}
