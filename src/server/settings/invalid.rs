//! Settings that the development server cannot use.

use super::super::route::UnknownRoute;
use crate::exit::{Diagnosis, ExitCode};
use crate::foreign_text::Quoted;
use crate::protocol::client::InvalidClientId;
use crate::protocol::redirect_uri::InvalidRedirectUri;
use crate::rules::UnknownRule;

/// A setting that the development server cannot take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSetting {
    /// `--client`.
    #[error(transparent)]
    ClientId(#[from] InvalidClientId),
    /// `--client-metadata`.
    #[error("the client metadata cannot be used: {0}")]
    ClientMetadata(String),
    /// `--client-metadata` without `--tls`.
    #[error("the client {0} shows a certificate, which takes https")]
    CertificateWithoutTls(String),
    /// `--signing-key-file`.
    #[error("the signing keys cannot be used: {0}")]
    SigningKey(String),
    /// `--redirect-uri`.
    #[error(transparent)]
    RedirectUri(#[from] InvalidRedirectUri),
    /// `--user`.
    #[error("an account must be NAME:PASSWORD, neither of them empty")]
    User,
    /// `--setup`, resources and their scopes.
    #[error("the resource cannot be used: {0}")]
    Resource(String),
    /// `--setup`, claims of users and tokens.
    #[error("the claim {} is the server's own", Quoted::name(.0))]
    Claim(String),
    /// `--fail`.
    #[error("{} is not a fault: use ENDPOINT=STATUS[:COUNT], with a status from 200 to 599", Quoted::name(.0))]
    Fault(String),
    /// `--fail`, the endpoint.
    #[error(transparent)]
    Route(#[from] UnknownRoute),
    /// `--cors`.
    #[error("{} is not an origin: scheme, host and, if need be, port, or * for all", Quoted::name(.0))]
    Origin(String),
    /// `--break`.
    #[error(transparent)]
    Rule(#[from] UnknownRule),
}

impl Diagnosis for InvalidSetting {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hints(&self) -> Vec<String> {
        let hint = match self {
            InvalidSetting::ClientId(_) => "Register a client like this: oauth serve --client my-app",
            InvalidSetting::ClientMetadata(_) => {
                "Write the file like this: {\"client_id\": \"my-app\", \"token_endpoint_auth_method\": \"private_key_jwt\", \"jwks\": {\"keys\": […]}}"
            }
            InvalidSetting::CertificateWithoutTls(_) => "Serve https like this: oauth serve --tls DIR",
            InvalidSetting::SigningKey(_) => {
                "Make a key: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out FILE"
            }
            InvalidSetting::RedirectUri(_) => {
                "Register a redirect URI like this: oauth serve --redirect-uri http://127.0.0.1/callback"
            }
            InvalidSetting::Resource(_) => {
                "Name a resource server like this: resource = \"https://api.example.com\", scopes = [\"read\"]"
            }
            InvalidSetting::Claim(_) => "Leave it out: the server sets it in every token.",
            InvalidSetting::User => "Make an account like this: oauth serve --user demo:demo",
            InvalidSetting::Fault(_) | InvalidSetting::Route(_) => {
                "Let the first two token requests fail like this: oauth serve --fail token=503:2"
            }
            InvalidSetting::Origin(_) => {
                "Allow a browser application like this: oauth serve --cors http://localhost:5173"
            }
            InvalidSetting::Rule(_) => "List all rules: oauth serve --break list",
        };
        vec![hint.to_owned()]
    }
}
