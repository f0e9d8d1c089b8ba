//! The authorization endpoint: table of security rules, row by row.

use super::*;
use crate::server::log_entry::LogEntry;

/// Errors that only a person can be told (RFC 6749 §4.1.2.1).
#[test]
fn without_a_trustworthy_addressee_there_is_a_page_and_no_redirect() {
    let fixture = Fixture::auto();
    let good = authorize("");
    let callback = encode(CALLBACK);
    let with_uri = |uri: &str| good.replace(&callback, &encode(uri));
    for bad in [
        without(&good, "client_id"),
        good.replace("=oauth-cli", "="),
        good.replace("=oauth-cli", "=nobody"),
        good.replace("=oauth-cli", "=OAUTH-CLI"),
        good.replace("=oauth-cli", "=%00"),
        format!("{good}&client_id=oauth-cli"),
        format!("{good}{}", "&x".repeat(100)),
        without(&good, "redirect_uri"),
        format!("{good}&redirect_uri={callback}"),
        with_uri("/callback"),
        with_uri("http://127.0.0.1:4711/callback#x"),
        with_uri("http://127.0.0.1:4711/Callback"),
        with_uri("http://127.0.0.1:4711/callback/"),
        with_uri("http://127.0.0.1:4711/callback?x=1"),
        with_uri("http://127.0.0.1:4711/%2e%2e/callback"),
        with_uri("http://127.0.0.1:4711/a/../callback"),
        with_uri("http://127.0.0.1:4711/..;/callback"),
        with_uri("https://127.0.0.1:4711/callback"),
        with_uri("HTTP://127.0.0.1:4711/callback"),
        with_uri("http://127.0.0.1.evil.test/callback"),
        with_uri("http://localhost.evil.test/callback"),
        with_uri("http://localhost:4711/callback"),
        with_uri("http://127.0.0.1@evil.test/callback"),
        with_uri("http://user@127.0.0.1:4711/callback"),
        with_uri("http://127.0.0.1:80\\@evil.test/callback"),
        with_uri("http://127.1:4711/callback"),
        with_uri("http://2130706433:4711/callback"),
        with_uri("http://0x7f.0.0.1/callback"),
        with_uri("http://[::ffff:127.0.0.1]:4711/callback"),
        with_uri("http://127.0.0.2:4711/callback"),
        with_uri("http://evil.test/callback"),
        with_uri("javascript:alert(1)"),
        with_uri("data:text/html,x"),
    ] {
        let response = fixture.open(&bad);
        assert_eq!(response.status, 400, "{bad}");
        assert!(response.header("location").is_none(), "{bad}");
        assert!(
            response.header("content-security-policy").is_some() && response.rejection.is_some(),
            "{bad}"
        );
    }
}

#[test]
fn only_the_port_of_a_loopback_literal_is_free() {
    let fixture = Fixture::auto();
    for good in [
        "http://127.0.0.1:4711/callback",
        "http://127.0.0.1/callback",
        "http://127.0.0.1:65535/callback",
        "http://[::1]:4711/callback",
        "http://[::1]/callback",
    ] {
        let response = fixture.open(&authorize("").replace(&encode(CALLBACK), &encode(good)));
        assert!(
            response
                .header("location")
                .unwrap()
                .starts_with(&format!("{good}?code=")),
            "{good}"
        );
    }
    // `localhost` is a name: its port is compared (RFC 8252 §8.3).
    let confidential = authorize("").replace("oauth-cli", CONFIDENTIAL);
    for (uri, status) in [("http://localhost:5/cb", 303), ("http://localhost:6/cb", 400)] {
        assert_eq!(
            fixture
                .open(&confidential.replace(&encode(CALLBACK), &encode(uri)))
                .status,
            status,
            "{uri}"
        );
    }
}

/// Everything else goes back to the client, with state and issuer.
#[test]
fn other_errors_are_redirected_with_state_and_issuer() {
    let fixture = Fixture::auto();
    let good = authorize("");
    let with_challenge = |challenge: &str| good.replace(CHALLENGE, challenge);
    let with_method = |method: &str| good.replace("=S256", &format!("={method}"));
    for (request, error) in [
        (without(&good, "response_type"), "invalid_request"),
        (good.replace("=code&", "=token&"), "unsupported_response_type"),
        (good.replace("=code&", "=code+id_token&"), "unsupported_response_type"),
        (good.replace("=code&", "=id_token&"), "unsupported_response_type"),
        (format!("{good}&response_type=code"), "invalid_request"),
        (without(&good, "code_challenge"), "invalid_request"),
        (
            without(&without(&good, "code_challenge"), "code_challenge_method"),
            "invalid_request",
        ),
        (without(&good, "code_challenge_method"), "invalid_request"),
        (with_method("plain"), "invalid_request"),
        (with_method("S512"), "invalid_request"),
        (with_method("s256"), "invalid_request"),
        (format!("{good}&code_challenge_method=S256"), "invalid_request"),
        (format!("{good}&code_challenge={CHALLENGE}"), "invalid_request"),
        (with_challenge(&CHALLENGE[1..]), "invalid_request"),
        (with_challenge(&format!("{CHALLENGE}A")), "invalid_request"),
        (with_challenge(&format!("{}%3D", &CHALLENGE[1..])), "invalid_request"),
        (with_challenge(&format!("{}%2B", &CHALLENGE[1..])), "invalid_request"),
        (format!("{good}&scope=unknown"), "invalid_scope"),
        (format!("{good}&scope=Hello"), "invalid_scope"),
        (format!("{good}&scope=a%22b"), "invalid_scope"),
        (format!("{good}&scope=hello&scope=hello"), "invalid_request"),
        (format!("{good}&nonce=1&nonce=2"), "invalid_request"),
        (format!("{good}&resource=api"), "invalid_target"),
        (format!("{good}&resource=https://api.example/%23x"), "invalid_target"),
        (format!("{good}&request=x"), "request_not_supported"),
        (format!("{good}&request_uri=https://x"), "request_uri_not_supported"),
        (format!("{good}&request=x&request_uri=https://x"), "invalid_request"),
        (format!("{good}&registration=x"), "registration_not_supported"),
        (format!("{good}&response_mode=fragment"), "invalid_request"),
        (format!("{good}&prompt=none+login"), "invalid_request"),
        (format!("{good}&prompt=maybe"), "invalid_request"),
        (format!("{good}&max_age=-1"), "invalid_request"),
        (format!("{good}&unknown=1&unknown=2"), "invalid_request"),
    ] {
        let response = fixture.open(&request);
        let params = location_params(&response);
        assert_eq!(params.single("error"), Ok(Some(error)), "{request}");
        assert_eq!(params.single("state"), Ok(Some("af0ifjsldkj")), "{request}");
        assert_eq!(params.single("iss"), Ok(Some(ISSUER)), "{request}");
        assert_eq!(params.single("code"), Ok(None), "{request}");
        let description = params.single("error_description").unwrap().unwrap();
        assert!(
            description
                .bytes()
                .all(|byte| (0x20..=0x7e).contains(&byte) && byte != b'"' && byte != b'\\')
        );
        let refused = response.rejection.unwrap();
        assert!(
            refused.reason.starts_with(error) && refused.citation.contains(' '),
            "{refused}"
        );
    }
}

#[test]
fn a_repeated_state_is_not_sent_back() {
    let params = location_params(&Fixture::auto().open(&authorize("&state=other")));
    assert_eq!(params.single("error"), Ok(Some("invalid_request")));
    assert_eq!(params.single("state"), Ok(None));
}

#[test]
fn an_answer_carries_code_state_and_issuer() {
    let fixture = Fixture::auto();
    let response = fixture.open(&authorize("&unknown=ignored&resource="));
    let params = location_params(&response);
    let names: Vec<&str> = params.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["code", "state", "iss"]);
    assert_eq!(params.single("state"), Ok(Some("af0ifjsldkj")));
    assert_eq!(params.single("iss"), Ok(Some(ISSUER)));
    assert!(params.single("code").unwrap().unwrap().len() >= 43, "at least 256 bits");
    assert_eq!(response.header("referrer-policy"), Some("no-referrer"));
    assert!(
        response.header("access-control-allow-origin").is_none(),
        "RFC 9700 §2.6"
    );
    assert!(
        location_params(&fixture.open(&without(&authorize(""), "state")))
            .single("state")
            .unwrap()
            .is_none()
    );
}

#[test]
fn the_redirect_uri_keeps_its_own_query_and_may_be_left_out_where_it_is_the_only_one() {
    let fixture = Fixture::auto();
    let request = without(&authorize(""), "redirect_uri").replace("oauth-cli", "web");
    let response = fixture.open(&request);
    let location = response.header("location").unwrap();
    assert!(location.starts_with("https://rp.example/cb?own=1&code="), "{location}");
    // Then the token request need not have it either (RFC 6749 §4.1.3).
    let code = location_params(&response).single("code").unwrap().unwrap().to_owned();
    let form = without(&format!("?{}", redemption(&code)), "redirect_uri").replace("oauth-cli", "web");
    json(&fixture.post("/token", &form[1..]), 200);
    // With openid it is required (OpenID Connect Core §3.1.2.1).
    let params = location_params(&fixture.open(&format!("{request}&scope=openid")));
    assert_eq!(params.single("error"), Ok(Some("invalid_request")));
}

#[test]
fn post_is_taken_as_get_is() {
    let fixture = Fixture::auto();
    let form = authorize("").split_once('?').unwrap().1.to_owned();
    // From whatever site: it is where clients send people.
    let headers = [("origin", "https://rp.example"), ("sec-fetch-site", "cross-site")];
    let response = fixture.post_with("/authorize", &form, &headers);
    assert!(location_params(&response).single("code").unwrap().is_some());
    assert_eq!(
        fixture
            .send("POST", "/authorize", &[("content-type", "application/json")], "{}")
            .status,
        400
    );
}

#[test]
fn deny_refuses_in_the_name_of_the_first_user() {
    let fixture = Fixture::new(|settings| settings.approval = Approval::Deny);
    let params = location_params(&fixture.open(&authorize("")));
    assert_eq!(params.single("error"), Ok(Some("access_denied")));
    assert_eq!(params.single("iss"), Ok(Some(ISSUER)));
}

#[test]
fn form_post_comes_as_a_page_that_posts_itself() {
    let fixture = Fixture::auto();
    let response = fixture.open(&authorize("&response_mode=form_post"));
    assert_eq!(response.status, 200);
    let html = text(&response);
    assert!(
        html.contains(&format!("<form method=\"post\" action=\"{CALLBACK}\">")),
        "{html}"
    );
    for field in [
        "name=\"code\"",
        "name=\"state\" value=\"af0ifjsldkj\"",
        "name=\"iss\" value=\"http://127.0.0.1:9000\"",
    ] {
        assert!(html.contains(field), "{html}");
    }
    // An error goes the same way.
    let html = fixture.open(&authorize("&response_mode=form_post&scope=unknown"));
    assert!(text(&html).contains("name=\"error\" value=\"invalid_scope\""));
}

#[test]
fn the_log_of_a_refused_redirect_uri_has_what_was_sent_and_what_is_registered() {
    let fixture = Fixture::auto();
    let request = authorize("").replace(&encode(CALLBACK), &encode("http://127.0.0.1:4711/other"));
    let response = fixture.open(&request);
    let entry = LogEntry::new("GET", "/authorize", &response).to_string();
    assert_eq!(
        entry,
        "GET /authorize 400 redirect_uri is not registered for this client (RFC 6749 §3.1.2.3); \
         sent: http://127.0.0.1:4711/other; \
         registered: http://127.0.0.1/callback, http://[::1]/callback"
    );
    for shown in ["http://127.0.0.1:4711/other", "http://[::1]/callback"] {
        assert!(text(&response).contains(shown), "{shown}");
    }
    // a pushed request is refused in the same words
    let pushed = request.split_once('?').expect("a query").1;
    let refused = fixture.post("/par", pushed);
    let pushed = LogEntry::new("POST", "/par", &refused).to_string();
    assert_eq!(pushed, entry.replace("GET /authorize", "POST /par"));
    // so is one that no client may have
    let plain = "http://evil.example/callback";
    let response = fixture.open(&authorize("").replace(&encode(CALLBACK), &encode(plain)));
    let entry = LogEntry::new("GET", "/authorize", &response).to_string();
    assert!(
        entry.ends_with(&format!("; sent: {plain}")) || entry.contains(&format!("; sent: {plain};")),
        "{entry}"
    );
    assert!(text(&response).contains(plain));
    let malformed = fixture.open(&authorize("").replace(&encode(CALLBACK), "callback"));
    let entry = LogEntry::new("GET", "/authorize", &malformed).to_string();
    assert!(entry.ends_with("; sent: callback"), "{entry}");
    assert!(text(&malformed).contains("<dd><code>callback</code></dd>"));
    let unknown = fixture.open(&authorize("").replace("oauth-cli", "nobody"));
    let entry = LogEntry::new("GET", "/authorize", &unknown).to_string();
    assert!(entry.ends_with("; client_id: nobody"), "{entry}");
}
