//! The browser's side of HTTP with nothing in between: literal bytes to a
//! listener, literal bytes back. Standard library only.
#![allow(dead_code, unreachable_pub, reason = "each test crate uses its own part")]

use super::literal_server::PATIENCE;
use std::io::{Read, Write};
use std::net::TcpStream;
use url::Url;

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// 0 when nothing or something else than HTTP came.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// All of it, as it came.
    pub raw: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    pub fn body_text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn parse(raw: Vec<u8>) -> Self {
        let head_end = raw.windows(4).position(|bytes| bytes == b"\r\n\r\n");
        let head = String::from_utf8_lossy(&raw[..head_end.unwrap_or(0)]).into_owned();
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
        let headers = lines.filter_map(|line| line.split_once(':'));
        Answer {
            status: status.unwrap_or(0),
            headers: headers
                .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
                .collect(),
            body: head_end.map_or(Vec::new(), |end| raw[end + 4..].to_vec()),
            raw,
        }
    }
}

/// Reads what came as an answer.
pub fn parse(raw: Vec<u8>) -> Answer {
    Answer::parse(raw)
}

/// Sends these bytes to `host:port` and reads one answer: as far as its
/// length says, or until the connection ends.
pub fn send_bytes(authority: &str, bytes: &[u8]) -> std::io::Result<Answer> {
    let stream = TcpStream::connect(authority)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    exchange(stream, bytes)
}

/// Sends these bytes over a connection and reads one answer.
pub fn exchange(mut stream: impl Read + Write, bytes: &[u8]) -> std::io::Result<Answer> {
    stream.write_all(bytes)?;
    let mut raw = Vec::new();
    let mut block = [0; 4096];
    loop {
        match stream.read(&mut block) {
            Ok(0) => break,
            Ok(length) => raw.extend_from_slice(&block[..length]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            // a reset after the answer is as good an end as any
            Err(_) if !raw.is_empty() => break,
            Err(error) => return Err(error),
        }
        let answer = Answer::parse(raw.clone());
        let length: Option<usize> = answer.header("content-length").and_then(|length| length.parse().ok());
        if length.is_some_and(|length| answer.body.len() >= length) {
            break;
        }
    }
    Ok(Answer::parse(raw))
}

/// A GET of `target` at `host:port`. `headers` are lines without line breaks;
/// `Host` is added where they have none.
pub fn get(authority: &str, target: &str, headers: &[&str]) -> std::io::Result<Answer> {
    send_bytes(authority, request("GET", authority, target, headers, "").as_bytes())
}

/// A POST of a form.
pub fn post(authority: &str, target: &str, headers: &[&str], form: &str) -> std::io::Result<Answer> {
    send_bytes(authority, request("POST", authority, target, headers, form).as_bytes())
}

/// A GET of this http URL, as a browser that was redirected there sends it.
pub fn get_url(url: &str) -> std::io::Result<Answer> {
    let url = Url::parse(url).expect("a URL");
    get(&authority(&url), &target(&url), &BROWSER_NAVIGATION)
}

/// What Chromium and Firefox send when the user is redirected to another site.
pub const BROWSER_NAVIGATION: [&str; 5] = [
    "Accept: text/html,application/xhtml+xml",
    "Sec-Fetch-Site: cross-site",
    "Sec-Fetch-Mode: navigate",
    "Sec-Fetch-Dest: document",
    "Upgrade-Insecure-Requests: 1",
];

/// `host:port`, as `Host` has it.
pub fn authority(url: &Url) -> String {
    let port = url.port_or_known_default().expect("a port");
    format!("{}:{port}", url.host_str().expect("a host"))
}

/// Path and query.
pub fn target(url: &Url) -> String {
    url[url::Position::BeforePath..url::Position::AfterQuery].to_owned()
}

/// The bytes of a request.
pub fn request(method: &str, authority: &str, target: &str, headers: &[&str], form: &str) -> String {
    let mut text = format!("{method} {target} HTTP/1.1\r\n");
    if !headers
        .iter()
        .any(|line| line.to_ascii_lowercase().starts_with("host:"))
    {
        text.push_str(&format!("Host: {authority}\r\n"));
    }
    for line in headers {
        text.push_str(line);
        text.push_str("\r\n");
    }
    if method == "POST" {
        let has_type = headers
            .iter()
            .any(|line| line.to_ascii_lowercase().starts_with("content-type:"));
        if !has_type {
            text.push_str("Content-Type: application/x-www-form-urlencoded\r\n");
        }
        text.push_str(&format!("Content-Length: {}\r\n", form.len()));
    }
    format!("{text}\r\n{form}")
}
