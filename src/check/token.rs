//! The token endpoint (RFC 6749 §3.2, §5): what a token response says, and
//! what is refused.

use super::code::{Attempt, judge_attempts, unknown_code};
use super::entropy::bits_at_most;
use super::examination::Examination;
use super::probe::Exchange;
use super::secrets;
use super::sign_in::{Code, Main};
use super::token_request::{NEVER_GIVEN, gives_nothing, says};
use super::verdict::{Finding, Judgement, broken, kept_if, unseen};
use crate::protocol::client::{Client, ClientAuthentication};
use crate::protocol::http::{HttpRequest, Method};
use crate::protocol::jose::UnverifiedJwt;
use crate::protocol::params::Params;
use crate::rules::Rule;
use crate::secret::Secret;
use serde_json::{Map, Value};

const LIFETIME_MAX_S: u64 = 3600;
const TOKEN_BITS_MIN: f64 = 128.0;
const TOKEN_BITS_BETTER: f64 = 160.0;

type ResponseTest = fn(&Exchange, &Map<String, Value>) -> Judgement;

/// Rules about the token response of the first login.
const RESPONSES: &[(Rule, ResponseTest)] = &[
    (Rule::TokenNoStore, |exchange, _| {
        let found = exchange.header("cache-control").to_ascii_lowercase();
        kept_if(found.contains("no-store"), format!("Cache-Control is \"{found}\""))
    }),
    (Rule::TokenPragma, |exchange, _| {
        let found = exchange.header("pragma").to_ascii_lowercase();
        kept_if(found.contains("no-cache"), format!("Pragma is \"{found}\""))
    }),
    (Rule::TokenContentType, |exchange, _| {
        let found = exchange.response.media_type().unwrap_or_default();
        kept_if(found == "application/json", format!("it is \"{found}\""))
    }),
    (Rule::TokenType, |_, object| {
        let found = object.get("token_type").and_then(Value::as_str).unwrap_or_default();
        let known = ["bearer", "dpop"].contains(&found.to_ascii_lowercase().as_str());
        kept_if(known, format!("it is \"{found}\""))
    }),
    (Rule::TokenExpiresIn, |_, object| match object.get("expires_in") {
        None | Some(Value::Null) => broken("it is absent"),
        Some(value) => kept_if(value.as_u64().is_some(), "it is no whole number"),
    }),
    (Rule::TokenLifetime, |_, object| {
        match object.get("expires_in").and_then(Value::as_u64) {
            None => unseen("there is no expires_in"),
            Some(seconds) => kept_if(seconds <= LIFETIME_MAX_S, format!("they live {seconds} s")),
        }
    }),
];

/// Redemptions that must get no token and leave the code alone, as far as servers do so.
const ATTEMPTS: &[Attempt] = &[
    Attempt {
        rule: Rule::TokenGet,
        send: |examination, code| in_url(examination, Method::Get, code),
        further: &[],
    },
    Attempt {
        rule: Rule::TokenQuery,
        send: |examination, code| in_url(examination, Method::Post, code),
        further: &[],
    },
    Attempt {
        rule: Rule::TokenRepeated,
        send: |examination, code| {
            let mut params = examination.redemption(code);
            params.push("grant_type", "authorization_code");
            examination.token_request(params)
        },
        further: &[],
    },
    Attempt {
        rule: Rule::CodeClientMissing,
        send: |examination, code| {
            let endpoint = examination.metadata.token_endpoint.clone();
            let url = examination.needs(&endpoint, "token_endpoint")?.url().clone();
            let exchange = examination.send(HttpRequest::post(url, examination.redemption(code)))?;
            examination.note_token_answer(&exchange);
            Ok(exchange)
        },
        further: &[],
    },
    Attempt {
        rule: Rule::CodeClient,
        send: |examination, code| {
            let (params, nobody) = (examination.redemption(code), examination.nobody());
            examination.token_request_as(params, &nobody)
        },
        further: &[],
    },
    Attempt {
        rule: Rule::TokenTwoMethods,
        send: |examination, code| {
            let secret = own_secret(examination)?;
            let mut params = examination.redemption(code);
            params.push("client_id", examination.client.id.as_str());
            params.push_secret("client_secret", &secret);
            let basic = examination.client_by(ClientAuthentication::ClientSecretBasic(secret));
            examination.token_request_as(params, &basic)
        },
        further: &[],
    },
    Attempt {
        rule: Rule::TokenClientAuthentication,
        send: |examination, code| {
            own_secret(examination)?;
            let public = examination.client_by(ClientAuthentication::None);
            examination.token_request_as(examination.redemption(code), &public)
        },
        further: &[],
    },
    Attempt {
        rule: Rule::TokenWrongSecret,
        send: |examination, code| {
            own_secret(examination)?;
            let wrong = Secret::from(NEVER_GIVEN);
            let wrong = examination.client_by(match examination.client.authentication {
                ClientAuthentication::ClientSecretPost(_) => ClientAuthentication::ClientSecretPost(wrong),
                _ => ClientAuthentication::ClientSecretBasic(wrong),
            });
            examination.token_request_as(examination.redemption(code), &wrong)
        },
        further: &[],
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

fn own_secret(examination: &Examination<'_, '_>) -> Result<Secret, Finding> {
    examination.needs_secret()?;
    Ok(examination
        .client
        .authentication
        .secret()
        .cloned()
        .unwrap_or_else(|| Secret::from("")))
}

/// Redeems a code by parameters in the URL.
fn in_url(examination: &mut Examination<'_, '_>, method: Method, code: &Code) -> Result<Exchange, Finding> {
    let mut params = examination.redemption(code);
    let endpoint = examination.metadata.token_endpoint.clone();
    let endpoint = examination.needs(&endpoint, "token_endpoint")?;
    let header = examination.prove_in_url(endpoint.url(), &mut params)?;
    let exchange = examination.send_in_url(method, endpoint, &params, header)?;
    if exchange.has_token() {
        examination.note_token_answer(&exchange);
    }
    Ok(exchange)
}

/// Judges the token response, and the tokens in it.
pub(super) fn judge_responses(examination: &mut Examination<'_, '_>) {
    for (rule, test) in RESPONSES {
        examination.judge(*rule, &mut |examination| {
            let main = examination.main_login()?;
            let (_, exchange) = main.tokens.as_ref().map_err(no_tokens)?;
            test(exchange, &exchange.object().unwrap_or_default())
        });
    }
    examination.judge(Rule::TokenEntropy, &mut |examination| {
        let main = examination.main_login()?;
        main.tokens.as_ref().map_err(no_tokens)?;
        let samples: Vec<&Secret> = examination.token_answers.access_tokens.iter().collect();
        match samples.first().map(|sample| secrets::jwt(sample)) {
            // Nobody guesses a signature.
            Some(Ok(jwt)) => kept_if(
                jwt.claims.contains_key("jti") || !jwt.signature.is_empty(),
                "they have neither a signature nor jti",
            ),
            _ => enough_bits(&samples, TOKEN_BITS_MIN),
        }
    });
    examination.judge(Rule::TokenEntropyMore, &mut |examination| {
        let main = examination.main_login()?;
        main.tokens.as_ref().map_err(no_tokens)?;
        let samples: Vec<&Secret> = examination.token_answers.access_tokens.iter().collect();
        if samples.first().is_some_and(|sample| secrets::jwt(sample).is_ok()) {
            return Ok(());
        }
        enough_bits(&samples, TOKEN_BITS_BETTER)
    });
    for (rule, bits) in [
        (Rule::TokenRefreshEntropy, TOKEN_BITS_MIN),
        (Rule::TokenRefreshEntropyMore, TOKEN_BITS_BETTER),
    ] {
        examination.judge(rule, &mut |examination| {
            let main = examination.main_login()?;
            let (tokens, _) = main.tokens.as_ref().map_err(no_tokens)?;
            tokens.needs_refresh_token()?;
            let samples: Vec<&Secret> = examination.token_answers.refresh_tokens.iter().collect();
            enough_bits(&samples, bits)
        });
    }
    examination.judge(Rule::TokenAudience, &mut |examination| {
        let main = examination.main_login()?;
        let audience = access_token_claims(&main)?.claims.contains_key("aud");
        kept_if(audience, "there is no aud")
    });
    examination.judge(Rule::TokenResource, &mut |examination| {
        let Some(wanted) = examination.request.login.wish.resource.first() else {
            return unseen("no resource was asked for: add --resource URI");
        };
        let wanted = wanted.as_str().to_owned();
        let main = examination.main_login()?;
        let jwt = access_token_claims(&main)?;
        let found = match jwt.claims.get("aud") {
            Some(Value::Array(several)) => several.iter().any(|one| one.as_str() == Some(&wanted)),
            Some(one) => one.as_str() == Some(&wanted),
            None => false,
        };
        kept_if(found, format!("aud has no {wanted}"))
    });
    examination.judge(Rule::TokenProfile, &mut |examination| {
        let main = examination.main_login()?;
        let jwt = access_token_claims(&main)?;
        let media_type = jwt.header.get("typ").and_then(Value::as_str).unwrap_or_default();
        if !["at+jwt", "application/at+jwt"].contains(&media_type.to_ascii_lowercase().as_str()) {
            return unseen("the access token does not say to be of type at+jwt");
        }
        let claims = ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"];
        let missing: Vec<&str> = claims
            .into_iter()
            .filter(|claim| !jwt.claims.contains_key(*claim))
            .collect();
        kept_if(missing.is_empty(), format!("it has no {}", missing.join(", ")))
    });
}

/// Why nothing can be said of tokens.
pub(super) fn no_tokens(_: &Finding) -> Finding {
    Finding::Unseen("the login brought no token".to_owned())
}

fn access_token_claims(main: &Main) -> Result<UnverifiedJwt, Finding> {
    let (tokens, _) = main.tokens.as_ref().map_err(no_tokens)?;
    match secrets::jwt(&tokens.access_token) {
        Ok(jwt) => Ok(jwt),
        Err(_) => unseen("the access token cannot be read by a client"),
    }
}

fn enough_bits(samples: &[&Secret], bits: f64) -> Judgement {
    let found = bits_at_most(samples);
    kept_if(found >= bits, format!("they have {found:.0} bits at most"))
}

/// Judges what the token endpoint refuses, and the errors that it answers with.
pub(super) fn judge_refusals(examination: &mut Examination<'_, '_>) {
    judge_attempts(examination, ATTEMPTS, "for requests that must get no token");
    examination.judge(Rule::TokenUnknownParameter, &mut |examination| {
        examination.needs_working_login()?;
        let code = examination.code("for a token request with an unknown parameter")?;
        let mut params = examination.redemption(&code);
        params.push("oauth_check", "unknown");
        let exchange = examination.token_request(params)?;
        let error = exchange
            .error()
            .unwrap_or_else(|| format!("status {}", exchange.status()));
        if let Some(tokens) = exchange.tokens() {
            examination.keep_for_later(tokens);
        }
        kept_if(exchange.has_token(), format!("the request is refused: {error}"))
    });
    for (rule, change, error) in ERRORS {
        examination.judge(*rule, &mut |examination| {
            let mut params = unknown_code(examination)?;
            change(&mut params);
            says(&examination.token_request(params)?, error)
        });
    }
    examination.judge(Rule::TokenPassword, &mut |examination| {
        let exchange = by_password(examination)?;
        gives_nothing(&exchange)?;
        if exchange.error().as_deref() == Some("invalid_grant") {
            return unseen("the password was looked at; whether a right one gets a token is not tried");
        }
        Ok(())
    });
    examination.judge(Rule::TokenClientCredentials, &mut |examination| {
        gives_nothing(&as_itself(examination)?)
    });
    examination.judge(Rule::TokenUnknownClient, &mut |examination| {
        let exchange = as_nobody(examination)?;
        if exchange.error().as_deref() != Some("invalid_grant") {
            return says(&exchange, "invalid_client");
        }
        // The code was looked at first: one that works leaves the client alone to refuse.
        examination.needs_working_login()?;
        let code = examination.code("for a client that nobody knows")?;
        let (params, nobody) = (examination.redemption(&code), examination.nobody());
        says(&examination.token_request_as(params, &nobody)?, "invalid_client")
    });
    examination.judge(Rule::TokenBasicChallenge, &mut |examination| {
        let exchange = with_wrong_basic(examination)?;
        gives_nothing(&exchange)?;
        if exchange.status() != 401 && exchange.error().as_deref() != Some("invalid_client") {
            return unseen(format!(
                "it is answered with status {}, as if there were none",
                exchange.status()
            ));
        }
        let challenge = exchange.header("www-authenticate");
        let has_challenge = challenge.to_ascii_lowercase().starts_with("basic");
        let status = exchange.status();
        kept_if(
            status == 401 && has_challenge,
            format!("it is status {status} with WWW-Authenticate \"{challenge}\""),
        )
    });
}

fn with_unknown_code(examination: &mut Examination<'_, '_>) -> Result<Exchange, Finding> {
    let params = unknown_code(examination)?;
    examination.token_request(params)
}

fn by_password(examination: &mut Examination<'_, '_>) -> Result<Exchange, Finding> {
    let mut params = Params::new();
    params.push("grant_type", "password");
    params.push("username", "oauth-check-nobody");
    params.push_secret("password", &examination.random()?);
    examination.token_request(params)
}

fn as_itself(examination: &mut Examination<'_, '_>) -> Result<Exchange, Finding> {
    examination.needs_public_client()?;
    let mut params = Params::new();
    params.push("grant_type", "client_credentials");
    examination.token_request(params)
}

fn as_nobody(examination: &mut Examination<'_, '_>) -> Result<Exchange, Finding> {
    let (params, nobody) = (unknown_code(examination)?, examination.nobody());
    examination.token_request_as(params, &nobody)
}

/// By a wrong secret; for a client that has none, by the name of one that nobody knows.
fn with_wrong_basic(examination: &mut Examination<'_, '_>) -> Result<Exchange, Finding> {
    let client = match examination.is_confidential() {
        true => examination.client.clone(),
        false => examination.nobody(),
    };
    let wrong = Client {
        authentication: ClientAuthentication::ClientSecretBasic(Secret::from(NEVER_GIVEN)),
        ..client
    };
    let params = unknown_code(examination)?;
    let request = examination.token_message(params, &wrong)?;
    examination.send(request)
}

/// Judges how the errors looked that came meanwhile.
pub(super) fn judge_errors(examination: &mut Examination<'_, '_>) {
    let rules = [
        Rule::TokenErrorStatus,
        Rule::TokenErrorJson,
        Rule::TokenErrorCharacters,
        Rule::TokenErrorNoStore,
    ];
    if !examination.wants_any(&rules) || examination.is_stopped() {
        return;
    }
    // Errors of each kind, also where no other rule was asked for.
    for (_, change, _) in ERRORS {
        if let Ok(mut params) = unknown_code(examination) {
            change(&mut params);
            let _ = examination.token_request(params);
        }
    }
    for refused in [with_unknown_code, by_password, as_itself, as_nobody, with_wrong_basic] {
        let _ = refused(examination);
    }
    for rule in rules {
        examination.judge_token_errors(rule);
    }
}
