//! What the server says where it refuses, and what it shows of itself.

use super::*;

#[test]
fn a_refusal_cites_its_own_section_and_each_once() {
    let fixture = Fixture::auto();
    let description = |form: &str, headers: &[(&str, &str)]| {
        let response = fixture.post_with("/token", form, headers);
        json(&response, 400)["error_description"]
            .as_str()
            .expect("text")
            .to_owned()
    };
    let unknown = description("grant_type=foo&client_id=oauth-cli", &[]);
    assert!(unknown.ends_with("are supported (RFC 6749 section 5.2)"), "{unknown}");
    let password = description("grant_type=password&client_id=oauth-cli&username=u&password=p", &[]);
    assert!(password.ends_with("are supported (RFC 9700 section 2.4)"), "{password}");
    let no_proof = description(&redemption("x"), &[("dpop", "no-proof")]);
    assert!(
        no_proof.ends_with("joined by dots (RFC 7515 section 3.1; RFC 9449 section 4.3)"),
        "{no_proof}"
    );
}

#[test]
fn the_page_at_the_issuer_links_each_document_that_is_served() {
    let fixture = Fixture::auto();
    let home = fixture.open("/");
    for path in [
        "/.well-known/oauth-authorization-server",
        "/.well-known/openid-configuration",
        "/.well-known/oauth-protected-resource/api",
        "/.well-known/oauth-protected-resource/mcp",
        "/jwks",
    ] {
        assert!(text(&home).contains(&format!("<a href=\"{path}\">")), "{path}");
        assert_eq!(fixture.open(path).status, 200, "{path}");
    }
}
