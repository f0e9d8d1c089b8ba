//! What a server must and should do, rule by rule: the one list that
//! `oauth check` examines a server by, and that `oauth serve --break` breaks.
//!
//! An id never changes and is never given to another rule: people name it in
//! their scripts (`--skip`).

mod group;
mod profile;
mod purpose;
mod reference;

pub use group::{RuleOrGroup, UnknownRuleOrGroup};
pub use profile::ServerProfile;

use crate::foreign_text::sanitize;
use crate::spelling::nearest;
use std::fmt;
use std::str::FromStr;

/// How binding a rule is, in the words of RFC 2119.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Broken, it makes `oauth check` end with 9.
    Must,
    /// Broken, it is a warning.
    Should,
}

impl Level {
    /// In the words of RFC 2119.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Must => "MUST",
            Level::Should => "SHOULD",
        }
    }
}

/// Where `oauth serve --break` violates a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ViolationPoint {
    /// In the documents that the server publishes.
    Documents,
    /// In how a request to any endpoint is read.
    Request,
    /// In how the parameters of an authorization request are read.
    AuthorizationRequest,
    /// In what the browser brings back to the client.
    AuthorizationResponse,
    /// In the headers, the status or the members of a finished response.
    Response,
    /// In the decision that enforces the rule.
    Decision,
}

/// A name that no rule has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no rule `{}`{}", sanitize(id), self.suggestion())]
pub struct UnknownRule {
    pub id: String,
}

impl UnknownRule {
    fn suggestion(&self) -> String {
        if let Ok(RuleOrGroup::Group(rules)) = self.id.parse() {
            let ids: Vec<&str> = rules.iter().map(|rule| rule.id()).collect();
            return format!("; the rules of this group: {}", ids.join(" "));
        }
        let nearest = nearest(&self.id, Rule::ALL.iter().map(|rule| rule.id()));
        nearest.map_or_else(String::new, |id| format!("; did you mean `{id}`?"))
    }
}

macro_rules! rules {
    ($($rule:ident $id:literal $level:ident $point:ident $document:literal $section:literal $statement:literal;)+) => {
        /// One rule for servers.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule {
            $(#[doc = $statement] $rule,)+
        }

        impl Rule {
            /// All of them, in the order of a report.
            pub const ALL: &'static [Rule] = &[$(Rule::$rule,)+];

            /// Its name in reports and on the command line, such as `pkce.required`.
            pub fn id(self) -> &'static str {
                match self { $(Rule::$rule => $id,)+ }
            }

            /// How binding it is.
            pub fn level(self) -> Level {
                match self { $(Rule::$rule => Level::$level,)+ }
            }

            /// Where `oauth serve --break` violates it.
            pub fn violation_point(self) -> ViolationPoint {
                match self { $(Rule::$rule => ViolationPoint::$point,)+ }
            }

            /// The specification it is in, such as `RFC 6749`.
            pub fn document(self) -> &'static str {
                match self { $(Rule::$rule => $document,)+ }
            }

            /// The section of that specification, such as `4.1.2`.
            pub fn section(self) -> &'static str {
                match self { $(Rule::$rule => $section,)+ }
            }

            /// What holds where the rule is kept, as a sentence without a full stop.
            pub fn statement(self) -> &'static str {
                match self { $(Rule::$rule => $statement,)+ }
            }
        }
    };
}

rules! {
    // The documents that the server publishes.
    MetadataIssuer "metadata.issuer" Must Documents "RFC 8414" "3.3" "issuer in the metadata is identical to the issuer used for discovery";
    MetadataIssuerUrl "metadata.issuer-url" Must Documents "RFC 8414" "2" "the issuer is an https URL (http on loopback) without query and fragment";
    MetadataContentType "metadata.content-type" Must Response "RFC 8414" "3.2" "the metadata is served as application/json";
    MetadataEmptyArrays "metadata.empty-arrays" Must Documents "RFC 8414" "3.2" "no member of the metadata is an empty array";
    MetadataAuthorizationEndpoint "metadata.authorization-endpoint" Must Documents "RFC 8414" "2" "the metadata names the authorization endpoint";
    MetadataTokenEndpoint "metadata.token-endpoint" Must Documents "RFC 8414" "2" "the metadata names the token endpoint";
    MetadataHttps "metadata.https" Must Documents "RFC 8414" "2" "every endpoint in the metadata is https (http on loopback)";
    MetadataFragment "metadata.fragment" Must Documents "RFC 6749" "3.1" "the authorization and the token endpoint have no fragment";
    MetadataResponseTypes "metadata.response-types" Must Documents "RFC 8414" "2" "response_types_supported is present and includes code";
    MetadataNoImplicit "metadata.no-implicit" Should Documents "RFC 9700" "2.1.2" "no response type that returns an access token from the authorization endpoint is announced";
    MetadataNoPassword "metadata.no-password" Must Documents "RFC 9700" "2.4" "the password grant is not announced";
    MetadataGrantTypes "metadata.grant-types" Should Documents "RFC 8414" "2" "grant_types_supported is present (absent, it means that implicit is supported) and includes authorization_code";
    MetadataChallengeMethods "metadata.challenge-methods" Should Documents "RFC 9700" "2.1.1" "code_challenge_methods_supported is announced, so that clients can see that PKCE is supported";
    MetadataS256 "metadata.s256" Must Documents "RFC 7636" "4.2" "S256 is among the announced code challenge methods";
    MetadataNoPlain "metadata.no-plain" Should Documents "RFC 9700" "2.1.1" "the code challenge method plain is not announced";
    MetadataIssParameter "metadata.iss-parameter" Should Documents "RFC 9207" "3" "the metadata announces the iss parameter in authorization responses";
    MetadataAuthMethods "metadata.auth-methods" Should Documents "RFC 8414" "2" "token_endpoint_auth_methods_supported lists the method that the client uses";
    MetadataRevocation "metadata.revocation" Should Documents "RFC 7009" "2" "a revocation endpoint is announced";
    MetadataScopes "metadata.scopes" Must Documents "OpenID Discovery" "3" "scopes_supported, if present, includes openid";
    MetadataSubjectTypes "metadata.subject-types" Must Documents "OpenID Discovery" "3" "subject_types_supported is present";
    MetadataIdTokenAlgorithms "metadata.id-token-algorithms" Must Documents "OpenID Discovery" "3" "id_token_signing_alg_values_supported includes RS256";
    MetadataNoNone "metadata.no-none" Should Documents "RFC 8725" "3.2" "no unsigned ID tokens (none) are announced";
    MetadataDocumentsAgree "metadata.documents-agree" Should Documents "RFC 8414" "5" "both well-known documents have the same values where both exist";
    KeysPublished "keys.published" Must Documents "OpenID Discovery" "3" "jwks_uri is present and returns a set of keys";
    KeysPublicOnly "keys.public-only" Must Documents "RFC 7517" "9.2" "no published key has private or symmetric parts";
    KeysDistinct "keys.distinct" Should Documents "RFC 7517" "4.5" "published keys have distinct kid values";
    KeysStrength "keys.strength" Must Documents "RFC 7518" "3.3" "published RSA keys have at least 2048 bits";

    // The authorization endpoint: what comes back.
    AuthorizeState "authorize.state" Must AuthorizationResponse "RFC 6749" "4.1.2" "the response includes the state of the request";
    AuthorizeStateCharacters "authorize.state-characters" Must AuthorizationResponse "RFC 6749" "4.1.2" "every printable character of the state is returned unchanged";
    AuthorizeStateLong "authorize.state-long" Must AuthorizationResponse "RFC 6749" "4.1.2" "a state of 1 KiB is returned unchanged";
    AuthorizeStateAbsent "authorize.state-absent" Should AuthorizationResponse "RFC 6749" "4.1.2" "the response to a request without state has no state";
    AuthorizeStateInError "authorize.state-in-error" Must AuthorizationResponse "RFC 6749" "4.1.2.1" "an error response includes the state of the request";
    AuthorizeErrorCharacters "authorize.error-characters" Must AuthorizationResponse "RFC 6749" "4.1.2.1" "error and error_description have no quotes, backslashes or control characters";
    AuthorizeIss "authorize.iss" Must AuthorizationResponse "RFC 9207" "2" "a response with a code includes iss, if announced";
    AuthorizeIssInError "authorize.iss-in-error" Must AuthorizationResponse "RFC 9207" "2" "an error response includes iss, if announced";
    AuthorizeIssValue "authorize.iss-value" Must AuthorizationResponse "RFC 9207" "2.4" "iss is the issuer";
    AuthorizeQuery "authorize.query" Must AuthorizationResponse "RFC 6749" "4.1.2" "the code is returned in the query, not in the fragment";
    AuthorizeCodeEntropy "authorize.code-entropy" Must Decision "RFC 6749" "10.10" "codes have at least 128 bits of randomness";
    AuthorizeCodeEntropyMore "authorize.code-entropy-160" Should Decision "RFC 6749" "10.10" "codes have at least 160 bits of randomness";
    // The authorization endpoint: what is refused.
    AuthorizeResponseTypeMissing "authorize.response-type-missing" Must AuthorizationRequest "RFC 6749" "3.1.1" "a request without response_type is refused";
    AuthorizeResponseTypeUnknown "authorize.response-type-unknown" Must AuthorizationRequest "RFC 6749" "3.1.1" "an unknown response_type is refused";
    AuthorizeImplicit "authorize.implicit" Should AuthorizationRequest "RFC 9700" "2.1.2" "response_type=token is refused";
    AuthorizeHybrid "authorize.hybrid" Should AuthorizationRequest "RFC 9700" "2.1.2" "response_type=code token is refused";
    AuthorizeClientMissing "authorize.client-missing" Must Decision "RFC 6749" "4.1.2.1" "a request without client_id is answered with an error page, not with a redirect";
    AuthorizeClientUnknown "authorize.client-unknown" Must Decision "RFC 6749" "4.1.2.1" "an unknown client is answered with an error page, not with a redirect";
    AuthorizeScopeMalformed "authorize.scope-malformed" Should AuthorizationRequest "RFC 6749" "4.1.2.1" "a scope with invalid characters is refused with invalid_scope";
    AuthorizeRepeated "authorize.repeated" Must AuthorizationRequest "RFC 6749" "3.1" "a request with a repeated parameter is refused";
    AuthorizeRepeatedClient "authorize.repeated-client" Must AuthorizationRequest "RFC 6749" "3.1" "a request with two client_id parameters is refused";
    AuthorizeUnknownParameter "authorize.unknown-parameter" Must AuthorizationRequest "RFC 6749" "3.1" "unknown parameters are ignored";
    AuthorizeEmptyParameter "authorize.empty-parameter" Must AuthorizationRequest "RFC 6749" "3.1" "a parameter without a value is treated as absent";
    AuthorizePost "authorize.post" Must Decision "OpenID Core" "3.1.2.1" "the authorization endpoint also accepts POST";
    AuthorizeNo307 "authorize.no-307" Must Response "RFC 9700" "4.12" "a POST to the authorization endpoint is not redirected with 307 or 308";
    AuthorizePromptNone "authorize.prompt-none" Must Decision "OpenID Core" "3.1.2.6" "prompt=none is answered with a redirect, never with a page";
    AuthorizeRequestObject "authorize.request-object" Should AuthorizationRequest "OpenID Core" "3.1.2.6" "a request object is refused with request_not_supported if it is not supported, not ignored";
    // The authorization endpoint: its pages.
    AuthorizeFraming "authorize.framing" Must Response "RFC 9700" "4.16" "its pages cannot be framed (X-Frame-Options or frame-ancestors)";
    AuthorizeContentSecurityPolicy "authorize.content-security-policy" Should Response "RFC 9700" "4.16" "its pages have a Content-Security-Policy";
    AuthorizeReferrerPolicy "authorize.referrer-policy" Should Response "RFC 9700" "4.2.4" "its pages have a Referrer-Policy that does not send the query to other sites";
    AuthorizeFormAction "authorize.form-action" Should Response "CSP Level 3" "6.4.1" "the form-action policy of its pages allows the redirect to the client (Chromium and Safari block it otherwise)";
    AuthorizeNoCors "authorize.no-cors" Must Response "RFC 9700" "2.6" "no Cross-Origin Resource Sharing at the authorization endpoint";
    AuthorizeEscaping "authorize.escaping" Must Response "RFC 6749" "10.14" "values of the request are escaped in its pages";

    // The redirect URI: none of these may be redirected to.
    RedirectOtherHost "redirect-uri.other-host" Must AuthorizationRequest "RFC 9700" "4.1.3" "another host is refused";
    RedirectHostSuffix "redirect-uri.host-suffix" Must AuthorizationRequest "RFC 9700" "4.1.3" "a host that only starts like the registered one is refused";
    RedirectUserinfo "redirect-uri.userinfo" Must AuthorizationRequest "RFC 9700" "4.1.3" "the registered host as the userinfo of another host is refused";
    RedirectLocalhost "redirect-uri.localhost" Must AuthorizationRequest "RFC 9700" "4.1.3" "localhost is refused if an address is registered, and an address if localhost is registered";
    RedirectScheme "redirect-uri.scheme" Must AuthorizationRequest "RFC 9700" "4.1.3" "another scheme is refused";
    RedirectJavascript "redirect-uri.javascript" Must AuthorizationRequest "RFC 9700" "4.1.3" "javascript: is refused";
    RedirectOtherPath "redirect-uri.other-path" Must AuthorizationRequest "RFC 9700" "4.1.3" "another path is refused";
    RedirectPathSuffix "redirect-uri.path-suffix" Must AuthorizationRequest "RFC 9700" "4.1.3" "a longer path is refused";
    RedirectPathCase "redirect-uri.path-case" Must AuthorizationRequest "RFC 9700" "4.1.3" "the path in upper case is refused";
    RedirectTrailingSlash "redirect-uri.trailing-slash" Must AuthorizationRequest "RFC 9700" "4.1.3" "a slash added to the path is refused";
    RedirectDotSegments "redirect-uri.dot-segments" Must AuthorizationRequest "RFC 9700" "4.1.3" "a path with dot segments is refused";
    RedirectEncodedDots "redirect-uri.encoded-dots" Must AuthorizationRequest "RFC 9700" "4.1.3" "a path with percent-encoded dot segments is refused";
    RedirectBackslash "redirect-uri.backslash" Must AuthorizationRequest "RFC 9700" "4.1.3" "a backslash before another host is refused";
    RedirectExtraQuery "redirect-uri.extra-query" Must AuthorizationRequest "RFC 9700" "4.1.3" "a query that is not registered is refused";
    RedirectCodeInQuery "redirect-uri.code-in-query" Must AuthorizationRequest "RFC 9700" "4.1.3" "a redirect URI with another user's code in its query is refused";
    RedirectFragment "redirect-uri.fragment" Must AuthorizationRequest "RFC 6749" "3.1.2" "a fragment is refused";
    RedirectControlCharacters "redirect-uri.control-characters" Must AuthorizationRequest "RFC 9700" "4.1.3" "line breaks are refused and never sent in a header";
    RedirectRepeated "redirect-uri.repeated" Must AuthorizationRequest "RFC 6749" "3.1" "a second redirect_uri next to the registered one is refused";
    RedirectLoopbackPort "redirect-uri.loopback-port" Must Decision "RFC 8252" "7.3" "a loopback redirect URI may have any port";

    // Clients that authenticate with an assertion.
    AssertionSignature "assertion.signature" Must Decision "RFC 7523" "3" "a client assertion whose signature does not match is refused";
    AssertionUnsigned "assertion.unsigned" Must Decision "RFC 8725" "3.2" "an unsigned client assertion (alg none) is refused";
    AssertionAudience "assertion.audience" Must Decision "RFC 7523" "3" "a client assertion for another server is refused";
    AssertionExpired "assertion.expired" Must Decision "RFC 7523" "3" "a client assertion that has expired is refused";
    AssertionNoExpiry "assertion.no-expiry" Must Decision "RFC 7523" "3" "a client assertion without exp is refused";
    AssertionIssuer "assertion.issuer" Must Decision "OpenID Core" "9" "a client assertion whose iss is not the client is refused";
    AssertionSubject "assertion.subject" Must Decision "RFC 7523" "3" "a client assertion whose sub is not the client is refused";
    AssertionReplay "assertion.replay" Should Decision "OpenID Core" "9" "a client assertion that was already used is refused";

    // Proof Key for Code Exchange.
    PkceSupported "pkce.supported" Must Decision "RFC 9700" "2.1.1" "a code that was requested with S256 is exchanged for its verifier";
    PkceRequired "pkce.required" Should AuthorizationRequest "RFC 8252" "8.1" "a public client's request without code_challenge is refused";
    PkceEmptyChallenge "pkce.empty-challenge" Should AuthorizationRequest "RFC 7636" "4.4.1" "an empty code_challenge is treated as absent and is refused";
    PkceMalformedChallenge "pkce.malformed-challenge" Should AuthorizationRequest "RFC 7636" "4.2" "a code_challenge that is not a hash (42 characters) is refused";
    PkcePlain "pkce.plain" Should AuthorizationRequest "RFC 9700" "2.1.1" "the method plain is refused";
    PkceMethodMissing "pkce.method-missing" Should AuthorizationRequest "RFC 9700" "2.1.1" "a code_challenge without a method (which means plain) is refused";
    PkceMethodUnknown "pkce.method-unknown" Must AuthorizationRequest "RFC 7636" "4.4.1" "an unknown method is refused";
    PkceWrongVerifier "pkce.wrong-verifier" Must Decision "RFC 7636" "4.6" "a wrong verifier gets no token";
    PkceErrorCode "pkce.error-code" Must Decision "RFC 7636" "4.6" "a wrong verifier is answered with invalid_grant";
    PkceMissingVerifier "pkce.missing-verifier" Must Decision "RFC 9700" "2.1.1" "a code is not redeemed without a verifier";
    PkceChallengeAsVerifier "pkce.challenge-as-verifier" Must Decision "RFC 7636" "4.6" "the challenge is not accepted as the verifier of an S256 request";
    PkceShortVerifier "pkce.short-verifier" Should Decision "RFC 7636" "4.1" "a verifier of fewer than 43 characters is refused, even if its hash matches";
    PkceVerifierWithoutChallenge "pkce.verifier-without-challenge" Must AuthorizationRequest "RFC 9700" "4.8.2" "a verifier for a code that was requested without a challenge is refused";

    // The code.
    CodeSingleUse "code.single-use" Must Decision "RFC 6749" "4.1.2" "a code works once";
    CodeReuseRevokes "code.reuse-revokes" Should Decision "RFC 6749" "4.1.2" "using a code twice revokes the tokens it gave";
    CodeParallel "code.parallel" Must Decision "RFC 6749" "4.1.2" "a code sent several times at the same time works once";
    CodeClient "code.client" Must Decision "RFC 6749" "4.1.3" "a code does not work for another client";
    CodeClientMissing "code.client-missing" Must Request "RFC 6749" "4.1.3" "a code cannot be redeemed without client_id or client authentication";
    CodeRedirectUri "code.redirect-uri" Must Decision "RFC 6749" "4.1.3" "a code does not work with another redirect_uri";
    CodeRedirectUriMissing "code.redirect-uri-missing" Should Decision "RFC 6749" "4.1.3" "a code does not work without the redirect_uri of its request";
    CodeUnknown "code.unknown" Must Decision "RFC 6749" "5.2" "an unknown code is answered with invalid_grant";

    // The token endpoint.
    TokenGet "token.get" Must Request "RFC 6749" "3.2" "a GET request gets no token";
    TokenQuery "token.query" Must Request "RFC 6749" "2.3.1" "parameters in the URL are not accepted";
    TokenNoStore "token.no-store" Must Response "RFC 6749" "5.1" "responses with tokens have Cache-Control: no-store";
    TokenPragma "token.pragma" Should Response "RFC 6749" "5.1" "responses with tokens have Pragma: no-cache, for caches of HTTP/1.0";
    TokenContentType "token.content-type" Must Response "RFC 6749" "5.1" "responses with tokens are application/json";
    TokenType "token.token-type" Must Response "RFC 6749" "5.1" "responses with tokens have token_type Bearer or DPoP";
    TokenExpiresIn "token.expires-in" Should Response "RFC 6749" "5.1" "responses with tokens have expires_in as a whole number";
    TokenLifetime "token.lifetime" Should Decision "RFC 6750" "5.3" "access tokens are valid for an hour or less";
    TokenEntropy "token.entropy" Must Decision "RFC 6749" "10.10" "opaque access tokens have at least 128 bits of randomness, signed ones an identifier";
    TokenEntropyMore "token.entropy-160" Should Decision "RFC 6749" "10.10" "opaque access tokens have at least 160 bits of randomness";
    TokenRefreshEntropy "token.refresh-entropy" Must Decision "RFC 6749" "10.10" "refresh tokens have at least 128 bits of randomness";
    TokenRefreshEntropyMore "token.refresh-entropy-160" Should Decision "RFC 6749" "10.10" "refresh tokens have at least 160 bits of randomness";
    TokenRepeated "token.repeated" Must Request "RFC 6749" "3.2" "a request with a repeated parameter is refused";
    TokenUnknownParameter "token.unknown-parameter" Must Decision "RFC 6749" "3.2" "unknown parameters are ignored";
    TokenGrantTypeMissing "token.grant-type-missing" Must Response "RFC 6749" "5.2" "a request without grant_type is answered with invalid_request";
    TokenGrantTypeUnknown "token.grant-type-unknown" Must Response "RFC 6749" "5.2" "an unknown grant type is answered with unsupported_grant_type";
    TokenPassword "token.password" Must Decision "RFC 9700" "2.4" "the password grant is refused";
    TokenClientCredentials "token.client-credentials" Must Decision "RFC 6749" "4.4" "a public client gets no token with client_credentials";
    TokenErrorStatus "token.error-status" Must Response "RFC 6749" "5.2" "errors have status 400 (401 for invalid_client)";
    TokenErrorJson "token.error-json" Must Response "RFC 6749" "5.2" "errors are a JSON object with the member error";
    TokenErrorCharacters "token.error-characters" Must Response "RFC 6749" "5.2" "error and error_description have no quotes, backslashes or control characters";
    TokenErrorNoStore "token.error-no-store" Should Response "RFC 6749" "5.2" "errors of the token endpoint are not stored by caches";
    TokenUnknownClient "token.unknown-client" Must Decision "RFC 6749" "5.2" "an unknown client is answered with invalid_client";
    TokenBasicChallenge "token.basic-challenge" Must Response "RFC 6749" "5.2" "a failed Basic authentication gets 401 with WWW-Authenticate: Basic";
    TokenTwoMethods "token.two-methods" Should Request "RFC 6749" "2.3" "two client authentication methods in one request are refused";
    TokenClientAuthentication "token.client-authentication" Must Decision "RFC 6749" "3.2.1" "a client with a secret gets no token without the secret";
    TokenWrongSecret "token.wrong-secret" Must Decision "RFC 6749" "3.2.1" "a client with a secret gets no token with a wrong secret";
    TokenAudience "token.audience" Should Decision "RFC 9700" "2.3" "access tokens that can be decoded name their audience";
    TokenResource "token.resource" Should Decision "RFC 8707" "2" "an access token that can be decoded is for the resource that was requested";
    TokenProfile "token.jwt-profile" Must Decision "RFC 9068" "2.2" "an access token of type at+jwt has iss, exp, aud, sub, client_id, iat and jti";

    // Refresh.
    RefreshWorks "refresh.works" Must Decision "RFC 6749" "6" "a refresh token gets a new access token";
    RefreshRotation "refresh.rotation" Must Decision "RFC 9700" "2.2.2" "a public client gets a new refresh token each time";
    RefreshReuse "refresh.reuse" Must Decision "RFC 9700" "4.14.2" "a refresh token that was already used is refused";
    RefreshReuseRevokes "refresh.reuse-revokes" Must Decision "RFC 9700" "4.14.2" "reuse of a refresh token ends the whole session";
    RefreshParallel "refresh.parallel" Should Decision "RFC 9700" "4.14.2" "a refresh token sent several times at the same time works once";
    RefreshClient "refresh.client" Must Decision "RFC 6749" "6" "a refresh token does not work for another client";
    RefreshClientAuthentication "refresh.client-authentication" Must Decision "RFC 6749" "6" "a client with a secret cannot refresh without the secret";
    RefreshScope "refresh.scope" Must Decision "RFC 6749" "6" "a refresh cannot request more than was granted";
    RefreshUnknown "refresh.unknown" Must Decision "RFC 6749" "5.2" "an unknown refresh token is answered with invalid_grant";
    RefreshAccessToken "refresh.access-token" Must Decision "RFC 6749" "1.5" "an access token is not accepted as a refresh token";
    RefreshSubject "refresh.subject" Must Decision "OpenID Core" "12.2" "an ID token that comes with a refresh has the same subject, issuer and client";

    // Revocation and introspection.
    RevocationUnknown "revocation.unknown" Must Decision "RFC 7009" "2.2" "revoking an unknown token is answered with 200";
    RevocationMissing "revocation.missing" Must Decision "RFC 7009" "2.2.1" "a request without token is answered with invalid_request";
    RevocationPostOnly "revocation.post-only" Should Request "RFC 7009" "2.1" "a GET request does not revoke a token";
    RevocationClient "revocation.client" Must Decision "RFC 7009" "2.1" "another client cannot revoke the token";
    RevocationClientAuthentication "revocation.client-authentication" Must Decision "RFC 7009" "2.1" "a client with a secret cannot revoke without the secret";
    RevocationHint "revocation.hint" Must Decision "RFC 7009" "2.1" "a token is revoked even if token_type_hint is wrong";
    RevocationAccess "revocation.access" Must Decision "RFC 7009" "2.2" "a revoked access token is no longer valid";
    RevocationRefresh "revocation.refresh" Must Decision "RFC 7009" "2.1" "a revoked refresh token is no longer valid";
    RevocationCascade "revocation.cascade" Should Decision "RFC 7009" "2.1" "revoking the refresh token also revokes its access tokens";
    IntrospectionAuthenticated "introspection.authenticated" Must Decision "RFC 7662" "2.1" "introspection requires authentication";
    IntrospectionActive "introspection.active" Must Decision "RFC 7662" "2.2" "a valid token is reported as active";
    IntrospectionInactive "introspection.inactive" Must Decision "RFC 7662" "2.2" "an unknown token is reported as active: false, with no other members";

    // Tokens that are bound to a key.
    DpopTokenType "dpop.token-type" Must Decision "RFC 9449" "5" "the response to a request with a proof has token_type DPoP";
    DpopProofType "dpop.proof-type" Must Decision "RFC 9449" "4.3" "a proof whose typ is not dpop+jwt is refused";
    DpopUnsigned "dpop.unsigned" Must Decision "RFC 9449" "4.3" "an unsigned proof is refused";
    DpopSignature "dpop.signature" Must Decision "RFC 9449" "4.3" "a proof signed with another key than the one in it is refused";
    DpopPrivateKey "dpop.private-key" Must Decision "RFC 9449" "4.3" "a proof that contains a private key is refused";
    DpopMethod "dpop.method" Must Decision "RFC 9449" "4.3" "a proof for another method is refused";
    DpopUrl "dpop.url" Must Decision "RFC 9449" "4.3" "a proof for another URL is refused";
    DpopOld "dpop.old" Must Decision "RFC 9449" "4.3" "a proof that is an hour old is refused";
    DpopFuture "dpop.future" Must Decision "RFC 9449" "4.3" "a proof that is dated an hour ahead is refused";
    DpopReplay "dpop.replay" Should Decision "RFC 9449" "11.1" "a proof works once";
    DpopSeveral "dpop.several" Must Decision "RFC 9449" "4.3" "a request with two proofs is refused";
    DpopErrorCode "dpop.error-code" Must Decision "RFC 9449" "5" "an invalid proof is answered with invalid_dpop_proof";
    DpopCode "dpop.code" Must Decision "RFC 9449" "10" "a code that is bound to a key does not work with another key";
    DpopRefresh "dpop.refresh" Must Decision "RFC 9449" "5" "a refresh token of a public client does not work with another key";
    DpopBearer "dpop.bearer" Must Decision "RFC 9449" "7.2" "a token that is bound to a key is not accepted as a Bearer token";
    DpopAccessTokenHash "dpop.access-token-hash" Must Decision "RFC 9449" "4.3" "a proof without the hash of the access token is refused at a resource";
    DpopOtherKey "dpop.other-key" Must Decision "RFC 9449" "7.1" "a token that is bound to a key is not accepted with a proof of another key";

    // Pushed authorization requests.
    ParResponse "par.response" Must Decision "RFC 9126" "2.2" "a pushed request is answered with status 201, request_uri and expires_in";
    ParEntropy "par.entropy" Must Decision "RFC 9126" "7.1" "a request_uri has at least 128 bits of randomness";
    ParLifetime "par.lifetime" Should Decision "RFC 9126" "2.2" "a request_uri is valid for 10 minutes or less";
    ParNoStore "par.no-store" Should Response "RFC 9126" "2.2" "the response with a request_uri is not stored by caches";
    ParSingleUse "par.single-use" Should Decision "RFC 9126" "4" "a request_uri works once";
    ParClient "par.client" Must Decision "RFC 9126" "2.2" "a request_uri does not work for another client";
    ParUnknown "par.unknown" Must Decision "RFC 9126" "4" "an unknown request_uri is refused, whatever else is sent";
    ParParameters "par.parameters" Must Decision "RFC 9101" "6.3" "parameters next to a request_uri do not change the request";
    ParRequestUri "par.request-uri" Must Decision "RFC 9126" "2.1" "a pushed request that contains a request_uri is refused";
    ParRedirectUri "par.redirect-uri" Must Decision "RFC 9126" "2.1" "a pushed request with a redirect_uri that is not registered is refused";
    ParPostOnly "par.post-only" Must Request "RFC 9126" "2.1" "a GET request is not accepted as a pushed request";
    ParClientAuthentication "par.client-authentication" Must Decision "RFC 9126" "2.1" "a client with a secret cannot push a request without the secret";

    // Signed authorization requests.
    RequestObjectSignature "jar.signature" Must Decision "RFC 9101" "6.2" "a request object whose signature does not match a key of the client is refused";
    RequestObjectUnsigned "jar.unsigned" Must Decision "RFC 9101" "4" "an unsigned request object is refused";
    RequestObjectIssuer "jar.issuer" Must Decision "RFC 8725" "3.8" "a request object by another client is refused";
    RequestObjectAudience "jar.audience" Must Decision "RFC 8725" "3.9" "a request object for another server is refused";
    RequestObjectExpired "jar.expired" Must Decision "RFC 7519" "4.1.4" "a request object that has expired is refused";
    RequestObjectClient "jar.client" Must Decision "RFC 9101" "5" "a request object with another client_id than the request is refused";
    RequestObjectType "jar.type" Should Decision "RFC 9101" "10.8" "a JWT of another type is not accepted as a request object";
    RequestObjectNested "jar.nested" Must Decision "RFC 9101" "4" "a request object that contains request or request_uri is refused";
    RequestObjectParameters "jar.parameters" Must Decision "RFC 9101" "6.3" "parameters next to a request object do not change the request";

    // Signed authorization responses.
    JarmSigned "jarm.signed" Must Decision "JARM" "2.2" "a response that was requested as a JWT is signed (not with none)";
    JarmSignature "jarm.signature" Must Decision "JARM" "2.4" "its signature matches a published key";
    JarmIssuer "jarm.issuer" Must Decision "JARM" "2.1" "its iss is the issuer";
    JarmAudience "jarm.audience" Must Decision "JARM" "2.1" "its aud is the client";
    JarmExpiry "jarm.expiry" Must Decision "JARM" "2.1" "its exp is a number in the future";
    JarmLifetime "jarm.lifetime" Should Decision "JARM" "2.1" "it is valid for 10 minutes or less";
    JarmState "jarm.state" Must Decision "JARM" "2.1" "its state is that of the request";
    JarmAlone "jarm.alone" Must Decision "JARM" "2.3" "no other parameters are sent with it";
    JarmErrors "jarm.errors" Must Decision "JARM" "2.1" "errors are also returned as a JWT";

    // Rich authorization requests.
    DetailsUnknownType "rar.unknown-type" Must Decision "RFC 9396" "5" "authorization details of an unknown type are refused with invalid_authorization_details";
    DetailsMalformed "rar.malformed" Must AuthorizationRequest "RFC 9396" "5" "authorization_details that is not a list is refused with invalid_authorization_details";
    DetailsReported "rar.reported" Must Decision "RFC 9396" "7" "the token response says which authorization details were granted";
    DetailsWidened "rar.widened" Must Decision "RFC 9396" "6.1" "a code cannot be redeemed for more authorization details than were granted";

    // Token exchange.
    ExchangeIssuedTokenType "exchange.issued-token-type" Must Decision "RFC 8693" "2.2.1" "the response to an exchange has issued_token_type";
    ExchangeSubjectTokenType "exchange.subject-token-type" Must Request "RFC 8693" "2.1" "an exchange without subject_token_type is refused";
    ExchangeActorTokenType "exchange.actor-token-type" Must Request "RFC 8693" "2.1" "an exchange with actor_token_type but without actor_token is refused";
    ExchangeUnknownToken "exchange.unknown-token" Must Decision "RFC 8693" "2.2.2" "an unknown token is not exchanged";
    ExchangeErrorCode "exchange.error-code" Must Decision "RFC 8693" "2.2.2" "an invalid token is answered with invalid_request";
    ExchangeSignature "exchange.signature" Must Decision "RFC 8725" "3.3" "a token whose signature does not match is not exchanged";
    ExchangeUnsigned "exchange.unsigned" Must Decision "RFC 8725" "3.2" "an unsigned token (alg none) is not exchanged";
    ExchangeRevoked "exchange.revoked" Must Decision "RFC 7009" "2" "a revoked token is not exchanged";
    IdJagTokenType "id-jag.token-type" Must Decision "RFC 8693" "2.2.1" "an identity assertion has the token_type N_A, as it is not an access token";

    // Assertions as grants.
    JwtBearerSignature "jwt-bearer.signature" Must Decision "RFC 7523" "3" "an assertion whose signature does not match gets no token";
    JwtBearerUnsigned "jwt-bearer.unsigned" Must Decision "RFC 8725" "3.2" "an unsigned assertion (alg none) gets no token";
    JwtBearerAudience "jwt-bearer.audience" Must Decision "RFC 7523" "3" "an assertion for another server gets no token";
    JwtBearerIdToken "jwt-bearer.id-token" Must Decision "RFC 7523" "3" "an ID token, which is for the client, is not accepted as an assertion";
    JwtBearerAccessToken "jwt-bearer.access-token" Must Decision "RFC 8725" "3.11" "an access token is not accepted as an assertion";
    JwtBearerRefreshToken "jwt-bearer.refresh-token" Should Decision "RFC 7521" "4.1" "no refresh token is returned for an assertion";

    // Certificates of clients.
    MtlsOtherCertificate "mtls.other-certificate" Must Decision "RFC 8705" "2" "a client with the certificate of another client gets no token for its code";
    MtlsRefresh "mtls.refresh" Must Decision "RFC 8705" "2" "a client with the certificate of another client gets no token for its refresh token";
    MtlsConfirmation "mtls.confirmation" Must Decision "RFC 8705" "3.1" "a token that is bound to a certificate names that certificate (cnf, x5t#S256)";
    MtlsIntrospection "mtls.introspection" Must Decision "RFC 8705" "3.2" "introspection names the certificate that a token is bound to";
    MtlsBearer "mtls.bearer" Must Decision "RFC 8705" "3" "a token that is bound to a certificate is not accepted without a certificate";
    MtlsTokenOfOther "mtls.token-of-other" Must Decision "RFC 8705" "3" "a token that is bound to a certificate is not accepted with another certificate";

    // The device authorization grant.
    DeviceResponse "device.response" Must Response "RFC 8628" "3.2" "the response has device_code, user_code, verification_uri and expires_in";
    DeviceNoStore "device.no-store" Should Response "RFC 8628" "3.2" "the response with the codes is not stored by caches";
    DeviceVerificationUri "device.verification-uri" Must Response "RFC 6749" "3.1" "the page for the user code is https (http on loopback)";
    DeviceUserCodeEntropy "device.user-code-entropy" Should Decision "RFC 8628" "5.1" "user codes have at least 20 bits of randomness";
    DeviceCodeEntropy "device.code-entropy" Should Decision "RFC 8628" "5.2" "device codes have at least 128 bits of randomness";
    DeviceApproval "device.approval" Must Decision "RFC 8628" "3.3" "a device gets no token before a user has allowed it";
    DevicePending "device.pending" Must Decision "RFC 8628" "3.5" "until a user has decided, the answer is authorization_pending";
    DeviceUnknown "device.unknown" Must Decision "RFC 6749" "5.2" "an unknown device code is answered with invalid_grant";
    DeviceClient "device.client" Must Decision "RFC 8628" "3.4" "a device code does not work for another client";
    DeviceUnknownClient "device.unknown-client" Must Decision "RFC 8628" "3.1" "an unknown client gets no codes";
    DeviceClientAuthentication "device.client-authentication" Must Decision "RFC 8628" "3.1" "a client with a secret gets no codes without the secret";

    // ID tokens.
    IdTokenPresent "id-token.present" Must Decision "OpenID Core" "3.1.3.3" "an ID token is returned if openid is requested";
    IdTokenSigned "id-token.signed" Must Decision "OpenID Core" "2" "the ID token is signed (not with none)";
    IdTokenSignature "id-token.signature" Must Decision "OpenID Core" "3.1.3.7" "its signature matches a published key";
    IdTokenKeyReference "id-token.key-reference" Must Decision "OpenID Core" "10.1" "it names its key by kid if several keys are published";
    IdTokenIssuer "id-token.issuer" Must Decision "OpenID Core" "3.1.3.7" "its iss is the issuer";
    IdTokenAudience "id-token.audience" Must Decision "OpenID Core" "3.1.3.7" "its aud includes the client";
    IdTokenAuthorizedParty "id-token.authorized-party" Must Decision "OpenID Core" "3.1.3.7" "its azp, if present or if aud has several values, is the client";
    IdTokenExpiry "id-token.expiry" Must Decision "OpenID Core" "3.1.3.7" "its exp is a number in the future";
    IdTokenIssuedAt "id-token.issued-at" Must Decision "OpenID Core" "2" "its iat is a number, and close to the current time";
    IdTokenSubject "id-token.subject" Must Decision "OpenID Core" "2" "its sub is present, ASCII, and at most 255 characters long";
    IdTokenNonce "id-token.nonce" Must Decision "OpenID Core" "3.1.3.7" "its nonce is that of the request";
    IdTokenAccessTokenHash "id-token.at-hash" Must Decision "OpenID Core" "3.1.3.8" "its at_hash, if present, is that of the access token";
    IdTokenMaxAge "id-token.max-age" Must Decision "OpenID Core" "3.1.2.1" "after a request with max_age its auth_time is present and not older than that";

    // What takes the token: the userinfo endpoint.
    UserinfoWorks "userinfo.works" Must Decision "OpenID Core" "5.3" "it accepts the token in the Authorization header";
    UserinfoPost "userinfo.post" Must Decision "OpenID Core" "5.3" "it also accepts POST";
    UserinfoSubject "userinfo.subject" Must Decision "OpenID Core" "5.3.2" "its sub is that of the ID token";
    UserinfoNoToken "userinfo.no-token" Must Decision "RFC 6750" "3" "without a token it answers 401 with WWW-Authenticate: Bearer";
    UserinfoNoTokenNoError "userinfo.no-token-no-error" Should Decision "RFC 6750" "3.1" "without a token its challenge has no error code";
    UserinfoInvalidToken "userinfo.invalid-token" Should Decision "RFC 6750" "3.1" "an unknown token is answered with 401";
    UserinfoTokenInQuery "userinfo.token-in-query" Should Request "RFC 9700" "4.3.2" "a token in the URL is not accepted";
    UserinfoIdToken "userinfo.id-token" Must Decision "RFC 8725" "3.12" "an ID token is not accepted as an access token";
    UserinfoNoStore "userinfo.no-store" Should Response "RFC 9111" "5.2.2.5" "its response is not stored by caches";

    // APIs: their metadata.
    ResourceWellKnown "resource.well-known" Should Response "RFC 9728" "3.1" "the metadata of the API is at its well-known URL";
    ResourceDocumentsAgree "resource.documents-agree" Must Response "RFC 9728" "3" "the document that the challenge names has the same values as the well-known one";
    ResourceContentType "resource.content-type" Must Response "RFC 9728" "3.2" "the metadata is served as application/json";
    ResourceIdentity "resource.identity" Must Documents "RFC 9728" "3.3" "resource is identical to the URL of the API";
    ResourceUrl "resource.url" Must Documents "RFC 9728" "1.2" "resource is an https URL (http on loopback) without fragment";
    ResourceAuthorizationServers "resource.authorization-servers" Must Documents "MCP" "Authorization Server Discovery" "authorization_servers names at least one server";
    ResourceIssuers "resource.issuers" Must Documents "RFC 8414" "3.3" "each server in authorization_servers has metadata with exactly that issuer";
    ResourceScopes "resource.scopes" Should Documents "RFC 9728" "2" "scopes_supported is present, so that clients know what to request";
    ResourceNoOfflineAccess "resource.no-offline-access" Should Documents "MCP" "Authorization" "scopes_supported does not include offline_access, which is not a scope of an API";
    ResourceKnownScopes "resource.known-scopes" Should Documents "RFC 9728" "2" "the authorization server supports every scope of the API, if it lists its scopes";
    ResourceBearerMethods "resource.bearer-methods" Must Documents "RFC 9700" "4.3.2" "bearer_methods_supported, if present, includes header and not query";
    ResourceEmptyArrays "resource.empty-arrays" Must Documents "RFC 9728" "3.2" "no member of the metadata is an empty array";
    // APIs: what they say to a request without a token that is good.
    ChallengeStatus "challenge.status" Must Response "RFC 6750" "3" "without a token the API answers 401 with a challenge for Bearer or DPoP";
    ChallengeSyntax "challenge.syntax" Must Response "RFC 9110" "11.2" "each parameter of the challenge is a token or a quoted string";
    ChallengeMetadata "challenge.metadata" Should Response "RFC 9728" "5.1" "the challenge names the metadata of the API (resource_metadata)";
    ChallengeNoError "challenge.no-error" Should Response "RFC 6750" "3.1" "without a token the challenge has no error code";
    ChallengeScope "challenge.scope" Should Response "MCP" "Authorization" "the challenge names the scope to request";
    ChallengeInvalidToken "challenge.invalid-token" Must Response "RFC 6750" "3.1" "an unknown token is answered with 401 and invalid_token";
    ChallengeInvalidTokenMetadata "challenge.invalid-token-metadata" Should Response "RFC 9728" "5.1" "the challenge for an unknown token also names the metadata of the API";
    // APIs: which tokens they take.
    ResourceToken "resource.token" Must Decision "RFC 6750" "2.1" "the API accepts a token for it in the Authorization header";
    ResourceAudience "resource.audience" Must Decision "RFC 9068" "4" "a token for another API is refused";
    ResourceTokenInQuery "resource.token-in-query" Must Request "RFC 9700" "4.3.2" "a token in the URL is not accepted";
    ResourceIdToken "resource.id-token" Must Decision "RFC 8725" "3.12" "an ID token is not accepted as an access token";

    // Clients that register themselves (only with --register or --for mcp).
    RegistrationNative "registration.native" Must Decision "RFC 8252" "8.4" "a native client registers with a loopback redirect URI";
    RegistrationStatus "registration.status" Must Response "RFC 7591" "3.2.1" "the response to a registration has status 201";
    RegistrationContentType "registration.content-type" Must Response "RFC 7591" "3.2.1" "it is served as application/json";
    RegistrationNoStore "registration.no-store" Should Response "RFC 7591" "3.2.1" "it has Cache-Control: no-store";
    RegistrationMetadata "registration.metadata" Must Response "RFC 7591" "3.2.1" "it includes all that is registered: the redirect URIs and the authentication method";
    RegistrationPublic "registration.public" Must Response "RFC 7591" "2" "a client that requests no authentication gets no secret";
    RegistrationSecret "registration.secret" Must Response "RFC 7591" "3.2.1" "a client that requests a secret gets one with client_secret_expires_at";
    RegistrationUnknownMember "registration.unknown-member" Must Decision "RFC 7591" "2" "unknown members are ignored";
    RegistrationUsable "registration.usable" Must Response "RFC 7591" "3.2.1" "the authorization endpoint knows the client with its redirect URI";
    RegistrationHttpRedirect "registration.http-redirect" Must Request "MCP" "Security Considerations" "an http redirect URI on another machine is refused";
    RegistrationScript "registration.script" Must Request "RFC 7591" "5" "a javascript: redirect URI is refused";
    RegistrationFragment "registration.fragment" Must Request "RFC 6749" "3.1.2" "a redirect URI with a fragment is refused";
    RegistrationErrorCode "registration.error-code" Should Response "RFC 7591" "3.2.2" "such a redirect URI is refused with 400 and invalid_redirect_uri";
    RegistrationRead "registration.read" Must Decision "RFC 7592" "2.1" "the registration can be read with the registration access token, if there is one";
    RegistrationOtherToken "registration.other-token" Must Decision "RFC 7592" "2.1" "it cannot be read with the token of another registration";
    RegistrationDelete "registration.delete" Must Decision "RFC 7592" "2.3" "a deleted registration is gone";

    // Clients whose id is the URL of their metadata.
    ClientIdDocumentAccepted "client-id-document.accepted" Must Decision "CIMD" "3" "a client is accepted by its document";
    ClientIdDocumentFetchedOnce "client-id-document.fetched-once" Should Decision "CIMD" "5.1" "the document is fetched once for several requests of a client";
    ClientIdDocumentClientId "client-id-document.client-id" Must Decision "CIMD" "4" "a document with another client_id than its URL is refused";
    ClientIdDocumentRedirectUri "client-id-document.redirect-uri" Must Decision "CIMD" "4.2" "a redirect URI that is not in the document is refused";
    ClientIdDocumentSecret "client-id-document.secret" Must Decision "CIMD" "4.1" "a document that requests a secret is refused";
    ClientIdDocumentStatus "client-id-document.status" Must Decision "CIMD" "4" "a document with a status other than 200 is refused";
}

impl Rule {
    /// The group it is in, such as `pkce`: what comes before the dot of its id.
    pub fn group(self) -> &'static str {
        self.id().split('.').next().unwrap_or_default()
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.id())
    }
}

impl FromStr for Rule {
    type Err = UnknownRule;

    fn from_str(id: &str) -> Result<Self, Self::Err> {
        let found = Rule::ALL.iter().find(|rule| rule.id() == id);
        found.copied().ok_or_else(|| UnknownRule { id: id.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_are_distinct_and_read_back() {
        let ids: HashSet<&str> = Rule::ALL.iter().map(|rule| rule.id()).collect();
        assert_eq!(ids.len(), Rule::ALL.len());
        assert!(Rule::ALL.len() >= 100);
        for rule in Rule::ALL {
            assert_eq!(rule.id().parse::<Rule>().unwrap(), *rule);
            let well_formed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
            assert!(rule.id().bytes().all(well_formed), "{rule}");
            assert_eq!(rule.id().matches('.').count(), 1, "{rule}");
        }
        let unknown = "pkce.requred".parse::<Rule>().unwrap_err();
        assert_eq!(unknown.suggestion(), "; did you mean `pkce.required`?");
    }
}
