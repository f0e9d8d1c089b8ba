//! Where `offline_access` was asked for and no refresh token came, some servers
//! have ignored it because no consent page was shown (OpenID Connect Core §11).
//! One more login with `prompt=consent` shows whether that is the reason; then
//! all later logins ask for it, and no rule is skipped for want of a refresh token.

use super::logins::{BaselineLogin, Logins, code_of};
use super::prober::Prober;
use super::report::Failure;
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

/// Looks once whether a consent page brings the refresh token that the first
/// login lacks.
pub(super) fn look_for_refresh_token(logins: &mut Logins, prober: &mut Prober<'_, '_>, baseline: &BaselineLogin) {
    let lacks_refresh_token = baseline
        .tokens()
        .is_ok_and(|(tokens, _)| tokens.refresh_token.is_none());
    if !lacks_refresh_token || !may_be_ignored(prober) || !prober.wants_any(NEED_REFRESH_TOKEN) {
        return;
    }
    let aside = prober.results.put_aside();
    let is_granted = log_in_with_consent(logins, prober);
    prober.results.take_back(aside);
    prober.asks_for_consent = is_granted.unwrap_or(false);
    prober.world.caller.observe(&Event::Note(match prober.asks_for_consent {
        true => "offline_access brings a refresh token only with prompt=consent: the other logins ask for it, too",
        false => "with prompt=consent the server gives no refresh token either",
    }));
}

/// Whether `offline_access` was asked for in a way that a server may ignore.
fn may_be_ignored(prober: &Prober<'_, '_>) -> bool {
    let wish = &prober.request.login.authorization;
    let sets_prompt = wish.extra.iter().any(|(name, _)| name == "prompt");
    wish.scope.contains("offline_access") && wish.scope.contains("openid") && !sets_prompt
}

fn log_in_with_consent(logins: &mut Logins, prober: &mut Prober<'_, '_>) -> Result<bool, Failure> {
    let mut probe = prober.probe()?;
    probe.params.set("prompt", "consent");
    let purpose = "to see whether a consent page brings a refresh token";
    let Some(exchange) = logins.answer_or_page(prober, probe, purpose)? else {
        return Ok(false);
    };
    let code = code_of(prober, exchange)?;
    let (tokens, _) = logins.redeem(prober, &code)?;
    let is_granted = tokens.refresh_token.is_some();
    if is_granted {
        logins.keep_for_later(prober, tokens);
    }
    Ok(is_granted)
}
