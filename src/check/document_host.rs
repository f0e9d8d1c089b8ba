//! A place on this machine from which a server fetches client-ID metadata
//! documents, and how often it did. Answers GET alone, within limits.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// A longer request is none of a server.
const MAX_REQUEST_BYTES: usize = 8 * 1024;
/// How long a request may take to come.
const READ_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Default)]
struct Shared {
    /// Status and body by path.
    documents: HashMap<String, (u16, String)>,
    counts: HashMap<String, usize>,
}

/// Serves documents until it is dropped.
pub(super) struct DocumentHost {
    port: u16,
    shared: Arc<Mutex<Shared>>,
    serving: JoinHandle<()>,
}

impl DocumentHost {
    /// Listens on a free port of 127.0.0.1; called within a runtime.
    ///
    /// # Errors
    /// What the operating system says.
    pub(super) async fn open() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Mutex::<Shared>::default());
        let serving = tokio::spawn(serve(listener, Arc::clone(&shared)));
        Ok(DocumentHost { port, shared, serving })
    }

    /// The URL of a path.
    pub(super) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Answers this path so from now on.
    pub(super) fn publish(&self, path: &str, status: u16, body: String) {
        lock(&self.shared).documents.insert(path.to_owned(), (status, body));
    }

    /// How often a path was asked for.
    pub(super) fn count(&self, path: &str) -> usize {
        lock(&self.shared).counts.get(path).copied().unwrap_or_default()
    }
}

impl Drop for DocumentHost {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One connection after the other: there is one server.
async fn serve(listener: TcpListener, shared: Arc<Mutex<Shared>>) {
    while let Ok((mut stream, _)) = listener.accept().await {
        // A client that has closed its end gets no answer.
        let _ = timeout(READ_TIMEOUT, answer(&mut stream, &shared)).await;
    }
}

async fn answer(stream: &mut TcpStream, shared: &Mutex<Shared>) -> io::Result<()> {
    let mut request = Vec::new();
    while !request.windows(4).any(|window| window == b"\r\n\r\n") {
        let mut part = [0; 1024];
        let count = stream.read(&mut part).await?;
        request.extend_from_slice(&part[..count]);
        if count == 0 || request.len() > MAX_REQUEST_BYTES {
            return Ok(());
        }
    }
    let text = String::from_utf8_lossy(&request).into_owned();
    let path = text.strip_prefix("GET ").and_then(|rest| rest.split(' ').next());
    let (status, body) = {
        let mut shared = lock(shared);
        let known = path.and_then(|path| shared.documents.get(path)).cloned();
        if let Some(path) = path.filter(|_| known.is_some()) {
            *shared.counts.entry(path.to_owned()).or_default() += 1;
        }
        known.unwrap_or((404, String::new()))
    };
    let response = format!(
        "HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nCache-Control: max-age=300\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(response.as_bytes()).await?;
    stream.shutdown().await
}
