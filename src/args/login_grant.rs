//! `--grant`: by which grant a login gets its tokens.

use crate::foreign_text::Quoted;
use crate::protocol::grant::device_code;
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
}

impl LoginGrant {
    const ALL: [LoginGrant; 3] = [
        LoginGrant::AuthorizationCode,
        LoginGrant::Device,
        LoginGrant::ClientCredentials,
    ];

    /// As the profile keeps it.
    pub fn as_str(self) -> &'static str {
        match self {
            LoginGrant::AuthorizationCode => "authorization-code",
            LoginGrant::Device => "device",
            LoginGrant::ClientCredentials => "client-credentials",
        }
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
