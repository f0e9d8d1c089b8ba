//! What an API answers without a token, and to one that nobody has given
//! (RFC 6750 §3, RFC 9728 §5.1).

use super::resource::answering_api;
use crate::check::api::{api_request, resource_metadata};
use crate::check::context::Check;
use crate::check::exchange::Exchange;
use crate::check::report::{Failure, ensure, inconclusive, violated};
use crate::check::token_requests::UNKNOWN_TOKEN;
use crate::foreign_text::Quoted;
use crate::protocol::www_authenticate::{Challenge, Challenges};
use crate::rules::Rule;
use crate::secret::Secret;

/// Tests the challenges.
pub(in crate::check) fn run(check: &mut Check<'_, '_>) {
    check.rule(Rule::ChallengeStatus, &mut |check| {
        let exchange = ask_without_token(check)?;
        ensure(
            exchange.status() == 401,
            format!("the answer is status {}", exchange.status()),
        )?;
        let challenges = parse_challenges(&exchange)?;
        let has_one = challenges.for_access_tokens().next().is_some();
        ensure(has_one, "there is no such challenge")
    });
    check.rule(Rule::ChallengeSyntax, &mut |check| {
        let exchange = read_challenge(check)?;
        let mut headers = exchange.headers("www-authenticate");
        match headers.find_map(malformed_parameter) {
            Some(parameter) => violated(format!("{} is neither", Quoted::message(parameter))),
            None => Ok(()),
        }
    });
    check.rule(Rule::ChallengeMetadata, &mut |check| {
        let exchange = read_challenge(check)?;
        ensure(resource_metadata(&exchange).is_some(), "it names none")
    });
    check.rule(Rule::ChallengeNoError, &mut |check| {
        let exchange = read_challenge(check)?;
        let challenges = parse_challenges(&exchange)?;
        match challenges.with_error().and_then(Challenge::error) {
            Some(error) => violated(format!("it has {}", Quoted::name(error))),
            None => Ok(()),
        }
    });
    check.rule(Rule::ChallengeScope, &mut |check| {
        let exchange = read_challenge(check)?;
        ensure(parse_challenges(&exchange)?.scope().is_some(), "it names none")
    });
    check.rule(Rule::ChallengeInvalidToken, &mut |check| {
        let exchange = with_unknown_token(check)?;
        ensure(
            exchange.status() == 401,
            format!("the answer is status {}", exchange.status()),
        )?;
        let challenges = parse_challenges(&exchange)?;
        let error = challenges.with_error().and_then(Challenge::error);
        ensure(error == Some("invalid_token"), "the challenge has no invalid_token")
    });
    check.rule(Rule::ChallengeInvalidTokenMetadata, &mut |check| {
        let exchange = with_unknown_token(check)?;
        if !has_challenge(&exchange) {
            return inconclusive("there is no challenge (challenge.invalid-token)");
        }
        ensure(resource_metadata(&exchange).is_some(), "it names none")
    });
}

fn ask_without_token(check: &mut Check<'_, '_>) -> Result<Exchange, Failure> {
    let url = answering_api(check)?.url.clone();
    check.prober.send(api_request(&url, None))
}

/// The same where there is a challenge.
fn read_challenge(check: &mut Check<'_, '_>) -> Result<Exchange, Failure> {
    let exchange = ask_without_token(check)?;
    match has_challenge(&exchange) {
        true => Ok(exchange),
        false => inconclusive("there is no challenge (challenge.status)"),
    }
}

fn with_unknown_token(check: &mut Check<'_, '_>) -> Result<Exchange, Failure> {
    let url = answering_api(check)?.url.clone();
    check.prober.send(api_request(&url, Some(&Secret::from(UNKNOWN_TOKEN))))
}

fn has_challenge(exchange: &Exchange) -> bool {
    exchange.headers("www-authenticate").next().is_some()
}

fn parse_challenges(exchange: &Exchange) -> Result<Challenges, Failure> {
    Challenges::parse(exchange.headers("www-authenticate")).map_err(|problem| Failure::Violated(problem.to_string()))
}

/// The first parameter of a header that is neither a token nor a quoted string
/// (RFC 9110 §11.2, §5.6).
fn malformed_parameter(header: &str) -> Option<&str> {
    let mut rest = header;
    while let Some(place) = rest.find('=') {
        let value = rest[place + 1..].trim_start();
        let name = rest[..place].trim_end().rsplit([' ', ',']).next().unwrap_or_default();
        let end = match value.strip_prefix('"') {
            Some(quoted) => end_of_quoted(quoted).map(|end| end + 2),
            None => Some(value.find([',', ' ']).unwrap_or(value.len())),
        };
        let Some(end) = end else { return Some(name) };
        let is_token = value[..end]
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
        // A token68 is alone and ends with its padding.
        let is_padding = value.trim_start_matches('=').trim_start().is_empty();
        if !value.starts_with('"') && !is_token && !is_padding {
            return Some(name);
        }
        rest = &value[end..];
    }
    None
}

fn end_of_quoted(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    text.char_indices().find_map(|(place, character)| match character {
        _ if is_escaped => {
            is_escaped = false;
            None
        }
        '\\' => {
            is_escaped = true;
            None
        }
        '"' => Some(place),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::malformed_parameter;

    #[test]
    fn parameters_are_tokens_or_quoted_strings() {
        for good in [
            "Bearer",
            "Bearer realm=\"a, b=c\", error=invalid_token",
            "Bearer realm=\"a \\\" b\", DPoP algs=\"ES256 PS256\"",
            "Basic dGVzdA==",
            "Negotiate",
        ] {
            assert_eq!(malformed_parameter(good), None, "{good}");
        }
        for (bad, name) in [
            ("Bearer resource_metadata=https://a.example/x", "resource_metadata"),
            ("Bearer realm=\"a\", scope=a:b", "scope"),
            ("Bearer realm=\"a", "realm"),
        ] {
            assert_eq!(malformed_parameter(bad), Some(name), "{bad}");
        }
    }
}
