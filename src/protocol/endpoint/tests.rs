//! URLs that may be called, and those that may not.

use super::*;

fn parse(text: &str) -> Result<Endpoint, EndpointError> {
    Endpoint::parse(text, HttpPolicy::LoopbackOnly)
}

#[test]
fn https_and_loopback_http_alone() {
    for good in [
        "https://as.example/authorize?tenant=x",
        "http://127.0.0.1:9000/token",
        "http://[::1]:9000/token",
        "http://localhost/token",
        "http://a.localhost:9000/token",
        "http://b.a.localhost./token",
    ] {
        assert_eq!(parse(good).unwrap().to_string(), good);
    }
    for bad in [
        "http://as.example/token",
        "http://127.0.0.1.evil.test/",
        "http://10.0.0.1/",
        "http://[::]/",
        "http://notlocalhost/",
        "http://localhost.example/",
    ] {
        assert!(matches!(parse(bad), Err(EndpointError::PlainHttp(_))), "{bad}");
    }
    assert!(Endpoint::parse("http://as.example/token", HttpPolicy::Everywhere).is_ok());
}

#[test]
fn what_must_never_be_opened() {
    for bad in [
        "file:///c:/windows/system32/calc.exe",
        "javascript:alert(1)",
        "data:text/html,x",
        "ms-msdt:/id",
        "vscode://x",
        "--app=https://x",
        "calc.exe",
        "\\\\host\\share\\x.exe",
        "https://as.example/\u{1b}[2J",
        "https://as.example/a b",
        "https://as.example\\@evil/",
        "https:///as.example",
        "https:/as.example",
        "https:as.example",
        "https:/as.example@evil.test/x://y",
        "https:as.example@evil.test/x://y",
        "https:/\t/as.example/",
        "",
    ] {
        assert!(
            matches!(parse(bad), Err(EndpointError::Scheme(_) | EndpointError::NotAUrl)),
            "{bad:?} gave {:?}",
            parse(bad)
        );
    }
    assert!(matches!(parse("https://idp.com@evil/"), Err(EndpointError::Userinfo)));
    assert!(matches!(parse("https://@evil/"), Err(EndpointError::Userinfo)));
    assert!(matches!(
        parse("https://as.example/#f"),
        Err(EndpointError::Fragment(_))
    ));
}

#[test]
fn a_public_server_cannot_point_into_a_private_network() {
    let server = Url::parse("https://as.example").unwrap();
    for bad in [
        "https://169.254.169.254/",
        "https://10.1.2.3/",
        "https://[fd00::1]/",
        "http://127.0.0.1/",
        "http://localhost:1/",
        "https://a.localhost./",
        "https://0.1.2.3/",
        "https://100.64.0.1/",
        "https://100.127.255.255/",
        "https://192.0.0.8/",
        "https://198.18.0.1/",
        "https://198.19.255.255/",
        "https://224.0.0.1/",
        "https://255.255.255.255/",
        "https://[2002:a00:1::1]/",
        "https://[64:ff9b::169.254.169.254]/",
        "https://[::10.0.0.1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[fec0::1]/",
        "https://240.0.0.1/",
        "https://192.0.2.1/",
        "https://198.51.100.1/",
        "https://203.0.113.1/",
        "https://192.88.99.1/",
        "https://[64:ff9b:1::a00:1]/",
        "https://[64:ff9b:1:fffe::808:808]/",
        "https://[2001::a00:1]/",
        "https://[2001:0:4136:e378:8000:63bf:f5ff:fffe]/",
        "https://[::ffff:0:10.0.0.1]/",
        "https://[100::1]/",
        "https://[2001:db8::1]/",
        "https://[3fff::1]/",
        "https://[5f00::1]/",
        "https://[ff02::1]/",
        "https://printer.local/",
        "https://metadata.google.internal/",
        "https://a.LOCALDOMAIN./",
        "https://router.home.arpa/",
        "https://home.arpa/",
        "https://intranet/",
    ] {
        assert!(
            matches!(
                Endpoint::parse_untrusted(bad, &server, HttpPolicy::LoopbackOnly),
                Err(EndpointError::PrivateAddress(_))
            ),
            "{bad}"
        );
    }
    for good in [
        "https://1.1.1.1/",
        "https://100.128.0.1/",
        "https://192.0.1.1/",
        "https://198.20.0.1/",
        "https://[2001:4860:4860::8888]/",
        "https://[2002:808:808::1]/",
        "https://[64:ff9b::8.8.8.8]/",
        "https://[::ffff:0:8.8.8.8]/",
        "https://[2001:200::1]/",
        "https://[2400::1]/",
        "https://notlocal.example/",
        "https://internal.example/",
    ] {
        assert!(
            Endpoint::parse_untrusted(good, &server, HttpPolicy::LoopbackOnly).is_ok(),
            "{good}"
        );
    }
}

#[test]
fn a_private_server_may_name_itself_and_its_neighbours() {
    for (server, endpoint) in [
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000/t"),
        ("http://localhost:9000", "http://localhost:9000/t"),
        ("https://keycloak:8443", "https://keycloak:8443/t"),
        ("https://idp.corp.internal", "https://10.0.0.7/t"),
        ("https://idp.home.arpa", "https://idp.local/t"),
        ("https://100.64.0.1", "https://idp.example/t"),
    ] {
        let own = Url::parse(server).unwrap();
        assert!(
            Endpoint::parse_untrusted(endpoint, &own, HttpPolicy::LoopbackOnly).is_ok(),
            "{server} {endpoint}"
        );
    }
}

#[test]
fn each_well_known_url_tells_its_issuer() {
    for issuer in ["https://h", "https://h/t1", "http://127.0.0.1:1/a/b"] {
        let vetted = Issuer::parse(issuer, HttpPolicy::LoopbackOnly).unwrap();
        for url in vetted.well_known_urls() {
            assert_eq!(
                Issuer::of_well_known_url(url.as_str()).as_deref(),
                Some(issuer),
                "{url}"
            );
        }
    }
    for other in [
        "https://h/t1",
        "https://h/.well-known/openid-configuration.json",
        "https://h/.well-known/openid-configuration?tenant=t",
        "/.well-known/openid-configuration",
    ] {
        assert_eq!(Issuer::of_well_known_url(other), None, "{other}");
    }
}

#[test]
fn well_known_urls_in_the_order_of_the_contract() {
    let urls = |text| {
        Issuer::parse(text, HttpPolicy::LoopbackOnly)
            .unwrap()
            .well_known_urls()
            .iter()
            .map(Url::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        urls("https://h/t1"),
        [
            "https://h/.well-known/oauth-authorization-server/t1",
            "https://h/t1/.well-known/openid-configuration",
            "https://h/.well-known/openid-configuration/t1",
            "https://h/t1/.well-known/oauth-authorization-server",
        ]
    );
    assert_eq!(
        urls("https://h/"),
        [
            "https://h/.well-known/oauth-authorization-server",
            "https://h/.well-known/openid-configuration"
        ]
    );
}

#[test]
fn an_issuer_has_no_query() {
    assert!(matches!(
        Issuer::parse("https://h/?x", HttpPolicy::LoopbackOnly),
        Err(EndpointError::Query(_))
    ));
}
