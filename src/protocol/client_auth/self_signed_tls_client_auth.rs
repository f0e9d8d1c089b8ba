//! `self_signed_tls_client_auth`: the client shows a certificate that the
//! server knows by itself (RFC 8705 §2.2). On the wire it is the other method
//! with a certificate.

pub(super) const NAME: &str = "self_signed_tls_client_auth";
