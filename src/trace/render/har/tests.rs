//! Entries of the client and of the browser, at each moment of a command.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use super::*;
use crate::trace::fixtures::archive::check_archive;
use crate::trace::fixtures::{authorization_response, context, metadata_request, response, token_request};
use serde_json::{Value, json};

#[test]
fn an_unanswered_request_is_in_the_archive_and_makes_way_for_its_answer() {
    let mut renderer = Har::new(context(false));
    let request = token_request();
    let other = metadata_request("openid-configuration");
    let mut text = renderer.head();
    let entries = |text: &str, renderer: &Har| {
        let archive: Value = serde_json::from_str(&(text.to_owned() + &renderer.tail())).expect("JSON");
        check_archive(&archive);
        let entries = archive["log"]["entries"].as_array().unwrap();
        let shown = entries.iter().map(|entry| {
            let method = entry["request"]["method"].as_str().unwrap();
            format!("{method} {}", entry["response"]["status"])
        });
        shown.collect::<Vec<_>>()
    };
    text += &renderer.event(&Event::RequestSent(&request), Duration::ZERO);
    assert_eq!(entries(&text, &renderer), ["POST 0"]);
    // two at once, answered in the other order
    text += &renderer.event(&Event::RequestSent(&other), Duration::from_millis(1));
    assert_eq!(entries(&text, &renderer), ["POST 0", "GET 0"]);
    let answer = response(200, "application/json", "{}");
    // told later, of a copy
    let copy = other.clone();
    let received = Event::ResponseReceived {
        request: &copy,
        response: &answer,
    };
    text += &renderer.event(&received, Duration::from_millis(38));
    assert_eq!(entries(&text, &renderer), ["GET 200", "POST 0"]);
    // the same again: one answer is for one of the two
    text += &renderer.event(&Event::RequestSent(&request), Duration::from_millis(50));
    assert_eq!(entries(&text, &renderer), ["GET 200", "POST 0", "POST 0"]);
    let failed = Event::RequestFailed {
        request: &request,
        reason: "gone",
    };
    text += &renderer.event(&failed, Duration::from_millis(70));
    assert_eq!(entries(&text, &renderer), ["GET 200", "POST 0", "POST 0"]);
    assert_eq!(text.matches("gone").count(), 1);
    assert!(renderer.tail().contains("the trace ended before one came"));
}

/// The part of an archive that most logins fail in.
#[test]
fn the_browsers_side_is_in_the_archive_as_far_as_the_client_knows_it() {
    let redirect_uri = "http://127.0.0.1:43111/cb?x=1";
    for (response_mode, authorized, callback) in [
        ("query", json!([302, "http://127.0.0.1:43111/cb?x=1&code="]), "GET"),
        ("form_post", json!([200, ""]), "POST"),
    ] {
        let mut renderer = Har::new(context(false));
        let url = format!(
            "https://id.example.com/authorize?state=hunter2&response_mode={response_mode}&redirect_uri={}",
            "http%3A%2F%2F127.0.0.1%3A43111%2Fcb%3Fx%3D1"
        );
        let mut text = renderer.head();
        let entries = |text: &str, renderer: &Har| {
            let archive: Value = serde_json::from_str(&(text.to_owned() + &renderer.tail())).expect("JSON");
            check_archive(&archive);
            archive["log"]["entries"].as_array().unwrap().clone()
        };
        text += &renderer.event(&Event::AuthorizationUrl(url.as_str().into()), Duration::from_millis(10));
        let [waiting] = &entries(&text, &renderer)[..] else {
            panic!("{text}")
        };
        assert_eq!(
            (&waiting["response"]["status"], &waiting["request"]["method"]),
            (&json!(0), &json!("GET"))
        );
        assert!(
            waiting["request"]["url"]
                .as_str()
                .unwrap()
                .starts_with("https://id.example.com/authorize?state=[redacted")
        );

        let (foreign, right) = (
            Params::parse("error=access_denied&state=hunter2x"),
            authorization_response(),
        );
        let answered = |params, status| Event::CallbackAnswered {
            redirect_uri,
            params,
            method: if callback == "GET" { Method::Get } else { Method::Post },
            status,
        };
        text += &renderer.event(&answered(&foreign, 400), Duration::from_millis(20));
        let message = Event::Message {
            from: Party::Browser,
            to: Party::Client,
            title: "authorization response",
            params: &right,
        };
        text += &renderer.event(&message, Duration::from_millis(30));
        text += &renderer.event(&answered(&right, 200), Duration::from_millis(50));
        let [ignored, authorization, came] = &entries(&text, &renderer)[..] else {
            panic!("{text}")
        };
        assert_eq!(ignored["response"]["status"], 400);
        assert_eq!(authorization["response"]["status"], authorized[0]);
        assert_eq!(authorization["time"], 20.0);
        let redirect = authorization["response"]["redirectURL"].as_str().unwrap();
        assert!(redirect.starts_with(authorized[1].as_str().unwrap()), "{redirect}");
        assert_eq!(
            (&came["response"]["status"], &came["request"]["method"]),
            (&json!(200), &json!(callback))
        );
        assert_eq!(came["time"], 20.0);
        let query = came["request"]["queryString"].as_array().unwrap();
        let form = came["request"]["postData"]["params"].as_array();
        assert_eq!(
            (query.is_empty(), form.is_some()),
            (callback == "POST", callback == "POST")
        );
        for secret in ["hunter2", "SplxlOBeZQQYbYS6WxSbIA"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}
