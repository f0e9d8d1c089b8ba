//! What comes to the listener and is not the answer to this login: the first
//! of each kind is reported at once, the others are counted.
//!
//! Invariant: of a foreign callback nothing is shown but an error code that is
//! registered, since anyone who reaches the listener can send one.

use crate::protocol::authorization::UnprovenResponse;
use crate::protocol::error::ErrorResponse;
use crate::protocol::params::Params;
use crate::trace::{Event, Observer};
use crate::user_agent::callback::{ListenerAddress, Refusal};

/// Callbacks with a foreign `state`, after which a person should know that something is odd.
const FOREIGN_CALLBACKS_BEFORE_WARNING: u64 = 20;

/// What came so far.
#[derive(Debug, Default)]
pub(super) struct Strays {
    /// Each kind, with how many came.
    kinds: Vec<(Stray, u64)>,
    foreign: u64,
    summary: StraySummary,
}

/// What an error can tell of it at the end.
#[derive(Debug, Clone, Copy, Default)]
pub struct StraySummary {
    /// The last request that was refused, and where.
    pub refused: Option<RefusedRequest>,
    /// The first foreign callback with an error, else the first one at all.
    pub foreign: Option<ForeignCallback>,
}

impl StraySummary {
    /// Whether a request that reached the listener shows why none was the
    /// answer, so that nothing else has to be looked for.
    pub(super) fn explain_the_wait(&self) -> bool {
        let lost = self.refused.is_some_and(|refused| refused.refusal.loses_the_answer());
        lost || self.foreign.is_some_and(ForeignCallback::explains_the_wait)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stray {
    Refused(RefusedRequest),
    Foreign(ForeignCallback),
}

/// A request that is not a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefusedRequest {
    refusal: Refusal,
    listener: ListenerAddress,
}

impl std::fmt::Display for RefusedRequest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let RefusedRequest { refusal, listener } = self;
        write!(formatter, "a request to {listener} was ignored: {refusal}")?;
        match refusal.advice(listener.host) {
            Some(advice) => write!(formatter, "; {advice}"),
            None => Ok(()),
        }
    }
}

/// A callback whose state is not the one that was sent: what it carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForeignCallback {
    /// An error, with its code where that is registered.
    Error(Option<&'static str>),
    /// An error without state, with its code where that is registered.
    ErrorWithoutState(Option<&'static str>),
    /// A code, and no state.
    CodeWithoutState,
    /// A code, and another state.
    CodeWithOtherState,
    Empty,
    Other,
    /// An error that is not signed, though only a signed response is an
    /// answer, with its code where that is registered.
    UnsignedError(Option<&'static str>),
    /// A response that is not signed, or a signed one that does not hold.
    Unproven(&'static str),
}

impl ForeignCallback {
    fn new(params: &Params, problem: Option<&UnprovenResponse>) -> Self {
        let foreign = ForeignCallback::of_parameters(params);
        match (problem, foreign) {
            (None, _) => foreign,
            (
                Some(UnprovenResponse::NotSigned),
                ForeignCallback::Error(code) | ForeignCallback::ErrorWithoutState(code),
            ) => ForeignCallback::UnsignedError(code),
            (Some(UnprovenResponse::NotSigned), ForeignCallback::Empty) => foreign,
            (Some(problem), _) => ForeignCallback::Unproven(problem.summary()),
        }
    }

    fn of_parameters(params: &Params) -> Self {
        let has = |name: &str| params.all(name).next().is_some();
        let code = match ErrorResponse::from_params(params) {
            Ok(Some(error)) => error.registered_code(),
            _ => None,
        };
        match () {
            () if has("error") && has("state") => ForeignCallback::Error(code),
            () if has("error") => ForeignCallback::ErrorWithoutState(code),
            () if has("code") && has("state") => ForeignCallback::CodeWithOtherState,
            () if has("code") => ForeignCallback::CodeWithoutState,
            () if params.is_empty() => ForeignCallback::Empty,
            () => ForeignCallback::Other,
        }
    }

    fn is_error(self) -> bool {
        matches!(
            self,
            ForeignCallback::Error(_) | ForeignCallback::ErrorWithoutState(_) | ForeignCallback::UnsignedError(_)
        )
    }

    /// Whether the server sent the browser back, with an answer that can never be taken.
    fn explains_the_wait(self) -> bool {
        !matches!(
            self,
            ForeignCallback::Error(_) | ForeignCallback::CodeWithOtherState | ForeignCallback::Other
        )
    }

    /// What a person can look at to learn more.
    pub(super) fn next_step(self) -> Option<&'static str> {
        (self == ForeignCallback::Empty).then_some(
            "Look at the address that the browser ended on: where it has the answer behind a #, the server put it into the fragment.",
        )
    }
}

/// The parameters of a foreign callback as a trace may show them.
pub(super) fn foreign_params(params: &Params) -> Params {
    params.hide_unless(|name, value| name == "error" && ErrorResponse::new(value, "").registered_code().is_some())
}

impl std::fmt::Display for ForeignCallback {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ForeignCallback::Error(Some(code)) => {
                write!(formatter, "a callback with another state reported `{code}`")
            }
            ForeignCallback::Error(None) => formatter.write_str("a callback with another state reported an error"),
            ForeignCallback::ErrorWithoutState(code) => {
                match code {
                    Some(code) => write!(formatter, "a callback without state reported `{code}`")?,
                    None => formatter.write_str("a callback without state reported an error")?,
                }
                formatter.write_str(": the server has to return the state that was sent (RFC 6749 §4.1.2.1)")
            }
            ForeignCallback::CodeWithoutState => formatter.write_str(
                "a callback with a code was ignored because it has no state: the server has to return the state that was sent (RFC 6749 §4.1.2)",
            ),
            ForeignCallback::CodeWithOtherState => formatter.write_str(
                "a callback with a code was ignored because its state is not the one that was sent: it may be the answer to another login",
            ),
            ForeignCallback::Empty => formatter.write_str(
                "a callback without parameters was ignored: the server sent none, or put them in the fragment (behind #), which a browser never sends; they must be in the query (RFC 6749 §4.1.2)",
            ),
            ForeignCallback::UnsignedError(Some(code)) => {
                write!(formatter, "a callback that is not signed reported `{code}`")
            }
            ForeignCallback::UnsignedError(None) => {
                formatter.write_str("a callback that is not signed reported an error")
            }
            ForeignCallback::Unproven(why) => write!(
                formatter,
                "a callback was ignored because it has no valid signed response of the server: {why} (JARM §2.4)"
            ),
            ForeignCallback::Other => {
                formatter.write_str("a callback was ignored because it has no state of this login, no code and no error")
            }
        }
    }
}

impl std::fmt::Display for Stray {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Stray::Foreign(foreign) => foreign.fmt(formatter),
            Stray::Refused(refused) => refused.fmt(formatter),
        }
    }
}

impl Strays {
    /// Takes note of a request that the listener refused.
    pub(super) fn note_refused(&mut self, refusal: Refusal, listener: ListenerAddress, observer: &mut dyn Observer) {
        let refused = RefusedRequest { refusal, listener };
        if refusal.is_notable() {
            self.summary.refused = Some(refused);
        }
        self.note(Stray::Refused(refused), refusal.is_notable(), observer);
    }

    /// Takes note of a callback that was not for this login. True for the first of its kind.
    pub(super) fn note_foreign(
        &mut self,
        params: &Params,
        problem: Option<&UnprovenResponse>,
        observer: &mut dyn Observer,
    ) -> bool {
        let foreign = ForeignCallback::new(params, problem);
        let first_error = foreign.is_error() && !self.summary.foreign.is_some_and(ForeignCallback::is_error);
        if first_error || self.summary.foreign.is_none() {
            self.summary.foreign = Some(foreign);
        }
        let is_first = self.note(Stray::Foreign(foreign), true, observer);
        self.foreign += 1;
        if self.foreign == FOREIGN_CALLBACKS_BEFORE_WARNING {
            observer.observe(&Event::Warning(
                "many callbacks with another state were received: another program or a web page may be guessing",
            ));
        }
        is_first
    }

    fn note(&mut self, stray: Stray, notable: bool, observer: &mut dyn Observer) -> bool {
        let is_same = |other: &Stray| match (other, &stray) {
            (Stray::Foreign(one), Stray::Foreign(other)) if one.is_error() => other.is_error(),
            (one, other) => one == other,
        };
        if let Some((_, count)) = self.kinds.iter_mut().find(|(kind, _)| is_same(kind)) {
            *count += 1;
            return false;
        }
        self.kinds.push((stray, 1));
        observer.observe(&Event::CallbackIgnored {
            reason: &stray.to_string(),
            notable,
        });
        true
    }

    /// Reports how many came beside the first of each kind, once.
    pub(super) fn report_counts(&mut self, observer: &mut dyn Observer) {
        for (kind, count) in self.kinds.iter_mut().filter(|(_, count)| *count > 1) {
            observer.observe(&Event::CallbackIgnored {
                reason: &format!("{} more of this kind: {kind}", *count - 1),
                notable: false,
            });
            *count = 1;
        }
    }

    pub(super) fn summary(&self) -> StraySummary {
        self.summary
    }
}
