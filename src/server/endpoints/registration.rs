//! The registration endpoint: clients register themselves (RFC 7591), and read
//! and end their registration (RFC 7592 §2.1, §2.3).

use crate::protocol::abnf::{base64url, random_token};
use crate::protocol::client::ClientId;
use crate::protocol::random::RandomnessFailed;
use crate::secret::Secret;
use crate::server::authorization_server::AuthorizationServer;
use crate::server::bearer::{Bearer, Challenge};
use crate::server::clients::registration_request::RegistrationRequest;
use crate::server::clients::registrations::Registration;
use crate::server::message::{Request, Response, server_error};
use crate::server::moment::Moment;
use crate::server::rejection::Rejection;
use crate::server::route::Route;
use crate::server::{settings, violations};
use serde_json::{Map, Value, json};

const CITATION: &str = "RFC 7591 §3.1";

/// A longer request is not a description of a client.
const MAX_REQUEST_BYTES: usize = 16 * 1024;

const CLIENT_ID_BYTES: usize = 16;

/// Registers a client, or reads or ends a registration.
pub(crate) fn register(server: &AuthorizationServer, moment: &mut Moment<'_>, http: &Request) -> Response {
    if server.registration == settings::Registration::Off {
        let rejection = Rejection::new("no client can register here (--registration off)", CITATION);
        return Response::error(403, "access_denied", rejection);
    }
    match http.method.as_str() {
        "POST" => create(server, moment, http),
        "GET" => match own_registration(server, moment, http) {
            Ok(registration) => read(server, &registration),
            Err(response) => *response,
        },
        _ => match own_registration(server, moment, http) {
            Ok(registration) => delete(server, moment, &registration),
            Err(response) => *response,
        },
    }
}

fn create(server: &AuthorizationServer, moment: &mut Moment<'_>, http: &Request) -> Response {
    if !http.is_json() {
        let rejection = Rejection::new("the body is not of Content-Type application/json", CITATION);
        return Response::error(400, "invalid_client_metadata", rejection);
    }
    if http.body.expose().len() > MAX_REQUEST_BYTES {
        let rejection = Rejection::new("the client metadata is longer than 16 KiB", CITATION);
        return Response::error(400, "invalid_client_metadata", rejection);
    }
    if let Some(refusal) = violations::registration::refuse(moment.policy, http.body.expose()) {
        return refusal;
    }
    let rewritten = violations::registration::rewrite(moment.policy, http.body.expose());
    let body = rewritten.as_ref().unwrap_or(http.body.expose());
    let request = match RegistrationRequest::parse(body, server.issuer.url().scheme() == "https") {
        Ok(request) => request,
        Err(invalid) => {
            return Response::error(400, invalid.error(), Rejection::new(invalid.to_string(), "RFC 7591 §2"));
        }
    };
    match add(server, moment, request) {
        Ok(response) => response,
        Err(error) => server_error(&error),
    }
}

fn add(
    server: &AuthorizationServer,
    moment: &mut Moment<'_>,
    request: RegistrationRequest,
) -> Result<Response, RandomnessFailed> {
    let mut id = [0; CLIENT_ID_BYTES];
    moment.randomness.fill(&mut id)?;
    // The first character is a letter: one that begins with a hyphen looks like an option.
    id[0] &= 0x7f;
    let id = ClientId::parse(&base64url(&id)).map_err(|_| RandomnessFailed)?;
    let token = random_token(moment.randomness)?;
    let secret = match request.takes_secret() {
        true => Some(random_token(moment.randomness)?),
        false => None,
    };
    let (client, mut metadata) = request.register(id, secret);
    metadata.insert("client_id_issued_at".to_owned(), json!(moment.now.0));
    let registration = Registration::new(client, metadata, &token);
    let mut answer = answer(server, &registration);
    answer.insert("registration_access_token".to_owned(), json!(token.expose()));
    if let Err(full) = server.clients.registrations.insert(registration) {
        let rejection = Rejection::new(full.to_string(), "RFC 9110 §15.6.4");
        return Ok(Response::error(503, "temporarily_unavailable", rejection));
    }
    Ok(Response::json(201, &Value::Object(answer)))
}

/// What is registered, with the secret and the address of the registration
/// (RFC 7591 §3.2.1, RFC 7592 §3).
fn answer(server: &AuthorizationServer, registration: &Registration) -> Map<String, Value> {
    let mut answer = registration.metadata.clone();
    let id = registration.client.id.as_str();
    let address = format!("{}{}?client_id={id}", server.issuer.as_str(), Route::Register.path());
    answer.insert("registration_client_uri".to_owned(), json!(address));
    if let Some(secret) = &registration.client.secret {
        answer.insert("client_secret".to_owned(), json!(secret.expose()));
        // It does not expire.
        answer.insert("client_secret_expires_at".to_owned(), json!(0));
    }
    answer
}

fn read(server: &AuthorizationServer, registration: &Registration) -> Response {
    Response::json(200, &Value::Object(answer(server, registration)))
}

fn delete(server: &AuthorizationServer, moment: &Moment<'_>, registration: &Registration) -> Response {
    let id = registration.client.id.as_str();
    if moment.policy.deletes_registrations() {
        server.clients.registrations.remove(id);
        server.grants().revoke_client(moment.now, id);
    }
    Response::new(204)
}

/// The registration that the request names and has the token of. What does
/// not exist, and what is another's, look the same (RFC 7592 §2.1).
fn own_registration(
    server: &AuthorizationServer,
    moment: &Moment<'_>,
    http: &Request,
) -> Result<Registration, Box<Response>> {
    let challenge = Challenge {
        resource_metadata: None,
        scope: "",
        only_bound: false,
    };
    let token: Secret = match Bearer::read(http) {
        Bearer::Token(token) => token,
        Bearer::Absent => {
            let rejection = Rejection::new("there is no registration access token", "RFC 7592 §2");
            let response = Response::new(401).with("www-authenticate", "Bearer");
            return Err(Box::new(response.rejected(rejection)));
        }
        Bearer::Malformed(rejection) => return Err(Box::new(challenge.error(400, "invalid_request", rejection))),
        Bearer::Bound(_) => {
            let rejection = Rejection::new("a registration access token is a Bearer token", "RFC 7592 §2");
            return Err(Box::new(challenge.error(401, "invalid_token", rejection)));
        }
    };
    let query = http.query_params();
    let id = query.single("client_id").ok().flatten().unwrap_or_default();
    let registrations = &server.clients.registrations;
    let found = registrations.read(id, &token);
    let is_read = http.method == "GET";
    let found = match found {
        Some(_) if is_read && !moment.policy.lets_registrations_be_read() => None,
        None if is_read
            && registrations.knows_token(&token)
            && !moment.policy.binds_registrations_to_their_tokens() =>
        {
            registrations.read_by_anybody(id)
        }
        found => found,
    };
    found.ok_or_else(|| {
        let reason = "there is no client of this client_id with this registration access token";
        Box::new(challenge.error(401, "invalid_token", Rejection::new(reason, "RFC 7592 §2.1")))
    })
}
