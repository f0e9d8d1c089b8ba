//! The time limit of a wait for somebody on the network. A process that is stopped meanwhile
//! (Ctrl-Z, a machine that sleeps) hears the clock before the network when it
//! runs again, and an answer with a new refresh token must not be lost by that.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// What is there already takes this long to be read.
const LAST_LOOK: Duration = Duration::from_millis(50);

/// A clock that is heard so late was not heard by a process that ran.
const STOPPED: Duration = Duration::from_secs(1);

/// Once it runs again: until what was lost while nobody acknowledged it comes once more.
const AFTER_STOP: Duration = Duration::from_secs(5);

/// The outcome of the work; `None` where it takes longer than this, and nothing
/// that it waits for has come by then.
pub(crate) async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    let (mut work, began) = (pin!(work), Instant::now());
    match timeout(limit, work.as_mut()).await {
        Ok(outcome) => Some(outcome),
        Err(_) => {
            let is_late = began.elapsed().saturating_sub(limit) >= STOPPED;
            let last_look = if is_late { AFTER_STOP } else { LAST_LOOK };
            timeout(last_look, work).await.ok()
        }
    }
}
