//! The head of a request as bytes, before an HTTP parser sees it.
//!
//! It decides when the head is whole and refuses what parsers read
//! differently: a bare LF or CR as line end, NUL, a first line that is not
//! HTTP/1 (RFC 9112 §2.2, §3). Invariant: no IO, and each byte is looked at
//! once, however slowly they come.

use super::refusal::Refusal;

/// The request line with its line end.
pub(super) const MAX_REQUEST_LINE_BYTES: usize = 16 * 1024;

/// The header fields with the empty line behind them. Browsers send the cookies
/// of every program that ever ran on another port of this host.
pub(super) const MAX_HEADER_FIELDS_BYTES: usize = 64 * 1024;

/// The whole head.
pub(super) const MAX_HEAD_BYTES: usize = MAX_REQUEST_LINE_BYTES + MAX_HEADER_FIELDS_BYTES;

/// How a TLS handshake begins (RFC 8446 §5.1).
pub(super) const TLS_HANDSHAKE: u8 = 22;

/// Looks through a growing buffer.
#[derive(Debug, Default)]
pub(super) struct HeadScanner {
    scanned: usize,
    line_start: usize,
    /// Where the header fields begin, once the request line is whole.
    fields_start: Option<usize>,
}

impl HeadScanner {
    /// Takes the whole buffer so far; true when it ends the head (bytes of the
    /// body may stand after it).
    pub(super) fn is_full(&mut self, buffer: &[u8]) -> Result<bool, Refusal> {
        match buffer.first() {
            Some(&TLS_HANDSHAKE) => return Err(Refusal::Tls),
            Some(byte) if !byte.is_ascii_alphabetic() => return Err(Refusal::NotHttp),
            _ => {}
        }
        while self.scanned < buffer.len().min(self.limit_bytes()) {
            let position = self.scanned;
            match buffer[position] {
                b'\n' if position == 0 || buffer[position - 1] != b'\r' => return Err(Refusal::Malformed),
                b'\n' => {
                    let line = &buffer[self.line_start..position - 1];
                    self.scanned = position + 1;
                    self.line_start = self.scanned;
                    if self.fields_start.is_none() {
                        check_request_line(line)?;
                        self.fields_start = Some(self.scanned);
                    } else if line.is_empty() {
                        return Ok(true);
                    }
                    continue;
                }
                0 => return Err(Refusal::Malformed),
                _ if position > 0 && buffer[position - 1] == b'\r' => return Err(Refusal::Malformed),
                _ => {}
            }
            self.scanned += 1;
        }
        match self.fields_start {
            _ if self.scanned < self.limit_bytes() => Ok(false),
            None => Err(Refusal::TargetTooLong),
            Some(_) => Err(Refusal::HeadTooLong),
        }
    }

    /// Where the part that is being read has to end.
    fn limit_bytes(&self) -> usize {
        self.fields_start
            .map_or(MAX_REQUEST_LINE_BYTES, |start| start + MAX_HEADER_FIELDS_BYTES)
    }
}

fn check_request_line(line: &[u8]) -> Result<(), Refusal> {
    let is_http_1 = line.ends_with(b" HTTP/1.1") || line.ends_with(b" HTTP/1.0");
    // a fragment is never sent; parsers that drop it would compare another path
    if is_http_1 && !line.contains(&b'#') {
        Ok(())
    } else {
        Err(Refusal::Malformed)
    }
}

/// For fuzz/: whether these bytes end a head; `None` where they are refused.
#[cfg(fuzzing)]
pub fn ends_head(buffer: &[u8]) -> Option<bool> {
    HeadScanner::default().is_full(buffer).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(bytes: &[u8]) -> Result<bool, Refusal> {
        HeadScanner::default().is_full(bytes)
    }

    #[test]
    fn a_head_is_whole_at_its_empty_line_however_it_is_cut() {
        let head = b"GET /callback HTTP/1.1\r\nHost: a\r\n\r\n";
        let mut scanner = HeadScanner::default();
        for end in 0..head.len() {
            assert_eq!(scanner.is_full(&head[..end]), Ok(false), "{end} bytes");
        }
        assert_eq!(scanner.is_full(head), Ok(true));
        assert_eq!(outcome(b"POST / HTTP/1.0\r\n\r\nbody\n\n"), Ok(true));
    }

    #[test]
    fn what_parsers_read_differently_is_refused() {
        for bytes in [
            &b"GET / HTTP/1.1\n\n"[..],
            b"GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\0\r\n\r\n",
            b"GET /\r\n",
            b"GET / HTTP/2.0\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"GET /callback#x HTTP/1.1\r\n",
        ] {
            assert_eq!(outcome(bytes), Err(Refusal::Malformed), "{}", bytes.escape_ascii());
        }
        assert_eq!(outcome(b"\x16\x03\x01\x02\x00\x01\x00"), Err(Refusal::Tls));
        for bytes in [&b"\r\nGET / HTTP/1.1\r\n"[..], b"\0", b" GET /"] {
            assert_eq!(outcome(bytes), Err(Refusal::NotHttp), "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn sixteen_kibibytes_of_request_line_and_sixty_four_of_fields_are_taken_and_no_byte_more() {
        let padded = |start: &str, length: usize, end: &str| {
            let mut text = start.as_bytes().to_vec();
            text.resize(length - end.len(), b'a');
            text.extend_from_slice(end.as_bytes());
            text
        };
        let line = |length| padded("GET /", length, " HTTP/1.1\r\n");
        let fields = |length| padded("X: ", length, "\r\n\r\n");
        let longest = [line(MAX_REQUEST_LINE_BYTES), fields(MAX_HEADER_FIELDS_BYTES)].concat();
        assert_eq!(longest.len(), MAX_HEAD_BYTES);
        assert_eq!(outcome(&longest), Ok(true));
        for fields_bytes in [MAX_HEADER_FIELDS_BYTES + 1, 2 * MAX_HEADER_FIELDS_BYTES] {
            let head = [line(20), fields(fields_bytes)].concat();
            assert_eq!(outcome(&head), Err(Refusal::HeadTooLong), "{fields_bytes}");
        }
        assert_eq!(outcome(&line(MAX_REQUEST_LINE_BYTES + 1)), Err(Refusal::TargetTooLong));
        assert_eq!(
            outcome(&vec![b'G'; MAX_REQUEST_LINE_BYTES]),
            Err(Refusal::TargetTooLong)
        );
        assert_eq!(outcome(&vec![b'G'; MAX_REQUEST_LINE_BYTES - 1]), Ok(false));
    }
}
