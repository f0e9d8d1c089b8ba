//! The state of the development authorization server. What it does with a
//! request is in `dispatch` and `endpoints`.
//!
//! Invariants, here and there: no IO and no clock; randomness is an argument
//! (ring draws its own for signatures). No lock is held while something is
//! signed. Every rejection cites its specification.

use super::access_token::AccessToken;
use super::clients::Clients;
use super::documents::{Documents, Origins};
use super::dpop_proofs::DpopProofs;
use super::expiring_map::ExpiringMap;
use super::fault_injection::FaultInjection;
use super::grants::store::{Grants, Lifetimes};
use super::interactions::{Interactions, SignedIn};
use super::keys::error::KeyError;
use super::keys::pair::Keys;
use super::mcp::sessions::Sessions;
use super::notes::Notes;
use super::pages::layout::Pages;
use super::pushed_requests::PushedRequests;
use super::scopes::KnownScopes;
use super::settings::claims::ExtraClaims;
use super::settings::origins::AllowedOrigins;
use super::settings::request_demands::RequestDemands;
use super::settings::resources::KnownResources;
use super::settings::trusted_issuer::TrustedIssuer;
use super::settings::users::Users;
use super::settings::{Approval, Registration, ServeSettings};
use super::violations;
use super::violations::concurrent_use::ConcurrentUse;
use super::violations::set::Violations;
use super::violations::token_alias::AliasTable;
use super::wrong_user_codes::WrongUserCodes;
use crate::protocol::endpoint::{EndpointError, HttpPolicy, Issuer};
use crate::protocol::random::Randomness;
use crate::protocol::resource::Resource;
use crate::protocol::time::UnixSeconds;
use crate::secret::Secret;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

/// Only clients that have proved who they are fill this.
const MAX_USED_ASSERTIONS: usize = 100_000;

/// Why a server cannot be set up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetUpError {
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The issuer is not a URL. A bug: it is made from the port.
    #[error(transparent)]
    Issuer(#[from] EndpointError),
    /// No user could ever sign in.
    #[error("there is no account")]
    NoUser,
}

/// The authorization server and, since they share its knowledge of what was
/// revoked, the resource server.
pub struct AuthorizationServer {
    pub(crate) issuer: Issuer,
    /// `http` or `https`.
    pub(crate) scheme: &'static str,
    /// Where the API of this server is: the audience of its tokens.
    pub(crate) api: Resource,
    /// Where its Model Context Protocol server is.
    pub(crate) mcp: Resource,
    pub(crate) mcp_sessions: Sessions,
    pub(crate) notes: Notes,
    pub(crate) approval: Approval,
    /// Whether clients may register themselves.
    pub(crate) registration: Registration,
    pub(crate) pages: Pages,
    pub(crate) keys: Keys,
    pub(crate) access_token_lifetime_s: i64,
    /// Named after the port, since browsers share cookies between ports.
    pub(crate) session_cookie: String,
    /// The only values of `Host` that are answered (DNS rebinding).
    pub(crate) authorities: Vec<String>,
    pub(crate) clients: Clients,
    pub(crate) users: Users,
    pub(crate) resources: KnownResources,
    pub(crate) scopes: KnownScopes,
    /// What every token says beside its own claims.
    pub(crate) claims: ExtraClaims,
    pub(crate) documents: Documents,
    pub(crate) faults: FaultInjection,
    /// Browser applications of these origins may use the endpoints for programs.
    pub(crate) allowed_origins: AllowedOrigins,
    /// The published keys as JSON, once they are made.
    jwks: OnceLock<Vec<u8>>,
    /// The rules that are violated on purpose.
    pub(crate) violations: Violations,
    pub(crate) dpop: DpopProofs,
    /// How the authorization requests of every client must come.
    pub(crate) request_demands: RequestDemands,
    /// Whose tokens are taken beside its own.
    pub(crate) trusted_issuers: Vec<TrustedIssuer>,
    pub(crate) aliases: AliasTable,
    pub(crate) concurrent_use: ConcurrentUse,
    /// The only port of a loopback redirect URI that is accepted where ports are not free.
    pub(crate) first_loopback_port: OnceLock<Option<u16>>,
    /// Whether a code was issued for which an ID token is due.
    openid_was_granted: AtomicBool,
    grants: Mutex<Grants>,
    /// Client assertions that were used, by hash.
    used_assertions: Mutex<ExpiringMap<[u8; 32], ()>>,
    interactions: Mutex<Interactions>,
    pushed_requests: Mutex<PushedRequests>,
    wrong_user_codes: Mutex<WrongUserCodes>,
}

impl AuthorizationServer {
    /// Sets a server up whose issuer is `http://127.0.0.1:PORT`, or `https` where it speaks TLS.
    ///
    /// # Errors
    /// [`SetUpError`].
    pub fn new(settings: &ServeSettings, port: u16) -> Result<Self, SetUpError> {
        let scheme = if settings.tls.is_some() { "https" } else { "http" };
        let issuer_text = format!("{scheme}://127.0.0.1:{port}");
        let issuer = Issuer::parse(&issuer_text, HttpPolicy::LoopbackOnly)?;
        let resource = |path: &str| {
            Resource::parse(&format!("{issuer_text}{path}")).map_err(|_| SetUpError::Issuer(EndpointError::NotAUrl))
        };
        let (api, mcp) = (resource("/api")?, resource("/mcp")?);
        let origins = Origins {
            issuer: &issuer,
            for_certificates: settings.tls.as_ref().map(|_| format!("https://localhost:{port}")),
        };
        let users = Users::new(settings.users.clone());
        users.first().ok_or(SetUpError::NoUser)?;
        let violations = settings.violations.clone();
        let lifetimes = lifetimes(settings, &violations);
        Ok(AuthorizationServer {
            approval: settings.approval,
            registration: settings.registration,
            pages: Pages::new(&issuer_text, users.is_only_demo()),
            keys: Keys::new(&settings.signing_keys)?,
            access_token_lifetime_s: lifetimes.access_token_s,
            session_cookie: format!("oauth_session_{port}"),
            authorities: own_authorities(port),
            clients: Clients::new(settings.clients.clone(), settings.client_id_documents.clone()),
            users,
            documents: Documents::new(&origins, &api, &mcp, settings, &violations)?,
            resources: KnownResources::new(settings.resources.clone()),
            scopes: KnownScopes::new(settings),
            claims: settings.claims.clone(),
            dpop: DpopProofs::new(settings.dpop),
            request_demands: settings.request_demands,
            trusted_issuers: settings.trusted_issuers.clone(),
            faults: FaultInjection::new(&settings.faults),
            allowed_origins: settings.cors.clone(),
            jwks: OnceLock::new(),
            openid_was_granted: AtomicBool::new(false),
            grants: Mutex::new(Grants::new(lifetimes)),
            used_assertions: Mutex::new(ExpiringMap::new(MAX_USED_ASSERTIONS)),
            interactions: Mutex::new(Interactions::new()),
            pushed_requests: Mutex::new(PushedRequests::new()),
            wrong_user_codes: Mutex::default(),
            aliases: AliasTable::new(),
            concurrent_use: ConcurrentUse::default(),
            first_loopback_port: OnceLock::new(),
            violations,
            issuer,
            scheme,
            api,
            mcp,
            mcp_sessions: Sessions::new(),
            notes: Notes::default(),
        })
    }

    /// The issuer, as it is in tokens and metadata.
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// The metadata document as JSON.
    pub fn metadata(&self) -> &[u8] {
        &self.documents.metadata
    }

    /// Makes the RSA key, if that was not done yet.
    ///
    /// # Errors
    /// The key cannot be made.
    pub fn make_rsa_key(&self, randomness: &mut dyn Randomness) -> Result<(), KeyError> {
        self.keys.make_rs256(randomness)
    }

    /// The published keys as JSON (RFC 7517 §5); makes the RSA key first, if need be.
    ///
    /// # Errors
    /// The key cannot be made.
    pub(crate) fn jwks(&self, randomness: &mut dyn Randomness) -> Result<&[u8], KeyError> {
        if let Some(jwks) = self.jwks.get() {
            return Ok(jwks);
        }
        let mut set = self.keys.jwk_set(randomness)?;
        violations::documents::alter_keys(&self.violations, &mut set);
        Ok(self.jwks.get_or_init(|| set.to_string().into_bytes()))
    }

    /// Notes that a code is issued for which an ID token is due.
    pub(crate) fn note_openid(&self) {
        self.openid_was_granted.store(true, Ordering::Release);
    }

    /// Whether there may be a code or a refresh token for which an ID token is due.
    pub(crate) fn openid_was_granted(&self) -> bool {
        self.openid_was_granted.load(Ordering::Acquire)
    }

    /// Who decides where no person is asked.
    pub(crate) fn first_user(&self, now: UnixSeconds) -> SignedIn {
        // There is one: `new` made sure.
        let name = self.users.first().map_or("", |user| user.name.as_str());
        SignedIn {
            user: name.to_owned(),
            auth_time: now,
        }
    }

    /// The grants, for one short step.
    pub(crate) fn grants(&self) -> MutexGuard<'_, Grants> {
        self.grants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that an assertion is used, which lives until then; whether that is the first time.
    pub(crate) fn note_assertion(&self, now: UnixSeconds, hash: [u8; 32], until: UnixSeconds) -> bool {
        let mut used = self.used_assertions.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = used.get(now, &hash).is_none();
        if is_first {
            used.insert(now, hash, (), until);
        }
        is_first
    }

    /// Sessions and waiting requests, for one short step.
    pub(crate) fn interactions(&self) -> MutexGuard<'_, Interactions> {
        self.interactions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Requests that were pushed, for one short step.
    pub(crate) fn pushed_requests(&self) -> MutexGuard<'_, PushedRequests> {
        self.pushed_requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The wrong user codes of late, for one short step.
    pub(crate) fn wrong_user_codes(&self) -> MutexGuard<'_, WrongUserCodes> {
        self.wrong_user_codes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this server issued this access token, and it has not expired.
    pub(crate) fn issued(&self, now: UnixSeconds, token: &Secret) -> bool {
        AccessToken::verify(&self.keys, self.issuer.as_str(), now, token.expose()).is_some()
    }

    /// The access token, if this server issued it and it is neither expired nor revoked.
    pub(crate) fn access_token(&self, now: UnixSeconds, token: &Secret) -> Option<AccessToken> {
        let token = AccessToken::verify(&self.keys, self.issuer.as_str(), now, token.expose())?;
        self.grants().is_alive(now, token.grant, token.serial).then_some(token)
    }
}

/// The names under which browsers reach this server; port 80 goes unsaid.
fn own_authorities(port: u16) -> Vec<String> {
    let hosts = ["127.0.0.1", "[::1]", "localhost"];
    let mut authorities: Vec<String> = hosts.iter().map(|host| format!("{host}:{port}")).collect();
    if port == 80 {
        authorities.extend(hosts.map(str::to_owned));
    }
    authorities
}

fn lifetimes(settings: &ServeSettings, violations: &Violations) -> Lifetimes {
    let access_token_lifetime_s = whole_seconds(settings.access_token_lifetime);
    Lifetimes {
        code_s: whole_seconds(settings.code_lifetime),
        access_token_s: violations.access_token_lifetime_s(access_token_lifetime_s),
        refresh_token_s: whole_seconds(settings.refresh_token_lifetime),
        refresh_grace_s: whole_seconds(settings.refresh_grace),
        rotate: violations.rotates_refresh_tokens(settings.refresh_rotation),
    }
}

fn whole_seconds(duration: Duration) -> i64 {
    let seconds = duration
        .as_secs()
        .saturating_add(u64::from(duration.subsec_nanos() > 0));
    // A hundred years: far enough, and no sum of two such times overflows.
    i64::try_from(seconds).unwrap_or(i64::MAX).min(100 * 365 * 24 * 3600)
}
