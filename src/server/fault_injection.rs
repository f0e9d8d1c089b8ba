//! Faults that the user asked for with `--fail`, counted down.

use super::message::Response;
use super::pages::layout::Pages;
use super::rejection::Rejection;
use super::route::Route;
use super::settings::fault::Fault;
use std::sync::{Mutex, PoisonError};

/// The faults that are still to come.
pub(crate) struct FaultInjection {
    /// With how often each is still to come; `None`: always.
    pending: Mutex<Vec<(Fault, Option<u32>)>>,
    none: bool,
}

impl FaultInjection {
    pub(crate) fn new(faults: &[Fault]) -> Self {
        let pending = faults
            .iter()
            .map(|fault| (fault.clone(), fault.count.map(u32::from)))
            .collect();
        FaultInjection {
            pending: Mutex::new(pending),
            none: faults.is_empty(),
        }
    }

    /// The answer to give instead of doing the work, if one is due. Nothing
    /// has been committed by then.
    pub(crate) fn answer(&self, route: Route, pages: &Pages, issuer: &str) -> Option<Response> {
        if self.none {
            return None;
        }
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let (fault, left) = pending
            .iter_mut()
            .find(|(fault, left)| fault.routes.contains(&route) && *left != Some(0))?;
        if let Some(left) = left {
            *left -= 1;
        }
        let status = fault.status;
        let rejection = Rejection::new("this answer was asked for", format!("--fail with status {status}"));
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
                rejection,
                "Nothing was sent back to the application.",
            )
        } else {
            Response::error(status, error, rejection)
        };
        Some(match status {
            300..=399 => response.with("location", format!("{issuer}/")),
            429 | 503 => response.with("retry-after", "1"),
            _ => response,
        })
    }
}
