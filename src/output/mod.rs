//! What people and scripts read: results, errors, colour, durations, tables,
//! and lines that are broken for a terminal.

pub mod causes;
pub mod counted;
pub mod duration;
pub mod json_table;
pub mod message;
pub mod qr_code;
pub mod report;
pub mod table;
pub mod theme;
pub mod usage_text;
pub mod wrap;
