//! What the token endpoint refuses (RFC 6749 §3.2, §5.2), and with which errors.

use super::rejected_redemption::{RejectedRedemption, run_redemptions};
use crate::check::context::Check;
use crate::check::exchange::{Exchange, header_is};
use crate::check::report::{CheckResult, Failure, ensure, inconclusive, violated};
use crate::check::token_requests::{Code, UNKNOWN_TOKEN};
use crate::protocol::client::ClientAuthentication;
use crate::protocol::http::{HttpRequest, Method};
use crate::protocol::params::Params;
use crate::rules::Rule;
use crate::secret::Secret;

/// Redemptions that must get no token and leave the code alone, as far as servers do so.
const REDEMPTIONS: &[RejectedRedemption] = &[
    RejectedRedemption {
        rule: Rule::TokenGet,
        send: |check, code| in_url(check, Method::Get, code),
        error: None,
    },
    RejectedRedemption {
        rule: Rule::TokenQuery,
        send: |check, code| in_url(check, Method::Post, code),
        error: None,
    },
    RejectedRedemption {
        rule: Rule::TokenRepeated,
        send: |check, code| {
            let mut params = check.prober.code_params(code);
            params.push("grant_type", "authorization_code");
            check.prober.token_request(params)
        },
        error: None,
    },
    RejectedRedemption {
        rule: Rule::CodeClientMissing,
        send: |check, code| {
            let url = check.prober.token_endpoint()?.url().clone();
            let exchange = check
                .prober
                .send(HttpRequest::post(url, check.prober.code_params(code)))?;
            check.prober.note_token_answer(&exchange);
            Ok(exchange)
        },
        error: None,
    },
    RejectedRedemption {
        rule: Rule::CodeClient,
        send: |check, code| {
            let (params, client) = (check.prober.code_params(code), check.prober.unknown_client());
            check.prober.token_request_as(params, &client)
        },
        error: None,
    },
    RejectedRedemption {
        rule: Rule::TokenTwoMethods,
        send: |check, code| {
            let secret = own_secret(check)?;
            let mut params = check.prober.code_params(code);
            params.push("client_id", check.prober.client.id.as_str());
            params.push_secret("client_secret", &secret);
            let basic = check
                .prober
                .client_with(ClientAuthentication::ClientSecretBasic(secret));
            check.prober.token_request_as(params, &basic)
        },
        error: None,
    },
    RejectedRedemption {
        rule: Rule::TokenClientAuthentication,
        send: |check, code| {
            check.prober.needs_confidential_client()?;
            let public = check.prober.client_with(ClientAuthentication::None);
            check.prober.token_request_as(check.prober.code_params(code), &public)
        },
        error: None,
    },
    RejectedRedemption {
        rule: Rule::TokenWrongSecret,
        send: |check, code| {
            own_secret(check)?;
            let wrong = Secret::from(UNKNOWN_TOKEN);
            let wrong = check.prober.client_with(match check.prober.client.authentication {
                ClientAuthentication::ClientSecretPost(_) => ClientAuthentication::ClientSecretPost(wrong),
                _ => ClientAuthentication::ClientSecretBasic(wrong),
            });
            check.prober.token_request_as(check.prober.code_params(code), &wrong)
        },
        error: None,
    },
];

type Change = fn(&mut Params);

/// Requests without a code, and the error that each must get.
const ERRORS: &[(Rule, Change, &str)] = &[
    (
        Rule::TokenGrantTypeMissing,
        |params| params.remove("grant_type"),
        "invalid_request",
    ),
    (
        Rule::TokenGrantTypeUnknown,
        |params| params.set("grant_type", "urn:oauth-check:unknown"),
        "unsupported_grant_type",
    ),
];

fn own_secret(check: &Check<'_, '_>) -> Result<Secret, Failure> {
    check.prober.needs_secret()?;
    Ok(check
        .prober
        .client
        .authentication
        .secret()
        .cloned()
        .unwrap_or_else(|| Secret::from("")))
}

/// Redeems a code by parameters in the URL.
fn in_url(check: &mut Check<'_, '_>, method: Method, code: &Code) -> Result<Exchange, Failure> {
    let mut params = check.prober.code_params(code);
    let endpoint = check.prober.token_endpoint()?;
    let header = check.prober.authenticate_in_query(endpoint.url(), &mut params)?;
    let exchange = check.prober.send_in_url(method, &endpoint, &params, header)?;
    if exchange.has_token() {
        check.prober.note_token_answer(&exchange);
    }
    Ok(exchange)
}

/// Tests what the token endpoint refuses, and with which errors.
pub(in crate::check) fn run(check: &mut Check<'_, '_>) {
    run_redemptions(check, REDEMPTIONS, "for requests that must get no token");
    check.rule(Rule::TokenUnknownParameter, &mut unknown_parameter);
    for (rule, change, error) in ERRORS {
        check.rule(*rule, &mut |check| {
            let mut params = check.prober.unknown_code_params()?;
            change(&mut params);
            let exchange = check.prober.token_request(params)?;
            check.expect_error(&exchange, error)
        });
    }
    check.rule(Rule::TokenPassword, &mut |check| {
        let exchange = by_password(check)?;
        check.expect_no_token(&exchange)?;
        check.prober.needs_registered_grant(&exchange, "password")?;
        if exchange.error().as_deref() == Some("invalid_grant") {
            return inconclusive("the password was looked at; whether a right one gets a token is not tried");
        }
        Ok(())
    });
    check.rule(Rule::TokenClientCredentials, &mut |check| {
        let exchange = as_itself(check)?;
        check.expect_no_token(&exchange)?;
        check.prober.needs_registered_grant(&exchange, "client_credentials")
    });
    check.rule(Rule::TokenUnknownClient, &mut |check| {
        let exchange = as_unknown_client(check)?;
        if exchange.error().as_deref() != Some("invalid_grant") {
            return check.expect_error(&exchange, "invalid_client");
        }
        // The code was looked at first: one that works leaves the client alone to refuse.
        check.needs_working_login()?;
        let code = check.code("for an unknown client")?;
        let (params, client) = (check.prober.code_params(&code), check.prober.unknown_client());
        let exchange = check.prober.token_request_as(params, &client)?;
        check.expect_error(&exchange, "invalid_client")
    });
    check.rule(Rule::TokenBasicChallenge, &mut basic_challenge);
}

fn unknown_parameter(check: &mut Check<'_, '_>) -> CheckResult {
    check.needs_working_login()?;
    let code = check.code("for a token request with an unknown parameter")?;
    let mut params = check.prober.code_params(&code);
    params.push("oauth_check", "unknown");
    let exchange = check.prober.token_request(params)?;
    if let Some(tokens) = exchange.tokens() {
        check.keep_for_later(tokens);
        return Ok(());
    }
    check.expect_no_token(&exchange)?;
    violated(format!("the request is refused: {}", exchange.refusal()))
}

fn basic_challenge(check: &mut Check<'_, '_>) -> CheckResult {
    let exchange = with_wrong_basic(check)?;
    check.expect_no_token(&exchange)?;
    let status = exchange.status();
    if status != 401 && exchange.error().as_deref() != Some("invalid_client") {
        return inconclusive(format!("it is answered with status {status}, as if there were none"));
    }
    let challenge = exchange.header("www-authenticate");
    let has_challenge = challenge.to_ascii_lowercase().starts_with("basic");
    ensure(
        status == 401 && has_challenge,
        format!(
            "it is status {status}, and {}",
            header_is("WWW-Authenticate", challenge)
        ),
    )
}

fn with_unknown_code(check: &mut Check<'_, '_>) -> Result<Exchange, Failure> {
    let params = check.prober.unknown_code_params()?;
    check.prober.token_request(params)
}

fn by_password(check: &mut Check<'_, '_>) -> Result<Exchange, Failure> {
    let mut params = Params::new();
    params.push("grant_type", "password");
    params.push("username", "oauth-check-nobody");
    params.push_secret("password", &check.prober.random()?);
    check.prober.token_request(params)
}

fn as_itself(check: &mut Check<'_, '_>) -> Result<Exchange, Failure> {
    check.prober.needs_public_client()?;
    let mut params = Params::new();
    params.push("grant_type", "client_credentials");
    check.prober.token_request(params)
}

fn as_unknown_client(check: &mut Check<'_, '_>) -> Result<Exchange, Failure> {
    let (params, client) = (check.prober.unknown_code_params()?, check.prober.unknown_client());
    check.prober.token_request_as(params, &client)
}

/// By a wrong secret; for a client that has none, by the name of an unknown one.
fn with_wrong_basic(check: &mut Check<'_, '_>) -> Result<Exchange, Failure> {
    let client = match check.prober.is_confidential() {
        true => check.prober.client.clone(),
        false => check.prober.unknown_client(),
    };
    let wrong = client.with_authentication(ClientAuthentication::ClientSecretBasic(Secret::from(UNKNOWN_TOKEN)));
    let params = check.prober.unknown_code_params()?;
    let request = check.prober.token_message(params, &wrong)?;
    check.prober.send(request)
}

/// Tests how the errors looked that came.
pub(in crate::check) fn run_errors(check: &mut Check<'_, '_>) {
    let rules = [
        Rule::TokenErrorStatus,
        Rule::TokenErrorJson,
        Rule::TokenErrorCharacters,
        Rule::TokenErrorNoStore,
    ];
    if !check.prober.wants_any(&rules) || check.prober.is_stopped() {
        return;
    }
    // Errors of each kind, also where no other rule was asked for.
    let mut answers = Vec::new();
    for (_, change, _) in ERRORS {
        if let Ok(mut params) = check.prober.unknown_code_params() {
            change(&mut params);
            answers.push(check.prober.token_request(params));
        }
    }
    for refused in [
        with_unknown_code,
        by_password,
        as_itself,
        as_unknown_client,
        with_wrong_basic,
    ] {
        answers.push(refused(check));
    }
    for exchange in answers.into_iter().flatten() {
        check.is_failure_as_refusal(&exchange);
    }
    for rule in rules {
        let (result, evidence) = check.prober.observations.token_errors(rule);
        check.prober.record(rule, result, evidence);
    }
}
