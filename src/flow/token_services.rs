//! What requests about one token share, at the userinfo, introspection and
//! revocation endpoints: where the endpoint is, how a request is sent, and what
//! can go wrong.

use super::caller::Caller;
use super::discovery::{DiscoveryError, discover, discover_with, hints_for};
use super::hints::{PROOF_REFUSED, client_authentication_refused};
use super::refresh::CREDENTIAL_HINT;
use super::server::{ClientChoice, ServerChoice};
use crate::exit::{Diagnosis, ExitCode};
use crate::foreign_text::Quoted;
use crate::protocol::client::{Client, ClientAuthenticationError, ClientAuthenticationMethod, ClientId};
use crate::protocol::dpop::{DpopError, INVALID_PROOF, USE_NONCE};
use crate::protocol::endpoint::{Endpoint, Issuer};
use crate::protocol::error::ErrorResponse;
use crate::protocol::http::{HttpRequest, HttpResponse, is_unavailable};
use crate::protocol::json::parse_object;
use crate::protocol::metadata::{MetadataError, ServerMetadata};
use crate::protocol::params::Params;
use crate::secret::Secret;
use crate::store::{ClientCredentialError, Session, SessionClient, SessionEndpoints};
use crate::transport::TransportError;
use serde_json::{Map, Value};

/// What is asked for, each at an endpoint of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenService {
    /// OpenID Connect Core §5.3.
    Userinfo,
    /// RFC 7662.
    Introspection,
    /// RFC 7009.
    Revocation,
}

impl TokenService {
    /// The member of the metadata that names the endpoint.
    pub fn member(self) -> &'static str {
        match self {
            TokenService::Userinfo => "userinfo_endpoint",
            TokenService::Introspection => "introspection_endpoint",
            TokenService::Revocation => "revocation_endpoint",
        }
    }

    pub(in crate::flow) fn name(self) -> &'static str {
        match self {
            TokenService::Userinfo => "userinfo endpoint",
            TokenService::Introspection => "introspection endpoint",
            TokenService::Revocation => "revocation endpoint",
        }
    }

    fn endpoint(self, endpoints: &SessionEndpoints) -> Option<&Endpoint> {
        match self {
            TokenService::Userinfo => endpoints.userinfo.as_ref(),
            TokenService::Introspection => endpoints.introspection.as_ref(),
            TokenService::Revocation => endpoints.revocation.as_ref(),
        }
    }
}

/// The server and the client of a session, or of a profile without one: all
/// that a request about a token needs to know of them.
#[derive(Debug, Clone)]
pub struct KnownServer {
    /// `None` where only endpoints are known.
    pub issuer: Option<Issuer>,
    pub client: SessionClient,
    pub endpoints: SessionEndpoints,
    /// The key that the session's tokens are bound to.
    pub dpop_key: Option<Secret>,
}

impl From<&Session> for KnownServer {
    fn from(session: &Session) -> Self {
        KnownServer {
            issuer: session.issuer.clone(),
            client: session.client.clone(),
            endpoints: session.endpoints.clone(),
            dpop_key: session.dpop_key.clone(),
        }
    }
}

/// Why there is no answer about the token, or none that may be used.
#[derive(Debug, thiserror::Error)]
pub enum TokenServiceError {
    /// There is nothing that the client authenticates with, or it is damaged.
    #[error(transparent)]
    Credential(#[from] ClientCredentialError),
    /// The endpoint is not known, and the metadata cannot be had.
    #[error(transparent)]
    Discovery(#[from] Box<DiscoveryError>),
    /// No document of the server names the endpoint.
    #[error("the server has no {service}: {}", no_endpoint(member, issuer.as_deref()))]
    NoEndpoint {
        service: &'static str,
        /// The member that they lack.
        member: &'static str,
        /// Whose they are, where that is known.
        issuer: Option<String>,
    },
    /// The metadata name an endpoint that must not be called.
    #[error("the {service} of the server cannot be used")]
    Endpoint {
        service: &'static str,
        /// What is wrong with it.
        #[source]
        problem: MetadataError,
    },
    /// The client cannot prove who it is.
    #[error(transparent)]
    Authentication(#[from] ClientAuthenticationError),
    /// There is no proof for the request (RFC 9449).
    #[error(transparent)]
    Dpop(#[from] DpopError),
    #[error("the {service} does not answer")]
    Transport {
        service: &'static str,
        #[source]
        source: Box<TransportError>,
    },
    /// 429, 5xx.
    #[error("the {service} {endpoint} answered with status {status}")]
    Unavailable {
        service: &'static str,
        endpoint: String,
        status: u16,
    },
    /// Any other status than 2xx.
    #[error("the {service} {endpoint} refused with status {status}{}", describe_error(error.as_deref()))]
    Refused {
        service: &'static str,
        endpoint: String,
        status: u16,
        /// What it said, if it said anything.
        error: Option<Box<ErrorResponse>>,
        /// How the client said who it is.
        method: Option<ClientAuthenticationMethod>,
    },
    /// A proxy, a captive portal.
    #[error("the {service} {endpoint} answered with something that is not JSON")]
    NotJson { service: &'static str, endpoint: String },
    /// An answer that breaks the specification.
    #[error("the answer of the {service} cannot be used: {problem}")]
    Invalid {
        service: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// OpenID Connect Core §5.3.2.
    #[error(
        "the userinfo are of {}, but {} signed in: they must not be used (OpenID Connect Core §5.3.2)",
        Quoted::name(found),
        Quoted::name(expected)
    )]
    OtherSubject {
        /// Of the ID token.
        expected: String,
        found: String,
    },
}

fn describe_error(error: Option<&ErrorResponse>) -> String {
    let Some(error) = error else {
        return String::new();
    };
    format!(": {error}")
}

impl Diagnosis for TokenServiceError {
    fn exit_code(&self) -> ExitCode {
        match self {
            TokenServiceError::Credential(_) => ExitCode::Store,
            TokenServiceError::Authentication(_) => ExitCode::Unexpected,
            TokenServiceError::Dpop(source) => source.exit_code(),
            TokenServiceError::Discovery(source) => source.exit_code(),
            TokenServiceError::Transport { source, .. } => source.exit_code(),
            TokenServiceError::Unavailable { .. } | TokenServiceError::NotJson { .. } => ExitCode::Unreachable,
            TokenServiceError::Refused { status: 300..400, .. } => ExitCode::Protocol,
            TokenServiceError::Refused { .. } => ExitCode::Refused,
            TokenServiceError::NoEndpoint { .. } => ExitCode::Usage,
            TokenServiceError::Endpoint { .. }
            | TokenServiceError::Invalid { .. }
            | TokenServiceError::OtherSubject { .. } => ExitCode::Protocol,
        }
    }

    fn hints(&self) -> Vec<String> {
        let hint = match self {
            TokenServiceError::Authentication(_) => return Vec::new(),
            TokenServiceError::Dpop(source) => return source.hints(),
            TokenServiceError::Discovery(source) => return source.hints(),
            TokenServiceError::Transport { source, .. } => return source.hints(),
            TokenServiceError::Credential(_) => CREDENTIAL_HINT,
            TokenServiceError::Endpoint { problem, .. } => return hints_for(problem),
            TokenServiceError::NoEndpoint { member, issuer, .. } => {
                return hints_for_no_endpoint(member, issuer.as_deref());
            }
            TokenServiceError::Unavailable { .. } => "Try again later.",
            TokenServiceError::Refused { status: 300..400, .. } => {
                "Something other than that endpoint seems to answer. To see the endpoints that the server announces: oauth discover URL"
            }
            TokenServiceError::Refused {
                service,
                status,
                error,
                method,
                ..
            } => return vec![hint_for_refusal(service, *status, error.as_deref(), *method)],
            TokenServiceError::NotJson { .. } => {
                "Something else than that endpoint seems to answer: a proxy, or a captive portal."
            }
            TokenServiceError::Invalid { .. } => "Run it again with -vv to see the answer.",
            TokenServiceError::OtherSubject { .. } => {
                "The token is not that of the person who signed in: log in again, and tell the server's operator."
            }
        };
        vec![hint.to_owned()]
    }

    fn oauth_error(&self) -> Option<(&str, Option<&str>)> {
        match self {
            TokenServiceError::Refused { error: Some(error), .. } => {
                Some((&error.error, error.error_description.as_deref()))
            }
            _ => None,
        }
    }
}

fn no_endpoint(member: &str, issuer: Option<&str>) -> String {
    match issuer {
        Some(issuer) => format!("the metadata of {issuer} names no {member}"),
        None => "the session was made without metadata".to_owned(),
    }
}

fn hints_for_no_endpoint(member: &str, issuer: Option<&str>) -> Vec<String> {
    let flag = member.replace('_', "-");
    let Some(issuer) = issuer else {
        return vec![format!(
            "Log in again and add the option --issuer URL, or --{flag} URL."
        )];
    };
    let issuer = shell_words::quote(issuer);
    vec![
        format!("If the server has one anyway, log in again and add the option --{flag} URL."),
        format!("See what the server publishes with: oauth discover {issuer}"),
    ]
}

fn hint_for_refusal(
    service: &str,
    status: u16,
    error: Option<&ErrorResponse>,
    method: Option<ClientAuthenticationMethod>,
) -> String {
    let code = error.map(|error| error.error.as_str());
    let hint = match (code, method) {
        (Some("insufficient_scope"), _) => {
            "The endpoint answers for tokens with the scope openid, of a login by a person."
        }
        (Some("unsupported_token_type"), _) if service == TokenService::Introspection.name() => {
            "The server does not look up tokens of this type. If it is a JWT, decode it: oauth decode"
        }
        (Some("unsupported_token_type"), _) => {
            "The server does not revoke tokens of this type; it is valid until it expires."
        }
        (Some(USE_NONCE | INVALID_PROOF), _) => return PROOF_REFUSED.to_owned(),
        (Some("invalid_token"), _) => {
            "The server does not accept this token. Log in again, or get a new token: oauth token --force-refresh"
        }
        (_, Some(ClientAuthenticationMethod::None)) if service == TokenService::Introspection.name() => {
            "Many servers answer this only for a client with a secret (--client-secret-file FILE at the login). To read a token that is a JWT: oauth decode"
        }
        (_, Some(ClientAuthenticationMethod::None)) => {
            "The server may require a client with a secret for this: log in with --client-secret-file."
        }
        (Some("invalid_client" | "unauthorized_client"), Some(_)) => return hint_for_client(method),
        (None, Some(_)) if status == 401 => return hint_for_client(method),
        _ => "Run it again with -vv to see the exchange.",
    };
    hint.to_owned()
}

/// As for the token endpoint; but the options are not those of this command.
fn hint_for_client(method: Option<ClientAuthenticationMethod>) -> String {
    format!(
        "{} Give these options at the login.",
        client_authentication_refused(method)
    )
}

/// The server and the client of a profile without a session.
///
/// # Errors
/// [`TokenServiceError::Discovery`].
pub async fn discover_known_server(
    server: &ServerChoice,
    (client, id): (&ClientChoice, &ClientId),
    caller: &mut Caller<'_>,
) -> Result<KnownServer, TokenServiceError> {
    let mut metadata = match &server.issuer {
        Some(issuer) => discover(issuer, server.allowance, caller).await.map_err(Box::new)?,
        None => ServerMetadata::default(),
    };
    server.replace_endpoints(&mut metadata);
    let assertion_source = client.assertion_source.clone();
    let client = client.authenticated_as(id, &metadata);
    if client.tls_identity().is_some() {
        let used = server.use_mtls_endpoints(&mut metadata);
        used.map_err(|problem| TokenServiceError::Endpoint {
            service: "token endpoint",
            problem,
        })?;
    }
    Ok(KnownServer {
        client: SessionClient {
            assertion_source,
            ..SessionClient::from(&client)
        },
        endpoints: SessionEndpoints::from(&metadata),
        dpop_key: None,
        issuer: metadata.issuer,
    })
}

/// The endpoint that is known, else the one that the metadata names now.
pub(in crate::flow) async fn endpoint(
    service: TokenService,
    server: &KnownServer,
    caller: &mut Caller<'_>,
) -> Result<Endpoint, TokenServiceError> {
    if let Some(endpoint) = service.endpoint(&server.endpoints) {
        return Ok(endpoint.clone());
    }
    let no_endpoint = || TokenServiceError::NoEndpoint {
        service: service.name(),
        member: service.member(),
        issuer: server.issuer.as_ref().map(Issuer::to_string),
    };
    let issuer = server.issuer.as_ref().ok_or_else(no_endpoint)?;
    let metadata = discover_with(service.member(), issuer, issuer.http_policy(), caller).await;
    match metadata.map_err(Box::new)?.required(service.member()) {
        Ok(endpoint) => Ok(endpoint.clone()),
        Err(MetadataError::NoEndpoint(_)) => Err(no_endpoint()),
        Err(problem) => Err(TokenServiceError::Endpoint {
            service: service.name(),
            problem,
        }),
    }
}

/// Sends a request; every status other than 2xx is an error.
pub(in crate::flow) async fn send(
    service: TokenService,
    endpoint: &Endpoint,
    request: &HttpRequest,
    method: Option<ClientAuthenticationMethod>,
    caller: &mut Caller<'_>,
) -> Result<HttpResponse, TokenServiceError> {
    let sent = caller.send(request).await;
    let response = sent.map_err(|source| TokenServiceError::Transport {
        service: service.name(),
        source: Box::new(source),
    })?;
    accept(service, endpoint, request, response, method)
}

/// The response to a request; every status other than 2xx is an error.
pub(in crate::flow) fn accept(
    service: TokenService,
    endpoint: &Endpoint,
    request: &HttpRequest,
    response: HttpResponse,
    method: Option<ClientAuthenticationMethod>,
) -> Result<HttpResponse, TokenServiceError> {
    let service = service.name();
    let (status, endpoint) = (response.status, endpoint.to_string());
    match status {
        200..300 => Ok(response),
        status if is_unavailable(status) => Err(TokenServiceError::Unavailable {
            service,
            endpoint,
            status,
        }),
        _ => {
            let error = response.error_in_body().or_else(|| response.error_in_challenge());
            Err(TokenServiceError::Refused {
                service,
                endpoint,
                status,
                error: error.map(|error| Box::new(error.scrubbed(&request.secrets()))),
                method,
            })
        }
    }
}

/// A request about one token, to be introspected (RFC 7662 §2.1) or revoked (RFC 7009 §2.1).
pub(in crate::flow) fn request_about_token(
    endpoint: &Endpoint,
    client: &Client,
    token: &Secret,
    token_type_hint: Option<&str>,
    caller: &mut Caller<'_>,
) -> Result<HttpRequest, ClientAuthenticationError> {
    let mut params = Params::new();
    params.push("token", token.expose());
    if let Some(hint) = token_type_hint {
        params.push("token_type_hint", hint);
    }
    let mut request = HttpRequest::post(endpoint.url().clone(), params);
    client.authenticate(&mut request, &mut caller.authentication_context())?;
    Ok(request)
}

/// The JSON object of a response, as bytes and parsed.
pub(in crate::flow) fn json_object(response: &HttpResponse) -> Option<(Vec<u8>, Map<String, Value>)> {
    let bytes = response.body.expose();
    Some((bytes.to_vec(), parse_object(bytes).ok()?))
}

pub(in crate::flow) fn not_json(service: TokenService, endpoint: &Endpoint) -> TokenServiceError {
    TokenServiceError::NotJson {
        service: service.name(),
        endpoint: endpoint.to_string(),
    }
}
