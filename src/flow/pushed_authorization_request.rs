//! Between steps 1 and 2 of a login, where the server takes it: the client
//! posts the authorization request, with its own authentication, and the
//! browser carries a reference to it (RFC 9126). A refusal ends the login: the
//! request is never sent through the browser instead.

use super::caller::Caller;
use super::dpop::{DpopSession, NoBoundAnswer};
use super::events::trace_request;
use super::hints::{EndpointKind, RequestSummary, hint_for};
use super::server::{ResolvedServer, ServerError};
use super::token_endpoint::exit_code_without_answer;
use crate::exit::{Diagnosis, ExitCode};
use crate::protocol::client::{Client, ClientAuthenticationError};
use crate::protocol::dpop::DpopError;
use crate::protocol::endpoint::Endpoint;
use crate::protocol::json_answer::JsonAnswerError;
use crate::protocol::metadata::MetadataError;
use crate::protocol::params::Params;
use crate::protocol::pushed_authorization::{PushedAuthorization, PushedAuthorizationError, http_request};
use crate::trace::{Event, Party};
use crate::transport::TransportError;

/// The server may make an exception for this client.
const NO_ENDPOINT: &str = "the server takes pushed authorization requests only (require_pushed_authorization_requests, RFC 9126 §5) and names no endpoint for them: it will probably refuse this login; if it has the endpoint, name it with --pushed-authorization-request-endpoint URL";

/// Whether authorization requests are pushed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ParChoice {
    /// Wherever the server has the endpoint.
    #[default]
    Auto,
    /// The login does not begin where the server has no endpoint.
    Always,
    Never,
}

impl ParChoice {
    /// As flag and profile have it.
    pub fn as_str(self) -> &'static str {
        match self {
            ParChoice::Auto => "auto",
            ParChoice::Always => "always",
            ParChoice::Never => "never",
        }
    }
}

/// Why an authorization request was not pushed.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// The client cannot prove who it is.
    #[error(transparent)]
    Authentication(#[from] ClientAuthenticationError),
    /// There is no proof for the request (RFC 9449).
    #[error(transparent)]
    Dpop(#[from] DpopError),
    /// No answer.
    #[error("the authorization request cannot be pushed to the server")]
    Transport(#[from] TransportError),
    /// An answer without a reference.
    #[error("the server did not accept the request to log in")]
    Refused {
        #[source]
        error: PushedAuthorizationError,
        sent: Box<RequestSummary>,
    },
}

impl From<NoBoundAnswer> for PushError {
    fn from(error: NoBoundAnswer) -> Self {
        match error {
            NoBoundAnswer::Dpop(error) => PushError::Dpop(error),
            NoBoundAnswer::Authentication(error) => PushError::Authentication(error),
            NoBoundAnswer::Transport(error) => PushError::Transport(error),
        }
    }
}

impl Diagnosis for PushError {
    fn exit_code(&self) -> ExitCode {
        match self {
            PushError::Authentication(_) => ExitCode::Unexpected,
            PushError::Dpop(source) => source.exit_code(),
            PushError::Transport(source) => exit_code_without_answer(source),
            PushError::Refused { error, .. } => match error {
                PushedAuthorizationError::Invalid { .. } => ExitCode::Protocol,
                PushedAuthorizationError::Answer { problem, .. } => match problem {
                    JsonAnswerError::Unavailable { .. } | JsonAnswerError::NotJson { .. } => ExitCode::Unreachable,
                    JsonAnswerError::Redirect { .. } => ExitCode::Protocol,
                    JsonAnswerError::OAuth { .. } | JsonAnswerError::Refused { .. } => ExitCode::Refused,
                },
            },
        }
    }

    fn hints(&self) -> Vec<String> {
        let hint = match self {
            PushError::Authentication(_) => return Vec::new(),
            PushError::Dpop(source) => return source.hints(),
            PushError::Transport(source) => return source.hints(),
            PushError::Refused { error, sent } => match error {
                PushedAuthorizationError::Invalid { .. } => {
                    "Run it again with -vv to see the answer; --par never sends the request through the browser instead, where the server allows that."
                }
                PushedAuthorizationError::Answer { problem, .. } => match problem {
                    JsonAnswerError::OAuth { error, .. } => {
                        return vec![hint_for(error, EndpointKind::PushedAuthorization, Some(sent))];
                    }
                    JsonAnswerError::Unavailable { .. } => "Try again later.",
                    JsonAnswerError::Redirect { .. } => {
                        "Give the endpoint's final URL with --pushed-authorization-request-endpoint, if that is where it has moved."
                    }
                    JsonAnswerError::NotJson { .. } | JsonAnswerError::Refused { .. } => {
                        "Something else than the pushed authorization request endpoint seems to answer: a proxy, a captive portal, or a wrong --pushed-authorization-request-endpoint."
                    }
                },
            },
        };
        vec![hint.to_owned()]
    }

    fn oauth_error(&self) -> Option<(&str, Option<&str>)> {
        match self {
            PushError::Refused {
                error:
                    PushedAuthorizationError::Answer {
                        problem: JsonAnswerError::OAuth { error, .. },
                        ..
                    },
                ..
            } => Some((&error.error, error.error_description.as_deref())),
            _ => None,
        }
    }
}

impl ResolvedServer {
    /// Where the authorization request is pushed to; `None` where the browser
    /// carries it.
    ///
    /// # Errors
    /// [`ServerError`] where choice and server do not fit.
    pub(in crate::flow) fn pushed_authorization_request_endpoint(
        &self,
        choice: ParChoice,
        caller: &mut Caller<'_>,
    ) -> Result<Option<&Endpoint>, ServerError> {
        let is_required = self.metadata.require_pushed_authorization_requests;
        if choice == ParChoice::Never {
            return match is_required {
                true => Err(ServerError::PushedRequestsOnly),
                false => Ok(None),
            };
        }
        match self.metadata.required("pushed_authorization_request_endpoint") {
            Ok(endpoint) => Ok(Some(endpoint)),
            Err(MetadataError::NoEndpoint(_)) if choice == ParChoice::Always => Err(ServerError::NoPushedRequests),
            Err(MetadataError::NoEndpoint(_)) => {
                if is_required {
                    caller.observe(&Event::Warning(NO_ENDPOINT));
                }
                Ok(None)
            }
            Err(problem) => Err(ServerError::Endpoint(problem)),
        }
    }
}

/// Who pushes, and where to.
pub(in crate::flow) struct Push<'p> {
    pub(in crate::flow) client: &'p Client,
    pub(in crate::flow) endpoint: &'p Endpoint,
    /// What was asked for, for the hints.
    pub(in crate::flow) sent: RequestSummary,
}

impl Push<'_> {
    /// Posts the parameters of an authorization request.
    ///
    /// # Errors
    /// [`PushError`].
    pub(in crate::flow) async fn send(
        self,
        params: &Params,
        dpop: Option<&mut DpopSession>,
        caller: &mut Caller<'_>,
    ) -> Result<PushedAuthorization, PushError> {
        let Push { client, endpoint, sent } = self;
        let make = |caller: &mut Caller<'_>| {
            let request = http_request(params, client, endpoint, &mut caller.authentication_context())?;
            trace_request("pushed authorization request", &request, caller.observer);
            Ok(request)
        };
        let (request, response) = match dpop {
            Some(dpop) => dpop.send(None, caller, &make).await?,
            None => {
                let request = make(caller)?;
                let response = caller.send(&request).await?;
                (request, response)
            }
        };
        let pushed = PushedAuthorization::read(endpoint, &response).map_err(|error| PushError::Refused {
            error: error.scrubbed(&request.secrets()),
            sent: Box::new(sent),
        })?;
        trace_answer(&pushed, caller);
        Ok(pushed)
    }
}

fn trace_answer(pushed: &PushedAuthorization, caller: &mut Caller<'_>) {
    let mut params = Params::new();
    params.push("request_uri", &pushed.request_uri);
    if let Some(lifetime) = pushed.lifetime {
        params.push("expires_in", &lifetime.as_secs().to_string());
    }
    caller.observe(&Event::Message {
        from: Party::AuthorizationServer,
        to: Party::Client,
        title: "pushed authorization response",
        params: &params,
    });
    if pushed.lifetime.is_none() {
        caller.observe(&Event::Warning(
            "the server does not say how long it keeps the pushed authorization request (expires_in, RFC 9126 §2.2)",
        ));
    }
}
