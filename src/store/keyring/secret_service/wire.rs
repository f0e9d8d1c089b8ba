//! D-Bus messages as bytes, as far as the Secret Service needs them: the
//! header, strings, paths, variants, byte arrays, string dictionaries.
//!
//! Invariants: no IO; every length that comes from the bus is checked before it
//! is used; a buffer that may hold a secret is erased when it is dropped.
//!
//! Specification: <https://dbus.freedesktop.org/doc/dbus-specification.html#message-protocol>.

use zeroize::Zeroizing;

/// Larger than any answer to a client that looks for one item.
pub(super) const MAX_MESSAGE_BYTES: usize = 16 * 1024 * 1024;
/// The part of the header whose size does not vary; it tells the size of the rest.
pub(super) const FIXED_HEADER_BYTES: usize = 16;

const LITTLE_ENDIAN: u8 = b'l';
const BIG_ENDIAN: u8 = b'B';
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

/// Writes values in the order of a signature.
pub(super) struct Writer {
    bytes: Zeroizing<Vec<u8>>,
}

impl Writer {
    pub(super) fn with_capacity(capacity_bytes: usize) -> Self {
        Writer {
            bytes: Zeroizing::new(Vec::with_capacity(capacity_bytes)),
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Makes room at once: a vector that grows leaves its content behind in memory.
    pub(super) fn reserve(&mut self, additional_bytes: usize) {
        let mut larger = Zeroizing::new(Vec::with_capacity(self.bytes.len() + additional_bytes + 64));
        larger.extend_from_slice(&self.bytes);
        self.bytes = larger;
    }

    fn align(&mut self, alignment: usize) {
        let aligned = self.bytes.len().next_multiple_of(alignment);
        self.bytes.resize(aligned, 0);
    }

    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    fn u32(&mut self, value: u32) {
        self.align(4);
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub(super) fn boolean(&mut self, value: bool) {
        self.u32(u32::from(value));
    }

    /// A string or an object path.
    pub(super) fn string(&mut self, value: &str) {
        self.u32(length(value.len()));
        self.bytes.extend_from_slice(value.as_bytes());
        self.bytes.push(0);
    }

    fn signature(&mut self, value: &str) {
        self.bytes.push(u8::try_from(value.len()).unwrap_or(u8::MAX));
        self.bytes.extend_from_slice(value.as_bytes());
        self.bytes.push(0);
    }

    pub(super) fn byte_array(&mut self, value: &[u8]) {
        self.u32(length(value.len()));
        self.bytes.extend_from_slice(value);
    }

    /// A variant; `write` writes a value of the type that is named.
    pub(super) fn variant(&mut self, signature: &str, write: impl FnOnce(&mut Writer)) {
        self.signature(signature);
        write(self);
    }

    /// An array; `write` writes its elements.
    pub(super) fn array(&mut self, alignment: usize, write: impl FnOnce(&mut Writer)) {
        self.u32(0);
        let length_ends_at = self.bytes.len();
        self.align(alignment);
        let elements_begin_at = self.bytes.len();
        write(self);
        let array_bytes = length(self.bytes.len() - elements_begin_at);
        self.bytes[length_ends_at - 4..length_ends_at].copy_from_slice(&array_bytes.to_le_bytes());
    }

    /// A structure; `write` writes its members.
    pub(super) fn structure(&mut self, write: impl FnOnce(&mut Writer)) {
        self.align(STRUCT_ALIGNMENT);
        write(self);
    }

    pub(super) fn string_dictionary(&mut self, entries: &[(&str, &str)]) {
        self.array(STRUCT_ALIGNMENT, |dictionary| {
            for (key, value) in entries {
                dictionary.structure(|entry| {
                    entry.string(key);
                    entry.string(value);
                });
            }
        });
    }

    fn header_field(&mut self, code: u8, signature: &str, value: &str) {
        self.align(STRUCT_ALIGNMENT);
        self.bytes.push(code);
        self.variant(signature, |variant| variant.string(value));
    }
}

/// Nothing that is sent comes near the limit of the type.
fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// Bytes that are not a message, or not the one that was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed message")]
pub(super) struct Malformed;

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

/// Reads values in the order of a signature.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
    is_little_endian: bool,
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8], endianness: u8) -> Result<Self, Malformed> {
        let is_little_endian = match endianness {
            LITTLE_ENDIAN => true,
            BIG_ENDIAN => false,
            _ => return Err(Malformed),
        };
        Ok(Reader {
            bytes,
            position: 0,
            is_little_endian,
        })
    }

    fn align(&mut self, alignment: usize) -> Result<(), Malformed> {
        self.position = self.position.next_multiple_of(alignment);
        if self.position > self.bytes.len() {
            return Err(Malformed);
        }
        Ok(())
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let end = self.position.checked_add(count).ok_or(Malformed)?;
        let taken = self.bytes.get(self.position..end).ok_or(Malformed)?;
        self.position = end;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, Malformed> {
        Ok(self.take(1)?[0])
    }

    fn u32(&mut self) -> Result<u32, Malformed> {
        self.align(4)?;
        let bytes = <[u8; 4]>::try_from(self.take(4)?).map_err(|_| Malformed)?;
        Ok(match self.is_little_endian {
            true => u32::from_le_bytes(bytes),
            false => u32::from_be_bytes(bytes),
        })
    }

    pub(super) fn boolean(&mut self) -> Result<bool, Malformed> {
        Ok(self.u32()? != 0)
    }

    fn text(&mut self, count: usize) -> Result<&'a str, Malformed> {
        let text = std::str::from_utf8(self.take(count)?).map_err(|_| Malformed)?;
        match self.byte()? {
            0 => Ok(text),
            _ => Err(Malformed),
        }
    }

    /// A string or an object path.
    pub(super) fn string(&mut self) -> Result<&'a str, Malformed> {
        let count = usize::try_from(self.u32()?).map_err(|_| Malformed)?;
        self.text(count)
    }

    fn signature(&mut self) -> Result<&'a str, Malformed> {
        let count = usize::from(self.byte()?);
        self.text(count)
    }

    pub(super) fn byte_array(&mut self) -> Result<&'a [u8], Malformed> {
        let count = usize::try_from(self.u32()?).map_err(|_| Malformed)?;
        self.take(count)
    }

    /// Begins a structure.
    pub(super) fn structure(&mut self) -> Result<(), Malformed> {
        self.align(STRUCT_ALIGNMENT)
    }

    /// Begins a variant, which must hold a value of this type.
    pub(super) fn variant(&mut self, signature: &str) -> Result<(), Malformed> {
        match self.signature()? == signature {
            true => Ok(()),
            false => Err(Malformed),
        }
    }

    /// An array of strings or object paths.
    pub(super) fn string_array(&mut self) -> Result<Vec<String>, Malformed> {
        let end = self.array_end(4)?;
        let mut strings = Vec::new();
        while self.position < end {
            strings.push(self.string()?.to_owned());
        }
        Ok(strings)
    }

    /// Begins an array; where its elements end.
    fn array_end(&mut self, alignment: usize) -> Result<usize, Malformed> {
        let array_bytes = usize::try_from(self.u32()?).map_err(|_| Malformed)?;
        self.align(alignment)?;
        let end = self.position.checked_add(array_bytes).ok_or(Malformed)?;
        if end > self.bytes.len() {
            return Err(Malformed);
        }
        Ok(end)
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
