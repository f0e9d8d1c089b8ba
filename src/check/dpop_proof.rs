//! DPoP proofs as an examination sends them: right ones, and ones that are
//! wrong in one way each.

use super::exchange::Exchange;
use super::prober::Prober;
use super::report::Failure;
use crate::protocol::abnf::base64url;
use crate::protocol::client::Client;
use crate::protocol::dpop::{
    DpopKey, DpopNonce, INVALID_PROOF, NONCE_HEADER, PROOF_ALGORITHM, PROOF_HEADER, SCHEME, USE_NONCE,
    access_token_hash, target_url,
};
use crate::protocol::http::{HeaderValue, HttpRequest};
use crate::protocol::jose::signing_input;
use crate::protocol::params::Params;
use crate::protocol::signing::JwtType;
use crate::secret::Secret;
use serde_json::{Value, json};

/// How far a proof is from now that is too old, or of the future.
const FAR_S: i64 = 3600;

/// A proof that nothing can be read from.
const NO_PROOF: &str = "not.a.proof";

/// What is wrong with a proof.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    Nothing,
    /// It is not a JWT.
    Unreadable,
    /// `typ` is `JWT`.
    Type,
    /// `alg` is `none`, and there is no signature.
    Unsigned,
    /// Another key signed it.
    Signature,
    /// `jwk` has the private part.
    PrivateKey,
    /// It is for another method.
    Method,
    /// It is for another URL.
    Url,
    /// It was made an hour ago.
    Old,
    /// It will be made in an hour.
    Future,
    /// It appears twice, with another `jti`.
    Twice,
    /// It has no hash of the access token.
    AccessTokenHash,
}

impl Flaw {
    fn is_about_time(self) -> bool {
        matches!(self, Flaw::Old | Flaw::Future)
    }
}

/// The keys of an examination, and the server's nonce.
pub(super) struct ProofMaker {
    /// The key of the session.
    pub(super) key: DpopKey,
    /// A key that nothing is bound to.
    pub(super) other_key: DpopKey,
    nonce: Option<DpopNonce>,
}

impl ProofMaker {
    pub(super) fn new() -> Result<Self, Failure> {
        let generate = || DpopKey::generate().map_err(|error| Failure::Inconclusive(error.to_string()));
        Ok(ProofMaker {
            key: generate()?,
            other_key: generate()?,
            nonce: None,
        })
    }

    /// Posts to the token endpoint with a proof by this key.
    pub(super) fn token_request(
        &mut self,
        prober: &mut Prober<'_, '_>,
        params: &Params,
        by: &DpopKey,
        flaw: Flaw,
    ) -> Result<Exchange, Failure> {
        let client: Client = prober.client.clone();
        let exchange = self.send(prober, by, flaw, None, &|prober| {
            prober.token_message(params.clone(), &client)
        })?;
        prober.note_token_answer(&exchange);
        Ok(exchange)
    }

    /// Asks for the claims of the user with a token that is bound to a key.
    pub(super) fn userinfo(
        &mut self,
        prober: &mut Prober<'_, '_>,
        token: &Secret,
        by: &DpopKey,
        flaw: Flaw,
    ) -> Result<Exchange, Failure> {
        self.send(prober, by, flaw, Some(token), &|prober| {
            let mut request = HttpRequest::get(prober.userinfo_endpoint()?.url().clone());
            request.tls_identity = prober.tls_identity();
            let credentials = HeaderValue::Credentials {
                scheme: SCHEME,
                credentials: token.clone(),
            };
            request.push_header("authorization", credentials);
            Ok(request)
        })
    }

    /// Sends a request with a proof; once more where the server wants a nonce.
    fn send(
        &mut self,
        prober: &mut Prober<'_, '_>,
        by: &DpopKey,
        flaw: Flaw,
        access_token: Option<&Secret>,
        make: &dyn Fn(&mut Prober<'_, '_>) -> Result<HttpRequest, Failure>,
    ) -> Result<Exchange, Failure> {
        for _ in 0..2 {
            let mut request = make(prober)?;
            for _ in 0..if flaw == Flaw::Twice { 2 } else { 1 } {
                let proof = self.proof(prober, &request, by, flaw, access_token)?;
                request.push_header(PROOF_HEADER, HeaderValue::Secret(proof));
            }
            let exchange = prober.send(request)?;
            if !(self.keep_nonce(&exchange) && wants_nonce(&exchange) && !flaw.is_about_time()) {
                return Ok(exchange);
            }
        }
        Err(Failure::Inconclusive(
            "the server requires a nonce again and again".to_owned(),
        ))
    }

    fn keep_nonce(&mut self, exchange: &Exchange) -> bool {
        let nonce = DpopNonce::parse(exchange.header(NONCE_HEADER));
        let is_new = nonce.is_some() && nonce != self.nonce;
        self.nonce = nonce.or(self.nonce.take());
        is_new
    }

    fn proof(
        &self,
        prober: &mut Prober<'_, '_>,
        request: &HttpRequest,
        by: &DpopKey,
        flaw: Flaw,
        access_token: Option<&Secret>,
    ) -> Result<Secret, Failure> {
        if flaw == Flaw::Unreadable {
            return Ok(Secret::from(NO_PROOF));
        }
        let input = signing_input(&header(by, flaw), &self.claims(prober, request, flaw, access_token)?);
        let signer = if flaw == Flaw::Signature { &self.other_key } else { by };
        let signature = match flaw {
            Flaw::Unsigned => Vec::new(),
            _ => signer
                .signing_key()
                .sign(PROOF_ALGORITHM, input.as_bytes())
                .map_err(|error| Failure::Inconclusive(error.to_string()))?,
        };
        Ok(Secret::new(format!("{input}.{}", base64url(&signature))))
    }

    fn claims(
        &self,
        prober: &mut Prober<'_, '_>,
        request: &HttpRequest,
        flaw: Flaw,
        access_token: Option<&Secret>,
    ) -> Result<Value, Failure> {
        let token_id = prober.random()?;
        let now = prober.world.caller.now();
        let method = match (flaw, request.method.as_str()) {
            (Flaw::Method, "GET") => "POST",
            (Flaw::Method, _) => "GET",
            (_, method) => method,
        };
        let url = target_url(&request.url);
        let mut claims = json!({
            "jti": super::secrets::text(&token_id),
            "htm": method,
            "htu": if flaw == Flaw::Url { format!("{url}/other") } else { url },
            "iat": match flaw {
                Flaw::Old => now.plus_seconds(-FAR_S).0,
                Flaw::Future => now.plus_seconds(FAR_S).0,
                _ => now.0,
            },
        });
        if let Some(access_token) = access_token.filter(|_| flaw != Flaw::AccessTokenHash) {
            claims["ath"] = json!(access_token_hash(access_token));
        }
        // A nonce of the server tells the time as well as iat does, and to ask for one is to refuse (RFC 9449 §4.3).
        if let Some(nonce) = self.nonce.as_ref().filter(|_| !flaw.is_about_time()) {
            claims["nonce"] = json!(nonce.as_str());
        }
        Ok(claims)
    }
}

fn header(by: &DpopKey, flaw: Flaw) -> Value {
    let mut jwk = Value::Object(by.signing_key().public_jwk().to_json());
    if flaw == Flaw::PrivateKey {
        jwk = super::secrets::private_jwk(&by.to_private_jwk());
    }
    json!({
        "typ": if flaw == Flaw::Type { JwtType::Jwt } else { JwtType::DpopProof }.as_str(),
        "alg": if flaw == Flaw::Unsigned { "none" } else { PROOF_ALGORITHM.as_str() },
        "jwk": jwk,
    })
}

/// Whether the answer is a refusal for want of a DPoP proof (RFC 9449 §5). Some
/// servers say so in the description alone.
pub(super) fn demands_proof(exchange: &Exchange) -> bool {
    exchange.error_response().is_some_and(|error| {
        let description = error.error_description.unwrap_or_default().to_lowercase();
        [INVALID_PROOF, USE_NONCE].contains(&error.error.as_str()) || description.contains("dpop")
    })
}

fn wants_nonce(exchange: &Exchange) -> bool {
    let in_challenge = exchange.response.error_in_challenge();
    let error = exchange.error().or(in_challenge.map(|error| error.error));
    error.as_deref() == Some(USE_NONCE)
}
