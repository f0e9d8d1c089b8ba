//! What people and scripts read: results, errors, colour, durations, and
//! foreign text made safe for a terminal.

pub mod causes;
pub mod duration;
pub mod json_table;
pub mod qr_code;
pub mod report;
pub mod sanitize;
pub mod table;
pub mod theme;
