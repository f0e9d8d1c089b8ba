//! Server-sent events: no stream makes the reader panic, and however it is cut
//! into pieces, the same events come out.
#![no_main]
use libfuzzer_sys::fuzz_target;
use oauth::protocol::event_stream::EventStream;
use oauth::protocol::mcp::Message;

fuzz_target!(|input: (&[u8], usize)| {
    let (text, cut) = input;
    let mut whole = EventStream::default();
    let Ok(events) = whole.push(text) else { return };
    let (begin, end) = text.split_at(cut % (text.len() + 1));
    let mut pieces = EventStream::default();
    let mut cut_events = pieces.push(begin).expect("it is shorter than the whole");
    cut_events.extend(pieces.push(end).expect("it is no longer than the whole"));
    assert_eq!(events, cut_events);
    assert_eq!(whole.last_event_id(), pieces.last_event_id());
    for event in events {
        let _ = Message::read(event.data.as_bytes());
    }
});
