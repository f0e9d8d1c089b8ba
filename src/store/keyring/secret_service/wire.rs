//! D-Bus messages as bytes, as far as the Secret Service needs them: the
//! header, strings, paths, variants, byte arrays, string dictionaries.
//!
//! Invariants: no IO; every length that comes from the bus is checked before it
//! is used; a buffer that may hold a secret is erased when it is dropped.
//!
//! Specification: <https://dbus.freedesktop.org/doc/dbus-specification.html#message-protocol>.

mod reader;
mod writer;

pub(super) use reader::{Malformed, Reader};
pub(super) use writer::Writer;

use reader::LITTLE_ENDIAN;
use writer::length;
use zeroize::Zeroizing;

/// Larger than any answer to a client that looks for one item.
pub(super) const MAX_MESSAGE_BYTES: usize = 16 * 1024 * 1024;
/// The part of the header whose size does not vary; it tells the size of the rest.
pub(super) const FIXED_HEADER_BYTES: usize = 16;

const PROTOCOL_VERSION: u8 = 1;
/// Of the header, and of structures and dictionary entries.
const STRUCT_ALIGNMENT: usize = 8;

/// The types of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MessageType {
    MethodCall,
    MethodReturn,
    Error,
    Signal,
}

const METHOD_CALL: u8 = 1;
const METHOD_RETURN: u8 = 2;
const ERROR: u8 = 3;
const SIGNAL: u8 = 4;

const PATH: u8 = 1;
const INTERFACE: u8 = 2;
const MEMBER: u8 = 3;
const ERROR_NAME: u8 = 4;
const REPLY_SERIAL: u8 = 5;
const DESTINATION: u8 = 6;
const SIGNATURE: u8 = 8;

/// A method call, without its serial number.
pub(super) struct MethodCall<'a> {
    pub(super) destination: &'a str,
    pub(super) path: &'a str,
    pub(super) interface: &'a str,
    pub(super) member: &'a str,
    pub(super) body: Body,
}

impl MethodCall<'_> {
    /// Appends the message to what is about to be sent.
    pub(super) fn encode(&self, serial: u32, out: &mut Writer) {
        // Alignment counts from the beginning of the message
        let mut message = Writer::with_capacity(256 + self.body.values.bytes.len());
        message
            .bytes
            .extend_from_slice(&[LITTLE_ENDIAN, METHOD_CALL, 0, PROTOCOL_VERSION]);
        message.u32(length(self.body.values.bytes.len()));
        message.u32(serial);
        message.array(STRUCT_ALIGNMENT, |fields| {
            fields.header_field(PATH, "o", self.path);
            fields.header_field(DESTINATION, "s", self.destination);
            fields.header_field(INTERFACE, "s", self.interface);
            fields.header_field(MEMBER, "s", self.member);
            if !self.body.signature.is_empty() {
                fields.align(STRUCT_ALIGNMENT);
                fields.bytes.push(SIGNATURE);
                fields.signature("g");
                fields.signature(self.body.signature);
            }
        });
        message.align(STRUCT_ALIGNMENT);
        message.bytes.extend_from_slice(&self.body.values.bytes);
        out.bytes.extend_from_slice(&message.bytes);
    }
}

/// The arguments of a call and their types.
pub(super) struct Body {
    signature: &'static str,
    values: Writer,
}

impl Body {
    pub(super) fn empty() -> Self {
        Body::new("", |_| {})
    }

    pub(super) fn new(signature: &'static str, write: impl FnOnce(&mut Writer)) -> Self {
        let mut values = Writer::with_capacity(0);
        write(&mut values);
        Body { signature, values }
    }
}

/// How long the message is that begins with these bytes.
pub(super) fn message_bytes(header: &[u8; FIXED_HEADER_BYTES]) -> Result<usize, Malformed> {
    let mut reader = Reader::new(header, header[0])?;
    reader.position = 4;
    let body_bytes = reader.u32()?;
    reader.position = 12;
    let fields_bytes = reader.u32()?;
    let size_bytes = (FIXED_HEADER_BYTES as u64 + u64::from(fields_bytes)).next_multiple_of(STRUCT_ALIGNMENT as u64)
        + u64::from(body_bytes);
    match usize::try_from(size_bytes) {
        Ok(size_bytes) if size_bytes <= MAX_MESSAGE_BYTES => Ok(size_bytes),
        _ => Err(Malformed),
    }
}

/// A message that came from the bus.
pub(super) struct Message {
    bytes: Zeroizing<Vec<u8>>,
    pub(super) message_type: MessageType,
    /// The call that this answers; 0 where it answers none.
    pub(super) reply_serial: u32,
    pub(super) path: String,
    pub(super) member: String,
    pub(super) error_name: String,
    signature: String,
    body_begins_at: usize,
}

impl Message {
    /// Parses a whole message; `None` for a type that is to be ignored.
    pub(super) fn parse(bytes: Zeroizing<Vec<u8>>) -> Result<Option<Self>, Malformed> {
        let mut reader = Reader::new(&bytes, *bytes.first().ok_or(Malformed)?)?;
        reader.position = 1;
        let message_type = match reader.byte()? {
            METHOD_CALL => MessageType::MethodCall,
            METHOD_RETURN => MessageType::MethodReturn,
            ERROR => MessageType::Error,
            SIGNAL => MessageType::Signal,
            0 => return Err(Malformed),
            _ => return Ok(None),
        };
        reader.position = 12;
        let fields_end_at = reader.array_end(STRUCT_ALIGNMENT)?;
        let mut reply_serial = 0;
        let (mut path, mut member, mut error_name, mut signature) = Default::default();
        while reader.position < fields_end_at {
            reader.align(STRUCT_ALIGNMENT)?;
            let code = reader.byte()?;
            let field_type = reader.signature()?;
            match (code, field_type) {
                (PATH, "o") => path = reader.string()?.to_owned(),
                (MEMBER, "s") => member = reader.string()?.to_owned(),
                (ERROR_NAME, "s") => error_name = reader.string()?.to_owned(),
                (REPLY_SERIAL, "u") => reply_serial = reader.u32()?,
                (SIGNATURE, "g") => signature = reader.signature()?.to_owned(),
                (_, "s" | "o") => reader.string().map(drop)?,
                (_, "g") => reader.signature().map(drop)?,
                (_, "u") => reader.u32().map(drop)?,
                _ => return Err(Malformed),
            }
        }
        reader.align(STRUCT_ALIGNMENT)?;
        let body_begins_at = reader.position;
        Ok(Some(Message {
            message_type,
            reply_serial,
            path,
            member,
            error_name,
            signature,
            body_begins_at,
            bytes,
        }))
    }

    /// Reads the body, which must be of this type.
    pub(super) fn body(&self, signature: &str) -> Result<Reader<'_>, Malformed> {
        if self.signature != signature {
            return Err(Malformed);
        }
        let mut reader = Reader::new(&self.bytes, self.bytes[0])?;
        reader.position = self.body_begins_at;
        Ok(reader)
    }

    /// The text that comes with an error.
    pub(super) fn error_text(&self) -> String {
        // Where there is more than the text, that comes first
        let text = match self.signature.starts_with('s') {
            true => self
                .body(&self.signature)
                .and_then(|mut body| body.string().map(str::to_owned)),
            false => Ok(String::new()),
        };
        text.unwrap_or_default()
    }
}

/// For fuzz/: reads bytes as the answer of a service is read; whether it is one.
#[cfg(fuzzing)]
pub fn is_answer(bytes: &[u8]) -> bool {
    let size_bytes = bytes.first_chunk().map(message_bytes);
    let Some(Ok(size_bytes)) = size_bytes else { return false };
    let Some(message) = bytes.get(..size_bytes) else {
        return false;
    };
    let Ok(Some(message)) = Message::parse(Zeroizing::new(message.to_vec())) else {
        return false;
    };
    let _shown = message.error_text();
    let paths = message.body("aoao").and_then(|mut body| {
        body.string_array()?;
        body.string_array().map(drop)
    });
    let secret = message.body("(oayays)").and_then(|mut body| {
        body.structure()?;
        body.string()?;
        body.byte_array()?;
        body.byte_array().map(drop)
    });
    let locked = message.body("v").and_then(|mut body| {
        body.variant("b")?;
        body.boolean().map(drop)
    });
    let session = message.body("vo").and_then(|mut body| {
        body.variant("ay")?;
        body.byte_array()?;
        body.string().map(drop)
    });
    [paths, secret, locked, session].iter().any(Result::is_ok)
}
