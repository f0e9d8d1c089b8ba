//! Why the listener could not be had. All but the last two are the user's to
//! solve with other flags.

use super::certificate::CallbackCertificateError;
use crate::exit::{Diagnosis, ExitCode};
use std::io;
use std::net::{IpAddr, SocketAddr};

/// The listener at the redirect URI cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoopbackError {
    /// Another process listens on every port that was allowed.
    #[error("cannot listen on {address}: {} in use", ports_in_words(.ports))]
    PortsBusy {
        /// The address, or `localhost` for both.
        address: String,
        /// The ports that were tried.
        ports: Vec<u16>,
    },
    /// The system keeps this port for privileged processes.
    #[error("cannot listen on {address}: the system does not permit this port")]
    PortNotPermitted {
        /// What was to be bound.
        address: SocketAddr,
    },
    /// This machine does not have the address.
    #[error("cannot listen on {address}: this machine does not have that address")]
    AddressMissing { address: IpAddr },
    /// Binding failed in another way.
    #[error("cannot listen on {address}")]
    Failed {
        /// What was to be bound.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Its certificate cannot be used or made.
    #[error(transparent)]
    Certificate(#[from] CallbackCertificateError),
    /// The listener ended while someone waited for it.
    #[error("the listener for the callback has ended")]
    Ended,
}

fn ports_in_words(ports: &[u16]) -> String {
    match ports {
        [0] | [] => "no free port was found that is not".to_owned(),
        [port] => format!("port {port} is"),
        ports => {
            let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
            format!("ports {} are", ports.join(", "))
        }
    }
}

impl Diagnosis for LoopbackError {
    fn exit_code(&self) -> ExitCode {
        match self {
            LoopbackError::Certificate(source) => source.exit_code(),
            LoopbackError::PortsBusy { .. }
            | LoopbackError::PortNotPermitted { .. }
            | LoopbackError::AddressMissing { .. } => ExitCode::Usage,
            LoopbackError::Failed { .. } | LoopbackError::Ended => ExitCode::Unexpected,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            LoopbackError::Certificate(source) => source.hints(),
            LoopbackError::PortsBusy { .. } => vec![
                "Name other ports with `--port P,P,…`, or any free one with `--port 0` if the server allows it."
                    .to_owned(),
                "To log in without a listener, add --paste.".to_owned(),
            ],
            LoopbackError::PortNotPermitted { .. } => {
                vec!["Name a port above 1023 with `--port P`; the redirect URI must be registered with it.".to_owned()]
            }
            LoopbackError::AddressMissing { address } if address.is_loopback() => {
                vec!["Use the other loopback address: `--redirect-uri http://127.0.0.1:0/callback`.".to_owned()]
            }
            LoopbackError::AddressMissing { .. } => {
                vec!["Name an address of this machine with `--listen IP`, or leave `--listen` out.".to_owned()]
            }
            LoopbackError::Failed { .. } | LoopbackError::Ended => {
                vec!["To log in without a listener, add --paste.".to_owned()]
            }
        }
    }
}
