//! What a person can do where a policy of the organisation refuses a login,
//! whatever error it comes with: told by the numbers that Entra writes.

use crate::protocol::error::ErrorResponse;

/// A conditional access policy blocks the device flow.
const BLOCKS_DEVICE_CODES: [&str; 3] = ["aadsts53003", "aadsts530034", "aadsts530036"];

/// A policy wants a device that the organisation manages, or the broker of the
/// platform, which binds tokens to the device.
const WANTS_MANAGED_DEVICE: [&str; 6] = [
    "aadsts50097",
    "aadsts53000",
    "aadsts53001",
    "aadsts53002",
    "aadsts50131",
    "token protection",
];

/// What a policy is against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::flow) enum Policy {
    DeviceCodes,
    UnmanagedDevices,
}

impl Policy {
    /// The policy that an error speaks of; `None` where it speaks of none.
    pub(in crate::flow) fn of(error: &ErrorResponse) -> Option<Self> {
        let description = error.error_description.as_deref().unwrap_or_default().to_lowercase();
        let says = |codes: &[&str]| codes.iter().any(|code| description.contains(code));
        if says(&BLOCKS_DEVICE_CODES) {
            return Some(Policy::DeviceCodes);
        }
        says(&WANTS_MANAGED_DEVICE).then_some(Policy::UnmanagedDevices)
    }

    /// The hint for a login in a browser.
    pub(in crate::flow) fn hint_for_browser(self) -> &'static str {
        match self {
            Policy::DeviceCodes => {
                "A conditional access policy of your organisation blocks this login: its administrators see in the sign-in log which one."
            }
            Policy::UnmanagedDevices => {
                "A policy of your organisation requires a managed device, or the sign-in broker of the platform, which only its own programs can use: a login in a browser cannot satisfy it. Ask the administrators for an exception for this client."
            }
        }
    }
}
