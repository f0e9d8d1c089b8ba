//! The resource owner at the browser: who is signed in, and which
//! authorization requests wait for a decision.
//!
//! Invariants: a waiting request is kept here under an unguessable id and
//! belongs to one browser session; nothing of it travels through the pages.
//! Ids are kept as SHA-256 hashes. Signing in changes the session's id, so an
//! id that someone planted is worth nothing. Everything is bounded and expires.

use super::expiring_map::{ExpiringMap, Full};
use super::grants::pending_device::DeviceRequest;
use super::grants::user_code::UserCode;
use super::violations::deviation::Deviation;
use crate::protocol::abnf::{base64url, from_base64url, random_token};
use crate::protocol::authorization::ResponseMode;
use crate::protocol::authorization_details::AuthorizationDetails;
use crate::protocol::client::ClientId;
use crate::protocol::pkce::CodeChallenge;
use crate::protocol::random::{Randomness, RandomnessFailed};
use crate::protocol::redirect_uri::RedirectUri;
use crate::protocol::resource::Resource;
use crate::protocol::scope::Scope;
use crate::protocol::time::UnixSeconds;
use crate::secret::Secret;
use ring::hmac;
use sha2::{Digest, Sha256};

/// Requests that wait for a decision, at most.
const MAX_WAITING: usize = 1_000;
/// How long a person may take to decide.
const WAITING_S: i64 = 600;
/// Signed-in browsers, at most.
const MAX_SESSIONS: usize = 1_000;
/// Cookies of one name that are tried, at most.
pub(crate) const MAX_COOKIES: usize = 32;
/// How long a browser stays signed in.
const SESSION_S: i64 = 12 * 3600;

/// The SHA-256 of an id that a browser holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct HashedId([u8; 32]);

impl HashedId {
    fn of(id: &str) -> Self {
        HashedId(Sha256::digest(id.as_bytes()).into())
    }
}

/// An authorization request whose client and redirect URI were accepted and
/// whose parameters are in order.
#[derive(Debug, Clone)]
pub(crate) struct AcceptedRequest {
    pub(crate) client_id: ClientId,
    pub(crate) redirect_uri: RedirectUri,
    /// Whether the request named it; then the token request must, too (RFC 6749 §4.1.3).
    pub(crate) redirect_uri_sent: bool,
    pub(crate) code_challenge: CodeChallenge,
    pub(crate) scope: Scope,
    pub(crate) resource: Vec<Resource>,
    pub(crate) nonce: Option<String>,
    pub(crate) state: Option<String>,
    /// The key that the code is to be bound to (RFC 9449 §10).
    pub(crate) dpop_jkt: Option<String>,
    pub(crate) response_mode: Option<ResponseMode>,
    /// What is asked for in detail (RFC 9396).
    pub(crate) authorization_details: Option<AuthorizationDetails>,
    pub(crate) login_hint: String,
    /// How it deviates where a rule is violated.
    pub(crate) deviation: Deviation,
}

/// A device that waits, and the code by which it was found.
#[derive(Debug, Clone)]
pub(crate) struct DeviceQuestion {
    pub(crate) user_code: UserCode,
    pub(crate) request: DeviceRequest,
}

/// What a person is asked about.
#[derive(Debug, Clone)]
pub(crate) enum Question {
    Authorization(Box<AcceptedRequest>),
    Device(DeviceQuestion),
}

impl From<AcceptedRequest> for Question {
    fn from(request: AcceptedRequest) -> Self {
        Question::Authorization(Box::new(request))
    }
}

impl From<DeviceQuestion> for Question {
    fn from(question: DeviceQuestion) -> Self {
        Question::Device(question)
    }
}

impl Question {
    pub(crate) fn client_id(&self) -> &ClientId {
        match self {
            Question::Authorization(request) => &request.client_id,
            Question::Device(question) => &question.request.client_id,
        }
    }

    pub(crate) fn scope(&self) -> &Scope {
        match self {
            Question::Authorization(request) => &request.scope,
            Question::Device(question) => &question.request.scope,
        }
    }

    pub(crate) fn resource(&self) -> &[Resource] {
        match self {
            Question::Authorization(request) => &request.resource,
            Question::Device(question) => &question.request.resource,
        }
    }

    /// What is asked for in detail.
    pub(crate) fn authorization_details(&self) -> Option<&AuthorizationDetails> {
        match self {
            Question::Authorization(request) => request.authorization_details.as_ref(),
            Question::Device(_) => None,
        }
    }

    /// What to fill in as user name.
    pub(crate) fn login_hint(&self) -> &str {
        match self {
            Question::Authorization(request) => &request.login_hint,
            Question::Device(_) => "",
        }
    }

    /// Where the browser goes with the answer; `None` where it stays here.
    pub(crate) fn redirect_uri(&self) -> Option<&RedirectUri> {
        match self {
            Question::Authorization(request) => Some(&request.redirect_uri),
            Question::Device(_) => None,
        }
    }

    /// On whose behalf it waits, so that no client replaces the requests of others.
    fn owner(&self) -> HashedId {
        match self {
            Question::Authorization(request) => HashedId::of(request.redirect_uri.as_str()),
            Question::Device(question) => HashedId::of(question.request.client_id.as_str()),
        }
    }
}

/// A request that waits.
#[derive(Clone)]
pub(crate) struct Waiting {
    pub(crate) question: Question,
    /// The browser that may decide.
    session: HashedId,
    /// Whether the person has to sign in even where someone is signed in.
    pub(crate) must_sign_in: bool,
}

/// Someone who is signed in.
#[derive(Debug, Clone)]
pub(crate) struct SignedIn {
    pub(crate) user: String,
    /// When the password was typed.
    pub(crate) auth_time: UnixSeconds,
}

/// A browser session's id, as its cookie holds it.
pub(crate) struct SessionId(Secret);

impl SessionId {
    /// The id that a cookie brought, if it has the form of one.
    pub(crate) fn from_cookie(cookie: &str) -> Option<Self> {
        (from_base64url(cookie)?.len() == 32).then(|| SessionId(Secret::from(cookie)))
    }

    pub(crate) fn draw(randomness: &mut dyn Randomness) -> Result<Self, RandomnessFailed> {
        random_token(randomness).map(SessionId)
    }

    /// The `Set-Cookie` header of the session. `Secure` would keep it from `http`.
    pub(crate) fn set_cookie(&self, name: &str) -> String {
        format!("{name}={}; Path=/; HttpOnly; SameSite=Lax", self.0.expose())
    }

    /// What a form of this session for this waiting request must bring back
    /// (RFC 9700 §4.7): it can be made only with the session's id.
    pub(crate) fn csrf(&self, waiting_id: &str) -> String {
        base64url(hmac::sign(&self.csrf_key(), waiting_id.as_bytes()).as_ref())
    }

    pub(crate) fn csrf_matches(&self, waiting_id: &str, presented: &str) -> bool {
        from_base64url(presented)
            .is_some_and(|presented| hmac::verify(&self.csrf_key(), waiting_id.as_bytes(), &presented).is_ok())
    }

    fn csrf_key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, self.0.expose().as_bytes())
    }
}

/// Why a request cannot wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WaitError {
    #[error(transparent)]
    Full(#[from] Full),
    #[error(transparent)]
    Randomness(#[from] RandomnessFailed),
}

/// All waiting requests and all sessions.
pub(crate) struct Interactions {
    waiting: ExpiringMap<HashedId, Waiting>,
    sessions: ExpiringMap<HashedId, SignedIn>,
}

impl Interactions {
    pub(crate) fn new() -> Self {
        Interactions {
            waiting: ExpiringMap::new(MAX_WAITING),
            sessions: ExpiringMap::new(MAX_SESSIONS),
        }
    }

    /// Who is signed in.
    pub(crate) fn signed_in(&self, now: UnixSeconds, session: &SessionId) -> Option<&SignedIn> {
        self.sessions.get(now, &HashedId::of(session.0.expose()))
    }

    /// Whether a request waits for a decision of this session.
    fn has_waiting(&self, now: UnixSeconds, session: &SessionId) -> bool {
        let session = HashedId::of(session.0.expose());
        let mut waiting = self.waiting.values(now);
        waiting.any(|waiting| waiting.session == session)
    }

    /// The session of a browser among the cookies that it sent: the one that is
    /// signed in, else one that has something to decide. A page on another port
    /// of this machine may have set the others.
    pub(crate) fn known_session(&self, now: UnixSeconds, sent: Vec<SessionId>) -> Option<SessionId> {
        let is_signed_in = |session: &SessionId| self.signed_in(now, session).is_some();
        let known = sent
            .iter()
            .position(is_signed_in)
            .or_else(|| sent.iter().position(|session| self.has_waiting(now, session)));
        known.and_then(|index| sent.into_iter().nth(index))
    }

    /// Lets a request wait; the id is for the browser's URLs. Who sends many
    /// pushes out no request of another redirect URI, and none that waits.
    ///
    /// # Errors
    /// [`WaitError`].
    pub(crate) fn wait(
        &mut self,
        now: UnixSeconds,
        randomness: &mut dyn Randomness,
        session: &SessionId,
        question: Question,
        must_sign_in: bool,
    ) -> Result<Secret, WaitError> {
        let id = random_token(randomness)?;
        let waiting = Waiting {
            question,
            session: HashedId::of(session.0.expose()),
            must_sign_in,
        };
        let owner = waiting.question.owner().0;
        let expires_at = now.plus_seconds(WAITING_S);
        self.waiting
            .insert_fairly(now, HashedId::of(id.expose()), waiting, expires_at, owner)?;
        Ok(id)
    }

    /// The waiting request of this id, if this browser may decide about it.
    pub(crate) fn waiting(&self, now: UnixSeconds, id: &str, session: &SessionId) -> Option<&Waiting> {
        self.waiting
            .get(now, &HashedId::of(id))
            .filter(|waiting| waiting.session == HashedId::of(session.0.expose()))
    }

    /// Takes a request out to decide about it, once.
    pub(crate) fn take(&mut self, now: UnixSeconds, id: &str, session: &SessionId) -> Option<Waiting> {
        self.waiting(now, id, session)?;
        self.waiting.remove(now, &HashedId::of(id))
    }

    /// Signs someone in: the session goes on under a new id, which belongs
    /// into the cookie, and the request waits for consent.
    pub(crate) fn sign_in(
        &mut self,
        now: UnixSeconds,
        randomness: &mut dyn Randomness,
        id: &str,
        session: &SessionId,
        user: &str,
    ) -> Result<SessionId, RandomnessFailed> {
        let renewed = SessionId::draw(randomness)?;
        let renewed_hash = HashedId::of(renewed.0.expose());
        self.sessions.remove(now, &HashedId::of(session.0.expose()));
        let signed_in = SignedIn {
            user: user.to_owned(),
            auth_time: now,
        };
        self.sessions
            .insert(now, renewed_hash, signed_in, now.plus_seconds(SESSION_S));
        let old_hash = HashedId::of(session.0.expose());
        // Other requests of this browser, in other tabs, wait on under the new id.
        for waiting in self.waiting.values_mut() {
            if waiting.session == old_hash {
                waiting.session = renewed_hash;
            }
        }
        if let Some(waiting) = self.waiting.get_mut(now, &HashedId::of(id)) {
            waiting.must_sign_in = false;
        }
        Ok(renewed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::test_randomness::FixedRng;

    #[test]
    fn a_csrf_token_belongs_to_one_session_and_one_request() {
        let randomness = &mut FixedRng::default();
        let session = SessionId::draw(randomness).unwrap();
        let other = SessionId::draw(randomness).unwrap();
        let token = session.csrf("request");
        assert!(session.csrf_matches("request", &token));
        assert!(!session.csrf_matches("other", &token));
        assert!(!other.csrf_matches("request", &token));
        for bad in ["", "x", &token[1..], &format!("{token}A")] {
            assert!(!session.csrf_matches("request", bad), "{bad}");
        }
    }

    #[test]
    fn cookies_that_are_no_session_id_are_not_taken() {
        assert!(
            SessionId::from_cookie(&"a".repeat(43)).is_none(),
            "not canonical base64url"
        );
        assert!(SessionId::from_cookie(&"A".repeat(43)).is_some());
        for bad in ["", "x", "<script>"] {
            assert!(SessionId::from_cookie(bad).is_none(), "{bad:?}");
        }
    }
}
