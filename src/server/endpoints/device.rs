//! The verification page (RFC 8628 §3.3): the person types the code that a
//! device shows. What follows, signing in and consent, is that of every request.

use super::device_decision::{allow, deny};
use crate::protocol::params::Params;
use crate::server::authorization_server::AuthorizationServer;
use crate::server::expiring_map::Full;
use crate::server::grants::user_code::UserCode;
use crate::server::interactions::{DeviceQuestion, MAX_COOKIES, SessionId, WaitError};
use crate::server::message::{Request, Response, server_error};
use crate::server::moment::Moment;
use crate::server::pages::device::UserCodePage;
use crate::server::rejection::Rejection;
use crate::server::route::Route;
use crate::server::settings::Approval;

/// What the form's token is made for: it belongs to no request yet.
const FORM: &str = "device";

/// Shows the form for the code, or takes what was typed there.
pub(crate) fn device(server: &AuthorizationServer, moment: &mut Moment<'_>, http: &Request) -> Response {
    if http.method == "POST" {
        return take_code(server, moment, http);
    }
    let known = sessions(server, http);
    let known = server.interactions().known_session(moment.now, known);
    let is_new = known.is_none();
    let session = match known.map_or_else(|| SessionId::draw(moment.randomness), Ok) {
        Ok(session) => session,
        Err(error) => return server_error(&error),
    };
    let query = http.query_params();
    // Only filled in, never sent by itself: the person compares it with what the device shows (RFC 8628 §5.4)
    let user_code = query.single("user_code").ok().flatten().unwrap_or_default();
    let page = server.pages.user_code(&UserCodePage {
        action: Route::Device.path(),
        csrf: &session.csrf(FORM),
        user_code,
        is_wrong: false,
    });
    match is_new {
        true => page.with("set-cookie", session.set_cookie(&server.session_cookie)),
        false => page,
    }
}

fn sessions(server: &AuthorizationServer, http: &Request) -> Vec<SessionId> {
    let cookies = http.cookies(&server.session_cookie).filter_map(SessionId::from_cookie);
    cookies.take(MAX_COOKIES).collect()
}

fn take_code(server: &AuthorizationServer, moment: &mut Moment<'_>, http: &Request) -> Response {
    let form = http.form_params().unwrap_or_default();
    let field = |name: &str| form.single(name).ok().flatten().unwrap_or_default();
    let session = sessions(server, http)
        .into_iter()
        .find(|session| session.csrf_matches(FORM, field("csrf")));
    let Some(session) = session else {
        let reason = "the form did not come from the page that this browser was shown";
        let advice = "Open the address that your device shows again. Cookies must be on.";
        let rejection = Rejection::new(reason, "RFC 9700 §4.7");
        return server.pages.error(403, "This form is not valid", rejection, advice);
    };
    let now = moment.now;
    if !server.wrong_user_codes().may_try(now) {
        let rejection = Rejection::new("too many wrong codes were entered", "RFC 8628 §5.1");
        let advice = "Wait a minute. Then go back and enter the code that your device shows.";
        return server
            .pages
            .error(429, "Please wait", rejection, advice)
            .with("retry-after", "60");
    }
    let typed = field("user_code");
    let user_code = UserCode::typed(typed);
    let Some(request) = server.grants().undecided_device(now, &user_code).cloned() else {
        server.wrong_user_codes().note(now);
        return wrong_code(server, &session, &form);
    };
    let question = DeviceQuestion { user_code, request };
    match server.approval {
        Approval::Auto => allow(server, moment, &question, &server.first_user(now)),
        Approval::Deny => deny(server, moment, &question),
        Approval::Ask => ask(server, moment, session, question),
    }
}

fn wrong_code(server: &AuthorizationServer, session: &SessionId, form: &Params) -> Response {
    let rejection = Rejection::new("the user code is unknown, was used, or has expired", "RFC 8628 §3.3");
    let page = server.pages.user_code(&UserCodePage {
        action: Route::Device.path(),
        csrf: &session.csrf(FORM),
        user_code: form.single("user_code").ok().flatten().unwrap_or_default(),
        is_wrong: true,
    });
    page.rejected(rejection)
}

fn ask(
    server: &AuthorizationServer,
    moment: &mut Moment<'_>,
    session: SessionId,
    question: DeviceQuestion,
) -> Response {
    let now = moment.now;
    let mut interactions = server.interactions();
    let must_sign_in = interactions.signed_in(now, &session).is_none();
    let waiting = interactions.wait(now, moment.randomness, &session, question.into(), must_sign_in);
    let id = match waiting {
        Ok(id) => id,
        Err(WaitError::Randomness(error)) => return server_error(&error),
        Err(WaitError::Full(full)) => return too_many_pending(server, full),
    };
    let route = if must_sign_in { Route::SignIn } else { Route::Consent };
    Response::see_other(format!("{}?request={}", route.path(), id.expose()))
}

fn too_many_pending(server: &AuthorizationServer, full: Full) -> Response {
    let rejection = Rejection::new(full.to_string(), "RFC 9110 §15.6.4");
    server.pages.error(
        503,
        "Please try again later",
        rejection,
        "Enter the code again in some minutes.",
    )
}
