//! Requests that are read otherwise than they should be, and texts that stand
//! for codes and tokens.

use super::super::authorization_server::AuthorizationServer;
use super::super::message::Request;
use super::super::route::Route;
use crate::protocol::client::PresentedClient;
use crate::protocol::params::Params;
use crate::protocol::time::UnixSeconds;
use crate::rules::Rule;
use crate::secret::Secret;

/// The parameters that hold codes and tokens.
const CREDENTIALS: [&str; 4] = ["code", "refresh_token", "token", "access_token"];

const FORM: &str = "application/x-www-form-urlencoded";

impl AuthorizationServer {
    /// The request as it is read against the rules.
    pub(super) fn read_otherwise(
        &self,
        now: UnixSeconds,
        route: Option<Route>,
        request: &Request,
        noted: &mut Vec<Rule>,
    ) -> Option<Request> {
        let route = route?;
        let mut read = Reader {
            method: request.method.clone(),
            query: request.query.clone(),
            headers: request.headers.clone(),
            form: request.form_params(),
        };
        match route {
            Route::Token => {
                if read.method == "GET" && self.broken.breaks(Rule::TokenGet, noted) {
                    read.post_the_query();
                }
                if read.method == "POST" && read.query.is_some() && self.broken.breaks(Rule::TokenQuery, noted) {
                    read.post_the_query();
                }
                self.read_repeated(&mut read, noted);
                self.read_without_client(now, &mut read, noted);
                self.read_two_methods(&mut read, noted);
            }
            Route::Revoke if read.method == "GET" && self.broken.breaks(Rule::RevocationPostOnly, noted) => {
                read.post_the_query();
            }
            Route::Userinfo if !read.has_authorization() => {
                let query = request.query_params();
                if let Ok(Some(token)) = query.single("access_token")
                    && self.broken.breaks(Rule::UserinfoTokenInQuery, noted)
                {
                    read.query = None;
                    read.headers
                        .push(("authorization".to_owned(), format!("Bearer {token}")));
                }
            }
            _ => {}
        }
        let real = |text: &str| self.stand_ins.real(now, route, text);
        if let Some(form) = &mut read.form {
            *form = changed(form, |name, value| {
                let real = if CREDENTIALS.contains(&name) { real(value) } else { None };
                Some(real.map_or_else(|| value.to_owned(), |real| real.expose().clone()))
            });
        }
        for (name, value) in &mut read.headers {
            if name == "authorization"
                && let Some((scheme, token)) = value.split_once(' ')
                && scheme.eq_ignore_ascii_case("bearer")
                && let Some(real) = real(token)
            {
                if self.keys.is_id_token(token) {
                    self.broken.breaks(Rule::UserinfoIdToken, noted);
                }
                *value = format!("Bearer {}", real.expose());
            }
        }
        Some(read.finish(request))
    }

    /// Takes the first of each.
    fn read_repeated(&self, read: &mut Reader, noted: &mut Vec<Rule>) {
        if let Some(form) = &mut read.form
            && form.first_repeated().is_some()
            && self.broken.breaks(Rule::TokenRepeated, noted)
        {
            *form = first_of_each(form, |_| true);
        }
    }

    /// Takes a code for the client that it was issued to, where nobody is named.
    fn read_without_client(&self, now: UnixSeconds, read: &mut Reader, noted: &mut Vec<Rule>) {
        let has_authorization = read.has_authorization();
        let Some(form) = &mut read.form else { return };
        let is_named = has_authorization || form.single("client_id") != Ok(None);
        let Some(code) = form.single("code").ok().flatten().filter(|_| !is_named) else {
            return;
        };
        let owner = self.grants().client_of_code(now, &Secret::from(code)).cloned();
        if let Some(owner) = owner
            && self.broken.breaks(Rule::CodeClientMissing, noted)
        {
            form.push("client_id", owner.as_str());
        }
    }

    /// Of two ways of client authentication takes the one in the header; of a
    /// public client, which has nothing to prove, neither.
    fn read_two_methods(&self, read: &mut Reader, noted: &mut Vec<Rule>) {
        let Some(form) = &mut read.form else { return };
        let has_secret = form.single("client_secret").is_ok_and(|secret| secret.is_some());
        let header = read.headers.iter().position(|(name, _)| name == "authorization");
        let Some(header) = header.filter(|_| has_secret) else {
            return;
        };
        if !self.broken.breaks(Rule::TokenTwoMethods, noted) {
            return;
        }
        let id = form.single("client_id").ok().flatten().map(str::to_owned);
        *form = changed(form, |name, value| (name != "client_secret").then(|| value.to_owned()));
        let by_header = PresentedClient::parse(&Params::new(), Some(&read.headers[header].1));
        let id = by_header.ok().map(|client| client.id).or(id).unwrap_or_default();
        if self.client(&id).is_some_and(|client| client.secret.is_none()) {
            read.headers.remove(header);
            if form.single("client_id") == Ok(None) {
                form.push("client_id", &id);
            }
        }
    }
}

/// A request that is being read.
struct Reader {
    method: String,
    query: Option<String>,
    headers: Vec<(String, String)>,
    /// `None` where the body is no form.
    form: Option<Params>,
}

impl Reader {
    fn has_authorization(&self) -> bool {
        self.headers.iter().any(|(name, _)| name == "authorization")
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
