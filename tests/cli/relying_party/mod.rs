//! The relying-party modules of the OpenID conformance suite, each a test under
//! the module's own name and with its criterion: where the provider is right,
//! the client goes on to the userinfo endpoint; where it is wrong, the client
//! makes no further call, ends with 6 and stores nothing.

mod fapi2;
mod openid;

use super::support::authorization_server::{ACCESS_TOKEN, REFRESH_TOKEN, consent};
use super::support::binary::Home;
use super::support::literal_server::{LiteralServer, json as json_reply};
use super::support::login::{CLIENT, assert_nothing_kept, login, parameter};
use super::support::outcome::{Outcome, run};
use super::support::running::Running;
use super::support::sessions::now;
use super::support::signing::RsaSigner;
use serde_json::{Value, json};

const SECRET: &str = "a-client-secret-of-more-than-32-characters";
const SUBJECT: &str = "248289761001";
const CONFIGURATION: &str = "/.well-known/openid-configuration";

/// A provider that is right until a test changes it, and a home at which its client logs in.
struct Provider {
    home: Home,
    server: LiteralServer,
    key: RsaSigner,
}

impl Provider {
    fn start() -> Self {
        let provider = Provider {
            home: Home::new(),
            server: LiteralServer::start(),
            key: RsaSigner::new(),
        };
        provider.publish_configuration(|_| {});
        provider.publish(&[provider.key.jwk(Some("1"))]);
        let userinfo = json!({"sub": SUBJECT, "name": "Jane Doe", "email": "jane@example.com"});
        provider
            .server
            .on("GET", "/userinfo", json_reply(200, &userinfo.to_string()));
        provider
    }

    fn publish_configuration(&self, change: impl Fn(&mut Value)) {
        let issuer = self.server.origin();
        let mut configuration = json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/authorize"),
            "token_endpoint": format!("{issuer}/token"),
            "userinfo_endpoint": format!("{issuer}/userinfo"),
            "jwks_uri": format!("{issuer}/jwks"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256", "HS256", "none"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        });
        change(&mut configuration);
        self.server
            .on("GET", CONFIGURATION, json_reply(200, &configuration.to_string()));
    }

    fn publish(&self, keys: &[Value]) {
        self.server
            .on("GET", "/jwks", json_reply(200, &json!({ "keys": keys }).to_string()));
    }

    /// The claims of a right ID token.
    fn claims(&self, nonce: &str) -> Value {
        json!({
            "iss": self.server.origin(), "aud": CLIENT, "sub": SUBJECT, "nonce": nonce, "exp": now() + 300, "iat": now(),
        })
    }

    fn right_token(&self, nonce: &str) -> String {
        self.key.token(Some("1"), &self.claims(nonce))
    }

    /// The next token requests are answered with this ID token.
    fn answer(&self, id_token: &str) {
        let answer = json!({
            "access_token": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 3600,
            "refresh_token": REFRESH_TOKEN, "id_token": id_token,
        });
        self.server.on("POST", "/token", json_reply(200, &answer.to_string()));
    }

    fn begin_login(&self, arguments: &[&str]) -> Running {
        let mut command = login(&self.home, &self.server, arguments);
        Running::start(command.args(["--scope", "openid"]).env("OAUTH_CLIENT_SECRET", SECRET))
    }

    /// A login that is answered with this ID token, made for its nonce.
    fn log_in(&self, id_token: impl FnOnce(&str) -> String) -> Outcome {
        let running = self.begin_login(&[]);
        let url = running.authorization_url();
        self.answer(&id_token(&parameter(&url, "nonce")));
        consent(&url, &self.server.origin());
        running.end()
    }

    fn oauth(&self, arguments: &[&str]) -> Outcome {
        run(self.home.oauth().args(arguments).env("OAUTH_CLIENT_SECRET", SECRET))
    }

    /// The criterion of a module in which the provider is right.
    #[track_caller]
    fn passes(&self, login: Outcome) {
        login.expect_code(0);
        self.oauth(&["userinfo"]).expect_code(0);
        let request = self.server.only_request_to("/userinfo");
        assert_eq!(
            request.header("authorization"),
            Some(&*format!("Bearer {ACCESS_TOKEN}"))
        );
    }

    /// The criterion of a module in which the provider is wrong.
    #[track_caller]
    fn is_refused(&self, login: Outcome, why: &str) {
        let login = login.expect_error(6);
        assert!(login.causes().contains(why), "{login:?}");
        assert_nothing_kept(&self.home);
        assert_eq!(self.paths().last().map(String::as_str), Some("/token"));
    }

    /// A login whose ID token has this claim changed; `null` removes it.
    #[track_caller]
    fn refuses_claim(&self, claim: &str, value: Value, why: &str) {
        let login = self.log_in(|nonce| {
            let mut claims = self.claims(nonce);
            claims[claim] = value;
            if claims[claim].is_null() {
                claims.as_object_mut().expect("an object").remove(claim);
            }
            self.key.token(Some("1"), &claims)
        });
        self.is_refused(login, why);
    }

    /// The paths that were asked for, in order.
    fn paths(&self) -> Vec<String> {
        let requests = self.server.requests();
        requests.iter().map(|request| request.path().to_owned()).collect()
    }
}
