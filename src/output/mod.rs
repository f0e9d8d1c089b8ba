//! What people and scripts read: results, errors, colour, durations, and
//! foreign text made safe for a terminal.

pub mod duration;
pub mod report;
pub mod sanitize;
pub mod theme;
