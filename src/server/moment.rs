//! What a request is answered with beside the server's state.

use super::violations::policy::Policy;
use crate::protocol::random::Randomness;
use crate::protocol::time::UnixSeconds;

/// The time, the randomness and the policy of one request.
pub(crate) struct Moment<'a> {
    pub(crate) now: UnixSeconds,
    pub(crate) randomness: &'a mut dyn Randomness,
    pub(crate) policy: &'a Policy<'a>,
}
