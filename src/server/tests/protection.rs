//! What protects the server from pages of other sites, and faults on demand.

use super::*;
use crate::server::settings::origins::AllowedOrigin;

#[test]
fn every_path_answers_to_its_own_names_only() {
    let fixture = Fixture::auto();
    for host in ["127.0.0.1:9000", "[::1]:9000", "localhost:9000", "LOCALHOST:9000"] {
        assert_eq!(fixture.send("GET", "/", &[("host", host)], "").status, 200, "{host}");
    }
    let paths = [
        "/",
        "/authorize",
        "/token",
        "/sign-in",
        "/consent",
        "/revoke",
        "/introspect",
        "/userinfo",
        "/jwks",
        "/api/hello",
        "/.well-known/openid-configuration",
        "/nowhere",
    ];
    for host in [
        "evil.test",
        "evil.test:9000",
        "127.0.0.1",
        "127.0.0.1:9001",
        "127.0.0.1.nip.io:9000",
        "user@127.0.0.1:9000",
        "",
    ] {
        for path in paths {
            for method in ["GET", "POST"] {
                let response = fixture.send(method, path, &[("host", host)], "");
                assert_eq!(response.status, 421, "{method} {path} {host}");
                assert!(response.header("access-control-allow-origin").is_none());
            }
        }
    }
    let two = [("host", "127.0.0.1:9000"), ("host", "evil.test")];
    assert_eq!(fixture.send("GET", "/", &two, "").status, 421);
}

#[test]
fn pages_of_other_sites_change_nothing() {
    let fixture = Fixture::auto();
    let code = fixture.code("");
    let form = redemption(&code);
    for headers in [
        &[("origin", "https://evil.test")][..],
        &[("origin", "http://127.0.0.1:9001")],
        &[("origin", "https://127.0.0.1:9000")],
        &[("origin", "http://localhost:9000")],
        &[("origin", "null")],
        &[("origin", "null"), ("sec-fetch-site", "cross-site")],
        &[("origin", "")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("origin", "http://127.0.0.1:9000"), ("origin", "https://evil.test")],
    ] {
        for path in [
            "/token",
            "/revoke",
            "/introspect",
            "/userinfo",
            "/sign-in?request=x",
            "/consent?request=x",
        ] {
            let response = fixture.post_with(path, &form, headers);
            assert_eq!(response.status, 403, "{path} {headers:?}");
        }
    }
    let own = [("origin", "http://127.0.0.1:9000"), ("sec-fetch-site", "same-origin")];
    assert_eq!(fixture.post_with("/token", &form, &own).status, 200);
}

#[test]
fn only_public_documents_may_be_read_across_origins() {
    let fixture = Fixture::auto();
    for (path, answer) in [
        ("/.well-known/oauth-authorization-server", (204, Some("*"))),
        ("/.well-known/openid-configuration", (204, Some("*"))),
        ("/.well-known/oauth-protected-resource/api", (204, Some("*"))),
        ("/authorize", (405, None)),
        ("/token", (403, None)),
        ("/userinfo", (403, None)),
        ("/api/hello", (405, None)),
    ] {
        let preflight = fixture.send("OPTIONS", path, &[("origin", "https://spa.example")], "");
        let allowed = preflight.header("access-control-allow-origin");
        assert_eq!((preflight.status, allowed), answer, "{path}");
        assert!(preflight.header("access-control-allow-credentials").is_none());
    }
    assert!(
        fixture
            .open(&authorize(""))
            .header("access-control-allow-origin")
            .is_none()
    );
}

const SPA: &str = "https://spa.example";

fn with_cors(allowed: &[&str]) -> Fixture {
    Fixture::new(|settings| {
        settings.approval = Approval::Auto;
        settings.cors = allowed
            .iter()
            .map(|origin| origin.parse::<AllowedOrigin>().unwrap())
            .collect();
    })
}

#[test]
fn a_foreign_origin_is_refused_in_json_that_names_the_flag() {
    let fixture = Fixture::auto();
    for (method, path) in [
        ("POST", "/token"),
        ("POST", "/revoke"),
        ("POST", "/userinfo"),
        ("GET", "/userinfo"),
    ] {
        let response = fixture.send(method, path, &[("origin", SPA)], "");
        let error = json(&response, 403);
        assert_eq!(error["error"], "invalid_request");
        let description = error["error_description"].as_str().unwrap();
        let advice = "to allow browser applications: oauth serve --cors https://spa.example";
        assert!(description.contains(advice), "{description}");
        assert!(response.rejection.unwrap().reason.contains(advice));
    }
    // No value that is not an origin gets into the command.
    let response = fixture.send("POST", "/token", &[("origin", "x; rm -rf ~")], "");
    let description = json(&response, 403)["error_description"].to_string();
    assert!(description.contains("--cors ORIGIN"), "{description}");
    // Introspection is not for browsers, so no flag would help.
    let response = fixture.send("POST", "/introspect", &[("origin", SPA)], "");
    assert!(!json(&response, 403).to_string().contains("--cors"));
}

#[test]
fn an_allowed_origin_can_read_tokens_and_their_errors() {
    for (allowed, header) in [(&[SPA][..], SPA), (&["http://localhost:1", SPA], SPA), (&["*"], "*")] {
        let fixture = with_cors(allowed);
        let cross_site = [("origin", SPA), ("sec-fetch-site", "cross-site")];
        let readable = |response: &Response| {
            assert!(response.header("access-control-allow-credentials").is_none());
            assert_eq!(response.header("vary"), Some("origin"));
            response.header("access-control-allow-origin").map(str::to_owned)
        };
        for path in ["/token", "/revoke", "/userinfo"] {
            let preflight = [("origin", SPA), ("access-control-request-method", "POST")];
            let response = fixture.send("OPTIONS", path, &preflight, "");
            assert_eq!(
                (response.status, readable(&response).as_deref()),
                (204, Some(header)),
                "{path}"
            );
            let methods = response.header("access-control-allow-methods").unwrap();
            assert!(methods.contains("POST"), "{methods}");
            let headers = response.header("access-control-allow-headers").unwrap();
            assert!(headers.contains("authorization") && headers.contains("content-type"));
        }
        let response = fixture.post_with("/token", &redemption(&fixture.code("")), &cross_site);
        assert_eq!((response.status, readable(&response).as_deref()), (200, Some(header)));
        let response = fixture.post_with("/token", "", &cross_site);
        assert_eq!((response.status, readable(&response).as_deref()), (401, Some(header)));
    }
}

#[test]
fn other_origins_and_pages_stay_closed_beside_an_allowed_one() {
    let fixture = with_cors(&[SPA]);
    for origin in [
        "https://evil.test",
        "http://spa.example",
        "https://spa.example:444",
        "null",
        "",
    ] {
        let response = fixture.post_with("/token", "", &[("origin", origin)]);
        assert_eq!(response.status, 403, "{origin}");
        assert!(response.header("access-control-allow-origin").is_none(), "{origin}");
    }
    for any in [fixture, with_cors(&["*"])] {
        let response = any.send("GET", &authorize(""), &[("origin", SPA)], "");
        assert!(response.header("access-control-allow-origin").is_none());
        for path in ["/introspect", "/sign-in?request=x", "/consent?request=x"] {
            let response = any.post_with(path, "", &[("origin", SPA)]);
            assert_eq!(response.status, 403, "{path}");
            assert!(response.header("access-control-allow-origin").is_none(), "{path}");
        }
    }
}

#[test]
fn what_a_page_embeds_or_fetches_starts_no_login() {
    let fixture = Fixture::auto();
    for destination in ["image", "script", "style", "empty", "object", "embed"] {
        let headers = [("sec-fetch-dest", destination), ("sec-fetch-site", "cross-site")];
        let response = fixture.send("GET", &authorize(""), &headers, "");
        assert_eq!(response.status, 403, "{destination}");
        assert!(response.header("location").is_none() && response.header("set-cookie").is_none());
    }
    for destination in ["document", "iframe"] {
        let response = fixture.send("GET", &authorize(""), &[("sec-fetch-dest", destination)], "");
        assert_eq!(response.status, 303, "{destination}");
    }
}

#[test]
fn methods_and_paths_are_exact() {
    let fixture = Fixture::auto();
    for (method, path, allow) in [
        ("GET", "/token", "POST"),
        ("PUT", "/token", "POST"),
        ("GET", "/revoke", "POST"),
        ("GET", "/introspect", "POST"),
        ("POST", "/api/hello", "GET, HEAD"),
        ("HEAD", "/authorize", "GET, POST"),
        ("DELETE", "/consent", "GET, POST"),
        ("POST", "/jwks", "GET, HEAD, OPTIONS"),
        ("get", "/userinfo", "GET, HEAD, POST"),
    ] {
        let response = fixture.send(method, path, &[], "");
        assert_eq!(
            (response.status, response.header("allow")),
            (405, Some(allow)),
            "{method} {path}"
        );
    }
    for path in [
        "/nowhere",
        "/token/",
        "//token",
        "/Token",
        "/favicon.ico",
        "/.well-known/",
        "/api",
    ] {
        assert_eq!(fixture.send("GET", path, &[], "").status, 404, "{path}");
    }
}

#[test]
fn faults_come_as_often_as_asked_for_and_commit_nothing() {
    let fixture = Fixture::new(|settings| {
        settings.approval = Approval::Auto;
        settings.faults = vec![
            "token=503:2".parse().unwrap(),
            "userinfo=302".parse().unwrap(),
            "authorize=500:1".parse().unwrap(),
        ];
    });
    assert_eq!(fixture.open(&authorize("")).status, 500);
    let form = redemption(&fixture.code(""));
    for _ in 0..2 {
        let response = fixture.post("/token", &form);
        assert_eq!((response.status, response.header("retry-after")), (503, Some("1")));
        assert_eq!(json(&response, 503)["error"], "temporarily_unavailable");
        assert!(response.rejection.unwrap().citation.contains("--fail"));
    }
    json(&fixture.post("/token", &form), 200);
    for _ in 0..3 {
        let response = fixture.send("GET", "/userinfo", &[], "");
        assert_eq!(
            (response.status, response.header("location")),
            (302, Some("http://127.0.0.1:9000/"))
        );
    }
}
