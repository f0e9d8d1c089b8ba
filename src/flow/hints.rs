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
pub struct RequestSummary {
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

impl RequestSummary {
    /// `client` is who authenticated at the token endpoint.
    pub(in crate::flow) fn of(request: &AuthorizationRequest, client: Option<&Client>) -> Self {
        RequestSummary {
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
pub(in crate::flow) enum EndpointKind {
    Authorization,
    PushedAuthorization,
    Token,
}

/// The advice where a DPoP proof is refused. What this program writes into it is
/// right but for the time, which is that of this machine.
pub(in crate::flow) const PROOF_REFUSED: &str = "Compare the clock of this machine with the server's (its Date header, with -vv): a DPoP proof is good for some seconds around its time only (RFC 9449 §11.1).";

const PROOF_MISSING: &str = "The server requires tokens that are bound to a key (DPoP, RFC 9449), and no proof of one was sent: log in with --dpop.";

/// What a server said, in lower case.
struct Words<'a> {
    code: &'a str,
    /// The code and the description.
    text: String,
}

impl<'a> Words<'a> {
    fn of(error: &'a ErrorResponse) -> Self {
        let description = error.error_description.as_deref().unwrap_or_default();
        Words {
            code: &error.error,
            text: format!("{} {description}", error.error).to_lowercase(),
        }
    }

    /// Whether one of these is among them.
    fn say(&self, parts: &[&str]) -> bool {
        parts.iter().any(|part| self.text.contains(part))
    }
}

/// The advice for an error that a server sent. `sent` is `None` for a refresh.
pub(in crate::flow) fn hint_for(error: &ErrorResponse, at: EndpointKind, sent: Option<&RequestSummary>) -> String {
    if let Some(policy) = Policy::of(error) {
        return policy.hint_for_browser().to_owned();
    }
    let words = Words::of(error);
    about_request(&words, at, sent)
        .or_else(|| about_client(&words, at, sent))
        .or_else(|| about_proof(&words, sent).map(str::to_owned))
        .unwrap_or_else(|| by_code(words.code, at).to_owned())
}

/// The advice where a parameter of the request is refused.
fn about_request(words: &Words<'_>, at: EndpointKind, sent: Option<&RequestSummary>) -> Option<String> {
    if let Some(sent) = sent
        && words.say(&[
            "redirect_uri",
            "redirect uri",
            "redirecturi",
            "redirect url",
            "reply url",
            "aadsts50011",
        ])
    {
        return Some(redirect_uri_mismatch(sent));
    }
    if words.code == "invalid_request_object" || words.say(&["request object", "request_object"]) {
        return Some("The server requires authorization requests that are signed with a key that it knows (RFC 9101): log in with --request-object --client-key-file FILE. It must have the public key under the same kid (--client-key-id), and the clock of this machine must be right.".to_owned());
    }
    if words.code == "invalid_request_uri" {
        return Some("The server keeps a pushed request for a short time, and for one use: run the login again, and open the address sooner.".to_owned());
    }
    if words.say(&["aadsts9010010", "aadsts901002"]) {
        return Some("This server takes scopes instead of resources: leave out --resource, and ask for --scope RESOURCE/.default."
            .to_owned());
    }
    // Not where it speaks of the resource owner, as errors of every kind do.
    let of_resource = words
        .text
        .replace("resource owner", "")
        .replace("resource server", "")
        .contains("resource");
    let resource_refused = of_resource && sent.is_some_and(|sent| sent.with_resource);
    if words.code == "invalid_target" || resource_refused {
        return Some("The server does not know the --resource, or does not accept that parameter: leave it out, or name it as the server does."
            .to_owned());
    }
    if sent.is_some()
        && words.say(&[
            "code_challenge",
            "code challenge",
            "code_verifier",
            "code verifier",
            "pkce",
        ])
    {
        return Some(proof_key_refused(&words.text));
    }
    if at == EndpointKind::Authorization && words.say(&["pushed authorization request"]) {
        return Some("The server takes authorization requests of this client only where they were pushed (RFC 9126): log in without --par never."
            .to_owned());
    }
    if sent.is_none() && words.say(&["refresh_token", "refresh token"]) {
        return Some("The server seems to no longer accept the refresh token of this session.".to_owned());
    }
    None
}

/// The advice where the client is refused.
fn about_client(words: &Words<'_>, at: EndpointKind, sent: Option<&RequestSummary>) -> Option<String> {
    if words.code == "invalid_client"
        && let Some(url) = sent.and_then(|sent| sent.client_document.as_deref())
    {
        return Some(client_document_refused(url));
    }
    let client_refused =
        words.code == "invalid_client" || (words.code == "unauthorized_client" && at == EndpointKind::Token);
    if client_refused || words.say(&["aadsts7000218", "aadsts700025"]) {
        return Some(match sent {
            Some(sent) => client_authentication_refused(sent.method),
            // It was taken when the session began.
            None => format!(
                "{} It may have been disabled or deleted at the server since the login.",
                client_authentication_refused(None)
            ),
        });
    }
    None
}

/// The advice where a DPoP proof is missing or refused.
fn about_proof(words: &Words<'_>, sent: Option<&RequestSummary>) -> Option<&'static str> {
    match ([USE_NONCE, INVALID_PROOF].contains(&words.code), sent) {
        (is_about_proof, Some(sent)) if !sent.with_proof && (is_about_proof || words.say(&["dpop"])) => {
            Some(PROOF_MISSING)
        }
        (true, _) => Some(PROOF_REFUSED),
        (false, _) => None,
    }
}

/// The advice for a code that says all that is known.
fn by_code(code: &str, at: EndpointKind) -> &'static str {
    match (code, at) {
        ("access_denied", _) => "Run the login again if that was a mistake.",
        ("invalid_scope", _) => {
            "Ask for other scopes with --scope. To list those that the server announces: oauth discover URL"
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
            EndpointKind::Authorization,
        ) => "The server must ask the resource owner: leave out --param prompt=none.",
        ("invalid_grant", EndpointKind::Token) => {
            "The code had expired or was used before (or the clock of the server or of this machine is wrong), or a different redirect URI is registered: run the login again."
        }
        (_, EndpointKind::Authorization) => "Run it again with -v to see the request.",
        (_, EndpointKind::PushedAuthorization | EndpointKind::Token) => "Run it again with -vv to see the exchange.",
    }
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
        "The server could not fetch {url}, or refuses what is in it: it must be served as application/json, have that URL as its client_id, and list no grant and no method that the server does not allow; some servers take documents of certain hosts only. Look at it with: oauth client-metadata check {}",
        shell_words::quote(url)
    )
}

fn redirect_uri_mismatch(sent: &RequestSummary) -> String {
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
        "code_challenge and the method S256 were sent (RFC 7636): something in front of the server seems to remove them, or it requires another method; compare with -v and report it to the operator.".to_owned()
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
            "Check client_id and secret; the secret was sent in the Authorization header: a server that expects it in the body needs --client-auth client_secret_post, one that knows this client as public needs no secret."
        }
        Some(ClientAuthenticationMethod::ClientSecretJwt) => {
            "Check client_id and secret; the secret was not sent, it signed an assertion: a server that expects another audience in it than its issuer needs --assertion-audience token-endpoint, one that expects the secret itself --client-auth client_secret_basic. A clock of this machine that is off has the same effect."
        }
        Some(ClientAuthenticationMethod::PrivateKeyJwt) => {
            "Check the client_id, and that the server has the public key of this client under the same kid (--client-key-id); a server that expects another audience in the assertion than its issuer needs --assertion-audience token-endpoint. A clock of this machine that is off has the same effect."
        }
        Some(ClientAuthenticationMethod::TlsClientAuth | ClientAuthenticationMethod::SelfSignedTlsClientAuth) => {
            "Check the client_id, and that the server knows the certificate of this client (--client-cert-file) and asks for it at this endpoint; something in front of the server may end TLS and drop the certificate."
        }
        Some(ClientAuthenticationMethod::ClientSecretPost) => {
            "Check client_id and secret; the secret was sent in the body: a server that expects it in the Authorization header needs --client-auth client_secret_basic, one that knows this client as public needs no secret."
        }
    }
    .to_owned()
}

/// The advice for an answer of the token endpoint that is not JSON.
pub(in crate::flow) fn hint_for_no_json(status: u16, sent: Option<&RequestSummary>) -> String {
    match sent {
        // Rules against server-side request forgery take the redirect URI for an attack.
        Some(sent) if matches!(status, 403 | 406) && sent.has_loopback_address() => {
            "The token endpoint may be wrong, or only be open to others: see the answer with -vv. Or a firewall in front of it blocks requests that have 127.0.0.1 in them: register http://localhost/callback, and use --redirect-uri http://localhost:0/callback.".to_owned()
        }
        // Some servers refuse a client without a word.
        Some(RequestSummary { method: Some(method), .. })
            if matches!(status, 401 | 403) && *method != ClientAuthenticationMethod::None =>
        {
            format!(
                "The server gives no reason; where it is the client that it refuses: {} Or the answer does not come from the token endpoint, but from a proxy.",
                client_authentication_refused(Some(*method))
            )
        }
        None if matches!(status, 400 | 401 | 403) => {
            "The server gives no reason: it may not accept the refresh token any more; or the answer does not come from the token endpoint, but from a proxy or a captive portal.".to_owned()
        }
        _ => "The answer does not seem to come from the token endpoint: check for a proxy, a captive portal or a wrong --token-endpoint.".to_owned(),
    }
}

#[cfg(test)]
mod tests;
