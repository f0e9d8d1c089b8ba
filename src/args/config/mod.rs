//! The configuration file: profiles, no secret.

mod error;
mod model;
mod paths;
mod read;
mod write;

pub use error::ConfigError;
pub use model::{Config, Profile, Setting};
pub use paths::absolute;
pub use read::{KeyChange, parse_setting};
pub use write::{Change, change, check_writable};
