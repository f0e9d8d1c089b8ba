//! A pseudo-terminal, seen from the side of the person who sits at it.
#![allow(dead_code, unreachable_pub, reason = "each test crate uses its own part")]

use rustix::fs::{Mode, OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Termios, Winsize, tcgetattr, tcsetwinsize};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Far above what anything here takes; reached only by a test that fails.
const PATIENCE: Duration = Duration::from_secs(30);

pub const PASTE_ON: &[u8] = b"\x1b[?2004h";
pub const PASTE_OFF: &[u8] = b"\x1b[?2004l";

/// The person, with a terminal of 80 columns.
pub struct Person {
    master: File,
    pub path: String,
    /// Keeps the terminal in being while no program has it open.
    slave: OwnedFd,
}

/// The person's side of a new terminal, which the programs that a test starts do not inherit.
pub fn open_master() -> OwnedFd {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
    // macOS closes it for them only by the call below
    #[cfg(not(target_os = "macos"))]
    let flags = flags | OpenptFlags::CLOEXEC;
    let master = openpt(flags).unwrap();
    fcntl_setfd(&master, FdFlags::CLOEXEC).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    master
}

impl Person {
    pub fn new() -> Person {
        let master = open_master();
        let path = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let slave = open(&path, OFlags::NOCTTY);
        let size = Winsize {
            ws_row: 24,
            ws_col: 80,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&slave, size).unwrap();
        Person {
            master: master.into(),
            path,
            slave,
        }
    }

    /// Another handle of the terminal, for a program.
    pub fn terminal(&self) -> OwnedFd {
        open(&self.path, OFlags::NOCTTY)
    }

    pub fn modes(&self) -> Termios {
        tcgetattr(&self.slave).unwrap()
    }

    /// Types, from a thread: a terminal takes only so much before it is read.
    pub fn types(&self, bytes: &[u8]) -> Typing {
        let mut master = self.master.try_clone().unwrap();
        let bytes = bytes.to_vec();
        let (sender, typed) = channel();
        std::thread::spawn(move || {
            master.write_all(&bytes).unwrap();
            let _nobody_waits = sender.send(());
        });
        Typing(typed)
    }

    /// Everything that the terminal shows by now.
    pub fn screen(&mut self) -> Vec<u8> {
        let flags = fcntl_getfl(&self.master).unwrap();
        fcntl_setfl(&self.master, flags | OFlags::NONBLOCK).unwrap();
        let mut screen = Vec::new();
        let _would_block = self.master.read_to_end(&mut screen).unwrap_err();
        fcntl_setfl(&self.master, flags).unwrap();
        screen
    }

    /// Reads the screen from here on; the terminal then never fills up.
    pub fn watch(&self) -> Screen {
        let mut master = self.master.try_clone().unwrap();
        let shown = Arc::<Shown>::default();
        let shared = Arc::clone(&shown);
        let reading = std::thread::spawn(move || {
            let mut block = [0; 4096];
            while let Ok(length) = master.read(&mut block) {
                shared.0.lock().unwrap().extend_from_slice(&block[..length]);
                shared.1.notify_all();
            }
        });
        Screen { shown, reading }
    }

    /// Another process switches the terminal and gives no other sign.
    pub fn wait_for_single_bytes(&self) {
        let began = Instant::now();
        while self.modes().local_modes.contains(LocalModes::ICANON) {
            assert!(began.elapsed() < PATIENCE, "the terminal was never switched");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// A person who is typing.
pub struct Typing(Receiver<()>);

impl Typing {
    /// Waits until all of it is typed.
    #[track_caller]
    pub fn ends(self) {
        self.0
            .recv_timeout(PATIENCE)
            .expect("a program that reads the terminal");
    }
}

/// Opens a terminal by its path.
pub fn open(path: &str, flags: OFlags) -> OwnedFd {
    rustix::fs::open(path, OFlags::RDWR | OFlags::CLOEXEC | flags, Mode::empty()).unwrap()
}

type Shown = (Mutex<Vec<u8>>, Condvar);

/// What a watched terminal has shown.
pub struct Screen {
    shown: Arc<Shown>,
    /// Ends when no program has the terminal open any more.
    reading: JoinHandle<()>,
}

impl Screen {
    /// All that was shown, when the programs and the person have left.
    pub fn all(self, person: Person) -> String {
        drop(person);
        self.reading.join().unwrap();
        String::from_utf8_lossy(&self.shown.0.lock().unwrap()).into_owned()
    }

    /// Waits until this gives something for what is shown.
    pub fn find<T>(&self, what: &str, take: impl Fn(&str) -> Option<T>) -> T {
        let mut shown = self.shown.0.lock().unwrap();
        let began = Instant::now();
        loop {
            let text = String::from_utf8_lossy(&shown);
            if let Some(found) = take(&text) {
                return found;
            }
            assert!(began.elapsed() < PATIENCE, "no {what} on the screen: {text}");
            (shown, _) = self.shown.1.wait_timeout(shown, Duration::from_secs(1)).unwrap();
        }
    }
}

/// Fails the test unless the terminal is as it was before.
#[track_caller]
pub fn assert_same(before: &Termios, after: &Termios) {
    assert_eq!(before.input_modes, after.input_modes);
    assert_eq!(before.output_modes, after.output_modes);
    assert_eq!(before.control_modes, after.control_modes);
    assert_eq!(before.local_modes, after.local_modes);
    assert_eq!(
        format!("{:?}", before.special_codes),
        format!("{:?}", after.special_codes)
    );
}
