//! Where `offline_access` was asked for and no refresh token came, some servers
//! have ignored it because no consent page was shown (OpenID Connect Core §11).
//! One more login with `prompt=consent` shows whether that is the reason; then
//! all later logins ask for it, and no rule is skipped for want of a refresh token.

use super::exchange::Tokens;
use super::prober::Prober;
use crate::rules::Rule;
use crate::trace::Event;

/// Rules that are skipped where there is no refresh token.
const NEED_REFRESH_TOKEN: &[Rule] = &[
    Rule::TokenRefreshEntropy,
    Rule::TokenRefreshEntropyMore,
    Rule::RefreshWorks,
    Rule::RefreshRotation,
    Rule::RefreshReuse,
    Rule::RefreshReuseRevokes,
    Rule::RefreshParallel,
    Rule::RefreshClient,
    Rule::RefreshClientAuthentication,
    Rule::RefreshScope,
    Rule::RefreshSubject,
    Rule::RevocationClient,
    Rule::RevocationHint,
    Rule::RevocationRefresh,
    Rule::RevocationCascade,
];

/// Whether a login with a consent page may bring the refresh token that these
/// tokens lack, and a rule needs one.
pub(super) fn may_bring_refresh_token(prober: &Prober<'_, '_>, tokens: &Tokens) -> bool {
    tokens.refresh_token.is_none() && may_be_ignored(prober) && prober.wants_any(NEED_REFRESH_TOKEN)
}

/// From now on every login asks for a consent page, or none does.
pub(super) fn settle(prober: &mut Prober<'_, '_>, brings_refresh_token: bool) {
    prober.asks_for_consent = brings_refresh_token;
    prober.world.caller.observe(&Event::Note(match brings_refresh_token {
        true => "offline_access returns a refresh token only with prompt=consent: the other logins ask for it, too",
        false => "with prompt=consent the server issues no refresh token either",
    }));
}

/// Whether `offline_access` was asked for in a way that a server may ignore.
fn may_be_ignored(prober: &Prober<'_, '_>) -> bool {
    let wish = &prober.request.login.authorization;
    let sets_prompt = wish.extra.iter().any(|(name, _)| name == "prompt");
    wish.scope.contains("offline_access") && wish.scope.contains("openid") && !sets_prompt
}
