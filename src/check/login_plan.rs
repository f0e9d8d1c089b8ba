//! How many logins an examination still needs in the browser at most: what is
//! shown to the person before each.

use crate::rules::Rule;

/// Rules that take logins of their own.
enum Plan {
    /// One login for all of these.
    Shared(&'static [Rule]),
    /// One for each of these, where the server ends a code at a failed
    /// redemption, or shows a sign-in page before it looks at the request.
    Each(&'static [Rule]),
}

const PLANS: &[Plan] = &[
    Plan::Each(&[
        Rule::TokenGet,
        Rule::TokenQuery,
        Rule::TokenRepeated,
        Rule::CodeClientMissing,
        Rule::CodeClient,
    ]),
    Plan::Each(&[
        Rule::PkceWrongVerifier,
        Rule::PkceMissingVerifier,
        Rule::PkceChallengeAsVerifier,
        Rule::CodeRedirectUri,
        Rule::CodeRedirectUriMissing,
    ]),
    Plan::Each(&[
        Rule::AssertionSignature,
        Rule::AssertionUnsigned,
        Rule::AssertionAudience,
        Rule::AssertionExpired,
        Rule::AssertionNoExpiry,
        Rule::AssertionIssuer,
        Rule::AssertionSubject,
        Rule::AssertionReplay,
    ]),
    Plan::Each(&[Rule::PkceShortVerifier]),
    Plan::Shared(&[Rule::IdTokenMaxAge]),
    Plan::Shared(&[
        Rule::DpopTokenType,
        Rule::DpopProofType,
        Rule::DpopUnsigned,
        Rule::DpopSignature,
        Rule::DpopPrivateKey,
        Rule::DpopMethod,
        Rule::DpopUrl,
        Rule::DpopOld,
        Rule::DpopFuture,
        Rule::DpopReplay,
        Rule::DpopSeveral,
        Rule::DpopErrorCode,
        Rule::DpopRefresh,
        Rule::DpopBearer,
        Rule::DpopAccessTokenHash,
        Rule::DpopOtherKey,
    ]),
    Plan::Shared(&[Rule::DpopCode]),
    Plan::Shared(&[Rule::CodeSingleUse, Rule::CodeReuseRevokes]),
    Plan::Shared(&[Rule::CodeParallel]),
    Plan::Shared(&[
        Rule::RefreshWorks,
        Rule::RefreshRotation,
        Rule::RefreshReuse,
        Rule::RefreshReuseRevokes,
    ]),
    Plan::Shared(&[Rule::RefreshParallel]),
    Plan::Shared(&[Rule::RevocationPostOnly, Rule::RevocationClient, Rule::RevocationHint]),
    Plan::Shared(&[Rule::RevocationRefresh, Rule::RevocationCascade]),
];

/// The most logins that are still to come, with the one that begins. `wants`
/// says which rules have no verdict yet.
pub(super) fn remaining(wants: &dyn Fn(Rule) -> bool) -> usize {
    let wanted = |rules: &[Rule]| rules.iter().filter(|rule| wants(**rule)).count();
    let logins = PLANS.iter().map(|plan| match plan {
        Plan::Shared(rules) => wanted(rules).min(1),
        Plan::Each(rules) => wanted(rules),
    });
    logins.sum()
}
