//! What the honest code asks before it enforces a rule. On a server without
//! `--break`, the answer is always that it does.

use super::set::Violations;
use super::token_alias::Entropy;
use crate::rules::{Rule, ViolationPoint};
use crate::server::confirmation::Confirmation;
use std::cell::RefCell;

/// How long access tokens live where they live too long.
const TOO_LONG_S: i64 = 24 * 3600;

/// What is enforced while one request is answered. It notes each rule that was
/// violated when it was asked about, for the log.
pub(crate) struct Policy<'a> {
    violations: &'a Violations,
    violated: RefCell<Vec<Rule>>,
}

impl<'a> Policy<'a> {
    /// The policy for one request.
    pub(crate) fn new(violations: &'a Violations) -> Self {
        Policy {
            violations,
            violated: RefCell::default(),
        }
    }

    /// Whether every rule is enforced.
    pub(crate) fn enforces_everything(&self) -> bool {
        self.violations.is_empty()
    }

    /// What was asked for.
    pub(super) fn violations(&self) -> &'a Violations {
        self.violations
    }

    /// Whether this rule is enforced; notes it where it is not.
    pub(super) fn enforces(&self, rule: Rule) -> bool {
        let is_violated = self.violations.violates(rule);
        if is_violated {
            self.note(rule);
        }
        !is_violated
    }

    /// The same the other way round.
    pub(super) fn violates(&self, rule: Rule) -> bool {
        !self.enforces(rule)
    }

    /// What is honest, or what violates this rule.
    pub(super) fn choose<T>(&self, rule: Rule, honest: T, other: T) -> T {
        if self.enforces(rule) { honest } else { other }
    }

    /// Notes for the log that this rule was violated.
    pub(crate) fn note(&self, rule: Rule) {
        let mut violated = self.violated.borrow_mut();
        if !violated.contains(&rule) {
            violated.push(rule);
        }
    }

    /// The rules that were violated.
    pub(crate) fn into_violated(self) -> Vec<Rule> {
        self.violated.into_inner()
    }
}

/// Decisions that enforce one rule each.
macro_rules! decisions {
    ($($name:ident: $rule:ident;)+) => {
        impl Policy<'_> {
            $(pub(crate) fn $name(&self) -> bool { self.enforces(Rule::$rule) })+
        }
    };
}

decisions! {
    // The authorization endpoint.
    accepts_authorization_by_post: AuthorizePost;
    redirects_where_no_page_is_allowed: AuthorizePromptNone;
    accepts_any_loopback_port: RedirectLoopbackPort;

    // Codes.
    revokes_tokens_of_reused_codes: CodeReuseRevokes;
    binds_codes_to_clients: CodeClient;
    binds_codes_to_redirect_uris: CodeRedirectUri;
    requires_redirect_uri_with_codes: CodeRedirectUriMissing;

    // Proof Key for Code Exchange.
    accepts_right_verifiers: PkceSupported;
    rejects_wrong_verifiers: PkceWrongVerifier;
    rejects_missing_verifiers: PkceMissingVerifier;
    rejects_challenges_as_verifiers: PkceChallengeAsVerifier;
    rejects_short_verifiers: PkceShortVerifier;
    rejects_verifiers_without_challenge: PkceVerifierWithoutChallenge;
    reports_wrong_verifiers_as_invalid_grant: PkceErrorCode;

    // The token endpoint.
    ignores_unknown_token_parameters: TokenUnknownParameter;
    reports_unknown_clients_as_invalid_client: TokenUnknownClient;
    reports_unknown_codes_as_invalid_grant: CodeUnknown;
    reports_unknown_refresh_tokens_as_invalid_grant: RefreshUnknown;
    rejects_password_grants: TokenPassword;
    rejects_client_credentials_of_public_clients: TokenClientCredentials;
    requires_right_secrets: TokenWrongSecret;
    requires_secrets_for_codes: TokenClientAuthentication;
    requires_secrets_for_refresh_tokens: RefreshClientAuthentication;

    // Pushed authorization requests.
    answers_pushed_requests_with_201: ParResponse;
    draws_long_request_uris: ParEntropy;
    limits_lifetime_of_pushed_requests: ParLifetime;
    takes_pushed_requests_once: ParSingleUse;
    binds_pushed_requests_to_clients: ParClient;
    rejects_unknown_request_uris: ParUnknown;
    ignores_parameters_beside_request_uris: ParParameters;
    rejects_pushed_references: ParRequestUri;
    checks_redirect_uris_of_pushed_requests: ParRedirectUri;
    requires_secrets_for_pushed_requests: ParClientAuthentication;

    // Signed authorization requests.
    verifies_request_objects: RequestObjectSignature;
    rejects_unsigned_request_objects: RequestObjectUnsigned;
    rejects_request_objects_by_others: RequestObjectIssuer;
    rejects_request_objects_for_others: RequestObjectAudience;
    rejects_expired_request_objects: RequestObjectExpired;
    compares_clients_of_request_objects: RequestObjectClient;
    rejects_other_jwts_as_request_objects: RequestObjectType;
    rejects_nested_request_objects: RequestObjectNested;
    ignores_parameters_beside_request_objects: RequestObjectParameters;

    // Signed authorization responses.
    signs_authorization_responses: JarmSigned;
    signs_authorization_responses_rightly: JarmSignature;
    puts_nothing_beside_signed_responses: JarmAlone;
    signs_errors: JarmErrors;

    // Rich authorization requests.
    rejects_unknown_authorization_details: DetailsUnknownType;
    reports_authorization_details: DetailsReported;
    limits_authorization_details: DetailsWidened;

    // The device authorization grant.
    waits_for_the_decision: DeviceApproval;
    binds_device_codes_to_clients: DeviceClient;
    reports_pending_decisions_as_authorization_pending: DevicePending;
    reports_unknown_device_codes_as_invalid_grant: DeviceUnknown;
    requires_secrets_for_device_codes: DeviceClientAuthentication;
    rejects_device_codes_for_unknown_clients: DeviceUnknownClient;

    // Assertions of clients.
    verifies_signatures_of_assertions: AssertionSignature;
    rejects_unsigned_assertions: AssertionUnsigned;
    rejects_assertions_for_others: AssertionAudience;
    rejects_expired_assertions: AssertionExpired;
    rejects_assertions_without_expiry: AssertionNoExpiry;
    rejects_assertions_by_others: AssertionIssuer;
    rejects_assertions_about_others: AssertionSubject;
    rejects_used_assertions: AssertionReplay;

    // Token exchange.
    names_issued_token_type: ExchangeIssuedTokenType;
    rejects_unknown_subject_tokens: ExchangeUnknownToken;
    rejects_revoked_subject_tokens: ExchangeRevoked;
    verifies_signatures_of_subject_tokens: ExchangeSignature;
    rejects_unsigned_subject_tokens: ExchangeUnsigned;
    reports_refused_subject_tokens_as_invalid_request: ExchangeErrorCode;
    reports_identity_assertions_as_not_applicable: IdJagTokenType;

    // Assertions as grants.
    verifies_signatures_of_grant_assertions: JwtBearerSignature;
    rejects_unsigned_grant_assertions: JwtBearerUnsigned;
    rejects_grant_assertions_for_others: JwtBearerAudience;
    rejects_id_tokens_as_assertions: JwtBearerIdToken;
    rejects_access_tokens_as_assertions: JwtBearerAccessToken;
    gives_no_refresh_token_for_assertions: JwtBearerRefreshToken;

    // Tokens.
    issues_access_tokens_for_requested_resources: TokenResource;
    names_audience_in_access_tokens: TokenAudience;
    names_client_in_access_tokens: TokenProfile;
    issues_id_tokens: IdTokenPresent;
    signs_id_tokens: IdTokenSigned;
    names_key_in_id_tokens: IdTokenKeyReference;
    signs_id_tokens_rightly: IdTokenSignature;
    names_sign_in_time_in_id_tokens: IdTokenMaxAge;

    // Refresh.
    accepts_refresh_tokens: RefreshWorks;
    revokes_families_of_reused_refresh_tokens: RefreshReuseRevokes;
    binds_refresh_tokens_to_clients: RefreshClient;
    limits_refreshed_scope: RefreshScope;
    keeps_subject_on_refresh: RefreshSubject;

    // Revocation and introspection.
    binds_revocation_to_clients: RevocationClient;
    requires_secrets_for_revocation: RevocationClientAuthentication;
    requires_token_for_revocation: RevocationMissing;
    accepts_revocation_of_unknown_tokens: RevocationUnknown;
    revokes_access_tokens: RevocationAccess;
    revokes_despite_wrong_hints: RevocationHint;
    revokes_refresh_tokens: RevocationRefresh;
    revokes_access_tokens_with_refresh_tokens: RevocationCascade;
    authenticates_introspection: IntrospectionAuthenticated;
    reports_valid_tokens_as_active: IntrospectionActive;
    reports_nothing_about_unknown_tokens: IntrospectionInactive;

    // DPoP.
    reports_bound_tokens_as_dpop: DpopTokenType;
    requires_proof_type: DpopProofType;
    rejects_unsigned_proofs: DpopUnsigned;
    verifies_proofs: DpopSignature;
    rejects_proofs_with_private_keys: DpopPrivateKey;
    requires_proof_method: DpopMethod;
    requires_proof_url: DpopUrl;
    rejects_old_proofs: DpopOld;
    rejects_proofs_of_the_future: DpopFuture;
    rejects_used_proofs: DpopReplay;
    rejects_several_proofs: DpopSeveral;
    reports_refused_proofs_as_invalid_dpop_proof: DpopErrorCode;
    binds_codes_to_keys: DpopCode;
    binds_refresh_tokens_to_keys: DpopRefresh;
    rejects_bound_tokens_as_bearer: DpopBearer;
    requires_access_token_hashes: DpopAccessTokenHash;
    requires_the_key_of_the_token: DpopOtherKey;

    // Resources.
    takes_tokens_at_resources: ResourceToken;
    checks_audiences_at_resources: ResourceAudience;

    // Registration.
    lets_registrations_be_read: RegistrationRead;
    binds_registrations_to_their_tokens: RegistrationOtherToken;
    deletes_registrations: RegistrationDelete;

    // Client-ID metadata documents.
    binds_documents_to_redirect_uris: ClientIdDocumentRedirectUri;

    // Certificates of clients.
    rejects_other_certificates: MtlsOtherCertificate;
    requires_certificates_for_refresh_tokens: MtlsRefresh;
    rejects_bound_tokens_without_certificate: MtlsBearer;
    requires_the_certificate_of_the_token: MtlsTokenOfOther;
    reports_certificates_of_bound_tokens: MtlsIntrospection;

    // The userinfo endpoint.
    answers_userinfo: UserinfoWorks;
    answers_userinfo_by_post: UserinfoPost;
    challenges_userinfo_without_token: UserinfoNoToken;
    challenges_userinfo_without_error: UserinfoNoTokenNoError;
    rejects_unknown_tokens_with_401: UserinfoInvalidToken;
}

impl Policy<'_> {
    /// How weak codes are, if they are.
    pub(crate) fn code_entropy(&self) -> Option<Entropy> {
        self.entropy(Rule::AuthorizeCodeEntropy, Rule::AuthorizeCodeEntropyMore)
    }

    /// How weak access tokens are, if they are.
    pub(crate) fn access_token_entropy(&self) -> Option<Entropy> {
        self.entropy(Rule::TokenEntropy, Rule::TokenEntropyMore)
    }

    /// How weak refresh tokens are, if they are.
    pub(crate) fn refresh_token_entropy(&self) -> Option<Entropy> {
        self.entropy(Rule::TokenRefreshEntropy, Rule::TokenRefreshEntropyMore)
    }

    /// How weak device codes are, if they are.
    pub(crate) fn device_code_entropy(&self) -> Option<Entropy> {
        self.violates(Rule::DeviceCodeEntropy).then_some(Entropy::Bits32)
    }

    /// How short user codes are, if they are too short.
    pub(crate) fn short_user_code_chars(&self) -> Option<usize> {
        self.violates(Rule::DeviceUserCodeEntropy).then_some(3)
    }

    fn entropy(&self, weakest: Rule, weak: Rule) -> Option<Entropy> {
        if self.violates(weakest) {
            Some(Entropy::Bits32)
        } else {
            self.violates(weak).then_some(Entropy::Bits144)
        }
    }

    /// The rule by which a code is accepted that was used before, if it is.
    pub(crate) fn rule_for_reused_code(&self, is_concurrent: bool) -> Option<Rule> {
        self.rule_for_reuse(Rule::CodeSingleUse, Rule::CodeParallel, is_concurrent)
    }

    /// The rule by which a refresh token is accepted that was used before, if it is.
    pub(crate) fn rule_for_reused_refresh_token(&self, is_concurrent: bool) -> Option<Rule> {
        self.rule_for_reuse(Rule::RefreshReuse, Rule::RefreshParallel, is_concurrent)
    }

    fn rule_for_reuse(&self, always: Rule, concurrently: Rule, is_concurrent: bool) -> Option<Rule> {
        if self.violates(always) {
            Some(always)
        } else {
            (is_concurrent && self.violates(concurrently)).then_some(concurrently)
        }
    }

    /// Whether an access token is accepted in place of a refresh token. It is
    /// noted only where one is used so.
    pub(crate) fn refreshes_with_access_tokens(&self) -> bool {
        self.violations.violates(Rule::RefreshAccessToken)
    }

    /// Whether the userinfo endpoint accepts ID tokens. It is noted only where one is used so.
    pub(crate) fn accepts_id_tokens_at_userinfo(&self) -> bool {
        self.violations.violates(Rule::UserinfoIdToken)
    }

    /// The same of `/mcp`.
    pub(crate) fn accepts_id_tokens_at_resources(&self) -> bool {
        self.violations.violates(Rule::ResourceIdToken)
    }

    /// Whether authorization responses are not the honest ones.
    pub(crate) fn alters_authorization_responses(&self) -> bool {
        self.violations.violates_any_at(ViolationPoint::AuthorizationResponse)
    }

    /// What a token says that it is bound to.
    pub(crate) fn confirmation(&self, honest: &Confirmation) -> Confirmation {
        let mut confirmation = honest.clone();
        if let Some(thumbprint) = &mut confirmation.certificate
            && self.violates(Rule::MtlsConfirmation)
        {
            *thumbprint = thumbprint.chars().rev().collect();
        }
        confirmation
    }

    /// Notes what is violated from the start, where it shows.
    pub(crate) fn note_rotation(&self) {
        self.enforces(Rule::RefreshRotation);
    }

    /// The same of the lifetime of access tokens.
    pub(crate) fn note_lifetime(&self) {
        self.enforces(Rule::TokenLifetime);
    }

    /// The subject of a user, in ID tokens and at the userinfo endpoint.
    pub(crate) fn subject(&self, user: &str) -> String {
        if self.enforces(Rule::IdTokenSubject) {
            user.to_owned()
        } else {
            format!("{user:x<SUBJECT_TOO_LONG_CHARS$}")
        }
    }

    /// The subject that the userinfo endpoint reports.
    pub(crate) fn userinfo_subject(&self, user: &str) -> String {
        let subject = self.subject(user);
        self.choose(Rule::UserinfoSubject, subject, format!("{user}-2"))
    }

    /// The claims of an ID token, each of which may violate its rule.
    pub(crate) fn id_token_claims<'b>(&self, claims: IdTokenFacts<'b>) -> IdTokenFacts<'b> {
        let (long_ago, yesterday) = (claims.issued_at - 30 * DAY_S, claims.issued_at - DAY_S);
        IdTokenFacts {
            issuer: self.choose(Rule::IdTokenIssuer, claims.issuer, "https://other.example"),
            audience: self.choose(Rule::IdTokenAudience, claims.audience, "another-client"),
            authorized_party: self.choose(Rule::IdTokenAuthorizedParty, claims.authorized_party, "another-client"),
            issued_at: self.choose(Rule::IdTokenIssuedAt, claims.issued_at, long_ago),
            expires_at: self.choose(Rule::IdTokenExpiry, claims.expires_at, yesterday),
            hashed_token: self.choose(Rule::IdTokenAccessTokenHash, claims.hashed_token, "another-token"),
            nonce: claims
                .nonce
                .map(|nonce| self.choose(Rule::IdTokenNonce, nonce, "another-nonce")),
        }
    }
}

/// Longer than `sub` may be (OpenID Connect Core §2).
const SUBJECT_TOO_LONG_CHARS: usize = 256;

const DAY_S: i64 = 24 * 3600;

/// What the claims of an ID token are made from.
pub(crate) struct IdTokenFacts<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) audience: &'a str,
    pub(crate) authorized_party: &'a str,
    pub(crate) issued_at: i64,
    pub(crate) expires_at: i64,
    /// The access token of which `at_hash` is.
    pub(crate) hashed_token: &'a str,
    pub(crate) nonce: Option<&'a str>,
}

impl Violations {
    /// How long access tokens live.
    pub(crate) fn access_token_lifetime_s(&self, configured_s: i64) -> i64 {
        if self.violates(Rule::TokenLifetime) {
            TOO_LONG_S
        } else {
            configured_s
        }
    }

    /// Whether each refresh brings a new refresh token.
    pub(crate) fn rotates_refresh_tokens(&self, configured: bool) -> bool {
        configured && !self.violates(Rule::RefreshRotation)
    }
}
