//! How the server meets a person who is not signed in yet.

use super::carriage::first_answer;
use super::error_page::ErrorPage;
use super::exchange::Outcome;
use super::prober::Prober;
use crate::exit::ExitCode;

/// How the server meets a good request that comes without a cookie.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Interactivity {
    /// It grants at once.
    AutoApproves,
    /// It asks to sign in.
    NeedsLogin,
    /// It shows an error page.
    Rejects(ErrorPage),
}

impl Interactivity {
    /// Looks how the server meets a good request; `None` where nothing more can
    /// be tested, which the prober then knows.
    pub(super) fn detect(prober: &mut Prober<'_, '_>) -> Option<Self> {
        let (exit_code, why) = match first_answer(prober) {
            Ok(Outcome::Redirect(response)) if response.grants() => return Some(Interactivity::AutoApproves),
            Ok(Outcome::Redirect(response)) => {
                let how = response.refusal();
                let why = format!("the server refuses a plain authorization request: {how}");
                (ExitCode::Refused, why)
            }
            Ok(Outcome::PushRefused(refusal)) if refusal.is_outage() => {
                let why = format!("the server answers a plain authorization request with {refusal}");
                (ExitCode::Unreachable, why)
            }
            Ok(Outcome::PushRefused(refusal)) => {
                let why = format!("the server refuses a plain authorization request with {refusal}");
                (ExitCode::Refused, why)
            }
            Ok(Outcome::Error(page)) if page.is_outage() => {
                let why = format!("the authorization endpoint answers a plain request with {page}");
                (ExitCode::Unreachable, why)
            }
            Ok(Outcome::Error(page)) => return Some(Interactivity::Rejects(page)),
            Ok(Outcome::Page) => return Some(Interactivity::NeedsLogin),
            Err(failure) => {
                let why = format!("the authorization endpoint: {}", failure.reason());
                (ExitCode::Unreachable, why)
            }
        };
        prober.stop(exit_code, why);
        None
    }
}
