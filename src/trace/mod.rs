//! Events, not print statements: the flow tells an [`Observer`] what happened,
//! and each renderer is one file that turns events into bytes.
//!
//! Tasks (listener, server) send facts through channels; only the flow
//! observes. Events borrow protocol values, so that nothing is built where
//! it is not needed, and a value's own redaction decides what a renderer can show.
//! An event holds no time: [`files::TraceFiles`] stamps what it passes on.

pub mod buffered;
pub mod curl;
pub mod diagram;
pub mod files;
#[cfg(test)]
mod fixtures;
mod note_name;
pub mod ordered_json;
pub mod redact;
pub mod render;
pub mod renderer;
#[cfg(test)]
mod tests;
mod verdict;

pub use files::TraceFileError;
pub use note_name::NoteName;
pub use verdict::Verdict;

use crate::exit::ExitCode;

use crate::protocol::http::{HeaderValue, HttpRequest, HttpResponse, Method};
use crate::protocol::params::Params;
use crate::secret::Secret;
use std::time::Duration;

/// Who speaks (RFC 6749 §1.1, with the browser that carries the messages).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    ResourceOwner,
    Browser,
    Client,
    AuthorizationServer,
    /// What the token is for.
    ResourceServer,
    /// Where the session is kept.
    CredentialStore,
}

impl Party {
    /// In the words of RFC 6749.
    pub fn name(self) -> &'static str {
        match self {
            Party::ResourceOwner => "resource owner",
            Party::Browser => "browser",
            Party::Client => "client",
            Party::AuthorizationServer => "authorization server",
            Party::ResourceServer => "resource server",
            Party::CredentialStore => "credential store",
        }
    }
}

/// The seven steps of the flow, as `-v` numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// 1: the resource owner asks the client; everything is made ready.
    Prepare,
    /// 2: the client sends the browser to the authorize endpoint.
    Ask,
    /// 3: the server prompts the resource owner.
    Prompt,
    /// 4: the resource owner signs in and consents.
    Consent,
    /// 5: the browser comes back with code and state.
    Receive,
    /// 6: code and verifier go to the token endpoint, once.
    Exchange,
    /// 7: the token response is checked and stored.
    Store,
}

impl Step {
    /// 1 to 7.
    pub fn number(self) -> u8 {
        match self {
            Step::Prepare => 1,
            Step::Ask => 2,
            Step::Prompt => 3,
            Step::Consent => 4,
            Step::Receive => 5,
            Step::Exchange => 6,
            Step::Store => 7,
        }
    }

    /// One line that says what the step is.
    pub fn title(self) -> &'static str {
        match self {
            Step::Prepare => "the client makes verifier, challenge and state, and listens",
            Step::Ask => "the client sends the browser to the authorization endpoint",
            Step::Prompt => "the authorization server asks the resource owner",
            Step::Consent => "the resource owner signs in and consents",
            Step::Receive => "the browser comes back with the authorization response",
            Step::Exchange => "the client exchanges the code at the token endpoint",
            Step::Store => "the token response is checked and stored",
        }
    }

    fn parties(self) -> (Party, Party) {
        use Party::{AuthorizationServer, Browser, Client, CredentialStore, ResourceOwner};
        match self {
            Step::Prepare => (ResourceOwner, Client),
            Step::Ask => (Client, Browser),
            Step::Prompt => (AuthorizationServer, ResourceOwner),
            Step::Consent => (ResourceOwner, AuthorizationServer),
            Step::Receive => (Browser, Client),
            Step::Exchange => (Client, AuthorizationServer),
            Step::Store => (Client, CredentialStore),
        }
    }
}

/// Where the resource owner signs in, and how the answer comes back.
#[derive(Debug, Clone, Copy)]
pub struct AuthorizationAddress<'a> {
    pub url: &'a str,
    /// Where the browser comes back to; `None` where that is not what the login is about.
    pub redirect_uri: Option<&'a str>,
    /// What a person runs so that a browser elsewhere gets there.
    pub forward_command: Option<&'a str>,
}

impl<'a> From<&'a str> for AuthorizationAddress<'a> {
    fn from(url: &'a str) -> Self {
        AuthorizationAddress {
            url,
            redirect_uri: None,
            forward_command: None,
        }
    }
}

/// How far a long piece of work is.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// From 1 on.
    pub number: usize,
    pub of: usize,
    /// The rule that is tested.
    pub rule: &'a str,
    /// What it says.
    pub text: &'a str,
    /// The most logins in the browser that are still to come, where there are any.
    pub logins_left: usize,
}

/// Whether a pasted URL is taken on the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paste {
    No,
    /// The listener waits too.
    BesideListener,
    /// There is no listener.
    Only,
}

/// Something that happened, from one party to another.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A step begins. Details follow as [`Event::Detail`]s or messages.
    StepBegins(Step),
    /// One fact of the current step, such as `redirect_uri` and its value.
    Detail {
        /// What it is, in the specification's words.
        name: &'a str,
        /// The value, safe to show.
        value: &'a str,
    },
    /// The parameters of a message that a step sends or receives.
    Message {
        from: Party,
        to: Party,
        /// Such as `authorization request`.
        title: &'a str,
        /// Its parameters; each knows how it may be shown.
        params: &'a Params,
    },
    /// The URL that the resource owner opens. Under `--quiet` it is printed only
    /// once a browser is overdue.
    AuthorizationUrl(AuthorizationAddress<'a>),
    /// The code that the resource owner enters on another device, and where
    /// (RFC 8628 §3.3). Printed even under `--quiet`, to this person alone.
    UserCode {
        verification_uri: &'a str,
        /// The same with the code in it.
        verification_uri_complete: Option<&'a str>,
        user_code: &'a Secret,
        expires_in: Duration,
    },
    /// The browser was started with this command line (without the URL).
    BrowserStarted { command: &'a str },
    /// The browser could not be started; the login goes on, the URL is printed.
    BrowserFailed {
        command: &'a str,
        /// Why it did not work.
        reason: &'a str,
    },
    /// The browser command ran and soon ended without success; it may have
    /// opened nothing, and the login goes on.
    BrowserExited {
        command: &'a str,
        /// Such as `exited with 3`.
        how: &'a str,
    },
    /// No browser was opened, or none came back for a while: someone has to
    /// open the URL by hand. Under `--quiet` it is printed now.
    BrowserOverdue {
        /// The authorization URL.
        url: &'a str,
    },
    /// The wait for the resource owner begins; the other end is the deadline.
    WaitBegins {
        /// How long at most.
        timeout: Duration,
        /// For what: `the browser`.
        awaited: &'a str,
        paste: Paste,
    },
    /// The wait is over, whatever came of it.
    WaitEnds,
    /// A request to the listener was answered and ignored; the wait goes on.
    CallbackIgnored {
        /// Why, safe to show.
        reason: &'a str,
        /// Whether the login may be lost by it, so that a person should know.
        notable: bool,
    },
    /// The listener has answered a callback, whether it was for this login or not.
    CallbackAnswered {
        redirect_uri: &'a str,
        params: &'a Params,
        /// In the query of a GET or in the body of a POST.
        method: Method,
        /// The status of the page.
        status: u16,
    },
    /// A well-known URL was tried for metadata (RFC 8414 §3).
    DiscoveryTried {
        url: &'a str,
        /// Why its answer was not taken; `None` when it was.
        not_taken: Option<&'a str>,
    },
    /// An HTTP request is about to be sent.
    RequestSent(&'a HttpRequest),
    /// The answer to the request before it.
    ResponseReceived {
        request: &'a HttpRequest,
        response: &'a HttpResponse,
    },
    /// No answer came to the request before it.
    RequestFailed {
        request: &'a HttpRequest,
        /// Why no answer came.
        reason: &'a str,
    },
    /// Something failed that is worth a second try, which follows.
    Retried {
        /// The party that it is tried again with.
        with: Party,
        /// What failed, and what is done.
        reason: &'a str,
    },
    /// A refresh brought a new access token (RFC 6749 §6), or a grant that is repeated did (§4.4).
    Refreshed {
        /// How long it is valid, where the server said so.
        expires_in_s: Option<u64>,
        /// Whether a new refresh token came in place of the spent one.
        rotated: bool,
    },
    /// The server has revoked a token (RFC 7009).
    Revoked {
        /// `refresh_token` or `access_token`.
        token_type: &'a str,
    },
    /// The session was written to the credential store.
    Stored { store: &'a str },
    /// The session was deleted from the credential store.
    Forgotten { store: &'a str },
    /// A decision on the way, shown at `-vvv`: which lock, whose session.
    Decision(&'a str),
    /// A check that was made and held, shown at `-vv`.
    CheckPassed(&'a str),
    /// A check that was not made, and why, shown at `-v`.
    CheckSkipped(&'a str),
    /// Something a person should know but need not act on, shown unless `--quiet`.
    Note(&'a str),
    /// The same, with a name by which programs tell it from others.
    NamedNote(NoteName, &'a str),
    /// What came of the work, for the person who asked for it; shown unless `--quiet`.
    Outcome(&'a str),
    /// The same for work that a person waited for and that is done: shown with a
    /// tick on a terminal.
    Success(&'a str),
    /// A further fact of that work, below it.
    SuccessDetail(&'a str),
    /// One of many pieces of work begins: shown as a line that is redrawn, and
    /// at `-vv` above what it sends.
    Progress(Progress<'a>),
    /// `oauth check` has found out about a rule. A rule that is broken or odd is
    /// shown at `-vv`, below what was sent for it; the others at `-vvv`.
    RuleTested {
        rule: &'a str,
        verdict: Verdict,
        /// What the server does instead, or why it could not be seen; empty for a pass.
        reason: &'a str,
    },
    /// Something that is not as it should be; the work goes on.
    Warning(&'a str),
    /// The command ends with this error: the last event. What is printed of it
    /// is not this event's concern.
    Failed {
        message: &'a str,
        /// Why, from the outermost cause to the innermost.
        causes: &'a [String],
        /// What to do next.
        hints: &'a [String],
        /// How the process ends.
        exit_code: ExitCode,
    },
}

impl Event<'_> {
    /// The party that it comes from.
    pub fn from(&self) -> Party {
        self.parties().0
    }

    /// The party that it goes to; the same where a party keeps it to itself.
    pub fn to(&self) -> Party {
        self.parties().1
    }

    fn parties(&self) -> (Party, Party) {
        use Party::{AuthorizationServer, Browser, Client, CredentialStore, ResourceOwner};
        match self {
            Event::Message { from, to, .. } => (*from, *to),
            Event::StepBegins(step) => step.parties(),
            Event::RequestSent(request) => (Client, recipient(request)),
            Event::ResponseReceived { request, .. } | Event::RequestFailed { request, .. } => {
                (recipient(request), Client)
            }
            Event::AuthorizationUrl(_)
            | Event::UserCode { .. }
            | Event::BrowserOverdue { .. }
            | Event::WaitBegins { .. }
            | Event::Note(_)
            | Event::NamedNote(..)
            | Event::Outcome(_)
            | Event::Success(_)
            | Event::SuccessDetail(_)
            | Event::Progress(_)
            | Event::Warning(_)
            | Event::Failed { .. } => (Client, ResourceOwner),
            Event::BrowserStarted { .. }
            | Event::BrowserFailed { .. }
            | Event::BrowserExited { .. }
            | Event::CallbackAnswered { .. } => (Client, Browser),
            Event::CallbackIgnored { .. } => (Browser, Client),
            Event::Refreshed { .. } | Event::Revoked { .. } => (AuthorizationServer, Client),
            Event::Stored { .. } | Event::Forgotten { .. } => (Client, CredentialStore),
            Event::Retried { with, .. } => (Client, *with),
            Event::Detail { .. }
            | Event::WaitEnds
            | Event::DiscoveryTried { .. }
            | Event::Decision(_)
            | Event::RuleTested { .. }
            | Event::CheckPassed(_)
            | Event::CheckSkipped(_) => (Client, Client),
        }
    }
}

/// Who answers a request: a protected resource that is asked as one, and a server
/// that gets a token in the header or in the URL (RFC 6750 §2.1, §2.3).
fn recipient(request: &HttpRequest) -> Party {
    let shows_token = request
        .headers
        .iter()
        .any(|(_, value)| matches!(value, HeaderValue::Credentials { scheme, .. } if *scheme != "Basic"));
    let in_url = || request.url.query_pairs().any(|(name, _)| name == "access_token");
    if request.is_to_resource || shows_token || in_url() {
        Party::ResourceServer
    } else {
        Party::AuthorizationServer
    }
}

/// Sees every event. Synchronous, and cannot fail.
pub trait Observer {
    /// Takes note of one event.
    fn observe(&mut self, event: &Event<'_>);
}

/// Sees nothing: for the hot path and for tests.
#[derive(Debug, Default)]
pub struct NoopObserver;

impl Observer for NoopObserver {
    fn observe(&mut self, _event: &Event<'_>) {}
}
