//! What the server knows: which sessions it honours, which refresh token is the
//! newest of each, and which answers it has lost on the way. A client cannot
//! talk it out of that.

use super::chance::Chance;
use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime};

/// How long the lenient half of the server still takes a spent refresh token.
const GRACE: Duration = Duration::from_secs(10);

/// The number of a process that sent a request.
pub(super) type Process = usize;

/// The number of a session at the server.
pub(super) type Family = usize;

/// Who sent a request, and on which connection, counted in the order in which the server took them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sender {
    pub(super) process: Process,
    pub(super) connection: usize,
}

impl Sender {
    /// Whether this request and the later one are of one process, which had
    /// given up on this one when it sent the other: it sends one after the other.
    pub(super) fn gave_up_before(self, later: Sender) -> bool {
        self.process == later.process && self.connection < later.connection
    }
}

/// One answer to a refresh that the server has granted.
pub(super) struct Granted {
    pub(super) to: Sender,
    pub(super) at: SystemTime,
    /// Whether a client that reads it whole gets the next refresh token.
    pub(super) is_readable: bool,
}

/// Why the server does not honour a session any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Revoked,
    /// A refresh token with this number was used again, in this request.
    Reused(usize, Sender),
}

struct Entry {
    client: String,
    started_by: Process,
    /// For each refresh token but the newest: what was answered to it, and when first.
    spent: Vec<(Instant, Vec<Granted>)>,
    access_tokens: usize,
    end: Option<End>,
}

/// All sessions of the server.
pub(super) struct Ledger {
    entries: Vec<Entry>,
    codes: HashMap<String, String>,
    pub(super) chance: Chance,
    /// Whether it answers as a server should from now on.
    pub(super) is_honest: bool,
}

/// What became of a request for a refresh.
pub(super) enum Refresh {
    Refused,
    Granted {
        access_token: String,
        refresh_token: String,
    },
}

impl Ledger {
    pub(super) fn new(seed: u64) -> Self {
        Ledger {
            entries: Vec::new(),
            codes: HashMap::new(),
            chance: Chance::new(seed),
            is_honest: false,
        }
    }

    /// A code for this client.
    pub(super) fn code(&mut self, client: &str) -> String {
        let code = format!("code-{}", self.chance.number());
        self.codes.insert(code.clone(), client.to_owned());
        code
    }

    /// A session for a code: its access token and refresh token.
    pub(super) fn redeem(&mut self, code: &str, process: Process) -> Option<(String, String)> {
        let client = self.codes.remove(code)?;
        self.entries.push(Entry {
            client,
            started_by: process,
            spent: Vec::new(),
            access_tokens: 0,
            end: None,
        });
        let family = self.entries.len() - 1;
        Some((self.access_token(family), format!("refresh-{family}-0")))
    }

    fn access_token(&mut self, family: Family) -> String {
        let entry = &mut self.entries[family];
        entry.access_tokens += 1;
        format!("access-{family}-{}", entry.access_tokens)
    }

    /// The client of a session, and its refresh token that counts now, or how it ended.
    pub(super) fn newest_of(&self, family: Family) -> Option<(&str, String)> {
        let entry = self.entries.get(family)?;
        let newest = match entry.end {
            None => format!("refresh-{family}-{}", entry.spent.len()),
            Some(end) => format!("none: {end:?}"),
        };
        Some((&entry.client, newest))
    }

    /// The same for the session of this refresh token.
    pub(super) fn newest(&self, refresh_token: &str) -> Option<(&str, String)> {
        let (family, _) = numbers("refresh", refresh_token)?;
        self.newest_of(family)
    }

    /// Whether a refresh with this token would be granted.
    pub(super) fn grants(&self, refresh_token: &str) -> bool {
        let Some((family, serial)) = numbers("refresh", refresh_token) else {
            return false;
        };
        let Some(entry) = self.entries.get(family) else {
            return false;
        };
        entry.end.is_none() && (serial == entry.spent.len() || self.is_in_grace(family, serial))
    }

    fn is_in_grace(&self, family: Family, serial: usize) -> bool {
        let entry = &self.entries[family];
        is_lenient(&entry.client)
            && serial + 1 == entry.spent.len()
            && entry.spent.last().is_some_and(|(first, _)| first.elapsed() < GRACE)
    }

    /// Spends a refresh token; one that was spent before ends its session.
    pub(super) fn refresh(&mut self, refresh_token: &str, granted: Granted) -> Refresh {
        let Some((family, serial)) = numbers("refresh", refresh_token) else {
            return Refresh::Refused;
        };
        if !self.grants(refresh_token) {
            if let Some(entry) = self.entries.get_mut(family) {
                entry.end = entry.end.or(Some(End::Reused(serial, granted.to)));
            }
            return Refresh::Refused;
        }
        let spent = &mut self.entries[family].spent;
        if serial == spent.len() {
            spent.push((Instant::now(), Vec::new()));
        }
        spent[serial].1.push(granted);
        Refresh::Granted {
            access_token: self.access_token(family),
            refresh_token: format!("refresh-{family}-{}", serial + 1),
        }
    }

    /// An access token more, and no new refresh token.
    pub(super) fn refresh_without_rotation(&mut self, refresh_token: &str) -> Option<String> {
        let (family, _) = numbers("refresh", refresh_token)?;
        Some(self.access_token(family))
    }

    /// Ends the session of this token, whichever it is.
    pub(super) fn revoke(&mut self, token: &str) {
        let found = numbers("refresh", token);
        if let Some(entry) = found.and_then(|(family, _)| self.entries.get_mut(family)) {
            entry.end = entry.end.or(Some(End::Revoked));
        }
    }

    /// The session that this process was given.
    pub(super) fn started_by(&self, process: Process) -> Option<Family> {
        self.entries.iter().position(|entry| entry.started_by == process)
    }

    pub(super) fn honours(&self, family: Family) -> bool {
        self.entries[family].end.is_none()
    }

    /// Whether it ended since a spent refresh token came again.
    pub(super) fn is_ended_by_reuse(&self, family: Family) -> bool {
        matches!(self.entries[family].end, Some(End::Reused(..)))
    }

    /// Which session an access token is of, and of which client that is.
    pub(super) fn bearer(&self, access_token: &str) -> Option<(Family, &str)> {
        let (family, number) = numbers("access", access_token)?;
        let entry = self.entries.get(family)?;
        (number <= entry.access_tokens).then_some((family, entry.client.as_str()))
    }

    /// The sessions that ended since a spent refresh token came again, each
    /// with who sent it and the answers that could have told its client the next one.
    pub(super) fn reused(&self) -> impl Iterator<Item = (Family, &str, Sender, &[Granted])> {
        self.entries
            .iter()
            .enumerate()
            .filter_map(|(family, entry)| match entry.end? {
                End::Revoked => None,
                End::Reused(serial, by) => {
                    let granted = entry.spent.get(serial).map_or(&[][..], |(_, granted)| granted);
                    Some((family, entry.client.as_str(), by, granted))
                }
            })
    }

    /// How many sessions it has given, how many were revoked, and how many refreshes it has granted.
    pub(super) fn counts(&self) -> (usize, usize, usize) {
        let revoked = self.entries.iter().filter(|entry| entry.end == Some(End::Revoked));
        let spent = self.entries.iter().flat_map(|entry| &entry.spent);
        (
            self.entries.len(),
            revoked.count(),
            spent.map(|(_, granted)| granted.len()).sum(),
        )
    }
}

/// Half of the clients have a grace period.
fn is_lenient(client: &str) -> bool {
    client.bytes().last().is_some_and(|last| last % 2 == 0)
}

/// The two numbers of `KIND-FAMILY-NUMBER`.
fn numbers(kind: &str, token: &str) -> Option<(Family, usize)> {
    let rest = token.strip_prefix(kind)?.strip_prefix('-')?;
    let (family, number) = rest.split_once('-')?;
    Some((family.parse().ok()?, number.parse().ok()?))
}

#[test]
fn a_request_that_comes_after_the_one_that_followed_it_was_given_up() {
    let sender = |process, connection| Sender { process, connection };
    assert!(sender(7, 1).gave_up_before(sender(7, 2)));
    assert!(!sender(7, 3).gave_up_before(sender(7, 2)), "sent after the answer");
    assert!(!sender(8, 1).gave_up_before(sender(7, 2)), "both of them at once");
}
