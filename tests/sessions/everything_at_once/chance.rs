//! Numbers by chance, from a seed that the test prints.

use std::time::Duration;

/// xorshift64*: as good as it has to be here.
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Chance(seed | 1)
    }

    pub(super) fn number(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 1
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.number() % end as u64).expect("a number below a usize")
    }

    /// True in so many of a hundred cases.
    pub(super) fn percent(&mut self, share: usize) -> bool {
        self.below(100) < share
    }

    pub(super) fn of<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len())]
    }

    /// A time between the two, short ones as often as long ones of ten times the length.
    pub(super) fn time_ms(&mut self, least: u64, most: u64) -> Duration {
        let share = self.below(1000) as f64 / 1000.0;
        let (least, most) = (least as f64, most as f64);
        Duration::from_secs_f64(least * (most / least).powf(share) / 1000.0)
    }
}
