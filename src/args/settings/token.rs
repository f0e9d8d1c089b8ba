//! What `oauth token` asks for.

use super::error::{SettingsError, invalid};
use super::lists::words;
use crate::args::cli::TokenOptions;
use crate::protocol::resource::Resource;
use crate::protocol::scope::Scope;
use crate::store::Part;

/// Which part of a session `oauth token` is asked for.
///
/// # Errors
/// [`SettingsError::Value`].
pub fn part(options: &TokenOptions) -> Result<Part, SettingsError> {
    // An unset variable in a script must not bring more than was wanted.
    for (flag, given) in [("--scope", &options.scope), ("--resource", &options.resource)] {
        if !given.is_empty() && words(given).is_empty() {
            return Err(invalid(flag, "it is empty"));
        }
    }
    let scope = words(&options.scope);
    let scope = Scope::from_tokens(scope.iter().map(String::as_str)).map_err(|error| invalid("--scope", error))?;
    let resource = words(&options.resource)
        .into_iter()
        .map(|text| Resource::parse(&text).map_err(|error| invalid("--resource", error)));
    Ok(Part {
        resource: resource.collect::<Result<_, _>>()?,
        scope,
    })
}
