//! Exchanges an ID token for the keys of an AWS role.

use super::caller::Caller;
use crate::exit::{Diagnosis, ExitCode};
use crate::protocol::aws_sts::{RoleKeys, RoleRequest, StsRefusal};
use crate::protocol::endpoint::Endpoint;
use crate::protocol::http::is_unavailable;
use crate::secret::Secret;
use crate::transport::TransportError;

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum AssumeRoleError {
    #[error("AWS STS does not answer")]
    Transport(#[from] TransportError),
    /// 429, 5xx.
    #[error("AWS STS at {endpoint} answered with status {status}")]
    Unavailable { endpoint: String, status: u16 },
    #[error("AWS STS did not accept the ID token for the role: {refusal}")]
    Refused { refusal: StsRefusal },
    /// Another status than 200, and no error of STS.
    #[error("{endpoint} answered with status {status}, and not as AWS STS does")]
    NotSts { endpoint: String, status: u16 },
    #[error("the answer of AWS STS has no keys in it")]
    NoKeys,
}

impl Diagnosis for AssumeRoleError {
    fn exit_code(&self) -> ExitCode {
        match self {
            AssumeRoleError::Transport(source) => source.exit_code(),
            AssumeRoleError::Unavailable { .. } => ExitCode::Unreachable,
            AssumeRoleError::Refused { .. } => ExitCode::Refused,
            AssumeRoleError::NotSts { .. } | AssumeRoleError::NoKeys => ExitCode::Protocol,
        }
    }

    fn hints(&self) -> Vec<String> {
        let hint = match self {
            AssumeRoleError::Transport(source) => return source.hints(),
            AssumeRoleError::Unavailable { .. } => "Try again later.",
            AssumeRoleError::Refused { refusal } => match refusal.code.as_str() {
                "AccessDenied" => {
                    "The role's trust policy must name the OpenID provider, and its conditions must hold for aud and sub of the ID token; see them with: oauth decode --id-token"
                }
                "InvalidIdentityToken" => {
                    "IAM needs an OpenID provider with the issuer and the client ID (aud) of the ID token; see them with: oauth decode --id-token"
                }
                "ExpiredTokenException" => "The ID token has expired; see its times with: oauth decode --id-token",
                "ValidationError" => "Check --role-arn, --session-name and --duration; a role has a longest duration.",
                _ => "Run it again with -vv to see the exchange.",
            },
            AssumeRoleError::NotSts { .. } | AssumeRoleError::NoKeys => "Check --sts-endpoint and --region.",
        };
        vec![hint.to_owned()]
    }
}

/// The keys of the role.
///
/// # Errors
/// [`AssumeRoleError`].
pub async fn assume_role(
    request: &RoleRequest,
    endpoint: &Endpoint,
    id_token: &Secret,
    caller: &mut Caller<'_>,
) -> Result<RoleKeys, AssumeRoleError> {
    let response = caller.send(&request.to_http(endpoint.url().clone(), id_token)).await?;
    let status = response.status;
    let body = response.body.expose();
    match status {
        200 => RoleKeys::read(body).ok_or(AssumeRoleError::NoKeys),
        status if is_unavailable(status) => Err(AssumeRoleError::Unavailable {
            endpoint: endpoint.to_string(),
            status,
        }),
        _ => Err(match StsRefusal::read(body).filter(|_| status >= 400) {
            Some(refusal) => AssumeRoleError::Refused { refusal },
            None => AssumeRoleError::NotSts {
                endpoint: endpoint.to_string(),
                status,
            },
        }),
    }
}
