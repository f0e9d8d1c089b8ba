//! Requests that are read otherwise than they should be, and texts that stand
//! for codes and tokens.

use super::policy::Policy;
use crate::protocol::client::{ClientId, PresentedClient};
use crate::protocol::params::Params;
use crate::protocol::token_type_uri::TokenTypeUri;
use crate::rules::Rule;
use crate::secret::Secret;
use crate::server::message::Request;
use crate::server::route::Route;

/// The parameters that hold codes and tokens.
const CREDENTIALS: [&str; 5] = ["code", "device_code", "refresh_token", "token", "access_token"];

const FORM: &str = "application/x-www-form-urlencoded";

/// What the server knows that a request cannot be rewritten without.
pub(crate) struct ServerFacts<'a> {
    /// What a text stands for at the endpoint of the request.
    pub(crate) resolve: &'a dyn Fn(&str) -> Option<Secret>,
    /// Whether a text is an ID token of this server.
    pub(crate) is_id_token: &'a dyn Fn(&str) -> bool,
    /// To which client a code was issued.
    pub(crate) client_of_code: &'a dyn Fn(&Secret) -> Option<ClientId>,
    /// Whether a client is registered without a secret.
    pub(crate) is_public_client: &'a dyn Fn(&str) -> bool,
}

/// The request as it is read against the rules.
pub(crate) fn rewrite(policy: &Policy<'_>, route: Route, request: &Request, facts: &ServerFacts<'_>) -> Request {
    let mut rewriter = RequestRewriter {
        method: request.method.clone(),
        query: request.query.clone(),
        headers: request.headers.clone(),
        form: request.form_params(),
    };
    match route {
        Route::Token => {
            if rewriter.method == "GET" && policy.violates(Rule::TokenGet) {
                rewriter.post_the_query();
            }
            if rewriter.method == "POST" && rewriter.query.is_some() && policy.violates(Rule::TokenQuery) {
                rewriter.post_the_query();
            }
            rewriter.drop_repeated_parameters(policy);
            rewriter.add_missing_client(policy, facts);
            rewriter.drop_second_authentication(policy, facts);
            rewriter.complete_exchange(policy);
        }
        Route::PushedAuthorization => {
            if rewriter.method == "GET" && policy.violates(Rule::ParPostOnly) {
                rewriter.post_the_query();
            }
            rewriter.drop_repeated_parameters_of_authorization(policy);
        }
        Route::Revoke if rewriter.method == "GET" && policy.violates(Rule::RevocationPostOnly) => {
            rewriter.post_the_query();
        }
        Route::Userinfo if !rewriter.has_authorization() => {
            rewriter.take_token_of_query(policy, Rule::UserinfoTokenInQuery);
        }
        Route::Hello | Route::Notes | Route::Mcp if !rewriter.has_authorization() => {
            rewriter.take_token_of_query(policy, Rule::ResourceTokenInQuery);
        }
        _ => {}
    }
    rewriter.resolve_aliases(policy, route, facts);
    rewriter.finish(request)
}

/// A request that is being rewritten.
struct RequestRewriter {
    method: String,
    query: Option<String>,
    headers: Vec<(String, String)>,
    /// `None` where the body is not a form.
    form: Option<Params>,
}

impl RequestRewriter {
    /// A subject token without its type, and the type of an actor token without the token.
    fn complete_exchange(&mut self, policy: &Policy<'_>) {
        let Some(form) = &mut self.form else { return };
        let has = |form: &Params, name: &str| form.all(name).next().is_some();
        if has(form, "subject_token")
            && !has(form, "subject_token_type")
            && policy.violates(Rule::ExchangeSubjectTokenType)
        {
            form.push("subject_token_type", TokenTypeUri::access_token().as_str());
        }
        if has(form, "actor_token_type") && !has(form, "actor_token") && policy.violates(Rule::ExchangeActorTokenType) {
            form.remove("actor_token_type");
        }
    }

    fn has_authorization(&self) -> bool {
        self.headers.iter().any(|(name, _)| name == "authorization")
    }

    /// Reads the token in the query as if it stood in the header.
    fn take_token_of_query(&mut self, policy: &Policy<'_>, rule: Rule) {
        let query = Params::parse(self.query.as_deref().unwrap_or_default());
        if let Ok(Some(token)) = query.single("access_token")
            && policy.violates(rule)
        {
            self.query = None;
            self.headers
                .push(("authorization".to_owned(), format!("Bearer {token}")));
        }
    }

    /// Reads the parameters of the query as if they stood in a form.
    fn post_the_query(&mut self) {
        "POST".clone_into(&mut self.method);
        let query = Params::parse(&self.query.take().unwrap_or_default());
        let form = self.form.get_or_insert_default();
        for (name, value) in query.iter() {
            form.push(name, value.expose());
        }
        self.headers.retain(|(name, _)| name != "content-type");
        self.headers.push(("content-type".to_owned(), FORM.to_owned()));
    }

    /// Keeps the first of each parameter.
    fn drop_repeated_parameters(&mut self, policy: &Policy<'_>) {
        if let Some(form) = &mut self.form
            && form.first_repeated().is_some()
            && policy.violates(Rule::TokenRepeated)
        {
            *form = first_of_each(form, |_| true);
        }
    }

    /// The same of a pushed authorization request, by the rules about those in URLs.
    fn drop_repeated_parameters_of_authorization(&mut self, policy: &Policy<'_>) {
        let Some(form) = &mut self.form else { return };
        let is_repeated = |form: &Params, name: &str| form.all(name).count() > 1;
        for (rule, concerns) in [
            (Rule::AuthorizeRepeatedClient, |name| name == "client_id"),
            (Rule::RedirectRepeated, |name| name == "redirect_uri"),
            (Rule::AuthorizeRepeated, |name| {
                !["client_id", "redirect_uri"].contains(&name)
            }),
        ] as [(Rule, fn(&str) -> bool); 3]
        {
            let is_concerned = form.iter().any(|(name, _)| concerns(name) && is_repeated(form, name));
            if is_concerned && policy.violates(rule) {
                *form = first_of_each(form, concerns);
            }
        }
    }

    /// Adds the client that a code was issued to, where the request names none.
    fn add_missing_client(&mut self, policy: &Policy<'_>, facts: &ServerFacts<'_>) {
        let has_authorization = self.has_authorization();
        let Some(form) = &mut self.form else { return };
        let is_named = has_authorization || form.single("client_id") != Ok(None);
        let Some(code) = form.single("code").ok().flatten().filter(|_| !is_named) else {
            return;
        };
        if let Some(owner) = (facts.client_of_code)(&Secret::from(code))
            && policy.violates(Rule::CodeClientMissing)
        {
            form.push("client_id", owner.as_str());
        }
    }

    /// Of two ways of client authentication keeps the one in the header; of a
    /// public client, which has nothing to prove, neither.
    fn drop_second_authentication(&mut self, policy: &Policy<'_>, facts: &ServerFacts<'_>) {
        let Some(form) = &mut self.form else { return };
        let has_secret = form.single("client_secret").is_ok_and(|secret| secret.is_some());
        let header = self.headers.iter().position(|(name, _)| name == "authorization");
        let Some(header) = header.filter(|_| has_secret) else {
            return;
        };
        if policy.enforces(Rule::TokenTwoMethods) {
            return;
        }
        let id = form.single("client_id").ok().flatten().map(str::to_owned);
        *form = changed(form, |name, value| (name != "client_secret").then(|| value.to_owned()));
        let by_header = PresentedClient::parse(&Params::new(), Some(&self.headers[header].1));
        let id = by_header.ok().map(|client| client.id).or(id).unwrap_or_default();
        if (facts.is_public_client)(&id) {
            self.headers.remove(header);
            if form.single("client_id") == Ok(None) {
                form.push("client_id", &id);
            }
        }
    }

    /// Puts the real codes and tokens in place of the texts that stand for them.
    fn resolve_aliases(&mut self, policy: &Policy<'_>, route: Route, facts: &ServerFacts<'_>) {
        if let Some(form) = &mut self.form {
            *form = changed(form, |name, value| {
                let is_credential = CREDENTIALS.contains(&name);
                let real = is_credential.then(|| (facts.resolve)(value)).flatten();
                Some(real.map_or_else(|| value.to_owned(), |real| real.expose().clone()))
            });
        }
        for (name, value) in &mut self.headers {
            if name == "authorization"
                && let Some((scheme, token)) = value.split_once(' ')
                && ["bearer", "dpop"].iter().any(|own| scheme.eq_ignore_ascii_case(own))
                && let Some(real) = (facts.resolve)(token)
            {
                if (facts.is_id_token)(token) {
                    policy.enforces(match route {
                        Route::Userinfo => Rule::UserinfoIdToken,
                        _ => Rule::ResourceIdToken,
                    });
                }
                *value = format!("{scheme} {}", real.expose());
            }
        }
    }

    fn finish(self, request: &Request) -> Request {
        let body = match self.form {
            Some(form) => Secret::new(form.encode().expose().clone().into_bytes()),
            None => Secret::new(request.body.expose().clone()),
        };
        Request {
            method: self.method,
            path: request.path.clone(),
            query: self.query,
            headers: self.headers,
            body,
            certificate: request.certificate.clone(),
        }
    }
}

/// The same parameters with other values; `None` leaves one out.
pub(super) fn changed(params: &Params, mut change: impl FnMut(&str, &str) -> Option<String>) -> Params {
    let mut changed = Params::new();
    for (name, value) in params.iter() {
        if let Some(value) = change(name, value.expose()) {
            changed.push(name, &value);
        }
    }
    changed
}

/// The first of all parameters of one name, where `concerns` says so of the name.
pub(super) fn first_of_each(params: &Params, concerns: impl Fn(&str) -> bool) -> Params {
    let mut seen: Vec<String> = Vec::new();
    changed(params, |name, value| {
        let again = concerns(name) && name != "resource" && seen.iter().any(|earlier| earlier == name);
        seen.push(name.to_owned());
        (!again).then(|| value.to_owned())
    })
}
