//! The pages of the authorization server: sign-in, consent, errors, the way
//! back to the client. They work without scripts, in light and dark.
//!
//! Invariants: every value that came from outside passes
//! [`escape`](super::html::escape); every page carries a policy that allows its
//! own style and nothing else, and cannot be framed or kept (RFC 9700 §4.16,
//! RFC 6749 §10.13).

pub(crate) mod client;
pub(crate) mod consent;
pub(crate) mod device;
mod error;
mod form_post;
mod home;
pub(crate) mod layout;
pub(crate) mod sign_in;

#[cfg(test)]
mod tests {
    use super::client::ShownClient;
    use super::layout::Pages;
    use super::{consent, device, sign_in};
    use crate::protocol::params::Params;
    use crate::protocol::redirect_uri::RedirectUri;
    use crate::server::client_name::{ClientName, NameGiver};
    use crate::server::rejection::Rejection;

    fn uri(text: &str) -> RedirectUri {
        RedirectUri::parse(text).unwrap()
    }

    #[test]
    fn nothing_from_outside_becomes_markup() {
        let hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u{202e}";
        let pages = Pages::new("http://127.0.0.1:9000", false);
        let redirect_uri = uri("http://127.0.0.1:1/callback?q='%22<x>");
        let values = [hostile.to_owned()];
        let name = ClientName::read(Some(hostile), NameGiver::Client);
        let client = ShownClient {
            id: hostile,
            name: name.as_ref(),
        };
        let nameless = ShownClient {
            id: hostile,
            name: None,
        };
        let mut params = Params::new();
        params.push("state", hostile);
        for response in [
            pages.sign_in(&sign_in::SignInPage {
                client,
                action: hostile,
                csrf: hostile,
                username: hostile,
                failed: true,
                redirect_uri: Some(&redirect_uri),
            }),
            pages.consent(&consent::ConsentPage {
                client,
                action: hostile,
                csrf: hostile,
                user: hostile,
                sign_in: hostile,
                scope: &values,
                resource: &values,
                authorization_details: None,
                destination: consent::Destination::Browser(&redirect_uri),
            }),
            pages.consent(&consent::ConsentPage {
                client,
                action: hostile,
                csrf: hostile,
                user: hostile,
                sign_in: hostile,
                scope: &values,
                resource: &values,
                authorization_details: None,
                destination: consent::Destination::Device {
                    user_code: hostile.into(),
                    user_agent: hostile,
                    seconds_ago: 1,
                },
            }),
            pages.user_code(&device::UserCodePage {
                action: hostile,
                csrf: hostile,
                user_code: hostile,
                is_wrong: true,
            }),
            pages.device_allowed(client),
            pages.device_denied(nameless),
            pages.error(
                400,
                hostile,
                Rejection::new(hostile, "RFC 6749 §3.1").with_fact("Sent", values.to_vec()),
                hostile,
            ),
            pages.form_post(hostile, &redirect_uri, &params),
        ] {
            let html = String::from_utf8(response.body.to_vec()).unwrap();
            assert!(
                !html.contains("<script>alert") && !html.contains("<img") && !html.contains("q='\""),
                "{html}"
            );
            assert!(!html.contains("\"'>") && !html.contains('\u{202e}'), "{html}");
        }
    }

    #[test]
    fn every_page_carries_its_policy() {
        let pages = Pages::new("http://127.0.0.1:9000", false);
        let response = pages.form_post("c", &uri("https://rp.example/cb?x=1"), &Params::new());
        let policy = response.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        assert!(policy.contains("form-action 'self' https://rp.example; frame-ancestors 'none'; base-uri 'none'"));
        assert!(!policy.contains("unsafe"));
        for (name, value) in [
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(response.header(name), Some(value));
        }
        let html = String::from_utf8(response.body.to_vec()).unwrap();
        assert!(html.contains("Development server"));
        assert!(
            !html.contains(" style=") && !html.contains(" on"),
            "no inline style or handler"
        );
    }
}
