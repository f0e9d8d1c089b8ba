//! What a person can do when a server says no: common failures, told by the
//! error code and by the words that well-known servers use, each with one
//! piece of advice that fits what was sent.

use super::policy_hints::Policy;
use crate::protocol::authorization::AuthorizationRequest;
use crate::protocol::client::{Client, ClientAuthenticationMethod, ClientId};
use crate::protocol::dpop::{INVALID_PROOF, USE_NONCE};
use crate::protocol::error::ErrorResponse;

/// What was sent when the server said no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Where the browser was to come back.
    pub redirect_uri: String,
    /// How the client authenticated, at an endpoint where it does.
    pub method: Option<ClientAuthenticationMethod>,
    /// Whether a resource was named (RFC 8707).
    pub with_resource: bool,
    /// Whether there was a DPoP proof (RFC 9449).
    pub with_proof: bool,
    /// The client id, where it is the URL of a document about the client.
    pub client_document: Option<String>,
}

impl Sent {
    /// `client` is who authenticated at the token endpoint.
    pub(in crate::flow) fn of(request: &AuthorizationRequest, client: Option<&Client>) -> Self {
        Sent {
            redirect_uri: request.redirect_uri.as_str().to_owned(),
            method: client.map(|client| client.authentication.method()),
            with_resource: !request.resource.is_empty(),
            with_proof: request.dpop_jkt.is_some(),
            client_document: document_url(&request.client_id),
        }
    }

    /// Whether the redirect URI names this machine by its address.
    fn has_loopback_address(&self) -> bool {
        ["127.0.0.1", "[::1]"]
            .iter()
            .any(|address| self.redirect_uri.contains(address))
    }
}

/// The URL that a client id is, where it is one.
pub(in crate::flow) fn document_url(client_id: &ClientId) -> Option<String> {
    let is_url = client_id.as_str().contains("://");
    is_url.then(|| client_id.to_string())
}

/// Which endpoint said no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::flow) enum At {
    Authorization,
    PushedAuthorization,
    Token,
}

/// The advice where a DPoP proof is refused. What this program writes into it is
/// right but for the time, which is that of this machine.
pub(in crate::flow) const PROOF_REFUSED: &str = "Compare the clock of this machine with the server's (its Date header, with -vv): a DPoP proof is good for some seconds around its time only (RFC 9449 §11.1).";

const PROOF_MISSING: &str = "The server wants tokens that are bound to a key (DPoP, RFC 9449), and no proof of one was sent: log in with --dpop.";

/// The advice for an error that a server sent. `sent` is `None` for a refresh.
pub(in crate::flow) fn advice(error: &ErrorResponse, at: At, sent: Option<&Sent>) -> String {
    let code = error.error.as_str();
    let description = error.error_description.as_deref().unwrap_or_default();
    let words = format!("{code} {description}").to_lowercase();
    let says = |parts: &[&str]| parts.iter().any(|part| words.contains(part));
    if let Some(policy) = Policy::of(error) {
        return policy.hint_for_browser().to_owned();
    }
    if let Some(sent) = sent
        && says(&[
            "redirect_uri",
            "redirect uri",
            "redirecturi",
            "redirect url",
            "reply url",
            "aadsts50011",
        ])
    {
        return redirect_uri_mismatch(sent);
    }
    if says(&["aadsts9010010", "aadsts901002"]) {
        return "This server takes scopes instead of resources: leave out --resource, and ask for --scope RESOURCE/.default."
            .to_owned();
    }
    // Not where it speaks of the resource owner, as errors of every kind do.
    let of_resource = words
        .replace("resource owner", "")
        .replace("resource server", "")
        .contains("resource");
    let resource_refused = of_resource && sent.is_some_and(|sent| sent.with_resource);
    if code == "invalid_target" || resource_refused {
        return "The server does not know the --resource, or does not take that parameter: leave it out, or name it as the server does."
            .to_owned();
    }
    if sent.is_some()
        && says(&[
            "code_challenge",
            "code challenge",
            "code_verifier",
            "code verifier",
            "pkce",
        ])
    {
        return proof_key_refused(&words);
    }
    if at == At::Authorization && says(&["pushed authorization request"]) {
        return "The server takes authorization requests of this client only where they were pushed (RFC 9126): log in without --par never."
            .to_owned();
    }
    if sent.is_none() && says(&["refresh_token", "refresh token"]) {
        return "The server does not take the refresh token of this session any more, it seems.".to_owned();
    }
    if code == "invalid_client"
        && let Some(url) = sent.and_then(|sent| sent.client_document.as_deref())
    {
        return client_document_refused(url);
    }
    let client_refused = code == "invalid_client" || (code == "unauthorized_client" && at == At::Token);
    if client_refused || says(&["aadsts7000218", "aadsts700025"]) {
        return match sent {
            Some(sent) => client_authentication_refused(sent.method),
            // It was taken when the session began.
            None => format!(
                "{} It may have been disabled or deleted at the server since the login.",
                client_authentication_refused(None)
            ),
        };
    }
    match ([USE_NONCE, INVALID_PROOF].contains(&code), sent) {
        (is_about_proof, Some(sent)) if !sent.with_proof && (is_about_proof || says(&["dpop"])) => {
            return PROOF_MISSING.to_owned();
        }
        (true, _) => return PROOF_REFUSED.to_owned(),
        (false, _) => {}
    }
    let advice = match (code, at) {
        ("access_denied", _) => "Run the login again if that was a mistake.",
        ("invalid_scope", _) => {
            "Ask for other scopes with --scope; oauth discover URL lists those that the server names."
        }
        ("server_error" | "temporarily_unavailable", _) => "Try again later.",
        ("unauthorized_client", _) => {
            "This client may not use the authorization code flow: see its settings at the server."
        }
        ("unsupported_grant_type", _) => {
            "See this client's settings at the server: it must allow the authorization code grant."
        }
        (
            "login_required" | "interaction_required" | "consent_required" | "account_selection_required",
            At::Authorization,
        ) => "The server must ask the resource owner: leave out --param prompt=none.",
        ("invalid_grant", At::Token) => {
            "The code had expired or was used before (a clock that is off can do it too), or the redirect URI is registered otherwise: run the login again."
        }
        (_, At::Authorization) => "Run it again with -v to see the request.",
        (_, At::PushedAuthorization | At::Token) => "Run it again with -vv to see the exchange.",
    };
    advice.to_owned()
}

/// Whether the server speaks of what the client proves itself with, whatever the error code is.
pub(in crate::flow) fn blames_credentials(error: &ErrorResponse) -> bool {
    let words = error.error_description.as_deref().unwrap_or_default().to_lowercase();
    [
        "client credentials",
        "client secret",
        "client_secret",
        "invalid client",
        "client authentication",
    ]
    .iter()
    .any(|part| words.replace("client_credentials", "").contains(part))
}

/// The advice where the client is known by a document at its own URL.
fn client_document_refused(url: &str) -> String {
    format!(
        "The server could not fetch {url}, or refuses what is in it: it must be served as application/json, have that URL as its client_id, and list no grant and no method that the server does not allow; some servers take documents of certain hosts only. Look at it with: curl -i {}",
        shell_words::quote(url)
    )
}

fn redirect_uri_mismatch(sent: &Sent) -> String {
    if let Some(url) = &sent.client_document {
        return format!(
            "The redirect URI {} is not in the document of the client, {url}: this server compares the port too. List it there with its port and log in with that one, such as --port 8400; or register a client at the server.",
            sent.redirect_uri
        );
    }
    let other_name = if sent.has_loopback_address() {
        "127.0.0.1 is not localhost"
    } else {
        "localhost is not 127.0.0.1"
    };
    format!(
        "Register the redirect URI {} for this client, or give the registered one: servers compare them exactly ({other_name}; a slash and often the port count). Where it is registered with its port, name that: --port 8400, or --redirect-uri http://127.0.0.1:8400/callback",
        sent.redirect_uri
    )
}

fn proof_key_refused(words: &str) -> String {
    let wanted = ["required", "missing", "must"].iter().any(|word| words.contains(word));
    if wanted {
        "code_challenge and the method S256 were sent (RFC 7636): something in front of the server seems to remove them, or it wants another method; compare with -v and tell its operator.".to_owned()
    } else {
        "The server does not take PKCE with S256 (RFC 7636), which this program always sends: ask its operator to enable it for this client.".to_owned()
    }
}

/// The advice for a client that the server did not take; by how it
/// authenticated, where that is known.
pub(in crate::flow) fn client_authentication_refused(method: Option<ClientAuthenticationMethod>) -> String {
    match method {
        None => "Check the client_id, and whether this client has a secret (--client-secret-file) and how it is sent (--client-auth).",
        Some(ClientAuthenticationMethod::None) => {
            "No client secret was sent: check the client_id; if this client has a secret, give it with --client-secret-file, else register it as a public (native) client."
        }
        Some(ClientAuthenticationMethod::ClientSecretBasic) => {
            "Check client_id and secret; the secret was sent in the Authorization header: a server that wants it in the body needs --client-auth client_secret_post, one that knows this client as public needs no secret."
        }
        Some(ClientAuthenticationMethod::ClientSecretJwt) => {
            "Check client_id and secret; the secret was not sent, it signed an assertion: a server that expects another audience in it than its issuer needs --assertion-audience token-endpoint, one that wants the secret itself --client-auth client_secret_basic. A clock of this machine that is off has the same effect."
        }
        Some(ClientAuthenticationMethod::PrivateKeyJwt) => {
            "Check the client_id, and that the server has the public key of this client under the same kid (--client-key-id); a server that expects another audience in the assertion than its issuer needs --assertion-audience token-endpoint. A clock of this machine that is off has the same effect."
        }
        Some(ClientAuthenticationMethod::TlsClientAuth | ClientAuthenticationMethod::SelfSignedTlsClientAuth) => {
            "Check the client_id, and that the server knows the certificate of this client (--client-cert-file) and asks for it at this endpoint; something in front of the server may end TLS and drop the certificate."
        }
        Some(ClientAuthenticationMethod::ClientSecretPost) => {
            "Check client_id and secret; the secret was sent in the body: a server that wants it in the Authorization header needs --client-auth client_secret_basic, one that knows this client as public needs no secret."
        }
    }
    .to_owned()
}

/// The advice for an answer of the token endpoint that is no JSON.
pub(in crate::flow) fn advice_for_no_json(status: u16, sent: Option<&Sent>) -> String {
    match sent {
        // Rules against server-side request forgery take the redirect URI for an attack.
        Some(sent) if matches!(status, 403 | 406) && sent.has_loopback_address() => {
            "The token endpoint may be wrong, or only be open to others: see the answer with -vv. Or a firewall in front of it blocks requests that have 127.0.0.1 in them: register http://localhost/callback, and use --redirect-uri http://localhost:0/callback.".to_owned()
        }
        // Some servers refuse a client without a word.
        Some(Sent { method: Some(method), .. })
            if matches!(status, 401 | 403) && *method != ClientAuthenticationMethod::None =>
        {
            format!(
                "The server gives no reason; where it is the client that it refuses: {} Or something else than the token endpoint answers, such as a proxy.",
                client_authentication_refused(Some(*method))
            )
        }
        None if matches!(status, 400 | 401 | 403) => {
            "The server gives no reason: it may not take the refresh token any more; or something else than the token endpoint answers, such as a proxy or a captive portal.".to_owned()
        }
        _ => "Something else than the token endpoint seems to answer: a proxy, a captive portal, or a wrong --token-endpoint.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(redirect_uri: &str, method: ClientAuthenticationMethod) -> Sent {
        Sent {
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
            let advice = advice(&ErrorResponse::new(error, description), At::Token, Some(&public));
            assert!(advice.contains(part), "{error} {description}: {advice}");
        }
        let basic = sent("http://localhost/cb", ClientAuthenticationMethod::ClientSecretBasic);
        let post = sent("http://localhost/cb", ClientAuthenticationMethod::ClientSecretPost);
        let refused = ErrorResponse::new("invalid_client", "no");
        assert!(advice(&refused, At::Token, Some(&basic)).contains("--client-auth client_secret_post"));
        assert!(advice(&refused, At::Token, Some(&post)).contains("--client-auth client_secret_basic"));
        let mismatch = ErrorResponse::new("redirect_uri_mismatch", "no");
        assert!(advice(&mismatch, At::Token, Some(&basic)).contains("localhost is not 127.0.0.1"));
    }

    #[test]
    fn a_request_that_had_to_be_pushed_is_told_how() {
        let public = sent("http://127.0.0.1/callback", ClientAuthenticationMethod::None);
        let error = ErrorResponse::new("invalid_request", "Pushed Authorization Request is only allowed.");
        assert!(advice(&error, At::Authorization, Some(&public)).contains("without --par never"));
    }

    #[test]
    fn a_client_that_is_a_document_is_told_what_servers_look_at_in_it() {
        let url = "https://app.example/client.json";
        let of_document = Sent {
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
            let advice = advice(&error, At::Authorization, Some(&of_document));
            assert!(parts.iter().all(|part| advice.contains(part)), "{advice}");
        }
    }

    #[test]
    fn a_refusal_without_a_word_names_how_the_client_authenticated() {
        let basic = sent("", ClientAuthenticationMethod::ClientSecretBasic);
        for status in [401, 403] {
            let advice = advice_for_no_json(status, Some(&basic));
            assert!(
                advice.contains("Authorization header") && advice.contains("proxy"),
                "{advice}"
            );
        }
        assert!(!advice_for_no_json(404, Some(&basic)).contains("Authorization header"));
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
        let with_proof = Sent {
            with_proof: true,
            ..sent("https://app.example/cb", ClientAuthenticationMethod::None)
        };
        for sent in [None, Some(&with_proof)] {
            let refused = ErrorResponse::new("invalid_dpop_proof", "no");
            assert!(advice(&refused, At::Token, sent).contains("clock"));
        }
        let invalid = ErrorResponse::new("invalid_request", "resource owner is unknown");
        let public = sent("https://app.example/cb", ClientAuthenticationMethod::None);
        for sent in [None, Some(&public)] {
            assert!(advice(&invalid, At::Token, sent).contains("-vv"));
        }
        assert!(advice(&invalid, At::Authorization, None).contains("-v "));
        let denied = ErrorResponse::new("access_denied", "The resource owner denied the request");
        let with_resource = Sent {
            with_resource: true,
            ..public.clone()
        };
        assert!(advice(&denied, At::Authorization, Some(&with_resource)).contains("login again"));
        let refused = ErrorResponse::new("invalid_request", "Unknown resource");
        assert!(advice(&refused, At::Authorization, Some(&with_resource)).contains("--resource"));
        assert!(advice_for_no_json(403, Some(&public)).contains("captive portal"));
        assert!(advice_for_no_json(403, None).contains("captive portal"));
    }
}
