//! Server-sent events (HTML Living Standard §9.2.6), as the Model Context
//! Protocol streams its messages.

/// One event longer than this ends the stream.
pub const MAX_EVENT_BYTES: usize = 64 * 1024 * 1024;

/// An event that is whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamEvent {
    /// `None` is a `message`.
    pub event_type: Option<String>,
    pub data: String,
}

/// An event longer than [`MAX_EVENT_BYTES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event of the stream is longer than {MAX_EVENT_BYTES} bytes")]
pub struct EventTooLong;

/// Reads a stream piece by piece.
#[derive(Debug, Default)]
pub struct EventStream {
    /// A line whose end has not come yet.
    line: Vec<u8>,
    /// The piece before ended with a carriage return; a line feed belongs to it.
    after_carriage_return: bool,
    is_first_line_read: bool,
    data: String,
    has_data: bool,
    event_type: Option<String>,
    last_event_id: Option<String>,
    retry_ms: Option<u64>,
}

impl EventStream {
    /// Takes the next piece and gives the events that are whole with it.
    ///
    /// # Errors
    /// [`EventTooLong`].
    pub fn push(&mut self, piece: &[u8]) -> Result<Vec<StreamEvent>, EventTooLong> {
        let mut events = Vec::new();
        let mut rest = piece;
        if self.after_carriage_return && !rest.is_empty() {
            self.after_carriage_return = false;
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        while let Some(end) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            self.line.extend_from_slice(&rest[..end]);
            let is_carriage_return = rest[end] == b'\r';
            rest = &rest[end + 1..];
            if is_carriage_return {
                self.after_carriage_return = rest.is_empty();
                rest = rest.strip_prefix(b"\n").unwrap_or(rest);
            }
            events.extend(self.end_line()?);
        }
        self.line.extend_from_slice(rest);
        match self.line.len() > MAX_EVENT_BYTES {
            true => Err(EventTooLong),
            false => Ok(events),
        }
    }

    /// The identifier of the last event, with which the stream can be taken up again.
    pub fn last_event_id(&self) -> Option<&str> {
        self.last_event_id.as_deref()
    }

    /// How long the server wants a client to wait before it does that.
    pub fn retry_ms(&self) -> Option<u64> {
        self.retry_ms
    }

    fn end_line(&mut self) -> Result<Option<StreamEvent>, EventTooLong> {
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&line);
        let line = match self.is_first_line_read {
            false => line.strip_prefix('\u{feff}').unwrap_or(&line),
            true => &line,
        };
        self.is_first_line_read = true;
        if line.is_empty() {
            return Ok(self.end_event());
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "data" => {
                if self.has_data {
                    self.data.push('\n');
                }
                self.has_data = true;
                self.data.push_str(value);
                if self.data.len() > MAX_EVENT_BYTES {
                    return Err(EventTooLong);
                }
            }
            "event" => self.event_type = (!value.is_empty()).then(|| value.to_owned()),
            "id" if !value.contains('\0') => self.last_event_id = (!value.is_empty()).then(|| value.to_owned()),
            "retry" if value.bytes().all(|byte| byte.is_ascii_digit()) => {
                self.retry_ms = value.parse().ok().or(self.retry_ms);
            }
            _ => {}
        }
        Ok(None)
    }

    fn end_event(&mut self) -> Option<StreamEvent> {
        let event_type = self.event_type.take();
        let data = std::mem::take(&mut self.data);
        std::mem::take(&mut self.has_data).then_some(StreamEvent { event_type, data })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(pieces: &[&str]) -> (Vec<String>, EventStream) {
        let mut stream = EventStream::default();
        let events = pieces.iter().flat_map(|piece| stream.push(piece.as_bytes()).unwrap());
        let events: Vec<String> = events.map(|event| event.data).collect();
        (events, stream)
    }

    #[test]
    fn events_end_with_an_empty_line_whatever_ends_a_line() {
        for end in ["\n", "\r\n", "\r"] {
            let text = format!(
                "\u{feff}: hello{end}data: a{end}data:b{end}{end}id: 7{end}event: x{end}data{end}{end}data: lost"
            );
            let (whole, stream) = data(&[&text]);
            assert_eq!(whole, ["a\nb", ""], "{end:?}");
            assert_eq!(stream.last_event_id(), Some("7"));
            for cut in (0..=text.len()).filter(|cut| text.is_char_boundary(*cut)) {
                assert_eq!(data(&[&text[..cut], &text[cut..]]).0, whole, "{end:?} {cut}");
            }
        }
    }

    #[test]
    fn an_id_alone_primes_the_stream_and_retry_is_a_number() {
        let (events, stream) = data(&["id: a1\nretry: 250\ndata:\n\nretry: soon\n\nid: b\0\n"]);
        assert_eq!(events, [""]);
        assert_eq!((stream.last_event_id(), stream.retry_ms()), (Some("a1"), Some(250)));
    }

    #[test]
    fn an_endless_event_is_refused() {
        let mut stream = EventStream::default();
        let piece = vec![b'x'; MAX_EVENT_BYTES];
        assert_eq!(stream.push(&piece), Ok(Vec::new()));
        assert_eq!(stream.push(b"x"), Err(EventTooLong));
    }
}
