//! Answers that tell by their status alone that something went wrong.

use crate::protocol::http::is_unavailable;
use std::fmt;

/// A refusal that is not sent to the client: a page with this status, or a
/// redirect to the server's own error page.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct ErrorPage {
    pub(super) status: u16,
}

impl ErrorPage {
    /// Whether it says nothing about the request.
    pub(super) fn is_outage(self) -> bool {
        is_unavailable(self.status)
    }
}

impl fmt::Display for ErrorPage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            300..400 => write!(formatter, "a redirect to an error page of its own"),
            status => write!(formatter, "a page of status {status}"),
        }
    }
}
