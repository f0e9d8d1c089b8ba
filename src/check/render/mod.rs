//! The report as text for a person, as JSON, and as JUnit XML: one file each.

pub mod json;
pub mod junit;
pub mod text;
