//! The ID token of a login (OpenID Connect Core §2, §3.1.3.7), claim by claim.

use super::keys;
use crate::check::baseline_login::BaselineLogin;
use crate::check::context::Check;
use crate::check::exchange::Tokens;
use crate::check::report::{CheckResult, Failure, ensure, inconclusive, violated};
use crate::check::secrets;
use crate::foreign_text::{Quoted, WordOrQuoted};
use crate::protocol::id_token::{CLOCK_SKEW_S, ISSUED_AT_MAX_AGE_S, access_token_hash, numeric_date};
use crate::protocol::jose::UnverifiedJwt;
use crate::protocol::jwks::{JwkSet, SignatureError};
use crate::protocol::time::UnixSeconds;
use crate::rules::Rule;
use serde_json::{Value, json};

/// The longest `sub` (OpenID Connect Core §2).
const MAX_SUBJECT_CHARS: usize = 255;

/// Long enough that a person who signed in for this examination need not do it again.
const MAX_AGE_S: i64 = 3600;

/// What the claims are compared with.
struct Context<'m> {
    jwt: UnverifiedJwt,
    baseline: &'m BaselineLogin,
    tokens: &'m Tokens,
    issuer: Option<String>,
    client_id: String,
    now: UnixSeconds,
}

impl Context<'_> {
    fn text(&self, claim: &str) -> Option<&str> {
        self.jwt.claims.get(claim).and_then(Value::as_str)
    }

    fn algorithm(&self) -> &str {
        self.jwt.header.get("alg").and_then(Value::as_str).unwrap_or("none")
    }

    fn audiences(&self) -> Vec<&str> {
        match self.jwt.claims.get("aud") {
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(one)) => vec![one],
            _ => Vec::new(),
        }
    }

    /// What a claim says that is not about the person.
    fn claim_is(&self, claim: &str) -> String {
        match self.jwt.claims.get(claim) {
            None => format!("{claim} is absent"),
            Some(Value::String(text)) => format!("{claim} is {}", Quoted::name(text)),
            Some(value) => format!("{claim} is {}", Quoted::name(&value.to_string())),
        }
    }

    /// Seconds from the claim to now; broken where it is not a number.
    fn age_s(&self, claim: &str) -> Result<i64, Failure> {
        match self.jwt.claims.get(claim).and_then(numeric_date) {
            Some(time) => Ok(self.now.seconds_since(time)),
            None => violated(format!("{claim} is absent or no number")),
        }
    }
}

type ClaimTest = fn(&Context<'_>) -> CheckResult;

const RULES: &[(Rule, ClaimTest)] = &[
    (Rule::IdTokenSigned, |token| {
        let signed = !token.algorithm().eq_ignore_ascii_case("none") && !token.jwt.signature.is_empty();
        ensure(signed, format!("alg is {}", WordOrQuoted(token.algorithm())))
    }),
    (Rule::IdTokenIssuer, |token| match &token.issuer {
        None => inconclusive("only endpoints are known, no issuer"),
        Some(issuer) => {
            let found = token.text("iss").unwrap_or_default();
            ensure(found == issuer, token.claim_is("iss"))
        }
    }),
    (Rule::IdTokenAudience, |token| {
        let is_for_client = token.audiences().contains(&token.client_id.as_str());
        ensure(is_for_client, token.claim_is("aud"))
    }),
    (Rule::IdTokenAuthorizedParty, |token| {
        match (token.text("azp"), token.audiences().len()) {
            (None, ..=1) => Ok(()),
            (None, _) => violated(format!("{}, and azp is absent", token.claim_is("aud"))),
            (Some(party), _) => ensure(party == token.client_id, token.claim_is("azp")),
        }
    }),
    (Rule::IdTokenExpiry, |token| {
        let expired_for_s = token.age_s("exp")?;
        ensure(
            expired_for_s <= CLOCK_SKEW_S,
            format!("{}, {expired_for_s} s ago", token.claim_is("exp")),
        )
    }),
    (Rule::IdTokenIssuedAt, |token| {
        let age_s = token.age_s("iat")?;
        let about_now = (-CLOCK_SKEW_S..=ISSUED_AT_MAX_AGE_S).contains(&age_s);
        ensure(about_now, format!("{}, {age_s} s ago", token.claim_is("iat")))
    }),
    (Rule::IdTokenSubject, |token| match token.text("sub") {
        None | Some("") => violated(match token.jwt.claims.get("sub") {
            None => "sub is absent",
            Some(Value::String(_)) => "sub is empty",
            Some(_) => "sub is not a string",
        }),
        Some(subject) => ensure(
            subject.is_ascii() && subject.len() <= MAX_SUBJECT_CHARS,
            match subject.is_ascii() {
                true => format!("sub has {} characters", subject.len()),
                false => "sub has characters that are not ASCII".to_owned(),
            },
        ),
    }),
    (Rule::IdTokenNonce, |token| {
        let found = token.text("nonce").unwrap_or_default();
        let same = token
            .baseline
            .exchange
            .probe
            .nonce
            .as_ref()
            .is_some_and(|sent| secrets::is(sent, found));
        ensure(
            same,
            if found.is_empty() {
                "nonce is absent"
            } else {
                "nonce is not that of the request"
            },
        )
    }),
    (Rule::IdTokenAccessTokenHash, |token| {
        let Some(found) = token.jwt.claims.get("at_hash") else {
            return Ok(());
        };
        match access_token_hash(token.algorithm(), &token.tokens.access_token) {
            None => inconclusive(format!(
                "the hash for {} is not known here",
                WordOrQuoted(token.algorithm())
            )),
            Some(computed) => ensure(found.as_str() == Some(&computed), "at_hash is that of another token"),
        }
    }),
];

/// The ID token of these, taken apart.
pub(in crate::check) fn claims_of(tokens: &Tokens) -> Result<UnverifiedJwt, Failure> {
    let Some(id_token) = &tokens.id_token else {
        return inconclusive("no ID token came (id-token.present)");
    };
    match secrets::jwt(id_token) {
        Ok(jwt) => Ok(jwt),
        Err(error) => inconclusive(format!("the ID token cannot be read: {error}")),
    }
}

/// Tests the ID token.
pub(in crate::check) fn run(check: &mut Check<'_, '_>) {
    check.rule(Rule::IdTokenPresent, &mut |check| {
        check.prober.needs_openid()?;
        let baseline = check.baseline_tokens()?;
        let (tokens, _) = baseline.tokens()?;
        ensure(tokens.id_token.is_some(), "none came")
    });
    for (rule, test) in RULES {
        check.rule(*rule, &mut |check| {
            check.prober.needs_openid()?;
            let baseline = check.baseline_tokens()?;
            let (tokens, _) = baseline.tokens()?;
            test(&Context {
                jwt: claims_of(tokens)?,
                baseline: &baseline,
                tokens,
                issuer: check.prober.target.metadata.issuer.as_ref().map(ToString::to_string),
                client_id: check.prober.client.id.to_string(),
                now: check.prober.world.caller.now(),
            })
        });
    }
    check.rule(Rule::IdTokenMaxAge, &mut max_age);
    check.rule(Rule::IdTokenSignature, &mut signature);
    check.rule(Rule::IdTokenKeyReference, &mut key_reference);
}

fn max_age(check: &mut Check<'_, '_>) -> CheckResult {
    check.prober.needs_openid()?;
    check.needs_working_login()?;
    let mut probe = check.prober.probe()?;
    probe.params.set("max_age", &MAX_AGE_S.to_string());
    let purpose = "with max_age, for when the person signed in";
    let Some(exchange) = check.answer_or_page(probe, purpose)? else {
        return inconclusive("a request with max_age is refused by a page");
    };
    let code = check.code_from(exchange)?;
    let (tokens, exchange) = check.redeem(&code)?;
    check.prober.show(Some(exchange.evidence()));
    let token = claims_of(&tokens);
    check.keep_for_later(tokens);
    match token?.claims.get("auth_time").and_then(numeric_date) {
        None => violated("auth_time is absent or no number"),
        Some(auth_time) => {
            let age_s = check.prober.world.caller.now().seconds_since(auth_time);
            ensure(
                age_s <= MAX_AGE_S + CLOCK_SKEW_S,
                format!("the sign-in was {age_s} s ago"),
            )
        }
    }
}

fn signature(check: &mut Check<'_, '_>) -> CheckResult {
    check.prober.needs_openid()?;
    let baseline = check.baseline_tokens()?;
    let (tokens, _) = baseline.tokens()?;
    let jwt = claims_of(tokens)?;
    let Ok(keys) = keys::fetch(check) else {
        return inconclusive("no keys are published (keys.published)");
    };
    let set = json!({ "keys": keys }).to_string();
    let Ok(set) = JwkSet::parse(set.as_bytes()) else {
        return inconclusive("the published keys cannot be read");
    };
    match set.verify(&jwt) {
        Ok(_) => Ok(()),
        // Not signed, or with the client's secret: no published key is meant.
        Err(SignatureError::Algorithm(name)) => inconclusive(format!(
            "it is signed with {}, not with a published key",
            WordOrQuoted(&name)
        )),
        Err(error) => violated(error.to_string()),
    }
}

fn key_reference(check: &mut Check<'_, '_>) -> CheckResult {
    check.prober.needs_openid()?;
    let baseline = check.baseline_tokens()?;
    let (tokens, _) = baseline.tokens()?;
    let jwt = claims_of(tokens)?;
    if jwt.signature.is_empty() {
        return inconclusive("it is not signed (id-token.signed)");
    }
    let Ok(keys) = keys::fetch(check) else {
        return inconclusive("no keys are published");
    };
    if keys.len() < 2 {
        return Ok(());
    }
    let kid = jwt.header.get("kid").and_then(Value::as_str);
    let known = keys
        .iter()
        .any(|key| kid.is_some() && key.get("kid").and_then(Value::as_str) == kid);
    let how = if kid.is_none() {
        "there is no kid"
    } else {
        "its kid is none of the published ones"
    };
    ensure(known, how)
}
