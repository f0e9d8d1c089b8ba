//! Steps 3 and 4 of the flow: the resource owner signs in and consents.
//!
//! Each form brings back a token that only the page of this browser session
//! and this request had (RFC 9700 §4.7); after each POST comes a 303
//! (RFC 9700 §4.12).

use super::authorization_server::{AuthorizationServer, server_error};
use super::interaction::{SessionId, Waiting};
use super::message::{Refused, Request, Response};
use super::pages::{Consent, SignIn};
use super::route::Route;
use crate::protocol::params::Params;
use crate::protocol::random::Randomness;
use crate::protocol::time::UnixSeconds;
use crate::secret::Secret;

/// A waiting request, and the browser session that may decide about it.
struct Prompted {
    id: String,
    session: SessionId,
    waiting: Waiting,
}

impl AuthorizationServer {
    /// Shows the sign-in page, or takes what was typed there.
    pub(crate) fn sign_in(&self, now: UnixSeconds, randomness: &mut dyn Randomness, http: &Request) -> Response {
        let Some(prompted) = self.prompted(now, http) else {
            return self.start_again();
        };
        if http.method != "POST" {
            return self.sign_in_page(&prompted, &prompted.waiting.request.login_hint, false);
        }
        let form = match self.form(&prompted, http) {
            Ok(form) => form,
            Err(page) => return *page,
        };
        let field = |name: &str| form.single(name).ok().flatten();
        if field("decision") == Some("cancel") {
            return self.decline(now, &prompted);
        }
        let (name, password) = (
            field("username").unwrap_or_default(),
            Secret::from(field("password").unwrap_or_default()),
        );
        let Some(user) = self.user(name, &password) else {
            let refused = Refused::new("user name and password do not belong together", "RFC 6749 §3.1");
            return self.sign_in_page(&prompted, name, true).refused(refused);
        };
        let Prompted { id, session, .. } = &prompted;
        match self.interactions().sign_in(now, randomness, id, session, &user.name) {
            Ok(session) => {
                Response::see_other(address(Route::Consent, id)).with("set-cookie", self.set_cookie(&session))
            }
            Err(error) => server_error(&error),
        }
    }

    /// Shows the consent page, or takes the decision.
    pub(crate) fn consent(&self, now: UnixSeconds, randomness: &mut dyn Randomness, http: &Request) -> Response {
        let Some(prompted) = self.prompted(now, http) else {
            return self.start_again();
        };
        let Prompted { id, session, waiting } = &prompted;
        let require_session = self.interactions().require_session(now, session).cloned();
        let Some(require_session) = require_session.filter(|_| !waiting.must_sign_in) else {
            return Response::see_other(address(Route::SignIn, id));
        };
        if http.method != "POST" {
            let resource: Vec<String> = waiting.request.resource.iter().map(ToString::to_string).collect();
            return self.pages.consent(&Consent {
                client_id: waiting.request.client_id.as_str(),
                action: &address(Route::Consent, id),
                csrf: &session.csrf(id),
                user: &require_session.user,
                sign_in: &address(Route::SignIn, id),
                scope: waiting.request.scope.tokens(),
                resource: &resource,
                redirect_uri: &waiting.request.redirect_uri,
            });
        }
        let form = match self.form(&prompted, http) {
            Ok(form) => form,
            Err(page) => return *page,
        };
        match form.single("decision") {
            Ok(Some("allow")) => {
                // Taken out first: of two answers at once, one finds nothing.
                let taken = self.interactions().take(now, id, session);
                let Some(taken) = taken else { return self.start_again() };
                self.grant(now, randomness, &taken.request, &require_session)
            }
            Ok(Some("deny")) => self.decline(now, &prompted),
            _ => {
                let refused = Refused::new("the form says neither allow nor deny", "RFC 6749 §4.1");
                self.pages.error(
                    400,
                    "That was no answer",
                    refused,
                    &[],
                    "Go back and choose one of the two.",
                )
            }
        }
    }

    fn sign_in_page(&self, prompted: &Prompted, username: &str, failed: bool) -> Response {
        self.pages.sign_in(&SignIn {
            client_id: prompted.waiting.request.client_id.as_str(),
            action: &address(Route::SignIn, &prompted.id),
            csrf: &prompted.session.csrf(&prompted.id),
            username,
            failed,
            redirect_uri: &prompted.waiting.request.redirect_uri,
        })
    }

    /// The request that the URL names, if this browser may decide about it.
    fn prompted(&self, now: UnixSeconds, http: &Request) -> Option<Prompted> {
        let params = http.query_params();
        let id = params.single("request").ok()??;
        let session = SessionId::of_cookie(http.cookie(&self.session_cookie))?;
        let waiting = self.interactions().waiting(now, id, &session)?.clone();
        Some(Prompted {
            id: id.to_owned(),
            session,
            waiting,
        })
    }

    /// What a form of ours brought.
    fn form(&self, prompted: &Prompted, http: &Request) -> Result<Params, Box<Response>> {
        let form = http.form_params().unwrap_or_default();
        let csrf = form.single("csrf").ok().flatten().unwrap_or_default();
        if prompted.session.csrf_matches(&prompted.id, csrf) {
            return Ok(form);
        }
        let refused = Refused::new(
            "the form did not come from the page that this browser was shown",
            "RFC 9700 §4.7",
        );
        let advice = "Go back to the application and start again.";
        let page = self.pages.error(403, "This form is not valid", refused, &[], advice);
        Err(Box::new(page))
    }

    fn decline(&self, now: UnixSeconds, prompted: &Prompted) -> Response {
        match self.interactions().take(now, &prompted.id, &prompted.session) {
            Some(taken) => self.deny(&taken.request),
            None => self.start_again(),
        }
    }

    fn start_again(&self) -> Response {
        let reason = "no request of this browser waits here: it was answered already, or it waited too long";
        let advice = "Go back to the application and start again. Cookies must be on.";
        self.pages.error(
            400,
            "Please start again",
            Refused::new(reason, "RFC 9700 §4.7"),
            &[],
            advice,
        )
    }
}

fn address(route: Route, id: &str) -> String {
    format!("{}?request={id}", route.path())
}
