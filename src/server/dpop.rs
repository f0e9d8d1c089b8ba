//! DPoP at the server (RFC 9449): which proofs are taken, that each is taken
//! once, and the nonce that they must carry where one is demanded.

use super::authorization_server::AuthorizationServer;
use super::expiring_map::ExpiringMap;
use super::message::{Request, Response};
use super::moment::Moment;
use super::rejection::Rejection;
use crate::protocol::abnf::base64url;
use crate::protocol::citation::Cited;
use crate::protocol::dpop::received::{PROOF_ALGORITHMS, ReceivedProof};
use crate::protocol::dpop::{INVALID_PROOF, NONCE_HEADER, PROOF_HEADER, SCHEME, USE_NONCE, access_token_hash};
use crate::protocol::random::{Randomness, RandomnessFailed};
use crate::protocol::time::UnixSeconds;
use crate::secret::Secret;
use ring::hmac;
use sha2::{Digest, Sha256};
use std::sync::{Mutex, OnceLock, PoisonError};
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// How far `iat` may be from the time of the server, before it and after it.
const PROOF_TOLERANCE_S: i64 = 60;

/// Proofs that are remembered, at most.
const MAX_PROOFS: usize = 10_000;

/// How long a nonce is handed out; it is taken for as long again.
const NONCE_S: i64 = 120;

/// What every client is made to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DpopDemands {
    /// Bind its tokens.
    pub proof: bool,
    /// Put the server's nonce into its proofs.
    pub nonce: bool,
}

/// The proofs that came, and the nonces that they may carry.
pub(crate) struct DpopProofs {
    pub(crate) demands: DpopDemands,
    /// The hashes of key and `jti`.
    seen: Mutex<ExpiringMap<[u8; 32], ()>>,
    /// Nonces are made of the time under this key, so that none is kept.
    nonce_key: OnceLock<hmac::Key>,
}

/// The key that a proof showed its sender to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProvenKey {
    pub(crate) thumbprint: String,
}

/// Why a proof is not taken.
#[derive(Debug)]
pub(crate) enum ProofRefused {
    /// It does not hold.
    Invalid(Rejection),
    /// It has no nonce of this server, or an old one.
    Nonce(Rejection),
    Randomness(RandomnessFailed),
}

impl ProofRefused {
    fn invalid(cited: Cited) -> Self {
        ProofRefused::Invalid(Rejection::cited(cited, "RFC 9449 §4.3"))
    }

    fn new(reason: &'static str) -> Self {
        ProofRefused::Invalid(Rejection::new(reason, "RFC 9449 §4.3"))
    }
}

impl From<RandomnessFailed> for ProofRefused {
    fn from(error: RandomnessFailed) -> Self {
        ProofRefused::Randomness(error)
    }
}

impl DpopProofs {
    pub(crate) fn new(demands: DpopDemands) -> Self {
        DpopProofs {
            demands,
            seen: Mutex::new(ExpiringMap::new(MAX_PROOFS)),
            nonce_key: OnceLock::new(),
        }
    }

    /// Takes note of a proof; whether it is the first with its `jti`. The share
    /// of one key never pushes out what others sent.
    fn is_first_use(&self, now: UnixSeconds, thumbprint: &str, proof: &ReceivedProof) -> bool {
        let owner: [u8; 32] = Sha256::digest(thumbprint.as_bytes()).into();
        let id = Sha256::new()
            .chain_update(owner)
            .chain_update(proof.token_id.as_bytes());
        let id: [u8; 32] = id.finalize().into();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.get(now, &id).is_some() {
            return false;
        }
        // Until it is too old to be taken
        let forgotten_at = UnixSeconds(proof.issued_at).plus_seconds(PROOF_TOLERANCE_S + 1);
        seen.insert_fairly(now, id, (), forgotten_at, owner).is_ok()
    }

    /// The nonce of this time (RFC 9449 §8).
    fn nonce(&self, now: UnixSeconds, randomness: &mut dyn Randomness) -> Result<String, RandomnessFailed> {
        Ok(nonce_of(self.nonce_key(randomness)?, now.0.div_euclid(NONCE_S)))
    }

    fn takes_nonce(
        &self,
        now: UnixSeconds,
        randomness: &mut dyn Randomness,
        sent: Option<&str>,
    ) -> Result<bool, RandomnessFailed> {
        let key = self.nonce_key(randomness)?;
        let period = now.0.div_euclid(NONCE_S);
        let is = |period: i64, sent: &str| bool::from(nonce_of(key, period).as_bytes().ct_eq(sent.as_bytes()));
        Ok(sent.is_some_and(|sent| is(period, sent) || is(period - 1, sent)))
    }

    fn nonce_key(&self, randomness: &mut dyn Randomness) -> Result<&hmac::Key, RandomnessFailed> {
        if let Some(key) = self.nonce_key.get() {
            return Ok(key);
        }
        let mut octets = [0; 32];
        randomness.fill(&mut octets)?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, &octets);
        octets.zeroize();
        Ok(self.nonce_key.get_or_init(|| key))
    }
}

fn nonce_of(key: &hmac::Key, period: i64) -> String {
    base64url(&hmac::sign(key, &period.to_be_bytes()).as_ref()[..16])
}

/// The key that the proof of a request shows; `None` where it has none.
///
/// # Errors
/// [`ProofRefused`].
pub(crate) fn proven_key(
    server: &AuthorizationServer,
    moment: &mut Moment<'_>,
    http: &Request,
    access_token: Option<&Secret>,
) -> Result<Option<ProvenKey>, ProofRefused> {
    let proofs: Vec<&str> = http.headers(PROOF_HEADER).collect();
    let text = match proofs.as_slice() {
        [] => return Ok(None),
        [first, ..] if proofs.len() == 1 || !moment.policy.rejects_several_proofs() => first,
        _ => return Err(ProofRefused::new("there is more than one DPoP header")),
    };
    let proof = ReceivedProof::decode(text).map_err(ProofRefused::invalid)?;
    check_form(moment, &proof)?;
    check_target(server, moment, http, &proof)?;
    if let Some(access_token) = access_token {
        let is_same = proof.access_token_hash.as_deref() == Some(access_token_hash(access_token).as_str());
        if !is_same && moment.policy.requires_access_token_hashes() {
            return Err(ProofRefused::new(
                "ath is not the hash of the access token of the request",
            ));
        }
    }
    let thumbprint = proof.thumbprint().map_err(ProofRefused::invalid)?;
    if server.dpop.demands.nonce
        && !server
            .dpop
            .takes_nonce(moment.now, moment.randomness, proof.nonce.as_deref())?
    {
        return Err(ProofRefused::Nonce(Rejection::new(
            "the proof lacks the nonce of this server, or has an old one",
            "RFC 9449 §8",
        )));
    }
    if !server.dpop.is_first_use(moment.now, &thumbprint, &proof) && moment.policy.rejects_used_proofs() {
        return Err(ProofRefused::Invalid(Rejection::new(
            "a proof with this jti came before",
            "RFC 9449 §11.1",
        )));
    }
    Ok(Some(ProvenKey { thumbprint }))
}

/// What kind of token it is, and that its key signed it.
fn check_form(moment: &Moment<'_>, proof: &ReceivedProof) -> Result<(), ProofRefused> {
    let policy = moment.policy;
    if !proof.has_proof_type() && policy.requires_proof_type() {
        return Err(ProofRefused::new("typ is not dpop+jwt"));
    }
    if proof.has_private_key() && policy.rejects_proofs_with_private_keys() {
        return Err(ProofRefused::new("the jwk has a private part"));
    }
    if proof.is_unsigned() {
        return match policy.rejects_unsigned_proofs() {
            true => Err(ProofRefused::new("nobody signed the proof (alg none)")),
            false => Ok(()),
        };
    }
    match proof.verify_signature() {
        Err(cited) if policy.verifies_proofs() => Err(ProofRefused::invalid(cited)),
        _ => Ok(()),
    }
}

/// That it is for this request, and was made now.
fn check_target(
    server: &AuthorizationServer,
    moment: &Moment<'_>,
    http: &Request,
    proof: &ReceivedProof,
) -> Result<(), ProofRefused> {
    let policy = moment.policy;
    if proof.method != http.method && policy.requires_proof_method() {
        return Err(ProofRefused::new("htm is not the method of the request"));
    }
    let is_here = server.authorities.iter().any(|authority| {
        let url = url::Url::parse(&format!("http://{authority}{}", http.path));
        url.is_ok_and(|url| proof.is_for(&url))
    });
    if !is_here && policy.requires_proof_url() {
        return Err(ProofRefused::new("htu is not the URL of the request"));
    }
    let age_s = moment.now.seconds_since(UnixSeconds(proof.issued_at));
    if age_s > PROOF_TOLERANCE_S && policy.rejects_old_proofs() {
        return Err(ProofRefused::new("iat is more than a minute ago"));
    }
    if age_s < -PROOF_TOLERANCE_S && policy.rejects_proofs_of_the_future() {
        return Err(ProofRefused::new(
            "iat is more than a minute ahead of this server's clock",
        ));
    }
    Ok(())
}

/// The response of the token endpoint to a proof that is not taken (RFC 9449 §5, §8).
pub(crate) fn refused_at_token_endpoint(
    server: &AuthorizationServer,
    moment: &mut Moment<'_>,
    refused: ProofRefused,
) -> Response {
    match refused {
        ProofRefused::Randomness(error) => super::message::server_error(&error),
        ProofRefused::Nonce(rejection) => with_nonce(server, moment, Response::error(400, USE_NONCE, rejection)),
        ProofRefused::Invalid(rejection) => {
            let error = match moment.policy.reports_refused_proofs_as_invalid_dpop_proof() {
                true => INVALID_PROOF,
                false => "invalid_request",
            };
            Response::error(400, error, rejection)
        }
    }
}

/// The same of a protected resource: the error and its reason.
pub(crate) fn error_of(refused: &ProofRefused) -> (&'static str, Rejection) {
    match refused {
        ProofRefused::Nonce(rejection) => (USE_NONCE, rejection.clone()),
        ProofRefused::Invalid(rejection) => (INVALID_PROOF, rejection.clone()),
        ProofRefused::Randomness(error) => ("server_error", Rejection::new(error.to_string(), "RFC 9449 §8")),
    }
}

/// Hands the nonce out where proofs must carry it (RFC 9449 §8.2).
pub(crate) fn with_nonce(server: &AuthorizationServer, moment: &mut Moment<'_>, response: Response) -> Response {
    if !server.dpop.demands.nonce {
        return response;
    }
    match server.dpop.nonce(moment.now, moment.randomness) {
        Ok(nonce) => response.with(NONCE_HEADER, nonce),
        Err(_) => response,
    }
}

/// The challenge for tokens that are bound to a key (RFC 9449 §7.1).
pub(crate) fn challenge(error: &str) -> String {
    let separator = if error.is_empty() { "" } else { ", " };
    format!("{SCHEME} {error}{separator}algs=\"{}\"", PROOF_ALGORITHMS.join(" "))
}
