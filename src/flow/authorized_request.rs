//! A request to a resource server with the session's access token (RFC 6750
//! §2.1, RFC 9449 §7.1), and what its answer says about the token.

use super::caller::Caller;
use super::dpop::{DpopSession, wants_nonce};
use crate::exit::{Diagnosis, ExitCode};
use crate::protocol::dpop::{DpopError, SCHEME as DPOP_SCHEME};
use crate::protocol::http::{HeaderValue, HttpRequest, HttpResponse};
use crate::protocol::scope::Scope;
use crate::protocol::tls_identity::TlsIdentity;
use crate::protocol::token_response::TokenType;
use crate::secret::Secret;
use crate::store::{ClientCredentialError, Session, StoredToken};
use crate::trace::Event;
use crate::transport::{Answer, TransportError, Upload};
use std::io;
use std::sync::Arc;

/// An access token with what proves it.
#[derive(Clone)]
pub struct PresentedToken {
    access_token: Secret,
    /// The key that it is bound to.
    dpop: Option<DpopSession>,
    /// The certificate that it is bound to (RFC 8705 §3).
    tls_identity: Option<Arc<TlsIdentity>>,
}

/// Why a token cannot be presented.
#[derive(Debug, thiserror::Error)]
pub enum UnusableToken {
    #[error("the access token is bound to a key (DPoP), and the session has lost it")]
    NoKey,
    #[error(transparent)]
    Key(#[from] DpopError),
    #[error(transparent)]
    Client(#[from] ClientCredentialError),
}

impl Diagnosis for UnusableToken {
    fn exit_code(&self) -> ExitCode {
        match self {
            UnusableToken::Key(error) => error.exit_code(),
            UnusableToken::NoKey | UnusableToken::Client(_) => ExitCode::Store,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            UnusableToken::Key(error) => error.hints(),
            UnusableToken::NoKey | UnusableToken::Client(_) => {
                vec!["Log in again: oauth login".to_owned()]
            }
        }
    }
}

impl PresentedToken {
    /// A token of this session.
    ///
    /// # Errors
    /// [`UnusableToken`].
    pub fn new(session: &Session, token: &StoredToken) -> Result<Self, UnusableToken> {
        let is_bound = token.token_type.eq_ignore_ascii_case(TokenType::Dpop.as_str());
        let dpop = match (&session.dpop_key, is_bound) {
            (Some(key), true) => Some(DpopSession::with_stored_key(key)?),
            (None, true) => return Err(UnusableToken::NoKey),
            (_, false) => None,
        };
        Ok(PresentedToken {
            access_token: token.access_token.clone(),
            dpop,
            tls_identity: session.client.tls_identity_for_resources()?,
        })
    }

    pub fn access_token(&self) -> &Secret {
        &self.access_token
    }

    /// Whether both are the same token.
    pub fn is_same(&self, other: &PresentedToken) -> bool {
        self.access_token.fingerprint() == other.access_token.fingerprint()
    }

    fn add_to(&self, request: &mut HttpRequest, caller: &mut Caller<'_>) -> Result<(), DpopError> {
        let scheme = if self.dpop.is_some() { DPOP_SCHEME } else { "Bearer" };
        let credentials = self.access_token.clone();
        request.push_header("authorization", HeaderValue::Credentials { scheme, credentials });
        request.tls_identity.clone_from(&self.tls_identity);
        match &self.dpop {
            Some(dpop) => dpop.sign(request, Some(&self.access_token), caller),
            None => Ok(()),
        }
    }
}

/// Where the body of a request comes from when it is not at hand.
pub trait UploadSource {
    /// The body from its beginning; `None` where the request has it.
    ///
    /// # Errors
    /// What it is read from is not there any more.
    fn open(&mut self) -> io::Result<Option<Upload>>;

    /// Whether it can be opened once more.
    fn can_repeat(&self) -> bool;
}

/// For a request that has its body.
pub struct BodyAtHand;

impl UploadSource for BodyAtHand {
    fn open(&mut self) -> io::Result<Option<Upload>> {
        Ok(None)
    }

    fn can_repeat(&self) -> bool {
        true
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    #[error(transparent)]
    Transport(#[from] TransportError),
    #[error(transparent)]
    Dpop(#[from] DpopError),
    #[error("the body of the request cannot be read")]
    Body(#[source] io::Error),
}

impl Diagnosis for NoAnswer {
    fn exit_code(&self) -> ExitCode {
        match self {
            NoAnswer::Transport(error) => error.exit_code(),
            NoAnswer::Dpop(error) => error.exit_code(),
            NoAnswer::Body(_) => ExitCode::Unexpected,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            NoAnswer::Transport(error) => error.hints(),
            NoAnswer::Dpop(error) => error.hints(),
            NoAnswer::Body(_) => Vec::new(),
        }
    }
}

/// Sends a request with the token, or without one, and gives the answer once
/// its head is there. Where the server wants its nonce in the proof, the request is
/// sent once more with it (RFC 9449 §9): it was refused before it was acted on.
///
/// # Errors
/// [`NoAnswer`].
pub async fn send_authorized(
    request: &HttpRequest,
    body: &mut dyn UploadSource,
    mut token: Option<&mut PresentedToken>,
    caller: &mut Caller<'_>,
) -> Result<Answer, NoAnswer> {
    let mut is_repeated = false;
    loop {
        let mut signed = request.clone();
        if let Some(token) = token.as_deref() {
            token.add_to(&mut signed, caller)?;
        }
        let upload = body.open().map_err(NoAnswer::Body)?;
        let answer = caller.open(&signed, upload).await?;
        let dpop = token.as_deref_mut().and_then(|token| token.dpop.as_mut());
        let is_new = dpop.is_some_and(|dpop| dpop.keep_nonce(&signed, &answer.head));
        if is_repeated || !(is_new && wants_nonce(&answer.head) && body.can_repeat()) {
            return Ok(answer);
        }
        is_repeated = true;
        caller.observe(&Event::Decision(
            "the server requires its nonce in the DPoP proof: asked once more with it (RFC 9449 §9)",
        ));
    }
}

/// What an answer says about the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenVerdict {
    /// Nothing: it was taken, or the answer is about something else.
    Taken,
    /// 401 with `invalid_token`, or without a reason (RFC 6750 §3.1).
    Rejected,
    /// 403 with `insufficient_scope`, and the scope that it takes.
    InsufficientScope(Scope),
}

impl TokenVerdict {
    /// Reads the verdict from the status and the challenges of an answer.
    pub fn read(response: &HttpResponse) -> Self {
        let Ok(challenges) = response.challenges() else {
            return TokenVerdict::Taken;
        };
        let challenge = challenges.with_error();
        let error = challenge.and_then(|challenge| challenge.error());
        let is = |wanted: &str| error.is_some_and(|error| error.trim().eq_ignore_ascii_case(wanted));
        match response.status {
            401 if error.is_none() || is("invalid_token") => TokenVerdict::Rejected,
            403 if is("insufficient_scope") => match challenge.and_then(|challenge| challenge.scope()) {
                Some(scope) => TokenVerdict::InsufficientScope(scope),
                None => TokenVerdict::Taken,
            },
            _ => TokenVerdict::Taken,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::http::Timings;
    use std::time::Duration;

    fn verdict(status: u16, challenges: &[&str]) -> TokenVerdict {
        let headers = challenges.iter();
        TokenVerdict::read(&HttpResponse {
            status,
            headers: headers
                .map(|challenge| ("www-authenticate".to_owned(), (*challenge).to_owned()))
                .collect(),
            body: Secret::new(Vec::new()),
            is_streamed: true,
            elapsed: Duration::ZERO,
            timings: Timings::default(),
        })
    }

    #[test]
    fn a_token_is_rejected_by_401_with_invalid_token_or_no_reason() {
        for challenges in [
            &[][..],
            &["Bearer"],
            &["Bearer realm=\"x\""],
            &["Basic realm=\"x\"", "Bearer error=\"invalid_token\""],
            &["DPoP error=\"invalid_token\", algs=\"ES256\""],
            &["Negotiate, Bearer error=invalid_token"],
        ] {
            assert_eq!(verdict(401, challenges), TokenVerdict::Rejected, "{challenges:?}");
        }
        for (status, challenges) in [
            (401, &["Bearer error=\"invalid_request\""][..]),
            (401, &["DPoP error=\"use_dpop_nonce\""]),
            (403, &["Bearer error=\"invalid_token\""]),
            (403, &[]),
            (200, &["Bearer error=\"invalid_token\""]),
        ] {
            assert_eq!(
                verdict(status, challenges),
                TokenVerdict::Taken,
                "{status} {challenges:?}"
            );
        }
    }

    #[test]
    fn a_scope_that_is_missing_is_read_from_the_challenge() {
        let scope = |text: &str| TokenVerdict::InsufficientScope(Scope::parse(text).unwrap());
        let challenge = "Bearer error=\"insufficient_scope\", scope=\"notes:read notes:write\"";
        assert_eq!(verdict(403, &[challenge]), scope("notes:read notes:write"));
        assert_eq!(verdict(403, &["Bearer", challenge]), scope("notes:read notes:write"));
        assert_eq!(verdict(401, &[challenge]), TokenVerdict::Taken);
        assert_eq!(
            verdict(403, &["Bearer error=\"insufficient_scope\""]),
            TokenVerdict::Taken
        );
    }
}
