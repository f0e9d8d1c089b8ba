//! The resource server: `GET /api/hello` answers who the token speaks for; and
//! the userinfo endpoint, which is a protected resource as well (OpenID Connect
//! Core §5.3). Refusals by RFC 6750 §3.1.

use super::authorization_server::{AuthorizationServer, DEFAULT_SCOPE};
use super::bearer::{Bearer, Challenge};
use super::message::{Refused, Request, Response};
use super::route::Route;
use super::tokens::AccessToken;
use crate::protocol::time::UnixSeconds;
use crate::rules::Rule;
use serde_json::json;

impl AuthorizationServer {
    /// The protected resource: wants the audience of this API and scope `hello`.
    pub(crate) fn hello(&self, now: UnixSeconds, http: &Request) -> Response {
        let metadata_url = format!("{}{}", self.issuer.as_str(), Route::ProtectedResourceMetadata.path());
        let challenge = Challenge {
            resource_metadata: Some(&metadata_url),
            scope: DEFAULT_SCOPE,
        };
        let token = match self.bearer_token(now, http, &challenge) {
            Ok(token) => token,
            Err(response) => return *response,
        };
        if !token.audience.iter().any(|audience| audience == self.api.as_str()) {
            let reason = format!(
                "the access token is for {}, not for {}",
                token.audience.join(" and "),
                self.api
            );
            return challenge.error(401, "invalid_token", Refused::new(reason, "RFC 9068 §4"));
        }
        if !token.scope.contains(challenge.scope) {
            return lacks_scope(&challenge);
        }
        let body = json!({
            "message": format!("Hello, {}!", token.subject),
            "subject": token.subject,
            "client_id": token.client_id,
            "scope": token.scope.to_string(),
            "audience": token.audience,
            "issuer": self.issuer.as_str(),
            "expires_at": token.expires_at,
        });
        Response::json(200, &body)
    }

    /// Claims about the user, as far as the scopes reach (OpenID Connect Core
    /// §5.4). Any audience will do.
    pub(crate) fn userinfo(&self, now: UnixSeconds, http: &Request) -> Response {
        let challenge = Challenge {
            resource_metadata: None,
            scope: "openid",
        };
        let token = match self.bearer_token(now, http, &challenge) {
            Ok(_) if self.broken.is_broken(Rule::UserinfoWorks) => {
                let refused = Refused::new("no token is good enough", "--break");
                let response = challenge.error(401, "invalid_token", refused);
                return response.against(Rule::UserinfoWorks);
            }
            Ok(token) => token,
            Err(response) => return self.userinfo_refused(now, http, *response, &challenge),
        };
        if !token.scope.contains(challenge.scope) {
            return lacks_scope(&challenge);
        }
        let mut noted = Vec::new();
        let subject = self.subject_of(&token.subject);
        let other_subject = format!("{}-2", token.subject);
        let subject = self
            .broken
            .choose(Rule::UserinfoSubject, subject, other_subject, &mut noted);
        let mut claims = json!({ "sub": subject });
        if token.scope.contains("profile") {
            claims["name"] = json!(token.subject);
            claims["preferred_username"] = json!(token.subject);
        }
        if token.scope.contains("email") {
            claims["email"] = json!(format!("{}@example.com", token.subject));
            claims["email_verified"] = json!(false);
        }
        let mut response = Response::json(200, &claims);
        response.broken = noted;
        response
    }

    /// The refusal of the userinfo endpoint, altered where a rule about it is broken.
    fn userinfo_refused(
        &self,
        now: UnixSeconds,
        http: &Request,
        honest: Response,
        challenge: &Challenge<'_>,
    ) -> Response {
        let refused = |reason: &str| Refused::new(reason, "--break");
        match Bearer::of(http) {
            Bearer::Absent if self.broken.is_broken(Rule::UserinfoNoToken) => {
                Response::text(400, refused("there is no access token")).against(Rule::UserinfoNoToken)
            }
            Bearer::Absent if self.broken.is_broken(Rule::UserinfoNoTokenNoError) => challenge
                .error(401, "invalid_token", refused("there is no access token"))
                .against(Rule::UserinfoNoTokenNoError),
            Bearer::Token(token) if self.broken.is_broken(Rule::UserinfoInvalidToken) && !self.issued(now, &token) => {
                challenge
                    .error(400, "invalid_token", refused("the access token is unknown"))
                    .against(Rule::UserinfoInvalidToken)
            }
            _ => honest,
        }
    }

    fn bearer_token(
        &self,
        now: UnixSeconds,
        http: &Request,
        challenge: &Challenge<'_>,
    ) -> Result<AccessToken, Box<Response>> {
        match Bearer::of(http) {
            Bearer::Absent => Err(Box::new(challenge.bare())),
            Bearer::Malformed(refused) => Err(Box::new(challenge.error(400, "invalid_request", refused))),
            Bearer::Token(token) => self.access_token(now, &token).ok_or_else(|| {
                let reason = "the access token is not one of this server, has expired, or was revoked";
                Box::new(challenge.error(401, "invalid_token", Refused::new(reason, "RFC 6750 §3.1")))
            }),
        }
    }
}

fn lacks_scope(challenge: &Challenge<'_>) -> Response {
    let refused = Refused::new(
        format!("the access token lacks scope {}", challenge.scope),
        "RFC 6750 §3.1",
    );
    challenge.error(403, "insufficient_scope", refused)
}
