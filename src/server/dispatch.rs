//! From a request to its endpoint: what is checked for every request, and how
//! a request is answered while a rule is violated.

use super::authorization_server::AuthorizationServer;
use super::clients::document_url::DocumentUrl;
use super::clients::documents::FetchedDocument;
use super::cors;
use super::documents::HUMAN_LINKS;
use super::endpoints::authorize::authorize;
use super::endpoints::device::device;
use super::endpoints::device_authorization::device_authorization;
use super::endpoints::interaction::{consent, sign_in};
use super::endpoints::introspect::introspect;
use super::endpoints::mcp::mcp;
use super::endpoints::pushed_authorization::pushed_authorization;
use super::endpoints::registration::register;
use super::endpoints::resource::{hello, notes};
use super::endpoints::revoke::revoke;
use super::endpoints::token::token;
use super::endpoints::userinfo::userinfo;
use super::message::{Request, Response, server_error};
use super::moment::Moment;
use super::rejection::Rejection;
use super::route::Route;
use super::violations;
use super::violations::concurrent_use::InFlight;
use super::violations::policy::Policy;
use super::violations::request::ServerFacts;
use crate::protocol::client::PresentedClient;
use crate::protocol::random::Randomness;
use crate::protocol::time::UnixSeconds;

impl AuthorizationServer {
    /// Answers one request. What it commits, it commits before it returns.
    pub fn handle(&self, now: UnixSeconds, randomness: &mut dyn Randomness, request: &Request) -> Response {
        let policy = Policy::new(&self.violations);
        let mut moment = Moment {
            now,
            randomness,
            policy: &policy,
        };
        let mut response = if policy.enforces_everything() {
            answer(self, &mut moment, request)
        } else {
            answer_misbehaving(self, &mut moment, request)
        };
        response.violated = policy.into_violated();
        response
    }

    /// Whether answering may take seconds, because the RSA key is needed and
    /// was not made yet. Token requests need it only once someone asked for `openid`.
    pub fn may_take_long(&self, request: &Request) -> bool {
        !self.keys.has_rs256()
            && match Route::from_path(&request.path) {
                Some(Route::Jwks) => true,
                // A response may have to be signed.
                Some(Route::Consent) => true,
                Some(Route::Authorize) => asks_for_rsa_key(request.query.as_deref()),
                Some(Route::Token) => self.openid_was_granted() || !self.violations.is_empty(),
                _ => false,
            }
    }

    /// Whether the RSA key will soon be needed, so that it should be made in the background.
    pub fn will_need_rsa_key(&self, request: &Request) -> bool {
        !self.keys.has_rs256()
            && match Route::from_path(&request.path) {
                Some(Route::Authorize) => asks_for_rsa_key(request.query.as_deref()),
                Some(Route::PushedAuthorization) => {
                    let form = request.form_params();
                    let has = |name: &str, part: &str| {
                        let mut values = form.iter().flat_map(|form| form.all(name));
                        values.any(|value| value.contains(part))
                    };
                    has("scope", "openid") || has("response_mode", "jwt")
                }
                _ => false,
            }
    }

    /// The client-ID metadata document that must be fetched before this request
    /// can be answered, if there is one.
    pub fn wanted_document(&self, now: UnixSeconds, request: &Request) -> Option<DocumentUrl> {
        let route = Route::from_path(&request.path)?;
        let refused = check_host(self, request).is_err()
            || !route.names_clients()
            || cors::refuse_foreign_page(self, route, request).is_some();
        if refused {
            return None;
        }
        let params = match request.method.as_str() {
            "GET" => request.query_params(),
            _ => request.form_params()?,
        };
        let named = params.single("client_id").ok().flatten().map(str::to_owned);
        let presented = || {
            Some(
                PresentedClient::parse(&params, request.header("authorization").ok()?)
                    .ok()?
                    .id,
            )
        };
        let fresh_s = violations::client_id_document::fresh_s(&self.violations);
        self.clients.documents.wanted(now, &named.or_else(presented)?, fresh_s)
    }

    /// Keeps what came for such a document, or why nothing came.
    pub fn keep_document(&self, now: UnixSeconds, url: &DocumentUrl, fetched: Result<FetchedDocument, String>) {
        self.clients.documents.keep(now, url, fetched, &self.violations);
    }

    /// Notes that a request came, where those that come at the same moment are
    /// to be answered alike; see [`violations::concurrent_use`].
    pub fn arrive(&self, request: &Request) -> Option<InFlight<'_>> {
        self.concurrent_use.arrive(&self.violations, request)
    }
}

/// Whether an authorization request is for an ID token, or for a signed response.
fn asks_for_rsa_key(query: Option<&str>) -> bool {
    query.is_some_and(|query| query.contains("openid") || query.contains("jwt"))
}

/// Answers one request while some rule is violated: rewrites it, answers that,
/// and alters the response.
fn answer_misbehaving(server: &AuthorizationServer, moment: &mut Moment<'_>, request: &Request) -> Response {
    let (now, policy) = (moment.now, moment.policy);
    let Some(route) = Route::from_path(&request.path) else {
        return answer(server, moment, request);
    };
    let facts = ServerFacts {
        resolve: &|text| server.aliases.resolve(now, route, text),
        is_id_token: &|text| server.keys.is_id_token(text),
        client_of_code: &|code| server.grants().client_of_code(now, code).cloned(),
        is_public_client: &|id| server.clients.find(id).is_some_and(|client| !client.is_confidential()),
    };
    let rewritten = violations::request::rewrite(policy, route, request, &facts);
    let mut response = answer(server, moment, &rewritten);
    violations::response::alter(policy, route, &rewritten, &mut response);
    response
}

fn answer(server: &AuthorizationServer, moment: &mut Moment<'_>, request: &Request) -> Response {
    if let Err(rejection) = check_host(server, request) {
        return Response::text(421, rejection);
    }
    let Some(route) = Route::from_path(&request.path) else {
        return Response::text(404, not_served(&request.path));
    };
    let allowed = &server.allowed_origins;
    if let Some(response) = cors::refuse_foreign_page(server, route, request) {
        return response;
    }
    let response = match cors::answer_preflight(route, request) {
        Some(response) => response,
        None => answer_at(server, moment, route, request),
    };
    cors::allow(allowed, route, request, response)
}

/// A client that knows a URL alone looks for metadata at several places, of
/// which a server has some: that is not a mistake.
fn not_served(path: &str) -> Rejection {
    match path {
        _ if path.contains("/.well-known/") => Rejection::not_served(
            "one of the places where a client looks for metadata",
            "RFC 8414 §3, RFC 9728 §3",
        ),
        "/api" => Rejection::not_served("the API has /api/hello and /api/notes, and its metadata", "RFC 9728 §3"),
        _ => Rejection::new("there is nothing at this path", "RFC 9110 §15.5.5"),
    }
}

fn answer_at(server: &AuthorizationServer, moment: &mut Moment<'_>, route: Route, request: &Request) -> Response {
    if !route.methods().contains(&request.method.as_str()) {
        let methods = route.methods().join(", ");
        let rejection = Rejection::new(format!("this path takes {methods}"), method_citation(route));
        return Response::text(405, rejection).with("allow", methods);
    }
    if let Some(response) = server.faults.answer(route, &server.pages, server.issuer.as_str()) {
        return response;
    }
    if request.method == "OPTIONS" {
        return public(Response::new(204)).with("access-control-allow-methods", "GET, HEAD");
    }
    match route {
        Route::Home => {
            let client_id = server.clients.first().map_or("ID", |client| client.id.as_str());
            server.pages.home(client_id, &HUMAN_LINKS)
        }
        Route::AuthorizationServerMetadata => document(&server.documents.metadata),
        Route::OpenidConfiguration => document(&server.documents.openid_configuration),
        Route::ApiMetadata => document(&server.documents.api_metadata),
        Route::McpMetadata => document(&server.documents.mcp_metadata),
        Route::Jwks => jwks(server, moment),
        Route::Authorize => authorize(server, moment, request),
        Route::SignIn => sign_in(server, moment, request),
        Route::Consent => consent(server, moment, request),
        Route::PushedAuthorization => pushed_authorization(server, moment, request),
        Route::Token => token(server, moment, request),
        Route::DeviceAuthorization => device_authorization(server, moment, request),
        Route::Device => device(server, moment, request),
        Route::Revoke => revoke(server, moment, request),
        Route::Introspect => introspect(server, moment, request),
        Route::Userinfo => userinfo(server, moment, request),
        Route::Register => register(server, moment, request),
        Route::Hello => hello(server, moment, request),
        Route::Notes => notes(server, moment, request),
        Route::Mcp => mcp(server, moment, request),
    }
}

/// A page of another site can point its own name at this machine; its requests
/// still name the host that they were meant for (DNS rebinding).
fn check_host(server: &AuthorizationServer, request: &Request) -> Result<(), Rejection> {
    let citation = "RFC 9110 §7.2";
    match request.header("host") {
        Err(_) => Err(Rejection::new("there is more than one Host header", citation)),
        Ok(None) => Err(Rejection::new("there is no Host header", citation)),
        Ok(Some(host)) if server.authorities.iter().any(|own| own.eq_ignore_ascii_case(host)) => Ok(()),
        Ok(Some(host)) => {
            let reason = format!("Host \"{host}\" is not this server");
            Err(Rejection::new(reason, citation))
        }
    }
}

fn method_citation(route: Route) -> &'static str {
    match route {
        Route::PushedAuthorization => "RFC 9126 §2.3",
        Route::Token => "RFC 6749 §3.2",
        Route::DeviceAuthorization => "RFC 8628 §3.1",
        Route::Revoke => "RFC 7009 §2.1",
        Route::Introspect => "RFC 7662 §2.1",
        Route::Register => "RFC 7591 §3",
        _ => "RFC 9110 §15.5.6",
    }
}

fn jwks(server: &AuthorizationServer, moment: &mut Moment<'_>) -> Response {
    match server.jwks(moment.randomness) {
        Ok(set) => document(set),
        Err(error) => server_error(&error),
    }
}

fn document(text: &[u8]) -> Response {
    let mut response = public(Response::new(200)).with("content-type", "application/json");
    response.body = text.to_vec().into();
    response
}

/// May be read by every web page (RFC 8414 §3, RFC 7517), but not kept: the
/// next run on this port has other keys.
fn public(mut response: Response) -> Response {
    response.headers.retain(|(name, _)| *name != "cache-control");
    response
        .with("cache-control", "no-cache")
        .with("access-control-allow-origin", "*")
}
