//! Numbers of things, in words.

/// A number of these: `1 rule`, `2 rules`. Only for nouns whose plural has an `s`.
pub fn counted(count: usize, noun: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{s}")
}
