//! What protects the server from pages of other sites, and faults on demand.

use super::*;

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
    for (path, public) in [
        ("/.well-known/oauth-authorization-server", true),
        ("/.well-known/openid-configuration", true),
        ("/.well-known/oauth-protected-resource/api", true),
        ("/authorize", false),
        ("/token", false),
        ("/userinfo", false),
        ("/api/hello", false),
    ] {
        let preflight = fixture.send("OPTIONS", path, &[("origin", "https://spa.example")], "");
        let allowed = preflight.header("access-control-allow-origin");
        assert_eq!(
            (preflight.status, allowed),
            if public { (204, Some("*")) } else { (405, None) },
            "{path}"
        );
        assert!(preflight.header("access-control-allow-credentials").is_none());
    }
    assert!(
        fixture
            .open(&authorize(""))
            .header("access-control-allow-origin")
            .is_none()
    );
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
        settings.failures = vec![
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
        assert!(response.refused.unwrap().rule.contains("--fail"));
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
