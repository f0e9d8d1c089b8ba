//! Which rules a server profile has (`oauth check --for`), and what it raises
//! to MUST: one value of [`Contents`] a profile.

use super::{Level, Rule};
use std::fmt;

/// A set of demands on a server, by the name that people know it by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerProfile {
    /// The OAuth 2.1 Authorization Framework (draft-ietf-oauth-v2-1-15).
    OAuth21,
    /// Best Current Practice for OAuth 2.0 Security.
    Rfc9700,
    /// OpenID Connect Core and Discovery.
    OpenIdConnect,
    /// FAPI 2.0 Security Profile.
    Fapi2,
    /// The authorization rules of the Model Context Protocol, revision 2026-07-28.
    Mcp,
}

/// The rules of a profile.
struct Contents {
    /// All rules of these groups.
    groups: &'static [&'static [&'static str]],
    /// And all that stand in these documents.
    documents: &'static [&'static str],
    /// And these.
    rules: &'static [Rule],
    /// But none of these, which the profile does without or contradicts.
    without: &'static [Rule],
    /// Rules of the profile that it makes a MUST.
    raised: &'static [Rule],
}

/// The groups about OAuth itself, without its older forms of response.
const OAUTH_GROUPS: &[&str] = &[
    "metadata",
    "authorize",
    "redirect-uri",
    "assertion",
    "pkce",
    "code",
    "token",
    "refresh",
    "revocation",
    "introspection",
    "dpop",
    "device",
    "par",
    "jar",
    "jarm",
    "rar",
    "mtls",
    "tls",
    "exchange",
    "jwt-bearer",
    "id-jag",
];

/// The groups about APIs and their clients.
const API_GROUPS: &[&str] = &["resource", "challenge", "registration", "client-id-document"];

const OAUTH_2_1: Contents = Contents {
    groups: &[OAUTH_GROUPS],
    documents: &[],
    rules: &[Rule::UserinfoTokenInQuery],
    // The token request has no redirect_uri there (§10.2), and what OpenID
    // Connect alone demands is not part of it.
    without: &[
        Rule::CodeRedirectUri,
        Rule::CodeRedirectUriMissing,
        Rule::MetadataScopes,
        Rule::MetadataSubjectTypes,
        Rule::MetadataIdTokenAlgorithms,
        Rule::MetadataNoNone,
        Rule::AuthorizePost,
        Rule::AuthorizePromptNone,
        Rule::AuthorizeRequestObject,
        Rule::RefreshSubject,
    ],
    raised: &[
        Rule::MetadataNoImplicit,
        Rule::AuthorizeImplicit,
        Rule::AuthorizeHybrid,
        Rule::PkceRequired,
        Rule::UserinfoTokenInQuery,
    ],
};

const RFC_9700: Contents = Contents {
    groups: &[&["redirect-uri", "pkce", "code", "assertion", "mtls", "dpop"]],
    documents: &["RFC 9700", "RFC 9207", "RFC 7636"],
    rules: &[
        Rule::AuthorizeState,
        Rule::RefreshClient,
        Rule::RefreshClientAuthentication,
        Rule::TokenClientAuthentication,
        Rule::TokenResource,
    ],
    without: &[Rule::CodeUnknown],
    raised: &[],
};

const OPENID_CONNECT: Contents = Contents {
    groups: &[&[
        "metadata",
        "keys",
        "authorize",
        "redirect-uri",
        "code",
        "token",
        "id-token",
        "userinfo",
        "assertion",
    ]],
    documents: &["OpenID Core", "OpenID Discovery"],
    rules: &[],
    // OpenID Connect has the implicit and the hybrid flow.
    without: &[Rule::MetadataNoImplicit, Rule::AuthorizeImplicit, Rule::AuthorizeHybrid],
    raised: &[],
};

const FAPI_2: Contents = Contents {
    groups: &[OAUTH_GROUPS],
    documents: &[],
    rules: &[
        Rule::KeysPublished,
        Rule::KeysPublicOnly,
        Rule::KeysStrength,
        Rule::KeysDistinct,
        Rule::UserinfoTokenInQuery,
    ],
    // Every client authenticates there, refresh tokens are not rotated (§5.3.2.1),
    // and nothing is signed with RS256 (§5.4.1).
    without: &[
        Rule::MetadataIdTokenAlgorithms,
        Rule::RefreshRotation,
        Rule::RefreshReuse,
        Rule::RefreshReuseRevokes,
        Rule::RefreshParallel,
        Rule::RedirectLoopbackPort,
    ],
    raised: &[
        Rule::MetadataNoImplicit,
        Rule::AuthorizeImplicit,
        Rule::AuthorizeHybrid,
        Rule::MetadataIssParameter,
        Rule::MetadataChallengeMethods,
        Rule::PkceRequired,
        Rule::PkcePlain,
        Rule::PkceMethodMissing,
        Rule::UserinfoTokenInQuery,
    ],
};

const MODEL_CONTEXT_PROTOCOL: Contents = Contents {
    groups: &[OAUTH_GROUPS, API_GROUPS],
    documents: &["RFC 9728", "RFC 7591", "RFC 7592", "MCP", "CIMD"],
    rules: OAUTH_2_1.rules,
    without: OAUTH_2_1.without,
    // A client refuses a server that does not list S256, and a token is for one server alone.
    raised: &[
        Rule::MetadataNoImplicit,
        Rule::AuthorizeImplicit,
        Rule::AuthorizeHybrid,
        Rule::MetadataChallengeMethods,
        Rule::PkceRequired,
        Rule::TokenAudience,
        Rule::TokenResource,
        Rule::UserinfoTokenInQuery,
    ],
};

impl Contents {
    fn have(&self, rule: Rule) -> bool {
        let is_named = self.groups.iter().any(|groups| groups.contains(&rule.group()))
            || self.documents.contains(&rule.document())
            || self.rules.contains(&rule);
        is_named && !self.without.contains(&rule)
    }
}

impl ServerProfile {
    /// All of them.
    pub const ALL: &'static [ServerProfile] = &[
        ServerProfile::OAuth21,
        ServerProfile::Rfc9700,
        ServerProfile::OpenIdConnect,
        ServerProfile::Fapi2,
        ServerProfile::Mcp,
    ];

    /// Its name on the command line and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            ServerProfile::OAuth21 => "oauth2.1",
            ServerProfile::Rfc9700 => "rfc9700",
            ServerProfile::OpenIdConnect => "oidc",
            ServerProfile::Fapi2 => "fapi2",
            ServerProfile::Mcp => "mcp",
        }
    }

    /// What the profile demands and no rule tests, as what follows "no rule tests":
    /// it is out of sight for a client, or takes clients of other kinds.
    pub fn untested(self) -> &'static str {
        match self {
            ServerProfile::OAuth21 => "TLS, the lifetime of codes, or how APIs check tokens",
            ServerProfile::Rfc9700 => "open redirects of the server, TLS, how APIs check tokens, or what clients do",
            ServerProfile::OpenIdConnect => {
                "the implicit and hybrid flows, the claims parameter, signed requests, or encryption"
            }
            ServerProfile::Fapi2 => {
                "whether every client must push requests and bind tokens, the keys of clients, \
                 the lifetime of codes, TLS, or how APIs check tokens"
            }
            ServerProfile::Mcp => {
                "whether the API passes tokens on, whether consent is asked for each client, or what clients do"
            }
        }
    }

    fn contents(self) -> &'static Contents {
        match self {
            ServerProfile::OAuth21 => &OAUTH_2_1,
            ServerProfile::Rfc9700 => &RFC_9700,
            ServerProfile::OpenIdConnect => &OPENID_CONNECT,
            ServerProfile::Fapi2 => &FAPI_2,
            ServerProfile::Mcp => &MODEL_CONTEXT_PROTOCOL,
        }
    }
}

impl fmt::Display for ServerProfile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Rule {
    /// The profiles that it belongs to.
    pub fn profiles(self) -> impl Iterator<Item = ServerProfile> {
        let profiles = ServerProfile::ALL.iter().copied();
        profiles.filter(move |profile| profile.contents().have(self))
    }

    /// How binding it is in a profile; `None` where the profile does not have it.
    pub fn level_in(self, profile: ServerProfile) -> Option<Level> {
        let contents = profile.contents();
        let level = match contents.raised.contains(&self) {
            true => Level::Must,
            false => self.level(),
        };
        contents.have(self).then_some(level)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_belongs_to_a_profile() {
        let lost: Vec<&str> = Rule::ALL
            .iter()
            .filter(|rule| rule.profiles().next().is_none())
            .map(|rule| rule.id())
            .collect();
        assert_eq!(lost, Vec::<&str>::new());
    }

    #[test]
    fn what_a_profile_raises_is_one_of_its_rules_and_only_a_should_elsewhere() {
        for profile in ServerProfile::ALL {
            for rule in profile.contents().raised {
                assert_eq!(rule.level_in(*profile), Some(Level::Must), "{profile} {rule}");
                assert_eq!(rule.level(), Level::Should, "{profile} {rule}");
            }
            for rule in profile.contents().without {
                assert_eq!(rule.level_in(*profile), None, "{profile} {rule}");
            }
        }
    }

    #[test]
    fn some_memberships_that_people_rely_on() {
        use ServerProfile::{Fapi2, Mcp, OAuth21, OpenIdConnect, Rfc9700};
        for (rule, profiles) in [
            (Rule::IdTokenNonce, &[OpenIdConnect][..]),
            (Rule::PkceWrongVerifier, &[OAuth21, Rfc9700, Fapi2, Mcp]),
            (Rule::CodeRedirectUri, &[Rfc9700, OpenIdConnect, Fapi2]),
            (Rule::AuthorizeImplicit, &[OAuth21, Rfc9700, Fapi2, Mcp]),
            (Rule::RefreshRotation, &[OAuth21, Rfc9700, Mcp]),
        ] {
            let found: Vec<ServerProfile> = rule.profiles().collect();
            assert_eq!(found, profiles, "{rule}");
        }
    }
}
