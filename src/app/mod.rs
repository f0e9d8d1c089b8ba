//! What commands share. A command imports from here, never from another command.

pub(crate) mod browser;
pub(crate) mod client_credentials;
pub(crate) mod context;
pub(crate) mod deadline;
pub(crate) mod fresh_session;
pub(crate) mod hint_commands;
pub(crate) mod input;
pub(crate) mod lock;
pub(crate) mod login_context;
pub(crate) mod login_lock;
pub(crate) mod login_required;
pub(crate) mod observer;
pub(crate) mod passphrase;
pub(crate) mod rejected_token;
pub(crate) mod repeated_grant;
pub(crate) mod session;
pub(crate) mod session_row;
pub(crate) mod signals;
pub(crate) mod store_migration;
pub(crate) mod time_left;
pub(crate) mod token_destination;
pub(crate) mod token_format;
pub(crate) mod token_input;
pub(crate) mod token_source;
pub(crate) mod unattended;
pub(crate) mod usable_profile;
