//! Why the server cannot run.

use super::tls_files::TlsFilesError;
use crate::exit::{Diagnosis, ExitCode};
use crate::server::authorization_server::SetUpError;
use std::io;

/// Why the server cannot run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Someone else listens there.
    #[error("port {port} of 127.0.0.1 cannot be listened on")]
    Port {
        /// The port that was asked for.
        port: u16,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// The listener was made, but cannot be used.
    #[error("the listener on 127.0.0.1 cannot be used")]
    Listener(#[source] io::Error),
    /// The certificates of https.
    #[error("https cannot be set up")]
    Tls(#[from] TlsFilesError),
    /// Keys, issuer or accounts.
    #[error("the authorization server cannot be set up")]
    SetUp(#[from] SetUpError),
}

impl Diagnosis for ServeError {
    fn exit_code(&self) -> ExitCode {
        match self {
            ServeError::Port { .. } | ServeError::SetUp(SetUpError::NoUser) => ExitCode::Usage,
            ServeError::Tls(source) => source.exit_code(),
            ServeError::Listener(_) | ServeError::SetUp(_) => ExitCode::Unexpected,
        }
    }

    fn hints(&self) -> Vec<String> {
        let hint = match self {
            ServeError::Port { .. } => "Use any free port: add --port 0",
            ServeError::SetUp(SetUpError::NoUser) => "Make an account with: oauth serve --user demo:demo",
            ServeError::Tls(source) => return source.hints(),
            ServeError::Listener(_) | ServeError::SetUp(_) => return Vec::new(),
        };
        vec![hint.to_owned()]
    }
}
