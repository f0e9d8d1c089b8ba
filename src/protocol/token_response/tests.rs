//! Answers of the token endpoint as servers send them, good and odd.

mod any_answer;

use super::*;
use crate::protocol::endpoint::HttpPolicy;
use crate::protocol::json::parse_object;
use std::time::Duration;

fn endpoint() -> Endpoint {
    Endpoint::parse("https://as.example/token", HttpPolicy::LoopbackOnly).unwrap()
}

fn read(status: u16, content_type: &str, body: &str) -> Result<TokenResponse, TokenError> {
    let response = HttpResponse {
        status,
        headers: vec![
            ("content-type".into(), content_type.into()),
            ("location".into(), "https://evil.example/token?code=x".into()),
        ],
        body: Secret::new(body.as_bytes().to_vec()),
        elapsed: Duration::ZERO,
        timings: crate::protocol::http::Timings::default(),
        is_streamed: false,
    };
    TokenResponse::read(&endpoint(), &response, TokenType::Bearer)
}

fn json(body: &str) -> Result<TokenResponse, TokenError> {
    read(200, "application/json", body)
}

#[test]
fn the_example_of_rfc_6749_section_5_1() {
    let body = r#"{"access_token":"2YotnFZFEjr1zCsicMWpAA","token_type":"example","expires_in":3600,
        "refresh_token":"tGzv3JOkF0XG5Qx2TlKWIA","example_parameter":"example_value"}"#;
    assert!(matches!(
        json(body),
        Err(TokenError::Invalid {
            problem: InvalidTokenResponse::TokenType(_),
            ..
        })
    ));
    let token = json(&body.replace("\"example\"", "\"bEaReR\"")).unwrap();
    assert_eq!(token.access_token.expose(), "2YotnFZFEjr1zCsicMWpAA");
    assert_eq!(token.token_type, "bEaReR");
    assert_eq!(token.expires_in_s, Some(3600));
    assert_eq!(token.refresh_token.as_ref().unwrap().expose(), "tGzv3JOkF0XG5Qx2TlKWIA");
    assert_eq!(token.other["example_parameter"], "example_value");
    let again = TokenResponse::from_json(
        parse_object(token.to_json().expose().as_bytes()).unwrap(),
        TokenType::Bearer,
    )
    .unwrap();
    assert_eq!(again.to_json().expose(), token.to_json().expose());
}

#[test]
fn lifetimes_as_servers_send_them() {
    let lifetime = |value: &str| {
        let token = json(&format!(
            r#"{{"access_token":"t","token_type":"Bearer","expires_in":{value}}}"#
        ))
        .unwrap();
        (token.expires_in_s, token.quirks.len())
    };
    assert_eq!(lifetime("3600"), (Some(3600), 0));
    assert_eq!(lifetime("\"3600\""), (Some(3600), 0));
    assert_eq!(lifetime("3600.9"), (Some(3600), 0));
    // told at a login that brought no refresh token
    assert_eq!(lifetime("0"), (Some(0), 1));
    assert_eq!(lifetime("null"), (None, 0));
    assert_eq!(lifetime("999999999999"), (Some(MAX_EXPIRES_IN_S), 0));
    for odd in [
        "-1",
        "\"abc\"",
        "9223372036854775808",
        "{}",
        "[]",
        "true",
        "1e300",
        "-0.5",
        "\"NaN\"",
    ] {
        assert_eq!(lifetime(odd), (None, 1), "{odd}");
    }
}

/// The bytes of a body as they are, UTF-8 or not.
fn answer(status: u16, content_type: &str, body: &[u8]) -> HttpResponse {
    HttpResponse {
        status,
        headers: vec![("content-type".into(), content_type.into())],
        body: Secret::new(body.to_vec()),
        elapsed: Duration::ZERO,
        timings: crate::protocol::http::Timings::default(),
        is_streamed: false,
    }
}

fn problem_with(body: &[u8]) -> InvalidTokenResponse {
    match TokenResponse::read(&endpoint(), &answer(200, "application/json", body), TokenType::Bearer) {
        Err(TokenError::Invalid { problem, .. }) => problem,
        other => panic!("{}: {other:?}", String::from_utf8_lossy(body)),
    }
}

#[test]
fn what_breaks_the_specification_is_named() {
    use InvalidTokenResponse::*;
    for (body, expected) in [
        (r#"[]"#, NotAnObject),
        ("null", NotAnObject),
        ("\"x\"", NotAnObject),
        ("{}", NoAccessToken),
        (r#"{"access_token":null,"token_type":"Bearer"}"#, NoAccessToken),
        (r#"{"access_token":7,"token_type":"Bearer"}"#, Type("access_token")),
        (r#"{"access_token":"","token_type":"Bearer"}"#, EmptyAccessToken),
        (r#"{"access_token":"a\nb"}"#, AccessTokenCharacters),
        (r#"{"access_token":"a\u0000b"}"#, AccessTokenCharacters),
        (r#"{"access_token":"t","token_type":"mac"}"#, TokenType("mac".into())),
        (r#"{"access_token":"t","token_type":["Bearer"]}"#, Type("token_type")),
        (r#"{"access_token":"t","refresh_token":7}"#, Type("refresh_token")),
        (r#"{"access_token":"t","refresh_token":true}"#, Type("refresh_token")),
        (r#"{"access_token":"t","id_token":{}}"#, Type("id_token")),
        (r#"{"access_token":"t","scope":["a",7]}"#, Type("scope")),
        (
            r#"{"ok":true,"authed_user":{"id":"U","access_token":"t"}}"#,
            NestedAccessToken("authed_user.access_token".into()),
        ),
        (
            r#"{"data":{"token":{"access_token":"t"}}}"#,
            NestedAccessToken("data.token.access_token".into()),
        ),
    ] {
        assert_eq!(problem_with(body.as_bytes()), expected, "{body}");
    }
    assert_eq!(problem_with(b"{\"access_token\":\"t\",\"name\":\"J\xf6rg\"}"), NotUtf8);
    let twice = problem_with(br#"{"access_token":"t","access_token":"u"}"#);
    assert!(matches!(&twice, Ambiguous(text) if text.contains("twice")), "{twice:?}");
    let long = "a".repeat(MAX_ACCESS_TOKEN_BYTES + 1);
    let too_long = problem_with(format!(r#"{{"access_token":"{long}"}}"#).as_bytes());
    assert!(
        matches!(
            too_long,
            TooLong {
                name: "access_token",
                ..
            }
        ),
        "{too_long:?}"
    );
    let long = "a".repeat(MAX_REFRESH_TOKEN_BYTES + 1);
    let too_long = problem_with(format!(r#"{{"access_token":"t","refresh_token":"{long}"}}"#).as_bytes());
    assert!(
        matches!(
            too_long,
            TooLong {
                name: "refresh_token",
                ..
            }
        ),
        "{too_long:?}"
    );
}

#[test]
fn what_weakens_no_check_is_taken_and_named() {
    let quirks = |status, content_type: &str, body: &str| {
        let token = read(status, content_type, body).unwrap();
        assert_eq!(token.access_token.expose(), "t", "{body}");
        token.quirks
    };
    let json = "application/json";
    for (body, expected) in [
        (r#"{"access_token":"t","token_type":"bearer"}"#, vec![]),
        (r#"{"access_token":"t"}"#, vec![Quirk::NoTokenType]),
        (r#"{"access_token":"t","token_type":null}"#, vec![Quirk::NoTokenType]),
        (r#"{"access_token":"t","token_type":""}"#, vec![Quirk::NoTokenType]),
        (
            r#"{"access_token":"t","token_type":"Bearer","scope":["a","b"]}"#,
            vec![Quirk::ScopeList],
        ),
        (
            r#"{"access_token":"t","token_type":"Bearer","scope":"a,b"}"#,
            vec![Quirk::ScopeCommas],
        ),
        (
            "\u{feff}{\"access_token\":\"t\",\"token_type\":\"Bearer\"}",
            vec![Quirk::ByteOrderMark],
        ),
        (
            r#"{"access_token":"t","token_type":"Bearer","refresh_token":"é"}"#,
            vec![Quirk::RefreshTokenCharacters],
        ),
    ] {
        assert_eq!(quirks(200, json, body), expected, "{body}");
    }
    for nothing in ["\"\"", "null", "false", "0", "[]", "{}"] {
        let body = format!(r#"{{"error":{nothing},"access_token":"t","token_type":"Bearer"}}"#);
        assert_eq!(quirks(200, json, &body), [Quirk::EmptyError], "{body}");
    }
    for status in [201, 202, 203, 206, 299] {
        let body = r#"{"access_token":"t","token_type":"Bearer"}"#;
        assert_eq!(quirks(status, json, body), [Quirk::Status(status)]);
    }
    let form = "access_token=t&token_type=bearer&scope=a%2Cb&expires_in=60&refresh_token=r";
    for media_type in ["application/x-www-form-urlencoded; charset=utf-8", "text/plain", ""] {
        assert_eq!(quirks(200, media_type, form), [Quirk::Form, Quirk::ScopeCommas]);
    }
    let token = read(200, "text/plain", form).unwrap();
    assert_eq!(
        (token.expires_in_s, token.refresh_token.unwrap().expose().as_str()),
        (Some(60), "r")
    );
    assert_eq!(token.scope.unwrap().tokens(), ["a,b"]);
    let all = [Quirk::Status(201), Quirk::NoTokenType];
    assert_eq!(
        describe_quirks(&all).unwrap(),
        "the token response is not as RFC 6749 §5.1 says: its status is 201, not 200; it has no token_type; Bearer is assumed"
    );
}

#[test]
fn an_absent_token_is_written_in_many_ways() {
    for absent in ["null", "false", "\"\""] {
        let body =
            format!(r#"{{"access_token":"t","token_type":"Bearer","refresh_token":{absent},"id_token":{absent}}}"#);
        let token = json(&body).unwrap();
        assert!(
            token.refresh_token.is_none() && token.id_token.is_none() && token.quirks.is_empty(),
            "{body}"
        );
    }
}

#[test]
fn the_lifetime_of_the_refresh_token_is_read_by_the_names_that_servers_give_it() {
    let lifetime = |members: &str| {
        let token = json(&format!(r#"{{"access_token":"t","token_type":"Bearer",{members}}}"#)).unwrap();
        token.refresh_expires_in_s
    };
    for name in REFRESH_TOKEN_LIFETIMES {
        assert_eq!(lifetime(&format!(r#""{name}":1800"#)), Some(1800), "{name}");
    }
    assert_eq!(lifetime(r#""refresh_expires_in":"1800""#), Some(1800));
    assert_eq!(lifetime(r#""refresh_expires_in":0"#), None, "Keycloak: it does not end");
    assert_eq!(lifetime(r#""refresh_expires_in":-1"#), None);
}

#[test]
fn the_status_decides_before_the_body() {
    let error = r#"{"error":"invalid_grant","error_description":"no"}"#;
    assert!(matches!(
        read(503, "application/json", error),
        Err(TokenError::Unavailable { status: 503, .. })
    ));
    assert!(matches!(
        read(429, "application/json", error),
        Err(TokenError::Unavailable { status: 429, .. })
    ));
    match read(307, "text/html", "") {
        Err(TokenError::Redirect { location, .. }) => assert_eq!(location, "https://evil.example"),
        other => panic!("{other:?}"),
    }
    for status in [200, 400, 401, 403] {
        match read(status, "application/json", error) {
            Err(TokenError::OAuth { error, .. }) => assert_eq!(error.error, "invalid_grant"),
            other => panic!("{other:?}"),
        }
    }
    assert!(matches!(
        read(400, "text/html", "<html>"),
        Err(TokenError::NotJson { .. })
    ));
    assert!(matches!(read(403, "text/html", ""), Err(TokenError::NotJson { .. })));
    assert!(matches!(
        read(408, "application/json", error),
        Err(TokenError::Unavailable { status: 408, .. })
    ));
}

#[test]
fn a_refusal_is_told_in_the_servers_own_words() {
    let refused = |content_type: &str, body: &str| match read(403, content_type, body) {
        Err(TokenError::Refused { status: 403, words, .. }) => words,
        other => panic!("{body}: {other:?}"),
    };
    let json = "application/json";
    for body in [
        r#"{"status":400,"message":"no, because"}"#,
        r#"{"error_description":"no, because"}"#,
        r#"{"errorCode":"E0000011","errorSummary":"no, because"}"#,
        r#"{"errors":[{"message":"no, because"}]}"#,
        r#"{"errors":["no, because"]}"#,
        r#"{"detail":"no, because"}"#,
        r#"{"title":"no, because"}"#,
        r#"{"reason":"no, because"}"#,
        r#"{"error":"","message":"no, because"}"#,
        r#"{"message":"first","message":"no, because"}"#,
    ] {
        assert_eq!(refused(json, body).as_deref(), Some("no, because"), "{body}");
    }
    assert_eq!(refused("text/plain", " no, because\n").as_deref(), Some("no, because"));
    assert_eq!(
        refused("text/plain", &"a".repeat(5000)).map(|words| words.len()),
        Some(300)
    );
    for silent in ["", "{}", r#"{"message":7}"#] {
        assert_eq!(refused(json, silent), None, "{silent}");
    }
    for page in ["<html>no</html>", " <!doctype html>"] {
        let answer = read(403, "text/plain", page);
        assert!(matches!(answer, Err(TokenError::NotJson { .. })), "{page}");
    }
}

#[test]
fn error_is_read_from_a_refusal_whose_body_is_faulty() {
    let error = |content_type: &str, body: &[u8]| match TokenResponse::read(
        &endpoint(),
        &answer(400, content_type, body),
        TokenType::Bearer,
    ) {
        Err(TokenError::OAuth { error, .. }) => (error.error, error.error_description.unwrap_or_default()),
        other => panic!("{}: {other:?}", String::from_utf8_lossy(body)),
    };
    let said = |error: &str, description: &str| (error.to_owned(), description.to_owned());
    let json = "application/json";
    assert_eq!(
        error(json, br#"{"error":"invalid_grant","error_description":"dea"#),
        said("invalid_grant", "")
    );
    assert_eq!(
        error(json, b"{\"error\":\"invalid_grant\",\"error_description\":\"J\xf6rg\"}"),
        said("invalid_grant", "J\u{fffd}rg")
    );
    assert_eq!(
        error(json, br#"{"error":"invalid_grant","error":"invalid_grant"}"#),
        said("invalid_grant", "")
    );
    assert_eq!(
        error(
            "application/x-www-form-urlencoded",
            b"error=bad_refresh_token&error_description=no"
        ),
        said("bad_refresh_token", "no")
    );
    assert_eq!(
        error(
            json,
            br#"{"error":{"code":401,"status":"UNAUTHENTICATED","message":"no"}}"#
        ),
        said("UNAUTHENTICATED", "no")
    );
}

#[test]
fn a_faulty_answer_does_not_lose_its_refresh_token() {
    let salvaged = |status, content_type: &str, body: &[u8]| {
        let found = salvage_refresh_token(&answer(status, content_type, body));
        found.map(|token| token.expose().clone())
    };
    for body in [
        &br#"{"access_token":7,"refresh_token":"r"}"#[..],
        br#"{"access_token":"t","token_type":"mac","refresh_token":"r"}"#,
        br#"{"refresh_token":"a","refresh_token":"r"}"#,
        br#"{"refresh_token":"r","refresh_token":7}"#,
        br#"{"refresh_token":"r","access_token":"t","expi"#,
        b"{\"name\":\"J\xf6rg\",\"refresh_token\":\"r\"}",
        b"\xef\xbb\xbf{\"refresh_token\":\"r\"}",
        br#"{"error":"","refresh_token":"r"}"#,
        br#"{"refresh_token":"r"} <!-- cached -->"#,
        b"<br />\n<b>Notice</b>: x in <b>token.php</b> {\"token_type\":\"bearer\",\"access_token\":\"t\",\"refresh_token\":\"r\"}",
        b"access_token=t&refresh_token=a&refresh_token=r",
    ] {
        for content_type in ["application/json", "text/plain", ""] {
            let found = salvaged(200, content_type, body);
            assert_eq!(found.as_deref(), Some("r"), "{}", String::from_utf8_lossy(body));
        }
    }
    let long = format!(r#"{{"refresh_token":"{}"}}"#, "r".repeat(MAX_REFRESH_TOKEN_BYTES + 1));
    for body in [
        &br#"{"error":"invalid_grant","refresh_token":"r"}"#[..],
        br#"{"error":"invalid_grant","error":"","refresh_token":"r"}"#,
        br#"{"error":{"code":1},"refresh_token":"r"}"#,
        b"error=x&refresh_token=r",
        br#"{"refresh_token":""}"#,
        br#"{"refresh_token":"a\nb"}"#,
        br#"{"refresh_token":"cut of"#,
        br#"{"nested":{"refresh_token":"r"}}"#,
        br#"<html><script>texts = {"access_token":"Access","refresh_token":"Refresh"}</script>"#,
        long.as_bytes(),
    ] {
        assert_eq!(
            salvaged(200, "application/json", body),
            None,
            "{}",
            String::from_utf8_lossy(body)
        );
    }
    for status in [302, 400, 503] {
        assert_eq!(salvaged(status, "application/json", br#"{"refresh_token":"r"}"#), None);
    }
}

#[test]
fn json_under_another_content_type_is_taken_with_a_remark() {
    let token = read(200, "text/html", r#"{"access_token":"t","token_type":"Bearer"}"#).unwrap();
    assert_eq!(token.quirks, [Quirk::ContentType("text/html".into())]);
}
