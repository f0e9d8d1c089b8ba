//! The console of Windows: keys instead of lines, which it would echo, and a
//! line would end where its own editing ends it.
//!
//! Invariant: nothing is read after the reader was dropped. What is typed then
//! is for the next reader, or for a program that this one runs.

use super::TerminalInputError;
use super::lines::{Input, LineDecoder};
use crate::secret::Secret;
use crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use std::io::{IsTerminal, stdin};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// How often the thread looks whether it is still wanted.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// For so long a key that is released may be one of the command line that
/// started this process.
const COMMAND_LINE_RELEASES: Duration = Duration::from_millis(250);

/// Lines that nobody has asked for yet. Further ones are dropped.
const LINE_BACKLOG: usize = 16;

/// The modes of the console are left as they are, so there is nothing to restore.
pub fn restore_terminal() {}

/// Reads pasted lines from the console, on a thread of its own, which ends
/// soon after this is dropped.
#[derive(Debug)]
pub struct PasteReader {
    lines: mpsc::Receiver<Input>,
    ended: bool,
}

impl PasteReader {
    /// Reads from the console; `None` if standard input is another thing.
    ///
    /// # Errors
    /// [`TerminalInputError::Terminal`].
    pub fn open() -> Result<Option<PasteReader>, TerminalInputError> {
        if !stdin().is_terminal() {
            return Ok(None);
        }
        let (sender, lines) = mpsc::channel(LINE_BACKLOG);
        std::thread::Builder::new()
            .name("paste".to_owned())
            .spawn(move || read(&sender))
            .map_err(TerminalInputError::Terminal)?;
        Ok(Some(PasteReader { lines, ended: false }))
    }

    /// Whether pasting would be heard now.
    pub fn is_listening(&self) -> bool {
        !self.lines.is_closed()
    }

    /// The next line that is not blank, trimmed; `None` when there will be no
    /// more (Ctrl-D or Ctrl-Z, or the console has gone). Dropping the future loses none.
    ///
    /// # Errors
    /// [`TerminalInputError::LineTooLong`], after which the next line may come.
    pub async fn next_line(&mut self) -> Result<Option<Secret>, TerminalInputError> {
        if self.ended {
            return Ok(None);
        }
        match self.lines.recv().await {
            Some(Input::Line(line)) => Ok(Some(line)),
            Some(Input::TooLong) => Err(TerminalInputError::LineTooLong),
            Some(Input::End | Input::Suspend) | None => {
                self.ended = true;
                Ok(None)
            }
        }
    }
}

/// The thread: until the reader is dropped, or the console ends or fails.
fn read(lines: &mpsc::Sender<Input>) {
    let began = Instant::now();
    let mut keys = Keys::default();
    let mut decoder = LineDecoder::default();
    while !lines.is_closed() {
        let key = match event::poll(LOOK_INTERVAL) {
            Ok(false) => continue,
            // the reader may have gone while this thread waited: then the key is for others
            Ok(true) if lines.is_closed() => return,
            Ok(true) => match event::read() {
                Ok(Event::Key(key)) => key,
                Ok(_) => continue,
                Err(_) => return,
            },
            Err(_) => return,
        };
        let Some(character) = keys.text(key, began.elapsed() >= COMMAND_LINE_RELEASES) else {
            continue;
        };
        for byte in character.encode_utf8(&mut [0; 4]).bytes() {
            match decoder.push(byte) {
                Some(input @ (Input::End | Input::Suspend)) => {
                    let _nobody_takes_it = lines.try_send(input);
                    return;
                }
                Some(input) => {
                    let _nobody_takes_them = lines.try_send(input);
                }
                None => {}
            }
        }
    }
}

/// From keys to the characters that a Unix terminal would send.
#[derive(Debug, Default)]
struct Keys {
    /// Characters whose keys are down.
    held: Vec<char>,
}

impl Keys {
    /// The character that the key stands for; `None` for those that say
    /// nothing here. Where `may_be_typed_by_code`, a character that is
    /// released but was never pressed is text: Alt and a code, which the
    /// console also makes of pasted characters that the keyboard lacks.
    fn text(&mut self, key: KeyEvent, may_be_typed_by_code: bool) -> Option<char> {
        if key.kind == KeyEventKind::Release {
            let KeyCode::Char(character) = key.code else {
                return None;
            };
            let was_held = self.held.iter().position(|held| *held == character);
            return match was_held {
                Some(position) => {
                    self.held.swap_remove(position);
                    None
                }
                None => may_be_typed_by_code.then_some(character),
            };
        }
        match key.code {
            KeyCode::Enter => Some('\r'),
            KeyCode::Backspace => Some('\u{7f}'),
            KeyCode::Tab => Some('\t'),
            KeyCode::Char(character) => {
                if !self.held.contains(&character) {
                    self.held.push(character);
                }
                let modifiers = key.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT);
                match modifiers == KeyModifiers::CONTROL {
                    // AltGr is both, and makes text
                    false => Some(character),
                    true => control(character),
                }
            }
            _ => None,
        }
    }
}

/// What the letter makes of the control key.
fn control(letter: char) -> Option<char> {
    match letter.to_ascii_lowercase() {
        letter @ 'a'..='z' => char::from_u32(u32::from(letter) & 0x1f),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(code: KeyCode, modifiers: KeyModifiers) -> KeyEvent {
        KeyEvent::new(code, modifiers)
    }

    fn release(character: char) -> KeyEvent {
        KeyEvent::new_with_kind(KeyCode::Char(character), KeyModifiers::NONE, KeyEventKind::Release)
    }

    #[test]
    fn a_key_is_one_character_however_long_it_is_held_and_whenever_it_is_released() {
        let mut keys = Keys::default();
        let mut text = String::new();
        for key in [
            press(KeyCode::Char('a'), KeyModifiers::NONE),
            press(KeyCode::Char('B'), KeyModifiers::SHIFT),
            release('a'),
            release('B'),
            press(KeyCode::Char('@'), KeyModifiers::CONTROL | KeyModifiers::ALT),
            release('@'),
            press(KeyCode::Left, KeyModifiers::NONE),
            press(KeyCode::Backspace, KeyModifiers::NONE),
            press(KeyCode::Char('u'), KeyModifiers::CONTROL),
            press(KeyCode::Enter, KeyModifiers::NONE),
        ] {
            text.extend(keys.text(key, true));
        }
        assert_eq!(text, "aB@\u{7f}\u{15}\r");
    }

    #[test]
    fn a_character_that_no_key_has_comes_with_a_release_alone() {
        assert_eq!(Keys::default().text(release('я'), true), Some('я'));
        assert_eq!(Keys::default().text(release('n'), false), None, "of the command line");
    }
}
