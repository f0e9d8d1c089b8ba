//! How codes come by: straight from the server where it grants without asking,
//! else through the resource owner's browser.

use super::ask::{Answer, Ask};
use super::examination::{Examination, Stop};
use super::probe::{Back, Exchange, Reply, shown_params, shown_url};
use super::secrets;
use super::token_request::{Tokens, redeemed};
use super::verdict::{Evidence, Finding, Judgement, broken, unseen};
use crate::exit::{Diagnosis, ExitCode};
use crate::flow::login::callback::{CallbackParams, CallbackReceiver, arrive};
use crate::flow::login::events::{trace_authorization_request, trace_authorization_url};
use crate::flow::login::{LoginContext, LoginError};
use crate::output::sanitize::sanitize;
use crate::protocol::endpoint::Endpoint;
use crate::protocol::params::Params;
use crate::rules::Rule;
use crate::secret::Secret;
use crate::trace::Event;
use crate::user_agent::callback::Page;
use std::rc::Rc;
use std::time::Duration;

/// How long a right answer may still come after one with a wrong `state`.
const GRACE: Duration = Duration::from_secs(3);

/// The random part that every `state` begins with.
const STATE_RANDOM_CHARS: usize = 43;

/// Rules that take a login each, or one together.
const LOGINS: &[&[Rule]] = &[
    &[
        Rule::TokenGet,
        Rule::TokenQuery,
        Rule::TokenRepeated,
        Rule::CodeClient,
        Rule::CodeClientMissing,
    ],
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
    let observer = &mut *examination.world.caller.observer;
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

impl Examination<'_, '_> {
    pub(super) fn door(&self) -> Option<Door> {
        self.sign_ins.door
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
            .caller
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
        let mut secrets = vec![ask.state.clone(), ask.code_verifier.clone()];
        secrets.extend(back.value("code").map(Secret::from));
        self.keep_secret(secrets);
        let evidence = Evidence {
            sent: sanitize(&format!(
                "by the browser GET {}",
                shown_url(&endpoint.with_params(&ask.params))
            )),
            came: sanitize(&format!("by the browser {}", shown_params(&back.params))),
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
    world: &mut LoginContext<'_>,
) -> Result<Came, LoginError> {
    let mut receiver = CallbackReceiver::open(&login.callback, &mut world.caller).await?;
    ask.params.set("redirect_uri", receiver.redirect_uri.as_str());
    let url = endpoint.with_params(&ask.params);
    if is_first {
        trace_authorization_request(&ask.params, &url, &receiver, world);
    } else {
        trace_authorization_url(&ask.params, &url, world.caller.observer);
    }
    let mut browser = world.user_agent.open(&url).map_err(LoginError::Browser)?;
    world.caller.observer.observe(&Event::WaitBegins {
        timeout: login.timeout,
        paste_accepted: world.pasted.is_some(),
    });
    let came = wait(ask, &mut receiver, &mut browser, login.timeout, world).await;
    world.caller.observer.observe(&Event::WaitEnds);
    receiver.close().await;
    came
}

async fn wait(
    ask: &Ask,
    receiver: &mut CallbackReceiver,
    browser: &mut crate::user_agent::browser::BrowserProcess,
    timeout: Duration,
    world: &mut LoginContext<'_>,
) -> Result<Came, LoginError> {
    let mut deadline = tokio::time::Instant::now() + timeout;
    let mut foreign = false;
    loop {
        let CallbackParams { params, callback } = tokio::select! {
            arrived = arrive(receiver, browser, world) => arrived?,
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
