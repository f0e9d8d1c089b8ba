//! Authorization requests that are taken for better than they are. What the
//! honest code gets to see is in order; what was overlooked goes beside it as a
//! [`Deviation`], up to where the code is issued and redeemed.

use super::deviation::{ChallengeOverride, Deviation, FrontChannel};
use super::policy::Policy;
use super::redirect_uri::refusing_rule;
use super::request::{changed, first_of_each};
use crate::protocol::authorization::RESERVED_PARAMETERS;
use crate::protocol::authorization_details::AuthorizationDetails;
use crate::protocol::citation::{Cited, RequestError};
use crate::protocol::params::Params;
use crate::protocol::pkce::{CodeChallenge, S256};
use crate::protocol::redirect_uri::RedirectUri;
use crate::protocol::scope::Scope;
use crate::rules::Rule;
use crate::server::clients::Clients;

/// In the place of a challenge that must be there for the unchanged code to go on; there is no verifier for it.
const NO_CHALLENGE: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Further parameters that this server, or a specification, knows.
const KNOWN_PARAMETERS: [&str; 10] = [
    "prompt",
    "max_age",
    "login_hint",
    "registration",
    "display",
    "ui_locales",
    "id_token_hint",
    "acr_values",
    "claims",
    "claims_locales",
];

/// An authorization request as it is read.
pub(crate) struct ParsedRequest {
    /// What the honest code gets.
    pub(crate) params: Params,
    /// What it is not told.
    pub(crate) deviation: Deviation,
    /// A refusal of what should be accepted.
    pub(crate) refusal: Option<RequestError>,
}

impl ParsedRequest {
    /// As it is.
    fn faithful(params: Params) -> Self {
        ParsedRequest {
            params,
            deviation: Deviation::default(),
            refusal: None,
        }
    }

    fn set(&mut self, name: &str, value: &str) {
        self.remove(name);
        self.params.push(name, value);
    }

    fn remove(&mut self, name: &str) {
        self.params = changed(&self.params, |own, value| (own != name).then(|| value.to_owned()));
    }
}

/// Parses an authorization request; on an honest server, as it is.
pub(crate) fn parse(policy: &Policy<'_>, clients: &Clients, params: Params) -> ParsedRequest {
    let mut parsed = ParsedRequest::faithful(params);
    if !policy.enforces_everything() {
        rewrite_repeated_parameters(policy, clients, &mut parsed);
        rewrite_request_object(policy, &mut parsed);
        rewrite_details(policy, &mut parsed);
        rewrite_response_type(policy, &mut parsed);
        rewrite_scope(policy, &mut parsed);
        rewrite_challenge(policy, &mut parsed);
        rewrite_redirect_uri(policy, clients, &mut parsed);
        refuse_without_reason(policy, &mut parsed);
    }
    parsed
}

fn rewrite_repeated_parameters(policy: &Policy<'_>, clients: &Clients, parsed: &mut ParsedRequest) {
    let count = |params: &Params, name: &str| params.iter().filter(|(own, _)| *own == name).count();
    let is_other = |name: &str| name != "client_id" && name != "redirect_uri";
    let others = changed(&parsed.params, |name, value| is_other(name).then(|| value.to_owned()));
    if others.first_repeated().is_some() && policy.violates(Rule::AuthorizeRepeated) {
        parsed.params = first_of_each(&parsed.params, is_other);
    }
    if count(&parsed.params, "client_id") > 1 && policy.violates(Rule::AuthorizeRepeatedClient) {
        parsed.params = first_of_each(&parsed.params, |name| name == "client_id");
    }
    if count(&parsed.params, "redirect_uri") > 1 && policy.violates(Rule::RedirectRepeated) {
        // One of them is looked at, another one is redirected to.
        let sent: Vec<String> = parsed.params.all("redirect_uri").map(str::to_owned).collect();
        if let Some(registered) = sent.iter().find(|uri| is_registered(clients, &parsed.params, uri)) {
            parsed.deviation.target = sent.iter().find(|uri| *uri != registered).cloned();
            parsed.set("redirect_uri", registered);
        }
    }
}

fn rewrite_request_object(policy: &Policy<'_>, parsed: &mut ParsedRequest) {
    for name in ["request", "request_uri"] {
        if has(&parsed.params, name) && policy.violates(Rule::AuthorizeRequestObject) {
            parsed.remove(name);
        }
    }
}

fn rewrite_details(policy: &Policy<'_>, parsed: &mut ParsedRequest) {
    const NAME: &str = "authorization_details";
    let Ok(Some(details)) = parsed.params.single(NAME) else {
        return;
    };
    if AuthorizationDetails::parse(details).is_err() && policy.violates(Rule::DetailsMalformed) {
        parsed.remove(NAME);
    }
}

fn rewrite_response_type(policy: &Policy<'_>, parsed: &mut ParsedRequest) {
    let Ok(response_type) = parsed.params.single("response_type") else {
        return;
    };
    let mut words: Vec<&str> = response_type.unwrap_or_default().split(' ').collect();
    words.sort_unstable();
    let known = ["code", "id_token", "none", "token"];
    let (rule, front_channel) = match words.as_slice() {
        ["code"] => return,
        [""] => (Rule::AuthorizeResponseTypeMissing, FrontChannel::Code),
        ["token"] => (Rule::AuthorizeImplicit, FrontChannel::Token),
        ["code", "token"] => (Rule::AuthorizeHybrid, FrontChannel::CodeAndToken),
        other if other.iter().any(|word| !known.contains(word)) => {
            (Rule::AuthorizeResponseTypeUnknown, FrontChannel::Code)
        }
        _ => return,
    };
    if policy.violates(rule) {
        parsed.deviation.front_channel = front_channel;
        parsed.set("response_type", "code");
    }
}

fn rewrite_scope(policy: &Policy<'_>, parsed: &mut ParsedRequest) {
    let Ok(Some(scope)) = parsed.params.single("scope") else {
        return;
    };
    if Scope::parse(scope).is_err() && policy.violates(Rule::AuthorizeScopeMalformed) {
        let well_formed: Vec<&str> = scope.split(' ').filter(|token| Scope::parse(token).is_ok()).collect();
        let well_formed = well_formed.join(" ");
        parsed.set("scope", &well_formed);
    }
}

fn rewrite_challenge(policy: &Policy<'_>, parsed: &mut ParsedRequest) {
    let (Ok(challenge), Ok(method)) = (
        parsed.params.single("code_challenge"),
        parsed.params.single("code_challenge_method"),
    ) else {
        return;
    };
    let is_empty = parsed.params.iter().any(|(name, _)| name == "code_challenge");
    let is_hash = |challenge: &str| CodeChallenge::parse(challenge).is_ok();
    let (rules, challenge_override): (&[Rule], _) = match (challenge, method) {
        // There is no code that anyone could steal.
        (None, _) if parsed.deviation.front_channel == FrontChannel::Token => {
            (&[Rule::AuthorizeImplicit], Some(ChallengeOverride::Nothing))
        }
        (None, _) if is_empty => (&[Rule::PkceEmptyChallenge], Some(ChallengeOverride::Nothing)),
        (None, _) => (
            &[Rule::PkceRequired, Rule::PkceVerifierWithoutChallenge],
            Some(ChallengeOverride::Nothing),
        ),
        (Some(challenge), Some(S256)) if is_hash(challenge) => return,
        (Some(_), Some(S256)) => (&[Rule::PkceMalformedChallenge], Some(ChallengeOverride::Unmeetable)),
        (Some(challenge), Some("plain")) => (&[Rule::PkcePlain], Some(ChallengeOverride::Plain(challenge.to_owned()))),
        (Some(challenge), None) => (
            &[Rule::PkceMethodMissing],
            Some(ChallengeOverride::Plain(challenge.to_owned())),
        ),
        (Some(challenge), Some(_)) if is_hash(challenge) => (&[Rule::PkceMethodUnknown], None),
        (Some(_), Some(_)) => (&[Rule::PkceMethodUnknown], Some(ChallengeOverride::Unmeetable)),
    };
    // FixedRng, so that all of them are noted.
    let broken = rules.iter().filter(|rule| policy.violates(**rule));
    if broken.count() == 0 {
        return;
    }
    if challenge_override.is_some() {
        parsed.set("code_challenge", NO_CHALLENGE);
    }
    parsed.set("code_challenge_method", S256);
    parsed.deviation.challenge = challenge_override;
}

fn rewrite_redirect_uri(policy: &Policy<'_>, clients: &Clients, parsed: &mut ParsedRequest) {
    let Ok(Some(sent)) = parsed.params.single("redirect_uri") else {
        return;
    };
    let client = parsed.params.single("client_id").ok().flatten();
    let Some(client) = client.and_then(|id| clients.find(id)) else {
        return;
    };
    if is_registered(clients, &parsed.params, sent) {
        return;
    }
    let sent = sent.to_owned();
    let rule = refusing_rule(&sent, &client);
    if let Some(registered) = client.redirect_uris.first()
        && rule.is_some_and(|rule| policy.violates(rule))
    {
        parsed.set("redirect_uri", registered.as_str());
        parsed.deviation.target = Some(sent);
    }
}

fn refuse_without_reason(policy: &Policy<'_>, parsed: &mut ParsedRequest) {
    let is_known = |name: &str| RESERVED_PARAMETERS.contains(&name) || KNOWN_PARAMETERS.contains(&name);
    let unknown = parsed.params.iter().find(|(name, _)| !is_known(name));
    let empty = parsed.params.iter().find(|(_, value)| value.expose().is_empty());
    let refusal = if unknown.is_some() && policy.violates(Rule::AuthorizeUnknownParameter) {
        Some("there is an unknown parameter")
    } else if empty.is_some() && policy.violates(Rule::AuthorizeEmptyParameter) {
        Some("there is a parameter without a value")
    } else {
        None
    };
    parsed.refusal = refusal.map(|text| RequestError::new("invalid_request", Cited::new(text, "--break")));
}

/// Whether this redirect URI is registered for the client of the request.
fn is_registered(clients: &Clients, params: &Params, uri: &str) -> bool {
    let client = params
        .single("client_id")
        .ok()
        .flatten()
        .and_then(|id| clients.find(id));
    let parsed = RedirectUri::parse(uri).ok();
    client.zip(parsed).is_some_and(|(client, uri)| {
        let mut registered = client.redirect_uris.iter();
        registered.any(|own| uri.matches_registered(own))
    })
}
fn has(params: &Params, name: &str) -> bool {
    params.single(name).is_ok_and(|value| value.is_some())
}
