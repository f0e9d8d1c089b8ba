//! A connection to the session bus: calls are written together and their
//! answers waited for, each until a deadline.
//!
//! It is beside `zbus` because that takes a runtime, a task and four waits
//! to read one item, and because no crate lets us decide whether a prompt may
//! be shown. It blocks, on the thread that asks, and never beyond a deadline.
//!
//! Who can take the bus's place gets every token, so the process that listens
//! at a local socket must be the user's own, or root's.

use super::address::{self, Address};
use super::wire::{Body, FIXED_HEADER_BYTES, Malformed, Message, MessageType, MethodCall, Writer, message_bytes};
use crate::hex::hex;
use rustix::buffer::spare_capacity;
use std::io::{self, ErrorKind, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// Room for the answers that a short session needs.
const RECEIVE_BYTES: usize = 4096;
/// More than the bus says while it authenticates us.
const MAX_LINE_BYTES: usize = 4096;
/// Between two attempts to connect to a bus whose queue is full.
const CONNECT_PAUSE: Duration = Duration::from_millis(10);
const BUS: &str = "org.freedesktop.DBus";
const BUS_PATH: &str = "/org/freedesktop/DBus";

/// Why the bus or a service on it gave no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum BusError {
    /// Nothing listens there, or it does not speak D-Bus.
    #[error("{0}")]
    Unreachable(String),
    /// Another user's process listens there.
    #[error("user {uid}")]
    ForeignPeer { uid: u32 },
    #[error("no answer in time")]
    TimedOut,
    #[error(transparent)]
    Lost(io::Error),
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// An error that was sent over the bus.
    #[error("{text} ({name})")]
    Answer { name: String, text: String },
}

/// When the first calls go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Greeting {
    /// With the authentication, so that all of it takes one wait.
    AtOnce,
    /// Once the bus has let us in: `xdg-dbus-proxy`, in front of the bus of a
    /// sandbox, closes the connection otherwise.
    WaitForConsent,
}

/// A call that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Serial(u32);

/// The connection.
pub(super) struct Bus {
    stream: Stream,
    is_local: bool,
    last_serial: u32,
    /// To be written before the next wait.
    unsent: Writer,
    /// Read, and not a whole message yet.
    received: Zeroizing<Vec<u8>>,
    /// Answers and signals that came while something else was waited for.
    waiting: Vec<Message>,
    deadline: Instant,
    /// Whether the bus has answered who it lets in.
    is_accepted: bool,
}

impl Bus {
    /// Connects to the first address that takes the connection.
    pub(super) fn connect(addresses: &str, greeting: Greeting, deadline: Instant) -> Result<Self, BusError> {
        let addresses = address::parse_list(addresses).map_err(BusError::Unreachable)?;
        let mut outcome = Err(BusError::Unreachable("its address is empty".to_owned()));
        for address in &addresses {
            outcome = Stream::connect(address, deadline).map(|stream| (stream, address.is_local()));
            // Another address must not stand in for one that someone has taken over
            if matches!(outcome, Ok(_) | Err(BusError::ForeignPeer { .. } | BusError::TimedOut)) {
                break;
            }
        }
        let (stream, is_local) = outcome?;
        let mut bus = Bus {
            stream,
            is_local,
            last_serial: 0,
            unsent: Writer::with_capacity(1024),
            received: Zeroizing::new(Vec::with_capacity(RECEIVE_BYTES)),
            waiting: Vec::new(),
            deadline,
            is_accepted: false,
        };
        bus.begin(greeting)?;
        Ok(bus)
    }

    /// Whether only processes of this machine are at the other end.
    pub(super) fn is_local(&self) -> bool {
        self.is_local
    }

    /// From now on everything must have come by this time.
    pub(super) fn set_deadline(&mut self, deadline: Instant) {
        self.deadline = deadline;
    }

    /// Tells the bus who we are, which it knows from the socket.
    fn begin(&mut self, greeting: Greeting) -> Result<(), BusError> {
        let uid = rustix::process::geteuid().as_raw().to_string();
        self.unsent
            .raw(format!("\0AUTH EXTERNAL {}\r\n", hex(uid.as_bytes())).as_bytes());
        if greeting == Greeting::WaitForConsent {
            self.flush()?;
            self.read_consent()?;
        }
        self.unsent.raw(b"BEGIN\r\n");
        self.send_to_bus("Hello", Body::empty());
        Ok(())
    }

    /// Reads whether the bus has let us in.
    fn read_consent(&mut self) -> Result<(), BusError> {
        let line_bytes = loop {
            if let Some(end) = self.received.windows(2).position(|pair| pair == b"\r\n") {
                break end;
            }
            if self.received.len() > MAX_LINE_BYTES {
                return Err(BusError::Unreachable(
                    "what listens there is not a D-Bus bus".to_owned(),
                ));
            }
            self.receive(0)?;
        };
        let line = &self.received[..line_bytes];
        if line.starts_with(b"REJECTED") {
            return Err(BusError::Unreachable("it refused this user".to_owned()));
        }
        if !line.starts_with(b"OK ") {
            return Err(BusError::Unreachable(
                "what listens there is not a D-Bus bus".to_owned(),
            ));
        }
        self.received.drain(..line_bytes + 2);
        self.is_accepted = true;
        Ok(())
    }

    /// Adds a call to what goes out before the next wait.
    pub(super) fn send(&mut self, call: &MethodCall<'_>) -> Serial {
        self.last_serial += 1;
        call.encode(self.last_serial, &mut self.unsent);
        Serial(self.last_serial)
    }

    /// The same for a method of the bus itself.
    pub(super) fn send_to_bus(&mut self, member: &str, body: Body) -> Serial {
        self.send(&MethodCall {
            destination: BUS,
            path: BUS_PATH,
            interface: BUS,
            member,
            body,
        })
    }

    /// Writes what was added.
    pub(super) fn flush(&mut self) -> Result<(), BusError> {
        let unsent = std::mem::replace(&mut self.unsent, Writer::with_capacity(0));
        if unsent.bytes().is_empty() {
            return Ok(());
        }
        self.stream
            .set_write_timeout(self.time_left()?)
            .map_err(BusError::Lost)?;
        self.stream.write_all(unsent.bytes()).map_err(lost_or_timed_out)
    }

    /// The answer to a call.
    pub(super) fn answer(&mut self, to: Serial) -> Result<Message, BusError> {
        let message = self.wait_for(|message| message.reply_serial == to.0)?;
        match message.message_type {
            MessageType::Error => Err(BusError::Answer {
                text: message.error_text(),
                name: message.error_name,
            }),
            _ => Ok(message),
        }
    }

    /// The first message that is wanted, of those that came and those that come.
    pub(super) fn wait_for(&mut self, is_wanted: impl Fn(&Message) -> bool) -> Result<Message, BusError> {
        self.flush()?;
        if !self.is_accepted {
            self.read_consent()?;
        }
        if let Some(index) = self.waiting.iter().position(&is_wanted) {
            return Ok(self.waiting.swap_remove(index));
        }
        loop {
            let Some(message) = self.next_message()? else {
                continue;
            };
            if is_wanted(&message) {
                return Ok(message);
            }
            if message.message_type != MessageType::MethodCall {
                self.waiting.push(message);
            }
        }
    }

    /// `None` for a message of a kind that is to be ignored.
    fn next_message(&mut self) -> Result<Option<Message>, BusError> {
        let size_bytes = loop {
            match self.received.first_chunk::<FIXED_HEADER_BYTES>() {
                Some(header) => break message_bytes(header)?,
                None => self.receive(0)?,
            }
        };
        while self.received.len() < size_bytes {
            self.receive(size_bytes)?;
        }
        let message = Zeroizing::new(self.received[..size_bytes].to_vec());
        self.received.drain(..size_bytes);
        Ok(Message::parse(message)?)
    }

    /// Reads what there is, with room for a message of this size.
    fn receive(&mut self, size_bytes: usize) -> Result<(), BusError> {
        let begin = self.received.len();
        let end = self.received.capacity().max(size_bytes);
        if end == begin || end > self.received.capacity() {
            // A vector that grows by itself leaves its content behind in memory
            let mut larger = Zeroizing::new(Vec::with_capacity(end.max(begin + RECEIVE_BYTES)));
            larger.extend_from_slice(&self.received);
            self.received = larger;
        }
        self.stream
            .set_read_timeout(self.time_left()?)
            .map_err(BusError::Lost)?;
        match self.stream.read(&mut self.received) {
            Ok(0) => Err(BusError::Lost(ErrorKind::UnexpectedEof.into())),
            Err(error) if error.kind() != ErrorKind::Interrupted => Err(lost_or_timed_out(error)),
            _ => Ok(()),
        }
    }

    fn time_left(&self) -> Result<Duration, BusError> {
        let time_left = self.deadline.saturating_duration_since(Instant::now());
        match time_left.is_zero() {
            true => Err(BusError::TimedOut),
            false => Ok(time_left),
        }
    }
}

fn lost_or_timed_out(error: io::Error) -> BusError {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => BusError::TimedOut,
        _ => BusError::Lost(error),
    }
}

/// The socket.
enum Stream {
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl Stream {
    fn connect(address: &Address, deadline: Instant) -> Result<Self, BusError> {
        use rustix::net::SocketAddrUnix;
        let unreachable = |place: &str, error: io::Error| BusError::Unreachable(format!("{place}: {error}"));
        match address {
            Address::UnixPath(path) => {
                let place = path.display().to_string();
                let socket = SocketAddrUnix::new(path).map_err(|error| unreachable(&place, error.into()))?;
                connect_unix(&socket, deadline, |error| unreachable(&place, error))
            }
            Address::UnixAbstract(name) => {
                let place = format!("@{}", String::from_utf8_lossy(name));
                let socket = abstract_address(name).map_err(|error| unreachable(&place, error))?;
                connect_unix(&socket, deadline, |error| unreachable(&place, error))
            }
            Address::Tcp { host, port } => {
                let place = format!("{host}:{port}");
                // Names take as long as the resolver takes; the bus of a session has none
                let stream = TcpStream::connect((host.as_str(), *port)).map_err(|error| unreachable(&place, error))?;
                let _ = stream.set_nodelay(true);
                Ok(Stream::Tcp(stream))
            }
        }
    }

    fn set_read_timeout(&self, timeout: Duration) -> io::Result<()> {
        match self {
            Stream::Unix(stream) => stream.set_read_timeout(Some(timeout)),
            Stream::Tcp(stream) => stream.set_read_timeout(Some(timeout)),
        }
    }

    fn set_write_timeout(&self, timeout: Duration) -> io::Result<()> {
        match self {
            Stream::Unix(stream) => stream.set_write_timeout(Some(timeout)),
            Stream::Tcp(stream) => stream.set_write_timeout(Some(timeout)),
        }
    }

    /// Appends what there is, within the buffer's capacity, which is not filled
    /// with zeros first; the number of bytes.
    fn read(&self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        let room = spare_capacity(buffer);
        Ok(match self {
            Stream::Unix(stream) => rustix::io::read(stream, room)?,
            Stream::Tcp(stream) => rustix::io::read(stream, room)?,
        })
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Stream::Unix(stream) => stream.write_all(bytes),
            Stream::Tcp(stream) => stream.write_all(bytes),
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn abstract_address(name: &[u8]) -> io::Result<rustix::net::SocketAddrUnix> {
    Ok(rustix::net::SocketAddrUnix::new_abstract_name(name)?)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn abstract_address(_name: &[u8]) -> io::Result<rustix::net::SocketAddrUnix> {
    Err(ErrorKind::Unsupported.into())
}

/// Connects without waiting in the kernel, where a full queue has no deadline.
fn connect_unix(
    address: &rustix::net::SocketAddrUnix,
    deadline: Instant,
    unreachable: impl Fn(io::Error) -> BusError,
) -> Result<Stream, BusError> {
    use rustix::io::Errno;
    use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with};
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket =
        socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).map_err(|error| unreachable(error.into()))?;
    loop {
        match connect(&socket, address) {
            Ok(()) => break,
            Err(Errno::AGAIN | Errno::INTR) if Instant::now() < deadline => std::thread::sleep(CONNECT_PAUSE),
            Err(Errno::AGAIN | Errno::INTR) => return Err(BusError::TimedOut),
            Err(error) => return Err(unreachable(error.into())),
        }
    }
    check_peer(&socket)?;
    let stream = UnixStream::from(socket);
    stream.set_nonblocking(false).map_err(unreachable)?;
    Ok(Stream::Unix(stream))
}

/// The process that listens must be the user's own, or root's.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn check_peer(socket: &std::os::fd::OwnedFd) -> Result<(), BusError> {
    let peer = rustix::net::sockopt::socket_peercred(socket).map_err(|error| BusError::Lost(error.into()))?;
    if peer.uid.is_root() || peer.uid == rustix::process::geteuid() {
        return Ok(());
    }
    Err(BusError::ForeignPeer { uid: peer.uid.as_raw() })
}

/// The other systems tell it in ways of their own, which are not tried here.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn check_peer(_socket: &std::os::fd::OwnedFd) -> Result<(), BusError> {
    Ok(())
}
