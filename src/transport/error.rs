//! Why no answer came, told so that someone can act on it, and whether the
//! server may have received the request all the same (which decides whether a
//! refresh token may have been spent).
//!
//! Messages name scheme, host, port and path of a URL, never its query, and
//! never a header, a body or a proxy's password.

use crate::exit::{Diagnosis, ExitCode};
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

use super::MAX_BODY_BYTES;
use super::cause::{Cause, PemProblem};
use super::proxy_error::ProxyError;
use super::shown_endpoint::endpoint;
use super::tls_failure::TlsFailure;

/// Who said which URL to use; decides between exit codes 2 and 6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UrlSource {
    /// A flag, the environment or the config file.
    User,
    /// A metadata document or another answer.
    Server,
}

/// Why no usable answer came.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// http outside this machine.
    #[error("{endpoint} is not https, and its host is not this machine (RFC 6749 §3.2 requires TLS)")]
    InsecureUrl {
        /// Scheme, host, port and path.
        endpoint: String,
        named_by: UrlSource,
    },
    /// A URL that no request can be sent to.
    #[error("no request can be sent to {endpoint}: {reason}")]
    UnusableUrl {
        /// Scheme, host, port and path.
        endpoint: String,
        /// What is wrong with it.
        reason: &'static str,
        named_by: UrlSource,
    },
    /// `localhost` resolves to another machine.
    #[error("{endpoint} is not on this machine: \"localhost\" resolves to {address}")]
    LocalhostElsewhere {
        /// Scheme, host, port and path.
        endpoint: String,
        /// Where it resolves to.
        address: IpAddr,
    },
    /// An address that the public network does not reach, where only public ones are taken.
    #[error("{endpoint} is at {address}, which is not a public address")]
    PrivateAddress {
        /// Scheme, host, port and path.
        endpoint: String,
        address: IpAddr,
    },
    /// A header value with characters that no header may hold.
    #[error("the value for the header \"{0}\" holds characters that no header may hold")]
    UnsendableHeader(String),
    /// A proxy that cannot be used.
    #[error("the proxy given by {named_by}: {problem}")]
    Proxy {
        /// The flag or variable.
        named_by: &'static str,
        /// What is wrong with it.
        problem: ProxyError,
    },
    /// A file of trusted certificates that cannot be used.
    #[error("the trusted certificates of {} (given by {named_by}) cannot be used", path.display())]
    CaFile {
        /// The flag or variable.
        named_by: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        problem: PemProblem,
    },
    /// `--cert` beside the certificate that the client authenticates with.
    #[error("--cert and the certificate of the client (--client-cert-file) are for one host: only one can be shown")]
    TwoClientCertificates,
    /// The file of `--cert` cannot be used.
    #[error("the client certificate {} (given by --cert) cannot be used", path.display())]
    ClientCertificate {
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        problem: PemProblem,
    },
    /// The file of `--key` cannot be used.
    #[error("the key {} (given by --key) cannot be used", path.display())]
    ClientKey {
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        problem: PemProblem,
    },
    /// `--cert` and `--key` do not belong together.
    #[error("the certificate {} and the key {} cannot be used together", certificate.display(), key.display())]
    ClientCertificateAndKey {
        /// The file of `--cert`.
        certificate: PathBuf,
        /// The file of `--key`.
        key: PathBuf,
        source: Box<rustls::Error>,
    },
    /// The system trusts no authority.
    #[error("no trusted certificates were found on this system")]
    NoRoots,
    /// The TLS library refused its settings.
    #[error("TLS cannot be set up")]
    TlsNotSetUp(#[source] rustls::Error),
    /// The HTTP library refused its settings.
    #[error("the HTTP client cannot be set up")]
    ClientNotBuilt(#[source] Cause),
    /// The name has no address.
    #[error("the host name \"{host}\" cannot be resolved")]
    Dns {
        /// The host, or the proxy's.
        host: String,
        /// The scheme of a SOCKS proxy that could have resolved it.
        socks: Option<String>,
        /// What the resolver says.
        #[source]
        cause: Cause,
    },
    #[error("{peer} refused the connection")]
    ConnectRefused {
        /// Host and port, or the proxy.
        peer: String,
        /// What the system says.
        #[source]
        cause: Cause,
    },
    /// The connection failed in another way.
    #[error("{peer} cannot be reached")]
    Unreachable {
        /// Host and port, or the proxy.
        peer: String,
        /// What the system says.
        #[source]
        cause: Cause,
    },
    /// The proxy would not connect to the server.
    #[error("the proxy {proxy} did not connect to {peer}")]
    ProxyRefused {
        /// Scheme, host and port of the proxy.
        proxy: String,
        /// Host and port of the server.
        peer: String,
        #[source]
        cause: Cause,
    },
    /// No connection within the time for it.
    #[error("{peer} did not accept a connection within {}", seconds(.waited))]
    ConnectTimeout {
        /// Host and port, or the proxy.
        peer: String,
        waited: Duration,
    },
    /// No trusted TLS connection.
    #[error("{peer} {}: {failure}", failure.consequence())]
    Tls {
        /// Host and port, or the proxy.
        peer: String,
        failure: TlsFailure,
        /// Whether the request was on its way by then.
        after_sending: bool,
    },
    /// The whole answer was not there in time.
    #[error("{endpoint} did not finish its answer within {}", seconds(.waited))]
    Timeout {
        /// Scheme, host, port and path.
        endpoint: String,
        /// `--http-timeout`.
        waited: Duration,
        /// Whether the request was on its way by then.
        after_sending: bool,
    },
    /// The whole answer was not there when the command had to end (`--deadline`).
    #[error("{endpoint} did not finish its answer before the deadline of this command")]
    PastDeadline {
        /// Scheme, host, port and path.
        endpoint: String,
        /// Whether the request was on its way by then.
        after_sending: bool,
    },
    /// The connection ended before the answer did.
    #[error("the connection to {endpoint} was lost {}", when(*after_sending))]
    ConnectionLost {
        /// Scheme, host, port and path.
        endpoint: String,
        /// Whether the request was on its way by then.
        after_sending: bool,
        /// What the system says.
        #[source]
        cause: Cause,
    },
    /// The answer is larger than 1 MiB.
    #[error("the answer of {endpoint} is larger than {MAX_BODY_BYTES} bytes")]
    BodyTooLarge {
        /// Scheme, host, port and path.
        endpoint: String,
    },
    /// The answer is encoded in a way that this program does not know.
    #[error("the answer of {endpoint} is encoded as \"{coding}\", which was not asked for")]
    Encoded {
        /// Scheme, host, port and path.
        endpoint: String,
        /// The coding, as the server named it.
        coding: String,
    },
    /// The answer is said to be gzip, and is not.
    #[error("the answer of {endpoint} is not the gzip that its Content-Encoding announces")]
    Undecodable {
        /// Scheme, host, port and path.
        endpoint: String,
    },
    /// The answer is not HTTP.
    #[error("the answer of {endpoint} is not well-formed HTTP/1.1")]
    Malformed {
        /// Scheme, host, port and path.
        endpoint: String,
        /// What is wrong with it.
        #[source]
        cause: Cause,
    },
}

impl TransportError {
    pub(super) fn insecure_url(url: &Url, named_by: UrlSource) -> Self {
        TransportError::InsecureUrl {
            endpoint: endpoint(url),
            named_by,
        }
    }

    pub(super) fn private_address(url: &Url, address: IpAddr) -> Self {
        TransportError::PrivateAddress {
            endpoint: endpoint(url),
            address,
        }
    }

    pub(super) fn unusable_url(url: &Url, reason: &'static str, named_by: UrlSource) -> Self {
        TransportError::UnusableUrl {
            endpoint: endpoint(url),
            reason,
            named_by,
        }
    }

    /// Whether the server may have answered, and the answer was lost on the way:
    /// then the same request may be sent again. A body that cannot be decoded is
    /// lost; one that is too large is an answer, and so are bytes that are not HTTP.
    pub fn answer_was_lost(&self) -> bool {
        match self {
            TransportError::Tls { after_sending, .. }
            | TransportError::Timeout { after_sending, .. }
            | TransportError::PastDeadline { after_sending, .. }
            | TransportError::ConnectionLost { after_sending, .. } => *after_sending,
            TransportError::Encoded { .. } | TransportError::Undecodable { .. } => true,
            _ => false,
        }
    }

    /// Whether an answer came, and cannot be read: not HTTP, too large, encoded.
    pub fn is_unreadable_answer(&self) -> bool {
        matches!(
            self,
            TransportError::BodyTooLarge { .. }
                | TransportError::Encoded { .. }
                | TransportError::Undecodable { .. }
                | TransportError::Malformed { .. }
        )
    }

    /// Whether the same request may be answered later: the network or the server
    /// is not there at the moment.
    pub fn may_pass(&self) -> bool {
        matches!(
            self,
            TransportError::Dns { .. }
                | TransportError::ConnectRefused { .. }
                | TransportError::Unreachable { .. }
                | TransportError::ProxyRefused { .. }
                | TransportError::ConnectTimeout { .. }
                | TransportError::Timeout { .. }
                | TransportError::PastDeadline { .. }
                | TransportError::ConnectionLost { .. }
        )
    }

    /// Whether no request was sent because of the address that it would have gone to.
    pub fn is_private_address(&self) -> bool {
        matches!(self, TransportError::PrivateAddress { .. })
    }

    /// Whether the certificate of the other end is of an authority that is not trusted.
    pub fn is_untrusted_issuer(&self) -> bool {
        matches!(
            self,
            TransportError::Tls {
                failure: TlsFailure::UnknownIssuer,
                ..
            }
        )
    }

    /// Whether the server may have received the request and acted on it. Where
    /// that cannot be known, the answer is yes.
    pub fn may_have_been_received(&self) -> bool {
        self.answer_was_lost() || self.is_unreadable_answer()
    }
}

impl Diagnosis for TransportError {
    fn exit_code(&self) -> ExitCode {
        match self {
            TransportError::InsecureUrl { named_by, .. } | TransportError::UnusableUrl { named_by, .. } => {
                match named_by {
                    UrlSource::User => ExitCode::Usage,
                    UrlSource::Server => ExitCode::Protocol,
                }
            }
            TransportError::LocalhostElsewhere { .. }
            | TransportError::Proxy { .. }
            | TransportError::CaFile { .. }
            | TransportError::ClientCertificate { .. }
            | TransportError::ClientKey { .. }
            | TransportError::ClientCertificateAndKey { .. }
            | TransportError::TwoClientCertificates
            | TransportError::NoRoots => ExitCode::Usage,
            TransportError::TlsNotSetUp(_) | TransportError::ClientNotBuilt(_) => ExitCode::Unexpected,
            TransportError::Dns { .. }
            | TransportError::ConnectRefused { .. }
            | TransportError::Unreachable { .. }
            | TransportError::ProxyRefused { .. }
            | TransportError::ConnectTimeout { .. }
            | TransportError::Tls { .. }
            | TransportError::Timeout { .. }
            | TransportError::PastDeadline { .. }
            | TransportError::ConnectionLost { .. }
            | TransportError::Encoded { .. }
            | TransportError::Undecodable { .. }
            | TransportError::Malformed { .. } => ExitCode::Unreachable,
            TransportError::UnsendableHeader(_)
            | TransportError::BodyTooLarge { .. }
            | TransportError::PrivateAddress { .. } => ExitCode::Protocol,
        }
    }

    fn hints(&self) -> Vec<String> {
        let hints: &[&str] = match self {
            TransportError::InsecureUrl { .. } => &[
                "Use the server's https URL.",
                "`--allow-http` permits http outside this machine, where anyone on the network can read the tokens.",
            ],
            TransportError::UnusableUrl { .. } => &["Use a URL of the form https://host/path."],
            TransportError::TwoClientCertificates => &["Leave out --cert and --key."],
            TransportError::PrivateAddress { .. } => &[
                "A server of the public network named it, and may not send requests into a private network (RFC 9728 §7.7). If you know the authorization server and mean it, run: oauth login --issuer URL --resource URL-OF-API --client-id ID",
            ],
            TransportError::LocalhostElsewhere { .. } => {
                &["Write 127.0.0.1 or [::1], or correct the entry for localhost in the hosts file."]
            }
            TransportError::UnsendableHeader(_)
            | TransportError::ClientNotBuilt(_)
            | TransportError::TlsNotSetUp(_) => &["Run the command again with `-vv` to see what was about to be sent."],
            TransportError::Proxy { problem, .. } => problem.hints(),
            TransportError::CaFile {
                problem: PemProblem::Unreadable(error),
                ..
            }
            | TransportError::ClientCertificate {
                problem: PemProblem::Unreadable(error),
                ..
            }
            | TransportError::ClientKey {
                problem: PemProblem::Unreadable(error),
                ..
            } if error.is_refusal() => return error.hints(),
            TransportError::CaFile { .. } => &["Use a file with certificates in PEM form."],
            TransportError::ClientCertificate { .. } => &["Use a file with the certificate chain in PEM form."],
            TransportError::ClientKey { .. } => &[
                "Use a private key in PEM form without a passphrase. To remove the passphrase: openssl pkey -in FILE -out FILE",
            ],
            TransportError::ClientCertificateAndKey { .. } => {
                &["Use the key that belongs to the first certificate of the file."]
            }
            TransportError::NoRoots => &[
                "Install the system's package of trusted certificates (often named ca-certificates), or name a file with `--cacert FILE`.",
            ],
            TransportError::Dns {
                socks: Some(scheme), ..
            } => return vec![hint_for_socks(scheme)],
            TransportError::Dns { .. } => &[
                "Check the spelling of the host name, and the network.",
                "If you need a proxy, set it with `--proxy URL` or the variable HTTPS_PROXY.",
            ],
            TransportError::ConnectRefused { .. } => &["Check host and port, and whether the server is running."],
            TransportError::Unreachable { .. } | TransportError::ConnectTimeout { .. } => &[
                "Check the network or the VPN.",
                "If you need a proxy, set it with `--proxy URL` or the variable HTTPS_PROXY.",
            ],
            TransportError::ProxyRefused { .. } => &[
                "Check the proxy's settings; a user name and password for it go into the variable HTTPS_PROXY.",
                "Add the host to the variable NO_PROXY if it should be reached without a proxy.",
            ],
            TransportError::Tls { failure, .. } => failure.hints(),
            TransportError::Timeout { .. } => &["Try again, or allow more time with `--http-timeout 60s`."],
            TransportError::PastDeadline { .. } => &["Try again, or allow more time with a longer `--deadline`."],
            TransportError::ConnectionLost { .. } => &["Try again."],
            TransportError::BodyTooLarge { .. }
            | TransportError::Encoded { .. }
            | TransportError::Undecodable { .. }
            | TransportError::Malformed { .. } => {
                &["Check that the URL is the server's endpoint, and not a page or something in front of it."]
            }
        };
        hints.iter().map(|hint| (*hint).to_owned()).collect()
    }
}

/// With `socks5` and `socks4` this machine resolves the server's name; with the other two the proxy does.
fn hint_for_socks(scheme: &str) -> String {
    let by_proxy = if scheme == "socks5" { "socks5h" } else { "socks4a" };
    format!("If only the proxy can resolve the name, write {by_proxy}:// instead of {scheme}:// in the proxy's URL.")
}

fn when(after_sending: bool) -> &'static str {
    match after_sending {
        true => "after the request was sent",
        false => "before the request was sent",
    }
}

fn seconds(duration: &Duration) -> String {
    match duration.subsec_millis() {
        0 => format!("{} s", duration.as_secs()),
        _ => format!("{} ms", duration.as_millis()),
    }
}
