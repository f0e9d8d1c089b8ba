//! What servers answer when they are broken, hostile or merely in trouble:
//! which exit code a script sees, what a person reads, and that nothing is
//! stored, nothing is asked twice, nothing is followed and nothing is opened.

use crate::support::authorization_server::{self, ACCESS_TOKEN, consent, metadata, token_answer};
use crate::support::binary::Home;
use crate::support::certificates::{Authority, self_signed, start_tls};
use crate::support::literal_server::{LiteralServer, Reply, html, json, redirect, status as empty};
use crate::support::login::{MarkingBrowser, assert_nothing_kept, complete, login, status, stored};
use crate::support::outcome::{Outcome, run};
use crate::support::running::Running;
use crate::support::sessions::{ending_in, refreshable};
use serde_json::Value;
use std::time::{Duration, Instant};

const METADATA: &str = "/.well-known/oauth-authorization-server";

/// A login whose token endpoint answers so.
fn exchange(reply: Reply, arguments: &[&str]) -> (Outcome, Home) {
    let (home, server) = (Home::new(), authorization_server::start());
    server.on("POST", "/token", reply);
    let running = Running::start(&mut login(&home, &server, arguments));
    let page = consent(&running.authorization_url(), &server.origin());
    let finished = running.end();
    server.only_request_to("/token");
    assert_eq!(page.status == 200, finished.code == Some(0), "{finished:?}");
    (finished, home)
}

/// It fails with this code, says this, and keeps nothing.
#[track_caller]
fn exchange_fails(what: &str, reply: Reply, code: i32, said: &str) {
    let (finished, home) = exchange(reply, &[]);
    assert_eq!(finished.code, Some(code), "{what}: {finished:?}");
    assert_eq!(finished.stdout, "", "{what}");
    let words = format!("{}\n{}", finished.error(), finished.causes());
    assert!(words.contains(said), "{what}: {words}");
    assert!(!finished.hints().is_empty(), "{what}: {finished:?}");
    assert_nothing_kept(&home);
}

fn as_json(body: &[u8]) -> Reply {
    Reply::http(200, &["Content-Type: application/json"], body)
}

#[test]
fn errors_of_the_token_endpoint() {
    for error in [
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
        "invalid_target",
        "made_up",
    ] {
        let body = format!(r#"{{"error":"{error}","error_description":"so it is"}}"#);
        exchange_fails(error, json(400, &body), 5, &format!("{error} (\"so it is\")"));
    }
    let refusal = r#"{"error":"invalid_client"}"#;
    for code in [200, 401, 403, 404, 418] {
        exchange_fails(&code.to_string(), json(code, refusal), 5, "invalid_client");
    }
    exchange_fails("no text", json(400, r#"{"error":{"code":7}}"#), 5, "7");
    exchange_fails("escapes", json(400, r#"{"error":"a\u001bb"}"#), 5, "a\\u{1b}b");
}

#[test]
fn a_token_endpoint_in_trouble_is_no_refusal() {
    for code in [429, 500, 502, 503, 504, 599] {
        for body in ["{}", r#"{"error":"invalid_grant"}"#, &token_answer(), "<html>"] {
            exchange_fails(&format!("{code} {body}"), json(code, body), 3, &code.to_string());
        }
    }
}

fn utf_16(text: &str) -> Vec<u8> {
    let units = [0xfeff].into_iter().chain(text.encode_utf16());
    units.flat_map(u16::to_be_bytes).collect()
}

#[test]
fn what_is_no_json_is_somebody_else_answering() {
    for (what, reply) in [
        ("html", html(200, "<html>sign in to the hotel</html>")),
        ("401 html", html(401, "<html>proxy</html>")),
        ("an empty body", as_json(b"")),
        ("no content", empty(204)),
        ("half of it", as_json(b"{\"access_token\":\"a\",")),
        // RFC 8259 §8.1: JSON is UTF-8, whatever the header says.
        (
            "UTF-16",
            Reply::http(
                200,
                &["Content-Type: application/json; charset=utf-16"],
                utf_16(&token_answer()),
            ),
        ),
    ] {
        exchange_fails(what, reply, 3, "JSON");
    }
}

#[test]
fn json_that_breaks_the_specification() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep_inside = format!(r#"{{"access_token":"a","token_type":"Bearer","x":{deep}}}"#);
    for (body, said) in [
        ("null", ""),
        ("[]", ""),
        ("\"x\"", ""),
        ("7", ""),
        ("{}", "access_token"),
        (r#"{"token_type":"Bearer"}"#, "access_token"),
        (r#"{"access_token":null,"token_type":"Bearer"}"#, "access_token"),
        (r#"{"access_token":7,"token_type":"Bearer"}"#, "access_token"),
        (r#"{"access_token":"","token_type":"Bearer"}"#, "access_token"),
        (r#"{"access_token":"a\r\nX: y","token_type":"Bearer"}"#, "access_token"),
        (r#"{"access_token":"a\u0000","token_type":"Bearer"}"#, "access_token"),
        (r#"{"access_token":"caf\u00e9","token_type":"Bearer"}"#, "access_token"),
        (r#"{"access_token":"a","token_type":"mac"}"#, "mac"),
        (r#"{"access_token":"a","token_type":"N_A"}"#, "N_A"),
        (r#"{"access_token":"a","token_type":"DPoP"}"#, "DPoP"),
        (r#"{"access_token":"a","token_type":7}"#, "token_type"),
        (r#"{"access_token":"a","token_type":"Bearer","scope":["a",1]}"#, "scope"),
        (
            r#"{"access_token":"a","token_type":"Bearer","refresh_token":7}"#,
            "refresh_token",
        ),
        (
            r#"{"access_token":"a","token_type":"Bearer","id_token":{}}"#,
            "id_token",
        ),
        (
            r#"{"access_token":"a","token_type":"Bearer","access_token":"b"}"#,
            "twice",
        ),
        (
            r#"{"access_token":"a","token_type":"Bearer","x":{"y":1,"y":1}}"#,
            "twice",
        ),
        (deep.as_str(), ""),
        (deep_inside.as_str(), ""),
    ] {
        exchange_fails(&body[..body.len().min(80)], as_json(body.as_bytes()), 6, said);
    }
    exchange_fails("invalid UTF-8", as_json(b"{\"access_token\":\"\xff\"}"), 6, "not UTF-8");
}

#[test]
fn a_4xx_without_error_is_a_refusal_all_the_same() {
    for (code, body, said) in [
        (400, "{}", "400"),
        (400, r#"{"error":null}"#, "400"),
        (401, r#"{"message":"no such client"}"#, "no such client"),
        (404, "[]", "404"),
    ] {
        exchange_fails(&format!("{code} {body}"), json(code, body), 5, said);
    }
    exchange_fails("an empty 404", empty(404), 5, "404");
}

#[test]
fn a_redirect_of_the_token_endpoint_is_not_followed() {
    let target = LiteralServer::start();
    for code in [301, 302, 303, 307, 308] {
        let location = target.url("/token?secret=canary");
        let (finished, home) = exchange(redirect(code, &location), &[]);
        let finished = finished.expect_code(6);
        assert!(
            finished.error().contains("redirect") || finished.stderr.contains("redirect"),
            "{finished:?}"
        );
        assert!(finished.stderr.contains(&code.to_string()) && finished.stderr.contains(&target.origin()));
        finished.does_not_say("canary");
        assert_nothing_kept(&home);
    }
    assert_eq!((target.connections(), target.requests().len()), (0, 0));
}

#[test]
fn answers_that_break_http_or_never_end() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    let answer = token_answer();
    let length = answer.len();
    let megabyte = "x".repeat(1024 * 1024);
    let table: [(&str, Reply, &[i32]); 13] = [
        ("reset", Reply::reset(), &[3]),
        ("closed", Reply::nothing(), &[3]),
        ("cut short", Reply::bytes(format!("{head}Content-Length: {}\r\n\r\n{answer}", length + 1)).then_close(), &[3]),
        ("no HTTP", Reply::bytes("SSH-2.0-OpenSSH\r\n\r\n").then_close(), &[3]),
        ("two lengths", Reply::bytes(format!("{head}Content-Length: 1\r\nContent-Length: {length}\r\n\r\n{answer}")).then_close(), &[3]),
        ("both framings", Reply::bytes(format!("{head}Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n{answer}\r\n0\r\n\r\n")).then_close(), &[3]),
        ("broken chunks", Reply::bytes(format!("{head}Transfer-Encoding: chunked\r\n\r\nzz\r\n{answer}")).then_close(), &[3]),
        ("compressed", Reply::http(200, &["Content-Type: application/json", "Content-Encoding: gzip"], b"\x1f\x8b\x08\x00"), &[3]),
        ("a header of 1 MiB", Reply::bytes(format!("{head}X: {megabyte}\r\n\r\n")).then_close(), &[3]),
        ("10,000 headers", Reply::bytes(format!("{head}{}\r\n", "X: y\r\n".repeat(10_000))).then_close(), &[3]),
        ("a token of 1 MiB", as_json(format!(r#"{{"access_token":"{megabyte}","token_type":"Bearer"}}"#).as_bytes()), &[6]),
        ("2 GiB announced", Reply::bytes(format!("{head}Content-Length: 2147483648\r\n\r\n")).endless("x".repeat(65_536)), &[6]),
        ("endless", Reply::bytes(format!("{head}Transfer-Encoding: chunked\r\n\r\n")).endless(format!("10000\r\n{}\r\n", "x".repeat(65_536))), &[6]),
    ];
    for (what, reply, codes) in table {
        let began = Instant::now();
        let (finished, home) = exchange(reply, &[]);
        assert!(
            finished.code.is_some_and(|code| codes.contains(&code)),
            "{what}: {finished:?}"
        );
        assert!(began.elapsed() < Duration::from_secs(10), "{what}");
        finished.error();
        assert_nothing_kept(&home);
    }
}

#[test]
fn silence_and_dripping_end_with_the_time_for_an_exchange() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10000\r\n\r\n";
    for (what, reply) in [
        ("silence", Reply::silence()),
        ("half an answer", Reply::bytes(head).then_silence()),
        (
            "dripping",
            Reply::bytes(head).drip(" ".repeat(10_000), Duration::from_millis(50)),
        ),
    ] {
        let (finished, home) = exchange(reply, &["--http-timeout", "700ms"]);
        assert_eq!(finished.code, Some(3), "{what}: {finished:?}");
        assert_nothing_kept(&home);
    }
}

#[test]
fn a_token_is_a_token_in_spite_of_these() {
    let odd_types = [
        "text/html",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/octet-stream",
    ];
    for content_type in odd_types {
        let header = format!("Content-Type: {content_type}");
        let (finished, _) = exchange(Reply::http(200, &[&header], token_answer()), &[]);
        let finished = finished.expect_code(0);
        assert!(finished.warnings().contains(content_type), "{finished:?}");
    }
    for headers in [
        &["Content-Type: application/json;charset=UTF-8"][..],
        &["Content-Type: Application/JSON"],
        &["Content-Type: application/token-response+json"],
        &["Content-Type: application/json", "Set-Cookie: a=b", "Refresh: 0"],
        &["Content-Type: application/json", "Content-Encoding: identity"],
    ] {
        let (finished, _) = exchange(Reply::http(200, headers, token_answer()), &[]);
        assert_eq!(finished.expect_code(0).warnings(), "", "{headers:?}");
    }
    let unknown: String = (0..1000).map(|number| format!(r#""x{number}":[{{}}],"#)).collect();
    for body in [
        r#"{"access_token":"a","token_type":"bEaReR","expires_in":60}"#.to_owned(),
        r#"{"access_token":"a","token_type":"BEARER","expires_in":60,"refresh_token":"","scope":null,"error":null}"#
            .to_owned(),
        format!(r#"{{{unknown}"access_token":"a","token_type":"Bearer","expires_in":60}}"#),
    ] {
        let (finished, home) = exchange(json(200, &body), &[]);
        finished.expect_code(0);
        assert_eq!(status(&home)[0]["refreshable"], false, "{body}");
    }
    let close_delimited = Reply::bytes(format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{}",
        token_answer()
    ));
    exchange(close_delimited.then_close(), &[]).0.expect_code(0);
}

#[test]
fn scopes_that_differ_from_what_was_asked_are_told() {
    let narrower = "requested, but not granted: write";
    let wider = "granted, but not requested: admin";
    let both = format!("{narrower}\n{wider}");
    for (granted, warned) in [
        ("read write", ""),
        ("write read", ""),
        ("read write write", ""),
        ("read", narrower),
        ("read write admin", wider),
        ("read admin", &both),
    ] {
        let body = format!(r#"{{"access_token":"a","token_type":"Bearer","expires_in":60,"scope":"{granted}"}}"#);
        let (finished, _) = exchange(json(200, &body), &["--scope", "read write"]);
        let finished = finished.expect_code(0);
        assert_eq!(finished.warnings(), warned, "{granted}");
    }
    // what a server grants where nothing was asked is its own choice
    let body = r#"{"access_token":"a","token_type":"Bearer","expires_in":60,"scope":"basic"}"#;
    let (finished, _) = exchange(json(200, body), &[]);
    assert_eq!(finished.expect_code(0).warnings(), "");
}

#[test]
fn how_long_a_token_lives() {
    let ten_years_s = 10 * 365 * 24 * 3600;
    let unknown = None;
    for (expires_in, lifetime_s, warned) in [
        ("3600", Some(3600), false),
        ("\"3600\"", Some(3600), false),
        ("3600.9", Some(3600), false),
        ("1e3", Some(1000), false),
        // no refresh token beside it
        ("0", Some(0), true),
        ("100000000000", Some(ten_years_s), false),
        ("null", unknown, false),
        ("-1", unknown, true),
        ("\"abc\"", unknown, true),
        ("\"\"", unknown, true),
        ("9223372036854775808", unknown, true),
        ("18446744073709551616", unknown, true),
        ("{}", unknown, true),
        ("[]", unknown, true),
        ("true", unknown, true),
        ("\"NaN\"", unknown, true),
        ("\"inf\"", unknown, true),
    ] {
        let body = format!(r#"{{"access_token":"{ACCESS_TOKEN}","token_type":"Bearer","expires_in":{expires_in}}}"#);
        let (finished, home) = exchange(json(200, &body), &[]);
        assert_eq!(finished.code, Some(0), "{expires_in}: {finished:?}");
        let finished = finished.expect_code(0);
        assert_eq!(
            finished.stderr.contains("expires_in"),
            warned,
            "{expires_in}: {finished:?}"
        );
        let row = &status(&home)[0];
        let printed = run(home.oauth().args(["token", "--format", "json"]));
        match lifetime_s {
            None => {
                assert_eq!(
                    (&row["expires_in"], &row["expires_at"]),
                    (&Value::Null, &Value::Null),
                    "{expires_in}"
                );
                assert_eq!(row["state"], "valid");
                let token: Value = serde_json::from_str(&printed.expect_code(0).stdout).expect("JSON");
                assert_eq!(
                    (&token["expires_in"], &token["expires_at"]),
                    (&Value::Null, &Value::Null)
                );
            }
            Some(0) => {
                assert_eq!(row["state"], "expired");
                printed.expect_code(4);
            }
            Some(seconds) => {
                let left_s = row["expires_in"].as_i64().expect("seconds");
                assert!((seconds - 60..=seconds).contains(&left_s), "{expires_in}: {left_s}");
                let token: Value = serde_json::from_str(&printed.expect_code(0).stdout).expect("JSON");
                assert!((seconds - 60..=seconds).contains(&token["expires_in"].as_i64().expect("seconds")));
                let until = token["expires_at"].as_str().expect("a time");
                assert!(
                    until.ends_with('Z') && until.len() == "2030-01-01T00:00:00Z".len(),
                    "{until}"
                );
            }
        }
    }
}

#[test]
fn words_of_the_server_cannot_repaint_the_terminal() {
    let payloads = [
        ("\\u001b[2J", "\\u{1b}[2J"),
        ("\\u001b]52;c;cm0=\\u0007", "\\u{1b}]52;c;cm0=\\u{7}"),
        ("\\u001b]8;;http://evil\\u0007", "\\u{1b}]8;;http://evil\\u{7}"),
        ("a\\rerror: b", "a\\u{d}error: b"),
        ("a\\nhint: run this", "a\\u{a}hint: run this"),
        ("\\u009b31m", "\\u{9b}31m"),
        ("\\u202e", "\\u{202e}"),
        ("\\u2066", "\\u{2066}"),
        ("ab\\u0008", "ab\\u{8}"),
    ];
    for (payload, shown) in payloads {
        let body = format!(
            r#"{{"error":"e{payload}","error_description":"{payload}","error_uri":"javascript:{payload}","token_type":"{payload}"}}"#
        );
        let body_of_token = format!(r#"{{"access_token":"a","token_type":"{payload}"}}"#);
        let header = format!("Content-Type: text/{}", payload.replace(['\\', ';'], ""));
        for (reply, code) in [
            (json(400, &body), 5),
            (json(200, &body_of_token), 6),
            (Reply::http(200, &[&header], "x"), 3),
        ] {
            // with -vvv everything is shown that ever is
            let (finished, _) = exchange(reply, &["-vvv"]);
            let finished = finished.expect_code(code);
            assert!(code == 3 || finished.stderr.contains(shown), "{payload}: {finished:?}");
            let harmless = |character: char| {
                character == '\n' || !(character.is_control() || "\u{202e}\u{2066}".contains(character))
            };
            assert!(
                finished.stderr.chars().all(harmless),
                "{payload}: {:?}",
                finished.stderr
            );
            assert_eq!(
                finished
                    .stderr
                    .lines()
                    .filter(|line| line.starts_with("error: "))
                    .count(),
                1
            );
            assert!(!finished.stderr.lines().any(|line| line.starts_with("hint: run this")));
        }
        let (finished, _) = exchange(json(400, &body), &["--json"]);
        let finished = finished.expect_code(5);
        let last: Value = serde_json::from_str(finished.stderr.lines().last().expect("a line")).expect("JSON");
        assert_eq!(last["error"]["oauth_error_description"], shown);
    }
    let long = format!(r#"{{"error":"x","error_description":"{}"}}"#, "\\u001b".repeat(20_000));
    let (finished, _) = exchange(json(400, &long), &[]);
    assert!(finished.expect_code(5).error().chars().count() <= 500);
}

/// A login that ends over its metadata with this code, before anything is opened or kept.
#[track_caller]
fn metadata_fails(what: &str, reply: Reply, code: i32, arguments: &[&str]) -> Outcome {
    let (home, server) = (Home::new(), LiteralServer::start());
    server.on("GET", METADATA, reply);
    metadata_fails_at(&home, &server, what, code, arguments)
}

#[track_caller]
fn metadata_fails_at(home: &Home, server: &LiteralServer, what: &str, code: i32, arguments: &[&str]) -> Outcome {
    let browser = MarkingBrowser::new(home.path());
    let mut command = login(home, server, &["--browser", &browser.command]);
    let finished = run(command.args(arguments).env("BROWSER", &browser.command));
    assert_eq!(finished.code, Some(code), "{what}: {finished:?}");
    assert_eq!(finished.stdout, "");
    finished.error();
    assert!(!browser.was_run(), "{what}");
    assert!(
        !finished.stderr.contains("sign in at this address"),
        "{what}: {finished:?}"
    );
    assert_eq!(server.requests_to("/token").len(), 0, "{what}");
    assert_nothing_kept(home);
    finished
}

#[test]
fn an_endpoint_that_is_no_web_address_is_never_opened() {
    for endpoint in [
        "file:///etc/passwd",
        "file:///c:/windows/system32/calc.exe",
        "javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "ms-msdt:/id%20PCWDiagnostic",
        "vscode://file/etc/passwd",
        "a:$(calc)",
        "http://x/$(calc)",
        "http://x/%0acalc",
        "calc.exe",
        "/usr/bin/calc",
        "C:\\windows\\system32\\calc.exe",
        "\\\\host\\share\\x.exe",
        "//host/share",
        "--app=https://x",
        "--renderer-cmd-prefix=calc",
        "-psn",
        "https://idp.example.com@evil.example.com/",
        "https://user:password@evil.example.com/",
        "https://evil.example.com\\@idp.example.com/",
        "https://idp.example.com/a#fragment",
        "https://idp.example.com/a b",
        "https://idp.example.com/\u{1b}[2J",
        "https://idp.example.com/a\nb",
        " https://idp.example.com/",
        "\u{0}https://idp.example.com/",
        "https:",
        "https://",
        "https:///path",
        "",
        "http://169.254.169.254/latest/meta-data",
        "http://[::ffff:169.254.169.254]/",
        "http://127.0.0.1.nip.io/",
        "ftp://idp.example.com/",
        "HTTPS://user@idp.example.com/",
        "view-source:https://idp.example.com/",
    ] {
        for member in ["authorization_endpoint", "token_endpoint"] {
            let (home, server) = (Home::new(), LiteralServer::start());
            let mut document: Value = serde_json::from_str(&metadata(&server.origin())).expect("JSON");
            document[member] = endpoint.into();
            server.on("GET", METADATA, json(200, &document.to_string()));
            let finished = metadata_fails_at(&home, &server, endpoint, 6, &[]);
            assert!(finished.stderr.contains(member), "{endpoint:?}: {finished:?}");
            assert!(
                finished
                    .stderr
                    .chars()
                    .all(|character| character == '\n' || !character.is_control())
            );
        }
    }
}

#[test]
fn members_of_the_wrong_type_are_refused() {
    for (member, value) in [
        ("issuer", "7"),
        ("issuer", "null"),
        ("issuer", r#"["x"]"#),
        ("authorization_endpoint", "7"),
        ("authorization_endpoint", r#"["https://x"]"#),
        ("authorization_endpoint", "null"),
        ("token_endpoint", "{}"),
        ("token_endpoint", "null"),
        ("code_challenge_methods_supported", r#""S256""#),
        ("code_challenge_methods_supported", "[1]"),
        ("response_types_supported", "{}"),
        ("authorization_response_iss_parameter_supported", r#""true""#),
    ] {
        let (home, server) = (Home::new(), LiteralServer::start());
        let mut document: Value = serde_json::from_str(&metadata(&server.origin())).expect("JSON");
        document[member] = serde_json::from_str(value).expect("JSON");
        server.on("GET", METADATA, json(200, &document.to_string()));
        let finished = metadata_fails_at(&home, &server, &format!("{member} {value}"), 6, &[]);
        assert!(finished.stderr.contains(member), "{member} {value}: {finished:?}");
    }
}

#[test]
fn a_document_that_is_no_plain_json_object_is_not_used() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep_object = format!(r#"{{"issuer":{}"#, r#"{"a":"#.repeat(100_000));
    let twice = r#"{"issuer":"x","token_endpoint":"https://a","token_endpoint":"https://b"}"#;
    for (what, reply) in [
        (
            "2 GiB",
            Reply::bytes(format!("{head}Content-Length: 2147483648\r\n\r\n")).endless("x".repeat(65_536)),
        ),
        (
            "endless",
            Reply::bytes(format!("{head}Transfer-Encoding: chunked\r\n\r\n"))
                .endless(format!("10000\r\n{}\r\n", " ".repeat(65_536))),
        ),
        (
            "compressed",
            Reply::http(
                200,
                &["Content-Type: application/json", "Content-Encoding: gzip"],
                b"\x1f\x8b\x08\x00",
            ),
        ),
        ("deep", json(200, &deep)),
        ("deep object", json(200, &deep_object)),
        ("twice", json(200, twice)),
        ("a string", json(200, "\"x\"")),
        ("nothing", json(200, "")),
        ("invalid UTF-8", Reply::http(200, &[], b"{\"issuer\":\"\xff\"}")),
    ] {
        let began = Instant::now();
        metadata_fails(what, reply, 6, &[]);
        assert!(began.elapsed() < Duration::from_secs(10), "{what}");
    }
    let drip = Reply::bytes(format!("{head}Content-Length: 10000\r\n\r\n"))
        .drip(" ".repeat(10_000), Duration::from_millis(50));
    metadata_fails("dripping", drip, 3, &["--http-timeout", "700ms"]);
    metadata_fails("silence", Reply::silence(), 3, &["--http-timeout", "700ms"]);
    metadata_fails("reset", Reply::reset(), 3, &[]);
}

#[test]
fn a_redirect_of_the_metadata_is_not_followed() {
    let target = LiteralServer::start();
    target.on("GET", METADATA, json(200, &metadata(&target.origin())));
    for code in [301, 302, 303, 307, 308] {
        metadata_fails(&code.to_string(), redirect(code, &target.url(METADATA)), 6, &[]);
    }
    assert_eq!(target.connections(), 0);
}

#[test]
fn cookies_are_neither_kept_nor_sent() {
    let (home, server) = (Home::new(), LiteralServer::start());
    let headers = ["Content-Type: application/json", "Set-Cookie: session=canary; Path=/"];
    server.on("GET", METADATA, Reply::http(200, &headers, metadata(&server.origin())));
    server.on("POST", "/token", Reply::http(200, &headers, token_answer()));
    complete(&mut login(&home, &server, &[]), &server.origin()).expect_code(0);
    assert!(
        server
            .requests()
            .iter()
            .all(|request| request.header("cookie").is_none())
    );
}

#[test]
fn a_server_that_cannot_be_trusted_is_named_with_the_cause() {
    let authority = Authority::new();
    for (identity, cause) in [
        (authority.issue_expired(&["127.0.0.1"]), "expired"),
        (authority.issue(&["id.example.com"]), "another name"),
        (self_signed(&["127.0.0.1"]), "trusted authority"),
    ] {
        let home = Home::new();
        let server = start_tls(&identity);
        authorization_server::serve_on(&server);
        let file = authority.write(home.path()).display().to_string();
        let finished = metadata_fails_at(&home, &server, cause, 3, &["--cacert", &file]);
        assert!(finished.stderr.contains(cause), "{cause}: {finished:?}");
        assert_eq!(server.requests().len(), 0);
    }
}

#[test]
fn a_refresh_at_a_server_that_cannot_be_trusted_leaves_the_session_as_it_was() {
    let authority = Authority::new();
    // A ServerHello of TLS 1.1: handshake record, version 3.2, random, no session, TLS_RSA_WITH_AES_128_CBC_SHA
    let mut server_hello = vec![0x16, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2];
    server_hello.extend([7; 32]);
    server_hello.extend([0, 0, 0x2f, 0]);
    let old = LiteralServer::start();
    old.greet(Reply::bytes(server_hello).then_silence());
    for (server, cause) in [
        (start_tls(&authority.issue_expired(&["127.0.0.1"])), "expired"),
        (start_tls(&authority.issue(&["id.example.com"])), "another name"),
        (start_tls(&Authority::new().issue(&["127.0.0.1"])), "trusted authority"),
        (old, "TLS"),
    ] {
        let home = Home::new();
        let issuer = format!("https://127.0.0.1:{}", server.port());
        home.configure(&format!(
            "[profile.work]\nissuer = \"{issuer}\"\nclient_id = \"desktop\"\n"
        ));
        home.keep("work", &ending_in(-10, refreshable(&issuer)));
        let contents = || {
            stored(&home)
                .iter()
                .map(std::fs::read)
                .collect::<Result<Vec<_>, _>>()
                .expect("the session")
        };
        let before = contents();
        let file = authority.write(home.path());
        let mut command = home.oauth();
        command.arg("--cacert").arg(file).args(["token", "work"]);
        let outcome = run(&mut command).expect_code(3);
        assert!(
            outcome.stderr.contains(cause) && outcome.stdout.is_empty(),
            "{cause}: {outcome:?}"
        );
        assert!(before == contents() && before.len() == 1, "{cause}");
        assert_eq!(server.requests().len(), 0);
    }
}

#[test]
fn a_token_endpoint_elsewhere_that_cannot_be_used_is_found_before_the_browser_opens() {
    // its proxy is wrong, which shows without a request to it
    let (home, server) = (Home::new(), LiteralServer::start());
    let mut document: Value = serde_json::from_str(&metadata(&server.origin())).expect("JSON");
    document["token_endpoint"] = "https://id.example.com/token".into();
    server.on("GET", METADATA, json(200, &document.to_string()));
    let browser = MarkingBrowser::new(home.path());
    let mut command = login(&home, &server, &["--browser", &browser.command]);
    let finished = run(command.env("HTTPS_PROXY", "ftp://proxy.example.com")).expect_code(2);
    assert!(
        finished.stderr.contains("HTTPS_PROXY") && !browser.was_run(),
        "{finished:?}"
    );
}
