//! Where the time of one exchange goes. The resolver and the connector are
//! called by the HTTP client and know nothing of the request that they work
//! for; they do it inside the request's task, which carries the stopwatch.

use crate::protocol::http::Timings;
use std::cell::Cell;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tower_layer::Layer;
use tower_service::Service;

tokio::task_local! {
    static LAPS: Cell<Timings>;
}

/// Runs an exchange with a stopwatch of its own, which [`laps`] reads.
pub(super) async fn timed<T>(exchange: impl Future<Output = T>) -> T {
    LAPS.scope(Cell::default(), exchange).await
}

/// What was measured so far.
pub(super) fn laps() -> Timings {
    LAPS.try_with(Cell::get).unwrap_or_default()
}

/// The resolver has needed this long.
pub(super) fn note_name_lookup(took: Duration) {
    note(|laps| laps.name_lookup = Some(took));
}

fn note(change: impl FnOnce(&mut Timings)) {
    // Outside of an exchange nobody wants to know.
    let _ = LAPS.try_with(|cell| {
        let mut laps = cell.get();
        change(&mut laps);
        cell.set(laps);
    });
}

/// Measures the connector: name, connection, proxy and TLS.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimedConnecting;

impl<S> Layer<S> for TimedConnecting {
    type Service = TimedConnector<S>;

    fn layer(&self, connector: S) -> TimedConnector<S> {
        TimedConnector { connector }
    }
}

/// A connector that is measured.
#[derive(Debug, Clone)]
pub(super) struct TimedConnector<S> {
    connector: S,
}

impl<S, R> Service<R> for TimedConnector<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.connector.poll_ready(context)
    }

    fn call(&mut self, target: R) -> Self::Future {
        let began = Instant::now();
        let connecting = self.connector.call(target);
        Box::pin(async move {
            let outcome = connecting.await;
            let took = began.elapsed();
            note(|laps| laps.connect = Some(took.saturating_sub(laps.name_lookup.unwrap_or_default())));
            outcome
        })
    }
}
