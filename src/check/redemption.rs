//! From what came back to a code, and from codes and older sessions to tokens.

use super::authorization_probe::AuthorizationExchange;
use super::dpop_proof::demands_proof;
use super::exchange::{Exchange, Tokens};
use super::prober::Prober;
use super::report::{Failure, Stop, inconclusive};
use super::token_requests::Code;
use crate::exit::ExitCode;
use crate::secret::Secret;

impl Prober<'_, '_> {
    /// The code of a response.
    pub(super) fn code_from(&mut self, exchange: AuthorizationExchange) -> Result<Code, Failure> {
        let Some(code) = exchange.response.value("code").map(Secret::from) else {
            return inconclusive(format!("the login for it ended with {}", exchange.response.refusal()));
        };
        let redirect_uri = exchange.probe.redirect_uri().to_owned();
        self.observations.codes.push(code.clone(), exchange.evidence);
        Ok(Code {
            code,
            redirect_uri,
            code_verifier: exchange.probe.code_verifier,
        })
    }
}

/// Why the right redemption brought no token, and, where no login at all can,
/// the reason for that.
pub(super) fn explain_refusal(
    prober: &mut Prober<'_, '_>,
    exchange: &Exchange,
    is_baseline: bool,
) -> (Failure, Option<Stop>) {
    let status = exchange.status();
    let named = exchange.error().unwrap_or_default();
    let error = match named.is_empty() {
        true => String::new(),
        false => format!(": {named}"),
    };
    let is_about_client = status == 401 || ["invalid_client", "unauthorized_client"].contains(&&*named);
    if is_about_client && is_baseline {
        let what_to_do = match prober.is_confidential() {
            true => "compare its secret and --client-auth with what is registered",
            false => "if it has a secret, give it by --client-secret-file",
        };
        let why = format!("the token endpoint does not accept the client (status {status}{error}): {what_to_do}");
        prober.stop(ExitCode::Refused, why.clone());
        return (Failure::Inconclusive(why), None);
    }
    if is_baseline && demands_proof(exchange) {
        let why = "the server issues this client no Bearer tokens, with which it is examined: name a client that need not bind them to a key (DPoP)";
        prober.stop(ExitCode::Refused, why);
        return (Failure::Inconclusive(why.to_owned()), None);
    }
    if exchange.is_outage() || exchange.is_unreadable() {
        let reason = format!("no code could be exchanged (token endpoint: {})", exchange.summary());
        let stop = is_baseline.then(|| Stop {
            reason: reason.clone(),
            exit_code: ExitCode::Unreachable,
        });
        return (Failure::Inconclusive(reason), stop);
    }
    let why = format!("the right verifier got no token, but status {status}{error}");
    (Failure::Violated(why), None)
}

/// The session, refreshed; `None` where that is refused.
pub(super) fn refresh_pooled(prober: &mut Prober<'_, '_>, old: Tokens) -> Option<Tokens> {
    let refresh_token = old.refresh_token?;
    let params = prober.refresh_params(&refresh_token);
    let new = prober.token_request(params).ok()?.tokens()?;
    Some(Tokens {
        access_token: new.access_token,
        refresh_token: new.refresh_token.or(Some(refresh_token)),
        // The one of the login says who signed in.
        id_token: old.id_token.or(new.id_token),
        scope: new.scope.or(old.scope),
    })
}
