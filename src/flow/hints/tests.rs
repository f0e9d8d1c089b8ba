//! The words of servers, and the advice that each leads to.

use super::*;

fn sent(redirect_uri: &str, method: ClientAuthenticationMethod) -> RequestSummary {
    RequestSummary {
        redirect_uri: redirect_uri.to_owned(),
        method: Some(method),
        with_resource: false,
        with_proof: false,
        client_document: None,
    }
}

#[test]
fn the_words_of_well_known_servers_lead_to_the_advice() {
    let public = sent("http://127.0.0.1:4711/callback", ClientAuthenticationMethod::None);
    for (error, description, part) in [
        ("redirect_uri_mismatch", "Bad Request", "127.0.0.1 is not localhost"),
        (
            "invalid_request",
            "Invalid parameter: redirect_uri",
            "Register the redirect URI http://127.0.0.1:4711/callback",
        ),
        (
            "invalid_request",
            "AADSTS50011: The reply URL specified in the request does not match",
            "--redirect-uri",
        ),
        ("invalid_grant", "Incorrect redirect_uri", "--redirect-uri"),
        (
            "invalid_target",
            "AADSTS9010010: The resource parameter provided in the request doesn't match",
            "/.default",
        ),
        (
            "invalid_request",
            "AADSTS901002: The 'resource' request parameter is not supported.",
            "/.default",
        ),
        ("invalid_target", "unknown", "leave it out"),
        (
            "invalid_request",
            "Missing parameter: code_challenge_method",
            "seems to remove them",
        ),
        (
            "invalid_request",
            "PKCE is required for public clients",
            "seems to remove them",
        ),
        (
            "invalid_request",
            "Unsupported code_challenge_method",
            "ask its operator",
        ),
        ("invalid_grant", "PKCE verification failed", "ask its operator"),
        ("invalid_client", "", "No client secret was sent"),
        (
            "unauthorized_client",
            "AADSTS7000218: The request body must contain client_secret",
            "No client secret was sent",
        ),
        ("invalid_grant", "", "clock"),
        ("invalid_scope", "", "oauth discover"),
        ("use_dpop_nonce", "", "--dpop"),
        ("invalid_request_object", "", "--request-object"),
        (
            "invalid_request",
            "Request Object must be used by this client",
            "--request-object",
        ),
        ("invalid_dpop_proof", "no DPoP header", "--dpop"),
        ("invalid_grant", "DPoP proof JWT not provided", "--dpop"),
        (
            "interaction_required",
            "AADSTS50097: Device authentication is required.",
            "broker",
        ),
        (
            "invalid_grant",
            "AADSTS53000: Device is not in required device state",
            "managed device",
        ),
        (
            "access_denied",
            "Access has been blocked by Token Protection policy",
            "exception for this client",
        ),
        (
            "access_denied",
            "AADSTS53003: Access has been blocked by Conditional Access policies.",
            "sign-in log",
        ),
    ] {
        let advice = hint_for(
            &ErrorResponse::new(error, description),
            EndpointKind::Token,
            Some(&public),
        );
        assert!(advice.contains(part), "{error} {description}: {advice}");
    }
    let basic = sent("http://localhost/cb", ClientAuthenticationMethod::ClientSecretBasic);
    let post = sent("http://localhost/cb", ClientAuthenticationMethod::ClientSecretPost);
    let refused = ErrorResponse::new("invalid_client", "no");
    assert!(hint_for(&refused, EndpointKind::Token, Some(&basic)).contains("--client-auth client_secret_post"));
    assert!(hint_for(&refused, EndpointKind::Token, Some(&post)).contains("--client-auth client_secret_basic"));
    let mismatch = ErrorResponse::new("redirect_uri_mismatch", "no");
    assert!(hint_for(&mismatch, EndpointKind::Token, Some(&basic)).contains("localhost is not 127.0.0.1"));
}

#[test]
fn a_request_that_had_to_be_pushed_is_told_how() {
    let public = sent("http://127.0.0.1/callback", ClientAuthenticationMethod::None);
    let error = ErrorResponse::new("invalid_request", "Pushed Authorization Request is only allowed.");
    assert!(hint_for(&error, EndpointKind::Authorization, Some(&public)).contains("without --par never"));
}

#[test]
fn a_client_that_is_a_document_is_told_what_servers_look_at_in_it() {
    let url = "https://app.example/client.json";
    let of_document = RequestSummary {
        client_document: Some(url.to_owned()),
        ..sent("http://127.0.0.1:4711/callback", ClientAuthenticationMethod::None)
    };
    for (error, description, parts) in [
        ("invalid_client", "", ["application/json", url]),
        ("invalid_redirect_uri", "", ["--port 8400", url]),
        (
            "invalid_request",
            "redirect_uri not registered",
            ["compares the port", url],
        ),
    ] {
        let error = ErrorResponse::new(error, description);
        let advice = hint_for(&error, EndpointKind::Authorization, Some(&of_document));
        assert!(parts.iter().all(|part| advice.contains(part)), "{advice}");
    }
}

#[test]
fn a_refusal_without_a_word_names_how_the_client_authenticated() {
    let basic = sent("", ClientAuthenticationMethod::ClientSecretBasic);
    for status in [401, 403] {
        let advice = hint_for_no_json(status, Some(&basic));
        assert!(
            advice.contains("Authorization header") && advice.contains("proxy"),
            "{advice}"
        );
    }
    assert!(!hint_for_no_json(404, Some(&basic)).contains("Authorization header"));
    for (description, is_about_credentials) in [
        ("Invalid client or Invalid client credentials", true),
        ("The provided client secret keys are expired", true),
        ("grant client_credentials not allowed", false),
        ("", false),
    ] {
        let error = ErrorResponse::new("unauthorized_client", description);
        assert_eq!(blames_credentials(&error), is_about_credentials, "{description}");
    }
}

#[test]
fn words_alone_mislead_nobody_without_what_was_sent() {
    let with_proof = RequestSummary {
        with_proof: true,
        ..sent("https://app.example/cb", ClientAuthenticationMethod::None)
    };
    for sent in [None, Some(&with_proof)] {
        let refused = ErrorResponse::new("invalid_dpop_proof", "no");
        assert!(hint_for(&refused, EndpointKind::Token, sent).contains("clock"));
    }
    let invalid = ErrorResponse::new("invalid_request", "resource owner is unknown");
    let public = sent("https://app.example/cb", ClientAuthenticationMethod::None);
    for sent in [None, Some(&public)] {
        assert!(hint_for(&invalid, EndpointKind::Token, sent).contains("-vv"));
    }
    assert!(hint_for(&invalid, EndpointKind::Authorization, None).contains("-v "));
    let denied = ErrorResponse::new("access_denied", "The resource owner denied the request");
    let with_resource = RequestSummary {
        with_resource: true,
        ..public.clone()
    };
    assert!(hint_for(&denied, EndpointKind::Authorization, Some(&with_resource)).contains("login again"));
    let refused = ErrorResponse::new("invalid_request", "Unknown resource");
    assert!(hint_for(&refused, EndpointKind::Authorization, Some(&with_resource)).contains("--resource"));
    assert!(hint_for_no_json(403, Some(&public)).contains("captive portal"));
    assert!(hint_for_no_json(403, None).contains("captive portal"));
}
