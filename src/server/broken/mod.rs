//! Rules that the development server breaks because it was told to
//! (`oauth serve --break`), so that `oauth check`, and other people's clients,
//! can be tested.
//!
//! Where a rule is kept by a decision, the decision asks
//! `Broken::is_broken`. Where it is kept by how a request is read or by how
//! an answer looks, the honest code knows nothing of it: the request is changed
//! on its way in, the answer on its way out. `place` says which it is.
//!
//! Invariant: a server that breaks nothing asks an empty set, and does nothing else.

mod authorization_request;
mod authorization_response;
mod clients;
mod documents;
mod redirect_uri;
mod request;
mod response;
mod simultaneous;
mod stand_in;
mod ungranted;

pub(crate) use authorization_request::{Commitment, Departure, FrontChannel, Reading};
pub(crate) use documents::{alter_keys, alter_metadata, alter_openid_configuration};
pub use simultaneous::Arrival;
pub(crate) use simultaneous::Simultaneous;
pub(crate) use stand_in::{Entropy, StandIns};

use super::authorization_server::AuthorizationServer;
use super::message::{Request, Response};
use super::route::Route;
use crate::protocol::random::Randomness;
use crate::protocol::time::UnixSeconds;
use crate::rules::Rule;
use std::collections::BTreeSet;

/// The rules that are broken on purpose.
#[derive(Debug, Clone, Default)]
pub struct Broken(BTreeSet<Rule>);

impl FromIterator<Rule> for Broken {
    fn from_iter<I: IntoIterator<Item = Rule>>(rules: I) -> Self {
        Broken(rules.into_iter().collect())
    }
}

impl Broken {
    /// Whether every rule is kept.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The broken rules, in the order of the catalogue.
    pub fn rules(&self) -> impl Iterator<Item = Rule> {
        self.0.iter().copied()
    }

    /// Whether this rule is to be broken.
    pub(crate) fn is_broken(&self, rule: Rule) -> bool {
        self.0.contains(&rule)
    }

    /// The same, noted for the log where it is so.
    pub(crate) fn breaks(&self, rule: Rule, noted: &mut Vec<Rule>) -> bool {
        let is_broken = self.is_broken(rule);
        if is_broken && !noted.contains(&rule) {
            noted.push(rule);
        }
        is_broken
    }

    /// What is honest, or what breaks this rule.
    pub(crate) fn choose<T>(&self, rule: Rule, honest: T, other: T, noted: &mut Vec<Rule>) -> T {
        if self.breaks(rule, noted) { other } else { honest }
    }

    /// Whether any rule is broken at this place.
    pub(crate) fn is_any_broken_at(&self, wanted: Place) -> bool {
        self.rules().any(|rule| place(rule) == wanted)
    }
}

/// Where a rule is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// What the documents say: [`documents`].
    Documents,
    /// How a request to any endpoint is read: [`request`].
    Request,
    /// How the parameters of an authorization request are read: [`authorization_request`].
    AuthorizationRequest,
    /// What the browser brings back to the client: [`authorization_response`].
    AuthorizationResponse,
    /// How a finished answer looks: [`response`].
    Response,
    /// Where the rule is kept.
    Decision,
}

/// Where this rule is broken. Without a wildcard, so that no rule of the
/// catalogue is without its place.
pub(crate) fn place(rule: Rule) -> Place {
    match rule {
        Rule::MetadataIssuer
        | Rule::MetadataIssuerUrl
        | Rule::MetadataEmptyArrays
        | Rule::MetadataAuthorizationEndpoint
        | Rule::MetadataTokenEndpoint
        | Rule::MetadataHttps
        | Rule::MetadataFragment
        | Rule::MetadataResponseTypes
        | Rule::MetadataNoImplicit
        | Rule::MetadataNoPassword
        | Rule::MetadataGrantTypes
        | Rule::MetadataChallengeMethods
        | Rule::MetadataS256
        | Rule::MetadataNoPlain
        | Rule::MetadataIssParameter
        | Rule::MetadataAuthMethods
        | Rule::MetadataRevocation
        | Rule::MetadataScopes
        | Rule::MetadataSubjectTypes
        | Rule::MetadataIdTokenAlgorithms
        | Rule::MetadataNoNone
        | Rule::MetadataDocumentsAgree
        | Rule::KeysPublished
        | Rule::KeysPublicOnly
        | Rule::KeysDistinct
        | Rule::KeysStrength => Place::Documents,
        Rule::TokenGet
        | Rule::TokenQuery
        | Rule::TokenRepeated
        | Rule::TokenTwoMethods
        | Rule::CodeClientMissing
        | Rule::RevocationPostOnly
        | Rule::UserinfoTokenInQuery => Place::Request,
        Rule::AuthorizeResponseTypeMissing
        | Rule::AuthorizeResponseTypeUnknown
        | Rule::AuthorizeImplicit
        | Rule::AuthorizeHybrid
        | Rule::AuthorizeScopeMalformed
        | Rule::AuthorizeRepeated
        | Rule::AuthorizeRepeatedClient
        | Rule::AuthorizeUnknownParameter
        | Rule::AuthorizeEmptyParameter
        | Rule::AuthorizeRequestObject
        | Rule::RedirectOtherHost
        | Rule::RedirectHostSuffix
        | Rule::RedirectUserinfo
        | Rule::RedirectLocalhost
        | Rule::RedirectScheme
        | Rule::RedirectJavascript
        | Rule::RedirectOtherPath
        | Rule::RedirectPathSuffix
        | Rule::RedirectPathCase
        | Rule::RedirectTrailingSlash
        | Rule::RedirectDotSegments
        | Rule::RedirectEncodedDots
        | Rule::RedirectBackslash
        | Rule::RedirectExtraQuery
        | Rule::RedirectCodeInQuery
        | Rule::RedirectFragment
        | Rule::RedirectControlCharacters
        | Rule::RedirectRepeated
        | Rule::PkceRequired
        | Rule::PkceEmptyChallenge
        | Rule::PkceMalformedChallenge
        | Rule::PkcePlain
        | Rule::PkceMethodMissing
        | Rule::PkceMethodUnknown
        // Accepts requests without a challenge, too: else nobody could see it.
        | Rule::PkceVerifierWithoutChallenge => Place::AuthorizationRequest,
        Rule::AuthorizeState
        | Rule::AuthorizeStateCharacters
        | Rule::AuthorizeStateLong
        | Rule::AuthorizeStateAbsent
        | Rule::AuthorizeStateInError
        | Rule::AuthorizeErrorCharacters
        | Rule::AuthorizeIss
        | Rule::AuthorizeIssInError
        | Rule::AuthorizeIssValue
        | Rule::AuthorizeQuery => Place::AuthorizationResponse,
        Rule::MetadataContentType
        | Rule::AuthorizeNo307
        | Rule::AuthorizeFraming
        | Rule::AuthorizeContentSecurityPolicy
        | Rule::AuthorizeReferrerPolicy
        | Rule::AuthorizeNoCors
        | Rule::AuthorizeEscaping
        | Rule::TokenNoStore
        | Rule::TokenPragma
        | Rule::TokenContentType
        | Rule::TokenType
        | Rule::TokenExpiresIn
        | Rule::TokenGrantTypeMissing
        | Rule::TokenGrantTypeUnknown
        | Rule::TokenErrorStatus
        | Rule::TokenErrorJson
        | Rule::TokenErrorCharacters
        | Rule::TokenErrorNoStore
        | Rule::TokenBasicChallenge
        | Rule::UserinfoNoStore => Place::Response,
        Rule::AuthorizeCodeEntropy
        | Rule::AuthorizeCodeEntropyMore
        | Rule::AuthorizeClientMissing
        | Rule::AuthorizeClientUnknown
        | Rule::AuthorizePost
        | Rule::AuthorizePromptNone
        | Rule::RedirectLoopbackPort
        | Rule::PkceSupported
        | Rule::PkceWrongVerifier
        | Rule::PkceErrorCode
        | Rule::PkceMissingVerifier
        | Rule::PkceChallengeAsVerifier
        | Rule::PkceShortVerifier
        | Rule::CodeSingleUse
        | Rule::CodeReuseRevokes
        | Rule::CodeParallel
        | Rule::CodeClient
        | Rule::CodeRedirectUri
        | Rule::CodeRedirectUriMissing
        | Rule::CodeUnknown
        | Rule::TokenLifetime
        | Rule::TokenEntropy
        | Rule::TokenEntropyMore
        | Rule::TokenRefreshEntropy
        | Rule::TokenRefreshEntropyMore
        | Rule::TokenUnknownParameter
        | Rule::TokenPassword
        | Rule::TokenClientCredentials
        | Rule::TokenUnknownClient
        | Rule::TokenClientAuthentication
        | Rule::TokenWrongSecret
        | Rule::TokenAudience
        | Rule::TokenResource
        | Rule::TokenProfile
        | Rule::RefreshWorks
        | Rule::RefreshRotation
        | Rule::RefreshReuse
        | Rule::RefreshReuseRevokes
        | Rule::RefreshParallel
        | Rule::RefreshClient
        | Rule::RefreshClientAuthentication
        | Rule::RefreshScope
        | Rule::RefreshUnknown
        | Rule::RefreshAccessToken
        | Rule::RefreshSubject
        | Rule::RevocationUnknown
        | Rule::RevocationMissing
        | Rule::RevocationClient
        | Rule::RevocationClientAuthentication
        | Rule::RevocationHint
        | Rule::RevocationAccess
        | Rule::RevocationRefresh
        | Rule::RevocationCascade
        | Rule::IntrospectionAuthenticated
        | Rule::IntrospectionActive
        | Rule::IntrospectionInactive
        | Rule::IdTokenPresent
        | Rule::IdTokenSigned
        | Rule::IdTokenSignature
        | Rule::IdTokenKeyReference
        | Rule::IdTokenIssuer
        | Rule::IdTokenAudience
        | Rule::IdTokenAuthorizedParty
        | Rule::IdTokenExpiry
        | Rule::IdTokenIssuedAt
        | Rule::IdTokenSubject
        | Rule::IdTokenNonce
        | Rule::IdTokenAccessTokenHash
        | Rule::UserinfoWorks
        | Rule::UserinfoSubject
        | Rule::UserinfoNoToken
        | Rule::UserinfoNoTokenNoError
        | Rule::UserinfoInvalidToken
        | Rule::UserinfoIdToken => Place::Decision,
    }
}

impl AuthorizationServer {
    /// Answers one request while some rule is broken: reads it otherwise,
    /// answers that, and alters the answer.
    pub(crate) fn answer_against_the_rules(
        &self,
        now: UnixSeconds,
        randomness: &mut dyn Randomness,
        request: &Request,
    ) -> Response {
        let route = Route::of_path(&request.path);
        let mut noted = Vec::new();
        let other = self.read_otherwise(now, route, request, &mut noted);
        let request = other.as_ref().unwrap_or(request);
        let mut response = self.answer(now, randomness, request);
        if let Some(route) = route {
            response::alter(&self.broken, route, request, &mut response);
        }
        noted.append(&mut response.broken);
        response.broken = noted;
        response
    }
}
