//! Introspection (RFC 7662).

use crate::check::context::Check;
use crate::check::report::{CheckResult, Failure, ensure, inconclusive, violated};
use crate::check::services::active;
use crate::check::token_requests::UNKNOWN_TOKEN;
use crate::protocol::client::ClientAuthentication;
use crate::rules::Rule;
use crate::secret::Secret;
use serde_json::Value;

/// Tests introspection.
pub(in crate::check) fn run(check: &mut Check<'_, '_>) {
    check.rule(Rule::IntrospectionAuthenticated, &mut authenticated);
    check.rule(Rule::IntrospectionActive, &mut |check| {
        check.prober.introspection_endpoint()?;
        check.prober.needs_confidential_client()?;
        match introspect_baseline(check)? {
            Some(active) => ensure(active, "it is not said to be active"),
            None => inconclusive("the answer does not say whether it is active"),
        }
    });
    check.rule(Rule::IntrospectionInactive, &mut inactive);
}

/// A valid token is described only to callers that authenticate. An answer
/// that it is not active tells nothing about it.
fn authenticated(check: &mut Check<'_, '_>) -> CheckResult {
    check.prober.introspection_endpoint()?;
    let baseline = check.baseline()?;
    let (tokens, _) = baseline.tokens()?;
    let public = check.prober.client_with(ClientAuthentication::None);
    for client in [None, Some(&public)] {
        let exchange = check.prober.introspect(&tokens.access_token, client)?;
        if active(&exchange) == Some(true) {
            let who = if client.is_some() {
                "with client_id alone"
            } else {
                "without any client"
            };
            return violated(format!("it is answered {who}"));
        }
    }
    Ok(())
}

/// An unknown token, where the client may introspect at all.
fn inactive(check: &mut Check<'_, '_>) -> CheckResult {
    check.prober.introspection_endpoint()?;
    check.prober.needs_confidential_client()?;
    let aside = check.prober.results.put_aside();
    let known = introspect_baseline(check);
    check.prober.results.take_back(aside);
    if known?.is_none() {
        return inconclusive("the client may not introspect: not even a living token is described");
    }
    let client = check.prober.client.clone();
    let exchange = check.prober.introspect(&Secret::from(UNKNOWN_TOKEN), Some(&client))?;
    let Some(object) = exchange.object().filter(|_| exchange.status() == 200) else {
        return violated(format!("the answer is status {}", exchange.status()));
    };
    let alone = object.len() == 1 && object.get("active") == Some(&Value::Bool(false));
    ensure(alone, "more than active: false is returned")
}

/// Whether the token of the baseline is said to be active; `None` where nothing is said.
fn introspect_baseline(check: &mut Check<'_, '_>) -> Result<Option<bool>, Failure> {
    let baseline = check.baseline()?;
    let (tokens, _) = baseline.tokens()?;
    let client = check.prober.client.clone();
    let exchange = check.prober.introspect(&tokens.access_token, Some(&client))?;
    Ok(active(&exchange))
}
