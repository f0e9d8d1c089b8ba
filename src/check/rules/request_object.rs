//! Signed authorization requests (RFC 9101): which JWTs the server takes for a
//! request of this client. Only a client with a key can see it.

use crate::check::authorization_probe::{AuthorizationProbe, expect_refusal, inconclusive_needs_login};
use crate::check::context::Check;
use crate::check::exchange::Outcome;
use crate::check::report::{CheckResult, Failure, ensure, inconclusive};
use crate::check::secrets;
use crate::check::token_requests::UNKNOWN_CLIENT;
use crate::protocol::abnf::base64url;
use crate::protocol::authorization::{RequestObjectSigner, params_with_object, request_claims};
use crate::protocol::jose::{UnverifiedJwt, signing_input};
use crate::protocol::signing::{JwsHeader, JwtType};
use crate::rules::Rule;
use crate::secret::Secret;
use serde_json::{Map, Value, json};

/// A server that does not exist: RFC 6761 §6.4 keeps the name for this.
const OTHER_SERVER: &str = "https://server.invalid";

/// Long enough ago for every clock.
const EXPIRED_S: i64 = 3600;

/// What becomes of a right object.
type Spoil = fn(&RequestObject<'_>) -> Result<Secret, Failure>;

/// An object in the making.
struct RequestObject<'o> {
    signer: &'o RequestObjectSigner,
    claims: Map<String, Value>,
}

const REFUSED: [(Rule, Spoil); 8] = [
    (Rule::RequestObjectSignature, |object| {
        let right = object.sign(JwtType::AuthorizationRequest)?;
        let Ok(mut jwt) = UnverifiedJwt::decode(right.expose()) else {
            return inconclusive("the object cannot be changed");
        };
        if let Some(last) = jwt.signature.last_mut() {
            *last ^= 1;
        }
        Ok(Secret::new(format!(
            "{}.{}",
            jwt.signing_input,
            base64url(&jwt.signature)
        )))
    }),
    (Rule::RequestObjectUnsigned, |object| {
        let header = json!({"typ": JwtType::AuthorizationRequest.as_str(), "alg": "none"});
        let input = signing_input(&header, &Value::Object(object.claims.clone()));
        Ok(Secret::new(format!("{input}.")))
    }),
    (Rule::RequestObjectIssuer, |object| {
        object.with("iss", json!(UNKNOWN_CLIENT))
    }),
    (Rule::RequestObjectAudience, |object| {
        object.with("aud", json!(OTHER_SERVER))
    }),
    (Rule::RequestObjectExpired, |object| {
        let then = object.claims["iat"].as_i64().unwrap_or_default() - EXPIRED_S;
        let mut claims = object.claims.clone();
        for (name, at) in [("iat", then), ("nbf", then), ("exp", then + 60)] {
            claims.insert(name.to_owned(), json!(at));
        }
        object.with_claims(claims)
    }),
    (Rule::RequestObjectClient, |object| {
        object.with("client_id", json!(UNKNOWN_CLIENT))
    }),
    (Rule::RequestObjectType, |object| {
        object.sign(JwtType::ClientAuthentication)
    }),
    (Rule::RequestObjectNested, |object| {
        object.with("request_uri", json!("urn:oauth-check:nested"))
    }),
];

impl RequestObject<'_> {
    fn sign(&self, typ: JwtType) -> Result<Secret, Failure> {
        let key = &self.signer.key;
        let header = JwsHeader {
            typ,
            alg: self.signer.algorithm,
            kid: Some(&key.key_id()),
            jwk: None,
            certificate: None,
        };
        let signed = header.encode().and_then(|header| key.sign_jwt(&header, &self.claims));
        signed.map_err(|error| Failure::Inconclusive(error.to_string()))
    }

    fn with(&self, name: &str, value: Value) -> Result<Secret, Failure> {
        let mut claims = self.claims.clone();
        claims.insert(name.to_owned(), value);
        self.with_claims(claims)
    }

    fn with_claims(&self, claims: Map<String, Value>) -> Result<Secret, Failure> {
        let other = RequestObject {
            signer: self.signer,
            claims,
        };
        other.sign(JwtType::AuthorizationRequest)
    }
}

/// Tests signed authorization requests.
pub(in crate::check) fn run(check: &mut Check<'_, '_>) {
    let mut works = None;
    for (rule, spoil) in REFUSED {
        check.rule(rule, &mut |check| {
            needs_right_object(check, &mut works)?;
            let outcome = ask(check, spoil, |_| {})?;
            expect_refusal(&outcome)
        });
    }
    check.rule(Rule::RequestObjectParameters, &mut |check| {
        needs_right_object(check, &mut works)?;
        let outcome = ask(check, right, |params| params.params.push("state", secrets::MADE_UP))?;
        match outcome {
            Outcome::Redirect(response) => {
                let state = response.value("state").unwrap_or_default();
                ensure(state != secrets::MADE_UP, "the state beside it comes back")
            }
            Outcome::Error(page) if !page.is_outage() => Ok(()),
            outcome => expect_refusal(&outcome),
        }
    });
}

fn right(object: &RequestObject<'_>) -> Result<Secret, Failure> {
    object.sign(JwtType::AuthorizationRequest)
}

/// `Ok` where a right object is taken, so that the refusal of another means something.
fn needs_right_object(check: &mut Check<'_, '_>, works: &mut Option<CheckResult>) -> CheckResult {
    if works.is_none() {
        let result = match ask(check, right, |_| {}) {
            Ok(Outcome::Redirect(response)) if response.grants() => Ok(()),
            Ok(Outcome::Redirect(response)) => {
                inconclusive(format!("a right request object is refused: {}", response.refusal()))
            }
            Ok(Outcome::Error(page)) => inconclusive(format!("a right request object is refused by {page}")),
            Ok(Outcome::PushRefused(refusal)) => {
                inconclusive(format!("a right request object is refused with {refusal}"))
            }
            Ok(Outcome::Page) => inconclusive_needs_login(),
            Err(failure) => Err(failure),
        };
        *works = Some(result);
    }
    works.clone().unwrap_or(Ok(()))
}

/// Asks with an object; `change` changes what is beside it.
fn ask(check: &mut Check<'_, '_>, make: Spoil, change: impl Fn(&mut AuthorizationProbe)) -> Result<Outcome, Failure> {
    check.needs_plain_answers()?;
    let signer = signer(check)?;
    let mut probe = check.prober.probe()?;
    let client_id = check.prober.client.id.clone();
    let mut context = check.prober.world.caller.authentication_context();
    let claims = request_claims(&probe.params, &client_id, &signer.audience, &mut context);
    let object = RequestObject {
        signer: &signer,
        claims: claims.map_err(|error| Failure::Inconclusive(error.to_string()))?,
    };
    probe.params = params_with_object(&client_id, &make(&object)?);
    change(&mut probe);
    check.prober.authorize(&probe)
}

fn signer(check: &Check<'_, '_>) -> Result<RequestObjectSigner, Failure> {
    let metadata = &check.prober.target.metadata;
    if metadata.request_object_signing_alg_values_supported.is_none() {
        return inconclusive("the server announces no request objects (request_object_signing_alg_values_supported)");
    }
    check.prober.request_object_signer()
}
