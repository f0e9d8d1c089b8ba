//! Whether a token that is about to be used lasts as long as it was asked to.

use crate::app::context::Context;
use crate::app::fresh_session::{FreshSession, expired};
use crate::app::freshness::Freshness;
use crate::error::Error;
use crate::store::{ProfileName, StoredToken};
use crate::system;
use crate::trace::{Event, Observer};

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
            "the token is valid for another {} only, {} were wanted",
            describe_ms(left_ms),
            describe_ms(wanted_ms)
        ))),
        _ => {}
    }
    Ok(token)
}

/// Whole seconds where there is one, as people count.
fn describe_ms(milliseconds: i64) -> String {
    match milliseconds {
        ..1000 => format!("{milliseconds} ms"),
        _ => format!("{} s", milliseconds / 1000),
    }
}
