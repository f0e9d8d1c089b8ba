//! Authorization responses as signed JWTs (JARM), claim by claim, at a server
//! that grants without asking.

use super::keys;
use crate::check::authorization_probe::{AuthorizationProbe, inconclusive_needs_login};
use crate::check::context::Check;
use crate::check::exchange::Outcome;
use crate::check::redirect_response::RedirectResponse;
use crate::check::report::{CheckResult, Failure, ensure, inconclusive, violated};
use crate::check::secrets;
use crate::foreign_text::Quoted;
use crate::protocol::authorization::ResponseMode;
use crate::protocol::id_token::{CLOCK_SKEW_S, numeric_date};
use crate::protocol::jose::UnverifiedJwt;
use crate::protocol::jwks::JwkSet;
use crate::rules::Rule;
use serde_json::{Value, json};

/// JARM §2.1.
const MAX_LIFETIME_S: i64 = 600;

/// A scope that no server knows, for a response with an error.
const UNKNOWN_SCOPE: &str = "oauth-check-unknown-scope";

/// A response that should be a JWT.
struct Seen {
    probe: AuthorizationProbe,
    response: RedirectResponse,
    jwt: UnverifiedJwt,
    /// Whether a claim appears twice, with the same value.
    repeats_claims: bool,
    issuer: String,
    client_id: String,
    /// From now to `exp`.
    lifetime_s: Option<i64>,
}

type ClaimTest = fn(&Seen) -> CheckResult;

const CLAIMS: [(Rule, ClaimTest); 7] = [
    (Rule::JarmSigned, |seen| {
        ensure(
            !seen.repeats_claims,
            "it is signed, but a claim stands in it twice (RFC 7519 §4)",
        )?;
        let algorithm = seen.jwt.header.get("alg").and_then(Value::as_str).unwrap_or("none");
        ensure(
            algorithm != "none" && !seen.jwt.signature.is_empty(),
            "it is not signed",
        )
    }),
    (Rule::JarmIssuer, |seen| {
        let found = seen.text("iss");
        ensure(found == seen.issuer, format!("it is {}", Quoted::name(found)))
    }),
    (Rule::JarmAudience, |seen| {
        let audience = seen.jwt.claims.get("aud").unwrap_or(&Value::Null);
        let is_ours = match audience {
            Value::String(one) => *one == seen.client_id,
            Value::Array(several) => several.iter().any(|one| one.as_str() == Some(&seen.client_id)),
            _ => false,
        };
        ensure(is_ours, format!("it is {}", Quoted::name(&audience.to_string())))
    }),
    (Rule::JarmExpiry, |seen| match seen.lifetime_s {
        None => violated("exp is absent or no number"),
        Some(left_s) => ensure(left_s >= -CLOCK_SKEW_S, format!("it expired {} s ago", -left_s)),
    }),
    (Rule::JarmLifetime, |seen| match seen.lifetime_s {
        None => inconclusive("exp is absent or no number (jarm.expiry)"),
        Some(left_s) => ensure(
            left_s <= MAX_LIFETIME_S + CLOCK_SKEW_S,
            format!("it is valid for {left_s} s"),
        ),
    }),
    (Rule::JarmState, |seen| {
        ensure(
            secrets::is(&seen.probe.state, seen.text("state")),
            "it is absent or another one",
        )
    }),
    (Rule::JarmAlone, |seen| {
        let mut names = seen.response.params.iter().map(|(name, _)| name);
        match names.find(|name| *name != "response") {
            Some(name) => violated(format!("{} was sent as well", Quoted::name(name))),
            None => Ok(()),
        }
    }),
];

impl Seen {
    fn text(&self, claim: &str) -> &str {
        self.jwt.claims.get(claim).and_then(Value::as_str).unwrap_or_default()
    }
}

/// Tests signed authorization responses.
pub(in crate::check) fn run(check: &mut Check<'_, '_>) {
    for (rule, test) in CLAIMS {
        check.rule(rule, &mut |check| test(&see(check)?));
    }
    check.rule(Rule::JarmSignature, &mut |check| {
        let seen = see(check)?;
        let evidence = check.prober.results.evidence();
        let keys = keys::fetch(check);
        check.prober.show(evidence);
        let set = json!({ "keys": keys.map_err(|failure| failure.as_inconclusive())? }).to_string();
        let Ok(set) = JwkSet::parse(set.as_bytes()) else {
            return inconclusive("the published keys cannot be read");
        };
        match set.verify(&seen.jwt) {
            Ok(_) => Ok(()),
            Err(_) if seen.jwt.signature.is_empty() => inconclusive("it is not signed (jarm.signed)"),
            Err(problem) => violated(problem.to_string()),
        }
    });
    check.rule(Rule::JarmErrors, &mut |check| {
        let mut probe = asking(check)?;
        probe.params.set("scope", UNKNOWN_SCOPE);
        match check.prober.authorize_unpushed(&probe)? {
            Outcome::Redirect(response) if response.value("response").is_some() => Ok(()),
            Outcome::Redirect(response) if response.value("error").is_some() => violated("it comes as it is"),
            Outcome::Redirect(_) => inconclusive("the server does not refuse an unknown scope"),
            Outcome::Error(page) => inconclusive(format!("it is refused by {page}")),
            Outcome::PushRefused(refusal) => inconclusive(format!("it is refused with {refusal}")),
            Outcome::Page => inconclusive_needs_login(),
        }
    });
}

/// A request for a signed response.
fn asking(check: &mut Check<'_, '_>) -> Result<AuthorizationProbe, Failure> {
    let modes = check.prober.target.metadata.response_modes_supported.as_deref();
    let mode = ResponseMode::Jwt.as_str();
    if !modes.unwrap_or_default().iter().any(|own| own == mode) {
        return inconclusive("the server announces no signed responses (response_modes_supported)");
    }
    check.needs_plain_answers()?;
    let mut probe = check.prober.probe()?;
    probe.params.set("response_mode", mode);
    Ok(probe)
}

/// Where the server asks to sign in first, the response is the error that this
/// must not happen: it is a JWT, too.
fn see(check: &mut Check<'_, '_>) -> Result<Seen, Failure> {
    let mut probe = asking(check)?;
    let mut outcome = check.prober.authorize(&probe)?;
    if matches!(outcome, Outcome::Page) {
        probe = asking(check)?;
        probe.params.set("prompt", "none");
        check.prober.results.clear_evidence();
        outcome = check.prober.authorize(&probe)?;
    }
    let response = match outcome {
        Outcome::Redirect(response) => response,
        Outcome::Error(page) => return inconclusive(format!("the request is refused by {page}")),
        Outcome::PushRefused(refusal) => return inconclusive(format!("the request is refused with {refusal}")),
        Outcome::Page => return inconclusive_needs_login(),
    };
    let Some(text) = response.value("response") else {
        return match response.grants() {
            true => violated("the response has a code and no JWT"),
            false => inconclusive(format!("the request is refused: {}", response.refusal())),
        };
    };
    let jwt = UnverifiedJwt::decode_with_repeated_claims(text)
        .or_else(|problem| violated(format!("the response is not a JWT: {problem}")))?;
    let repeats_claims = UnverifiedJwt::decode(text).is_err();
    let expires_at = jwt.claims.get("exp").and_then(numeric_date);
    let now = check.prober.world.caller.now();
    let issuer = check.prober.target.metadata.issuer.as_ref();
    Ok(Seen {
        lifetime_s: expires_at.map(|expires_at| expires_at.seconds_since(now)),
        issuer: issuer.map(ToString::to_string).unwrap_or_default(),
        client_id: check.prober.client.id.to_string(),
        probe,
        jwt,
        repeats_claims,
        response,
    })
}
