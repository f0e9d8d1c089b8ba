//! The head of a request as bytes, before an HTTP parser sees it.
//!
//! It decides when the head is whole and refuses what parsers read
//! differently: a bare LF or CR as line end, NUL, a first line that is not
//! HTTP/1 (RFC 9112 §2.2, §3). Invariant: no IO, and each byte is looked at
//! once, however slowly they come.

use super::gate::Refusal;

/// Request line and header fields together.
pub(super) const HEAD_LIMIT_BYTES: usize = 16 * 1024;

/// Looks through a growing buffer.
#[derive(Debug, Default)]
pub(super) struct HeadScanner {
    scanned: usize,
    line_start: usize,
    first_line_seen: bool,
}

impl HeadScanner {
    /// Takes the whole buffer so far; true when it ends the head (bytes of the
    /// body may stand after it).
    pub(super) fn is_full(&mut self, buffer: &[u8]) -> Result<bool, Refusal> {
        if !buffer.first().is_none_or(u8::is_ascii_alphabetic) {
            return Err(Refusal::NotHttp);
        }
        while self.scanned < buffer.len().min(HEAD_LIMIT_BYTES) {
            let position = self.scanned;
            match buffer[position] {
                b'\n' if position == 0 || buffer[position - 1] != b'\r' => return Err(Refusal::Malformed),
                b'\n' => {
                    let line = &buffer[self.line_start..position - 1];
                    self.scanned = position + 1;
                    self.line_start = self.scanned;
                    if !self.first_line_seen {
                        check_request_line(line)?;
                        self.first_line_seen = true;
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
        match (self.scanned >= HEAD_LIMIT_BYTES, self.first_line_seen) {
            (false, _) => Ok(false),
            (true, false) => Err(Refusal::TargetTooLong),
            (true, true) => Err(Refusal::HeadTooLong),
        }
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
        for bytes in [
            &b"\x16\x03\x01\x02\x00\x01\x00"[..],
            b"\r\nGET / HTTP/1.1\r\n",
            b"\0",
            b" GET /",
        ] {
            assert_eq!(outcome(bytes), Err(Refusal::NotHttp), "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn sixteen_kibibytes_are_taken_and_no_byte_more() {
        let head_of = |length: usize| {
            let mut head = b"GET / HTTP/1.1\r\nX: ".to_vec();
            head.resize(length - 4, b'a');
            head.extend_from_slice(b"\r\n\r\n");
            head
        };
        assert_eq!(outcome(&head_of(HEAD_LIMIT_BYTES)), Ok(true));
        assert_eq!(outcome(&head_of(HEAD_LIMIT_BYTES + 1)), Err(Refusal::HeadTooLong));
        assert_eq!(outcome(&vec![b'G'; HEAD_LIMIT_BYTES]), Err(Refusal::TargetTooLong));
        assert_eq!(outcome(&vec![b'G'; HEAD_LIMIT_BYTES - 1]), Ok(false));
    }
}
