//! Steps 3 and 4 of the flow at the browser.

use super::*;
use crate::protocol::endpoint::{HttpPolicy, Issuer};
use crate::protocol::http::{HttpResponse, Method};
use crate::server::scripted_user::{ScriptedUser, Step, UnexpectedPage};
use std::time::Duration;
use url::Url;

fn hidden_csrf(page: &Response) -> String {
    let html = text(page);
    let (_, rest) = html.split_once("name=\"csrf\" value=\"").expect("a CSRF token");
    rest.split('"').next().unwrap().to_owned()
}

/// Opens an authorization request; where the browser is sent, and the page there.
fn prompt(fixture: &Fixture, more: &str) -> (String, Response) {
    let response = fixture.open(&authorize(more));
    assert_eq!(response.status, 303, "{response:?}");
    let location = response.header("location").unwrap().to_owned();
    let page = fixture.open(&location);
    (location, page)
}

/// Signs in; where the consent page is.
fn sign_in(fixture: &Fixture, name: &str, password: &str) -> String {
    let (location, page) = prompt(fixture, "");
    assert!(location.starts_with("/sign-in?request="), "{location}");
    let form = format!(
        "csrf={}&username={name}&password={}",
        hidden_csrf(&page),
        encode(password)
    );
    let response = fixture.submit(&location, &form);
    assert_eq!(response.status, 303, "{response:?}");
    response.header("location").unwrap().to_owned()
}

#[test]
fn the_resource_owner_signs_in_and_consents() {
    let fixture = Fixture::new(|_| {});
    let consent = sign_in(&fixture, "ada", "love:lace");
    assert!(consent.starts_with("/consent?request="), "{consent}");
    let page = fixture.open(&consent);
    for shown in [
        "oauth-cli",
        "ada",
        "hello",
        "http://127.0.0.1:9000/api",
        "http://127.0.0.1:4711",
        "Deny",
        "Allow",
    ] {
        assert!(text(&page).contains(shown), "{shown}");
    }
    let response = fixture.submit(&consent, &format!("csrf={}&decision=allow", hidden_csrf(&page)));
    let params = location_params(&response);
    assert_eq!(params.single("state"), Ok(Some("af0ifjsldkj")));
    let tokens = json(
        &fixture.post("/token", &redemption(params.single("code").unwrap().unwrap())),
        200,
    );
    assert_eq!(claims(&tokens["access_token"])["sub"], "ada");
    // It was answered; a second answer finds nothing.
    assert_eq!(
        fixture
            .submit(&consent, &format!("csrf={}&decision=allow", hidden_csrf(&page)))
            .status,
        400
    );
}

#[test]
fn deny_and_cancel_are_access_denied() {
    let fixture = Fixture::new(|_| {});
    let consent = sign_in(&fixture, "demo", "demo");
    let page = fixture.open(&consent);
    let denied = fixture.submit(&consent, &format!("csrf={}&decision=deny", hidden_csrf(&page)));
    assert_eq!(location_params(&denied).single("error"), Ok(Some("access_denied")));
    let (location, page) = prompt(&fixture, "&prompt=login");
    let cancelled = fixture.submit(&location, &format!("csrf={}&decision=cancel", hidden_csrf(&page)));
    let params = location_params(&cancelled);
    assert_eq!(params.single("error"), Ok(Some("access_denied")));
    assert_eq!(
        (params.single("state"), params.single("iss")),
        (Ok(Some("af0ifjsldkj")), Ok(Some(ISSUER)))
    );
}

#[test]
fn a_wrong_password_is_told_and_the_name_stays() {
    let fixture = Fixture::new(|_| {});
    let (location, page) = prompt(&fixture, "");
    for (name, password) in [
        ("demo", "wrong"),
        ("demo", ""),
        ("", ""),
        ("nobody", "demo"),
        ("ada", "demo"),
    ] {
        let form = format!("csrf={}&username={name}&password={password}", hidden_csrf(&page));
        let response = fixture.submit(&location, &form);
        assert_eq!(response.status, 403);
        let html = text(&response);
        assert!(
            html.contains("role=\"alert\"") && html.contains(&format!("value=\"{name}\"")),
            "{html}"
        );
        assert!(password.is_empty() || !html.contains("value=\"wrong\""), "{html}");
    }
    // Nobody is signed in by that.
    let consent = location.replace("sign-in", "consent");
    assert!(
        fixture
            .open(&consent)
            .header("location")
            .unwrap()
            .starts_with("/sign-in?")
    );
}

#[test]
fn forms_without_the_token_of_this_page_are_refused() {
    let fixture = Fixture::new(|_| {});
    let (location, page) = prompt(&fixture, "");
    let csrf = hidden_csrf(&page);
    let (_, other_page) = prompt(&fixture, "");
    for bad in [
        String::new(),
        "csrf=&".into(),
        "csrf=x&".into(),
        format!("csrf={}&", hidden_csrf(&other_page)),
    ] {
        let response = fixture.submit(&location, &format!("{bad}username=demo&password=demo"));
        assert_eq!(response.status, 403, "{bad}");
        assert!(response.header("set-cookie").is_none());
    }
    // A consent form without it neither.
    let consent = sign_in(&fixture, "demo", "demo");
    for bad in ["decision=allow".to_owned(), format!("csrf={csrf}&decision=allow")] {
        let response = fixture.submit(&consent, &bad);
        assert_eq!(response.status, 403);
        assert!(response.header("location").is_none());
    }
    // And with it, only an answer is an answer.
    let page = fixture.open(&consent);
    for decision in ["", "ALLOW", "yes"] {
        let response = fixture.submit(&consent, &format!("csrf={}&decision={decision}", hidden_csrf(&page)));
        assert_eq!(response.status, 400, "{decision}");
    }
}

#[test]
fn a_waiting_request_belongs_to_one_browser() {
    let fixture = Fixture::new(|_| {});
    let consent = sign_in(&fixture, "demo", "demo");
    let csrf = hidden_csrf(&fixture.open(&consent));
    fixture.forget_cookies();
    assert_eq!(fixture.open(&consent).status, 400);
    assert_eq!(
        fixture.submit(&consent, &format!("csrf={csrf}&decision=allow")).status,
        400
    );
    // Another browser, signed in as someone else, neither.
    let _ = sign_in(&fixture, "ada", "love:lace");
    assert_eq!(fixture.open(&consent).status, 400);
    assert_eq!(
        fixture.submit(&consent, &format!("csrf={csrf}&decision=allow")).status,
        400
    );
    for unknown in [
        "/sign-in",
        "/sign-in?request=x",
        "/consent?request=x&request=x",
        "/consent",
    ] {
        assert_eq!(fixture.open(unknown).status, 400, "{unknown}");
    }
}

#[test]
fn signing_in_changes_the_session() {
    let fixture = Fixture::new(|_| {});
    let (_, _) = prompt(&fixture, "");
    let before = fixture.cookies.borrow().clone();
    assert!(
        before.keys().all(|name| name == "oauth_session_9000"),
        "named after the port: {before:?}"
    );
    sign_in(&fixture, "demo", "demo");
    assert_ne!(*fixture.cookies.borrow(), before);
    // The id from before, which someone may have planted, is worth nothing.
    *fixture.cookies.borrow_mut() = before;
    let (location, _) = prompt(&fixture, "");
    assert!(location.starts_with("/sign-in?"), "{location}");
}

#[test]
fn prompt_and_max_age_decide_which_page_is_shown() {
    let fixture = Fixture::new(|_| {});
    let error = |more: &str| {
        let params = location_params(&fixture.open(&authorize(more)));
        params.single("error").unwrap().map(str::to_owned)
    };
    assert_eq!(error("&prompt=none").as_deref(), Some("login_required"));
    sign_in(&fixture, "demo", "demo");
    assert_eq!(error("&prompt=none").as_deref(), Some("consent_required"));
    fixture.pass(100);
    assert_eq!(error("&prompt=none&max_age=99").as_deref(), Some("login_required"));
    for (more, page) in [
        ("", "/consent?"),
        ("&prompt=consent", "/consent?"),
        ("&max_age=100", "/consent?"),
        ("&max_age=99", "/sign-in?"),
        ("&prompt=login", "/sign-in?"),
        ("&prompt=select_account", "/sign-in?"),
        ("&prompt=login+consent", "/sign-in?"),
    ] {
        let (location, _) = prompt(&fixture, more);
        assert!(location.starts_with(page), "{more}: {location}");
    }
    // Whoever must sign in cannot go to the consent page directly.
    let (location, _) = prompt(&fixture, "&prompt=login");
    let around = fixture.open(&location.replace("sign-in", "consent"));
    assert_eq!(around.header("location"), Some(location.as_str()));
    // A session ends.
    fixture.pass(12 * 3600);
    assert_eq!(error("&prompt=none").as_deref(), Some("login_required"));
}

#[test]
fn login_hint_fills_in_the_name() {
    let fixture = Fixture::new(|_| {});
    let (_, page) = prompt(&fixture, "&login_hint=ada%22%3E%3Cb%3E");
    assert!(
        text(&page).contains("value=\"ada&quot;&gt;&lt;b&gt;\""),
        "{}",
        text(&page)
    );
}

#[test]
fn waiting_requests_expire() {
    let fixture = Fixture::new(|_| {});
    let (location, _) = prompt(&fixture, "");
    fixture.pass(599);
    assert_eq!(fixture.open(&location).status, 200);
    fixture.pass(1);
    assert_eq!(fixture.open(&location).status, 400);
}

#[test]
fn nothing_of_a_request_becomes_markup() {
    let hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>javascript:&#x22;\u{202e}";
    let fixture = Fixture::new(|_| {});
    let consent = sign_in(&fixture, "demo", "demo");
    let csrf = hidden_csrf(&fixture.open(&consent));
    let value = encode(hostile);
    let mut pages = vec![
        fixture.submit(&consent, &format!("csrf={csrf}&decision={value}")),
        fixture.submit(&consent, &format!("csrf={value}&decision=allow")),
        fixture.open(&format!("/consent?request={value}")),
        fixture.open(&format!("/{value}")),
        fixture.open(&format!("/authorize?client_id={value}")),
    ];
    for name in [
        "client_id",
        "redirect_uri",
        "response_type",
        "code_challenge",
        "code_challenge_method",
        "state",
    ] {
        pages.push(fixture.open(&format!("{}&{name}={value}", without(&authorize(""), name))));
    }
    for name in [
        "scope",
        "resource",
        "nonce",
        "login_hint",
        "prompt",
        "max_age",
        "response_mode",
        "ui_locales",
        hostile,
    ] {
        let response = fixture.open(&authorize(&format!("&{}={value}", encode(name))));
        if response
            .header("location")
            .is_some_and(|location| location.starts_with('/'))
        {
            pages.push(fixture.open(response.header("location").unwrap()));
        }
        pages.push(response);
        pages.push(fixture.open(&authorize(&format!(
            "&response_mode=form_post&{}={value}",
            encode(name)
        ))));
    }
    let (location, page) = prompt(&fixture, "&prompt=login");
    let form = format!("csrf={}&username={value}&password={value}", hidden_csrf(&page));
    pages.push(fixture.submit(&location, &form));
    for page in pages {
        let body = text(&page);
        if page
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("text/html"))
        {
            assert!(
                !body.contains("<script>alert") && !body.contains("<img") && !body.contains("\"'>"),
                "{body}"
            );
            assert!(
                page.header("content-security-policy")
                    .unwrap()
                    .starts_with("default-src 'none'")
            );
        }
        let location = page.header("location").unwrap_or_default();
        assert!(
            !location.contains(['<', '"', '\n', '\u{202e}']) && !location.starts_with("javascript"),
            "{location}"
        );
    }
}

/// What the unattended demo does, without its sockets.
#[test]
fn the_resource_owner_can_be_played() {
    let fixture = Fixture::new(|_| {});
    let issuer = Issuer::parse(ISSUER, HttpPolicy::LoopbackOnly).unwrap();
    let play = |user: &str| -> Result<(Url, Vec<&'static str>), UnexpectedPage> {
        let mut owner = ScriptedUser::new(&issuer, user.parse().unwrap());
        let mut request = owner.open(Url::parse(&format!("{ISSUER}{}", authorize("&scope=hello+email"))).unwrap());
        let mut done = Vec::new();
        loop {
            let body = request
                .form()
                .map(|body| body.encode().expose().clone())
                .unwrap_or_default();
            let cookie = request.headers.iter().find(|(name, _)| *name == "cookie");
            let cookie = cookie
                .map(|(_, value)| value.expose().expose().clone())
                .unwrap_or_default();
            let headers = [
                ("cookie", cookie.as_str()),
                ("content-type", "application/x-www-form-urlencoded"),
            ];
            let target = format!("{}?{}", request.url.path(), request.url.query().unwrap_or_default());
            let method = if request.method == Method::Get { "GET" } else { "POST" };
            let response = fixture.send(method, &target, &headers, &body);
            let headers = response
                .headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.to_string()));
            let received = HttpResponse {
                status: response.status,
                headers: headers.collect(),
                body: Secret::new(response.body.to_vec()),
                elapsed: Duration::ZERO,
                timings: crate::protocol::http::Timings::default(),
                is_streamed: false,
            };
            let (name, next) = match owner.next(&request.url, &received)? {
                Step::Follow(next) => ("follow", next),
                Step::SignIn(next) => ("sign in", next),
                Step::Consent(next) => ("consent", next),
                Step::Callback(url) => return Ok((url, done)),
            };
            done.push(name);
            request = next;
        }
    };
    let (callback, done) = play("demo:demo").unwrap();
    assert!(
        callback.as_str().starts_with(&format!("{CALLBACK}?code=")),
        "{callback}"
    );
    assert_eq!(done, ["follow", "sign in", "follow", "consent"]);
    assert_eq!(play("demo:wrong").unwrap_err(), UnexpectedPage::WrongPassword);
}

#[test]
fn a_cookie_that_another_port_planted_does_not_block_the_sign_in() {
    let fixture = Fixture::new(|_| {});
    let planted = "A".repeat(43);
    let sign_in = fixture.open(&authorize("")).header("location").unwrap().to_owned();
    let own = fixture.cookies.borrow()["oauth_session_9000"].clone();
    let page = |cookies: &str| fixture.send("GET", &sign_in, &[("cookie", cookies)], "").status;
    assert_eq!(page(&format!("oauth_session_9000={planted}")), 400);
    for cookies in [
        format!("oauth_session_9000={planted}; oauth_session_9000={own}"),
        format!("oauth_session_9000=<x>; oauth_session_9000={planted}; oauth_session_9000={own}"),
        format!("oauth_session_9000={own}; oauth_session_9000={planted}"),
    ] {
        assert_eq!(page(&cookies), 200, "{cookies}");
        // A second request of this browser belongs to the same session.
        let second = fixture.send("GET", &authorize(""), &[("cookie", &cookies)], "");
        assert!(second.header("set-cookie").is_none(), "{cookies}");
    }
    // A planted cookie alone is not a session of this server.
    let header = format!("oauth_session_9000={planted}");
    let fresh = fixture.send("GET", &authorize(""), &[("cookie", &header)], "");
    assert!(!fresh.header("set-cookie").unwrap().contains(&planted));
}

#[test]
fn a_flood_of_requests_pushes_out_none_that_waits_for_a_person() {
    let fixture = Fixture::new(|_| {});
    let sign_in = fixture.open(&authorize("")).header("location").unwrap().to_owned();
    for _ in 0..1_200 {
        fixture.send("GET", &authorize(""), &[], "");
    }
    assert_eq!(fixture.open(&sign_in).status, 200);
    let refused = fixture.send("GET", &authorize(""), &[], "");
    assert_eq!(refused.status, 503);
    assert!(text(&refused).contains("Too many requests are pending."));
    let other = fixture.send("GET", &authorize("").replace("4711", "4712"), &[], "");
    assert_eq!(other.status, 303);
}
