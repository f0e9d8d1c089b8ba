//! Steps 3 and 4 of the flow: the resource owner signs in and consents.
//!
//! Each form brings back a token that only the page of this browser session
//! and this request had (RFC 9700 §4.7); after each POST comes a 303
//! (RFC 9700 §4.12).

use super::authorization_response::{deny, grant};
use super::device_decision;
use crate::protocol::params::Params;
use crate::protocol::time::UnixSeconds;
use crate::secret::Secret;
use crate::server::authorization_server::AuthorizationServer;
use crate::server::interactions::{DeviceQuestion, MAX_COOKIES, Question, SessionId, Waiting};
use crate::server::message::{Request, Response, server_error};
use crate::server::moment::Moment;
use crate::server::pages::client::ShownClient;
use crate::server::pages::consent::{ConsentPage, Destination};
use crate::server::pages::sign_in::SignInPage;
use crate::server::rejection::Rejection;
use crate::server::route::Route;

/// A waiting request, and the browser session that may decide about it.
struct PendingInteraction {
    id: String,
    session: SessionId,
    waiting: Waiting,
}

/// Shows the sign-in page, or takes what was typed there.
pub(crate) fn sign_in(server: &AuthorizationServer, moment: &mut Moment<'_>, http: &Request) -> Response {
    let Some(pending) = pending_interaction(server, moment, http) else {
        return start_again(server);
    };
    if http.method != "POST" {
        return sign_in_page(server, &pending, pending.waiting.question.login_hint(), false);
    }
    let form = match parse_form(server, &pending, http) {
        Ok(form) => form,
        Err(page) => return *page,
    };
    let field = |name: &str| form.single(name).ok().flatten();
    if field("decision") == Some("cancel") {
        return decline(server, moment, &pending);
    }
    let (name, password) = (
        field("username").unwrap_or_default(),
        Secret::from(field("password").unwrap_or_default()),
    );
    let Some(user) = server.users.find(name, &password) else {
        let rejection = Rejection::new("unknown user name or password", "RFC 6749 §3.1");
        return sign_in_page(server, &pending, name, true).rejected(rejection);
    };
    let PendingInteraction { id, session, .. } = &pending;
    match server
        .interactions()
        .sign_in(moment.now, moment.randomness, id, session, &user.name)
    {
        Ok(session) => Response::see_other(address(Route::Consent, id))
            .with("set-cookie", session.set_cookie(&server.session_cookie)),
        Err(error) => server_error(&error),
    }
}

/// Shows the consent page, or takes the decision.
pub(crate) fn consent(server: &AuthorizationServer, moment: &mut Moment<'_>, http: &Request) -> Response {
    let Some(pending) = pending_interaction(server, moment, http) else {
        return start_again(server);
    };
    let PendingInteraction { id, session, waiting } = &pending;
    let signed_in = server.interactions().signed_in(moment.now, session).cloned();
    let Some(signed_in) = signed_in.filter(|_| !waiting.must_sign_in) else {
        return Response::see_other(address(Route::SignIn, id));
    };
    if http.method != "POST" {
        let resource: Vec<String> = waiting.question.resource().iter().map(ToString::to_string).collect();
        let client = server.clients.find(waiting.question.client_id().as_str());
        return server.pages.consent(&ConsentPage {
            client: ShownClient::new(waiting.question.client_id(), client.as_deref()),
            action: &address(Route::Consent, id),
            csrf: &session.csrf(id),
            user: &signed_in.user,
            sign_in: &address(Route::SignIn, id),
            scope: waiting.question.scope().tokens(),
            resource: &resource,
            authorization_details: waiting.question.authorization_details(),
            destination: destination(&waiting.question, moment.now),
        });
    }
    let form = match parse_form(server, &pending, http) {
        Ok(form) => form,
        Err(page) => return *page,
    };
    match form.single("decision") {
        Ok(Some("allow")) => {
            // Taken out first: of two answers at once, one finds nothing.
            let taken = server.interactions().take(moment.now, id, session);
            let Some(taken) = taken else { return start_again(server) };
            match &taken.question {
                Question::Authorization(request) => grant(server, moment, request, &signed_in),
                Question::Device(question) => device_decision::allow(server, moment, question, &signed_in),
            }
        }
        Ok(Some("deny")) => decline(server, moment, &pending),
        _ => {
            let rejection = Rejection::new("the form says neither allow nor deny", "RFC 6749 §4.1");
            server.pages.error(
                400,
                "That was no answer",
                rejection,
                "Go back and choose one of the two.",
            )
        }
    }
}

/// Where the answer goes, as the consent page shows it.
fn destination(question: &Question, now: UnixSeconds) -> Destination<'_> {
    match question {
        Question::Authorization(request) => Destination::Browser(&request.redirect_uri),
        Question::Device(DeviceQuestion { user_code, request }) => Destination::Device {
            user_code: user_code.shown(),
            user_agent: &request.user_agent,
            seconds_ago: now.seconds_since(request.asked_at),
        },
    }
}

fn sign_in_page(server: &AuthorizationServer, pending: &PendingInteraction, username: &str, failed: bool) -> Response {
    let question = &pending.waiting.question;
    let client = server.clients.find(question.client_id().as_str());
    server.pages.sign_in(&SignInPage {
        client: ShownClient::new(question.client_id(), client.as_deref()),
        action: &address(Route::SignIn, &pending.id),
        csrf: &pending.session.csrf(&pending.id),
        username,
        failed,
        redirect_uri: pending.waiting.question.redirect_uri(),
    })
}

/// The request that the URL names, if this browser may decide about it. A page
/// on another port may have set a cookie of the same name, so each is tried.
fn pending_interaction(
    server: &AuthorizationServer,
    moment: &Moment<'_>,
    http: &Request,
) -> Option<PendingInteraction> {
    let params = http.query_params();
    let id = params.single("request").ok()??;
    let interactions = server.interactions();
    let sessions = http.cookies(&server.session_cookie).filter_map(SessionId::from_cookie);
    sessions.take(MAX_COOKIES).find_map(|session| {
        let waiting = interactions.waiting(moment.now, id, &session)?.clone();
        Some(PendingInteraction {
            id: id.to_owned(),
            session,
            waiting,
        })
    })
}

/// What a form of ours brought.
fn parse_form(
    server: &AuthorizationServer,
    pending: &PendingInteraction,
    http: &Request,
) -> Result<Params, Box<Response>> {
    let form = http.form_params().unwrap_or_default();
    let csrf = form.single("csrf").ok().flatten().unwrap_or_default();
    if pending.session.csrf_matches(&pending.id, csrf) {
        return Ok(form);
    }
    let rejection = Rejection::new(
        "the form did not come from the page that this browser was shown",
        "RFC 9700 §4.7",
    );
    let advice = "Go back to the application and start again.";
    let page = server.pages.error(403, "This form is not valid", rejection, advice);
    Err(Box::new(page))
}

fn decline(server: &AuthorizationServer, moment: &mut Moment<'_>, pending: &PendingInteraction) -> Response {
    let taken = server.interactions().take(moment.now, &pending.id, &pending.session);
    match taken {
        None => start_again(server),
        Some(taken) => match &taken.question {
            Question::Authorization(request) => deny(server, moment, request),
            Question::Device(question) => device_decision::deny(server, moment, question),
        },
    }
}

fn start_again(server: &AuthorizationServer) -> Response {
    let reason = "no request of this browser waits here: it was answered already, or it waited too long";
    let advice = "Go back to the application and start again. Cookies must be on.";
    server.pages.error(
        400,
        "Please start again",
        Rejection::new(reason, "RFC 9700 §4.7"),
        advice,
    )
}

fn address(route: Route, id: &str) -> String {
    format!("{}?request={id}", route.path())
}
