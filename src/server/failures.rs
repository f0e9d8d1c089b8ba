//! Faults that the user asked for with `--fail`, counted down.

use super::message::{Refused, Response};
use super::pages::Pages;
use super::route::Route;
use super::settings::Failure;
use std::sync::{Mutex, PoisonError};

/// The faults that are still to come.
pub(crate) struct Failures {
    /// With how often each is still to come; `None`: always.
    pending: Mutex<Vec<(Failure, Option<u32>)>>,
    none: bool,
}

impl Failures {
    pub(crate) fn new(failures: &[Failure]) -> Self {
        let pending = failures
            .iter()
            .map(|failure| (failure.clone(), failure.count.map(u32::from)))
            .collect();
        Failures {
            pending: Mutex::new(pending),
            none: failures.is_empty(),
        }
    }

    /// The answer to give instead of doing the work, if one is due. Nothing
    /// has been committed by then.
    pub(crate) fn answer(&self, route: Route, pages: &Pages, issuer: &str) -> Option<Response> {
        if self.none {
            return None;
        }
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let (failure, left) = pending
            .iter_mut()
            .find(|(failure, left)| failure.routes.contains(&route) && *left != Some(0))?;
        if let Some(left) = left {
            *left -= 1;
        }
        let status = failure.status;
        let refused = Refused::new("this answer was asked for", format!("--fail with status {status}"));
        let error = match status {
            401 => "invalid_client",
            400..=428 | 430..=499 => "invalid_request",
            429 | 503 => "temporarily_unavailable",
            _ => "server_error",
        };
        let response = if route == Route::Authorize {
            pages.error(
                status,
                "This failure was asked for",
                refused,
                &[],
                "Nothing was sent back to the application.",
            )
        } else {
            Response::error(status, error, refused)
        };
        Some(match status {
            300..=399 => response.with("location", format!("{issuer}/")),
            429 | 503 => response.with("retry-after", "1"),
            _ => response,
        })
    }
}
