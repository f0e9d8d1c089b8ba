//! What a rule protects from: for `oauth check --explain` and the report as a
//! page. A rule that has no text of its own has that of its group.

use super::Rule;

impl Rule {
    /// A few sentences: what can happen where the server breaks the rule.
    pub fn purpose(self) -> &'static str {
        of_rule(self.id()).unwrap_or_else(|| of_group(self.group()))
    }
}

fn of_rule(id: &str) -> Option<&'static str> {
    Some(match id {
        "authorize.state"
        | "authorize.state-characters"
        | "authorize.state-long"
        | "authorize.state-in-error"
        | "jarm.state" => {
            "The client recognises its own answer by `state`. Where it does not come back unchanged, the client cannot tell an answer to its request from one that an attacker sends to it (cross-site request forgery), and a correct client refuses the login."
        }
        "authorize.iss"
        | "authorize.iss-in-error"
        | "authorize.iss-value"
        | "metadata.iss-parameter"
        | "jarm.issuer" => {
            "A client of several servers tells by `iss` which of them answers. Without it, a malicious server can make the client send the code of another server to itself (mix-up attack)."
        }
        "authorize.code-entropy"
        | "authorize.code-entropy-160"
        | "par.entropy"
        | "token.entropy"
        | "token.entropy-160"
        | "token.refresh-entropy"
        | "token.refresh-entropy-160"
        | "device.code-entropy"
        | "device.user-code-entropy" => {
            "An attacker who guesses the value can use it. A value with too little randomness can be found by trying, or computed from earlier ones."
        }
        "authorize.implicit" | "authorize.hybrid" | "metadata.no-implicit" => {
            "A token in the redirect is in the browser's history, in logs and in the reach of every script of the page, and nothing binds it to the client that asked for it."
        }
        "authorize.query" => {
            "Only a code in the query reaches the client's listener: browsers do not send the fragment, so the login never ends."
        }
        "authorize.response-type-missing"
        | "authorize.response-type-unknown"
        | "authorize.repeated"
        | "authorize.repeated-client"
        | "token.repeated" => {
            "A request that two programs read differently passes the check of one and takes effect in the other. A malformed request must be an error, so that both see the same."
        }
        "authorize.client-missing" | "authorize.client-unknown" => {
            "A server that redirects for a client that it does not know is an open redirector: a link to a trusted site leads to the attacker's page."
        }
        "authorize.unknown-parameter"
        | "authorize.empty-parameter"
        | "token.unknown-parameter"
        | "registration.unknown-member" => {
            "Extensions add parameters. A server that refuses those that it does not know locks out clients that use an extension with other servers."
        }
        "authorize.error-characters" | "token.error-characters" => {
            "Error texts are shown and logged. Quotes and control characters in them can break the JSON, the log line or the terminal that they end up in."
        }
        "authorize.post" | "userinfo.post" => {
            "OpenID Connect clients may send the request by POST. A server that accepts only GET does not work with them."
        }
        "authorize.no-307" => {
            "307 and 308 repeat the POST with its body: the password that was typed at the server is sent to the client."
        }
        "authorize.prompt-none" => {
            "A client asks with prompt=none whether a user is signed in, without showing anything. A page in place of the answer leaves the hidden request hanging."
        }
        "authorize.request-object" => {
            "A client that signs its request relies on the signature. A server that ignores the request object takes the unsigned parameters beside it."
        }
        "authorize.framing" => {
            "A page in a frame can be placed over another page without being seen, so that a person presses Allow without seeing it (clickjacking)."
        }
        "authorize.content-security-policy" | "authorize.escaping" => {
            "A script in the sign-in page reads the password and gives consent in the person's name. Values of a request must never become part of the page's code; a policy keeps what gets through from running."
        }
        "authorize.referrer-policy" => {
            "The URL of the page has the parameters of the request. Without a policy the browser tells it to other sites that the page links to."
        }
        "authorize.form-action" => {
            "Browsers apply form-action to redirects after a form as well. A policy that leaves out the client's redirect URI blocks the login after the consent."
        }
        "authorize.no-cors" => {
            "Nothing but a navigation of the browser should reach the authorization endpoint. With CORS any site can read its answers, codes included."
        }
        "code.single-use" | "code.reuse-revokes" | "code.parallel" => {
            "A code can leak from a log, a history or a proxy. A code that works once is useless after the client has used it; a second use shows that another party has it, so the tokens of the first use must end as well."
        }
        "metadata.https" | "metadata.fragment" | "metadata.issuer-url" | "device.verification-uri" => {
            "Anyone on the network path can read and change what goes over http: codes, tokens, passwords."
        }
        "metadata.issuer" | "resource.identity" | "resource.issuers" => {
            "A document that names another server lets one server speak for another: clients would send codes and tokens to endpoints that the attacker chose."
        }
        "metadata.no-password" | "token.password" => {
            "With the password grant the client sees the password. Second factors and sign-in pages are bypassed, and people learn to type passwords into other programs."
        }
        "metadata.s256"
        | "metadata.challenge-methods"
        | "metadata.no-plain"
        | "pkce.plain"
        | "pkce.method-missing"
        | "pkce.challenge-as-verifier" => {
            "With `plain` the challenge is the verifier: anyone who sees the authorization request can redeem the code. Clients use S256 only where they can see that the server takes it."
        }
        "metadata.no-none" | "id-token.signed" | "id-token.signature" | "jarm.signed" | "jarm.signature" => {
            "Without a signature anyone can write the token or the answer, and say in it who has signed in."
        }
        "token.get"
        | "token.query"
        | "revocation.post-only"
        | "par.post-only"
        | "userinfo.token-in-query"
        | "resource.token-in-query"
        | "resource.bearer-methods" => {
            "URLs are kept in logs, histories and Referer headers, and codes, secrets and tokens in them with the rest."
        }
        "token.no-store"
        | "token.pragma"
        | "token.error-no-store"
        | "par.no-store"
        | "device.no-store"
        | "userinfo.no-store"
        | "registration.no-store" => {
            "An answer in a shared cache can be given to another user, tokens and personal data included."
        }
        "token.content-type"
        | "token.error-json"
        | "token.error-status"
        | "token.token-type"
        | "token.expires-in"
        | "metadata.content-type"
        | "metadata.empty-arrays"
        | "resource.content-type"
        | "resource.empty-arrays"
        | "registration.content-type" => {
            "Clients read the answer by its status, its content type and its members. One that differs is an error to some clients and something else to others."
        }
        "token.lifetime" => {
            "A bearer token that leaks works until it expires. A short lifetime limits what it can be used for."
        }
        "token.client-authentication"
        | "token.wrong-secret"
        | "token.two-methods"
        | "token.unknown-client"
        | "token.basic-challenge" => {
            "The client's authentication is what an attacker with a stolen code or refresh token does not have. Where it is not required, or a wrong one passes, the stolen value is enough."
        }
        "token.audience" | "token.resource" | "token.jwt-profile" | "resource.audience" => {
            "A token that every API accepts can be used by one API against another. The audience binds it to the API that the client asked for."
        }
        "userinfo.id-token"
        | "resource.id-token"
        | "refresh.access-token"
        | "jwt-bearer.id-token"
        | "jwt-bearer.access-token" => {
            "Tokens of one kind are seen by parties that must not have the rights of another kind. A server that accepts one as the other gives them these rights."
        }
        _ => return None,
    })
}

fn of_group(group: &str) -> &'static str {
    match group {
        "metadata" => {
            "Clients configure themselves from the document. What is missing or wrong in it makes them fail, or choose something weaker than the server supports."
        }
        "keys" => {
            "Clients verify signatures with the published keys. Keys that are missing, weak, ambiguous or private let tokens be forged, or make clients refuse good ones."
        }
        "authorize" => {
            "The authorization endpoint meets requests that anyone can write into a link. What it answers must be exact, so that a client can rely on it and an attacker cannot use it."
        }
        "redirect-uri" => {
            "The code goes to the redirect URI. Where a server accepts one that is only similar to the registered one, an attacker can send a link whose code goes to the attacker (RFC 9700 §4.1)."
        }
        "assertion" => {
            "A client assertion takes the place of a secret. Where its signature, audience, expiry or repetition is not checked, a copied or forged one authenticates the attacker as the client."
        }
        "pkce" => {
            "PKCE binds the code to the client that began the login. Where the verifier is not checked exactly, a stolen code can be exchanged for a token, and the attacker's code can be put into another user's login (code injection)."
        }
        "code" => {
            "A code is bound to its client, its redirect URI and its verifier. A server that does not check one of them lets a stolen code be redeemed by another client."
        }
        "token" => {
            "The token endpoint issues the keys to the account. It must accept only well-formed requests of the client itself, and its answers must be unambiguous."
        }
        "refresh" => {
            "A refresh token lives long. Rotation and detection of reuse show that it was stolen; binding to the client and to the granted scope limits what an attacker gets."
        }
        "revocation" => {
            "Logging out, or reacting to a stolen token, only helps where the tokens really end, and where no other client can end them."
        }
        "introspection" => {
            "Introspection shows what a token is good for. Open to anyone, it helps to try stolen or guessed tokens; a wrong `active` lets an API accept a revoked one."
        }
        "dpop" => {
            "DPoP binds a token to a key of the client, so that a stolen token alone is useless. Each missing check of the proof lets an attacker use the token, or use a proof a second time."
        }
        "device" => {
            "The person approves on another device than the one that asked. Weak or reusable codes let an attacker's device be approved, or poll for the tokens of another."
        }
        "par" => {
            "A pushed request is sent by the client itself and cannot be changed in the browser. That holds only where the reference is secret, short-lived, bound to the client and used once."
        }
        "jar" => {
            "A signed request cannot be changed on its way through the browser. That holds only where signature, issuer, audience and expiry are checked, and parameters outside the object are not used."
        }
        "jarm" => {
            "A signed response tells the client which server answered, and for which client. Each member that is missing or wrong lets an answer be used for another client, another request or a second time."
        }
        "rar" => {
            "Authorization details say exactly what is granted. A server that ignores unknown types, or grants more than was consented to, gives rights that were never approved."
        }
        "exchange" => {
            "Token exchange makes a new token from another one. Where the first is not verified, a forged or revoked token, or one of another server, becomes a valid one."
        }
        "id-jag" => {
            "An identity assertion is for another authorization server, not for an API. Issued as a bearer token, it would be used as an access token."
        }
        "jwt-bearer" => {
            "Only the assertion decides whose token is issued. A forged one, or one for another server, gives access to an account."
        }
        "mtls" => {
            "A token bound to a certificate is useless without its private key. That holds only where server and API compare the certificate each time."
        }
        "id-token" => {
            "The ID token says who has signed in. Each claim that is missing or wrong lets a token of another client, another login or another user be accepted."
        }
        "userinfo" => {
            "The userinfo endpoint gives away personal data, and applications trust its answer about who signed in."
        }
        "resource" => {
            "Clients find the authorization server of an API by its metadata, and the API must accept only tokens that were made for it. A wrong document sends people to a wrong sign-in page."
        }
        "challenge" => {
            "A client that is refused learns from the challenge what to do next. Without a correct one it cannot find the server to log in at, or asks for the wrong scope."
        }
        "registration" => {
            "Anyone can register. What is registered must be what the client asked for, and must not give access to the redirect URIs or the registration of other clients."
        }
        "client-id-document" => {
            "The server fetches a document from a URL that anyone can name. It must belong to that very URL, and must not make the server fetch too often or accept secrets and redirect URIs that do not match."
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_says_what_it_protects_from() {
        for rule in Rule::ALL {
            assert!(rule.purpose().ends_with(['.', ')']), "{rule}: {:?}", rule.purpose());
        }
    }

    #[test]
    fn a_text_that_no_rule_has_would_be_noticed() {
        let source = include_str!("purpose.rs");
        let (table, _) = source.split_once("fn of_group").unwrap_or_default();
        let ids = table.split('"').filter(|text| {
            let is_id = |character: char| character.is_ascii_alphanumeric() || "-.".contains(character);
            text.contains('.') && text.chars().all(is_id)
        });
        for id in ids {
            assert!(Rule::ALL.iter().any(|rule| rule.id() == id), "{id}");
        }
    }
}
