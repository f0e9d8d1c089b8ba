//! What a person can do when a server refuses a device login: above all where
//! it does not want logins of this kind.

use crate::flow::hints::{RequestSummary, client_authentication_refused};
use crate::flow::policy_hints::Policy;
use crate::protocol::client::ClientAuthenticationMethod;
use crate::protocol::device_authorization::DeviceAuthorizationError;
use crate::protocol::error::ErrorResponse;
use crate::protocol::token_response::TokenError;

const USE_THE_BROWSER: &str = "Log in with the browser flow (--grant authorization-code): on a machine without a browser, paste the address that the browser ends on (--paste).";

/// The hints for an answer of the device authorization endpoint.
pub(super) fn hints_for_authorization(
    error: &DeviceAuthorizationError,
    method: ClientAuthenticationMethod,
) -> Vec<String> {
    let hint = match error {
        DeviceAuthorizationError::OAuth { error, .. } => {
            return hints_for_refusal(error, method)
                .unwrap_or_else(|| vec!["Run it again with -vv to see the exchange.".to_owned()]);
        }
        DeviceAuthorizationError::Unavailable { .. } => "Try again later.",
        DeviceAuthorizationError::Redirect { .. } => {
            "Give the endpoint's final URL with --device-authorization-endpoint, if that is where it has moved."
        }
        DeviceAuthorizationError::NotJson { .. } | DeviceAuthorizationError::Refused { .. } => {
            "Something else than the device authorization endpoint seems to answer: a proxy, a captive portal, or a wrong --device-authorization-endpoint."
        }
        DeviceAuthorizationError::Invalid { .. } => "Run it again with -vv to see the answer.",
    };
    vec![hint.to_owned()]
}

/// The hints for an answer of the token endpoint that is not a token.
pub(super) fn hints_for_token(error: &TokenError, sent: &RequestSummary) -> Vec<String> {
    let of_refusal = match (error, sent.method) {
        (TokenError::OAuth { error, .. }, Some(method)) => hints_for_refusal(error, method),
        _ => None,
    };
    of_refusal.unwrap_or_else(|| error.hints(Some(sent)))
}

/// The hints for a refusal by policy, whatever code it comes with; `None` for another one.
pub(super) fn hints_for_policy(error: &ErrorResponse) -> Option<Vec<String>> {
    let why = match Policy::of(error)? {
        Policy::DeviceCodes => {
            "A policy of your organisation blocks logins by device code, as many do since codes are phished."
        }
        Policy::UnmanagedDevices => {
            "A policy of your organisation requires a sign-in from a managed device, which a device code does not prove."
        }
    };
    Some(vec![why.to_owned(), USE_THE_BROWSER.to_owned()])
}

fn hints_for_refusal(error: &ErrorResponse, method: ClientAuthenticationMethod) -> Option<Vec<String>> {
    if let Some(hints) = hints_for_policy(error) {
        return Some(hints);
    }
    if error.is_one_of(&["device_flow_disabled", "unsupported_grant_type"]) {
        return Some(vec![
            "See this client's settings at the server: it must allow the device authorization grant.".to_owned(),
            USE_THE_BROWSER.to_owned(),
        ]);
    }
    match error.error.as_str() {
        "unauthorized_client" => Some(vec![
            "See this client's settings at the server: it must allow the device authorization grant.".to_owned(),
            client_authentication_refused(Some(method)),
        ]),
        "invalid_client" => Some(vec![client_authentication_refused(Some(method))]),
        "invalid_grant" => Some(vec![
            "The code was used before, has expired, or its answer was lost: run the login again.".to_owned(),
        ]),
        "invalid_scope" => Some(vec![
            "Ask for other scopes with --scope. To list those that the server announces: oauth discover URL".to_owned(),
        ]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hints(error: &str, description: &str) -> String {
        let error = DeviceAuthorizationError::OAuth {
            endpoint: "https://as.example/device".to_owned(),
            status: 400,
            error: ErrorResponse::new(error, description),
        };
        hints_for_authorization(&error, ClientAuthenticationMethod::None).join("\n")
    }

    #[test]
    fn policies_and_settings_against_device_logins_are_explained() {
        for (error, description, part) in [
            (
                "invalid_grant",
                "AADSTS53003: Access has been blocked by Conditional Access policies.",
                "--paste",
            ),
            ("access_denied", "AADSTS530034: blocked", "blocks logins by device code"),
            (
                "interaction_required",
                "AADSTS53000: Device is not in required device state",
                "managed device",
            ),
            (
                "invalid_grant",
                "AADSTS50097: Device authentication is required.",
                "managed device",
            ),
            (
                "device_flow_disabled",
                "Device Flow must be explicitly enabled",
                "allow the device authorization grant",
            ),
            ("unsupported_grant_type", "", "allow the device authorization grant"),
            (
                "unauthorized_client",
                "Grant type not allowed for the client.",
                "allow the device authorization grant",
            ),
            ("invalid_client", "", "No client secret was sent"),
            ("invalid_scope", "", "--scope"),
            ("invalid_grant", "", "run the login again"),
            ("invalid_request", "no", "-vv"),
        ] {
            let hints = hints(error, description);
            assert!(hints.contains(part), "{error} {description}: {hints}");
        }
    }
}
