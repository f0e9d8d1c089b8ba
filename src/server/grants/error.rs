//! Why a grant is refused.

use crate::protocol::random::RandomnessFailed;
use crate::rules::Rule;
use crate::server::expiring_map::Full;
use crate::server::scopes::CLIENT_SCOPES;

/// Why a grant was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum GrantError {
    #[error("the code is unknown, was used before, or has expired")]
    UnknownCode,
    #[error("the code was used before: all tokens that were issued for it are revoked")]
    CodeReused,
    #[error("the code was issued to another client")]
    CodeOfOtherClient,
    #[error("redirect_uri is missing, though the authorization request had one; the code is void now")]
    NoRedirectUri,
    #[error("redirect_uri is not the one of the authorization request; the code is void now")]
    OtherRedirectUri,
    #[error("code_verifier is missing or malformed; the code is void now")]
    NoVerifier,
    #[error("code_verifier does not hash into the code_challenge; the code is void now")]
    WrongVerifier,
    #[error("the refresh token is unknown, revoked, or has expired")]
    UnknownRefreshToken,
    #[error("the refresh token was spent before: its whole family is revoked")]
    RefreshTokenReused,
    #[error("the refresh token was issued to another client")]
    RefreshTokenOfOtherClient,
    #[error("the code is bound to a key that the request does not prove to hold (dpop_jkt); the code is void now")]
    CodeOfOtherKey,
    #[error("the refresh token is bound to a key that the request does not prove to hold")]
    RefreshTokenOfOtherKey,
    #[error("the refresh token is bound to a certificate that the request does not show")]
    RefreshTokenOfOtherCertificate,
    #[error("the device code is unknown or was used before")]
    UnknownDeviceCode,
    #[error("the device code was issued to another client")]
    DeviceCodeOfOtherClient,
    #[error("the device code has expired")]
    DeviceCodeExpired,
    #[error("the resource owner refused")]
    DeviceDenied,
    #[error("the resource owner has not decided yet")]
    AuthorizationPending,
    #[error("the device asks too often: 5 seconds more between all further requests")]
    SlowDown,
    #[error("scope has more than was granted")]
    Scope,
    #[error("a public client has no credentials that could bring it a token")]
    PublicClient,
    #[error("for itself, a client may have only these scopes: {}", CLIENT_SCOPES.join(", "))]
    ScopeOfUsers,
    #[error(
        "authorization_details is not a list of objects with a type, or have more than was granted; the code is void now"
    )]
    AuthorizationDetails,
    #[error("resource is not among those that were granted")]
    Resource,
    #[error("the subject token is not valid: it is unknown, has expired, was revoked, or is not of a trusted issuer")]
    SubjectToken,
    #[error("the actor token is not valid")]
    ActorToken,
    #[error("no token of this type is exchanged")]
    SubjectTokenType,
    #[error("no token of the type in requested_token_type is issued")]
    RequestedTokenType,
    #[error("an identity assertion needs an audience")]
    NoAudience,
    #[error("the resource or audience is none that tokens are issued for")]
    Target,
    #[error("scope has more than the token permits that it is asked for with")]
    ExchangedScope,
    #[error("the assertion is not valid: it has expired, was changed, or is not of a trusted issuer")]
    Assertion,
    #[error("the assertion is not for this server")]
    AssertionForOthers,
    #[error("the assertion is for another client")]
    AssertionOfOtherClient,
    #[error("the assertion is an access token")]
    AssertionIsAccessToken,
    #[error("the assertion is an ID token, which is for the client")]
    AssertionIsIdToken,
    #[error("this refusal was asked for")]
    OnPurpose(Rule),
    #[error(transparent)]
    Randomness(#[from] RandomnessFailed),
}

impl GrantError {
    /// The code of the error response (RFC 6749 §5.2, RFC 8707 §2).
    pub(crate) fn error(self) -> &'static str {
        match self {
            GrantError::Scope | GrantError::ScopeOfUsers | GrantError::ExchangedScope => "invalid_scope",
            GrantError::SubjectToken
            | GrantError::ActorToken
            | GrantError::SubjectTokenType
            | GrantError::RequestedTokenType
            | GrantError::NoAudience => "invalid_request",
            GrantError::AuthorizationPending => "authorization_pending",
            GrantError::SlowDown => "slow_down",
            GrantError::DeviceDenied => "access_denied",
            GrantError::DeviceCodeExpired => "expired_token",
            GrantError::PublicClient => "unauthorized_client",
            GrantError::Resource | GrantError::Target => "invalid_target",
            GrantError::AuthorizationDetails => "invalid_authorization_details",
            GrantError::Randomness(_) => "server_error",
            _ => "invalid_grant",
        }
    }

    /// The specification behind it.
    pub(crate) fn citation(self) -> &'static str {
        match self {
            GrantError::UnknownCode | GrantError::CodeReused => "RFC 6749 §4.1.2",
            GrantError::CodeOfOtherClient | GrantError::NoRedirectUri | GrantError::OtherRedirectUri => {
                "RFC 6749 §4.1.3"
            }
            GrantError::NoVerifier | GrantError::WrongVerifier => "RFC 7636 §4.6",
            GrantError::UnknownRefreshToken | GrantError::RefreshTokenOfOtherClient | GrantError::Scope => {
                "RFC 6749 §6"
            }
            GrantError::UnknownDeviceCode | GrantError::DeviceCodeOfOtherClient => "RFC 8628 §3.4",
            GrantError::AuthorizationPending
            | GrantError::SlowDown
            | GrantError::DeviceDenied
            | GrantError::DeviceCodeExpired => "RFC 8628 §3.5",
            GrantError::CodeOfOtherKey => "RFC 9449 §10",
            GrantError::RefreshTokenOfOtherKey => "RFC 9449 §5",
            GrantError::RefreshTokenOfOtherCertificate => "RFC 8705 §4",
            GrantError::PublicClient => "RFC 6749 §4.4",
            GrantError::ScopeOfUsers => "RFC 6749 §3.3",
            GrantError::RefreshTokenReused => "RFC 9700 §4.14.2",
            GrantError::Resource => "RFC 8707 §2.2",
            GrantError::AuthorizationDetails => "RFC 9396 §6",
            GrantError::SubjectToken | GrantError::ActorToken | GrantError::SubjectTokenType | GrantError::Target => {
                "RFC 8693 §2.2.2"
            }
            GrantError::RequestedTokenType | GrantError::ExchangedScope => "RFC 8693 §2.1",
            GrantError::NoAudience => "draft-ietf-oauth-identity-assertion-authz-grant §4.3",
            GrantError::AssertionOfOtherClient => "draft-ietf-oauth-identity-assertion-authz-grant §4.4",
            GrantError::Assertion | GrantError::AssertionForOthers | GrantError::AssertionIsIdToken => "RFC 7523 §3",
            GrantError::AssertionIsAccessToken => "RFC 8725 §3.11",
            GrantError::OnPurpose(_) => "--break",
            GrantError::Randomness(_) => "RFC 6749 §10.10",
        }
    }
}

/// Why no code is issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum IssueCodeError {
    #[error(transparent)]
    Full(#[from] Full),
    #[error(transparent)]
    Randomness(#[from] RandomnessFailed),
}

impl IssueCodeError {
    /// The code of the error response (RFC 6749 §4.1.2.1).
    pub(crate) fn error(self) -> &'static str {
        match self {
            IssueCodeError::Full(_) => "temporarily_unavailable",
            IssueCodeError::Randomness(_) => "server_error",
        }
    }
}
