//! Points in time as the wire and the store know them.

/// Seconds since 1970-01-01T00:00:00Z. Arithmetic saturates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnixSeconds(pub i64);

impl UnixSeconds {
    /// This many seconds later.
    pub fn plus_seconds(self, seconds: i64) -> Self {
        UnixSeconds(self.0.saturating_add(seconds))
    }

    /// Seconds from `earlier` to `self`; negative when `self` is earlier.
    pub fn seconds_since(self, earlier: UnixSeconds) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}
