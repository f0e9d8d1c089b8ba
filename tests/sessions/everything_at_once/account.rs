//! What is known of a profile while many processes use it: which sessions its
//! store may hold, and so what must not happen.

use super::ledger::{Family, Ledger};

/// A session that a login of this profile was given.
#[derive(Clone, Copy)]
struct Candidate {
    family: Family,
    /// Whether the login said that it has stored it.
    is_stored: bool,
    /// When the login ended, in changes.
    ended: usize,
}

impl Candidate {
    /// Whether something that began then has found what this login had left.
    fn is_before(self, beginning: Beginning) -> bool {
        self.ended < beginning.changes
    }
}

#[derive(Default)]
pub(super) struct Account {
    candidates: Vec<Candidate>,
    /// Logins and logouts that run now.
    running: usize,
    /// Beginnings and ends of logins and logouts so far.
    changes: usize,
}

/// The moment at which a process began.
#[derive(Clone, Copy)]
pub(super) struct Beginning {
    changes: usize,
    /// The server honours whatever session the store may hold, and nothing changes that.
    must_be_usable: bool,
}

impl Account {
    /// A process begins that leaves the session where it is.
    pub(super) fn use_begins(&self, ledger: &Ledger) -> Beginning {
        Beginning {
            changes: self.changes,
            must_be_usable: self.running == 0 && self.must_be_usable(ledger),
        }
    }

    /// Whether a process that ended now had a session to use all the time.
    pub(super) fn was_usable(&self, beginning: Beginning, ledger: &Ledger) -> bool {
        beginning.must_be_usable && self.changes == beginning.changes && self.must_be_usable(ledger)
    }

    /// A login or logout begins.
    pub(super) fn change_begins(&mut self) -> Beginning {
        self.running += 1;
        self.changes += 1;
        Beginning {
            changes: self.changes,
            must_be_usable: false,
        }
    }

    fn change_ends(&mut self) {
        self.running -= 1;
        self.changes += 1;
    }

    /// A login ended that was given this session, and said or did not say that it has stored it.
    pub(super) fn login_ends(&mut self, beginning: Beginning, family: Option<Family>, is_stored: bool) {
        self.change_ends();
        // one without a session of its own has taken that of another login
        let Some(family) = family else { return };
        if is_stored {
            self.candidates.retain(|candidate| !candidate.is_before(beginning));
        }
        self.candidates.push(Candidate {
            family,
            is_stored,
            ended: self.changes,
        });
    }

    /// A logout ended, and said or did not say that there is no session any
    /// more. One of a login at the same time may have come after it; if it did
    /// not, it is revoked.
    pub(super) fn logout_ends(&mut self, beginning: Beginning, is_done: bool) {
        self.change_ends();
        if is_done {
            self.candidates.retain(|candidate| !candidate.is_before(beginning));
        }
    }

    /// Whether the server has ended one of them since a spent refresh token came.
    pub(super) fn is_ended_by_reuse(&self, ledger: &Ledger) -> bool {
        let mut sessions = self.candidates.iter().map(|candidate| candidate.family);
        sessions.any(|family| ledger.is_ended_by_reuse(family))
    }

    /// Whether the store holds a session, and whichever of those that it may
    /// hold that is, the server honours it.
    pub(super) fn must_be_usable(&self, ledger: &Ledger) -> bool {
        let honoured = |candidate: &Candidate| ledger.honours(candidate.family);
        self.candidates.iter().any(|candidate| candidate.is_stored) && self.candidates.iter().all(honoured)
    }
}
