//! What a browser is given, and which browser.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::protocol::endpoint::HttpPolicy;
use url::Url;

fn written(url: &str) -> Result<String, BrowserError> {
    url_for_browser(&Url::parse(url).unwrap(), HttpPolicy::LoopbackOnly)
}

#[test]
fn an_authorization_url_is_opened_as_it_is() {
    for url in [
        "https://id.example.com/authorize?response_type=code&client_id=a%20b&redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Fcallback&scope=openid+email",
        "https://id.example.com:8443/realms/x/protocol/openid-connect/auth?state=-._~",
        "https://[2001:db8::1]/authorize?a=b",
        "http://127.0.0.1:9000/authorize",
        "http://127.9.9.9/authorize",
        "http://[::1]:9000/authorize",
        "http://localhost:8080/authorize",
    ] {
        assert_eq!(written(url).unwrap(), url);
    }
}

/// CVE-2025-6514, CVE-2025-48938, CVE-2026-4519, CVE-2014-9622, CVE-2024-24576.
#[test]
fn nothing_that_a_server_sends_reaches_a_program_but_a_harmless_url() {
    for url in [
        "file:///c:/windows/system32/calc.exe",
        "file:////host/share/x.exe",
        "a:$(calc)",
        "javascript:alert(1)",
        "data:text/html,x",
        "vscode://x",
        "ms-msdt:x",
        "ftp://example.com/",
        "http://example.com/authorize",
        "http://127.0.0.1.example.com/authorize",
        "http://localhost.example.com/",
        "http://10.0.0.1/authorize",
    ] {
        assert!(matches!(written(url), Err(BrowserError::Scheme { .. })), "{url}");
    }
    for url in [
        "https://user@example.com/",
        "https://:p@example.com/",
        "http://a:b@127.0.0.1/",
    ] {
        assert!(matches!(written(url), Err(BrowserError::Userinfo)), "{url}");
    }
    for url in [
        "https://a$(calc)/",
        "https://x;id/",
        "https://`id`/",
        "https://a'b/",
        "https://a\"b/",
        "https://{x}/",
    ] {
        assert!(matches!(written(url), Err(BrowserError::HostName)), "{url}");
    }
    assert!(matches!(
        written(&format!("https://a/{}", "x".repeat(MAX_URL_BYTES))),
        Err(BrowserError::TooLong)
    ));
}

#[test]
fn what_a_shell_would_read_is_percent_encoded() {
    assert_eq!(
        written("https://a/$(calc)/`id`/;x|y?q=\"&calc&\"'<>(){}^\\ \u{e9}#$(x)").unwrap(),
        "https://a/%24%28calc%29/%60id%60/%3Bx%7Cy?q=%22&calc&%22%27%3C%3E%28%29%7B%7D%5E%5C%20%C3%A9#%24%28x%29"
    );
    // the url crate drops tab and line feed, which a browser would too
    assert_eq!(written("https://a/b\n\tc").unwrap(), "https://a/bc");
    assert_eq!(written("https:\\\\a\\b").unwrap(), "https://a/b");
}

#[test]
fn what_is_written_parses_to_the_same_host_and_holds_no_shell_character() {
    let mut seed: u32 = 1;
    let mut random = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from((seed >> 24) as u8)
    };
    for _ in 0..20_000 {
        let rest: String = (0..24).map(|_| random()).collect();
        let Ok(url) = Url::parse(&format!("https://example.com/{rest}")) else {
            continue;
        };
        let written = url_for_browser(&url, HttpPolicy::LoopbackOnly).unwrap();
        let again = Url::parse(&written).unwrap();
        assert_eq!(
            (again.scheme(), again.host_str(), again.port()),
            ("https", Some("example.com"), None)
        );
        assert_eq!(
            url_for_browser(&again, HttpPolicy::LoopbackOnly).unwrap(),
            written,
            "written once for all"
        );
        assert!(written.is_ascii());
        assert!(
            !written.contains(['\'', '"', '$', '`', ';', '|', '(', ')', '<', '>', '\\', ' ']),
            "{written}"
        );
    }
}

#[test]
fn plain_http_beyond_loopback_takes_the_users_word() {
    let url = Url::parse("http://id.internal/authorize").unwrap();
    assert!(url_for_browser(&url, HttpPolicy::LoopbackOnly).is_err());
    assert_eq!(url_for_browser(&url, HttpPolicy::Everywhere).unwrap(), url.as_str());
    let file = Url::parse("file:///etc/passwd").unwrap();
    assert!(url_for_browser(&file, HttpPolicy::Everywhere).is_err());
}

fn line(command: &str) -> Vec<String> {
    let command = BrowserCommand::parse(command, "--browser")
        .unwrap()
        .command("https://a/?b=c");
    let arguments = command.get_args().map(|word| word.to_string_lossy().into_owned());
    std::iter::once(command.get_program().to_string_lossy().into_owned())
        .chain(arguments)
        .collect()
}

#[test]
fn the_url_replaces_the_mark_in_any_word_or_is_appended() {
    assert_eq!(line("firefox"), ["firefox", "https://a/?b=c"]);
    assert_eq!(
        line("firefox -P 'my work' %s"),
        ["firefox", "-P", "my work", "https://a/?b=c"]
    );
    assert_eq!(line("x --app=%s --new"), ["x", "--app=https://a/?b=c", "--new"]);
    assert_eq!(
        line("x $(id) ; `y` && z"),
        ["x", "$(id)", ";", "`y`", "&&", "z", "https://a/?b=c"]
    );
    assert!(matches!(
        BrowserCommand::parse("x 'y", "BROWSER"),
        Err(BrowserError::Quote { given_by: "BROWSER" })
    ));
    for command in ["", "  ", "''", "%s", "%s x"] {
        assert!(
            matches!(
                BrowserCommand::parse(command, "--browser"),
                Err(BrowserError::Empty { .. })
            ),
            "{command}"
        );
    }
}

#[test]
fn the_flag_stands_alone_and_the_system_needs_a_display() {
    let command = |text: &str| BrowserLauncher::Command(BrowserCommand::parse(text, "--browser").unwrap());
    let ask = |flag, variable, display| candidates(flag, variable, display).unwrap();
    assert_eq!(ask(Some("x %s"), Some("y"), true), [command("x %s")]);
    let list = ["y", "z -a %s", "", ""].join(if cfg!(windows) { ";" } else { ":" });
    assert_eq!(
        ask(None, Some(&list), true),
        [command("y"), command("z -a %s"), BrowserLauncher::System]
    );
    assert_eq!(ask(None, Some("y"), false), [command("y")]);
    assert_eq!(ask(None, None, true), [BrowserLauncher::System]);
    assert_eq!(ask(None, None, false), []);
    assert!(candidates(None, Some("'"), true).is_err());
}
