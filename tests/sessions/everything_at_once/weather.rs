//! What happens around the processes: a disk that is full for a while, a
//! keyring that is locked, that hangs, that dies and comes back.

use super::chance::Chance;
use super::history::History;
use crate::support::keyring_session::KeyringSession;
use crate::support::small_disk::SmallDisk;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

/// The store of all profiles, and the keyring.
pub(super) struct Weather {
    pub(super) keyring: KeyringSession,
    /// `None` where none can be mounted.
    pub(super) disk: Option<SmallDisk>,
}

const EPISODES: [&str; 5] = [
    "disk full",
    "keyring locked",
    "keyring killed",
    "keyring hangs",
    "disk full",
];

impl Weather {
    /// One thing after the other until the end; at the end everything works
    /// again. Returns how often each was there.
    pub(super) fn until(
        &mut self,
        is_over: &AtomicBool,
        mut chance: Chance,
        history: &History,
    ) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        let mut next = chance.below(EPISODES.len());
        // not a wait for anything: how long it lasts is what is tried
        while !is_over.load(Ordering::Relaxed) {
            sleep(chance.time_ms(300, 2500));
            let episode = EPISODES[next % EPISODES.len()];
            next += 1;
            *counts.entry(episode).or_default() += 1;
            self.pass(episode, chance.time_ms(200, 3000), history);
        }
        counts
    }

    fn pass(&mut self, episode: &str, time: Duration, history: &History) {
        let began = history.now();
        let tell = |what: &str| history.write_shared(history.since(began), &format!("{episode}: {what}"));
        match episode {
            "disk full" => {
                if let Some(disk) = &self.disk {
                    disk.fill_but(0);
                    tell("it is");
                    sleep(time);
                    disk.empty();
                }
            }
            "keyring locked" => {
                self.keyring.lock();
                tell("it is");
                sleep(time);
                // nobody can type its password here: a new one is unlocked
                self.keyring.kill_keyring();
                tell("killed");
                self.keyring.start_keyring();
            }
            "keyring hangs" => {
                self.keyring.signal_keyring("STOP");
                tell("stopped");
                sleep(time);
                self.keyring.signal_keyring("CONT");
            }
            _ => {
                self.keyring.kill_keyring();
                tell("it is");
                sleep(time);
                self.keyring.start_keyring();
            }
        }
        tell("over");
    }
}
