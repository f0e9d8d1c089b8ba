//! What a server received: read byte by byte, kept as it came.

use super::Connection;
use std::io;

/// The most bytes of a request's head; what is longer is a mistake in the test.
const MAX_HEAD_BYTES: usize = 1024 * 1024;

/// What the server received, byte for byte.
#[derive(Debug, Clone)]
pub struct Request {
    /// `GET`; empty when the bytes were not HTTP.
    pub method: String,
    /// As it stood in the request line, query included.
    pub target: String,
    /// Names as they were sent, in order.
    pub headers: Vec<(String, String)>,
    /// Without chunk framing.
    pub body: Vec<u8>,
    /// Request line and headers, or whatever came instead.
    pub head: Vec<u8>,
    /// Which connection it came on, counted from 0.
    pub connection: usize,
}

impl Request {
    /// The target without its query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The one value of a header, whatever its case. Panics when it stands there twice.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        let first = values.next();
        assert!(values.next().is_none(), "header {name} is repeated: {:?}", self.headers);
        first.map(|(_, value)| value.as_str())
    }

    /// The names of all headers in lower case, sorted.
    pub fn header_names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
        names.sort();
        names
    }

    pub fn body_text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body in UTF-8")
    }

    /// The parameters of a form body, in order.
    pub fn form(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(&self.body).into_owned().collect()
    }

    /// The parameters of the query, in order.
    pub fn query(&self) -> Vec<(String, String)> {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
    }
}

/// The value of a parameter that stands there exactly once.
pub fn value_of<'a>(params: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let mut values = params.iter().filter(|(key, _)| key == name);
    let first = values.next();
    assert!(values.next().is_none(), "parameter {name} is repeated: {params:?}");
    first.map(|(_, value)| value.as_str())
}

/// One request, or `None` at the end of the connection.
pub(super) fn read_request(stream: &mut dyn Connection, connection: usize) -> io::Result<Option<Request>> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte)? == 0 {
            return Ok((!head.is_empty()).then(|| not_http(head, connection)));
        }
        head.push(byte[0]);
        assert!(
            head.len() < MAX_HEAD_BYTES,
            "a request head of more than {MAX_HEAD_BYTES} bytes"
        );
    }
    let Some((method, target, headers)) = parse_head(&head) else {
        return Ok(Some(not_http(head, connection)));
    };
    let mut request = Request {
        method,
        target,
        headers,
        body: Vec::new(),
        head,
        connection,
    };
    let length = request
        .header("content-length")
        .map(|length| length.parse().expect("a length"));
    if request.header("expect").is_some() {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    if request.header("transfer-encoding").is_some() {
        request.body = read_chunks(stream)?;
    } else {
        request.body = vec![0; length.unwrap_or(0)];
        stream.read_exact(&mut request.body)?;
    }
    Ok(Some(request))
}

fn not_http(head: Vec<u8>, connection: usize) -> Request {
    Request {
        method: String::new(),
        target: String::new(),
        headers: Vec::new(),
        body: Vec::new(),
        head,
        connection,
    }
}

type Head = (String, String, Vec<(String, String)>);

fn parse_head(head: &[u8]) -> Option<Head> {
    let text = std::str::from_utf8(head).ok()?;
    let mut lines = text.split("\r\n");
    let mut request_line = lines.next()?.split(' ');
    let method = request_line.next()?.to_owned();
    let target = request_line.next()?.to_owned();
    if request_line.next()? != "HTTP/1.1" || request_line.next().is_some() {
        return None;
    }
    let mut headers = Vec::new();
    for line in lines.filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':')?;
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    Some((method, target, headers))
}

fn read_chunks(stream: &mut dyn Connection) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = read_line(stream)?;
        let length =
            usize::from_str_radix(line.split(';').next().unwrap_or_default().trim(), 16).expect("a chunk length");
        let mut chunk = vec![0; length + 2];
        stream.read_exact(&mut chunk)?;
        if length == 0 {
            return Ok(body);
        }
        body.extend_from_slice(&chunk[..length]);
    }
}

fn read_line(stream: &mut dyn Connection) -> io::Result<String> {
    let mut line = Vec::new();
    let mut byte = [0];
    while !line.ends_with(b"\r\n") {
        stream.read_exact(&mut byte)?;
        line.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}
