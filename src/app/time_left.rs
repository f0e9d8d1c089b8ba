//! Whether a token that is about to be used lasts as long as it was asked to.

use crate::app::context::Context;
use crate::app::fresh_session::{FreshSession, expired};
use crate::app::freshness::Freshness;
use crate::error::Error;
use crate::output::duration::{describe, describe_seconds};
use crate::store::{ProfileName, StoredToken};
use crate::system;
use crate::trace::{Event, Observer};
use std::time::Duration;

/// The token that was asked for. Warns where it ends sooner than was wanted.
///
/// # Errors
/// That of [`expired`], but for one that was refreshed just now.
pub(crate) fn token_with_time_left<'a>(
    context: &Context,
    wanted: &Freshness,
    name: &ProfileName,
    fresh: &'a FreshSession,
) -> Result<&'a StoredToken, Error> {
    let expired = || expired(&fresh.session, name);
    let token = fresh.session.token(&wanted.part).ok_or_else(expired)?;
    let Some(expires_at) = token.expires_at else {
        return Ok(token);
    };
    let left_ms = expires_at.0.saturating_mul(1000).saturating_sub(system::now_ms());
    let wanted_ms = wanted.min_ttl_ms(token);
    match left_ms {
        ..=0 if !fresh.is_new => return Err(expired()),
        ..=0 => context.observer().observe(&Event::Warning(
            "the token was refreshed just now and is valid for less than a second",
        )),
        left_ms if left_ms < wanted_ms => context.observer().observe(&Event::Warning(&format!(
            "the token is valid for {} more; at least {} was asked for",
            describe_left(left_ms.unsigned_abs()),
            describe(Duration::from_millis(wanted_ms.unsigned_abs()))
        ))),
        _ => {}
    }
    Ok(token)
}

/// Time that is left, as people count.
fn describe_left(milliseconds: u64) -> String {
    match milliseconds {
        ..1000 => "less than 1 s".to_owned(),
        _ => describe_seconds(milliseconds / 1000),
    }
}
