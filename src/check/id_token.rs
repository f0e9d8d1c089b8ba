//! The ID token of a login (OpenID Connect Core §2, §3.1.3.7), claim by claim.

use super::examination::Examination;
use super::keys;
use super::secrets;
use super::sign_in::Main;
use super::token::no_tokens;
use super::token_request::Tokens;
use super::verdict::{Finding, Judgement, broken, kept_if, unseen};
use crate::protocol::id_token::{CLOCK_SKEW_S, ISSUED_AT_MAX_AGE_S, access_token_hash, numeric_date};
use crate::protocol::jose::UnverifiedJwt;
use crate::protocol::jwks::{JwkSet, SignatureError};
use crate::protocol::time::UnixSeconds;
use crate::rules::Rule;
use serde_json::{Value, json};

/// The longest `sub` (OpenID Connect Core §2).
const MAX_SUBJECT_CHARS: usize = 255;

/// What the claims are compared with.
struct Context<'m> {
    jwt: UnverifiedJwt,
    main: &'m Main,
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

    /// Seconds from the claim to now; broken where it is no number.
    fn age_s(&self, claim: &str) -> Result<i64, Finding> {
        match self.jwt.claims.get(claim).and_then(numeric_date) {
            Some(time) => Ok(self.now.seconds_since(time)),
            None => broken(format!("{claim} is absent or no number")),
        }
    }
}

type ClaimTest = fn(&Context<'_>) -> Judgement;

const RULES: &[(Rule, ClaimTest)] = &[
    (Rule::IdTokenSigned, |token| {
        let signed = !token.algorithm().eq_ignore_ascii_case("none") && !token.jwt.signature.is_empty();
        kept_if(signed, format!("alg is {}", token.algorithm()))
    }),
    (Rule::IdTokenIssuer, |token| match &token.issuer {
        None => unseen("only endpoints are known, no issuer"),
        Some(issuer) => {
            let found = token.text("iss").unwrap_or_default();
            kept_if(found == issuer, format!("it is \"{found}\""))
        }
    }),
    (Rule::IdTokenAudience, |token| {
        kept_if(token.audiences().contains(&token.client_id.as_str()), "it has not")
    }),
    (Rule::IdTokenAuthorizedParty, |token| {
        match (token.text("azp"), token.audiences().len()) {
            (None, ..=1) => Ok(()),
            (None, _) => broken("there are several audiences and no azp"),
            (Some(party), _) => kept_if(party == token.client_id, format!("it is \"{party}\"")),
        }
    }),
    (Rule::IdTokenExpiry, |token| {
        let expired_for_s = token.age_s("exp")?;
        kept_if(
            expired_for_s <= CLOCK_SKEW_S,
            format!("it expired {expired_for_s} s ago"),
        )
    }),
    (Rule::IdTokenIssuedAt, |token| {
        let age_s = token.age_s("iat")?;
        let about_now = (-CLOCK_SKEW_S..=ISSUED_AT_MAX_AGE_S).contains(&age_s);
        kept_if(about_now, format!("it is {age_s} s ago"))
    }),
    (Rule::IdTokenSubject, |token| match token.text("sub") {
        None | Some("") => broken("there is none"),
        Some(subject) => kept_if(
            subject.is_ascii() && subject.len() <= MAX_SUBJECT_CHARS,
            "it is not ASCII, or too long",
        ),
    }),
    (Rule::IdTokenNonce, |token| {
        let found = token.text("nonce").unwrap_or_default();
        let same = token.main.nonce.as_ref().is_some_and(|sent| secrets::is(sent, found));
        kept_if(
            same,
            if found.is_empty() {
                "there is none"
            } else {
                "it is another one"
            },
        )
    }),
    (Rule::IdTokenAccessTokenHash, |token| {
        let Some(found) = token.jwt.claims.get("at_hash") else {
            return Ok(());
        };
        match access_token_hash(token.algorithm(), &token.tokens.access_token) {
            None => unseen(format!("the hash for {} is not known here", token.algorithm())),
            Some(computed) => kept_if(found.as_str() == Some(&computed), "it is another one"),
        }
    }),
];

/// The ID token of these, taken apart.
pub(super) fn claims_of(tokens: &Tokens) -> Result<UnverifiedJwt, Finding> {
    let Some(id_token) = &tokens.id_token else {
        return unseen("no ID token came (id-token.present)");
    };
    match secrets::jwt(id_token) {
        Ok(jwt) => Ok(jwt),
        Err(error) => unseen(format!("the ID token cannot be read: {error}")),
    }
}

/// Judges the ID token.
pub(super) fn judge(examination: &mut Examination<'_, '_>) {
    examination.judge(Rule::IdTokenPresent, &mut |examination| {
        examination.needs_openid()?;
        let main = examination.main_login()?;
        let (tokens, _) = main.tokens.as_ref().map_err(no_tokens)?;
        kept_if(tokens.id_token.is_some(), "none came")
    });
    for (rule, test) in RULES {
        examination.judge(*rule, &mut |examination| {
            examination.needs_openid()?;
            let main = examination.main_login()?;
            let (tokens, _) = main.tokens.as_ref().map_err(no_tokens)?;
            test(&Context {
                jwt: claims_of(tokens)?,
                main: &main,
                tokens,
                issuer: examination.metadata.issuer.as_ref().map(ToString::to_string),
                client_id: examination.client.id.to_string(),
                now: examination.world.caller.now(),
            })
        });
    }
    examination.judge(Rule::IdTokenSignature, &mut |examination| {
        examination.needs_openid()?;
        let main = examination.main_login()?;
        let (tokens, _) = main.tokens.as_ref().map_err(no_tokens)?;
        let jwt = claims_of(tokens)?;
        let Ok(keys) = keys::fetch(examination) else {
            return unseen("no keys are published (keys.published)");
        };
        let set = json!({ "keys": keys }).to_string();
        let Ok(set) = JwkSet::parse(set.as_bytes()) else {
            return unseen("the published keys cannot be read");
        };
        match set.verify(&jwt) {
            Ok(_) => Ok(()),
            // Not signed, or with the client's secret: no published key is meant.
            Err(SignatureError::Algorithm(name)) => {
                unseen(format!("it is signed with {name}, not with a published key"))
            }
            Err(error) => broken(error.to_string()),
        }
    });
    examination.judge(Rule::IdTokenKeyReference, &mut |examination| {
        examination.needs_openid()?;
        let main = examination.main_login()?;
        let (tokens, _) = main.tokens.as_ref().map_err(no_tokens)?;
        let jwt = claims_of(tokens)?;
        if jwt.signature.is_empty() {
            return unseen("it is not signed (id-token.signed)");
        }
        let Ok(keys) = keys::fetch(examination) else {
            return unseen("no keys are published");
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
        kept_if(known, how)
    });
}
