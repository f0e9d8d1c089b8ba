//! Profiles that take tokens from each other in a circle: none of them could
//! ever get one, and each would hold its lock while it waits for the next.

use super::error::SourceProblem;
use crate::args::config::Config;
use crate::args::login::profiles_behind;
use crate::store::ProfileName;

/// Whether a profile that takes tokens from these ends at itself, by what the
/// configuration file says about them.
///
/// # Errors
/// [`SourceProblem::Circle`].
pub(super) fn check(config: &Config, name: &ProfileName, behind: &[ProfileName]) -> Result<(), SourceProblem> {
    let mut path = vec![name.clone()];
    match closes(config, behind, &mut path) {
        true => Err(SourceProblem::Circle(path)),
        false => Ok(()),
    }
}

/// Whether one of these profiles leads to one on the path, which is left there.
fn closes(config: &Config, behind: &[ProfileName], path: &mut Vec<ProfileName>) -> bool {
    for next in behind {
        let is_closed = path.contains(next);
        path.push(next.clone());
        let onwards = config.profile(next).map(profiles_behind).unwrap_or_default();
        if is_closed || closes(config, &onwards, path) {
            return true;
        }
        path.pop();
    }
    false
}
