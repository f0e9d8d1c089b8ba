//! Which DPoP proofs the server takes (RFC 9449 §4.3), and its responses where
//! it takes one not.

use super::authorization_server::AuthorizationServer;
use super::dpop_proofs::PROOF_TOLERANCE_S;
use super::message::{Request, Response};
use super::moment::Moment;
use super::rejection::Rejection;
use crate::protocol::citation::Cited;
use crate::protocol::dpop::received::{PROOF_ALGORITHMS, ReceivedProof};
use crate::protocol::dpop::{INVALID_PROOF, NONCE_HEADER, PROOF_HEADER, SCHEME, USE_NONCE, access_token_hash};
use crate::protocol::random::RandomnessFailed;
use crate::protocol::time::UnixSeconds;
use crate::secret::Secret;

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
            true => Err(ProofRefused::new("the proof is not signed (alg none)")),
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
        let url = url::Url::parse(&format!("{}://{authority}{}", server.scheme, http.path));
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
