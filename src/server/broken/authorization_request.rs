//! Authorization requests that are taken for better than they are. What the
//! honest code gets to see is in order; what was overlooked goes beside it as a
//! [`Departure`], up to where the code is issued and redeemed.

use super::super::authorization_server::AuthorizationServer;
use super::redirect_uri::refusing_rule;
use super::request::{changed, first_of_each};
use crate::protocol::authorization::RESERVED_PARAMETERS;
use crate::protocol::error::ErrorResponse;
use crate::protocol::params::Params;
use crate::protocol::pkce::{CodeChallenge, S256};
use crate::protocol::redirect_uri::RedirectUri;
use crate::protocol::scope::Scope;
use crate::rules::Rule;

/// Stands where a challenge must stand for the honest code to go on; nobody has a verifier of it.
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

/// What a verifier is compared with where that is not an S256 challenge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Commitment {
    /// There was no challenge.
    Nothing,
    /// The verifier itself (`plain`).
    Plain(String),
    /// A challenge that no verifier hashes into.
    Unmeetable,
}

/// What the browser brings back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum FrontChannel {
    /// A code: the only honest answer.
    #[default]
    Code,
    /// An access token (implicit).
    Token,
    /// Both (hybrid).
    CodeAndToken,
}

/// How an authorization request departs from what the honest code was told.
#[derive(Debug, Clone, Default)]
pub(crate) struct Departure {
    /// Instead of the challenge.
    pub(crate) commitment: Option<Commitment>,
    /// What comes back.
    pub(crate) front_channel: FrontChannel,
    /// Where the browser is sent to instead of the redirect URI.
    pub(crate) target: Option<String>,
}

/// An authorization request as it is read.
pub(crate) struct Reading {
    /// What the honest code gets.
    pub(crate) params: Params,
    /// What it is not told.
    pub(crate) departure: Departure,
    /// A refusal of what should be accepted.
    pub(crate) refusal: Option<ErrorResponse>,
    /// The rules that were broken.
    pub(crate) noted: Vec<Rule>,
}

impl Reading {
    /// As it is.
    fn honest(params: Params) -> Self {
        Reading {
            params,
            departure: Departure::default(),
            refusal: None,
            noted: Vec::new(),
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

impl AuthorizationServer {
    /// Reads an authorization request; on an honest server, as it is.
    pub(crate) fn read_authorization_request(&self, params: Params) -> Reading {
        let mut reading = Reading::honest(params);
        if !self.broken.is_empty() {
            self.read_repeated_parameters(&mut reading);
            self.read_request_object(&mut reading);
            self.read_response_type(&mut reading);
            self.read_scope(&mut reading);
            self.read_challenge(&mut reading);
            self.read_redirect_uri(&mut reading);
            self.refuse_for_nothing(&mut reading);
        }
        reading
    }

    fn read_repeated_parameters(&self, reading: &mut Reading) {
        let count = |params: &Params, name: &str| params.iter().filter(|(own, _)| *own == name).count();
        let is_other = |name: &str| name != "client_id" && name != "redirect_uri";
        let others = changed(&reading.params, |name, value| is_other(name).then(|| value.to_owned()));
        if others.first_repeated().is_some() && self.broken.breaks(Rule::AuthorizeRepeated, &mut reading.noted) {
            reading.params = first_of_each(&reading.params, is_other);
        }
        if count(&reading.params, "client_id") > 1
            && self.broken.breaks(Rule::AuthorizeRepeatedClient, &mut reading.noted)
        {
            reading.params = first_of_each(&reading.params, |name| name == "client_id");
        }
        if count(&reading.params, "redirect_uri") > 1 && self.broken.breaks(Rule::RedirectRepeated, &mut reading.noted)
        {
            // One of them is looked at, another one is redirected to.
            let sent: Vec<String> = reading.params.all("redirect_uri").map(str::to_owned).collect();
            if let Some(registered) = sent.iter().find(|uri| self.is_registered(&reading.params, uri)) {
                reading.departure.target = sent.iter().find(|uri| *uri != registered).cloned();
                reading.set("redirect_uri", registered);
            }
        }
    }

    fn read_request_object(&self, reading: &mut Reading) {
        for name in ["request", "request_uri"] {
            if has(&reading.params, name) && self.broken.breaks(Rule::AuthorizeRequestObject, &mut reading.noted) {
                reading.remove(name);
            }
        }
    }

    fn read_response_type(&self, reading: &mut Reading) {
        let Ok(response_type) = reading.params.single("response_type") else {
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
        if self.broken.breaks(rule, &mut reading.noted) {
            reading.departure.front_channel = front_channel;
            reading.set("response_type", "code");
        }
    }

    fn read_scope(&self, reading: &mut Reading) {
        let Ok(Some(scope)) = reading.params.single("scope") else {
            return;
        };
        if Scope::parse(scope).is_err() && self.broken.breaks(Rule::AuthorizeScopeMalformed, &mut reading.noted) {
            let well_formed: Vec<&str> = scope.split(' ').filter(|token| Scope::parse(token).is_ok()).collect();
            let well_formed = well_formed.join(" ");
            reading.set("scope", &well_formed);
        }
    }

    fn read_challenge(&self, reading: &mut Reading) {
        let (Ok(challenge), Ok(method)) = (
            reading.params.single("code_challenge"),
            reading.params.single("code_challenge_method"),
        ) else {
            return;
        };
        let is_empty = reading.params.iter().any(|(name, _)| name == "code_challenge");
        let is_hash = |challenge: &str| CodeChallenge::parse(challenge).is_ok();
        let (rules, commitment): (&[Rule], _) = match (challenge, method) {
            // There is no code that anybody could steal.
            (None, _) if reading.departure.front_channel == FrontChannel::Token => {
                (&[Rule::AuthorizeImplicit], Some(Commitment::Nothing))
            }
            (None, _) if is_empty => (&[Rule::PkceEmptyChallenge], Some(Commitment::Nothing)),
            (None, _) => (
                &[Rule::PkceRequired, Rule::PkceVerifierWithoutChallenge],
                Some(Commitment::Nothing),
            ),
            (Some(challenge), Some(S256)) if is_hash(challenge) => return,
            (Some(_), Some(S256)) => (&[Rule::PkceMalformedChallenge], Some(Commitment::Unmeetable)),
            (Some(challenge), Some("plain")) => (&[Rule::PkcePlain], Some(Commitment::Plain(challenge.to_owned()))),
            (Some(challenge), None) => (
                &[Rule::PkceMethodMissing],
                Some(Commitment::Plain(challenge.to_owned())),
            ),
            (Some(challenge), Some(_)) if is_hash(challenge) => (&[Rule::PkceMethodUnknown], None),
            (Some(_), Some(_)) => (&[Rule::PkceMethodUnknown], Some(Commitment::Unmeetable)),
        };
        // Counted, so that all of them are noted.
        let broken = rules
            .iter()
            .filter(|rule| self.broken.breaks(**rule, &mut reading.noted));
        if broken.count() == 0 {
            return;
        }
        if commitment.is_some() {
            reading.set("code_challenge", NO_CHALLENGE);
        }
        reading.set("code_challenge_method", S256);
        reading.departure.commitment = commitment;
    }

    fn read_redirect_uri(&self, reading: &mut Reading) {
        let Ok(Some(sent)) = reading.params.single("redirect_uri") else {
            return;
        };
        let client = reading.params.single("client_id").ok().flatten();
        let Some(client) = client.and_then(|id| self.client(id)) else {
            return;
        };
        if self.is_registered(&reading.params, sent) {
            return;
        }
        let sent = sent.to_owned();
        let rule = refusing_rule(&sent, client);
        if let Some(registered) = client.redirect_uris.first()
            && rule.is_some_and(|rule| self.broken.breaks(rule, &mut reading.noted))
        {
            reading.set("redirect_uri", registered.as_str());
            reading.departure.target = Some(sent);
        }
    }

    fn refuse_for_nothing(&self, reading: &mut Reading) {
        let is_known = |name: &str| RESERVED_PARAMETERS.contains(&name) || KNOWN_PARAMETERS.contains(&name);
        let unknown = reading.params.iter().find(|(name, _)| !is_known(name));
        let empty = reading.params.iter().find(|(_, value)| value.expose().is_empty());
        let refusal = if unknown.is_some() && self.broken.breaks(Rule::AuthorizeUnknownParameter, &mut reading.noted) {
            Some("there is a parameter that nobody knows")
        } else if empty.is_some() && self.broken.breaks(Rule::AuthorizeEmptyParameter, &mut reading.noted) {
            Some("there is a parameter without a value")
        } else {
            None
        };
        reading.refusal = refusal.map(|text| ErrorResponse::new("invalid_request", text));
    }

    /// Whether this redirect URI is registered for the client of the request.
    fn is_registered(&self, params: &Params, uri: &str) -> bool {
        let client = params.single("client_id").ok().flatten().and_then(|id| self.client(id));
        let parsed = RedirectUri::parse(uri).ok();
        client.zip(parsed).is_some_and(|(client, uri)| {
            let mut registered = client.redirect_uris.iter();
            registered.any(|own| uri.matches_registered(own))
        })
    }
}

fn has(params: &Params, name: &str) -> bool {
    params.single(name).is_ok_and(|value| value.is_some())
}
