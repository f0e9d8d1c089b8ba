//! The whole server without sockets: requests as a browser and a client would
//! send them, at chosen times.

mod authorize;
mod client_id_documents;
mod device;
mod dpop;
mod mcp;
mod metadata;
mod mtls;
mod prompt;
mod protection;
mod refresh;
mod refusals;
mod registration;
mod resources;
mod token;
mod violations;

use super::authorization_server::AuthorizationServer;
use super::keys::pair::Keys;
use super::message::{Request, Response};
use super::settings::clients::RegisteredClient;
use super::settings::{Approval, ServeSettings};
use super::test_randomness::FixedRng;
use crate::protocol::params::Params;
use crate::protocol::pkce::CodeVerifier;
use crate::protocol::time::UnixSeconds;
use crate::rules::Rule;
use crate::secret::Secret;
use serde_json::Value;
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

pub(super) const ISSUER: &str = "http://127.0.0.1:9000";
pub(super) const CALLBACK: &str = "http://127.0.0.1:4711/callback";
pub(super) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(super) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub(super) const CONFIDENTIAL: &str = "confidential";
pub(super) const CLIENT_SECRET: &str = "p%+ü:secret";

/// A server, its clock, and one browser's cookies.
pub(super) struct Fixture {
    pub(super) server: AuthorizationServer,
    now: Cell<i64>,
    randomness: RefCell<FixedRng>,
    cookies: RefCell<HashMap<String, String>>,
    /// The rules that answers so far broke, as the log says.
    violated: RefCell<HashSet<Rule>>,
}

impl Fixture {
    /// With the public default client, a confidential one, and one with an https redirect URI.
    pub(super) fn new(change: impl FnOnce(&mut ServeSettings)) -> Self {
        let mut settings = ServeSettings::standard().unwrap();
        let uris = [CALLBACK.to_owned(), "http://localhost:5/cb".to_owned()];
        settings
            .clients
            .push(RegisteredClient::new(CONFIDENTIAL, Some(Secret::from(CLIENT_SECRET)), &uris).unwrap());
        let web = ["https://rp.example/cb?own=1".to_owned()];
        settings.clients.push(RegisteredClient::new("web", None, &web).unwrap());
        settings.users.push("ada:love:lace".parse().unwrap());
        change(&mut settings);
        Fixture {
            server: AuthorizationServer::new(&settings, 9000).unwrap(),
            now: Cell::new(1_000_000),
            randomness: RefCell::new(FixedRng::default()),
            cookies: RefCell::default(),
            violated: RefCell::default(),
        }
    }

    /// Everybody agrees at once.
    pub(super) fn auto() -> Self {
        Fixture::new(|settings| settings.approval = Approval::Auto)
    }

    /// With an RSA key that was made for another fixture.
    pub(super) fn share_rs256(&self) {
        static KEYS: OnceLock<Keys> = OnceLock::new();
        let keys = KEYS.get_or_init(|| Keys::generate().unwrap());
        self.server
            .keys
            .share_rs256_of(keys, &mut *self.randomness.borrow_mut());
    }

    pub(super) fn pass(&self, seconds: i64) {
        self.now.set(self.now.get() + seconds);
    }

    pub(super) fn forget_cookies(&self) {
        self.cookies.borrow_mut().clear();
    }

    /// Sends a request as it is, without cookies.
    pub(super) fn send(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Response {
        let request = Self::request(method, target, headers, body);
        let response = self.server.handle(
            UnixSeconds(self.now.get()),
            &mut *self.randomness.borrow_mut(),
            &request,
        );
        self.violated.borrow_mut().extend(&response.violated);
        response
    }

    fn request(method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Request {
        let (path, query) = target
            .split_once('?')
            .map_or((target, None), |(path, query)| (path, Some(query)));
        let mut headers: Vec<(String, String)> = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        if !headers.iter().any(|(name, _)| name == "host") {
            headers.push(("host".to_owned(), "127.0.0.1:9000".to_owned()));
        }
        Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.map(str::to_owned),
            headers,
            body: Secret::new(body.as_bytes().to_vec()),
            certificate: None,
        }
    }

    /// Opens a page in the browser.
    pub(super) fn open(&self, target: &str) -> Response {
        self.browse("GET", target, "")
    }

    /// Sends a form in the browser.
    pub(super) fn submit(&self, target: &str, form: &str) -> Response {
        self.browse("POST", target, form)
    }

    fn browse(&self, method: &str, target: &str, body: &str) -> Response {
        let pairs: Vec<String> = self
            .cookies
            .borrow()
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let cookie = pairs.join("; ");
        let headers = [
            ("cookie", cookie.as_str()),
            ("content-type", "application/x-www-form-urlencoded"),
            ("origin", "null"),
            ("sec-fetch-site", "same-origin"),
        ];
        let headers = if method == "POST" { &headers[..] } else { &headers[..1] };
        let response = self.send(method, target, headers, body);
        for (_, cookie) in response.headers.iter().filter(|(name, _)| *name == "set-cookie") {
            assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax"), "{cookie}");
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.borrow_mut().insert(name.to_owned(), value.to_owned());
        }
        response
    }

    /// Sends a form to an endpoint that is not for browsers.
    pub(super) fn post(&self, path: &str, form: &str) -> Response {
        self.post_with(path, form, &[])
    }

    pub(super) fn post_with(&self, path: &str, form: &str, headers: &[(&str, &str)]) -> Response {
        let mut all = vec![("content-type", "application/x-www-form-urlencoded")];
        all.extend(headers);
        self.send("POST", path, &all, form)
    }

    /// A code for the default client, with more parameters if wanted.
    pub(super) fn code(&self, more: &str) -> String {
        let params = location_params(&self.open(&authorize(more)));
        params.single("code").unwrap().expect("a code").to_owned()
    }

    /// A token response for the default client.
    pub(super) fn tokens(&self, more: &str) -> Value {
        json(&self.post("/token", &redemption(&self.code(more))), 200)
    }

    pub(super) fn get_with_token(&self, path: &str, token: &str) -> Response {
        self.send("GET", path, &[("authorization", &format!("Bearer {token}"))], "")
    }

    pub(super) fn refresh(&self, refresh_token: &str, more: &str) -> Response {
        let form = format!("grant_type=refresh_token&client_id=oauth-cli&refresh_token={refresh_token}{more}");
        self.post("/token", &form)
    }

    /// Whether an access token is taken by the resource server.
    pub(super) fn says_hello(&self, tokens: &Value) -> bool {
        self.get_with_token("/api/hello", tokens["access_token"].as_str().unwrap())
            .status
            == 200
    }
}

/// An authorization request of the default client. Parameters in `more` stand
/// beside the usual ones; to leave one out, see [`without`].
pub(super) fn authorize(more: &str) -> String {
    format!(
        "/authorize?response_type=code&client_id=oauth-cli&redirect_uri={}&state=af0ifjsldkj\
         &code_challenge={CHALLENGE}&code_challenge_method=S256{more}",
        encode(CALLBACK)
    )
}

/// The same request without a parameter.
pub(super) fn without(request: &str, name: &str) -> String {
    let (path, query) = request.split_once('?').unwrap();
    let kept: Vec<&str> = query
        .split('&')
        .filter(|pair| !pair.starts_with(&format!("{name}=")))
        .collect();
    format!("{path}?{}", kept.join("&"))
}

pub(super) fn redemption(code: &str) -> String {
    format!(
        "grant_type=authorization_code&client_id=oauth-cli&code={code}&redirect_uri={}&code_verifier={VERIFIER}",
        encode(CALLBACK)
    )
}

pub(super) fn encode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// The parameters that a redirect to the callback carries.
pub(super) fn location_params(response: &Response) -> Params {
    assert_eq!(response.status, 303, "{response:?}");
    assert_eq!(response.header("cache-control"), Some("no-store"));
    let location = response.header("location").unwrap();
    Params::parse(location.split_once('?').expect("a query").1)
}

pub(super) fn json(response: &Response, status: u16) -> Value {
    assert_eq!(response.status, status, "{response:?}");
    assert_eq!(response.header("content-type"), Some("application/json"));
    serde_json::from_slice(&response.body).unwrap()
}

pub(super) fn text(response: &Response) -> &str {
    std::str::from_utf8(&response.body).unwrap()
}

/// The claims of a JWT, not verified.
pub(super) fn claims(token: &Value) -> Value {
    let payload = token.as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&crate::protocol::abnf::from_base64url(payload).unwrap()).unwrap()
}

#[test]
fn the_vector_of_rfc_7636_is_what_the_tests_use() {
    assert_eq!(CodeVerifier::parse(VERIFIER).unwrap().challenge().as_str(), CHALLENGE);
}
