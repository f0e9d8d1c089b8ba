//! The renderers: each file turns events into the bytes of one format.

pub mod har;
pub mod html;
pub mod json;
pub mod mermaid;
pub mod terminal;
