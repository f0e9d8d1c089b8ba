//! How a session gets its next access token.

use crate::protocol::token_type_uri::TokenTypeUri;
use crate::store::profile_name::ProfileName;
use crate::store::token_source::TokenSource;

/// How a session gets its next access token without the resource owner. A
/// grant that is repeated has its variant, with what it needs beside the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Renewal {
    /// It does not: log in again.
    None,
    /// With the refresh token (RFC 6749 §6).
    RefreshToken,
    /// With the client credentials grant, which is repeated (RFC 6749 §4.4).
    ClientCredentials,
    /// With a token of someone else, which is exchanged again (RFC 8693).
    TokenExchange(TokenExchangeRenewal),
    /// With an assertion of someone else (RFC 7523 §2.1).
    JwtBearer {
        /// Where the assertion comes from.
        assertion: TokenSource,
    },
    /// With an identity assertion that the identity provider gives for the
    /// session there (draft-ietf-oauth-identity-assertion-authz-grant).
    IdJag(IdJagRenewal),
}

/// What is exchanged for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenExchangeRenewal {
    /// The subject of the token.
    pub subject: SourcedToken,
    /// Who acts for them.
    pub actor: Option<SourcedToken>,
    /// What kind of token is wanted.
    pub requested_token_type: Option<TokenTypeUri>,
}

/// A token that is read from its source each time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourcedToken {
    pub source: TokenSource,
    /// What kind of token it is; as the source says where none was given.
    pub token_type: Option<TokenTypeUri>,
}

/// Where the identity assertion comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdJagRenewal {
    /// Whose session at the identity provider.
    pub from: ProfileName,
    /// The issuer that the assertion is for; that of the session where none was given.
    pub audience: Option<String>,
}

impl Renewal {
    /// Whether a session can be renewed, with a refresh token or without.
    pub fn is_possible(&self, has_refresh_token: bool) -> bool {
        match self {
            Renewal::RefreshToken => has_refresh_token,
            Renewal::None => false,
            repeated => repeated.repeats_grant(),
        }
    }

    /// Whether the grant that began the session is sent again: it asks for the
    /// same access, spends nothing, and takes no refresh token.
    pub fn repeats_grant(&self) -> bool {
        match self {
            Renewal::ClientCredentials | Renewal::TokenExchange(_) | Renewal::JwtBearer { .. } | Renewal::IdJag(_) => {
                true
            }
            Renewal::RefreshToken | Renewal::None => false,
        }
    }

    /// Whether what it is based on comes once, so that a person must bring it again.
    pub fn is_once(&self) -> bool {
        self.sources().into_iter().any(TokenSource::is_used_up)
    }

    /// The sources that it reads.
    pub fn sources(&self) -> Vec<&TokenSource> {
        match self {
            Renewal::TokenExchange(exchange) => {
                let tokens = [Some(&exchange.subject), exchange.actor.as_ref()];
                tokens.into_iter().flatten().map(|token| &token.source).collect()
            }
            Renewal::JwtBearer { assertion } => vec![assertion],
            Renewal::None | Renewal::RefreshToken | Renewal::ClientCredentials | Renewal::IdJag(_) => Vec::new(),
        }
    }

    /// The profiles whose sessions it takes tokens from.
    pub fn profiles(&self) -> Vec<&ProfileName> {
        match self {
            Renewal::IdJag(id_jag) => vec![&id_jag.from],
            other => other.sources().into_iter().filter_map(TokenSource::profile).collect(),
        }
    }
}
