//! How many wrong user codes were typed of late: a user code is short, so that
//! guessing has to be slow (RFC 8628 §5.1).

use crate::protocol::time::UnixSeconds;
use std::collections::VecDeque;

/// Wrong codes within [`WINDOW_S`], from any browser, before no code is taken.
const MAX_WRONG: usize = 5;

const WINDOW_S: i64 = 60;

/// When the last wrong codes came.
#[derive(Debug, Default)]
pub(crate) struct WrongUserCodes(VecDeque<UnixSeconds>);

impl WrongUserCodes {
    /// Whether a code may be tried now.
    pub(crate) fn may_try(&mut self, now: UnixSeconds) -> bool {
        self.0.retain(|time| now.seconds_since(*time) < WINDOW_S);
        self.0.len() < MAX_WRONG
    }

    /// Takes note of a wrong one.
    pub(crate) fn note(&mut self, now: UnixSeconds) {
        self.0.push_back(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_five_wrong_codes_in_a_minute_nobody_can_try_until_it_is_over() {
        let mut wrong = WrongUserCodes::default();
        for second in 0..5 {
            assert!(wrong.may_try(UnixSeconds(second)));
            wrong.note(UnixSeconds(second));
        }
        assert!(!wrong.may_try(UnixSeconds(59)));
        assert!(wrong.may_try(UnixSeconds(60)), "the first is a minute old");
    }
}
