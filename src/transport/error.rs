//! Why no answer came, told so that somebody can act on it, and whether the
//! server may have received the request all the same (which decides whether a
//! refresh token may have been spent).
//!
//! Messages name scheme, host, port and path of a URL, never its query, and
//! never a header, a body or a proxy's password.

use crate::exit::{Diagnosis, ExitCode};
use rustls::{AlertDescription, CertificateError, InvalidMessage, PeerIncompatible};
use std::error::Error;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

use super::MAX_BODY_BYTES;
use super::resolver::ResolveError;

/// Who said which URL to use; decides between exit codes 2 and 6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UrlSource {
    /// A flag, the environment or the config file.
    User,
    /// A metadata document or another answer.
    Server,
}

/// What went wrong below, as text without secrets.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Cause(String);

impl Cause {
    /// The last error of the chain, which says most; the ones around it repeat it.
    pub(super) fn innermost(error: &(dyn Error + 'static)) -> Self {
        let last = chain(error).last();
        Cause(last.map_or_else(String::new, ToString::to_string))
    }
}

/// Why a PEM file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PemProblem {
    /// It cannot be opened or read.
    #[error("it cannot be read")]
    Unreadable(#[source] io::Error),
    /// It is not well-formed PEM.
    #[error("it is not well-formed PEM")]
    Malformed(#[source] rustls::pki_types::pem::Error),
    /// It is PEM or other text, but without what is needed.
    #[error("there is no {0} in it")]
    NothingInIt(&'static str),
    /// Larger than 16 MiB.
    #[error("it is larger than 16 MiB")]
    TooLarge,
}

/// Why there is no trusted TLS connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TlsFailure {
    /// The certificate's time is over.
    #[error("its certificate has expired")]
    Expired,
    /// The certificate's time has not come.
    #[error("its certificate is not valid yet")]
    NotYetValid,
    /// The certificate is for other names.
    #[error("its certificate is for another name")]
    WrongName,
    /// No trusted authority signed the certificate.
    #[error("its certificate was not issued by a trusted authority")]
    UnknownIssuer,
    /// The certificate was revoked.
    #[error("its certificate was revoked")]
    Revoked,
    /// Another fault of the certificate.
    #[error("its certificate is not acceptable")]
    BadCertificate,
    /// The server offers nothing that is still safe.
    #[error("it offers neither TLS 1.2 nor TLS 1.3")]
    TooOld,
    /// The server does not speak TLS at this port.
    #[error("it does not speak TLS")]
    NotTls,
    /// The server wants a certificate from this client, or refuses the one it got.
    #[error("it does not accept this client's certificate, or wants one")]
    ClientCertificate,
    /// Anything else in the handshake or after it.
    #[error("the TLS connection failed")]
    Other,
}

impl TlsFailure {
    fn of(error: &rustls::Error) -> Self {
        match error {
            rustls::Error::InvalidCertificate(problem) => match problem {
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => TlsFailure::Expired,
                CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => TlsFailure::NotYetValid,
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                    TlsFailure::WrongName
                }
                // a trusted authority of the same name, with another key, did not sign it
                CertificateError::UnknownIssuer | CertificateError::BadSignature => TlsFailure::UnknownIssuer,
                CertificateError::Revoked => TlsFailure::Revoked,
                _ => TlsFailure::BadCertificate,
            },
            rustls::Error::PeerIncompatible(
                PeerIncompatible::ServerDoesNotSupportTls12Or13
                | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
                | PeerIncompatible::Tls12NotOffered
                | PeerIncompatible::Tls12NotOfferedOrEnabled,
            )
            | rustls::Error::AlertReceived(AlertDescription::ProtocolVersion) => TlsFailure::TooOld,
            rustls::Error::AlertReceived(
                AlertDescription::CertificateRequired
                | AlertDescription::BadCertificate
                | AlertDescription::UnsupportedCertificate
                | AlertDescription::CertificateRevoked
                | AlertDescription::CertificateExpired
                | AlertDescription::CertificateUnknown
                | AlertDescription::UnknownCA
                | AlertDescription::AccessDenied,
            ) => TlsFailure::ClientCertificate,
            rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => TlsFailure::NotTls,
            _ => TlsFailure::Other,
        }
    }
}

/// Why no usable answer came.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// http outside this machine.
    #[error("{endpoint} is not https, and its host is not this machine (RFC 6749 §3.2 requires TLS)")]
    InsecureUrl {
        /// Scheme, host, port and path.
        endpoint: String,
        /// Who named it.
        named_by: UrlSource,
    },
    /// A URL that no request can be sent to.
    #[error("no request can be sent to {endpoint}: {reason}")]
    UnusableUrl {
        /// Scheme, host, port and path.
        endpoint: String,
        /// What is wrong with it.
        reason: &'static str,
        /// Who named it.
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
    /// A header value with characters that no header may hold.
    #[error("the value for the header \"{0}\" holds characters that no header may hold")]
    UnsendableHeader(&'static str),
    /// A proxy that cannot be used.
    #[error("the proxy given by {named_by}: {reason}")]
    Proxy {
        /// The flag or variable.
        named_by: &'static str,
        /// What is wrong with it.
        reason: &'static str,
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
    /// The file of `--cert` cannot be used.
    #[error("the client certificate {} (given by --cert) cannot be used", path.display())]
    ClientCertificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        problem: PemProblem,
    },
    /// The file of `--key` cannot be used.
    #[error("the key {} (given by --key) cannot be used", path.display())]
    ClientKey {
        /// The file.
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
        /// What rustls says.
        source: rustls::Error,
    },
    /// The system trusts nobody.
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
        /// What the resolver says.
        #[source]
        cause: Cause,
    },
    /// Nobody listens there.
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
        /// What it answered.
        #[source]
        cause: Cause,
    },
    /// No connection within the time for it.
    #[error("{peer} did not accept a connection within {}", seconds(.waited))]
    ConnectTimeout {
        /// Host and port, or the proxy.
        peer: String,
        /// How long.
        waited: Duration,
    },
    /// No trusted TLS connection.
    #[error("{peer} cannot be trusted: {failure}")]
    Tls {
        /// Host and port.
        peer: String,
        /// In words.
        failure: TlsFailure,
        /// Whether the request was on its way by then.
        after_sending: bool,
        /// What rustls says.
        source: rustls::Error,
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
    /// The answer is compressed, which nobody asked for.
    #[error("the answer of {endpoint} is encoded as \"{coding}\", which was not asked for")]
    Encoded {
        /// Scheme, host, port and path.
        endpoint: String,
        /// The coding, as the server named it.
        coding: String,
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

    pub(super) fn unusable_url(url: &Url, reason: &'static str, named_by: UrlSource) -> Self {
        TransportError::UnusableUrl {
            endpoint: endpoint(url),
            reason,
            named_by,
        }
    }

    /// Whether the server may have received the request and acted on it. Where
    /// nobody can know, the answer is yes.
    pub fn may_have_been_received(&self) -> bool {
        match self {
            TransportError::Tls { after_sending, .. }
            | TransportError::Timeout { after_sending, .. }
            | TransportError::ConnectionLost { after_sending, .. } => *after_sending,
            TransportError::BodyTooLarge { .. } | TransportError::Encoded { .. } | TransportError::Malformed { .. } => {
                true
            }
            _ => false,
        }
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
            | TransportError::NoRoots => ExitCode::Usage,
            TransportError::TlsNotSetUp(_) | TransportError::ClientNotBuilt(_) => ExitCode::Unexpected,
            TransportError::Dns { .. }
            | TransportError::ConnectRefused { .. }
            | TransportError::Unreachable { .. }
            | TransportError::ProxyRefused { .. }
            | TransportError::ConnectTimeout { .. }
            | TransportError::Tls { .. }
            | TransportError::Timeout { .. }
            | TransportError::ConnectionLost { .. } => ExitCode::Unreachable,
            TransportError::UnsendableHeader(_)
            | TransportError::BodyTooLarge { .. }
            | TransportError::Encoded { .. }
            | TransportError::Malformed { .. } => ExitCode::Protocol,
        }
    }

    fn hints(&self) -> Vec<String> {
        let hints: &[&str] = match self {
            TransportError::InsecureUrl { .. } => &[
                "Use the server's https URL.",
                "`--allow-http` permits http outside this machine, where everybody on the way can read the tokens.",
            ],
            TransportError::UnusableUrl { .. } => &["Use a URL of the form https://host/path."],
            TransportError::LocalhostElsewhere { .. } => {
                &["Write 127.0.0.1 or [::1], or correct the entry for localhost in the hosts file."]
            }
            TransportError::UnsendableHeader(_)
            | TransportError::ClientNotBuilt(_)
            | TransportError::TlsNotSetUp(_) => &["Run the command again with `-vv` to see what was about to be sent."],
            TransportError::Proxy { .. } => {
                &["Give a proxy as http://host:port; one that asks for a password belongs in the variable HTTPS_PROXY."]
            }
            TransportError::CaFile { .. } => &["Name a file with certificates in PEM form."],
            TransportError::ClientCertificate { .. } => &["Name a file with the certificate chain in PEM form."],
            TransportError::ClientKey { .. } => &[
                "Name a file with the private key in PEM form, without a passphrase (`openssl pkey -in FILE -out FILE` removes it).",
            ],
            TransportError::ClientCertificateAndKey { .. } => {
                &["Name the key that belongs to the first certificate of the file."]
            }
            TransportError::NoRoots => &[
                "Install the system's package of trusted certificates (often named ca-certificates), or name a file with `--cacert FILE`.",
            ],
            TransportError::Dns { .. } => &[
                "Check the spelling of the host name, and the network.",
                "Where only a proxy leads out, name it with `--proxy URL` or the variable HTTPS_PROXY.",
            ],
            TransportError::ConnectRefused { .. } => &["Check host and port, and whether the server is running."],
            TransportError::Unreachable { .. } | TransportError::ConnectTimeout { .. } => &[
                "Check the network or the VPN.",
                "Where only a proxy leads out, name it with `--proxy URL` or the variable HTTPS_PROXY.",
            ],
            TransportError::ProxyRefused { .. } => &[
                "Check the proxy's settings; a user name and password for it go into the variable HTTPS_PROXY.",
                "Name the host in the variable NO_PROXY if it should be reached without a proxy.",
            ],
            TransportError::Tls { failure, .. } => failure.hints(),
            TransportError::Timeout { .. } => &["Try again, or allow more time with `--http-timeout 60s`."],
            TransportError::ConnectionLost { .. } => &["Try again."],
            TransportError::BodyTooLarge { .. } | TransportError::Encoded { .. } | TransportError::Malformed { .. } => {
                &["Check that the URL is the server's endpoint, and not a page or something in front of it."]
            }
        };
        hints.iter().map(|hint| (*hint).to_owned()).collect()
    }
}

impl TlsFailure {
    fn hints(self) -> &'static [&'static str] {
        const CAPTIVE_PORTAL: &str =
            "A captive portal or an inspecting proxy may be answering in its place: open a page in a browser and look.";
        match self {
            TlsFailure::Expired | TlsFailure::NotYetValid => &["Check this machine's clock.", CAPTIVE_PORTAL],
            TlsFailure::WrongName => &["Check the host name in the URL.", CAPTIVE_PORTAL],
            TlsFailure::UnknownIssuer => &[
                "If a private authority issued the certificate, name the authority's with `--cacert FILE`.",
                CAPTIVE_PORTAL,
            ],
            TlsFailure::BadCertificate => &[
                "If the server signed its certificate itself, it needs one that is not marked as an authority, or an authority of its own (`--cacert FILE`).",
            ],
            TlsFailure::NotTls => &["Check scheme and port of the URL.", CAPTIVE_PORTAL],
            TlsFailure::ClientCertificate => &["Name this client's certificate with `--cert FILE --key FILE`."],
            TlsFailure::Revoked | TlsFailure::TooOld | TlsFailure::Other => {
                &["Tell the people who run the server.", CAPTIVE_PORTAL]
            }
        }
    }
}

/// What is known about one request when something goes wrong with it.
pub(super) struct Attempt<'a> {
    pub(super) url: &'a Url,
    /// Whether the request may have left this machine.
    pub(super) sending_began: &'a dyn Fn() -> bool,
    /// The proxy on the way, as it may be shown.
    pub(super) proxy: Option<String>,
    pub(super) connect_timeout: Duration,
}

impl Attempt<'_> {
    pub(super) fn timed_out(&self, waited: Duration) -> TransportError {
        TransportError::Timeout {
            endpoint: endpoint(self.url),
            waited,
            after_sending: (self.sending_began)(),
        }
    }

    pub(super) fn body_too_large(&self) -> TransportError {
        TransportError::BodyTooLarge {
            endpoint: endpoint(self.url),
        }
    }

    pub(super) fn encoded(&self, coding: &str) -> TransportError {
        TransportError::Encoded {
            endpoint: endpoint(self.url),
            coding: coding.to_owned(),
        }
    }

    pub(super) fn malformed(&self, reason: &str) -> TransportError {
        TransportError::Malformed {
            endpoint: endpoint(self.url),
            cause: Cause(reason.to_owned()),
        }
    }

    /// Finds out from the library's error what happened.
    pub(super) fn failed(&self, error: &reqwest::Error) -> TransportError {
        let while_connecting = error.is_connect();
        let after_sending = !while_connecting && (self.sending_began)();
        if let Some(source) = find::<rustls::Error>(error) {
            return TransportError::Tls {
                peer: self.peer(),
                failure: TlsFailure::of(source),
                after_sending,
                source: source.clone(),
            };
        }
        if while_connecting {
            return self.not_connected(error);
        }
        let malformed = find::<hyper::Error>(error).is_some_and(|error| error.is_parse())
            || io_kind(error)
                .is_some_and(|kind| matches!(kind, io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput));
        if malformed {
            return self.malformed(&Cause::innermost(error).0);
        }
        TransportError::ConnectionLost {
            endpoint: endpoint(self.url),
            after_sending,
            cause: Cause::innermost(error),
        }
    }

    fn not_connected(&self, error: &reqwest::Error) -> TransportError {
        let cause = Cause::innermost(error);
        if let Some(ResolveError::LocalhostElsewhere(address)) = find::<ResolveError>(error) {
            return TransportError::LocalhostElsewhere {
                endpoint: endpoint(self.url),
                address: *address,
            };
        }
        if error.is_dns() {
            let host = self.url.host_str().unwrap_or_default();
            let host = self.proxy.clone().unwrap_or_else(|| host.to_owned());
            return TransportError::Dns { host, cause };
        }
        if error.is_timeout() {
            return TransportError::ConnectTimeout {
                peer: self.first_peer(),
                waited: self.connect_timeout,
            };
        }
        match (io_kind(error), &self.proxy) {
            (Some(io::ErrorKind::ConnectionRefused), _) => TransportError::ConnectRefused {
                peer: self.first_peer(),
                cause,
            },
            (Some(io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset), None) => {
                TransportError::ConnectionLost {
                    endpoint: endpoint(self.url),
                    after_sending: false,
                    cause,
                }
            }
            (None, Some(proxy)) => TransportError::ProxyRefused {
                proxy: proxy.clone(),
                peer: self.peer(),
                cause,
            },
            _ => TransportError::Unreachable {
                peer: self.first_peer(),
                cause,
            },
        }
    }

    /// Host and port of the server.
    fn peer(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        let port = self.url.port_or_known_default().unwrap_or_default();
        format!("{host}:{port}")
    }

    /// Who is connected to first: the proxy where there is one.
    fn first_peer(&self) -> String {
        match &self.proxy {
            Some(proxy) => format!("the proxy {proxy}"),
            None => self.peer(),
        }
    }
}

/// Scheme, host, port and path: what may be shown of a URL.
fn endpoint(url: &Url) -> String {
    let origin = match url.host_str() {
        Some(host) => format!("{}://{host}", url.scheme()),
        None => format!("{}:", url.scheme()),
    };
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    format!("{origin}{port}{}", url.path())
}

fn when(after_sending: bool) -> &'static str {
    if after_sending {
        "after the request was sent"
    } else {
        "before the request was sent"
    }
}

fn seconds(duration: &Duration) -> String {
    if duration.subsec_millis() == 0 {
        format!("{} s", duration.as_secs())
    } else {
        format!("{} ms", duration.as_millis())
    }
}

/// An error and everything below it. An `io::Error` that wraps another error
/// names that one's source as its own, so the wrapped one is visited too.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| {
        let error: &'a (dyn Error + 'static) = *error;
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        wrapped
            .map(|inner| inner as &(dyn Error + 'static))
            .or_else(|| error.source())
    })
}

fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    chain(error).find_map(|error| error.downcast_ref::<E>())
}

fn io_kind(error: &(dyn Error + 'static)) -> Option<io::ErrorKind> {
    chain(error)
        .filter_map(|error| error.downcast_ref::<io::Error>())
        .last()
        .map(io::Error::kind)
}
