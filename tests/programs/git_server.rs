//! A server of git repositories that wants a token, as the password of Basic
//! authentication or as a bearer token: `git http-backend` behind [`LiteralServer`].

use crate::support::literal_server::{LiteralServer, Reply, Request};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

/// Stands for all of them.
const EVERY_TOKEN: &str = "*";

/// Serves one repository, `/repo.git`.
pub struct GitServer {
    pub server: LiteralServer,
    accepted: Arc<Mutex<Vec<String>>>,
}

impl GitServer {
    /// Serves the bare repository `repo.git` of this folder to whoever has one of these tokens.
    pub fn start(folder: &Path, accepted: &[&str]) -> Self {
        GitServer::start_with("Basic realm=\"git\"", folder, accepted)
    }

    /// The same for a server that takes the token as RFC 6750 has it, and nothing else.
    pub fn start_with_bearer(folder: &Path, accepted: &[&str]) -> Self {
        GitServer::start_with("Bearer realm=\"git\"", folder, accepted)
    }

    fn start_with(challenge: &str, folder: &Path, accepted: &[&str]) -> Self {
        let challenge = format!("WWW-Authenticate: {challenge}");
        let server = LiteralServer::start();
        let accepted = accepted.iter().map(|token| (*token).to_owned()).collect();
        let accepted: Arc<Mutex<Vec<String>>> = Arc::new(Mutex::new(accepted));
        for (method, path) in [
            ("GET", "/repo.git/info/refs"),
            ("POST", "/repo.git/git-upload-pack"),
            ("POST", "/repo.git/git-receive-pack"),
        ] {
            let (folder, accepted, challenge) = (folder.to_owned(), Arc::clone(&accepted), challenge.clone());
            server.on_call(method, path, move |request| {
                let accepted = accepted.lock().expect("no panic").clone();
                let is_accepted = |token: &&String| accepted.iter().any(|own| own == *token || own == EVERY_TOKEN);
                let token = if challenge.contains("Basic") {
                    password(request)
                } else {
                    bearer(request)
                };
                match token.as_ref().filter(is_accepted) {
                    Some(_) => http_backend(&folder, request),
                    None => Reply::http(401, &[&challenge], "who are you?"),
                }
            });
        }
        GitServer { server, accepted }
    }

    /// From now on these tokens are accepted, and no others.
    pub fn accept(&self, tokens: &[&str]) {
        *self.accepted.lock().expect("no panic") = tokens.iter().map(|token| (*token).to_owned()).collect();
    }

    /// From now on any token will do.
    pub fn accept_every_token(&self) {
        self.accept(&[EVERY_TOKEN]);
    }

    pub fn url(&self) -> String {
        self.server.url("/repo.git")
    }

    /// `127.0.0.1:PORT`, as `allow_host` wants it.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.server.port())
    }

    /// The user names and passwords, or the bearer tokens, that were sent, without repetitions in a
    /// row. A user name alone, which git sends first where the URL has one, is left out.
    pub fn credentials(&self) -> Vec<String> {
        let mut sent: Vec<String> = self.server.requests().iter().filter_map(credentials).collect();
        sent.retain(|sent| !sent.ends_with(':'));
        sent.dedup();
        sent
    }
}

fn credentials(request: &Request) -> Option<String> {
    let header = request.header("authorization")?;
    if let Some(token) = header.strip_prefix("Bearer ") {
        return Some(token.to_owned());
    }
    let encoded = header.strip_prefix("Basic ")?;
    String::from_utf8(STANDARD.decode(encoded).ok()?).ok()
}

fn password(request: &Request) -> Option<String> {
    let credentials = credentials(request)?;
    Some(credentials.split_once(':')?.1.to_owned())
}

fn bearer(request: &Request) -> Option<String> {
    Some(request.header("authorization")?.strip_prefix("Bearer ")?.to_owned())
}

/// Runs the CGI program that comes with git (RFC 3875).
fn http_backend(folder: &Path, request: &Request) -> Reply {
    let mut command = Command::new(exec_path().join("git-http-backend"));
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_PROJECT_ROOT", folder)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REMOTE_USER", "somebody")
        .env("REQUEST_METHOD", &request.method)
        .env("PATH_INFO", request.path())
        .env(
            "QUERY_STRING",
            request.target.split_once('?').map_or("", |(_, query)| query),
        )
        .env("CONTENT_TYPE", request.header("content-type").unwrap_or_default())
        .env("CONTENT_LENGTH", request.body.len().to_string());
    for (name, variable) in [
        ("content-encoding", "HTTP_CONTENT_ENCODING"),
        ("git-protocol", "GIT_PROTOCOL"),
    ] {
        if let Some(value) = request.header(name) {
            command.env(variable, value);
        }
    }
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("starting git http-backend");
    let mut stdin = child.stdin.take().expect("its stdin");
    let body = request.body.clone();
    let writing = std::thread::spawn(move || stdin.write_all(&body));
    let output = child.wait_with_output().expect("its end");
    writing.join().expect("no panic").expect("it reads");
    let end = output
        .stdout
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .expect("a head");
    let head = String::from_utf8(output.stdout[..end].to_vec()).expect("text");
    let body = &output.stdout[end + 4..];
    let (statuses, headers): (Vec<&str>, Vec<&str>) = head.split("\r\n").partition(|line| line.starts_with("Status: "));
    let status = statuses.first().map_or("200", |line| &line["Status: ".len()..][..3]);
    Reply::http(status.parse().expect("a status"), &headers, body)
}

fn exec_path() -> PathBuf {
    let output = Command::new("git").arg("--exec-path").output().expect("git");
    PathBuf::from(String::from_utf8(output.stdout).expect("text").trim_end())
}
