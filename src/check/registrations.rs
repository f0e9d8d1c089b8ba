//! The clients that an examination has registered, and what it takes to end
//! that (RFC 7592 §2).

use super::exchange::Exchange;
use super::report::{Failure, inconclusive};
use crate::protocol::endpoint::{Endpoint, HttpPolicy};
use crate::protocol::http::{HeaderValue, HttpRequest, Method};
use crate::secret::Secret;
use serde_json::{Map, Value};
use std::rc::Rc;
use url::Url;

/// What the rules lack that are about the registration of clients.
pub(super) const NEEDS_REGISTER: &str = "this needs --register, which registers clients at the server";

/// A client that was registered.
pub(super) struct Registered {
    pub(super) exchange: Exchange,
    pub(super) members: Map<String, Value>,
    pub(super) redirect_uri: String,
    pub(super) management: Option<Management>,
}

/// How a registration is read and ended (RFC 7592 §2).
#[derive(Clone)]
pub(super) struct Management {
    pub(super) url: Url,
    pub(super) token: Secret,
}

/// What was registered so far.
#[derive(Default)]
pub(super) struct Registrations {
    pub(super) native: Option<Result<Rc<Registered>, Failure>>,
    pub(super) confidential: Option<Result<Rc<Registered>, Failure>>,
    /// What is to be deleted: the client's id, and how.
    pub(super) left: Vec<(String, Option<Management>)>,
}

impl Registrations {
    /// A client that is not there any more.
    pub(super) fn forget(&mut self, client_id: &str) {
        self.left.retain(|(id, _)| id != client_id);
    }
}

impl Registered {
    pub(super) fn client_id(&self) -> &str {
        self.members
            .get("client_id")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    pub(super) fn management(&self) -> Result<&Management, Failure> {
        match &self.management {
            Some(management) => Ok(management),
            None => inconclusive("the server issues no registration access token (RFC 7592)"),
        }
    }
}

impl Management {
    pub(super) fn request(&self, method: Method) -> HttpRequest {
        let credentials = HeaderValue::Credentials {
            scheme: "Bearer",
            credentials: self.token.clone(),
        };
        let mut request = HttpRequest {
            method,
            ..HttpRequest::get(self.url.clone())
        };
        request.headers.push(("authorization".into(), credentials));
        request
    }
}

/// The answer to a registration that was made.
pub(super) fn registered_members(exchange: &Exchange) -> Option<Map<String, Value>> {
    exchange.object().filter(|_| (200..300).contains(&exchange.status()))
}

/// How the registration in an answer is ended.
pub(super) fn management(members: &Map<String, Value>, endpoint: &Endpoint) -> Option<Management> {
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    let url = text("registration_client_uri")?;
    let url = Endpoint::parse_untrusted(url, endpoint.url(), HttpPolicy::LoopbackOnly).ok()?;
    Some(Management {
        url: url.url().clone(),
        token: Secret::from(text("registration_access_token")?),
    })
}
