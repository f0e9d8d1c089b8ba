//! `oauth token`: the hot path. The configuration file for the profile's name
//! and store, one read of the store, a comparison of clocks, one line on
//! stdout: no lock, no runtime, no TLS, no discovery.

use super::{Context, same_as_profile, signed_in};
use crate::cli::{TokenFormat, TokenOptions};
use crate::error::{Error, SessionError};
use crate::protocol::jose::UnverifiedJwt;
use crate::protocol::time::UnixSeconds;
use crate::report;
use crate::secret::Secret;
use crate::settings::{self, SettingsError};
use crate::store::{ProfileName, Session, StoredToken};
use crate::system;
use crate::trace::{Event, Observer};
use serde_json::json;
use std::time::Duration;

/// How long a token must still be valid by default.
const MIN_TTL: Duration = Duration::from_secs(60);

pub(super) fn run(context: &Context, options: &TokenOptions) -> Result<(), Error> {
    let format = format(context, options)?;
    let config = context.config()?;
    let name = settings::profile_name(&options.profile, &context.environment, &config)?;
    let profile = config.profile(&name);
    let kind = context.store_kind(profile)?;
    let session = context.store(kind, context.patience())?.load(&name)?;
    let session = signed_in(session, &name, &config, kind)?;
    same_as_profile(&session, &name, profile)?;
    if let Some(dead) = &session.dead {
        return Err(SessionError::Dead {
            profile: name,
            reason: dead.reason.clone(),
        }
        .into());
    }
    let now = system::now();
    let token = session
        .tokens
        .first()
        .ok_or_else(|| SessionError::Expired { profile: name.clone() })?;
    if options.id_token {
        let (id_token, expires_at) = id_token(&session, &name, now)?;
        let line = formatted(format, &id_token, expires_at, token, &session, &name, now);
        return report::print(line.expose().as_bytes());
    }
    if let Some(expires_at) = token.expires_at {
        let left_s = expires_at.seconds_since(now);
        if left_s <= 0 {
            return Err(SessionError::Expired { profile: name }.into());
        }
        let wanted_s = wanted_s(options.min_ttl, token);
        if left_s < wanted_s {
            context.observer().observe(&Event::Warning(&format!(
                "the token is valid for another {left_s} s only, {wanted_s} s were wanted; log in again soon: oauth login {name}"
            )));
        }
    }
    let line = formatted(
        format,
        &token.access_token,
        token.expires_at,
        token,
        &session,
        &name,
        now,
    );
    report::print(line.expose().as_bytes())
}

fn format(context: &Context, options: &TokenOptions) -> Result<TokenFormat, Error> {
    match (context.style.json, options.format) {
        (true, None | Some(TokenFormat::Json)) => Ok(TokenFormat::Json),
        (true, Some(_)) => Err(SettingsError::Contradiction {
            one: "--json".to_owned(),
            other: "--format".to_owned(),
            problem: "--json is --format json".to_owned(),
        }
        .into()),
        (false, format) => Ok(format.unwrap_or(TokenFormat::Raw)),
    }
}

/// As given; by default 60 s, or half the token's lifetime if that is less.
fn wanted_s(min_ttl: Option<Duration>, token: &StoredToken) -> i64 {
    let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    let lifetime_s = token
        .expires_at
        .zip(token.issued_at)
        .map(|(end, start)| end.seconds_since(start));
    match (min_ttl, lifetime_s) {
        (Some(given), _) => seconds(given),
        (None, Some(lifetime_s)) => seconds(MIN_TTL).min(lifetime_s / 2),
        (None, None) => seconds(MIN_TTL),
    }
}

/// The ID token, which is as fresh as its own `exp` says.
fn id_token(
    session: &Session,
    name: &ProfileName,
    now: UnixSeconds,
) -> Result<(Secret, Option<UnixSeconds>), SessionError> {
    let id_token = session
        .id_token
        .clone()
        .ok_or_else(|| SessionError::NoIdToken { profile: name.clone() })?;
    let claims = UnverifiedJwt::decode(id_token.expose()).ok().map(|jwt| jwt.claims);
    let expires_at = claims.and_then(|claims| claims.get("exp").and_then(serde_json::Value::as_f64));
    // A float's cast saturates; the claim was checked when it was stored.
    let expires_at = expires_at.map(|seconds| UnixSeconds(seconds as i64));
    match expires_at {
        Some(expires_at) if expires_at <= now => Err(SessionError::IdTokenExpired { profile: name.clone() }),
        expires_at => Ok((id_token, expires_at)),
    }
}

fn formatted(
    format: TokenFormat,
    token: &Secret,
    expires_at: Option<UnixSeconds>,
    stored: &StoredToken,
    session: &Session,
    name: &ProfileName,
    now: UnixSeconds,
) -> Secret {
    let token = token.expose();
    Secret::new(match format {
        TokenFormat::Raw => format!("{token}\n"),
        TokenFormat::Header => format!("Authorization: Bearer {token}\n"),
        TokenFormat::Json => {
            let scope = stored.scope.as_ref().map(|scope| scope.join(" "));
            let object = json!({
                "access_token": token,
                "token_type": stored.token_type,
                "expires_in": expires_at.map(|expires_at| expires_at.seconds_since(now)),
                "expires_at": expires_at.map(system::rfc_3339),
                "scope": scope,
                "resource": stored.resource,
                "issuer": session.issuer,
                "profile": name.as_str(),
            });
            format!("{object}\n")
        }
        TokenFormat::Env => [
            ("OAUTH_ACCESS_TOKEN", token.clone()),
            ("OAUTH_TOKEN_TYPE", stored.token_type.clone()),
            ("OAUTH_EXPIRES_AT", expires_at.map(system::rfc_3339).unwrap_or_default()),
            ("OAUTH_ISSUER", session.issuer.clone().unwrap_or_default()),
            ("OAUTH_PROFILE", name.to_string()),
        ]
        .map(|(variable, value)| format!("export {variable}={}\n", quoted(&value)))
        .concat(),
    })
}

/// A word for a POSIX shell: in single quotes, within which nothing is special.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_takes_quoted_text_as_it_is() {
        assert_eq!(quoted("a'b$(c)"), "'a'\\''b$(c)'");
    }
}
