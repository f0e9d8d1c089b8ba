//! `--grant`: by which grant a login gets its tokens.

use crate::foreign_text::Quoted;
use crate::protocol::grant::{device_code, jwt_bearer, token_exchange};
use std::str::FromStr;

/// A grant that a login can be made by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LoginGrant {
    /// RFC 6749 §4.1 with PKCE: a person signs in.
    #[default]
    AuthorizationCode,
    /// RFC 8628: a person signs in on another device.
    Device,
    /// RFC 6749 §4.4: the client acts for itself.
    ClientCredentials,
    /// RFC 8693: a token of someone is exchanged.
    TokenExchange,
    /// RFC 7523 §2.1: an assertion of someone.
    JwtBearer,
    /// draft-ietf-oauth-identity-assertion-authz-grant: an assertion that an
    /// identity provider gives for a session there.
    IdJag,
}

/// What a grant stands on, which decides the flags and the endpoints that it uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantBasis {
    /// A person who signs in with a browser on this machine.
    Browser,
    /// A person who signs in on another device.
    OtherDevice,
    /// The client alone.
    Client,
    /// A token that is there already.
    GivenToken,
}

impl LoginGrant {
    const ALL: [LoginGrant; 6] = [
        LoginGrant::AuthorizationCode,
        LoginGrant::Device,
        LoginGrant::ClientCredentials,
        LoginGrant::TokenExchange,
        LoginGrant::JwtBearer,
        LoginGrant::IdJag,
    ];

    /// As the profile keeps it.
    pub fn as_str(self) -> &'static str {
        match self {
            LoginGrant::AuthorizationCode => "authorization-code",
            LoginGrant::Device => "device",
            LoginGrant::ClientCredentials => "client-credentials",
            LoginGrant::TokenExchange => "token-exchange",
            LoginGrant::JwtBearer => "jwt-bearer",
            LoginGrant::IdJag => "id-jag",
        }
    }

    /// What it stands on.
    pub fn basis(self) -> GrantBasis {
        match self {
            LoginGrant::AuthorizationCode => GrantBasis::Browser,
            LoginGrant::Device => GrantBasis::OtherDevice,
            LoginGrant::ClientCredentials => GrantBasis::Client,
            LoginGrant::TokenExchange | LoginGrant::JwtBearer | LoginGrant::IdJag => GrantBasis::GivenToken,
        }
    }

    /// Whether a person signs in.
    pub fn needs_person(self) -> bool {
        matches!(self.basis(), GrantBasis::Browser | GrantBasis::OtherDevice)
    }

    /// Whether a client without a name can use it: it is based on a token of
    /// someone else (RFC 7521 §4.1, RFC 8693 §2.1).
    pub fn needs_no_client(self) -> bool {
        matches!(self, LoginGrant::TokenExchange | LoginGrant::JwtBearer)
    }
}

/// A grant that no login can be made by.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLoginGrant {
    /// RFC 6749 §4.3.
    #[error(
        "the password grant shows a person's password to every program that logs in (RFC 9700 §2.4); use authorization-code for a person, client-credentials for a machine"
    )]
    Password,
    /// RFC 6749 §4.2.
    #[error(
        "the implicit grant sends the access token through the browser (RFC 9700 §2.1.2); use authorization-code, which needs no client secret either"
    )]
    Implicit,
    /// No grant that this program knows.
    #[error("unknown grant {} (expected: {})", Quoted::name(.0), LoginGrant::ALL.map(LoginGrant::as_str).join(", "))]
    Unknown(String),
}

impl FromStr for LoginGrant {
    type Err = InvalidLoginGrant;

    /// The spelling of the RFCs is taken, too.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.replace('_', "-");
        if text == device_code::GRANT_TYPE || name == "device-code" {
            return Ok(LoginGrant::Device);
        }
        match text {
            token_exchange::GRANT_TYPE => return Ok(LoginGrant::TokenExchange),
            jwt_bearer::GRANT_TYPE => return Ok(LoginGrant::JwtBearer),
            _ => {}
        }
        match name.as_str() {
            "password" => return Err(InvalidLoginGrant::Password),
            "implicit" => return Err(InvalidLoginGrant::Implicit),
            _ => {}
        }
        LoginGrant::ALL
            .into_iter()
            .find(|grant| grant.as_str() == name)
            .ok_or_else(|| InvalidLoginGrant::Unknown(text.to_owned()))
    }
}
