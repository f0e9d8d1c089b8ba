//! A program at a pseudo-terminal: keys go in, what the screen shows comes out.

use super::person::open_master;
use rustix::pty::ptsname;
use rustix::termios::{Winsize, tcsetwinsize};
use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};

/// The person's side of a pseudo-terminal.
pub struct Terminal {
    master: File,
    path: String,
    /// Where the last program closes a terminal, its screen ends. This handle keeps it open until
    /// `last_screen`, so that it never ends before a program has begun.
    program_side: File,
    shown: Receiver<String>,
}

impl Terminal {
    /// A terminal with so many columns.
    pub fn with_columns(columns: u16) -> Self {
        Terminal::with_size(columns, 60)
    }

    /// A terminal of this size.
    pub fn with_size(columns: u16, rows: u16) -> Self {
        let terminal = Terminal::open();
        let size = Winsize {
            ws_row: rows,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&terminal.master, size).expect("setting the size");
        terminal
    }

    /// What a command that reads nothing writes to a terminal with so many columns.
    pub fn shown(command: &mut Command, columns: u16) -> String {
        let terminal = Terminal::with_columns(columns);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(terminal.stream())
            .stderr(terminal.stream())
            .spawn()
            .expect("starting the program");
        // it holds the terminal's other side, too
        command.stdout(Stdio::null()).stderr(Stdio::null());
        child.wait().expect("its end");
        terminal.last_screen()
    }

    pub fn open() -> Self {
        let master = open_master();
        let path = ptsname(&master, Vec::new()).expect("its name");
        let path = path.into_string().expect("a path in UTF-8");
        let program_side = open_program_side(&path);
        let master = File::from(master);
        let mut screen = master.try_clone().expect("a second handle");
        let (sender, shown) = mpsc::channel();
        // a screen that nobody reads stops the program when it is full
        std::thread::spawn(move || {
            let mut block = [0; 4096];
            while let Ok(length @ 1..) = screen.read(&mut block) {
                let _ = sender.send(String::from_utf8_lossy(&block[..length]).into_owned());
            }
        });
        Terminal {
            master,
            path,
            program_side,
            shown,
        }
    }

    /// The program's side, for its standard streams.
    pub fn stream(&self) -> File {
        open_program_side(&self.path)
    }

    /// Starts it with all three streams on this terminal.
    pub fn start(&self, command: &mut Command) -> Child {
        let child = command
            .stdin(self.stream())
            .stdout(self.stream())
            .stderr(self.stream())
            .spawn()
            .expect("starting the program");
        // the command keeps its streams, which would keep the screen from ending
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        child
    }

    pub fn types(&mut self, keys: &str) {
        self.master.write_all(keys.as_bytes()).expect("typing");
    }

    /// What has been shown by now.
    pub fn screen(&self) -> String {
        self.shown.try_iter().collect()
    }

    /// What is shown from now on until this has been shown.
    pub fn screen_until(&self, text: &str) -> String {
        let mut screen = String::new();
        while !screen.contains(text) {
            match self.shown.recv_timeout(super::literal_server::PATIENCE) {
                Ok(part) => screen += &part,
                Err(_) => panic!("{text:?} is not shown, but {screen:?}"),
            }
        }
        screen
    }

    /// What is shown until no program has the terminal open any more.
    pub fn last_screen(self) -> String {
        let Terminal {
            master: _open,
            shown,
            program_side,
            ..
        } = self;
        drop(program_side);
        let mut text = String::new();
        while let Ok(part) = shown.recv_timeout(super::literal_server::PATIENCE) {
            text += &part;
        }
        text
    }
}

fn open_program_side(path: &str) -> File {
    let mut options = File::options();
    options.read(true).write(true).open(path).expect("the other side")
}
