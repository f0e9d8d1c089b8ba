//! Authorization requests, and how codes come by: straight from the server
//! where it grants without asking, else through the resource owner's browser.

use super::examination::{Examination, Stop};
use super::probe::{Back, Exchange, Reply, shown_params, shown_url};
use super::secrets;
use super::token_request::{Tokens, redeemed};
use super::verdict::{Evidence, Finding, Judgement, broken, unseen};
use crate::diagnosis::{Diagnosis, ExitCode};
use crate::flow::login::{Arrived, Doorway, LoginError, LoginWorld, arrive, tell_address, tell_asked};
use crate::loopback::Page;
use crate::neutral::neutralise;
use crate::protocol::endpoint::Endpoint;
use crate::protocol::http::{HeaderValue, HttpRequest, Method};
use crate::protocol::params::Params;
use crate::protocol::pkce::S256;
use crate::protocol::syntax::is_nqschar_text;
use crate::rules::Rule;
use crate::secret::Secret;
use crate::trace::Event;
use std::rc::Rc;
use std::time::Duration;

/// How long a right answer may still come after one with a wrong `state`.
const GRACE: Duration = Duration::from_secs(3);

/// How far redirects at the server are followed.
const REDIRECTS_MAX: usize = 8;

/// The random part that every `state` begins with.
const STATE_RANDOM_CHARS: usize = 43;

/// Rules that take a login each, or one together.
const LOGINS: &[&[Rule]] = &[
    &[Rule::TokenGet, Rule::TokenQuery, Rule::TokenRepeated, Rule::CodeClient],
    &[
        Rule::PkceWrongVerifier,
        Rule::PkceMissingVerifier,
        Rule::CodeRedirectUri,
    ],
    &[Rule::PkceShortVerifier],
    &[Rule::CodeSingleUse, Rule::CodeReuseRevokes],
    &[Rule::CodeParallel],
    &[
        Rule::RefreshWorks,
        Rule::RefreshRotation,
        Rule::RefreshReuse,
        Rule::RefreshReuseRevokes,
    ],
    &[Rule::RefreshParallel],
    &[Rule::RevocationPostOnly, Rule::RevocationClient, Rule::RevocationHint],
    &[Rule::RevocationRefresh, Rule::RevocationCascade],
];

/// What is known of signing in at this server.
#[derive(Default)]
pub(super) struct SignIns {
    door: Option<Door>,
    count: usize,
    main: Option<Result<Rc<Main>, Finding>>,
    /// Why no more logins are made.
    given_up: Option<Stop>,
    /// The first error response that was seen, with the request's state.
    pub(super) error_response: Option<Answer>,
    /// The first error response with characters that do not belong there.
    pub(super) malformed_error: Option<(String, Evidence)>,
    /// Codes that came, for their randomness.
    pub(super) codes: Vec<Secret>,
    /// What could not be seen without signing in; each later login takes one along.
    pub(super) undecided: Vec<Addition>,
}

impl SignIns {
    /// Why no login comes to its end, if none does.
    pub(super) fn without_login(&self) -> Option<Stop> {
        let refused = || {
            let main = self.main.as_ref()?.as_ref().ok()?;
            let (reason, exit_code) = (main.refusal()?, ExitCode::Refused);
            Some(Stop { reason, exit_code })
        };
        self.given_up.clone().or_else(refused)
    }
}

impl Main {
    /// How the server answered instead of giving a code.
    pub(super) fn refusal(&self) -> Option<String> {
        let back = &self.answer.back;
        let is_refused = back.value("code").is_none();
        is_refused.then(|| format!("the login ended with {}", back.refusal()))
    }
}

/// Something that a server must take in an authorization request.
#[derive(Clone, Copy)]
pub(super) struct Addition {
    pub(super) rule: Rule,
    pub(super) add: fn(&mut Ask),
    pub(super) judge: fn(&Answer) -> Judgement,
}

/// How the server meets a good request that comes without a cookie.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    /// It grants at once.
    Open,
    /// It asks to sign in.
    Asks,
    /// It shows an error page with this status.
    Closed(u16),
}

/// An authorization request that can be changed at will.
#[derive(Clone)]
pub(super) struct Ask {
    pub(super) params: Params,
    pub(super) state: Secret,
    pub(super) code_verifier: Secret,
    nonce: Option<Secret>,
}

impl Ask {
    pub(super) fn redirect_uri(&self) -> &str {
        self.params.all("redirect_uri").next().unwrap_or_default()
    }

    /// Gives the request another state behind the same random part.
    pub(super) fn extend_state(&mut self, more: &str) {
        self.state = secrets::extended(&self.state, more);
        self.params.set_secret("state", &self.state);
    }

    /// Asks with the S256 challenge of this verifier.
    pub(super) fn challenge(&mut self, code_verifier: Secret) {
        self.params
            .set_secret("code_challenge", &secrets::challenge(&code_verifier));
        self.code_verifier = code_verifier;
    }
}

/// An authorization response with its request.
#[derive(Clone)]
pub(super) struct Answer {
    pub(super) ask: Ask,
    pub(super) back: Back,
    pub(super) evidence: Option<Evidence>,
}

/// A code with all that its redemption takes.
pub(super) struct Code {
    pub(super) code: Secret,
    pub(super) code_verifier: Secret,
    pub(super) redirect_uri: String,
}

/// The login that everything else is measured by.
pub(super) struct Main {
    pub(super) answer: Answer,
    /// The token response, or why there is none.
    pub(super) tokens: Result<(Tokens, Exchange), Finding>,
    pub(super) nonce: Option<Secret>,
}

/// Looks how the server meets a request, and tells what will happen.
pub(super) fn announce(examination: &mut Examination<'_, '_>) {
    if examination.is_stopped() {
        return;
    }
    let door = match examination.ask().and_then(|ask| examination.authorize(&ask)) {
        Ok(Reply::Back(back)) if back.grants() => Door::Open,
        Ok(Reply::Back(back)) => {
            let error = back.value("error").unwrap_or_default();
            examination.stop(
                ExitCode::Refused,
                format!("the server refuses a plain authorization request: {error}"),
            );
            return;
        }
        Ok(Reply::ErrorPage(status)) => Door::Closed(status),
        Ok(Reply::SignIn) => Door::Asks,
        Err(Finding::Broken(why) | Finding::Unseen(why)) => {
            examination.stop(ExitCode::Unreachable, format!("the authorization endpoint: {why}"));
            return;
        }
    };
    examination.sign_ins.door = Some(door);
    let observer = &mut *examination.world.observer;
    if door == Door::Open {
        observer.observe(&Event::Note(
            "the server grants without asking, so no browser is needed",
        ));
    }
    let at_the_end = match examination.metadata.revocation_endpoint {
        Some(_) => "its tokens are revoked at the end",
        None => "its tokens cannot be revoked: the server announces no revocation endpoint",
    };
    observer.observe(&Event::Note(&format!(
        "tests of reuse end sessions that this examination starts, and at some servers every session of the same \
         person and client; {at_the_end}"
    )));
}

/// The verdict on a reply to a request that must be refused.
pub(super) fn refused(reply: &Reply) -> Judgement {
    match reply {
        Reply::Back(back) if back.grants() => broken("it was granted"),
        Reply::Back(back) if back.value("error").is_some() => Ok(()),
        Reply::Back(_) => broken("it was answered without an error"),
        Reply::ErrorPage(status @ 500..) => unseen(format!("the server failed with status {status}")),
        Reply::ErrorPage(_) => Ok(()),
        Reply::SignIn => asks_first(),
    }
}

/// The verdict where the server's view of a request cannot be seen.
pub(super) fn asks_first<T>() -> Result<T, Finding> {
    unseen("the server asks to sign in first, so what it thinks of the request cannot be seen")
}

impl Examination<'_, '_> {
    pub(super) fn door(&self) -> Option<Door> {
        self.sign_ins.door
    }

    /// A request as a login would send it.
    pub(super) fn ask(&mut self) -> Result<Ask, Finding> {
        let (state, code_verifier) = (self.random()?, self.random()?);
        let nonce = if self.asks_for_openid() {
            Some(self.random()?)
        } else {
            None
        };
        let wish = &self.request.login.wish;
        let mut params = Params::new();
        params.push("response_type", "code");
        params.push("client_id", self.client.id.as_str());
        params.push_secret("state", &state);
        if !wish.scope.is_empty() {
            params.push("scope", &wish.scope.to_string());
        }
        params.push("redirect_uri", self.redirect_uri.as_str());
        for resource in &wish.resource {
            params.push("resource", resource.as_str());
        }
        if let Some(audience) = &wish.audience {
            params.push("audience", audience);
        }
        params.push("code_challenge", "");
        params.push("code_challenge_method", S256);
        if let Some(nonce) = &nonce {
            params.push_secret("nonce", nonce);
        }
        if let Some(mode) = wish.response_mode {
            params.push("response_mode", mode.as_str());
        }
        for (name, value) in &wish.extra {
            params.push(name, value);
        }
        let mut ask = Ask {
            params,
            state,
            code_verifier: Secret::from(""),
            nonce,
        };
        ask.challenge(code_verifier);
        Ok(ask)
    }

    /// Sends a request as a browser does that never was there.
    pub(super) fn authorize(&mut self, ask: &Ask) -> Result<Reply, Finding> {
        let exchange = self.landing(ask)?;
        Ok(self.noted(ask, &exchange))
    }

    /// Where such a browser ends: redirects that stay at the server are
    /// followed, with the cookies that it sets on the way.
    pub(super) fn landing(&mut self, ask: &Ask) -> Result<Exchange, Finding> {
        let mut exchange = self.authorize_by(Method::Get, ask, Vec::new())?;
        let sent = exchange.evidence().sent;
        let mut cookies = Cookies::default();
        for _ in 0..REDIRECTS_MAX {
            cookies.take(&exchange);
            let Some(url) = exchange.redirect_within(ask.redirect_uri()) else {
                break;
            };
            let mut headers = vec![("accept", HeaderValue::Plain("text/html".to_owned()))];
            headers.extend(cookies.header().map(|header| ("cookie", header)));
            exchange = self.send(HttpRequest {
                method: Method::Get,
                url,
                headers,
                body: None,
            })?;
        }
        let came = exchange.evidence().came;
        self.seen(Evidence { sent, came });
        Ok(exchange)
    }

    /// The same by this method and with these headers; the raw exchange.
    pub(super) fn authorize_by(
        &mut self,
        method: Method,
        ask: &Ask,
        mut headers: Vec<(&'static str, HeaderValue)>,
    ) -> Result<Exchange, Finding> {
        let endpoint = self.metadata.authorization_endpoint.clone();
        let endpoint = self.needs(&endpoint, "authorization_endpoint")?;
        headers.push(("accept", HeaderValue::Plain("text/html".to_owned())));
        let (url, body) = match method {
            Method::Get => (endpoint.with_params(&ask.params), None),
            Method::Post => (endpoint.url().clone(), Some(ask.params.clone())),
        };
        self.send(HttpRequest {
            method,
            url,
            headers,
            body,
        })
    }

    fn noted(&mut self, ask: &Ask, exchange: &Exchange) -> Reply {
        let reply = exchange.reply(ask.redirect_uri());
        if let Reply::Back(back) = &reply {
            let evidence = self.evidence().unwrap_or_else(|| exchange.evidence());
            self.note_error(ask, back, &evidence);
        }
        reply
    }

    /// Takes note of how an error response looks.
    fn note_error(&mut self, ask: &Ask, back: &Back, evidence: &Evidence) {
        let Some(error) = back.value("error") else { return };
        let description = back.value("error_description").unwrap_or_default();
        let odd = [("error", error), ("error_description", description)]
            .into_iter()
            .find(|(_, text)| !(text.is_empty() || is_nqschar_text(text)));
        if let Some((name, text)) = odd
            && self.sign_ins.malformed_error.is_none()
        {
            self.sign_ins.malformed_error = Some((format!("{name} is {text}"), evidence.clone()));
        }
        if self.sign_ins.error_response.is_none() && ask.params.all("state").count() == 1 {
            self.sign_ins.error_response = Some(Answer {
                ask: ask.clone(),
                back: back.clone(),
                evidence: Some(evidence.clone()),
            });
        }
    }

    /// `Ok` where an answer to a request without a browser says something.
    pub(super) fn needs_plain_answers(&self) -> Judgement {
        match self.sign_ins.door {
            Some(Door::Closed(status)) => unseen(format!(
                "without a browser the server answers even a good request with {status}"
            )),
            _ => Ok(()),
        }
    }

    /// A code by a login like any other. `purpose` is what the person is told.
    ///
    /// A login that has to be made anyway takes one of the undecided additions
    /// along; where that is refused, another login is made without it.
    pub(super) fn code(&mut self, purpose: &str) -> Result<Code, Finding> {
        if let Some(addition) = self.sign_ins.undecided.pop() {
            let answer = self.try_addition(addition, purpose)?;
            if answer.back.value("code").is_some() {
                return self.code_of(answer);
            }
        }
        let ask = self.ask()?;
        let answer = self.answer(ask, purpose)?;
        self.code_of(answer)
    }

    /// Judges an addition by a login that has it.
    fn try_addition(&mut self, addition: Addition, purpose: &str) -> Result<Answer, Finding> {
        let mut ask = self.ask()?;
        (addition.add)(&mut ask);
        let outcome = self.answer(ask, purpose);
        let (judgement, evidence) = match &outcome {
            Ok(answer) => ((addition.judge)(answer), answer.evidence.clone()),
            Err(finding) => (Err(finding.clone()), None),
        };
        self.record(addition.rule, judgement, evidence);
        outcome
    }

    /// Gives a login of its own to each addition that no other login took along.
    pub(super) fn try_what_is_left(&mut self) {
        while let Some(addition) = self.sign_ins.undecided.pop()
            && !self.is_stopped()
        {
            let purpose = format!("to see that {}", addition.rule.statement());
            let _judged = self.try_addition(addition, &purpose);
        }
    }

    /// The code of a response.
    pub(super) fn code_of(&mut self, answer: Answer) -> Result<Code, Finding> {
        let Some(code) = answer.back.value("code").map(Secret::from) else {
            return unseen(format!("the login for it ended with {}", answer.back.refusal()));
        };
        self.sign_ins.codes.push(code.clone());
        Ok(Code {
            code,
            redirect_uri: answer.ask.redirect_uri().to_owned(),
            code_verifier: answer.ask.code_verifier,
        })
    }

    /// The response to a request that the resource owner may agree to.
    pub(super) fn answer(&mut self, ask: Ask, purpose: &str) -> Result<Answer, Finding> {
        if self.sign_ins.door == Some(Door::Open) {
            let exchange = self.landing(&ask)?;
            return match self.noted(&ask, &exchange) {
                Reply::Back(back) => Ok(Answer {
                    ask,
                    back,
                    evidence: self.evidence(),
                }),
                Reply::ErrorPage(status) => unseen(format!("the login for it ended with a page of status {status}")),
                Reply::SignIn => unseen("the login for it ended with a page"),
            };
        }
        self.answer_in_browser(ask, purpose)
    }

    fn answer_in_browser(&mut self, mut ask: Ask, purpose: &str) -> Result<Answer, Finding> {
        if self.interrupted.is_some() {
            return unseen("interrupted");
        }
        if let Some(stop) = &self.sign_ins.given_up {
            return unseen(stop.reason.clone());
        }
        let endpoint = self.metadata.authorization_endpoint.clone();
        let endpoint = self.needs(&endpoint, "authorization_endpoint")?;
        self.sign_ins.count += 1;
        let count = self.sign_ins.count;
        let expected = 1 + LOGINS.iter().filter(|rules| self.request.rules.has_any(rules)).count();
        let of_about = match count <= expected {
            true => format!(" of about {expected}"),
            false => String::new(),
        };
        self.world
            .observer
            .observe(&Event::Outcome(&format!("login {count}{of_about}: {purpose}")));
        let login = &self.request.login;
        let world = &mut *self.world;
        let interruption = &mut self.interruption;
        let outcome = self.runtime.block_on(async {
            let signing_in = sign_in(&mut ask, endpoint, login, count == 1, world);
            tokio::select! {
                outcome = signing_in => Ok(outcome),
                code = interruption => Err(code),
            }
        });
        let params = match outcome {
            Ok(Ok(Came::Right(params))) => params,
            Ok(Ok(Came::WrongState)) => {
                let why = "an answer came with another state than the request's";
                self.record(Rule::AuthorizeState, broken(why), None);
                let why = format!("{why} (authorize.state), so no login can be finished");
                return self.give_up(ExitCode::Protocol, why);
            }
            Ok(Err(error)) => {
                // Nobody should be asked again and again for what does not work.
                return self.give_up(error.exit_code(), format!("the login for it failed: {error}"));
            }
            Err(code) => {
                self.interrupted = Some(code);
                return unseen("interrupted");
            }
        };
        if params.is_empty() {
            let why = "the browser came back without parameters: they are in the fragment, or there are none";
            self.record(Rule::AuthorizeQuery, broken(why), None);
            return self.give_up(ExitCode::Protocol, format!("{why} (authorize.query)"));
        }
        let issuer = self.metadata.issuer.as_ref().map(ToString::to_string);
        let back = Back {
            params,
            in_fragment: false,
            location: Secret::from(ask.redirect_uri()),
        };
        if let (Some(found), Some(issuer)) = (back.value("iss"), issuer)
            && found != issuer
        {
            let why = format!("the response is from issuer \"{found}\", but \"{issuer}\" was asked");
            self.record(Rule::AuthorizeIssValue, broken(why), None);
            let why = "the response came from another issuer (authorize.iss-value), so its code goes nowhere";
            return self.give_up(ExitCode::Protocol, why);
        }
        let evidence = Evidence {
            sent: neutralise(&format!(
                "by the browser GET {}",
                shown_url(&endpoint.with_params(&ask.params))
            )),
            came: neutralise(&format!("by the browser {}", shown_params(&back.params))),
        };
        self.note_error(&ask, &back, &evidence);
        self.seen(evidence.clone());
        Ok(Answer {
            ask,
            back,
            evidence: Some(evidence),
        })
    }

    /// From here on nobody is asked to sign in, and why. What needs no login goes on.
    fn give_up<T>(&mut self, exit_code: ExitCode, reason: impl Into<String>) -> Result<T, Finding> {
        let reason = reason.into();
        let stop = Stop { reason, exit_code };
        unseen(self.sign_ins.given_up.insert(stop).reason.clone())
    }

    /// The first whole login; made once, however often it is asked for.
    pub(super) fn main_login(&mut self) -> Result<Rc<Main>, Finding> {
        if let Some(main) = &self.sign_ins.main {
            return main.clone();
        }
        let main = self.make_main_login();
        self.sign_ins.main = Some(main.clone());
        main
    }

    pub(super) fn knows_main_login(&self) -> bool {
        self.sign_ins.main.is_some()
    }

    fn make_main_login(&mut self) -> Result<Rc<Main>, Finding> {
        let ask = self.ask()?;
        let answer = self.answer(ask, "to see a whole login")?;
        let nonce = answer.ask.nonce.clone();
        let code = self.code_of(answer.clone());
        let tokens = code.and_then(|code| redeemed(self, &code));
        Ok(Rc::new(Main { answer, tokens, nonce }))
    }

    /// `Ok` where a plain login works from end to end, so that a refusal means something.
    pub(super) fn needs_working_login(&mut self) -> Judgement {
        match self.main_login()?.tokens {
            Ok(_) => Ok(()),
            Err(_) => unseen("not even a plain login works, so a refusal says nothing"),
        }
    }
}

/// The cookies of one browser at one server, by name.
#[derive(Default)]
struct Cookies(Vec<(String, String)>);

impl Cookies {
    fn take(&mut self, exchange: &Exchange) {
        let headers = exchange.response.headers.iter();
        for (_, set) in headers.filter(|(name, _)| name == "set-cookie") {
            let pair = set.split(';').next().and_then(|pair| pair.split_once('='));
            if let Some((name, value)) = pair {
                let name = name.trim();
                self.0.retain(|(known, _)| known != name);
                self.0.push((name.to_owned(), value.trim().to_owned()));
            }
        }
    }

    fn header(&self) -> Option<HeaderValue> {
        let pairs: Vec<String> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        (!pairs.is_empty()).then(|| HeaderValue::Secret(pairs.join("; ").into()))
    }
}

enum Came {
    Right(Params),
    WrongState,
}

/// One trip of the browser, as steps 2 to 5 of a login make it.
async fn sign_in(
    ask: &mut Ask,
    endpoint: &Endpoint,
    login: &crate::flow::login::LoginRequest,
    is_first: bool,
    world: &mut LoginWorld<'_>,
) -> Result<Came, LoginError> {
    let mut doorway = Doorway::open(&login.callback, world.randomness, world.observer).await?;
    ask.params.set("redirect_uri", doorway.redirect_uri.as_str());
    let url = endpoint.with_params(&ask.params);
    if is_first {
        tell_asked(&ask.params, &url, &doorway, world);
    } else {
        tell_address(&ask.params, &url, world.observer);
    }
    let mut browser = world.user_agent.open(&url).map_err(LoginError::Browser)?;
    world.observer.observe(&Event::WaitBegins {
        timeout: login.timeout,
        paste_accepted: world.pasted.is_some(),
    });
    let came = wait(ask, &mut doorway, &mut browser, login.timeout, world).await;
    world.observer.observe(&Event::WaitEnds);
    doorway.close().await;
    came
}

async fn wait(
    ask: &Ask,
    doorway: &mut Doorway,
    browser: &mut crate::browser::Opening,
    timeout: Duration,
    world: &mut LoginWorld<'_>,
) -> Result<Came, LoginError> {
    let mut deadline = tokio::time::Instant::now() + timeout;
    let mut foreign = false;
    loop {
        let Arrived { params, callback } = tokio::select! {
            arrived = arrive(doorway, browser, world) => arrived?,
            () = tokio::time::sleep_until(deadline) => {
                return if foreign { Ok(Came::WrongState) } else { Err(LoginError::TimedOut { waited: timeout, ignored: None }) };
            }
        };
        let is_ours = |state: &str| secrets::begins(state, &ask.state, STATE_RANDOM_CHARS);
        let is_own = params.is_empty() || params.all("state").any(is_ours);
        if let Some(callback) = callback {
            callback.respond(if is_own { Page::Success } else { Page::Ignored });
        }
        if is_own {
            return Ok(Came::Right(params));
        }
        let says_something = ["code", "error"].iter().any(|name| params.all(name).next().is_some());
        if says_something && !foreign {
            foreign = true;
            deadline = deadline.min(tokio::time::Instant::now() + GRACE);
        }
    }
}
