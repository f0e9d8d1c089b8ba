//! `prompt` and `max_age` of an authorization request.

use crate::protocol::error::ErrorResponse;
use crate::protocol::time::UnixSeconds;
use crate::server::interactions::SignedIn;

/// What `prompt` and `max_age` require (OpenID Connect Core §3.1.2.1). Consent
/// is asked for each time, whatever they say (RFC 8252 §8.6).
pub(super) struct PromptRequirements {
    /// No page may be shown.
    pub(super) no_page: bool,
    /// The person must sign in again.
    pub(super) sign_in: bool,
    pub(super) max_age_s: Option<i64>,
}

impl PromptRequirements {
    pub(super) fn read(prompt: Option<&str>, max_age: Option<&str>) -> Result<Self, ErrorResponse> {
        let invalid =
            |text: &str| ErrorResponse::new("invalid_request", &format!("{text} (OpenID Connect Core §3.1.2.1)"));
        let values: Vec<&str> = prompt
            .unwrap_or_default()
            .split(' ')
            .filter(|value| !value.is_empty())
            .collect();
        if let Some(unknown) = values
            .iter()
            .find(|value| !["none", "login", "consent", "select_account"].contains(value))
        {
            return Err(invalid(&format!(
                "unsupported prompt value \"{unknown}\": supported are none, login, consent and select_account"
            )));
        }
        let no_page = values.contains(&"none");
        if no_page && values.len() > 1 {
            return Err(invalid("prompt=none excludes other values"));
        }
        let max_age_s = match max_age {
            None => None,
            Some(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => Some(text.parse().unwrap_or(i64::MAX)),
            Some(_) => return Err(invalid("max_age is not a number of seconds")),
        };
        Ok(PromptRequirements {
            no_page,
            sign_in: values.contains(&"login") || values.contains(&"select_account"),
            max_age_s,
        })
    }

    pub(super) fn is_satisfied_by(&self, now: UnixSeconds, signed_in: &SignedIn) -> bool {
        let age_s = now.seconds_since(signed_in.auth_time);
        !self.sign_in && self.max_age_s.is_none_or(|max_age_s| age_s <= max_age_s)
    }
}
