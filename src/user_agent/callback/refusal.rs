//! Why a request is not a callback: the reason, the status it is answered
//! with, and what a person can do about it.
//!
//! Invariant: a [`Refusal`] holds no byte of the request, so that it may be
//! shown anywhere.

use crate::protocol::redirect_uri::LoopbackAddress;
use hyper::http::StatusCode;

/// Why a request is not a callback.
#[allow(missing_docs, reason = "the messages say what each variant is")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// The first byte of a TLS handshake.
    #[error("it speaks TLS (https), and the redirect URI is http")]
    Tls,
    /// Anything else than a TLS handshake, where TLS is spoken.
    #[error("it speaks plain http, and the redirect URI is https")]
    PlainHttp,
    /// Browsers do so that do not trust the certificate.
    #[error("its TLS handshake failed, as it does where a browser does not trust the certificate")]
    TlsHandshake,
    #[error("its first bytes are not HTTP")]
    NotHttp,
    #[error("it is not valid HTTP/1.1 (RFC 9112)")]
    Malformed,
    #[error("its request line is longer than 16 KiB")]
    TargetTooLong,
    #[error("its header fields are longer than 64 KiB, or more than 200")]
    HeadTooLong,
    #[error("its method is not the one of a callback")]
    Method,
    #[error("it is a form post, and response_mode=form_post was not requested")]
    UnrequestedFormPost,
    #[error("its request target is a URL that is not http")]
    TargetScheme,
    #[error("its path is not the one of the redirect URI")]
    Path,
    /// `/favicon.ico` and the like, which every browser asks for.
    #[error("it asks for a file that browsers request on their own")]
    BrowserFile,
    #[error("it has no Host, or more than one")]
    HostCount,
    #[error("its Host is malformed")]
    HostMalformed,
    #[error("its Host is not the one of the redirect URI")]
    HostOther,
    #[error("a part of a web page (an image, a frame, a script) requested it, and it is not the redirect of the login")]
    NoNavigation,
    #[error("a web page's script or form sent it, and it is not the redirect of the login")]
    Origin,
    #[error("it has a body where a callback has none, or one in chunks")]
    Body,
    #[error("its body is not a form (application/x-www-form-urlencoded)")]
    FormType,
    #[error("its form is longer than 16 KiB")]
    FormTooLong,
    #[error("its form is incomplete or not UTF-8")]
    FormBroken,
}

impl Refusal {
    /// The status it is answered with.
    pub(super) fn status(self) -> StatusCode {
        match self {
            Refusal::Tls
            | Refusal::PlainHttp
            | Refusal::TlsHandshake
            | Refusal::NotHttp
            | Refusal::Malformed
            | Refusal::TargetScheme
            | Refusal::HostCount
            | Refusal::HostMalformed
            | Refusal::Body
            | Refusal::FormBroken => StatusCode::BAD_REQUEST,
            Refusal::NoNavigation | Refusal::Origin => StatusCode::FORBIDDEN,
            Refusal::Path | Refusal::BrowserFile => StatusCode::NOT_FOUND,
            Refusal::Method | Refusal::UnrequestedFormPost => StatusCode::METHOD_NOT_ALLOWED,
            Refusal::FormTooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::TargetTooLong => StatusCode::URI_TOO_LONG,
            Refusal::FormType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Refusal::HostOther => StatusCode::MISDIRECTED_REQUEST,
            Refusal::HeadTooLong => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        }
    }

    /// Whether an answer is written at all: what is not HTTP is closed.
    pub(super) fn is_answered(self) -> bool {
        !matches!(self, Refusal::Tls | Refusal::TlsHandshake | Refusal::NotHttp)
    }

    /// Whether the login can be lost by it, so that a person should know.
    pub fn is_notable(self) -> bool {
        self != Refusal::BrowserFile
    }

    /// Whether only a browser on its way back from the server is refused so.
    pub fn loses_the_answer(self) -> bool {
        matches!(
            self,
            Refusal::Tls
                | Refusal::PlainHttp
                | Refusal::TlsHandshake
                | Refusal::HeadTooLong
                | Refusal::UnrequestedFormPost
        )
    }

    /// What a person can do about it, where the redirect URI has this host.
    pub fn advice(self, host: LoopbackAddress) -> Option<&'static str> {
        match (self, host) {
            (Refusal::Tls, LoopbackAddress::Localhost) => Some(
                "the browser upgrades http://localhost to https: use 127.0.0.1 in the redirect URI, or paste the address",
            ),
            (Refusal::Tls, _) => Some(
                "the browser upgrades http to https: turn its HTTPS-only mode off for this address, or paste the address",
            ),
            (Refusal::PlainHttp, _) => Some("open the address with https, as the redirect URI has it"),
            (Refusal::TlsHandshake, _) => {
                Some("go on past the warning that the browser shows, or paste the address of that page")
            }
            (Refusal::HeadTooLong, _) => {
                Some("other programs on this host name have set many cookies: delete them, or use a private window")
            }
            (Refusal::UnrequestedFormPost, _) => {
                Some("where the server answers with a form, log in with --response-mode form_post")
            }
            (Refusal::HostOther | Refusal::Path, _) => Some(
                "the server or a proxy changed the redirect URI: compare it with the browser's address, or paste that address",
            ),
            _ => None,
        }
    }
}
