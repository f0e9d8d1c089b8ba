//! Proxies and URLs with passwords as they are met in the field: what is shown
//! of them, and which command ends over them.

use super::support::authorization_server;
use super::support::binary::Home;
use super::support::literal_server::LiteralServer;
use super::support::login::{complete, login};
use super::support::outcome::run;

/// Passwords, each with characters that end the user part of a URL; digits so
/// that a part of one could be taken for a port.
const UNENCODED: [&str; 6] = ["48#1512", "48/1512", "48?1512", "48\\1512", "4815/16@23", "#481512"];

fn assert_nothing_shown(text: &str) {
    for digits in ["48", "15", "16", "23"] {
        assert!(!text.contains(digits), "{digits} in {text}");
    }
}

#[test]
fn userinfo_in_the_proxy_flag_is_2_on_every_command_and_shows_nothing() {
    let home = Home::new();
    for arguments in [
        &["status"][..],
        &["profile", "list"],
        &["pkce"],
        &["token"],
        &["decode", "-"],
        &["logout"],
        &["completions", "bash"],
        &["discover", "http://127.0.0.1:9"],
        &["login", "--issuer", "http://127.0.0.1:9", "--client-id", "c"],
    ] {
        for proxy in [
            "http://user:4815@proxy.example:3128",
            "user:4815@proxy.example",
            "socks5://4815@proxy.example",
        ] {
            let outcome = run(home.oauth().args(arguments).args(["--proxy", proxy])).expect_error(2);
            assert!(
                outcome.error().contains("--proxy: it contains a user name or password"),
                "{outcome:?}"
            );
            assert!(outcome.hints().contains("HTTPS_PROXY"), "{outcome:?}");
            assert_nothing_shown(&outcome.stderr);
        }
    }
    assert_eq!(home.files(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn a_password_that_is_not_encoded_is_refused_with_the_way_to_encode_it() {
    let home = Home::new();
    for password in UNENCODED {
        for proxy in [
            format!("http://user:{password}@proxy.example:3128"),
            format!("user:{password}@proxy.example:3128"),
            format!("socks5h://DOMAIN\\user:{password}@proxy.example"),
        ] {
            let by_flag = run(home.oauth().args(["status", "--proxy", &proxy])).expect_error(2);
            let mut command = home.oauth();
            command
                .args(["discover", "https://id.example.com"])
                .env("HTTPS_PROXY", &proxy);
            let by_environment = run(&mut command).expect_code(2);
            let key = format!("proxy={proxy}");
            let in_profile = run(home.oauth().args(["profile", "set", "x", &key])).expect_error(2);
            for outcome in [&by_flag, &by_environment, &in_profile] {
                assert!(
                    outcome.hints().contains("%23") && outcome.hints().contains("%5C"),
                    "{outcome:?}"
                );
                assert_nothing_shown(&outcome.hints().replace("%23", ""));
                assert_nothing_shown(&outcome.error());
                assert_nothing_shown(&outcome.stdout);
            }
        }
    }
}

#[test]
fn a_proxy_for_other_urls_is_not_looked_at() {
    let (home, server) = (Home::new(), authorization_server::start());
    let mut command = login(&home, &server, &[]);
    // neither is for http on this machine
    command
        .env("HTTPS_PROXY", "gopher://x")
        .env("http_proxy", "http://u:48#15@x");
    complete(&mut command, &server.origin()).expect_code(0);
}

#[test]
fn nothing_of_a_url_with_a_password_is_repeated() {
    let server = LiteralServer::start();
    for url in [
        "https://user:4815@id.example.com",
        "https://user:48#15@id.example.com",
        "https://user:48/15@id.example.com",
        "https://user:48?15@id.example.com",
        "https://user:48\\15@id.example.com",
        "https://user:48 15@id.example.com",
        "https:/user:4815@id.example.com/://",
        "user:4815://id.example.com",
    ] {
        for arguments in [
            &["login", url, "--client-id", "c"][..],
            &["login", "--issuer", url, "--client-id", "c"],
            &[
                "login",
                "--issuer",
                &server.origin(),
                "--client-id",
                "c",
                "--token-endpoint",
                url,
            ],
            &[
                "login",
                "--issuer",
                &server.origin(),
                "--client-id",
                "c",
                "--redirect-uri",
                url,
            ],
            &["token", url],
            &["logout", url],
            &["status", url],
            &["discover", url],
            &["check", url, "--client-id", "c"],
            &["profile", "set", "x", &format!("issuer={url}")],
        ] {
            let home = Home::new();
            let outcome = run(home.oauth().args(arguments));
            // a path with an @ is a path: such a URL can be asked, and is named as it was parsed
            if outcome.code == Some(2) {
                let ports = outcome.stderr.replace(&server.origin(), "");
                assert_nothing_shown(&ports);
            }
        }
    }
}
