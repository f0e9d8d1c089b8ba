//! The resource server: `GET /api/hello` answers who the token speaks for,
//! `/api/notes` keeps notes.
//! Rejections by RFC 6750 §3.1 and RFC 9449 §7.1.

use crate::protocol::dpop::INVALID_PROOF;
use crate::protocol::json::parse_object;
use crate::protocol::resource::Resource;
use crate::secret::Secret;
use crate::server::access_token::AccessToken;
use crate::server::authorization_server::AuthorizationServer;
use crate::server::bearer::{Bearer, Challenge};
use crate::server::dpop::{error_of, proven_key, with_nonce};
use crate::server::message::{Request, Response};
use crate::server::moment::Moment;
use crate::server::notes::MAX_NOTE_BYTES;
use crate::server::rejection::Rejection;
use crate::server::route::Route;
use crate::server::scopes::{DEFAULT_SCOPE, HELLO_AND_NOTES};
use crate::server::violations::policy::Policy;
use crate::server::violations::protected_resource::metadata_query;
use serde_json::{Value, json};

/// The resources of this server that have metadata (RFC 9728).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProtectedResource {
    Api,
    Mcp,
}

impl ProtectedResource {
    /// The URL of its metadata.
    fn metadata_url(self, server: &AuthorizationServer, policy: &Policy<'_>) -> String {
        let route = match self {
            ProtectedResource::Api => Route::ApiMetadata,
            ProtectedResource::Mcp => Route::McpMetadata,
        };
        let query = metadata_query(policy);
        format!("{}{}{query}", server.issuer.as_str(), route.path())
    }

    /// Who its tokens are for.
    fn audience(self, server: &AuthorizationServer) -> &Resource {
        match self {
            ProtectedResource::Api => &server.api,
            ProtectedResource::Mcp => &server.mcp,
        }
    }

    /// The token of a request, where it is for this resource and has this scope.
    ///
    /// # Errors
    /// The challenge to answer with.
    pub(super) fn token(
        self,
        server: &AuthorizationServer,
        moment: &mut Moment<'_>,
        http: &Request,
        scope: &str,
    ) -> Result<AccessToken, Box<Response>> {
        let metadata_url = self.metadata_url(server, moment.policy);
        let challenge = Challenge {
            resource_metadata: Some(&metadata_url),
            scope,
            only_bound: server.dpop.demands.proof,
        };
        let token = presented_token(server, moment, http, &challenge)?;
        if !moment.policy.takes_tokens_at_resources() {
            let rejection = Rejection::new("no token is good enough", "--break");
            return Err(Box::new(challenge.error(401, "invalid_token", rejection)));
        }
        let wanted = self.audience(server);
        let is_for_it = token.audience.iter().any(|audience| audience == wanted.as_str());
        if !is_for_it && moment.policy.checks_audiences_at_resources() {
            let found = token.audience.join(" and ");
            let reason = format!("the access token is for {found}, not for {wanted}");
            let rejection = Rejection::new(reason, "RFC 9068 §4");
            return Err(Box::new(challenge.error(401, "invalid_token", rejection)));
        }
        match scope.split(' ').all(|wanted| token.scope.contains(wanted)) {
            true => Ok(token),
            false => Err(Box::new(challenge.insufficient_scope())),
        }
    }

    /// The challenge of a request that needs this scope, too.
    pub(super) fn insufficient_scope(self, server: &AuthorizationServer, policy: &Policy<'_>, scope: &str) -> Response {
        let challenge = Challenge {
            resource_metadata: Some(&self.metadata_url(server, policy)),
            scope,
            only_bound: server.dpop.demands.proof,
        };
        challenge.insufficient_scope()
    }
}

/// Says who the token speaks for: wants the scope `hello`.
pub(crate) fn hello(server: &AuthorizationServer, moment: &mut Moment<'_>, http: &Request) -> Response {
    let token = match ProtectedResource::Api.token(server, moment, http, DEFAULT_SCOPE) {
        Ok(token) => token,
        Err(response) => return *response,
    };
    let body = json!({
        "message": format!("Hello, {}!", token.subject),
        "subject": token.subject,
        "client_id": token.client_id,
        "scope": token.scope.to_string(),
        "audience": token.audience,
        "issuer": server.issuer.as_str(),
        "expires_at": token.expires_at,
    });
    with_nonce(server, moment, Response::json(200, &body))
}

/// Keeps a note, which wants the scope `notes` beside `hello`, or lists those of the user.
pub(crate) fn notes(server: &AuthorizationServer, moment: &mut Moment<'_>, http: &Request) -> Response {
    let is_new = http.method == "POST";
    let scope = if is_new { HELLO_AND_NOTES } else { DEFAULT_SCOPE };
    let token = match ProtectedResource::Api.token(server, moment, http, scope) {
        Ok(token) => token,
        Err(response) => return *response,
    };
    let response = match is_new {
        false => Response::json(200, &json!({ "notes": server.notes.by(&token.subject) })),
        true => match note_of(http) {
            Ok(text) => {
                let number = server.notes.add(&token.subject, &text);
                Response::json(201, &json!({ "number": number, "text": text }))
            }
            Err(rejection) => Response::error(400, "invalid_request", rejection),
        },
    };
    with_nonce(server, moment, response)
}

/// The text of a note: `text` of a JSON object or a form.
fn note_of(http: &Request) -> Result<String, Rejection> {
    let reject = |reason: &str| Rejection::new(reason, "RFC 9110 §15.5.1");
    let text = if http.is_json() {
        let object = parse_object(http.body.expose()).map_err(|error| reject(&error.to_string()))?;
        object.get("text").and_then(Value::as_str).map(str::to_owned)
    } else {
        let form = http.form_params().unwrap_or_default();
        form.single("text").ok().flatten().map(str::to_owned)
    };
    match text {
        None => Err(reject("the body is neither a form nor a JSON object with text")),
        Some(text) if text.len() > MAX_NOTE_BYTES => Err(reject("the text is longer than 4 KiB")),
        Some(text) => Ok(text),
    }
}

/// The access token of a request to a protected resource. One that is bound to
/// a key comes with a proof of that key (RFC 9449 §7.1), and in no other way (§7.2).
///
/// # Errors
/// The challenge to answer with.
pub(super) fn presented_token(
    server: &AuthorizationServer,
    moment: &mut Moment<'_>,
    http: &Request,
    challenge: &Challenge<'_>,
) -> Result<AccessToken, Box<Response>> {
    const UNKNOWN: &str = "the access token is not one of this server, has expired, or was revoked";
    match Bearer::read(http) {
        Bearer::Absent => Err(Box::new(challenge.bare())),
        Bearer::Malformed(rejection) => Err(Box::new(challenge.error(400, "invalid_request", rejection))),
        Bearer::Token(token) => {
            let invalid = |reason: &str, citation: &'static str| {
                Box::new(challenge.error(401, "invalid_token", Rejection::new(reason, citation)))
            };
            match server.access_token(moment.now, &token) {
                None => Err(invalid(UNKNOWN, "RFC 6750 §3.1")),
                Some(token) if token.confirmation.key.is_some() && moment.policy.rejects_bound_tokens_as_bearer() => {
                    Err(invalid(
                        "the access token is bound to a key, and there is no proof of it",
                        "RFC 9449 §7.2",
                    ))
                }
                Some(token) if token.confirmation.key.is_none() && challenge.only_bound => {
                    let rejection = Rejection::new("the access token is not bound to a key", "RFC 9449 §7.1");
                    Err(Box::new(challenge.bound_error("invalid_token", rejection)))
                }
                Some(token) => match check_certificate(moment, http, &token) {
                    Ok(()) => Ok(token),
                    Err(rejection) => Err(Box::new(challenge.error(401, "invalid_token", rejection))),
                },
            }
        }
        Bearer::Bound(token) => bound_token(server, moment, http, challenge, &token),
    }
}

fn bound_token(
    server: &AuthorizationServer,
    moment: &mut Moment<'_>,
    http: &Request,
    challenge: &Challenge<'_>,
    token: &Secret,
) -> Result<AccessToken, Box<Response>> {
    let refuse = |error: &str, rejection: Rejection| Box::new(challenge.bound_error(error, rejection));
    let proven = match proven_key(server, moment, http, Some(token)) {
        Ok(Some(proven)) => proven,
        Ok(None) => {
            let rejection = Rejection::new("there is no DPoP proof", "RFC 9449 §7.1");
            return Err(refuse(INVALID_PROOF, rejection));
        }
        Err(refused) => {
            let (error, rejection) = error_of(&refused);
            return Err(Box::new(with_nonce(server, moment, *refuse(error, rejection))));
        }
    };
    let Some(token) = server.access_token(moment.now, token) else {
        let reason = "the access token is not one of this server, has expired, or was revoked";
        return Err(refuse("invalid_token", Rejection::new(reason, "RFC 6750 §3.1")));
    };
    let is_its_key = token.confirmation.key.as_ref() == Some(&proven.thumbprint);
    if !is_its_key && moment.policy.requires_the_key_of_the_token() {
        let rejection = Rejection::new(
            "the proof is not by the key that the token is bound to",
            "RFC 9449 §7.1",
        );
        return Err(refuse("invalid_token", rejection));
    }
    match check_certificate(moment, http, &token) {
        Ok(()) => Ok(token),
        Err(rejection) => Err(refuse("invalid_token", rejection)),
    }
}

/// A token that is bound to a certificate comes over a connection with that
/// certificate alone (RFC 8705 §3).
fn check_certificate(moment: &Moment<'_>, http: &Request, token: &AccessToken) -> Result<(), Rejection> {
    let Some(own) = &token.confirmation.certificate else {
        return Ok(());
    };
    let reject = |reason| Err(Rejection::new(reason, "RFC 8705 §3"));
    match &http.certificate {
        None if moment.policy.rejects_bound_tokens_without_certificate() => {
            reject("the access token is bound to a certificate, and the request shows none")
        }
        Some(shown) if shown.thumbprint() != *own && moment.policy.requires_the_certificate_of_the_token() => {
            reject("the access token is bound to another certificate than that of the request")
        }
        _ => Ok(()),
    }
}
