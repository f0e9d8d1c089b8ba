//! Requests of a session whose tokens are bound to a key (RFC 9449): each has a
//! proof that is made for it alone, with the nonce that its server wants.

use crate::exit::{Diagnosis, ExitCode};
use crate::flow::caller::Caller;
use crate::foreign_text::Quoted;
use crate::protocol::client::ClientAuthenticationError;
use crate::protocol::dpop::{
    DpopError, DpopKey, DpopNonce, NONCE_HEADER, PROOF_ALGORITHM, PROOF_HEADER, ProofTarget, USE_NONCE,
};
use crate::protocol::http::{HeaderValue, HttpRequest, HttpResponse};
use crate::protocol::metadata::ServerMetadata;
use crate::secret::Secret;
use crate::trace::Event;
use crate::transport::TransportError;
use url::Origin;

/// The key of a session, and the last nonce of each server.
#[derive(Debug, Clone)]
pub struct DpopSession {
    key: DpopKey,
    nonces: Vec<(Origin, DpopNonce)>,
}

/// Why a login cannot have bound tokens.
#[derive(Debug, thiserror::Error)]
pub enum NoDpop {
    /// RFC 9449 §5.1.
    #[error(
        "the server accepts no DPoP proofs that this program makes: it takes {0}, and they are signed with {proof} (RFC 9449 §5.1)",
        proof = PROOF_ALGORITHM.as_str()
    )]
    Algorithms(String),
    #[error(transparent)]
    Key(#[from] DpopError),
}

impl Diagnosis for NoDpop {
    fn exit_code(&self) -> ExitCode {
        match self {
            NoDpop::Algorithms(_) => ExitCode::Protocol,
            NoDpop::Key(error) => error.exit_code(),
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            NoDpop::Algorithms(_) => vec![
                "Ask its operator to take ES256; or log in without --dpop, where the server gives Bearer tokens."
                    .to_owned(),
            ],
            NoDpop::Key(error) => error.hints(),
        }
    }
}

impl Diagnosis for DpopError {
    fn exit_code(&self) -> ExitCode {
        match self {
            DpopError::Key(_) => ExitCode::Store,
            DpopError::Signing(_) | DpopError::Randomness(_) => ExitCode::Unexpected,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            DpopError::Key(_) => {
                vec!["Its tokens are of no use without that key. Log in again: oauth login".to_owned()]
            }
            DpopError::Signing(_) | DpopError::Randomness(_) => Vec::new(),
        }
    }
}

/// Why there is no answer to a request with a proof.
#[derive(Debug, thiserror::Error)]
pub(in crate::flow) enum NoBoundAnswer {
    #[error(transparent)]
    Dpop(#[from] DpopError),
    /// The client cannot prove who it is.
    #[error(transparent)]
    Authentication(#[from] ClientAuthenticationError),
    #[error(transparent)]
    Transport(#[from] TransportError),
}

/// Makes a request, each time as if it were the first: what authenticates a
/// client may be good for one request alone.
pub(in crate::flow) type MakeRequest<'m> =
    dyn Fn(&mut Caller<'_>) -> Result<HttpRequest, ClientAuthenticationError> + 'm;

impl DpopSession {
    /// A new key for a login that asks for bound tokens, or at a server that
    /// gives no others; `None` where tokens are Bearer tokens.
    ///
    /// # Errors
    /// [`NoDpop`].
    pub(in crate::flow) fn begin(
        is_wanted: bool,
        metadata: &ServerMetadata,
        caller: &mut Caller<'_>,
    ) -> Result<Option<Self>, NoDpop> {
        if !is_wanted && !metadata.dpop_bound_access_tokens_required {
            return Ok(None);
        }
        match &metadata.dpop_signing_alg_values_supported {
            Some(supported) if supported.iter().any(|name| name == PROOF_ALGORITHM.as_str()) => {
                caller.observe(&Event::CheckPassed(
                    "the server takes DPoP proofs signed with ES256 (RFC 9449 §5.1)",
                ));
            }
            Some(supported) => return Err(NoDpop::Algorithms(listed(supported))),
            None => caller.observe(&Event::CheckSkipped(
                "the server does not say whether it knows DPoP; the token response will show it (RFC 9449 §5)",
            )),
        }
        Ok(Some(DpopSession::new(DpopKey::generate()?)))
    }

    /// The key as a session keeps it.
    ///
    /// # Errors
    /// [`DpopError::Key`].
    pub fn with_stored_key(key: &Secret) -> Result<Self, DpopError> {
        DpopKey::from_private_jwk(key).map(DpopSession::new)
    }

    fn new(key: DpopKey) -> Self {
        DpopSession {
            key,
            nonces: Vec::new(),
        }
    }

    pub(in crate::flow) fn key(&self) -> &DpopKey {
        &self.key
    }

    /// Puts a new proof into a request.
    ///
    /// # Errors
    /// [`DpopError`].
    pub(in crate::flow) fn sign(
        &self,
        request: &mut HttpRequest,
        access_token: Option<&Secret>,
        caller: &mut Caller<'_>,
    ) -> Result<(), DpopError> {
        let target = ProofTarget {
            method: request.method.as_str(),
            url: &request.url,
            access_token,
            nonce: self.nonce(&request.url.origin()),
        };
        let proof = self.key.proof(&target, caller.now(), caller.randomness)?;
        request.push_header(PROOF_HEADER, HeaderValue::Secret(proof));
        Ok(())
    }

    /// Sends a request with a proof; once more, with another proof, where the
    /// server wants a nonce that it has just handed out (RFC 9449 §8, §9). The
    /// server refuses before it looks at a code or a refresh token, so neither
    /// is spent twice.
    ///
    /// # Errors
    /// [`NoBoundAnswer`].
    pub(in crate::flow) async fn send(
        &mut self,
        access_token: Option<&Secret>,
        caller: &mut Caller<'_>,
        make: &MakeRequest<'_>,
    ) -> Result<(HttpRequest, HttpResponse), NoBoundAnswer> {
        let (request, response) = self.send_once(access_token, caller, make).await?;
        let is_new = self.keep_nonce(&request, &response);
        if !(is_new && wants_nonce(&response)) {
            return Ok((request, response));
        }
        caller.observe(&Event::Decision(
            "the server requires its nonce in the DPoP proof: asked once more with it (RFC 9449 §8)",
        ));
        let (request, response) = self.send_once(access_token, caller, make).await?;
        self.keep_nonce(&request, &response);
        Ok((request, response))
    }

    async fn send_once(
        &self,
        access_token: Option<&Secret>,
        caller: &mut Caller<'_>,
        make: &MakeRequest<'_>,
    ) -> Result<(HttpRequest, HttpResponse), NoBoundAnswer> {
        let mut request = make(caller)?;
        self.sign(&mut request, access_token, caller)?;
        let response = caller.send(&request).await?;
        Ok((request, response))
    }

    fn nonce(&self, origin: &Origin) -> Option<&DpopNonce> {
        let own = self.nonces.iter().find(|(own, _)| own == origin);
        own.map(|(_, nonce)| nonce)
    }

    /// Keeps the nonce of any answer (RFC 9449 §8.2). Says whether it is
    /// another one than before.
    pub(in crate::flow) fn keep_nonce(&mut self, request: &HttpRequest, response: &HttpResponse) -> bool {
        let Some(nonce) = response.header(NONCE_HEADER).and_then(DpopNonce::parse) else {
            return false;
        };
        let origin = request.url.origin();
        if self.nonce(&origin) == Some(&nonce) {
            return false;
        }
        self.nonces.retain(|(own, _)| *own != origin);
        self.nonces.push((origin, nonce));
        true
    }
}

/// Whether an answer is a refusal for want of a nonce: in the body at the token
/// endpoint, in the challenge at a resource server.
pub(in crate::flow) fn wants_nonce(response: &HttpResponse) -> bool {
    if !matches!(response.status, 400 | 401) {
        return false;
    }
    let in_body = response.error_in_body().into_iter();
    let mut errors = in_body.chain(response.error_in_challenge());
    errors.any(|error| error.is_one_of(&[USE_NONCE]))
}

fn listed(supported: &[String]) -> String {
    match supported {
        [] => "none".to_owned(),
        some => {
            let names: Vec<String> = some.iter().map(|name| Quoted::name(name).to_string()).collect();
            names.join(", ")
        }
    }
}
