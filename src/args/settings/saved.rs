//! What `login` saves of the global flags.

use crate::args::cli::GlobalOptions;
use crate::args::config::Setting;
use crate::args::login::ProfileChanges;

/// What `login` saves of the global flags: how this server is reached.
pub fn connection_changes(global: &GlobalOptions) -> Vec<(String, Setting)> {
    let mut changes = ProfileChanges::default();
    changes.path("cacert", global.cacert.as_deref());
    changes.text("proxy", global.proxy.as_deref());
    changes.into_settings()
}
