//! The report as text for a person, as JSON, as JUnit XML and as SARIF: one file each.

pub mod html;
pub mod json;
pub mod junit;
pub mod sarif;
pub mod text;
