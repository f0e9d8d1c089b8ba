//! Where a token may go: a host that is allowed covers itself by https, never
//! plain http to another machine, and never a URL with a user.
#![no_main]
use libfuzzer_sys::fuzz_target;
use oauth::protocol::endpoint::is_loopback;
use oauth::protocol::token_destination::{AllowedHost, TokenReach};
use url::Url;

fuzz_target!(|text: &str| {
    let (allowed, target) = text.split_once('\n').unwrap_or((text, ""));
    let Ok(host) = allowed.parse::<AllowedHost>() else { return };
    assert_eq!(host.to_string().parse::<AllowedHost>().as_ref(), Ok(&host));
    let exact = host.exact();
    let reach = TokenReach {
        allowed_hosts: vec![host],
        ..TokenReach::default()
    };
    if let Some(url) = exact.and_then(|host| Url::parse(&format!("https://{host}/")).ok()) {
        assert!(reach.coverage(&url).is_some());
    }
    if let Ok(url) = Url::parse(target)
        && reach.coverage(&url).is_some()
    {
        assert!(url.scheme() == "https" || url.scheme() == "http" && is_loopback(&url));
        assert!(url.username().is_empty() && url.password().is_none());
    }
});
